// Documents in level memory: many are inserted, followed by a change stream, found and sent through a pipeline.
//
//   node --expose-gc tools/bench/scripts/leak-documents.mjs [documents=1000000]
//
// Memory is what the JavaScript heap and its buffers hold after a forced collection, at ten points of each phase; the least of the
// second half may exceed the least of the first by no more than a named slack. Pages and deltas have limits of their own.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from '@phantom/db';

const megabyte = 1024 * 1024;
const slackBytes = 8 * megabyte;
const points = 10;
const batch = 1000;
const count = Number(process.argv[2] ?? 1_000_000);
if (!Number.isInteger(count) || count < batch * points) throw new Error(`documents must be ${batch * points} at least`);
if (globalThis.gc === undefined) throw new Error('run with --expose-gc');

const home = mkdtempSync(join(tmpdir(), 'phantom-documents-'));
const db = await open(home, { durability: 'os' });
const documents = db.collection('documents');
const failures = [];

function heapBytes() {
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}

/** Runs a phase that yields once for each document; what is wrong with its memory is noted. */
async function phase(name, run) {
  const startedAt = performance.now();
  const samples = [];
  let passed = 0;
  for await (const _ of run()) if (++passed % Math.floor(count / points) === 0) samples.push(heapBytes());
  const growth = Math.min(...samples.slice(points / 2)) - Math.min(...samples.slice(0, points / 2));
  if (passed !== count) failures.push(`${name}: ${passed} of ${count}`);
  if (growth > slackBytes) failures.push(`${name} grew by ${(growth / megabyte).toFixed(1)} MB`);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const heap = samples.map((bytes) => (bytes / megabyte).toFixed(0)).join(' ');
  console.log(`${name.padEnd(12)} ${seconds} s  heap in MB: ${heap}`);
}

await phase('insert+watch', async function* insertAndWatch() {
  const changes = documents.watch();
  for (let first = 0; first < count; first += batch) {
    const size = Math.min(batch, count - first);
    await documents.insertMany(
      Array.from({ length: size }, (_, i) => ({ _id: first + i, number: (first + i) % 100, text: 'x'.repeat(250) })),
    );
    for (let i = 0; i < size; i++) yield (await changes.next()).value;
  }
  changes.close();
});
await phase('find', () => documents.find());
await phase('aggregate', () => documents.aggregate([{ $match: { number: { $gte: 0 } } }, { $project: { number: 1 } }]));
await db.close();
rmSync(home, { recursive: true, force: true });

console.log(`leak: ${count} documents: ${failures.length === 0 ? 'level' : `LEAKS: ${failures.join('; ')}`}`);
process.exitCode = failures.length === 0 ? 0 : 1;
