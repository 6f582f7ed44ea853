/** Rights on documents: what is granted on a collection's table, to the role that the session has. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Database, type Transaction, open } from '../src/index.js';

let db: Database;

beforeEach(async () => {
  db = await open(':memory:');
  db.exec(`create role ada; create role bob; grant create on schema public to ada;
    create collection posts (schema '{"properties": {"title": {"type": "string"}}}');
    insert into posts (_id, title) values ('1', 'One')`);
});

afterEach(() => db.close());

/** What comes of an operation in the name of a role: its code when it fails. */
const as = async (role: string, work: (tx: Transaction) => Promise<unknown>): Promise<unknown> => {
  try {
    return await db.transaction(async (tx) => {
      await tx.query(`set local role ${role}`);
      return work(tx);
    });
  } catch (error) {
    return (error as { code?: string }).code;
  }
};

describe('a role', () => {
  it('does with documents what is granted on their collection, and nothing else', async () => {
    const posts = db.collection<{ _id: number; title: string }>('posts');
    const works: Record<string, (tx: Transaction) => Promise<unknown>> = {
      find: (tx) => posts.find({}, { tx }).toArray(),
      count: (tx) => posts.countDocuments({}, { tx }),
      aggregate: (tx) => posts.aggregate([{ $match: {} }], { tx }).toArray(),
      lookup: (tx) =>
        db
          .collection('other')
          .aggregate([{ $unionWith: { coll: 'posts' } }], { tx })
          .toArray(),
      insert: (tx) => posts.insertOne({ _id: 2, title: 'x' }, { tx }),
      update: (tx) => posts.updateOne({ _id: 1 }, { $set: { title: 'y' } }, { tx }),
      upsert: (tx) => posts.updateOne({ _id: 9 }, { $set: { title: 'y' } }, { tx, upsert: true }),
      delete: (tx) => posts.deleteOne({ _id: 1 }, { tx }),
      out: (tx) =>
        db
          .collection('other')
          .aggregate([{ $out: 'posts' }], { tx })
          .toArray(),
      createIndex: (tx) => posts.createIndex({ title: 1 }, { tx }),
      setSchema: (tx) => posts.setSchema(null, { tx }),
      drop: (tx) => posts.drop({ tx }),
    };
    /** Names of what the role may not do; what it may is undone. */
    const refused = async (role: string): Promise<string[]> => {
      const names: string[] = [];
      for (const [name, work] of Object.entries(works)) {
        const done = await as(role, async (tx) => {
          await work(tx);
          throw Object.assign(new Error('undone'), { code: 'done' });
        });
        if (done === '42501') names.push(name);
        else expect(done, name).toBe('done');
      }
      return names;
    };
    db.exec('create collection other; grant all on other to ada');
    expect(await refused('ada')).toEqual(Object.keys(works));
    db.exec('grant select on posts to ada');
    const definitions = ['createIndex', 'setSchema', 'drop'];
    expect(await refused('ada')).toEqual(['insert', 'update', 'upsert', 'delete', 'out', ...definitions]);
    db.exec('grant update on posts to ada');
    expect(await refused('ada')).toEqual(['insert', 'upsert', 'delete', 'out', ...definitions]);
    db.exec('revoke update on posts from ada; grant insert, delete on posts to ada');
    expect(await refused('ada')).toEqual(['update', 'upsert', ...definitions]);
    db.exec('alter table posts owner to ada');
    expect(await refused('ada')).toEqual([]);
    db.exec('revoke usage on schema public from public');
    expect(await refused('ada')).toEqual(Object.keys(works));
  });

  it('owns the collections that it makes, and needs a right to make and to refer', async () => {
    const made = db.collection('made', { schema: { properties: { post: { 'x-ref': { collection: 'posts' } } } } });
    expect(await as('bob', (tx) => made.insertOne({}, { tx }))).toBe('42501');
    expect(await as('ada', (tx) => made.insertOne({}, { tx }))).toBe('42501');
    db.exec('grant references on posts to ada');
    expect(await as('ada', (tx) => made.insertOne({ post: 1 }, { tx }))).toMatchObject({});
    expect(await db.sql`select tableowner from pg_tables where tablename = 'made'`).toEqual([{ tableowner: 'ada' }]);
    // What refers to a document holds it, whoever removes it, and asks for no right of his.
    db.exec('grant select, delete on posts to bob');
    expect(await as('bob', (tx) => db.collection('posts').deleteOne({ _id: 1 }, { tx }))).toBe('23503');
    expect(await as('ada', (tx) => made.find({}, { tx, populate: 'post' }).toArray())).toBe('42501');
  });

  it('is that of the database for operations outside of transactions', async () => {
    const own = await open(':memory:', { user: 'root' });
    expect(await own.collection('c').insertOne({ a: 1 })).toBeDefined();
    expect(await own.sql`select tableowner from pg_tables where tablename = 'c'`).toEqual([{ tableowner: 'root' }]);
    await own.close();
  });
});
