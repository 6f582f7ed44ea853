/** Updates that write some fields of a stored document and leave the others' bytes alone give what whole updates give. */
import { setImmediate } from 'node:timers/promises';
import { BootstrapOid } from '@phantom/catalog';
import { prefixRange } from '@phantom/kv';
import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { DocumentLayout } from '../src/document-layout.js';
import { compileFilter } from '../src/filter/filter.js';
import type { PlainObject } from '../src/order.js';
import type { TransactionHost } from '../src/transaction.js';
import { compileUpdate } from '../src/update/update.js';
import { identical } from '../src/update/places.js';
import { document as documents } from './arbitraries.js';
import { openHarness } from './harness.js';
import { runs } from './oracle.js';

const NOW = { nowMs: () => 0 };
const field = fc.constantFrom('a', 'b', 'c', 'new', 'a.b', 'b.0', 'c.new');
const update = fc.oneof(
  fc.record({
    $set: fc.dictionary(field, fc.constantFrom<unknown>(1, 'text', null, { x: [1] }), { minKeys: 1, maxKeys: 3 }),
  }),
  fc.record({ $unset: fc.dictionary(field, fc.constant(1), { minKeys: 1, maxKeys: 2 }) }),
  fc.record({ $inc: fc.dictionary(field, fc.integer(), { minKeys: 1, maxKeys: 2 }) }),
  fc.record({ $rename: fc.constant({ a: 'z' }), $set: fc.constant({ b: 'x'.repeat(300) }) }),
  fc.record({ $push: fc.constant({ b: 'x' }) }),
);

it('leaves what it does not name as it was, to the byte', async () => {
  const harness = await openHarness();
  const [plain, indexed] = [harness.collection('plain'), harness.collection('indexed')];
  await indexed.createIndex({ a: 1 });
  let changed = 0;
  let id = 0;
  await fc.assert(
    fc.asyncProperty(documents, update, async (given, change) => {
      const document: PlainObject = { ...given, _id: ++id };
      const filter = compileFilter({ _id: id });
      await plain.insertOne(document);
      await indexed.insertOne(document);
      const stored = (await plain.findOne({ _id: id })) as PlainObject;
      let wanted: PlainObject;
      try {
        wanted = compileUpdate(change, undefined, NOW).apply(stored, { filter, inserting: false });
      } catch {
        for (const one of [plain, indexed]) await expect(one.updateOne({ _id: id }, change)).rejects.toBeDefined();
        return;
      }
      changed += Number(wanted !== stored);
      for (const one of [plain, indexed]) {
        await one.updateOne({ _id: id }, change);
        const found = await one.findOne({ _id: id });
        if (!identical(found, wanted)) expect(found).toEqual(wanted);
        expect(Object.keys(found as PlainObject)).toEqual(Object.keys(wanted));
        expect(await one.countDocuments({ a: wanted['a'] ?? null, _id: id })).toBe(1);
      }
    }),
    runs(150, 21),
  );
  expect(changed).toBeGreaterThan(50);
  await harness.close();
});

it('lets a document grow past 64 KiB and shrink again', async () => {
  const harness = await openHarness();
  const wide = harness.collection('wide');
  await wide.createIndex({ kind: 1 });
  const ofLength = (characters: number): PlainObject => ({ _id: 1, n: 1, text: 'é'.repeat(characters), last: true });
  await wide.insertOne(ofLength(32_700));
  for (const characters of [32_800, 20, 40_000, 32_700]) {
    await wide.updateOne({ _id: 1 }, { $set: { text: ofLength(characters)['text'] } });
    expect(await wide.findOne({ _id: 1 })).toEqual(ofLength(characters));
    await wide.updateOne({ _id: 1 }, { $inc: { n: 0 }, $set: { kind: characters } });
    expect(await wide.findOne({ kind: characters })).toEqual({ ...ofLength(characters), kind: characters });
    await wide.updateOne({ _id: 1 }, { $unset: { kind: 1 } });
  }
  await harness.close();
});

it('changes fields of documents that share a structure, alone and with others, by index or not', async () => {
  const harness = await openHarness();
  const [plain, indexed] = [harness.collection('plain'), harness.collection('indexed')];
  await indexed.createIndex({ city: 1 });
  const count = 72;
  const stored: PlainObject[] = Array.from({ length: count }, (_, i) => {
    return {
      _id: `d${i}`,
      score: i,
      city: `c${i % 7}`,
      tags: ['a', { x: i }],
      home: { zip: i, street: 's' },
      last: null,
    };
  });
  for (const one of [plain, indexed]) await one.insertMany(stored);
  const changes: Record<string, Record<string, unknown>>[] = [
    { $inc: { score: 1 } },
    { $set: { home: { zip: -1, street: 's' } } },
    { $set: { last: 'x'.repeat(70) }, $mul: { score: 3 } },
    { $push: { tags: { x: 'new' } } },
    { $set: { city: 'elsewhere', score: 0 } },
    { $set: { score: 5, new: true } },
    { $unset: { last: 1 } },
    { $min: { score: 1e9 } },
    { $set: { city: 'c1' }, $currentDate: { last: true } },
    { $pull: { tags: 'a' }, $rename: { home: 'house' } },
    { $set: { last: 'x'.repeat(70_000) } },
    { $inc: { score: 1 } },
  ];
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < count; i++) {
      const _id = `d${i}`;
      const change = changes[(i + 5 * round) % changes.length] as Record<string, Record<string, unknown>>;
      const before = stored[i] as PlainObject;
      const after = compileUpdate(change, undefined, NOW).apply(before, {
        filter: compileFilter({ _id }),
        inserting: false,
      });
      stored[i] = after;
      for (const one of [plain, indexed]) {
        const { matchedCount, modifiedCount } = await one.updateOne({ _id }, change);
        expect([matchedCount, modifiedCount]).toEqual([1, Number(!identical(before, after))]);
        const found = (await one.findOne({ _id })) as PlainObject;
        if (after['last'] instanceof Date) stored[i] = { ...after, last: found['last'] };
        if (!identical(found, stored[i])) expect(found).toEqual(stored[i]);
        expect(await one.countDocuments({ _id, city: after['city'] as string })).toBe(1);
      }
      stored[i] = (await plain.findOne({ _id })) as PlainObject;
      if (after['last'] instanceof Date)
        await indexed.updateOne({ _id }, { $set: { last: (stored[i] as PlainObject)['last'] } });
    }
  }
  await harness.close();
});

it('says what it cannot do to a field, and leaves the document as it was', async () => {
  const harness = await openHarness();
  const people = harness.collection('people');
  await people.insertMany(Array.from({ length: 80 }, (_, i) => ({ _id: i, name: 'a', score: i, tags: [1] })));
  const fails = async (update: Record<string, unknown>, code: string): Promise<void> => {
    await expect(people.updateOne({ _id: 79 }, update)).rejects.toMatchObject({ code });
    expect(await people.findOne({ _id: 79 })).toEqual({ _id: 79, name: 'a', score: 79, tags: [1] });
  };
  await fails({ $inc: { score: 1, name: 1 } }, '22023');
  await fails({ $set: { score: 1, name: () => 1 } }, '22023');
  await fails({ $set: { name: '\ud800' } }, '22021');
  await fails({ $set: { name: { 'a.b': 1 } } }, '22023');
  await fails({ $set: { name: 'x'.repeat(17 * 1024 * 1024) } }, '54000');
  await fails({ $push: { score: 1 } }, '22023');
  await harness.close();
});

it('decodes of documents that are changed or removed together only what is asked of them', async () => {
  const harness = await openHarness();
  const c = harness.collection('c');
  await c.createIndex({ city: 1 });
  const documents = Array.from({ length: 300 }, (_, i) => ({
    _id: i,
    n: i,
    city: `c${i % 7}`,
    tags: [i % 3],
    o: { x: i },
  }));
  // What these have in common is known when they are committed.
  await harness.collection('first').insertMany(documents);
  await vi.waitFor(() => expect(harness.catalog.structures.size).toBeGreaterThan(0));
  await c.insertMany(documents);
  const whole = vi.spyOn(DocumentLayout.prototype, 'decode');
  const parts = vi.spyOn(DocumentLayout.prototype, 'decodeFields');
  expect(await c.updateMany({}, { $inc: { n: 1 } })).toMatchObject({ matchedCount: 300, modifiedCount: 300 });
  expect(parts).not.toHaveBeenCalled();
  expect(await c.updateMany({ n: { $lte: 100 } }, { $set: { n: 100 } })).toMatchObject({ modifiedCount: 99 });
  // The filter's field alone; what is changed is patched.
  expect(parts).toHaveBeenCalledTimes(300);
  parts.mockClear();
  await c.updateMany({ 'o.x': { $lt: 10 } }, { $set: { city: 'new' } });
  await c.updateMany({ tags: 2 }, { $set: { 'tags.$': 20 } });
  expect(await c.deleteMany({ n: 100 })).toEqual({ deletedCount: 100 });
  expect(whole).not.toHaveBeenCalled();
  whole.mockRestore();
  parts.mockRestore();
  expect(await c.find({ city: 'new' }).toArray()).toEqual([]);
  expect(await c.countDocuments({ tags: 20 })).toBe(67);
  expect(await c.countDocuments({}, { hint: 'c_city_1' })).toBe(200);
  expect(await c.countDocuments({ $nor: [{}] })).toBe(0);
  await harness.close();
});

it('keeps unique indexes while many documents change, and leaves no entries of those that go', async () => {
  const harness = await openHarness();
  const c = harness.collection('c');
  await c.createIndex({ k: 1 }, { unique: true });
  await c.createIndex({ tags: 1 });
  await c.createIndex({ words: 'text' });
  const documents = Array.from({ length: 200 }, (_, i) => ({
    _id: i,
    k: i,
    tags: [i % 5, `t${i}`],
    words: `w${i % 9} all`,
  }));
  await c.insertMany(documents);
  // The next one has that key still.
  await expect(c.updateMany({}, { $inc: { k: 1 } })).rejects.toMatchObject({ code: '23505' });
  expect(await c.countDocuments({ k: { $gte: 0 } })).toBe(200);
  await c.updateMany({}, { $inc: { k: 1000 }, $push: { tags: 'z' } });
  expect(await c.findOne({ k: 7 })).toBeNull();
  expect(await c.findOne({ k: 1007 })).toMatchObject({ _id: 7, tags: [2, 't7', 'z'] });
  expect(await c.countDocuments({ tags: 'z' })).toBe(200);
  expect(await c.deleteMany({ tags: { $in: [1, 2] } })).toEqual({ deletedCount: 80 });
  expect(await c.countDocuments({ $text: { $search: 'all' } })).toBe(120);
  await c.insertMany(documents.filter(({ _id }) => _id % 5 === 1));
  const view = await harness.model.openRead(undefined);
  const { indexes } = harness.model.find(view.transaction, 'c') ?? { indexes: [] };
  const entries = indexes.map(({ prefix }) => {
    const cursor = view.transaction.storage.cursor(prefixRange(prefix));
    let count = 0;
    while (cursor.next()) count++;
    cursor.close();
    return count;
  });
  view.release();
  // Of 160 documents: one each; 120 with three elements and 40 with two, and the mark; two words each, and the mark.
  expect(entries).toEqual([160, 120 * 3 + 40 * 2 + 1, 160 * 2 + 1]);
  await harness.close();
});

it('waits in the middle of a change of many for who holds a unique key', async () => {
  const harness = await openHarness();
  const c = harness.collection('c');
  await c.createIndex({ k: 1 }, { unique: true });
  await c.insertMany(Array.from({ length: 50 }, (_, i) => ({ _id: i, k: i, text: 'x'.repeat(i) })));
  const storage = harness.mvcc.begin();
  const objects = harness.catalog.begin(storage);
  const tx: TransactionHost = {
    documents: (run) => run({ storage, objects, roleOid: BootstrapOid.Superuser, beforeCommit: () => undefined }),
  };
  await c.insertOne({ _id: 'held', k: 1005 }, { tx });
  const changing = c.updateMany({ _id: { $gte: 0 } }, { $inc: { k: 1000 } });
  while (!harness.mvcc.transactions().some(({ waitsFor }) => waitsFor.length > 0)) await setImmediate();
  storage.rollback();
  expect(await changing).toMatchObject({ matchedCount: 50, modifiedCount: 50 });
  for (const i of [4, 5, 6])
    expect(await c.findOne({ k: 1000 + i })).toEqual({ _id: i, k: 1000 + i, text: 'x'.repeat(i) });
  await harness.close();
});
