/** A collection's fields as columns: what SQL reads and writes of them, and what becomes of them when the schema changes. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Database, ObjectId, open } from '../src/index.js';

const SCHEMA = {
  type: 'object',
  required: ['title'],
  properties: {
    title: { type: 'string' },
    views: { type: ['integer', 'null'] },
    score: { type: 'number' },
    draft: { type: 'boolean' },
    created: { type: 'string', format: 'date-time' },
    seen: { bsonType: 'date' },
    tags: { type: 'array' },
    whatever: true,
    'not a.column': { type: 'string' },
  },
};

let db: Database;

beforeEach(async () => {
  db = await open(':memory:', { timestamps: 'text' });
  db.exec(`create collection posts (schema '${JSON.stringify(SCHEMA)}')`);
});

afterEach(() => db.close());

const fails = (statement: string, code: string): void =>
  expect(() => db.exec(statement), statement).toThrow(expect.objectContaining({ code }));

describe('the fields of a schema', () => {
  it('are columns with types, in the catalogs too', async () => {
    const columns = await db.sql<{ column_name: string; data_type: string }>`
      select column_name, data_type from information_schema.columns where table_name = 'posts' order by ordinal_position`;
    expect(columns.map(({ column_name: name, data_type: type }) => `${name} ${type}`)).toEqual([
      '_id jsonb',
      'doc jsonb',
      'title text',
      'views bigint',
      'score double precision',
      'draft boolean',
      'created timestamp with time zone',
      'seen timestamp with time zone',
      'tags jsonb',
      'whatever jsonb',
    ]);
    expect(
      await db.sql`select count(*)::int as n from pg_attribute where attrelid = 'posts'::regclass and attnum > 0`,
    ).toEqual([{ n: 10 }]);
  });

  it('read what documents hold, NULL where that is missing or of another type', async () => {
    await db.collection('posts').setSchema(SCHEMA, { validationAction: 'warn' });
    await db.collection('posts').insertMany([
      {
        _id: 1,
        title: 'One',
        views: 9007199254740993n,
        score: 2,
        draft: true,
        created: '2024-02-03T04:05:06.789123+01:00',
        tags: ['a'],
      },
      {
        _id: 2,
        title: 'Two',
        views: 1.5,
        score: 'x',
        draft: 0,
        created: 'today',
        seen: new Date(1700000000123),
        whatever: null,
      },
      { _id: 3, title: 3, views: 5.0, seen: '2024-02-03T04:05:06Z' },
    ]);
    expect(await db.sql`select title, views, score, draft, created, tags from posts where _id = '1'`).toEqual([
      {
        title: 'One',
        views: 9007199254740993n,
        score: 2,
        draft: true,
        created: '2024-02-03 03:05:06.789123+00',
        tags: ['a'],
      },
    ]);
    expect(
      await db.sql`select views, score, draft, created, seen, whatever, whatever is null as none from posts where _id = '2'`,
    ).toEqual([
      {
        views: null,
        score: null,
        draft: null,
        created: null,
        seen: '2023-11-14 22:13:20.123+00',
        whatever: null,
        none: false,
      },
    ]);
    expect(await db.sql`select title, views, seen, tags from posts where _id = '3'`).toEqual([
      { title: null, views: 5, seen: null, tags: null },
    ]);
    expect(
      await db.sql`select title, (select count(*)::int from posts q where q.title > p.title) as later from posts p
        where title is not null order by title desc`,
    ).toEqual([
      { title: 'Two', later: 0 },
      { title: 'One', later: 1 },
    ]);
  });

  it('are written by INSERT and UPDATE, and RETURNING tells what is stored', async () => {
    const posts = db.collection('posts');
    const [first] = await db.sql`insert into posts (title, views, created, seen, tags)
      values ('One', 7, '2024-02-03 04:05:06+00', '2024-02-03 04:05:06.0015+00', '["a", "b"]') returning _id, doc, title`;
    const stored = await posts.findOne({ title: 'One' });
    expect(stored).toEqual({
      _id: stored?._id,
      title: 'One',
      views: 7,
      created: '2024-02-03T04:05:06.000Z',
      seen: new Date('2024-02-03T04:05:06.002Z'),
      tags: ['a', 'b'],
    });
    expect(first).toMatchObject({
      _id: String(stored?._id),
      title: 'One',
      doc: { _id: String(stored?._id), title: 'One' },
    });
    expect(
      await db.sql`update posts set views = views + 1, draft = true, tags = null where title = 'One' returning views, draft, doc`,
    ).toMatchObject([{ views: 8, draft: true, doc: { views: 8, draft: true } }]);
    expect(Object.keys((await posts.findOne({ title: 'One' })) ?? {})).toEqual([
      '_id',
      'title',
      'views',
      'created',
      'seen',
      'draft',
    ]);
    expect(
      await db.sql`insert into posts values ('5', '{"title": "Five", "views": 5}') returning _id, title, views`,
    ).toEqual([{ _id: 5, title: 'Five', views: 5 }]);
    expect(await db.sql`insert into posts (doc, views) values ('{"_id": 6, "title": "Six"}', 6) returning doc`).toEqual(
      [{ doc: { _id: 6, title: 'Six', views: 6 } }],
    );
    const point = db.prepare('update posts set views = $1 where _id = $2');
    for (let i = 0; i < 5; i++) point.run(i, 5);
    expect(await posts.findOne({ _id: 5 })).toEqual({ _id: 5, title: 'Five', views: 4 });
    await db.sql`merge into posts using (values (5), (7)) v (n) on posts._id = to_jsonb(v.n)
      when matched then update set views = 50 when not matched then insert (_id, title) values (to_jsonb(v.n), 'new')`;
    expect(await db.sql`select _id, title, views from posts where _id in ('5', '7') order by 1`).toEqual([
      { _id: 5, title: 'Five', views: 50 },
      { _id: 7, title: 'new', views: null },
    ]);
  });

  it('must agree with doc where a statement gives both', async () => {
    await db.sql`insert into posts (_id, doc, title) values ('1', '{"title": "One", "views": 1}', 'One')`;
    fails(`insert into posts (doc, title) values ('{"title": "One"}', 'Two')`, '22023');
    fails(`update posts set doc = '{"title": "Two"}', title = 'Three'`, '22023');
    fails(`update posts set title = null`, '23514');
    fails(`update posts set views = 'x'`, '22P02');
    fails(`insert into posts (views) values (1)`, '23514');
    fails(`update posts set created = '20000-01-01'`, '22008');
    fails(`insert into posts (_id, title) values (null, 'x')`, '23502');
    // A copy of all columns agrees with itself.
    await db.sql`create table kept as select * from posts`;
    await db.sql`delete from posts`;
    await db.sql`insert into posts select * from kept`;
    expect(await db.sql`select doc from posts`).toEqual([{ doc: { _id: 1, title: 'One', views: 1 } }]);
  });

  it('make the document of a new row without one; one that is given and NULL is refused', async () => {
    db.exec('create collection notes');
    const notes = db.collection('notes');
    await db.sql`insert into notes (_id) values ('1')`;
    await db.sql`insert into notes default values`;
    await db.sql`insert into notes (doc) values ('{"_id": 2, "text": "kept"}')`;
    const ids = await notes
      .find({}, { sort: { _id: 1 } })
      .map((note) => note._id)
      .toArray();
    expect(ids).toEqual([1, 2, expect.any(ObjectId)]);
    for (const statement of [
      'insert into notes (doc) values (null)',
      `insert into notes (_id, doc) select '3', null`,
      `update notes set doc = null where _id = '2'`,
      `update notes set doc = jsonb_set(doc, '{text}', null)`,
      `insert into notes (_id) values ('2') on conflict (_id) do update set doc = null`,
      `merge into notes using (values (2)) v (n) on _id = to_jsonb(n) when matched then update set doc = null`,
    ]) {
      fails(statement, '23502');
    }

    expect(await notes.findOne({ _id: 2 })).toEqual({ _id: 2, text: 'kept' });
    expect(await notes.countDocuments()).toBe(3);
  });

  it('are set beside parts of doc, but for those of the same field', async () => {
    await db.sql`insert into posts (_id, title, views, doc) values ('1', 'One', 1, '{"a": {"x": 1, "y": 2}}')`;
    await db.sql`update posts set doc.a.x = '5', views = views + 1, title = 'Two'`;
    expect(await db.sql`select doc from posts`).toEqual([
      { doc: { _id: 1, a: { x: 5, y: 2 }, title: 'Two', views: 2 } },
    ]);
    await db.sql`update posts set doc['a']['y'] = '6', doc.b = '7', views = null`;
    expect(await db.sql`select doc from posts`).toEqual([{ doc: { _id: 1, a: { x: 5, y: 6 }, title: 'Two', b: 7 } }]);
    fails(`update posts set doc.title = '"Three"', title = 'Four'`, '22023');
    fails(`update posts set doc[lower('TITLE')] = '"Three"', doc.a = '1', title = 'Four'`, '22023');
    await db.sql`update posts set doc.title = '"Three"', title = 'Three'`;
    await db.sql`insert into posts (_id, doc) values ('1', '{"title": "x"}')
      on conflict (_id) do update set doc.a.x = '8', title = 'Five'`;
    expect(await db.sql`select doc from posts`).toEqual([{ doc: { _id: 1, a: { x: 8, y: 6 }, title: 'Five', b: 7 } }]);
  });

  it('follow the schema, in its transaction, and stand fast where a view needs them', async () => {
    const posts = db.collection('posts');
    await posts.insertOne({ _id: 1, title: 'One', views: 1, extra: 'e' });
    const { draft: _draft, ...properties } = SCHEMA.properties;
    const changed = { properties: { ...properties, views: { type: 'string' }, extra: { type: 'string' } } };
    await posts.setSchema(changed, { validationAction: 'warn' });
    expect(await db.sql`select * from posts`).toEqual([
      {
        _id: 1,
        doc: { _id: 1, title: 'One', views: 1, extra: 'e' },
        title: 'One',
        score: null,
        created: null,
        seen: null,
        tags: null,
        whatever: null,
        views: null,
        extra: 'e',
      },
    ]);
    expect(() => db.prepare('select draft from posts').all()).toThrow(expect.objectContaining({ code: '42703' }));
    db.exec('create view titles as select title, posts from posts; create table other (like posts)');
    expect(await db.sql`insert into titles (title) values ('through a view') returning title`).toEqual([
      { title: 'through a view' },
    ]);
    await expect(posts.setSchema(null)).rejects.toMatchObject({ code: '2BP01' });
    db.exec('drop view titles');
    await posts.setSchema(null);
    expect(await db.sql`select * from posts where _id = '1'`).toEqual([
      { _id: 1, doc: { _id: 1, title: 'One', views: 1, extra: 'e' } },
    ]);
  });

  it('change by ALTER COLLECTION, too, which tells what is wrong with the documents there are', async () => {
    const notices: string[] = [];
    db.exec(`insert into posts (title, views) values ('One', 1), ('Two', 2)`);
    const schema = `{"properties": {"title": {"type": "string", "enum": ["One"]}, "n": {"type": "integer"}}}`;
    fails(`alter collection posts (schema '${schema}')`, '23514');
    const session = db.createSession({
      database: 'phantom',
      user: 'phantom',
      onNotice: (n) => notices.push(n.message),
    });
    const run = (text: string): void => {
      for (const parsed of session.parse(text))
        session.portal(session.prepare(parsed, text), []).fetchNow(0, () => undefined);
      session.syncNow();
    };
    run(`alter collection posts (schema '${schema}', validation_action = warn)`);
    expect(notices).toEqual(['documents that break the schema: 1']);
    await db.sql`insert into posts (title, n) values ('Three', 3)`;
    fails('alter collection posts (validation_action = error)', '23514');
    await db.sql`delete from posts where title <> 'One'`;
    db.exec('alter collection posts (validation_action = error)');
    fails(`insert into posts (title, n) values ('Three', 3)`, '23514');
    fails('alter collection posts (engine = lsm)', '0A000');
    fails('alter collection kept (schema null)', '42P01');
    db.exec(
      'create table t (); alter collection posts (schema null); insert into posts (doc) values (\'{"title": 5}\')',
    );
    fails('alter collection t (schema null)', '42809');
    expect(await db.sql`select count(*)::int as n from information_schema.columns where table_name = 'posts'`).toEqual([
      { n: 2 },
    ]);
    db.exec('alter table posts rename to writings; drop collection writings; drop collection if exists writings');
    fails('drop collection writings', '42P01');
    fails('drop collection t', '42809');
    expect(await db.collection('writings').countDocuments()).toBe(0);
    session.close();
  });

  it('are columns to rights, statistics, joins and cursors as any', async () => {
    await db.collection('posts').insertMany(Array.from({ length: 50 }, (_, i) => ({ title: `t${i}`, views: i % 5 })));
    db.exec(`analyze posts; create role reader; grant select (title) on posts to reader`);
    expect(
      await db.sql`select n_distinct::int as n from pg_stats where tablename = 'posts' and attname = 'views'`,
    ).toEqual([{ n: 5 }]);
    await db
      .transaction(async (tx) => {
        await tx.sql`set local role reader`;
        expect(await tx.sql`select count(title)::int as n from posts`).toEqual([{ n: 50 }]);
        await expect(tx.sql`select views from posts`).rejects.toMatchObject({ code: '42501' });
      })
      .catch((error: unknown) => expect(error).toMatchObject({ code: '25P02' }));
    expect(
      await db.sql`select a.views, count(*)::int as n from posts a left join posts b on a.views = b.views and b.title = 't4'
        where b.title is not null group by a.views`,
    ).toEqual([{ views: 4, n: 10 }]);
  });
});
