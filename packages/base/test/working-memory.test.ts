/** Working memory: counted in a query's budget and in the pool of all, refused past either, and given back as it was taken. */
import { describe, expect, it } from 'vitest';
import { MemoryBudget, type MemoryHolder, MemoryPool, MemoryShare, type PhantomError } from '../src/index.js';

function refusal(run: () => void): PhantomError {
  try {
    run();
  } catch (error) {
    return error as PhantomError;
  }
  throw new Error('nothing was refused');
}

describe('working memory', () => {
  it('is refused past the budget, by the name of the part that took it, and past the pool', () => {
    const pool = new MemoryPool(150);
    const first = new MemoryBudget(100, pool);
    const share = new MemoryShare(first, '$sort');
    share.take(100);
    expect([share.leftBytes, first.leftBytes, pool.usedBytes]).toEqual([0, 0, 100]);
    const own = refusal(() => share.take(1));
    expect(own).toMatchObject({ code: '53200', data: { limitBytes: 100, usedBytes: 101 } });
    expect(own.message).toBe('the query needs more than 100 bytes of working memory (in $sort)');
    expect(own.hint).toContain('memoryLimitBytes');
    const second = new MemoryBudget(100, pool);
    expect(second.leftBytes).toBe(49);
    const common = refusal(() => second.take(60));
    expect(common.message).toBe('all queries together need more than 150 bytes of working memory');
    expect(common.hint).toContain('queriesMemoryBytesMax');
    second.release();
    share.release();
    expect([share.usedBytes, first.usedBytes, pool.usedBytes, first.peakBytes]).toEqual([0, 0, 0, 101]);
  });

  it('asks those that can put theirs elsewhere before it refuses', () => {
    const budget = new MemoryBudget(100);
    const share = new MemoryShare(budget);
    share.take(90);
    let asked = 0;
    const holder: MemoryHolder = {
      giveBack: () => {
        asked++;
        share.release();
      },
    };
    budget.addHolder(holder);
    budget.take(50);
    expect([asked, budget.usedBytes]).toEqual([1, 50]);
    new MemoryShare(budget).reclaim();
    expect(asked).toBe(2);
    budget.removeHolder(holder);
    expect(refusal(() => budget.take(60)).code).toBe('53200');
    expect(asked).toBe(2);
  });

  it('settles a run inside of the query, but for what is kept until its end', () => {
    const budget = new MemoryBudget(1000);
    budget.take(10);
    const outer = budget.mark();
    budget.take(20);
    const inner = budget.mark();
    budget.take(30);
    budget.keep(inner);
    budget.take(5);
    budget.settle(inner);
    expect(budget.usedBytes).toBe(60);
    budget.settle(outer);
    expect(budget.usedBytes).toBe(40);
    budget.settle(outer);
    expect(budget.usedBytes).toBe(40);
    budget.release();
    expect(budget.usedBytes).toBe(0);
  });
});
