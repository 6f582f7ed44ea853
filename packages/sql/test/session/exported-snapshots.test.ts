import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SqlSession, Value } from '../../src/index.js';
import { type TestEngine, openEngine } from '../support/engine.js';

const IMPORTING = 'begin isolation level repeatable read read only';

describe('An exported snapshot', () => {
  let engine: TestEngine;
  let exporter: SqlSession;
  let importer: SqlSession;

  async function run(session: SqlSession, sql: string): Promise<Value[][]> {
    const rows: Value[][] = [];
    await session.portal(session.prepareText(sql), []).fetch(0, (batch) => {
      for (let r = 0; r < batch.count; r++) rows.push(batch.columns.map((column) => column[r] as Value));
    });
    await session.sync();
    return rows;
  }

  const exported = async (): Promise<string> => String((await run(exporter, 'select pg_export_snapshot()'))[0]?.[0]);

  beforeEach(async () => {
    engine = await openEngine();
    exporter = engine.session();
    importer = engine.session();
    await run(exporter, 'create table t (id int primary key)');
    await run(exporter, 'insert into t values (1), (2)');
  });
  afterEach(() => engine.close());

  it('shows the same moment to others, and to them for as long as their own transactions live', async () => {
    await run(exporter, 'begin isolation level repeatable read');
    const name = await exported();
    expect(name).toMatch(/^[0-9A-F]{8}-[0-9A-F]{8}-1$/);
    const writer = engine.session();
    await run(writer, 'insert into t values (3)');
    await run(importer, IMPORTING);
    await run(importer, `set transaction snapshot '${name}'`);
    expect(await run(importer, 'select count(*) from t')).toEqual([[2]]);
    await run(exporter, 'commit');
    await run(writer, 'delete from t');
    expect(await run(importer, 'select count(*) from t')).toEqual([[2]]);
    await run(importer, 'commit');
    expect(await run(importer, 'select count(*) from t')).toEqual([[0]]);
  });

  it('is that of its statement at read committed, where the exporter goes on to newer ones, without what it has written itself', async () => {
    await run(exporter, 'begin');
    await run(exporter, 'insert into t values (9)');
    const name = await exported();
    await run(engine.session(), 'insert into t values (3)');
    expect(await run(exporter, 'select count(*) from t')).toEqual([[4]]);
    await run(importer, IMPORTING);
    await run(importer, `set transaction snapshot '${name}'`);
    expect(await run(importer, 'select count(*) from t')).toEqual([[2]]);
  });

  it('is gone with its transaction, and leaves no other behind', async () => {
    await run(exporter, 'begin');
    const name = await exported();
    expect(engine.engine.mvcc.transactions()).toHaveLength(2);
    await run(exporter, 'rollback');
    expect(engine.engine.mvcc.transactions()).toHaveLength(0);
    await run(importer, IMPORTING);
    await expect(run(importer, `set transaction snapshot '${name}'`)).rejects.toMatchObject({
      code: '22023',
      message: `invalid snapshot identifier: "${name}"`,
    });
  });

  it('is exported once for each call, and not behind a savepoint', async () => {
    await run(exporter, 'begin');
    expect(await exported()).toMatch(/-1$/);
    expect(await exported()).toMatch(/-2$/);
    await run(exporter, 'savepoint s');
    await expect(exported()).rejects.toMatchObject({ code: '25001' });
  });

  it('is not for transactions that have begun, may write, read each statement anew or are serializable', async () => {
    await run(exporter, 'begin');
    const name = await exported();
    const importing = `set transaction snapshot '${name}'`;
    const refused = async (begin: string, code: string, ...before: string[]): Promise<void> => {
      await run(importer, begin);
      for (const sql of before) await run(importer, sql);
      await expect(run(importer, importing)).rejects.toMatchObject({ code });
      await run(importer, 'rollback');
    };
    await refused('begin read only', '0A000');
    await refused('begin isolation level repeatable read', '0A000');
    await refused('begin isolation level serializable read only', '0A000');
    await refused(IMPORTING, '25001', 'select 1');
    await refused(IMPORTING, '25001', 'savepoint s');
    await refused(IMPORTING, '25001', importing);
    await run(importer, importing);
    await run(importer, 'create database elsewhere');
    importer = engine.session({ database: 'elsewhere' });
    await refused(IMPORTING, '0A000');
  });

  it('keeps its modes once it is imported, but for reading only', async () => {
    await run(exporter, 'begin');
    await run(importer, IMPORTING);
    await run(importer, `set transaction snapshot '${await exported()}'`);
    await expect(run(importer, 'set transaction isolation level read committed')).rejects.toMatchObject({
      code: '25001',
    });
    await run(importer, 'rollback');
    await run(importer, IMPORTING);
    await run(importer, `set transaction snapshot '${await exported()}'`);
    await expect(run(importer, 'set transaction read write')).rejects.toMatchObject({ code: '25001' });
  });
});
