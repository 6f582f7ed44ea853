/** Large objects on disk: they outlast crashes and come back whole from backups and repairs; however large, they are written in pieces. */
import { createHash } from 'node:crypto';
import { filesBelow } from '@phantom/testkit';
import { MemoryVfs } from '@phantom/vfs/testing';
import { expect, it } from 'vitest';
import { type Database, openOn, repairOn } from '../src/index.js';

const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex');

const PIECE = Buffer.alloc(50_000, 'something to keep ');

async function build(db: Database): Promise<string> {
  const hash = createHash('md5');
  await db.transaction(async (tx) => {
    await tx.sql`select lo_create(7), lo_open(7, 131072)`;
    for (let i = 0; i < 6; i++) {
      await tx.sql`select lowrite(0, ${PIECE})`;
      hash.update(PIECE);
    }
  });
  await db.query("comment on large object 7 is 'kept'");
  return hash.digest('hex');
}

async function held(db: Database): Promise<readonly unknown[]> {
  const [row] = await db.sql<{ data: Uint8Array; comment: string }>`
    select lo_get(7) as data, obj_description(7, 'pg_largeobject') as comment`;
  return [md5(row?.data ?? new Uint8Array(0)), row?.comment];
}

it('outlast crashes, and come back from backups and repairs', async () => {
  const vfs = new MemoryVfs();
  const db = await openOn(vfs, '/d', { durability: 'fsync' });
  const kept = [await build(db), 'kept'];
  await db.backup('/backup');
  const crashed = vfs.crashClone(5);
  await db.query("select lo_unlink(7), lo_from_bytea(8, 'not in the backup')");
  await db.close();

  const survivor = await openOn(crashed, '/d');
  expect(await held(survivor)).toEqual(kept);
  for (const text of ['create database other', 'drop database other']) await survivor.query(text);
  expect((await survivor.check()).filter(({ severity }) => severity !== 'note')).toEqual([]);
  await survivor.close();

  const copy = await openOn(vfs, '/backup');
  expect(await held(copy)).toEqual(kept);
  await copy.close();

  const reopened = await openOn(vfs, '/d');
  expect(await reopened.sql`select oid, lomowner, lomacl from pg_largeobject_metadata`).toEqual([
    { oid: 8, lomowner: 10, lomacl: null },
  ]);
  await reopened.close();
});

it('keep what a repair can read, and the report names them', async () => {
  const vfs = new MemoryVfs({ losesPower: false });
  const db = await openOn(vfs, '/first', { checkpointBytesMin: 1 << 30 });
  // Nothing that a block could be packed into less of.
  const pieces = Array.from({ length: 3000 }, (_, i) => md5(Buffer.from(String(i))));
  await db.sql`select lo_from_bytea(7, ${Buffer.from(pieces.join(''))}), lo_from_bytea(8, ${PIECE})`;
  await db.backup('/d');
  await db.close();
  const marker = pieces[1500] as string;
  const path = filesBelow(vfs, '/d').find((name) => Buffer.from(vfs.readFile(name)).includes(marker)) as string;
  const file = vfs.open(path, { mode: 'write' });
  file.writeAt(Buffer.from(vfs.readFile(path)).indexOf(marker), Buffer.alloc(100, 'damage'));
  file.close();

  const damaged = await openOn(vfs, '/d');
  await expect(damaged.query('select lo_get(7)')).rejects.toMatchObject({ code: 'XX001', table: 'pg_largeobject' });
  expect(md5((await damaged.sql<{ data: Uint8Array }>`select lo_get(8) as data`)[0]?.data as Uint8Array)).toBe(
    md5(PIECE),
  );
  await damaged.close();

  const report = await repairOn(vfs, '/d', { to: '/repaired' });
  expect(report.lost).toMatchObject([{ schema: 'pg_catalog', table: 'pg_largeobject' }]);
  expect(report.remaining).toEqual([]);
  const repaired = await openOn(vfs, '/repaired');
  const [row] = await repaired.sql<{
    data: Uint8Array;
    other: Uint8Array;
  }>`select lo_get(7) as data, lo_get(8) as other`;
  const kept = Buffer.from(row?.data as Uint8Array);
  expect(kept.length).toBe(3000 * 32);
  expect(kept.toString('latin1', 0, 320)).toBe(pieces.slice(0, 10).join(''));
  expect(kept.includes(marker)).toBe(false);
  expect(md5(row?.other as Uint8Array)).toBe(md5(PIECE));
  await repaired.close();
});
