/** The table that a statement changes: finding it, its columns, values assigned to them, defaults, generated columns. */
import type { ColumnDescriptor, TableDescriptor, ViewDescriptor } from '@phantom/catalog';
import type { Binder } from '../../expr/binder.js';
import { callNamed } from '../../expr/calls.js';
import { isUnknown, tryCoerce } from '../../expr/coercion.js';
import { columnReference, constant, type ColumnId, type Expression } from '../../expr/expression.js';
import { nearestName } from '../../expr/nearest-name.js';
import { Scope, type Clause, type RangeItem, type ScopeColumn } from '../../expr/scope.js';
import { treeOf } from '../../storage/inheritance/table-tree.js';
import { isSystemColumn } from '../../storage/system-columns.js';
import { TypeOid } from '../../types/type-oids.js';
import { TEXT, typeRef } from '../../types/type-refs.js';
import type { Name, TargetTable } from '../../text/ast-leaves.js';
import type * as Ast from '../../text/ast.js';
import { findRelation } from './bind-relation.js';
import { documentRow } from './document-columns.js';
import { writtenItself } from './instead-of.js';
import { rangeItem } from './range-items.js';

/** The table behind a target, or its tree where the change is one of all that inherit from it; 42809 for what is none. */
export function findTarget(
  binder: Binder,
  target: TargetTable,
  verb: 'insert' | 'update' | 'delete' | 'merge',
): TableDescriptor {
  const { context } = binder;
  const position = target.name[0]?.position ?? target.position;
  const relation = findRelation(binder, target.name, position);
  switch (relation.kind) {
    case 'table':
      if (relation.materialized !== undefined)
        throw context.error('42809', `cannot change materialized view "${relation.name}"`, position);
      context.dependOn(relation.oid, relation.schemaVersion);
      if (verb === 'merge') refuseRules(binder, relation);
      return verb === 'insert' || target.only ? relation : treeOf(relation, context.catalog);
    case 'view': {
      if (verb === 'merge') refuseRules(binder, relation);
      const table = verb === 'merge' ? undefined : writtenItself(binder, relation, verb);
      if (table === undefined) throw context.unsupported(`${verb.toUpperCase()} on a view`, position);
      context.dependOn(relation.oid, 0);
      return table;
    }
    case 'virtual':
      throw context.error('42501', `permission denied for view ${relation.name}`, position);
    default:
      throw context.error('42809', `cannot ${verb.toLowerCase()} relation "${relation.name}"`, position);
  }
}

/** 0A000: which rows MERGE inserts, changes and removes is known when it runs, and rules apply before. */
function refuseRules({ context }: Binder, relation: TableDescriptor | ViewDescriptor): void {
  if (context.catalog.rulesOf(relation).length === 0) return;
  throw context.error('0A000', `cannot execute MERGE on relation "${relation.name}"`, undefined, {
    detail: 'MERGE is not supported for relations with rules.',
  });
}

/** The view that is written through; undefined when the target is something else, or triggers stand for the change. */
export function findViewTarget(
  binder: Binder,
  target: TargetTable,
  verb: 'insert' | 'update' | 'delete',
): ViewDescriptor | undefined {
  const relation = findRelation(binder, target.name, target.name[0]?.position ?? target.position);
  return relation.kind === 'view' && writtenItself(binder, relation, verb) === undefined ? relation : undefined;
}

/** A column by name: its position among the table's columns. */
export function targetColumn(binder: Binder, table: TableDescriptor, name: Name): number {
  const at = table.columns.findIndex((column) => !column.dropped && nameAsStored(binder, table, column) === name.text);
  if (at >= 0) return at;
  if (isSystemColumn(name.text))
    throw binder.context.error('0A000', `cannot assign to system column "${name.text}"`, name.position);
  const live = table.columns.filter((column) => !column.dropped).map((column) => column.name);
  const nearest = nearestName(name.text, live);
  throw binder.context.error(
    '42703',
    `column "${name.text}" of relation "${table.name}" does not exist`,
    name.position,
    nearest === undefined ? {} : { hint: `Perhaps you meant to reference the column "${table.name}.${nearest}".` },
  );
}

/** What columns of a table were called, by number, when the statement that changes it was stored. */
export function storedColumns({ context }: Binder, oid: number): readonly string[] | undefined {
  for (const entry of context.storedNames?.values() ?? []) if (entry.oid === oid) return entry.columns;
  return undefined;
}

/** The name by which the statement at hand knows a column of the table that it changes. */
export function nameAsStored(
  binder: Binder,
  { oid }: TableDescriptor,
  { number, name }: Pick<ColumnDescriptor, 'number' | 'name'>,
): string {
  const before = storedColumns(binder, oid)?.[number - 1] ?? '';
  return before === '' ? name : before;
}

/** 42701 when a column is named twice, unless each time for a part of it. */
export function checkTargets(
  binder: Binder,
  table: TableDescriptor,
  targets: readonly Ast.TargetColumn[],
  verb: 'insert' | 'update' = 'insert',
): number[] {
  const twice = (target: Ast.TargetColumn): Error => {
    const name = target.name.text;
    if (verb === 'update') {
      return binder.context.error('42601', `multiple assignments to same column "${name}"`, undefined);
    }
    return binder.context.error('42701', `column "${name}" specified more than once`, target.position);
  };
  const whole = new Map<number, boolean>();
  return targets.map((target) => {
    const at = targetColumn(binder, table, target.name);
    const isWhole = target.path.length === 0;
    const before = whole.get(at);
    if (before !== undefined && (before || isWhole)) throw twice(target);
    whole.set(at, isWhole);
    return at;
  });
}

/** The value as an assignment casts it to the column's type. */
export function assign(binder: Binder, value: Expression, column: ColumnDescriptor, position: number): Expression {
  const { context } = binder;
  const coerced = tryCoerce(context, value, column.type, 'assignment', position);
  if (coerced !== undefined) return coerced;
  const settled = isUnknown(value) ? TEXT.oid : value.type.oid;
  throw context.error(
    '42804',
    `column "${column.name}" is of type ${context.typeName(column.type.oid)} but expression is of type ${context.typeName(settled)}`,
    position,
    { hint: 'You will need to rewrite or cast the expression.', routine: 'transformAssignedExpr' },
  );
}

/** The expression text of a column bound over given columns of the row (none for defaults). */
export function bindColumnText(
  binder: Binder,
  table: TableDescriptor,
  column: ColumnDescriptor,
  sql: string,
  clause: Clause,
  row: readonly ColumnId[] | undefined,
): Expression {
  const inner = binder.within(binder.context.nested(binder.context.catalog, sql));
  const scope = new Scope(inner.context, undefined);
  scope.clause = clause;
  if (row !== undefined) scope.items = [rowItem(table, table.name, row)];
  return assign(inner, inner.bind(inner.parseExpression(sql), scope), column, 0);
}

/** What a column gets when nothing is said: its default, its identity's next number, its domain's default, or null. */
export function defaultValue(binder: Binder, table: TableDescriptor, column: ColumnDescriptor): Expression {
  if (column.identity !== undefined && column.sequenceOid !== undefined) {
    const sequence = constant(column.sequenceOid, typeRef(TypeOid.regclass));
    return assign(binder, callNamed(binder.context, 'nextval', [sequence], 0), column, 0);
  }
  if (column.defaultSql !== undefined && column.generated === undefined) {
    return bindColumnText(binder, table, column, column.defaultSql, 'DEFAULT expressions', undefined);
  }
  const type = binder.context.catalog.types.byOid(column.type.oid);
  if (type?.kind === 'domain') {
    if (type.defaultSql === undefined) return assign(binder, constant(null, typeRef(TypeOid.unknown)), column, 0);
    return bindColumnText(binder, table, column, type.defaultSql, 'DEFAULT expressions', undefined);
  }
  return constant(null, column.type);
}

/** The value of a generated column over a row under the given ids. */
export function generatedValue(
  binder: Binder,
  table: TableDescriptor,
  column: ColumnDescriptor,
  row: readonly ColumnId[],
): Expression {
  return bindColumnText(binder, table, column, column.defaultSql ?? 'null', 'column generation expressions', row);
}

/** What the rest of a statement may call its target: the alias alone, or the name with its schema or without. */
export interface TargetName {
  readonly name: string;
  readonly schema: string | undefined;
}

export function targetName(
  { context }: Binder,
  target: TargetTable,
  { oid, name, schemaOid }: TableDescriptor | ViewDescriptor,
): TargetName {
  if (target.alias !== undefined) return { name: target.alias.text, schema: undefined };
  const written = target.name.map((part) => part.text);
  const isStored = context.storedNames?.get(written.join('.'))?.oid === oid;
  const [last = name, schema = context.catalog.schemaName(schemaOid)] = isStored ? written.toReversed() : [];
  return { name: last, schema };
}

/**
 * The item of a changed relation as a stored statement knows it: with the columns that there were, by their names of then. The item
 * has one for each column that there is.
 */
export function asStored(binder: Binder, relation: TableDescriptor | ViewDescriptor, item: RangeItem): RangeItem {
  const stored = storedColumns(binder, relation.oid);
  if (stored === undefined) return item;
  const numbers =
    relation.kind === 'view'
      ? relation.columns.map((_, i) => i + 1)
      : relation.columns.filter(({ dropped }) => !dropped).map(({ number }) => number);
  const known = numbers.flatMap((number, i) => ((stored[number - 1] ?? '') === '' ? [] : [i]));
  const { onUse } = item;
  return {
    ...item,
    columns: known.map((i) => ({
      ...(item.columns[i] as ScopeColumn),
      name: stored[(numbers[i] as number) - 1] as string,
    })),
    onUse: onUse === undefined ? undefined : (index) => onUse(index < 0 ? index : (known[index] as number)),
  };
}

/** Fresh ids for a row of the table, one for each column by position. */
export function newRowColumns(binder: Binder, table: TableDescriptor): ColumnId[] {
  return table.columns.map((column) => binder.context.pool.add(column.name, column.type, table.oid, column.number));
}

/** A range item for a row under the given ids. */
export function rowItem(
  table: TableDescriptor,
  name: string,
  row: readonly ColumnId[],
  columnsVisible = true,
): ReturnType<typeof rangeItem> {
  const columns = table.columns
    .map((column, i) => ({ column, id: row[i] as ColumnId }))
    .filter(({ column }) => !column.dropped)
    .map(({ column, id }) => ({ name: column.name, expression: columnReference(id, column.type), type: column.type }));
  return rangeItem(name, columns, { rowTypeOid: table.rowTypeOid, table, columnsVisible });
}

/** Values of all columns once those that were given are known: defaults where `fill` asks, generated ones over `row`. */
export function completeValues(
  binder: Binder,
  table: TableDescriptor,
  given: ReadonlyMap<number, Expression>,
  row: readonly ColumnId[],
  verb: 'insert' | 'update',
  fill: (column: ColumnDescriptor, position: number) => Expression,
): Expression[] {
  if (table.collection !== undefined) return documentRow(binder, table, given, row, verb, fill);
  return table.columns.map((column, position) => {
    if (column.dropped) return constant(null, column.type);
    if (column.generated !== undefined) return generatedValue(binder, table, column, row);
    return given.get(position) ?? fill(column, position);
  });
}

/** 428C9: generated columns take no values. */
export function refuseGenerated(binder: Binder, column: ColumnDescriptor, verb: 'insert' | 'update'): void {
  if (column.generated !== undefined) {
    const message =
      verb === 'insert'
        ? `cannot insert a non-DEFAULT value into column "${column.name}"`
        : `column "${column.name}" can only be updated to DEFAULT`;
    throw binder.context.error('428C9', message, undefined, {
      detail: `Column "${column.name}" is a generated column.`,
    });
  }
}

/** 428C9: an identity column GENERATED ALWAYS takes no values unless asked to. */
export function refuseIdentity(binder: Binder, column: ColumnDescriptor, verb: 'insert' | 'update'): void {
  if (column.identity !== 'always') return;
  const message =
    verb === 'insert'
      ? `cannot insert a non-DEFAULT value into column "${column.name}"`
      : `column "${column.name}" can only be updated to DEFAULT`;
  throw binder.context.error('428C9', message, undefined, {
    detail: `Column "${column.name}" is an identity column defined as GENERATED ALWAYS.`,
    ...(verb === 'insert' ? { hint: 'Use OVERRIDING SYSTEM VALUE to override.' } : {}),
  });
}

/** Numbers of the columns at some positions. */
export function columnNumbers({ columns }: TableDescriptor, positions: Iterable<number>): number[] {
  return Array.from(positions, (at) => (columns[at] as ColumnDescriptor).number);
}
