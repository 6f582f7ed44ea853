/** Deadlocks between sessions: who loses by each policy, who makes way in each mode of waiting. */
import type { MvccOptions } from '@phantom/mvcc';
import { afterEach, describe, expect, it } from 'vitest';
import type { SqlSession } from '../../src/index.js';
import { type TestEngine, openEngine } from '../support/engine.js';
import { run, turns } from '../support/statements.js';

let engine: TestEngine;

afterEach(() => engine.close());

/** Sessions with rows of their own, of which the first has begun first. */
async function sessions(count: number, waits: Pick<MvccOptions, 'deadlockPolicy' | 'waiting'>): Promise<SqlSession[]> {
  engine = await openEngine(undefined, undefined, waits);
  const all = Array.from({ length: count }, () => engine.session());
  await run(all[0] as SqlSession, 'create table t (id int primary key, v int)');
  await run(all[0] as SqlSession, 'insert into t select i, 0 from generate_series(0, 99) i');
  return all;
}

const write = (id: number): string => `update t set v = v + 1 where id = ${id}`;

/** Each writes its row and then wants the next one's; how it ended for each of them, losers rolled back and the others committed. */
async function circle(parties: readonly SqlSession[]): Promise<string[]> {
  for (const [i, party] of parties.entries()) await run(party, `begin; ${write(i)}`);
  const wants = parties.map(async (party, i) => {
    const answer = await run(party, write((i + 1) % parties.length));
    await run(party, answer === 'UPDATE 1' ? 'commit' : 'rollback');
    return answer;
  });
  await turns(5);
  return Promise.all(wants);
}

describe('a deadlock', () => {
  it.each([2, 3, 10])('of %i sessions costs the youngest, and the others go on', async (count) => {
    const answers = await circle(await sessions(count, {}));
    expect(answers).toEqual([...Array.from({ length: count - 1 }, () => 'UPDATE 1'), '40P01']);
  });

  it('of two who have read a row and then want it alone costs one of them', async () => {
    const [a, b] = (await sessions(2, {})) as [SqlSession, SqlSession];
    for (const session of [a, b]) await run(session, 'begin; select v from t where id = 1 for share');
    const first = run(a, write(1));
    await turns(5);
    expect(await run(b, write(1))).toBe('40P01');
    await run(b, 'rollback');
    expect(await first).toBe('UPDATE 1');
  });

  it('costs whoever has done least, if that is the policy', async () => {
    const [a, b] = (await sessions(2, { deadlockPolicy: 'least work' })) as [SqlSession, SqlSession];
    await run(b, 'begin; update t set v = 1 where id >= 10');
    expect(await circle([a, b])).toEqual(['40P01', 'UPDATE 1']);
  });

  it('costs whoever has the least priority, if that is the policy', async () => {
    const [a, b] = (await sessions(2, { deadlockPolicy: 'priority' })) as [SqlSession, SqlSession];
    await run(b, 'set phantom.deadlock_priority = 5');
    expect(await circle([a, b])).toEqual(['40P01', 'UPDATE 1']);
    await run(a, 'set phantom.deadlock_priority = 6');
    expect(await circle([a, b])).toEqual(['UPDATE 1', '40P01']);
  });

  it.each(['wait-die', 'wound-wait'] as const)('does not arise in mode %s: the younger makes way', async (waiting) => {
    const [a, b] = (await sessions(2, { waiting })) as [SqlSession, SqlSession];
    expect(await circle([a, b])).toEqual(['UPDATE 1', '40P01']);
    expect(engine.mvcc.stats().deadlocks).toBe(0);
  });
});
