/**
 * Aggregations that are divided in partitions against the same in one piece: equal to the last bit, whatever is aggregated, on both
 * back ends, with every rule and way switched off, and with memory for a fraction of the groups.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SqlSession } from '../../src/index.js';
import { RULES } from '../../src/plan/rules/rules.js';
import { WAYS } from '../../src/plan/physical/ways.js';
import { openEngine, type TestEngine } from '../support/engine.js';
import { MemoryScratch } from '../support/memory-scratch.js';
import { type RunOptions, answerLines, errorLines, planQuery, runQuery, runStatement } from './answers.js';

const SEED = Number(process.env['PHANTOM_FUZZ_SEED'] ?? 20_261_122);
const RUNS = Number(process.env['PHANTOM_FUZZ_RUNS'] ?? 25);
/** So many that a key of which nothing is known is divided. */
const ROWS = 6_600;
/** Less than the wider of the queries keep. */
const LIMIT_BYTES = 120_000;

const DIVISION = 'partial aggregation';
const NAMES = [...RULES.map((rule) => rule.name), ...WAYS].filter((name) => name !== DIVISION);

let engine: TestEngine;
let session: SqlSession;

async function execute(sql: string): Promise<void> {
  expect((await runStatement(session, sql)).join()).not.toContain('ERROR');
}

beforeAll(async () => {
  engine = await openEngine();
  session = engine.session();
  const columns =
    'id int primary key, g int, s text, n numeric(12, 3), f float8, r real, b bigint, d date, ok boolean, i interval';
  const values = `i, nullif(i * 7 % 6, 5), repeat('text ', 20) || i * 31 % 30, nullif(i * 13 % 1009, 7) / 8.0,
    case when i % 701 = 5 then 'NaN' when i % 13 = 0 then null else sin(i) * 10.0::float8 ^ (i % 40 - 20) end, 1 / (i::real), i * 900719925474099,
    date '2020-01-01' + i * 17 % 700, nullif(i % 3, 2) = 1, i * interval '1 minute'`;
  for (const table of ['plain', 'keyed', 'columnar']) {
    await execute(`create table ${table} (${columns})`);
    await execute(`insert into ${table} select ${values} from generate_series(1, ${ROWS}) i`);
  }
  await execute('create index on keyed (g, n) include (f)');
  await execute('create index on columnar using column (id, g, s, n, f, r, b, d, ok) with (segment_rows = 200)');
  // Behind its column index, some rows are new and some are gone.
  await execute("update columnar set f = f * 3, s = 'new' where id % 97 = 0");
  await execute('delete from columnar where id between 640 and 690');
  await execute('analyze');
  await execute('set parallel_setup_cost = 0');
});
afterAll(() => engine.close());

const call = fc.oneof(
  fc.constant('count(*)'),
  fc
    .tuple(
      fc.constantFrom('sum', 'avg', 'min', 'max', 'count'),
      fc.constantFrom('id', 'n', 'f', 'r', 'b', 'f * n::float8', 'n * 2 - id', 'case when ok then f end', 'g'),
    )
    .map(([name, argument]) => `${name}(${argument})`),
  fc.constantFrom('min(s)', 'max(d)', 'bool_and(ok)', 'every(id > 0)', 'bit_or(id)', 'bit_xor(b)', 'max(s || d)'),
);
const condition = fc.constantFrom(
  'true',
  'g > 1',
  'f < 1',
  'n is not null',
  'id between 300 and 6200',
  "s like '%1%'",
  'ok',
  'id < 0',
);
const query = fc
  .record({
    table: fc.constantFrom('plain', 'keyed', 'columnar'),
    calls: fc.array(fc.tuple(call, fc.option(condition, { nil: undefined })), { minLength: 1, maxLength: 4 }),
    keys: fc.uniqueArray(
      fc.constantFrom('g', 's', 'ok', 'id % 5', 'extract(year from d)', "repeat('k', 90) || id / 5"),
      { maxLength: 2 },
    ),
    where: condition,
    having: fc.constantFrom('', ' having count(*) > 20', ' having sum(f) > 0'),
  })
  .map(({ table, calls, keys, where, having }) => {
    const items = [
      ...keys,
      ...calls.map(([name, filter]) => (filter === undefined ? name : `${name} filter (where ${filter})`)),
    ];
    const group = keys.length === 0 ? '' : ` group by ${keys.join(', ')}`;
    return `select ${items.join(', ')} from ${table} where ${where}${group}${having}`;
  });

/** An answer as text, rows in an order of their own: that of groups follows the scan. */
function answer(sql: string, options: RunOptions): string[] {
  try {
    const [head, ...lines] = answerLines(session, runQuery(engine, session, sql, options));
    return [head as string, ...lines.toSorted()];
  } catch (error) {
    return errorLines(error);
  }
}

describe('aggregations in partitions', () => {
  it('answer as those in one piece do', () => {
    let divided = 0;
    let spilled = 0;
    const off = (...names: string[]): RunOptions => ({ withoutRules: new Set(names) });
    fc.assert(
      fc.property(query, fc.constantFrom(...NAMES), (sql, name) => {
        if (planQuery(session, sql).partitioned !== undefined) divided++;
        const expected = answer(sql, { ...off(DIVISION), backEnd: 'closures' });
        const scratch = new MemoryScratch();
        const runs: Record<string, RunOptions> = {
          generated: { backEnd: 'generated' },
          closures: { backEnd: 'closures' },
          whole: { ...off(DIVISION), backEnd: 'generated' },
          [`without ${name}`]: off(name),
          'little memory': { memoryLimitBytes: LIMIT_BYTES, scratch },
        };
        for (const [how, options] of Object.entries(runs))
          expect([sql, how, answer(sql, options)]).toEqual([sql, how, expected]);
        expect(scratch).toMatchObject({ open: 0, bytesInUse: 0 });
        if (scratch.made.length > 0) spilled++;
      }),
      { seed: SEED, numRuns: RUNS },
    );
    expect(divided).toBeGreaterThan(RUNS / 4);
    expect(spilled).toBeGreaterThan(0);
  });
});
