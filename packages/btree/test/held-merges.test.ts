import { PhantomError, SqlState } from '@phantom/base';
import { describe, expect, it } from 'vitest';
import { HeldMerges } from '../src/held-merges.js';

const runOf = (path: string): { run: { path: string } } => ({ run: { path } });
const [one, two, three] = ['/d/1.run', '/d/2.run', '/d/3.run'].map(runOf) as [
  ReturnType<typeof runOf>,
  ReturnType<typeof runOf>,
  ReturnType<typeof runOf>,
];
const damaged = (data: Record<string, unknown>, message = 'a block is damaged'): PhantomError =>
  new PhantomError(SqlState.DataCorrupted, message, { data });
const SECOND = 1000;

describe('merges that are held', () => {
  it('holds the run that the error names, and what was merged with others when it names none', () => {
    const held = new HeldMerges();
    held.hold(damaged({ file: '/d/2.run', offset: 64 }), [one, two], 'runs', '/d', 0);
    expect([one, two, three].map((run) => held.isHeld(run))).toEqual([false, true, false]);
    expect(held.findings).toEqual([
      { severity: 'corruption', file: '/d/2.run', offset: 64, message: 'a block is damaged' },
    ]);
    held.hold(damaged({ file: '/d/tree.db' }), [one, two, three], 'tree', '/d', 0);
    expect([one, two, three].map((run) => held.isHeld(run))).toEqual([false, true, false]);
    held.hold(damaged({}), [one, three], 'runs', '/d', 0);
    expect([one, two, three].map((run) => held.isHeld(run))).toEqual([true, true, true]);
    expect(held.findings[0]?.file).toBe('/d');
  });

  it('tries all of it again after a pause, twice as long each time up to an hour, and forgets it once all is in the pages', () => {
    const held = new HeldMerges();
    const meet = (nowMs: number): boolean => held.hold(damaged({ file: '/d/1.run' }), [one], 'tree', '/d', nowMs);
    expect(meet(0)).toBe(true);
    expect(held.restMs(10 * SECOND)).toBe(20 * SECOND);
    // What is met in the pause does not prolong it.
    expect(held.hold(damaged({ file: '/d/2.run' }, 'another'), [two], 'runs', '/d', 20 * SECOND)).toBe(true);
    expect(held.restMs(20 * SECOND)).toBe(10 * SECOND);
    held.expire(29 * SECOND);
    expect(held.reason?.message).toBe('another');
    held.expire(30 * SECOND);
    expect(held.reason).toBeUndefined();
    expect(held.isHeld(one)).toBe(false);
    expect(held.findings).toHaveLength(1);
    let longest = 0;
    for (let round = 0, nowMs = 0; round < 10; round++, nowMs += 2 * longest) {
      meet(nowMs);
      longest = held.restMs(nowMs);
      held.expire(nowMs + longest);
    }
    expect(longest).toBe(3600 * SECOND);
    expect(meet(0)).toBe(false);
    held.forget();
    expect(held.findings).toEqual([]);
    meet(0);
    expect(held.restMs(0)).toBe(30 * SECOND);
  });
});
