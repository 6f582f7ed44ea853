/** Limits of time of collections' operations in no transaction: those that sessions of the role in the database begin with. */
import { MemoryVfs } from '@phantom/vfs/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
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
