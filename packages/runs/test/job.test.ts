/** Jobs: one description of background work, run by whoever has the time. */
import { describe, expect, it } from 'vitest';
import { Job, type JobBody, PAUSE, type Wait } from '../src/index.js';
import { HANDING_OVER } from '../src/job.js';

interface Trace {
  readonly steps: string[];
  readonly wait: (name: string) => Wait;
}

function trace(): Trace {
  const steps: string[] = [];
  return {
    steps,
    wait: (name) => ({
      sync: () => {
        steps.push(`${name} awaited`);
        return new Promise((resolve) => setImmediate(resolve));
      },
      syncNow: () => void steps.push(`${name} now`),
    }),
  };
}

function* twoWaits({ steps, wait }: Trace): JobBody {
  try {
    steps.push('begun');
    yield wait('first');
    yield wait('second');
    steps.push('done');
  } finally {
    steps.push('tidied');
  }
}

function* failing(error: unknown): JobBody {
  yield PAUSE;
  throw error;
}

describe('a job', () => {
  it('begins at once and awaits what it waits for', async () => {
    const told = trace();
    const job = new Job(twoWaits(told));
    expect(told.steps[0]).toBe('begun');
    expect(job.isFinished).toBe(false);
    await job.ended;
    expect(told.steps).toEqual(['begun', 'first awaited', 'second awaited', 'done', 'tidied']);
    expect(job.isFinished).toBe(true);
    expect(job.failure).toBeUndefined();
  });

  it('tells what it waits for how long it has had the thread', async () => {
    const slices: number[] = [];
    const wait: Wait = { sync: (sliceMs) => Promise.resolve(slices.push(sliceMs)), syncNow: () => undefined };
    await new Job(
      (function* body(): JobBody {
        yield wait;
        const beganMs = performance.now();
        while (performance.now() - beganMs < 2);
        yield wait;
      })(),
    ).ended;
    expect(slices).toHaveLength(2);
    expect(slices[1]).toBeGreaterThanOrEqual(2);
  });

  it('is finished on the spot by whoever cannot wait, though it is being awaited', async () => {
    const told = trace();
    const job = new Job(twoWaits(told));
    job.finishNow();
    expect(told.steps).toEqual(['begun', 'first awaited', 'first now', 'second now', 'done', 'tidied']);
    await job.ended;
    await new Promise((resolve) => setImmediate(resolve));
    expect(told.steps).toHaveLength(6);
    job.finishNow();
    job.stepNow();
  });

  it('goes a step by whoever lends a hand', async () => {
    const told = trace();
    const job = new Job(twoWaits(told));
    job.stepNow();
    expect(told.steps).toEqual(['begun', 'first awaited', 'first now']);
    await job.ended;
    expect(told.steps.at(-1)).toBe('tidied');
  });

  it('is brought to the thread that goes on with it, and waits for nothing else', () => {
    const told = trace();
    const job = new Job(
      (function* handedOver(): JobBody {
        yield HANDING_OVER;
        yield HANDING_OVER;
        told.steps.push('handed over');
        yield told.wait('thread');
      })(),
    );
    expect(told.steps).toEqual([]);
    job.handOver();
    job.handOver();
    expect(told.steps).toEqual(['handed over']);
    job.finishNow();
    expect(told.steps).toEqual(['handed over', 'thread now']);
  });

  it('fails with its own error, however it is run', async () => {
    const error = new Error('no');
    const awaited = new Job(failing(error));
    await expect(awaited.ended).rejects.toBe(error);
    expect(awaited.failure).toBe(error);
    const forced = new Job(failing('text'));
    expect(() => forced.finishNow()).toThrow('text');
    await expect(forced.ended).rejects.toThrow('text');
  });

  it('is told when what it waits for fails, and may go on', async () => {
    const caught: unknown[] = [];
    const body = function* (wait: Wait): JobBody {
      try {
        yield wait;
      } catch (error) {
        caught.push(error);
      }
      yield PAUSE;
    };
    const failure = new Error('disk');
    const wait: Wait = {
      sync: () => Promise.reject(failure),
      syncNow: () => {
        throw failure;
      },
    };
    await new Job(body(wait)).ended;
    new Job(body(wait)).finishNow();
    expect(caught).toEqual([failure, failure]);
  });

  it('ends where it stands when it is cancelled, and tidies up', async () => {
    const told = trace();
    const job = new Job(twoWaits(told));
    await job.cancel();
    expect(told.steps).toEqual(['begun', 'first awaited', 'tidied']);
    await expect(job.ended).rejects.toMatchObject({ code: '57P01' });
    await job.cancel();
  });
});
