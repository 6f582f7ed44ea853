/**
 * What both engines make of five workloads: bytes written for each byte of the user, bytes on the disk, pages read, CPU; and
 * whether the advisor, asked from the evidence that either engine's store has gathered, names the cheaper one.
 *
 * The cost that is stated is CPU time of all threads, with what is left to do in the background done, and the time a disk
 * of 200 MB a second needs for what is written to it. 16 + 100 bytes a row; each run in a process of its own.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CONFIGURATION } from '../amplification/open-tree.mjs';
import { WORKLOADS } from '../amplification/workloads.mjs';

const program = fileURLToPath(new URL('../amplification/run-workload.mjs', import.meta.url));
const ROWS = 200_000;
const ROW_BYTES = 116;
const DISK_BYTES_PER_MS = 200_000;
const ENGINES = ['btree', 'lsm'];
/** What the advisor must not exceed. */
const WORSE_MAX = 1.2;
const COLUMNS = ['', 'log', 'flush', 'merge', 'disk', 'pages', 'CPU ms', 'cost ms', 'estimated'];

export function amplificationSuite({ quick, rows = quick ? 20_000 : ROWS, only, directory }) {
  console.log(`\n## Amplification: ${rows} rows of 16 + 100 bytes, ${JSON.stringify(CONFIGURATION)}`);
  console.log(
    'log, flush, merge: bytes written for each byte of the user; disk: bytes for each byte of its rows; pages: read for each row that is read',
  );
  const isWanted = (name) => only === undefined || only.some((part) => name.includes(part));
  for (const name of Object.keys(WORKLOADS).filter(isWanted)) {
    console.log(`\n${name}`);
    row(COLUMNS);
    const found = ENGINES.map((engine) => measure(engine, name, rows, directory));
    const costs = found.map(costMs);
    found.forEach((figures, i) => printFigures(ENGINES[i], figures, costs[i]));
    found.forEach(({ advice }, i) => printAdvice(ENGINES[i], advice, costs));
  }
}

function measure(engine, name, rows, parent) {
  const directory = mkdtempSync(join(parent, 'phantom-amplification-'));
  try {
    const args = [program, engine, name, String(rows), join(directory, 'data')];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`${engine}, ${name}: ${stderr.slice(-600)}`);
    return JSON.parse(stdout);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function costMs({ cpuMs, logBytes, bytesFlushed, bytesMerged }) {
  return cpuMs + (logBytes + bytesFlushed + bytesMerged) / DISK_BYTES_PER_MS;
}

function printFigures(engine, figures, cost) {
  const { userBytes, logBytes, bytesFlushed, bytesMerged, diskBytes, cpuMs, rowsLeft, estimates } = figures;
  const perByte = (bytes) => (bytes / userBytes).toFixed(2);
  row([
    engine,
    perByte(logBytes),
    perByte(bytesFlushed),
    perByte(bytesMerged),
    (diskBytes / (rowsLeft * ROW_BYTES)).toFixed(2),
    (figures.pagesRead / (figures.gets + figures.scanRows)).toFixed(3),
    cpuMs.toFixed(0),
    cost.toFixed(0),
    estimates[engine].toFixed(0),
  ]);
}

function printAdvice(engine, advice, costs) {
  const worse = costs[ENGINES.indexOf(advice.engine)] / Math.min(...costs);
  const verdict =
    worse > WORSE_MAX ? `${worse.toFixed(2)} times the better: WRONG` : `${worse.toFixed(2)} times the better`;
  console.log(`  advice to ${engine}: ${advice.engine} (${verdict}); ${advice.reason}`);
}

function row(cells) {
  console.log(`  ${cells.map((cell) => cell.padStart(10)).join('')}`);
}
