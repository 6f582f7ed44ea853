/** Lanes of background work, and what its jobs wait for. */
import { MemoryVfs } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import { Job, type JobBody, Lane, PAUSE, syncOf, syncOfNames } from '../src/index.js';

function* steps(count: number, done: string[], name: string): JobBody {
  for (let i = 0; i < count; i++) yield PAUSE;
  done.push(name);
}

function* failing(): JobBody {
  yield PAUSE;
  throw new Error('broken');
}

describe('a lane', () => {
  it('runs one job at a time and tells its end once, however it is reached', async () => {
    const ends: (string | undefined)[] = [];
    const done: string[] = [];
    const lane = new Lane((error) => ends.push(error?.message));
    expect(lane.isBusy).toBe(false);
    expect(lane.stepNow(1)).toBe(false);
    lane.finishNow();
    await lane.ended();
    await lane.cancel();
    lane.start(steps(3, done, 'awaited'));
    expect(lane.isBusy).toBe(true);
    await lane.ended();
    lane.start(steps(3, done, 'finished'));
    lane.finishNow();
    lane.start(steps(3, done, 'stepped'));
    while (lane.isBusy) expect(lane.stepNow(1)).toBe(true);
    lane.start(failing());
    await expect(lane.ended()).rejects.toThrow('broken');
    lane.start(failing());
    expect(() => lane.finishNow()).toThrow('broken');
    await new Promise((resolve) => setImmediate(resolve));
    expect(done).toEqual(['awaited', 'finished', 'stepped']);
    expect(ends).toEqual([undefined, undefined, undefined, 'broken', 'broken']);
  });

  it('can be waited for by the job of another one, which does not care how it ends', async () => {
    const lane = new Lane(() => undefined);
    function* waiting(): JobBody {
      yield lane.end();
    }
    lane.start(failing());
    await new Job(waiting()).ended;
    expect(lane.isBusy).toBe(false);
    lane.start(failing());
    new Job(waiting()).finishNow();
    expect(lane.isBusy).toBe(false);
  });
});

describe('waits for the disk', () => {
  it('make files and their names durable, awaited or on the spot', async () => {
    for (const isAwaited of [true, false]) {
      const vfs = new MemoryVfs();
      vfs.makeDir('d');
      vfs.syncDir('');
      const file = vfs.open('d/a', { mode: 'create' });
      file.writeAt(0, Uint8Array.of(1, 2, 3));
      for (const wait of [syncOf(file), syncOfNames(vfs, 'd')]) {
        if (isAwaited) await wait.sync(0);
        else wait.syncNow();
      }
      for (let seed = 0; seed < 8; seed++) expect(vfs.crashClone(seed).readFile('d/a')).toEqual(Uint8Array.of(1, 2, 3));
    }
  });
});
