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

describe('a change stream', () => {
  it('tells what SQL does, and goes on after a restart', async () => {
    const posts = db.collection<{ _id: number; n?: number }>('posts');
    await posts.insertOne({ _id: 1 });
    const stream = posts.watch();
    db.exec(`insert into posts (_id, doc) values ('2', '{"n": 1}');
             update posts set doc = jsonb_set(doc, '{n}', '5') where _id = '2'; delete from posts where _id = '1'`);
    const inserted = (await stream.next()).value;
    expect(inserted).toMatchObject({ operationType: 'insert', fullDocument: { _id: 2, n: 1 } });
    stream.close();
    await db.close();
    db = await openOn(vfs, '/d');
    const resumed = db.collection('posts').watch([], { resumeAfter: inserted?._id as string });
    expect((await resumed.next()).value).toMatchObject({
      operationType: 'update',
      documentKey: { _id: 2 },
      updateDescription: { updatedFields: { n: 5 }, removedFields: [] },
    });
    expect((await resumed.next()).value).toMatchObject({ operationType: 'delete', documentKey: { _id: 1 } });
    db.exec(`begin; truncate posts; insert into posts (_id, doc) values ('3', '{}'); commit`);
    db.exec(`insert into posts (_id, doc) values ('4', '{}')`);
    db.exec('drop table posts');
    const types: (string | undefined)[] = [];
    for await (const { operationType } of resumed) types.push(operationType);
    expect(types).toEqual(['truncate', 'insert', 'insert', 'drop', 'invalidate']);
  });
});

describe('a collection and a table', () => {
  it("are written in one transaction by the transaction's own collection", async () => {
    db.exec('create table orders (id int primary key, total int)');
    const failed = db.transaction(async (tx) => {
      const events = tx.collection<{ _id: number; n: number }>('events');
      await events.insertMany([
        { _id: 1, n: 1 },
        { _id: 2, n: 2 },
      ]);
      await tx.sql`insert into orders values (1, 10)`;
      expect(await events.countDocuments()).toBe(2);
      expect(await events.findOne({ _id: 1 })).toEqual({ _id: 1, n: 1 });
      expect(await db.collection('events').findOne({ _id: 1 })).toBeNull();
      throw new Error('back');
    });
    await expect(failed).rejects.toThrow('back');
    expect(await db.collection('events').countDocuments()).toBe(0);
    await db.transaction(async (tx) => {
      const events = tx.collection<{ _id: number; n: number }>('events');
      await events.insertOne({ _id: 1, n: 1 });
      await events.updateOne({ _id: 1 }, { $inc: { n: 1 } });
      await events.bulkWrite([{ insertOne: { document: { _id: 3, n: 3 } } }]);
      expect(await events.find({ n: { $gt: 1 } }).toArray()).toHaveLength(2);
      expect(await events.aggregate([{ $count: 'n' }]).toArray()).toEqual([{ n: 2 }]);
      expect(await events.distinct('n', {}, {})).toEqual([2, 3]);
      expect(await events.danglingReferences({})).toMatchObject({ dangling: 0 });
      expect(await events.findOneAndDelete({ _id: 3 })).toEqual({ _id: 3, n: 3 });
      await tx.sql`insert into orders values (1, 10)`;
      expect(() => events.watch()).toThrow(expect.objectContaining({ code: '0A000' }));
      expect(await db.collection('events').countDocuments({}, { tx })).toBe(1);
    });
    expect(await db.sql`select doc, total from events, orders`).toEqual([{ doc: { _id: 1, n: 2 }, total: 10 }]);
  });

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

  it('wait for a document no longer than lock_timeout, in a statement and at the commit', async () => {
    const c = db.collection<{ _id: number; n?: number }>('c');
    await c.insertOne({ _id: 1 });
    await db.transaction(async (tx) => {
      await c.updateOne({ _id: 1 }, { $set: { n: 1 } }, { tx });
      await tx.query("prepare transaction 'x'");
    });
    const codes = ['read committed', 'repeatable read'].map((isolation) =>
      db
        .transaction(
          async (tx) => {
            await tx.query('set local lock_timeout = 10');
            await c.updateOne({ _id: 1 }, { $set: { n: 2 } }, { tx });
          },
          { isolation: isolation as 'read committed' | 'repeatable read' },
        )
        .catch(({ code }) => code),
    );
    expect(await Promise.all(codes)).toEqual(['55P03', '55P03']);
    await db.query("commit prepared 'x'");
    expect(await c.findOne()).toEqual({ _id: 1, n: 1 });
  });

  it('lets two writers of one new collection both have it', async () => {
    await Promise.all([1, 2, 3].map((_id) => db.collection('made').insertOne({ _id })));
    expect(await db.collection('made').countDocuments()).toBe(3);
  });

  it('are written in SQL by the same rules, into the same indexes', async () => {
    db.exec(`create collection posts (schema '{"type": "object", "required": ["title"]}')`);
    db.exec(`create collection if not exists posts`);
    const posts = db.collection('posts');
    await posts.createIndex({ title: 1 }, { unique: true });
    await db.sql`insert into posts (_id, doc) values ('1', '{"title": "One", "n": 1}'), ('"x"', '{"_id": "x", "title": "Two"}')`;
    expect(await posts.find({ title: 'One' }).explain()).toMatchObject({ stage: 'IXSCAN', returned: 1 });
    expect(await posts.findOne({ _id: 1 })).toEqual({ _id: 1, title: 'One', n: 1 });
    await db.sql`update posts set doc = jsonb_set(doc, '{n}', '5') where doc ->> 'title' = 'One'`;
    expect(await posts.findOne({ title: 'One' })).toEqual({ _id: 1, title: 'One', n: 5 });
    const failing: readonly (readonly [string, string])[] = [
      [`insert into posts values ('2', '{"title": "One"}')`, '23505'],
      [`insert into posts values ('1', '{"title": "Three"}')`, '23505'],
      [`insert into posts values ('2', '{"n": 1}')`, '23514'],
      [`insert into posts values ('2', '[1]')`, '22023'],
      [`insert into posts values ('2', '{"_id": 3, "title": "x"}')`, '22023'],
      [`insert into posts (_id, doc) values (null, '{"title": "x"}')`, '23502'],
      [`update posts set _id = '9' where _id = '1'`, '22023'],
      [`update posts set doc = doc - 'title'`, '23514'],
      [`alter table posts add column x int`, '0A000'],
      [`alter table posts rename column title to name`, '0A000'],
      [`create table heir () inherits (posts)`, '0A000'],
      [`alter table posts inherit posts`, '0A000'],
      [`create trigger t after insert on posts execute function f()`, '0A000'],
      [`drop trigger t on posts`, '0A000'],
      [`insert into posts values ('1', '{}') on conflict (doc) do nothing`, '42P10'],
      [`create index on posts ((doc ->> 'title')) where true`, '0A000'],
      [`create index on posts (doc)`, '0A000'],
      [`create index on posts ((upper(doc ->> 'title')))`, '0A000'],
      [`create index concurrently on posts ((doc ->> 'title'))`, '0A000'],
      [`create collection posts`, '42P07'],
      [`create collection c (schema 'x')`, '22P02'],
      [`create collection c (schema '{"type": "x"}')`, '22023'],
      [`create collection c (engine = heap)`, '22023'],
      [`create collection c (capped = true)`, '0A000'],
    ];
    for (const [statement, code] of failing) {
      expect(() => db.exec(statement), statement).toThrow(expect.objectContaining({ code }));
    }
    await db.sql`delete from posts where _id = '"x"'`;
    expect(await posts.countDocuments({ title: 'Two' })).toBe(0);
    expect(await posts.countDocuments()).toBe(1);
    db.exec('truncate posts');
    expect(await posts.find({ title: 'One' }, { hint: 'posts_title_1' }).toArray()).toEqual([]);
    await posts.insertOne({ title: 'One' });
    db.exec('drop index "posts_title_1"');
    expect(await posts.indexes()).toHaveLength(1);
  });

  it('are written by both in one transaction, each seeing what the other wrote', async () => {
    const c = db.collection<{ _id: number; n: number }>('c');
    await db.transaction(async (tx) => {
      await c.insertOne({ _id: 1, n: 1 }, { tx });
      await tx.sql`insert into c values ('2', '{"n": 2}')`;
      await c.updateMany({}, { $inc: { n: 10 } }, { tx });
      expect(await tx.sql`select sum((doc ->> 'n')::int)::int as s from c`).toEqual([{ s: 23 }]);
      expect(await c.aggregate([{ $group: { _id: null, n: { $sum: '$n' } } }], { tx }).toArray()).toEqual([
        { _id: null, n: 23 },
      ]);
    });
    const failed = db.transaction(async (tx) => {
      await c.deleteMany({}, { tx });
      throw new Error('no');
    });
    await expect(failed).rejects.toThrow('no');
    expect(await c.countDocuments()).toBe(2);
  });

  it('settles references at the commit, at every isolation level, whoever wrote the documents', async () => {
    const schema = { properties: { author: { 'x-ref': { collection: 'users', onDelete: 'cascade' } } } };
    const posts = db.collection<{ _id: number; author: number }>('posts', { schema });
    const users = db.collection<{ _id: number }>('users');
    for (const isolation of ['read committed', 'repeatable read', 'serializable'] as const) {
      await db.transaction(
        async (tx) => {
          await posts.insertOne({ _id: 1, author: 1 }, { tx });
          await tx.sql`insert into users values ('1', '{}')`;
        },
        { isolation },
      );
      const dangling = db.transaction(async (tx) => tx.sql`insert into posts values ('2', '{"author": 2}')`, {
        isolation,
      });
      await expect(dangling).rejects.toMatchObject({ code: '23503' });
      await db.transaction(async (tx) => tx.sql`delete from users`, { isolation });
      expect([await users.countDocuments(), await posts.countDocuments()]).toEqual([0, 0]);
      for (let round = 0; round < 5; round++) {
        await users.insertOne({ _id: round });
        await Promise.allSettled([
          db.transaction((tx) => posts.insertOne({ _id: round, author: round }, { tx }), { isolation }),
          db.transaction((tx) => users.deleteOne({ _id: round }, { tx }), { isolation }),
        ]);
      }
      expect(await posts.danglingReferences()).toMatchObject({ dangling: 0 });
      await users.deleteMany({});
    }
  });

  it('is held by those that refer to it: TRUNCATE and DROP need CASCADE', async () => {
    db.exec(`create collection users;
      create collection posts (schema '{"properties": {"author": {"x-ref": {"collection": "users"}}}}');
      insert into users values ('1', '{}');
      insert into posts values ('1', '{"author": 1}')`);
    expect(() => db.exec(`insert into posts values ('2', '{"author": 2}')`)).toThrow('does not exist');
    expect(() => db.exec('delete from users')).toThrow('is removed');
    expect(() => db.exec('truncate users')).toThrow('referenced');
    expect(() => db.exec('drop table users')).toThrow('other objects depend on it');
    expect(() =>
      db.exec(`create collection c (schema '{"properties": {"a": {"x-ref": {"collection": "d"}}}}')`),
    ).toThrow('does not exist');
    db.exec('truncate users cascade');
    expect(await db.collection('posts').countDocuments()).toBe(0);
    db.exec('drop table users cascade');
    await db.collection('posts').insertOne({ author: 5 });
    db.exec('drop table posts');
  });
});
