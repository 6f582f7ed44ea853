/**
 * A growing buffer that is written front to back. It doubles at least, so n bytes cost O(n) copying; `reset` keeps the memory for
 * the next use. The bytes handed out by `view` are borrowed until the next write or reset; `take` gives a copy.
 */
import { assert } from './assert.js';
import { copyBytes, writeU16, writeU32, writeU32BE, writeU64, writeVarint } from './bytes.js';
import type { SpareMemory } from './spare-memory.js';

const MINIMUM_BYTES = 64;
/** From here on it grows by four: memory that nobody has touched costs addresses only, copying costs time. */
const LARGE_BYTES = 1024 * 1024;
/** And from here on by two again: V8 counts addresses, too, and walks the whole heap for so many that come and go. */
const HUGE_BYTES = 16 * 1024 * 1024;
const UTF8 = new TextEncoder();
const NO_BYTES = new Uint8Array(0);

export class ByteWriter {
  /** The backing bytes; replaced when it grows, so never keep it across a write. */
  buffer: Uint8Array;
  /** How many bytes are written. */
  length = 0;
  private readonly spare: SpareMemory | undefined;

  /** Begins with so many bytes, or with memory of the caller's that is its own from now on; grows into what is spare, if it may. */
  constructor(memory: number | Uint8Array = MINIMUM_BYTES, spare?: SpareMemory) {
    this.buffer = typeof memory === 'number' ? new Uint8Array(Math.max(memory, MINIMUM_BYTES)) : memory;
    this.spare = spare;
  }

  reset(): void {
    this.length = 0;
  }

  /** Makes room for `bytes` more and returns the offset at which they go; the caller then advances `length`. */
  reserve(bytes: number): number {
    const need = this.length + bytes;
    if (need > this.buffer.length) this.grow(need);
    return this.length;
  }

  u8(value: number): void {
    const at = this.reserve(1);
    this.buffer[at] = value;
    this.length = at + 1;
  }

  u16(value: number): void {
    const at = this.reserve(2);
    writeU16(this.buffer, at, value);
    this.length = at + 2;
  }

  u32(value: number): void {
    const at = this.reserve(4);
    writeU32(this.buffer, at, value);
    this.length = at + 4;
  }

  u32BE(value: number): void {
    const at = this.reserve(4);
    writeU32BE(this.buffer, at, value);
    this.length = at + 4;
  }

  /** A safe integer as little-endian u64. */
  u64(value: number): void {
    assert(Number.isSafeInteger(value) && value >= 0, 'u64 takes a non-negative safe integer');
    const at = this.reserve(8);
    writeU64(this.buffer, at, value);
    this.length = at + 8;
  }

  varint(value: number): void {
    assert(Number.isSafeInteger(value) && value >= 0, 'varint takes a non-negative safe integer');
    const at = this.reserve(8);
    this.length = writeVarint(this.buffer, at, value);
  }

  bytes(source: Uint8Array, start = 0, end: number = source.length): void {
    const at = this.reserve(end - start);
    this.length = copyBytes(source, start, end, this.buffer, at);
  }

  /** A length as varint, then the bytes. */
  lengthPrefixed(source: Uint8Array, start = 0, end: number = source.length): void {
    this.varint(end - start);
    this.bytes(source, start, end);
  }

  /** A length as varint, then UTF-8. */
  text(value: string): void {
    this.lengthPrefixed(UTF8.encode(value));
  }

  /** What is written so far, borrowed until the next write. */
  view(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }

  /** A copy of what is written so far, owned by the caller. */
  take(): Uint8Array {
    return this.buffer.slice(0, this.length);
  }

  /** Gives its memory away; it is empty afterwards and begins anew with none. */
  surrender(): Uint8Array {
    const { buffer } = this;
    this.buffer = NO_BYTES;
    this.length = 0;
    return buffer;
  }

  /** Writes from its front into memory that somebody gave away. */
  adopt(memory: Uint8Array): void {
    this.buffer = memory;
    this.length = 0;
  }

  private grow(need: number): void {
    const { length } = this.buffer;
    const factor = length < LARGE_BYTES || length >= HUGE_BYTES ? 2 : 4;
    const bytes = Math.max(need, length * factor);
    const grown = this.spare?.take(bytes) ?? new Uint8Array(bytes);
    grown.set(this.buffer.subarray(0, this.length));
    this.buffer = grown;
  }
}
