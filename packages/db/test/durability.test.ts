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
