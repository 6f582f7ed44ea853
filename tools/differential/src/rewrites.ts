/**
 * Queries and their rewrites: two lists of queries whose rows, put together, must be the same. After Rigger and Su:
 *
 *   ternary logic partitioning   q             =  q where p  +  q where not p  +  q where p is null
 *   no optimisation              count where p =  sum of p over all rows
 *   wrapping                     q             =  q inside of a subquery, a WITH, a set operation
 */
import type { Random } from '@phantom/base';
import type { Queries } from './queries.js';

export interface Pair {
  readonly rewrite: string;
  readonly left: readonly string[];
  readonly right: readonly string[];
}

export function makePair(random: Random, queries: Queries): Pair {
  return random.pick([partitionRows, partitionRows, partitionAggregates, countUnoptimised, wrap])(random, queries);
}

/** The three conditions of which exactly one holds for every row. */
function thirds(condition: string): string[] {
  return [condition, `not (${condition})`, `(${condition}) is null`];
}

function partitionRows(random: Random, queries: Queries): Pair {
  const { sql, columns } = queries.from();
  const list = queries.list(columns).map((value, i) => `${value.sql} as c${i}`);
  const condition = queries.condition(columns);
  const distinct = random.chance(0.2);
  const body = `select ${distinct ? 'distinct ' : ''}${list.join(', ')} from ${sql}`;
  const parts = thirds(condition).map((third) => `${body} where ${third}`);
  const right = distinct ? [parts.map((part) => `(${part})`).join(' union ')] : parts;
  return { rewrite: 'partition of rows', left: [body], right };
}

function partitionAggregates(_random: Random, queries: Queries): Pair {
  const { sql, columns } = queries.from();
  const number = queries.value('int', columns);
  const text = queries.value('text', columns);
  const list = `count(*) as c0, count(${text}) as c1, sum(${number}) as c2, min(${text}) as c3, max(${number}) as c4`;
  const body = `select ${list} from ${sql}`;
  const parts = thirds(queries.condition(columns)).map((third) => `${body} where ${third}`);
  const together =
    `select sum(c0)::bigint as c0, sum(c1)::bigint as c1, sum(c2)::bigint as c2, min(c3) as c3, max(c4) as c4 ` +
    `from (${parts.join(' union all ')}) parts`;
  return { rewrite: 'partition of aggregates', left: [body], right: [together] };
}

function countUnoptimised(_random: Random, queries: Queries): Pair {
  const { sql, columns } = queries.from();
  const condition = queries.condition(columns);
  return {
    rewrite: 'no optimisation',
    left: [`select count(*) as c0 from ${sql} where ${condition}`],
    right: [`select coalesce(sum(case when ${condition} then 1 else 0 end), 0) as c0 from ${sql}`],
  };
}

function wrap(random: Random, queries: Queries): Pair {
  const query = queries.query();
  const wrapped = random.pick([
    `select * from (${query}) w`,
    `select * from (select * from (${query}) x offset 0) w`,
    `with w as materialized (${query}) select * from w`,
    `with w as not materialized (${query}) select * from w`,
    `(${query}) union all (select * from (${query}) w where false)`,
    `select w.* from (values (1), (2)) one (n) join lateral (${query}) w on one.n = 1`,
  ]);
  return { rewrite: 'wrapping', left: [query], right: [wrapped] };
}
