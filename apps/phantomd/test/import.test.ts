/** Files into tables and back: formats, bad records, scripts of pg_dump's kind, from a directory and from a server. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Database, open } from '@phantom/db';
import { type Server, startServer } from '@phantom/server';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ExportOptions, exportRows } from '../src/export/command.js';
import { type ImportOptions, importFile } from '../src/import/command.js';
import { importIntoNew } from '../src/import/create.js';
import { decoded } from '../src/import/decoding.js';
import { copyLine, membersOf } from '../src/import/json-record.js';
import { jsonRecords } from '../src/import/json-records.js';
import { Loader } from '../src/import/loader.js';
import { type ImportRecords, csvFields, csvRecords, lineRecords } from '../src/import/records.js';
import { Progress } from '../src/progress.js';
import { sql } from '../src/sql/command.js';
import { openTarget } from '../src/sql/open-target.js';
import { capture } from './support/capture.js';
import { temporaryDirectories } from './support/directories.js';

const newDirectory = temporaryDirectories();
let database: Database;
let server: Server;
let url = '';
beforeAll(async () => {
  database = await open(':memory:');
  server = await startServer(database, { pgPort: 0 });
  url = `postgres://phantom@127.0.0.1:${server.pg.port}/phantom`;
});
afterAll(async () => {
  await server.close();
  await database.close();
});
beforeEach(() =>
  database.exec(`drop table if exists account;
    create table account (id bigint primary key, owner text not null, tags text[], extra jsonb, made date default '2026-01-02')`),
);

function file(name: string, content: string | Uint8Array): string {
  const path = join(newDirectory(), name);
  writeFileSync(path, content);
  return path;
}

const load = (path: string, more: Partial<ImportOptions> = {}) =>
  capture(() =>
    importFile({
      url,
      database: 'phantom',
      file: path,
      table: 'account',
      create: false,
      header: true,
      null: '',
      onError: 'abort',
      json: false,
      ...more,
    }).catch((error: unknown) => error as Error),
  );
const unload = (more: Partial<ExportOptions>) =>
  capture(() => exportRows({ url, database: 'phantom', output: '-', json: false, ...more }));
const rows = (): unknown[] =>
  database.prepare('select id, owner, tags, extra::text as extra, made::text as made from account order by id').all();

describe('import of CSV', () => {
  it('takes columns from the header, values over lines, and defaults for the rest', async () => {
    const path = file('a.csv', '\uFEFFowner,id\r\n"Ada, ""the\r\nfirst""",1\r\n\r\nGrace,2\r\n');
    expect(await load(path)).toMatchObject({
      value: 0,
      err: '',
      out: expect.stringMatching(/^2 rows in [\d.]+ s\n$/) as string,
    });
    expect(rows()).toMatchObject([
      { id: 1, owner: 'Ada, "the\r\nfirst"', made: '2026-01-02', tags: null },
      { id: 2, owner: 'Grace' },
    ]);
  });

  it('takes other delimiters, other nulls and columns by name', async () => {
    const path = file('a.tsv', '1\tAda\t-\n2\tGrace\t{a,b}\n');
    const options = { header: false, columns: ['id', 'owner', 'tags'], null: '-', json: true };
    const { value, out } = await load(path, options);
    expect([value, JSON.parse(out)]).toEqual([0, { rows: 2, skipped: 0, seconds: expect.any(Number) as number }]);
    expect(rows()).toMatchObject([{ tags: null }, { tags: ['a', 'b'] }]);
  });

  it('leaves nothing behind when a record is bad, and says which line', async () => {
    const good = Array.from({ length: 20_000 }, (_, i) => `${i},"name\n${i}"\n`).join('');
    const { value } = await load(file('a.csv', `id,owner\n${good}x,Bad\n`));
    expect(value).toMatchObject({
      message: expect.stringContaining('line 40002: invalid input syntax') as string,
      code: '22P02',
    });
    expect(rows()).toEqual([]);
    expect((await load(file('b.csv', 'id,owner\n1,"open\n'))).value).toMatchObject({
      code: '22P04',
      message: expect.stringContaining('line 2') as string,
    });
    expect((await load(file('c.csv', 'id,nobody\n1,a\n'))).value).toMatchObject({ code: '42703' });
    expect((await load(file('d.csv', 'id,owner\n1,a\n'), { table: 'nowhere' })).value).toMatchObject({ code: '42P01' });
  });

  it('leaves out bad records when asked to, and writes them down', async () => {
    const lines = Array.from({ length: 300 }, (_, i) =>
      i % 100 === 50 ? `${i},` : i % 100 === 60 ? `x${i},b` : `${i},a`,
    );
    const report = join(newDirectory(), 'bad.ndjson');
    const { value, out, err } = await load(file('a.csv', `id,owner\n${lines.join('\n')}\n7,again\n`), {
      onError: 'skip',
      report,
    });
    expect([value, out]).toEqual([2, expect.stringMatching(/^294 rows in .* s, 7 left out\n$/)]);
    expect(err).toContain('line 52: null value in column "owner"');
    const bad = readFileSync(report, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { line: number; code: string });
    expect(bad.map(({ line, code }) => [line, code])).toEqual([
      [52, '23502'],
      [62, '22P02'],
      [152, '23502'],
      [162, '22P02'],
      [252, '23502'],
      [262, '22P02'],
      [302, '23505'],
    ]);
    expect(rows()).toHaveLength(294);
  });

  it('ends at what is not the fault of a record', async () => {
    const gone = await load(file('a.csv', 'id,owner\n2,a\n'), { onError: 'skip', table: 'missing' });
    expect(gone.value).toMatchObject({ code: '42P01' });
  });
});

describe('import with --create', () => {
  const made = (): unknown[] => {
    const columns = database.prepare(
      `select attname || ' ' || format_type(atttypid, atttypmod) as c from pg_attribute where attrelid = 'fresh.made'::regclass and attnum > 0 order by attnum`,
    );
    return columns.all().map((row) => (row as { c: string }).c);
  };
  const create = { create: true, table: 'fresh.Made' };
  beforeEach(() => database.exec('drop schema if exists fresh cascade; create schema fresh'));

  it('gives columns of CSV the types that all of their values allow', async () => {
    const path = file(
      'a.csv',
      `${'id,price,zip,day,at,moment,ok,key,"Some ""name""",huge,empty,quoted,days,later'}
1,1.50,00123,2024-02-29,2026-01-02 10:00,2026-01-02T10:00:00Z,true,6f9619ff-8b86-d011-b42d-00c04fc964ff,a,9223372036854775807,,"",2026-01-02,x
2,3,4,2026-02-28,2026-01-02 10:00:00.5,2026-01-02 10:00+02:00,FALSE,6F9619FF-8B86-D011-B42D-00C04FC964FF,"b
c",9223372036854775808,,1,2026-02-30,2
,,,,,,,,,,,,,
-3,1e3,0,1999-12-31,2026-01-02,2026-01-02 10:00-0330,true,,d,1,,2,2026-01-02,3
`,
    );
    const { value, out, err } = await load(path, create);
    expect([value, out]).toEqual([0, expect.stringMatching(/^4 rows/)]);
    expect(err).toMatch(/^create table fresh.made \("id" bigint, /);
    expect(made()).toEqual([
      'id bigint',
      'price numeric',
      'zip text',
      'day date',
      'at timestamp without time zone',
      'moment timestamp with time zone',
      'ok boolean',
      'key uuid',
      'Some "name" text',
      'huge numeric',
      'empty text',
      'quoted text',
      'days text',
      'later text',
    ]);
    expect(database.prepare('select sum(id)::int as i, sum(price)::text as p from fresh.made').all()).toEqual([
      { i: 0, p: '1004.50' },
    ]);
  });

  it('takes t and f for truth values where a column has both and nothing else', async () => {
    await load(file('a.csv', 'ok,only,none,mixed,word\nt,t,f,t,t\nf,t,,f,f\n,,f,x,true\n'), create);
    expect(made()).toEqual(['ok boolean', 'only text', 'none text', 'mixed text', 'word text']);
    const { out } = await unload({ table: 'fresh.made' });
    expect(out).toBe('ok,only,none,mixed,word\nt,t,f,t,t\nf,t,,f,f\n,,f,x,true\n');
  });

  it('asks whether another delimiter is meant', async () => {
    const { err } = await load(file('a.csv', 'id;name\n1;x\n'), create);
    expect(err).toContain(`the only column is "id;name"; should it be --delimiter ';'?`);
    database.exec('drop table fresh.made');
    expect((await load(file('a.csv', 'id\tname\n1\tx\n'), create)).err).toContain(`--delimiter '\\t'?`);
    database.exec('drop table fresh.made');
    await load(file('a.csv', 'id\tname\n1\tx\n'), { ...create, delimiter: '\\t' });
    expect(made()).toEqual(['id bigint', 'name text']);
  });

  it('names columns of CSV without a header', async () => {
    const path = file('a.csv', '1;a;-\n2;b;7\n');
    expect((await load(path, { ...create, header: false, delimiter: ';', null: '-' })).value).toBe(0);
    expect(made()).toEqual(['column1 bigint', 'column2 text', 'column3 bigint']);
    expect((await load(path, { ...create, table: '"a b"', header: false, columns: ['x', 'y'] })).value).toMatchObject({
      code: '22P04',
    });
  });

  it('takes all members of NDJSON, and keeps JSON as it is', async () => {
    const path = file(
      'a.ndjson',
      '{"n": 1, "s": "1", "o": {"a": [1]}, "m": 1, "nothing": null, "when": "2026-01-02T03:04:05Z"}\n' +
        '{"n": 12345678901234567890, "late": true, "o": 5, "m": {"a": 1}, "mixed": "x"}\n{"mixed": [1]}\n',
    );
    expect((await load(path, create)).value).toBe(0);
    expect(made()).toEqual([
      'n numeric',
      's text',
      'o jsonb',
      'm jsonb',
      'nothing text',
      'when timestamp with time zone',
      'late boolean',
      'mixed text',
    ]);
    expect(database.prepare('select n::text, o::text, m::text, mixed from fresh.made').all()).toEqual([
      { n: '1', o: '{"a": [1]}', m: '1', mixed: null },
      { n: '12345678901234567890', o: '5', m: '{"a": 1}', mixed: 'x' },
      { n: null, o: null, m: null, mixed: '[1]' },
    ]);
  });

  it('decides by the first records of what is read once', async () => {
    const target = await openTarget({ url, database: 'phantom' });
    const fromPipe = (last: string): Promise<unknown> => {
      const open = async function* (): ImportRecords {
        for (let line = 1; line <= 10_000; line++) yield { line, text: String(line) };
        yield { line: 10_001, text: last };
      };
      const source = { format: 'csv', canReopen: false, open } as const;
      const options = { table: 'fresh.made', header: false, delimiter: ',', null: '', onError: 'abort' } as const;
      const loader = new Loader(target, { ...options, onBad: () => undefined, onRows: () => undefined });
      return capture(() => importIntoNew(target, loader, source, options).catch((error: unknown) => error));
    };
    expect(await fromPipe('x')).toMatchObject({
      value: { code: '22P02', message: expect.stringContaining('line 10001') as string },
    });
    expect(await fromPipe('7')).toMatchObject({ value: undefined });
    await target.close();
    expect(database.prepare('select count(*)::int as n, max(column1)::int as most from fresh.made').all()).toEqual([
      { n: 10_001, most: 10_000 },
    ]);
  });

  it('makes nothing where something is wrong', async () => {
    const failing = async (content: string, more: Partial<ImportOptions> = {}): Promise<unknown> =>
      ((await load(file('a.csv', content), { ...create, ...more })).value as { code?: string }).code;
    expect(await failing('a,b\n1\n')).toBe('22P04');
    expect(await failing('a,a\n1,2\n')).toBe('42701');
    expect(await failing(`${Array.from({ length: 1601 }, (_, i) => `c${i}`).join(',')}\n`)).toBe('54011');
    expect(await failing('')).toBe('22P04');
    expect(await failing('a\n1\n', { table: 'nowhere.made' })).toBe('3F000');
    expect(await failing('a\n1\n', { table: 'account' })).toBe('42P07');
    const tables = "select count(*)::int as n from pg_class where relnamespace = 'fresh'::regnamespace";
    expect(database.prepare(tables).all()).toEqual([{ n: 0 }]);
    const kept = await load(file('b.csv', 'a,b\n1,2\n3\n4,5\n'), { ...create, onError: 'skip' });
    expect([kept.value, kept.err]).toEqual([2, expect.stringContaining('line 3: missing data')]);
    expect((await load(file('a.sql', 'select 1'), create)).value).toMatchObject({
      message: expect.stringContaining('rows') as string,
    });
  });
});

describe('import of NDJSON', () => {
  it('rounds no number and keeps arrays and objects', async () => {
    const path = file(
      'a.ndjson',
      '{"id": 9007199254740993, "owner": "A\\t\\u00e9\\\\n", "tags": ["a", "b\\"c", null], "extra": {"n": 1.10, "s": ["x, y"]}}\n' +
        '{"owner": "B", "id": 2, "tags": null}\n\n',
    );
    expect((await load(path)).value).toBe(0);
    expect(rows()).toEqual([
      { id: 2, owner: 'B', tags: null, extra: null, made: '2026-01-02' },
      {
        id: 9007199254740993n,
        owner: 'A\té\\n',
        tags: ['a', 'b"c', null],
        extra: '{"n": 1.10, "s": ["x, y"]}',
        made: '2026-01-02',
      },
    ]);
  });

  it('leaves out lines that are none', async () => {
    const path = file(
      'a.jsonl',
      '{"id":1,"owner":"a"}\n[1]\n{"id":2\n{"id":3,"owner":"c","more":1}\n{"id":4,"owner":"d"}\n',
    );
    const { value, err } = await load(path, { onError: 'skip' });
    expect(value).toBe(2);
    expect(err.split('\n').map((line) => line.slice(0, 6))).toEqual(['line 2', 'line 3', 'line 4', '']);
    expect(rows()).toHaveLength(2);
    expect((await load(file('b.jsonl', '{"nobody":1}\n'))).value).toMatchObject({
      message: expect.stringContaining('line 1: the table has no column "nobody"') as string,
    });
  });

  it('cuts an object into the texts of its members, whatever they are', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(3), (object, indent) => {
        const members = membersOf(` ${JSON.stringify(object, null, indent)} `);
        expect([...members].map(([name, text]) => [name, JSON.parse(text) as unknown])).toEqual(
          Object.entries(JSON.parse(JSON.stringify(object)) as object),
        );
      }),
      { seed: 7 },
    );
    expect(
      copyLine('{"a":[[1,2],["x"]],"b":[[1]]}', [
        { name: 'a', isArray: true },
        { name: 'b', isArray: false },
      ]),
    ).toBe('{{"1","2"},{"x"}}\t[[1]]');
  });
});

describe('import of JSON', () => {
  it('takes the objects of an array, and those that follow one another', async () => {
    const objects = ['{"id": 1,\n "owner": "A]},\\"", "tags": ["x", "y"]}', '{"id": 2, "owner": "B", "tags": null}'];
    for (const text of [`[\n${objects.join(',\n')}\n]\n`, objects.join('\n')]) {
      expect((await load(file('a.json', text))).value).toBe(0);
      expect(rows()).toMatchObject([
        { id: 1, owner: 'A]},"', tags: ['x', 'y'] },
        { id: 2, owner: 'B' },
      ]);
      database.exec('delete from account');
    }
  });

  it('leaves out what is no object, and says which line', async () => {
    const path = file('a.json', '[{"id": 1, "owner": "A"},\n{"id": 2, owner},\n"x",\n{"id": 3, "owner": "C"}]');
    const { value, err } = await load(path, { onError: 'skip' });
    expect([value, err]).toEqual([2, expect.stringMatching(/^line 2: no JSON: .*\nline 3: no JSON: .*\n$/)]);
    expect((await load(file('b.json', '[\n{"id": 1, "owner": "A"'))).value).toMatchObject({
      code: '22P02',
      message: 'line 2: a value of JSON is never closed',
    });
    expect((await load(file('c.json', '[]'))).value).toBe(0);
  });
});

describe('import of a script', () => {
  const dump = [
    '-- dumped',
    '\\restrict abc',
    "SET client_encoding = 'UTF8';",
    'CREATE TABLE dumped (id int primary key, t text);',
    '-- data; of it',
    'COPY public.dumped (id, t) FROM stdin;',
    '1\ta;b\\nc',
    '2\t\\N',
    '\\.',
    '',
    'INSERT INTO dumped VALUES',
    "  (3, ';'); select 1;",
    '\\connect phantom',
    'COPY public.dumped (id, t) FROM stdin;',
    '4\tlast',
    '\\.',
  ].join('\n');

  it('runs statements and data', async () => {
    database.exec('drop table if exists dumped');
    expect(await load(file('a.sql', dump))).toMatchObject({
      value: 0,
      out: expect.stringMatching(/^3 rows/) as string,
    });
    expect(database.prepare('select * from dumped order by id').all()).toEqual([
      { id: 1, t: 'a;b\nc' },
      { id: 2, t: null },
      { id: 3, t: ';' },
      { id: 4, t: 'last' },
    ]);
  });

  it('stops at the first error, or goes on', async () => {
    const again = file('again.sql', dump);
    expect((await load(again)).value).toMatchObject({
      code: '42P07',
      message: expect.stringContaining('line 4: ') as string,
    });
    database.exec('delete from dumped where id <> 2');
    const { value, err } = await load(again, { onError: 'skip' });
    expect([
      value,
      err
        .trim()
        .split('\n')
        .map((line) => line.slice(0, 7)),
    ]).toEqual([2, ['line 4:', 'line 8:']]);
    expect(database.prepare('select count(*)::int as n from dumped').get()).toEqual({ n: 4 });
  });
});

describe('export', () => {
  beforeEach(() =>
    database.exec(
      `insert into account values (1, 'A,"é"', '{a}', '{"a": [1]}', null), (2, E'b\\\\n\\n', null, null, '2026-03-04')`,
    ),
  );

  it('writes CSV, NDJSON and COPY that import reads back', async () => {
    for (const format of ['csv', 'tsv', 'ndjson', 'json', 'sql'] as const) {
      const before = rows();
      const path = join(newDirectory(), `a.${format}`);
      // The name of the file says which.
      expect(await unload({ table: 'account', output: path })).toMatchObject({
        value: 0,
        out: expect.stringMatching(/^2 rows in/) as string,
      });
      database.exec('delete from account');
      expect((await load(path)).value).toBe(0);
      expect(rows()).toEqual(before);
    }
  });

  it('writes what a query answers to stdout', async () => {
    expect(await unload({ query: 'select id, owner from account where id = 1;' })).toMatchObject({
      value: 0,
      out: 'id,owner\n1,"A,""é"""\n',
    });
    const { out } = await unload({ query: 'select id, tags, extra from account where id = 1', format: 'ndjson' });
    expect(JSON.parse(out)).toEqual({ id: 1, tags: ['a'], extra: { a: [1] } });
  });

  it('writes one array of JSON, an empty one for no rows', async () => {
    const whole = await unload({ table: 'account', format: 'json' });
    expect(JSON.parse(whole.out)).toMatchObject([{ id: 1, tags: ['a'] }, { id: 2 }]);
    expect((await unload({ query: 'select 1 where false', format: 'json' })).out).toBe('[]\n');
  });

  it('asks for a table or a query, and for a file that can be made', async () => {
    const fails = (more: Partial<ExportOptions>): Promise<unknown> =>
      exportRows({ url, database: 'phantom', output: '-', json: false, ...more }).catch((error: unknown) => error);
    expect(await fails({})).toMatchObject({ exitCode: 1 });
    expect(await fails({ table: 'a', query: 'b' })).toMatchObject({ exitCode: 1 });
    expect(await fails({ query: 'select 1', format: 'sql' })).toMatchObject({ exitCode: 1 });
    expect(await fails({ table: 'account', output: '/nowhere/at/all' })).toMatchObject({ exitCode: 2 });
    expect((await load('/nowhere/at/all.csv')).value).toMatchObject({ exitCode: 2 });
    expect((await load(file('a.unknown', ''))).value).toMatchObject({ exitCode: 1 });
  });
});

describe('a directory', () => {
  it('is loaded and written without a server', async () => {
    const data = newDirectory();
    const here = { data, database: 'phantom' };
    await capture(() => sql({ ...here, commands: ['create table t (a int, b text)'], files: [], format: 'aligned' }));
    const path = file('a.csv', 'a,b\n1,x\n2,\n');
    const imported = await capture(() =>
      importFile({
        ...here,
        file: path,
        table: 't',
        header: true,
        delimiter: ',',
        null: '',
        onError: 'abort',
        create: false,
        json: false,
      }),
    );
    expect(imported.value).toBe(0);
    const exported = await capture(() => exportRows({ ...here, table: 't', output: '-', json: false }));
    expect(exported.out).toBe('a,b\n1,x\n2,\n');
    const refused = await capture(() =>
      sql({ ...here, commands: ['copy t from stdin'], files: [], format: 'aligned' }),
    );
    expect(refused).toMatchObject({ value: 2, err: expect.stringContaining('there is no data for it') as string });
  });
});

describe('records', () => {
  const pieces = async function* (text: string, length: number): AsyncGenerator<string> {
    for (let at = 0; at < text.length; at += length) yield text.slice(at, at + length);
  };
  const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
    const found: T[] = [];
    for await (const item of items) found.push(item);
    return found;
  };

  it('know encodings by name and by mark, and the line of what is none', async () => {
    const text = 'é,日本\n👍\n';
    const bytesOf = (bytes: Buffer, length: number): AsyncIterable<Uint8Array> =>
      (async function* () {
        for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
      })();
    const marked = Buffer.from(`\uFEFF${text}`, 'utf16le');
    const whole = [Buffer.from(text), Buffer.from(`\uFEFF${text}`), marked, Buffer.from(marked).swap16()];
    for (const length of [1, 2, 7, 100]) {
      for (const bytes of whole) expect((await all(decoded(bytesOf(bytes, length), undefined))).join('')).toBe(text);
      const latin = Buffer.from('é\r\nà', 'latin1');
      expect((await all(decoded(bytesOf(latin, length), 'windows-1252'))).join('')).toBe('é\r\nà');
    }
    const broken = Buffer.concat([Buffer.from(`${text}ok\n`), Buffer.from('caf\xe9\n', 'latin1'), Buffer.from(text)]);
    for (const length of [3, 4, 5, 100])
      await expect(all(decoded(bytesOf(broken, length), undefined))).rejects.toMatchObject({
        code: '22021',
        message: 'line 4: bytes that are no text in UTF-8',
        hint: expect.stringContaining('--encoding') as string,
      });
    await expect(all(decoded(bytesOf(Buffer.from([97, 0, 98]), 3), 'utf-16le'))).rejects.toMatchObject({
      message: 'bytes that are no text in UTF-16LE',
    });
    expect(await all(decoded(bytesOf(Buffer.from('ab'), 1), undefined))).toContain('ab');
    expect(
      (await load(file('a.csv', Buffer.from('id,owner\n1,Zo\xeb\n', 'latin1')), { encoding: 'latin1' })).value,
    ).toBe(0);
    expect(rows()).toMatchObject([{ owner: 'Zoë' }]);
    for (const more of [{ encoding: 'klingon' }, { encoding: 'utf-8', format: 'sqlite' as const }])
      expect((await load(file('a.csv', 'id\n'), more)).value).toMatchObject({ exitCode: 1 });
  });

  it('cut fields of CSV at delimiters outside of quotes, and JSON at the ends of values, as read character by character', async () => {
    const slowly = (text: string): string[] => {
      const fields = [''];
      let isInQuotes = false;
      for (let at = 0; at < text.length; at++) {
        const character = text.charAt(at);
        if (isInQuotes && text.startsWith('""', at)) {
          fields.push(`${fields.pop()}"`);
          at++;
        } else if (character === '"') isInQuotes = !isInQuotes;
        else if (!isInQuotes && character === ',') fields.push('');
        else fields.push(fields.pop() + character);
      }
      return fields;
    };
    const text = fc.array(fc.constantFrom('"', ',', 'a', '\n'), { maxLength: 12 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, (line) => {
        expect(csvFields(line, ',').map(({ value }) => value)).toEqual(slowly(line));
      }),
      { numRuns: 2000, seed: 1 },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 4 }),
        fc.nat(8),
        async (objects, length) => {
          for (const json of [JSON.stringify(objects, null, 1), objects.map((o) => JSON.stringify(o)).join('\n')]) {
            const found = await all(jsonRecords(pieces(json, length + 1)));
            expect(found.map((record) => JSON.parse(record.text) as unknown)).toEqual(
              JSON.parse(JSON.stringify(objects)),
            );
          }
        },
      ),
      { numRuns: 100, seed: 1 },
    );
  });

  it('are the same however the file comes in', async () => {
    const text = 'a,"b\r\nc"\r\n\n"d""",e\nlast';
    for (const length of [1, 2, 3, 100]) {
      expect(await all(csvRecords(pieces(text, length)))).toEqual([
        { line: 1, text: 'a,"b\r\nc"' },
        { line: 4, text: '"d""",e' },
        { line: 5, text: 'last' },
      ]);
      expect((await all(lineRecords(pieces('x\r\n\ny', length)))).map(({ line }) => line)).toEqual([1, 3]);
    }
    expect(csvFields('a,"b,""c""",', ',')).toEqual([
      { value: 'a', isQuoted: false },
      { value: 'b,"c"', isQuoted: true },
      { value: '', isQuoted: false },
    ]);
  });
});

describe('progress', () => {
  it('shows how far it is on a terminal, and nothing elsewhere', () => {
    const written: string[] = [];
    const terminal = { isTTY: true, write: (text: string) => written.push(text) } as unknown as NodeJS.WriteStream;
    const progress = new Progress(terminal, 200);
    progress.bytes = 100;
    progress.rows = 1234;
    expect(progress.text()).toMatch(/^\[#{12} {12}\] {2}50 % {2}1,234 rows {2}[\d,]+ rows\/s$/);
    while (written.length === 0) progress.show();
    progress.end();
    const shown = written.join('');
    expect([shown.startsWith('\r[#'), shown.endsWith('\r\u001B[K')]).toEqual([true, true]);
    expect(new Progress(terminal, undefined).text()).toMatch(/^0 rows/);
    new Progress({ isTTY: false } as NodeJS.WriteStream, 1).show();
  });
});
