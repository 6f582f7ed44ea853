/** Writers of tables that serve one transaction of a session after the other, and modes that are not looked up each time. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SqlSession } from '../../src/index.js';
import { type TestEngine, openEngine } from '../support/engine.js';
import { run } from '../support/statements.js';

let engine: TestEngine;
let session: SqlSession;

beforeEach(async () => {
  engine = await openEngine();
  session = engine.session();
  await run(session, 'create table t (id int primary key, v int)');
});

afterEach(() => engine.close());

function valueOf(setting: string): string {
  return session.settings.get(setting);
}

describe('the writer of a table', () => {
  const writer = (): unknown => {
    const table = session.picture.relation({ schema: 'public', name: 't' });
    if (table?.kind !== 'table') throw new Error('no table');
    return session.ensureTransaction().writersOf(session).writer(table);
  };

  it('serves the next transaction, at its own isolation level', async () => {
    await run(session, 'insert into t values (1, 1)');
    const first = writer();
    session.rollback();
    await run(session, 'insert into t values (2, 2)');
    expect(writer()).toBe(first);
    session.rollback();
    const other = engine.session();
    await run(session, 'begin isolation level repeatable read; select * from t');
    await run(other, 'insert into t values (3, 3)');
    expect(await run(session, 'update t set v = 9 where id = 1')).toBe('UPDATE 1');
    expect(writer()).toBe(first);
    expect(await run(session, 'insert into t values (3, 4)')).toBe('23505');
    await run(session, 'rollback');
    await run(session, 'begin; insert into t values (4, 4)');
    expect(await run(other, 'update t set v = 0 where id = 4')).toBe('UPDATE 0');
    expect(await run(session, 'commit')).toBe('COMMIT');
  });

  it('is made anew when the table has changed, and when there are many', async () => {
    await run(session, 'insert into t values (1, 1)');
    const first = writer();
    session.rollback();
    await run(session, 'alter table t add unique (v)');
    expect(await run(session, 'insert into t values (2, 1)')).toBe('23505');
    const second = writer();
    expect(second).not.toBe(first);
    session.rollback();
    for (let i = 0; i < 20; i++) await run(session, `create table t${i} (id int); insert into t${i} values (1)`);
    await run(session, 'begin');
    for (let i = 0; i < 20; i++) await run(session, `insert into t${i} values (2)`);
    await run(session, 'insert into t values (2, 2)');
    await run(session, 'commit');
    expect(writer()).not.toBe(second);
  });
});

describe('modes of transactions', () => {
  it('follow the settings, and are shown', async () => {
    await run(session, 'insert into t values (1, 1)');
    expect(valueOf('transaction_isolation')).toBe('read committed');
    await run(session, "set default_transaction_isolation = 'serializable'");
    await run(session, 'begin');
    expect(valueOf('transaction_isolation')).toBe('serializable');
    await run(session, 'set transaction isolation level repeatable read');
    expect(valueOf('transaction_isolation')).toBe('repeatable read');
    await run(session, 'commit');
    expect(valueOf('transaction_isolation')).toBe('serializable');
    await run(session, 'set default_transaction_read_only = on');
    expect(await run(session, 'insert into t values (2, 2)')).toBe('25006');
    expect(valueOf('transaction_read_only')).toBe('on');
    await run(session, 'set default_transaction_read_only = off; reset default_transaction_isolation');
    expect(await run(session, 'insert into t values (2, 2)')).toBe('INSERT 0 1');
    expect(valueOf('transaction_read_only')).toBe('off');
    await run(session, 'begin read only');
    expect(valueOf('transaction_read_only')).toBe('on');
    await run(session, 'rollback');
    expect(valueOf('transaction_read_only')).toBe('off');
  });
});
