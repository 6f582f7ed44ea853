/**
 * What one operation costs in one engine: `node measure-prices.mjs ENGINE DIRECTORY` prints one JSON line, microseconds of CPU
 * (all threads). Each is measured with rows of two sizes, and told as so much for a row and so much for each byte of it.
 */
import { join } from 'node:path';
import { randomFrom, shuffled, valuePool } from '../storage/random.mjs';
import { openTree } from './open-tree.mjs';

const MIB = 1024 * 1024;
const [engine, directory] = process.argv.slice(2);
const ROWS = 120_000;
const SMALL_BYTES = 30;
const LARGE_BYTES = 300;
const KEY_BYTES = 12;
const GETS = 200_000;
const SEEKS = 50_000;
/** Enough for everything, so that nothing happens in the background but what is asked for. */
const ROOMY = { cacheBytes: 256 * MIB, deltaBytesMax: 1024 * MIB, checkpointBytesMax: 1024 * MIB };
const TIGHT = { ...ROOMY, cacheBytes: MIB };

const random = randomFrom(0x2545f491);
const pool = valuePool(random);
const keys = Array.from({ length: ROWS }, (_, i) => {
  const key = Buffer.alloc(KEY_BYTES);
  key.writeUInt32BE(Math.imul(i, 2_654_435_761) >>> 0, 0);
  key.writeUInt32BE(i, 8);
  return key;
});

async function cpuOf(action) {
  const before = process.cpuUsage();
  await action();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

async function write(db, numbers, valueBytes) {
  for (let from = 0; from < numbers.length; from += 64) {
    const batch = db.batch();
    for (let i = from; i < Math.min(from + 64, numbers.length); i++) {
      const at = (numbers[i] * 7919) % (pool.length - valueBytes);
      batch.put(keys[numbers[i]], pool.subarray(at, at + valueBytes));
    }
    await db.write(batch, { durability: 'os' });
  }
}

/** Brings so many rows that lie everywhere into the lowest level. */
async function merge(tree, brought, valueBytes) {
  await write(tree.db, shuffled(ROWS, random).subarray(0, brought), valueBytes);
  await tree.db.flush();
  const rowFileBytes = tree.stats().fileBytes / (ROWS + brought);
  const before = tree.stats().bytesMerged;
  const cpu = await cpuOf(() => tree.mergeAll());
  return { cpu, brought, rewritten: (tree.stats().bytesMerged - before) / rowFileBytes };
}

async function get(db, count) {
  for (let i = 0; i < count; i++) if (db.get(keys[random() % ROWS]) === undefined) throw new Error('a row is lost');
}

async function scan(db, from, limit) {
  let count = 0;
  for (const { value } of db.scan({ gte: from, limit })) count += value.length > 0 ? 1 : 0;
  return count;
}

/** Prices with rows of one size. */
async function pricesOf(valueBytes, place) {
  const prices = {};
  let tree = await openTree(engine, place, ROOMY);
  prices.write = (await cpuOf(() => write(tree.db, shuffled(ROWS, random), valueBytes))) / ROWS;
  prices.memoryBytes = tree.stats().deltaBytes / ROWS;
  prices.flush = (await cpuOf(() => tree.db.flush())) / ROWS;
  await tree.mergeAll();
  prices.fileBytes = tree.stats().fileBytes / ROWS;
  // A merge writes rows again that lie beside those that it brings: what each costs follows from two merges.
  const few = await merge(tree, ROWS / 40, valueBytes);
  const many = await merge(tree, ROWS / 4, valueBytes);
  const determinant = few.rewritten * many.brought - many.rewritten * few.brought;
  prices.rewrite = (few.cpu * many.brought - many.cpu * few.brought) / determinant;
  prices.merge = (few.rewritten * many.cpu - many.rewritten * few.cpu) / determinant;

  await get(tree.db, GETS);
  prices.get = (await cpuOf(() => get(tree.db, GETS))) / GETS;
  await scan(tree.db, Buffer.alloc(1), ROWS);
  prices.row = (await cpuOf(() => scan(tree.db, Buffer.alloc(1), ROWS))) / ROWS;
  const seeks = await cpuOf(async () => {
    for (let i = 0; i < SEEKS; i++) await scan(tree.db, keys[random() % ROWS], 1);
  });
  prices.seek = seeks / SEEKS - prices.row;
  await tree.db.close();

  tree = await openTree(engine, place, TIGHT);
  prices.coldGet = (await cpuOf(() => get(tree.db, GETS / 4))) / (GETS / 4);
  await tree.db.close();
  return prices;
}

// The first rounds are for the compiler.
await pricesOf(SMALL_BYTES, join(directory, 'warm'));
const small = await pricesOf(SMALL_BYTES, join(directory, 'small'));
const large = await pricesOf(LARGE_BYTES, join(directory, 'large'));
const prices = Object.fromEntries(
  Object.keys(small).map((name) => {
    const byte = Math.max(0, (large[name] - small[name]) / (LARGE_BYTES - SMALL_BYTES));
    return [name, { row: small[name] - byte * (SMALL_BYTES + KEY_BYTES), byte }];
  }),
);
process.stdout.write(JSON.stringify(prices));
