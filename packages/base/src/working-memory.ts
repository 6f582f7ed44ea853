/**
 * Working memory: what queries hold between their input and their output, counted in bytes that its holders guess. All queries draw on one
 * pool, each has a budget, and a part of a query that gives back as a whole has a share:
 *
 *   pool (queriesMemoryBytesMax) ◄── budget of a query (memoryLimitBytes) ◄── share of a sort, a hash table, a stage
 *
 *   1. What a share has taken is counted in its budget, what a budget has taken in its pool.
 *   2. A taking that is refused is counted all the same, until its share or budget is released: whoever is refused ends.
 *   3. Whoever can put what he holds elsewhere (a holder) is asked to before anything is refused.
 */
import { PhantomError } from './errors.js';

/** Who can do without his memory: a sort that has a place for its rows. */
export interface MemoryHolder {
  giveBack(): void;
}

/** Working memory of all queries together, from which those that are under way take theirs. */
export class MemoryPool {
  readonly limitBytes: number;
  usedBytes = 0;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }
}

/**
 * Memory of one query, counted by sorts, hash tables and buffers. Past its own limit, or that of all queries together: to scratch
 * files, or 53200.
 */
export class MemoryBudget {
  readonly limitBytes: number;
  private readonly pool: MemoryPool | undefined;
  // Most queries have no holder, and a set for each costs as much as a read by key.
  private holders: Set<MemoryHolder> | undefined = undefined;
  usedBytes = 0;
  peakBytes = 0;
  /** Of that, what stays to the end of the query. */
  private keptBytes = 0;

  constructor(limitBytes: number, pool?: MemoryPool) {
    this.limitBytes = limitBytes;
    this.pool = pool;
  }

  get leftBytes(): number {
    const { pool } = this;
    const own = this.limitBytes - this.usedBytes;
    return Math.max(0, pool === undefined ? own : Math.min(own, pool.limitBytes - pool.usedBytes));
  }

  /** Adds somebody who can put what he holds elsewhere. */
  addHolder(holder: MemoryHolder): void {
    (this.holders ??= new Set()).add(holder);
  }

  removeHolder(holder: MemoryHolder): void {
    this.holders?.delete(holder);
  }

  /** Asks every holder to put what he holds elsewhere. */
  reclaim(): void {
    if (this.holders !== undefined) for (const holder of this.holders) holder.giveBack();
  }

  /** Counts bytes taken; throws 53200 when they do not fit, which names the part of the query that took them. */
  take(bytes: number, part?: string): void {
    const { pool } = this;
    this.usedBytes += bytes;
    if (pool !== undefined) pool.usedBytes += bytes;
    if (this.isOver()) this.reclaim();
    if (this.usedBytes > this.peakBytes) this.peakBytes = this.usedBytes;
    if (this.isOver()) throw this.refusal(part);
  }

  give(bytes: number): void {
    this.usedBytes -= bytes;
    if (this.pool !== undefined) this.pool.usedBytes -= bytes;
  }

  /** Where a run inside of the query begins: a mark for `settle` and `keep`. */
  mark(): number {
    return this.usedBytes - this.keptBytes;
  }

  /** Ends a run: gives back what was taken since the mark, but for what is kept until the end of the query. */
  settle(mark: number): void {
    const stays = mark + this.keptBytes;
    if (this.usedBytes > stays) this.give(this.usedBytes - stays);
  }

  /** Ends a run whose outcome stays until the end of the query, whatever else it runs inside of. */
  keep(mark: number): void {
    this.keptBytes = Math.max(this.keptBytes, this.usedBytes - mark);
  }

  /** Gives everything back, at the end. */
  release(): void {
    this.give(this.usedBytes);
  }

  private isOver(): boolean {
    const { pool } = this;
    return this.usedBytes > this.limitBytes || (pool !== undefined && pool.usedBytes > pool.limitBytes);
  }

  private refusal(part: string | undefined): PhantomError {
    const { limitBytes, usedBytes, pool } = this;
    const where = part === undefined ? '' : ` (in ${part})`;
    if (pool === undefined || usedBytes > limitBytes) {
      return new PhantomError('53200', `the query needs more than ${limitBytes} bytes of working memory${where}`, {
        hint: 'Raise memoryLimitBytes, or make the query keep fewer rows or documents.',
        data: { limitBytes, usedBytes },
      });
    }
    return new PhantomError(
      '53200',
      `all queries together need more than ${pool.limitBytes} bytes of working memory${where}`,
      {
        hint: 'Raise queriesMemoryBytesMax, or run fewer large queries at a time.',
        data: { limitBytes: pool.limitBytes, usedBytes: pool.usedBytes },
      },
    );
  }
}

/** The part of a query's memory that one operator takes, so that it can be given back as a whole. */
export class MemoryShare extends MemoryBudget {
  private readonly whole: MemoryBudget;
  private readonly part: string | undefined;

  /** `part` is what a refusal names. */
  constructor(whole: MemoryBudget, part?: string) {
    super(whole.limitBytes);
    this.whole = whole;
    this.part = part;
  }

  override get leftBytes(): number {
    return this.whole.leftBytes;
  }

  override take(bytes: number, part = this.part): void {
    this.usedBytes += bytes;
    this.whole.take(bytes, part);
  }

  override reclaim(): void {
    this.whole.reclaim();
  }

  override give(bytes: number): void {
    this.usedBytes -= bytes;
    this.whole.give(bytes);
  }
}
