/**
 * Sums and counts of decimals by group, for sum and avg: as long as the values of a group have one scale and their sum is a
 * safe integer at it, which is nearly always, a step adds two numbers and allocates nothing. A sum that is more is put aside
 * as a decimal, and the group begins anew beside it.
 */
import type { MemoryBudget } from '@phantom/base';
import { Decimal } from '@phantom/codec';

const FIRST_CAPACITY = 8;
/** Two doubles and a scale. */
const GROUP_BYTES = 18;

export class DecimalSums {
  /** By group, at the group's scale; what is above stands in `aside`. */
  private sums = new Float64Array(FIRST_CAPACITY);
  private scales = new Uint16Array(FIRST_CAPACITY);
  private counts = new Float64Array(FIRST_CAPACITY);
  private size = 0;
  private readonly aside = new Map<number, Decimal>();
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

  add(group: number, value: Decimal): void {
    const { unscaled } = value;
    if (typeof unscaled === 'number' && value.scale === this.scales[group]) {
      const total = this.sums[group]! + unscaled;
      if (total <= Number.MAX_SAFE_INTEGER && total >= Number.MIN_SAFE_INTEGER) {
        this.sums[group] = total;
        this.counts[group]!++;
        return;
      }
    }
    this.addAny(group, value);
  }

  /** Adds a decimal given as a safe integer and its scale. */
  addScaled(group: number, unscaled: number, scale: number): void {
    const total = this.sums[group]! + unscaled;
    if (scale !== this.scales[group] || total > Number.MAX_SAFE_INTEGER || total < Number.MIN_SAFE_INTEGER) {
      // Adding zero turns -0 into 0.
      this.addAny(group, new Decimal(unscaled + 0, scale));
      return;
    }
    this.sums[group] = total;
    this.counts[group]!++;
  }

  /** Null for a group without values. */
  sum(group: number): Decimal | null {
    return this.counts[group] === 0 ? null : this.total(group);
  }

  average(group: number): Decimal | null {
    const count = this.counts[group]!;
    return count === 0 ? null : this.total(group).div(new Decimal(count, 0));
  }

  /** Adds a value of another scale, one with which the sum is not safe any more, or none at all. */
  private addAny(group: number, value: Decimal): void {
    const total = this.counts[group] === 0 ? value : this.part(group).add(value);
    this.counts[group]!++;
    if (Number.isSafeInteger(total.unscaled)) {
      this.sums[group] = total.unscaled as number;
      this.scales[group] = total.scale;
      return;
    }
    const before = this.aside.get(group);
    this.aside.set(group, before === undefined ? total : before.add(total));
    this.sums[group] = 0;
    this.scales[group] = value.scale;
  }

  /** What is not aside. */
  private part(group: number): Decimal {
    return new Decimal(this.sums[group]!, this.scales[group]!);
  }

  private total(group: number): Decimal {
    const aside = this.aside.get(group);
    return aside === undefined ? this.part(group) : aside.add(this.part(group));
  }

  private grow(): void {
    const { sums, scales, counts } = this;
    const capacity = sums.length * 2;
    this.budget.take(sums.length * GROUP_BYTES);
    this.sums = new Float64Array(capacity);
    this.sums.set(sums);
    this.scales = new Uint16Array(capacity);
    this.scales.set(scales);
    this.counts = new Float64Array(capacity);
    this.counts.set(counts);
  }
}
