/**
 * Which rows some ranges of indexes point to, roughly: a Bloom filter over hashes of rows' keys (B. Bloom, "Space/Time Trade-offs in
 * Hash Coding with Allowable Errors", 1970). A row that passes without being there is found out by the scan's conditions, so
 * that no key has to be kept: a row takes four bytes while it is gathered, and as many in the filter.
 *
 *   gather   hashes of the rows of a range that passed the sieve before, if there was one
 *   seal     these become the sieve: 32 bits a row, two of them set, so that one row in a hundred passes in vain at most
 *
 * Where the query's memory has no room the sieve stays as it was, at worst one that lets everything pass.
 */
import { assert, type MemoryBudget } from '@phantom/base';
import { SPACE_BYTES } from '@phantom/kv';
import type { PhysicalIndex } from '../storage/physical-table.js';

const HASHES_MIN = 1024;
const HASH_BYTES = 4;

export class RowSieve {
  private readonly memory: MemoryBudget;
  /** A power of two many; undefined: everything passes. */
  private words: Uint32Array | undefined;
  private hashes = new Int32Array(0);
  private count = 0;

  constructor(memory: MemoryBudget) {
    this.memory = memory;
  }

  /** No row passes. */
  get isEmpty(): boolean {
    return this.words?.length === 0;
  }

  /** Forgets all, and gives its memory back. */
  free(): void {
    this.memory.give(((this.words?.length ?? 0) + this.hashes.length) * HASH_BYTES);
    this.words = undefined;
    this.hashes = new Int32Array(0);
    this.count = 0;
  }

  /** Takes a row that passes into what is gathered; false when there is no room. */
  gather(hash: number): boolean {
    if (!this.has(hash)) return true;
    if (this.count === this.hashes.length && !this.grow()) return false;
    this.hashes[this.count++] = hash;
    return true;
  }

  /** What was gathered is what passes from now on; false when there is no room, and the sieve stays as it was. */
  seal(): boolean {
    const { count, hashes, memory } = this;
    let size = count === 0 ? 0 : HASHES_MIN;
    while (size < count) size *= 2;
    if (size * HASH_BYTES > memory.leftBytes) return false;
    const words = new Uint32Array(size);
    memory.take(size * HASH_BYTES);
    for (let i = 0; i < count; i++) {
      const hash = hashes[i] as number;
      words[wordOf(hash, size)] = (words[wordOf(hash, size)] as number) | bitsOf(hash);
    }
    memory.give(((this.words?.length ?? 0) + hashes.length) * HASH_BYTES);
    this.words = words;
    this.hashes = new Int32Array(0);
    this.count = 0;
    return true;
  }

  has(hash: number): boolean {
    const { words } = this;
    if (words === undefined) return true;
    const size = words.length;
    if (size === 0) return false;
    const bits = bitsOf(hash);
    return ((words[wordOf(hash, size)] as number) & bits) === bits;
  }

  private grow(): boolean {
    const { hashes, memory } = this;
    const size = Math.max(HASHES_MIN, hashes.length * 2);
    if (size * HASH_BYTES > memory.leftBytes) return false;
    memory.take(size * HASH_BYTES);
    const grown = new Int32Array(size);
    grown.set(hashes);
    memory.give(hashes.length * HASH_BYTES);
    this.hashes = grown;
    return true;
  }
}

/** Both bits of a hash are in one word, which is found with the hash's other bits. */
function wordOf(hash: number, size: number): number {
  return (hash >>> 10) & (size - 1);
}

function bitsOf(hash: number): number {
  return (1 << (hash & 31)) | (1 << ((hash >>> 5) & 31));
}

/** Hashes the key of the row that an entry of an index points to. */
export class EntryHash {
  private readonly index: PhysicalIndex;

  constructor(index: PhysicalIndex) {
    this.index = index;
  }

  of(
    keyBuffer: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueBuffer: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): number {
    const { index } = this;
    if (valueStart === valueEnd)
      return hashOf(keyBuffer, index.keyCode.skip(keyBuffer, keyStart + SPACE_BYTES, keyEnd), keyEnd);
    return hashOf(valueBuffer, valueStart, index.rowKeyEnd(valueBuffer, valueStart, valueEnd));
  }
}

/** FNV-1a with the last step of MurmurHash3, so that every bit of the key tells in every bit of the hash. */
function hashOf(buffer: Uint8Array, start: number, end: number): number {
  assert(start < end, 'a row has a key');
  let hash = 0x811c9dc5;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ (buffer[i] as number), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
