/**
 * A batch of writes: the unit that is whole or absent after a crash. Its bytes are what the log stores, what engines
 * apply and what a transaction's write set is made of, so a commit is not encoded twice.
 *
 * Header, 8 bytes:
 *    0   1   format (1)
 *    1   1   engines touched, bit (1 << engine code)
 *    2   2   reserved, zero
 *    4   4   operation count, little-endian
 * then the operations, back to back:
 *    put           01  varint keyBytes  key    varint valueBytes  value
 *    remove        02  varint keyBytes  key
 *    remove range  03  varint keyBytes  lower  varint keyBytes    upper     (lower inclusive, upper exclusive)
 * each of them perhaps behind a note of its writer, for those who follow changes; it is no operation, and engines pass over it:
 *    note          04  varint noteBytes  note
 *
 * Varints are LEB128 (base/bytes.ts). Keys begin with their space (space.ts), whose engine the header names. Both ends of
 * a range lie in one engine.
 * These constants are on disk for good.
 *
 * Invariants:
 *   1. Later operations win over earlier ones on the same key.
 *   2. Truncating to an earlier mark gives exactly the batch as it was then (savepoints stand on this).
 */
import {
  ByteWriter,
  type SpareMemory,
  assert,
  copyBytes,
  corruptionError,
  readU16,
  readU32,
  readVarint,
  varintBytes,
  writeU16,
  writeU32,
  writeVarint,
} from '@phantom/base';
import { NONE } from './arena-node.js';
import type { ArenaTree } from './arena-tree.js';
import { engineOfKey } from './space.js';

export const BATCH_FORMAT = 1;
export const BATCH_HEADER_BYTES = 8;

export const OperationKind = { Put: 1, Remove: 2, RemoveRange: 3 } as const;
export type OperationKind = (typeof OperationKind)[keyof typeof OperationKind];

/** Stands before the operation that it is about. */
const NOTE = 4;

const EMPTY = new Uint8Array(0);

/** A batch is one log record and lies in one arena of a delta; both hold this much. Who collects a batch bounds it. */
export const BATCH_BYTES_MAX = 1024 * 1024 * 1024;

/** What an engine keeps in memory of an operation beside its bytes, at most: a row and a slot in a node that is half full. */
const OPERATION_ROOM_BYTES = 40;

/** Keys longer than this are refused with 54000 by the floors that make them; pages and blocks rely on it. */
export const KEY_BYTES_MAX = 2048;

/** A position to truncate back to; `mark` fills it. */
export class BatchMark {
  length = BATCH_HEADER_BYTES;
  count = 0;
  puts = 0;
  engines = 0;
}

/** What has a value to put, and writes it where the batch wants it. */
export interface ValueSource {
  /** Appends the value, and nothing else. Called again when there was no room for it. */
  writeValue(writer: ByteWriter): void;
}

/** Appends operations; the bytes stay owned by the batch. */
export class WriteBatch {
  private readonly writer: ByteWriter;
  private operations = 0;
  /** Somebody was told that this will be committed: it counts on the reserve. */
  isPromised = false;
  private putOperations = 0;
  private engineMask = 0;
  /** Bytes that the length of the last value took which a source has written: the next one is mostly as long. */
  private lengthBytes = 1;

  /** Begins with room for so many bytes, or with memory of the caller's that is its own from now on; grows into what is spare. */
  constructor(memory: number | Uint8Array = 256, spare?: SpareMemory) {
    this.writer = new ByteWriter(memory, spare);
    this.reset();
  }

  /** Number of operations. */
  get count(): number {
    return this.operations;
  }

  /** True when it may use the reserve of a full store: nothing is put, or it was promised before that it will be taken. */
  get usesReserve(): boolean {
    return this.putOperations === 0 || this.isPromised;
  }

  /** Bytes of the batch as it would be logged. */
  get bytes(): number {
    return this.writer.length;
  }

  /** Bytes of memory that an engine may need for it: what is admitted. */
  get room(): number {
    return roomOf(this.bytes, this.operations);
  }

  /** Bit (1 << engine code) for each engine that an operation belongs to. */
  get engines(): number {
    return this.engineMask;
  }

  /** The backing buffer: replaced when the batch grows, so never keep it across an append. */
  get buffer(): Uint8Array {
    return this.writer.buffer;
  }

  /** Appends a put, and the note on it; returns the offset of the operation in the buffer. */
  put(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    note?: Uint8Array,
  ): number {
    if (note !== undefined) this.appendNote(note);
    const offset = this.begin(OperationKind.Put, key, keyStart, valueEnd - valueStart + keyEnd - keyStart);
    this.putOperations++;
    this.append(key, keyStart, keyEnd);
    this.append(value, valueStart, valueEnd);
    return offset;
  }

  /**
   * Appends a put of the value that `source` writes, which is not copied. Returns the offset of the operation, or NONE when the
   * batch would have more than `bytesMax` bytes; then, and when `source` throws, nothing is appended.
   */
  putFrom(key: Uint8Array, keyStart: number, keyEnd: number, source: ValueSource, bytesMax: number): number {
    const { writer, engineMask } = this;
    const offset = this.begin(OperationKind.Put, key, keyStart, keyEnd - keyStart);
    this.append(key, keyStart, keyEnd);
    const lengthAt = writer.length;
    const valueAt = lengthAt + this.lengthBytes;
    writer.length = valueAt;
    try {
      source.writeValue(writer);
    } catch (error) {
      this.takeBack(offset, engineMask);
      throw error;
    }
    const bytes = writer.length - valueAt;
    if (varintBytes(bytes) !== this.lengthBytes) this.moveValue(valueAt, bytes);
    if (writer.length > bytesMax) {
      this.takeBack(offset, engineMask);
      return NONE;
    }
    writeVarint(writer.buffer, lengthAt, bytes);
    this.putOperations++;
    return offset;
  }

  /** Appends a removal, and the note on it; returns the offset of the operation in the buffer. */
  remove(key: Uint8Array, keyStart: number, keyEnd: number, note?: Uint8Array): number {
    if (note !== undefined) this.appendNote(note);
    const offset = this.begin(OperationKind.Remove, key, keyStart, keyEnd - keyStart);
    this.append(key, keyStart, keyEnd);
    return offset;
  }

  /** Appends a removal of every key in [lower, upper); returns the offset of the operation in the buffer. */
  removeRange(lower: Uint8Array, upper: Uint8Array): number {
    const offset = this.begin(OperationKind.RemoveRange, lower, 0, lower.length + upper.length);
    this.append(lower, 0, lower.length);
    this.append(upper, 0, upper.length);
    return offset;
  }

  /** Where it ends now, into `mark`. */
  mark(mark = new BatchMark()): BatchMark {
    mark.length = this.writer.length;
    mark.count = this.operations;
    mark.puts = this.putOperations;
    mark.engines = this.engineMask;
    return mark;
  }

  /** Makes room for so many bytes more at once: growing step by step leaves up to three times as much unused. */
  makeRoom(bytes: number): void {
    this.writer.reserve(bytes);
  }

  /** Forgets everything behind the mark. */
  truncate(mark: BatchMark): void {
    assert(mark.length <= this.writer.length, 'a batch can only be truncated to an earlier mark');
    this.writer.length = mark.length;
    this.operations = mark.count;
    this.putOperations = mark.puts;
    this.engineMask = mark.engines;
  }

  reset(): void {
    this.writer.reset();
    this.writer.reserve(BATCH_HEADER_BYTES);
    this.writer.buffer.fill(0, 0, BATCH_HEADER_BYTES);
    this.writer.length = BATCH_HEADER_BYTES;
    this.operations = 0;
    this.putOperations = 0;
    this.engineMask = 0;
    this.isPromised = false;
  }

  /** Gives its memory away, so that another batch can have it; this one is empty afterwards. Nobody may borrow its bytes. */
  surrender(): Uint8Array {
    const memory = this.writer.surrender();
    this.reset();
    return memory;
  }

  /** Goes on in memory that somebody gave away. It must be empty. */
  adopt(memory: Uint8Array): void {
    this.writer.adopt(memory);
    this.reset();
  }

  /** The finished bytes, header filled in; borrowed until the next append, truncate or reset. */
  finish(): Uint8Array {
    const { buffer } = this.writer;
    buffer[0] = BATCH_FORMAT;
    buffer[1] = this.engineMask;
    writeU16(buffer, 2, 0);
    writeU32(buffer, 4, this.operations);
    return this.writer.view();
  }

  private begin(kind: OperationKind, key: Uint8Array, keyStart: number, bytes: number): number {
    const offset = this.writer.reserve(bytes + 17);
    this.writer.buffer[offset] = kind;
    this.writer.length = offset + 1;
    this.engineMask |= 1 << engineOfKey(key, keyStart);
    this.operations++;
    return offset;
  }

  /** Undoes `begin`, and all that was appended since. */
  private takeBack(offset: number, engines: number): void {
    this.writer.length = offset;
    this.operations--;
    this.engineMask = engines;
  }

  /** Makes as much room before the value at the end as its length takes. */
  private moveValue(valueAt: number, bytes: number): void {
    const { writer } = this;
    const lengthBytes = varintBytes(bytes);
    const to = valueAt - this.lengthBytes + lengthBytes;
    writer.reserve(lengthBytes);
    writer.buffer.copyWithin(to, valueAt, valueAt + bytes);
    writer.length = to + bytes;
    this.lengthBytes = lengthBytes;
  }

  private appendNote(note: Uint8Array): void {
    const { writer } = this;
    writer.u8(NOTE);
    writer.reserve(note.length + 9);
    this.append(note, 0, note.length);
  }

  private append(bytes: Uint8Array, start: number, end: number): void {
    const { writer } = this;
    const { buffer } = writer;
    // The caller has made room.
    writer.length = copyBytes(bytes, start, end, buffer, writeVarint(buffer, writer.length, end - start));
  }
}

/**
 * Walks a batch's operations; re-aimed with `setBatch`, so that one reader serves many batches. Every bound is checked:
 * bytes that are no batch end in a corruption error.
 */
export class BatchReader {
  bytes: Uint8Array = EMPTY;
  /** Operations in the batch, by its header. */
  count = 0;
  /** Bit (1 << engine code) for each engine touched, by its header. */
  engines = 0;
  /** Offset of the current operation, then of its parts. A range has its upper end in valueStart..valueEnd. */
  operation = 0;
  kind: OperationKind = OperationKind.Put;
  keyStart = 0;
  keyEnd = 0;
  valueStart = 0;
  valueEnd = 0;
  /** The note on the current operation; empty when it has none. */
  noteStart = 0;
  noteEnd = 0;
  /** Nobody changes the bytes any more: who reads them may keep them. Whoever aims the reader says so. */
  isGiven = false;
  /** Whether a range removal may be among the operations. Whoever aims the reader and knows better says so. */
  mayRemoveRanges = true;
  /**
   * All keys of the batch, with the offset of the newest operation on each as payload; keys and offsets count from where the batch begins.
   * Nothing removes a range then. Whoever aims the reader and has such a tree says so.
   */
  index: ArenaTree | undefined = undefined;
  /** Operations read so far. */
  position = 0;
  private start = 0;
  private end = 0;
  private offset = 0;

  /** Aims at a batch in [start, end) of the buffer, before its first operation. */
  setBatch(bytes: Uint8Array, start = 0, end: number = bytes.length): this {
    const isHeader =
      end - start >= BATCH_HEADER_BYTES && bytes[start] === BATCH_FORMAT && readU16(bytes, start + 2) === 0;
    if (!isHeader) throw broken('a write batch has no valid header', start);
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.isGiven = false;
    this.mayRemoveRanges = true;
    this.index = undefined;
    this.engines = bytes[start + 1] as number;
    this.count = readU32(bytes, start + 4);
    this.rewind();
    return this;
  }

  /** Back before the first operation. */
  rewind(): void {
    this.offset = this.start + BATCH_HEADER_BYTES;
    this.position = 0;
  }

  /** Bytes of the whole batch. */
  get length(): number {
    return this.end - this.start;
  }

  /** See WriteBatch.room. */
  get room(): number {
    return roomOf(this.length, this.count);
  }

  /** Where the batch begins in `bytes`. */
  get base(): number {
    return this.start;
  }

  /** To the next operation; false behind the last one. */
  next(): boolean {
    if (this.position === this.count) {
      if (this.offset !== this.end) throw broken('a write batch has bytes behind its last operation', this.offset);
      return false;
    }
    this.position++;
    this.offset = this.readOperation(this.offset);
    // Engines that find themselves alone in the header take a batch whole, so the header must not lie.
    if ((this.engines & (1 << ((this.bytes[this.keyStart] as number) >>> 4))) === 0) {
      throw broken(
        'an operation belongs to an engine that the header of its write batch does not name',
        this.operation,
      );
    }
    return true;
  }

  /** Aims at the single operation at an offset that a WriteBatch returned, in the same bytes. */
  readAt(bytes: Uint8Array, offset: number, end: number): void {
    this.bytes = bytes;
    this.end = end;
    this.readOperation(offset);
  }

  private readOperation(place: number): number {
    const { bytes, end } = this;
    const at = place < end && bytes[place] === NOTE ? this.readNote(place) : place;
    if (at === place) this.noteStart = this.noteEnd = place;
    const kind = at < end ? (bytes[at] as number) : 0;
    if (kind < OperationKind.Put || kind > OperationKind.RemoveRange)
      throw broken('a write batch has an unknown operation', at);
    this.operation = at;
    this.kind = kind as OperationKind;
    const keyBytes = readVarint(bytes, at + 1, end);
    this.keyStart = at + 1 + varintBytes(keyBytes);
    this.keyEnd = this.keyStart + keyBytes;
    if (!(keyBytes > 0 && this.keyEnd <= end))
      throw broken('a key is empty or runs past the end of its write batch', at);
    if (kind === OperationKind.Remove) {
      this.valueStart = this.valueEnd = this.keyEnd;
      return this.keyEnd;
    }
    const valueBytes = readVarint(bytes, this.keyEnd, end);
    this.valueStart = this.keyEnd + varintBytes(valueBytes);
    this.valueEnd = this.valueStart + valueBytes;
    if (!(this.valueEnd <= end)) throw broken('a value runs past the end of its write batch', at);
    return this.valueEnd;
  }

  /** Reads a note; returns where the operation begins that it is about. */
  private readNote(at: number): number {
    const { bytes, end } = this;
    const noteBytes = readVarint(bytes, at + 1, end);
    this.noteStart = at + 1 + varintBytes(noteBytes);
    this.noteEnd = this.noteStart + noteBytes;
    if (!(this.noteEnd <= end)) throw broken('a note runs past the end of its write batch', at);
    return this.noteEnd;
  }
}

/** See WriteBatch.room: what so many operations may need in so many bytes. */
export function roomOf(bytes: number, operations: number): number {
  return bytes + operations * OPERATION_ROOM_BYTES;
}

/** Bytes that a put without a note takes in a batch. */
export function putBytes(keyBytes: number, valueBytes: number): number {
  return 1 + varintBytes(keyBytes) + keyBytes + varintBytes(valueBytes) + valueBytes;
}

function broken(message: string, offset: number): Error {
  return corruptionError(message, { file: 'write batch', offset });
}
