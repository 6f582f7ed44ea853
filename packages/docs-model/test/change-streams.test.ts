/** Change streams: each change once, in order, with what it was; taken up again by a token, over restarts and crashes too. */
import { BootstrapOid } from '@phantom/catalog';
import { MemoryVfs } from '@phantom/vfs/testing';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type ChangeEvent,
  type ChangeStream,
  type Collection,
  type TransactionHost,
  newObjectId,
} from '../src/index.js';
import { changedPaths } from '../src/changes/changed-paths.js';
import type { PlainObject } from '../src/order.js';
import { changeAt, identical, placeValue, REMOVED } from '../src/update/places.js';
import { type Harness, openHarness, openOnDisk } from './harness.js';

type Posts = Collection<Record<string, unknown>>;
type Event = ChangeEvent<Record<string, unknown>>;

let harness: Harness;
let posts: Posts;

beforeEach(async () => {
  harness = await openHarness();
  posts = harness.collection('posts');
});

afterEach(() => harness.close());

async function take(stream: ChangeStream<Record<string, unknown>>, count: number): Promise<Event[]> {
  const events: Event[] = [];
  while (events.length < count) {
    const { value } = await stream.next();
    if (value === undefined) break;
    events.push(value);
  }
  return events;
}

/** Type and key of an event. */
function brief(event: Event): string {
  return 'documentKey' in event ? `${event.operationType} ${String(event.documentKey._id)}` : event.operationType;
}

const briefly = async (stream: ChangeStream<Record<string, unknown>>, count: number): Promise<string[]> =>
  (await take(stream, count)).map(brief);

/** Several operations in one transaction. */
async function together(work: (tx: TransactionHost) => Promise<void>, commits = true): Promise<void> {
  const storage = harness.mvcc.begin();
  const objects = harness.catalog.begin(storage);
  const checks: (() => Promise<void> | undefined)[] = [];
  await work({
    documents: (run) =>
      run({ storage, objects, roleOid: BootstrapOid.Superuser, beforeCommit: (check) => void checks.push(check) }),
  });
  for (const check of checks) await check();
  if (commits) await storage.commit();
  else storage.rollback();
}

describe('events', () => {
  it('tell what each operation did', async () => {
    const stream = posts.watch();
    await posts.insertOne({ _id: 1, title: 'One', tags: ['a'], author: { name: 'Ada', age: 36 } });
    await posts.updateOne(
      { _id: 1 },
      { $set: { 'author.name': 'Bob', new: true }, $unset: { title: 1 }, $push: { tags: 'b' } },
    );
    await posts.replaceOne({ _id: 1 }, { title: 'Other' });
    await posts.updateOne({ _id: 1 }, { $set: { title: 'Other' } });
    await posts.deleteOne({ _id: 1 });
    const events = await take(stream, 4);
    const base = { ns: { db: expect.any(String) as string, coll: 'posts' }, wallTime: expect.any(Date) as Date };
    const document = { _id: 1, title: 'One', tags: ['a'], author: { name: 'Ada', age: 36 } };
    const documentKey = { _id: 1 };
    expect(events.map(({ _id: _token, ...event }) => event)).toEqual([
      { ...base, operationType: 'insert', documentKey, fullDocument: document },
      {
        ...base,
        operationType: 'update',
        documentKey,
        updateDescription: {
          updatedFields: { 'tags.1': 'b', 'author.name': 'Bob', new: true },
          removedFields: ['title'],
        },
      },
      { ...base, operationType: 'replace', documentKey, fullDocument: { _id: 1, title: 'Other' } },
      { ...base, operationType: 'delete', documentKey },
    ]);
    const tokens = events.map(({ _id }) => _id);
    expect(tokens.toSorted()).toEqual(tokens);
    stream.close();
  });

  it('tell what changed in fields of documents that are alike', async () => {
    const alike = (i: number): Record<string, unknown> => {
      return { _id: i, title: 'One', tags: ['a'], author: { name: 'Ada', age: 36 }, likes: 0 };
    };
    await posts.insertMany(Array.from({ length: 80 }, (_, i) => alike(i)));
    const stream = posts.watch();
    await posts.updateOne({ _id: 79 }, { $inc: { likes: 1 } });
    await posts.updateOne(
      { _id: 79 },
      { $set: { author: { name: 'Bob' }, title: 'One', tags: 'a' }, $inc: { likes: 1 } },
    );
    await posts.updateOne({ _id: 79 }, { $set: { title: 'One' } });
    await posts.updateOne({ _id: 79 }, { $set: { author: { name: 'Bob', age: null } } });
    const events = (await take(stream, 3)) as { updateDescription?: unknown }[];
    expect(events.map(({ updateDescription }) => updateDescription)).toEqual([
      { updatedFields: { likes: 1 }, removedFields: [] },
      { updatedFields: { 'author.name': 'Bob', tags: 'a', likes: 2 }, removedFields: ['author.age'] },
      { updatedFields: { 'author.age': null }, removedFields: [] },
    ]);
    stream.close();
  });

  it('come with the document as the change left it, not as it is by now', async () => {
    const stream = posts.watch([], { fullDocument: 'updateLookup' });
    await posts.insertOne({ _id: 1, n: 0 });
    for (let n = 1; n <= 3; n++) await posts.updateOne({ _id: 1 }, { $inc: { n: 1 } });
    await posts.deleteOne({ _id: 1 });
    const events = (await take(stream, 5)) as { fullDocument?: unknown }[];
    expect(events.map(({ fullDocument }) => fullDocument)).toEqual([
      { _id: 1, n: 0 },
      { _id: 1, n: 1 },
      { _id: 1, n: 2 },
      { _id: 1, n: 3 },
      undefined,
    ]);
    stream.close();
  });

  it('give back ids of every type', async () => {
    const ids = [newObjectId(), 'text', 1.5, new Date(5), { a: 1 }, null, true, 7n];
    const stream = posts.watch();
    await posts.insertMany(ids.map((_id) => ({ _id })));
    await posts.deleteMany({});
    const removed = (await take(stream, 16)).slice(8) as { documentKey: { _id: unknown } }[];
    for (const id of ids) expect(removed.some(({ documentKey }) => identical(documentKey._id, id))).toBe(true);
    stream.close();
  });

  it('come from committed transactions alone, in the order of commits', async () => {
    await posts.insertOne({ _id: 0 });
    const stream = posts.watch();
    await together(async (tx) => {
      await posts.insertOne({ _id: 1 }, { tx });
      await posts.insertOne({ _id: 2 });
      await posts.updateOne({ _id: 1 }, { $set: { a: 1 } }, { tx });
      await posts.deleteOne({ _id: 0 }, { tx });
      await expect(posts.insertMany([{ _id: 3 }, { _id: 1 }], { tx })).rejects.toMatchObject({ code: '23505' });
    });
    await together((tx) => posts.insertOne({ _id: 4 }, { tx }).then(() => undefined), false);
    await posts.insertOne({ _id: 5 });
    expect(await briefly(stream, 5)).toEqual(['insert 2', 'insert 1', 'update 1', 'delete 0', 'insert 5']);
    stream.close();
  });

  it('tell cascades, upserts and merges as what they do to the documents', async () => {
    const users = harness.collection('users');
    const books = harness.collection('books', {
      schema: { properties: { by: { 'x-ref': { collection: 'users', onDelete: 'setNull' } } } },
    });
    await books.insertOne({ _id: 'b' });
    await users.insertOne({ _id: 1 });
    const stream = books.watch();
    await books.updateOne({ _id: 'a' }, { $set: { by: 1 } }, { upsert: true });
    await users.deleteOne({ _id: 1 });
    await users.insertMany([{ _id: 'b', x: 1 }]);
    await users.aggregate([{ $merge: { into: 'books', whenMatched: 'merge' } }]).toArray();
    const events = await take(stream, 3);
    expect(events.map(brief)).toEqual(['insert a', 'update a', 'update b']);
    expect(events[1]).toMatchObject({ updateDescription: { updatedFields: { by: null }, removedFields: [] } });
    stream.close();
  });
});

describe('a stream', () => {
  it('of a collection that is not there yet begins with its first document', async () => {
    const stream = harness.collection('later').watch();
    const first = take(stream, 2);
    expect(stream.resumeToken).toBeUndefined();
    await posts.insertOne({ _id: 'other' });
    const later = harness.collection('later');
    await later.insertOne({ _id: 1 });
    await later.insertOne({ _id: 2 });
    expect((await first).map(brief)).toEqual(['insert 1', 'insert 2']);
    stream.close();
  });

  it('filters and reshapes by its pipeline, and keeps the token', async () => {
    const stream = posts.watch([
      { $match: { operationType: 'insert', 'fullDocument.n': { $gte: 2 } } },
      { $addFields: { double: { $multiply: ['$fullDocument.n', 2] } } },
      { $project: { double: 1 } },
    ]);
    await posts.insertMany([{ n: 1 }, { n: 2 }, { n: 3 }]);
    const events = (await take(stream, 2)) as unknown as { _id: string; double: number }[];
    expect(events.map(({ double }) => double)).toEqual([4, 6]);
    expect(stream.resumeToken).toBe(events[1]?._id);
    const next = stream.next();
    await posts.insertOne({ n: 0 });
    for (let turn = 0; turn < 1000 && (stream.resumeToken as string) <= (events[1]?._id as string); turn++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    // What the pipeline leaves out moves the token on, so a quiet stream does not fall behind the log.
    expect((stream.resumeToken as string) > (events[1]?._id as string)).toBe(true);
    await stream.return();
    expect(await next).toEqual({ done: true, value: undefined });
    const blind = posts.watch([{ $project: { _id: 0 } }]);
    await posts.insertOne({});
    await expect(blind.next()).rejects.toMatchObject({ code: '22023' });
  });

  it('refuses what cannot be', () => {
    const refused = (pipeline: object[], options: object): unknown => {
      try {
        return posts.watch(pipeline as Record<string, unknown>[], options);
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    expect(refused([{ $group: { _id: 1 } }], {})).toBe('22023');
    expect(refused([], { resumeAfter: 'nonsense' })).toBe('22023');
    expect(refused([], { resumeAfter: 'ffffffffffffff-00000001-00000001-00000001' })).toBe('22023');
    expect(
      refused([], { resumeAfter: '00000000000001-00000001-00000001-00000001', startAtOperationTime: new Date() }),
    ).toBe('22023');
    expect(refused([], { startAtOperationTime: new Date('never') })).toBe('22023');
    expect(refused([], { fullDocument: 'always' })).toBe('22023');
    expect(refused([], { fullDocumentBeforeChange: 'required' })).toBe('0A000');
  });

  it('ends with its collection', async () => {
    await posts.insertOne({ _id: 1 });
    const stream = posts.watch();
    await posts.insertOne({ _id: 2 });
    await posts.drop();
    await posts.insertOne({ _id: 3 });
    const events = await take(stream, 10);
    expect(events.map(brief)).toEqual(['insert 2', 'drop', 'invalidate']);
    const [insert, drop, invalidate] = events.map(({ _id }) => _id);
    expect(await briefly(posts.watch([], { resumeAfter: insert as string }), 9)).toEqual(['drop', 'invalidate']);
    expect(await briefly(posts.watch([], { resumeAfter: drop as string }), 9)).toEqual(['invalidate']);
    expect(() => posts.watch([], { resumeAfter: invalidate as string })).toThrow(
      expect.objectContaining({ code: '22023' }),
    );
    expect(await briefly(posts.watch([], { startAfter: invalidate as string }), 1)).toEqual(['insert 3']);
  });

  it('begins at a moment', async () => {
    await posts.insertOne({ _id: 1 });
    const { wallTime } = (await take(posts.watch([], { startAtOperationTime: new Date(0) }), 1))[0] as Event;
    const stream = posts.watch([], { startAtOperationTime: wallTime });
    expect(await briefly(stream, 1)).toEqual(['insert 1']);
    stream.close();
  });

  it('takes a commit of many documents in level memory, and gives others their turn', async () => {
    const stream = posts.watch();
    await posts.insertMany(Array.from({ length: 5000 }, (_, _id) => ({ _id })));
    let turns = 0;
    let running = true;
    const tick = (): void => {
      turns++;
      if (running) setImmediate(tick);
    };
    setImmediate(tick);
    const held = stream as unknown as { queue: unknown[] };
    let heldMax = 0;
    for (let next = 0; next < 5000; next++) {
      const { value } = await stream.next();
      const { _id } = (value as { documentKey: { _id: number } }).documentKey;
      if (_id !== next) expect(_id).toBe(next);
      heldMax = Math.max(heldMax, held.queue.length);
    }
    running = false;
    expect(heldMax).toBeLessThanOrEqual(64);
    expect(turns).toBeGreaterThan(0);
    stream.close();
  });
});

describe('over restarts', () => {
  it('goes on behind a token: no change lost, none twice, whatever crashes', async () => {
    let vfs = new MemoryVfs();
    const wanted: string[] = [];
    const seen: string[] = [];
    let token: string | undefined;
    for (let round = 0; round < 5; round++) {
      const opened = await openOnDisk(vfs, { changesKeepBytes: 1 << 20 });
      const items = opened.collection('items');
      const stream = items.watch([], token === undefined ? {} : { resumeAfter: token });
      for (let i = 0; i < 12; i++) {
        const ids = [0, 1, 2].map((n) => `${round}.${i}.${n}`);
        await items.insertMany(ids.map((_id) => ({ _id, text: 'x'.repeat(500) })));
        await items.updateOne({ _id: ids[1] as string }, { $set: { text: i } });
        await items.deleteOne({ _id: ids[2] as string });
        wanted.push(...ids.map((id) => `insert ${id}`), `update ${ids[1]}`, `delete ${ids[2]}`);
      }
      if (round % 2 === 1) await opened.store.checkpoint();
      // Sometimes it stops inside of a commit of three.
      const events = await take(stream, 40 + round);
      seen.push(...events.map(brief));
      token = events.at(-1)?._id;
      const crashed = vfs.crashClone(round);
      stream.close();
      await opened.close();
      vfs = round === 3 ? vfs : crashed;
    }
    const opened = await openOnDisk(vfs);
    const stream = opened.collection('items').watch([], { resumeAfter: token as string });
    seen.push(...(await briefly(stream, wanted.length - seen.length)));
    expect(seen).toEqual(wanted);
    stream.close();
    await opened.close();
  });

  it('says so when the log no longer reaches back', async () => {
    const vfs = new MemoryVfs();
    const opened = await openOnDisk(vfs);
    const items = opened.collection('items');
    await items.insertOne({ _id: 0 });
    const stream = items.watch();
    const token = stream.resumeToken as string;
    stream.close();
    for (let i = 1; i <= 8; i++) {
      await items.insertOne({ _id: i, text: 'x'.repeat(40_000) });
      await opened.store.checkpoint();
    }
    await expect(items.watch([], { resumeAfter: token }).next()).rejects.toMatchObject({ code: '55000' });
    await opened.close();
  });
});

describe('changed paths', () => {
  const leaf = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constantFrom('a', null, true), fc.constant(new Date(1)));
  const { value } = fc.letrec<{ value: unknown; object: PlainObject }>((tie) => ({
    value: fc.oneof({ depthSize: 'small' }, leaf, fc.array(tie('value'), { maxLength: 4 }), tie('object')),
    object: fc.dictionary(fc.constantFrom('a', 'b', 'c', '0'), tie('value'), { maxKeys: 4 }),
  }));
  const document = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), value, { maxKeys: 4 });

  it('lead from one document to the other', () => {
    fc.assert(
      fc.property(document, document, (before, after) => {
        const { updated, removed } = changedPaths(before, after);
        let made: unknown = before;
        for (const path of updated) {
          const steps = path.split('.');
          made = changeAt(made, steps, () => placeValue(after, steps), true);
        }
        for (const path of removed) made = changeAt(made, path.split('.'), () => REMOVED, false);
        expect(made).toEqual(after);
      }),
      { seed: 8, numRuns: 300 },
    );
  });

  it('are told by top-level fields where they are many', () => {
    const before = { a: Array.from({ length: 100 }, (_, i) => i), b: 1, c: { d: 1 } };
    const after = { a: before.a.map((n) => n + 1), b: 2, c: { d: 1 } };
    expect(changedPaths(before, after)).toEqual(expect.objectContaining({ updated: ['a', 'b'], removed: [] }));
  });
});
