/** Columns read from the entries of an index, without their rows. */
import { assert } from '@phantom/base';
import type { ColumnId } from '../../expr/expression.js';
import { collectColumns } from '../../plan/logical/walk.js';
import type { TableScan } from '../../plan/physical/physical.js';
import { physicalIndex, physicalTable } from '../../storage/physical-table.js';
import type { Emitter } from '../code/emitter.js';
import { conditional, element, literal, method, property, type Code, type Local } from '../code/ir.js';
import { IndexEntry } from '../index-entry.js';
import { stateOf } from './program-builder.js';
import { ColumnSource, Row } from './row-scope.js';
import type { RowBytes } from './row-bytes.js';
import type { PlanCompiler } from './step.js';

/** Where a column stands in an IndexEntry. An included column is as it was written, which a key need not be. */
interface EntryPlace {
  readonly column: ColumnId;
  readonly part: 'parts' | 'columns' | 'included';
  readonly at: number;
  readonly notNull: boolean;
}

/** What is asked of an entry: the columns handed on, and those of the filter. What only the range looks at is not read. */
function entryPlaces(node: TableScan): readonly EntryPlace[] {
  const { table, index } = node;
  assert(index !== undefined, 'an index-only scan has an index');
  const asked = new Set(node.columns);
  for (const condition of node.filter) collectColumns(condition, asked);
  return node.scanColumns
    .filter(({ id }) => asked.has(id))
    .map(({ id, number }) => {
      const key = index.parts.findIndex((candidate) => candidate.column === number);
      const position = table.columns.findIndex((candidate) => candidate.number === number);
      const notNull = table.columns[position]?.notNull === true;
      const included = index.storesIncluded === true ? index.include.indexOf(number) : -1;
      if (included >= 0) return { column: id, part: 'included', at: included, notNull };
      if (key >= 0) return { column: id, part: 'parts', at: key, notNull };
      return { column: id, part: 'columns', at: position, notNull };
    });
}

/** True when nobody asks for anything of an entry but that it is there. */
export function onlyCounts(node: TableScan): boolean {
  return node.indexOnly && entryPlaces(node).length === 0;
}

/** The columns of the entry at hand. Where `present` is false there is no entry and every column is null. */
export function entryRow(
  compiler: PlanCompiler,
  emitter: Emitter,
  run: Local,
  node: TableScan,
  key: RowBytes['key'],
  value: RowBytes['row'],
  present: Code | undefined,
): Row {
  const { types } = compiler.builder.context;
  assert(node.index !== undefined, 'an index-only scan has an index');
  const table = physicalTable(node.table, types);
  const index = physicalIndex(node.index, node.table, types);
  const places = entryPlaces(node);
  const row = new Row();
  if (places.length === 0) return row;
  const needs = {
    parts: places.some((place) => place.part === 'parts'),
    rowKey: places.some((place) => place.part === 'columns'),
    included: places.some((place) => place.part === 'included'),
  };
  const slot = compiler.builder.addSlot(() => new IndexEntry(index, table, needs));
  const entry = stateOf(emitter, run, slot);
  const read = (): void =>
    emitter.evaluate(method(entry, 'read', key.buffer, key.start, key.end, value.buffer, value.start, value.end));
  if (present === undefined) read();
  else emitter.if(present, read);
  for (const { column, part, at, notNull } of places) {
    const values = emitter.hoist(`entry${slot}.${part}`, property(entry, part));
    const own = element(values, literal(at));
    row.set(
      column,
      new ColumnSource(!notNull || present !== undefined, () =>
        present === undefined ? own : conditional(present, own, literal(null)),
      ),
    );
  }
  return row;
}
