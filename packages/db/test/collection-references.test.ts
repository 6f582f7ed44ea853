/** References between documents and rows, both ways: checked at the end of the transaction, cascading through both models. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Collection, type Database, type Transaction, open } from '../src/index.js';

let db: Database;

beforeEach(async () => {
  db = await open(':memory:');
});

afterEach(async () => {
  await db.close();
});

const rows = (sql: string): Promise<Record<string, unknown>[]> => db.query(sql).then((result) => result.rows);

/** Orders whose documents refer to customers, rows of a table. */
async function customersAndOrders(actions: object): Promise<void> {
  db.exec(`create table customers (id int primary key, email text unique);
    insert into customers values (1, 'ada@example.org'), (2, 'bob@example.org')`);
  const reference = { 'x-ref': { table: 'customers', ...actions } };
  const schema = {
    type: 'object',
    properties: { customer: reference, payers: { type: 'array', items: reference } },
  };
  await db.collection('orders', { schema }).insertMany([
    { _id: 1, customer: 1, payers: [1, 2] },
    { _id: 2, customer: 2 },
    { _id: 3, customer: null },
  ]);
}

describe('a document that refers to a row', () => {
  it('needs the row at the end of the transaction', async () => {
    await customersAndOrders({});
    const orders = db.collection('orders');
    await expect(orders.insertOne({ customer: 9 })).rejects.toMatchObject({
      code: '23503',
      table: 'orders',
      constraint: 'customer',
      data: { path: 'customer', value: 9, table: 'customers' },
    });
    await expect(orders.insertOne({ customer: 'ada' })).rejects.toMatchObject({ code: '23503' });
    await expect(orders.updateOne({ _id: 1 }, { $push: { payers: 9 } })).rejects.toMatchObject({ code: '23503' });
    await expect(db.query(`insert into orders (doc) values ('{"customer": 9}')`)).rejects.toMatchObject({
      code: '23503',
    });
    await db.transaction(async (tx) => {
      await orders.insertOne({ _id: 4, customer: 3 }, { tx });
      await tx.query(`insert into customers values (3, 'cy@example.org')`);
    });
    expect(await orders.countDocuments()).toBe(4);
  });

  it('restricts what becomes of the row', async () => {
    await customersAndOrders({});
    await expect(db.query('delete from customers where id = 1')).rejects.toMatchObject({
      code: '23503',
      table: 'orders',
    });
    await expect(db.query('update customers set id = 5 where id = 1')).rejects.toMatchObject({ code: '23503' });
    await db.query(`update customers set email = 'x' where id = 1`);
    await db.query('begin; delete from customers where id = 2; rollback').catch(() => undefined);
    await db.transaction(async (tx) => {
      await tx.query('delete from customers where id = 1');
      await tx.query(`insert into customers values (1, 'again')`);
    });
    expect(await rows('select count(*)::int as n from customers')).toEqual([{ n: 2 }]);
  });

  it.each([false, true])('goes with the row, or follows its key; with an index: %s', async (indexed) => {
    await customersAndOrders({ onDelete: 'cascade', onUpdate: 'cascade' });
    const orders = db.collection('orders');
    if (indexed) await orders.createIndex({ customer: 1 });
    await db.query('update customers set id = 7 where id = 1');
    expect(await orders.findOne({ _id: 1 })).toEqual({ _id: 1, customer: 7, payers: [7, 2] });
    await db.query('delete from customers where id = 2');
    expect(await orders.find().toArray()).toEqual([{ _id: 3, customer: null }]);
  });

  it('loses what the row was, and keeps the rest', async () => {
    await customersAndOrders({ onDelete: 'setNull', onUpdate: 'setNull' });
    await db.query('delete from customers where id = 1');
    expect(await db.collection('orders').findOne({ _id: 1 })).toEqual({ _id: 1, customer: null, payers: [null, 2] });
    await db.query('update customers set id = 5 where id = 2');
    expect(await db.collection('orders').findOne({ _id: 2 })).toEqual({ _id: 2, customer: null });
  });

  it('stands on a column that is unique, and is of a type that documents have', async () => {
    db.exec(`create schema shop; create table shop.items (id int primary key, code uuid unique, name text, born date unique);
      insert into shop.items values (1, '6f4b1e0a-7a0c-4f7e-9b0a-1f0e2d3c4b5a', 'one', '2020-01-01')`);
    const refer = (target: object): Promise<unknown> =>
      db.collection('stock').setSchema({ type: 'object', properties: { item: { 'x-ref': target } } });
    await expect(refer({ table: 'shop.none' })).rejects.toMatchObject({ code: '42P01' });
    await expect(refer({ table: 'shop.items', column: 'x' })).rejects.toMatchObject({ code: '42703' });
    await expect(refer({ table: 'shop.items', column: 'name' })).rejects.toMatchObject({ code: '42830' });
    await expect(refer({ table: 'shop.items', column: 'born' })).rejects.toMatchObject({ code: '0A000' });
    await expect(refer({ table: 'shop.items', collection: 'x' })).rejects.toMatchObject({ code: '22023' });
    await expect(refer({ table: 'stock' })).rejects.toMatchObject({ code: '42809' });
    await refer({ table: 'shop.items', column: 'code' });
    await db.collection('stock').insertOne({ item: '6f4b1e0a-7a0c-4f7e-9b0a-1f0e2d3c4b5a' });
    await expect(db.query('drop table shop.items')).rejects.toMatchObject({ code: '2BP01' });
    await expect(db.query('alter table shop.items drop constraint items_code_key')).rejects.toMatchObject({
      code: '2BP01',
    });
    await expect(db.query('truncate shop.items')).rejects.toMatchObject({ code: '0A000' });
    await db.query('drop table shop.items cascade');
    await db.collection('stock').insertOne({ item: 'anything' });
  });

  it('is reported where it dangles', async () => {
    db.exec('create table people (id int primary key); insert into people values (1)');
    const notes = db.collection('notes');
    await notes.insertMany([
      { _id: 1, who: 1 },
      { _id: 2, who: 2 },
    ]);
    const schema = { type: 'object', properties: { who: { 'x-ref': { table: 'people' } } } };
    expect(await notes.danglingReferences(schema)).toEqual({
      checked: 2,
      dangling: 1,
      examples: [{ _id: 2, path: 'who', value: 2, collection: 'people' }],
    });
    await expect(notes.setSchema(schema)).rejects.toMatchObject({ code: '23503' });
    expect(await notes.setSchema(schema, { validationAction: 'warn' })).toMatchObject({ dangling: 1 });
  });
});

describe('a row that refers to a document', () => {
  const posts = (): Collection<Record<string, unknown>> => db.collection('posts');

  async function postsAndComments(actions = ''): Promise<void> {
    await db.query(`create collection posts (schema '{"properties": {"slug": {"type": ["string", "array"]}}}')`);
    await posts().createIndex({ slug: 1 }, { unique: true, sparse: true });
    await posts().insertMany([
      { _id: 'a', slug: 'one' },
      { _id: 'b', slug: 'two' },
    ]);
    await db.query(`create table comments (id int primary key, post text references posts ${actions},
      slug text references posts (slug) ${actions})`);
    await db.query(`insert into comments values (1, 'a', 'one'), (2, 'b', 'two'), (3, null, null)`);
  }

  it('needs the document', async () => {
    await postsAndComments();
    await expect(db.query(`insert into comments values (4, 'x')`)).rejects.toMatchObject({
      code: '23503',
      table: 'comments',
      constraint: 'comments_post_fkey',
      detail: 'Key (post)=(x) is not present in table "posts".',
    });
    await expect(db.query(`update comments set slug = 'x' where id = 1`)).rejects.toMatchObject({ code: '23503' });
    await posts().insertOne({ _id: 'c', slug: ['three'] });
    await expect(db.query(`update comments set slug = 'three'`)).rejects.toMatchObject({ code: '23503' });
  });

  it('restricts what becomes of the document', async () => {
    await postsAndComments();
    await expect(posts().deleteOne({ _id: 'a' })).rejects.toMatchObject({
      code: '23503',
      table: 'comments',
      detail: 'Key (_id)=("a") is still referenced from table "comments".',
    });
    await expect(db.query(`delete from posts where slug = '"two"'`)).rejects.toMatchObject({ code: '23503' });
    await expect(posts().updateOne({ _id: 'a' }, { $set: { slug: 'x' } })).rejects.toMatchObject({ code: '23503' });
    await posts().updateOne({ _id: 'a' }, { $set: { title: 'x' } });
    await db.query('delete from comments where id = 1');
    await posts().deleteOne({ _id: 'a' });
    await expect(posts().drop()).rejects.toMatchObject({ code: '2BP01' });
    await expect(posts().dropIndex('posts_slug_1')).rejects.toMatchObject({ code: '2BP01' });
    await expect(db.query('drop index posts_slug_1')).rejects.toMatchObject({ code: '2BP01' });
    await expect(posts().setSchema(null)).rejects.toMatchObject({ code: '2BP01' });
    await db.query('drop collection posts cascade');
    await db.query(`insert into comments values (9, 'x', 'y')`);
  });

  it('goes with the document, or follows its key', async () => {
    await postsAndComments('on delete cascade on update cascade');
    await posts().updateOne({ _id: 'a' }, { $set: { slug: 'uno' } });
    expect(await rows('select slug from comments where id = 1')).toEqual([{ slug: 'uno' }]);
    await posts().updateOne({ _id: 'a' }, { $unset: { slug: 1 } });
    expect(await rows('select slug from comments where id = 1')).toEqual([{ slug: null }]);
    await posts().deleteMany({});
    expect(await rows('select id from comments')).toEqual([{ id: 3 }]);
  });

  it('is set to null when the document goes', async () => {
    await postsAndComments('on delete set null on update set null');
    await db.query(`delete from posts where _id = '"a"'`);
    expect(await rows('select * from comments where id = 1')).toEqual([{ id: 1, post: null, slug: null }]);
  });

  it('finds ids that are no text, too, and shows in the catalog', async () => {
    const { insertedId } = await posts().insertOne({ title: 'x' });
    await db.query('create table comments (post text references posts, raw jsonb references posts (_id), n int)');
    await db.query('alter table comments add foreign key (n) references posts (_id)');
    await db.query(`insert into comments select doc ->> '_id', _id from posts`);
    expect(await rows('select post from comments')).toEqual([{ post: String(insertedId) }]);
    await posts().insertOne({ _id: 5 });
    await db.query('update comments set n = 5');
    await expect(posts().deleteOne({ _id: 5 })).rejects.toMatchObject({ code: '23503' });
    await expect(posts().deleteOne({ _id: insertedId })).rejects.toMatchObject({ code: '23503' });
    expect(
      await rows(`select conname, confrelid::regclass::text as parent, pg_get_constraintdef(oid) as definition
        from pg_constraint where contype = 'f' order by 1 limit 1`),
    ).toEqual([{ conname: 'comments_n_fkey', parent: 'posts', definition: 'FOREIGN KEY (n) REFERENCES posts(_id)' }]);
    await expect(db.query('create table c (at date references posts)')).rejects.toMatchObject({ code: '0A000' });
  });
});

it('cascades from one model to the other and back, in circles', async () => {
  db.exec('create table nodes (id int primary key)');
  const schema = {
    type: 'object',
    properties: { node: { 'x-ref': { table: 'nodes', onDelete: 'cascade', onUpdate: 'cascade' } } },
  };
  const leaves = db.collection('leaves', { schema });
  await db.query('insert into nodes values (1), (2), (3)');
  await leaves.insertMany([
    { _id: 1, node: 1 },
    { _id: 2, node: 2 },
  ]);
  await db.query('alter table nodes add column leaf int references leaves on delete cascade');
  await db.query('update nodes set leaf = case id when 1 then 2 when 2 then 1 end');
  await leaves.deleteOne({ _id: 1 });
  expect(await leaves.countDocuments()).toBe(0);
  expect(await rows('select id from nodes')).toEqual([{ id: 3 }]);
});

it('owes a reference that was written after a savepoint was left', async () => {
  db.exec('create table people (id int primary key)');
  const schema = { type: 'object', properties: { who: { 'x-ref': { table: 'people' } } } };
  const notes = db.collection('notes', { schema });
  const attempt = db.transaction(async (tx) => {
    await tx.query('savepoint a');
    await notes.insertOne({ who: 1 }, { tx });
    await tx.query('rollback to a');
    await notes.insertOne({ who: 2 }, { tx });
  });
  await expect(attempt).rejects.toMatchObject({ code: '23503' });
});

it.each(['read committed', 'repeatable read', 'serializable'] as const)(
  'lets no race leave a reference without what it refers to, %s',
  async (isolation) => {
    db.exec(`create table people (id int primary key); insert into people values (1), (2);
      create collection posts; insert into posts values ('1', '{}'), ('2', '{}');
      create table marks (post int references posts)`);
    const schema = { type: 'object', properties: { who: { 'x-ref': { table: 'people' } } } };
    const notes = db.collection('notes', { schema });
    const outcomes = await Promise.allSettled(
      Array.from({ length: 24 }, (_, i) => {
        const id = 1 + (i % 2);
        return db.transaction(
          async (tx) => {
            if (i % 4 < 2) {
              await notes.insertOne({ who: id }, { tx });
              await tx.query('insert into marks values ($1)', [id]);
            } else {
              await tx.query('delete from people where id = $1', [id]);
              await db.collection('posts').deleteOne({ _id: id }, { tx });
            }
          },
          { isolation },
        );
      }),
    );
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(['23503', '40001', '40P01']).toContain(outcome.reason.code);
    expect((await notes.danglingReferences()).dangling).toBe(0);
    expect(
      await rows(`select 1 as x from marks where not exists (select from posts where _id = to_jsonb(post))`),
    ).toEqual([]);
  },
);

describe('at serializable a reference', () => {
  /** Somebody reads, somebody else commits, then the first one goes on: how it ends at a level. */
  async function endOf(
    isolation: 'repeatable read' | 'serializable',
    between: (tx: Transaction) => Promise<unknown>,
    then: (tx: Transaction) => Promise<unknown>,
  ): Promise<unknown> {
    const first = async (tx: Transaction): Promise<void> => {
      await tx.query('select n from counter');
      await db.transaction(
        async (other) => {
          await other.query('update counter set n = n + 1');
          await between(other);
        },
        { isolation },
      );
      await then(tx);
    };
    return db.transaction(first, { isolation, retries: 0 }).then(
      () => 'done',
      (error: { readonly code: string }) => error.code,
    );
  }

  it.each(['serializable', 'repeatable read'] as const)(
    'is not settled by what was not there when all else was read; at repeatable read it is: %s',
    async (isolation) => {
      db.exec('create table counter (n int); insert into counter values (0); create table people (id int primary key)');
      const users = db.collection('users');
      await users.insertOne({ _id: 1 });
      const properties = { author: { 'x-ref': { collection: 'users' } }, who: { 'x-ref': { table: 'people' } } };
      const posts = db.collection('posts', { schema: { type: 'object', properties } });
      const expected = isolation === 'serializable' ? '40001' : 'done';
      const ends = [
        await endOf(
          isolation,
          (tx) => users.insertOne({ _id: 2 }, { tx }),
          (tx) => posts.insertOne({ _id: 'a', author: 2 }, { tx }),
        ),
        await endOf(
          isolation,
          (tx) => tx.query('insert into people values (1)'),
          (tx) => posts.insertOne({ _id: 'b', who: 1 }, { tx }),
        ),
      ];
      await posts.insertOne({ _id: 'c', author: 1 });
      ends.push(
        await endOf(
          isolation,
          (tx) => posts.deleteOne({ _id: 'c' }, { tx }),
          (tx) => users.deleteOne({ _id: 1 }, { tx }),
        ),
      );
      expect(ends).toEqual([expected, expected, expected]);
    },
  );
});
