/** Collections beside tables: one transaction, one commit, one catalog. */
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

describe('a collection and a table', () => {
  for (const engine of ['btree', 'lsm'] as const) {
    it(`are written in one transaction: both or none, in ${engine}, and after a crash`, async () => {
      db.exec('create table orders (id int primary key, total int)');
      const events = db.collection<{ _id: number; kind: string }>('events', { engine });
      await db.transaction(async (tx) => {
        await tx.sql`insert into orders values (1, 10)`;
        await events.insertOne({ _id: 1, kind: 'order' }, { tx });
        expect(await events.findOne({ _id: 1 }, { tx })).toEqual({ _id: 1, kind: 'order' });
        expect(await events.findOne({ _id: 1 })).toBeNull();
        expect(await tx.sql`select doc ->> 'kind' as kind from events`).toEqual([{ kind: 'order' }]);
      });
      const failed = db.transaction(async (tx) => {
        await events.insertOne({ _id: 2, kind: 'order' }, { tx });
        await tx.sql`insert into orders values (1, 20)`;
      });
      await expect(failed).rejects.toMatchObject({ code: '23505' });
      expect(await events.countDocuments()).toBe(1);
      const disk = vfs.crashClone(7);
      const again = await openOn(disk, '/d');
      expect(await again.collection('events').find().toArray()).toEqual([{ _id: 1, kind: 'order' }]);
      expect(await again.sql`select count(*)::int as n from orders`).toEqual([{ n: 1 }]);
      await again.close();
    });
  }

  it('are both rows to SQL: read, joined, found by key', async () => {
    db.exec(`create table authors (name text primary key, born int); insert into authors values ('Ada', 1815)`);
    const posts = db.collection('posts');
    await posts.insertMany([
      { _id: 1, title: 'One', author: 'Ada' },
      { _id: 2, title: 'Two', author: 'Bob' },
    ]);
    expect(
      await db.sql`select p._id, doc ->> 'title' as title, born from posts p join authors a on a.name = doc ->> 'author'`,
    ).toEqual([{ _id: 1, title: 'One', born: 1815 }]);
    expect(await db.sql`select doc from posts where _id = '2'`).toEqual([
      { doc: { _id: 2, title: 'Two', author: 'Bob' } },
    ]);
    expect(() => db.exec(`delete from posts`)).toThrow(expect.objectContaining({ code: '0A000' }));
    db.exec('drop table posts');
    expect(await posts.countDocuments()).toBe(0);
  });

  it('fail a statement alone: the transaction goes on without it', async () => {
    const c = db.collection<{ _id: number }>('c');
    await c.insertOne({ _id: 1 });
    await db.transaction(async (tx) => {
      await c.insertOne({ _id: 2 }, { tx });
      await expect(c.insertMany([{ _id: 3 }, { _id: 1 }], { tx })).rejects.toMatchObject({ code: '23505' });
      await c.insertOne({ _id: 4 }, { tx });
    });
    expect((await c.find().toArray()).map(({ _id }) => _id)).toEqual([1, 2, 4]);
  });

  it('lets two writers of one new collection both have it', async () => {
    await Promise.all([1, 2, 3].map((_id) => db.collection('made').insertOne({ _id })));
    expect(await db.collection('made').countDocuments()).toBe(3);
  });
});
