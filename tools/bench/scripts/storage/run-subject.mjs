/**
 * One subject, one turn, in a process of its own: `node run-subject.mjs SUBJECT ROWS DIRECTORY`. Prints one JSON line for each
 * measurement: operations a second, CPU microseconds an operation (of all threads), and what else there is to say.
 */
import { closeSync, existsSync, mkdirSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { bytesUnder } from '../files.mjs';
import { popular, randomFrom, shuffled, valuePool } from './random.mjs';
import { SUBJECTS } from './subjects.mjs';

const [name, rowsText, directory] = process.argv.slice(2);
const rows = Number(rowsText);
const BATCH = 1000;
const HOT_KEYS = Math.min(100_000, rows / 10);
const DURABLE_MS = 2500;

const random = randomFrom(0x9e3779b9);
const pool = valuePool(random);
const valueAt = (salt) => (i) => {
  const at = ((i * 7919 + salt * 104729) % 10_000) * 100;
  return pool.subarray(at, at + 100);
};

/** 16 bytes: eight digits of a shuffled number in front, so that order is random. */
const sequential = Array.from({ length: rows }, (_, i) => Buffer.from(String(i).padStart(16, '0')));
const inRandomOrder = Array.from(shuffled(rows, random), (i) => sequential[i]);
const missing = Array.from({ length: 100_000 }, () => Buffer.from(`${String(random() % rows).padStart(15, '0')}x`));

const schedstat = existsSync('/proc/self/schedstat') ? openSync('/proc/self/schedstat', 'r') : undefined;
const buffer = Buffer.alloc(64);
/** CPU milliseconds of this thread; wall time where the system does not say. */
function threadMs() {
  if (schedstat === undefined) return performance.now();
  const bytes = readSync(schedstat, buffer, 0, 64, 0);
  return Number(buffer.toString('latin1', 0, bytes).split(' ')[0]) / 1e6;
}

async function measure(what, operations, action, more = () => ({})) {
  const cpu = process.cpuUsage();
  const start = performance.now();
  const done = (await action()) ?? operations;
  const ms = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  const line = { what, perSecond: (done / ms) * 1000, cpuMicros: (user + system) / done, ...more() };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function openIn(place) {
  const path = join(directory, place);
  mkdirSync(path);
  return SUBJECTS[name](path);
}

async function load(db, keys, values) {
  for (let from = 0; from < keys.length; from += BATCH) {
    await db.load(keys, values, from, Math.min(from + BATCH, keys.length));
    // What a server does between two requests.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const isValue = (value) => value !== undefined && value !== null;

const anyOf = (keys) => keys[random() % keys.length];
/** Those at the front more often. */
const wantedOf = (keys) => keys[popular(keys.length, random)];

async function gets(db, keys, count, choose = anyOf) {
  let found = 0;
  if (db.get !== undefined) {
    for (let i = 0; i < count; i++) if (isValue(db.get(choose(keys)))) found++;
  } else {
    for (let i = 0; i < count; i += 100) {
      const some = await db.getMany(Array.from({ length: 100 }, () => choose(keys)));
      for (const value of some) if (isValue(value)) found++;
    }
  }
  return found;
}

/** So many callers, each with one durable write under way, for a while. */
async function durable(db, callers) {
  const syncs = db.syncs?.() ?? 0;
  const end = performance.now() + DURABLE_MS;
  let count = 0;
  const one = async () => {
    while (performance.now() < end) {
      await db.durable(inRandomOrder[random() % rows], pool.subarray(0, 100));
      count++;
    }
  };
  await measure(
    `durable, ${callers} callers`,
    0,
    async () => {
      await Promise.all(Array.from({ length: callers }, one));
      return count;
    },
    () => (db.syncs === undefined ? {} : { perSync: count / (db.syncs() - syncs) }),
  );
}

/** Puts one by one from 64 callers: latency, and the longest stretch of CPU in which nobody else got a turn. */
async function putLatency(db) {
  const count = Math.min(rows, 200_000);
  const micros = new Float64Array(count);
  let at = 0;
  let longest = 0;
  let last = threadMs();
  let isOn = true;
  const tick = () => {
    if (!isOn) return;
    const now = threadMs();
    longest = Math.max(longest, now - last);
    last = now;
    setImmediate(tick);
  };
  setImmediate(tick);
  const one = async () => {
    while (at < count) {
      const i = at++;
      const start = performance.now();
      await db.put(inRandomOrder[random() % rows], pool.subarray(0, 100));
      micros[i] = (performance.now() - start) * 1000;
      if (i % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await measure(
    'put, one by one, 64 callers',
    count,
    async () => {
      await Promise.all(Array.from({ length: 64 }, one));
    },
    () => {
      isOn = false;
      micros.sort();
      return { p999Ms: micros[Math.floor(count * 0.999)] / 1000, stallMs: longest };
    },
  );
}

/** While flushes, merges and compactions go on, whose CPU time is in the first figure and not in the second: any key. */
async function readUnderLoad(db) {
  const count = Math.min(rows, 100_000);
  await gets(db, sequential, count / 5);
  const startMs = threadMs();
  await measure(
    'readrandom under load',
    count,
    () => gets(db, sequential, count).then(() => undefined),
    () => ({ ownThreadMicros: ((threadMs() - startMs) * 1000) / count }),
  );
}

/**
 * Keys that are asked for again and again, between batches of writes to any key: only the reads are counted, and what flushes,
 * merges and compactions cost meanwhile.
 */
async function readHotBetweenWrites(db, hot) {
  const turns = Math.min(rows, 200_000) / BATCH;
  // Nearly all of them twice: the first look at a key keeps nothing yet.
  await gets(db, hot, HOT_KEYS * 6);
  let ms = 0;
  let ownMs = 0;
  const cpu = process.cpuUsage();
  for (let turn = 0; turn < turns; turn++) {
    await load(db, inRandomOrder.slice(-(turn + 1) * BATCH, turn === 0 ? undefined : -turn * BATCH), valueAt(3));
    const start = performance.now();
    const startMs = threadMs();
    await gets(db, hot, BATCH);
    ownMs += threadMs() - startMs;
    ms += performance.now() - start;
  }
  const { user, system } = process.cpuUsage(cpu);
  const count = turns * BATCH;
  const line = {
    what: 'hot set under load',
    perSecond: (count / ms) * 1000,
    // With the writes between.
    cpuMicros: (user + system) / count,
    ownThreadMicros: (ownMs * 1000) / count,
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

let db = await openIn('sequential');
await measure('fillseq', rows, () => load(db, sequential, valueAt(1)));
await db.close();
db = await openIn('random');
await measure('fillrandom', rows, () => load(db, inRandomOrder, valueAt(1)));
// Copies side by side: whoever asks has just made the key, and does not fetch it from anywhere in memory.
const hot = inRandomOrder.slice(0, HOT_KEYS).map((key) => Buffer.from(key));
await readUnderLoad(db);
await readHotBetweenWrites(db, hot);
await measure('overwrite', rows, () => load(db, inRandomOrder.toReversed(), valueAt(2)));
const updates = Array.from({ length: rows / 2 }, () => wantedOf(inRandomOrder));
await measure('overwrite, Zipf', updates.length, () => load(db, updates, valueAt(2)));
await db.settle();
const size = bytesUnder(join(directory, 'random'));
process.stdout.write(`${JSON.stringify({ what: 'disk', bytesPerByte: size / (rows * 116), ...db.notes?.() })}\n`);
const reads = Math.min(rows, 300_000);
await gets(db, sequential, reads / 3);
await measure('readrandom', reads, () => gets(db, sequential, reads).then(() => undefined));
await gets(db, inRandomOrder, reads / 3, wantedOf);
await measure('readrandom, Zipf', reads, () => gets(db, inRandomOrder, reads, wantedOf).then(() => undefined));
await gets(db, missing, 20_000);
await measure('readmissing', 100_000, () => gets(db, missing, 100_000).then(() => undefined));
await gets(db, hot, HOT_KEYS * 3);
await measure('hot set', reads, () => gets(db, hot, reads).then(() => undefined));
await measure('scan', rows, async () => {
  const count = await db.scan();
  if (count !== rows) throw new Error(`the scan saw ${count} entries of ${rows}`);
});
await putLatency(db);
await db.beforeDurable?.();
if (db.durable !== undefined) for (const callers of [64, 256]) await durable(db, callers);
await db.close();
const peakBytes = process.resourceUsage().maxRSS * 1024;
process.stdout.write(`${JSON.stringify({ what: 'memory', peakMb: peakBytes / 1e6 })}\n`);
if (schedstat !== undefined) closeSync(schedstat);
