/** Limits of time of collections' operations: by themselves those that sessions of the role in the database begin with, in a transaction its own. */
import { MemoryVfs } from '@phantom/vfs/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Collection, type Database, openOn } from '../src/index.js';

interface Post {
  readonly _id: number;
  readonly n: number;
}

let db: Database;
let posts: Collection<Post>;

beforeEach(async () => {
  db = await openOn(new MemoryVfs({ losesPower: false }), '/d', { durability: 'memory' });
  posts = db.collection<Post>('posts');
  await posts.insertMany([
    { _id: 1, n: 0 },
    { _id: 2, n: 0 },
  ]);
});
afterEach(() => db.close());

/** Runs the work while somebody holds the first document. */
async function whileHeld(work: () => Promise<void>): Promise<void> {
  await db.transaction(
    async (tx) => {
      await tx.collection<Post>('posts').updateOne({ _id: 1 }, { $inc: { n: 1 } });
      await work();
    },
    { isolation: 'read committed' },
  );
}

it.each([
  ['lock_timeout', '55P03'],
  ['statement_timeout', '57014'],
])('%s of the role ends a wait for a document, and nothing of the operation is left', async (name, code) => {
  db.exec(`alter role phantom set ${name} = '20ms'`);
  await whileHeld(async () => {
    await expect(posts.updateOne({ _id: 1 }, { $inc: { n: 10 } })).rejects.toMatchObject({ code });
    await expect(posts.updateMany({}, { $inc: { n: 10 } })).rejects.toMatchObject({ code });
    await expect(posts.deleteOne({ _id: 1 })).rejects.toMatchObject({ code });
    await posts.updateOne({ _id: 2 }, { $inc: { n: 1 } });
  });
  expect(await posts.find({}, { sort: { _id: 1 } }).toArray()).toEqual([
    { _id: 1, n: 1 },
    { _id: 2, n: 1 },
  ]);
  expect(db.stats().transactions.live).toBe(0);
});

it("the role's setting in the database counts before the database's, and resetting it ends the limit", async () => {
  db.exec(
    "alter database phantom set lock_timeout = '5ms'; alter role phantom in database phantom set lock_timeout = 0",
  );
  let waiting: Promise<unknown> | undefined;
  await whileHeld(async () => {
    waiting = posts.updateOne({ _id: 1 }, { $inc: { n: 1 } });
    await new Promise((resolve) => setTimeout(resolve, 30));
  });
  await waiting;
  db.exec('alter role phantom in database phantom reset all');
  await whileHeld(async () => {
    await expect(posts.updateOne({ _id: 1 }, { $inc: { n: 1 } })).rejects.toMatchObject({ code: '55P03' });
  });
  expect(await posts.findOne({ _id: 1 })).toEqual({ _id: 1, n: 3 });
});

it.each(['', 'savepoint early'])(
  'statement_timeout ends an operation in a transaction, which has failed then %s',
  async (savepoint) => {
    await whileHeld(async () => {
      await expect(
        db.transaction(
          async (tx) => {
            await tx.query("set local statement_timeout = '20ms'");
            const own = tx.collection<Post>('posts');
            await own.updateOne({ _id: 2 }, { $inc: { n: 10 } });
            if (savepoint !== '') await tx.query(savepoint);
            await expect(own.updateMany({}, { $inc: { n: 10 } })).rejects.toMatchObject({ code: '57014' });
            await expect(own.findOne({ _id: 2 })).rejects.toMatchObject({ code: '25P02' });
          },
          { isolation: 'read committed' },
        ),
      ).rejects.toMatchObject({ code: '25P02' });
    });
    expect(await posts.find().toArray()).toEqual([
      { _id: 1, n: 1 },
      { _id: 2, n: 0 },
    ]);
  },
);

describe('the signal of a transaction', () => {
  it('ends an operation that waits', async () => {
    const controller = new AbortController();
    await whileHeld(async () => {
      await expect(
        db.transaction(
          async (tx) => {
            const waiting = tx.collection<Post>('posts').updateOne({ _id: 1 }, { $inc: { n: 10 } });
            setTimeout(() => controller.abort(), 5);
            return await waiting;
          },
          { isolation: 'read committed', signal: controller.signal },
        ),
      ).rejects.toMatchObject({ code: '57014' });
    });
    expect(await posts.findOne({ _id: 1 })).toEqual({ _id: 1, n: 1 });
    expect(db.stats().transactions.live).toBe(0);
  });

  it.each(['before it', 'before a write', 'before the commit'])(
    'undoes all of it when it is aborted %s',
    async (when) => {
      const controller = new AbortController();
      if (when === 'before it') controller.abort();
      const writing = db.transaction(
        async (tx) => {
          const own = tx.collection<Post>('posts');
          await own.updateOne({ _id: 1 }, { $inc: { n: 10 } });
          if (when === 'before a write') controller.abort();
          await own.updateOne({ _id: 2 }, { $inc: { n: 10 } });
          controller.abort();
        },
        { signal: controller.signal },
      );
      await expect(writing).rejects.toMatchObject({ code: '57014' });
      expect(await posts.countDocuments({ n: 0 })).toBe(2);
    },
  );
});

describe('a read of many documents', () => {
  type Read = (posts: Collection<Post>) => Promise<unknown>;
  const reads: readonly (readonly [string, Read])[] = [
    ['a find that sorts', (own) => own.find().sort({ n: -1 }).toArray()],
    ['a pipeline that sorts', (own) => own.aggregate([{ $set: { a: 1 } }, { $sort: { n: -1 } }]).toArray()],
    ['a pipeline that groups', (own) => own.aggregate([{ $set: { a: 1 } }, { $group: { _id: '$n' } }]).next()],
    ['a count', (own) => own.countDocuments({ $expr: { $eq: [{ $abs: '$n' }, -1] } })],
    ['distinct values', (own) => own.distinct('n', { n: { $gte: 0 } })],
    ['an explanation', (own) => own.find().sort({ n: -1 }).explain()],
  ];

  beforeEach(async () => {
    await posts.insertMany(Array.from({ length: 10_000 }, (_, i) => ({ _id: i + 10, n: i })));
  });

  it('ends between documents with the signal and statement_timeout of its transaction, which has failed then', async () => {
    for (const [what, read] of reads) {
      const controller = new AbortController();
      const aborted = db.transaction(
        async (tx) => {
          setImmediate(() => controller.abort());
          return await read(tx.collection<Post>('posts'));
        },
        { signal: controller.signal },
      );
      await expect(aborted, what).rejects.toMatchObject({ code: '57014' });
      const late = db.transaction(async (tx) => {
        await tx.query("set local statement_timeout = '1ms'");
        const own = tx.collection<Post>('posts');
        await expect(read(own), what).rejects.toMatchObject({ code: '57014' });
        await expect(own.findOne({ _id: 2 })).rejects.toMatchObject({ code: '25P02' });
      });
      await expect(late, what).rejects.toMatchObject({ code: '25P02' });
    }
    expect(db.stats().transactions.live).toBe(0);
  });

  it('ends with statement_timeout of the role, by itself', async () => {
    db.exec("alter role phantom set statement_timeout = '1ms'");
    for (const [what, read] of reads) await expect(read(posts), what).rejects.toMatchObject({ code: '57014' });
    db.exec('alter role phantom reset statement_timeout');
    expect(await posts.countDocuments({ $expr: { $gte: ['$n', 0] } })).toBe(10_002);
    expect(db.stats().transactions.live).toBe(0);
  });
});
