/** SET clauses: single columns, rows of columns, and rows from a subquery. */
import type { TableDescriptor } from '@phantom/catalog';
import type { Binder } from '../../expr/binder.js';
import { letIn } from '../../expr/calls.js';
import type { ColumnId, Expression } from '../../expr/expression.js';
import type { Scope } from '../../expr/scope.js';
import { TypeOid } from '../../types/type-oids.js';
import { typeRef } from '../../types/type-refs.js';
import type * as Ast from '../../text/ast.js';
import { DOCUMENT_POSITION } from '../../storage/document-fields.js';
import { notePart } from './document-columns.js';
import { assignPartValue, replacePart } from './part-assignment.js';
import { startOf } from './positions.js';
import { assign, checkTargets, defaultValue, refuseGenerated, refuseIdentity, targetColumn } from './target.js';

export interface BoundAssignments {
  /** New values by column position. */
  readonly values: Map<number, Expression>;
  /** Rows of subqueries, to be computed once for each row under these ids. */
  readonly rows: { readonly column: ColumnId; readonly expression: Expression }[];
}

export function bindAssignments(
  binder: Binder,
  table: TableDescriptor,
  assignments: readonly Ast.Assignment[],
  scope: Scope,
  current: (position: number) => Expression,
): BoundAssignments {
  const bound: BoundAssignments = { values: new Map(), rows: [] };
  const put = (target: Ast.TargetColumn, at: number, value: Expression, position: number): void => {
    bound.values.set(
      at,
      putValue(binder, table, target, at, value, position, scope, bound.values.get(at) ?? current(at)),
    );
  };
  checkTargets(
    binder,
    table,
    assignments.flatMap((assignment) => assignment.targets),
    'update',
  );
  for (const assignment of assignments) {
    const positions = assignment.targets.map((target) => targetColumn(binder, table, target.name));
    if (!assignment.multiple) {
      setOne(
        binder,
        table,
        assignment.targets[0] as Ast.TargetColumn,
        positions[0] as number,
        assignment.value,
        scope,
        bound,
        put,
      );
      continue;
    }
    setSeveral(binder, table, positions, assignment, scope, bound, put);
  }
  return bound;
}

/** Sets a target: its column's position, the value, and where that stands. */
type Put = (target: Ast.TargetColumn, at: number, value: Expression, position: number) => void;

/** The new value of the target's column: the value itself, or the old value with a part replaced. */
export function putValue(
  binder: Binder,
  table: TableDescriptor,
  target: Ast.TargetColumn,
  at: number,
  value: Expression,
  position: number,
  scope: Scope,
  old: Expression,
): Expression {
  const column = table.columns[at] as TableDescriptor['columns'][number];
  if (target.path.length === 0) return assign(binder, value, column, position);
  const part = assignPartValue(binder, value, column, target, position);
  const whole = replacePart(binder, old, column.type, target.path, target, part, scope);
  if (table.collection !== undefined && at === DOCUMENT_POSITION) notePart(old, whole, topField(target.path[0]));
  return whole;
}

/** The field of a document that a path begins with, where that is written out. */
function topField(step: Ast.TargetColumn['path'][number] | undefined): string | undefined {
  if (step === undefined) return undefined;
  if (!('kind' in step)) return step.text;
  const index = step.kind === 'index' ? step.index : undefined;
  return index?.kind === 'string' ? index.value : undefined;
}

function setOne(
  binder: Binder,
  table: TableDescriptor,
  target: Ast.TargetColumn,
  at: number,
  node: Ast.Expression,
  scope: Scope,
  bound: BoundAssignments,
  put: Put,
): void {
  const column = table.columns[at] as TableDescriptor['columns'][number];
  if (node.kind === 'default') {
    refusePartDefault(binder, target);
    if (column.generated === undefined) bound.values.set(at, defaultValue(binder, table, column));
    return;
  }
  refuseGenerated(binder, column, 'update');
  refuseIdentity(binder, column, 'update');
  put(target, at, binder.bind(node, scope), startOf(node));
}

/** 0A000: a default belongs to a whole column. */
export function refusePartDefault(binder: Binder, target: Ast.TargetColumn): void {
  const last = target.path[target.path.length - 1];
  if (last === undefined) return;
  const what = 'kind' in last ? 'an array element' : 'a subfield';
  throw binder.context.error('0A000', `cannot set ${what} to DEFAULT`, target.position);
}

function setSeveral(
  binder: Binder,
  table: TableDescriptor,
  positions: readonly number[],
  assignment: Ast.Assignment,
  scope: Scope,
  bound: BoundAssignments,
  put: Put,
): void {
  const { context } = binder;
  const { value, targets } = assignment;
  const mismatch = (): Error =>
    context.error('42601', 'number of columns does not match number of values', value.position);
  if (value.kind === 'row' && value.fields.some((field) => field.kind === 'star')) {
    const row = binder.bind(value, scope);
    const fields = row.kind === 'row' ? row.fields : [];
    if (fields.length !== positions.length) throw mismatch();
    fields.forEach((field, i) => put(targets[i] as Ast.TargetColumn, positions[i] as number, field, value.position));
    return;
  }
  if (value.kind === 'row') {
    if (value.fields.length !== positions.length) throw mismatch();
    value.fields.forEach((field, i) =>
      setOne(binder, table, targets[i] as Ast.TargetColumn, positions[i] as number, field, scope, bound, put),
    );
    return;
  }
  if (value.kind !== 'subquery') {
    if (positions.length === 1) {
      setOne(binder, table, targets[0] as Ast.TargetColumn, positions[0] as number, value, scope, bound, put);
      return;
    }
    throw context.error(
      '0A000',
      'source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression',
      value.position,
    );
  }
  const query = binder.bindQuery(value.query, scope);
  if (query.fields.length !== positions.length) throw mismatch();
  const row: Expression = {
    kind: 'subquery',
    mode: 'row',
    plan: query.plan,
    columns: query.fields.map((field) => field.column),
    test: undefined,
    operatorName: undefined,
    type: typeRef(TypeOid.record),
  };
  const column = context.newColumn('?row?', typeRef(TypeOid.record));
  bound.rows.push({ column, expression: row });
  positions.forEach((at, i) => {
    const descriptor = table.columns[at] as TableDescriptor['columns'][number];
    refuseGenerated(binder, descriptor, 'update');
    const field = query.fields[i] as (typeof query.fields)[number];
    const read = letIn(context, { kind: 'column', column, type: typeRef(TypeOid.record) }, (reference) => ({
      kind: 'field',
      operand: reference,
      field: i,
      type: field.type,
    }));
    put(targets[i] as Ast.TargetColumn, at, read, value.position);
  });
}
