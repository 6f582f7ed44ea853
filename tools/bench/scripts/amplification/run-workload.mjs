/**
 * One workload on one engine, in a process of its own: `node run-workload.mjs ENGINE WORKLOAD ROWS DIRECTORY`. Prints one JSON
 * line with what it cost. Work that the engine puts off is part of the cost: the clock stops when nothing is left to do.
 */
import { bytesUnder } from '../files.mjs';
import { randomFrom, shuffled, valuePool } from '../storage/random.mjs';
import { openTree } from './open-tree.mjs';
import { WORKLOADS } from './workloads.mjs';

const [engine, name, rowsText, directory] = process.argv.slice(2);
const rows = Number(rowsText);
const random = randomFrom(0x51ed2701);
const pool = valuePool(random);
const keys = Array.from({ length: rows }, (_, i) => Buffer.from(String(i).padStart(16, '0')));
const { setUp, run } = WORKLOADS[name];

let tree;
const counts = { writes: 0, userBytes: 0, gets: 0, scanRows: 0 };

const facade = {
  async put(numbers) {
    const batch = tree.db.batch();
    for (const number of numbers) {
      const at = ((number * 7919 + counts.writes++) % 10_000) * 100;
      batch.put(keys[number], pool.subarray(at, at + 100));
    }
    counts.userBytes += numbers.length * 116;
    await tree.db.write(batch, { durability: 'os' });
    await turn();
  },
  async removeUpTo(number) {
    await tree.db.deleteRange({ lt: keys[number] }, { durability: 'os' });
  },
  async get(number) {
    if (tree.db.get(keys[number]) === undefined) throw new Error('a row is lost');
    if (++counts.gets % 64 === 0) await turn();
  },
  async scan(number, count) {
    for (const { value } of tree.db.scan({ gte: keys[number], limit: count })) if (value.length > 0) counts.scanRows++;
    await turn();
  },
};

/** What a server does between two requests. */
function turn() {
  return new Promise((resolve) => setImmediate(resolve));
}

const workload = { tree: facade, rows, random, shuffled: (count) => shuffled(count, random) };
tree = await openTree(engine, directory);
if (setUp !== undefined) {
  await setUp(workload);
  await tree.settle();
  await tree.db.close();
  tree = await openTree(engine, directory);
  for (const what of Object.keys(counts)) counts[what] = 0;
}
const pagesBefore = tree.stats().pagesRead;
const cpu = process.cpuUsage();
await run(workload);
const pagesRead = tree.stats().pagesRead - pagesBefore;
const { btree, lsm, ...advice } = tree.advise();
await tree.settle();
const { user, system } = process.cpuUsage(cpu);
const { bytesFlushed, bytesMerged } = tree.stats();
const logBytes = tree.db.stats().wal.bytesAppended;
let rowsLeft = 0;
for (const { value } of tree.db.scan()) if (value.length > 0) rowsLeft++;
await tree.db.close();
const figures = { ...counts, pagesRead, rowsLeft, cpuMs: (user + system) / 1000, logBytes, bytesFlushed, bytesMerged };
const estimates = { btree: btree.costUs / 1000, lsm: lsm.costUs / 1000 };
process.stdout.write(JSON.stringify({ ...figures, diskBytes: bytesUnder(directory), advice, estimates }));
