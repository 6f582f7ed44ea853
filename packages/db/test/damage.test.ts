/** Damage that is met or found while a database is open: which table or index it is said to be in, and what is said to help. */
import { filesBelow } from '@phantom/testkit';
import { MemoryVfs } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import type { Database } from '../src/index.js';
import { openOn } from '../src/open.js';

const DIRECTORY = '/data/db';
const OPTIONS = { database: 'shop', user: 'owner', queryWorkersMax: 0 };
const ROWS = 3000;
/** The catalog lies in front. */
const CATALOG_BYTES = 20_000;
const STRIDE_BYTES = 8192;

async function madeDisk(engine: string): Promise<MemoryVfs> {
  const vfs = new MemoryVfs({ losesPower: false });
  const db = await openOn(vfs, DIRECTORY, OPTIONS);
  db.exec(`create table item (id int primary key, name text not null, note text) with (engine = ${engine})`);
  db.exec('create index by_name on item (name)');
  await db.query(
    `insert into item select i, 'name ' || (i * 7919 % ${ROWS}), repeat('x' || i, 20) from generate_series(1, ${ROWS}) i`,
  );
  await db.close();
  return vfs;
}

/** A copy of the disk with damage in a place that the scrubber puts down to the index alone, or to rows. */
async function damagedDisk(disk: MemoryVfs, engine: string, isIndex: boolean): Promise<MemoryVfs> {
  for (const path of filesBelow(disk, `${DIRECTORY}/${engine}`)) {
    for (let at = CATALOG_BYTES; at < disk.readFile(path).length; at += STRIDE_BYTES) {
      const damaged = disk.killClone();
      damaged.corrupt(path, at, Uint8Array.of((disk.readFile(path)[at] as number) ^ 16));
      const db = await openOn(damaged.killClone(), DIRECTORY, OPTIONS);
      await db.scrub();
      const [first, ...others] = db.integrity().damage?.flatMap((place) => place.objects) ?? [];
      await db.close();
      if (first?.table === 'item' && others.length === 0 && (first.index === 'by_name') === isIndex) return damaged;
    }
  }
  throw new Error('no such place');
}

async function errorOf(db: Database, sql: string): Promise<unknown> {
  return db.query(sql).then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe.each(['btree', 'lsm'])('damage in a table of the engine %s', (engine) => {
  it('is said to be in an index, which REINDEX makes anew, or in rows', async () => {
    const disk = await madeDisk(engine);
    const db = await openOn(await damagedDisk(disk, engine, true), DIRECTORY, OPTIONS);
    const byIndex = 'select name from item order by name';
    expect(await errorOf(db, byIndex)).toMatchObject({
      code: 'XX001',
      schema: 'public',
      table: 'item',
      constraint: 'by_name',
      hint: 'The table is whole: REINDEX INDEX public.by_name makes the index anew.',
      data: { file: expect.any(String), offset: expect.any(Number) },
    });
    expect(() => db.prepare(byIndex).all()).toThrow(expect.objectContaining({ constraint: 'by_name' }));
    await db.query('reindex index by_name');
    expect(db.prepare(byIndex).all()).toHaveLength(ROWS);
    await db.close();

    const broken = await openOn(await damagedDisk(disk, engine, false), DIRECTORY, OPTIONS);
    expect(await errorOf(broken, 'select sum(length(note)) from item')).toMatchObject({
      code: 'XX001',
      table: 'item',
      constraint: undefined,
      hint: expect.stringContaining('Rows of public.item cannot be read'),
    });
    const lost: unknown[] = [];
    for (let id = 1; id <= ROWS; id += 5) {
      try {
        broken.prepare('select note from item where id = $1').get(id);
      } catch (error) {
        lost.push(error);
      }
    }
    expect(lost[0]).toMatchObject({ code: 'XX001', schema: 'public', table: 'item' });
    expect(lost.length).toBeLessThan(ROWS / 20);
    await broken.close();
  });
});
