/**
 * What tables are asked for all day, against better-sqlite3 (WAL, synchronous = FULL): reads and updates by key, many inserts
 * in one transaction, index ranges, a top ten, a join, an aggregate, durable commits from many callers; and the counters of
 * work that must be zero.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from '@phantom/db';
import { contest, measure } from '../contest.mjs';
import { peer } from '../peers.mjs';

const TABLE = 'create table t (id int primary key, k int, c varchar(120), pad varchar(60))';
const CALLERS = 64;
const CACHE_BYTES = 256 * 1024 * 1024;

const text = (i, length) =>
  String(i * 2654435761)
    .padStart(length, 'x')
    .slice(0, length);

export async function sqlSuite({ quick, directory }) {
  const rows = quick ? 100_000 : 1_000_000;
  const lookups = quick ? 100_000 : 300_000;
  const inserts = quick ? 50_000 : 500_000;
  const commits = quick ? 4_000 : 20_000;
  const rounds = quick ? 3 : 5;
  const Sqlite = peer('better-sqlite3');
  const home = mkdtempSync(join(directory ?? tmpdir(), 'phantom-bench-'));
  const db = await open(join(home, 'phantom'), { cacheBytes: CACHE_BYTES });
  const lite = Sqlite === undefined ? undefined : openSqlite(Sqlite, join(home, 'sqlite.db'));
  try {
    console.log(`rows ${rows}, cache ${CACHE_BYTES / 2 ** 20} MiB each`);
    load(db, lite, rows);
    // Both know their rows before any clock runs; ours would look at them by itself a few seconds later.
    for (const run of [(sql) => db.exec(sql), (sql) => lite?.exec(sql)]) run('analyze');
    await db.checkpoint();
    await pointReads(db, lite, rows, lookups, rounds);
    await indexedReads(db, lite, rows, quick ? 300 : 1_000, rounds);
    await aggregate(db, lite, rows, rounds);
    await manyUpdates(db, lite, rows, quick ? 20_000 : 100_000, rounds);
    await manyInserts(db, lite, inserts, rounds);
    await bulkLoad(db, lite, inserts, rounds);
    await durableCommits(db, lite, commits, rounds);
    counters(db, rows);
  } finally {
    lite?.close();
    await db.close();
    rmSync(home, { recursive: true, force: true });
  }
}

function openSqlite(Sqlite, path) {
  const lite = new Sqlite(path);
  lite.pragma('journal_mode = WAL');
  lite.pragma('synchronous = FULL');
  lite.pragma(`cache_size = -${CACHE_BYTES / 1024}`);
  return lite;
}

function load(db, lite, rows) {
  db.exec(TABLE);
  db.transactionSync((tx) => {
    const insert = tx.prepare('insert into t values ($1, $2, $3, $4)');
    for (let i = 0; i < rows; i++) insert.run(i, i % 1000, text(i, 100), text(i, 40));
  });
  if (lite === undefined) return;
  lite.exec(TABLE);
  const insert = lite.prepare('insert into t values (?, ?, ?, ?)');
  lite.transaction(() => {
    for (let i = 0; i < rows; i++) insert.run(i, i % 1000, text(i, 100), text(i, 40));
  })();
}

async function pointReads(db, lite, rows, lookups, rounds) {
  const ids = Array.from({ length: lookups }, (_, i) => (i * 7919) % rows);
  const mine = db.prepare('select * from t where id = $1');
  const other = lite?.prepare('select * from t where id = ?');
  const reads = (statement) => () =>
    measure(lookups, () => {
      let found = 0;
      for (let i = 0; i < lookups; i++) if (statement.get(ids[i]) !== undefined) found++;
      if (found !== lookups) throw new Error(`found ${found} of ${lookups}`);
    });
  await contest({
    name: `point SELECT by primary key, prepared`,
    durability: 'reads',
    target: '>= 2.0',
    rounds,
    ours: reads(mine),
    theirs: other === undefined ? undefined : reads(other),
    peerName: 'better-sqlite3',
  });
}

/** Runs a prepared statement of both many times; the answers of the first run must agree. */
async function both(db, lite, { name, target, rounds, times, cold, sql, parameters }) {
  const mine = db.prepare(sql);
  const other = lite?.prepare(inOrder(sql));
  const order = [...sql.matchAll(/\$(\d)/g)].map((match) => match[1] - 1);
  const again = (i) => order.map((at) => parameters(i)[at]);
  if (other !== undefined) sameRows(name, mine.all(...parameters(1)), other.all(...again(1)));
  const runs =
    (statement, values = parameters) =>
    () =>
      measure(times, () => {
        for (let i = 0; i < times; i++) statement.all(...values(i));
      });
  await contest({
    name,
    durability: 'reads',
    target,
    rounds,
    cold,
    ours: runs(mine),
    theirs: other === undefined ? undefined : runs(other, again),
    peerName: 'better-sqlite3',
  });
}

/** better-sqlite3 takes values by their order alone: one for each place. */
const inOrder = (sql) => sql.replaceAll(/\$\d/g, '?');

function sameRows(name, mine, other) {
  const plain = (rows) => JSON.stringify(rows.map((row) => Object.values(row).map(Number)));
  if (plain(mine) !== plain(other)) throw new Error(`${name}: the answers differ`);
}

async function indexedReads(db, lite, rows, times, rounds) {
  for (const run of [(sql) => db.exec(sql), (sql) => lite?.exec(sql)]) run('create index t_k on t (k)');
  await db.checkpoint();
  const at = (i) => (i * 7919) % (rows - 100);
  await both(db, lite, {
    name: 'range of 100 rows by primary key',
    target: '>= 1.0',
    rounds,
    times,
    sql: 'select id, k from t where id >= $1 and id < $1 + 100 order by id',
    parameters: (i) => [at(i)],
  });
  await both(db, lite, {
    name: 'index range of 100 rows',
    target: '>= 1.0',
    rounds,
    times,
    sql: 'select id, k from t where k = $1 order by id limit 100',
    parameters: (i) => [i % 1000],
  });
  await both(db, lite, {
    name: 'ORDER BY index LIMIT 10',
    target: '>= 1.0',
    rounds,
    times: times * 10,
    sql: 'select k from t where k >= $1 order by k limit 10',
    parameters: (i) => [i % 1000],
  });
  await both(db, lite, {
    name: 'join of 1000 outer rows by key, aggregated',
    target: '>= 1.0',
    rounds,
    times: Math.ceil(times / 3),
    sql: 'select count(*) as n, sum(b.k) as total from t a join t b on b.id = a.k where a.id >= $1 and a.id < $1 + 1000',
    parameters: (i) => [at(i) % (rows - 1000)],
  });
}

/** Executions of a round: as with the small statements, many more are answered by optimized code than by code that is new. */
const AGGREGATIONS = 5;

async function aggregate(db, lite, rows, rounds) {
  const name = `GROUP BY over ${rows} rows`;
  const sql = 'select k % 10 as g, count(*) as n, sum(k) as total, avg(k) as mean from t group by 1 order by 1';
  const line = { target: '-', rounds, times: AGGREGATIONS, cold: true, sql, parameters: () => [] };
  await both(db, lite, { ...line, name: `${name}, this thread` });
  const other = lite?.prepare(sql);
  const again = (run) => () =>
    measure(AGGREGATIONS, async () => {
      for (let i = 0; i < AGGREGATIONS; i++) await run();
    });
  await contest({
    name: `${name}, all threads`,
    durability: 'reads',
    target: '>= 5.0',
    rounds,
    cold: true,
    ours: again(() => db.query(sql)),
    theirs: other === undefined ? undefined : again(() => other.all()),
    peerName: 'better-sqlite3',
  });
}

async function manyUpdates(db, lite, rows, updates, rounds) {
  const sql = 'update t set pad = $2 where id = $1';
  const id = (i, round) => ((i * 7919 + round) * 31) % rows;
  const other = lite?.prepare(inOrder(sql));
  await contest({
    name: `${updates} UPDATEs by key, one transaction`,
    durability: 'fsync, one commit',
    target: '>= 1.0',
    rounds,
    ours: (round) =>
      measure(updates, () =>
        db.transactionSync((tx) => {
          const update = tx.prepare(sql);
          for (let i = 0; i < updates; i++) update.run(id(i, round), text(i, 40));
        }),
      ),
    theirs:
      other === undefined
        ? undefined
        : (round) =>
            measure(
              updates,
              lite.transaction(() => {
                for (let i = 0; i < updates; i++) other.run(text(i, 40), id(i, round));
              }),
            ),
    peerName: 'better-sqlite3',
  });
}

async function manyInserts(db, lite, inserts, rounds) {
  const create = (round, run) =>
    run(`create table i${round} (id int primary key, k int, c varchar(120), pad varchar(60))`);
  await contest({
    name: `${inserts} single-row INSERTs, one transaction`,
    durability: 'fsync, one commit',
    target: '>= 1.0',
    rounds,
    ours: (round) => {
      create(round, (sql) => db.exec(sql));
      return measure(inserts, () =>
        db.transactionSync((tx) => {
          const insert = tx.prepare(`insert into i${round} values ($1, $2, $3, $4)`);
          for (let i = 0; i < inserts; i++) insert.run(i, i % 1000, text(i, 100), text(i, 40));
        }),
      );
    },
    theirs:
      lite === undefined
        ? undefined
        : (round) => {
            create(round, (sql) => lite.exec(sql));
            const insert = lite.prepare(`insert into i${round} values (?, ?, ?, ?)`);
            return measure(
              inserts,
              lite.transaction(() => {
                for (let i = 0; i < inserts; i++) insert.run(i, i % 1000, text(i, 100), text(i, 40));
              }),
            );
          },
    peerName: 'better-sqlite3',
  });
}

/** Rows that lie ready as arrays: through copyInto, and through the fastest that better-sqlite3 has, one prepared INSERT. */
async function bulkLoad(db, lite, count, rounds) {
  const rows = Array.from({ length: count }, (_, i) => [i, i % 1000, text(i, 100), text(i, 40)]);
  const create = (round, run) =>
    run(`create table b${round} (id int primary key, k int, c varchar(120), pad varchar(60))`);
  await contest({
    name: `bulk load of ${count} rows`,
    durability: 'fsync, one commit',
    target: '>= 1.0',
    rounds,
    ours: (round) => {
      create(round, (sql) => db.exec(sql));
      return measure(count, () => db.copyInto(`b${round}`, rows));
    },
    theirs:
      lite === undefined
        ? undefined
        : (round) => {
            create(round, (sql) => lite.exec(sql));
            const insert = lite.prepare(`insert into b${round} values (?, ?, ?, ?)`);
            return measure(
              count,
              lite.transaction(() => {
                for (const row of rows) insert.run(row);
              }),
            );
          },
    peerName: 'better-sqlite3',
  });
}

async function durableCommits(db, lite, commits, rounds) {
  db.exec('create table d (id int primary key, v text)');
  lite?.exec('create table d (id int primary key, v text)');
  const insert = lite?.prepare('insert into d values (?, ?)');
  let next = 0;
  let nextLite = 0;
  const ourInsert = db.prepare('insert into d values ($1, $2)');
  const fewer = Math.ceil(commits / 4);
  const theirs =
    insert === undefined
      ? undefined
      : () =>
          measure(fewer, () => {
            for (let i = 0; i < fewer; i++) insert.run(nextLite++, 'v');
          });
  await contest({
    name: 'durable single-row commits, one caller',
    durability: 'fsync',
    target: '>= 0.9',
    rounds,
    ours: () =>
      measure(fewer, () => {
        for (let i = 0; i < fewer; i++) ourInsert.run(next++, 'v');
      }),
    theirs,
    peerName: 'better-sqlite3',
  });
  const before = db.stats();
  await contest({
    name: `durable single-row commits, ${CALLERS} callers`,
    durability: 'fsync',
    target: '>= 5.0',
    rounds,
    ours: () =>
      measure(commits, async () => {
        let left = commits;
        const caller = async () => {
          while (left-- > 0) await db.query('insert into d values ($1, $2)', [next++, 'v']);
        };
        await Promise.all(Array.from({ length: CALLERS }, caller));
      }),
    theirs,
    peerName: 'better-sqlite3 (1)',
  });
  const after = db.stats();
  const syncs = after.store.syncs - before.store.syncs;
  console.log(`  commits per fsync: ${((after.store.commits - before.store.commits) / syncs).toFixed(1)}`);
}

function counters(db, rows) {
  const statement = db.prepare('select c from t where id = $1');
  statement.get(1);
  const before = db.stats().work;
  for (let i = 0; i < 1000; i++) statement.get((i * 31) % rows);
  const after = db.stats().work;
  const work = Object.fromEntries(
    ['parses', 'plans', 'schemaLoads', 'compilations'].map((name) => [name, after[name] - before[name]]),
  );
  console.log(`  work of 1000 re-executions: ${JSON.stringify(work)}`);
}
