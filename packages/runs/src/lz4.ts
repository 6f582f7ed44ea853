/**
 * LZ4 blocks (the published block format, without frames): literals and back references, byte-aligned, made to be decoded
 * fast. Our own, so that it needs no dependency and bounds can be trusted:
 *
 *   token     literals (4 bits), match length - 4 (4 bits); 15 means "add the bytes that follow, until one is below 255"
 *   literals  copied as they are
 *   offset    u16, little-endian, 1 to 65535 back; then the match is copied, possibly onto itself
 *
 * The last sequence has literals only. The encoder follows the format's end rules: the last five bytes are literals, and
 * no match begins in the last twelve. It looks each place up in one small table (Lempel and Ziv 1977 with a hash of four
 * bytes) and takes longer and longer steps where nothing matches, so that noise costs little.
 *
 * Blocks of up to 64 KiB, which is nearly all, take the way through lz4-wasm.ts: the same at three times the speed.
 */
import { copyBytes } from '@phantom/base';

const HASH_BITS = 13;
const MATCH_BYTES_MIN = 4;
const LITERALS_AT_END = 5;
const NO_MATCH_AT_END = 12;
const OFFSET_MAX = 65535;
/** After so many misses in a row (as a power of two) the step grows by one. */
const SKIP_BITS = 5;
/** The table is cleared before places in it could overflow. */
const PLACE_MAX = 0x4000_0000;

/** The largest that `bytes` can become: noise grows by a byte in 255 and a little. */
export function lz4BytesMax(bytes: number): number {
  return bytes + Math.floor(bytes / 255) + 16;
}

/** Compresses blocks one after the other; the table is kept, so make one encoder and keep it. */
export class Lz4Encoder {
  private readonly table = new Int32Array(1 << HASH_BITS);
  /** Added to places, so that what earlier blocks left in the table lies below zero and the table needs no clearing. */
  private base = 0;

  /**
   * Compresses [start, end) to `target` from `at` on and returns the offset behind it. The target has room for
   * lz4BytesMax(end - start).
   */
  encode(source: Uint8Array, start: number, end: number, target: Uint8Array, at: number): number {
    const { table } = this;
    if (this.base + (end - start) > PLACE_MAX) {
      table.fill(0);
      this.base = 0;
    }
    // A place p is stored as p + shift, which is at least `floor`; anything below is of an earlier block.
    const floor = this.base + 1;
    const shift = floor - start;
    this.base += end - start + 1;
    const matchLimit = end - LITERALS_AT_END;
    const searchLimit = end - NO_MATCH_AT_END;
    let anchor = start;
    let place = start;
    let misses = 1 << SKIP_BITS;
    while (place <= searchLimit) {
      const word =
        (source[place] as number) |
        ((source[place + 1] as number) << 8) |
        ((source[place + 2] as number) << 16) |
        ((source[place + 3] as number) << 24);
      const slot = Math.imul(word, 0x9e3779b1) >>> (32 - HASH_BITS);
      const stored = table[slot] as number;
      table[slot] = place + shift;
      const from = stored - shift;
      if (
        stored < floor ||
        place - from > OFFSET_MAX ||
        source[from] !== source[place] ||
        source[from + 1] !== source[place + 1] ||
        source[from + 2] !== source[place + 2] ||
        source[from + 3] !== source[place + 3]
      ) {
        place += misses++ >>> SKIP_BITS;
        continue;
      }
      let matchEnd = place + MATCH_BYTES_MIN;
      let other = from + MATCH_BYTES_MIN;
      while (matchEnd < matchLimit && source[matchEnd] === source[other]) {
        matchEnd++;
        other++;
      }
      at = writeSequence(source, anchor, place, target, at, matchEnd - place - MATCH_BYTES_MIN);
      target[at++] = (place - from) & 0xff;
      target[at++] = (place - from) >>> 8;
      at = writeMore(target, at, matchEnd - place - MATCH_BYTES_MIN);
      anchor = place = matchEnd;
      misses = 1 << SKIP_BITS;
    }
    return writeSequence(source, anchor, end, target, at, 0);
  }
}

/** Token, literals; the match itself is written by the caller, and its length beyond the token, too. */
function writeSequence(
  source: Uint8Array,
  from: number,
  to: number,
  target: Uint8Array,
  at: number,
  matchBytes: number,
): number {
  const literals = to - from;
  target[at] = ((literals < 15 ? literals : 15) << 4) | (matchBytes < 15 ? matchBytes : 15);
  return copyBytes(source, from, to, target, writeMore(target, at + 1, literals));
}

/** What of a length does not fit in four bits. */
function writeMore(target: Uint8Array, at: number, length: number): number {
  if (length < 15) return at;
  let left = length - 15;
  for (; left >= 255; left -= 255) target[at++] = 255;
  target[at++] = left;
  return at;
}

/**
 * Decompresses [start, end) of the source into [0, targetEnd) of the target; false when the bytes are not a block that fills
 * it exactly. Reads and writes nothing outside, whatever the bytes are.
 */
export function decodeLz4(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  targetEnd: number,
): boolean {
  const sourceView = viewOf(source);
  const targetView = viewOf(target);
  let place = start;
  let at = 0;
  while (place < end) {
    const token = source[place++] as number;
    let literals = token >>> 4;
    if (literals === 15) {
      let more = 255;
      while (more === 255 && place < end) {
        more = source[place++] as number;
        literals += more;
      }
      if (more === 255) return false;
    }
    if (literals > end - place || literals > targetEnd - at) return false;
    copyWords(source, sourceView, place, literals, target, targetView, at);
    at += literals;
    place += literals;
    if (place === end) return at === targetEnd && (token & 15) === 0;
    if (end - place < 2) return false;
    const offset = (source[place] as number) | ((source[place + 1] as number) << 8);
    place += 2;
    let matchBytes = (token & 15) + MATCH_BYTES_MIN;
    if (matchBytes === 15 + MATCH_BYTES_MIN) {
      let more = 255;
      while (more === 255 && place < end) {
        more = source[place++] as number;
        matchBytes += more;
      }
      if (more === 255) return false;
    }
    if (offset === 0 || offset > at || matchBytes > targetEnd - at) return false;
    const from = at - offset;
    // A match that begins less than a word behind where it goes repeats bytes that a word would not have yet.
    if (offset >= 4) copyWords(target, targetView, from, matchBytes, target, targetView, at);
    else for (let i = 0; i < matchBytes; i++) target[at + i] = target[from + i] as number;
    at += matchBytes;
  }
  return false;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/**
 * Copies front to back, four bytes at a time: for the fifty bytes of a usual stretch twice as fast as byte by byte, and as a
 * call of `set`, which takes a piece of the source, an object of its own. Makes decoding a block twice as fast.
 */
function copyWords(
  source: Uint8Array,
  sourceView: DataView,
  from: number,
  bytes: number,
  target: Uint8Array,
  targetView: DataView,
  at: number,
): void {
  let i = 0;
  for (; i + 4 <= bytes; i += 4) targetView.setInt32(at + i, sourceView.getInt32(from + i));
  for (; i < bytes; i++) target[at + i] = source[from + i] as number;
}
