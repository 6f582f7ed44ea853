import { MemoryBudget } from '@phantom/base';
import { describe, expect, it } from 'vitest';
import { IntegerSums } from '../../src/exec/integer-sums.js';
import { openEngine } from '../support/engine.js';
import { runQuery } from './answers.js';

describe('IntegerSums', () => {
  it('goes on exactly beyond the safe integers', () => {
    const sums = new IntegerSums(new MemoryBudget(1 << 20));
    sums.begin();
    sums.sums[0] = Number.MAX_SAFE_INTEGER;
    sums.counts[0] = 2;
    sums.carry(0, 7);
    expect(sums.sum(0)).toBe(BigInt(Number.MAX_SAFE_INTEGER) + 7n);
    expect(sums.average(0)?.toString()).toBe('4503599627370499.0000');
    sums.sums[0]! -= 10;
    expect(sums.sum(0)).toBe(Number.MAX_SAFE_INTEGER - 3);
  });

  it('is shared by sum and avg of one argument, apart by filter, distinct and nulls, for many groups', async () => {
    const engine = await openEngine();
    const sql = `select g, sum(v), avg(v), sum(v) filter (where v > 50), sum(distinct v % 3), avg(v + 1), sum(nothing), avg(nothing)
      from (select i % 40 as g, i as v, null::int as nothing from generate_series(1, 200) i) s group by g order by g`;
    for (const backEnd of ['generated', 'closures'] as const) {
      const { rows } = runQuery(engine, engine.session(), sql, { backEnd });
      expect(rows).toHaveLength(40);
      expect(rows.slice(0, 2).map((row) => row.map(String))).toEqual([
        ['0', '600', '120.0000000000000000', '560', '3', '121.0000000000000000', 'null', 'null'],
        ['1', '405', '81.0000000000000000', '363', '3', '82.0000000000000000', 'null', 'null'],
      ]);
    }
    await engine.close();
  });
});
