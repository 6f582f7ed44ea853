/** Which runs are held, for how long, and what is told of them. */
import { corruptionError } from '@phantom/base';
import { describe, expect, it } from 'vitest';
import { DAMAGE_RETRY_MS, DAMAGE_RETRY_MS_MAX } from '@phantom/runs';
import { HeldRuns, type HoldableRun } from '../src/held-runs.js';

const run = (number: number, lower: number, upper: number): HoldableRun => ({
  number,
  run: { path: `${number}.run` },
  lower: Uint8Array.of(lower),
  upper: Uint8Array.of(upper),
});
const damage = (file: string, offset?: number) =>
  corruptionError('a block has the wrong checksum', offset === undefined ? { file } : { file, offset });

describe('held runs', () => {
  const inputs = [run(1, 1, 5), run(2, 3, 9)];

  it('are the one that the error names, or all that were read', () => {
    const held = new HeldRuns();
    expect(held.nextMs).toBe(Number.POSITIVE_INFINITY);
    expect(held.hold(inputs, damage('2.run', 70), 0)).toBe(true);
    expect(inputs.map((one) => held.isHeld(one))).toEqual([false, true]);
    expect(held.all).toMatchObject([{ severity: 'corruption', file: '2.run', offset: 70 }]);
    expect(held.hold(inputs, damage('another.run', 70), 0)).toBe(true);
    expect(held.count).toBe(2);
    expect(held.all.find(({ file }) => file === '1.run')).not.toHaveProperty('offset');
    held.keepOnly([run(1, 1, 5)]);
    expect(held.count).toBe(1);
    held.keepOnly([]);
    held.keepOnly([]);
    expect(held.all).toEqual([]);
  });

  it('are tried again later each time, and are no news then', () => {
    const held = new HeldRuns();
    let nowMs = 0;
    expect(held.hold(inputs, damage('1.run'), nowMs)).toBe(true);
    for (let waitMs = DAMAGE_RETRY_MS; waitMs < DAMAGE_RETRY_MS_MAX; waitMs *= 2) {
      expect(held.nextMs).toBe(nowMs + waitMs);
      held.expire(held.nextMs - 1);
      expect(held.count).toBe(1);
      nowMs = held.nextMs;
      held.expire(nowMs);
      expect([held.count, held.all.length]).toEqual([0, 1]);
      expect(held.hold(inputs, damage('1.run'), nowMs)).toBe(false);
    }
    held.releaseAll();
    held.hold(inputs, damage('1.run'), nowMs);
    expect(held.nextMs).toBe(nowMs + DAMAGE_RETRY_MS_MAX);
  });

  it('are tried at once when something newer removes what may be damaged', () => {
    const held = new HeldRuns();
    const removed = { lower: Uint8Array.of(4), upper: Uint8Array.of(5) };
    held.releaseUnder([removed], inputs);
    held.hold(inputs, damage('2.run'), 0);
    held.releaseUnder([], inputs);
    held.releaseUnder([{ lower: Uint8Array.of(9), upper: Uint8Array.of(10) }], inputs);
    expect(held.count).toBe(1);
    held.releaseUnder([removed], inputs);
    expect(held.count).toBe(0);
  });
});
