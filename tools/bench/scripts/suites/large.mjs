/**
 * Does memory grow with the data? The LSM-tree loaded in random order, the B+tree in order and then updated at random, 16 + 100
 * bytes a record; then both are killed, reopened and read at random. `--records 100000000` (half an hour each) must stay below
 * 2 GB of resident memory; the default is a tenth of that. Each step in a process of its own; `--only lsm` for one.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bytesUnder } from '../files.mjs';
import { CONFIGURATION } from '../storage/subjects.mjs';

const SELF = fileURLToPath(import.meta.url);
const RECORDS = 10_000_000;
const BATCH_RECORDS = 1000;
const UPDATED_SHARE = 0.01;
const GETS = 200_000;
const MB = 1e6;
/** Steps through all records in an order that looks random: prime to every number of records that is not a multiple of it. */
const STRIDE = 982_451_653;

export async function largeSuite({ quick, records = quick ? 200_000 : RECORDS, only = ['lsm', 'btree'], directory }) {
  console.log(`\n## ${records} records of 16 + 100 bytes, ${JSON.stringify(CONFIGURATION)}, loads not synced`);
  for (const engine of only) {
    const root = mkdtempSync(join(directory, 'phantom-large-'));
    try {
      for (const step of ['load', 'read']) {
        const found = JSON.parse(await child([step, engine, join(root, 'data'), String(records)]));
        const perMillion = (found.peakMb - found.idleMb) / (records / 1e6);
        console.log(
          `  ${engine.padEnd(5)} ${step}: ${found.text}; peak resident ${found.peakMb.toFixed(0)} MB, ` +
            `${found.idleMb.toFixed(0)} before it began: ${perMillion.toFixed(1)} MB a million records`,
        );
      }
      console.log(`  ${engine.padEnd(5)} disk: ${(bytesUnder(root) / (records * 116)).toFixed(2)} bytes a byte`);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
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

const keyOf = (number) => Buffer.from(String(number).padStart(16, '0'));
const place = (i, records) => Number((BigInt(i) * BigInt(STRIDE)) % BigInt(records));

async function load(tree, engine, records) {
  const idleMb = process.memoryUsage.rss() / MB;
  const value = Buffer.alloc(100);
  const write = async (count, numberOf) => {
    for (let from = 0; from < count; from += BATCH_RECORDS) {
      const operations = [];
      for (let i = from; i < Math.min(count, from + BATCH_RECORDS); i++) {
        value.writeUInt32LE((i * 2_654_435_761) >>> 0, (i % 12) * 8);
        operations.push({ type: 'put', key: keyOf(numberOf(i)), value: Buffer.from(value) });
      }
      await tree.write(operations, { durability: 'os' });
    }
  };
  const start = performance.now();
  await write(records, engine === 'lsm' ? (i) => place(i, records) : (i) => i);
  const loadedAt = performance.now();
  const updates = engine === 'lsm' ? 0 : Math.floor(records * UPDATED_SHARE);
  await write(updates, (i) => place(i, records));
  await tree.flush();
  const seconds = ((loadedAt - start) / 1000).toFixed(0);
  const more = updates === 0 ? '' : `, ${updates} updates in ${((performance.now() - loadedAt) / 1000).toFixed(0)} s`;
  return { idleMb, text: `${seconds} s, ${((records / (loadedAt - start)) * 1000).toFixed(0)} a second${more}` };
}

async function read(tree, records, openedMs) {
  const idleMb = process.memoryUsage.rss() / MB;
  const start = performance.now();
  for (let i = 0; i < GETS; i++) {
    if (tree.get(keyOf(place(i * 7 + 3, records))) === undefined) throw new Error('a record is lost');
  }
  const perSecond = (GETS / (performance.now() - start)) * 1000;
  return { idleMb, text: `open() ${openedMs.toFixed(0)} ms, ${perSecond.toFixed(0)} random gets a second` };
}

if (process.argv[1] === SELF) {
  const [step, engine, path, recordsText] = process.argv.slice(2);
  const openTree =
    engine === 'lsm' ? (await import('@phantom/lsm')).openLsm : (await import('@phantom/btree')).openBtree;
  const records = Number(recordsText);
  const start = performance.now();
  const { cacheBytes, writeBufferBytes } = CONFIGURATION;
  const tree = await openTree(path, { cacheBytes, deltaBytesMax: writeBufferBytes });
  const openedMs = performance.now() - start;
  const found = step === 'load' ? await load(tree, engine, records) : await read(tree, records, openedMs);
  process.stdout.write(JSON.stringify({ ...found, peakMb: (process.resourceUsage().maxRSS * 1024) / MB }));
  // As after a crash: what is read next is what recovery makes of it.
  process.kill(process.pid, 'SIGKILL');
}
