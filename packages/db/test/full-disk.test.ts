/** A disk that runs full under SQL: writes are refused, reading and deleting go on, and so does writing once there is room. */
import { MemoryVfs } from '@phantom/vfs/testing';
import { expect, it } from 'vitest';
import { isPhantomError, openOn } from '../src/index.js';

const code = async (action: () => unknown): Promise<string> => {
  try {
    await action();
    return 'done';
  } catch (error) {
    if (isPhantomError(error)) return error.code;
    throw error;
  }
};

it.each(['btree', 'lsm'])(
  'refuses what needs room, lets deletes pass, and goes on when there is room: %s',
  async (engine) => {
    const vfs = new MemoryVfs({ capacityBytes: 12 << 20 });
    const db = await openOn(vfs, '/d', { checkpointBytesMax: 1 << 20, deltaBytesMax: 2 << 20 });
    db.exec(`create table t (id int primary key, v text) with (engine = ${engine})`);
    const value = Array.from({ length: 400 }, (_, i) => ((i * 7919) % 997).toString(36)).join('');
    let rows = 0;
    let refusal = 'done';
    for (; refusal === 'done' && rows < 100_000; rows += refusal === 'done' ? 200 : 0) {
      refusal = await code(() =>
        db.query(`insert into t select i, $1 || i from generate_series(${rows}, ${rows + 199}) i`, [value]),
      );
    }
    expect(refusal).toBe('53100');
    expect(db.failure).toBeUndefined();
    const count = async (): Promise<number> =>
      (await db.sql<{ n: number }>`select count(*)::int as n from t`)[0]?.n ?? 0;
    expect(await count()).toBe(rows);
    expect(
      await code(() => db.exec(`insert into t select i, repeat('y', 1000) from generate_series(-4000, -1) i`)),
    ).toBe('53100');
    // What only removes may use the reserve.
    expect(await code(() => db.query('delete from t where id < 100'))).toBe('done');
    expect(await code(() => db.exec('delete from t where id < 200'))).toBe('done');
    expect(await count()).toBe(rows - 200);
    vfs.capacityBytes = 200 << 20;
    await db.checkpoint();
    for (let i = 0; i < 10; i++)
      await db.query(`insert into t select i, 'again' from generate_series($1::int, $1 + 19) i`, [i * 20]);
    expect(await count()).toBe(rows);
    const clone = vfs.crashClone(5);
    await db.close();
    const again = await openOn(clone, '/d');
    expect(again.prepare('select count(*)::int as n from t').get()).toEqual({ n: rows });
    expect(await again.check()).toEqual([]);
    await again.close();
  },
);
