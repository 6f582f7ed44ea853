/**
 * Exact sums and counts of floats by group, for sum and avg (functions/exact-sum.ts): two floats for each in a typed array, so that a
 * step allocates nothing. What those cannot hold is put aside.
 */
import { MemoryBudget } from '@phantom/base';
import { SqlArray } from '@phantom/codec';
import { ExactSum, asSingle, finite, lost } from '../functions/exact-sum.js';
import { TypeOid } from '../types/type-oids.js';

const FIRST_CAPACITY = 16;
/** Doubles of a group, beside each other, since groups are met in no order: the sum, what it has lost, the count. */
const WORDS = 3;
const GROUP_BYTES = WORDS * 8;

export class FloatSums {
  private words = new Float64Array(FIRST_CAPACITY * WORDS);
  private size = 0;
  private readonly aside = new Map<number, ExactSum>();
  private readonly budget: MemoryBudget;

  constructor(budget: MemoryBudget) {
    this.budget = budget;
    budget.take(FIRST_CAPACITY * GROUP_BYTES);
  }

  /** A sum by itself, in no budget. */
  static ofOneGroup(): FloatSums {
    const sums = new FloatSums(new MemoryBudget(Infinity));
    sums.begin();
    return sums;
  }

  /** Begins the next group. */
  begin(): void {
    if (++this.size * WORDS > this.words.length) this.grow();
  }

  add(group: number, value: number): void {
    const { words } = this;
    const at = group * WORDS;
    words[at + 2]!++;
    const before = words[at]!;
    const first = before + value;
    const fromFirst = lost(before, value, first);
    const beside = words[at + 1]!;
    const second = beside + fromFirst;
    // NaN where something is not finite.
    if (lost(beside, fromFirst, second) === 0) {
      words[at] = first;
      words[at + 1] = second;
    } else this.putAside(group, value);
  }

  /** Adds what a group of another one has come to; `count` values. */
  addParts(group: number, first: number | null, second: number | null, rest: SqlArray | null, count = 1): void {
    if (first === null || second === null) return;
    this.add(group, first);
    this.add(group, second);
    if (rest !== null) for (const part of rest.items) this.add(group, part as number);
    this.words[group * WORDS + 2]! += count - (rest === null ? 2 : rest.items.length + 2);
  }

  /** Null for a group without values. */
  sum(group: number): number | null {
    return this.count(group) === 0 ? null : this.total(group);
  }

  /** The same as a float4. */
  single(group: number): number | null {
    const sum = this.sum(group);
    return sum === null ? null : asSingle(sum);
  }

  average(group: number): number | null {
    const count = this.count(group);
    return count === 0 ? null : this.total(group) / count;
  }

  // What a partition hands on of a group: two floats, and others where those are not all. Their exact sum is that of the group.

  firstPart(group: number): number | null {
    return this.count(group) === 0 ? null : this.words[group * WORDS]!;
  }

  secondPart(group: number): number | null {
    return this.count(group) === 0 ? null : this.words[group * WORDS + 1]!;
  }

  restPart(group: number): SqlArray | null {
    const aside = this.aside.get(group);
    return aside === undefined ? null : SqlArray.of(TypeOid.float8, aside.parts());
  }

  private count(group: number): number {
    return this.words[group * WORDS + 2]!;
  }

  private total(group: number): number {
    const at = group * WORDS;
    const [first, second] = [this.words[at]!, this.words[at + 1]!];
    const aside = this.aside.get(group);
    return aside === undefined ? finite(first + second) : aside.total(first, second);
  }

  /** Adds a value with which the two floats would lose something, or that is not finite. */
  private putAside(group: number, value: number): void {
    let aside = this.aside.get(group);
    if (aside === undefined) this.aside.set(group, (aside = new ExactSum()));
    const { words } = this;
    const at = group * WORDS;
    const [before, beside] = [words[at]!, words[at + 1]!];
    const first = before + value;
    const fromFirst = lost(before, value, first);
    const second = beside + fromFirst;
    const fromSecond = lost(beside, fromFirst, second);
    if (!Number.isFinite(fromSecond)) {
      aside.add(value);
      return;
    }
    words[at] = first;
    words[at + 1] = second;
    aside.add(fromSecond);
  }

  private grow(): void {
    const { words } = this;
    this.budget.take(words.byteLength);
    this.words = new Float64Array(words.length * 2);
    this.words.set(words);
  }
}
