/**
 * Transactions: what an empty one costs, and what many writers at once get. Pairs are run in turns on the same disk:
 *
 *   a hot counter    16 writers of one row that read and write: with retries against locks from the beginning, and as
 *                    autocommit statements, which pass the row on when their commit is in the log
 *   disjoint rows    16 writers of 16 rows: nobody may lose
 *   read-modify-write of random rows from 64 callers, each durable: against better-sqlite3's BEGIN IMMEDIATE in this
 *                    process, and against PostgreSQL with both behind sockets
 *
 * `--only` names some of them: empty, hot, disjoint, callers, sockets.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { open } from '@phantom/db';
import { contest, measure } from '../contest.mjs';
import { startDaemon } from '../daemon.mjs';
import { peer } from '../peers.mjs';
import { startPostgres } from '../postgres.mjs';

const PACKAGE_BENCH = fileURLToPath(new URL('../../../../packages/mvcc/bench/transactions.mjs', import.meta.url));
const WRITERS = 16;
const CALLERS = 64;
const ACCOUNTS = 10_000;

const TABLE = 'create table account (id int primary key, n int not null)';
const READ = 'select n from account where id = $1';
const WRITE = 'update account set n = $2 where id = $1';

export async function transactionsSuite({ quick, only, directory }) {
  const isAsked = (name) => only === undefined || only.includes(name);
  const rounds = quick ? 3 : 5;
  const transactions = quick ? 1_000 : 5_000;
  const home = mkdtempSync(join(directory ?? tmpdir(), 'phantom-bench-'));
  try {
    if (isAsked('empty')) execFileSync(process.execPath, [PACKAGE_BENCH], { stdio: 'inherit' });
    if (['hot', 'disjoint', 'callers'].some(isAsked)) {
      const db = await open(join(home, 'phantom'));
      try {
        db.exec(TABLE);
        db.exec(`insert into account select i, 0 from generate_series(0, ${ACCOUNTS - 1}) i`);
        if (isAsked('hot')) await hotCounter(db, quick ? 200 : 1_000, rounds);
        if (isAsked('disjoint')) await disjointWriters(db, transactions);
        if (isAsked('callers')) await besideSqlite(db, home, transactions, rounds);
      } finally {
        await db.close();
      }
    }
    if (isAsked('sockets')) await besidePostgres(join(home, 'served'), transactions, rounds);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** Runs a piece of work so often, from so many callers at once; each is told its number. */
async function fromCallers(callers, times, work) {
  let left = times;
  const caller = async (number) => {
    while (left-- > 0) await work(number);
  };
  await Promise.all(Array.from({ length: callers }, (_, number) => caller(number)));
}

/** The same row in the same order for both of a pair. */
const someRow = (i) => (i * 7919) % ACCOUNTS;

function readAndWrite(db, row, options) {
  return db.transaction(async (tx) => {
    const [{ n }] = (await tx.query(options?.concurrency === 'locking' ? `${READ} for update` : READ, [row])).rows;
    await tx.query(WRITE, [row, n + 1]);
  }, options);
}

async function hotCounter(db, times, rounds) {
  const locking = { isolation: 'read committed', concurrency: 'locking' };
  const counted = () => db.prepare(READ).get(0).n;
  const run = (work) => () => measure(times, () => fromCallers(WRITERS, times, work));
  const before = counted();
  await contest({
    name: `hot counter, ${WRITERS} writers, retries`,
    durability: 'fsync',
    target: '>= 0.8',
    rounds,
    ours: run(() => readAndWrite(db, 0, { retries: 100 })),
    theirs: run(() => readAndWrite(db, 0, locking)),
    peerName: 'with locks',
  });
  const statement = 'update account set n = n + 1 where id = 0';
  const { commits, syncs } = db.stats().store;
  await contest({
    name: `hot counter, ${WRITERS} writers, autocommit`,
    durability: 'fsync',
    rounds,
    ours: run(() => db.query(statement)),
  });
  const after = db.stats().store;
  console.log(`  commits per fsync: ${((after.commits - commits) / (after.syncs - syncs)).toFixed(1)}`);
  if (counted() - before !== 3 * rounds * times) throw new Error('the counter has lost counts');
}

async function disjointWriters(db, times) {
  const before = db.stats().transactions;
  const run = await measure(times, () => fromCallers(WRITERS, times, (writer) => readAndWrite(db, writer + 1)));
  const { conflicts } = db.stats().transactions;
  const rate = Math.round(run.operations / run.seconds);
  console.log(
    `  ${WRITERS} writers of different rows: ${rate}/s, ${conflicts - before.conflicts} lost races (target 0)`,
  );
}

async function besideSqlite(db, home, times, rounds) {
  const Sqlite = peer('better-sqlite3');
  const lite = Sqlite === undefined ? undefined : new Sqlite(join(home, 'sqlite.db'));
  let i = 0;
  let j = 0;
  let theirs;
  if (lite !== undefined) {
    lite.pragma('journal_mode = WAL');
    lite.pragma('synchronous = FULL');
    lite.exec(TABLE);
    const insert = lite.prepare('insert into account values (?, 0)');
    lite.transaction(() => {
      for (let id = 0; id < ACCOUNTS; id++) insert.run(id);
    })();
    const read = lite.prepare('select n from account where id = ?');
    const write = lite.prepare('update account set n = ? where id = ?');
    const once = lite.transaction((row) => write.run(read.get(row).n + 1, row)).immediate;
    const some = Math.ceil(times / 4);
    theirs = () =>
      measure(some, () => {
        for (let n = 0; n < some; n++) once(someRow(j++));
      });
  }
  await contest({
    name: `durable read-modify-write, ${CALLERS} callers`,
    durability: 'fsync',
    target: '>= 5.0',
    rounds,
    ours: () => measure(times, () => fromCallers(CALLERS, times, () => readAndWrite(db, someRow(i++)))),
    theirs,
    peerName: 'better-sqlite3 (1)',
  });
  lite?.close();
}

/** Connected clients of a server whose table is filled: { run, end }. */
async function connect(pg, address) {
  const clients = Array.from({ length: CALLERS }, () => new pg.Client({ host: '127.0.0.1', ...address }));
  for (const client of clients) await client.connect();
  await clients[0].query(TABLE);
  await clients[0].query(`insert into account select i, 0 from generate_series(0, ${ACCOUNTS - 1}) i`);
  let i = 0;
  const readModifyWrite = async (number) => {
    const client = clients[number];
    const row = someRow(i++);
    await client.query('begin');
    const { rows } = await client.query({ name: 'read', text: `${READ} for update`, values: [row] });
    await client.query({ name: 'write', text: WRITE, values: [row, rows[0].n + 1] });
    await client.query('commit');
  };
  return {
    run: (times) => measure(times, () => fromCallers(CALLERS, times, readModifyWrite)),
    end: () => Promise.all(clients.map((client) => client.end())),
  };
}

async function besidePostgres(data, times, rounds) {
  const pg = peer('pg');
  if (pg === undefined) return;
  const postgres = await startPostgres();
  const daemon = await startDaemon(data);
  const mine = await connect(pg, { port: daemon.port, user: 'phantom', database: 'phantom' });
  const theirs =
    postgres === undefined
      ? undefined
      : await connect(pg, { port: postgres.client.port, user: 'postgres', database: 'postgres' });
  try {
    await contest({
      name: `the same through sockets, ${CALLERS} clients`,
      durability: 'fsync',
      target: '>= 1.5',
      rounds,
      ours: () => mine.run(times),
      theirs: theirs === undefined ? undefined : () => theirs.run(times),
      peerName: 'PostgreSQL',
    });
  } finally {
    await mine.end();
    await theirs?.end();
    await daemon.stop();
    await postgres?.stop();
  }
}
