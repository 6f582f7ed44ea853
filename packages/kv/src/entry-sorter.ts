/**
 * Entries gathered in any order and handed out in the order of their keys. A tree takes ascending keys at the price of a comparison
 * each; keys that jump about cost it a descent each, mostly through memory that no cache holds. So whoever writes many entries and need
 * not read them in between (the secondary index of a bulk insert) gathers them here first.
 *
 * What sorts is one array of numbers, by native code: the four bytes behind what all keys share, and in the low bits the position at
 * which the entry came. Entries that those bytes do not tell apart are compared whole.
 */
import { ByteWriter, commonPrefixBytes, compareBytes, discriminator } from '@phantom/base';

/** Low bits of a number in the order: 32 bits of a key stand above them in a safe integer. */
const POSITION_BITS = 20;
const POSITIONS = 2 ** POSITION_BITS;
const ENTRY_WORDS = 3;
const ENTRIES_MIN = 64;

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
  private count = 0;
  /** What all keys share. */
  private prefixBytes = 0;

  /** It is full when the entries take so many bytes, or there are a million of them. */
  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /** Bytes of the keys and values that wait. */
  get waitingBytes(): number {
    return this.bytes.length;
  }

  get isFull(): boolean {
    return this.bytes.length >= this.bytesMax || this.count === POSITIONS;
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
    const at = this.count * ENTRY_WORDS;
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
      this.count === 0
        ? firstEnd
        : commonPrefixBytes(bytes.buffer, 0, Math.min(firstEnd, this.prefixBytes), key, keyStart, keyEnd);
    this.count++;
  }

  /** Hands out every entry, by its key; entries of one key as they came. It is empty afterwards. */
  drain(take: EntryTaker): void {
    const { entries } = this;
    const { buffer } = this.bytes;
    const order = this.inOrder();
    for (let i = 0; i < order.length; i++) {
      const at = positionOf(order[i] as number) * ENTRY_WORDS;
      const valueStart = entries[at + 1] as number;
      take(buffer, entries[at] as number, valueStart, buffer, valueStart, entries[at + 2] as number);
    }
    this.bytes.reset();
    this.count = 0;
  }

  private inOrder(): Float64Array {
    const { entries, count, prefixBytes } = this;
    const { buffer } = this.bytes;
    const order = new Float64Array(count);
    for (let i = 0; i < count; i++) {
      const at = i * ENTRY_WORDS;
      const bytes = discriminator(buffer, (entries[at] as number) + prefixBytes, entries[at + 1] as number);
      order[i] = bytes * POSITIONS + i;
    }
    order.sort();
    for (let from = 0, to = 0; from < count; from = to) {
      const bytes = Math.floor((order[from] as number) / POSITIONS);
      for (to = from + 1; to < count && Math.floor((order[to] as number) / POSITIONS) === bytes;) to++;
      if (!this.isAscending(order, from, to)) order.subarray(from, to).sort((a, b) => this.compare(a, b));
    }
    return order;
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

function positionOf(order: number): number {
  return order % POSITIONS;
}
