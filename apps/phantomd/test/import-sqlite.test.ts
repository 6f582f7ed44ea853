/**
 * SQLite databases: fixtures that SQLite 3.40 wrote, in pages of 512 bytes so that trees are deep and rows lie over pages.
 * shop.sqlite has tables of both kinds, keys, references, an added column, and one of everything that is not taken along.
 */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isPhantomError } from '@phantom/base';
import { type Database, open } from '@phantom/db';
import { type Server, startServer } from '@phantom/server';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ImportOptions, importFile } from '../src/import/command.js';
import { SqliteFile } from '../src/import/sqlite/sqlite-file.js';
import { sqliteSchema } from '../src/import/sqlite/sqlite-schema.js';
import { capture } from './support/capture.js';
import { temporaryDirectories } from './support/directories.js';

const fixture = (name: string): string => new URL(`fixtures/${name}`, import.meta.url).pathname;
const newDirectory = temporaryDirectories();
let database: Database;
let server: Server;
beforeAll(async () => {
  database = await open(':memory:');
  server = await startServer(database, { pgPort: 0 });
});
afterAll(async () => {
  await server.close();
  await database.close();
});
beforeEach(() => database.exec('drop schema public cascade; create schema public'));

const load = (file: string, more: Partial<ImportOptions> = {}) =>
  capture(() =>
    importFile({
      url: `postgres://phantom@127.0.0.1:${server.pg.port}/phantom`,
      database: 'phantom',
      file,
      header: true,
      delimiter: ',',
      null: '',
      onError: 'abort',
      create: false,
      json: false,
      ...more,
    }).catch((error: unknown) => error as Error),
  );
const all = (sql: string): unknown[][] =>
  database
    .prepare(sql)
    .all()
    .map((row) => Object.values(row as object));

describe('import of an SQLite database', () => {
  it('makes its tables, with the types that its values allow, and loads every row', async () => {
    const { value, out, err } = await load(fixture('shop.sqlite'));
    expect([value, out]).toEqual([0, expect.stringMatching(/^108 rows in /)]);
    expect(err.split('\n')).toEqual([
      'left out: Customer: how upper_name is computed',
      'left out: Customer: how name_length is computed',
      'left out: Customer: a check',
      expect.stringMatching(/^left out: a reference of lost to customer: .* violates foreign key/),
      'left out: index part',
      'left out: index ex',
      'left out: view v',
      'left out: trigger tr',
      '',
    ]);
    expect(
      all(`select string_agg(format('%I %s', attname, format_type(atttypid, null)), ', ' order by attnum) from pg_attribute
           where attnum > 0 and attrelid in ('"Customer"'::regclass, 'loose'::regclass) group by attrelid order by attrelid`),
    ).toEqual([
      [
        'id bigint, name text, "is regular" boolean, born date, seen timestamp without time zone, balance numeric, photo bytea, anything text, name_length bigint',
      ],
      ['k text, n numeric, t text'],
    ]);
    expect(
      all(
        `select id, name, "is regular", born, balance::text, photo::text, anything from "Customer" order by id limit 4`,
      ),
    ).toEqual([
      [3, 'c1', true, '2026-01-02', '0.25', '\\x0100ff', '1'],
      [6, 'c2', false, '2026-01-03', '0.5', '\\x0200ff', '3'],
      [9, 'c3', true, '2026-01-04', '0.75', '\\x0300ff', 't\t3\\'],
      [12, 'c4', false, '2026-01-05', '1', '\\x0400ff', null],
    ]);
    expect(
      all(`select count(*), sum(length(note)), max(length(note)), bool_and(code = 'k' || place % 9) from item`),
    ).toEqual([[40, 9414, 3008, true]]);
    expect(all(`select max(id)::text from "Customer"`)).toEqual([['9007199254740993']]);
    expect(all('select n::text, t from loose order by loose.n limit 2')).toEqual([
      ['-9223372036854775808', 'two'],
      ['9223372036854775807', '1'],
    ]);
  });

  it('keeps keys, references, defaults and indexes, and counts on', async () => {
    await load(fixture('shop.sqlite'));
    const keys = `select string_agg(pg_get_constraintdef(oid), '; ' order by contype, conname) from pg_constraint where conrelid = $1::regclass`;
    const of = (table: string): unknown => database.prepare(keys).get(table);
    expect(
      [of('"order"'), of('item'), of('"Customer"'), of('loose')].map((row) => Object.values(row as object)[0]),
    ).toEqual([
      'FOREIGN KEY (code, place) REFERENCES item(code, place); FOREIGN KEY (customer) REFERENCES "Customer"(id) ON DELETE CASCADE; PRIMARY KEY (id)',
      'PRIMARY KEY (code, place)',
      'PRIMARY KEY (id); UNIQUE (name, born)',
      // SQLite's key has nulls in it.
      'UNIQUE (k)',
    ]);
    expect(
      all(
        `select indexname from pg_indexes where indexname in ('order_customer', 'item_note', 'part', 'ex') order by 1`,
      ),
    ).toEqual([['item_note'], ['order_customer']]);
    expect(all('insert into "order" (customer) values (3) returning id, state')).toEqual([[5, "it's new"]]);
    expect(all('select state, count(*) from "order" group by 1 order by 1')).toEqual([
      ["it's new", 4],
      ['sent', 1],
    ]);
  });

  it('takes one table, and adds to one that is there', async () => {
    database.exec('create table item (place int, code text, note text, extra int default 7)');
    expect((await load(fixture('shop.sqlite'), { table: 'ITEM' })).err).toBe('');
    expect(all('select count(*), min(extra) as extra, min(place) as place from item')).toEqual([[40, 7, 0]]);
    expect(all('select count(*) from pg_tables where schemaname = $$public$$')).toEqual([[1]]);
    expect((await load(fixture('shop.sqlite'), { table: 'none' })).value).toMatchObject({
      message: 'the file has no table "none"',
    });
  });

  it('leaves nothing behind when a row is bad, or leaves that out', async () => {
    database.exec('create table item (code text, place int check (place <> 3), note text)');
    const { value } = await load(fixture('shop.sqlite'));
    expect(value).toMatchObject({
      message: expect.stringMatching(/^item, line \d+: .*item_place_check/),
      code: '23514',
    });
    expect(all('select count(*) from pg_tables where schemaname = $$public$$')).toEqual([[1]]);
    expect(all('select count(*) from item')).toEqual([[0]]);
    const skipping = await load(fixture('shop.sqlite'), { onError: 'skip' });
    expect([skipping.value, skipping.out]).toEqual([2, expect.stringMatching(/^107 rows in .* 1 left out$/m)]);
    expect(all('select count(*) from item')).toEqual([[39]]);
  });

  it('reads UTF-16', async () => {
    await load(fixture('utf16.sqlite'));
    expect(all('select a, b::text from t')).toEqual([['Grüße 🐘', '\\x00ff']]);
  });

  it('refuses what is no database, and one with changes beside it', async () => {
    const none = join(newDirectory(), 'none.sqlite');
    writeFileSync(none, 'SQLite format 2, and more than a hundred bytes of it'.repeat(3));
    expect((await load(none)).value).toMatchObject({ code: '22000' });
    const used = join(newDirectory(), 'used.sqlite');
    copyFileSync(fixture('utf16.sqlite'), used);
    writeFileSync(`${used}-wal`, 'x');
    expect((await load(used)).value).toMatchObject({ code: '55000', hint: expect.stringContaining('wal_checkpoint') });
  });

  it('ends in rows or an error for any damage', () => {
    const whole = readFileSync(fixture('shop.sqlite'));
    const path = join(newDirectory(), 'damaged.sqlite');
    const ends = { rows: 0, errors: 0 };
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 60 }),
        fc.option(fc.integer({ min: 100, max: whole.length - 1 }), { nil: undefined, freq: 5 }),
        (changes, bytes) => {
          const damaged = Buffer.from(whole.subarray(0, bytes));
          for (const [at, byte] of changes) if (at > 16 && at < damaged.length) damaged[at] = byte;
          writeFileSync(path, damaged);
          let file: SqliteFile | undefined;
          try {
            file = new SqliteFile(path);
            for (const { rootPage } of sqliteSchema(file).tables) for (const _ of file.rows(rootPage)) continue;
            ends.rows++;
          } catch (error) {
            if (!isPhantomError(error)) throw error;
            ends.errors++;
          } finally {
            file?.close();
          }
        },
      ),
      { numRuns: 100, seed: 7 },
    );
    expect(ends.rows + ends.errors).toBe(100);
    expect(Math.min(ends.rows, ends.errors)).toBeGreaterThan(0);
  });
});
