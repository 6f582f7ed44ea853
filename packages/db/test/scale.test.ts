/** What must not grow with the number of tables: counted in operations of the disk and in syncs, not in time. */
import { MemoryVfs } from '@phantom/vfs/testing';
import { expect, it } from 'vitest';
import { type Database, openOn } from '../src/index.js';

const count = (vfs: MemoryVfs, ...operations: string[]): number =>
  operations.reduce((sum, operation) => sum + (vfs.counts.get(operation as 'sync') ?? 0), 0);

async function withTables(tables: number): Promise<{ vfs: MemoryVfs; db: Database }> {
  const vfs = new MemoryVfs();
  const db = await openOn(vfs, '/d');
  const statements: string[] = ['begin'];
  for (let i = 0; i < tables; i++) {
    statements.push(`create table t${i} (id int primary key, v text)${i % 2 === 0 ? '' : ' with (engine = lsm)'}`);
  }
  db.exec([...statements, 'commit'].join(';'));
  return { vfs, db };
}

/** Syncs of a checkpoint after one row was written to each of so many tables. */
async function syncsOfCheckpoint(tables: number): Promise<number> {
  const { vfs, db } = await withTables(tables);
  await db.checkpoint();
  await db.batch(Array.from({ length: tables }, (_, i) => [`insert into t${i} values (1, 'x')`] as const));
  const before = count(vfs, 'sync', 'syncDir');
  await db.checkpoint();
  const syncs = count(vfs, 'sync', 'syncDir') - before;
  await db.close();
  return syncs;
}

it('a checkpoint syncs as often after writes to 500 tables as after writes to two', async () => {
  const few = await syncsOfCheckpoint(2);
  expect(few).toBeGreaterThan(0);
  expect(await syncsOfCheckpoint(500)).toBe(few);
});

it('opening touches as many files with a thousand tables as with two, and reads as little', async () => {
  const opened: number[] = [];
  const pages: number[] = [];
  for (const tables of [2, 1000]) {
    const { vfs, db } = await withTables(tables);
    await db.close();
    const before = count(vfs, 'open', 'list', 'sync', 'write', 'rename', 'remove');
    const again = await openOn(vfs, '/d');
    opened.push(count(vfs, 'open', 'list', 'sync', 'write', 'rename', 'remove') - before);
    expect(again.prepare('select v from t1 where id = 1').get()).toBeUndefined();
    pages.push(again.stats().store.engines.reduce((sum, { pagesRead }) => sum + pagesRead, 0));
    expect(again.prepare(`select count(*)::int as n from phantom.tables`).get()).toEqual({ n: tables });
    await again.close();
  }
  expect(opened[1]).toBe(opened[0]);
  // A larger tree has more leaves between its few names; were all of it read, it would be ten times as much.
  expect(pages[1]).toBeLessThan((pages[0] as number) + 10);
});

it.each(['btree', 'lsm'])('dropping a table reads and removes nothing by itself: %s', async (engine) => {
  const work: number[][] = [];
  for (const rows of [100, 20_000]) {
    const vfs = new MemoryVfs();
    const db = await openOn(vfs, '/d');
    db.exec(`create table t (id int primary key, v text) with (engine = ${engine})`);
    db.exec(`insert into t select i, 'row ' || i from generate_series(1, ${rows}) i`);
    await db.checkpoint();
    const before = { reads: count(vfs, 'read'), writes: count(vfs, 'write'), syncs: count(vfs, 'sync') };
    const logBefore = db.stats().store.wal.bytesAppended;
    db.exec('drop table t');
    const bytes = db.stats().store.wal.bytesAppended - logBefore;
    expect(bytes).toBeLessThan(2000);
    // The record, and now and then a step of zeros ahead of it.
    expect(count(vfs, 'write') - before.writes).toBeLessThanOrEqual(2);
    work.push([count(vfs, 'read') - before.reads, count(vfs, 'sync') - before.syncs]);
    await db.close();
  }
  expect(work[1]).toEqual(work[0]);
});
