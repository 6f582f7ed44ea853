/** References of documents to rows, as the model settles them, over tables that are a set of keys here (with SQL's own in db). */
import type { GoneRowKey, RowTables, TableDescriptor } from '@phantom/catalog';
import { silentLogger, systemClock } from '@phantom/base';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Collection, DocumentTables } from '../src/index.js';
import { type Harness, openHarness } from './harness.js';

let harness: Harness;
const keys = new Set<unknown>();
let parent: TableDescriptor;
/** Promises that the tables ask to be waited for. */
let waits = 0;

const tables: RowTables = {
  rowKey: () => ({ tableOid: parent.oid, column: 1, indexOid: parent.indexOids[0] as number }),
  hasRow: (_key, value, held) => {
    if (!held || waits === 0) return keys.has(value);
    waits--;
    return Promise.resolve();
  },
  documentKeyGone: () => undefined,
  policies: () => ({
    sees: (command, buffer, start, end) => command === 'select' || !textOf(buffer, start, end).includes('locked'),
    check: (_command, buffer, start, end) => {
      if (textOf(buffer, start, end).includes('refused')) throw new Error('refused');
    },
  }),
};

function textOf(buffer: Uint8Array, start: number, end: number): string {
  return Buffer.from(buffer.subarray(start, end)).toString('latin1');
}

function tableNamed(name: string): TableDescriptor {
  for (const object of harness.catalog.committed.objects())
    if (object.kind === 'table' && object.name === name) return object;
  throw new Error(`no table ${name}`);
}

/** A collection stands for the table: the model knows it by its oid alone. */
async function openWith(options: object): Promise<void> {
  harness = await openHarness(systemClock, silentLogger, () => tables);
  await harness.collection('rows').insertOne({ _id: 0 });
  parent = tableNamed('rows');
  const reference = { 'x-ref': { table: 'rows', ...options } };
  const schema = { type: 'object', properties: { row: reference, list: { type: 'array', items: reference } } };
  await harness
    .collection('notes', { schema })
    .insertMany([{ _id: 1, row: 1, list: [1, 2] }, { _id: 2, row: 2 }, { _id: 3 }]);
}

/** What SQL does when a row's key goes. */
async function keyGone(before: number, after: unknown, action: GoneRowKey['action']): Promise<void> {
  keys.delete(before);
  const child = tableNamed('notes');
  await harness.model.write(undefined, async (transaction) => {
    for (const reference of child.collection?.rowReferences ?? []) {
      const gone = { parent, child, path: reference.path, key: reference, before: [before], after, action };
      new DocumentTables(harness.model).rowKeyGone(gone, transaction);
    }
  });
}

const notes = (): Collection<Record<string, unknown>> => harness.collection('notes');

beforeEach(() => {
  keys.clear();
  for (const key of [1, 2, 3]) keys.add(key);
  waits = 0;
});

afterEach(() => harness.close());

describe('a reference to a row', () => {
  it('is looked for at the end, as long as the tables ask to wait', async () => {
    await openWith({});
    waits = 2;
    await notes().updateOne({ _id: 3 }, { $set: { row: 3 } });
    expect(waits).toBe(0);
    await expect(notes().updateOne({ _id: 3 }, { $set: { row: 4 } })).rejects.toMatchObject({ code: '23503' });
    await notes().bulkWrite([
      { updateOne: { filter: { _id: 3 }, update: { $set: { row: 4 } } } },
      { updateOne: { filter: { _id: 3 }, update: { $set: { row: 5 } } } },
      { deleteOne: { filter: { _id: 3 } } },
    ]);
    await expect(notes().setSchema({ properties: { row: { 'x-ref': { table: 3 } } } })).rejects.toMatchObject({
      code: '22023',
    });
    await expect(
      notes().setSchema({ properties: { _id: { 'x-ref': { table: 'rows', onUpdate: 'cascade' } } } }),
    ).rejects.toMatchObject({ code: '22023' });
  });

  it('restricts, cascades, follows and is set to null', async () => {
    await openWith({});
    await expect(keyGone(1, undefined, 'restrict')).rejects.toMatchObject({ code: '23503', table: 'notes' });
    await expect(keyGone(1, 7, 'restrict')).rejects.toMatchObject({ code: '23503' });
    keys.add(7);
    await keyGone(1, 7, 'cascade');
    expect(await notes().findOne({ _id: 1 })).toEqual({ _id: 1, row: 7, list: [7, 2] });
    await keyGone(7, null, 'cascade');
    await keyGone(2, undefined, 'set null');
    expect(await notes().find().toArray()).toEqual([
      { _id: 1, row: null, list: [null, null] },
      { _id: 2, row: null },
      { _id: 3 },
    ]);
    await notes().updateOne({ _id: 3 }, { $set: { row: 3 } });
    await keyGone(3, undefined, 'cascade');
    expect(await notes().countDocuments()).toBe(2);
    // A key that is back owes nothing.
    keys.add(9);
    await notes().updateOne({ _id: 1 }, { $set: { row: 9 } });
    const back = keyGone(9, undefined, 'restrict');
    keys.add(9);
    await back;
  });

  it('is logged where the schema warns, and found dangling', async () => {
    await openWith({});
    const schema = { properties: { row: { 'x-ref': { table: 'rows' } } } };
    await notes().setSchema(schema, { validationAction: 'warn' });
    await notes().updateOne({ _id: 1 }, { $set: { row: 99 } });
    expect(await notes().danglingReferences()).toMatchObject({ dangling: 1 });
  });
});

it('policies are asked of what is found and of what is written', async () => {
  await openWith({});
  await harness.model.write(undefined, async ({ objects }) => {
    const table = tableNamed('notes');
    objects.put({ ...table, rowSecurity: { enabled: true, forced: true, policyOids: [] } });
  });
  await notes().insertOne({ _id: 4, text: 'locked' });
  await expect(notes().insertOne({ _id: 5, text: 'refused' })).rejects.toThrow('refused');
  await expect(notes().updateOne({ _id: 1 }, { $set: { text: 'refused' } })).rejects.toThrow('refused');
  expect(await notes().countDocuments()).toBe(4);
  expect(await notes().deleteMany({})).toEqual({ deletedCount: 3 });
  expect(await notes().find().toArray()).toEqual([{ _id: 4, text: 'locked' }]);
  expect(await notes().updateOne({ _id: 4 }, { $set: { text: 'x' } })).toMatchObject({ matchedCount: 0 });
});
