/**
 * What must not grow: the wait of many durable writers, an opening with many tables, the removal of a large one.
 * Targets: commits of 256 callers at 50,000 a second, or 0.8 of callers / p50 of an fsync where the disk allows less; 10,000
 * tables open in 100 ms; a table of 1 GB goes in 50 ms. `--rows 8000000` sets the size of that table (about 120 bytes a row),
 * `--only openings` takes one of the three: commits, openings, drops.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openBtree } from '@phantom/btree';
import { open } from '@phantom/db';
import { openLsm } from '@phantom/lsm';
import { syncFloor } from '../machine.mjs';

const CALLERS = 256;
const COMMITS_MS = 3000;
const TABLES = 10_000;
const GIB_ROWS = 8_000_000;
const ROWS_PER_STATEMENT = 100_000;

const PARTS = ['commits', 'openings', 'drops'];

export async function scaleSuite({ quick, rows = quick ? 200_000 : GIB_ROWS, only = PARTS, directory }) {
  if (only.includes('commits')) await inDirectory(directory, commits);
  if (only.includes('openings')) await inDirectory(directory, (root) => openings(root, quick ? 1000 : TABLES));
  if (!only.includes('drops')) return;
  for (const engine of ['btree', 'lsm']) await inDirectory(directory, (root) => drops(root, engine, rows));
}

async function inDirectory(parent, measure) {
  const root = mkdtempSync(join(parent, 'phantom-scale-'));
  try {
    await measure(root);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

async function commits(root) {
  console.log(`\n## Durable commits of ${CALLERS} callers, 16 + 100 bytes at random keys, ${COMMITS_MS / 1000} s each`);
  const value = new Uint8Array(100).fill(120);
  for (const [name, openTree] of Object.entries({ lsm: openLsm, btree: openBtree })) {
    const tree = await openTree(join(root, name));
    const put = () => tree.put(Buffer.from(String(Math.floor(Math.random() * 1e9)).padStart(16, '0')), value);
    await report(root, name, put, () => tree.stats());
    await tree.close();
  }
  const db = await open(join(root, 'sql'));
  db.exec('create table t (id bigint primary key, v text)');
  let id = 0;
  const text = 'y'.repeat(100);
  const insert = () => db.query('insert into t values ($1, $2)', [id++, text]);
  await report(root, 'sql insert', insert, () => db.stats().store);
  await db.close();
}

async function report(root, name, commit, stats) {
  const floorBefore = syncFloor(root).p50;
  const before = stats();
  const cpuBefore = process.cpuUsage();
  const start = performance.now();
  const until = start + COMMITS_MS;
  let done = 0;
  const caller = async () => {
    for (; performance.now() < until; done++) await commit();
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  const seconds = (performance.now() - start) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  const after = stats();
  const floor = (floorBefore + syncFloor(root).p50) / 2;
  const possible = (CALLERS / floor) * 1e6;
  const target = Math.min(50_000, 0.8 * possible);
  const perSecond = done / seconds;
  console.log(
    `  ${name.padEnd(11)} ${perSecond.toFixed(0).padStart(7)} a second, ${((cpu.user + cpu.system) / done).toFixed(1)} us of CPU each, ` +
      `${(done / (after.syncs - before.syncs)).toFixed(0)} a sync; fsync p50 ${floor.toFixed(0)} us allows ` +
      `${possible.toFixed(0)}, target ${target.toFixed(0)}: ${(perSecond / target).toFixed(2)} of it`,
  );
}

async function openings(root, tables) {
  const path = join(root, 'tables');
  const db = await open(path);
  const statements = Array.from({ length: tables }, (_, i) => `create table t${i} (id int primary key, v text)`);
  db.exec(['begin', ...statements, 'commit'].join(';'));
  await db.close();
  const cpuBefore = process.cpuUsage();
  const start = performance.now();
  const again = await open(path);
  const openedAt = performance.now();
  again.prepare('select v from t7 where id = 1').get();
  const readAt = performance.now();
  const cpu = process.cpuUsage(cpuBefore);
  await again.close();
  console.log(
    `\n## Opening with ${tables} tables: open() ${(openedAt - start).toFixed(0)} ms, first read ${(readAt - start).toFixed(0)} ms ` +
      `after it was called, ${((cpu.user + cpu.system) / 1000).toFixed(0)} ms of CPU on all threads`,
  );
}

async function drops(root, engine, rows) {
  const db = await open(join(root, engine));
  db.exec(`create table t (id bigint primary key, v text) with (engine = ${engine})`);
  for (let from = 0; from < rows; from += ROWS_PER_STATEMENT) {
    const to = Math.min(rows, from + ROWS_PER_STATEMENT) - 1;
    const insert = `insert into t select i, repeat(md5(i::text), 3) from generate_series($1::bigint, $2::bigint) i`;
    await db.query(insert, [from, to]);
  }
  await db.checkpoint();
  const start = performance.now();
  await db.query('drop table t');
  const droppedAt = performance.now();
  let worstMs = 0;
  for (let last = droppedAt; last - droppedAt < 2000;) {
    await new Promise((resolve) => setImmediate(resolve));
    const now = performance.now();
    worstMs = Math.max(worstMs, now - last);
    last = now;
  }
  console.log(
    `\n## DROP TABLE of ${rows} rows, ${engine}: ${(droppedAt - start).toFixed(1)} ms; longest turn in the 2 s after it ${worstMs.toFixed(0)} ms`,
  );
  await db.close();
}
