/**
 * Choosing how a table is read: along its own key or an index, in a wanted order or in any, from the rows or, where the
 * index holds every column that is asked for, from the index alone.
 */
import type { ColumnId, SortKey } from '../../expr/expression.js';
import { equalExpressions } from '../../expr/walk.js';
import type { Scan } from '../logical/logical.js';
import type { AccessPath, KeyPart } from './access-path.js';
import { accessPaths } from './access-paths.js';
import { cheapFirst } from './condition-order.js';
import { Costs, estimate } from './costs.js';
import { coversColumns } from './covering-index.js';
import { planIndexIntersection } from './index-intersection.js';
import { planIndexUnion } from './index-union.js';
import { entriesOf } from './path-entries.js';
import type { TableScan } from './physical.js';
import type { PhysicalPlanner } from './planner.js';
import { planSkipScan } from './skip-scan.js';

/** An order in which rows would be welcome: column by column. */
export type WantedOrder = readonly SortKey[];

/** Every way to read a scan's table. */
export function scanPaths(planner: PhysicalPlanner, scan: Scan): AccessPath[] {
  return accessPaths(scan, planner.context.catalog);
}

/** The cheapest way; undefined when an order is wanted that no way gives. */
export function planScan(planner: PhysicalPlanner, scan: Scan, wanted: undefined): TableScan;
export function planScan(planner: PhysicalPlanner, scan: Scan, wanted: WantedOrder): TableScan | undefined;
export function planScan(planner: PhysicalPlanner, scan: Scan, wanted: WantedOrder | undefined): TableScan | undefined {
  let best: TableScan | undefined;
  const readsWhole = wanted === undefined && planner.penalty('sequential scan') === 0;
  const paths = scanPaths(planner, scan);
  for (const path of paths) {
    // All of a table is read from its rows, not by way of an index.
    if (path.index !== undefined && path.range === undefined && path.predicate === undefined && readsWhole) continue;
    const candidate = scanAlong(planner, scan, path, wanted);
    if (candidate === undefined) continue;
    if (best === undefined || isBetter(candidate, best)) best = candidate;
  }
  if (wanted === undefined && best?.unique !== true) {
    const union = planIndexUnion(planner, scan, (branch) => planKeyed(planner, branch));
    if (union !== undefined && (best === undefined || isBetter(union, best))) best = union;
    const planPath = (path: AccessPath): TableScan | undefined => scanAlong(planner, scan, path, undefined);
    const shared = planIndexIntersection(planner, scan, paths, planPath);
    if (shared !== undefined && (best === undefined || isBetter(shared, best))) best = shared;
    const skipping = planSkipScan(planner, scan, paths, planPath);
    if (skipping !== undefined && (best === undefined || isBetter(skipping, best))) best = skipping;
  }
  return best;
}

/** The cheapest read of a range; undefined when the conditions give none. */
function planKeyed(planner: PhysicalPlanner, scan: Scan): TableScan | undefined {
  let best: TableScan | undefined;
  for (const path of scanPaths(planner, scan)) {
    if (path.range === undefined || path.range.terms !== undefined || path.range.documents !== undefined) continue;
    const candidate = scanAlong(planner, scan, path, undefined);
    if (candidate !== undefined && (best === undefined || isBetter(candidate, best))) best = candidate;
  }
  return best;
}

/**
 * A read by a whole key is better than any scan, however small its table is thought to be: it opens no cursor, and passes over
 * no old versions of rows that are written all the time. Other ways compare by their cost.
 */
function isBetter(candidate: TableScan, best: TableScan): boolean {
  const isEitherOff = Math.max(candidate.estimate.startup, best.estimate.startup) >= Costs.switchedOff;
  if (candidate.unique !== best.unique && !isEitherOff) return candidate.unique;
  return candidate.estimate.total < best.estimate.total;
}

/** A scan along a path; undefined when it does not give the wanted order. */
export function scanAlong(
  planner: PhysicalPlanner,
  scan: Scan,
  path: AccessPath,
  wanted: WantedOrder | undefined,
): TableScan | undefined {
  const direction = wanted === undefined ? 'forward' : orderOf(path, wanted);
  if (direction === undefined) return undefined;
  const { cardinality } = planner;
  const tableRows = cardinality.tableRows(scan.table);
  const predicate = path.predicate ?? [];
  const entries = entriesOf(planner, scan, path);
  // What a search of documents looks for stays in the filter.
  const passed = path.range?.documents === undefined ? entries : tableRows;
  const left = path.filter.filter((condition) => !predicate.some((held) => equalExpressions(held, condition)));
  // What is known of columns together is known of all conditions only, not of those of the index and then of the others.
  const isTogether = path.range !== undefined && cardinality.knowsGroups(scan.table);
  const [from, asked] = isTogether ? [tableRows, [...path.range.conditions, ...left]] : [passed, left];
  const rows = path.unique ? 1 : Math.max(1, from * cardinality.selectivityOfAll(asked, tableRows, scan.scanColumns));
  const { index } = path;
  const indexOnly =
    index !== undefined &&
    planner.penalty('index-only scan') === 0 &&
    coversColumns(index, scan, planner.context.catalog.types);
  const each = index === undefined ? 1 : Costs.indexEntry + (indexOnly ? 0 : Costs.fetch);
  const isKeyed = index !== undefined || path.range !== undefined;
  const seek = path.unique ? Costs.fetch : Costs.open + (path.range === undefined ? 0 : Costs.seek);
  const startup = seek + planner.penalty(isKeyed ? 'index scan' : 'sequential scan');
  const total = startup + entries * (each + planner.testCost(path.filter, entries));
  return {
    kind: 'table-scan',
    table: scan.table,
    alias: scan.alias,
    scanColumns: scan.scanColumns,
    rowReference: scan.rowReference,
    index,
    indexOnly,
    range: path.range,
    unique: path.unique,
    backward: direction === 'backward',
    filter: cheapFirst(path.filter),
    columns: scan.columns,
    estimate: estimate(rows, startup, total),
  };
}

/** The direction in which a path gives the wanted order; undefined when it gives neither. */
function orderOf(path: AccessPath, wanted: WantedOrder): 'forward' | 'backward' | undefined {
  if (path.unique) return 'forward';
  if (path.range?.any !== undefined) return undefined;
  const equalCount = path.range?.equal.length ?? 0;
  // Entries with equal parts stand in the order of the rows they point to.
  const parts = [...path.parts.slice(equalCount), ...path.rowKeyParts];
  const fixed = new Set<ColumnId | undefined>(path.parts.slice(0, equalCount).map((part) => part.column));
  let direction: 'forward' | 'backward' | undefined;
  let at = 0;
  for (const key of wanted) {
    const { expression } = key;
    if (expression.kind !== 'column' || expression.type.collation !== undefined) return undefined;
    if (fixed.has(expression.column)) continue;
    const part: KeyPart | undefined = parts[at];
    if (part === undefined) {
      // The whole key of a row is behind us: rows do not tie any more.
      if (path.index === undefined ? path.parts.length > 0 : path.rowKeyParts.length > 0) break;
      return undefined;
    }
    if (part.column !== expression.column) return undefined;
    const hasNoNulls = path.index === undefined || part.neverNull === true || at >= path.parts.length - equalCount;
    const same = key.descending === part.descending && (hasNoNulls || nullsAgree(part, key, false));
    const reverse = key.descending !== part.descending && (hasNoNulls || nullsAgree(part, key, true));
    const step = same ? 'forward' : reverse ? 'backward' : undefined;
    if (step === undefined || (direction !== undefined && step !== direction)) return undefined;
    direction = step;
    at++;
  }
  return direction ?? 'forward';
}

/** Nulls come where the sort key wants them; columns of a row's own key are never null and need no asking. */
function nullsAgree(part: KeyPart, key: SortKey, reversed: boolean): boolean {
  return (part.nullsFirst !== reversed) === key.nullsFirst;
}
