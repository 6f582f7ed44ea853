/** Rows read and locked by key without an execution: what the road does itself, and what it leaves to the ordinary one. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type SqlSession, lookUpWithin } from '../../src/index.js';
import type { PlanStatement } from '../../src/session/statement.js';
import { type TestEngine, openEngine } from '../support/engine.js';
import { run } from '../support/statements.js';

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
