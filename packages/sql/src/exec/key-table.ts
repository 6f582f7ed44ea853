/**
 * Hash tables that give each distinct key a number, 0, 1, 2, ... in the order of first coming: groups, join keys, distinct
 * rows. Keys are `hashKey` primitives or null.
 *
 * A key of several parts is folded from the left: each part gets its number from a table of its own, and pairs of numbers
 * get theirs from a PairTable, so nothing is ever put together into a string or an array.
 *
 *   (country, city)    country -> 3    city -> 17    (3, 17) -> 5
 */
import type { MemoryBudget } from '@phantom/base';

/** Bytes of one entry of a Map, roughly. */
const MAP_ENTRY_BYTES = 40;
const ACCOUNT_ENTRIES = 256;

/** Numbers for primitive keys of any kind. NaN equals itself and 0 equals -0, as in Map. */
export class ValueTable {
  private readonly numbers = new Map<unknown, number>();
  private readonly budget: MemoryBudget;
  size = 0;

  constructor(budget: MemoryBudget) {
    this.budget = budget;
  }

  /** The key's number; a new one if it has none. */
  intern(key: unknown): number {
    const found = this.numbers.get(key);
    if (found !== undefined) return found;
    const number = this.size++;
    this.numbers.set(key, number);
    if ((number & (ACCOUNT_ENTRIES - 1)) === 0) this.budget.take(ACCOUNT_ENTRIES * MAP_ENTRY_BYTES);
    return number;
  }

  /** The key's number, -1 if it has none. */
  find(key: unknown): number {
    const found = this.numbers.get(key);
    return found === undefined ? -1 : found;
  }
}

/** Tables of subqueries are made for each row around them: up to 64 bytes an array needs no memory of its own. */
const FIRST_CAPACITY = 16;

/** Scatters 32-bit integers (the finalizer of MurmurHash3). */
function scatter(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** Numbers for 32-bit integers and null: open addressing over typed arrays, at most half full. */
export class IntegerTable {
  private keys = new Int32Array(FIRST_CAPACITY);
  /** Number + 1; 0 is an empty slot. */
  private numbers = new Int32Array(FIRST_CAPACITY);
  private mask = FIRST_CAPACITY - 1;
  private nullNumber = -1;
  private readonly budget: MemoryBudget;
  size = 0;

  constructor(budget: MemoryBudget) {
    this.budget = budget;
    budget.take(FIRST_CAPACITY * 8);
  }

  intern(key: unknown): number {
    if (key === null) {
      if (this.nullNumber < 0) this.nullNumber = this.size++;
      return this.nullNumber;
    }
    const value = key as number;
    let slot = scatter(value) & this.mask;
    for (;;) {
      const number = this.numbers[slot] as number;
      if (number === 0) break;
      if (this.keys[slot] === value) return number - 1;
      slot = (slot + 1) & this.mask;
    }
    const number = this.size++;
    this.keys[slot] = value;
    this.numbers[slot] = number + 1;
    if (this.size * 2 > this.mask) this.grow();
    return number;
  }

  find(key: unknown): number {
    if (key === null) return this.nullNumber;
    const value = key as number;
    let slot = scatter(value) & this.mask;
    for (;;) {
      const number = this.numbers[slot] as number;
      if (number === 0) return -1;
      if (this.keys[slot] === value) return number - 1;
      slot = (slot + 1) & this.mask;
    }
  }

  private grow(): void {
    const { keys, numbers } = this;
    const capacity = keys.length * 2;
    this.budget.take(keys.length * 8);
    this.keys = new Int32Array(capacity);
    this.numbers = new Int32Array(capacity);
    this.mask = capacity - 1;
    for (let i = 0; i < keys.length; i++) {
      const number = numbers[i] as number;
      if (number === 0) continue;
      let slot = scatter(keys[i] as number) & this.mask;
      while (this.numbers[slot] !== 0) slot = (slot + 1) & this.mask;
      this.keys[slot] = keys[i] as number;
      this.numbers[slot] = number;
    }
  }
}

/** Numbers for pairs of numbers. */
export class PairTable {
  private left = new Int32Array(FIRST_CAPACITY);
  private right = new Int32Array(FIRST_CAPACITY);
  private numbers = new Int32Array(FIRST_CAPACITY);
  private mask = FIRST_CAPACITY - 1;
  private readonly budget: MemoryBudget;
  size = 0;

  constructor(budget: MemoryBudget) {
    this.budget = budget;
    budget.take(FIRST_CAPACITY * 12);
  }

  intern(left: number, right: number): number {
    let slot = scatter(scatter(left) + right) & this.mask;
    for (;;) {
      const number = this.numbers[slot] as number;
      if (number === 0) break;
      if (this.left[slot] === left && this.right[slot] === right) return number - 1;
      slot = (slot + 1) & this.mask;
    }
    const number = this.size++;
    this.left[slot] = left;
    this.right[slot] = right;
    this.numbers[slot] = number + 1;
    if (this.size * 2 > this.mask) this.grow();
    return number;
  }

  /** -1 when the pair, or one of its parts (-1 itself), is unknown. */
  find(left: number, right: number): number {
    if (left < 0 || right < 0) return -1;
    let slot = scatter(scatter(left) + right) & this.mask;
    for (;;) {
      const number = this.numbers[slot] as number;
      if (number === 0) return -1;
      if (this.left[slot] === left && this.right[slot] === right) return number - 1;
      slot = (slot + 1) & this.mask;
    }
  }

  private grow(): void {
    const { left, right, numbers } = this;
    const capacity = left.length * 2;
    this.budget.take(left.length * 12);
    this.left = new Int32Array(capacity);
    this.right = new Int32Array(capacity);
    this.numbers = new Int32Array(capacity);
    this.mask = capacity - 1;
    for (let i = 0; i < left.length; i++) {
      const number = numbers[i] as number;
      if (number === 0) continue;
      let slot = scatter(scatter(left[i] as number) + (right[i] as number)) & this.mask;
      while (this.numbers[slot] !== 0) slot = (slot + 1) & this.mask;
      this.left[slot] = left[i] as number;
      this.right[slot] = right[i] as number;
      this.numbers[slot] = number;
    }
  }
}

/** Rows of a build side chained by key number: heads by number, then next by row. */
export class RowChains {
  private heads = new Int32Array(FIRST_CAPACITY).fill(-1);
  private tails = new Int32Array(FIRST_CAPACITY);
  private links = new Int32Array(FIRST_CAPACITY);
  private readonly budget: MemoryBudget;

  constructor(budget: MemoryBudget) {
    this.budget = budget;
  }

  /** Appends row `row` (rows come in rising order) to the chain of a key number. */
  add(number: number, row: number): void {
    if (number >= this.heads.length) {
      this.budget.take(number * 8);
      const before = this.heads.length;
      this.heads = enlarge(this.heads, number);
      this.heads.fill(-1, before);
      this.tails = enlarge(this.tails, number);
    }
    if (row >= this.links.length) {
      this.budget.take(row * 4);
      this.links = enlarge(this.links, row);
    }
    this.links[row] = -1;
    if ((this.heads[number] as number) < 0) this.heads[number] = row;
    else this.links[this.tails[number] as number] = row;
    this.tails[number] = row;
  }

  /** First row of a key number; -1 for none (or for the number -1). */
  first(number: number): number {
    return number < 0 ? -1 : (this.heads[number] as number);
  }

  /** The row after this one in its chain, -1 at the end. */
  next(row: number): number {
    return this.links[row] as number;
  }
}

function enlarge(array: Int32Array<ArrayBuffer>, index: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(Math.max(array.length * 2, index + 1));
  larger.set(array);
  return larger;
}
