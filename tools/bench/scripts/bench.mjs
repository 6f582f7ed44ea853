/**
 * `npm run bench [-- SUITE...] [--quick]`: work counters, then time, with the peers in the same run. Suites: `sql` (what one
 * table or two are asked for all day), `tpch` (22 analytical queries; `--scale 0.1`, with PostgreSQL's answers), `parser`.
 */
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { machineLine, syncFloor } from './machine.mjs';
import { sqlSuite } from './suites/sql.mjs';
import { tpchSuite } from './suites/tpch.mjs';

const parserBench = fileURLToPath(new URL('../../../packages/sql/bench/parser.mjs', import.meta.url));
const SUITES = {
  sql: sqlSuite,
  tpch: tpchSuite,
  parser: () => execFileSync(process.execPath, [parserBench], { stdio: 'inherit' }),
};

const args = process.argv.slice(2);
const quick = args.includes('--quick');
const scaleAt = args.indexOf('--scale');
const scale = scaleAt < 0 ? undefined : Number(args[scaleAt + 1]);
const named = args.filter((word, i) => !word.startsWith('--') && i !== scaleAt + 1);
const unknown = named.find((name) => !Object.hasOwn(SUITES, name));
if (unknown !== undefined) {
  console.error(`no suite ${unknown}; there are: ${Object.keys(SUITES).join(', ')}`);
  process.exit(1);
}
const directory = process.env['PHANTOM_BENCH_DIR'] ?? tmpdir();
const floor = syncFloor(directory);
console.log(machineLine());
console.log(`fsync floor: p50 ${floor.p50.toFixed(0)} us, p95 ${floor.p95.toFixed(0)} us`);
for (const name of named.length === 0 ? ['sql', 'parser'] : named) await SUITES[name]({ quick, scale, directory });
