/** Indexes of collections that serve SQL: plans, and answers that are the same without them. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Database, Decimal, ObjectId, Uuid, open } from '../src/index.js';

const properties = {
  city: { type: 'string' },
  age: { type: 'integer' },
  score: { type: 'number' },
  seen: { bsonType: 'date' },
  ok: { type: 'boolean' },
  tags: { type: 'array' },
  address: { type: 'object' },
};

let db: Database;

beforeEach(async () => {
  db = await open(':memory:', { timestamps: 'text' });
});

afterEach(() => db.close());

const plan = async (statement: string, database = db): Promise<string> =>
  (await database.query<{ 'QUERY PLAN': string }>(`explain (costs off) ${statement}`)).rows
    .map((row) => row['QUERY PLAN'])
    .join('\n');

describe('an index of a collection', () => {
  beforeEach(async () => {
    const places = db.collection('places', { schema: { properties } });
    await places.createIndex({ city: 1, age: -1 });
    await places.createIndex({ 'address.street': 1 });
    await places.createIndex({ age: 1 });
    await places.insertMany(
      Array.from({ length: 500 }, (_, i) => ({
        _id: i,
        city: `city ${i % 100}`,
        age: i,
        address: { street: `street ${i}`, no: i },
      })),
    );
    db.exec('analyze places');
  });

  it('is used for columns of fields and for parts of the document', async () => {
    expect(await plan(`select * from places where city = 'city 7' and age > 100`)).toBe(
      [
        'Index Scan using places_city_1_age_-1 on places',
        `  Index Cond: ((city = 'city 7'::text) AND (age > 100))`,
        `  Filter: ((age > 100) AND (city = 'city 7'::text))`,
      ].join('\n'),
    );
    const used = 'Index Scan using places_address.street_1 on places';
    expect(await plan(`select 1 from places where doc -> 'address' ->> 'street' = 'street 5'`)).toContain(used);
    expect(await plan(`select 1 from places where doc #>> '{address,street}' = 'street 5'`)).toContain(used);
    expect(await plan(`select 1 from places where doc.address.street = '"street 5"'`)).toContain(used);
    expect(await plan(`select 1 from places where address ->> 'street' in ('street 5', 'street 6')`)).toContain(used);
    expect(await plan(`select 1 from places where doc ->> 'city' = 'city 7'`)).toContain('places_city_1_age_-1');
    const prepared = db.prepare(`select count(*)::int as n from places where city = $1`);
    for (const city of ['city 1', 'none', null, 'city 2']) prepared.get(city);
    expect(prepared.get('city 3')).toEqual({ n: 5 });
    expect(await plan(`select 1 from places where doc ->> 'city' > 'x'`)).toContain('Seq Scan');
    expect(await plan(`update places set ok = true where city = 'city 7'`)).toContain('places_city_1_age_-1');
    expect(await db.sql`select _id from places where doc.address.street = '"street 5"'`).toEqual([{ _id: 5 }]);
  });

  it('gives the order that is asked for', async () => {
    const ordered = `select age from places where city = 'city 7' and age > 0 order by age desc limit 3`;
    expect(await plan(ordered)).not.toContain('Sort');
    expect((await db.query(ordered)).rows).toEqual([{ age: 407 }, { age: 307 }, { age: 207 }]);
    const backward = `select age from places where age is not null order by age desc limit 2`;
    expect(await plan(backward)).toContain('Index Scan Backward using places_age_1');
    expect((await db.query(backward)).rows).toEqual([{ age: 499 }, { age: 498 }]);
    expect(await plan('select age from places order by age limit 2')).toContain('Sort');
  });

  it('is made in SQL, over fields and paths, and serves both', async () => {
    db.exec(`drop index "places_age_1"; drop index "places_city_1_age_-1"; drop index "places_address.street_1";
      create index on places (age desc);
      create unique index streets on places ((doc.address.street));
      create index if not exists streets on places (city)`);
    const places = db.collection('places');
    expect(await places.find({ 'address.street': 'street 9' }).explain()).toMatchObject({
      index: 'streets',
      returned: 1,
    });
    expect(await places.find({ age: { $gt: 495 } }).explain()).toMatchObject({ index: 'places_age_idx', returned: 4 });
    expect(await plan(`select 1 from places where doc -> 'address' ->> 'street' = 'x'`)).toContain('using streets');
    expect(await plan('select 1 from places where age > 495')).toContain('using places_age_idx');
    expect(
      await db.sql`select indexdef from pg_indexes where indexname in ('streets', 'places_age_idx') order by 1`,
    ).toEqual([
      { indexdef: 'CREATE INDEX places_age_idx ON public.places USING document (age DESC)' },
      { indexdef: `CREATE UNIQUE INDEX streets ON public.places USING document (((doc -> 'address' -> 'street')))` },
    ]);
    await expect(places.insertOne({ address: { street: 'street 1' } })).rejects.toMatchObject({ code: '23505' });
    await db.sql`insert into places (age) values (1), (2)`;
    db.exec('drop index streets');
    expect(await places.indexes()).toHaveLength(2);
  });

  it('is filled anew by REINDEX, in whichever way it is said', async () => {
    const places = db.collection('places');
    for (const command of ['index "places_age_1"', 'table places', 'index concurrently "places_age_1"']) {
      await db.query(`reindex ${command}`);
      expect(await places.find({ age: { $gt: 495 } }).explain()).toMatchObject({ index: 'places_age_1', returned: 4 });
      await places.insertOne({ age: 1000 });
      expect(await places.find({ age: 1000 }).toArray()).toHaveLength(1);
      await places.deleteMany({ age: 1000 });
    }
    await expect(places.createIndex({ age: 1 })).resolves.toBe('places_age_1');
  });

  it('is not asked by a snapshot that is older than it', async () => {
    const places = db.collection('places');
    let attempts = 0;
    const found = await db.transaction(async (tx) => {
      await tx.sql`select 1`;
      if (attempts++ === 0) await places.createIndex({ ok: 1 });
      const rows = await tx.sql`select _id from places where age = 5`;
      return [rows.length, await places.countDocuments({ age: 5 }, { tx })];
    });
    expect([attempts, found]).toEqual([2, [1, 1]]);
  });

  it('is looked up by joins, in rows of tables and in other documents', async () => {
    db.exec(`create table visits (street text, n int); insert into visits values ('street 3', 1), ('none', 2), (null, 3);
      analyze visits`);
    const join = `select n, age from visits left join places on address -> 'street' = to_jsonb(visits.street) order by n`;
    expect(await plan(join)).toContain('Index Scan using places_address.street_1');
    expect((await db.query(join)).rows).toEqual([
      { n: 1, age: 3 },
      { n: 2, age: null },
      { n: 3, age: null },
    ]);
  });
});

const scalar = fc.oneof(
  fc.constantFrom<unknown>(
    'a',
    'b',
    '1',
    '1.5',
    'true',
    '',
    'NaN',
    '["a"]',
    '{"a":1}',
    'YQ==',
    '2024-01-01T00:00:00.000Z',
  ),
  fc.constantFrom<unknown>('65f0a1b2c3d4e5f601020304', '00000000-0000-4000-8000-000000000001'),
  fc.constantFrom<unknown>(0, 1, -1, 1.5, 0.1, 2 ** 53, 2 ** 60, -0, NaN, Infinity, -Infinity, 5n, 2n ** 60n + 1n),
  fc.constantFrom<unknown>(
    Decimal.fromString('0.1'),
    Decimal.fromString('1.0'),
    Decimal.fromString('1.5000000000000000001'),
  ),
  fc.constantFrom<unknown>(true, false, null, undefined, new Date('2024-01-01'), new Date('2024-01-02')),
  fc.constantFrom<unknown>(
    ObjectId.fromHex('65f0a1b2c3d4e5f601020304'),
    new Uuid('00000000-0000-4000-8000-000000000001'),
    new Uint8Array([97]),
  ),
);
const value = fc.oneof(
  { weight: 4, arbitrary: scalar },
  { weight: 1, arbitrary: fc.array(scalar, { maxLength: 3 }) },
  { weight: 1, arbitrary: fc.record({ a: scalar }) },
);
const fields = ['city', 'age', 'score', 'seen', 'ok', 'tags', 'address'] as const;
const texts = [
  'a',
  'b',
  '1',
  '1.5',
  '0.1',
  'true',
  '',
  'NaN',
  '[]',
  '["a"]',
  '{"a":1}',
  '{"a": 1}',
  'YQ==',
  'null',
  '1.0',
];
texts.push('2024-01-01T00:00:00.000Z', '65f0a1b2c3d4e5f601020304', '00000000-0000-4000-8000-000000000001', '[1, "a"]');

/** A condition whose operand may be looked for in an index. */
const condition = fc.oneof(
  fc
    .tuple(fc.constantFrom(...fields), fc.constantFrom(...texts))
    .map(([field, text]) => `doc ->> '${field}' = '${text}'`),
  fc.tuple(fc.constantFrom('a', 'b'), fc.constantFrom(...texts)).map(([a, b]) => `doc ->> 'city' in ('${a}', '${b}')`),
  fc.constantFrom(...texts).map((text) => `address ->> 'a' = '${text}'`),
  fc
    .tuple(
      fc.constantFrom(...fields),
      fc.constantFrom('"a"', '1', '1.5', 'null', '[]', '["a"]', '{}', '{"a": 1}', 'true'),
    )
    .map(([field, json]) => `doc -> '${field}' = '${json}'`),
  fc
    .tuple(fc.constantFrom('=', '<', '<=', '>', '>='), fc.constantFrom('a', '', 'b', 'z'))
    .map(([operator, text]) => `city ${operator} '${text}'`),
  fc
    .tuple(
      fc.constantFrom('=', '<', '<=', '>', '>='),
      fc.constantFrom('0', '1', '5', '9007199254740992', '1152921504606846977'),
    )
    .map(([operator, number]) => `age ${operator} ${number}`),
  fc
    .tuple(
      fc.constantFrom('=', '<', '<=', '>', '>='),
      fc.constantFrom('0', '1.5', '0.1', "'NaN'", "'Infinity'", "'-Infinity'"),
    )
    .map(([operator, number]) => `score ${operator} ${number}::float8`),
  fc
    .tuple(
      fc.constantFrom('=', '<', '<=', '>', '>='),
      fc.constantFrom('2024-01-01', '2024-01-01 00:00:00.0005', 'infinity', '-infinity'),
    )
    .map(([operator, moment]) => `seen ${operator} '${moment}+00'`.replace('infinity+00', 'infinity')),
  fc.constantFrom(
    'ok = true',
    'ok = false',
    'city is not null',
    'age is not null',
    'seen is not null',
    'age in (0, 1, null)',
  ),
);

describe('an answer in SQL', () => {
  it('is the same with the indexes of a collection and without', async () => {
    let served = 0;
    const run = async (documents: readonly Record<string, unknown>[], queries: readonly string[]): Promise<void> => {
      const database = await open(':memory:');
      // Sessions that are made from now on would rather not walk.
      database.exec('alter role phantom set enable_seqscan = off; alter role phantom set timezone = utc');
      const plain = database.collection('plain', { schema: { properties }, validationAction: 'warn' });
      const indexed = database.collection('indexed', { schema: { properties }, validationAction: 'warn' });
      for (const field of ['city', 'age', 'score', 'seen', 'ok', 'tags', 'address', 'address.a'])
        await indexed.createIndex({ [field]: 1 });
      await indexed.createIndex({ city: -1, tags: 1, age: 1 });
      await indexed.createIndex({ age: -1, city: 1 }, { sparse: true });
      for (const one of [plain, indexed])
        await one.insertMany(documents.map((document, _id) => ({ _id, ...document })));
      const answer = async (text: string): Promise<unknown> => (await database.query(text)).rows;
      for (const query of queries) {
        const without = await answer(query.replace('%', 'plain'));
        const text = query.replace('%', 'indexed');
        const shown = await plan(text, database);
        if (/using indexed_(?!pkey)/.test(shown)) served++;
        expect(await answer(text), `${text}\n${shown}`).toEqual(without);
      }
      await database.close();
    };
    // Parallel arrays cannot be indexed: only tags hold some.
    const document = fc.record(
      { city: scalar, age: scalar, score: scalar, seen: scalar, ok: scalar, tags: value, address: value },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(document, { maxLength: 30 }),
        fc.array(
          fc
            .tuple(condition, condition, fc.constantFrom('_id', 'city, _id', 'age desc, _id'))
            .map(([a, b, order]) => `select _id from % where ${a} and ${b} order by ${order}`),
          { minLength: 20, maxLength: 20 },
        ),
        run,
      ),
      { numRuns: 4, seed: 11 },
    );
    expect(served).toBeGreaterThan(60);
  });
});
