/** Which columns an import of JSON fills: those that any of its records names. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Database, open } from '@phantom/db';
import { beforeEach, expect, it } from 'vitest';
import { type ImportOptions, importFile } from '../src/import/command.js';
import { capture } from './support/capture.js';
import { temporaryDirectories } from './support/directories.js';

const newDirectory = temporaryDirectories();
let data: string;

beforeEach(async () => {
  data = newDirectory();
  const database = await open(data);
  database.exec(
    'create table account (id bigint primary key, owner text not null, tags text[], made date default current_date)',
  );
  await database.close();
});

async function load(name: string, content: string, more: Partial<ImportOptions> = {}) {
  const file = join(newDirectory(), name);
  writeFileSync(file, content);
  return capture(() =>
    importFile({
      data,
      database: 'phantom',
      file,
      table: 'account',
      create: false,
      header: true,
      null: '',
      onError: 'abort',
      json: false,
      ...more,
    }).catch((error: unknown) => error as Error),
  );
}

async function rows(): Promise<unknown[]> {
  const database: Database = await open(data);
  const all = database.prepare('select id, owner, tags::text, made is not null as made from account order by id').all();
  await database.close();
  return all;
}

it('takes what any record names, and leaves the others to their defaults', async () => {
  const lines = ['{"id":1,"owner":"a"}', '{"id":2,"owner":"b","tags":["x"]}', '{"owner":"c","id":3}'];
  expect((await load('a.ndjson', lines.join('\n'))).value).toBe(0);
  expect((await load('b.json', '[{"id":4,"owner":"d"},{"made":"2026-01-02","owner":"e","id":5}]')).value).toBe(0);
  expect(await rows()).toEqual([
    { id: 1, owner: 'a', tags: null, made: true },
    { id: 2, owner: 'b', tags: '{x}', made: true },
    { id: 3, owner: 'c', tags: null, made: true },
    { id: 4, owner: 'd', tags: null, made: false },
    { id: 5, owner: 'e', tags: null, made: true },
  ]);
});

it('leaves what is no column, or no JSON, to the records that hold it', async () => {
  const lines = ['{"id":1,"owner":"a"}', '{"id":2,"owner":"b","nobody":1}', '[]', '{"id":3,"owner":"c"}'];
  const skipped = await load('a.ndjson', lines.join('\n'), { onError: 'skip' });
  expect(skipped.value).toBe(2);
  expect(skipped.err).toContain('line 2: "nobody" is not among the columns of the import');
  expect(await rows()).toHaveLength(2);
  expect((await load('b.ndjson', '{"nobody":1}\n')).value).toMatchObject({ code: '42703' });
  expect((await load('c.ndjson', 'nonsense\n')).value).toMatchObject({ code: '22P02' });
});
