/** A database is damaged in every way there is; repair brings what does not lie on the damage, and says what is lost. */
import { createHash } from 'node:crypto';
import { filesBelow } from '@phantom/testkit';
import { MemoryVfs } from '@phantom/vfs/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Database, type RepairReport, openOn, repairOn } from '../src/index.js';

const DIRECTORY = '/data/db';
const REPAIRED = '/data/repaired';
const ROWS = 300;
const DOCUMENTS = 80;
/** `whole` turns a bit of each sixteenth byte of every file. */
const SWEEPS_WHOLE = process.env['PHANTOM_SWEEP'] === 'whole';

async function fill(db: Database): Promise<void> {
  db.exec(`create table trees (id int primary key, word text not null, size int);
    create index trees_word on trees (word); create unique index trees_size on trees (size);
    create table runs (id int primary key, word text not null) with (engine = lsm);
    create index runs_word on runs (word); create sequence counter; select nextval('counter')`);
  for (const [table, more] of [
    ['trees', ', n * 7'],
    ['runs', ''],
  ]) {
    await db.query(
      `insert into ${table} select n, n || repeat(md5(n::text), 3)${more} from generate_series(1, ${ROWS}) n`,
    );
  }
  const papers = db.collection<{ _id: number; title: string }>('papers');
  await papers.insertMany(
    Array.from({ length: DOCUMENTS }, (_, i) => ({ _id: i, title: `title ${i} ${'x'.repeat(50)}` })),
  );
  await papers.createIndex({ title: 1 });
}

/** A database with everything in files, and no log of how it came there. */
async function copied(): Promise<MemoryVfs> {
  const vfs = new MemoryVfs({ losesPower: false });
  const db = await openOn(vfs, '/data/first', { checkpointBytesMin: 1 << 30 });
  await fill(db);
  await db.backup(DIRECTORY);
  await db.close();
  return vfs;
}

/** The copy after a few commits more, as a killed process leaves it. */
async function written(copy: MemoryVfs): Promise<MemoryVfs> {
  const vfs = copy.killClone();
  const db = await openOn(vfs, DIRECTORY, { checkpointBytesMin: 1 << 30 });
  await db.query(`insert into trees values (90001, 'in the log', -1)`);
  await db.query(`update runs set word = 'changed' where id = 7`);
  await db.query('delete from trees where id = 9');
  return vfs.killClone();
}

interface Content {
  readonly trees: { readonly id: number }[];
  readonly runs: { readonly id: number }[];
  readonly papers: unknown[];
}

async function contentOf(vfs: MemoryVfs, directory: string): Promise<Content> {
  const db = await openOn(vfs, directory);
  try {
    const trees = (await db.query<{ id: number }>('select id, word, size from trees order by id')).rows;
    const runs = (await db.query<{ id: number }>('select id, word from runs order by id')).rows;
    const papers = await db.collection('papers').find({}).sort({ _id: 1 }).toArray();
    const byIndex = await db.query(`select count(*)::int as n from trees where size = 70 and word like '10%'`);
    expect(byIndex.rows).toEqual([{ n: trees.some(({ id }) => id === 10) ? 1 : 0 }]);
    return { trees, runs, papers };
  } finally {
    await db.close();
  }
}

/** Writes other bytes over a place, or turns a single bit. */
function damage(vfs: MemoryVfs, path: string, offset: number, bytes: number): void {
  const file = vfs.open(path, { mode: 'write' });
  const before = new Uint8Array(bytes);
  file.readAt(offset, before);
  file.writeAt(
    offset,
    before.map((byte, i) => byte ^ (bytes === 1 ? 1 << (offset % 8) : 0x5a + i)),
  );
  file.close();
}

function fileOf(vfs: MemoryVfs, pattern: RegExp): string {
  return filesBelow(vfs, DIRECTORY).find((path) => pattern.test(path)) as string;
}

/** Where some text begins in a file. */
function placeOf(vfs: MemoryVfs, path: string, text: string): number {
  return Buffer.from(vfs.readFile(path)).indexOf(text);
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}

async function repaired(vfs: MemoryVfs): Promise<RepairReport> {
  const report = await repairOn(vfs, DIRECTORY, { to: REPAIRED });
  expect(report.remaining).toEqual([]);
  return report;
}

let copy: MemoryVfs;
let origin: MemoryVfs;
let expected: Content;

beforeAll(async () => {
  copy = await copied();
  origin = await written(copy);
  expected = await contentOf(origin.killClone(), DIRECTORY);
});

describe('repair', () => {
  it('writes nothing where nothing is wrong', async () => {
    const vfs = origin.killClone();
    const report = await repaired(vfs);
    expect(report).toMatchObject({ isWhole: true, isLossless: true, findings: [], lost: [] });
    expect(report.to).toBeUndefined();
    expect(vfs.exists(REPAIRED)).toBe(false);
  });

  it('brings everything after any single bit has turned', async () => {
    let seed = 1;
    for (const path of filesBelow(origin, DIRECTORY)) {
      const bytes = origin.readFile(path);
      const used = bytes.findLastIndex((byte) => byte !== 0) + 1;
      for (let place = 0; place < (SWEEPS_WHOLE ? used : 1); place += 16) {
        seed = (seed * 1103515245 + 12345) % 2147483648;
        const offset = (place + (SWEEPS_WHOLE ? seed % 16 : seed)) % used;
        const vfs = origin.killClone();
        damage(vfs, path, offset, 1);
        const before = filesBelow(vfs, DIRECTORY).map((name) => Buffer.from(vfs.readFile(name)).toString('base64'));
        const report = await repaired(vfs);
        const where = `${path} at ${offset}`;
        const after = filesBelow(vfs, DIRECTORY).map((name) => Buffer.from(vfs.readFile(name)).toString('base64'));
        expect(after.length === before.length && after.every((text, i) => text === before[i]), where).toBe(true);
        expect(report.lost, where).toEqual([]);
        if (report.to !== undefined) expect(await contentOf(vfs, REPAIRED), where).toEqual(expected);
      }
    }
  });

  it('names the rows of a lost block, and brings all others', async () => {
    for (const table of ['trees', 'runs'] as const) {
      const vfs = origin.killClone();
      const path = fileOf(vfs, table === 'trees' ? /btree.*run/ : /lsm.*run/);
      // Row 100, in the table's own block: its indexes come later in the file.
      damage(vfs, path, placeOf(vfs, path, '100f899139') + 4, 60);
      const report = await repaired(vfs);
      expect(report).toMatchObject({ isWhole: false, isLossless: false });
      expect(report.lost).toEqual([
        expect.objectContaining({ table, from: expect.stringMatching(/^\(id\)=\(\d+\)$/), file: path, older: 0 }),
      ]);
      expect(report.lostRows.map(({ key }) => key)).toContain('(id)=(100)');
      const lost = new Set(report.lostRows.map(({ key }) => Number(/\d+/.exec(key)?.[0])));
      const found = await contentOf(vfs, REPAIRED);
      const rest = expected[table].filter(({ id }) => !lost.has(id));
      expect(found[table]).toEqual(rest);
      expect(rest.length + lost.size).toBe(expected[table].length);
      expect(found.papers).toEqual(expected.papers);
      expect(report.rebuilt.length).toBeGreaterThan(0);
    }
  });

  it('makes indexes again, those of collections too, and loses nothing by it', async () => {
    for (const index of ['trees_word', 'papers_title_1']) {
      const vfs = copy.killClone();
      const path = fileOf(vfs, /btree.*run/);
      const bytes = Buffer.from(vfs.readFile(path));
      // Entries of indexes come behind the rows; not every key of theirs stands there whole.
      let place = bytes.indexOf(`300${md5('300')}`) + 8000;
      if (index !== 'trees_word') for (let n = 0; n < DOCUMENTS + 8; n++) place = bytes.indexOf('title ', place + 1);
      damage(vfs, path, place, 6);
      const report = await repaired(vfs);
      expect(report).toMatchObject({ isWhole: false, isLossless: true, lost: [{ index }], lostRows: [] });
      expect(report.rebuilt.map((one) => one.index)).toEqual([index]);
      expect((await contentOf(vfs, REPAIRED)).papers).toEqual(expected.papers);
    }
  });

  it('keeps what has no owner any more as bytes', async () => {
    const vfs = copy.killClone();
    const path = fileOf(vfs, /btree.*run/);
    damage(vfs, path, placeOf(vfs, path, '"kind":"table"'), 40);
    const report = await repaired(vfs);
    expect(report.lost).toEqual([expect.objectContaining({ schema: 'pg_catalog', table: 'catalog' })]);
    const db = await openOn(vfs, REPAIRED);
    const [row] = (await db.query<{ n: number }>('select count(*)::int as n from lost_and_found')).rows;
    await db.close();
    expect(row?.n).toBe(report.lostAndFound);
    expect(report.lostAndFound).toBeGreaterThan(ROWS);
  });

  it('takes everything for doubtful where nobody can say which files count', async () => {
    const vfs = origin.killClone();
    const manifest = fileOf(vfs, /manifest/);
    damage(vfs, manifest, 60, 30);
    damage(vfs, fileOf(vfs, /superblock/), 4096, 100);
    const report = await repaired(vfs);
    expect(report.isLossless).toBe(false);
    expect(report.tables.find(({ table }) => table === 'runs')).toMatchObject({
      rows: ROWS,
      older: expect.any(Number),
    });
    expect(await contentOf(vfs, REPAIRED)).toEqual(expected);
  });

  it('only looks when told so, and refuses what it cannot do', async () => {
    const vfs = origin.killClone();
    damage(vfs, fileOf(vfs, /manifest/), 60, 1);
    expect(await repairOn(vfs, DIRECTORY, { dryRun: true })).toMatchObject({ isWhole: false, isLossless: true });
    await expect(repairOn(vfs, DIRECTORY, {})).rejects.toMatchObject({ code: '22023' });
    await expect(repairOn(vfs, '/data/none', { to: REPAIRED })).rejects.toMatchObject({ code: '58P01' });
    await expect(repairOn(vfs, DIRECTORY, { to: DIRECTORY })).rejects.toMatchObject({ code: expect.any(String) });
    const db = await openOn(vfs, '/data/first');
    await expect(repairOn(vfs, '/data/first', { to: REPAIRED })).rejects.toMatchObject({ code: '55006' });
    await db.close();
  });
});
