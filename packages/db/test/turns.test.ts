/** A loop that awaits what is there at once leaves timers, sockets and other callers their turns. */
import { MemoryVfs } from '@phantom/vfs/testing';
import { expect, it, vi } from 'vitest';
import { type Database, open, openOn } from '../src/index.js';

const CALLS_MAX = 2_000_000;

const KINDS: readonly (readonly [string, (db: Database) => Promise<unknown>])[] = [
  ['queries', (db) => db.query('select v from t where id = $1', [1])],
  ['statements of a template', (db) => db.sql`select v from t where id = ${1}`],
  ['writes that wait for no sync', (db) => db.query('update t set v = v + 1 where id = 1')],
  ['batches', (db) => db.batch([['select v from t where id = 1']])],
  ['documents', (db) => db.collection('c').findOne({ _id: 1 })],
  ['transactions', (db) => db.transaction((tx) => tx.query('select v from t where id = 1'))],
];

it.each(KINDS)('%s leave others their turn', async (_kind, call) => {
  const db = await open(':memory:');
  db.exec('create table t (id int primary key, v int); insert into t values (1, 0)');
  let turns = 0;
  const count = (): void => {
    turns++;
    timer = setTimeout(count, 0);
  };
  let timer = setTimeout(count, 0);
  for (let calls = 0; calls < CALLS_MAX && turns < 3; calls++) await call(db);
  clearTimeout(timer);
  expect(turns).toBe(3);
  await db.close();
});

const FILLING: readonly (readonly [string, (db: Database) => Promise<unknown>])[] = [
  ['one statement', (db) => db.query('insert into t select i from generate_series(1, 20000) i')],
  [
    'many statements',
    (db) =>
      db.transaction(async (tx) => {
        for (let i = 0; i < 20_000; i++) await tx.query('insert into t values ($1)', [i]);
      }),
  ],
];

it.each(FILLING)(
  '%s writing more than memory takes, which goes to disk, leave others their turn',
  async (_kind, fill) => {
    const vfs = new MemoryVfs();
    const db = await openOn(vfs, '/d', { writeSetBytesMax: 300_000, durability: 'memory' });
    db.exec('create table t (id int primary key)');
    let turnsMeanwhile = 0;
    let spilledBytes = 0;
    let filesWritten = 0;
    // A file that was not there when what is put aside last became more is being written; of several, one may be within a slice.
    const look = (): void => {
      const files = vfs.list('/d/btree').filter((name) => name.includes('spill')).length;
      const stats = db.stats().transactions;
      if (stats.spilledBytes !== spilledBytes) {
        ({ spilledBytes } = stats);
        filesWritten = files;
      } else if (files > filesWritten) turnsMeanwhile++;
      timer = setImmediate(look);
    };
    let timer = setImmediate(look);
    // Each look at the clock takes a millisecond: on a fast machine all that is put aside at a time may fit into one slice.
    const { now } = performance;
    let looks = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now.call(performance) + looks++);
    await fill(db);
    clock.mockRestore();
    clearImmediate(timer);
    expect(turnsMeanwhile).toBeGreaterThan(0);
    expect(db.prepare('select count(*)::int as n from t').get()).toEqual({ n: 20_000 });
    await db.close();
  },
);
