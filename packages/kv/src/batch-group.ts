/**
 * Many batches gathered into one, for whoever applies them where nobody can look between them: a recovery. What an engine
 * does once for each batch it then does once for thousands, and its delta takes the bytes as they are.
 *
 * Invariant: the gathered batch has what one engine needs of the others, in their order, and nothing of any other engine.
 */
import { assert, copyBytes, readU16, readU32, writeU16, writeU32 } from '@phantom/base';
import { engineOfKey, type EngineCode } from './space.js';
import { BATCH_FORMAT, BATCH_HEADER_BYTES, BatchReader, OperationKind, roomOf } from './write-batch.js';

const EMPTY = new Uint8Array(0);

export class BatchGroup {
  private readonly engine: EngineCode;
  private readonly capacityBytes: number;
  private buffer: Uint8Array = EMPTY;
  private length = BATCH_HEADER_BYTES;
  private operations = 0;
  private mayRemoveRanges = false;
  private readonly reader = new BatchReader();

  /** For one engine. A group has so many bytes at the most, unless a single batch is larger; they are had when the first one comes. */
  constructor(engine: EngineCode, capacityBytes: number) {
    this.engine = engine;
    this.capacityBytes = capacityBytes;
  }

  /** Operations that were gathered. */
  get count(): number {
    return this.operations;
  }

  /** See WriteBatch.room. */
  get room(): number {
    return roomOf(this.length, this.operations);
  }

  /** Whether a batch can be added: any can to an empty group. */
  hasRoomFor(batch: BatchReader): boolean {
    return this.operations === 0 || this.length + batch.length <= this.buffer.length;
  }

  /** Adds what the engine needs of a batch that stands before its first operation, and stands there again afterwards. */
  add(batch: BatchReader): void {
    assert(this.hasRoomFor(batch), 'a batch is added to a group that has room for it');
    if (this.operations === 0) this.begin(batch.length);
    const { bytes, base, length } = batch;
    if (batch.engines === 1 << this.engine) {
      this.append(bytes, base + BATCH_HEADER_BYTES, base + length);
      this.operations += batch.count;
      if (isSinglePut(bytes, base, base + length)) return;
      while (batch.next()) this.note(batch);
    } else {
      while (batch.next()) {
        if (engineOfKey(bytes, batch.keyStart) !== this.engine) continue;
        this.append(bytes, batch.operation, batch.valueEnd);
        this.operations++;
        this.note(batch);
      }
    }
    batch.rewind();
  }

  /**
   * Adds batches of this engine alone, [from, to) of those that lie in [ranges[2i], ranges[2i + 1]) of the bytes, as long as there is
   * room and none is another engine's too; returns how many there were. A batch of a single put, as most are in a recovery, is
   * copied after a look at its first bytes.
   */
  addRange(bytes: Uint8Array, ranges: Int32Array, from: number, to: number): number {
    const engines = 1 << this.engine;
    for (let i = from; i < to; i++) {
      const start = ranges[2 * i] as number;
      const end = ranges[2 * i + 1] as number;
      if (bytes[start + 1] !== engines) return i - from;
      if (!isSinglePut(bytes, start, end)) {
        const batch = this.reader.setBatch(bytes, start, end);
        if (!this.hasRoomFor(batch)) return i - from;
        this.add(batch);
        continue;
      }
      if (this.operations === 0) this.begin(end - start);
      else if (this.length + end - start > this.buffer.length) return i - from;
      this.append(bytes, start + BATCH_HEADER_BYTES, end);
      this.operations++;
    }
    return to - from;
  }

  /** Aims a reader at what was gathered and gives it the bytes; the group is empty afterwards. */
  giveTo(reader: BatchReader): void {
    const { buffer, length } = this;
    buffer[0] = BATCH_FORMAT;
    buffer[1] = 1 << this.engine;
    writeU16(buffer, 2, 0);
    writeU32(buffer, 4, this.operations);
    reader.setBatch(buffer, 0, length);
    reader.isGiven = true;
    reader.mayRemoveRanges = this.mayRemoveRanges;
    this.buffer = EMPTY;
    this.length = BATCH_HEADER_BYTES;
    this.operations = 0;
    this.mayRemoveRanges = false;
  }

  private note(batch: BatchReader): void {
    if (batch.kind === OperationKind.RemoveRange) this.mayRemoveRanges = true;
  }

  private begin(bytes: number): void {
    if (this.buffer.length < bytes) this.buffer = new Uint8Array(Math.max(bytes, this.capacityBytes));
  }

  private append(bytes: Uint8Array, start: number, end: number): void {
    this.length = copyBytes(bytes, start, end, this.buffer, this.length);
  }
}

/** Whether a batch begins with a put and has nothing else. */
function isSinglePut(bytes: Uint8Array, start: number, end: number): boolean {
  return (
    end - start > BATCH_HEADER_BYTES &&
    bytes[start] === BATCH_FORMAT &&
    readU16(bytes, start + 2) === 0 &&
    readU32(bytes, start + 4) === 1 &&
    bytes[start + BATCH_HEADER_BYTES] === OperationKind.Put
  );
}
