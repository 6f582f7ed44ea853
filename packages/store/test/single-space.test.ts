/** An engine alone on a directory: the face that users of one tree see. */
import { PhantomError } from '@phantom/base';
import { EngineCode, type KvEngine } from '@phantom/kv';
import { MemoryEngine } from '@phantom/kv/memory';
import { FaultyVfs, MemoryVfs, counting, failAt, onOperation } from '@phantom/vfs/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type EngineFactory,
  SINGLE_SPACE_KEY_BYTES_MAX,
  type ScanOptions,
  type SingleSpace,
  type SingleSpaceOptions,
  type SpaceOperation,
  type SpaceReader,
  openSingleSpace,
} from '../src/index.js';
import { snapshotEngine } from './snapshot-engine.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : new TextDecoder().decode(value);

function memory(adapt: (engine: KvEngine) => KvEngine = (engine) => engine): EngineFactory {
  return {
    code: EngineCode.Lsm,
    name: 'memory',
    volatile: true,
    open: async () => adapt(new MemoryEngine({ code: EngineCode.Lsm })),
  };
}

async function open(options: SingleSpaceOptions = {}, factory = memory()): Promise<SingleSpace> {
  return openSingleSpace('/data/alone', factory, { vfs: new MemoryVfs(), segmentBytes: 16_384, ...options });
}

function list(reader: SpaceReader, options?: ScanOptions): string[] {
  return [...reader.scan(options)].map(({ key, value }) => `${text(key)}=${text(value)}`);
}

describe('a single space', () => {
  it('gets, puts and deletes, with and without waiting', async () => {
    const space = await open();
    expect(await space.put(bytes('b'), bytes('2'))).toEqual({ seq: 1, durability: 'fsync' });
    expect(space.putSync(bytes('a'), bytes('1'))).toEqual({ seq: 2, durability: 'fsync' });
    expect(space.putSync(bytes(''), bytes(''), { durability: 'os' })).toEqual({ seq: 3, durability: 'os' });
    expect([text(space.get(bytes('a'))), text(space.get(bytes('b'))), text(space.get(bytes('')))]).toEqual([
      '1',
      '2',
      '',
    ]);
    expect([space.has(bytes('a')), space.has(bytes('c')), space.get(bytes('c'))]).toEqual([true, false, undefined]);
    await space.delete(bytes('a'));
    space.deleteSync(bytes('none'));
    expect(list(space)).toEqual(['=', 'b=2']);
    expect(space.stats()).toMatchObject({ commits: 5, visibleSeq: 5 });
    expect(await space.check()).toEqual([]);
    await space.close();
  });

  it('lets callers side by side share a write to the log, however many turns they take', async () => {
    const space = await open({ durability: 'os' });
    const writesBefore = space.stats().wal.writes;
    const puts = 4000;
    let left = puts;
    const caller = async (): Promise<void> => {
      while (left-- > 0) {
        await space.put(bytes('key'), bytes('value'));
        // Whatever the machine does, turns end now and then.
        if (left % 500 === 0) for (const endMs = performance.now() + 5; performance.now() < endMs;);
      }
    };
    await Promise.all(Array.from({ length: 32 }, caller));
    const { commits, wal } = space.stats();
    expect(commits).toBe(puts);
    expect(wal.writes - writesBefore).toBeLessThan(puts / 8);
    await space.close();
  });

  it('leaves others a turn while somebody awaits writes that wait for no sync', async () => {
    for (const [durability, options] of [
      ['os', {}],
      ['memory', {}],
      ['fsync', { durability: 'os' }],
    ] as const) {
      const space = await open({ durability });
      let hasFired = false;
      setTimeout(() => (hasFired = true), 0);
      let writes = 0;
      for (; writes < 2_000_000 && !hasFired; writes++) await space.put(bytes('key'), bytes('value'), options);
      expect(hasFired).toBe(true);
      await space.close();
    }
  });

  it('hands out copies and keeps none of what it was given', async () => {
    const space = await open();
    const key = bytes('key');
    const value = bytes('value');
    const written = space.put(key, value);
    key.fill(0);
    value.fill(0);
    await written;
    const found = space.get(bytes('key')) as Uint8Array;
    expect(text(found)).toBe('value');
    found.fill(0);
    for (const entry of space.scan()) {
      entry.key.fill(0);
      entry.value.fill(0);
    }
    expect(list(space)).toEqual(['key=value']);
    await space.close();
  });

  it('hands out values that never touch each other', async () => {
    const space = await open();
    const value = (i: number): Uint8Array => new Uint8Array((i * 37) % 2500).fill(i);
    await space.write(Array.from({ length: 200 }, (_, i) => ({ type: 'put', key: Uint8Array.of(i), value: value(i) })));
    const kept = Array.from({ length: 200 }, (_, i) => space.get(Uint8Array.of(i)) as Uint8Array);
    kept.push(...[...space.scan()].map((entry) => entry.value));
    for (const copy of kept) copy.fill(0xff);
    for (const [i, copy] of kept.entries()) copy.set(value(i % 200));
    expect(kept.every((copy, i) => Buffer.compare(copy, value(i % 200)) === 0)).toBe(true);
    await space.close();
  });

  it('commits batches whole, in the order of their writes', async () => {
    const space = await open();
    const batch = space.batch().put(bytes('a'), bytes('1')).put(bytes('b'), bytes('2')).delete(bytes('a'));
    expect(batch.length).toBe(3);
    await space.write(batch);
    expect(list(space)).toEqual(['b=2']);
    const operations: SpaceOperation[] = [
      { type: 'deleteRange', gte: bytes('b') },
      { type: 'put', key: bytes('c'), value: bytes('3') },
      { type: 'put', key: bytes('d'), value: bytes('4') },
      { type: 'delete', key: bytes('d') },
    ];
    expect(space.writeSync(operations).seq).toBe(2);
    expect(list(space)).toEqual(['c=3']);
    expect(space.writeSync(batch.clear().put(bytes('e'), bytes('5'))).seq).toBe(3);
    expect(await space.write(new Set(operations))).toEqual({ seq: 4, durability: 'fsync' });
    expect(list(space)).toEqual(['c=3']);
    await space.close();
  });

  it('empties a batch that is committed, and leaves one alone that is not', async () => {
    const space = await open();
    const batch = space.batch().put(bytes('a'), bytes('1'));
    const written = space.write(batch);
    for (const use of [() => batch.put(bytes('b'), bytes('2')), () => batch.delete(bytes('a')), () => batch.clear()]) {
      expect(use).toThrow(expect.objectContaining({ code: '55000' }));
    }
    await expect(space.write(batch)).rejects.toMatchObject({ code: '55000' });
    await written;
    expect(batch.length).toBe(0);
    // The next batch has the memory of this one, and neither sees what the other writes.
    const next = space.batch().put(bytes('c'), bytes('3'));
    batch.put(bytes('d'), bytes('4'));
    space.writeSync(next);
    space.writeSync(batch);
    expect(list(space)).toEqual(['a=1', 'c=3', 'd=4']);
    const refused = space.batch().put(bytes('e'), bytes('5'));
    await space.close();
    await expect(space.write(refused)).rejects.toMatchObject({ message: 'the store is closed' });
    expect(refused.length).toBe(1);
  });

  it('takes nothing for a write', async () => {
    const space = await open();
    const earlier = space.put(bytes('a'), bytes('1'));
    expect(await space.write([])).toEqual({ seq: 1, durability: 'fsync' });
    expect(space.writeSync(space.batch())).toEqual({ seq: 1, durability: 'fsync' });
    expect(await space.deleteRange({ gt: bytes('b'), lt: bytes('a') })).toEqual({ seq: 1, durability: 'fsync' });
    expect(space.stats().commits).toBe(1);
    await earlier;
    await space.close();
  });

  it('walks ranges both ways, to a limit, and deletes them', async () => {
    const key = fc.array(fc.constantFrom(0, 1, 0xff), { maxLength: 3 }).map((list) => Uint8Array.from(list));
    const bound = fc.option(key, { nil: undefined });
    const space = await open();
    const hex = (value: Uint8Array): string => Buffer.from(value).toString('hex');
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(key, { selector: hex, maxLength: 30 }),
        fc.record({ gt: bound, gte: bound, lt: bound, lte: bound }),
        fc.boolean(),
        fc.option(fc.nat(12), { nil: undefined }),
        async (keys, bounds, reverse, limit) => {
          await space.deleteRange();
          await space.write(keys.map((item) => ({ type: 'put', key: item, value: item })));
          const inside = (item: string): boolean =>
            (bounds.gt === undefined || item > hex(bounds.gt)) &&
            (bounds.gte === undefined || item >= hex(bounds.gte)) &&
            (bounds.lt === undefined || item < hex(bounds.lt)) &&
            (bounds.lte === undefined || item <= hex(bounds.lte));
          const sorted = keys.map(hex).sort();
          const expected = sorted.filter(inside);
          if (reverse) expected.reverse();
          const found = [...space.scan({ ...bounds, reverse, limit })];
          expect(found.map((entry) => hex(entry.key))).toEqual(expected.slice(0, limit));
          expect(found.map((entry) => hex(entry.value))).toEqual(expected.slice(0, limit));
          await space.deleteRange(bounds);
          expect([...space.scan()].map((entry) => hex(entry.key))).toEqual(sorted.filter((item) => !inside(item)));
        },
      ),
      { numRuns: 100, seed: 1 },
    );
    space.putSync(bytes('a'), bytes('1'));
    space.deleteRangeSync();
    expect(list(space)).toEqual([]);
    expect(space.stats().openViews).toBe(0);
    await space.close();
  });

  it('shows a scan what was there at its first step, and frees it however it ends', async () => {
    const space = await open();
    const put = (i: number): SpaceOperation => ({ type: 'put', key: bytes(String(i + 1000)), value: bytes('x') });
    await space.write(Array.from({ length: 500 }, (_, i) => put(i)));
    const scan = space.scan();
    await space.write([put(500)]);
    expect(scan.next().value?.key).toEqual(bytes('1000'));
    await space.write([put(501)]);
    expect(space.stats().openViews).toBe(1);
    expect([...scan]).toHaveLength(500);
    expect(scan.next().done).toBe(true);
    for (const entry of space.scan({ reverse: true })) if (text(entry.key) === '1400') break;
    const stopped = space.scan();
    stopped.next();
    expect(stopped.return?.().done).toBe(true);
    expect(space.stats().openViews).toBe(0);
    await space.close();
  });

  it('holds snapshots still until they are closed', async () => {
    const space = await open();
    await space.put(bytes('a'), bytes('1'));
    const snapshot = space.snapshot();
    await space.write([
      { type: 'put', key: bytes('a'), value: bytes('2') },
      { type: 'put', key: bytes('b'), value: bytes('3') },
    ]);
    expect(snapshot.seq).toBe(1);
    expect([text(snapshot.get(bytes('a'))), snapshot.has(bytes('a')), snapshot.has(bytes('b'))]).toEqual([
      '1',
      true,
      false,
    ]);
    expect([list(snapshot), list(space)]).toEqual([['a=1'], ['a=2', 'b=3']]);
    const begun = snapshot.scan();
    begun.next();
    snapshot.close();
    snapshot.close();
    expect([...begun]).toEqual([]);
    expect(() => snapshot.get(bytes('a'))).toThrow('the snapshot is closed');
    {
      using again = space.snapshot();
      expect(list(again, { limit: 1 })).toEqual(['a=2']);
    }
    expect(space.stats().openViews).toBe(0);
    await space.close();
  });

  it('refuses what is no key or value, before anything is written', async () => {
    const space = await open();
    const long = new Uint8Array(SINGLE_SPACE_KEY_BYTES_MAX + 1);
    const wrong = 'text' as unknown as Uint8Array;
    expect(() => space.get(long)).toThrow('a key is too long');
    expect(() => space.scan({ gt: wrong })).toThrow('a key is not a Uint8Array');
    await expect(space.put(long, long)).rejects.toMatchObject({ code: '54000' });
    await expect(space.put(bytes('a'), wrong)).rejects.toMatchObject({ code: '22023' });
    expect(() => space.putSync(wrong, bytes('a'))).toThrow('a key is not a Uint8Array');
    await expect(space.write([{ type: 'put', key: bytes('a'), value: wrong }])).rejects.toThrow('a value');
    expect(() => space.writeSync([{ type: 'get' } as unknown as SpaceOperation])).toThrow('neither put');
    expect(space.stats().commits).toBe(0);
    await space.put(long.subarray(1), long);
    expect(space.get(long.subarray(1))).toEqual(long);
    await space.close();
    expect(() => space.get(bytes('a'))).toThrow('closed');
    await expect(space.put(bytes('a'), bytes('a'))).rejects.toThrow('closed');
  });

  it('keeps the order of calls though some must wait for room', async () => {
    let free: (() => void) | undefined;
    let asked = 0;
    const adapt = (engine: KvEngine): KvEngine =>
      Object.assign(Object.create(engine) as KvEngine, {
        admit: () => (++asked === 2 ? new Promise<void>((resolve) => (free = resolve)) : undefined),
      });
    const space = await open({}, memory(adapt));
    const order: string[] = [];
    const put = (value: string): Promise<unknown> =>
      space.put(bytes('key'), bytes(value)).then(({ seq }) => order.push(`${value} at ${seq}`));
    const writes = ['1', '2', '3', '4'].map(put);
    expect(() => space.putSync(bytes('key'), bytes('5'))).toThrow('earlier writes wait for room');
    await new Promise((resolve) => setImmediate(resolve));
    free?.();
    await Promise.all(writes);
    expect(order).toEqual(['1 at 1', '2 at 2', '3 at 3', '4 at 4']);
    expect(text(space.get(bytes('key')))).toBe('4');
    space.putSync(bytes('key'), bytes('5'));
    await space.close();
  });

  it('goes on behind a write that was refused', async () => {
    let asked = 0;
    const full = new PhantomError('53100', 'the disk is full');
    const adapt = (engine: KvEngine): KvEngine =>
      Object.assign(Object.create(engine) as KvEngine, {
        admit: () => (++asked === 1 ? Promise.reject(full) : undefined),
      });
    const space = await open({}, memory(adapt));
    const [first, second] = [space.put(bytes('a'), bytes('1')), space.write(space.batch().put(bytes('b'), bytes('2')))];
    await expect(first).rejects.toBe(full);
    await second;
    expect(list(space)).toEqual(['b=2']);
    await space.close();
  });

  it('says that the outcome is unknown when the log fails, to every kind of writer', async () => {
    for (const kind of ['promise', 'sync'] as const) {
      const vfs = new FaultyVfs(new MemoryVfs(), counting());
      const space = await open({ vfs });
      await space.put(bytes('a'), bytes('1'));
      vfs.injector = onOperation('sync', failAt(0, 'EIO'));
      const write = async (): Promise<unknown> =>
        kind === 'sync' ? space.putSync(bytes('b'), bytes('2')) : space.put(bytes('b'), bytes('2'));
      await expect(write()).rejects.toMatchObject({ code: '08007' });
      await expect(write()).rejects.toMatchObject({ name: 'PhantomError' });
      await expect(space.write([])).resolves.toBeDefined();
      expect(list(space)).toEqual(['a=1']);
      await space.close();
    }
  });

  it('takes room back when the log refuses the write', async () => {
    const disk = new MemoryVfs();
    const space = await open({ vfs: disk, segmentBytes: 4096 });
    disk.capacityBytes = 0;
    const codes = new Set<string>();
    for (let i = 0; i < 20; i++) {
      await space.put(bytes('a'), new Uint8Array(3000)).catch((error: PhantomError) => codes.add(error.code));
      try {
        space.putSync(bytes('a'), new Uint8Array(3000));
      } catch (error) {
        codes.add((error as PhantomError).code);
      }
    }
    expect([...codes]).toEqual(['53100']);
    disk.capacityBytes = Number.POSITIVE_INFINITY;
    await space.put(bytes('a'), bytes('there is room'));
    await space.close();
  });

  it('keeps everything over a restart and a power cut', async () => {
    const vfs = new MemoryVfs();
    const engine = snapshotEngine(EngineCode.Lsm, 'alone');
    await using space = await open({ vfs }, engine);
    await space.put(bytes('a'), bytes('1'));
    await space.flush();
    space.putSync(bytes('b'), bytes('2'));
    await space.deleteRange({ lte: bytes('a') });
    for (let seed = 0; seed < 5; seed++) {
      await using again = await open({ vfs: vfs.crashClone(seed) }, engine);
      expect(list(again)).toEqual(['b=2']);
    }
  });
});
