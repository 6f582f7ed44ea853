/**
 * Sums and counts of small integers by group, for sum and avg: numbers in typed arrays, so that a step allocates nothing.
 * A sum that would leave the safe integers is put aside as a bigint and begins anew.
 */
import type { MemoryBudget } from '@phantom/base';
import { Decimal, canonicalInteger } from '@phantom/codec';

const FIRST_CAPACITY = 16;
/** Two doubles. */
const GROUP_BYTES = 16;

export class IntegerSums {
  /** By group; what is above stands in `aside`. Generated code adds to both arrays itself as long as the sum is safe. */
  sums = new Float64Array(FIRST_CAPACITY);
  counts = new Float64Array(FIRST_CAPACITY);
  private size = 0;
  private readonly aside = new Map<number, bigint>();
  private readonly budget: MemoryBudget;

  constructor(budget: MemoryBudget) {
    this.budget = budget;
    budget.take(FIRST_CAPACITY * GROUP_BYTES);
  }

  /** Begins the next group. */
  begin(): void {
    if (this.size === this.sums.length) this.grow();
    this.size++;
  }

  /** Adds a value with which the sum is not safe any more. */
  carry(group: number, value: number): void {
    this.aside.set(group, (this.aside.get(group) ?? 0n) + BigInt(this.sums[group]!));
    this.sums[group] = value;
  }

  /** Null for a group without values. */
  sum(group: number): number | bigint | null {
    return this.counts[group] === 0 ? null : this.total(group);
  }

  average(group: number): Decimal | null {
    const count = this.counts[group]!;
    return count === 0 ? null : Decimal.of(this.total(group), 0).div(new Decimal(count, 0));
  }

  private total(group: number): number | bigint {
    const aside = this.aside.get(group);
    const sum = this.sums[group]!;
    return aside === undefined ? sum : canonicalInteger(aside + BigInt(sum));
  }

  private grow(): void {
    const { sums, counts } = this;
    this.budget.take(sums.length * GROUP_BYTES);
    this.sums = new Float64Array(sums.length * 2);
    this.sums.set(sums);
    this.counts = new Float64Array(sums.length * 2);
    this.counts.set(counts);
  }
}
