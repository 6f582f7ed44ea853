/**
 * Builds the payload of a data or index block (format.ts): prefix-compressed entries behind restart points. Reused from
 * block to block. Who calls it keeps the order of keys; the run writer asserts it.
 */
import { ByteWriter, commonPrefixBytes } from '@phantom/base';
import { RESTART_BYTES, RESTART_KEYS } from './format.js';

export class BlockWriter {
  private readonly writer = new ByteWriter(20 * 1024);
  private readonly restarts: number[] = [];
  private lastKey = new Uint8Array(256);
  private lastKeyBytes = 0;
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
   * Appends an entry. `sameKey` says that it is an older version of the key before: it then never begins behind a new
   * restart point. `tag` is as in format.ts; a removal has an empty value.
   */
  add(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    tag: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    sameKey: boolean,
  ): void {
    const { writer } = this;
    let shared = 0;
    const isFull = this.keysBehindRestart >= RESTART_KEYS || writer.length - this.restartAt >= RESTART_BYTES;
    if (!sameKey && isFull) {
      this.restartAt = writer.length;
      this.restarts.push(writer.length);
      this.keysBehindRestart = 0;
    } else {
      shared = commonPrefixBytes(this.lastKey, 0, this.lastKeyBytes, key, keyStart, keyEnd);
    }
    if (!sameKey) this.keysBehindRestart++;
    this.entryCount++;
    writer.varint(shared);
    writer.varint(keyEnd - keyStart - shared);
    writer.varint(tag);
    if ((tag & 1) === 0) writer.varint(valueEnd - valueStart);
    writer.bytes(key, keyStart + shared, keyEnd);
    if ((tag & 1) === 0) writer.bytes(value, valueStart, valueEnd);
    const bytes = keyEnd - keyStart;
    if (bytes > this.lastKey.length) this.lastKey = new Uint8Array(bytes * 2);
    for (let i = shared; i < bytes; i++) this.lastKey[i] = key[keyStart + i] as number;
    this.lastKeyBytes = bytes;
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
    this.lastKeyBytes = 0;
    this.keysBehindRestart = RESTART_KEYS;
    this.restartAt = 0;
    this.entryCount = 0;
  }
}
