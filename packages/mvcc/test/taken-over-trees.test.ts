/** Large transactions whose tree of keys an engine copies instead of making its own: nothing else may differ. */
import { Random } from '@phantom/base';
import { ArenaTree, EngineCode } from '@phantom/kv';
import { MemoryVfs } from '@phantom/vfs/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { MvccTransaction } from '../src/index.js';
import { contentOf, get, open, put, remove } from './spill-support.js';

afterEach(() => vi.restoreAllMocks());

/** Runs of ascending keys among each other, as numbers without leading zeros are; some written twice, some removed. */
function writeMany(transaction: MvccTransaction, engine: EngineCode, random: Random, model: Map<string, string>): void {
  for (let n = 1; n < 1500; n++) {
    const key = `d${n}`;
    put(transaction, engine, key, `${n} first`);
    model.set(key, `${n} first`);
    if (!random.chance(0.1)) continue;
    const other = `d${1 + random.below(n)}`;
    if (random.chance(0.5)) {
      remove(transaction, engine, other);
      model.delete(other);
    } else {
      put(transaction, engine, other, `${n} again`);
      model.set(other, `${n} again`);
    }
  }
}

const shown = (model: ReadonlyMap<string, string>): string[] =>
  [...model].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => `${key}=${value}`);

describe('the tree of a large transaction', () => {
  it.each([EngineCode.Btree, EngineCode.Lsm])(
    'is taken over by engine %i, and reads as it was written',
    async (engine) => {
      const graft = vi.spyOn(ArenaTree.prototype, 'graft');
      const random = new Random(engine);
      const vfs = new MemoryVfs();
      let { mvcc, store } = await open({}, vfs);
      const model = new Map<string, string>();
      const small = mvcc.begin();
      for (const key of ['d1000', 'd5', 'e']) {
        put(small, engine, key, 'before');
        model.set(key, 'before');
      }
      await small.commit();
      const before = mvcc.begin({ isolation: 'repeatable read', readOnly: true });
      expect(get(before, engine, 'd5')).toBe('before');

      const large = mvcc.begin();
      writeMany(large, engine, random, model);
      const savepoint = large.savepoint();
      writeMany(large, engine, random, new Map());
      large.rollbackTo(savepoint);
      put(large, engine, 'd7', 'behind the savepoint');
      model.set('d7', 'behind the savepoint');
      expect(get(large, engine, 'd7', 'getOwn')).toBe('behind the savepoint');
      await large.commit();
      expect(graft).toHaveBeenCalledTimes(1);
      expect(contentOf(mvcc, engine)).toEqual(shown(model));
      expect([get(before, engine, 'd5'), get(before, engine, 'd6')]).toEqual(['before', undefined]);
      before.rollback();

      // What comes behind it is written among it, one key at a time and many.
      const again = mvcc.begin();
      writeMany(again, engine, random, model);
      again.commitSync();
      expect(graft).toHaveBeenCalledTimes(1);
      expect(contentOf(mvcc, engine)).toEqual(shown(model));

      const left = vfs.crashClone(1);
      await store.close();
      ({ mvcc, store } = await open({}, left));
      expect(contentOf(mvcc, engine)).toEqual(shown(model));
      for await (const finding of store.check()) expect(finding).toBeUndefined();
      await store.close();
    },
  );

  it('is of no use where ranges are removed, or several engines are written to', async () => {
    const graft = vi.spyOn(ArenaTree.prototype, 'graft');
    const { mvcc, store } = await open();
    const random = new Random(3);
    const [model, other] = [new Map<string, string>(), new Map<string, string>()];
    const both = mvcc.begin();
    writeMany(both, EngineCode.Btree, random, model);
    writeMany(both, EngineCode.Lsm, random, other);
    await both.commit();
    const emptied = mvcc.begin();
    writeMany(emptied, EngineCode.Lsm, random, other);
    emptied.removeRange({
      lower: new Uint8Array([EngineCode.Btree << 4, 0, 0, 1]),
      upper: new Uint8Array([EngineCode.Btree << 4, 0, 0, 2]),
    });
    await emptied.commit();
    expect(graft).not.toHaveBeenCalled();
    expect(contentOf(mvcc, EngineCode.Btree)).toEqual([]);
    expect(contentOf(mvcc, EngineCode.Lsm)).toEqual(shown(other));
    await store.close();
  });
});
