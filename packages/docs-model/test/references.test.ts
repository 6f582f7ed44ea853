/** References between documents: what may dangle, what goes along, what stands in the place of an id. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ObjectId } from '../src/index.js';
import { type Harness, openHarness } from './harness.js';

type Action = 'restrict' | 'cascade' | 'setNull';

let harness: Harness;
let warnings: string[];

beforeEach(async () => {
  warnings = [];
  const warn = (message: string): unknown => warnings.push(message);
  harness = await openHarness(undefined, { debug() {}, info() {}, warn, error() {} });
});

afterEach(() => harness.close());

const refersTo = (collection: string, onDelete?: Action): object => ({
  'x-ref': onDelete === undefined ? { collection } : { collection, onDelete },
});

const schemaOf = (properties: object): object => ({ type: 'object', properties });

async function usersAndPosts(onDelete?: Action): Promise<void> {
  const posts = harness.collection('posts', { schema: schemaOf({ author: refersTo('users', onDelete) }) });
  const users = harness.collection('users');
  await users.insertMany([
    { _id: 1, name: 'Ada' },
    { _id: 2, name: 'Bob' },
  ]);
  await posts.insertMany([
    { _id: 'a', author: 1 },
    { _id: 'b', author: 1 },
    { _id: 'c', author: 2 },
  ]);
}

describe('a reference', () => {
  it('leads to a document', async () => {
    await usersAndPosts();
    const posts = harness.collection('posts');
    await expect(posts.insertOne({ _id: 'd', author: 3 })).rejects.toMatchObject({
      code: '23503',
      table: 'posts',
      constraint: 'author',
      data: { id: 'd', path: 'author', value: 3, collection: 'users' },
    });
    await expect(posts.updateOne({ _id: 'a' }, { $set: { author: 'x' } })).rejects.toMatchObject({ code: '23503' });
    await expect(posts.replaceOne({ _id: 'a' }, { author: [1] })).resolves.toMatchObject({ modifiedCount: 1 });
    await expect(posts.replaceOne({ _id: 'a' }, { author: [[1]] })).rejects.toMatchObject({ code: '23503' });
    await posts.insertMany([{ author: null }, {}, { author: 1n }]);
    expect(await posts.countDocuments()).toBe(6);
  });

  it('is settled at the end of the transaction, whatever came first', async () => {
    await usersAndPosts();
    const posts = harness.collection('posts');
    const bulk = posts.bulkWrite([
      { insertOne: { document: { _id: 'd', author: 9 } } },
      { updateOne: { filter: { _id: 'd' }, update: { $set: { author: 2 } } } },
      { insertOne: { document: { _id: 'e', author: 9 } } },
      { deleteOne: { filter: { _id: 'e' } } },
    ]);
    await expect(bulk).resolves.toMatchObject({ insertedCount: 2, modifiedCount: 1 });
    expect(await posts.findOne({ _id: 'd' })).toEqual({ _id: 'd', author: 2 });
  });

  it('that was undone with its operation is owed no more', async () => {
    await usersAndPosts();
    const posts = harness.collection('posts');
    await posts.createIndex({ title: 1 }, { unique: true, sparse: true });
    await posts.insertOne({ _id: 'd', title: 'x' });
    const outcome = await posts.bulkWrite(
      [
        { insertOne: { document: { _id: 'e', author: 1 } } },
        { updateOne: { filter: { _id: 'e' }, update: { $set: { author: 9, title: 'x' } } } },
      ],
      { ordered: false },
    );
    expect(outcome.writeErrors.map(({ error }) => error.code)).toEqual(['23505']);
    expect(await posts.findOne({ _id: 'e' })).toEqual({ _id: 'e', author: 1 });
  });

  it('restricts the removal of what it leads to', async () => {
    await usersAndPosts();
    const users = harness.collection('users');
    await expect(users.deleteMany({})).rejects.toMatchObject({ code: '23503', table: 'posts', data: { id: 1 } });
    expect(await users.countDocuments()).toBe(2);
    await harness.collection('posts').deleteMany({ author: 2 });
    await users.deleteOne({ _id: 2 });
    expect(await users.countDocuments()).toBe(1);
  });

  it('cascades through collections and circles', async () => {
    const a = harness.collection('a', { schema: schemaOf({ next: refersTo('b', 'cascade') }) });
    const b = harness.collection('b');
    await a.createIndex({ next: 1 });
    await b.setSchema(schemaOf({ next: refersTo('a', 'cascade'), self: refersTo('b', 'cascade') }));
    await b.insertOne({ _id: 1 });
    await a.insertOne({ _id: 1, next: 1 });
    await b.updateOne({ _id: 1 }, { $set: { next: 1 } });
    await b.insertMany([
      { _id: 2, self: 1 },
      { _id: 3, self: 2 },
      { _id: 4, self: 4 },
    ]);
    await b.deleteOne({ _id: 1 });
    expect(await a.countDocuments()).toBe(0);
    expect(await b.find().toArray()).toEqual([{ _id: 4, self: 4 }]);
    await b.deleteOne({ _id: 4 });
    expect(await b.countDocuments()).toBe(0);
  });

  it.each([false, true])('sets null, in arrays element by element; with an index on the path: %s', async (indexed) => {
    const schema = schemaOf({
      editors: { type: 'array', items: { properties: { who: refersTo('users', 'setNull') } } },
      tags: { type: 'array', items: refersTo('tags', 'setNull') },
    });
    const posts = harness.collection('posts', { schema });
    if (indexed) {
      await posts.createIndex({ 'editors.who': 1 });
      await posts.createIndex({ tags: -1 });
    }
    await harness.collection('users').insertMany([{ _id: 1 }, { _id: 2 }]);
    await harness.collection('tags').insertMany([{ _id: 'x' }, { _id: 'y' }]);
    const editors = [{ who: 1, at: 5 }, { who: 2 }, 7];
    await posts.insertMany([
      { _id: 1, editors, tags: ['x', 'y', 'x'] },
      { _id: 2, editors: [] },
    ]);
    await harness.collection('users').deleteMany({ _id: 1 });
    await harness.collection('tags').deleteMany({ _id: 'x' });
    expect(await posts.findOne({ _id: 1 })).toEqual({
      _id: 1,
      editors: [{ who: null, at: 5 }, { who: 2 }, 7],
      tags: [null, 'y', null],
    });
  });

  it('cascades into what another reference restricts: nothing is removed', async () => {
    const posts = harness.collection('posts', { schema: schemaOf({ author: refersTo('users', 'cascade') }) });
    const notes = harness.collection('notes', { schema: schemaOf({ post: refersTo('posts') }) });
    const users = harness.collection('users');
    await users.insertOne({ _id: 1 });
    await posts.insertOne({ _id: 1, author: 1 });
    await notes.insertOne({ _id: 1, post: 1 });
    await expect(users.deleteOne({ _id: 1 })).rejects.toMatchObject({ code: '23503', table: 'notes' });
    expect([await users.countDocuments(), await posts.countDocuments()]).toEqual([1, 1]);
  });

  it('under action warn is written all the same, and logged', async () => {
    const schema = schemaOf({ author: refersTo('users') });
    const posts = harness.collection('posts', { schema, validationAction: 'warn' });
    await posts.insertOne({ author: 9 });
    expect(warnings).toEqual(['a document of "posts" refers to a document of "users" that does not exist']);
  });

  it('and the removal of its document never both commit', async () => {
    await usersAndPosts();
    const posts = harness.collection('posts');
    const users = harness.collection('users');
    for (let round = 0; round < 20; round++) {
      await users.insertOne({ _id: `u${round}` });
      const outcomes = await Promise.allSettled([
        posts.insertOne({ author: `u${round}` }),
        users.deleteOne({ _id: `u${round}` }),
      ]);
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    }
    expect(await posts.danglingReferences()).toMatchObject({ dangling: 0 });
  });

  it.each([
    [{ 'x-ref': 5 }, '22023'],
    [{ 'x-ref': {} }, '22023'],
    [{ 'x-ref': { collection: 'u', onDelete: 'explode' } }, '22023'],
    [{ 'x-ref': { collection: 'u', onUpdate: 'toString' } }, '22023'],
    [{ 'x-ref': { collection: 'u', ondelete: 'cascade' } }, '22023'],
    [{ anyOf: [{ 'x-ref': { collection: 'u' } }] }, '0A000'],
  ])('that cannot be is refused: %j', async (field, code) => {
    const at = (schema: object): Promise<unknown> => harness.collection('c').setSchema(schema);
    await expect(at(schemaOf({ f: field }))).rejects.toMatchObject({ code });
  });

  it('may be to a collection that comes later, as its first writer wants it', async () => {
    const posts = harness.collection('posts', { schema: schemaOf({ author: refersTo('users') }) });
    await posts.insertOne({ author: null });
    const schema = { ...schemaOf({ boss: refersTo('users', 'cascade') }), required: ['name'] };
    const users = harness.collection('users', { schema });
    await expect(users.insertOne({ _id: 1 })).rejects.toMatchObject({ code: '23514' });
    await users.insertMany([
      { _id: 1, name: 'Ada' },
      { _id: 2, name: 'Bob', boss: 1 },
    ]);
    await expect(users.insertOne({ _id: 3, name: 'Cy', boss: 4 })).rejects.toMatchObject({ code: '23503' });
    await posts.insertOne({ author: 2 });
    await expect(users.deleteOne({ _id: 1 })).rejects.toMatchObject({ code: '23503', table: 'posts' });
  });

  it('of the document itself, and one that would set its id to null, is refused', async () => {
    const c = harness.collection('c');
    await expect(c.setSchema(refersTo('u'))).rejects.toMatchObject({ code: '22023' });
    await expect(c.setSchema(schemaOf({ _id: refersTo('u', 'setNull') }))).rejects.toMatchObject({ code: '22023' });
  });
});

describe('a collection that is referred to', () => {
  it('cannot be dropped', async () => {
    await usersAndPosts();
    await expect(harness.collection('users').drop()).rejects.toMatchObject({ code: '2BP01' });
    await harness.collection('posts').setSchema(null);
    expect(await harness.collection('users').drop()).toBe(true);
  });

  it('is free again when the schema that refers to it goes', async () => {
    await usersAndPosts();
    const posts = harness.collection('posts');
    await posts.setSchema(schemaOf({ tag: refersTo('tags') }));
    await harness.collection('users').deleteMany({});
    await expect(posts.updateOne({ _id: 'a' }, { $set: { tag: 5 } })).rejects.toMatchObject({ code: '23503' });
  });
});

describe('references that lead nowhere', () => {
  const id = ObjectId.fromHex('0123456789abcdef01234567');
  const schema = schemaOf({ author: refersTo('users'), tags: { type: 'array', items: refersTo('tags') } });

  beforeEach(async () => {
    await harness.collection('users').insertOne({ _id: id });
    const documents = [
      { _id: 1, author: id },
      { _id: 2, author: 5 },
      { _id: 3, author: id, tags: ['x', 'y'] },
    ];
    await harness.collection('posts').insertMany(documents);
  });

  it('are told of a collection that had none declared', async () => {
    const posts = harness.collection('posts');
    expect(await posts.danglingReferences()).toEqual({ checked: 3, dangling: 0, examples: [] });
    expect(await posts.danglingReferences(schema)).toEqual({
      checked: 3,
      dangling: 3,
      examples: [
        { _id: 2, path: 'author', value: 5, collection: 'users' },
        { _id: 3, path: 'tags', value: 'x', collection: 'tags' },
        { _id: 3, path: 'tags', value: 'y', collection: 'tags' },
      ],
    });
  });

  it('keep a schema from being set, unless it is moderate', async () => {
    const posts = harness.collection('posts');
    await expect(posts.setSchema(schema)).rejects.toMatchObject({ code: '23503', data: { checked: 3, dangling: 3 } });
    expect(await posts.setSchema(schema, { validationLevel: 'moderate' })).toMatchObject({ dangling: 3 });
    await posts.updateOne({ _id: 2 }, { $set: { title: 'still dangling' } });
    await expect(posts.updateOne({ _id: 2 }, { $set: { author: 6 } })).rejects.toMatchObject({ code: '23503' });
    await posts.updateOne({ _id: 3 }, { $push: { tags: null } });
  });
});

describe('populate', () => {
  beforeEach(async () => {
    await usersAndPosts();
    const schema = schemaOf({ post: refersTo('posts'), by: { type: 'array', items: refersTo('users') } });
    const notes = harness.collection('notes', { schema });
    await notes.insertMany([
      { _id: 1, post: 'a', by: [2, 1] },
      { _id: 2, post: 'a' },
      { _id: 3, post: null },
    ]);
  });

  it('puts documents in the place of their ids, as deep as is asked', async () => {
    const notes = harness.collection('notes');
    const shallow = await notes.find().sort({ _id: 1 }).populate(['post', 'by']).toArray();
    expect(shallow).toEqual([
      {
        _id: 1,
        post: { _id: 'a', author: 1 },
        by: [
          { _id: 2, name: 'Bob' },
          { _id: 1, name: 'Ada' },
        ],
      },
      { _id: 2, post: { _id: 'a', author: 1 } },
      { _id: 3, post: null },
    ]);
    const deep = await notes.findOne({ _id: 2 }, { populate: 'post', populateDepth: 2 });
    expect(deep).toEqual({ _id: 2, post: { _id: 'a', author: { _id: 1, name: 'Ada' } } });
  });

  it('shows null for what is not there', async () => {
    const schema = schemaOf({ author: refersTo('users') });
    const posts = harness.collection('drafts', { schema, validationAction: 'warn' });
    await posts.insertMany([
      { _id: 1, author: 9 },
      { _id: 2, author: [1, [3]] },
    ]);
    const found = await posts.find({}, { populate: ['author'], sort: { _id: 1 } }).toArray();
    expect(found).toEqual([
      { _id: 1, author: null },
      { _id: 2, author: [{ _id: 1, name: 'Ada' }, [null]] },
    ]);
  });

  it('reads what is referred to once a batch', async () => {
    const many = Array.from({ length: 200 }, (_, i) => ({ _id: `m${i}`, author: 1 + (i % 2) }));
    await harness.collection('posts').insertMany(many);
    const found = await harness.collection('posts').find({ _id: /^m/ }).populate('author').toArray();
    expect(new Set(found.map(({ author }) => author)).size).toBe(2);
  });

  it('refuses paths without a reference, and depths that cannot be', async () => {
    const posts = harness.collection('posts');
    await expect(posts.find().populate('title').toArray()).rejects.toMatchObject({ code: '22023' });
    expect(() => posts.find().populate('author', 0)).toThrow('populateDepth');
    expect(() => posts.find({}, { populate: 'author', populateDepth: 11 })).toThrow('populateDepth');
    expect(await posts.find().populate([]).toArray()).toHaveLength(3);
  });
});
