/** Turns of the event loop, and who has them. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SLICE_MS, eventLoop } from '../src/turn.js';

let nowMs = 0;

beforeEach(() => {
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** Work of this thread that takes so long. */
function work(forMs: number): void {
  nowMs += forMs;
}

/** Others that have something to do in every turn; the returned function ends it and tells how often they had their turn. */
function busyOthers(): () => number {
  let turns = 0;
  let isOver = false;
  const turn = (): void => {
    turns++;
    work(SLICE_MS / 4);
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  return () => {
    isOver = true;
    return turns;
  };
}

describe('long work', () => {
  it('gives way for as long as four slices while others are busy', async () => {
    const end = busyOthers();
    await eventLoop.giveWay(SLICE_MS);
    expect(end()).toBe(16);
  });

  it('goes on after a turn in which nobody had anything to do', async () => {
    const end = busyOthers();
    setImmediate(end);
    await eventLoop.giveWay(SLICE_MS);
    expect(end()).toBe(2);
    await eventLoop.giveWay(SLICE_MS);
    expect(end()).toBe(2);
  });

  it('leaves those who wait for the next turn side by side', async () => {
    let together = 0;
    const groups: number[] = [];
    const caller = async (): Promise<void> => {
      for (let i = 0; i < 3; i++) {
        await eventLoop.nextTurn();
        if (together++ === 0) {
          queueMicrotask(() => {
            groups.push(together);
            together = 0;
          });
        }
      }
    };
    await Promise.all(Array.from({ length: 5 }, caller));
    expect(groups).toEqual([5, 5, 5]);
  });

  it('does not wait for other long work to end', async () => {
    const order: string[] = [];
    const slices = async (name: string): Promise<void> => {
      for (let i = 0; i < 3; i++) {
        order.push(name);
        work(SLICE_MS);
        await eventLoop.giveWay(SLICE_MS);
      }
    };
    await Promise.all([slices('a'), slices('b')]);
    expect(order.join('')).toBe('ababab');
  });
});
