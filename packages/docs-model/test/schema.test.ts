/** Schemas of collections: writes that break them, changes of them, the types they stand for. */
import type { Logger } from '@phantom/base';
import { afterEach, beforeEach, describe, expect, expectTypeOf, it } from 'vitest';
import { type FromSchema, ObjectId } from '../src/index.js';
import { type Harness, openHarness } from './harness.js';

const schema = {
  type: 'object',
  properties: {
    name: { type: 'string', minLength: 2 },
    age: { type: 'integer', minimum: 0 },
    joined: { bsonType: 'date' },
    tags: { type: 'array', items: { enum: ['a', 'b'] } },
    address: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
  required: ['name'],
} as const;

let harness: Harness;
let warnings: string[];

beforeEach(async () => {
  warnings = [];
  const logger: Logger = { debug() {}, info() {}, warn: (message) => warnings.push(message), error() {} };
  harness = await openHarness(undefined, logger);
});

afterEach(() => harness.close());

describe('a schema', () => {
  it('is kept by every write, and faults are told by path, keyword and value', async () => {
    const people = harness.collection<FromSchema<typeof schema>>('people', { schema });
    await people.insertOne({ name: 'Ada', age: 36, joined: new Date(0), tags: ['a'], address: { city: 'London' } });
    const wrong = people.insertOne({ name: 'A', age: -1, address: {} } as never);
    await expect(wrong).rejects.toMatchObject({
      code: '23514',
      table: 'people',
      data: {
        faults: [
          { path: 'name', keyword: 'minLength', value: 'A' },
          { path: 'age', keyword: 'minimum', value: -1 },
          { path: 'address', keyword: 'required', value: {} },
        ],
      },
    });
    await expect(people.updateOne({ name: 'Ada' }, { $set: { joined: 'yesterday' } })).rejects.toMatchObject({
      code: '23514',
    });
    await expect(people.updateMany({}, { $push: { tags: 'c' } })).rejects.toMatchObject({ code: '23514' });
    await expect(people.updateOne({ name: 'x' }, { $set: { age: 1 } }, { upsert: true })).rejects.toMatchObject({
      code: '23514',
    });
    await expect(people.replaceOne({}, { age: 1 })).rejects.toMatchObject({ code: '23514' });
    expect(await people.countDocuments()).toBe(1);
    const other = harness.collection('people', { schema: { type: 'object' } });
    await expect(other.insertOne({ x: 1 })).rejects.toMatchObject({ code: '55000' });
    await expect(harness.collection('people').insertOne({ x: 1 })).rejects.toMatchObject({ code: '23514' });
  });

  it('is refused when the validator would answer it wrongly', async () => {
    const wrong = [
      { items: { $dynamicRef: '#x' } },
      { unevaluatedItems: false, contains: { type: 'string' } },
      { if: { required: ['a'] }, properties: { b: { unevaluatedProperties: false } } },
      JSON.parse('{"properties": {"__proto__": {"type": "number"}}}'),
      { $schema: 'http://json-schema.org/draft-07/schema#', properties: { a: { $ref: '#', minLength: 1 } } },
    ];
    for (const one of wrong) {
      expect(() => harness.collection('people', { schema: one }), JSON.stringify(one)).toThrow(
        expect.objectContaining({ code: '0A000' }),
      );
    }
    const data = { properties: { contains: { const: { $dynamicRef: 1 } }, if: true }, unevaluatedItems: false };
    expect(harness.collection('people', { schema: data })).toBeDefined();
  });

  it('may be of draft 7, and sees own fields alone', async () => {
    const people = harness.collection('people', {
      schema: {
        $schema: 'http://json-schema.org/draft-07/schema#',
        definitions: { name: { type: 'string' } },
        properties: { names: { items: [{ $ref: '#/definitions/name', description: 'first' }] } },
        required: ['constructor'],
      },
    });
    await people.insertOne({ constructor: 1, names: ['a', 2] });
    await expect(people.insertOne({ constructor: 1, names: [1] })).rejects.toMatchObject({ code: '23514' });
    await expect(people.insertOne({ names: [] })).rejects.toMatchObject({ code: '23514' });
  });

  it('that refers to itself without end is told', async () => {
    const people = harness.collection('people', { schema: { allOf: [{ $ref: '#' }] } });
    await expect(people.insertOne({ a: 1 })).rejects.toMatchObject({ code: '54001' });
  });

  it('tells types that JSON lacks', async () => {
    const types = {
      type: 'object',
      properties: { _id: { bsonType: 'objectId' }, n: { bsonType: ['long', 'decimal'] }, m: { bsonType: 'number' } },
    };
    const c = harness.collection('c', { schema: types });
    await c.insertOne({ _id: ObjectId.fromHex('0123456789abcdef01234567'), n: 5n, m: 5 });
    await expect(c.insertOne({ _id: 'x' })).rejects.toMatchObject({ code: '23514' });
    await expect(c.insertOne({ n: 5 })).rejects.toMatchObject({ code: '23514' });
    await expect(c.insertOne({ m: 'x' })).rejects.toMatchObject({ code: '23514' });
  });

  it('sees documents as JSON, wherever in them something else stands, and leaves them as they are', async () => {
    const listed = { type: 'array', items: { type: ['string', 'number', 'array'] } };
    const things = harness.collection<Record<string, unknown>>('things', {
      schema: { properties: { list: listed, fields: { additionalProperties: { type: ['string', 'object'] } } } },
    });
    const id = new ObjectId();
    const document = {
      _id: 1,
      list: ['a', 1, new Date(0), id, 5n, [[2n]]],
      fields: { a: 'x', b: id, ['__proto__x']: new Date(1), c: { deep: { deeper: 7n } } },
    };
    await things.insertOne(document);
    expect(await things.findOne({ _id: 1 })).toEqual(document);
    for (const wrong of [
      { list: ['a', true] },
      { list: [id, {}] },
      { fields: { a: id, b: 1n } },
      { fields: { a: null } },
    ]) {
      await expect(things.insertOne(wrong)).rejects.toMatchObject({ code: '23514' });
    }
    let deep: unknown = 5n;
    for (let i = 0; i < 90; i++) deep = i % 2 === 0 ? [deep] : { deep };
    await things.insertOne({ _id: 2, other: deep });
    expect(await things.countDocuments()).toBe(2);
  });

  it('that is changed reports what is there', async () => {
    const c = harness.collection('c');
    await c.insertMany([{ _id: 1, name: 'Ada' }, { _id: 2 }, { _id: 3, name: 5 }]);
    await expect(c.setSchema(schema)).rejects.toMatchObject({ code: '23514', data: { checked: 3, invalid: 2 } });
    await c.updateOne({ _id: 1 }, { $set: { name: 1 } });
    await c.updateOne({ _id: 1 }, { $set: { name: 'Ada' } });
    const report = await c.setSchema(schema, { validationLevel: 'moderate' });
    expect(report).toMatchObject({ checked: 3, invalid: 2, examples: [{ _id: 2 }, { _id: 3 }] });
    await c.updateOne({ _id: 2 }, { $set: { age: -5 } });
    await expect(c.updateOne({ _id: 1 }, { $set: { age: -5 } })).rejects.toMatchObject({ code: '23514' });
    await c.setSchema(null);
    await c.updateOne({ _id: 1 }, { $set: { age: -5 } });
  });

  it('may only warn', async () => {
    const c = harness.collection('c', { schema, validationAction: 'warn' });
    await c.insertOne({ x: 1 });
    expect(await c.countDocuments()).toBe(1);
    expect(warnings).toEqual(['a document of "c" breaks the schema']);
  });

  it('that is none is refused', () => {
    expect(() => harness.collection('c', { schema: { type: 'nothing' } })).toThrow(
      expect.objectContaining({ code: '22023' }),
    );
    expect(() => harness.collection('c', { schema: 5 })).toThrow(expect.objectContaining({ code: '22023' }));
  });

  it('stands for a type', () => {
    type Person = FromSchema<typeof schema>;
    expectTypeOf<Person>().toEqualTypeOf<{
      name: string;
      age?: number;
      joined?: Date;
      tags?: ('a' | 'b')[];
      address?: { city: string };
    }>();
  });
});
