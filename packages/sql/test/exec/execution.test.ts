/** How executions behave: slices, pauses, limits of memory, counters, and which back end runs. */
import { MemoryBudget } from '@phantom/base';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SqlSession } from '../../src/index.js';
import { PAUSE, type RowBatch, type RowSink, TimeSlice, newWorkCounters } from '../../src/exec/runtime.js';
import { openEngine, type TestEngine } from '../support/engine.js';
import { planQuery, readContext, runPlan, runQuery, runStatement } from './answers.js';

let engine: TestEngine;
let session: SqlSession;

beforeAll(async () => {
  engine = await openEngine();
  session = engine.session();
  await runStatement(session, 'create table n (id int primary key, k int, s text)');
  await runStatement(session, "insert into n select x, x % 10, 'row ' || x from generate_series(1, 2000) x");
});
afterAll(() => engine.close());

/** A sink that wants so many rows at a time and pauses after each batch. */
class PausingSink implements RowSink {
  readonly batchRowsMax: number;
  readonly sizes: number[] = [];

  constructor(batchRowsMax: number) {
    this.batchRowsMax = batchRowsMax;
  }

  rows(batch: RowBatch): boolean {
    this.sizes.push(batch.count);
    return true;
  }
}

describe('executions', () => {
  it('hand over as many rows as the sink wants, and rest when it says so', () => {
    for (const backEnd of ['generated', 'closures'] as const) {
      const sink = new PausingSink(30);
      const execution = planQuery(session, 'select id from n where id <= 100', { backEnd }).execute(
        readContext(engine, session),
        sink,
      );
      const yielded: unknown[] = [];
      let step = execution.next();
      for (; step.done !== true; step = execution.next()) yielded.push(step.value);
      expect(sink.sizes).toEqual([30, 30, 30, 10]);
      expect(yielded).toEqual([PAUSE, PAUSE, PAUSE, PAUSE]);
      expect(step.value).toBe(100);
    }
  });

  it('look at the clock the more often the longer a row takes, and read the same', async () => {
    for (const table of ['paced', 'columns_paced']) {
      await runStatement(session, `create table ${table} (id int primary key, s text)`);
      await runStatement(session, `insert into ${table} select i, 'a' || i from generate_series(1, 4000) i`);
    }
    await runStatement(session, 'create index on columns_paced using column (id, s)');
    const texts = [
      "select count(*) from paced where s <> ''",
      "select id from paced where s like '%99' limit 12",
      // From a buffer, and from a column index.
      "select count(*) from (select s from paced offset 0) x where s <> ''",
      'select min(s) from columns_paced where id <> 7',
    ];
    for (const text of texts) {
      const plan = planQuery(session, text);
      const scanned = new Set<number>();
      const looks = (stepMs: number): number => {
        let now = 0;
        let count = 0;
        const slice = new TimeSlice({ nowMs: () => now, monotonicMs: () => (count++, (now += stepMs)) }, 5);
        const context = { ...readContext(engine, session), slice };
        const execution = plan.execute(context, { batchRowsMax: 10, rows: () => false });
        for (let step = execution.next(); step.done !== true; step = execution.next()) slice.restart();
        scanned.add(context.counters.rowsScanned);
        return count;
      };
      const first = looks(0.1);
      const cheap = looks(0.1);
      // It begins with few rows: nobody knows yet what they cost.
      expect(cheap, text).toBeLessThanOrEqual(first);
      expect(cheap, text).toBeLessThan(40);
      expect(looks(10), text).toBeGreaterThan(500);
      // What it has found out lasts, until rows are found to cost less.
      expect(looks(0.1), text).toBeGreaterThan(cheap);
      expect(looks(0.1), text).toBe(cheap);
      expect(scanned.size, text).toBe(1);
    }
  });

  it('give way when the time slice is over, wherever they are', () => {
    const queries = [
      'select count(*) from n a, n b where a.id + b.id = 3',
      'select sum(x) from generate_series(1, 20000) x',
      'select count(*) from n where (select count(*) from n m where m.k > n.k and m.id < 300) > 1 and id < 50',
      'select max(r) from (select row_number() over (order by s) r from n) x',
      // One row of the step's source is all there is: its loops give way themselves.
      'select count(*) from (values (1)) v, n a, n b where a.id <= 200 and b.id <= 200 and a.id + b.id = 3',
      'select count(*) from (select generate_series(1, 20000)) x',
      'with recursive r(x) as (select 1 union all select x + 1 from r where x < 50) select count(*) from r',
    ];
    for (const sql of queries) {
      // A clock that moves with every look: each question finds the slice over.
      let now = 0;
      const slice = new TimeSlice({ nowMs: () => now, monotonicMs: () => (now += 10) }, 5);
      const execution = planQuery(session, sql).execute(
        { ...readContext(engine, session), slice },
        new PausingSink(100),
      );
      let slices = 0;
      for (let step = execution.next(); step.done !== true; step = execution.next()) {
        if (step.value === undefined) {
          slices++;
          slice.restart();
        }
      }
      expect(slices, sql).toBeGreaterThan(0);
    }
  });

  it('end in the middle without a trace', () => {
    const execution = planQuery(session, 'select id from n').execute(readContext(engine, session), new PausingSink(10));
    expect(execution.next().value).toBe(PAUSE);
    expect(execution.return(0)).toEqual({ done: true, value: 0 });
  });

  it('stop at the limit of memory with 53200', () => {
    const queries = [
      'select * from n order by s',
      'select s, count(*) from n group by s',
      'select distinct s from n',
      'select count(*) from n a join n b on a.s = b.s',
      'select s, row_number() over (order by s) from n',
      'select s from n intersect select s from n',
      'with w as materialized (select * from n) select count(*), max(s) from w',
      'select array_agg(s order by s) from n',
    ];
    for (const sql of queries) {
      expect(() => runQuery(engine, session, sql, { memoryLimitBytes: 20_000 }), sql).toThrow(
        expect.objectContaining({ code: '53200' }),
      );
      expect(runQuery(engine, session, sql).rows.length).toBeGreaterThan(0);
    }
  });

  it('keep only the rows a limit wants in memory', () => {
    const answer = runQuery(engine, session, 'select id from n order by s desc, id limit 5', {
      memoryLimitBytes: 400_000,
    });
    expect(answer.rows.map((row) => row[0])).toEqual([999, 998, 997, 996, 995]);
    const budget = new MemoryBudget(1 << 30);
    const plan = planQuery(session, 'select x from generate_series(1, 200000) x order by x desc limit 3');
    expect(runPlan(plan, { ...readContext(engine, session), memory: budget })).toEqual([[200000], [199999], [199998]]);
    expect(budget.peakBytes).toBeLessThan(1_000_000);
  });

  it('generate code for what costs much or runs often, and closures for the rest', () => {
    const counters = newWorkCounters();
    const cheap = planQuery(session, 'select s from n where id = 5 union all select s from n where id = 6');
    const run = (): unknown => runPlan(cheap, { ...readContext(engine, session), counters });
    run();
    run();
    expect(counters.compilations).toBe(0);
    run();
    expect(counters.compilations).toBeGreaterThan(0);
    const dear = newWorkCounters();
    runPlan(planQuery(session, 'select sum(id) from n'), { ...readContext(engine, session), counters: dear });
    expect(dear.compilations).toBeGreaterThan(0);
    const none = newWorkCounters();
    runPlan(planQuery(session, 'select sum(id) from n', { backEnd: 'closures' }), {
      ...readContext(engine, session),
      counters: none,
    });
    expect(none).toMatchObject({ compilations: 0, executions: 1, rowsScanned: 2000 });
  });

  it('count lookups and rows read', () => {
    const counters = newWorkCounters();
    const plan = planQuery(session, 'select s from n where id = 5');
    expect(plan.pointLookup).toBeDefined();
    runPlan(plan, { ...readContext(engine, session), counters });
    expect(counters).toMatchObject({ lookups: 1, rowsScanned: 0 });
    runPlan(planQuery(session, 'select s from n where id between 10 and 19'), {
      ...readContext(engine, session),
      counters,
    });
    expect(counters.rowsScanned).toBe(10);
  });

  it('read the rows that a limit wants, and then more at a time', () => {
    const counters = newWorkCounters();
    const first = (sql: string): unknown[] =>
      runPlan(planQuery(session, sql), { ...readContext(engine, session), counters });
    expect(first('select id from n where id > 50 order by id limit 10 offset 2')).toHaveLength(10);
    expect(first('select id from n order by id desc limit 1')).toHaveLength(1);
    expect(counters.rowsScanned).toBe(13);
    expect(first('select id from n where id % 5 = 0 order by id limit 3')).toEqual([[5], [10], [15]]);
    expect(counters.rowsScanned).toBe(13 + 3 + 12);
  });

  it('read no more rows than the first groups of a key need', () => {
    const counters = newWorkCounters();
    const first = (sql: string): unknown[] =>
      runPlan(planQuery(session, sql), { ...readContext(engine, session), counters });
    expect(first('select id, count(*) from n group by id limit 2')).toEqual([
      [1, 1],
      [2, 1],
    ]);
    expect(first('select id, max(s) from n group by id having count(*) = 1 order by id desc limit 1')).toHaveLength(1);
    expect(counters.rowsScanned).toBeLessThan(600);
  });

  it('want every parameter', () => {
    const plan = planQuery(session, 'select $1::int + $2::int');
    expect(plan.parameterTypes.map((type) => type.oid)).toEqual([23, 23]);
    expect(runPlan(plan, readContext(engine, session, { parameters: [1, 2] }))).toEqual([[3]]);
    expect(() => runPlan(plan, readContext(engine, session, { parameters: [1] }))).toThrow(
      expect.objectContaining({ code: '42P02', message: 'there is no parameter $2' }),
    );
  });

  it('serve several executions of a plan at a time', () => {
    const plan = planQuery(session, 'select n.id, m.s from n join n m on m.id = n.k where n.id <= 60 order by n.id');
    const alone = runPlan(plan, readContext(engine, session));
    const gather = (): { readonly rows: unknown[][]; readonly execution: ReturnType<typeof plan.execute> } => {
      const rows: unknown[][] = [];
      const sink: RowSink = {
        batchRowsMax: 7,
        rows(batch) {
          for (let r = 0; r < batch.count; r++) rows.push(batch.columns.map((column) => column[r]));
          return true;
        },
      };
      return { rows, execution: plan.execute(readContext(engine, session), sink) };
    };
    const first = gather();
    const second = gather();
    for (let more = true; more;) {
      const a = first.execution.next();
      const b = second.execution.next();
      more = a.done !== true || b.done !== true;
    }
    expect(first.rows).toEqual(alone);
    expect(second.rows).toEqual(alone);
  });
});

describe('the straight road', () => {
  it('reads one row by key on both back ends', () => {
    for (const backEnd of ['generated', 'closures'] as const) {
      const plan = planQuery(session, 'select s, id + 1, $2::text from n where id = $1 and k < 5', { backEnd });
      const into: unknown[] = [];
      const run = (id: unknown): boolean | undefined =>
        plan.pointLookup?.run(engine.store.view(), [id, 'x'], session.evaluation, into);
      for (let i = 0; i < 5; i++) expect(run(12)).toBe(true);
      expect(into).toEqual(['row 12', 13, 'x']);
      expect(run(18)).toBe(false);
      expect(run(null)).toBe(false);
      expect(run(99999)).toBe(false);
    }
  });

  it('is not taken by what it cannot do', () => {
    expect(planQuery(session, 'select s from n where id > 5').pointLookup).toBeUndefined();
    expect(planQuery(session, 'select count(*) from n where id = 5').pointLookup).toBeUndefined();
    expect(planQuery(session, 'select (select 1) from n where id = 5').pointLookup).toBeUndefined();
    expect(planQuery(session, 'select s from n where s = $1').pointLookup).toBeUndefined();
  });
});
