/** A database that is archived comes back as it was after any commit: tables of both engines, documents, definitions, loads. */
import { Random } from '@phantom/base';
import { MemoryVfs } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import { type Database, type DatabaseOptions, isPhantomError, open, openOn, restoreOn } from '../src/index.js';

const ARCHIVE: DatabaseOptions = {
  archive: { directory: '/archive', fileBytesMax: 20_000, basesKept: 9 },
  queryWorkersMax: 0,
};

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (error: unknown) => (isPhantomError(error) ? `${error.code} ${error.message}` : String(error)),
  );

/** Everything that anybody could see of it. */
async function contentOf(db: Database): Promise<unknown> {
  const tables = await db.sql<{ name: string }>`
    select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'public' and c.relkind in ('r', 'i') order by 1`;
  const contents: unknown[] = [tables];
  for (const { name } of tables) {
    if (name.includes('_')) continue;
    contents.push(await db.query(`select * from ${name} order by 1`).then(({ rows }) => rows));
  }
  return contents;
}

async function restored(vfs: MemoryVfs, directory: string, toSeq?: number): Promise<unknown> {
  await restoreOn(vfs, '/archive', directory, toSeq === undefined ? {} : { toSeq });
  const db = await openOn(vfs, directory, { create: false, queryWorkersMax: 0 });
  const content = await contentOf(db);
  const findings = (await db.check()).filter(({ severity }) => severity !== 'note');
  expect(findings).toEqual([]);
  await db.close();
  return content;
}

describe('an archived database', () => {
  it('comes back as it was after any commit', async () => {
    const vfs = new MemoryVfs();
    const db = await openOn(vfs, '/data', ARCHIVE);
    expect(await db.sql`show archive_mode`).toEqual([{ archive_mode: 'on' }]);
    const random = new Random(11);
    const lines = (from: number): string[][] =>
      Array.from({ length: 40 }, (_, i) => [`${from + i}`, 'copied '.repeat(9)]);
    const steps: (() => unknown)[] = [
      () => db.exec('create table a (id int primary key, body text)'),
      () => db.exec('create table b (id int primary key, body text) with (engine = lsm)'),
      () => db.collection<{ _id: number; tags: string[] }>('posts').insertOne({ _id: 1, tags: ['x'] }),
      () => db.copyInto('a', lines(1000)),
      () => db.copyInto('b', lines(2000)),
      () => db.exec('create index a_body on a (body)'),
      () => db.archive?.makeBase(),
      () => db.exec('create temporary table passing (n int); insert into passing values (1)'),
      () => db.exec('alter table b add column extra int default 7'),
      () => db.exec('create index b_body on b (body); delete from a where id < 1010'),
      () => db.exec('alter table a set (engine = lsm)'),
      () => db.exec('truncate b'),
      () => db.exec('create table c as select * from a; drop table a'),
    ];
    const moments: { seq: number; content: unknown }[] = [];
    for (const step of steps) {
      await step();
      for (let i = 0; i < 3; i++) {
        const name = moments.length < 2 || random.chance(0.5) ? 'd' : 'e';
        db.exec(`create table if not exists ${name} (id int primary key, n int)`);
        db.exec(
          `insert into ${name} values (${random.below(9)}, ${moments.length}) on conflict (id) do update set n = excluded.n`,
        );
      }
      moments.push({ seq: db.stats().store.visibleSeq, content: await contentOf(db) });
    }
    await db.archive?.flush();
    expect(db.archive?.state).toMatchObject({ seq: db.stats().store.visibleSeq, failure: undefined });
    expect(db.integrity().archive).toMatchObject({ directory: '/archive', seq: db.stats().store.visibleSeq });
    for (let i = 0; i < moments.length; i += 3) {
      const { seq, content } = moments[i] as (typeof moments)[number];
      expect(await restored(vfs, `/to-${seq}`, seq), `commit ${seq}`).toEqual(content);
    }
    await db.close();
    const last = moments.at(-1)?.content;
    const cut = vfs.crashClone(3);
    expect(await restored(cut, '/latest')).toEqual(last);
    // What was restored goes on, in an archive of its own.
    const other = await codeOf(openOn(cut, '/latest', ARCHIVE));
    expect(other).toBe('55000 "/archive" is the archive of another store');
    const own = await openOn(cut, '/latest', { ...ARCHIVE, archive: { directory: '/own' } });
    own.exec('insert into d values (100, 100)');
    await own.close();
    const again = await restoreOn(cut, '/own', '/again', { toTime: new Date(Date.now() + 5) }).catch(
      (error: unknown) => error,
    );
    expect(isPhantomError(again) && again.message).toBe('the archive ends before the target');
    expect(await restoreOn(cut, '/own', '/again')).toMatchObject({ baseSeq: expect.any(Number) });
  });

  it('comes back at points that were named', async () => {
    const vfs = new MemoryVfs();
    const db = await openOn(vfs, '/data', ARCHIVE);
    db.exec('create table d (n int); insert into d values (1)');
    const seq = db.stats().store.visibleSeq;
    const name = 'before the "release" / ü';
    expect(await db.query('select pg_create_restore_point($1) as point', [name]).then(({ rows }) => rows)).toEqual([
      { point: `0/${seq.toString(16).toUpperCase()}` },
    ]);
    expect(db.archive?.createPoint('same commit')).toBe(seq);
    db.exec('insert into d values (2)');
    const codes = [name, '', 'x'.repeat(64)].map((text) =>
      codeOf(db.query('select pg_create_restore_point($1)', [text])).then((code) => code.slice(0, 5)),
    );
    expect(await Promise.all(codes)).toEqual(['42710', '22023', '22023']);
    db.exec('create role clerk');
    expect(
      await codeOf(
        db.transaction((tx) => tx.query('set role clerk').then(() => tx.query(`select pg_create_restore_point('y')`))),
      ),
    ).toBe('42501 permission denied for function pg_create_restore_point');
    await db.close();
    expect(() => db.archive?.createPoint('late')).toThrow(expect.objectContaining({ code: '55000' }));
    expect(await restoreOn(vfs, '/archive', '/new', { toName: name })).toMatchObject({ seq });
    const restoredDb = await openOn(vfs, '/new', { create: false });
    expect(await restoredDb.sql`select n from d`).toEqual([{ n: 1 }]);
    expect(await codeOf(restoredDb.query(`select pg_create_restore_point('z')`))).toMatch(
      /^55000 commits are not archived/,
    );
    await restoredDb.close();
    expect(await codeOf(restoreOn(vfs, '/archive', '/other', { toName: 'nothing' }))).toBe(
      '22023 the archive has no restore point "nothing"',
    );
    expect(await codeOf(restoreOn(vfs, '/archive', '/other', { toName: 'same commit', toSeq: 1 }))).toMatch(
      /^22023 a restore has one target/,
    );
    const point = vfs.list('/archive').find((file) => file.startsWith('point-')) as string;
    for (const file of vfs.list('/archive').filter((each) => each.startsWith('point-')))
      vfs.corrupt(`/archive/${file}`, 50, Uint8Array.of(255));
    expect(point).toMatch(/^point-[0-9a-f]{16}\.info$/);
    expect(await codeOf(restoreOn(vfs, '/archive', '/other', { toName: name }))).toMatch(/^XX001/);
  });

  it('refuses what cannot be', async () => {
    const vfs = new MemoryVfs();
    expect(await codeOf(open(':memory:', { archive: { directory: '/a' } }))).toMatch(/^0A000/);
    expect(await codeOf(openOn(vfs, '/data', { archive: {} as { directory: string } }))).toMatch(/^22023/);
    const strange = { directory: '/a', everything: true } as { directory: string };
    expect(await codeOf(openOn(vfs, '/data', { archive: strange }))).toMatch(
      /^22023 unknown option of archive: everything/,
    );
    expect(await codeOf(restoreOn(vfs, '/nothing', '/new'))).toMatch(/^58P01/);
    expect(await codeOf(restoreOn(vfs, '/nothing', ':memory:'))).toMatch(/^22023/);
    expect(await codeOf(restoreOn(vfs, '/nothing', '/new', { signal: AbortSignal.abort() }))).toMatch(/^57014/);
    const db = await openOn(vfs, '/data', {});
    expect(db.archive).toBeUndefined();
    expect(await db.sql`show archive_mode`).toEqual([{ archive_mode: 'off' }]);
    await db.close();
  });
});
