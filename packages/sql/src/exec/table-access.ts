/** What generated code calls to reach tables: key ranges, and rows on their way to a writer or into the present layout. */
import { ByteWriter, compareKeys, copyBytes } from '@phantom/base';
import { rowVersion, type SqlArray } from '@phantom/codec';
import { ByteSlot, prefixRange, type KeyRange } from '@phantom/kv';
import type { PhysicalTable } from '../storage/physical-table.js';
import type { RowReference } from '../storage/table-writer.js';
import type { Value } from '../types/type.js';
import type { KeySlot } from './row-lookup.js';
import type { Run } from './run.js';

const NO_BYTES = new Uint8Array(0);

/** Where keys lie, and how they are made: a table, an index, or a part of one. */
export type KeySpace = Pick<PhysicalTable, 'prefix' | 'keyCode'>;

/** All keys of a space. */
export function wholeRange(prefix: Uint8Array): KeyRange {
  return prefixRange(prefix);
}

/** Makes ranges of a key's first columns; null when a value is null, for nothing compares to null. */
export function keyRange(
  space: KeySpace,
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
export function keyRanges(space: KeySpace): (equal: readonly Value[], array: SqlArray | null) => readonly KeyRange[] {
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

/** The row that a scan stands on, for a writer that is asked about it before the scan goes on: as FoundRow, of bytes. */
export class LentRow implements RowReference {
  key: Uint8Array = NO_BYTES;
  readonly stored = new ByteSlot();

  get row(): Uint8Array {
    return this.stored.copy();
  }

  aim(
    keyBuffer: Uint8Array,
    keyStart: number,
    keyEnd: number,
    rowBuffer: Uint8Array,
    rowStart: number,
    rowEnd: number,
  ): this {
    const bytes = keyEnd - keyStart;
    if (this.key.length !== bytes) this.key = new Uint8Array(bytes);
    copyBytes(keyBuffer, keyStart, keyEnd, this.key, 0);
    this.stored.set(rowBuffer, rowStart, rowEnd);
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
