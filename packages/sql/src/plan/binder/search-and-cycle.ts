/**
 * SEARCH and CYCLE of recursive queries (T133), as further columns of the working table:
 *
 *   SEARCH DEPTH FIRST BY a SET s      s = array of rows (a), from the start to this row
 *   SEARCH BREADTH FIRST BY a SET s    s = row (depth, a)
 *   CYCLE a SET m USING p              p = array of rows (a) on the way here; m says whether (a) was on it before, and rows
 *                                      so marked go no further
 */
import { SqlArray, type SqlRecord } from '@phantom/codec';
import type { TypeRef } from '@phantom/catalog';
import type { Binder, BoundField, BoundQuery } from '../../expr/binder.js';
import { callOperator } from '../../expr/calls.js';
import { unify } from '../../expr/coercion.js';
import { columnReference, FALSE, TRUE, type ColumnId, type Expression } from '../../expr/expression.js';
import { Scope } from '../../expr/scope.js';
import { TypeOid } from '../../types/type-oids.js';
import { BOOL, INT8, typeRef } from '../../types/type-refs.js';
import type { ScalarFunction } from '../../functions/registry.js';
import type * as Ast from '../../text/ast.js';
import type { Value } from '../../types/type.js';
import type { LogicalNode } from '../logical/logical.js';

const RECORD: TypeRef = typeRef(TypeOid.record);
const RECORDS: TypeRef = typeRef(TypeOid.recordArray);

/** A function that has no name in SQL. */
function internal(name: string, resultType: number, call: (...args: never[]) => Value): ScalarFunction {
  return {
    kind: 'scalar',
    oid: 0,
    name,
    argumentTypes: [],
    resultType,
    volatility: 'immutable',
    strict: true,
    call,
  };
}

const startPath = internal('path_start', TypeOid.recordArray, (row: SqlRecord) => SqlArray.of(TypeOid.record, [row]));
const extendPath = internal('path_extend', TypeOid.recordArray, (path: SqlArray, row: SqlRecord) =>
  SqlArray.of(TypeOid.record, [...path.items, row]),
);
const nextDepth = internal('depth_next', TypeOid.int8, (row: SqlRecord) => Number(row.fields[0]) + 1);

function callOf(definition: ScalarFunction, args: readonly Expression[], type: TypeRef): Expression {
  return {
    kind: 'call',
    function: definition,
    operator: undefined,
    arguments: args,
    variadicFrom: undefined,
    variadicElement: undefined,
    type,
  };
}

interface ExtraColumn {
  readonly field: BoundField;
  /** Its value in the first part, over a row's own columns. */
  first(own: (name: string) => Expression): Expression;
  /** Its value in the step: `before` is the column's value in the row of the working table. */
  step(own: (name: string) => Expression, before: (column: ColumnId) => Expression): Expression;
}

export class SearchAndCycle {
  private readonly binder: Binder;
  private readonly table: Ast.CommonTable;
  private readonly own: readonly BoundField[];
  private readonly extra: ExtraColumn[] = [];
  /** Marked rows of the working table go no further. */
  private stop: ((before: (column: ColumnId) => Expression) => Expression) | undefined;
  private scanned: readonly ColumnId[] = [];

  constructor(binder: Binder, table: Ast.CommonTable, own: readonly BoundField[], scope: Scope) {
    this.binder = binder;
    this.table = table;
    this.own = own;
    if (table.search !== undefined) this.addSearch(table.search);
    if (table.cycle !== undefined) this.addCycle(table.cycle, scope);
  }

  get fields(): readonly BoundField[] {
    return this.extra.map((column) => column.field);
  }

  /** Ids under which the step's scan of the working table reads the further columns. */
  setScanned(columns: readonly ColumnId[]): void {
    this.scanned = columns;
  }

  private newField(name: string, type: TypeRef): BoundField {
    return { name, column: this.binder.context.newColumn(name, type), type, tableOid: 0, columnNumber: 0 };
  }

  /** Checks that the columns are there, each once, and that the new name is free. */
  private checkColumns(names: readonly { readonly text: string; readonly position: number }[], what: string): void {
    const seen = new Set<string>();
    for (const name of names) {
      if (!this.own.some((field) => field.name === name.text)) {
        throw this.binder.context.error(
          '42601',
          `${what} column "${name.text}" not in WITH query column list`,
          name.position,
        );
      }
      if (seen.has(name.text)) {
        throw this.binder.context.error(
          '42701',
          `${what} column "${name.text}" specified more than once`,
          name.position,
        );
      }
      seen.add(name.text);
    }
  }

  private checkNew(name: { readonly text: string; readonly position: number }, what: string): void {
    const taken = [...this.own, ...this.fields].some((field) => field.name === name.text);
    if (!taken) return;
    throw this.binder.context.error(
      '42601',
      `${what} column name "${name.text}" already used in WITH query column list`,
      name.position,
    );
  }

  private row(
    names: readonly { readonly text: string }[],
    own: (name: string) => Expression,
    ...before: Expression[]
  ): Expression {
    return { kind: 'row', fields: [...before, ...names.map((name) => own(name.text))], names: undefined, type: RECORD };
  }

  private addSearch(search: NonNullable<Ast.CommonTable['search']>): void {
    this.checkColumns(search.by, 'search');
    this.checkNew(search.set, 'search sequence');
    const { by } = search;
    if (search.order === 'depth') {
      const field = this.newField(search.set.text, RECORDS);
      this.extra.push({
        field,
        first: (own) => callOf(startPath, [this.row(by, own)], RECORDS),
        step: (own, before) => callOf(extendPath, [before(field.column), this.row(by, own)], RECORDS),
      });
      return;
    }
    const field = this.newField(search.set.text, RECORD);
    const depth = (value: Expression): Expression => callOf(nextDepth, [value], INT8);
    this.extra.push({
      field,
      first: (own) => this.row(by, own, { kind: 'constant', value: 0, type: INT8 }),
      step: (own, before) => this.row(by, own, depth(before(field.column))),
    });
  }

  private addCycle(cycle: NonNullable<Ast.CommonTable['cycle']>, scope: Scope): void {
    const { context } = this.binder;
    this.checkColumns(cycle.columns, 'cycle');
    this.checkNew(cycle.set, 'cycle mark');
    this.checkNew(cycle.using, 'cycle path');
    if (cycle.set.text === cycle.using.text) {
      throw context.error(
        '42601',
        'cycle mark column name and cycle path column name are the same',
        cycle.using.position,
      );
    }
    const bound = new Scope(context, scope);
    const given = [cycle.to, cycle.default].map((node) =>
      node === undefined ? undefined : this.binder.bind(node, bound),
    );
    const marks = unify(context, [given[0] ?? TRUE, given[1] ?? FALSE], [cycle.position, cycle.position], 'CYCLE');
    const [yes, no] = marks.expressions as [Expression, Expression];
    const mark = this.newField(cycle.set.text, marks.type);
    const path = this.newField(cycle.using.text, RECORDS);
    const names = cycle.columns;
    const equals = context.catalog.types.byOid(TypeOid.record)?.compare;
    const onPath = internal('path_holds', TypeOid.bool, (rows: SqlArray, row: SqlRecord) =>
      rows.items.some((item) => equals?.(item, row) === 0),
    );
    this.extra.push({
      field: mark,
      first: () => no,
      step: (own, before) => ({
        kind: 'case',
        branches: [{ when: callOf(onPath, [before(path.column), this.row(names, own)], BOOL), then: yes }],
        otherwise: no,
        type: marks.type,
      }),
    });
    this.extra.push({
      field: path,
      first: (own) => callOf(startPath, [this.row(names, own)], RECORDS),
      step: (own, before) => callOf(extendPath, [before(path.column), this.row(names, own)], RECORDS),
    });
    this.stop = (before) => callOperator(context, '<>', before(mark.column), yes, cycle.position);
  }

  /** The first part with the further columns. */
  extendFirst(first: BoundQuery): BoundQuery {
    if (this.extra.length === 0) return first;
    const own = this.ownColumns(this.own.map((field) => field.column));
    const items = this.extra.map((column) => ({ column: column.field.column, expression: column.first(own) }));
    return {
      plan: {
        kind: 'project',
        input: first.plan,
        items,
        columns: [...first.plan.columns, ...this.fields.map((f) => f.column)],
      },
      fields: first.fields,
    };
  }

  /** The step with them: computed above its select list, from columns that it is made to pass through. */
  extendStep(
    plan: LogicalNode,
    columns: readonly ColumnId[],
  ): { readonly plan: LogicalNode; readonly columns: readonly ColumnId[] } {
    if (this.extra.length === 0) return { plan, columns };
    const passed = this.passThrough(plan);
    const own = this.ownColumns(columns);
    const before = (column: ColumnId): Expression => {
      const at = this.extra.findIndex((extra) => extra.field.column === column);
      const extra = this.extra[at] as ExtraColumn;
      return columnReference(this.scanned[at] as ColumnId, extra.field.type);
    };
    const items = this.extra.map((extra) => ({
      column: this.binder.context.newColumn(extra.field.name, extra.field.type),
      expression: extra.step(own, before),
    }));
    const input: LogicalNode =
      this.stop === undefined
        ? passed
        : { kind: 'filter', input: passed, conditions: [this.stop(before)], columns: passed.columns };
    const made = items.map((item) => item.column);
    return {
      plan: { kind: 'project', input, items, columns: [...new Set([...columns, ...made])] },
      columns: [...columns, ...made],
    };
  }

  /** The names of the query's own columns as references to ids. */
  private ownColumns(columns: readonly ColumnId[]): (name: string) => Expression {
    return (name) => {
      const at = this.own.findIndex((field) => field.name === name);
      return columnReference(columns[at] as ColumnId, (this.own[at] as BoundField).type);
    };
  }

  /** Makes every node from the step's top down to the working table's scan hand on the columns of that scan. */
  private passThrough(node: LogicalNode): LogicalNode {
    const wanted = this.scanned;
    const add = (columns: readonly ColumnId[]): readonly ColumnId[] => [...new Set([...columns, ...wanted])];
    switch (node.kind) {
      case 'cte-scan':
        return node;
      case 'project':
      case 'filter':
      case 'sort':
        return { ...node, input: this.passThrough(node.input), columns: add(node.columns) };
      case 'join': {
        const holds = (side: LogicalNode): boolean =>
          side.columns.some((column) => wanted.includes(column)) || hasScan(side, wanted);
        if (holds(node.left)) return { ...node, left: this.passThrough(node.left), columns: add(node.columns) };
        return { ...node, right: this.passThrough(node.right), columns: add(node.columns) };
      }
      default:
        throw this.binder.context.error(
          '0A000',
          'with a SEARCH or CYCLE clause, the recursive reference to WITH query must be at the top level of its right-hand SELECT',
          this.table.position,
        );
    }
  }
}

/** Whether the scan that makes the columns is below. */
function hasScan(node: LogicalNode, columns: readonly ColumnId[]): boolean {
  if (node.kind === 'cte-scan') return node.columns.some((column) => columns.includes(column));
  if (node.kind === 'project' || node.kind === 'filter' || node.kind === 'sort') return hasScan(node.input, columns);
  return node.kind === 'join' && (hasScan(node.left, columns) || hasScan(node.right, columns));
}
