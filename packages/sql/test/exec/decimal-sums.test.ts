import { MemoryBudget } from '@phantom/base';
import fc from 'fast-check';
import { Decimal } from '@phantom/codec';
import { describe, expect, it } from 'vitest';
import { DecimalSums } from '../../src/exec/decimal-sums.js';
import { openEngine } from '../support/engine.js';
import { runQuery } from './answers.js';

const decimal = fc.oneof(
  fc.integer({ min: -1000, max: 1000 }).map((unscaled) => new Decimal(unscaled, 2)),
  fc.tuple(fc.maxSafeInteger(), fc.nat({ max: 5 })).map(([unscaled, scale]) => Decimal.of(unscaled, scale)),
  fc
    .tuple(fc.bigInt(-(10n ** 30n), 10n ** 30n), fc.nat({ max: 40 }))
    .map(([unscaled, scale]) => Decimal.of(unscaled, scale)),
  fc.constantFrom(Decimal.NaN, Decimal.Infinity, Decimal.NegativeInfinity, Decimal.Zero),
);

describe('DecimalSums', () => {
  it('gives what adding one by one does, in digits shown too', () => {
    const groups = fc.array(fc.array(decimal, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(groups, (values) => {
        const sums = new DecimalSums(new MemoryBudget(1 << 20));
        values.forEach(() => sums.begin());
        for (let i = 0; i < 12; i++) {
          values.forEach((list, group) => {
            const value = list[i];
            if (value !== undefined) sums.add(group, value);
          });
        }
        values.forEach((list, group) => {
          const sum = list.reduce((a, b) => a.add(b));
          expect(sums.sum(group)?.toString()).toBe(sum.toString());
          expect(sums.average(group)?.toString()).toBe(sum.div(Decimal.of(list.length)).toString());
        });
      }),
      { seed: 11, numRuns: 200 },
    );
  });

  it('is shared by sum and avg of one argument, apart by filter and distinct, null without values', async () => {
    const engine = await openEngine();
    const sql = `select g, sum(v), avg(v), sum(v) filter (where v > 5), sum(distinct v % 3), sum(v + 1e20), sum(nothing), avg(nothing)
      from (select i % 40 as g, i / 10.0 as v, null::numeric as nothing from generate_series(1, 200) i) s group by g order by g limit 1`;
    for (const backEnd of ['generated', 'closures'] as const) {
      const { rows } = runQuery(engine, engine.session(), sql, { backEnd });
      // As PostgreSQL answers.
      expect(rows[0]?.map(String).join('|')).toBe(
        '0|60.0000000000000000|12.0000000000000000|56.0000000000000000|3.0000000000000000|500000000000000000060.0000000000000000|null|null',
      );
    }
    await engine.close();
  });
});
