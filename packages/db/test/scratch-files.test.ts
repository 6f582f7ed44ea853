/** Queries past their memory on a disk: files while they run, none afterwards, and none of a process that was killed. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Database, open } from '../src/index.js';

const SORT = "select i, repeat('x', 400) as s from generate_series(1, 3000) i order by i * 7919 % 3001";

describe('scratch files', () => {
  let directory: string;
  let db: Database;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'phantom-scratch-'));
  });

  afterEach(async () => {
    await db.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const files = (): string[] => readdirSync(join(directory, 'scratch'));

  it('are there while a query runs, and gone at its end, its error and its cancel', async () => {
    db = await open(directory, { durability: 'memory', memoryLimitBytes: 200_000 });
    const rows = db.prepare<{ i: number }>(SORT).iterate();
    rows.next();
    expect(files().length).toBeGreaterThan(2);
    rows.return?.();
    expect(files()).toEqual([]);
    expect(() => db.prepare(`select 1 / (3 - i) from (${SORT}) x`).all()).toThrow('division by zero');
    const controller = new AbortController();
    const running = db.query(`select count(*) from (${SORT}) x, generate_series(1, 100000)`, [], {
      signal: controller.signal,
    });
    setTimeout(() => controller.abort(), 50);
    await expect(running).rejects.toThrow(expect.objectContaining({ code: '57014' }));
    expect(files()).toEqual([]);
    expect(db.prepare(SORT).all()).toHaveLength(3000);
  });

  it('are told of by EXPLAIN, at what has written them and above', async () => {
    db = await open(directory, { durability: 'memory', memoryLimitBytes: 200_000 });
    const sort = `select i, repeat('x', 300) as s from generate_series(1, 3000) i order by s, i desc`;
    const texts: [string, RegExp][] = [
      [sort, /^Sort [^\n]*\n +Sort Key[^\n]*\n +Disk: \d{3,}kB/],
      [
        `select s, count(*) from (select i % 900 as g, repeat('x', 300) || i as s from generate_series(1, 3000) i) x group by s`,
        /^HashAggregate [^\n]*\n +Group Key[^\n]*\n +Disk: \d{3,}kB/,
      ],
    ];
    for (const [text, expected] of texts) {
      const lines = db.prepare<Record<string, string>>(`explain (analyze, costs off) ${text}`).all();
      expect(lines.map((line) => line['QUERY PLAN']).join('\n')).toMatch(expected);
      const [json] = db.prepare<Record<string, unknown>>(`explain (analyze, format json) ${text}`).all();
      expect(JSON.stringify(json)).toMatch(/"Disk Usage":\d{3,}/);
    }
    expect(files()).toEqual([]);
  });

  it('are written from work_mem on, which is all that a query may have where nobody sets it', async () => {
    db = await open(directory, { durability: 'memory', memoryLimitBytes: 8 * 1024 * 1024 });
    const lines = async (): Promise<string> => {
      const connection = await db.connect();
      const { rows } = await connection.query<Record<string, string>>(`explain (analyze) ${SORT}`);
      const memory = await connection.query<{ work_mem: string }>('show work_mem');
      connection.release();
      return [memory.rows[0]?.work_mem, ...rows.map((line) => line['QUERY PLAN'])].join('\n');
    };
    expect(await lines()).toMatch(/^8MB\n(?!.*Disk:)/s);
    db.exec("alter role phantom set work_mem = '64kB'");
    expect(await lines()).toMatch(/^64kB\n.* Disk: \d{3,}kB/s);
  });

  it('hold what sorts of collections cannot, until their end, whatever that is', async () => {
    db = await open(directory, { durability: 'memory', memoryLimitBytes: 200_000 });
    const c = db.collection<{ _id: number; rank: number }>('c');
    await c.insertMany(Array.from({ length: 1500 }, (_, i) => ({ _id: i, rank: -i, text: 'x'.repeat(400) })));
    const staged = [{ $set: { a: 1 } }, { $sort: { rank: 1 } }];
    for (const cursor of [c.find().sort({ rank: 1 }), c.aggregate(staged)]) {
      expect(await cursor.next()).toMatchObject({ _id: 1499 });
      expect(files().length).toBeGreaterThan(1);
      cursor.close();
      await new Promise(setImmediate);
      expect(files()).toEqual([]);
    }
    expect((await c.aggregate(staged).toArray()).map(({ _id }) => _id)).toEqual([...Array(1500).keys()].reverse());
    expect(files()).toEqual([]);
    const controller = new AbortController();
    const aborted = db.transaction(
      async (tx) => {
        const cursor = c.aggregate(staged, { tx });
        await cursor.next();
        expect(files().length).toBeGreaterThan(1);
        controller.abort();
        await cursor.toArray();
      },
      { signal: controller.signal },
    );
    await expect(aborted).rejects.toMatchObject({ code: '57014' });
    expect(files()).toEqual([]);
    await expect(c.aggregate(staged, { allowDiskUse: false }).toArray()).rejects.toMatchObject({ code: '53200' });
  });

  it('have a limit together', async () => {
    db = await open(directory, { durability: 'memory', memoryLimitBytes: 200_000, scratchBytesMax: 500_000 });
    expect(() => db.prepare(SORT).all()).toThrow(expect.objectContaining({ code: '53100' }));
    expect(files()).toEqual([]);
  });

  it('that a killed process has left are removed when the directory is opened', async () => {
    db = await open(directory, { durability: 'memory' });
    await db.close();
    mkdirSync(join(directory, 'scratch'));
    writeFileSync(join(directory, 'scratch', 'sort-1'), 'rows');
    db = await open(directory, { durability: 'memory' });
    expect(files()).toEqual([]);
  });
});
