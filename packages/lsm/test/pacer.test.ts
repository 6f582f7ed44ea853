import { describe, expect, it } from 'vitest';
import { Pacer, memoryPressure } from '../src/pacer.js';

describe('the pacer', () => {
  it('lets everybody through while there is no pressure', () => {
    const pacer = new Pacer();
    expect(pacer.book(1e9, 0, 0)).toBe(0);
    expect(pacer.delayedMs).toBe(0);
  });

  it('slows more the higher the pressure is', () => {
    const delays = [0.1, 0.4, 0.7].map((pressure) => new Pacer().book(100_000, pressure, 5));
    expect(delays[0]).toBeGreaterThan(1);
    expect(delays[1]).toBeGreaterThan((delays[0] as number) * 2);
    expect(delays[2]).toBeGreaterThan((delays[1] as number) * 2);
  });

  it('holds up small batches now and then, and on the whole as long as one large one', () => {
    const pacer = new Pacer();
    let nowMs = 1000;
    let waits = 0;
    for (let i = 0; i < 1000; i++) {
      const delayMs = pacer.book(100, 1, nowMs);
      expect(delayMs === 0 || delayMs >= 1).toBe(true);
      if (delayMs > 0) waits++;
      nowMs += delayMs;
    }
    expect(waits).toBeGreaterThan(50);
    expect(waits).toBeLessThan(200);
    expect(nowMs - 1000).toBeGreaterThan(90);
    expect(nowMs - 1000).toBeLessThan(100);
  });

  it('lets nobody wait for long, and forgets what was booked beyond', () => {
    const pacer = new Pacer();
    expect(pacer.book(1e9, 1, 0)).toBe(50);
    expect(pacer.book(1e9, 1, 0)).toBe(50);
    expect(pacer.book(10, 1, 51)).toBe(0);
    expect(pacer.delayedMs).toBe(100);
  });

  it('feels memory once it is three quarters full', () => {
    expect([0, 0.5, 0.75, 0.875, 1, 2].map(memoryPressure)).toEqual([0, 0, 0, 0.5, 1, 1]);
  });
});
