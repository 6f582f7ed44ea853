/** What Tab offers, from a server's catalogs. */
import { type Database, open } from '@phantom/db';
import { type Server, startServer } from '@phantom/server';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Completion } from '../src/sql/completion.js';
import { RemoteTarget } from '../src/sql/remote-target.js';

let database: Database;
let server: Server;
let target: RemoteTarget;
beforeAll(async () => {
  database = await open(':memory:');
  database.exec(`create table products (id int primary key, name text, "Net price" numeric); create table "Odd one" (a int);
    create schema shop; create table shop.orders (id int); create view proceeds as select 1 as total; create database other`);
  server = await startServer(database, { pgPort: 0 });
  target = await RemoteTarget.open(`postgres://phantom@127.0.0.1:${server.pg.port}/phantom`, () => undefined);
});
afterAll(async () => {
  await target.close();
  await server.close();
  await database.close();
});

/** What is offered at the end of a line, behind lines that are typed already. */
function offered(line: string, text = '', open?: string): Promise<string[]> {
  const completion = new Completion(target, { text, open });
  return new Promise((resolve) => completion.answer(line, (_, [hits]) => resolve(hits)));
}

it.each([
  ['sel', ['select ']],
  ['SEL', ['SELECT ']],
  ['select * from pro', ['proceeds', 'products']],
  ['select * from "O', ['"Odd one" ']],
  ['select * from shop.', ['shop.orders ']],
  ['insert into prod', ['products ']],
  ['update products set na', ['name', 'natural']],
  ['select * from products where "', ['"Net price" ']],
  ['select * from products as p where p.n', ['p.name ']],
  ['select * from products where products.i', ['products.id ']],
  ['select * from products where ', ['"Net price"', 'id', 'name']],
  ['set statement_time', ['statement_timeout ']],
  ['\\ti', ['\\timing ']],
  ['\\d prod', ['products ']],
  ['\\c oth', ['other ']],
  ['\\format b', ['box ']],
  ['nothing_like_it', []],
  ['', []],
])('completes %j', async (line, hits) => {
  expect(await offered(line)).toEqual(hits);
});

it('looks at the lines before, and offers nothing in quotes', async () => {
  expect(await offered('nam', 'select *\nfrom products where\n')).toEqual(['name ']);
  expect(await offered('sel', "select 'a\n", 'quote')).toEqual([]);
});

it('offers words alone in a transaction that has failed', async () => {
  await target.run('begin', () => undefined);
  await target.run('select nope', () => undefined).catch(() => undefined);
  expect([await offered('roll'), await offered('select * from pro')]).toEqual([['rollback '], []]);
  await target.run('rollback', () => undefined);
});
