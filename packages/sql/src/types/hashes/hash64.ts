/**
 * Hashes of 64 bits as PostgreSQL makes them, so that rows and shards lie here where they lie there. The function is Bob Jenkins' lookup3
 * (2006, public domain) with the seed and the order of bytes that PostgreSQL gives it on little-endian machines.
 *
 *     state      a  b  c        three words, each at first 0x9e3779b9 + length + 3923095
 *     seed       high -> a, low -> b, then mixed; a seed of zero is not mixed in
 *     12 bytes   4 -> a, 4 -> b, 4 -> c, then mixed; and so on
 *     the rest   up to 11 bytes: 4 -> a, 4 -> b, 3 -> c above its lowest byte, then finished
 *     result     b is the high half, c the low one
 *
 * The low half of a hash with seed zero is what PostgreSQL's functions of 32 bits give. Numbers are kept as two halves: arithmetic of
 * bigints would cost a row that is routed several times as much.
 */

/** A number of 64 bits. Each half is an int32; it belongs to whoever made it, and functions here write the one they are given last. */
export class Hash64 {
  high: number;
  low: number;

  constructor(high = 0, low = 0) {
    this.high = high;
    this.low = low;
  }

  set(high: number, low: number): void {
    this.high = high;
    this.low = low;
  }

  /** The remainder of the number without a sign, by a modulus of at most 31 bits. */
  remainder(modulus: number): number {
    let rest = (this.high >>> 0) % modulus;
    // 16 bits at a time stay exact in a double.
    rest = (rest * 0x10000 + (this.low >>> 16)) % modulus;
    return (rest * 0x10000 + (this.low & 0xffff)) % modulus;
  }

  /** The number with a sign. */
  toBigInt(): bigint {
    return (BigInt(this.high) << 32n) | BigInt(this.low >>> 0);
  }
}

/** The number in two's complement. */
export function hash64Of(value: number | bigint): Hash64 {
  const bits = BigInt.asUintN(64, BigInt(value));
  return new Hash64(Number(bits >> 32n) | 0, Number(bits & 0xffffffffn) | 0);
}

const INITIAL = 0x9e3779b9 + 3923095;

/** Hash of `length` bytes from `start` on. */
export function hashBytes(bytes: Uint8Array, start: number, length: number, seed: Hash64, into: Hash64): void {
  let a = (INITIAL + length) | 0;
  let b = a;
  let c = a;
  let at = start;
  const end = start + length;
  let isSeeded = seed.high === 0 && seed.low === 0;
  for (;;) {
    if (!isSeeded) {
      a = (a + seed.high) | 0;
      b = (b + seed.low) | 0;
      isSeeded = true;
    } else if (end - at >= 12) {
      a = (a + wordAt(bytes, at)) | 0;
      b = (b + wordAt(bytes, at + 4)) | 0;
      c = (c + wordAt(bytes, at + 8)) | 0;
      at += 12;
    } else break;
    a = (a - c) ^ ((c << 4) | (c >>> 28));
    c = (c + b) | 0;
    b = (b - a) ^ ((a << 6) | (a >>> 26));
    a = (a + c) | 0;
    c = (c - b) ^ ((b << 8) | (b >>> 24));
    b = (b + a) | 0;
    a = (a - c) ^ ((c << 16) | (c >>> 16));
    c = (c + b) | 0;
    b = (b - a) ^ ((a << 19) | (a >>> 13));
    a = (a + c) | 0;
    c = (c - b) ^ ((b << 4) | (b >>> 28));
    b = (b + a) | 0;
  }
  const rest = end - at;
  if (rest > 0) a = (a + (rest >= 4 ? wordAt(bytes, at) : partAt(bytes, at, rest))) | 0;
  if (rest > 4) b = (b + (rest >= 8 ? wordAt(bytes, at + 4) : partAt(bytes, at + 4, rest - 4))) | 0;
  if (rest > 8) c = (c + (partAt(bytes, at + 8, rest - 8) << 8)) | 0;
  c = ((c ^ b) - ((b << 14) | (b >>> 18))) | 0;
  a = ((a ^ c) - ((c << 11) | (c >>> 21))) | 0;
  b = ((b ^ a) - ((a << 25) | (a >>> 7))) | 0;
  c = ((c ^ b) - ((b << 16) | (b >>> 16))) | 0;
  a = ((a ^ c) - ((c << 4) | (c >>> 28))) | 0;
  b = ((b ^ a) - ((a << 14) | (a >>> 18))) | 0;
  c = ((c ^ b) - ((b << 24) | (b >>> 8))) | 0;
  into.set(b, c);
}

/** Four bytes as a word, the least first. */
function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

/** The same of fewer than four bytes. */
function partAt(bytes: Uint8Array, at: number, count: number): number {
  let word = 0;
  for (let i = 0; i < count; i++) word |= (bytes[at + i] as number) << (8 * i);
  return word;
}

const wordBytes = new Uint8Array(4);

/** Hash of a number of 32 bits. */
export function hashWord(word: number, seed: Hash64, into: Hash64): void {
  wordBytes[0] = word;
  wordBytes[1] = word >>> 8;
  wordBytes[2] = word >>> 16;
  wordBytes[3] = word >>> 24;
  hashBytes(wordBytes, 0, 4, seed, into);
}

/** `into` becomes 31 times itself and `added`: how the parts of arrays, records and multiranges make one hash. */
export function addPart(into: Hash64, added: Hash64): void {
  const low = (into.low >>> 0) * 31;
  const sum = (low >>> 0) + (added.low >>> 0);
  const carry = Math.floor(low / 0x100000000) + (sum > 0xffffffff ? 1 : 0);
  into.set((Math.imul(into.high, 31) + carry + added.high) | 0, sum | 0);
}

/** Turns each half by one bit. */
export function rotateHalves(into: Hash64): void {
  into.set((into.high << 1) | (into.high >>> 31), (into.low << 1) | (into.low >>> 31));
}

/** `into` becomes the hash of itself and of `added`: how the columns of a partition key make one hash. */
export function combine(into: Hash64, added: Hash64): void {
  const { high, low } = into;
  // into ^ (added + 0x49a0f4dd15e5a8e3 + (into << 54) + (into >> 7))
  const lowSum = (added.low >>> 0) + 0x15e5a8e3 + (((low >>> 7) | (high << 25)) >>> 0);
  const highSum = added.high + 0x49a0f4dd + (low << 22) + (high >>> 7) + Math.floor(lowSum / 0x100000000);
  into.set(high ^ highSum, low ^ lowSum);
}
