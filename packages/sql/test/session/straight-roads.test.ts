/** What straight roads do themselves, and what they leave to the ordinary one: rows locked by key, BEGIN and COMMIT. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type SqlSession, controlBlock, lookUpWithin, writePoint, writePointInTurn } from '../../src/index.js';
import type { PlanStatement } from '../../src/session/statement.js';
import { type TestEngine, openEngine } from '../support/engine.js';
import { rows, run } from '../support/statements.js';

let engine: TestEngine;
let a: SqlSession;
let b: SqlSession;

beforeEach(async () => {
  engine = await openEngine();
  [a, b] = [engine.session(), engine.session()];
  await run(a, 'create table t (id int primary key, v int); insert into t values (1, 10), (2, 0)');
});

afterEach(() => engine.close());

/** The row that the road finds: [] for none, undefined where it is not taken. */
function found(session: SqlSession, text: string, parameters: number[]): unknown[] | undefined {
  const row: unknown[] = [];
  const outcome = lookUpWithin(session, session.prepareText(text) as PlanStatement, parameters, row);
  if (outcome === undefined) return undefined;
  return outcome ? row : [];
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

const LOCKING = 'select v, 100 / v from t where id = $1 and v < 50 for update';

describe('a row that is read and locked by its key', () => {
  it('is locked until the transaction ends', async () => {
    await run(a, 'begin');
    for (let i = 0; i < 5; i++) expect(found(a, LOCKING, [1])).toEqual([10, 10]);
    expect(found(a, LOCKING, [3])).toEqual([]);
    expect(await run(b, 'select v from t where id = 1 for update nowait')).toBe('55P03');
    await run(a, 'commit');
    expect(await run(b, 'select v from t where id = 1 for update nowait')).toBe('SELECT 1');
  });

  it('is left to the ordinary road where somebody holds it, or has changed it since the snapshot', async () => {
    await run(b, 'begin; update t set v = 20 where id = 1');
    await run(a, 'begin');
    expect(found(a, LOCKING, [1])).toBeUndefined();
    const waiting = run(a, 'select v from t where id = 1 for update');
    expect(await run(b, 'commit')).toBe('COMMIT');
    expect(await waiting).toBe('SELECT 1');
    expect(found(a, LOCKING, [1])).toEqual([20, 5]);
    await run(a, 'commit');
    await run(a, 'begin isolation level repeatable read; select 1 from t');
    await run(b, 'update t set v = 30 where id = 1');
    expect(found(a, LOCKING, [1])).toBeUndefined();
    expect(await run(a, 'select v from t where id = 1 for update')).toBe('40001');
  });

  it('fails the transaction with an error of its own', async () => {
    await run(a, 'begin');
    expect(() => found(a, LOCKING, [2])).toThrow('division by zero');
    expect(a.status).toBe('failed');
  });

  it('is not locked in a read-only transaction, nor outside of any', async () => {
    expect(found(a, LOCKING, [1])).toBeUndefined();
    await run(a, 'begin read only');
    expect(found(a, LOCKING, [1])).toBeUndefined();
    expect(found(a, 'select v from t where id = $1', [1])).toEqual([10]);
  });
});

describe('a row that is written by its key and held by somebody else', () => {
  const UPDATE = 'update t set v = v + 1 where id = $1';
  const inTurn = (session: SqlSession, text: string): Promise<number | undefined> =>
    Promise.resolve(writePointInTurn(session, session.prepareText(text) as PlanStatement, [1]));
  const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code;

  it('is written at once when it is free, and in turn as those before have left it', async () => {
    const c = engine.session();
    expect(writePointInTurn(b, b.prepareText(UPDATE) as PlanStatement, [1])).toBe(1);
    expect(writePointInTurn(b, b.prepareText('update t set v = 0') as PlanStatement, [])).toBeUndefined();
    b.sync();
    await turns();
    await run(a, 'begin; update t set v = 20 where id = 1');
    await run(b, 'begin');
    await run(c, 'begin');
    const [second, third] = [inTurn(b, UPDATE), inTurn(c, UPDATE)];
    expect(b.activity.statementStartMs).toBeDefined();
    await run(a, 'commit');
    expect(await second).toBe(1);
    await run(b, 'rollback');
    expect(await third).toBe(1);
    await run(c, 'commit');
    expect(await run(a, 'select from t where id = 1 and v = 21')).toBe('SELECT 1');
  });

  it('fails the transaction of whoever is cancelled or waits for too long', async () => {
    await run(a, 'begin; update t set v = 20 where id = 1');
    await run(b, 'begin');
    const cancelled = inTurn(b, UPDATE).catch(codeOf);
    b.cancel();
    expect(await cancelled).toBe('57014');
    expect(b.status).toBe('failed');
    await run(b, 'rollback; set lock_timeout = 1; begin');
    expect(await inTurn(b, UPDATE).catch(codeOf)).toBe('55P03');
    expect(b.status).toBe('failed');
  });

  it('is not written by a role that may not any more', async () => {
    await run(
      a,
      'create role writers; create role writer; grant writers to writer; grant select, update on t to writers',
    );
    await run(a, 'begin; update t set v = 20 where id = 1');
    await run(b, 'set role writer; begin');
    const refused = inTurn(b, UPDATE).catch(codeOf);
    await run(engine.session(), 'revoke writers from writer');
    await run(a, 'commit');
    expect(await refused).toBe('42501');
  });
});

describe('a row that is in the way of an INSERT of one row', () => {
  const KEYS =
    'create table u (id int primary key, k text unique, v int default 7, g int generated always as (v * 2) stored)';
  const written = (session: SqlSession, text: string, parameters: unknown[]): number | undefined =>
    writePoint(session, session.prepareText(text) as PlanStatement, parameters);
  const stored = async (): Promise<unknown[]> => {
    const rows: unknown[][] = [];
    const row: unknown[] = [];
    await run(b, 'begin');
    for (const id of [1, 2, 3]) {
      const statement = b.prepareText('select k, v, g from u where id = $1') as PlanStatement;
      if (lookUpWithin(b, statement, [id], row) === true) rows.push([id, ...row]);
    }
    await run(b, 'commit');
    return rows;
  };

  beforeEach(() => run(a, KEYS));

  it('is updated, found by the primary key or by another, and counted', async () => {
    await run(a, `begin; insert into u values (1, 'one', 10), (2, 'two', 20)`);
    const byId =
      'insert into u (id, v) values ($1, $2) on conflict (id) do update set v = u.v + excluded.v where u.v < 100';
    // The road is generated anew after some executions.
    for (let i = 0; i < 5; i++) expect(written(a, byId, [1, 1])).toBe(1);
    expect(written(a, byId, [3, 200])).toBe(1);
    expect(written(a, byId, [3, 1])).toBe(0);
    const byText =
      'insert into u (id, k) values ($1, $2) on conflict (k) do update set id = excluded.id + 100, k = null';
    for (let i = 0; i < 5; i++) expect(written(a, `${byText} where false`, [9, 'two'])).toBe(0);
    const nothing = 'insert into u (id, k) values ($1, $2) on conflict do nothing';
    for (let i = 0; i < 5; i++) expect(written(a, nothing, [1, 'two'])).toBe(0);
    const mysql = 'insert into u (id, v) values ($1, $2) on duplicate key update v = values(v)';
    expect([3, 4, 4].map((v) => written(a, mysql, [2, v]))).toEqual([2, 2, 0]);
    expect(() => written(a, `${byId.replace('(id)', '(k)')}`, [1, 1])).toThrow('duplicate key value');
    await run(a, 'rollback');
    expect(await stored()).toEqual([]);
    expect([written(a, byId, [1, 5]), written(a, byId, [1, 6]), written(a, byId, [2, 5])]).toEqual([1, 1, 1]);
    a.sync();
    await turns();
    expect(await stored()).toEqual([
      [1, null, 11, 22],
      [2, null, 5, 10],
    ]);
    expect(written(a, byText, [3, 'x'])).toBe(1);
    expect(written(a, byText, [1, 'x'])).toBe(1);
    a.sync();
    await turns();
    expect(await run(a, 'select from u where id = 101 and k is null and v = 7')).toBe('SELECT 1');
  });

  it('is waited for on the ordinary road where somebody holds it, and met as it is then', async () => {
    const text = 'insert into u (id, v) values (1, 1) on conflict (id) do update set v = u.v + 1';
    for (const end of ['commit', 'rollback']) {
      await run(a, `delete from u; insert into u values (1, 'one', 10)`);
      await run(b, 'begin; update u set v = 20 where id = 1');
      const waiting = run(a, text);
      await run(b, end);
      expect(await waiting).toBe('INSERT 0 1');
      expect(await run(a, `select from u where v = ${end === 'commit' ? 21 : 11}`)).toBe('SELECT 1');
    }
    await run(a, 'begin isolation level repeatable read; select from u');
    await run(b, 'update u set v = 50 where id = 1');
    expect(await run(a, text)).toBe('40001');
    await run(a, 'rollback');
  });
});

describe('a row that is read by its key in a deferrable transaction', () => {
  it('is read once the snapshot is safe, and by no other one afterwards', async () => {
    const c = engine.session();
    await run(b, 'begin isolation level serializable; select v from t where id = 2');
    await run(c, 'begin isolation level serializable; update t set v = 1 where id = 2; commit');
    await run(b, 'update t set v = 11 where id = 1');
    await run(a, 'begin isolation level serializable read only deferrable');
    const text = 'select v from t where id = $1';
    expect(found(a, text, [1])).toBeUndefined();
    let isAnswered = false;
    const waiting = run(a, 'select v from t where id = 1').finally(() => (isAnswered = true));
    await turns();
    expect(isAnswered).toBe(false);
    await run(b, 'commit');
    expect(await waiting).toBe('SELECT 1');
    expect(found(a, text, [1])).toEqual([11]);
    await run(c, 'update t set v = 12 where id = 1');
    await turns();
    expect(found(a, text, [1])).toEqual([11]);
    expect(await run(a, 'commit')).toBe('COMMIT');
  });
});

describe('a block', () => {
  const control = (session: SqlSession, text: string): unknown => controlBlock(session, session.prepareText(text));

  it('begins and commits without a portal, in the modes that are named', async () => {
    expect(control(a, 'begin isolation level serializable')).toMatchObject({ complete: true, tag: 'BEGIN' });
    expect(a.settings.get('transaction_isolation')).toBe('serializable');
    await run(a, 'update t set v = 11 where id = 1');
    expect(await control(a, 'end')).toMatchObject({ complete: true, tag: 'COMMIT' });
    expect(a.status).toBe('idle');
    expect(a.settings.get('transaction_isolation')).toBe('read committed');
    expect(a.lastCommit).toBeDefined();
  });

  it('is told what its commit has failed on, and is over', async () => {
    await run(a, 'create table c (t_id int references t deferrable initially deferred)');
    control(a, 'begin');
    await run(a, 'insert into c values (99)');
    await expect(control(a, 'commit')).rejects.toMatchObject({ code: '23503' });
    expect(a.status).toBe('idle');
    expect(await run(a, 'select * from c')).toBe('SELECT 0');
  });

  it('waits for what is deferred to its commit, until it is cancelled or its time is over', async () => {
    await run(a, 'create table c (t_id int references t deferrable initially deferred)');
    await run(b, 'begin; delete from t where id = 1');
    control(a, 'begin');
    await run(a, 'insert into c values (1)');
    const ended = control(a, 'commit') as Promise<unknown>;
    a.cancel();
    await expect(ended).rejects.toMatchObject({ code: '57014' });
    await run(a, 'begin; insert into c values (1); set local statement_timeout = 20');
    await expect(control(a, 'commit')).rejects.toMatchObject({ code: '57014' });
    expect(a.status).toBe('idle');
    await run(b, 'rollback');
  });

  it('is left to the ordinary road where there is more to it', async () => {
    expect(control(a, 'commit')).toBeUndefined();
    expect(control(a, 'rollback')).toBeUndefined();
    control(a, 'begin');
    expect(control(a, 'begin')).toBeUndefined();
    expect(control(a, 'commit and chain')).toBeUndefined();
    await run(a, 'select 1 / 0');
    expect(control(a, 'commit')).toBeUndefined();
    expect(await run(a, 'commit')).toBe('ROLLBACK');
  });
});

describe('a row whose key others refer to', () => {
  const DELETE = 'delete from t where id = $1';
  const remove = (id: number): number | undefined => writePoint(a, a.prepareText(DELETE) as PlanStatement, [id]);

  beforeEach(async () => {
    await run(a, 'create table c (id int primary key, t int references t on delete cascade)');
    await run(a, 'insert into c values (1, 1), (2, 2)');
  });

  it('is removed with what refers to it', async () => {
    expect(remove(1)).toBe(1);
    await a.sync();
    expect(await rows(a, 'select id from c')).toEqual(['2']);
  });

  it('is left to the ordinary road, with nothing done, where that fires triggers', async () => {
    await run(
      a,
      `create function noted() returns trigger language plpgsql as 'begin raise notice ''fired''; return old; end';
       create trigger noted before delete on c for each row execute function noted()`,
    );
    const notices: string[] = [];
    a = engine.session({ onNotice: ({ message }) => notices.push(message) });
    expect(remove(1)).toBeUndefined();
    expect(notices).toEqual([]);
    expect(await run(a, 'delete from t where id = 1')).toBe('DELETE 1');
    expect(notices).toEqual(['fired']);
  });
});
