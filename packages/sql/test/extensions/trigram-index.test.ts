import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SqlSession } from '../../src/index.js';
import { type TestEngine, openEngine } from '../support/engine.js';
import { rows, run } from '../support/statements.js';

const WORDS = [
  'foo',
  'bar',
  'Baz',
  'qux',
  'é',
  'ß',
  ' ',
  '-',
  '_',
  '12',
  'ABC',
  'abc',
  '日',
  'S',
  'ſ',
  'K',
  'İ',
  '\\',
  '.',
  '%',
];

const CONDITIONS = [
  "like '%foo%'",
  "like 'foo%'",
  "like '%bar'",
  "like 'foobar'",
  "like '_oo%ba_%'",
  "like '%\\%bar%'",
  "ilike '%FOOB%'",
  "ilike '%skſ%'",
  "ilike '%x%'",
  "not like '%foo%'",
  "~ 'foo(bar|qux)'",
  "~ '(foo|abc)+-'",
  "~ '^foo.*bar$'",
  "~ '[fb]oo'",
  "~ '(ab)?c1'",
  "~* 'FOO s'",
  "~* ' S'",
  "~* 'baz{2}'",
  "similar to '%foo(12|-)%'",
  "= 'foobar'",
  "% 'foobar'",
  "%> 'bar'",
  "<% 'foo bar baz'",
  "%>> 'abc'",
  "<<% 'abc'",
];

describe('An index over trigrams', () => {
  let engine: TestEngine;
  let session: SqlSession;

  const texts = (): string[] => {
    let seed = 7;
    const next = (limit: number): number => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return Math.floor((seed / 2147483648) * limit);
    };
    return Array.from({ length: 400 }, () => Array.from({ length: next(7) }, () => WORDS[next(WORDS.length)]).join(''));
  };

  beforeAll(async () => {
    engine = await openEngine();
    session = engine.session();
    await run(session, 'create extension pg_trgm');
    const values = [...texts(), 'foobar', 'a foo s', 'x ſ'].map((text, i) => `(${i}, '${text.replaceAll("'", "''")}')`);
    await run(session, 'create table plain (id int primary key, body text)');
    await run(session, `insert into plain values ${values.join(',')}, (-1, null)`);
    await run(session, 'create table held (like plain including all)');
    await run(session, 'create index on held using gin (body gin_trgm_ops)');
    await run(session, 'insert into held select * from plain');
    await run(session, "set enable_seqscan = 'off'");
  });
  afterAll(() => engine.close());

  const ids = (table: string, condition: string): Promise<string[]> =>
    rows(session, `select id from ${table} where body ${condition} order by id`);

  it.each(CONDITIONS)('gives the rows that have %s', async (condition) => {
    expect(await ids('held', condition)).toEqual(await ids('plain', condition));
  });

  it('is read for what it can say', async () => {
    expect(await rows(session, "explain (costs off) select id from held where body ilike '%foo%'")).toEqual([
      'Index Scan using held_body_idx on held',
      "  Index Cond: (body ~~* '%foo%'::text)",
      "  Filter: (body ~~* '%foo%'::text)",
    ]);
  });

  it('gives all rows where nothing has to be alike', async () => {
    await run(session, 'set pg_trgm.similarity_threshold = 0');
    expect(await ids('held', "% 'foo'")).toEqual(await ids('plain', "% 'foo'"));
    expect(await rows(session, 'select set_limit(0.5), show_limit()')).toEqual(['0.5 0.5']);
    expect(await ids('held', "% 'foobar'")).toEqual(await ids('plain', "% 'foobar'"));
    expect(await run(session, 'set pg_trgm.similarity_threshold = 2')).toBe('22023');
  });

  it('is of the extension, and over texts alone', async () => {
    const definition = "select indexdef from pg_catalog.pg_indexes where indexname = 'held_body_idx'";
    expect(await rows(session, definition)).toEqual([
      'CREATE INDEX held_body_idx ON public.held USING gin (body gin_trgm_ops)',
    ]);
    await run(session, "set search_path to ''");
    expect(await rows(session, definition)).toEqual([
      'CREATE INDEX held_body_idx ON public.held USING gin (body public.gin_trgm_ops)',
    ]);
    await run(session, 'reset search_path');
    expect(
      await rows(
        session,
        "select c.opcname from pg_index i join pg_opclass c on c.oid = i.indclass[0] where i.indexrelid = 'held_body_idx'::regclass",
      ),
    ).toEqual(['gin_trgm_ops']);
    expect(await run(session, 'create index on held using gin (id gin_trgm_ops)')).toBe('42804');
    expect(await run(session, 'drop extension pg_trgm')).toBe('2BP01');
    expect(await run(session, 'alter table held alter body type varchar(100)')).toBe('ALTER TABLE');
    expect(await ids('held', "like '%foo%'")).toEqual(await ids('plain', "like '%foo%'"));
    await run(session, 'drop extension pg_trgm cascade');
    expect(await rows(session, "select count(*) from pg_class where relname = 'held_body_idx'")).toEqual(['0']);
    expect(await run(session, 'create index on held using gin (body gin_trgm_ops)')).toBe('42704');
  });
});
