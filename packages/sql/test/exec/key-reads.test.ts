/** Statements that read many rows by key: past the first few reads a cursor finds the others, with the same answers. */
import { expect, it } from 'vitest';
import { openEngine } from '../support/engine.js';
import { runStatement } from './answers.js';

it('finds rows by key in any number, before and after what the transaction wrote', async () => {
  const test = await openEngine();
  const session = test.session();
  const run = (sql: string): Promise<string[]> => runStatement(session, sql);
  await run('create table t (id text primary key, a int, n int, code int unique)');
  await run('create index t_a on t (a)');
  await run("insert into t select 'r' || i, i % 10, i, i * 3 from generate_series(1, 1600) i");
  await run('analyze');
  const numbers = Array.from({ length: 1600 }, (_, i) => i + 1);
  const sumOf = (a: number): number => numbers.filter((i) => i % 10 === a).reduce((sum, i) => sum + i, 0);
  const removed = numbers.filter((i) => i % 10 === 2 && `r${i}` > 'r3');
  for (const isolation of ['read committed', 'serializable']) {
    await run(`begin isolation level ${isolation}`);
    await run('set local enable_seqscan = off');
    const sums = async (): Promise<string[]> => [
      ...(await run('select sum(n) from t where a = 1')),
      ...(await run('select sum(n) from t where a in (2, 3) group by a order by a')),
    ];
    const total = (sum: number): string => `  ${sum}`;
    expect(await sums()).toEqual(expect.arrayContaining([1, 2, 3].map((a) => total(sumOf(a)))));
    // Own writes: changed, removed and new rows among those that stay.
    expect(await run('update t set n = n + 1 where a = 1')).toEqual(['UPDATE 160']);
    expect(await run("delete from t where a = 2 and id > 'r3'")).toEqual([`DELETE ${removed.length}`]);
    await run("insert into t select 'x' || i, 3, 1, -i from generate_series(1, 50) i");
    expect(await sums()).toEqual(expect.arrayContaining([total(sumOf(1) + 160), total(sumOf(3) + 50)]));
    // Partners by the key of the table and by a unique index, more of them than are read one by one.
    const partners = 'select count(t.n) from generate_series(1, 1500) i left join t on';
    expect(await run(`${partners} t.id = 'r' || i`)).toContain(`  ${1500 - removed.filter((i) => i <= 1500).length}`);
    await run('rollback');
    expect(await run(`${partners} t.code = i * 3`)).toContain('  1500');
  }
  await test.close();
});
