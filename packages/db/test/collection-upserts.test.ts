/** Upserts of documents in SQL, and object ids. */
import type { PhantomError } from '@phantom/base';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Collection, type Database, ObjectId, type Transaction, open } from '../src/index.js';

let db: Database;

beforeEach(async () => {
  db = await open(':memory:');
});

afterEach(() => db.close());

describe('INSERT ... ON CONFLICT', () => {
  const users = (): Collection<Record<string, unknown>> => db.collection('users');
  const all = (): Promise<Record<string, unknown>[]> => users().find().sort({ _id: 1 }).toArray();

  beforeEach(async () => {
    db.exec(`create collection users (schema '{"properties": {"email": {"type": "string"}, "n": {"type": "integer"}}}');
      create unique index on users (email);
      create unique index on users ((doc.address.key));
      insert into users values ('1', '{"email": "ada", "n": 1, "address": {"key": "a"}}'), ('2', '{"email": "bob"}')`);
  });

  it('leaves the document that is there, or changes it', async () => {
    const run = async (sql: string): Promise<unknown> => (await db.query(sql)).rowCount;
    expect(await run(`insert into users values ('1', '{}') on conflict do nothing`)).toBe(0);
    expect(await run(`insert into users (email) values ('ada') on conflict (email) do nothing`)).toBe(0);
    expect(
      await run(`insert into users (email, n) values ('ada', 5), ('cy', 7)
        on conflict (email) do update set n = users.n + excluded.n where users.n is not null`),
    ).toBe(2);
    expect(
      await run(`insert into users values ('9', '{"address": {"key": "a"}}')
        on conflict ((doc.address.key)) do update set doc.address.seen = 'true'`),
    ).toBe(1);
    expect(
      await run(
        `insert into users values ('2', '{"email": "bob2"}') on conflict (_id) do update set doc = excluded.doc`,
      ),
    ).toBe(1);
    const { rows } = await db.query(
      `insert into users (email, n) values ('bob2', 3) on duplicate key update n = values(n) returning _id, n`,
    );
    expect(rows).toEqual([{ _id: 2, n: 3 }]);
    const [first, second, third] = await all();
    expect(first).toEqual({ _id: 1, email: 'ada', n: 6, address: { key: 'a', seen: true } });
    expect(second).toEqual({ _id: 2, email: 'bob2', n: 3 });
    expect(third).toMatchObject({ email: 'cy', n: 7 });
  });

  it('is refused where it cannot say which document is meant', async () => {
    for (const [sql, code] of [
      [`insert into users (n) values (1) on conflict (n) do nothing`, '42P10'],
      [`insert into users values ('3', '{"email": "ada"}') on conflict (_id) do nothing`, '23505'],
      [`insert into users (email) values ('x'), ('x') on conflict (email) do update set n = 1`, '21000'],
      [`insert into users (email) values ('ada') on conflict (email) do update set n = 1, email = 'bob'`, '23505'],
    ] as const) {
      await expect(db.query(sql), sql).rejects.toMatchObject({ code });
    }
  });

  it('never loses a race to a new document', async () => {
    await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        db.transaction(
          (tx) =>
            tx.query(`insert into users (email, n) values ($1, 1) on conflict (email) do update set n = users.n + 1`, [
              `new ${i % 2}`,
            ]),
          { isolation: 'read committed' },
        ),
      ),
    );
    expect(await db.sql`select n from users where email like 'new%'`).toEqual([{ n: 6 }, { n: 6 }]);
  });
});

describe('an upsert that loses a race to a new row or document', () => {
  const upserts = {
    'a table, by its key': `insert into t values (1, 'a', $1) on conflict (id) do update set n = t.n + excluded.n`,
    'a table, by a unique column': `insert into t values ($1, 'a', $1) on conflict (u) do update set n = t.n + excluded.n`,
    'a table, by whatever is in the way': `insert into t values ($1, 'a', $1) on conflict do nothing`,
    'a collection in SQL': `insert into c (u, n) values ('a', $1) on conflict (u) do update set n = c.n + excluded.n`,
  };
  const setUp = `create table t (id int primary key, u text unique, n int);
    create collection c (schema '{"properties": {"u": {"type": "string"}, "n": {"type": "integer"}}}');
    create unique index on c (u)`;

  it.each(['repeatable read', 'serializable'] as const)(
    'fails with 40001 at %s, and runs again by itself',
    async (isolation) => {
      db.exec(setUp);
      const ways: [string, (tx: Transaction, n: number) => Promise<unknown>][] = [
        ...Object.entries(upserts).map(([name, sql]): (typeof ways)[number] => [name, (tx, n) => tx.query(sql, [n])]),
        ['a collection', (tx, n) => db.collection('c').updateOne({ u: 'a' }, { $inc: { n } }, { tx, upsert: true })],
        ['an id', (tx, n) => db.collection('c').updateOne({ _id: 'a' }, { $inc: { n } }, { tx, upsert: true })],
      ];
      for (const [name, upsert] of ways) {
        for (const commitsFirst of [true, false]) {
          for (const retries of [0, 1]) {
            db.exec('delete from t; delete from c');
            let isFirst = true;
            const loser = db.transaction(
              async (tx) => {
                await tx.query('select 1 from t');
                const other = (): Promise<unknown> => db.transaction((winner) => upsert(winner, 2), { isolation });
                const race = isFirst;
                isFirst = false;
                if (race && commitsFirst) await other();
                await upsert(tx, 3);
                if (race && !commitsFirst) await other();
              },
              { isolation, retries },
            );
            const outcome = await loser.then(
              () => 'committed',
              (error: PhantomError) => error.code,
            );
            expect(outcome, name).toBe(retries === 0 ? '40001' : 'committed');
          }
        }
      }
    },
  );

  it('is refused with 23505 where another key is in the way', async () => {
    db.exec(setUp);
    const loser = db.transaction(
      async (tx) => {
        await tx.query(`insert into t values (2, 'a', 1) on conflict (id) do nothing`);
        await db.query(`insert into t values (1, 'a', 1)`);
      },
      { isolation: 'repeatable read', retries: 0 },
    );
    await expect(loser).rejects.toMatchObject({ code: '23505', constraint: 't_u_key' });
  });
});

it('finds documents by object ids, in every part of a statement', async () => {
  const posts = db.collection('posts');
  const { insertedId } = await posts.insertOne({ title: 'x', n: 1, author: { city: 'Rome' } });
  const hex = String(insertedId);
  const plan = await db.query(`explain (costs off) select from posts where _id = objectid('${hex}')`);
  expect(plan.rows[0]).toEqual({ 'QUERY PLAN': 'Index Scan using posts_pkey on posts' });
  expect(await db.query('select doc.title from posts where _id = objectid($1)', [hex])).toMatchObject({
    rows: [{ title: 'x' }],
  });
  for (const cast of [`'${hex}'::objectid`, `cast($1::text as objectid)`])
    expect((await db.query(`select from posts where _id = ${cast}`, cast.includes('$1') ? [hex] : [])).rowCount).toBe(
      1,
    );
  db.exec(`create view one as select * from posts where _id = '${hex}'::objectid`);
  expect((await db.query('select from one')).rowCount).toBe(1);
  await expect(db.query(`select 'x'::objectid[]`)).rejects.toMatchObject({ code: '42704' });
  await expect(db.query('create table t (id objectid)')).rejects.toMatchObject({ code: '42704' });
  await db.query(`insert into posts values (objectid('0123456789abcdef01234567'), '{}'), (objectid(), '{}')`);
  expect(await posts.findOne({ _id: ObjectId.fromHex('0123456789abcdef01234567') })).not.toBeNull();
  await expect(db.query(`select objectid('x')`)).rejects.toMatchObject({ code: '22P02' });
  await db.query(
    `update posts set doc.author.city = '"Oslo"', doc.author.country = '"NO"' where doc.author.city = '"Rome"'`,
  );
  expect(
    await db.sql`select doc.author.city, doc.author from posts where doc.author is not null order by doc.author.city, doc.n limit 1`,
  ).toEqual([{ city: 'Oslo', author: { city: 'Oslo', country: 'NO' } }]);
});
