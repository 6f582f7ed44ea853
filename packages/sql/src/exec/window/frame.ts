/** Frames: the range of positions each row's bounds give, in ROWS, RANGE and GROUPS, and what EXCLUDE takes out. */
import { PhantomError } from '@phantom/base';
import { Decimal, Interval } from '@phantom/codec';
import type { Value } from '../../types/type.js';
import type { LimitColumns, Partition, WindowColumn, WindowInput } from './compute.js';

/** True for numbers below zero, NaN, and intervals that go back. */
function isNegative(value: Value): boolean {
  if (value instanceof Decimal) return value.isNaN() || value.sign() < 0;
  if (value instanceof Interval) return value.compare(NO_TIME) < 0;
  return !((value as number | bigint) >= 0);
}

const NO_TIME = new Interval(0, 0, 0);

function isNotANumber(value: Value): boolean {
  return value instanceof Decimal ? value.isNaN() : Number.isNaN(value);
}

export class FrameWalker {
  /** The present frame: positions [start, end) within the partition. */
  start = 0;
  end = 0;
  private readonly input: WindowInput;
  private readonly partition: Partition;
  private readonly column: WindowColumn;
  private readonly length: number;

  constructor(input: WindowInput, partition: Partition, column: WindowColumn) {
    this.input = input;
    this.partition = partition;
    this.column = column;
    this.length = partition.end - partition.start;
  }

  /** Moves to the frame of position i. Positions come in rising order. */
  moveTo(i: number): void {
    this.start = Math.min(this.length, Math.max(0, this.startOf(i)));
    this.end = Math.min(this.length, Math.max(this.start, this.endOf(i)));
  }

  /** True when EXCLUDE takes position j out of the frame of position i. */
  excludes(i: number, j: number): boolean {
    const { exclude } = this.column.call.frame;
    switch (exclude) {
      case 'no-others':
        return false;
      case 'current-row':
        return i === j;
      case 'group':
        return this.partition.peerGroup[i] === this.partition.peerGroup[j];
      default:
        return i !== j && this.partition.peerGroup[i] === this.partition.peerGroup[j];
    }
  }

  private rowAt(i: number): number {
    return this.input.order[this.partition.start + i] as number;
  }

  /** ROWS and GROUPS offsets: a number that is neither null nor negative. */
  private offset(column: number | undefined, i: number, which: 'starting' | 'ending'): number {
    const value = column === undefined ? 0 : this.input.columns[column]?.[this.rowAt(i)];
    if (value === null || value === undefined) {
      throw new PhantomError('22004', `frame ${which} offset must not be null`);
    }
    if ((value as number | bigint) < 0) {
      throw new PhantomError('22013', `frame ${which} offset must not be negative`);
    }
    return Number(value);
  }

  /** The offset of RANGE: 22004 and 22013 as for the others, though it is not a number of rows. */
  private checkRangeOffset(column: number | undefined, i: number, which: 'starting' | 'ending'): void {
    const value = column === undefined ? null : (this.input.columns[column]?.[this.rowAt(i)] ?? null);
    if (value === null) throw new PhantomError('22004', `frame ${which} offset must not be null`);
    if (isNegative(value)) {
      throw new PhantomError('22013', 'invalid preceding or following size in window function');
    }
  }

  private startOf(i: number): number {
    const { unit, start } = this.column.call.frame;
    switch (start.kind) {
      case 'unbounded-preceding':
        return 0;
      case 'unbounded-following':
        return this.length;
      case 'current-row':
        return unit === 'rows' ? i : this.groupStart(this.group(i));
      default: {
        const sign = start.kind === 'preceding' ? -1 : 1;
        if (unit === 'range') {
          this.checkRangeOffset(this.column.startOffset, i, 'starting');
          return this.rangeStart(i, this.column.startLimit as LimitColumns);
        }
        const offset = this.offset(this.column.startOffset, i, 'starting');
        return unit === 'rows' ? i + sign * offset : this.groupStart(this.group(i) + sign * offset);
      }
    }
  }

  private endOf(i: number): number {
    const { unit, end } = this.column.call.frame;
    switch (end.kind) {
      case 'unbounded-following':
        return this.length;
      case 'unbounded-preceding':
        return 0;
      case 'current-row':
        return unit === 'rows' ? i + 1 : this.groupStart(this.group(i) + 1);
      default: {
        const sign = end.kind === 'preceding' ? -1 : 1;
        if (unit === 'range') {
          this.checkRangeOffset(this.column.endOffset, i, 'ending');
          return this.rangeEnd(i, this.column.endLimit as LimitColumns);
        }
        const offset = this.offset(this.column.endOffset, i, 'ending');
        return unit === 'rows' ? i + 1 + sign * offset : this.groupStart(this.group(i) + sign * offset + 1);
      }
    }
  }

  private group(i: number): number {
    return this.partition.peerGroup[i] as number;
  }

  /** First position of a peer group; before the first 0, after the last the partition's end. */
  private groupStart(group: number): number {
    if (group <= 0) return 0;
    const { groupStarts } = this.partition;
    return groupStarts[Math.min(group, groupStarts.length - 1)] as number;
  }

  private value(column: number, i: number): Value {
    return this.input.columns[column]?.[this.rowAt(i)] ?? null;
  }

  /** Position of the first row whose value is not before the limit; the frame of a null is its peers. */
  private rangeStart(i: number, limit: LimitColumns): number {
    const bound = this.value(limit.limit, i);
    if (bound === null) return this.groupStart(this.group(i));
    const { descending } = this.column;
    if (this.isBoundless(limit, i)) return this.search(limit, (value) => !descending || !isNotANumber(value));
    const sign = descending ? -1 : 1;
    return this.search(limit, (value) => sign * limit.compare(value, bound) >= 0);
  }

  private rangeEnd(i: number, limit: LimitColumns): number {
    const bound = this.value(limit.limit, i);
    if (bound === null) return this.groupStart(this.group(i) + 1);
    const { descending } = this.column;
    if (this.isBoundless(limit, i)) return this.search(limit, (value) => !descending && isNotANumber(value));
    const sign = descending ? -1 : 1;
    return this.search(limit, (value) => sign * limit.compare(value, bound) > 0);
  }

  /** True where infinity was moved by infinity against its sign: every number is within such a limit, NaN alone is not. */
  private isBoundless(limit: LimitColumns, i: number): boolean {
    return isNotANumber(this.value(limit.limit, i)) && !isNotANumber(this.value(limit.value, i));
  }

  /** First position among the non-null values that passes a test which, once true, stays true. */
  private search(limit: LimitColumns, passes: (value: Value) => boolean): number {
    let low = 0;
    let high = this.length;
    // Nulls stand together at one end: leave them out.
    while (low < high && this.value(limit.value, low) === null) low++;
    while (high > low && this.value(limit.value, high - 1) === null) high--;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (passes(this.value(limit.value, middle))) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
