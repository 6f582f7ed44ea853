/**
 * Entries gathered in any order and handed out in the order of their keys. A tree takes ascending keys at the price of a comparison
 * each; keys that jump about cost it a descent each, mostly through memory that no cache holds. So whoever writes many entries and need
 * not read them in between (the secondary index of a bulk insert) gathers them here first.
 *
 * What sorts is one array of numbers, by native code: the four bytes behind what all keys share, and in the low bits the position at
 * which the entry came. Of entries that those bytes do not tell apart many are sorted by the four bytes behind them, and so on; few are
 * compared whole.
 */
import { ByteWriter, commonPrefixBytes, compareBytes, discriminator } from '@phantom/base';
import { NONE } from './arena-node.js';

/** Low bits of a number in the order: 32 bits of a key stand above them in a safe integer. */
const POSITION_BITS = 20;
const POSITIONS = 2 ** POSITION_BITS;
const ENTRY_WORDS = 3;
const ENTRIES_MIN = 64;
/** Words of keys, each a number of the order: four bytes. */
const WORD_BYTES = 4;
/** Entries with one beginning from which on native code sorts them by what is behind it. */
const RESORTED_MIN = 16;
const ORDER_BYTES = 8;

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
    if (at === this.entries.length) {
      const grown = new Int32Array(2 * at);
      grown.set(this.entries);
      this.entries = grown;
    }
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
    const order = new Float64Array(count);
    for (let i = 0; i < count; i++) order[i] = i;
    this.sortBehind(prefixBytes, order);
    return new OrderedEntries(this.bytes.buffer, this.entries, order);
  }

  /** Forgets every entry. */
  clear(): void {
    this.bytes.reset();
    this.waiting = 0;
  }

  /** Sorts entries whose keys have the same first `depth` bytes. */
  private sortBehind(depth: number, order: Float64Array): void {
    const { entries } = this;
    const { buffer } = this.bytes;
    const count = order.length;
    for (let i = 0; i < count; i++) {
      const position = positionOf(order[i] as number);
      const at = position * ENTRY_WORDS;
      const word = discriminator(buffer, (entries[at] as number) + depth, entries[at + 1] as number);
      order[i] = word * POSITIONS + position;
    }
    order.sort();
    for (let from = 0, to = 0; from < count; from = to) {
      const word = Math.floor((order[from] as number) / POSITIONS);
      for (to = from + 1; to < count && Math.floor((order[to] as number) / POSITIONS) === word;) to++;
      if (this.isAscending(order, from, to)) continue;
      const alike = order.subarray(from, to);
      const further = to - from < RESORTED_MIN ? NONE : this.differFrom(depth + WORD_BYTES, alike);
      if (further !== NONE) this.sortBehind(further, alike);
      else alike.sort((a, b) => this.compare(a, b));
    }
  }

  /**
   * How many bytes the keys share that are alike in the first `depth`; NONE where none of them goes on behind those: then they differ
   * in how many zeros they end with.
   */
  private differFrom(depth: number, order: Float64Array): number {
    const { entries } = this;
    const { buffer } = this.bytes;
    const first = positionOf(order[0] as number) * ENTRY_WORDS;
    const start = entries[first] as number;
    let end = entries[first + 1] as number;
    let longest = 0;
    for (const number of order) {
      const at = positionOf(number) * ENTRY_WORDS;
      const keyStart = entries[at] as number;
      const keyEnd = entries[at + 1] as number;
      longest = Math.max(longest, keyEnd - keyStart);
      end = start + commonPrefixBytes(buffer, start, end, buffer, keyStart, keyEnd);
    }
    return longest > depth ? Math.max(depth, end - start) : NONE;
  }

  private isAscending(order: Float64Array, from: number, to: number): boolean {
    for (let i = from + 1; i < to; i++) if (this.compare(order[i - 1] as number, order[i] as number) > 0) return false;
    return true;
  }

  /** By the keys of two numbers of the order; those of one key by when they came. */
  private compare(a: number, b: number): number {
    const { entries, bytes } = this;
    const x = positionOf(a) * ENTRY_WORDS;
    const y = positionOf(b) * ENTRY_WORDS;
    return (
      compareBytes(
        bytes.buffer,
        (entries[x] as number) + this.prefixBytes,
        entries[x + 1] as number,
        bytes.buffer,
        (entries[y] as number) + this.prefixBytes,
        entries[y + 1] as number,
      ) || x - y
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
  private readonly order: Float64Array;
  private taken = 0;

  constructor(buffer: Uint8Array, entries: Int32Array, order: Float64Array) {
    this.buffer = buffer;
    this.entries = entries;
    this.order = order;
  }

  /** To the next entry; false behind the last. */
  next(): boolean {
    const { entries, order } = this;
    if (this.taken === order.length) return false;
    const at = positionOf(order[this.taken++] as number) * ENTRY_WORDS;
    this.keyStart = entries[at] as number;
    this.valueStart = entries[at + 1] as number;
    this.valueEnd = entries[at + 2] as number;
    return true;
  }
}

function positionOf(order: number): number {
  return order % POSITIONS;
}
