/** A name in FROM: a WITH query, a table, a view (bound from its text), a system view. */
import { PhantomError } from '@phantom/base';
import type { SequenceDescriptor, StoredName, TableDescriptor, ViewDescriptor } from '@phantom/catalog';
import type { EvaluationContext } from '../../functions/registry.js';
import type { Value } from '../../types/type.js';
import type { Binder, BoundField } from '../../expr/binder.js';
import { FALSE, columnReference, type ColumnId } from '../../expr/expression.js';
import { nearestName } from '../../expr/nearest-name.js';
import {
  RULE_ROWS_NAME,
  type CteBinding,
  type RangeItem,
  type RangeLocks,
  type Scope,
  type ScopeColumn,
} from '../../expr/scope.js';
import { isSystemTable } from '../../system-views/system-view.js';
import { isDivided, membersOf, rootOf, treeOf } from '../../storage/inheritance/table-tree.js';
import { systemTypeNamed } from '../../system-views/row-types.js';
import { CTID_NUMBER, TABLE_OID_NUMBER } from '../../storage/system-columns.js';
import { TypeOid } from '../../types/type-oids.js';
import { typeRef } from '../../types/type-refs.js';
import type { QualifiedName } from '../../text/ast-leaves.js';
import type * as Ast from '../../text/ast.js';
import type { NamedRelation, RelationPrivilege, VirtualRelation } from '../catalog-port.js';
import type { LogicalNode, Scan } from '../logical/logical.js';
import { rangeItem, renameColumns, type BoundFrom } from './range-items.js';
import { behindPolicies, TablePolicies } from './row-security.js';
import { catalogXmin, systemColumn, tableOidColumn } from './system-columns.js';
import { sampleCondition } from './table-sample.js';

/** Hidden column with a row's reference, for cursors. No query can name it: a name never holds this character. */
export const ROW_REFERENCE_NAME = '\u0000row';

/** Names that a misspelled one is compared with: an error costs no more in a schema of a hundred thousand tables. */
const HINT_NAMES_MAX = 1000;

/** Finds a relation by its written name; 42P01 when there is none. */
export function findRelation(binder: Binder, name: QualifiedName, position: number): NamedRelation {
  const { context } = binder;
  const parts = name.map((part) => part.text);
  const last = parts[parts.length - 1] ?? '';
  const schema = parts[parts.length - 2];
  const catalogName = parts[parts.length - 3];
  if (catalogName !== undefined && catalogName !== context.catalog.databaseName) {
    throw context.error('0A000', `references to another database are not supported: "${parts.join('.')}"`, position);
  }
  const stored = storedName(binder, name);
  const relation =
    stored === undefined
      ? context.catalog.relation(schema === undefined ? { name: last } : { schema, name: last })
      : context.catalog.relationByOid(stored.oid);
  if (relation !== undefined) {
    context.nameListener?.(parts.join('.'), relation);
    if (schema !== undefined) {
      context.requirePrivilege({
        relationOid: relation.schemaOid,
        relationName: schema,
        privilege: 'usage',
        columns: new Set(),
        asRoleOid: context.viewOwnerOid,
      });
    }
    return relation;
  }
  const nearest = nearestName(last, first(context.catalog.relationNames(schema), HINT_NAMES_MAX));
  throw context.error(
    '42P01',
    `relation "${parts.join('.')}" does not exist`,
    position,
    nearest === undefined
      ? {}
      : { hint: `Perhaps you meant "${schema === undefined ? nearest : `${schema}.${nearest}`}".` },
  );
}

function* first(names: Iterable<string>, countMax: number): Iterable<string> {
  let count = 0;
  for (const name of names) {
    if (count++ === countMax) return;
    yield name;
  }
}

/** What a name meant when the query that holds it was stored; undefined outside of stored queries. */
export function storedName(binder: Binder, name: QualifiedName): StoredName | undefined {
  return binder.context.storedNames?.get(name.map((part) => part.text).join('.'));
}

/** Asks for a right on a relation, or on those of its columns that are used: answers where to report them. */
export function requirePrivilege(
  binder: Binder,
  relation: { readonly oid: number; readonly name: string },
  privilege: RelationPrivilege,
  onlyIfUsed = false,
): Set<number> {
  const columns = new Set<number>();
  const { context } = binder;
  context.requirePrivilege({
    relationOid: relation.oid,
    relationName: relation.name,
    privilege,
    columns,
    onlyIfUsed,
    asRoleOid: context.viewOwnerOid,
  });
  return columns;
}

/** What to tell of the columns of a changed relation that are read, by their places among those it shows: asks for that right. */
export function readingOf(binder: Binder, relation: TableDescriptor | ViewDescriptor): (columnIndex: number) => void {
  const read = requirePrivilege(binder, relation, 'select', true);
  const shown = relation.kind === 'table' ? relation.columns.filter((column) => !column.dropped) : undefined;
  return (index) => void read.add(shown === undefined ? index + 1 : (shown[index]?.number ?? 0));
}

export function bindRelation(binder: Binder, node: Ast.TableRef, scope: Scope): BoundFrom {
  const { context } = binder;
  if (node.systemTime !== undefined) throw context.unsupported('FOR SYSTEM_TIME', node.systemTime.position);
  const [only] = node.name;
  if (node.name.length === 1 && only !== undefined) {
    const cte = scope.cte(only.text);
    if (cte !== undefined && node.sample !== undefined) throw sampleRefused(binder, node.sample);
    if (cte !== undefined) return bindCte(binder, node, cte);
    if (only.text === RULE_ROWS_NAME && context.ruleRows !== undefined) return context.ruleRows;
  }
  const relation = findRelation(binder, node.name, node.position);
  if (node.sample !== undefined && relation.kind !== 'table') throw sampleRefused(binder, node.sample);
  switch (relation.kind) {
    case 'table':
      return bindTableScan(binder, relation, node, scope.locks);
    case 'view':
      return bindView(binder, relation, node, scope.locks);
    case 'virtual':
      return bindVirtual(binder, relation, node);
    case 'sequence':
      if (scope.locks?.of(node) !== undefined) throw lockRefused(binder, 'sequence', relation.name);
      return bindSequence(binder, relation, node);
    default:
      throw context.error('42809', `cannot open relation "${relation.name}"`, node.position, {
        detail: 'This operation is not supported for indexes.',
      });
  }
}

/** A scan of all columns of a table, or of a tree, with the range item that names them. */
export function scanTable(
  binder: Binder,
  table: TableDescriptor,
  alias: string | undefined,
  onUse: ((columnIndex: number) => void) | undefined,
  stored?: StoredName,
): { readonly plan: Scan; readonly item: RangeItem; readonly byPosition: readonly ColumnId[] } {
  const { context } = binder;
  for (const { oid, schemaVersion } of membersOf(table) ?? [table]) context.dependOn(oid, schemaVersion);
  const byPosition = table.columns.map((column) =>
    context.pool.add(column.name, column.type, table.oid, column.number),
  );
  const ctid = context.pool.add('ctid', typeRef(TypeOid.tid), table.oid, CTID_NUMBER);
  const rowReference = context.pool.add('?row?', typeRef(TypeOid.void), table.oid, 0);
  const system = [{ id: ctid, number: CTID_NUMBER }];
  let tableOid = tableOidColumn(table.oid);
  if (isDivided(table)) {
    const id = context.pool.add('tableoid', tableOid.type, table.oid, TABLE_OID_NUMBER);
    system.push({ id, number: TABLE_OID_NUMBER });
    tableOid = systemColumn('tableoid', columnReference(id, tableOid.type));
  }
  const live = table.columns
    .map((column, i) => ({ column, id: byPosition[i] as ColumnId }))
    .filter((c) => !c.column.dropped);
  const plan: Scan = {
    kind: 'scan',
    table,
    alias: alias ?? table.name,
    scanColumns: [...live.map(({ column, id }) => ({ id, number: column.number })), ...system],
    rowReference,
    filter: [],
    columns: [...live.map(({ id }) => id), ...system.map(({ id }) => id), rowReference],
  };
  // A stored query knows the columns there were, by their names of then.
  const known = live.filter(({ column }) => stored === undefined || (stored.columns[column.number - 1] ?? '') !== '');
  const columns = known.map(({ column, id }): ScopeColumn => ({
    name: stored?.columns[column.number - 1] ?? column.name,
    expression: columnReference(id, column.type),
    type: column.type,
  }));
  const rowColumns = live.map(({ column: { name, type }, id }) => ({
    name,
    type,
    expression: columnReference(id, type),
  }));
  const shown = stored?.name.split('.');
  const item = rangeItem(alias ?? shown?.at(-1) ?? table.name, columns, {
    schema: alias === undefined ? (shown?.at(-2) ?? context.catalog.schemaName(table.schemaOid)) : undefined,
    rowTypeOid: table.rowTypeOid,
    rowColumns: stored === undefined ? undefined : rowColumns,
    table: rootOf(table),
    marker: live.find(({ column }) => column.notNull)?.id ?? rowReference,
    rowReference,
    hidden: [
      tableOid,
      systemColumn('ctid', columnReference(ctid, typeRef(TypeOid.tid))),
      {
        name: ROW_REFERENCE_NAME,
        expression: columnReference(rowReference, typeRef(TypeOid.void)),
        type: typeRef(TypeOid.void),
      },
    ],
    onUse: onUse === undefined ? undefined : (index) => onUse(known[index]?.column.number ?? 0),
  });
  return { plan, item, byPosition };
}

function bindTableScan(
  binder: Binder,
  table: TableDescriptor,
  node: Ast.TableRef,
  locks: RangeLocks | undefined,
): BoundFrom {
  const used = requirePrivilege(binder, table, 'select');
  if (table.materialized?.populated === false && binder.context.nameListener === undefined) {
    throw new PhantomError('55000', `materialized view "${table.name}" has not been populated`, {
      hint: 'Use the REFRESH MATERIALIZED VIEW command.',
    });
  }
  const stored = storedName(binder, node.name);
  const scanned = node.only ? table : treeOf(table, binder.context.catalog);
  const scan = scanTable(binder, scanned, node.alias?.name.text, (column) => used.add(column), stored);
  const policies = TablePolicies.of(binder, table);
  const conditions = policies?.visible('select', scan.byPosition) ?? [];
  const lock = locks?.of(node);
  if (lock !== undefined) {
    if (table.materialized !== undefined) throw lockRefused(binder, 'materialized view', table.name);
    requirePrivilege(binder, table, 'update');
    locks?.targets.push({ rowReference: scan.plan.rowReference as ColumnId, ...lock });
    // To lock a row is to be allowed to change it.
    conditions.push(...(policies?.visible('update', scan.byPosition) ?? []));
  }
  const plan = behindPolicies(node.only ? ofOnly(table, scan.plan) : scan.plan, conditions);
  const item: RangeItem = { ...scan.item, columns: renameColumns(binder, scan.item.columns, node.alias) };
  if (node.sample === undefined) return { plan, items: [item] };
  const condition = sampleCondition(binder, node.sample, scan.plan.rowReference as ColumnId);
  return { plan: { kind: 'filter', input: plan, conditions: [condition], columns: plan.columns }, items: [item] };
}

function lockRefused(binder: Binder, what: string, name: string): Error {
  return binder.context.error('42809', `cannot lock rows in ${what} "${name}"`, undefined);
}

/** ONLY a partitioned table has no rows. */
export function ofOnly({ partitioned }: TableDescriptor, scan: LogicalNode): LogicalNode {
  return partitioned === undefined ? scan : { kind: 'filter', input: scan, conditions: [FALSE], columns: scan.columns };
}

function sampleRefused(binder: Binder, sample: Ast.TableSample): Error {
  const message = 'TABLESAMPLE clause can only be applied to tables and materialized views';
  return binder.context.error('0A000', message, sample.position);
}

/** A sequence as a table of one row: where it stands. */
function bindSequence(binder: Binder, sequence: SequenceDescriptor, node: Ast.TableRef): BoundFrom {
  const { context } = binder;
  requirePrivilege(binder, sequence, 'select');
  const columns = [
    { name: 'last_value', type: typeRef(TypeOid.int8) },
    { name: 'log_cnt', type: typeRef(TypeOid.int8) },
    { name: 'is_called', type: typeRef(TypeOid.bool) },
  ];
  const { oid, name, schemaOid } = sequence;
  const rows = (evaluation: EvaluationContext): Iterable<readonly Value[]> => {
    const row = evaluation.sequenceRow(oid);
    return [[row.lastValue, row.reservedCount, row.isCalled]];
  };
  context.dependOn(oid, 0);
  return bindVirtual(binder, { kind: 'virtual', oid, name, schemaOid, columns, rowsEstimate: 1, rows }, node);
}

function bindVirtual(binder: Binder, relation: VirtualRelation, node: Ast.TableRef): BoundFrom {
  const { context } = binder;
  if (relation.restricted === true) requirePrivilege(binder, relation, 'select');
  const ids = relation.columns.map((column) => context.newColumn(column.name, column.type));
  const plan: LogicalNode = {
    kind: 'virtual-scan',
    relation,
    alias: node.alias?.name.text ?? relation.name,
    positions: relation.columns.map((_, i) => i),
    columns: ids,
  };
  const columns = relation.columns.map((column, i): ScopeColumn => ({
    name: column.name,
    expression: columnReference(ids[i] as ColumnId, column.type),
    type: column.type,
  }));
  const item = rangeItem(node.alias?.name.text ?? relation.name, renameColumns(binder, columns, node.alias), {
    schema: node.alias === undefined ? context.catalog.schemaName(relation.schemaOid) : undefined,
    rowTypeOid: systemTypeNamed(relation.schemaOid, relation.name) ?? 0,
    hidden: [tableOidColumn(relation.oid), ...(isSystemTable(relation) ? [catalogXmin()] : [])],
  });
  return { plan, items: [item] };
}

/** Deepest nesting of views in views: a circle of views ends here. */
const VIEW_DEPTH_MAX = 64;

function bindView(binder: Binder, view: ViewDescriptor, node: Ast.TableRef, locks: RangeLocks | undefined): BoundFrom {
  const { context } = binder;
  if (context.viewStack.length >= VIEW_DEPTH_MAX) {
    throw context.error('42P17', `infinite recursion detected in rules for relation "${view.name}"`, node.position);
  }
  const used = requirePrivilege(binder, view, 'select');
  const lock = locks?.of(node);
  if (lock !== undefined) requirePrivilege(binder, view, 'update');
  context.dependOn(view.oid, 0);
  const inner = context.stored(view);
  inner.viewOwnerOid = view.options?.['security_invoker'] === 'true' ? context.viewOwnerOid : view.ownerOid;
  inner.viewStack = [...context.viewStack, view.name];
  const viewBinder = binder.within(inner);
  const query = viewBinder.bindQuery(binder.parseQuery(view.querySql), undefined, { lock });
  locks?.targets.push(...(query.locked ?? []));
  const stored = storedName(binder, node.name);
  const all = view.columns.map(({ name }, i): ScopeColumn => {
    const field = query.fields[i];
    if (field === undefined) {
      throw context.error('XX000', `view "${view.name}" has fewer columns than it was made with`, node.position);
    }
    return { name, expression: columnReference(field.column, field.type), type: field.type };
  });
  // A stored query knows the columns there were, by their names of then.
  const columns = stored?.columns.map((name, i) => ({ ...(all[i] as ScopeColumn), name })) ?? all;
  const shown = stored?.name.split('.');
  const item = rangeItem(
    node.alias?.name.text ?? shown?.at(-1) ?? view.name,
    renameColumns(binder, columns, node.alias),
    {
      schema: node.alias === undefined ? (shown?.at(-2) ?? context.catalog.schemaName(view.schemaOid)) : undefined,
      rowTypeOid: view.rowTypeOid,
      rowColumns: stored === undefined ? undefined : all,
      onUse: (index) => used.add(index + 1),
    },
  );
  return { plan: query.plan, items: [item] };
}

function bindCte(binder: Binder, node: Ast.TableRef, cte: CteBinding): BoundFrom {
  const { context } = binder;
  cte.onUse();
  const ids = cte.fields.map((field) => context.newColumn(field.name, field.type));
  const hidden = (cte.hidden ?? []).map((field) => context.newColumn(field.name, field.type));
  cte.onScan?.(hidden);
  const plan: LogicalNode = {
    kind: 'cte-scan',
    cte: cte.id,
    name: cte.name,
    working: cte.working,
    sources: [...cte.fields, ...(cte.hidden ?? [])].map((field) => field.column),
    columns: [...ids, ...hidden],
  };
  const named = (column: ColumnId, { name, type }: Pick<BoundField, 'name' | 'type'>): ScopeColumn => ({
    name,
    expression: columnReference(column, type),
    type,
  });
  const columns = cte.fields.map((field, i) => named(ids[i] as ColumnId, field));
  // What SEARCH and CYCLE add may be named in the step, but is none of the columns that `*` stands for.
  const further = (cte.hidden ?? []).map((field, i) => named(hidden[i] as ColumnId, field));
  return {
    plan,
    items: [
      rangeItem(node.alias?.name.text ?? cte.name, renameColumns(binder, columns, node.alias), { hidden: further }),
    ],
  };
}
