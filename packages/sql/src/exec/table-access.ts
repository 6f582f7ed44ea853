/** What generated code calls to reach tables: key ranges, reads by key, fetching rows for index entries. */
import { ByteWriter, PhantomError, compareKeys, copyBytes } from '@phantom/base';
import { rowVersion, type SqlArray } from '@phantom/codec';
import { ByteSlot, SPACE_BYTES, prefixRange, type KeyRange } from '@phantom/kv';
import type { TableScan } from '../plan/physical/physical.js';
import { type PhysicalIndex, type PhysicalTable, physicalIndex, physicalTable } from '../storage/physical-table.js';
import type { RowReference } from '../storage/table-writer.js';
import type { TypeLookup, Value } from '../types/type.js';
import type { ReadSource } from './runtime.js';
import type { Run } from './run.js';

const NO_BYTES = new Uint8Array(0);

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

/**
 * Where rows are found by values that only one has: by the key of the table, or by that of a unique index, whose entries
 * hold the key of their row as their value. One per place in the code; what it finds is valid until it is asked again.
 */
export class UniqueKey {
  readonly slot = new KeySlot();
  private readonly table: PhysicalTable;
  private readonly index: PhysicalIndex | undefined;
  private readonly rowKey = new ByteWriter();
  private readonly entryKey = new ByteWriter();
  private readonly entry = new ByteSlot();

  constructor(table: PhysicalTable, index: PhysicalIndex | undefined) {
    this.table = table;
    this.index = index;
    // The spaces stand at the heads for good: every key is written behind them.
    this.rowKey.bytes(table.prefix);
    if (index !== undefined) this.entryKey.bytes(index.prefix);
  }

  /** Fills the slot with the row that has the values; false when there is none, or a value is null. */
  find(read: ReadSource, values: readonly Value[]): boolean {
    const { table, index, slot, rowKey } = this;
    slot.found = false;
    for (let i = 0; i < values.length; i++) if (values[i] === null) return false;
    rowKey.length = table.prefix.length;
    if (index === undefined) table.keyCode.encodePrefix(values, values.length, rowKey);
    else if (!this.findEntry(read, index, values)) return false;
    slot.key.set(rowKey.buffer, 0, rowKey.length);
    slot.found = read.get(rowKey.buffer, 0, rowKey.length, slot.row);
    if (!slot.found && index !== undefined) throw lostRow(index);
    return slot.found;
  }

  private findEntry(read: ReadSource, index: PhysicalIndex, values: readonly Value[]): boolean {
    const { entryKey, entry, rowKey } = this;
    entryKey.length = index.prefix.length;
    index.keyCode.encodePrefix(values, values.length, entryKey);
    if (!read.get(entryKey.buffer, 0, entryKey.length, entry)) return false;
    const { buffer, start, end } = entry;
    rowKey.bytes(buffer, start, index.rowKeyEnd(buffer, start, end));
    return true;
  }
}

/** The unique key that a scan of at most one row reads by. */
export function uniqueKeyOf({ table, index }: TableScan, types: TypeLookup): UniqueKey {
  return new UniqueKey(
    physicalTable(table, types),
    index === undefined ? undefined : physicalIndex(index, table, types),
  );
}

/** Reads the row with these values. The answer is valid until the next read at the same place. */
export function lookupRow(run: Run, unique: UniqueKey, values: readonly Value[]): KeySlot {
  run.context.counters.lookups++;
  unique.find(run.read, values);
  return unique.slot;
}

function lostRow({ index }: PhysicalIndex): PhantomError {
  return new PhantomError('XX001', `index "${index.name}" has an entry without a row`);
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
    } else end = index.rowKeyEnd(valueBuffer, valueStart, valueEnd);
    writer.length = table.prefix.length;
    writer.bytes(source, start, end);
    slot.key.set(writer.buffer, 0, writer.length);
    run.context.counters.lookups++;
    if (!run.read.get(writer.buffer, 0, writer.length, slot.row)) {
      throw lostRow(index);
    }
    return slot;
  };
}

/**
 * The row that a slot stands on, for a writer that asks about it before anybody reads through the slot again. Its key lies
 * in an array that is used again; its bytes are copied for who asks for them, which is who writes into another model.
 */
export class FoundRow implements RowReference {
  key: Uint8Array = NO_BYTES;
  private readonly slot: KeySlot;

  constructor(slot: KeySlot) {
    this.slot = slot;
  }

  get row(): Uint8Array {
    return this.slot.row.copy();
  }

  get stored(): ByteSlot {
    return this.slot.row;
  }

  /** Takes over what the slot stands on now. */
  aim(): this {
    const { buffer, start, end } = this.slot.key;
    const bytes = end - start;
    if (this.key.length !== bytes) this.key = new Uint8Array(bytes);
    copyBytes(buffer, start, end, this.key, 0);
    return this;
  }
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
