/**
 * How soon can a database be read after `kill -9` under full random write load? A child loads the rows, another writes
 * random ones from many callers until it is killed, a third opens the directory and reads one row. As a curve over the log
 * that recovery finds, for a table of a database on either tree and for each tree alone: `--rows 1000000`, `--turns 1` kills
 * for each log size, `--only openBtree,lsm`. Target: 100 ms from open() to the first read.
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

/** What is opened: a database with a table on either tree, and each tree alone. */
const SUBJECTS = ['btree', 'lsm', 'openBtree', 'openLsm'];

export async function reopenSuite({ rows = 1_000_000, turns = 1, only = SUBJECTS, directory }) {
  const root = mkdtempSync(join(directory, 'phantom-reopen-'));
  try {
    for (const subject of only) {
      const data = join(root, subject);
      await child(['load', subject, data, String(rows)]);
      console.log(`reopen after kill -9, ${subject}, ${rows} rows of 116 bytes, durability fsync, ${CALLERS} writers`);
      for (const logMib of LOG_MIB) {
        for (let turn = 0; turn < turns; turn++) {
          await child(['write', subject, data, String(rows), String(logMib)], 'full');
          const found = JSON.parse(await child(['read', subject, data, String(rows), String(logMib)]));
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

/** A table of a database: what the roles below do to it, and its statistics. */
async function openTable(directory, options) {
  const { open } = await import('@phantom/db');
  const db = await open(directory, options);
  return {
    load: async (engine, rows) => {
      db.exec(`create table t (id bigint primary key, v text) with (engine = ${engine})`);
      const insert = `insert into t select i, lpad(i::text, 100, 'x') from generate_series($1::bigint, $2::bigint) i`;
      for (let from = 0; from < rows; from += ROWS_PER_STATEMENT) {
        await db.query(insert, [from, Math.min(rows, from + ROWS_PER_STATEMENT) - 1]);
      }
    },
    put: (id) => db.query('update t set v = $1 where id = $2', ['y'.repeat(100), id]),
    get: (id) => db.prepare('select v from t where id = $1').get(id),
    logBytes: () => db.stats().store.logBytesSinceCheckpoint,
    close: () => db.close(),
  };
}

/** A tree alone, with the same calls. */
async function openTree(openSpace, directory, options) {
  const db = await openSpace(directory, options);
  const keyOf = (id) => Buffer.from(String(id).padStart(16, '0'));
  const value = Buffer.alloc(100, 'y');
  return {
    load: async (_engine, rows) => {
      for (let from = 0; from < rows; from += ROWS_PER_STATEMENT) {
        const batch = db.batch();
        for (let id = from; id < Math.min(rows, from + ROWS_PER_STATEMENT); id++) batch.put(keyOf(id), value);
        await db.write(batch);
      }
    },
    put: (id) => db.put(keyOf(id), value),
    get: (id) => db.get(keyOf(id)),
    logBytes: () => db.stats().logBytesSinceCheckpoint,
    close: () => db.close(),
  };
}

async function openerOf(subject) {
  if (subject === 'openBtree') return openTree.bind(undefined, (await import('@phantom/btree')).openBtree);
  if (subject === 'openLsm') return openTree.bind(undefined, (await import('@phantom/lsm')).openLsm);
  await import('@phantom/db');
  return openTable;
}

/** Settings that hold checkpoints back; none for 0. */
function held(logMib) {
  return logMib === 0 ? {} : { checkpointBytesMin: logMib * 2 * MIB, checkpointBytesMax: logMib * 2 * MIB };
}

async function load(open, subject, directory, rows) {
  const db = await open(directory, {});
  await db.load(subject, rows);
  await db.close();
}

async function write(open, _subject, directory, rows, logMib) {
  const db = await open(directory, held(logMib));
  const endMs = performance.now() + WRITE_MS;
  let isFull = false;
  const caller = async () => {
    for (;;) {
      await db.put(Math.floor(Math.random() * rows));
      const isEnough = logMib === 0 ? performance.now() >= endMs : db.logBytes() >= logMib * MIB;
      if (!isFull && isEnough) {
        isFull = true;
        process.stdout.write('full\n');
      }
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
}

async function read(open, _subject, directory, rows, logMib) {
  const openedAt = performance.now();
  const cpuAt = mainThreadCpuMs();
  const db = await open(directory, held(logMib));
  const row = db.get(Math.floor(rows / 2));
  const readAt = performance.now();
  const cpuMs = mainThreadCpuMs() - cpuAt;
  if (row === undefined) throw new Error('the row is lost');
  // performance.now() counts from the start of the process.
  const found = { fromOpenMs: readAt - openedAt, fromStartMs: readAt, cpuMs, logMib: db.logBytes() / MIB };
  console.log(JSON.stringify(found));
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
  const [role, subject, directory, rows, logMib] = process.argv.slice(2);
  await { load, write, read }[role](await openerOf(subject), subject, directory, Number(rows), Number(logMib));
}
