/** How many entries a scan reads along a path: as the engine measures a range of constants, else as statistics say. */
import type { IndexDescriptor } from '@phantom/catalog';
import { prefixRange } from '@phantom/kv';
import { keyRange } from '../../exec/table-access.js';
import type { Expression } from '../../expr/expression.js';
import { invertedTerms, termPrefix } from '../../storage/inverted-terms.js';
import { physicalIndex, physicalTable } from '../../storage/physical-table.js';
import type { Value } from '../../types/type.js';
import type { Scan } from '../logical/logical.js';
import type { AccessPath } from './access-path.js';
import type { DocumentsPlan, TermsPlan } from './physical.js';
import type { PhysicalPlanner } from './planner.js';

/** Share of a table's rows that are thought to have the terms of an operand that is not known yet. */
const TERMS_SHARE = 0.01;

/** How many entries are read along a path, about. */
export function entriesOf(planner: PhysicalPlanner, scan: Scan, path: AccessPath): number {
  const { cardinality } = planner;
  const { range, predicate = [] } = path;
  if (path.unique) return 1;
  const tableRows = cardinality.tableRows(scan.table);
  const inIndex = predicate.length === 0 ? tableRows : tableRows * cardinality.selectivityOfAll(predicate, tableRows);
  if (range === undefined) return inIndex;
  return (
    measuredEntries(planner, scan, path) ??
    (range.terms === undefined ? undefined : Math.max(1, tableRows * TERMS_SHARE)) ??
    Math.max(1, inIndex * cardinality.selectivityOfAll(range.conditions, tableRows, scan.scanColumns))
  );
}

/** Entries of a range whose bounds are constants, as the engine estimates them. */
function measuredEntries(planner: PhysicalPlanner, scan: Scan, path: AccessPath): number | undefined {
  const { range } = path;
  if (range === undefined || range.any !== undefined || range.skipsFirst === true) return undefined;
  if (range.terms !== undefined)
    return path.index === undefined ? undefined : measuredTerms(planner, scan, path.index, range.terms);
  if (range.documents !== undefined) return measuredDocuments(planner, range.documents);
  const values = [...range.equal, range.lower?.value, range.upper?.value].filter((value) => value !== undefined);
  if (!values.every((value) => value.kind === 'constant')) return undefined;
  const { types, statistics } = planner.context.catalog;
  const space =
    path.index === undefined ? physicalTable(scan.table, types) : physicalIndex(path.index, scan.table, types);
  const constantOf = (value: Expression | undefined): Value | undefined =>
    value?.kind === 'constant' ? value.value : undefined;
  const make = keyRange(space, range.lower?.inclusive ?? true, range.upper?.inclusive ?? true);
  const encoded = make(range.equal.map(constantOf), constantOf(range.lower?.value), constantOf(range.upper?.value));
  return encoded === null ? 1 : Math.max(1, statistics.range(encoded).keys);
}

/** Entries that a search of an inverted index reads at most: of the rarest term where all must be there, else of each. */
function measuredTerms(
  planner: PhysicalPlanner,
  { table }: Scan,
  index: IndexDescriptor,
  { place, operator, operand }: TermsPlan,
): number | undefined {
  if (operand.kind !== 'constant') return undefined;
  const { statistics, types } = planner.context.catalog;
  const { match, terms } = invertedTerms(index, types).search(place, operator, operand.value);
  const physical = physicalIndex(index, table, types);
  let entries = match === 'all' ? Infinity : 1;
  for (const term of terms) {
    const { keys } = statistics.range(prefixRange(termPrefix(physical, term)));
    entries = match === 'all' ? Math.min(entries, Math.max(1, keys)) : entries + keys;
  }
  return entries;
}

/** Entries of a search of documents. */
function measuredDocuments(planner: PhysicalPlanner, { operands, entries }: DocumentsPlan): number | undefined {
  const values: Value[] = [];
  for (const operand of operands) {
    if (operand.kind !== 'constant') return undefined;
    values.push(operand.value);
  }
  const found = entries(values);
  let keys = 0;
  for (const range of found?.ranges ?? []) keys += planner.context.catalog.statistics.range(range).keys;
  return Math.max(1, keys);
}
