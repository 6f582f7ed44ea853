/** Tables in either engine: chosen when they are made, seen in a system view, together in one commit. */
import { MemoryVfs } from '@phantom/vfs/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Database, openOn } from '../src/index.js';

let vfs: MemoryVfs;
let db: Database;

beforeEach(async () => {
  vfs = new MemoryVfs();
  db = await openOn(vfs, '/d');
});

afterEach(() => db.close());

/** A promise that the test itself resolves. */
function signal(): { readonly given: Promise<void>; give(): void } {
  let give = (): void => undefined;
  const given = new Promise<void>((resolve) => (give = resolve));
  return { given, give: () => give() };
}

const engines = (): Promise<unknown[]> => db.sql`select table_name, engine from phantom.tables order by table_name`;

describe('the engine of a table', () => {
  it('is the B+tree unless the table says otherwise, and a view shows it', async () => {
    db.exec(`
      create table a (id int primary key);
      create table b (id int primary key, v text) with (engine = lsm);
      create index on b (v);
      create table c with (engine = lsm) as select 1 as x;
    `);
    expect(await engines()).toEqual([
      { table_name: 'a', engine: 'btree' },
      { table_name: 'b', engine: 'lsm' },
      { table_name: 'c', engine: 'lsm' },
    ]);
    expect(() => db.exec('create table d (id int) with (engine = heap)')).toThrow(
      expect.objectContaining({ code: '22023' }),
    );
  });

  it('answers alike, and both are whole or absent in one commit', async () => {
    db.exec(`
      create table a (id int primary key, v int);
      create table b (id int primary key, v int references a) with (engine = lsm);
      create index on b (v);
      begin;
      insert into a select i, i from generate_series(1, 300) i;
      insert into b select i, i from generate_series(1, 300) i;
      commit;
      begin;
      update b set v = 7 where id <= 100;
      delete from b where id > 290;
      delete from a where id > 290;
    `);
    db.exec('rollback');
    await db.checkpoint();
    await db.close();
    db = await openOn(vfs, '/d');
    db.exec('update b set v = 7 where id <= 100');
    const [row] =
      await db.sql`select count(*)::int as n, sum(b.v)::int as s from a join b on b.v = a.id where a.id <= 7`;
    expect(row).toEqual({ n: 100, s: 700 });
    expect(() => db.exec('delete from a where id = 7')).toThrow(expect.objectContaining({ code: '23503' }));
    const stats = db.stats().store.engines;
    expect(stats.map(({ name }) => name)).toEqual(['btree', 'lsm', 'memory']);
    expect(await db.check()).toEqual([]);
  });

  it('is advised from use, with the evidence', async () => {
    db.exec(`
      create table busy (id int primary key, v text);
      create table idle (id int primary key) with (engine = lsm);
    `);
    const insert = db.prepare('insert into busy values ($1, $2)');
    for (let id = 0; id < 3000; id++) insert.run(id, 'x'.repeat(50));
    const lookUp = db.prepare('select v from busy where id = $1');
    for (let i = 0; i < 24_000; i++) lookUp.get(i % 3000);
    const rows = await db.sql<{
      table_name: string;
      engine: string;
      advice: string;
      reason: string;
      gets: number;
      writes: number;
    }>`
      select table_name, engine, advice, reason, gets, writes from phantom.engine_advice order by table_name`;
    expect(rows.map(({ table_name, engine, advice }) => [table_name, engine, advice])).toEqual([
      ['busy', 'btree', 'btree'],
      ['idle', 'lsm', 'lsm'],
    ]);
    expect(rows[0]?.writes).toBeGreaterThan(2000);
    expect(rows[0]?.gets).toBeGreaterThan(16_000);
    expect(rows[0]?.reason).toMatch(/look-ups.*write amplification/);
    expect(rows[1]?.reason).toBe('about 0 operations say too little');
  });

  it('keeps its views out of every search path', () => {
    expect(() => db.exec('select * from tables')).toThrow(expect.objectContaining({ code: '42P01' }));
    db.exec('create table tables (id int); insert into tables values (5)');
    expect(db.prepare('select id from tables').all()).toEqual([{ id: 5 }]);
    expect(() => db.exec('create table phantom.t (id int)')).toThrow(expect.objectContaining({ code: '42501' }));
    expect(() => db.exec('create schema phantom')).toThrow(expect.objectContaining({ code: '42939' }));
  });
});

describe('a caller that never lets the event loop turn', () => {
  it('makes its checkpoints itself, so that the log stays bounded', async () => {
    await db.close();
    const checkpointBytesMax = 100_000;
    db = await openOn(vfs, '/d', { checkpointBytesMax, deltaBytesMax: 4 << 20 });
    db.exec(`
      create table a (id int primary key, v text);
      create table b (id int primary key, v text) with (engine = lsm);
      insert into b values (0, 'one early write that is in memory only');
    `);
    const insert = db.prepare('insert into a values ($1, $2)');
    let logBytesMost = 0;
    for (let id = 0; id < 3000; id++) {
      insert.run(id, 'x'.repeat(300));
      logBytesMost = Math.max(logBytesMost, db.stats().store.logBytesSinceCheckpoint);
    }
    const { wal, checkpoints, engines } = db.stats().store;
    expect(wal.bytesAppended).toBeGreaterThan(1_000_000);
    expect(logBytesMost).toBeLessThan(2 * checkpointBytesMax);
    expect(checkpoints).toBeGreaterThan(5);
    expect(engines.filter(({ flushes }) => flushes > 0).map(({ name }) => name)).toEqual(['btree', 'lsm']);
    const clone = vfs.crashClone(1);
    await db.close();
    db = await openOn(clone, '/d');
    expect(await db.sql`select count(*)::int as n from a`).toEqual([{ n: 3000 }]);
    expect(await db.sql`select id from b`).toEqual([{ id: 0 }]);
    expect(await db.check()).toEqual([]);
  });
});

describe('SET (engine = ...)', () => {
  const engineOf = async (name: string): Promise<unknown> =>
    (await db.sql<{ engine: string }>`select engine from phantom.tables where table_name = ${name}`)[0]?.engine;

  beforeEach(() =>
    db.exec(`
      create table t (id int primary key, v int, note text);
      create index t_v on t (v);
      create unique index t_note on t (note);
      insert into t select i, i % 10, 'note ' || i from generate_series(1, 3000) i;
      create table child (id int primary key, t_id int references t);
      insert into child values (1, 5);
    `),
  );

  const expectWhole = async (rows: number): Promise<void> => {
    const [byTable] = await db.sql`select count(*)::int as n from t`;
    const [byIndex] = await db.sql`select count(*)::int as n from t where v between 0 and 9`;
    const [byNote] = await db.sql`select id from t where note = 'note 1234'`;
    expect([byTable, byIndex, byNote]).toEqual([{ n: rows }, { n: rows }, { id: 1234 }]);
    // A power cut may leave one of the two slots of the superblock half written.
    const findings = await db.check();
    expect(findings.filter(({ file }) => file !== '/d/superblock')).toEqual([]);
  };

  it.each(['asynchronous', 'synchronous'])('moves a table and its indexes there and back: %s', async (way) => {
    for (const engine of ['lsm', 'btree']) {
      const text = `alter table t set (engine = ${engine})`;
      if (way === 'synchronous') db.exec(text);
      else await db.query(text);
      expect(await engineOf('t')).toBe(engine);
      await expectWhole(3000);
    }
    await db.query('alter table t set (engine = lsm)');
    await db.close();
    db = await openOn(vfs, '/d');
    expect(await engineOf('t')).toBe('lsm');
    await expectWhole(3000);
    db.exec(`insert into t values (9999, 1, 'new'); delete from t where id = 9999`);
    expect(() => db.exec('delete from t where id = 5')).toThrow(expect.objectContaining({ code: '23503' }));
    expect(() => db.exec(`insert into t values (9999, 1, 'note 7')`)).toThrow(
      expect.objectContaining({ code: '23505' }),
    );
    await db.query('alter table t reset (engine)');
    expect(await engineOf('t')).toBe('btree');
    await db.query('alter table t set (engine = btree)');
  });

  it('lets readers and writers go on, and loses none of what they write', async () => {
    db.exec(`insert into t select i, 1, 'wide ' || i || repeat('x', 1000) from generate_series(5001, 8000) i`);
    let isMoving = true;
    let written = 6000;
    const moving = db.query('alter table t set (engine = lsm)').finally(() => (isMoving = false));
    const reader = async (): Promise<number> => {
      let reads = 0;
      for (; isMoving; reads++) {
        await db.query('select * from t where id = $1', [1 + (reads % 3000)]);
        // A read that waits for nothing does not let the event loop turn.
        await new Promise((resolve) => setImmediate(resolve));
      }
      return reads;
    };
    const writer = async (lane: number): Promise<number> => {
      let writes = 0;
      for (; isMoving; writes++) {
        const id = 10_000 * (lane + 1) + writes;
        await db.query('insert into t values ($1, $2, $3)', [id, writes % 10, `lane ${id}`]);
        written++;
        await db.query('update t set v = (v + 1) % 10 where id = $1', [1 + ((writes * 37 + lane) % 3000)]);
        if (writes % 5 === 4) {
          await db.query('delete from t where id = $1', [id]);
          written--;
        }
      }
      return writes;
    };
    const [, reads, ...writes] = await Promise.all([moving, reader(), writer(0), writer(1)]);
    expect(reads).toBeGreaterThan(0);
    expect(Math.min(...writes)).toBeGreaterThan(0);
    expect(await engineOf('t')).toBe('lsm');
    await expectWhole(written);
  });

  it('waits for who has written, and those who come behind it write into the new place', async () => {
    const wrote = signal();
    const ended = signal();
    const order: string[] = [];
    const first = db.transaction(async (tx) => {
      await tx.query(`insert into t values (5000, 1, 'early')`);
      wrote.give();
      await ended.given;
    });
    await wrote.given;
    const moving = db.query('alter table t set (engine = lsm)').then(() => order.push('moved'));
    // The copy is complete once writers are held up.
    const probe = (): Promise<unknown> => db.query('update t set v = v where id = 1', [], { timeoutMs: 100 });
    for (let isHeld = false; !isHeld;)
      isHeld = await probe().then(
        () => false,
        () => true,
      );
    const second = db.query(`insert into t values (5001, 1, 'late')`).then(() => order.push('late'));
    const waiting = db.query(`update t set v = 3 where note = 'note 17'`);
    await db.sql`select count(*) from t`;
    expect(order).toEqual([]);
    ended.give();
    await Promise.all([first, moving, second, waiting]);
    expect(order).toEqual(['moved', 'late']);
    await expectWhole(3002);
    expect(await db.sql`select v from t where id = 17`).toEqual([{ v: 3 }]);
  });

  it('leaves an older snapshot its picture, or says that it cannot have it', async () => {
    await db
      .transaction(
        async (tx) => {
          expect((await tx.query('select count(*)::int as n from t')).rows).toEqual([{ n: 3000 }]);
          await db.query('alter table child set (engine = lsm)');
          await expect(tx.query('select * from child')).rejects.toMatchObject({ code: '40001', table: 'child' });
        },
        { retries: 0 },
      )
      .catch((error: { code: string }) => expect(error.code).toBe('25P02'));
    // Run again, the transaction has a snapshot of after.
    let attempts = 0;
    await db.transaction(async (tx) => {
      await tx.query('select 1 from t limit 1');
      if (attempts++ === 0) await db.query('alter table child set (engine = btree)');
      expect((await tx.query('select t_id from child')).rows).toEqual([{ t_id: 5 }]);
    });
    expect(attempts).toBe(2);
  });

  it('leaves nothing behind when it fails, is cancelled or cut off', async () => {
    const controller = new AbortController();
    const moving = db.query('alter table t set (engine = lsm)', [], { signal: controller.signal });
    controller.abort();
    await expect(moving).rejects.toMatchObject({ code: '57014' });
    expect(await engineOf('t')).toBe('btree');
    await expectWhole(3000);
    // Cut off in the midst of the copy, part of which goes past the log: the next opening clears away what it left.
    db.exec(`insert into t select i, 1, 'wide ' || i || repeat('x', 1000) from generate_series(5001, 5500) i`);
    const { bytesAppended } = db.stats().store.wal;
    const disks: MemoryVfs[] = [];
    let writes = 0;
    vfs.onOperation = ({ operation }) => {
      if (operation === 'write' && writes++ % 2 === 0) disks.push(vfs.crashClone(writes));
    };
    await db.query('alter table t set (engine = lsm)');
    // Table and index have more than half a megabyte each.
    expect(db.stats().store.wal.bytesAppended - bytesAppended).toBeLessThan(700_000);
    vfs.onOperation = undefined;
    expect(disks.length).toBeGreaterThan(3);
    let moved = 0;
    for (const disk of disks) {
      await db.close();
      db = await openOn(disk, '/d');
      expect(db.catalog.unfinished.leftBehind).toEqual([]);
      if ((await engineOf('t')) === 'lsm') moved++;
      await expectWhole(3500);
      const other = (await engineOf('t')) === 'lsm' ? 'btree' : 'lsm';
      const engines = db.stats().store.engines;
      expect(engines.map(({ name }) => name)).toContain(other);
    }
    expect(moved).toBeLessThan(disks.length);
  });

  it('refuses what it cannot do', async () => {
    await expect(db.transaction((tx) => tx.query('alter table t set (engine = lsm)'))).rejects.toMatchObject({
      code: '25001',
    });
    for (const [text, code] of [
      ['alter table t set (engine = lsm), add column w int', '0A000'],
      ['alter table t set (fillfactor = 7)', '22023'],
      ['alter table t set (nosuch = 70)', '22023'],
      ['alter table t set (engine = heap)', '22023'],
      ['alter table nosuch set (engine = lsm)', '42P01'],
    ]) {
      await expect(db.query(text as string)).rejects.toMatchObject({ code });
    }
    await db.query('alter table if exists nosuch set (engine = lsm)');
    // A synchronous call does not wait for who has written.
    const wrote = signal();
    const ended = signal();
    const other = db.transaction(async (tx) => {
      await tx.query('update t set v = 1 where id = 1');
      wrote.give();
      await ended.given;
    });
    await wrote.given;
    expect(() => db.exec('alter table t set (engine = lsm)')).toThrow(expect.objectContaining({ code: '55P03' }));
    ended.give();
    await other;
    db.exec('alter table t set (engine = lsm)');
    await expectWhole(3000);
  });
});
