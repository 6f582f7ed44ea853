/**
 * An append-only buffer that other structures point into by offset. Growing replaces the buffer by one of twice the size;
 * the old one stays as it is for whoever still holds references into it, so bytes handed out never move under a reader.
 *
 * Doubling copies each byte about once and needs three times the used bytes for a moment. A list of chunks would not, but
 * then every key comparison begins with a look-up of its chunk; whoever knows the final size gives it at the start.
 *
 * What is likely to be appended next may be laid down before (`foresee`), while its owner waits for something: it lies behind the bytes in
 * use and counts for nothing, until it is appended uncopied, or overwritten.
 */
import { assert, copyBytes } from '@phantom/base';

/** Offsets are signed 32-bit numbers in every table that points here. */
export const ARENA_BYTES_MAX = 0x7fff_ffff;

const CAPACITY_BYTES_MIN = 64;
const NO_BYTES = new Uint8Array(0);

export class ByteArena {
  /** Replaced when the arena grows: read it anew after every append. */
  buffer: Uint8Array = NO_BYTES;
  /** Bytes in use. */
  length = 0;
  private readonly capacityBytes: number;
  /** What was laid down behind the bytes in use when these were so many; nothing while `foreseen` is NO_BYTES. */
  private foreseen: Uint8Array = NO_BYTES;
  private foreseenStart = 0;
  private foreseenEnd = 0;
  private foreseenAt = 0;

  /** Its capacity is taken with the first byte: an arena that adopts a buffer, or stays empty, never needs it. */
  constructor(capacityBytes: number) {
    this.capacityBytes = Math.max(capacityBytes, CAPACITY_BYTES_MIN);
  }

  /** Makes room for `bytes` more and returns the offset where they go; the caller then sets `length`. */
  reserve(bytes: number): number {
    const need = this.length + bytes;
    if (need > this.buffer.length) this.grow(need);
    return this.length;
  }

  /** Copies [start, end) behind what is there and returns where it begins. */
  append(source: Uint8Array, start: number, end: number): number {
    if (this.foreseen !== NO_BYTES && this.takeForeseen(source, start, end)) return this.length - (end - start);
    const at = this.reserve(end - start);
    this.length = copyBytes(source, start, end, this.buffer, at);
    return at;
  }

  /** Lays down what will be appended next, if anything is: appending the same bytes of the same array, unchanged, copies nothing then. */
  foresee(source: Uint8Array, start: number, end: number): void {
    const at = this.reserve(end - start);
    copyBytes(source, start, end, this.buffer, at);
    this.foreseen = source;
    this.foreseenStart = start;
    this.foreseenEnd = end;
    this.foreseenAt = at;
  }

  /** Takes a buffer of the caller's with so many bytes in use, in place of its own; it must be empty, and nobody else writes. */
  adopt(buffer: Uint8Array, length: number): void {
    assert(this.length === 0, 'only an empty arena adopts a buffer');
    this.foreseen = NO_BYTES;
    this.buffer = buffer;
    this.length = length;
  }

  /** Appends what was laid down, if it is this and nothing else came in between; it is forgotten in any case. */
  private takeForeseen(source: Uint8Array, start: number, end: number): boolean {
    const { foreseen, foreseenStart, foreseenEnd, foreseenAt, length } = this;
    this.foreseen = NO_BYTES;
    if (foreseen !== source || foreseenStart !== start || foreseenEnd !== end || foreseenAt !== length) return false;
    this.length += end - start;
    return true;
  }

  private grow(need: number): void {
    assert(need <= ARENA_BYTES_MAX, 'an arena is bounded by 2 GiB');
    this.foreseen = NO_BYTES;
    const capacity = this.buffer.length === 0 ? this.capacityBytes : this.buffer.length * 2;
    const grown = new Uint8Array(Math.min(Math.max(need, capacity), ARENA_BYTES_MAX));
    grown.set(this.buffer.subarray(0, this.length));
    this.buffer = grown;
  }
}
