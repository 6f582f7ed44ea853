/** A single space as a Level database: what abstract-level's own suite, which runs on the trees, does not ask. */
import { EngineCode } from '@phantom/kv';
import { MemoryVfs } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import { SpaceLevel, type SpaceLevelOptions } from '../src/level.js';
import { snapshotEngine } from './snapshot-engine.js';

function make<V = string>(options: SpaceLevelOptions<string, V> = {}): SpaceLevel<string, V> {
  const settings = { vfs: new MemoryVfs(), segmentBytes: 16_384, ...options };
  return new SpaceLevel('/data/level', snapshotEngine(EngineCode.Lsm, 'memory'), settings);
}

const letters = ['a', 'b', 'c', 'd', 'e'];

async function withLetters(): Promise<SpaceLevel> {
  const db = make();
  await db.batch(letters.map((key) => ({ type: 'put', key, value: key.toUpperCase() })));
  return db;
}

describe('a single space as a Level database', () => {
  it('reads and writes in any encoding, also after a restart', async () => {
    const db = make({ valueEncoding: 'json' });
    expect(db.location).toBe('/data/level');
    await db.put('a', '1');
    await db.put('b', { deep: [1] } as never);
    await db.del('a');
    expect(await db.get('a')).toBeUndefined();
    expect(db.getSync('b')).toEqual({ deep: [1] });
    expect(await db.getMany(['a', 'b'], { valueEncoding: 'utf8' })).toEqual([undefined, '{"deep":[1]}']);
    expect([await db.has('b'), await db.hasMany(['a', 'b'])]).toEqual([true, [false, true]]);
    await db.close();
    await db.open({ createIfMissing: false });
    expect(await db.get('b')).toEqual({ deep: [1] });
    await db.close();
  });

  it('shows an iterator the state of the moment it was made at', async () => {
    const db = await withLetters();
    const entries = db.iterator({ gte: 'b', lt: 'e' });
    await db.del('c');
    await db.put('bb', 'late');
    expect(await entries.next()).toEqual(['b', 'B']);
    expect(await entries.nextv(10)).toEqual([
      ['c', 'C'],
      ['d', 'D'],
    ]);
    await entries.close();
    expect(await db.keys({ reverse: true, limit: 3 }).all()).toEqual(['e', 'd', 'bb']);
    expect(await db.values({ gt: 'a', lte: 'c' }).all()).toEqual(['B', 'late']);
    expect(await db.iterator({ values: false, lt: 'b' }).all()).toEqual([['a', undefined]]);
    await db.close();
  });

  it('jumps in both directions, and ends outside the range', async () => {
    const db = await withLetters();
    const up = db.keys({ gte: 'b', lte: 'd' });
    up.seek('bb');
    expect([await up.next(), await up.next(), await up.next()]).toEqual(['c', 'd', undefined]);
    up.seek('a');
    expect(await up.next()).toBeUndefined();
    up.seek('b');
    expect(await up.nextv(2)).toEqual(['b', 'c']);
    const down = db.values({ reverse: true });
    down.seek('c');
    expect(await down.nextv(2)).toEqual(['C', 'B']);
    down.seek('dd');
    expect(await down.next()).toBe('D');
    await db.close();
  });

  it('clears ranges, so many keys, and what a snapshot shows', async () => {
    const db = await withLetters();
    await db.clear({ gte: 'b', gt: 'd', lt: 'c' });
    expect(await db.keys().all()).toEqual(['a', 'c', 'd', 'e']);
    await db.clear({ reverse: true, limit: 1 });
    expect(await db.keys().all()).toEqual(['a', 'c', 'd']);
    const snapshot = db.snapshot();
    await db.put('f', 'F');
    await db.clear({ snapshot, gt: 'a' });
    expect(await db.keys().all()).toEqual(['a', 'f']);
    expect([await db.get('c', { snapshot }), await db.keys({ snapshot }).all()]).toEqual(['C', ['a', 'c', 'd']]);
    await snapshot.close();
    expect(() => db.keys({ snapshot })).toThrow(expect.objectContaining({ code: 'LEVEL_SNAPSHOT_NOT_OPEN' }));
    await db.clear({ limit: 0 });
    await db.clear();
    expect(await db.keys().all()).toEqual([]);
    expect(db.space.stats().openViews).toBe(0);
    await db.close();
  });

  it('releases what it pinned when a bound is too long', async () => {
    const db = await withLetters();
    expect(() => db.keys({ gt: 'x'.repeat(3000) })).toThrow(expect.objectContaining({ code: '54000' }));
    expect(db.space.stats().openViews).toBe(0);
    await db.close();
  });

  it('waits for no sync where a write asks for none', async () => {
    const vfs = new MemoryVfs();
    const db = make({ vfs });
    await db.open();
    const { syncs } = db.space.stats();
    await db.put('a', 'A', { sync: false } as object as { keyEncoding: string });
    expect(db.space.stats().syncs).toBe(syncs);
    await db.put('b', 'B');
    expect(db.space.stats().syncs).toBe(syncs + 1);
    await db.close();
  });

  it('says why it does not open in the words of Level', async () => {
    const vfs = new MemoryVfs();
    const causeOf = (db: SpaceLevel, options = {}): Promise<unknown> =>
      db.open(options).then(
        () => undefined,
        (error: Error) => (error.cause as { code?: string }).code,
      );
    expect(() => new SpaceLevel('', snapshotEngine(EngineCode.Lsm, 'memory'))).toThrow(TypeError);
    expect(await causeOf(make({ vfs }), { createIfMissing: false })).toBe('LEVEL_DATABASE_MISSING');
    const first = make({ vfs });
    expect(() => first.space).toThrow(expect.objectContaining({ code: '55000' }));
    await first.open();
    expect(await causeOf(make({ vfs }))).toBe('LEVEL_LOCKED');
    expect(await causeOf(make({ vfs }), { errorIfExists: true })).toBe('LEVEL_DATABASE_EXISTS');
    await first.close();
    expect(await causeOf(make({ vfs, cacheBytes: -1 }))).toBe('22023');
    const file = vfs.open('/data/level/superblock', { mode: 'write' });
    for (let at = 0; at < file.size(); at++) file.writeAt(at, Uint8Array.of(1));
    file.close();
    expect(await causeOf(make({ vfs }))).toBe('LEVEL_CORRUPTION');
  });
});
