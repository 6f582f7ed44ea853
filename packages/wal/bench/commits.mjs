/**
 * Durable commits a second with 1, 64 and 256 callers, beside the floor of the machine: the time of one fdatasync of 4 KiB
 * into a file filled with zeros. A caller appends 100 bytes and waits for them to be durable.
 *
 *   node packages/wal/bench/commits.mjs [directory] [seconds]      (after `npm run build`)
 */
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { loadChecksums } from '@phantom/base';
import { createNodeVfs } from '@phantom/vfs';
import { openWal } from '@phantom/wal';

const directory = fs.mkdtempSync(`${process.argv[2] ?? tmpdir()}/wal-bench-`);
const seconds = Number(process.argv[3] ?? 2);
const payload = new Uint8Array(100).fill(7);

function floorMs() {
  const path = `${directory}/floor`;
  const descriptor = fs.openSync(path, 'w+');
  fs.writeSync(descriptor, new Uint8Array(4 * 1024 * 1024));
  fs.fsyncSync(descriptor);
  const times = [];
  const page = new Uint8Array(4096).fill(1);
  for (let i = 0; i < 500; i++) {
    const started = performance.now();
    fs.writeSync(descriptor, page, 0, page.length, (i % 1000) * 4096);
    fs.fdatasyncSync(descriptor);
    times.push(performance.now() - started);
  }
  fs.closeSync(descriptor);
  fs.rmSync(path);
  times.sort((a, b) => a - b);
  return { p50: times[250], p99: times[495] };
}

async function run(callers) {
  const checksums = await loadChecksums();
  const wal = await openWal({ directory: `${directory}/log-${callers}`, vfs: createNodeVfs(), checksums });
  const latencies = [];
  let seq = 0;
  let measuring = false;
  const until = performance.now() + 300 + seconds * 1000;
  const caller = async () => {
    while (performance.now() < until) {
      const started = performance.now();
      wal.append(payload, { seq: ++seq, commitTimeMs: 0, flags: 0 });
      await wal.sync();
      if (measuring) latencies.push(performance.now() - started);
    }
  };
  let before = wal.stats();
  setTimeout(() => {
    measuring = true;
    before = wal.stats();
  }, 300);
  await Promise.all(Array.from({ length: callers }, caller));
  const after = wal.stats();
  const floor = floorMs();
  latencies.sort((a, b) => a - b);
  const rate = latencies.length / seconds;
  const at = (part) => (latencies[Math.floor(latencies.length * part)] * 1000).toFixed(0);
  console.log(
    `${String(callers).padStart(4)} callers  ${rate.toFixed(0).padStart(7)} commits/s  p50 ${at(0.5)} us  p99 ${at(0.99)} us  ` +
      `${((after.records - before.records) / (after.syncs - before.syncs)).toFixed(1)} commits/fdatasync  ` +
      `floor p50 ${(floor.p50 * 1000).toFixed(0)} us p99 ${(floor.p99 * 1000).toFixed(0)} us  ` +
      `${(rate / (callers / (floor.p50 / 1000))).toFixed(2)} of callers/floor`,
  );
  await wal.close();
}

async function appendCost() {
  const wal = await openWal({
    directory: `${directory}/append`,
    vfs: createNodeVfs(),
    checksums: await loadChecksums(),
    durability: 'os',
  });
  for (let round = 0; round < 3; round++) {
    const started = performance.now();
    for (let i = 0; i < 200_000; i++) {
      wal.append(payload, { seq: 1, commitTimeMs: 0, flags: 0 });
      if (i % 1000 === 0) wal.write();
    }
    if (round === 2)
      console.log(`append of 100 B, written in thousands: ${((performance.now() - started) / 0.2).toFixed(0)} ns`);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await wal.close();
}

console.log(
  `node ${process.version}, durability fsync, 100-byte payloads, ${seconds} s each, one default configuration`,
);
for (const callers of [1, 64, 256]) await run(callers);
await appendCost();
fs.rmSync(directory, { recursive: true });
