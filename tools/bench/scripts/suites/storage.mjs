/**
 * Both trees alone, against what people use for the same: LevelDB, RocksDB, LMDB, and SQLite as a key-value table. Keys of 16
 * bytes, values of 100; each subject in a process of its own, all of them in turns; of each measurement the median of the
 * turns. On a machine that does other work the CPU time is the steadier figure. `--only lsm,lmdb` for some subjects,
 * `--only readrandom,put` for the measurements whose names begin so (and the filling), `--only 'lsm,hot set'` for both.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { CONFIGURATION, SUBJECTS } from '../storage/subjects.mjs';

const program = fileURLToPath(new URL('../storage/run-subject.mjs', import.meta.url));
const NAME_CHARS = 30;
const CELL_CHARS = 18;

export async function storageSuite({
  quick,
  rows = quick ? 100_000 : 1_000_000,
  turns = quick ? 1 : 2,
  only,
  directory,
}) {
  const isSubject = (word) => Object.hasOwn(SUBJECTS, word);
  const chosen = only?.filter(isSubject) ?? [];
  const names = chosen.length > 0 ? chosen : Object.keys(SUBJECTS);
  const wanted = only?.filter((word) => !isSubject(word)) ?? [];
  console.log(`\n## Storage: ${rows} rows of 16 + 100 bytes, ${turns} turns; batches of 1000 are not synced`);
  console.log(`one configuration: ${JSON.stringify(CONFIGURATION)}, everything else as it comes\n`);
  const results = new Map(names.map((name) => [name, new Map()]));
  for (let turn = 0; turn < turns; turn++) {
    for (const name of names) {
      const seconds = await collect(results.get(name), name, rows, wanted, directory);
      process.stderr.write(`turn ${turn + 1}: ${name} took ${seconds.toFixed(0)} s\n`);
    }
  }
  print(names, results);
}

/** One subject, one turn; says what it has measured as it goes, and returns how many seconds it took. */
async function collect(measured, name, rows, wanted, parent) {
  const start = performance.now();
  const directory = mkdtempSync(join(parent, `storage-${name}-`));
  try {
    const run = spawn(process.execPath, [program, name, String(rows), directory, ...wanted], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(run, 'exit');
    for await (const line of createInterface(run.stdout)) {
      if (!line.startsWith('{')) continue;
      const { what, ...figures } = JSON.parse(line);
      measured.set(what, [...(measured.get(what) ?? []), figures]);
      if (figures.perSecond !== undefined) process.stderr.write(`${name}: ${what} ${short(figures.perSecond)}\n`);
    }
    const [code, signal] = await ended;
    if (code !== 0) process.stderr.write(`${name} failed: ${code ?? signal}\n`);
    return (performance.now() - start) / 1000;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function print(names, results) {
  const row = (cells) =>
    console.log(cells.map((cell, i) => String(cell).padEnd(i === 0 ? NAME_CHARS : CELL_CHARS)).join(''));
  const whats = [...new Set(names.flatMap((name) => [...results.get(name).keys()]))];
  row(['per second (CPU us)', ...names]);
  for (const what of whats) {
    const cells = names.map((name) => {
      const runs = results.get(name).get(what);
      if (runs?.[0].perSecond === undefined) return runs === undefined ? '-' : '';
      return `${short(median(runs, 'perSecond'))} (${median(runs, 'cpuMicros').toFixed(2)})`;
    });
    if (cells.some((cell) => cell !== '' && cell !== '-')) row([what, ...cells]);
  }
  console.log('');
  for (const name of names) {
    const notes = [];
    for (const [what, runs] of results.get(name)) {
      for (const key of Object.keys(runs[0])) {
        if (key !== 'perSecond' && key !== 'cpuMicros') notes.push(`${what}: ${key} ${short(median(runs, key))}`);
      }
    }
    console.log(`${name}: ${notes.join('; ')}`);
  }
}

function median(runs, key) {
  const values = runs.map((figures) => figures[key]).sort((a, b) => a - b);
  return values[values.length >> 1] ?? Number.NaN;
}

function short(value) {
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)}M`;
  if (value >= 1000) return `${(value / 1000).toFixed(1)}k`;
  return value.toFixed(2);
}
