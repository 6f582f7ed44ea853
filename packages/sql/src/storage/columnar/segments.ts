/** Reads the segments of a column index by a snapshot: the directory in order, and what is asked for of each. */
import { ByteReader, ByteWriter, compareKeys } from '@phantom/base';
import { ByteSlot, type KeyRange, type KvCursor } from '@phantom/kv';
import type { ReadSource } from '../../exec/runtime.js';
import type { ColumnCache, KeptSegment } from './column-cache.js';
import type { ColumnIndex } from './column-index.js';
import {
  COLUMNS_FORMAT_VERSION,
  PART_BYTES,
  Part,
  ROW_KEYS_PLACE,
  beginKey,
  chunkKey,
  corruptColumns,
} from './format.js';
import { RowKeys } from './row-keys.js';
import { type ColumnValues, vectorBytes } from './vectors.js';
import type { Zone, ZoneCodec } from './zones.js';

const NO_BYTES = new Uint8Array(0);

/** A segment as the directory has it. */
export class Segment {
  /** The row key at which it begins, without its space. */
  readonly lower: Uint8Array;
  readonly number: number;
  readonly rows: number;
  /** By place: where the zones stand in `entry`. */
  private readonly zoneStarts: number[] = [];
  private readonly zoneEnds: number[] = [];
  private readonly entry: Uint8Array;

  /** Takes an entry of the directory over. */
  constructor(lower: Uint8Array, entry: Uint8Array, places: number) {
    const reader = new ByteReader(entry, 'an entry of the directory of a column index');
    this.lower = lower;
    this.entry = entry;
    this.number = reader.u32();
    this.rows = reader.u32();
    for (let place = 0; place < places; place++) {
      const bytes = reader.varint();
      this.zoneStarts.push(reader.offset);
      reader.take(bytes);
      this.zoneEnds.push(reader.offset);
    }
  }

  zone(place: number, codec: ZoneCodec): Zone {
    return codec.read(this.entry, this.zoneStarts[place]!, this.zoneEnds[place]!);
  }
}

/** The number of the next segment; 1 for an index in which nothing was ever written. */
export function nextSegment(read: ReadSource, { prefix }: ColumnIndex): number {
  const key = new ByteWriter();
  const slot = new ByteSlot();
  beginKey(key, prefix, Part.Prologue);
  if (!read.get(key.buffer, 0, key.length, slot)) return 1;
  const reader = new ByteReader(slot.copy(), 'the prologue of a column index');
  const version = reader.u8();
  if (version !== COLUMNS_FORMAT_VERSION) throw corruptColumns(`segments of format ${version}`);
  return reader.u32();
}

/** Walks the directory in order. What no segment owns belongs to one without rows. */
export class Directory {
  private readonly cursor: KvCursor;
  private readonly places: number;
  private readonly until: Uint8Array | undefined;
  private isBegun = false;
  private ahead: Segment | undefined;

  /** `part`: two lower bounds of segments, or the ends of all keys (no bytes, undefined), between which they are walked. */
  constructor(read: ReadSource, index: ColumnIndex, part?: KeyRange) {
    const { prefix, directory } = index;
    const lower = part === undefined || part.lower.length === 0 ? directory.lower : directoryKey(prefix, part.lower);
    this.cursor = read.cursor({ lower, upper: directory.upper });
    this.places = index.columns.length;
    this.isBegun = lower !== directory.lower;
    this.until = part?.upper;
    if (this.isBegun) this.ahead = this.cursor.next() ? this.current() : undefined;
  }

  /** The next segment; undefined behind the last. */
  next(): Segment | undefined {
    if (!this.isBegun) {
      this.isBegun = true;
      this.ahead = this.cursor.next() ? this.current() : undefined;
      if (this.ahead === undefined || this.ahead.lower.length > 0) return NOWHERE;
    }
    const found = this.ahead;
    if (found !== undefined && this.isBehind(found)) return undefined;
    this.ahead = found !== undefined && this.cursor.next() ? this.current() : undefined;
    return found;
  }

  /** Where the segment that was given last ends: with the next one, or with the last of all keys (undefined). */
  get upper(): Uint8Array | undefined {
    return this.ahead?.lower;
  }

  close(): void {
    this.cursor.close();
  }

  private isBehind({ lower }: Segment): boolean {
    const { until } = this;
    return until !== undefined && compareKeys(lower, until) >= 0;
  }

  private current(): Segment {
    return segmentAt(this.cursor, this.places);
  }
}

function directoryKey(prefix: Uint8Array, lower: Uint8Array): Uint8Array {
  const key = new ByteWriter();
  beginKey(key, prefix, Part.Directory);
  key.bytes(lower);
  return key.buffer.slice(0, key.length);
}

/** The segment that owns a row key, and where it ends; undefined is the end of all keys. */
export function segmentAround(
  read: ReadSource,
  index: ColumnIndex,
  rowKey: Uint8Array,
): { readonly segment: Segment; readonly upper: Uint8Array | undefined } {
  const key = new ByteWriter();
  beginKey(key, index.prefix, Part.Directory);
  key.bytes(rowKey);
  // The smallest key behind that of the row.
  key.u8(0);
  const cursor = read.cursor(index.directory);
  try {
    const places = index.columns.length;
    const segment = cursor.seekBefore(key.buffer, 0, key.length) ? segmentAt(cursor, places) : NOWHERE;
    return { segment, upper: cursor.next() ? segmentAt(cursor, places).lower : undefined };
  } finally {
    cursor.close();
  }
}

/** The segment of the directory's entry that a cursor stands on. */
function segmentAt({ key, value }: KvCursor, places: number): Segment {
  return new Segment(key.buffer.slice(key.start + PART_BYTES, key.end), value.copy(), places);
}

/** The keys before the first segment, or all of them where there is none. */
const NOWHERE = new Segment(NO_BYTES, new Uint8Array(8), 0);

/** Reads chunks, through the cache. */
export class SegmentReader {
  private readonly read: ReadSource;
  private readonly index: ColumnIndex;
  private readonly cache: ColumnCache;
  private readonly key = new ByteWriter();
  private readonly slot = new ByteSlot();
  private kept: KeptSegment | undefined;
  private keptNumber = 0;

  constructor(read: ReadSource, index: ColumnIndex, cache: ColumnCache) {
    this.read = read;
    this.index = index;
    this.cache = cache;
  }

  /** The values of a column. */
  column(segment: Segment, place: number): ColumnValues {
    const { reader, isKept } = this.index.columns[place]!;
    const kept = this.keptOf(segment);
    let values = kept.vectors.get(place);
    if (values !== undefined) return values;
    const { buffer, start, end } = this.chunk(segment, place);
    values = reader.read(buffer, start, end, segment.rows);
    if (isKept) {
      kept.vectors.set(place, values);
      this.cache.grew(kept, vectorBytes(values, end - start));
    }
    return values;
  }

  rowKeys(segment: Segment): RowKeys {
    const kept = this.keptOf(segment);
    if (kept.rowKeys === undefined) {
      kept.rowKeys = new RowKeys(this.chunk(segment, ROW_KEYS_PLACE).copy(), segment.rows);
      this.cache.grew(kept, kept.rowKeys.bytes.length);
    }
    return kept.rowKeys;
  }

  private keptOf({ number }: Segment): KeptSegment {
    if (this.kept === undefined || this.keptNumber !== number) {
      this.kept = this.cache.segment(this.index.index.space, number);
      this.keptNumber = number;
    }
    return this.kept;
  }

  private chunk({ number }: Segment, place: number): ByteSlot {
    const { key, slot } = this;
    chunkKey(key, this.index.prefix, number, place);
    if (!this.read.get(key.buffer, 0, key.length, slot)) {
      throw corruptColumns(`no chunk ${place} of segment ${number} in "${this.index.index.name}"`);
    }
    return slot;
  }
}
