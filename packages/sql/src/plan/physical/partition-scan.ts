/**
 * Reading a partitioned table: an append of scans of those partitions that the conditions on its key leave; or an inheritance tree: one
 * of scans of all its members (storage/inheritance/table-tree.ts), to which the same applies but for the key. Conditions are matched as those
 * of a scan along an index over the key would be (access-paths.ts). What is constant leaves partitions out of the plan; what is known
 * only when the plan runs (parameters, now()) leaves them out when the append starts. Conditions go down to each partition, but for
 * those with subqueries, which are planned once and stand above.
 */
import type { SqlArray } from '@phantom/codec';
import type { TableDescriptor, TypeRef } from '@phantom/catalog';
import { constantArray } from '../../exec/values/arrays.js';
import { evaluateParameters, type ParameterFunction } from '../../exec/evaluate-expression.js';
import { keyRange, keyRanges, type KeySpace } from '../../exec/table-access.js';
import { columnReference, constant, type ColumnId, type Expression } from '../../expr/expression.js';
import { foldedRowExpression } from '../../expr/row-expression.js';
import { replaceColumns, someExpression } from '../../expr/walk.js';
import type { EvaluationContext } from '../../functions/registry.js';
import {
  type KeySearch,
  type Partition,
  type Partitioning,
  partitioning,
} from '../../storage/partitions/partitioning.js';
import { isDivided, membersOf } from '../../storage/inheritance/table-tree.js';
import { TABLE_OID_NUMBER } from '../../storage/system-columns.js';
import { TypeOid } from '../../types/type-oids.js';
import { typeRef } from '../../types/type-refs.js';
import type { Value } from '../../types/type.js';
import type { CatalogPort } from '../catalog-port.js';
import type { Scan, ScanColumn } from '../logical/logical.js';
import { columnsOf, replaceColumnsDeep } from '../logical/walk.js';
import { hasSubquery } from '../rules/facts.js';
import { type KeyPart, ownColumns } from './access-path.js';
import { elementsIn, rangeOver } from './access-paths.js';
import { Costs, estimate } from './costs.js';
import type { Append, AppendPruning, KeyRangePlan, PhysicalNode } from './physical.js';
import type { PhysicalPlanner } from './planner.js';

/** A scan of a partitioned table as scans of its partitions. */
export interface PartitionScans {
  readonly scans: readonly PartitionScan[];
  /** Which of them are read, where parameters say more. */
  readonly pruning: AppendPruning | undefined;
  /** Conditions that are tested above. */
  readonly above: readonly Expression[];
  /** The columns that rows have there: those of the scan, and what the conditions need besides. */
  readonly columns: readonly ColumnId[];
}

interface PartitionScan {
  readonly scan: Scan;
  /** The columns of `scan` that stand for those of the partitioned table's scan. */
  readonly columns: readonly ColumnId[];
  /** What `columns` has for tableoid. */
  readonly tableOid: ColumnId | undefined;
}

const OID = typeRef(TypeOid.oid);

const expanded = new WeakMap<Scan, PartitionScans>();

/** The partitions' scans in the place of a partitioned table's. */
export function partitionScans(planner: PhysicalPlanner, scan: Scan): PartitionScans {
  let scans = expanded.get(scan);
  if (scans === undefined) expanded.set(scan, (scans = expand(planner, scan)));
  return scans;
}

/** The scan itself, or that of the only partition left; undefined where there are several, or none. */
export function onlyScan(planner: PhysicalPlanner, scan: Scan): Scan | undefined {
  if (!isDivided(scan.table)) return scan;
  const { scans } = partitionScans(planner, scan);
  const [only] = scans;
  if (only === undefined || scans.length > 1 || only.tableOid !== undefined) return undefined;
  return onlyScan(planner, only.scan);
}

export function planPartitions(planner: PhysicalPlanner, scan: Scan): PhysicalNode {
  const { scans, pruning, above, columns: appended } = partitionScans(planner, scan);
  const [only] = scans;
  if (only === undefined) return { kind: 'values', rows: [], columns: scan.columns, estimate: estimate(1, 0, 0) };
  const inputs = scans.map((partition) => planOne(planner, partition));
  const [first] = inputs;
  if (inputs.length === 1 && first !== undefined) return first;
  const rows = inputs.reduce((sum, input) => sum + input.estimate.rows, 0);
  const total = inputs.reduce((sum, input) => sum + input.estimate.total, 0);
  const append: Append = {
    kind: 'append',
    inputs,
    inputColumns: scans.map(({ columns }) => columns),
    pruning,
    columns: appended,
    estimate: estimate(rows, 0, total + rows * Costs.row),
  };
  if (above.length === 0) return append;
  const tested = total + rows * planner.testCost(above, rows);
  const left = rows * planner.cardinality.selectivityOfAll(above, rows, scan.scanColumns);
  return {
    kind: 'filter',
    input: append,
    conditions: above,
    columns: scan.columns,
    estimate: estimate(Math.max(1, left), 0, tested),
  };
}

function planOne(planner: PhysicalPlanner, { scan, columns, tableOid }: PartitionScan): PhysicalNode {
  const input = planner.plan(scan);
  if (tableOid === undefined) return input;
  const items = [{ column: tableOid, expression: constant(scan.table.oid, OID) }];
  return { kind: 'project', input, items, columns, estimate: input.estimate };
}

function expand(planner: PhysicalPlanner, scan: Scan): PartitionScans {
  const { context } = planner;
  const isNever = scan.filter.some((condition) => condition.kind === 'constant' && condition.value !== true);
  const { parts: partitions, run: chosen } = isNever ? NO_PARTS : partsOf(scan, context.catalog);
  const isOne = partitions.length === 1;
  const above = isOne ? [] : scan.filter.filter(hasSubquery);
  const filter = isOne ? scan.filter : scan.filter.filter((condition) => !hasSubquery(condition));
  const newId = (id: ColumnId): ColumnId => {
    if (isOne) return id;
    const { name, type } = context.pool.get(id);
    return context.pool.add(name, type);
  };
  const own = ownColumns(scan);
  const tested = above.flatMap((condition) => [...columnsOf(condition)].filter((column) => own.has(column)));
  const columns = [...new Set([...scan.columns, ...tested])];
  const scans = partitions.map(({ table }, i) =>
    scanOf({ ...scan, filter, columns }, table, i, newId, (id) => context.pool.get(id).type),
  );
  const pruning =
    chosen === undefined || isOne
      ? undefined
      : (parameters: readonly Value[], evaluation: EvaluationContext): ReadonlySet<number> => {
          const left = new Set<Part>(chosen(parameters, evaluation));
          return new Set(partitions.flatMap((partition, i) => (left.has(partition) ? [i] : [])));
        };
  return { scans, pruning, above, columns };
}

type Part = Pick<Partition, 'table'>;

const NO_PARTS = { parts: [] as readonly Part[], run: undefined };

/** What is read by what is known now, and which of it by what is known when the plan runs. */
function partsOf(scan: Scan, catalog: CatalogPort): { readonly parts: readonly Part[]; readonly run: Search['run'] } {
  const members = membersOf(scan.table);
  if (members !== undefined) return { parts: members.map((table) => ({ table })), run: undefined };
  const found = partitioning(scan.table, catalog);
  const { planned, run } = searchOf(scan, found, catalog);
  return { parts: planned === undefined ? found.partitions : planned(), run };
}

/** The scan of one partition, with columns of its own. */
function scanOf(
  scan: Scan,
  table: TableDescriptor,
  place: number,
  newId: (id: ColumnId) => ColumnId,
  typeOf: (id: ColumnId) => TypeRef,
): PartitionScan {
  const ids = new Map<ColumnId, ColumnId>();
  let tableOid: ColumnId | undefined;
  const scanColumns: ScanColumn[] = [];
  for (const { id, number } of scan.scanColumns) {
    const own = newId(id);
    ids.set(id, own);
    // A partition that is partitioned in turn leaves it to its own.
    if (number === TABLE_OID_NUMBER && table.partitioned === undefined) tableOid = own;
    else scanColumns.push({ id: own, number: numberIn(scan.table, table, number) });
  }
  let { rowReference } = scan;
  if (rowReference !== undefined) {
    const own = newId(rowReference);
    ids.set(rowReference, own);
    rowReference = own;
  }
  const filter = scan.filter.map((condition) =>
    replaceColumnsDeep(condition, (column) => {
      const own = ids.get(column);
      if (own === undefined) return undefined;
      if (own === tableOid) return constant(table.oid, OID);
      return own === column ? undefined : columnReference(own, typeOf(own));
    }),
  );
  const columns = scan.columns.map((id) => ids.get(id) as ColumnId);
  const alias = scan.alias === scan.table.name ? table.name : `${scan.alias}_${place + 1}`;
  return {
    scan: {
      ...scan,
      table,
      alias,
      scanColumns,
      rowReference,
      filter,
      columns: columns.filter((id) => id !== tableOid),
    },
    columns,
    tableOid,
  };
}

/** The number that a column of the partitioned table has in a partition; those of system columns are the same everywhere. */
function numberIn(parent: TableDescriptor, partition: TableDescriptor, number: number): number {
  if (number < 0) return number;
  const name = parent.columns.find((column) => column.number === number)?.name;
  return partition.columns.find((column) => !column.dropped && column.name === name)?.number ?? 0;
}

// ------------------------------------------------------------------------------------------------------------ the key

interface Search {
  /** By constants; undefined: they leave all. */
  readonly planned: (() => readonly Partition[]) | undefined;
  /** By everything that is known when the plan runs; undefined: no more than by constants. */
  readonly run: ((parameters: readonly Value[], evaluation: EvaluationContext) => readonly Partition[]) | undefined;
}

function searchOf(scan: Scan, found: Partitioning, catalog: CatalogPort): Search {
  const own = ownColumns(scan);
  const parts = found.key.parts.map((part): KeyPart => {
    const { column, expressionSql, type } = part;
    const expression = expressionSql === undefined ? undefined : overScan(expressionSql, scan, catalog);
    const id = scan.scanColumns.find(({ number }) => number === column)?.id;
    return { column: id, number: column, expression, descending: false, nullsFirst: false, typeOid: type.oid };
  });
  // What depends on other tables is not known when the scan begins.
  const closed = scan.filter.filter((condition) => [...columnsOf(condition)].every((column) => own.has(column)));
  const nulls = parts.findIndex(({ column }) => closed.some((condition) => isNullTest(condition, column)));
  if (nulls >= 0 && found.key.strategy === 'range')
    return { planned: () => (found.default === undefined ? [] : [found.default]), run: undefined };
  if (nulls === 0 && found.key.strategy === 'list')
    return { planned: () => found.partitionsFor(nullSearch(found)), run: undefined };
  const matched = (conditions: readonly Expression[]): KeyRangePlan | undefined =>
    rangeOver({ ...scan, filter: conditions }, parts, own, elementsIn(catalog)).range;
  const fixed = matched(closed.filter((condition) => isFixed(condition, own)));
  const all = matched(closed);
  const planned =
    fixed === undefined ? undefined : () => found.partitionsFor(keysOf(fixed, found, constantValue, constantArrayOf));
  if (all === undefined || all.conditions.every((condition) => isFixed(condition, own)))
    return { planned, run: undefined };
  const functions = new Map<Expression, ParameterFunction>();
  return {
    planned,
    run: (parameters, evaluation) => {
      const value = (expression: Expression): Value => {
        let evaluate = functions.get(expression);
        if (evaluate === undefined)
          functions.set(expression, (evaluate = evaluateParameters(expression, catalog.types)));
        return evaluate(parameters, evaluation);
      };
      return found.partitionsFor(keysOf(all, found, value, (array) => value(array) as SqlArray | null));
    },
  };
}

function isNullTest(condition: Expression, column: ColumnId | undefined): boolean {
  if (condition.kind !== 'null-test' || condition.negated || column === undefined) return false;
  return condition.operand.kind === 'column' && condition.operand.column === column;
}

function nullSearch({ keyCode }: Partitioning): KeySearch {
  const stretch = keyCode.range(NO_BYTES, [null]);
  return { stretches: [stretch], areKeys: true, areWhole: false };
}

const NO_BYTES = new Uint8Array(0);

/** True for a condition of the scan's columns and constants alone. */
function isFixed(condition: Expression, own: ReadonlySet<ColumnId>): boolean {
  const operands =
    condition.kind === 'call'
      ? condition.arguments
      : condition.kind === 'array-quantified'
        ? [condition.left, condition.array]
        : [];
  return operands.length > 0 && operands.every((operand) => isConstant(operand) || usesOnly(operand, own));
}

function isConstant(expression: Expression): boolean {
  return expression.kind === 'constant' || constantArray(expression) !== undefined;
}

/** A key: it has columns of the scan, and nothing else that is known later. */
function usesOnly(expression: Expression, own: ReadonlySet<ColumnId>): boolean {
  const columns = columnsOf(expression);
  if (columns.size === 0 || ![...columns].every((column) => own.has(column))) return false;
  return !someExpression(expression, (part) => part.kind === 'parameter');
}

function constantValue(expression: Expression): Value {
  return expression.kind === 'constant' ? expression.value : null;
}

function constantArrayOf(expression: Expression): SqlArray | null {
  return constantArray(expression) ?? (constantValue(expression) as SqlArray | null);
}

/** The keys in a range whose values are known. */
function keysOf(
  { equal, any, lower, upper }: KeyRangePlan,
  { key, keyCode }: Partitioning,
  valueOf: (expression: Expression) => Value,
  arrayOf: (expression: Expression) => SqlArray | null,
): KeySearch {
  const space: KeySpace = { prefix: NO_BYTES, keyCode };
  const values = equal.map(valueOf);
  const width = equal.length + (any === undefined ? 0 : 1);
  const isBounded = lower !== undefined || upper !== undefined;
  const areWhole = width + (isBounded ? 1 : 0) === key.parts.length;
  const areKeys = width === key.parts.length;
  if (values.includes(null)) return { stretches: [], areKeys, areWhole };
  if (any !== undefined) {
    const array = arrayOf(any);
    const stretches = keyRanges(space)(values, array);
    if (!areKeys) return { stretches, areKeys, areWhole };
    return { stretches, areKeys, areWhole, keys: array?.items.map((item) => [...values, item]) ?? [] };
  }
  const make = keyRange(space, lower?.inclusive ?? true, upper?.inclusive ?? true);
  const range = make(
    values,
    lower === undefined ? undefined : valueOf(lower.value),
    upper === undefined ? undefined : valueOf(upper.value),
  );
  return { stretches: range === null ? [] : [range], areKeys, areWhole, ...(areKeys ? { keys: [values] } : {}) };
}

/** An expression of the key over the columns of a scan; undefined when it lacks one. */
function overScan(sql: string, { table, scanColumns }: Scan, catalog: CatalogPort): Expression | undefined {
  const { columns, name: relationName } = table;
  const { expression, ids } = foldedRowExpression(sql, {
    columns,
    relationName,
    catalog,
    target: undefined,
    purpose: 'index',
  });
  const places = new Map<ColumnId, Expression>();
  for (const id of columnsOf(expression)) {
    const column = columns[ids.indexOf(id)];
    const scanned = scanColumns.find(({ number }) => number === column?.number);
    if (column === undefined || scanned === undefined) return undefined;
    places.set(id, columnReference(scanned.id, column.type));
  }
  return replaceColumns(expression, (id) => places.get(id));
}
