/** Results of correlated subqueries are kept by the values of their outer columns: how many, of what size, and how long. */
import { describe, expect, it } from 'vitest';
import { SubqueryMemo, UNKNOWN } from '../../src/exec/subquery-memo.js';
import { openEngine } from '../support/engine.js';
import { runStatement } from '../exec/answers.js';

describe('a memo of a subquery', () => {
  it('tells sets of values apart, nulls among them', () => {
    const memo = new SubqueryMemo();
    memo.keep([1, null], 'one');
    memo.keep([1, 'a'], null);
    memo.keep([null, null], false);
    expect(memo.find([1, null])).toBe('one');
    expect(memo.find([1, 'a'])).toBe(null);
    expect(memo.find([null, null])).toBe(false);
    expect(memo.find([2, null])).toBe(UNKNOWN);
    expect(memo.find(['1', null])).toBe(UNKNOWN);
  });

  it('keeps no large values', () => {
    const memo = new SubqueryMemo();
    memo.keep([1], 'x'.repeat(257));
    memo.keep([2], [1, 2, 3]);
    expect(memo.find([1])).toBe(UNKNOWN);
    expect(memo.find([2])).toBe(UNKNOWN);
  });

  it('begins anew when it is full, and gives up when it was of no use', () => {
    const used = new SubqueryMemo();
    const useless = new SubqueryMemo();
    for (let i = 0; i <= 4096; i++) {
      used.keep([i], i);
      expect(used.find([i])).toBe(i);
      useless.keep([i], i);
    }
    expect(used.find([0])).toBe(UNKNOWN);
    used.keep([0], 0);
    expect(used.find([0])).toBe(0);
    useless.keep([0], 0);
    expect(useless.find([0])).toBe(UNKNOWN);
  });
});

it('runs a subquery once for each set of outer values', async () => {
  const test = await openEngine();
  const session = test.session();
  await runStatement(session, 'create table t (id int primary key, a int)');
  await runStatement(session, 'insert into t select i, i % 7 from generate_series(1, 100) i');
  const loops = async (sql: string): Promise<string> => {
    const lines = await runStatement(session, `explain (analyze, timing off, costs off) ${sql}`);
    return lines.find((line) => line.includes('->  Aggregate')) ?? '';
  };
  const query = 'select id from t where id > (select avg(x.id) from t x where x.a < t.a)';
  expect(await loops(query)).toContain('loops=7)');
  await runStatement(session, 'set enable_memoize = off');
  expect(await loops(query)).toContain('loops=100)');
  await test.close();
});
