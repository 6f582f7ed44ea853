/** A compaction that meets damage: writing goes on around it, over power cuts, and it is over once what is damaged was removed. */
import { EngineCode } from '@phantom/kv';
import { filesBelow } from '@phantom/testkit';
import { MemoryVfs } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import { type LsmEngine, type SingleSpace, openLsm } from '../src/index.js';
import { SMALL } from './small-options.js';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const keyOf = (i: number): Uint8Array => encode(`key ${1000 + i}`);
const DIRECTORY = '/data/store';
const KEYS = 600;

const engineOf = (db: SingleSpace): LsmEngine => db.store.engine(EngineCode.Lsm) as LsmEngine;

async function put(db: SingleSpace, from: number, to: number, step: number, text: string): Promise<void> {
  const writes: Promise<unknown>[] = [];
  for (let i = from; i < to; i += step) writes.push(db.put(keyOf(i), encode(`${text} ${i} `.repeat(8))));
  await Promise.all(writes);
  await db.flush();
}

/** Everything in a few runs of one level, cached by nobody, with damage in the middle. */
async function damagedStore(where: 'data' | 'index'): Promise<{ vfs: MemoryVfs; db: SingleSpace; path: string }> {
  const vfs = new MemoryVfs({ losesPower: false });
  const made = await open(vfs);
  for (let from = 0; from < KEYS; from += 200) await put(made, from, from + 200, 1, 'first');
  await engineOf(made).compact();
  expect(engineOf(made).stats().levels.at(-1)?.runs).toBe(3);
  await made.close();
  const runs = filesBelow(vfs, DIRECTORY).filter((path) => path.endsWith('.run'));
  const path = runs.find((name) => Buffer.from(vfs.readFile(name)).includes('first 300 ')) as string;
  const text = Buffer.from(vfs.readFile(path));
  // Behind the data lie the index and the filter, and behind these the metadata.
  const at = where === 'data' ? text.indexOf('first 300 ') : text.lastIndexOf('first ') + 100;
  vfs.corrupt(path, at, new Uint8Array(10).fill(255));
  return { vfs, db: await open(vfs), path };
}

function open(vfs: MemoryVfs): Promise<SingleSpace> {
  // One level, so that what is in level 0 meets the damage soon.
  return openLsm(DIRECTORY, { vfs, ...SMALL, levelFactor: 10, runBytesMax: 18_000, compression: 'none' });
}

async function textOf(db: SingleSpace, i: number): Promise<string> {
  return new TextDecoder().decode(await db.get(keyOf(i))).slice(0, 7);
}

describe('a compaction that meets damage', () => {
  it.each(['data', 'index'] as const)('in a block of %s is held, and all others go on', async (where) => {
    const { vfs, db, path } = await damagedStore(where);
    const engine = engineOf(db);
    for (let round = 0; round < 15; round++) await put(db, round % 7, KEYS, 7, `${round} next`);
    expect(db.store.failure).toBeUndefined();
    expect(engine.stats().damage).toMatchObject([{ severity: 'corruption', file: path, offset: expect.any(Number) }]);
    // What lies beside the damaged run went down, what lies over it is kept in few runs, once nothing is under way any more.
    await engine.settled().catch(() => undefined);
    expect(engine.stats().damage).toHaveLength(1);
    const { levels, bytesFlushed } = engine.stats();
    expect(levels[0]?.runs).toBeLessThan(SMALL.level0RunsMax as number);
    expect(levels[0]?.bytes).toBeLessThan(bytesFlushed / 2);
    expect(await textOf(db, 0)).toBe('14 next');
    expect(await textOf(db, KEYS - 1)).toMatch(/next/);

    // The list is in memory: after a power cut it is found out again.
    const cut = await open(vfs.crashClone(3));
    await put(cut, 0, KEYS, 5, 'later');
    await expect(engineOf(cut).compact()).rejects.toMatchObject({ code: 'XX001', data: { file: path } });
    expect(engineOf(cut).stats().damage).toHaveLength(1);
    expect(cut.store.failure).toBeUndefined();
    expect(await textOf(cut, 5)).toBe('later 5');
    await cut.close();
    await db.close();
  });

  it.each([
    { where: 'data', from: 250, to: 350 },
    { where: 'index', from: 150, to: 450 },
  ] as const)('in a block of $where is over once that was removed', async ({ where, from, to }) => {
    const { db } = await damagedStore(where);
    const engine = engineOf(db);
    for (let round = 0; round < 8; round++) await put(db, round % 7, KEYS, 7, `${round} next`);
    await expect(engine.compact()).rejects.toMatchObject({ code: 'XX001' });
    await db.deleteRange({ gte: keyOf(from), lt: keyOf(to) });
    await put(db, from, from + 10, 1, 'again');
    await engine.compact();
    expect(engine.stats()).toMatchObject({ damage: [], readAmplification: 1 });
    for await (const finding of db.store.check()) expect(finding.severity).not.toBe('corruption');
    expect([...db.scan()]).toHaveLength(KEYS - (to - from) + 10);
    await db.close();
  });

  it('ends writing when level 0 is full of what is damaged, and lets removals through that heal it', async () => {
    const vfs = new MemoryVfs({ losesPower: false });
    const few = { ...SMALL, level0RunsMin: 6, level0RunsMax: 6, levelBytes: 1e6, compression: 'none' } as const;
    const made = await openLsm(DIRECTORY, { vfs, ...few });
    for (let round = 0; round < 5; round++) await put(made, 0, 100, 1, `round ${round}`);
    await made.close();
    for (const path of filesBelow(vfs, DIRECTORY)) {
      if (path.endsWith('.run')) vfs.corrupt(path, 200, new Uint8Array(20).fill(255));
    }
    const db = await openLsm(DIRECTORY, { vfs, ...few });
    await put(db, 0, 100, 1, 'more');
    await expect(engineOf(db).compact()).rejects.toMatchObject({ code: 'XX001' });
    await db.put(keyOf(0), encode('in memory'));
    const refused = {
      code: 'XX001',
      message: 'level 0 of the LSM-tree has 6 runs, which damaged ones keep from being merged',
      data: { level0RunsMax: 6 },
    };
    await expect(db.flush()).rejects.toMatchObject(refused);
    await expect(db.put(keyOf(1), encode('refused'))).rejects.toMatchObject(refused);
    expect(db.store.failure).toBeUndefined();
    await db.deleteRange({});
    await db.flush();
    await engineOf(db).compact();
    expect(engineOf(db).stats()).toMatchObject({ runs: 0, damage: [] });
    await put(db, 0, 100, 1, 'at last');
    await db.close();
  });
});
