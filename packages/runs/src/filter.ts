/**
 * A blocked Bloom filter (Putze, Sanders and Singler 2007; the split-block form of the Parquet format): a key sets one bit
 * in each of the eight 32-bit words of one 32-byte line, so that a question touches a single cache line. At 10 bits a key
 * about 1 % of absent keys are let through.
 *
 * The hash is our own two-lane multiply-and-rotate loop over 32-bit words, not xxHash: h64 through WebAssembly costs about
 * 110 ns and a bigint for a 16-byte key, this costs 10 ns and allocates nothing, and a filter needs spread, not the last
 * bit of quality. It is part of the file format (hash format 1).
 */
import { readU32, writeU32 } from '@phantom/base';

export const FILTER_HASH_FORMAT = 1;
export const FILTER_HEADER_BYTES = 8;
const LINE_BYTES = 32;
const WORDS = 8;

/** Odd multipliers, one for each word of a line (those of the Parquet specification). */
const SALT = Int32Array.of(
  0x47b6137b,
  0x44974d91,
  0x8824ad5b | 0,
  0xa2b7289d | 0,
  0x705495c7,
  0x2df1424b,
  0x9efc4947 | 0,
  0x5c6bfb31,
);

/** Two independent 32-bit halves of a key's hash; reused, so that a lookup in many runs hashes once and allocates nothing. */
export class KeyHash {
  /** Chooses the line. Unsigned. */
  line = 0;
  /** Chooses the bits. Signed. */
  bits = 0;

  /** Hashes key bytes in [start, end). */
  set(key: Uint8Array, start: number, end: number): void {
    let a = 0x9e3779b1 ^ (end - start);
    let b = 0x85ebca77 | 0;
    let i = start;
    for (; i + 4 <= end; i += 4) {
      const word =
        (key[i] as number) |
        ((key[i + 1] as number) << 8) |
        ((key[i + 2] as number) << 16) |
        ((key[i + 3] as number) << 24);
      a = Math.imul(a ^ word, 0xcc9e2d51);
      a ^= a >>> 15;
      b = Math.imul((b << 13) | (b >>> 19), 0x1b873593) + word;
      b = Math.imul(b ^ (b >>> 16), 0xc2b2ae35);
    }
    let tail = 0;
    for (; i < end; i++) tail = (tail << 8) | (key[i] as number);
    a = Math.imul(a ^ tail, 0xcc9e2d51) ^ b;
    b = Math.imul(b ^ tail, 0x27d4eb2f) + a;
    a = Math.imul(a ^ (a >>> 16), 0x85ebca6b);
    a = Math.imul(a ^ (a >>> 13), 0xc2b2ae35);
    b = Math.imul(b ^ (b >>> 15), 0x2c1b3c6d);
    b = Math.imul(b ^ (b >>> 12), 0x297a2d39);
    this.line = (a ^ (a >>> 16)) >>> 0;
    this.bits = b ^ (b >>> 15);
  }
}

/** Collects the hashes of a partition's keys, then lays out their filter. */
export class FilterBuilder {
  private readonly bitsPerKey: number;
  private lines: Uint32Array;
  private bits: Int32Array;
  private count = 0;

  constructor(bitsPerKey: number) {
    this.bitsPerKey = bitsPerKey;
    this.lines = new Uint32Array(1024);
    this.bits = new Int32Array(1024);
  }

  add(hash: KeyHash): void {
    if (this.count === this.lines.length) {
      const lines = new Uint32Array(this.count * 2);
      lines.set(this.lines);
      this.lines = lines;
      const bits = new Int32Array(this.count * 2);
      bits.set(this.bits);
      this.bits = bits;
    }
    this.lines[this.count] = hash.line;
    this.bits[this.count] = hash.bits;
    this.count++;
  }

  /** The filter's payload, owned by the caller; the builder is empty afterwards. */
  finish(): Uint8Array {
    const lineCount = Math.max(1, Math.ceil((this.count * this.bitsPerKey) / (LINE_BYTES * 8)));
    const words = new Int32Array(lineCount * WORDS);
    for (let i = 0; i < this.count; i++) addToLines(words, { line: this.lines[i]!, bits: this.bits[i]! });
    this.count = 0;
    const payload = new Uint8Array(FILTER_HEADER_BYTES + lineCount * LINE_BYTES);
    writeU32(payload, 0, lineCount);
    writeU32(payload, 4, FILTER_HASH_FORMAT);
    for (let i = 0; i < words.length; i++) writeU32(payload, FILTER_HEADER_BYTES + i * 4, words[i] as number);
    return payload;
  }
}

/** True when the payload has the shape that FilterBuilder gives it; only then may it be asked. */
export function isFilter(payload: Uint8Array, bytes: number): boolean {
  if (bytes < FILTER_HEADER_BYTES + LINE_BYTES || readU32(payload, 4) !== FILTER_HASH_FORMAT) return false;
  return FILTER_HEADER_BYTES + readU32(payload, 0) * LINE_BYTES === bytes;
}

/** False when no key with this hash was added; true for every key that was, and for about 1 % of the others. */
export function mayContain(payload: Uint8Array, hash: KeyHash): boolean {
  const base = FILTER_HEADER_BYTES + lineIndex(hash.line, readU32(payload, 0)) * LINE_BYTES;
  const { bits } = hash;
  for (let word = 0; word < WORDS; word++) {
    const bit = bitIndex(bits, word);
    if (((payload[base + word * 4 + (bit >>> 3)] as number) & (1 << (bit & 7))) === 0) return false;
  }
  return true;
}

/** A filter that stays in memory: lines of eight words, of this machine's byte order. */
export type LineFilter = Int32Array;

export function addToLines(words: LineFilter, { line, bits }: Pick<KeyHash, 'line' | 'bits'>): void {
  const base = lineIndex(line, words.length / WORDS) * WORDS;
  for (let word = 0; word < WORDS; word++) words[base + word]! |= 1 << bitIndex(bits, word);
}

/** As mayContain. */
export function linesMayContain(words: LineFilter, { line, bits }: KeyHash): boolean {
  const base = lineIndex(line, words.length / WORDS) * WORDS;
  for (let word = 0; word < WORDS; word++) {
    if (((words[base + word] as number) & (1 << bitIndex(bits, word))) === 0) return false;
  }
  return true;
}

function lineIndex(hash: number, lineCount: number): number {
  return Math.floor((hash * lineCount) / 4294967296);
}

function bitIndex(bits: number, word: number): number {
  return Math.imul(bits, SALT[word] as number) >>> 27;
}
