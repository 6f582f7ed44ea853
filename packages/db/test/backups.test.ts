/** Backups of databases in use: of one moment, with everything that belongs to it, and opened like any other directory. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryVfs } from '@phantom/vfs/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BackupProgress, type Database, isPhantomError, open, openOn } from '../src/index.js';

const SCHEMA = `
  create table account (id int primary key, balance int not null);
  create table entry (id bigint generated always as identity, account int references account, amount int) with (engine = lsm);
  create index on entry (account);
  create view total as select sum(balance) as balance from account;
  insert into account select n, 100 from generate_series(1, 50) n`;

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (error: unknown) => (isPhantomError(error) ? error.code : String(error)),
  );

/** Runs a script in a session of its own. */
async function run(db: Database, script: string): Promise<void> {
  const session = db.createSession({ database: 'phantom', user: 'phantom' });
  for (const parsed of session.parse(script)) {
    await session.portal(session.prepare(parsed, script), []).fetch(0, () => undefined);
    await session.sync();
  }
}

/** Money goes from one account to another, with an entry for each. */
async function transfer(db: Database, n: number): Promise<void> {
  await db.batch([
    ['update account set balance = balance - 1 where id = $1', [1 + (n % 50)]],
    ['update account set balance = balance + 1 where id = $1', [1 + ((n * 7 + 3) % 50)]],
    ['insert into entry (account, amount) values ($1, 1)', [1 + (n % 50)]],
  ]);
}

describe('a backup', () => {
  let vfs: MemoryVfs;
  let db: Database;

  beforeEach(async () => {
    vfs = new MemoryVfs();
    db = await openOn(vfs, '/data');
    db.exec(SCHEMA);
  });

  afterEach(() => db.close());

  it('is of one moment, though transfers go on, and the database goes on from there in it', async () => {
    await db.collection('note').insertOne({ text: 'remember the milk' });
    let written = 0;
    let isMade = false;
    const writing = (async () => {
      while (!isMade) await transfer(db, written++);
    })();
    while (written < 20) await new Promise((resolve) => setImmediate(resolve));
    const { seq } = await db.backup('/copy');
    isMade = true;
    await writing;

    const copy = await openOn(vfs, '/copy', { durability: 'fsync' });
    const [counts] = await copy.sql<{ balance: number; entries: number; byIndex: number }>`
      select (select balance from total) as balance, (select count(*) from entry) as entries,
        (select count(*) from entry where account > 0) as "byIndex"`;
    expect(counts).toMatchObject({ balance: 5000 });
    expect(counts?.entries).toBeGreaterThanOrEqual(19);
    expect(counts?.entries).toBeLessThanOrEqual(written);
    expect(counts?.byIndex).toBe(counts?.entries);
    expect(await copy.collection('note').findOne({})).toMatchObject({ text: 'remember the milk' });
    expect((await copy.check()).filter(({ severity }) => severity === 'corruption')).toEqual([]);
    expect(copy.stats().store.visibleSeq).toBeGreaterThanOrEqual(seq);
    // Identities go on behind those that were given, and references hold.
    const [newest] = await copy.sql<{ last: number }>`select max(id) as last from entry`;
    const [added] = await copy.sql<{ id: number }>`insert into entry (account, amount) values (1, 1) returning id`;
    expect(added?.id).toBeGreaterThan(newest?.last ?? Infinity);
    expect(await codeOf(copy.query('insert into entry (account) values (99)'))).toBe('23503');
    copy.exec('create table more (id int primary key)');
    await copy.close();
  });

  it('has what is prepared and not decided, for COMMIT PREPARED in it', async () => {
    await run(db, "begin; update account set balance = 0 where id = 1; prepare transaction 'later'");
    await db.backup('/copy');
    await run(db, "rollback prepared 'later'");
    const copy = await openOn(vfs, '/copy');
    expect(await codeOf(copy.query('update account set balance = 1 where id = 1', [], { timeoutMs: 20 }))).toBe(
      '57014',
    );
    await run(copy, "commit prepared 'later'");
    expect(await copy.sql`select balance from account where id = 1`).toEqual([{ balance: 0 }]);
    await copy.close();
  });

  it('ends when it is aborted, and when the database is closed; then nothing that could be opened is there', async () => {
    const aborted = new AbortController();
    aborted.abort();
    expect(await codeOf(db.backup('/copy', { signal: aborted.signal }))).toBe('57014');
    let closing: Promise<void> | undefined;
    const onProgress = (): void => void (closing ??= db.close());
    expect(await codeOf(db.backup('/copy', { onProgress }))).toBe('57P01');
    await closing;
    expect(vfs.exists('/copy/superblock')).toBe(false);
    expect(() => db.backup('/copy')).toThrow(/closed/);
  });

  it('tells how far it is', async () => {
    const told: BackupProgress[] = [];
    const { entries, bytes } = await db.backup('/copy', { onProgress: (progress) => told.push(progress) });
    expect(told.map(({ phase }) => phase)).toContain('copy');
    expect(told.at(-1)).toEqual({ phase: 'verify', entries, bytes, entriesExpected: entries });
    expect(await codeOf(db.backup('/other', { progress: 1 } as never))).toBe('22023');
    expect(await codeOf(db.backup('/copy'))).toBe('22023');
    expect(await codeOf(db.backup(':memory:'))).toBe('22023');
  });

  it('is made by BACKUP TO, for superusers', async () => {
    const { rows, command } = await db.query<{ seq: number }>("backup to '/copy'");
    expect(command).toBe('BACKUP');
    expect(rows).toEqual([
      { seq: db.stats().store.visibleSeq, entries: expect.any(Number), bytes: expect.any(Number) },
    ]);
    await (await openOn(vfs, '/copy', { create: false } as never)).close();
    expect(await codeOf(db.query("backup to 'copy'"))).toBe('42602');
    expect(await codeOf(db.transaction((tx) => tx.query("backup to '/third'")))).toBe('25001');
    expect(await codeOf(db.query("backup to '/copy'"))).toBe('22023');
    expect(() => db.exec("backup to '/third'")).toThrow(/wait/);
    const aborted = new AbortController();
    const running = codeOf(db.query("backup to '/third'", [], { signal: aborted.signal }));
    aborted.abort();
    expect(await running).toBe('57014');
    // A word like any other elsewhere.
    expect(await db.sql`select 1 as backup`).toEqual([{ backup: 1 }]);
    await db.close();
    expect(vfs.exists('/third/superblock')).toBe(false);
  });
});

describe('on a disk', () => {
  it('a database in memory becomes one that lasts', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'phantom-backup-'));
    try {
      const db = await open(':memory:');
      db.exec(SCHEMA);
      await db.backup(join(folder, 'kept'));
      await db.close();
      const kept = await open(join(folder, 'kept'));
      expect(await kept.sql`select balance from total`).toEqual([{ balance: 5000 }]);
      await kept.backup(join(folder, 'again'));
      await kept.close();
      expect(await readdir(join(folder, 'again'))).toContain('superblock');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
