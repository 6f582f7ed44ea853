/**
 * Nobody waits for ever on a disk that fails. The nth operation on it, or every one from there on, answers EIO under clients of all
 * kinds, with little memory, so that flushes, merges and checkpoints are under way, and with syncs that take a random number of turns.
 * From then on everything that was asked of the database is answered within a bounded number of turns: by the store as it is, or by
 * its end; and the directory opens again with what was acknowledged.
 */
import { isPhantomError } from '@phantom/base';
import { FaultyVfs, type CountingInjector, MemoryVfs, failAt, failFrom, onOperation } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import { type Database, openOn } from '../src/index.js';
import { LaggingVfs } from './lagging-vfs.js';

const SEED = 7;
const CHANGING = ['open', 'write', 'sync', 'syncDir', 'rename', 'remove', 'truncate'] as const;
const OPTIONS = {
  deltaBytesMax: 32 * 1024,
  cacheBytes: 256 * 1024,
  checkpointBytesMin: 8 * 1024,
  checkpointBytesMax: 24 * 1024,
  writeSetBytesMax: 64 * 1024,
};
const ENGINES = ['btree', 'lsm'] as const;
const ROUNDS = 3;
/** Turns of a timer: retries after a quarter of a second come within them, those after half a minute do not. */
const TURNS_MAX = 5000;

const SCHEMA = ENGINES.map(
  (engine) => `create table hot_${engine} (id int primary key, n int not null) with (engine = ${engine});
    create table wide_${engine} (id serial primary key, by int not null, text text not null) with (engine = ${engine});
    create index on wide_${engine} (by);
    insert into hot_${engine} values (1, 0), (2, 0)`,
).join(';');

/** What became of increments of one row. */
interface Tally {
  acknowledged: number;
  unknown: number;
}

class Clients {
  /** What is under way, for the message of a test that fails. */
  readonly pending = new Map<number, string>();
  readonly hot: Readonly<Record<(typeof ENGINES)[number], Tally>> = {
    btree: { acknowledged: 0, unknown: 0 },
    lsm: { acknowledged: 0, unknown: 0 },
  };
  private readonly db: Database;
  private count = 0;

  constructor(db: Database) {
    this.db = db;
  }

  /** Everybody's work, to its end. */
  async run(): Promise<void> {
    const work = ENGINES.flatMap((engine) => [
      this.rounds(() => this.increment(engine)),
      this.rounds(() => this.increment(engine)),
      this.rounds(() => this.increment(engine, true)),
      this.rounds((i) => this.block(engine, i)),
      this.rounds((i) => this.twoPhases(engine, i)),
      this.rounds((i) => this.large(engine, i)),
      this.rounds(() => this.definitions(engine)),
    ]);
    work.push(
      this.rounds(() => this.synchronous()),
      this.rounds((i) => this.load(i)),
      this.rounds(() => this.safeRead()),
    );
    work.push(
      this.rounds(() => this.documents()),
      this.follow(),
    );
    work.push(this.rounds(() => this.did('checkpoint', () => this.db.checkpoint())));
    await Promise.all(work);
  }

  private async rounds(round: (i: number) => Promise<unknown>): Promise<void> {
    for (let i = 0; i < ROUNDS; i++) await round(i);
  }

  /** Runs work; the SQLSTATE where it fails. */
  private async did(what: string, work: () => Promise<unknown>): Promise<string> {
    const number = this.count++;
    this.pending.set(number, what);
    try {
      await work();
      return 'done';
    } catch (error) {
      if (!isPhantomError(error) || error.code.startsWith('XX')) throw error;
      return error.code;
    } finally {
      this.pending.delete(number);
    }
  }

  private async increment(engine: (typeof ENGINES)[number], inBatch = false): Promise<void> {
    const text = `update hot_${engine} set n = n + 1 where id = 1`;
    const code = await this.did(`increment ${engine}`, () =>
      inBatch ? this.db.batch([[text], [`select count(*) from hot_${engine}`]]) : this.db.query(text),
    );
    if (code === 'done') this.hot[engine].acknowledged++;
    else if (code === '08007') this.hot[engine].unknown++;
  }

  private async block(engine: string, i: number): Promise<void> {
    await this.did(`block ${engine}`, () =>
      this.db.transaction(async (tx) => {
        await tx.query(`select n from hot_${engine} where id = 2 for update`);
        await tx.query(`insert into wide_${engine} (by, text) values ($1, $2)`, [i, 'x'.repeat(900)]);
        await tx.query(`update hot_${engine} set n = n + 1 where id = 2`);
      }),
    );
  }

  private async twoPhases(engine: string, i: number): Promise<void> {
    await this.did(`two phases ${engine}`, async () => {
      const connection = await this.db.connect();
      try {
        await connection.query('begin');
        await connection.query(`update hot_${engine} set n = n where id = 2`);
        await connection.query(`prepare transaction '${engine} ${i}'`);
        await connection.query(`${i % 2 === 0 ? 'commit' : 'rollback'} prepared '${engine} ${i}'`);
      } finally {
        connection.release();
      }
    });
  }

  private async large(engine: string, i: number): Promise<void> {
    await this.did(`large ${engine}`, () =>
      this.db.query(
        `insert into wide_${engine} (by, text) select ${i}, repeat('y', 700) from generate_series(1, ${i === 3 ? 150 : 12})`,
      ),
    );
    await this.did(`range ${engine}`, () => this.db.query(`delete from wide_${engine} where by = ${i - 2}`));
  }

  private async definitions(engine: string): Promise<void> {
    await this.did(`create ${engine}`, () => this.db.query(`create index ${engine}_more on wide_${engine} (by, id)`));
    await this.did(`drop ${engine}`, () => this.db.query(`drop index if exists ${engine}_more`));
  }

  private async synchronous(): Promise<void> {
    for (const engine of ENGINES) {
      await this.did('synchronous', async () =>
        this.db.prepare(`insert into wide_${engine} (by, text) values (99, 'z')`).run(),
      );
    }
  }

  private async load(i: number): Promise<void> {
    const rows = Array.from({ length: 40 }, (_, j) => ({ id: 100_000 + i * 100 + j, by: 50, text: 'l'.repeat(400) }));
    await this.did('load', () => this.db.copyInto(`wide_${ENGINES[i % 2] ?? 'lsm'}`, rows));
  }

  private async safeRead(): Promise<void> {
    await this.did('safe read', async () => {
      const connection = await this.db.connect();
      try {
        await connection.query('begin isolation level serializable read only deferrable');
        await connection.query('select count(*) from wide_btree');
        await connection.query('commit');
      } finally {
        connection.release();
      }
    });
  }

  private async documents(): Promise<void> {
    const posts = this.db.collection<{ _id: number; n: number; text: string }>('posts');
    await this.did('upsert', () => posts.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { upsert: true }));
    await this.did('documents', () => posts.insertMany([{ _id: ++this.count, n: 1, text: 'd'.repeat(500) }]));
  }

  /** Ends with the store's failure, or after some changes. */
  private async follow(): Promise<void> {
    await this.did('follow', async () => {
      const posts = this.db.collection('posts');
      let left = ROUNDS;
      for await (const _ of posts.watch()) if (--left === 0) return;
    });
  }
}

/** Resolves as `work` does; rejects with what is pending when the turns are over. */
async function within(work: Promise<unknown>, what: () => string): Promise<void> {
  let isOver = false;
  const end = work.finally(() => (isOver = true));
  end.catch(() => undefined);
  for (let turn = 0; turn < TURNS_MAX && !isOver; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
  if (!isOver) throw new Error(`still waiting: ${what()}`);
  await end;
}

async function run(fault: CountingInjector): Promise<void> {
  const disk = new MemoryVfs({ syncTurns: 1 });
  const first = await openOn(disk, '/data/db', OPTIONS);
  first.exec(SCHEMA);
  await first.collection('posts').insertOne({ _id: 0 });
  await first.close();
  const faulty = new FaultyVfs(disk, onOperation(CHANGING, fault));
  const db = await openOn(new LaggingVfs(faulty, SEED, 12), '/data/db', OPTIONS).catch(() => undefined);
  const context = String(fault);
  const clients = db === undefined ? undefined : new Clients(db);
  if (db !== undefined && clients !== undefined) {
    await within(clients.run(), () => `${context}: ${[...clients.pending.values()].join(', ')}`);
    await within(
      db.close().catch(() => undefined),
      () => `${context}: close`,
    );
  }
  // The directory is free, and what was acknowledged is there.
  const left = await openOn(disk, '/data/db', OPTIONS);
  for (const engine of ENGINES) {
    const [row] = await left.sql<{ n: number }>`select n from hot_btree where id = 1 and ${engine} = 'btree'
      union all select n from hot_lsm where id = 1 and ${engine} = 'lsm'`;
    const { acknowledged, unknown } = clients?.hot[engine] ?? { acknowledged: 0, unknown: 0 };
    expect([context, (row?.n ?? -1) >= acknowledged, (row?.n ?? -1) <= acknowledged + unknown]).toEqual([
      context,
      true,
      true,
    ]);
  }
  await left.close();
}

describe('a disk that fails', () => {
  it.each([failAt(150, 'EIO'), failFrom(330, 'EIO'), failAt(420, 'EIO')])('keeps nobody waiting: %s', async (fault) => {
    await run(fault);
    expect(fault.fired).toBe(true);
  });

  it('while the database is closed gives the directory free', async () => {
    const disk = new FaultyVfs(new MemoryVfs(), onOperation([], failFrom(0, 'EIO')));
    const db = await openOn(disk, '/data/db', OPTIONS);
    db.exec('create sequence numbers');
    await db.sql`select nextval('numbers')`;
    disk.injector = onOperation('sync', failFrom(0, 'EIO'));
    await expect(db.close()).rejects.toMatchObject({ code: '08007' });
    disk.injector = onOperation([], failFrom(0, 'EIO'));
    const again = await openOn(disk, '/data/db', OPTIONS);
    expect(await again.sql`select nextval('numbers') > 1 as later`).toEqual([{ later: true }]);
    await again.close();
  });
});
