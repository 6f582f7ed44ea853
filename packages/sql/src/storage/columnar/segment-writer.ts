/** Gathers rows in the order of their keys and writes them as segments. */
import { ByteWriter } from '@phantom/base';
import { SPACE_BYTES } from '@phantom/kv';
import type { MvccTransaction } from '@phantom/mvcc';
import type { Value } from '../../types/type.js';
import type { ColumnIndex } from './column-index.js';
import { COLUMNS_FORMAT_VERSION, Part, ROW_KEYS_PLACE, SEGMENT_BYTES_MAX, beginKey, chunkKey } from './format.js';
import { writeRowKeys } from './row-keys.js';
import { ZoneCodec, hasZone, zoneOf } from './zones.js';

const NO_BYTES = new Uint8Array(0);

export class SegmentWriter {
  /** Segments written so far. */
  segments = 0;
  private readonly transaction: MvccTransaction;
  private readonly index: ColumnIndex;
  private readonly zones: readonly (ZoneCodec | undefined)[];
  private readonly columns: Value[][];
  private readonly keys = new ByteWriter();
  private readonly keyEnds: number[] = [];
  private readonly key = new ByteWriter();
  private readonly value = new ByteWriter();
  private readonly entry = new ByteWriter();
  private readonly scratch = new ByteWriter();
  private next: number;
  private lower: Uint8Array;
  private rowBytes = 0;

  /** `first` is the number of the first segment, which begins at `lower`, a row key without its space. */
  constructor(transaction: MvccTransaction, index: ColumnIndex, first: number, lower: Uint8Array = NO_BYTES) {
    this.transaction = transaction;
    this.index = index;
    this.next = first;
    this.lower = lower;
    this.zones = index.columns.map(({ storage }) => (hasZone(storage) ? new ZoneCodec(storage) : undefined));
    this.columns = index.columns.map(() => []);
  }

  /** Adds a row by position, of which the stored bytes are so many; its key has its space. A segment that is full is written first. */
  add(row: readonly Value[], rowKey: Uint8Array, start: number, end: number, rowBytes: number): void {
    const { keys, keyEnds, columns, index } = this;
    if (keyEnds.length >= index.segmentRows || this.rowBytes >= SEGMENT_BYTES_MAX) {
      this.write();
      this.lower = rowKey.slice(start + SPACE_BYTES, end);
    }
    keys.bytes(rowKey, start + SPACE_BYTES, end);
    keyEnds.push(keys.length);
    this.rowBytes += rowBytes;
    for (let place = 0; place < columns.length; place++) {
      (columns[place] as Value[]).push(row[index.columns[place]!.position]);
    }
  }

  /** Writes what is left, and the prologue. The index is as it will be once the transaction commits. */
  finish(): void {
    if (this.keyEnds.length > 0) this.write();
    const { key, value, transaction } = this;
    beginKey(key, this.index.prefix, Part.Prologue);
    value.reset();
    value.u8(COLUMNS_FORMAT_VERSION);
    value.u32(this.next);
    transaction.put(key.buffer, 0, key.length, value.buffer, 0, value.length);
  }

  private write(): void {
    const { index, columns, keyEnds, keys, entry, key, transaction } = this;
    const segment = this.next++;
    entry.reset();
    entry.u32(segment);
    entry.u32(keyEnds.length);
    for (let place = 0; place < columns.length; place++) this.writeColumn(segment, place);
    this.value.reset();
    writeRowKeys(keys, keyEnds, this.value);
    this.putChunk(segment, ROW_KEYS_PLACE);
    beginKey(key, index.prefix, Part.Directory);
    key.bytes(this.lower);
    transaction.put(key.buffer, 0, key.length, entry.buffer, 0, entry.length);
    keys.reset();
    keyEnds.length = 0;
    this.rowBytes = 0;
    this.segments++;
  }

  private writeColumn(segment: number, place: number): void {
    const { value, zones, entry, scratch } = this;
    const values = this.columns[place] as Value[];
    const zone = zones[place];
    if (zone === undefined) entry.varint(0);
    else zone.write(zoneOf(values), entry, scratch);
    value.reset();
    this.index.columns[place]!.writer.write(values, value);
    this.putChunk(segment, place);
    values.length = 0;
  }

  private putChunk(segment: number, place: number): void {
    const { key, value } = this;
    chunkKey(key, this.index.prefix, segment, place);
    this.transaction.put(key.buffer, 0, key.length, value.buffer, 0, value.length);
  }
}
