/** `npm run bench [-- --quick]`: work counters, then time, with the peers in the same run. */
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { machineLine, syncFloor } from './machine.mjs';
import { sqlBasics } from './suites/sql-basics.mjs';

const quick = process.argv.includes('--quick');
const directory = process.env['PHANTOM_BENCH_DIR'] ?? tmpdir();
const floor = syncFloor(directory);
console.log(machineLine());
console.log(`fsync floor: p50 ${floor.p50.toFixed(0)} us, p95 ${floor.p95.toFixed(0)} us`);

await sqlBasics({
  rows: quick ? 100_000 : 1_000_000,
  lookups: quick ? 100_000 : 300_000,
  inserts: quick ? 50_000 : 500_000,
  commits: quick ? 4_000 : 20_000,
  rounds: quick ? 3 : 5,
  directory,
});

console.log('');
execFileSync(process.execPath, [fileURLToPath(new URL('../../../packages/sql/bench/parser.mjs', import.meta.url))], {
  stdio: 'inherit',
});
