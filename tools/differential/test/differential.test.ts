import { describe, expect, it } from 'vitest';
import { runDifferential } from '../src/differential.js';
import type { Answer, Engine } from '../src/engines.js';

describe('the differential test', () => {
  it('finds no difference between rewrites and shapes of tables', async () => {
    const result = await runDifferential({ seed: 20, rounds: 80 });
    expect(result.differences).toEqual([]);
    expect(result.comparisons).toBeGreaterThan(180);
  });

  it('asks the same queries for the same seed, and finds what is wrong', async () => {
    const asked: string[] = [];
    const peer = (answer: (query: string) => Answer): Engine => ({
      name: 'peer',
      prepare: async () => undefined,
      answer: async (query) => {
        asked.push(query);
        return answer(query);
      },
      close: async () => undefined,
    });
    const openPeer = async (): Promise<Engine> => peer(() => ({ rows: ['never a row of these tables'] }));
    const first = await runDifferential({ seed: 3, rounds: 5, openPeer });
    const queries = asked.splice(0);
    expect(first.differences.map(({ kind }) => kind)).toContain('without indexes and peer');
    await runDifferential({ seed: 3, rounds: 5, openPeer });
    expect(asked).toEqual(queries);
    const failing = await runDifferential({
      seed: 3,
      rounds: 1,
      openPeer: async () => peer(() => ({ code: 'XX000', message: 'broken' })),
    });
    expect(failing.differences.at(-1)?.answers[1]).toBe('ERROR XX000: broken');
    const overflowing = await runDifferential({
      seed: 3,
      rounds: 1,
      openPeer: async () => peer(() => ({ code: '22003', message: 'out of range' })),
    });
    expect(overflowing.differences).toEqual([]);
  });

  it('stops when it is told to', async () => {
    const result = await runDifferential({ seed: 1, rounds: 1000, isOver: () => true });
    expect(result.queries).toBe(0);
  });
});
