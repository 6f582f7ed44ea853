/**
 * `npm run bench [-- SUITE...] [--quick]`: work counters, then time, with the peers in the same run. Suites: `sql` (what one
 * table or two are asked for all day), `tpch` (22 analytical queries; `--scale 0.1`, `--only columns,postgres,Q20`, with PostgreSQL's answers), `parser`,
 * `storage` (both trees against LevelDB, RocksDB, LMDB and SQLite; `--rows 1000000`, `--turns 2`, `--only lsm,classic-level,readrandom`).
 * `start`: process start to the first row, by phases (`--rows 1000000`, `--turns 9`).
 * `reopen`: the first read after kill -9 under load, as a curve over the log (`--rows 1000000`, `--turns 1`). `scale`: durable
 * commits of 256 callers, an opening with 10,000 tables, the removal of a table of 1 GB. `spill`: one transaction of 2 GiB
 * (`--rows 8000000`, `--only btree`). `documents`: collections against
 * SQLite's JSON and nedb (`--only nedb`). `transactions`: hot rows, disjoint rows, read-modify-writes against better-sqlite3 and PostgreSQL.
 * `server`: the daemon and PostgreSQL under pgbench (`--only select,tpcb`, `--turns 1`, `--profile FOLDER`; `--unix`: both by Unix sockets instead of TCP).
 * `large`: memory, disk and random gets of both trees alone and of LevelDB with `--records 10000000` (`--only lsm`, `--step load`
 * and then `--step read`). `films`: join orders of up to twelve tables, beside orders drawn at random (`--scale 1`).
 * `amplification`: what both trees write, keep and read for five workloads, and what the advisor makes of them (`--rows 200000`, `--only 'random order'`). `prices`: what the advisor's model of the engines stands on.
 */
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { machineLine, syncFloor } from './machine.mjs';
import { amplificationSuite } from './suites/amplification.mjs';
import { documentsSuite } from './suites/documents.mjs';
import { filmsSuite } from './suites/films.mjs';
import { largeSuite } from './suites/large.mjs';
import { pricesSuite } from './suites/prices.mjs';
import { reopenSuite } from './suites/reopen.mjs';
import { scaleSuite } from './suites/scale.mjs';
import { serverSuite } from './suites/server.mjs';
import { spillSuite } from './suites/spill.mjs';
import { sqlSuite } from './suites/sql.mjs';
import { startSuite } from './suites/start.mjs';
import { storageSuite } from './suites/storage.mjs';
import { tpchSuite } from './suites/tpch.mjs';
import { transactionsSuite } from './suites/transactions.mjs';

const parserBench = fileURLToPath(new URL('../../../packages/sql/bench/parser.mjs', import.meta.url));
const SUITES = {
  sql: sqlSuite,
  tpch: tpchSuite,
  films: filmsSuite,
  storage: storageSuite,
  start: startSuite,
  reopen: reopenSuite,
  large: largeSuite,
  amplification: amplificationSuite,
  prices: pricesSuite,
  scale: scaleSuite,
  spill: spillSuite,
  documents: documentsSuite,
  transactions: transactionsSuite,
  server: serverSuite,
  parser: () => execFileSync(process.execPath, [parserBench], { stdio: 'inherit' }),
};

const USAGE = `usage: npm run bench -- [SUITE...] [--quick] [--only ROW,...] [--rows N] [--records N] [--scale N] [--turns N] [--step load|read] [--profile FOLDER] [--unix]
suites: ${Object.keys(SUITES).join(', ')}; without any: sql, parser`;

const OPTIONS = {
  quick: { type: 'boolean' },
  help: { type: 'boolean' },
  scale: { type: 'string' },
  rows: { type: 'string' },
  records: { type: 'string' },
  turns: { type: 'string' },
  only: { type: 'string' },
  step: { type: 'string' },
  profile: { type: 'string' },
  unix: { type: 'boolean' },
};

function fail(message) {
  console.error(message);
  process.exit(1);
}

function readArguments() {
  // A script runner hands on the "--" before them.
  const args = process.argv.slice(2).filter((word) => word !== '--');
  try {
    return parseArgs({ args, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    return fail(`${error.message}\n${USAGE}`);
  }
}

const { values, positionals: named } = readArguments();
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const unknown = named.find((name) => !Object.hasOwn(SUITES, name));
if (unknown !== undefined) fail(`no suite ${unknown}\n${USAGE}`);
const numberOf = (option) => (values[option] === undefined ? undefined : Number(values[option]));
const { quick = false, unix = false, profile, step } = values;
const [scale, rows, records, turns] = ['scale', 'rows', 'records', 'turns'].map(numberOf);
const only = values.only?.split(',');
const directory = process.env['PHANTOM_BENCH_DIR'] ?? tmpdir();
const floor = syncFloor(directory);
console.log(machineLine());
console.log(`fsync floor: p50 ${floor.p50.toFixed(0)} us, p95 ${floor.p95.toFixed(0)} us`);
for (const name of named.length === 0 ? ['sql', 'parser'] : named)
  await SUITES[name]({ quick, scale, rows, records, turns, only, step, directory, profile, unix });
