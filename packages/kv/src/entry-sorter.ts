/**
 * Entries gathered in any order and handed out in the order of their keys. A tree takes ascending keys at the price of a comparison
 * each; keys that jump about cost it a descent each, mostly through memory that no cache holds. So whoever writes many entries and need
 * not read them in between (the secondary index of a bulk insert) gathers them here first.
 *
 * What sorts is one array of 64-bit numbers, by native code (in half the time that it takes for doubles): the four bytes behind what all
 * keys share, and below them the position at which the entry came. No number is ever made a bigint: it is written and read as two halves.
 * Of entries that those bytes do not tell apart many are sorted by the four bytes behind them, and so on; few are compared whole and moved
 * into their places.
 */
import { ByteWriter, commonPrefixBytes, compareBytes, discriminator } from '@phantom/base';
import { NONE } from './arena-node.js';

/** Entries that it takes; a power of two, as its owners' limits are. */
const POSITIONS = 2 ** 20;
/** The halves of a number of the order: the word of the key stands in the upper one. */
const IS_LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
const POSITION_HALF = IS_LITTLE_ENDIAN ? 0 : 1;
const WORD_HALF = 1 - POSITION_HALF;
const ENTRY_WORDS = 3;
const ENTRIES_MIN = 64;
/** Words of keys, each a number of the order: four bytes. */
const WORD_BYTES = 4;
/** Entries with one beginning from which on native code sorts them by what is behind it. */
const RESORTED_MIN = 16;
const ORDER_BYTES = 8;
/** What those to come may be larger by than those that wait: a longer number costs a byte in the value, and mostly in the key, too. */
const ROOM_MARGIN = 3 / 2;

/** Takes an entry; the bytes are borrowed for the call. */
export type EntryTaker = (
  key: Uint8Array,
  keyStart: number,
  keyEnd: number,
  value: Uint8Array,
  valueStart: number,
  valueEnd: number,
) => void;

export class EntrySorter {
  private readonly bytesMax: number;
  private readonly bytes = new ByteWriter(1024);
  /** Where each key begins, where its value does, where that ends. */
  private entries = new Int32Array(ENTRIES_MIN * ENTRY_WORDS);
  private waiting = 0;
  /** What all keys share. */
  private prefixBytes = 0;

  /** It is full when the entries take so many bytes, or there are a million of them. */
  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /** Entries that wait. */
  get count(): number {
    return this.waiting;
  }

  /** Bytes of the keys and values that wait. */
  get waitingBytes(): number {
    return this.bytes.length;
  }

  /** What all of it takes, the order among it that `drain` or `inOrder` makes. */
  get memoryBytes(): number {
    return this.bytes.buffer.length + this.entries.byteLength + this.waiting * ORDER_BYTES;
  }

  get isFull(): boolean {
    return this.bytes.length >= this.bytesMax || this.waiting === POSITIONS;
  }

  /** So many entries are to come that are like those that wait: makes room for them at once, for growing leaves twice as much behind. */
  expect(entries: number): void {
    if (this.waiting === 0) return;
    const more = Math.min(entries, POSITIONS - this.waiting);
    const bytesEach = (this.bytes.length / this.waiting) * ROOM_MARGIN;
    this.bytes.reserve(Math.max(0, Math.min(Math.ceil(bytesEach * more), this.bytesMax - this.bytes.length)));
    this.makeRoom((this.waiting + more) * ENTRY_WORDS);
  }

  /** Copies an entry. Not for one who is full. */
  add(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    const { bytes } = this;
    const at = this.waiting * ENTRY_WORDS;
    if (at === this.entries.length) this.makeRoom(2 * at);
    this.entries[at] = bytes.length;
    bytes.bytes(key, keyStart, keyEnd);
    this.entries[at + 1] = bytes.length;
    bytes.bytes(value, valueStart, valueEnd);
    this.entries[at + 2] = bytes.length;
    const firstEnd = this.entries[1] as number;
    this.prefixBytes =
      this.waiting === 0
        ? firstEnd
        : commonPrefixBytes(bytes.buffer, 0, Math.min(firstEnd, this.prefixBytes), key, keyStart, keyEnd);
    this.waiting++;
  }

  /** Hands out every entry, by its key; entries of one key as they came. It is empty afterwards. */
  drain(take: EntryTaker): void {
    for (const entry = this.inOrder(); entry.next();)
      take(entry.buffer, entry.keyStart, entry.valueStart, entry.buffer, entry.valueStart, entry.valueEnd);
    this.clear();
  }

  /** A walk over the entries as `drain` hands them out, valid until another is added or all are forgotten. */
  inOrder(): OrderedEntries {
    const { count, prefixBytes } = this;
    const order = new BigUint64Array(count);
    const halves = new Uint32Array(order.buffer);
    for (let i = 0; i < count; i++) halves[2 * i + POSITION_HALF] = i;
    this.sortBehind(prefixBytes, order, halves, 0, count);
    return new OrderedEntries(this.bytes.buffer, this.entries, halves);
  }

  /** Forgets every entry. */
  clear(): void {
    this.bytes.reset();
    this.waiting = 0;
  }

  private makeRoom(words: number): void {
    if (words <= this.entries.length) return;
    const grown = new Int32Array(words);
    grown.set(this.entries.subarray(0, this.waiting * ENTRY_WORDS));
    this.entries = grown;
  }

  /** Sorts the entries of the order in [start, end), whose keys have the same first `depth` bytes. */
  private sortBehind(depth: number, order: BigUint64Array, halves: Uint32Array, start: number, end: number): void {
    const { entries } = this;
    const { buffer } = this.bytes;
    for (let i = start; i < end; i++) {
      const at = positionAt(halves, i) * ENTRY_WORDS;
      halves[2 * i + WORD_HALF] = discriminator(buffer, (entries[at] as number) + depth, entries[at + 1] as number);
    }
    order.subarray(start, end).sort();
    for (let from = start, to = start; from < end; from = to) {
      const word = halves[2 * from + WORD_HALF];
      for (to = from + 1; to < end && halves[2 * to + WORD_HALF] === word;) to++;
      if (to === from + 1) continue;
      if (to - from < RESORTED_MIN) this.sortFew(halves, from, to);
      else if (!this.isAscending(halves, from, to)) this.sortMany(depth, order, halves, from, to);
    }
  }

  /** Sorts few entries by their whole keys, each into its place among those before it. */
  private sortFew(halves: Uint32Array, from: number, to: number): void {
    for (let i = from + 1; i < to; i++) {
      const position = positionAt(halves, i);
      let place = i;
      for (; place > from && this.compare(positionAt(halves, place - 1), position) > 0; place--)
        halves[2 * place + POSITION_HALF] = positionAt(halves, place - 1);
      halves[2 * place + POSITION_HALF] = position;
    }
  }

  /** Sorts more of them, whose first four bytes behind `depth` are alike: by the next four that are not, or whole where none are. */
  private sortMany(depth: number, order: BigUint64Array, halves: Uint32Array, from: number, to: number): void {
    const further = this.differFrom(depth + WORD_BYTES, halves, from, to);
    if (further !== NONE) {
      this.sortBehind(further, order, halves, from, to);
      return;
    }
    const positions = Array.from({ length: to - from }, (_, i) => positionAt(halves, from + i));
    positions.sort((a, b) => this.compare(a, b));
    for (const [i, position] of positions.entries()) halves[2 * (from + i) + POSITION_HALF] = position;
  }

  /**
   * How many bytes the keys share that are alike in the first `depth`; NONE where none of them goes on behind those: then they differ
   * in how many zeros they end with.
   */
  private differFrom(depth: number, halves: Uint32Array, from: number, to: number): number {
    const { entries } = this;
    const { buffer } = this.bytes;
    const first = positionAt(halves, from) * ENTRY_WORDS;
    const start = entries[first] as number;
    let end = entries[first + 1] as number;
    let longest = 0;
    for (let i = from; i < to; i++) {
      const at = positionAt(halves, i) * ENTRY_WORDS;
      const keyStart = entries[at] as number;
      const keyEnd = entries[at + 1] as number;
      longest = Math.max(longest, keyEnd - keyStart);
      end = start + commonPrefixBytes(buffer, start, end, buffer, keyStart, keyEnd);
    }
    return longest > depth ? Math.max(depth, end - start) : NONE;
  }

  private isAscending(halves: Uint32Array, from: number, to: number): boolean {
    for (let i = from + 1; i < to; i++)
      if (this.compare(positionAt(halves, i - 1), positionAt(halves, i)) > 0) return false;
    return true;
  }

  /** By the keys at two positions; those of one key by when they came. */
  private compare(a: number, b: number): number {
    const { entries, bytes } = this;
    const x = a * ENTRY_WORDS;
    const y = b * ENTRY_WORDS;
    return (
      compareBytes(
        bytes.buffer,
        (entries[x] as number) + this.prefixBytes,
        entries[x + 1] as number,
        bytes.buffer,
        (entries[y] as number) + this.prefixBytes,
        entries[y + 1] as number,
      ) || a - b
    );
  }
}

/** A walk over sorted entries, which stands before the first. */
export class OrderedEntries {
  readonly buffer: Uint8Array;
  /** Of the present entry; the key ends where the value begins. */
  keyStart = 0;
  valueStart = 0;
  valueEnd = 0;
  private readonly entries: Int32Array;
  private readonly halves: Uint32Array;
  private taken = 0;

  constructor(buffer: Uint8Array, entries: Int32Array, halves: Uint32Array) {
    this.buffer = buffer;
    this.entries = entries;
    this.halves = halves;
  }

  /** To the next entry; false behind the last. */
  next(): boolean {
    const { entries, halves } = this;
    if (2 * this.taken === halves.length) return false;
    const at = positionAt(halves, this.taken++) * ENTRY_WORDS;
    this.keyStart = entries[at] as number;
    this.valueStart = entries[at + 1] as number;
    this.valueEnd = entries[at + 2] as number;
    return true;
  }
}

/** The position of the entry at a place of the order. */
function positionAt(halves: Uint32Array, place: number): number {
  return halves[2 * place + POSITION_HALF] as number;
}
