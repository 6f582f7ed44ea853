/**
 * Builds the payload of a data or index block (format.ts): prefix-compressed entries behind restart points. Reused from
 * block to block. Who calls it keeps the order of keys; the run writer asserts it.
 */
import { ByteWriter, copyBytes, writeVarint } from '@phantom/base';
import { RESTART_BYTES, RESTART_KEYS } from './format.js';

/** Four varints. */
const ENTRY_HEADER_BYTES_MAX = 32;

export class BlockWriter {
  private readonly writer = new ByteWriter(20 * 1024);
  private readonly restarts: number[] = [];
  private keysBehindRestart = RESTART_KEYS;
  /** Where the last restart point is. */
  private restartAt = 0;
  private entryCount = 0;

  /** Entries so far. */
  get entries(): number {
    return this.entryCount;
  }

  /** Bytes the payload would have now. */
  get bytes(): number {
    return this.writer.length + this.restarts.length * 4 + 8;
  }

  /**
   * Appends an entry. `sharedBytes` is what its key has in common with the one before, `sameKey` that it is an older version
   * of it: it then never begins behind a new restart point. `tag` is as in format.ts; a removal has an empty value.
   */
  add(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    tag: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    sharedBytes: number,
    sameKey: boolean,
  ): void {
    const { writer } = this;
    let shared = sharedBytes;
    const isFull = this.keysBehindRestart >= RESTART_KEYS || writer.length - this.restartAt >= RESTART_BYTES;
    if (!sameKey && isFull) {
      this.restartAt = writer.length;
      this.restarts.push(writer.length);
      this.keysBehindRestart = 0;
      shared = 0;
    }
    if (!sameKey) this.keysBehindRestart++;
    this.entryCount++;
    const suffix = keyStart + shared;
    const isPut = (tag & 1) === 0;
    let at = writer.reserve(ENTRY_HEADER_BYTES_MAX + keyEnd - suffix + valueEnd - valueStart);
    const { buffer } = writer;
    at = writeVarint(buffer, at, shared);
    at = writeVarint(buffer, at, keyEnd - suffix);
    at = writeVarint(buffer, at, tag);
    if (isPut) at = writeVarint(buffer, at, valueEnd - valueStart);
    at = copyBytes(key, suffix, keyEnd, buffer, at);
    writer.length = isPut ? copyBytes(value, valueStart, valueEnd, buffer, at) : at;
  }

  /** The finished payload, borrowed until the next add or reset. */
  finish(): Uint8Array {
    for (const restart of this.restarts) this.writer.u32(restart);
    this.writer.u32(this.restarts.length);
    this.writer.u32(this.entryCount);
    return this.writer.view();
  }

  reset(): void {
    this.writer.reset();
    this.restarts.length = 0;
    this.keysBehindRestart = RESTART_KEYS;
    this.restartAt = 0;
    this.entryCount = 0;
  }
}
