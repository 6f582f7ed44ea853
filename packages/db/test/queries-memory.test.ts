/** Working memory that queries share: who finds it used up does without, or is refused; what a query took comes back with its end. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type Database, open } from '../src/index.js';

/** Some 600 KB of rows to sort. */
const SORT = "select i, repeat('x', 400) as s from generate_series(1, 1300) i order by i * 7919 % 1301";
const refused = expect.objectContaining({ code: '53200', message: expect.stringContaining('all queries together') });

describe('memory of all queries together', () => {
  let db: Database;

  afterEach(() => db.close());

  it('is refused to one query while another has it, and comes back with its end, its error and its cancel', async () => {
    db = await open(':memory:', { memoryLimitBytes: 2_000_000, queriesMemoryBytesMax: 1_000_000 });
    const other = async (): Promise<number> => (await db.query(SORT)).rows.length;
    const rows = db.prepare(SORT).iterate();
    rows.next();
    await expect(other()).rejects.toThrow(refused);
    await expect(other()).rejects.toThrow(refused);
    rows.return?.();
    expect(await other()).toBe(1300);
    await expect(db.query(`select 1 / (i - 1300) from (${SORT}) x`)).rejects.toThrow('division by zero');
    const controller = new AbortController();
    const running = db.query(`select count(*) from (${SORT}) x, generate_series(1, 100000)`, [], {
      signal: controller.signal,
    });
    setTimeout(() => controller.abort(), 20);
    await expect(running).rejects.toThrow(expect.objectContaining({ code: '57014' }));
    expect(await other()).toBe(1300);
  });

  it('is the same for pipelines of collections', async () => {
    db = await open(':memory:', { memoryLimitBytes: 2_000_000, queriesMemoryBytesMax: 1_000_000 });
    const lines = db.collection('lines');
    await lines.insertMany(Array.from({ length: 10 }, (_, i) => ({ i, text: 'x'.repeat(60_000) })));
    const sorted = (): Promise<object[]> => lines.aggregate([{ $set: { a: 1 } }, { $sort: { i: -1 } }]).toArray();
    const rows = db.prepare(SORT).iterate();
    rows.next();
    await expect(sorted()).rejects.toThrow(refused);
    rows.return?.();
    expect(await sorted()).toHaveLength(10);
    expect((await db.query(SORT)).rows).toHaveLength(1300);
  });

  it('makes a query spill that would fit by itself', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'phantom-memory-'));
    db = await open(directory, { durability: 'memory', memoryLimitBytes: 2_000_000, queriesMemoryBytesMax: 1_000_000 });
    const rows = db.prepare<{ i: number }>(SORT).iterate();
    rows.next();
    const sorted = await db.query<{ i: number }>(SORT);
    expect([...rows].map(({ i }) => i)).toEqual(sorted.rows.slice(1).map(({ i }) => i));
    await db.close();
    rmSync(directory, { recursive: true, force: true });
  });
});
