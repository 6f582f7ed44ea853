/**
 * How soon can a database be read after `kill -9` under full random write load? A child loads the rows, another writes
 * random ones from many callers until it is killed, a third opens the directory and reads one row. As a curve over the log
 * that recovery finds: `--rows 1000000`, `--turns 1` kills for each log size. Target: 100 ms from open() to the first read.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { performance } from 'node:perf_hooks';

const MIB = 1024 * 1024;
/** 0: as it is. */
const LOG_MIB = [0, 8, 16, 32, 64];
/** How long the database writes before it is killed as it is. */
const WRITE_MS = 5000;
const CALLERS = 64;
const ROWS_PER_STATEMENT = 50_000;
const SELF = fileURLToPath(import.meta.url);

export async function reopenSuite({ rows = 1_000_000, turns = 1, directory }) {
  const root = mkdtempSync(join(directory, 'phantom-reopen-'));
  try {
    for (const engine of ['btree', 'lsm']) {
      const data = join(root, engine);
      await child(['load', data, String(rows), engine]);
      console.log(`reopen after kill -9, ${engine}, ${rows} rows of 116 bytes, durability fsync, ${CALLERS} writers`);
      for (const logMib of LOG_MIB) {
        for (let turn = 0; turn < turns; turn++) {
          await child(['write', data, String(rows), String(logMib)], 'full');
          const found = JSON.parse(await child(['read', data, String(rows), String(logMib)]));
          console.log(
            `  log ${found.logMib.toFixed(1).padStart(5)} MiB (${logMib === 0 ? 'as it is' : `held to ${logMib}`.padStart(8)})   first read ` +
              `${found.fromOpenMs.toFixed(0).padStart(5)} ms from open() (CPU ${found.cpuMs.toFixed(0).padStart(4)}), ` +
              `${found.fromStartMs.toFixed(0).padStart(5)} ms from process start`,
          );
        }
      }
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** Runs this file as a child; kills it with SIGKILL once it prints `killOn`. Resolves with what it printed. */
function child(args, killOn) {
  return new Promise((resolve, reject) => {
    const process_ = spawn(process.execPath, [SELF, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    process_.stdout.on('data', (data) => {
      output += data;
      if (killOn !== undefined && output.includes(killOn)) process_.kill('SIGKILL');
    });
    process_.on('exit', (code, signal) => {
      if (code === 0 || signal === 'SIGKILL') resolve(output);
      else reject(new Error(`${args[0]} ended with ${code ?? signal}`));
    });
  });
}

async function load(open, [directory, rows, engine]) {
  const db = await open(directory);
  db.exec(`create table t (id bigint primary key, v text) with (engine = ${engine})`);
  for (let from = 0; from < Number(rows); from += ROWS_PER_STATEMENT) {
    const to = Math.min(Number(rows), from + ROWS_PER_STATEMENT) - 1;
    await db.query(`insert into t select i, lpad(i::text, 100, 'x') from generate_series($1::bigint, $2::bigint) i`, [
      from,
      to,
    ]);
  }
  await db.close();
}

/** Settings that hold checkpoints back; none for 0. */
function held(logMib) {
  return logMib === 0 ? {} : { checkpointBytesMin: logMib * 2 * MIB, checkpointBytesMax: logMib * 2 * MIB };
}

async function write(open, [directory, rows, logMib]) {
  const bound = Number(logMib) * MIB;
  const db = await open(directory, held(Number(logMib)));
  const endMs = performance.now() + WRITE_MS;
  let isFull = false;
  const value = 'y'.repeat(100);
  const caller = async () => {
    for (;;) {
      await db.query('update t set v = $1 where id = $2', [value, Math.floor(Math.random() * Number(rows))]);
      const isEnough = bound === 0 ? performance.now() >= endMs : db.stats().store.logBytesSinceCheckpoint >= bound;
      if (!isFull && isEnough) {
        isFull = true;
        process.stdout.write('full\n');
      }
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
}

async function read(open, [directory, rows, logMib]) {
  const openedAt = performance.now();
  const cpuAt = mainThreadCpuMs();
  const db = await open(directory, held(Number(logMib)));
  const row = db.prepare('select v from t where id = $1').get(Math.floor(Number(rows) / 2));
  const readAt = performance.now();
  const cpuMs = mainThreadCpuMs() - cpuAt;
  if (row === undefined) throw new Error('the row is lost');
  const { logBytesSinceCheckpoint } = db.stats().store;
  // performance.now() counts from the start of the process.
  console.log(
    JSON.stringify({
      fromOpenMs: readAt - openedAt,
      fromStartMs: readAt,
      cpuMs,
      logMib: logBytesSinceCheckpoint / MIB,
    }),
  );
  await db.close();
}

/** CPU that this thread has used; NaN where the system does not tell. */
function mainThreadCpuMs() {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
  } catch {
    return Number.NaN;
  }
}

if (process.argv[1] === SELF) {
  const [role, ...rest] = process.argv.slice(2);
  const { open } = await import('@phantom/db');
  await { load, write, read }[role](open, rest);
}
