/** SET clauses: single columns, rows of columns, and rows from a subquery. */
import type { TableDescriptor } from '@phantom/catalog';
import type { Binder } from '../../expr/binder.js';
import { letIn } from '../../expr/calls.js';
import type { ColumnId, Expression } from '../../expr/expression.js';
import type { Scope } from '../../expr/scope.js';
import { Oids, typeRef } from '../../expr/type-oids.js';
import type * as Ast from '../../text/ast.js';
import { startOf } from './positions.js';
import { assign, checkTargets, defaultValue, refuseGenerated, refuseIdentity } from './target.js';

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
): BoundAssignments {
  const bound: BoundAssignments = { values: new Map(), rows: [] };
  checkTargets(
    binder,
    table,
    assignments.flatMap((assignment) => assignment.targets),
    'update',
  );
  for (const assignment of assignments) {
    const positions = assignment.targets.map((target) =>
      table.columns.findIndex((column) => !column.dropped && column.name === target.name.text),
    );
    if (!assignment.multiple) {
      setOne(binder, table, positions[0] as number, assignment.value, scope, bound);
      continue;
    }
    setSeveral(binder, table, positions, assignment, scope, bound);
  }
  return bound;
}

function setOne(
  binder: Binder,
  table: TableDescriptor,
  at: number,
  node: Ast.Expression,
  scope: Scope,
  bound: BoundAssignments,
): void {
  const column = table.columns[at] as TableDescriptor['columns'][number];
  if (node.kind === 'default') {
    if (column.generated === undefined) bound.values.set(at, defaultValue(binder, table, column));
    return;
  }
  refuseGenerated(binder, column, 'update');
  refuseIdentity(binder, column, 'update');
  bound.values.set(at, assign(binder, binder.bind(node, scope), column, startOf(node)));
}

function setSeveral(
  binder: Binder,
  table: TableDescriptor,
  positions: readonly number[],
  assignment: Ast.Assignment,
  scope: Scope,
  bound: BoundAssignments,
): void {
  const { context } = binder;
  const { value } = assignment;
  const mismatch = (): Error =>
    context.error('42601', 'number of columns does not match number of values', value.position);
  if (value.kind === 'row') {
    if (value.fields.length !== positions.length) throw mismatch();
    value.fields.forEach((field, i) => setOne(binder, table, positions[i] as number, field, scope, bound));
    return;
  }
  if (value.kind !== 'subquery') {
    if (positions.length === 1) {
      setOne(binder, table, positions[0] as number, value, scope, bound);
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
    type: typeRef(Oids.record),
  };
  const column = context.newColumn('?row?', typeRef(Oids.record));
  bound.rows.push({ column, expression: row });
  positions.forEach((at, i) => {
    const descriptor = table.columns[at] as TableDescriptor['columns'][number];
    refuseGenerated(binder, descriptor, 'update');
    const field = query.fields[i] as (typeof query.fields)[number];
    const read = letIn(context, { kind: 'column', column, type: typeRef(Oids.record) }, (reference) => ({
      kind: 'field',
      operand: reference,
      field: i,
      type: field.type,
    }));
    bound.values.set(at, assign(binder, read, descriptor, value.position));
  });
}
