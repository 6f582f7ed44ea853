/** Tables in either engine: chosen when they are made, seen in a system view, together in one commit. */
import { MemoryVfs } from '@phantom/vfs/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Database, openOn } from '../src/index.js';

let vfs: MemoryVfs;
let db: Database;

beforeEach(async () => {
  vfs = new MemoryVfs();
  db = await openOn(vfs, '/d');
});

afterEach(() => db.close());

const engines = (): Promise<unknown[]> => db.sql`select table_name, engine from phantom.tables order by table_name`;

describe('the engine of a table', () => {
  it('is the B+tree unless the table says otherwise, and a view shows it', async () => {
    db.exec(`
      create table a (id int primary key);
      create table b (id int primary key, v text) with (engine = lsm);
      create index on b (v);
      create table c with (engine = lsm) as select 1 as x;
    `);
    expect(await engines()).toEqual([
      { table_name: 'a', engine: 'btree' },
      { table_name: 'b', engine: 'lsm' },
      { table_name: 'c', engine: 'lsm' },
    ]);
    expect(() => db.exec('create table d (id int) with (engine = heap)')).toThrow(
      expect.objectContaining({ code: '22023' }),
    );
  });

  it('answers alike, and both are whole or absent in one commit', async () => {
    db.exec(`
      create table a (id int primary key, v int);
      create table b (id int primary key, v int references a) with (engine = lsm);
      create index on b (v);
      begin;
      insert into a select i, i from generate_series(1, 300) i;
      insert into b select i, i from generate_series(1, 300) i;
      commit;
      begin;
      update b set v = 7 where id <= 100;
      delete from b where id > 290;
      delete from a where id > 290;
    `);
    db.exec('rollback');
    await db.checkpoint();
    await db.close();
    db = await openOn(vfs, '/d');
    db.exec('update b set v = 7 where id <= 100');
    const [row] =
      await db.sql`select count(*)::int as n, sum(b.v)::int as s from a join b on b.v = a.id where a.id <= 7`;
    expect(row).toEqual({ n: 100, s: 700 });
    expect(() => db.exec('delete from a where id = 7')).toThrow(expect.objectContaining({ code: '23503' }));
    const stats = db.stats().store.engines;
    expect(stats.map(({ name }) => name)).toEqual(['btree', 'lsm']);
    expect(await db.check()).toEqual([]);
  });

  it('keeps its views out of every search path', () => {
    expect(() => db.exec('select * from tables')).toThrow(expect.objectContaining({ code: '42P01' }));
    db.exec('create table tables (id int); insert into tables values (5)');
    expect(db.prepare('select id from tables').all()).toEqual([{ id: 5 }]);
    expect(() => db.exec('create table phantom.t (id int)')).toThrow(expect.objectContaining({ code: '42501' }));
    expect(() => db.exec('create schema phantom')).toThrow(expect.objectContaining({ code: '42939' }));
  });
});
