// The leak test: open, write, query and close an embedded database again and again; memory has to stay level.
//
//   node --expose-gc tools/bench/scripts/leak.mjs [times=10000] [disk]
//
// In memory by default; `disk` uses one data directory, reopened each time. Memory is what the process holds after a forced
// collection: the JavaScript heap, array buffers and the resident set, each taken at ten points. The first fifth warms up (compiled
// code, caches up to their limits); after it, the least value of the last points may exceed the least of the first points by no
// more than a named slack. Least values, because noise only ever adds. Handles left open (timers, sockets, threads) are counted too.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from '@phantom/db';

const megabyte = 1024 * 1024;
/** What each kind of memory may differ by for reasons that are no leak. */
const slackBytes = { heapUsed: 4 * megabyte, arrayBuffers: 4 * megabyte, rss: 48 * megabyte };

const times = Number(process.argv[2] ?? 10_000);
const onDisk = process.argv.includes('disk');
const points = 10;
if (!Number.isInteger(times) || times < points) throw new Error('times must be a whole number, ten at least');
if (globalThis.gc === undefined) throw new Error('run with --expose-gc');

const folder = onDisk ? mkdtempSync(join(tmpdir(), 'phantom-leak-')) : undefined;
const openDescriptors = () => (process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0);

async function once(turn) {
  const db = await open(folder ?? ':memory:');
  try {
    if (folder === undefined || turn === 0) db.exec('create table t (id int primary key, name text)');
    await db.query('insert into t values ($1, $2)', [turn, `name ${turn}`]);
    const { rows } = await db.query('select name from t where id = $1', [turn]);
    if (rows[0]?.name !== `name ${turn}`) throw new Error(`turn ${turn}: wrong answer ${JSON.stringify(rows)}`);
  } finally {
    await db.close();
  }
}

async function measure() {
  // A turn of the event loop lets closing handles go before the collection.
  await new Promise((resolve) => setTimeout(resolve, 20));
  globalThis.gc();
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
  const handles = process.getActiveResourcesInfo().filter((kind) => kind !== 'Timeout').length;
  return { heapUsed, arrayBuffers, rss, handles, descriptors: openDescriptors() };
}

const samples = [];
const startedAt = performance.now();
for (let turn = 0; turn < times; turn++) {
  await once(turn);
  if ((turn + 1) % Math.floor(times / points) === 0 && samples.length < points) {
    const sample = await measure();
    samples.push(sample);
    const text = ['heapUsed', 'arrayBuffers', 'rss'].map(
      (kind) => `${kind} ${(sample[kind] / megabyte).toFixed(1)} MB`,
    );
    console.log(
      `${String(turn + 1).padStart(6)}  ${text.join('  ')}  handles ${sample.handles}  descriptors ${sample.descriptors}`,
    );
  }
}
if (folder !== undefined) rmSync(folder, { recursive: true, force: true });

const early = samples.slice(points / 5, points / 2);
const late = samples.slice(points / 2);
const least = (list, kind) => Math.min(...list.map((sample) => sample[kind]));
const failures = Object.entries(slackBytes).flatMap(([kind, slack]) => {
  const growth = least(late, kind) - least(early, kind);
  return growth > slack ? [`${kind} grew by ${(growth / megabyte).toFixed(1)} MB`] : [];
});
for (const kind of ['handles', 'descriptors']) {
  if (least(late, kind) > least(early, kind))
    failures.push(`${kind}: ${least(early, kind)} became ${least(late, kind)}`);
}
const seconds = (performance.now() - startedAt) / 1000;
const verdict = failures.length === 0 ? 'level' : `LEAKS: ${failures.join('; ')}`;
console.log(`leak: ${times} times ${onDisk ? 'on disk' : 'in memory'} in ${seconds.toFixed(1)} s: ${verdict}`);
process.exitCode = failures.length === 0 ? 0 : 1;
