/** The machine under the figures: what it is, and what its disk can do at this moment. */
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { arch, cpus, loadavg, platform, release, totalmem } from 'node:os';
import { join } from 'node:path';

const SYNCS = 400;

/** Median and 95th percentile of writing 256 bytes into a zero-filled file and syncing, in microseconds. */
export function syncFloor(directory) {
  const path = join(directory, 'floor.bin');
  const file = openSync(path, 'w');
  writeSync(file, Buffer.alloc(1 << 20));
  fdatasyncSync(file);
  const bytes = Buffer.alloc(256, 1);
  const micros = [];
  for (let i = 0; i < SYNCS; i++) {
    const start = process.hrtime.bigint();
    writeSync(file, bytes, 0, 256, i * 256);
    fdatasyncSync(file);
    micros.push(Number(process.hrtime.bigint() - start) / 1000);
  }
  closeSync(file);
  rmSync(path);
  micros.sort((a, b) => a - b);
  return { p50: micros[SYNCS / 2], p95: micros[Math.floor(SYNCS * 0.95)] };
}

/** One line about the machine. */
export function machineLine() {
  const [cpu] = cpus();
  const load = loadavg()[0].toFixed(2);
  return `${platform()} ${release()} ${arch()}, ${cpus().length} x ${cpu?.model ?? '?'}, ${(totalmem() / 2 ** 30).toFixed(1)} GiB, Node ${process.version}, load ${load}`;
}
