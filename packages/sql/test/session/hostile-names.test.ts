/**
 * Names that would be statements if they ever stood in a text without their quotes: objects of every kind are called so, and each
 * text that a catalog gives of them is run again. It means what it meant, and nothing else happens.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import type { SqlSession } from '../../src/index.js';
import { openEngine } from '../support/engine.js';
import { rows, run } from '../support/statements.js';

const NAMES = [
  `a"; drop table witness; --`,
  `a\\'; drop table witness; /*`,
  `\n;drop table witness; $$%I%L%s é"'`,
  `"`,
  'select',
];

/** What `run` gives of an error; a tag has no digits in its first word. */
const ERROR_CODE = /^(?=.*\d)[0-9A-Z]{5}$/;

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** Makes an object of every kind that is called by the name, or begins with it. */
function makings(name: string): string[] {
  const n = quoted(name);
  const table = `${n}.${quoted(`${name}t`)}`;
  const label = quoted(`${name}l`);
  const sequence = `${n}.${quoted(`${name}s`)}`;
  const role = quoted(`role ${name}`);
  return [
    `create schema ${n}`,
    `create type ${n}.${n} as enum (${literal(name)})`,
    `create sequence ${sequence}`,
    `create table ${table} (${n} int primary key default nextval(${literal(sequence)}), ${label} text default ${literal(name)},
       e ${n}.${n}, constraint ${quoted(`${name}c`)} check (${label} <> ${literal(name)} or ${n} > 0))`,
    `create table ${n}.${quoted(`${name}r`)} (${n} int references ${table} on delete cascade)`,
    `create index ${quoted(`${name}i`)} on ${table} (lower(${label})) where ${n} > 0`,
    `create view ${n}.${quoted(`${name}v`)} as select ${n}, count(*) as ${label} from ${table} ${quoted(`${name}a`)} group by ${n}`,
    `create function ${n}.${quoted(`${name}f`)}(${n} int default 1) returns int language sql as 'select 1'`,
    `create role ${role}`,
    `grant select on ${table} to ${role}`,
    `create policy ${n} on ${table} to ${role} using (${label} = ${literal(name)})`,
    `comment on table ${table} is ${literal(name)}`,
    `insert into ${table} (e) values (${literal(name)})`,
  ];
}

/** Asks for a text, and what is made of it again. */
function tellings(name: string): [question: string, again: (text: string) => string][] {
  const n = quoted(name);
  const table = `${n}.${quoted(`${name}t`)}`;
  const called = (suffix: string): string => literal(name + suffix);
  const alter = (constraint: string): string =>
    `alter table ${table} drop constraint ${quoted(`${name}c`)}, add ${constraint}`;
  const from = (text: string): string => `select ${text} from ${table}`;
  return [
    [
      `select 'constraint ' || quote_ident(conname) || ' ' || pg_get_constraintdef(oid) from pg_constraint where conname = ${called('c')}`,
      alter,
    ],
    [
      `select pg_get_constraintdef(oid) from pg_constraint where contype = 'f' and connamespace = ${literal(n)}::regnamespace`,
      (text) => `alter table ${n}.${quoted(`${name}r`)} add ${text}`,
    ],
    [
      `select pg_get_indexdef(oid) from pg_class where relname = ${called('i')}`,
      (text) => `drop index ${n}.${quoted(`${name}i`)}; ${text}`,
    ],
    [
      `select pg_get_viewdef(oid) from pg_class where relname = ${called('v')}`,
      (text) => `create or replace view ${n}.${quoted(`${name}v`)} as ${text}`,
    ],
    [`select pg_get_functiondef(oid) from pg_proc where proname = ${called('f')}`, (text) => text],
    [
      `select oid::regprocedure::text from pg_proc where proname = ${called('f')}`,
      (text) => `select ${literal(text)}::regprocedure`,
    ],
    [`select oid::regclass::text from pg_class where relname = ${called('t')}`, (text) => `table ${text}`],
    [`select oid::regtype::text from pg_type where typname = ${called('')}`, (text) => `select null::${text}`],
    [`select format('%I.%I', ${called('')}::text, ${called('t')}::text)`, (text) => `table ${text}`],
    [
      `select column_default from information_schema.columns where table_name = ${called('t')} and ordinal_position = 1`,
      from,
    ],
    [
      `select column_default from information_schema.columns where table_name = ${called('t')} and ordinal_position = 2`,
      from,
    ],
    [`select pg_get_expr(polqual, polrelid) from pg_policy where polname = ${called('')}`, from],
    [`select pg_get_serial_sequence(${literal(table)}, ${called('')}) is null`, (text) => `select ${literal(text)}`],
    [
      `select relacl::text from pg_class where relname = ${called('t')}`,
      (text) => `select ${literal(text)}::aclitem[]`,
    ],
    [
      `select oid::regrole::text from pg_roles where rolname = ${literal(`role ${name}`)}`,
      (text) => `set role ${text}; reset role`,
    ],
  ];
}

async function succeed(session: SqlSession, statement: string): Promise<void> {
  expect([statement, await run(session, statement)]).toEqual([statement, expect.not.stringMatching(ERROR_CODE)]);
}

describe('a name that would be a statement', () => {
  let session: SqlSession;
  beforeAll(async () => {
    session = (await openEngine()).session();
    await run(session, 'create table witness (a int)');
  });

  it.each(NAMES)('stays a name in all that catalogs tell: %j', async (name) => {
    for (const statement of makings(name)) await succeed(session, statement);
    for (const [question, again] of tellings(name)) {
      const [text, ...more] = await rows(session, question);
      expect([question, more]).toEqual([question, []]);
      await succeed(session, again(text as string));
    }
    expect(await rows(session, 'select count(*) from witness')).toEqual(['0']);
    for (const statement of [`drop schema ${quoted(name)} cascade`, `drop role ${quoted(`role ${name}`)}`])
      await succeed(session, statement);
  });
});
