// Times the engine on a directory of its own, without log and store:
//   node packages/btree/bench/engine.mjs [entries] [pageBytes]   (after a build of the package)
// Cache large enough for everything; keys of 16 bytes, values of 100; prints CPU time as well as wall time.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MetricsRegistry, loadChecksums, silentLogger, systemClock } from '@phantom/base';
import { BatchReader, ByteSlot, CursorBatch, EngineCode, WriteBatch } from '@phantom/kv';
import { createNodeVfs } from '@phantom/vfs';
import { btree } from '@phantom/btree';

const entries = Number(process.argv[2] ?? 1_000_000);
const pageBytes = Number(process.argv[3] ?? 8192);
const batchOperations = 1000;
const value = new Uint8Array(100).fill(0x76);
const key = new Uint8Array(16);
const keyView = new DataView(key.buffer);
key[0] = EngineCode.Btree << 4;
key[3] = 7;

/** The key of a number; scattered ones are a permutation of all 32-bit numbers. */
function setKey(i, scattered) {
  keyView.setUint32(8, scattered ? Math.imul(i, 0x9e3779b1) : 0);
  keyView.setUint32(12, i);
}

const vfs = await createNodeVfs();
const checksums = await loadChecksums();
let seq = 0;

async function open(directory) {
  let generation = 0;
  return btree({ pageBytes, idleMergeMs: 1e9 }).open({
    vfs,
    directory,
    checksums,
    clock: systemClock,
    logger: silentLogger,
    metrics: new MetricsRegistry(),
    cacheBytes: 1 << 30,
    deltaBytesMax: 32 << 20,
    readOnly: false,
    generationMin: 0,
    recordGeneration: async (value) => void (generation = Math.max(generation, value)),
    recordGenerationNow: (value) => void (generation = Math.max(generation, value)),
    fail: (error) => {
      throw error;
    },
  });
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
  console.log(
    `${name.padEnd(34)} ${rate(wallMs)} wall  ${rate(cpuMs)} cpu  ${((cpuMs * 1e6) / count).toFixed(0).padStart(6)} ns`,
  );
}

async function load(engine, from, to, scattered) {
  const batch = new WriteBatch(batchOperations * 125);
  const reader = new BatchReader();
  for (let i = from; i < to; i += batchOperations) {
    batch.reset();
    for (let j = i; j < Math.min(i + batchOperations, to); j++) {
      setKey(j, scattered);
      batch.put(key, 0, 16, value, 0, value.length);
    }
    const bytes = batch.finish();
    await engine.admit(bytes.length);
    engine.apply(reader.setBatch(bytes), ++seq, Number.POSITIVE_INFINITY);
    if (i % (batchOperations * 16) === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

function gets(engine, count, scattered, hot) {
  const view = engine.view(seq);
  const slot = new ByteSlot();
  let found = 0;
  let state = 12345;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    setKey((state >>> 0) % hot, scattered);
    if (view.get(key, 0, 16, slot)) found++;
  }
  view.release();
  if (found !== count) throw new Error(`found ${found} of ${count}`);
}

function scan(engine, expected) {
  const view = engine.view(seq);
  const cursor = view.cursor({ lower: new Uint8Array(0), upper: undefined });
  const batch = new CursorBatch(1024);
  let count = 0;
  let bytes = 0;
  for (let n = cursor.fill(batch); n > 0; n = cursor.fill(batch)) {
    count += n;
    for (let i = 0; i < n; i++) bytes += batch.valueEnds[i] - batch.valueStarts[i];
  }
  cursor.close();
  view.release();
  if (count !== expected || bytes !== expected * 100) throw new Error(`scanned ${count} of ${expected}`);
}

async function readings(engine, what, scattered) {
  for (let round = 0; round < 2; round++) {
    await report(`get ${what}`, entries, () => gets(engine, entries, scattered, entries));
    await report(`get hot tenth ${what}`, entries, () => gets(engine, entries, scattered, Math.ceil(entries / 10)));
    await report(`scan ${what}`, entries, () => scan(engine, entries));
  }
}

for (const scattered of [false, true]) {
  const order = scattered ? 'scattered' : 'ascending';
  const directory = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'phantom-btree-'));
  const engine = await open(directory);
  await report(`load ${order}`, entries, () => load(engine, 0, entries, scattered));
  await report(`flush ${order}`, entries, () => engine.flush());
  console.log(`  runs ${engine.stats().runs}, merges ${engine.stats().merges}`);
  if (engine.stats().runs > 0) await readings(engine, `${order}, ${engine.stats().runs} runs`, scattered);
  await report(`merge ${order}`, entries, () => engine.merge());
  const stats = engine.stats();
  console.log(
    `  height ${engine.height}, file ${(stats.fileBytes / 1e6).toFixed(0)} MB, pages of ${pageBytes}, cache ${(stats.cacheBytes / 1e6).toFixed(0)} MB, written by merges ${(stats.bytesMerged / 1e6).toFixed(0)} MB`,
  );
  await readings(engine, `${order}, merged`, scattered);
  await report(`random updates ${order}, a tenth`, entries / 10, async () => {
    await load(engine, 0, entries / 10, scattered);
    await engine.flush();
  });
  await readings(engine, `${order}, ${engine.stats().runs} runs above`, scattered);
  await report(`merge updates ${order}`, entries / 10, () => engine.merge());
  console.log(`  file ${(engine.stats().fileBytes / 1e6).toFixed(0)} MB`);
  await engine.close();
  rmSync(directory, { recursive: true });
}
