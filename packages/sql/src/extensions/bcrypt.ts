/**
 * bcrypt, the password hash of Provos and Mazieres (1999), as crypt_blowfish has it: Blowfish keyed with password and salt over and over, then a
 * fixed text encrypted 64 times.
 *
 *   $2a$  rounds, two digits  $  salt, 22 characters of 6 bits  hash, 31 characters
 *
 * Blowfish's boxes begin as the digits of the fraction of pi, which are counted out when the first password is hashed.
 */
import { assert } from '@phantom/base';

const SUBKEYS = 18;
const BOX_WORDS = 1024;
const HALVES = 16;
const WORD_BITS = 32n;
const TEXT = 'OrpheanBeholderScryDoubt';
const TEXT_ROUNDS = 64;
export const SALT_BYTES = 16;
const HASH_BYTES = 23;
const PASSWORD_BYTES_MAX = 72;
const DIGITS = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
export const SALT_CHARACTERS = 22;

let piWords: Uint32Array | undefined;

/** 1 / n's arc tangent, scaled. */
function arcTangent(n: bigint, scale: bigint): bigint {
  let term = scale / n;
  let sum = term;
  for (let odd = 3n, isPlus = false; term !== 0n; odd += 2n, isPlus = !isPlus) {
    term /= n * n;
    sum += isPlus ? term / odd : -(term / odd);
  }
  return sum;
}

/** The fraction of pi in words of 32 bits, by Machin's formula. */
function fractionOfPi(): Uint32Array {
  if (piWords !== undefined) return piWords;
  const words = SUBKEYS + BOX_WORDS;
  const guard = 64n;
  const bits = BigInt(words) * WORD_BITS + guard;
  const pi = 4n * (4n * arcTangent(5n, 1n << bits) - arcTangent(239n, 1n << bits));
  let rest = (pi & ((1n << bits) - 1n)) >> guard;
  const made = new Uint32Array(words);
  for (let i = words - 1; i >= 0; i--, rest >>= WORD_BITS) made[i] = Number(rest & 0xffff_ffffn);
  return (piWords = made);
}

/** Blowfish with its subkeys and boxes as they are now. */
class Blowfish {
  private readonly keys: Uint32Array;
  private readonly boxes: Uint32Array;
  private left = 0;
  private right = 0;

  constructor() {
    const words = fractionOfPi();
    this.keys = words.slice(0, SUBKEYS);
    this.boxes = words.slice(SUBKEYS);
  }

  /** Mixes a key into the subkeys, and the boxes made of nothing but what is there, and of the salt where one is given. */
  expand(key: Uint8Array, salt?: Uint32Array): void {
    const { keys, boxes } = this;
    let at = 0;
    for (let i = 0; i < SUBKEYS; i++) {
      let word = 0;
      for (let byte = 0; byte < 4; byte++, at = (at + 1) % key.length) word = (word << 8) | (key[at] as number);
      keys[i] = (keys[i] as number) ^ word;
    }
    this.left = 0;
    this.right = 0;
    let half = 0;
    for (const words of [keys, boxes]) {
      for (let i = 0; i < words.length; i += 2) {
        if (salt !== undefined) {
          this.left ^= salt[half] as number;
          this.right ^= salt[half + 1] as number;
          half = (half + 2) % salt.length;
        }
        this.encrypt();
        words[i] = this.left;
        words[i + 1] = this.right;
      }
    }
  }

  /** Two words encrypted so often. */
  repeat(words: Uint32Array, at: number, times: number): void {
    this.left = words[at] as number;
    this.right = words[at + 1] as number;
    for (let i = 0; i < times; i++) this.encrypt();
    words[at] = this.left;
    words[at + 1] = this.right;
  }

  private encrypt(): void {
    const { keys, boxes } = this;
    let left = this.left;
    let right = this.right;
    for (let i = 0; i < HALVES; i++) {
      left ^= keys[i] as number;
      const first = ((boxes[left >>> 24] as number) + (boxes[256 + ((left >>> 16) & 0xff)] as number)) | 0;
      right ^= ((first ^ (boxes[512 + ((left >>> 8) & 0xff)] as number)) + (boxes[768 + (left & 0xff)] as number)) | 0;
      const other = left;
      left = right;
      right = other;
    }
    this.left = right ^ (keys[HALVES + 1] as number);
    this.right = left ^ (keys[HALVES] as number);
  }
}

function wordsOf(bytes: Uint8Array): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Uint32Array.from({ length: bytes.length >> 2 }, (_, i) => view.getUint32(i * 4));
}

/** Bytes as characters of 6 bits each, the first bits first. */
export function bcryptDigits(bytes: Uint8Array): string {
  let text = '';
  for (let bit = 0; bit < bytes.length * 8; bit += 6) {
    const pair = ((bytes[bit >> 3] as number) << 8) | (bytes[(bit >> 3) + 1] ?? 0);
    text += DIGITS[(pair >> (10 - (bit & 7))) & 63];
  }
  return text;
}

/** The bytes of a salt's characters; undefined where it has others. */
export function saltOfDigits(digits: string): Uint8Array | undefined {
  const bytes = new Uint8Array(SALT_BYTES);
  for (const [i, digit] of [...digits].entries()) {
    const value = DIGITS.indexOf(digit);
    if (value < 0) return undefined;
    const bit = i * 6;
    const shifted = value << (10 - (bit & 7));
    bytes[bit >> 3] = (bytes[bit >> 3] as number) | (shifted >> 8);
    if ((bit >> 3) + 1 < SALT_BYTES) bytes[(bit >> 3) + 1] = (bytes[(bit >> 3) + 1] as number) | (shifted & 0xff);
  }
  return bytes;
}

/** The hash of a password, as characters; its work doubles with each of the rounds. */
export function bcryptHash(password: Uint8Array, salt: Uint8Array, rounds: number): string {
  assert(salt.length === SALT_BYTES, 'a salt has 16 bytes');
  const key = new Uint8Array(Math.min(password.length + 1, PASSWORD_BYTES_MAX));
  key.set(password.subarray(0, key.length));
  const cipher = new Blowfish();
  cipher.expand(key, wordsOf(salt));
  for (let i = 2 ** rounds; i > 0; i--) {
    cipher.expand(key);
    cipher.expand(salt);
  }
  const words = wordsOf(new TextEncoder().encode(TEXT));
  for (let at = 0; at < words.length; at += 2) cipher.repeat(words, at, TEXT_ROUNDS);
  const bytes = new Uint8Array(words.length * 4);
  const view = new DataView(bytes.buffer);
  words.forEach((word, i) => view.setUint32(i * 4, word));
  return bcryptDigits(bytes.subarray(0, HASH_BYTES));
}
