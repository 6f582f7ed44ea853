// Times the delta: node packages/runs/bench/delta.mjs [entries]   (after a build of the package)
import { BatchReader, ByteSlot, EngineCode, WriteBatch } from '@phantom/kv';
import { Delta } from '../dist/index.js';

const entries = Number(process.argv[2] ?? 1_000_000);
const batchOperations = 1000;
const value = new Uint8Array(100).fill(0x76);

/** Batches of puts with keys of 16 bytes, ascending or scattered. */
function batches(scattered) {
  const made = [];
  const key = new Uint8Array(16);
  const view = new DataView(key.buffer);
  key[0] = EngineCode.Btree << 4;
  key[3] = 7;
  for (let i = 0; i < entries; i += batchOperations) {
    const batch = new WriteBatch(batchOperations * 125);
    for (let j = i; j < i + batchOperations; j++) {
      // An odd multiplier permutes the numbers below 2^32.
      view.setUint32(8, scattered ? Math.imul(j, 0x9e3779b1) : 0);
      view.setUint32(12, j);
      batch.put(key, 0, 16, value, 0, value.length);
    }
    made.push(batch.finish());
  }
  return made;
}

function report(name, count, run) {
  globalThis.gc?.();
  const before = process.cpuUsage();
  run();
  const used = process.cpuUsage(before);
  console.log(`${name.padEnd(28)} ${(((used.user + used.system) * 1000) / count).toFixed(0).padStart(6)} ns`);
}

const reader = new BatchReader();
for (let round = 0; round < 3; round++) {
  for (const scattered of [false, true]) {
    const made = batches(scattered);
    const name = scattered ? 'scattered' : 'ascending';
    const delta = new Delta({ capacityBytes: 128 * 1024 * 1024 });
    report(`${name} put`, entries, () => {
      let seq = 0;
      for (const bytes of made) delta.apply(reader.setBatch(bytes), ++seq, Infinity, EngineCode.Btree);
    });
    const slot = new ByteSlot();
    report(`${name} get`, entries, () => {
      let found = 0;
      for (const bytes of made) {
        reader.setBatch(bytes);
        while (reader.next()) found += delta.get(reader.bytes, reader.keyStart, reader.keyEnd, delta.lastSeq, slot);
      }
      if (found !== entries) throw new Error(`only ${found} found`);
    });
    report(`${name} scan`, entries, () => {
      const cursor = delta.cursor({ lower: new Uint8Array(0), upper: undefined }, delta.lastSeq);
      let seen = 0;
      while (cursor.next()) seen++;
      if (seen !== entries) throw new Error(`only ${seen} seen`);
    });
    delta.freeze();
    report(`${name} versions`, entries, () => {
      const versions = delta.versions([]);
      let seen = 0;
      while (versions.next()) seen++;
      if (seen !== entries) throw new Error(`only ${seen} seen`);
    });
    console.log(`bytes per entry ${(delta.bytes / delta.entries).toFixed(1)}`);
  }
}
