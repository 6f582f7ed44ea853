/** Row-level security of collections: the same policies for the same role, in SQL and through `db.collection`. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Database, type Transaction, open } from '../src/index.js';

let db: Database;

interface Note extends Record<string, unknown> {
  _id: number;
  owner: string;
}

beforeEach(async () => {
  db = await open(':memory:');
  db.exec(`create role ada; create role bob;
    create collection notes (schema '{"properties": {"owner": {"type": "string"}, "next": {"x-ref": {"collection": "notes"}}}}');
    insert into notes (_id, doc) values ('1', '{"owner": "ada", "n": 1}'), ('2', '{"owner": "bob", "n": 1, "next": 1}'),
      ('3', '{"owner": "ada", "n": 2, "public": true, "next": 2}');
    grant select, insert, update, delete on notes to ada, bob;
    create policy own on notes using (owner = current_user);
    create policy shown on notes for select using (doc.public = 'true');
    create policy short on notes as restrictive for insert with check (length(doc ->> 'text') < 5 or not doc ? 'text');
    alter table notes enable row level security`);
});

afterEach(() => db.close());

const notes = () => db.collection<Note>('notes');

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

const ids = (documents: readonly Note[]): number[] => documents.map(({ _id }) => _id);

describe('a policy', () => {
  it('hides documents from SQL and from collections alike', async () => {
    for (const [role, seen] of [
      ['ada', [1, 3]],
      ['bob', [2, 3]],
    ] as const) {
      expect(await as(role, async (tx) => ids(await notes().find({}, { tx }).toArray()))).toEqual(seen);
      expect(
        await as(role, async (tx) => (await tx.query<Note>('select _id from notes order by 1')).rows.map((r) => r._id)),
      ).toEqual(seen);
    }
    expect(ids(await notes().find().toArray())).toEqual([1, 2, 3]);
    await notes().createIndex({ n: 1 });
    const reads: Record<string, [(tx: Transaction) => Promise<unknown>, unknown]> = {
      point: [(tx) => notes().findOne({ _id: 2 }, { tx }), null],
      index: [async (tx) => ids(await notes().find({ n: 1 }, { tx }).toArray()), [1]],
      count: [(tx) => notes().countDocuments({}, { tx }), 2],
      distinct: [(tx) => notes().distinct('owner', {}, { tx }), ['ada']],
      group: [
        (tx) =>
          notes()
            .aggregate([{ $group: { _id: null, n: { $sum: '$n' } } }], { tx })
            .toArray(),
        [{ _id: null, n: 3 }],
      ],
      populate: [
        (tx) => notes().find({ _id: 3 }, { tx, populate: 'next' }).toArray(),
        [{ _id: 3, owner: 'ada', n: 2, public: true, next: null }],
      ],
      dangling: [async (tx) => (await notes().danglingReferences(undefined, { tx })).checked, 2],
    };
    for (const [name, [read, expected]] of Object.entries(reads)) expect(await as('ada', read), name).toEqual(expected);
  });

  it('says what may be written, changed and removed', async () => {
    const writes: [(tx: Transaction) => Promise<unknown>, unknown][] = [
      [(tx) => notes().insertOne({ _id: 4, owner: 'bob' }, { tx }), '42501'],
      [(tx) => notes().insertOne({ _id: 4, owner: 'ada', text: 'too long' }, { tx }), '42501'],
      [(tx) => tx.query(`insert into notes (_id, owner) values ('4', 'bob')`), '42501'],
      [(tx) => tx.query(`insert into notes (_id, doc) values ('4', '{"owner": "ada", "text": "too long"}')`), '42501'],
      [(tx) => notes().insertOne({ _id: 4, owner: 'ada' }, { tx }), { insertedId: 4 }],
      [(tx) => notes().updateOne({ _id: 1 }, { $set: { owner: 'bob' } }, { tx }), '42501'],
      [async (tx) => (await notes().updateMany({}, { $inc: { n: 1 } }, { tx })).modifiedCount, 3],
      [async (tx) => (await notes().updateOne({ _id: 2 }, { $inc: { n: 1 } }, { tx })).matchedCount, 0],
      [(tx) => notes().updateOne({ _id: 5 }, { $set: { owner: 'bob' } }, { tx, upsert: true }), '42501'],
      [(tx) => notes().findOneAndReplace({ _id: 1 }, { owner: 'bob' }, { tx }), '42501'],
      [async (tx) => (await notes().deleteMany({ _id: 2 }, { tx })).deletedCount, 0],
      [async (tx) => (await tx.query('delete from notes')).rowCount, '23503'],
      [async (tx) => (await notes().deleteMany({ _id: { $ne: 1 } }, { tx })).deletedCount, 2],
    ];
    for (const [write, expected] of writes) {
      const outcome = await as('ada', write);
      if (typeof expected === 'object') expect(outcome).toMatchObject(expected as object);
      else expect(outcome, write.toString()).toBe(expected);
    }
    expect(ids(await notes().find().toArray())).toEqual([1, 2]);
    // Bob sees what is public, and may not remove it.
    await notes().insertOne({ _id: 6, owner: 'ada', public: true });
    expect(await as('bob', async (tx) => (await notes().deleteMany({}, { tx })).deletedCount)).toBe(1);
  });

  it('asks settings of the transaction, and no other tables', async () => {
    db.exec(`create policy tenant on notes as restrictive using (doc ->> 'n' = current_setting('app.n', true))`);
    const seen = (n: number): Promise<unknown> =>
      as('ada', async (tx) => {
        await tx.query(`set local app.n = ${n}`);
        return ids(await notes().find({}, { tx }).toArray());
      });
    expect([await seen(1), await seen(2)]).toEqual([[1], [3]]);
    db.exec('create table allowed (n int); grant select on allowed to ada; drop policy tenant on notes');
    db.exec('create policy listed on notes using (exists (select from allowed))');
    expect(await as('ada', (tx) => notes().find({}, { tx }).toArray())).toBe('0A000');
    expect(await as('ada', async (tx) => (await tx.query('select from notes')).rowCount)).toBe(2);
    expect(await notes().drop()).toBe(true);
    expect(await db.query('select from pg_policies').then(({ rowCount }) => rowCount)).toBe(0);
  });
});
