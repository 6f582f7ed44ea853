/** When the scrubber reads, where it goes on, and what it tells. What it finds in files is tested with the engines that have them. */
import { type Clock, type LogFields, MetricsRegistry } from '@phantom/base';
import { EngineCode, type KvEngine, type ScrubStep } from '@phantom/kv';
import { MemoryVfs } from '@phantom/vfs/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type EngineFactory, type Store, openStore } from '../src/index.js';
import { snapshotEngine } from './snapshot-engine.js';
import { commit, optionsOf } from './support.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const STEP_BYTES = 128 * 1024;
const BAD = { severity: 'corruption', file: '/data/db/left/file', offset: 7, message: 'it rots' } as const;

/** The hands of the clock, moved by `pass`. */
let nowMs = 0;
const clock: Clock = { nowMs: () => nowMs, monotonicMs: () => nowMs };

async function pass(durationMs: number): Promise<void> {
  for (let left = durationMs; left > 0; left -= 500) {
    nowMs += Math.min(500, left);
    await vi.advanceTimersByTimeAsync(Math.min(500, left));
  }
}

interface Rig {
  /** Where the engine was asked to read. */
  readonly places: string[];
  readonly told: { readonly message: string; readonly fields: LogFields | undefined }[];
  readonly metrics: MetricsRegistry;
  open(more?: { readonly scrubEveryHours?: number; readonly readOnly?: boolean }): Promise<Store>;
}

/** A store with an engine of so many steps, of which the second finds something. */
function rig(vfs: MemoryVfs, answer: (place: string) => ScrubStep = stepOf): Rig {
  const places: string[] = [];
  const told: Rig['told'] = [];
  const metrics = new MetricsRegistry();
  const factory = snapshotEngine(EngineCode.Btree, 'left');
  const scrubbed: EngineFactory = {
    ...factory,
    open: async (context) => {
      const engine: KvEngine = await factory.open(context);
      engine.scrub = (place) => {
        places.push(place);
        return answer(place);
      };
      return engine;
    },
  };
  const tell = (message: string, fields?: LogFields): void => void told.push({ message, fields });
  const logger = { debug: tell, info: tell, warn: tell, error: tell };
  return {
    places,
    told,
    metrics,
    open: (more) =>
      openStore('/data/db', {
        ...optionsOf(vfs),
        engines: [scrubbed],
        clock,
        logger,
        metrics,
        scrubBytesPerSecond: STEP_BYTES,
        ...more,
      }),
  };
}

function stepOf(place: string): ScrubStep {
  const at = Number(place);
  return { next: at < 9 ? String(at + 1) : undefined, bytes: STEP_BYTES, findings: at === 1 ? [BAD] : [] };
}

describe('the scrubber', () => {
  let utilization = 0;

  beforeEach(() => {
    nowMs = 1_000_000;
    utilization = 0;
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    vi.spyOn(performance, 'eventLoopUtilization').mockImplementation(() => ({ idle: 0, active: 0, utilization }));
  });

  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it('begins some time after an opening, reads at its rate, and goes on where it was after a restart', async () => {
    const vfs = new MemoryVfs();
    const { places, told, metrics, open } = rig(vfs);
    let store = await open();
    await commit(store, { 'left a': '1' });
    await pass(10 * MINUTE_MS - 1000);
    expect(places).toEqual([]);
    expect(store.scrubbed()).toMatchObject({ last: undefined, present: undefined });
    await pass(1000 + 3500);
    expect(places.length).toBeGreaterThan(2);
    expect(places.length).toBeLessThan(7);
    expect(store.scrubbed().present).toMatchObject({ found: 1, findings: [BAD] });
    expect(told).toContainEqual({
      message: 'the scrub has found damage',
      fields: { file: BAD.file, offset: 7, reason: 'it rots' },
    });
    const next = Number(places.at(-1)) + 1;
    await store.close();

    store = await open();
    expect(store.scrubbed().present).toMatchObject({ found: 1 });
    places.length = 0;
    await pass(10 * MINUTE_MS + 12_000);
    expect(places[0]).toBe(String(next));
    expect(places.at(-1)).toBe('9');
    expect(store.scrubbed()).toMatchObject({ present: undefined, last: { found: 1, findings: [BAD] } });
    const read = (name: string): number =>
      (metrics.samples().find((sample) => sample.name === name) as { readonly value: number }).value;
    expect(read('phantom_scrub_findings')).toBe(1);
    expect(read('phantom_scrub_passes_total')).toBe(1);
    expect(read('phantom_scrub_progress_ratio')).toBe(0);
    expect(read('phantom_scrub_last_pass_seconds')).toBeGreaterThan(1000);
    expect(read('phantom_scrub_read_bytes_total')).toBeGreaterThan(0);

    // The next one is due a week later.
    places.length = 0;
    await pass(2 * HOUR_MS);
    expect(places).toEqual([]);
    nowMs += 166 * HOUR_MS;
    await pass(HOUR_MS + MINUTE_MS);
    expect(places.slice(0, 2)).toEqual(['', '1']);
    expect(read('phantom_scrub_progress_ratio')).toBe(0);
    await store.close();
  });

  it('waits while there is much else to do, though not for ever', async () => {
    const { places, open } = rig(new MemoryVfs());
    const store = await open();
    utilization = 0.9;
    await pass(10 * MINUTE_MS + 30_000);
    expect(places).toEqual([]);
    await pass(3 * MINUTE_MS);
    expect(places.length).toBeGreaterThan(0);
    expect(places.length).toBeLessThan(4);
    utilization = 0;
    await pass(MINUTE_MS + 12_000);
    expect(store.scrubbed().last).toBeDefined();
    await store.close();
  });

  it('never begins by itself where nobody wants it, and when it is asked for', async () => {
    const { places, open } = rig(new MemoryVfs());
    const store = await open({ scrubEveryHours: 0 });
    await pass(20 * MINUTE_MS);
    expect(places).toEqual([]);
    expect(await store.scrub()).toMatchObject({ found: 1, bytes: 10 * STEP_BYTES });
    expect(places).toHaveLength(10);
    await store.close();
    await expect(open({ scrubEveryHours: -1 })).rejects.toMatchObject({ code: '22023' });
  });

  it('takes the place of one under way when it is asked for, and tries again when it could not go on', async () => {
    let isBroken = false;
    const { places, told, open } = rig(new MemoryVfs(), (place) => {
      if (isBroken) throw new Error('a defect');
      return stepOf(place);
    });
    const store = await open();
    await pass(10 * MINUTE_MS + 3000);
    isBroken = true;
    await expect(store.scrub()).rejects.toThrow('a defect');
    expect(told.at(-1)?.message).toBe('a scrub could not go on and will be tried again');
    isBroken = false;
    places.length = 0;
    await pass(20_000);
    expect(places).toHaveLength(10);
    await store.close();
  });

  it('finds what has rotted in the superblock and the log, and heals what it may', async () => {
    const vfs = new MemoryVfs({ losesPower: false });
    const { told, open } = rig(vfs, () => ({ next: undefined, bytes: 0, findings: [] }));
    const [superblock, log] = ['/data/db/superblock', '/data/db/log/0000000001.wal'];
    let store = await open();
    for (let i = 0; i < 20; i++) await commit(store, { 'left key': `value ${i} `.repeat(20) });
    const at = Buffer.from(vfs.readFile(log)).indexOf('value 7 ');
    const rot = (): void => {
      vfs.corrupt(superblock, 5000, Uint8Array.of(1));
      vfs.corrupt(log, at, Uint8Array.of(1));
    };
    rot();
    // Where no checkpoint can be made the log stays as it is.
    vfs.onOperation = ({ operation, path }) => {
      if (operation === 'open' && path.includes('.new')) throw new Error('EIO');
    };
    const { findings } = await store.scrub();
    vfs.onOperation = undefined;
    expect(findings).toMatchObject([
      { file: superblock, message: expect.stringContaining('it was written again') },
      { file: log, offset: expect.any(Number) },
    ]);
    await store.scrub();
    expect((await store.scrub()).findings).toEqual([]);
    await store.close();

    store = await open();
    expect(store.visibleSeq).toBe(20);
    vfs.onOperation = ({ path }) => {
      if (path.includes('scrub')) throw new Error('EIO');
    };
    await store.scrub();
    vfs.onOperation = undefined;
    expect(told.at(-1)?.message).toBe('the place of the scrub could not be remembered');
    await store.close();
    store = await open({ readOnly: true });
    vfs.corrupt(superblock, 100, Uint8Array.of(255));
    expect((await store.scrub()).findings).toMatchObject([
      { file: superblock, message: expect.not.stringContaining('it was written again') },
    ]);
    vfs.corrupt(superblock, 5000, Uint8Array.of(255));
    expect((await store.scrub()).findings).toMatchObject([
      { file: superblock, message: expect.stringContaining('neither slot') },
    ]);
    expect(store.locate('any', 0)).toBeUndefined();
    await store.close();
  });

  it('begins anew where what it remembers cannot be read', async () => {
    const vfs = new MemoryVfs();
    const { places, open } = rig(vfs);
    let store = await open();
    await store.scrub();
    await store.close();
    expect(vfs.list('/data/db')).toContain('scrub');
    for (const bytes of ['', 'nothing', '{"last":1}\n0000000000000000\n']) {
      const file = vfs.open('/data/db/scrub', { mode: 'write' });
      file.truncate(0);
      file.writeAt(0, new TextEncoder().encode(bytes));
      file.close();
      store = await open();
      expect(store.scrubbed()).toMatchObject({ last: undefined, present: undefined });
      await store.close();
    }
    store = await open({ readOnly: true });
    places.length = 0;
    await pass(20 * MINUTE_MS);
    expect(places).toEqual([]);
    await store.scrub();
    await store.close();
    store = await open();
    expect(store.scrubbed().last).toBeUndefined();
    await store.close();
  });
});
