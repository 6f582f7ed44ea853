/** Backslash commands against a database: what they list, and how it looks. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EmbeddedTarget } from '../src/sql/embedded-target.js';
import { formatResult } from '../src/sql/format.js';
import { Runner } from '../src/sql/runner.js';
import { capture } from './support/capture.js';
import { temporaryDirectories } from './support/directories.js';

const newDirectory = temporaryDirectories();
let target: EmbeddedTarget;
beforeAll(async () => {
  target = await EmbeddedTarget.open(newDirectory(), 'phantom', () => undefined);
  await target.run(
    `create table owner (id int primary key, name text not null unique check (name <> ''));
     create table account (id serial primary key, owner_id int references owner, made date default '2026-01-02', twice int generated always as (1 + 1) stored);
     create index account_made on account (made desc) where made is not null;
     create view rich as select id from account; create schema other; create table other.hidden (a int)`,
    () => undefined,
  );
  // The first to open a database here reads the sources of all packages.
}, 60_000);
afterAll(() => target.close());

async function shown(...lines: string[]): Promise<string> {
  let written = '';
  const runner = new Runner(target, 'csv', (text) => (written += text));
  for (const line of lines) expect(await runner.command(line)).toBe('done');
  return written;
}

describe('backslash commands', () => {
  it('list relations, schemas, roles, databases and functions, by pattern', async () => {
    expect(await shown('\\dt')).toBe(
      'Schema,Name,Type,Owner\npublic,account,table,phantom\npublic,owner,table,phantom\n',
    );
    expect(await shown('\\d')).toContain('public,rich,view,phantom');
    expect(await shown('\\dt *.hid*')).toBe('Schema,Name,Type,Owner\nother,hidden,table,phantom\n');
    expect(await shown('\\dv R?CH')).toContain('rich');
    expect(await shown('\\dt "R?CH"')).not.toContain('rich');
    expect(await shown('\\di')).toContain('account_made');
    expect(await shown('\\ds')).toContain('account_id_seq');
    expect(await shown('\\dm')).toBe('Schema,Name,Type,Owner\n');
    expect(await shown('\\dn')).toBe('Name,Owner\nother,phantom\npublic,pg_database_owner\n');
    expect(await shown('\\du')).toBe('Role name,Superuser,Login\nphantom,t,t\n');
    expect(await shown('\\l ph*')).toBe('Name,Owner\nphantom,phantom\n');
    expect(await shown('\\df lower')).toContain('pg_catalog,lower,text,text');
  });

  it('take names for names, whatever is in them', async () => {
    const hostile = `x'; drop table owner; --`;
    await target.run(`create table "${hostile}" (a int check (a > 0), "b"";c" text)`, () => undefined);
    const quoted = `"${hostile}"`;
    expect(await shown('\\dt *drop*')).toContain(hostile);
    expect(await shown(`\\dt ${quoted}`)).toContain(hostile);
    expect(await shown(`\\d ${quoted}`)).toContain('b"";c');
    for (const command of ['\\dt', '\\di', '\\dn', '\\du', '\\df', '\\l'])
      for (const pattern of [`' or true --`, `x' union select 1 --`, `"'; drop table owner; --"`, '\\', `a'.b'`])
        await shown(`${command} ${pattern}`);
    await target.run(`drop table "${hostile}"`, () => undefined);
    expect(await shown('\\dt owner')).toContain('public,owner,table');
  });

  it('describe relations with what stands on them', async () => {
    const text = await shown('\\format aligned', '\\d account');
    expect(text).toBe(
      [
        'Table "public.account"',
        '  Column  |  Type   | Nullable |               Default',
        '----------+---------+----------+--------------------------------------',
        " id       | integer | not null | nextval('account_id_seq'::regclass)",
        ' owner_id | integer |          |',
        " made     | date    |          | '2026-01-02'::date",
        ' twice    | integer |          | generated always as ((1 + 1)) stored',
        'Indexes:',
        '    "account_pkey" PRIMARY KEY, btree (id)',
        '    "account_made" btree (made DESC) WHERE (made IS NOT NULL)',
        'Foreign-key constraints:',
        '    "account_owner_id_fkey" FOREIGN KEY (owner_id) REFERENCES owner(id)',
        '',
        '',
      ].join('\n'),
    );
    const owner = await shown('\\format box', '\\d own*');
    expect(owner).toContain('│ id     │ integer │ not null │');
    expect(owner).toContain('"owner_name_key" UNIQUE, btree (name)');
    expect(owner).toContain('Check constraints:');
    expect(owner).toContain('TABLE "account" CONSTRAINT "account_owner_id_fkey"');
    expect(await shown('\\d owner')).toBe('Column,Type,Nullable,Default\nid,integer,not null,\nname,text,not null,\n');
  });

  it('change how rows are shown, tell the time, and run files', async () => {
    const file = join(newDirectory(), 'a.sql');
    writeFileSync(
      file,
      'select 1 as a;\n\\x\nselect 2 as a;\n\\x\nselect 3 as a;\n\\timing\n\\i /dev/null\nselect 4 as a;',
    );
    expect((await shown(`\\i ${file}`)).replace(/[\d.]+ ms/, 'T')).toBe(
      'a\n1\n-[ RECORD 1 ]-\na | 2\n\na\n3\nTiming is on.\na\n4\nTime: T\n',
    );
    const loop = join(newDirectory(), 'loop.sql');
    writeFileSync(loop, `\\i ${loop}\n`);
    const { value, err } = await capture(() => new Runner(target, 'csv', () => undefined).command(`\\i ${loop}`));
    expect([value, err]).toEqual(['failed', 'ERROR:  more than 16 files run one another\n']);
  });
});

describe('tables', () => {
  const fields = [
    { name: 'n', typeOid: 23 },
    { name: 'text', typeOid: 25 },
  ];
  it('are drawn as boxes, or a line a value', () => {
    const result = {
      fields,
      rows: [
        ['1', 'a\nb'],
        [null, 'ö'],
      ],
      tag: 'SELECT 2',
    };
    expect(formatResult(result, 'box')).toBe(
      '┌───┬──────┐\n│ n │ text │\n├───┼──────┤\n│ 1 │ a   +│\n│   │ b    │\n│   │ ö    │\n└───┴──────┘\n(2 rows)\n\n',
    );
    expect(formatResult(result, 'expanded')).toBe(
      '-[ RECORD 1 ]-\nn    | 1\ntext | a\n       b\n-[ RECORD 2 ]-\nn    |\ntext | ö\n\n',
    );
    expect(formatResult({ fields, rows: [], tag: 'SELECT 0' }, 'expanded')).toBe('(0 rows)\n');
    expect(formatResult({ fields: [], rows: [], tag: 'BEGIN' }, 'box')).toBe('BEGIN\n');
  });
});
