/**
 * A reader over bytes that may be anything: every method checks its bounds and throws the corruption error of its owner,
 * so that a decoder fed random bytes ends in a value or a typed error, never in `undefined` arithmetic or a hang. It is
 * re-aimed with `setBuffer` instead of being made anew (after node-postgres' BufferReader).
 */
import { corruptionError } from './errors.js';
import { readU16, readU32, readU32BE, readU64 } from './bytes.js';

const UTF8 = new TextDecoder('utf-8', { fatal: true });

export class ByteReader {
  private bytes: Uint8Array;
  private end: number;
  private source: string;
  /** Offset of the next byte in the buffer. */
  offset: number;

  constructor(bytes: Uint8Array, source: string, start = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.source = source;
    this.offset = start;
    this.end = end;
  }

  setBuffer(bytes: Uint8Array, source: string, start = 0, end: number = bytes.length): void {
    this.bytes = bytes;
    this.source = source;
    this.offset = start;
    this.end = end;
  }

  get remaining(): number {
    return this.end - this.offset;
  }

  u8(): number {
    return this.bytes[this.advance(1)] as number;
  }

  u16(): number {
    return readU16(this.bytes, this.advance(2));
  }

  u32(): number {
    return readU32(this.bytes, this.advance(4));
  }

  u32BE(): number {
    return readU32BE(this.bytes, this.advance(4));
  }

  u64(): number {
    const at = this.offset;
    const value = readU64(this.bytes, this.advance(8));
    if (Number.isNaN(value)) this.fail('an integer is beyond 2^53', at);
    return value;
  }

  varint(): number {
    const at = this.offset;
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (!Number.isSafeInteger(value) || (byte === 0 && i > 0)) break;
        return value;
      }
      scale *= 0x80;
    }
    return this.fail('a variable-length integer is malformed', at);
  }

  /** A view of the next `count` bytes, owned by whoever owns the buffer. */
  take(count: number): Uint8Array {
    const at = this.advance(count);
    return this.bytes.subarray(at, at + count);
  }

  lengthPrefixed(): Uint8Array {
    return this.take(this.varint());
  }

  text(): string {
    const at = this.offset;
    const bytes = this.lengthPrefixed();
    try {
      return UTF8.decode(bytes);
    } catch {
      return this.fail('a text is not UTF-8', at);
    }
  }

  private advance(count: number): number {
    const at = this.offset;
    if (count > this.end - at) this.fail(`the bytes end ${count - (this.end - at)} short of a value`, at);
    this.offset = at + count;
    return at;
  }

  private fail(message: string, at: number): never {
    throw corruptionError(message, { file: this.source, offset: at });
  }
}
