import { type Logger, ManualClock, MetricsRegistry, PhantomError, silentLogger } from '@phantom/base';
import { EngineCode, type KeyRange } from '@phantom/kv';
import { FaultyVfs, MemoryVfs, failFrom, onOperation, pathMatch } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import { type Store, type StoreOptions, openStore } from '../src/index.js';
import { memoryLog } from './memory-log.js';
import { type SnapshotEngine, snapshotEngine } from './snapshot-engine.js';
import {
  Told,
  batchOf,
  commit,
  commitNow,
  keyNamed,
  optionsOf,
  read,
  readNow,
  rejection,
  turns,
  twoEngines,
  volatileEngine,
  withStore,
} from './support.js';

describe('a volatile engine', () => {
  const engines = (): StoreOptions['engines'] => [...twoEngines(), volatileEngine];

  it('shares commits and views with the others, and begins empty each time', async () => {
    const vfs = new MemoryVfs();
    let store = await openStore('/db', optionsOf(vfs, { engines: engines() }));
    await commit(store, { 'left a': '1', 'memory a': '1' });
    expect(readNow(store, 'memory a')).toBe('1');
    for (const checkpoint of [false, true]) {
      await store.close({ checkpoint });
      store = await openStore('/db', optionsOf(vfs, { engines: engines() }));
      expect([store.visibleSeq, readNow(store, 'left a'), readNow(store, 'memory a')]).toEqual([1, '1', undefined]);
    }
    await store.close();
    store = await openStore('/db', optionsOf(vfs));
    expect(readNow(store, 'left a')).toBe('1');
    await store.close();
  });

  it('never holds the log', async () => {
    await withStore(
      async (store) => {
        for (let i = 0; i < 50; i++) await commit(store, { 'memory a': 'x'.repeat(1000) });
        await store.checkpoint();
        expect(store.stats().logBytesSinceCheckpoint).toBeLessThan(200);
      },
      { engines: [volatileEngine] },
    );
  });
});

describe('reading', () => {
  it('warns once of a view that is open while checkpoints go by, unless its reader is known', async () => {
    const warnings: unknown[] = [];
    const warn = (message: string, fields: unknown): unknown => warnings.push([message, fields]);
    await withStore(
      async (store) => {
        await commit(store, { 'left a': '1' });
        const forgotten = store.view();
        store.nameReaders((seq) => (seq === 2 ? 'a transaction' : undefined));
        for (let i = 0; i < 70; i++) {
          await commit(store, { 'left a': `${i}` });
          if (i === 0) store.view();
          await store.checkpoint();
        }
        expect(warnings).toEqual([
          [expect.stringContaining('held for long'), { seq: forgotten.seq, holds: 1, checkpoints: 60, openViews: 2 }],
        ]);
      },
      { logger: { debug: () => {}, info: () => {}, warn, error: () => {} } as unknown as Logger },
    );
  });

  it('shares one view until something is published, and frees it afterwards', async () => {
    const engine = snapshotEngine(EngineCode.Btree, 'left');
    await withStore(
      async (store) => {
        await commit(store, { 'left a': '1' });
        const first = store.view();
        const second = store.view();
        expect(second).toBe(first);
        expect(store.stats().openViews).toBe(1);
        await commit(store, { 'left a': '2' });
        const third = store.view();
        expect(third).not.toBe(first);
        expect([first.seq, third.seq]).toEqual([1, 2]);
        expect([read(first, 'left a'), read(third, 'left a')]).toEqual(['1', '2']);
        first.retain().release();
        first.release();
        second.release();
        expect(engine.engine.stats().openViews).toBe(1);
        third.release();
        expect(engine.engine.stats().openViews).toBe(1);
        expect(store.stats().openViews).toBe(0);
        await commit(store, { 'left a': '3' });
        expect(engine.engine.stats().openViews).toBe(0);
        store.view().release();
        await store.checkpoint();
        expect(engine.engine.stats().openViews).toBe(0);
        expect(() => third.release()).toThrowError(/released once/);
        expect(() => third.retain()).toThrowError(/cannot be retained/);
      },
      { engines: [engine] },
    );
  });

  it('sees all engines at one moment', async () => {
    await withStore(async (store) => {
      await commit(store, { 'left a': '1', 'right a': '1' });
      const view = store.view();
      await commit(store, { 'left a': '2', 'right a': '2', 'left b': '2' });
      expect([read(view, 'left a'), read(view, 'right a'), read(view, 'left b')]).toEqual(['1', '1', undefined]);
      const range: KeyRange = { lower: keyNamed('left a'), upper: keyNamed('left z') };
      const cursor = view.cursor(range);
      let count = 0;
      while (cursor.next()) count++;
      cursor.close();
      expect(count).toBe(1);
      view.release();
    });
  });

  it('of an engine that is not there is refused', async () => {
    await withStore(async (store) => {
      const view = store.view();
      expect(() => read(view, 'memory a')).toThrowError(expect.objectContaining({ code: '22023' }));
      expect(() => view.cursor({ lower: keyNamed('memory a'), upper: undefined })).toThrowError(/engine 0/);
      view.release();
    });
  });
});

describe('admission', () => {
  it('asks every engine that a batch touches, and gives back what was had when one refuses', async () => {
    const engines = twoEngines();
    await withStore(
      async (store) => {
        const [left, right] = engines.map(({ engine }) => engine) as [SnapshotEngine, SnapshotEngine];
        right.refuse = new PhantomError('53200', 'full');
        expect((await rejection(commit(store, { 'left a': '1', 'right a': '1' }))).code).toBe('53200');
        expect(() => commitNow(store, { 'left a': '1', 'right a': '1' })).toThrowError('full');
        expect([left.admitted, right.admitted]).toEqual([0, 0]);
        expect(await commit(store, { 'left a': '1' })).toBe(1);
        right.refuse = undefined;
        left.stall = Promise.resolve();
        right.stall = Promise.resolve();
        expect(await commit(store, { 'left a': '1', 'right a': '1' })).toBe(2);
        right.refuse = new PhantomError('53200', 'full');
        expect((await rejection(commit(store, { 'left a': '1', 'right a': '1' }))).code).toBe('53200');
        expect(await commit(store, { 'left a': '2' })).toBe(3);
        right.refuse = undefined;
        left.stall = right.stall = undefined;
        const batch = batchOf({ 'left a': '1', 'right a': '1' });
        store.admitNow(batch);
        store.unadmit(batch);
        expect([left.admitted, right.admitted]).toEqual([0, 0]);
      },
      { engines },
    );
  });

  it('that waited is worth nothing when the store has failed meanwhile', async () => {
    const engines = twoEngines();
    const vfs = new MemoryVfs();
    const log = memoryLog();
    const store = await openStore('/db', optionsOf(vfs, { engines, log: log.open }));
    const { engine } = engines[0] as (typeof engines)[0];
    let release = (): void => undefined;
    engine.stall = new Promise((resolve) => {
      release = resolve;
    });
    const room = store.admit(batchOf({ 'left a': '1' }));
    log.log.lose(new Error('gone'));
    release();
    expect((await rejection(room as Promise<void>)).message).toContain('gone');
    expect(engine.admitted).toBe(0);
    await store.close();
  });
});

describe('checkpoints', () => {
  it('bound the log by themselves, and recovery reads only what came since', async () => {
    const vfs = new MemoryVfs();
    const store = await openStore('/db', optionsOf(vfs, { checkpointBytesMax: 20_000 }));
    for (let i = 0; i < 200; i++)
      await commit(store, { [`left k${i % 9}`]: 'x'.repeat(500), [`right k${i % 9}`]: String(i) });
    const { checkpoints, logBytesSinceCheckpoint, wal } = store.stats();
    expect(checkpoints).toBeGreaterThan(4);
    expect(logBytesSinceCheckpoint).toBeLessThan(60_000);
    expect(wal.segments).toBeLessThan(8);
    await store.close({ checkpoint: false });
    const again = await openStore('/db', optionsOf(vfs));
    expect(again.visibleSeq).toBe(200);
    expect(again.stats().logBytesSinceCheckpoint).toBeLessThan(60_000);
    expect(readNow(again, 'right k1')).toBe('199');
    await again.close();
  });

  it('begin early under a steady load, and keep their distance', async () => {
    const clock = new ManualClock();
    const limits = { checkpointBytesMin: 4000, checkpointBytesMax: 40_000 };
    const store = await openStore('/db', optionsOf(new MemoryVfs(), { ...limits, clock }));
    const write = async (commits: number): Promise<number> => {
      for (let i = 0; i < commits; i++) await commit(store, { 'left a': 'x'.repeat(1000) });
      await turns(10);
      return store.stats().checkpoints;
    };
    expect(await write(3)).toBe(0);
    expect(await write(3)).toBe(1);
    expect(await write(9)).toBe(1);
    clock.advance(500);
    expect(await write(1)).toBe(2);
    expect(await write(45)).toBe(3);
    await store.close();
  });

  it('of an idle engine need no file of its own', async () => {
    const vfs = new MemoryVfs();
    const store = await openStore('/db', optionsOf(vfs));
    await commit(store, { 'right a': '1' });
    for (let i = 0; i < 100; i++) await commit(store, { 'left a': 'x'.repeat(1000) });
    await store.close();
    const again = await openStore('/db', optionsOf(vfs));
    expect(again.visibleSeq).toBe(101);
    expect([readNow(again, 'right a'), readNow(again, 'left a')]).toEqual(['1', 'x'.repeat(1000)]);
    await again.close();
  });

  it('make writers wait when the log grows faster than they work', async () => {
    const vfs = new MemoryVfs({ syncTurns: 50 });
    const store = await openStore('/db', optionsOf(vfs, { checkpointBytesMax: 4000, durability: 'os' }));
    let waited = 0;
    for (let i = 0; i < 40; i++) {
      const batch = batchOf({ 'left a': 'x'.repeat(400) });
      const room = store.admit(batch);
      if (room !== undefined) {
        waited++;
        await room;
      }
      store.submit(batch, new Told());
      store.drainNow();
    }
    expect(waited).toBeGreaterThan(0);
    await store.close();
  });

  it('that fail lose nothing and are tried again', async () => {
    const disk = new MemoryVfs();
    const vfs = new FaultyVfs(disk, onOperation([], failFrom(0, 'EIO')));
    const warnings: string[] = [];
    const ignore = (): void => undefined;
    const logger: Logger = { debug: ignore, info: ignore, error: ignore, warn: (text) => warnings.push(text) };
    const store = await openStore('/db', optionsOf(vfs, { checkpointBytesMax: 8000, logger }));
    vfs.injector = pathMatch(/snapshot/, onOperation('open', failFrom(0, 'ENOSPC')));
    for (let i = 0; i < 12; i++) await commit(store, { 'left a': 'x'.repeat(1000) });
    await turns(10);
    expect(warnings.length).toBeGreaterThan(0);
    expect((await rejection(store.checkpoint())).code).toBe('53100');
    expect(store.failure).toBeUndefined();
    expect(store.stats().checkpoints).toBe(0);
    vfs.injector = onOperation([], failFrom(0, 'EIO'));
    await commit(store, { 'left b': '1' });
    await store.checkpoint();
    expect(store.stats().checkpoints).toBeGreaterThan(0);
    await store.close();
    const again = await openStore('/db', optionsOf(disk));
    expect(readNow(again, 'left b')).toBe('1');
    await again.close();
  });

  it('keep relaxed commits whole across engines', async () => {
    for (let seed = 0; seed < 40; seed++) {
      const vfs = new MemoryVfs();
      const store = await openStore('/db', optionsOf(vfs));
      await commit(store, { 'left a': '1', 'right a': '1' }, 'os');
      const clones: MemoryVfs[] = [];
      vfs.onOperation = ({ operation, path }) => {
        if (operation === 'syncDir' && /left|right/.test(path)) clones.push(vfs.crashClone(seed));
      };
      await store.checkpoint();
      expect(clones.length).toBeGreaterThan(1);
      for (const clone of clones) {
        const again = await openStore('/db', optionsOf(clone));
        expect(readNow(again, 'left a')).toBe(readNow(again, 'right a'));
        await again.close();
      }
    }
  });

  it('can be asked for twice at once', async () => {
    await withStore(async (store) => {
      await commit(store, { 'left a': '1' });
      await Promise.all([store.checkpoint(), store.checkpoint(), commit(store, { 'left a': '2' })]);
      expect(store.stats().checkpoints).toBe(2);
    });
  });
});

describe('space numbers', () => {
  it('are never handed out twice, whatever happens', async () => {
    const vfs = new MemoryVfs();
    const seen = new Set<number>();
    let handed = 0;
    const take = (store: Store, count: number): void => {
      for (let i = 0; i < count; i++, handed++) seen.add(store.allocateSpaceNumber());
    };
    let store = await openStore('/db', optionsOf(vfs));
    take(store, 40);
    await commit(store, { 'left a': '1' });
    let disk = vfs.crashClone(1);
    store = await openStore('/db', optionsOf(disk));
    take(store, 3);
    await store.checkpoint();
    take(store, 3);
    await store.close({ checkpoint: false });
    store = await openStore('/db', optionsOf(disk));
    take(store, 3);
    await store.close();
    const next = Math.max(...seen) + 1;
    store = await openStore('/db', optionsOf(disk));
    const first = store.allocateSpaceNumber();
    expect(first).toBe(next);
    seen.add(first);
    handed++;
    await commit(store, { 'left a': '1' });
    disk = disk.crashClone(3);
    store = await openStore('/db', optionsOf(disk));
    take(store, 2);
    expect(seen.size).toBe(handed);
    await store.close();
  });
});

describe('a read-only store', () => {
  it('reads what is there, log included, and changes nothing', async () => {
    const vfs = new MemoryVfs();
    let store = await openStore('/db', optionsOf(vfs));
    await commit(store, { 'left a': '1' });
    await store.checkpoint();
    await commit(store, { 'left b': '2' });
    await store.close({ checkpoint: false });
    const writes = vfs.counts.get('write');
    store = await openStore('/db', optionsOf(vfs, { readOnly: true }));
    expect(store.readOnly).toBe(true);
    expect([readNow(store, 'left a'), readNow(store, 'left b')]).toEqual(['1', '2']);
    expect((await rejection(commit(store, { 'left c': '1' }))).code).toBe('25006');
    expect(() => commitNow(store, { 'left c': '1' })).toThrowError(expect.objectContaining({ code: '25006' }));
    expect(() => store.allocateSpaceNumber()).toThrowError(expect.objectContaining({ code: '25006' }));
    expect((await rejection(store.checkpoint())).code).toBe('25006');
    await store.close();
    expect(vfs.counts.get('write')).toBe(writes);
  });

  it('does without an engine that the store was never written with', async () => {
    const vfs = new MemoryVfs();
    const first = await openStore('/db', optionsOf(vfs, { engines: twoEngines().slice(0, 1) }));
    await commit(first, { 'left a': '1' });
    await first.close();
    const store = await openStore('/db', optionsOf(vfs, { readOnly: true }));
    expect(readNow(store, 'left a')).toBe('1');
    expect(store.engine(EngineCode.Lsm)).toBeUndefined();
    await store.close();
  });

  it('needs the files of those that it was written with', async () => {
    const vfs = new MemoryVfs();
    await (await openStore('/db', optionsOf(vfs))).close();
    vfs.rename('/db/right', '/db/lost');
    expect((await rejection(openStore('/db', optionsOf(vfs, { readOnly: true })))).code).toBe('58P01');
  });
});

describe('checking', () => {
  it('finds nothing in a sound store', async () => {
    await withStore(async (store) => {
      for (let i = 0; i < 30; i++) await commit(store, { 'left a': String(i) });
      store.allocateSpaceNumber();
      await commit(store, { 'left a': 'x' });
      const findings = [];
      for await (const finding of store.check()) findings.push(finding);
      expect(findings).toEqual([]);
    });
  });

  it('finds a log that has gone bad behind its back', async () => {
    const vfs = new MemoryVfs();
    const store = await openStore('/db', optionsOf(vfs));
    for (let i = 0; i < 5; i++) await commit(store, { 'left a': String(i).repeat(100) });
    const path = vfs.list('/db/log').filter((name) => name.endsWith('.wal'))[0] as string;
    const bytes = vfs.readFile(`/db/log/${path}`);
    vfs.corrupt(`/db/log/${path}`, bytes.indexOf(0x31, 300), new Uint8Array([0x55]));
    vfs.corrupt('/db/superblock', 0, new Uint8Array(8192));
    const findings = [];
    for await (const finding of store.check()) findings.push(finding);
    expect(findings.map(({ severity, file }) => `${severity} ${file}`)).toEqual([
      'corruption /db/superblock',
      'corruption /db/log',
    ]);
    await store.close({ checkpoint: false });
  });
});

describe('the whole', () => {
  it('tells metrics', async () => {
    const metrics = new MetricsRegistry();
    await withStore(
      async (store) => {
        await commit(store, { 'left a': '1' });
        const values = new Map(metrics.samples().map((sample) => [sample.name, 'value' in sample ? sample.value : 0]));
        expect(values.get('phantom_store_visible_seq')).toBe(1);
        expect(values.get('phantom_store_queued_commits')).toBe(0);
        expect(values.get('phantom_store_open_views')).toBe(0);
        expect(values.get('phantom_store_checkpoints_total')).toBe(0);
        expect(values.get('phantom_store_log_bytes')).toBeGreaterThan(0);
        expect(store.engine(EngineCode.Btree)?.name).toBe('left');
        expect(store.engine(EngineCode.Memory)).toBeUndefined();
        // Of each engine its own, and of what a file takes with it nothing.
        const statistics = { ...store.engine(EngineCode.Btree)?.stats(), pagesRead: 7, runs: 3 };
        Object.assign(store.engine(EngineCode.Btree) as object, { stats: () => statistics });
        const read = (name: string): unknown => metrics.samples().find((sample) => sample.name === name);
        expect(read('phantom_left_runs')).toMatchObject({ kind: 'gauge', value: 3 });
        for (const [pagesRead, told] of [
          [7, 7],
          [2, 7],
          [4, 9],
        ] as const) {
          statistics.pagesRead = pagesRead;
          expect(read('phantom_left_pages_read_total')).toMatchObject({ kind: 'counter', value: told });
        }
        expect(read('phantom_right_runs')).toBeDefined();
      },
      { metrics },
    );
  });

  it('closes once, with what is queued, and is closed then', async () => {
    const vfs = new MemoryVfs();
    const store = await openStore('/db', optionsOf(vfs));
    const told = new Told();
    const batch = batchOf({ 'left a': '1' });
    store.admitNow(batch);
    store.submit(batch, told);
    const closed = store.close();
    expect(store.close()).toBe(closed);
    await closed;
    expect(told.seqs).toEqual([1]);
    expect(() => store.view()).toThrowError(expect.objectContaining({ code: '55000' }));
    expect(() => store.check()).toThrowError(expect.objectContaining({ code: '55000' }));
    expect(() => commitNow(store, { 'left a': '1' })).toThrowError(expect.objectContaining({ code: '55000' }));
    const again = await openStore('/db', optionsOf(vfs));
    expect(readNow(again, 'left a')).toBe('1');
    await again.close();
  });

  it('closes without complaint after a failure, and with it when closing itself fails', async () => {
    const disk = new MemoryVfs();
    const vfs = new FaultyVfs(disk, onOperation([], failFrom(0, 'EIO')));
    let store = await openStore('/db', optionsOf(vfs));
    await commit(store, { 'left a': '1' });
    vfs.injector = pathMatch(/\.wal$/, onOperation('sync', failFrom(0, 'EIO')));
    expect((await rejection(commit(store, { 'left a': '2' }))).code).toBe('08007');
    expect(store.failure).toBeDefined();
    await store.close();
    vfs.injector = onOperation([], failFrom(0, 'EIO'));
    store = await openStore('/db', optionsOf(vfs));
    expect(['1', '2']).toContain(readNow(store, 'left a'));
    await commit(store, { 'left a': '3' });
    vfs.injector = pathMatch(/snapshot/, onOperation('open', failFrom(0, 'EIO')));
    expect((await rejection(store.close())).code).toBe('58030');
    vfs.injector = onOperation([], failFrom(0, 'EIO'));
    store = await openStore('/db', optionsOf(vfs));
    expect(readNow(store, 'left a')).toBe('3');
    await store.close();
  });

  it('closes on a full disk without a checkpoint, since the log has everything', async () => {
    const vfs = new FaultyVfs(new MemoryVfs(), onOperation([], failFrom(0, 'EIO')));
    const warnings: string[] = [];
    const logger: Logger = { ...silentLogger, warn: (message) => void warnings.push(message) };
    let store = await openStore('/db', optionsOf(vfs, { logger }));
    await commit(store, { 'left a': '1' });
    vfs.injector = pathMatch(/snapshot/, onOperation('open', failFrom(0, 'ENOSPC')));
    await store.close();
    expect(warnings).toEqual([expect.stringMatching(/^closing without a checkpoint; nothing is lost/)]);
    store = await openStore('/db', optionsOf(vfs));
    expect(readNow(store, 'left a')).toBe('1');
    vfs.injector = onOperation([], failFrom(0, 'EIO'));
    await store.close();
  });

  it.each(['removed', 'replaced'])('fails once its files have been %s', async (way) => {
    const vfs = new MemoryVfs();
    const clock = new ManualClock();
    const store = await openStore('/db', optionsOf(vfs, { clock }));
    await commit(store, { 'left a': '1' });
    vfs.remove('/db/superblock');
    if (way === 'replaced') vfs.open('/db/superblock', { mode: 'create-new' }).close();
    clock.advance(1000);
    await commit(store, { 'left a': '2' });
    expect(store.failure).toMatchObject({ code: '58P01', hint: expect.stringMatching(/restore a backup/) });
    expect(readNow(store, 'left a')).toBe('2');
    expect((await rejection(commit(store, { 'left a': '3' }))).code).toBe('58P01');
    await store.close();
  });

  it('is failed by an engine whose background work failed for good', async () => {
    const engine = snapshotEngine(EngineCode.Btree, 'left');
    let fail: (error: Error) => void = () => undefined;
    const factory = {
      ...engine,
      open: (context: Parameters<typeof engine.open>[0]) => {
        fail = (error) => context.fail(error);
        context.recordGenerationNow(0);
        return engine.open(context);
      },
    };
    const store = await openStore('/db', optionsOf(new MemoryVfs(), { engines: [factory] }));
    fail(new PhantomError('58030', 'a merge met a bad sector'));
    expect(store.failure).toMatchObject({ code: '58030' });
    await store.close();
  });
});

describe('durability below fsync', () => {
  it('goes on behind what the engines have when a power cut took the log', async () => {
    const vfs = new MemoryVfs();
    let store = await openStore('/db', optionsOf(vfs, { durability: 'os', checkpointBytesMax: 10_000 }));
    for (let i = 0; i < 40; i++) await commit(store, { 'left a': `${i} ${'x'.repeat(500)}`, 'right a': String(i) });
    await store.checkpoint();
    const seq = store.visibleSeq;
    for (let seed = 0; seed < 12; seed++) {
      const disk = vfs.crashClone(seed);
      store = await openStore('/db', optionsOf(disk, { durability: 'os' }));
      expect(store.visibleSeq).toBe(seq);
      expect(readNow(store, 'right a')).toBe('39');
      await commit(store, { 'left a': 'next' });
      await store.close({ checkpoint: seed % 2 === 0 });
      store = await openStore('/db', optionsOf(disk));
      expect(await commit(store, { 'left a': 'last' })).toBe(store.visibleSeq);
      await store.close();
    }
  });
});
