/** Row-level security of collections: the same policies for the same role, in SQL and through `db.collection`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

  it('asks settings of the transaction', async () => {
    db.exec(`create policy tenant on notes as restrictive using (doc ->> 'n' = current_setting('app.n', true))`);
    const seen = (n: number): Promise<unknown> =>
      as('ada', async (tx) => {
        await tx.query(`set local app.n = ${n}`);
        return ids(await notes().find({}, { tx }).toArray());
      });
    expect([await seen(1), await seen(2)]).toEqual([[1], [3]]);
    expect(await notes().drop()).toBe(true);
    expect(await db.query('select from pg_policies').then(({ rowCount }) => rowCount)).toBe(0);
  });

  it('asks other tables and collections, by the rights of whoever asks', async () => {
    db.exec(`create table member (role text, owner text); insert into member values ('bob', 'ada'), ('ada', 'bob');
      create collection blocked; grant select on blocked to ada, bob;
      drop policy own on notes; drop policy shown on notes; drop policy short on notes;
      create policy team on notes using (exists (select from member where role = current_user and member.owner = notes.owner));
      create policy free on notes as restrictive using (owner not in (select doc ->> 'owner' from blocked))`);
    expect(await as('ada', (tx) => notes().find({}, { tx }).toArray())).toBe('42501');
    db.exec('grant select on member to ada, bob');
    const seen = async (role: string): Promise<unknown> => {
      const found = await as(role, async (tx) => ids(await notes().find({}, { tx }).toArray()));
      const rows = await as(role, async (tx) => (await tx.query<Note>('select _id from notes order by 1')).rows);
      expect((rows as Note[]).map(({ _id }) => _id)).toEqual(found);
      return found;
    };
    expect([await seen('ada'), await seen('bob')]).toEqual([[2], [1, 3]]);
    expect(await as('bob', (tx) => notes().findOne({ _id: 2 }, { tx }))).toBe(null);
    expect(await as('bob', (tx) => notes().insertOne({ _id: 7, owner: 'ada' }, { tx }))).toEqual({ insertedId: 7 });
    expect(await as('bob', (tx) => notes().insertOne({ _id: 8, owner: 'bob' }, { tx }))).toBe('42501');
    expect(await as('bob', (tx) => notes().updateOne({ _id: 7 }, { $set: { owner: 'bob' } }, { tx }))).toBe('42501');
    // What the same transaction has written counts.
    expect(
      await as('bob', async (tx) => {
        await db.collection('blocked').find({}, { tx }).toArray();
        await tx.query('reset role');
        await db.collection('blocked').insertOne({ owner: 'ada' }, { tx });
        await tx.query('set local role bob');
        return notes().countDocuments({}, { tx });
      }),
    ).toBe(0);
    expect(await seen('bob')).toEqual([]);
    db.exec('delete from blocked');
    expect(await as('bob', async (tx) => (await notes().deleteMany({ _id: { $ne: 1 } }, { tx })).deletedCount)).toBe(2);
    expect(ids(await notes().find().toArray())).toEqual([1, 2]);
  });

  it('asks in the name of the user, where an operation has no transaction', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'phantom-policies-'));
    const owner = await open(directory, { durability: 'memory' });
    owner.exec(`create role reader login; create collection notes; create table open_notes (id jsonb);
      insert into notes (_id, doc) values ('1', '{}'), ('2', '{}'); insert into open_notes values ('2');
      grant select, update on notes to reader; grant select on open_notes to reader;
      create policy listed on notes using (_id in (select id from open_notes)) with check (true);
      alter table notes enable row level security`);
    await owner.close();
    const reader = await open(directory, { durability: 'memory', user: 'reader' });
    const some = reader.collection<Note>('notes');
    expect(ids(await some.find().toArray())).toEqual([2]);
    expect(await some.findOne({ _id: 1 })).toBe(null);
    expect(await some.updateMany({}, { $set: { seen: true } })).toMatchObject({ modifiedCount: 1 });
    await reader.close();
    rmSync(directory, { recursive: true });
  });
});
