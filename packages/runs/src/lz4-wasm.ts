/**
 * LZ4 (lz4.ts has the format) in WebAssembly, for the blocks of usual size: of what a get that misses the cache costs, and of
 * a compaction, the codec is the largest part, and here it has words of eight bytes and no checks of bounds for each.
 *
 *      memory   | table 8 KiB | input 64 KiB | slack | output a little more | slack |
 *
 * Copies go sixteen bytes at a time and may pass their end by fifteen: what they read there means nothing, what they write
 * there is written over by the next copy, or lies in the slack. What the bytes to be decoded say is checked all the same, so
 * that whatever they are nothing outside input and output is touched.
 *
 * Left out: larger blocks, which are values of their own and take the way through lz4.ts; a memory that has grown for one
 * would stay so.
 */
import {
  type Code,
  LOCALS,
  type WasmFunction,
  WasmMemory,
  add,
  and,
  atLeast,
  atMost,
  clear,
  equal,
  equal64,
  get,
  giveBack,
  greater,
  i32,
  increase,
  isZero,
  less,
  load16,
  load32,
  load64,
  load8,
  multiply,
  notEqual,
  or,
  set,
  shiftLeft,
  shiftRight,
  store16,
  store64,
  store8,
  subtract,
  when,
  whileTrue,
} from '@phantom/base/wasm-code';
import { lz4BytesMax } from './lz4.js';

const HASH_BITS = 12;
const TABLE_AT = 0;
const TABLE_BYTES = 2 << HASH_BITS;
const SLACK_BYTES = 32;
/** Places in the table have 16 bits. */
const INPUT_BYTES = 65_535;
const INPUT_AT = TABLE_AT + TABLE_BYTES;
const OUTPUT_AT = INPUT_AT + INPUT_BYTES + SLACK_BYTES;
const OUTPUT_BYTES = lz4BytesMax(INPUT_BYTES);

const MATCH_BYTES_MIN = 4;
const LITERALS_AT_END = 5;
const NO_MATCH_AT_END = 12;
/** As in lz4.ts: after so many misses in a row, as a power of two, the step grows by one. */
const SKIP_BITS = 5;

/** Copies words from `from` to `to`, both of which move, until `to` has reached `end`. */
function copyUntil(end: number, from: number, to: number): Code {
  const word = [...store64(get(to), load64(get(from))), ...increase(from, i32(8)), ...increase(to, i32(8))];
  return whileTrue(less(get(to), get(end)), word, word);
}

function decoder(): Code[] {
  const [source, sourceEnd, target, targetEnd, token, bytes, more, from, to, start, end] = LOCALS;
  const refuse = giveBack(i32(0));
  /** Adds what follows a length of fifteen. */
  const readMore = [
    ...set(more, i32(255)),
    ...whileTrue(
      equal(get(more), i32(255)),
      when(atLeast(get(source), get(sourceEnd)), refuse),
      set(more, load8(get(source))),
      increase(source, i32(1)),
      increase(bytes, get(more)),
    ),
  ];
  const isTooMuch = (from: number, until: number): Code => greater(get(bytes), subtract(get(until), get(from)));
  return [
    set(start, get(target)),
    whileTrue(
      less(get(source), get(sourceEnd)),
      set(token, load8(get(source))),
      increase(source, i32(1)),
      // Literals.
      set(bytes, shiftRight(get(token), i32(4))),
      when(equal(get(bytes), i32(15)), readMore),
      when(or(isTooMuch(source, sourceEnd), isTooMuch(target, targetEnd)), refuse),
      set(from, get(source)),
      set(to, get(target)),
      increase(source, get(bytes)),
      increase(target, get(bytes)),
      copyUntil(target, from, to),
      when(
        equal(get(source), get(sourceEnd)),
        giveBack(and(equal(get(target), get(targetEnd)), isZero(and(get(token), i32(15))))),
      ),
      // A match.
      when(less(subtract(get(sourceEnd), get(source)), i32(2)), refuse),
      set(from, load16(get(source))),
      increase(source, i32(2)),
      when(or(isZero(get(from)), greater(get(from), subtract(get(target), get(start)))), refuse),
      set(from, subtract(get(target), get(from))),
      set(bytes, and(get(token), i32(15))),
      when(equal(get(bytes), i32(15)), readMore),
      increase(bytes, i32(MATCH_BYTES_MIN)),
      when(isTooMuch(target, targetEnd), refuse),
      set(to, get(target)),
      set(end, add(get(target), get(bytes))),
      set(target, get(end)),
      // A match that begins less than a word behind where it goes repeats bytes that a word would not have yet.
      when(
        less(subtract(get(to), get(from)), i32(8)),
        whileTrue(
          less(get(to), get(end)),
          store8(get(to), load8(get(from))),
          increase(from, i32(1)),
          increase(to, i32(1)),
        ),
      ),
      copyUntil(end, from, to),
    ),
    i32(0),
  ];
}

function encoder(): Code[] {
  const [start, end, target, anchor, place, word, slot, from, misses, at, bytes, left, to] = LOCALS;
  const writeByte = (value: Code): Code => [...store8(get(target), value), ...increase(target, i32(1))];
  /** What of a length does not fit in four bits. */
  const writeMore = (length: number): Code =>
    when(
      atLeast(get(length), i32(15)),
      set(left, subtract(get(length), i32(15))),
      whileTrue(atLeast(get(left), i32(255)), writeByte(i32(255)), set(left, subtract(get(left), i32(255)))),
      writeByte(get(left)),
    );
  const fourBits = (length: number): Code => [
    ...set(left, get(length)),
    ...when(greater(get(length), i32(15)), set(left, i32(15))),
  ];
  /** Token and literals, from the anchor up to a place; the match has `bytes` more than the least. */
  const writeSequence = (until: number): Code => [
    ...fourBits(bytes),
    ...set(to, get(left)),
    ...set(from, subtract(get(until), get(anchor))),
    ...fourBits(from),
    ...writeByte(or(get(to), shiftLeft(get(left), i32(4)))),
    ...writeMore(from),
    ...set(to, get(target)),
    ...increase(target, get(from)),
    ...set(from, get(anchor)),
    ...copyUntil(target, from, to),
  ];
  const hash = shiftRight(multiply(get(word), i32(0x9e3779b1)), i32(32 - HASH_BITS));
  return [
    clear(i32(TABLE_AT), i32(TABLE_BYTES)),
    set(anchor, get(start)),
    // The table says "at the start" of all that it has not seen.
    set(place, add(get(start), i32(1))),
    set(misses, i32(1 << SKIP_BITS)),
    whileTrue(
      atMost(add(get(place), i32(NO_MATCH_AT_END)), get(end)),
      set(word, load32(get(place))),
      set(slot, shiftLeft(hash, i32(1))),
      set(from, add(get(start), load16(get(slot)))),
      store16(get(slot), subtract(get(place), get(start))),
      set(at, get(place)),
      when(
        notEqual(load32(get(from)), get(word)),
        increase(place, shiftRight(get(misses), i32(SKIP_BITS))),
        increase(misses, i32(1)),
      ),
      when(
        equal(get(at), get(place)),
        set(slot, subtract(get(place), get(from))),
        increase(at, i32(MATCH_BYTES_MIN)),
        increase(from, i32(MATCH_BYTES_MIN)),
        whileTrue(
          and(atMost(add(get(at), i32(LITERALS_AT_END + 8)), get(end)), equal64(load64(get(at)), load64(get(from)))),
          increase(at, i32(8)),
          increase(from, i32(8)),
        ),
        whileTrue(
          and(less(add(get(at), i32(LITERALS_AT_END)), get(end)), equal(load8(get(at)), load8(get(from)))),
          increase(at, i32(1)),
          increase(from, i32(1)),
        ),
        set(bytes, subtract(subtract(get(at), get(place)), i32(MATCH_BYTES_MIN))),
        writeSequence(place),
        store16(get(target), get(slot)),
        increase(target, i32(2)),
        writeMore(bytes),
        set(place, get(at)),
        set(anchor, get(at)),
        set(misses, i32(1 << SKIP_BITS)),
      ),
    ),
    set(bytes, i32(0)),
    writeSequence(end),
    get(target),
  ];
}

interface Lz4Decoder {
  /** 1 when the bytes of [source, sourceEnd) are a block that fills [target, targetEnd) exactly. */
  decode(source: number, sourceEnd: number, target: number, targetEnd: number): number;
}

interface Lz4Encoder {
  /** Compresses [start, end) and returns the end of what it wrote from `target` on. */
  encode(start: number, end: number, target: number): number;
}

const memory = new WasmMemory(OUTPUT_AT + OUTPUT_BYTES + SLACK_BYTES);

/** Where whoever reads bytes to be decoded puts them. Every call here uses it. */
export const lz4Input = new Uint8Array(memory.buffer, INPUT_AT, INPUT_BYTES);
/** Where what a call here has made lies until the next one. */
export const lz4Output = new Uint8Array(memory.buffer, OUTPUT_AT, OUTPUT_BYTES);

// Modules of their own: an opening reads a block or two and would wait for the encoder, which is the longer one, too.
let decoding: Lz4Decoder | undefined;
let encoding: Lz4Encoder | undefined;
let isPreparing = false;

const decodeFunctions = (): WasmFunction[] => [{ name: 'decode', parameters: 4, locals: 7, body: decoder() }];
const encodeFunctions = (): WasmFunction[] => [{ name: 'encode', parameters: 3, locals: 10, body: encoder() }];

/** Has decompression compiled beside what the caller goes on to do: the first block that is read waits for it otherwise. */
export function prepareLz4(): void {
  if (decoding !== undefined || isPreparing) return;
  isPreparing = true;
  memory.instantiateLater(decodeFunctions()).then(
    (made) => (decoding ??= made as Lz4Decoder),
    // The first block compiles it then, and throws what there is to throw.
    () => undefined,
  );
}

/**
 * Decompresses [start, end) of `lz4Input` to the head of `lz4Output`; false when these bytes are not a block of exactly so
 * many bytes.
 */
export function decodeInput(start: number, end: number, bytes: number): boolean {
  // Whoever comes before it is compiled compiles it at once.
  decoding ??= memory.instantiate(decodeFunctions()) as Lz4Decoder;
  return decoding.decode(INPUT_AT + start, INPUT_AT + end, OUTPUT_AT, OUTPUT_AT + bytes) !== 0;
}

/** Compresses bytes for which the input has room, and returns where the result lies: borrowed until the next call. */
export function encodeWithInput(bytes: Uint8Array): Uint8Array {
  lz4Input.set(bytes);
  encoding ??= memory.instantiate(encodeFunctions()) as Lz4Encoder;
  const end = encoding.encode(INPUT_AT, INPUT_AT + bytes.length, OUTPUT_AT);
  return lz4Output.subarray(0, end - OUTPUT_AT);
}
