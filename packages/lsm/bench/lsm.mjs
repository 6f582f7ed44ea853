// Times the tree alone on a directory, through its public face:
//   node packages/lsm/bench/lsm.mjs [entries] [cacheMiB] [compression]   (after a build of the package)
// Keys of 16 bytes, values of 100 that compress by half, batches of 1000, durability `os` (as LevelDB's default: nothing waits
// for an fsync). Prints CPU time of the whole process beside wall time, since compactions run meanwhile.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLsm } from '@phantom/lsm';

const entries = Number(process.argv[2] ?? 1_000_000);
const cacheBytes = Number(process.argv[3] ?? 256) << 20;
const compression = process.argv[4] ?? 'lz4';
const batchEntries = 1000;

const noise = new Uint8Array(1 << 16);
let state = 1;
for (let i = 0; i < noise.length; i++) {
  state = (Math.imul(state, 1664525) + 1013904223) | 0;
  noise[i] = state >>> 24;
}
const value = new Uint8Array(100);
function setValue(i) {
  value.set(noise.subarray((i * 50) & 0xff00, ((i * 50) & 0xff00) + 50));
}

const key = new Uint8Array(16);
const keyView = new DataView(key.buffer);
/** The key of a number; scattered ones are a permutation of all 32-bit numbers. */
function setKey(i, scattered) {
  keyView.setUint32(8, scattered ? Math.imul(i, 0x9e3779b1) : 0);
  keyView.setUint32(12, i);
}

async function report(name, count, run) {
  globalThis.gc?.();
  const cpu = process.cpuUsage();
  const begun = performance.now();
  await run();
  const wallMs = performance.now() - begun;
  const used = process.cpuUsage(cpu);
  const cpuMs = (used.user + used.system) / 1000;
  const rate = (ms) =>
    `${Math.round(count / ms)
      .toLocaleString('en')
      .padStart(6)}k/s`;
  const each = ((cpuMs * 1e6) / count).toFixed(0).padStart(6);
  console.log(`${name.padEnd(30)} ${rate(wallMs)} wall  ${rate(cpuMs)} cpu  ${each} ns`);
}

async function fill(db, scattered) {
  const batch = db.batch();
  for (let i = 0; i < entries; i += batchEntries) {
    batch.clear();
    for (let j = i; j < Math.min(i + batchEntries, entries); j++) {
      setKey(j, scattered);
      setValue(j);
      batch.put(key, value);
    }
    await db.write(batch);
  }
}

function gets(db, count, scattered, hot, present) {
  let found = 0;
  let x = 12345;
  for (let i = 0; i < count; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) | 0;
    setKey(((x >>> 0) % hot) + (present ? 0 : entries), scattered);
    if (db.get(key) !== undefined) found++;
  }
  if (found !== (present ? count : 0)) throw new Error(`found ${found} of ${count}`);
}

function scan(db, reverse) {
  let count = 0;
  for (const entry of db.scan({ reverse })) if (entry.value.length === 100) count++;
  if (count !== entries) throw new Error(`scanned ${count} of ${entries}`);
}

async function readings(db, scattered) {
  await report('readrandom', entries, () => gets(db, entries, scattered, entries, true));
  await report('readrandom, again', entries, () => gets(db, entries, scattered, entries, true));
  await report('readrandom, hot tenth', entries, () => gets(db, entries, scattered, Math.ceil(entries / 10), true));
  await report('readmissing', entries, () => gets(db, entries, scattered, entries, false));
  await report('scan', entries, () => scan(db, false));
  await report('scan in reverse', entries, () => scan(db, true));
}

function shape(db) {
  const { levels, fileBytes, writeAmplification, spaceAmplification, delayedMs, moves, merges } = db.stats().engines[0];
  const drawn = levels.map(({ runs, bytes }, i) =>
    runs === 0 ? '' : ` L${i} ${runs} runs ${(bytes / 1e6).toFixed(0)} MB`,
  );
  console.log(
    `  files ${(fileBytes / 1e6).toFixed(0)} MB,${drawn.join('')}; amplification: write ${writeAmplification.toFixed(1)}, ` +
      `space ${spaceAmplification.toFixed(2)}; ${merges} compactions, ${moves} moves, writers slowed ${delayedMs.toFixed(0)} ms`,
  );
}

for (const scattered of [false, true]) {
  const directory = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'phantom-lsm-'));
  let db = await openLsm(directory, { durability: 'os', cacheBytes, compression });
  console.log(scattered ? '\nscattered keys' : '\nascending keys');
  await report(scattered ? 'fillrandom' : 'fillseq', entries, () => fill(db, scattered));
  shape(db);
  await readings(db, scattered);
  if (scattered) {
    await report('overwrite', entries, () => fill(db, scattered));
    shape(db);
    await report('compact', entries, () => db.store.engine(2).compact());
    shape(db);
    await readings(db, scattered);
  }
  await report('close', entries, () => db.close());
  await report(
    'open',
    entries,
    async () => (db = await openLsm(directory, { durability: 'os', cacheBytes, compression })),
  );
  await db.close();
  rmSync(directory, { recursive: true });
}
console.log(`resident ${(process.memoryUsage.rss() / 1e6).toFixed(0)} MB`);
