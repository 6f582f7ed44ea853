/**
 * EXPLAIN (ANALYZE, BUFFERS) inside of subqueries, common tables, lateral sides and recursions: each node tells its own time, reads
 * and spills, and what is told at the root counts nothing twice.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Database, open } from '../src/index.js';

interface Plan {
  readonly 'Node Type': string;
  readonly 'Subplan Name'?: string;
  readonly 'Shared Hit Blocks': number;
  readonly 'Shared Read Blocks': number;
  readonly 'Actual Total Time'?: number;
  readonly 'Actual Loops'?: number;
  readonly 'Disk Usage'?: number;
  readonly Plans?: readonly Plan[];
}

/** By name: a statement, and how often the node runs that reads `u` inside of a subquery of it. */
const STATEMENTS: Readonly<Record<string, readonly [sql: string, loops: number]>> = {
  'a value, once': ['select count(*) from t where a < (select max(v) from u)', 1],
  'a value, each row': ['select id, (select max(v) from u where t_id = t.id or v = t.id) from t where id < 4', 3],
  'a value, each key': ['select (select max(v) from u where u.t_id = t.a limit 1) from t', 7],
  'members, once': ['select id from t where a = 3 or id in (select v from u where v % 5 = 1)', 1],
  'existence, each row': [
    'select id from t where id < 4 and (a = 9 or exists (select from u where v > t.id and t_id < 0))',
    3,
  ],
  'inside of another': ['select (select max(a) from t where id < (select count(*) from u))', 1],
  'a common table': [
    'with w as materialized (select t_id, max(v) as m from u group by t_id) select count(*) from w',
    1,
  ],
  'a recursion': [
    'with recursive r (i) as (select 1 union all select (select min(v) from u where v > r.i) from r where i < 5) select * from r',
    4,
  ],
  'a lateral side': [
    'select x.v from t, lateral (select v from u where u.t_id < t.id order by v limit 1) x where id < 5',
    4,
  ],
  'an update': ['update t set a = (select count(*) from u where u.v < t.id) where id < 4', 3],
  'a column index': ['select count(*) from c where v < (select max(v) from u)', 1],
};

let directory: string;
let db: Database;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'phantom-explained-'));
  const made = await open(directory, { durability: 'memory' });
  made.exec(`
    create table t (id int primary key, a int);
    create table u (id int primary key, t_id int, v int, note text);
    create table c (id int primary key, v int);
    insert into t select i, i % 7 from generate_series(1, 40) i;
    insert into u select i, i % 20, i, repeat('x', 100) from generate_series(1, 1500) i;
    insert into c select i, i from generate_series(1, 3000) i;
    create index c_columns on c using column (id, v);
    analyze
  `);
  await made.checkpoint();
  await made.close();
  db = await open(directory, { durability: 'memory', memoryLimitBytes: 200_000 });
});

afterAll(async () => {
  await db.close();
  await rm(directory, { recursive: true });
});

function explain(sql: string, options = 'buffers'): Plan & { readonly Plan: Plan } {
  const rows = db
    .prepare<{ 'QUERY PLAN': (Plan & { readonly Plan: Plan })[] }>(`explain (analyze, format json, ${options}) ${sql}`)
    .all();
  const [whole] = rows[0]?.['QUERY PLAN'] ?? [];
  if (whole === undefined) throw new Error('EXPLAIN has told nothing');
  return whole;
}

const below = (plan: Plan): Plan[] => (plan.Plans ?? []).flatMap((child) => [child, ...below(child)]);
const pages = (plan: Plan): number => plan['Shared Hit Blocks'] + plan['Shared Read Blocks'];
const sumOfPages = (plans: readonly Plan[]): number => plans.reduce((sum, plan) => sum + pages(plan), 0);
/** Read before the first task and after the last. */
const PAGES_OUTSIDE_MAX = 3;

describe('EXPLAIN ANALYZE of what runs inside of a statement', () => {
  it.each(Object.entries(STATEMENTS))('tells of each part: %s', (_, [sql, loops]) => {
    const whole = explain(sql);
    const all = [whole.Plan, ...below(whole.Plan)];
    const inside = all.filter((plan) => plan['Node Type'].endsWith(' on u'));
    expect(inside).toHaveLength(1);
    const [read] = inside as [Plan];
    expect(read['Actual Loops']).toBe(loops);
    expect(read['Actual Total Time']).toBeGreaterThan(0);
    expect(pages(read)).toBeGreaterThan(0);
    // What is told at a node is of it and of all below it, once each.
    for (const plan of all) expect(pages(plan)).toBeGreaterThanOrEqual(sumOfPages(plan.Plans ?? []));
    expect(pages(whole.Plan)).toBeLessThanOrEqual(pages(whole));
    expect(pages(whole.Plan)).toBeGreaterThanOrEqual(pages(whole) - PAGES_OUTSIDE_MAX);
  });

  it('tells no times where none are wanted, and all else', () => {
    const [sql] = STATEMENTS['a value, each row'] as readonly [string, number];
    const all = below(explain(sql, 'buffers, timing off').Plan);
    expect(all.length).toBeGreaterThan(0);
    for (const plan of all) {
      expect(plan).not.toHaveProperty('Actual Total Time');
      expect(pages(plan)).toBeGreaterThan(0);
    }
    const lines = db.prepare<Record<string, string>>(`explain (analyze, buffers, timing off, costs off) ${sql}`).all();
    const text = lines.map((line) => line['QUERY PLAN']).join('\n');
    expect(text).not.toContain('time=');
    expect(text).toMatch(
      /SubPlan 1[^]*->  Aggregate [^]*Buffers: shared hit=\d+\n +->  Seq Scan on u [^]*Buffers: shared/,
    );
  });

  it('tells a spill where it was, and above', () => {
    const sql = `select (select string_agg(note, '' order by id desc) from
      (select id, note || repeat('y', 200) as note from u order by note, id desc offset 0) x where id < t.id) is null
      from t where id < 3`;
    const root = explain(sql).Plan;
    const [sort] = below(root).filter((plan) => plan['Node Type'] === 'Sort') as [Plan];
    expect(sort['Actual Loops']).toBe(2);
    expect(sort['Disk Usage']).toBeGreaterThan(100);
    expect(root['Disk Usage']).toBe(sort['Disk Usage']);
    expect(below(root).find((plan) => plan['Node Type'].endsWith(' on u'))).toHaveProperty('Disk Usage');
  });

  it('tells which operator of a statement a subquery between two of its tasks belongs to', () => {
    // The subquery of the join's condition runs once, before the task in which the rows of the scan flow.
    const sql = 'select count(*) from t left join u on u.t_id = t.id and u.v + t.a < (select max(v) from c)';
    const root = explain(sql).Plan;
    const all = below(root);
    const [c] = all.filter((plan) => plan['Node Type'].endsWith(' on c')) as [Plan];
    const [t] = all.filter((plan) => plan['Node Type'].endsWith(' on t')) as [Plan];
    expect(pages(c)).toBeGreaterThan(0);
    expect(t['Actual Total Time']).toBeGreaterThan(0);
    expect(pages(root)).toBeGreaterThanOrEqual(pages(c) + pages(t));
  });
});
