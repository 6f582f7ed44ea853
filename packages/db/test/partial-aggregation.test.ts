/** Aggregation in parts: the same answers with any number of threads, and with threads that die. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Database, type DatabaseOptions, open } from '../src/index.js';

const ROWS = 20_000;
const directory = mkdtempSync(join(tmpdir(), 'phantom-parts-'));
let db: Database;

function start(options: DatabaseOptions = {}): Promise<Database> {
  return open(directory, { durability: 'memory', queryWorkersMax: 2, ...options });
}

beforeAll(async () => {
  db = await start();
  db.exec(`create table item (id int primary key, g int, name text, price numeric(10, 2), weight float8, big bigint, flag bool);
    create table line (id int primary key, g int, w float8) with (engine = lsm);
    create table wide (id int primary key, g int, v numeric(8, 2), f float8);
    alter database phantom set parallel_setup_cost = 0`);
  await db.query(`insert into item select i, i % 10, 'item ' || i % 37, nullif(i % 100, 7) / 100.0, sqrt(i), i * 1000000000000::bigint, i % 3 = 0
    from generate_series(1, ${ROWS}) i`);
  await db.query(`insert into line select i, i % 100, ln(i) from generate_series(1, ${ROWS}) i`);
  await db.query(`insert into wide select i, i % 8, i / 4.0, sqrt(i) from generate_series(1, ${ROWS}) i`);
  db.exec('create index wide_columns on wide using column (id, g, v, f) with (segment_rows = 1000)');
  db.exec('delete from wide where id between 2950 and 3050; update wide set v = 0 where id in (1, 7000, 20000)');
  db.exec('analyze');
  // What is set for a database holds for sessions that begin from then on.
  await db.close();
  db = await start();
});

afterAll(async () => {
  await db.close();
  rmSync(directory, { recursive: true });
});

const TEXTS = [
  'select g, count(*), count(price), sum(id), sum(price), sum(big), avg(id), avg(price), avg(big), min(name), max(price) from item group by g',
  'select sum(weight), avg(weight), min(weight), sum(weight::float4), bool_and(flag), bool_or(flag), bit_xor(id) from item',
  'select name, sum(weight) filter (where flag) as s, count(*) filter (where g = 3) from item where id between 2000 and 15000 group by name order by s desc',
  'select g % 5 as h, sum(w), avg(w), count(*) from line group by 1 having count(*) > 10',
  'select count(*), sum(id), avg(weight) from item where id < 0',
  'select g from item where price > 0.5 group by g limit 3',
  'select count(*), sum(f), avg(v), sum(v * 2) from wide where id > 2990',
  'select g, count(*), sum(f), max(id) from wide group by g order by g',
];

const SEED = Number(process.env['PHANTOM_FUZZ_SEED'] ?? 20_261_123);
const RUNS = Number(process.env['PHANTOM_FUZZ_RUNS'] ?? 20);

/** Aggregations of tables in a tree, in sorted runs and in columns. */
const aggregation = fc
  .record({
    table: fc.constantFrom('item', 'line', 'wide'),
    functions: fc.array(fc.constantFrom('sum', 'avg', 'min', 'max', 'count'), { minLength: 1, maxLength: 4 }),
    arguments: fc.array(fc.constantFrom('id', 'g', 'FLOAT', 'FLOAT::float4', 'FLOAT * g', 'g - id * 2'), {
      minLength: 4,
      maxLength: 4,
    }),
    filter: fc.constantFrom('', ' filter (where id % 3 = 0)', ' filter (where FLOAT > 4)'),
    where: fc.constantFrom('true', 'id > 4000', 'FLOAT < 90', 'g in (1, 2, 5) and id <> 77'),
    keys: fc.constantFrom('', 'g', 'id % 50', 'g, FLOAT > 3', "'group ' || id / 1000"),
  })
  .map(({ table, functions, arguments: args, filter, where, keys }) => {
    const calls = functions.map((name, i) => `${name}(${args[i]})${i === 0 ? filter : ''}`).join(', ');
    const groups = keys === '' ? ['', ''] : [`${keys}, `, ` group by ${keys}`];
    const text = `select ${groups[0]}${calls} from ${table} where ${where}${groups[1]}`;
    return text.replaceAll('FLOAT', { item: 'weight', line: 'w', wide: 'f' }[table]);
  });

/** Rows as they come, and how many other threads took part, of at most so many. */
async function run(text: string, threadsMax: number, leads = 'off'): Promise<{ rows: unknown[]; threads: number }> {
  return db.transaction(async (tx) => {
    const set = (name: string, value: string): Promise<unknown> =>
      tx.query('select set_config($1, $2, true)', [name, value]);
    await set('max_parallel_workers_per_gather', String(threadsMax));
    await set('parallel_leader_participation', leads);
    const before = db.stats().work.remoteExecutions;
    const { rows } = await tx.query(text);
    return { rows, threads: db.stats().work.remoteExecutions - before };
  });
}

async function plan(text: string): Promise<string> {
  const { rows } = await db.query(`explain (costs off) ${text}`);
  return rows.map((row) => Object.values(row as object)[0]).join('\n');
}

describe('aggregation in parts', () => {
  it('answers alike with 0, 1 and 2 other threads, to the last bit and in the same order', async () => {
    for (const text of TEXTS) {
      expect([text, await plan(text)]).toEqual([text, expect.stringMatching(/Finalize[^]*Gather[^]*Partial/)]);
      const alone = db.prepare(text).all();
      for (const threads of [0, 1, 2]) {
        // What has one partition only is nobody else's.
        const expected = { rows: alone, threads: text.includes('id < 0') ? 0 : threads };
        expect([text, await run(text, threads)]).toEqual([text, expected]);
      }
      expect([text, (await run(text, 2, 'on')).rows]).toEqual([text, alone]);
    }
  });

  it('answers alike whatever is aggregated', async () => {
    let divided = 0;
    await fc.assert(
      fc.asyncProperty(aggregation, fc.constantFrom('on', 'off'), async (text, leads) => {
        const alone = db.prepare(text).all();
        expect([text, (await run(text, 1, leads)).rows]).toEqual([text, alone]);
        const two = await run(text, 2, leads);
        expect([text, two.rows]).toEqual([text, alone]);
        if (two.threads === 2) divided++;
      }),
      { seed: SEED, numRuns: RUNS },
    );
    expect(divided).toBeGreaterThan(RUNS / 4);
  });

  it('sums floats to the same bits as the plan that is not divided, and as before files were merged', async () => {
    db.exec('create table f (id int primary key, g int, x float8, y float4)');
    await db.query(
      `insert into f select i, i % 7, sin(i) * 10.0::float8 ^ (i % 60 - 30), 1 / (i::float4) from generate_series(1, 6000) i`,
    );
    db.exec('analyze f');
    const text = 'select g, sum(x), avg(x), sum(y), avg(y), sum(x) filter (where id > 10) from f group by g order by g';
    expect(await plan(text)).toContain('Gather');
    const whole = await db.transaction(async (tx) => {
      await tx.query('set local parallel_setup_cost = 1e12');
      expect(JSON.stringify((await tx.query(`explain ${text}`)).rows)).not.toContain('Gather');
      return (await tx.query(text)).rows;
    });
    for (const threads of [0, 2]) {
      expect((await run(text, threads)).rows).toEqual(whole);
      await db.checkpoint();
      db.exec('update f set x = x');
    }
    expect(db.prepare(text).all()).toEqual(whole);
  });

  it('is done by this thread alone where others would not see the same', async () => {
    const text = 'select count(*)::int as n, sum(id)::int as s from item';
    const [before] = db.prepare(text).all() as { n: number; s: number }[];
    await db.transaction(async (tx) => {
      await tx.query('insert into item (id) values (-5)');
      const threads = db.stats().work.remoteExecutions;
      expect((await tx.query(text)).rows).toEqual([{ n: before!.n + 1, s: before!.s - 5 }]);
      expect(db.stats().work.remoteExecutions).toBe(threads);
      await tx.query('delete from item where id = -5');
    });
  });

  it('stays whole where the whole does not follow from the parts', async () => {
    const texts = [
      'select count(distinct g) from item',
      "select string_agg(name, ',' order by id) from item",
      'select g, sum(id) from item group by rollup (g)',
      'select id, count(*) from item group by id',
      'select avg(weight::float4), stddev(id) from item',
      'select count(*) from item where g in (select g from line)',
      'select sum(random()) from item',
    ];
    for (const text of texts) expect([text, await plan(text)]).toEqual([text, expect.not.stringContaining('Gather')]);
  });

  it('tells the error of a partition, whoever runs it', async () => {
    const text = 'select sum(1 / (id - 19999)) from item';
    for (const threads of [0, 2]) await expect(run(text, threads)).rejects.toMatchObject({ code: '22012' });
    expect((await run('select count(*) from item', 1)).rows).toEqual([{ count: ROWS }]);
  });

  it('ends at once when it is cancelled', async () => {
    const stop = new AbortController();
    const running = db.query('select sum(length(repeat(name, 2000))) from item', [], { signal: stop.signal });
    setTimeout(() => stop.abort(), 20);
    await expect(running).rejects.toMatchObject({ code: '57014' });
    await expect.poll(() => db.stats().store.openViews, { timeout: 10_000 }).toBe(0);
  });

  it('tells in EXPLAIN ANALYZE what all threads have done', async () => {
    const text = 'explain (analyze, timing off, costs off) select g, count(*) from item where id > 0 group by g';
    for (const threads of [0, 2]) {
      const { rows } = await run(text, threads);
      const lines = rows.map((row) => Object.values(row as object)[0] as string);
      const plan = lines.slice(
        0,
        lines.findIndex((line) => line.startsWith('Peak Memory')),
      );
      expect(plan.join('\n')).toBe(`Finalize HashAggregate (actual rows=10 loops=1)
  Group Key: g
  ->  Gather (actual rows=40 loops=1)
        Partitions: 4
        Workers Planned: ${threads}
        Workers Launched: ${threads}
        ->  Partial HashAggregate (actual rows=10 loops=4)
              Group Key: g
              ->  Index Scan using item_pkey on item (actual rows=5000 loops=4)
                    Index Cond: (id > 0)`);
    }
  });

  it('tells in EXPLAIN what was read, by whom, and how long each part took', async () => {
    interface Plan {
      readonly 'Node Type': string;
      readonly 'Shared Hit Blocks': number;
      readonly 'Shared Read Blocks': number;
      readonly 'Shared Read Bytes': number;
      readonly 'Actual Total Time': number;
      readonly 'Actual Rows': number;
      readonly 'Actual Loops': number;
      readonly 'Disk Usage'?: number;
      readonly Workers?: readonly Plan[];
      readonly Plans?: readonly Plan[];
    }
    const pages = (plan: Plan): number => plan['Shared Hit Blocks'] + plan['Shared Read Blocks'];
    const explain = async (threads: number, leads: string): Promise<Plan[]> => {
      const text =
        'explain (analyze, buffers, verbose, format json) select g, count(*) from wide where f > 3 group by g';
      const { rows } = await run(text, threads, leads);
      const [whole] = Object.values(rows[0] as object)[0] as [{ readonly Plan: Plan } & Plan];
      const down = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(down)];
      return [whole, ...down(whole.Plan)];
    };
    await db.checkpoint();
    for (const [threads, leads] of [
      [0, 'on'],
      [2, 'off'],
      [2, 'on'],
    ] as const) {
      const [whole, final, gather, partial, scan] = (await explain(threads, leads)) as [Plan, Plan, Plan, Plan, Plan];
      expect([final, gather, partial, scan].map((plan) => plan['Node Type'])).toEqual([
        'Finalize HashAggregate',
        'Gather',
        'Partial HashAggregate',
        'Column Scan using wide_columns on wide',
      ]);
      // Each tells of itself and what is below it; planning and cutting read a little more.
      for (const plan of [final, gather, partial, scan]) expect(plan['Actual Total Time']).toBeGreaterThan(0);
      expect(pages(whole)).toBeGreaterThanOrEqual(pages(final));
      expect(pages(final)).toBeGreaterThanOrEqual(pages(gather));
      expect(pages(gather)).toBeGreaterThanOrEqual(pages(scan));
      expect(pages(scan)).toBe(pages(partial));
      expect(pages(scan)).toBeGreaterThan(0);
      if (threads === 0) {
        expect(scan.Workers).toBeUndefined();
        continue;
      }
      const workers = scan.Workers ?? [];
      expect(workers).toHaveLength(threads);
      const share = (of: (plan: Plan) => number): number => workers.reduce((sum, plan) => sum + of(plan), 0);
      expect(share((plan) => plan['Actual Loops'])).toBeLessThanOrEqual(scan['Actual Loops']);
      if (leads === 'on') continue;
      expect(share((plan) => plan['Actual Loops'])).toBe(scan['Actual Loops']);
      expect(share(pages)).toBe(pages(scan));
    }
    const { rows } = await run(
      'explain (analyze, buffers, verbose, costs off) select g, count(*) from wide where f > 3 group by g',
      2,
    );
    const lines = rows.map((row) => Object.values(row as object)[0]).join('\n');
    expect(lines).toMatch(
      /->  Column Scan[^]*Buffers: shared hit=\d+[^]*Worker 0:  actual time=[\d.]+ rows=\d+ loops=\d+/,
    );
  });

  it('outlives threads that die in the middle of it', async () => {
    const { workers } = (db as unknown as { readonly parts: { readonly workers: { readonly workers: Reader[] } } })
      .parts.workers;
    const text = 'select g, sum(length(repeat(name, 500))), sum(weight) from item group by g';
    const { rows } = await run(text, 0);
    for (let round = 0; round < 3; round++) {
      const running = run(text, 2);
      await expect.poll(() => workers.some(({ reading }) => reading !== undefined), { interval: 1 }).toBe(true);
      await new Promise((resolve) => setTimeout(resolve, round * 16));
      // Each of them alone, then both.
      for (const { thread } of workers.filter((_, i) => i === round % 3 || round % 3 === 2)) await thread.terminate();
      expect((await running).rows).toEqual(rows);
    }
    // Others have taken their places, and what the dead held is given back.
    expect(await run(text, 2)).toEqual({ rows, threads: 2 });
    await expect.poll(() => db.stats().store.openViews, { timeout: 10_000 }).toBe(0);
  });
});

interface Reader {
  readonly thread: { terminate(): Promise<void> };
  readonly reading: unknown;
}
