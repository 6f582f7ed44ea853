/**
 * Does memory grow with the data? The LSM-tree and LevelDB loaded in random order, the B+tree in order and then updated at random,
 * 16 + 100 bytes a record; then all are killed, reopened and read at random, with the same cache. `--records 100000000` (half an
 * hour each) must stay below 2 GB of resident memory; the default is a tenth of that. Each step in a process of its own:
 * `--only lsm` for one subject, `--step load` and then `--step read` for one step, between which the data stays in
 * PHANTOM_BENCH_DIR.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bytesUnder } from '../files.mjs';
import { peer } from '../peers.mjs';
import { CONFIGURATION } from '../storage/subjects.mjs';

const SELF = fileURLToPath(import.meta.url);
const RECORDS = 10_000_000;
const BATCH_RECORDS = 1000;
const UPDATED_SHARE = 0.01;
const GETS = 200_000;
const MB = 1e6;
/** Steps through all records in an order that looks random: prime to every number of records that is not a multiple of it. */
const STRIDE = 982_451_653;

const STEPS = ['load', 'read'];
const NAME_CHARS = 13;

export async function largeSuite({ quick, records = quick ? 200_000 : RECORDS, only, step, directory }) {
  console.log(`\n## ${records} records of 16 + 100 bytes, ${JSON.stringify(CONFIGURATION)}, loads not synced`);
  for (const name of only ?? Object.keys(OPENERS)) {
    const root = join(directory, `phantom-large-${name}-${records}`);
    if (step !== 'read') {
      rmSync(root, { recursive: true, force: true });
      mkdirSync(root);
    }
    for (const each of step === undefined ? STEPS : [step]) {
      const found = JSON.parse(await child([each, name, join(root, 'data'), String(records)]));
      const perMillion = (found.peakMb - found.idleMb) / (records / 1e6);
      console.log(
        `  ${name.padEnd(NAME_CHARS)} ${each}: ${found.text}; peak resident ${found.peakMb.toFixed(0)} MB, ` +
          `${found.idleMb.toFixed(0)} before it began: ${perMillion.toFixed(1)} MB a million records`,
      );
    }
    console.log(`  ${name.padEnd(NAME_CHARS)} disk: ${(bytesUnder(root) / (records * 116)).toFixed(2)} bytes a byte`);
    if (step !== 'load') rmSync(root, { recursive: true, force: true });
  }
}

function child(args) {
  return new Promise((resolve, reject) => {
    const running = spawn(process.execPath, [SELF, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    running.stdout.on('data', (data) => (output += data));
    running.on('exit', (code, signal) => {
      if (code === 0 || (signal === 'SIGKILL' && output !== '')) resolve(output);
      else reject(new Error(`${args[0]} ended with ${code ?? signal}`));
    });
  });
}

const { cacheBytes, writeBufferBytes } = CONFIGURATION;

/** A tree of ours, with the calls that are measured. */
async function openOurs(open, path) {
  const tree = await open(path, { cacheBytes, deltaBytesMax: writeBufferBytes });
  return {
    write: (operations) => tree.write(operations, { durability: 'os' }),
    get: (key) => tree.get(key),
    flush: () => tree.flush(),
  };
}

const OPENERS = {
  lsm: async (path) => openOurs((await import('@phantom/lsm')).openLsm, path),
  btree: async (path) => openOurs((await import('@phantom/btree')).openBtree, path),
  'classic-level': async (path) => {
    const { ClassicLevel } = peer('classic-level');
    const encodings = { keyEncoding: 'buffer', valueEncoding: 'buffer' };
    const settings = { ...encodings, cacheSize: cacheBytes, writeBufferSize: writeBufferBytes / 2 };
    const db = new ClassicLevel(path, settings);
    await db.open();
    return { write: (operations) => db.batch(operations), get: (key) => db.getSync(key), flush: () => undefined };
  },
};

const keyOf = (number) => Buffer.from(String(number).padStart(16, '0'));
const place = (i, records) => Number((BigInt(i) * BigInt(STRIDE)) % BigInt(records));

async function load(tree, name, records) {
  const idleMb = process.memoryUsage.rss() / MB;
  const value = Buffer.alloc(100);
  const write = async (count, numberOf) => {
    for (let from = 0; from < count; from += BATCH_RECORDS) {
      const operations = [];
      for (let i = from; i < Math.min(count, from + BATCH_RECORDS); i++) {
        value.writeUInt32LE((i * 2_654_435_761) >>> 0, (i % 12) * 8);
        operations.push({ type: 'put', key: keyOf(numberOf(i)), value: Buffer.from(value) });
      }
      await tree.write(operations);
    }
  };
  const start = performance.now();
  const isSorted = name === 'btree';
  await write(records, isSorted ? (i) => i : (i) => place(i, records));
  const loadedAt = performance.now();
  const updates = isSorted ? Math.floor(records * UPDATED_SHARE) : 0;
  await write(updates, (i) => place(i, records));
  await tree.flush();
  const seconds = ((loadedAt - start) / 1000).toFixed(0);
  const more = updates === 0 ? '' : `, ${updates} updates in ${((performance.now() - loadedAt) / 1000).toFixed(0)} s`;
  return { idleMb, text: `${seconds} s, ${((records / (loadedAt - start)) * 1000).toFixed(0)} a second${more}` };
}

async function read(tree, records, openedMs) {
  const idleMb = process.memoryUsage.rss() / MB;
  const start = performance.now();
  const cpu = process.cpuUsage();
  for (let i = 0; i < GETS; i++) {
    if (tree.get(keyOf(place(i * 7 + 3, records))) === undefined) throw new Error('a record is lost');
  }
  const perSecond = (GETS / (performance.now() - start)) * 1000;
  const { user, system } = process.cpuUsage(cpu);
  const gets = `${perSecond.toFixed(0)} random gets a second, CPU ${((user + system) / GETS).toFixed(2)} us each`;
  return { idleMb, text: `open() ${openedMs.toFixed(0)} ms, ${gets}` };
}

if (process.argv[1] === SELF) {
  const [step, name, path, recordsText] = process.argv.slice(2);
  const records = Number(recordsText);
  const start = performance.now();
  const tree = await OPENERS[name](path);
  const openedMs = performance.now() - start;
  const found = step === 'load' ? await load(tree, name, records) : await read(tree, records, openedMs);
  process.stdout.write(JSON.stringify({ ...found, peakMb: (process.resourceUsage().maxRSS * 1024) / MB }));
  // As after a crash: what is read next is what recovery makes of it.
  process.kill(process.pid, 'SIGKILL');
}
