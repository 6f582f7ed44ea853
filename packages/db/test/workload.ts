/**
 * A mixed workload for sweeps: numbered rows with a secondary index, transfers between accounts with a constant sum, parents
 * and children, and definitions in between. Some tables lie in the B+tree and some in the LSM-tree, and families span both
 * in one commit; now and then a table moves to the other engine, and its column index takes in what was written. A purchase is a row, a customer and an event that refers to the
 * customer: all of them are there or none. `audit` says what is wrong with a database that went through any part of it.
 */
import { Random } from '@phantom/base';
import type { Vfs } from '@phantom/vfs';
import { type Database, openOn } from '../src/index.js';

export const ACCOUNTS = 8;
export const BALANCE = 1000;

/** What the workload was told is done, and what it has asked for. */
export interface Progress {
  /** Numbers of log rows whose insert was acknowledged, and of those that were sent. */
  readonly acknowledged: Set<number>;
  readonly sent: Set<number>;
  /** Definitions that were acknowledged: names of tables. */
  readonly tables: Set<string>;
  ready: boolean;
}

export function newProgress(): Progress {
  return { acknowledged: new Set(), sent: new Set(), tables: new Set(), ready: false };
}

export function openSmall(vfs: Vfs): Promise<Database> {
  return openOn(vfs, '/data/db', { checkpointBytesMax: 32_768, deltaBytesMax: 1 << 20, cacheBytes: 1 << 20 });
}

/** Runs `steps` steps; rejects with the first error of the database. */
export async function work(vfs: Vfs, seed: number, steps: number, progress: Progress): Promise<void> {
  const random = new Random(seed);
  const db = await openSmall(vfs);
  try {
    db.exec(`
      create table log (n int primary key, note text) with (engine = lsm);
      create index log_note on log (note);
      create index log_columns on log using column (n, note) with (segment_rows = 16);
      create table account (id int primary key, balance int not null check (balance >= 0));
      create table parent (id int primary key);
      create table child (id int primary key, parent_id int not null references parent on delete cascade) with (engine = lsm);
      create index on child (parent_id);
      create table purchase (n int primary key) with (engine = lsm);
      create collection customer;
      create collection event (
        schema '{"properties": {"customer": {"x-ref": {"collection": "customer", "onDelete": "cascade"}}}}', engine = lsm
      );
      begin;
      insert into account select i, ${BALANCE} from generate_series(0, ${ACCOUNTS - 1}) i;
      commit;
    `);
    await db.collection('event').createIndex({ customer: 1 });
    progress.ready = true;
    for (let step = 0; step < steps; step++) {
      await Promise.all([
        insertLog(db, step * 3, progress),
        insertLog(db, step * 3 + 1, progress),
        transfer(db, random),
      ]);
      if (step % 3 === 0) await family(db, step, random);
      if (step % 3 === 1) await purchase(db, step, random);
      if (step % 7 === 2) await removeLog(db, step, progress);
      if (step % 9 === 5) {
        db.exec(
          `create table extra_${step} (id int primary key) with (engine = ${step % 2 === 0 ? 'lsm' : 'btree'}); insert into extra_${step} values (1), (2)`,
        );
        progress.tables.add(`extra_${step}`);
      }
      if (step % 11 === 8) await db.checkpoint();
      if (step % 4 === 2) await db.query('vacuum log');
      if (step % 5 === 3) await moveLog(db, step, progress);
    }
  } finally {
    await db.close();
  }
}

async function insertLog(db: Database, n: number, progress: Progress): Promise<void> {
  progress.sent.add(n);
  await db.query('insert into log values ($1, $2)', [n, `note ${n % 5}`]);
  progress.acknowledged.add(n);
}

/** The log moves to the other engine while rows come in. */
async function moveLog(db: Database, step: number, progress: Progress): Promise<void> {
  const engine = step % 2 === 0 ? 'lsm' : 'btree';
  await Promise.all([
    db.query(`alter table log set (engine = ${engine})`),
    insertLog(db, 100_000 + step * 2, progress),
    insertLog(db, 100_001 + step * 2, progress),
  ]);
}

async function removeLog(db: Database, step: number, progress: Progress): Promise<void> {
  const n = step * 3;
  // From here on nobody may say whether it is there, until the answer has come.
  progress.acknowledged.delete(n);
  await db.query('delete from log where n = $1', [n]);
  progress.sent.delete(n);
}

async function transfer(db: Database, random: Random): Promise<void> {
  const from = random.below(ACCOUNTS);
  const to = (from + 1 + random.below(ACCOUNTS - 1)) % ACCOUNTS;
  await db.transaction(async (tx) => {
    await tx.query('update account set balance = balance - 1 where id = $1', [from]);
    await tx.query('update account set balance = balance + 1 where id = $1', [to]);
  });
}

async function family(db: Database, step: number, random: Random): Promise<void> {
  await db.batch([
    ['insert into parent values ($1)', [step]],
    ['insert into child values ($1, $3), ($2, $3)', [step * 2, step * 2 + 1, step]],
  ]);
  if (random.chance(0.5)) await db.query('delete from parent where id = $1', [step]);
}

/** A row and two documents in one commit; now and then they go together, the event by the cascade of its reference. */
async function purchase(db: Database, n: number, random: Random): Promise<void> {
  const customers = db.collection<{ _id: number; name: string }>('customer');
  const events = db.collection<{ _id: number; customer: number }>('event');
  await db.transaction(async (tx) => {
    await events.insertOne({ _id: n, customer: n }, { tx });
    await customers.insertOne({ _id: n, name: `customer ${n}` }, { tx });
    await tx.query('insert into purchase values ($1)', [n]);
  });
  if (random.chance(0.5)) return;
  await db.transaction(async (tx) => {
    await customers.deleteOne({ _id: n }, { tx });
    await tx.query('delete from purchase where n = $1', [n]);
  });
}

/** Everything that is wrong with the database, given what it had acknowledged. Empty when all is well. */
export async function audit(vfs: Vfs, progress: Progress): Promise<string[]> {
  const wrong: string[] = [];
  const db = await openSmall(vfs);
  try {
    for (const finding of await db.check()) {
      // A power cut may tear the slot of the superblock that was being written; the other one rules.
      if (finding.file.endsWith('superblock')) continue;
      wrong.push(`check: ${finding.severity} ${finding.file}: ${finding.message}`);
    }
    if (!hasTables(db)) {
      if (progress.ready) wrong.push('acknowledged tables are gone');
      return wrong;
    }
    const rows = db.prepare<{ n: number; note: string }>('select n, note from log order by n').all();
    const present = new Set(rows.map((row) => row.n));
    if (present.size !== rows.length) wrong.push('a log row is there twice');
    for (const n of progress.acknowledged) if (!present.has(n)) wrong.push(`acknowledged row ${n} is lost`);
    for (const row of rows) {
      if (!progress.sent.has(row.n)) wrong.push(`row ${row.n} was removed or never sent`);
      if (row.note !== `note ${row.n % 5}`) wrong.push(`row ${row.n} says ${row.note}`);
    }
    auditIndex(db, rows.length, wrong);
    auditColumns(db, rows, wrong);
    const [sum] = db
      .prepare<{ s: number; n: number }>('select sum(balance)::int as s, count(*)::int as n from account')
      .all();
    const expected = sum?.n === 0 && !progress.ready ? 0 : ACCOUNTS * BALANCE;
    if ((sum?.s ?? 0) !== expected) wrong.push(`the accounts hold ${sum?.s}`);
    const orphans = db
      .prepare('select c.id from child c left join parent p on p.id = c.parent_id where p.id is null')
      .all();
    if (orphans.length > 0) wrong.push(`${orphans.length} children without a parent`);
    await auditPurchases(db, wrong);
    for (const name of progress.tables) {
      const [count] = db.prepare<{ n: number }>(`select count(*)::int as n from ${name}`).all();
      if (count?.n !== 2 && count?.n !== 0) wrong.push(`${name} has ${count?.n} rows`);
    }
    db.exec(`insert into log values (999999, 'after') on conflict do nothing; delete from log where n = 999999`);
  } finally {
    await db.close();
  }
  return wrong;
}

/** Whether the workload came to make its last table; it makes them one after the other. */
function hasTables(db: Database): boolean {
  return db.prepare<{ made: boolean }>(`select to_regclass('event') is not null as made`).get()?.made === true;
}

/** Rows, customers and events must be of the same purchases, and the index of the events must lead to each. */
async function auditPurchases(db: Database, wrong: string[]): Promise<void> {
  const rows = db.prepare<{ n: number }>('select n from purchase order by n').all();
  const expected = rows.map(({ n }) => n);
  const events = db.collection<{ _id: number; customer: number }>('event');
  const found = [
    await db.collection<{ _id: number }>('customer').find().sort({ _id: 1 }).toArray(),
    await events.find().sort({ _id: 1 }).toArray(),
    await events.find({ customer: { $in: expected } }, { sort: { _id: 1 } }).toArray(),
  ].map((documents) => documents.map(({ _id }) => _id));
  for (const ids of found) {
    if (String(ids) !== String(expected)) wrong.push(`documents ${ids} stand beside rows ${expected}`);
  }
}

/** The secondary index must have exactly the table's rows. */
function auditIndex(db: Database, rows: number, wrong: string[]): void {
  let found = 0;
  const byIndex = db.prepare<{ n: number }>('select n from log where note = $1');
  for (let i = 0; i < 5; i++) found += byIndex.all(`note ${i}`).length;
  if (found !== rows) wrong.push(`the index has ${found} rows, the table ${rows}`);
}

/** The column index must show the rows of the table, whatever it has taken in of them. */
function auditColumns(db: Database, rows: readonly object[], wrong: string[]): void {
  db.exec('set enable_seqscan = off; set enable_indexscan = off');
  const found = db.prepare<{ n: number }>('select n, note from log').all();
  db.exec('reset enable_seqscan; reset enable_indexscan');
  found.sort((a, b) => a.n - b.n);
  if (JSON.stringify(found) !== JSON.stringify(rows)) wrong.push(`the columns show ${found.length} rows`);
}
