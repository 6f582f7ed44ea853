/**
 * One subject, one turn, in a process of its own: `node run-subject.mjs SUBJECT ROWS DIRECTORY [MEASUREMENT...]`. Prints one JSON
 * line for each measurement: operations a second, CPU microseconds an operation (of all threads), and what else there is to say.
 */
import { closeSync, existsSync, mkdirSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { bytesUnder } from '../files.mjs';
import { Keys, popular, randomFrom, shuffled, valuePool } from './random.mjs';
import { SUBJECTS } from './subjects.mjs';

const [name, rowsText, directory, ...wanted] = process.argv.slice(2);
const rows = Number(rowsText);
const reads = Math.min(rows, 300_000);
const BATCH = 1000;
const HOT_KEYS = Math.min(100_000, rows / 10);
const DURABLE_MS = 2500;
const PUTS = 'put, one by one, 64 callers';

const random = randomFrom(0x9e3779b9);
const pool = valuePool(random);
const valueAt = (salt) => (i) => {
  const at = ((i * 7919 + salt * 104729) % 10_000) * 100;
  return pool.subarray(at, at + 100);
};

const sequential = Keys.sequential(rows);
const order = shuffled(rows, random);
const inRandomOrder = sequential.inOrder(order);
/** Copies side by side: whoever asks has just made the key, and does not fetch it from anywhere in memory. */
const hot = Array.from({ length: HOT_KEYS }, (_, i) => Buffer.from(inRandomOrder.at(i)));
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

const anyOf = (keys) => keys.at(random() % keys.length);
/** Those at the front more often. */
const wantedOf = (keys) => keys.at(popular(keys.length, random));

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

/** After some that are not counted. */
async function measureGets(what, db, keys, warmUps, choose = anyOf) {
  const count = keys === missing ? missing.length : reads;
  await gets(db, keys, warmUps, choose);
  await measure(what, count, () => gets(db, keys, count, choose).then(() => undefined));
}

/** So many callers, each with one durable write under way, for a while. */
async function durable(db, callers) {
  const syncs = db.syncs?.() ?? 0;
  const end = performance.now() + DURABLE_MS;
  let count = 0;
  const one = async () => {
    while (performance.now() < end) {
      await db.durable(anyOf(sequential), pool.subarray(0, 100));
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
      await db.put(anyOf(sequential), pool.subarray(0, 100));
      micros[i] = (performance.now() - start) * 1000;
      if (i % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await measure(
    PUTS,
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
    const written = order.subarray(rows - (turn + 1) * BATCH, rows - turn * BATCH);
    await load(db, sequential.inOrder(written), valueAt(3));
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

/** In this order; those that are not wanted are left out, and so is what they would have left behind for the next. */
const MEASUREMENTS = {
  'readrandom under load': (db) => readUnderLoad(db),
  'hot set under load': (db) => readHotBetweenWrites(db, hot),
  overwrite: (db) => measure('overwrite', rows, () => load(db, sequential.inOrder(order.toReversed()), valueAt(2))),
  'overwrite, Zipf': (db) => {
    const updates = sequential.inOrder(Uint32Array.from({ length: rows / 2 }, () => order[popular(rows, random)]));
    return measure('overwrite, Zipf', updates.length, () => load(db, updates, valueAt(2)));
  },
  disk: async (db) => {
    await db.settle();
    const size = bytesUnder(join(directory, 'random'));
    process.stdout.write(`${JSON.stringify({ what: 'disk', bytesPerByte: size / (rows * 116), ...db.notes?.() })}\n`);
  },
  readrandom: (db) => measureGets('readrandom', db, sequential, reads / 3),
  'readrandom, Zipf': (db) => measureGets('readrandom, Zipf', db, inRandomOrder, reads / 3, wantedOf),
  readmissing: (db) => measureGets('readmissing', db, missing, 20_000),
  'hot set': (db) => measureGets('hot set', db, hot, HOT_KEYS * 3),
  scan: (db) =>
    measure('scan', rows, async () => {
      const count = await db.scan();
      if (count !== rows) throw new Error(`the scan saw ${count} entries of ${rows}`);
    }),
  [PUTS]: (db) => putLatency(db),
  durable: async (db) => {
    await db.beforeDurable?.();
    if (db.durable !== undefined) for (const callers of [64, 256]) await durable(db, callers);
  },
};

/** What every measurement of reads stands on, so it is always run. */
const FILL = 'fillrandom';
/** By how its name begins: some have a comma in theirs. */
const wants = (what) => wanted.length === 0 || wanted.some((word) => what.startsWith(word));
const names = ['fillseq', FILL, ...Object.keys(MEASUREMENTS)];
const unknown = wanted.find((word) => !names.some((what) => what.startsWith(word)));
if (unknown !== undefined) throw new Error(`no subject and no measurement is called ${unknown}`);

if (wants('fillseq')) {
  const db = await openIn('sequential');
  await measure('fillseq', rows, () => load(db, sequential, valueAt(1)));
  await db.close();
}
const db = await openIn('random');
await measure(FILL, rows, () => load(db, inRandomOrder, valueAt(1)));
for (const [what, run] of Object.entries(MEASUREMENTS)) if (wants(what)) await run(db);
await db.close();
const peakBytes = process.resourceUsage().maxRSS * 1024;
process.stdout.write(`${JSON.stringify({ what: 'memory', peakMb: peakBytes / 1e6 })}\n`);
if (schedstat !== undefined) closeSync(schedstat);
