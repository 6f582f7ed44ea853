/** What a commit survives: of the store, and of one transaction; each result that promises less than usual says so. */
import { MemoryVfs } from '@phantom/vfs/testing';
import { expect, it } from 'vitest';
import { openOn } from '../src/index.js';

it('is told in each result that promises less than a power cut', async () => {
  const vfs = new MemoryVfs();
  const db = await openOn(vfs, '/d');
  db.exec('create table t (id int primary key)');
  const insert = db.prepare('insert into t values ($1)');
  expect(Object.keys(insert.run(1))).toEqual(['changes', 'seq']);
  expect(await db.query('insert into t values (2)')).not.toHaveProperty('durability');
  db.exec('set synchronous_commit = off');
  expect(insert.run(3)).toMatchObject({ changes: 1, durability: 'os' });
  expect(insert.run(4).durability).toBe('os');
  db.exec('set synchronous_commit = on');
  expect(insert.run(5).durability).toBeUndefined();
  // What comes behind it makes the relaxed commit durable as well.
  const clone = vfs.crashClone(7);
  await db.close();
  const again = await openOn(clone, '/d', { durability: 'os' });
  expect(again.prepare('select count(*)::int as n from t').get()).toEqual({ n: 5 });
  expect(await again.query('insert into t values (6)')).toMatchObject({ rowCount: 1, durability: 'os' });
  expect(await again.query('select 1')).not.toHaveProperty('durability');
  expect(again.prepare('delete from t where id = 99').run()).toEqual({ changes: 0, seq: undefined });
  await again.close();
  const memory = await openOn(new MemoryVfs(), '/m', { durability: 'memory' });
  expect(await memory.query('create table t (id int)')).toMatchObject({ durability: 'memory' });
  await memory.close();
});

it.each(['fsync', 'os', 'memory'] as const)(
  'never decides which rows a new table has, whatever is left of the log: %s',
  async (durability) => {
    const vfs = new MemoryVfs();
    const written = await openOn(vfs, '/d', { durability, deltaBytesMax: 1 << 18, checkpointBytesMin: 1 << 30 });
    await written.query('set synchronous_commit = off');
    for (const name of ['a', 'b']) await written.query(`create table ${name} (id int primary key, v text)`);
    // More than fits into memory: files of the engine come to be ahead of what the log has durably.
    for (let i = 0; i < 4; i++)
      await written.query(
        `insert into b select i, repeat('x', 100) from generate_series(${i * 1000}, ${i * 1000 + 999}) i`,
      );
    for (let seed = 1; seed <= 4; seed++) {
      // With `memory`, a log may not even open after a power cut; what it buffers ends with the process.
      const disk = durability === 'memory' ? vfs.killClone() : vfs.crashClone(seed);
      const db = await openOn(disk, '/d', { durability });
      for (const name of ['c', 'd', 'e']) {
        await db.query(`create table ${name} (id int primary key, v text)`);
        expect(await db.query(`select count(*)::int as n from ${name}`)).toMatchObject({ rows: [{ n: 0 }] });
      }
      await db.close();
    }
    await written.close();
  },
);
