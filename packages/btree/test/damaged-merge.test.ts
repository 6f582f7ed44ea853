/** A merge that meets damage: writing goes on, and once what is damaged was removed, the merge passes over it. */
import { EngineCode } from '@phantom/kv';
import { filesBelow } from '@phantom/testkit';
import { MemoryVfs } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import { type BtreeEngine, type BtreeOptions, openBtree } from '../src/index.js';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const keyOf = (i: number): Uint8Array => encode(`key ${1000 + i}`);
const DIRECTORY = '/data/store';
const KEYS = 1000;

interface DamagedTree {
  readonly db: Awaited<ReturnType<typeof openBtree>>;
  readonly engine: BtreeEngine;
  /** The file that is damaged where the value of key 500 lies. */
  readonly path: string;
}

/** A tree with a value for each key that `isKept`, in a run or in pages, damaged at that of key 500. */
async function damagedTree(where: string, options: BtreeOptions, isKept: (i: number) => boolean): Promise<DamagedTree> {
  const vfs = new MemoryVfs({ losesPower: false });
  const open = (): ReturnType<typeof openBtree> => openBtree(DIRECTORY, { vfs, idleMergeMs: 1e9, ...options });
  const engineOf = (): BtreeEngine => db.store.engine(EngineCode.Btree) as BtreeEngine;
  let db = await open();
  const kept = Array.from({ length: KEYS }, (_, i) => i).filter(isKept);
  await Promise.all(kept.map((i) => db.put(keyOf(i), encode(`value ${i} `.repeat(10)))));
  await db.flush();
  if (where === 'a page') {
    await engineOf().merge();
    // What is not in the cache has to be read.
    await db.close();
    db = await open();
  }
  const isDamaged = (path: string): boolean => path.endsWith(where === 'a run' ? '.run' : 'tree.db');
  const path = filesBelow(vfs, DIRECTORY).find(isDamaged) as string;
  vfs.corrupt(path, Buffer.from(vfs.readFile(path)).indexOf('value 500 '), new Uint8Array(30));
  return { db, engine: engineOf(), path };
}

describe('a merge that meets damage', () => {
  it.each(['a run', 'a page'])('in %s leaves what is there, and is over once that was removed', async (where) => {
    const { db, engine } = await damagedTree(where, {}, () => true);
    const { merges } = engine.stats();
    await db.put(keyOf(500), encode('in the damaged place'));
    await db.flush();
    await expect(engine.merge()).rejects.toMatchObject({ code: 'XX001' });
    expect(db.store.failure).toBeUndefined();
    await db.put(keyOf(5), encode('written'));
    await db.flush();
    await expect(engine.merge()).rejects.toMatchObject({ code: 'XX001' });
    expect(new TextDecoder().decode(await db.get(keyOf(5)))).toBe('written');
    expect(engine.stats()).toMatchObject({ runs: where === 'a run' ? 3 : 2, merges });

    // What was removed around the damage is read no more.
    await db.deleteRange({ gte: keyOf(300), lt: keyOf(700) });
    await db.flush();
    await engine.merge();
    expect(engine.stats().runs).toBe(0);
    for await (const finding of db.store.check()) expect(finding.severity).not.toBe('corruption');
    expect([...db.scan()]).toHaveLength(KEYS - 400);
    await db.close();
  });

  it.each(['a run', 'a page'])(
    'in %s leaves others to keep the runs few, so that writing does not end',
    async (where) => {
      const { db, engine, path } = await damagedTree(where, { runsMax: 4 }, (i) => i % 5 === 0);
      await db.put(keyOf(501), encode('beside the damaged place'));
      await db.flush();
      await expect(engine.merge()).rejects.toMatchObject({ code: 'XX001' });
      const { merges } = engine.stats();
      for (let round = 0; round < 24; round++) {
        for (let i = 1; i < KEYS; i += 5) await db.put(keyOf(i), encode(`round ${round}`));
        await db.flush();
        expect(engine.stats().runs).toBeLessThanOrEqual(8);
      }
      expect(engine.stats().merges).toBeGreaterThan(merges + 6);
      expect(engine.stats().damage).toMatchObject([{ severity: 'corruption', file: path }]);
      expect(db.store.failure).toBeUndefined();
      for (let i = 1; i < KEYS; i += 5) expect(new TextDecoder().decode(await db.get(keyOf(i)))).toBe('round 23');
      await expect(async () => db.get(keyOf(500))).rejects.toMatchObject({ code: 'XX001' });

      await db.deleteRange({ gte: keyOf(300), lt: keyOf(700) });
      await engine.merge();
      expect(engine.stats()).toMatchObject({ runs: 0, damage: [] });
      await db.close();
    },
  );
});
