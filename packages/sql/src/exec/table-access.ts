/** What generated code calls to reach tables: key ranges, reads by key, fetching rows for index entries. */
import { ByteWriter, compareKeys } from '@phantom/base';
import { rowVersion, type SqlArray } from '@phantom/codec';
import { ByteSlot, SPACE_BYTES, prefixRange, type KeyRange } from '@phantom/kv';
import { PhantomError } from '@phantom/base';
import type { PhysicalIndex, PhysicalTable } from '../storage/physical-table.js';
import type { RowReference } from '../storage/table-writer.js';
import type { Value } from '../types/type.js';
import type { Run } from './run.js';

/** All keys of a space. */
export function wholeRange(prefix: Uint8Array): KeyRange {
  return prefixRange(prefix);
}

/** Makes ranges of a key's first columns; null when a value is null, for nothing compares to null. */
export function keyRange(
  space: PhysicalTable | PhysicalIndex,
  lowerInclusive: boolean,
  upperInclusive: boolean,
): (equal: readonly Value[], lower: Value | undefined, upper: Value | undefined) => KeyRange | null {
  return (equal, lower, upper) => {
    if (lower === null || upper === null) return null;
    for (let i = 0; i < equal.length; i++) if (equal[i] === null) return null;
    if (lower === undefined && upper === undefined) return space.keyCode.range(space.prefix, equal, { nulls: true });
    return space.keyCode.range(space.prefix, equal, {
      ...(lower === undefined ? {} : { lower: { value: lower, inclusive: lowerInclusive } }),
      ...(upper === undefined ? {} : { upper: { value: upper, inclusive: upperInclusive } }),
    });
  };
}

/** Makes a range for each value of an array that is not null, in key order, each once. */
export function keyRanges(
  space: PhysicalTable | PhysicalIndex,
): (equal: readonly Value[], array: SqlArray | null) => readonly KeyRange[] {
  const one = keyRange(space, true, true);
  return (equal, array) => {
    if (array === null) return [];
    const ranges: KeyRange[] = [];
    for (const item of array.items) {
      const range = one([...equal, item], undefined, undefined);
      if (range !== null) ranges.push(range);
    }
    ranges.sort((a, b) => compareKeys(a.lower, b.lower));
    return ranges.filter((range, i) => i === 0 || compareKeys(range.lower, (ranges[i - 1] as KeyRange).lower) !== 0);
  };
}

/** A key and the row it leads to. One per place in the code, filled anew by each read. */
export class KeySlot {
  readonly key = new ByteSlot();
  readonly row = new ByteSlot();
  found = false;
}

/** How the key of a table is made; holds the writer it is made in. */
export interface UniqueKey {
  readonly table: PhysicalTable;
  readonly writer: ByteWriter;
  readonly slot: KeySlot;
}

export function uniqueKey(table: PhysicalTable): UniqueKey {
  const writer = new ByteWriter();
  // The space stands at the head for good: every key is written behind it.
  writer.bytes(table.prefix);
  return { table, writer, slot: new KeySlot() };
}

/** Reads the row with these key values. The answer is valid until the next read at the same place. */
export function lookupRow(run: Run, unique: UniqueKey, values: readonly Value[]): KeySlot {
  const { table, writer, slot } = unique;
  slot.found = false;
  for (let i = 0; i < values.length; i++) if (values[i] === null) return slot;
  writer.length = table.prefix.length;
  table.keyCode.encodePrefix(values, values.length, writer);
  const key = slot.key;
  key.set(writer.buffer, 0, writer.length);
  run.context.counters.lookups++;
  slot.found = run.read.get(writer.buffer, 0, writer.length, slot.row);
  return slot;
}

/** Reads the row an index entry points to: its key is the entry's value, or the end of the entry's key. */
export function fetchByIndex(
  table: PhysicalTable,
  index: PhysicalIndex,
): (
  run: Run,
  keyBuffer: Uint8Array,
  keyStart: number,
  keyEnd: number,
  valueBuffer: Uint8Array,
  valueStart: number,
  valueEnd: number,
) => KeySlot {
  const writer = new ByteWriter();
  writer.bytes(table.prefix);
  const slot = new KeySlot();
  return (run, keyBuffer, keyStart, keyEnd, valueBuffer, valueStart, valueEnd) => {
    let source = valueBuffer;
    let start = valueStart;
    let end = valueEnd;
    if (valueStart === valueEnd) {
      source = keyBuffer;
      start = index.keyCode.skip(keyBuffer, keyStart + SPACE_BYTES, keyEnd);
      end = keyEnd;
    }
    writer.length = table.prefix.length;
    writer.bytes(source, start, end);
    slot.key.set(writer.buffer, 0, writer.length);
    run.context.counters.lookups++;
    if (!run.read.get(writer.buffer, 0, writer.length, slot.row)) {
      throw new PhantomError('XX001', `index "${index.index.name}" has an entry without a row`);
    }
    return slot;
  };
}

/** A reference to a stored row that outlives the scan: copies of its key and bytes. */
export function makeRowReference(
  keyBuffer: Uint8Array,
  keyStart: number,
  keyEnd: number,
  rowBuffer: Uint8Array,
  rowStart: number,
  rowEnd: number,
): RowReference {
  return { key: keyBuffer.slice(keyStart, keyEnd), row: rowBuffer.slice(rowStart, rowEnd) };
}

/** Gives a row of an older layout in the present one; others as they are. */
export function upgradeRow(
  table: PhysicalTable,
): (run: Run, buffer: Uint8Array, start: number, end: number) => ByteSlot {
  const slot = new ByteSlot();
  const writer = new ByteWriter();
  const values: Value[] = [];
  const { version } = table.codec.layout;
  return (run, buffer, start, end) => {
    if (rowVersion(buffer, start, end) === version) {
      slot.set(buffer, start, end);
      return slot;
    }
    table.decode(buffer, start, end, values, run.evaluation);
    writer.length = 0;
    table.codec.encode(values, writer);
    slot.set(writer.buffer, 0, writer.length);
    return slot;
  };
}
