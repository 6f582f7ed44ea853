/**
 * From the start of a process to the first row of a table of a million, by phases: Node itself, the import, `open()`, the first
 * query by primary key. Processes one after another, an empty one of Node before each; medians, and the CPU time of the process. ESM,
 * CommonJS and, where this Node has one, both with what V8 compiled kept on disk (`module.enableCompileCache`).
 * `--rows 1000000`, `--turns 9`. Target: 150 ms.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import module, { createRequire } from 'node:module';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { median } from '../contest.mjs';

const SELF = fileURLToPath(import.meta.url);
const PHASES = ['node', 'import', 'open', 'query', 'row', 'cpu'];

/** How the package is loaded. */
const WAYS = {
  esm: () => import('@phantom/db'),
  cjs: async () => createRequire(import.meta.url)('@phantom/db'),
};

export async function startSuite({ rows = 1_000_000, turns = 9, directory }) {
  const root = mkdtempSync(join(directory, 'phantom-start-'));
  const data = join(root, 'data');
  const run = (...args) => execFileSync(process.execPath, args, { encoding: 'utf8' });
  try {
    run(SELF, 'load', data, String(rows));
    console.log(`process start to the first row of ${rows}, ${process.version}, medians of ${turns}, ms`);
    const cached = module.enableCompileCache === undefined ? [] : Object.keys(WAYS).map((way) => `${way}+cache`);
    const found = new Map([...Object.keys(WAYS), ...cached].map((way) => [way, []]));
    const empty = [];
    // The first of each fills the caches of files and of code.
    for (const way of found.keys()) run(SELF, 'read', data, way, root);
    for (let turn = 0; turn < turns; turn++) {
      empty.push(timeOf(() => run('-e', '0')));
      for (const [way, all] of found) all.push(JSON.parse(run(SELF, 'read', data, way, root)));
    }
    console.log(`  an empty process of Node, with its exit: ${median(empty).toFixed(0)}`);
    for (const [way, all] of found) {
      const shown = PHASES.map((phase) => `${phase} ${median(all.map((one) => one[phase])).toFixed(0)}`);
      console.log(`  ${way.padEnd(10)} ${shown.join('   ')}`);
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function timeOf(work) {
  const beganMs = performance.now();
  work();
  return performance.now() - beganMs;
}

async function load(directory, rows) {
  const { open } = await import('@phantom/db');
  const db = await open(directory);
  db.exec('create table t (id bigint primary key, name text, v integer)');
  await db.query(`insert into t select i, 'name ' || i, i % 1000 from generate_series(1, $1::bigint) i`, [rows]);
  await db.close();
}

/** Prints how long each phase took. performance.now() counts from the start of the process. */
async function read(directory, way, root) {
  const [form, cache] = way.split('+');
  if (cache !== undefined) module.enableCompileCache(join(root, 'compiled'));
  const beganMs = performance.now();
  const { open } = await WAYS[form]();
  const importedMs = performance.now();
  const db = await open(directory);
  const openedMs = performance.now();
  const row = db.prepare('select * from t where id = $1').get(1);
  const rowMs = performance.now();
  const { user, system } = process.cpuUsage();
  if (row === undefined) throw new Error('the row is lost');
  const found = {
    node: beganMs,
    import: importedMs - beganMs,
    open: openedMs - importedMs,
    query: rowMs - openedMs,
    row: rowMs,
    cpu: (user + system) / 1000,
  };
  console.log(JSON.stringify(found));
  await db.close();
}

if (process.argv[1] === SELF) {
  const [role, ...args] = process.argv.slice(2);
  await { load, read }[role](...args);
}
