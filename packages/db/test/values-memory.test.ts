/** Values that grow with the rows they are made of count as working memory: 53200 past the limit, and never the end of the process. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Database, open } from '../src/index.js';

let db: Database;
const directory = mkdtempSync(join(tmpdir(), 'phantom-values-'));
beforeAll(async () => {
  db = await open(directory, { durability: 'memory', memoryLimitBytes: 1 << 20 });
});
afterAll(async () => {
  await db.close();
  rmSync(directory, { recursive: true });
});

const column = async (sql: string): Promise<unknown[]> =>
  (await db.query(sql)).rows.map((row) => Object.values(row as Record<string, unknown>)[0]);

describe('values made of many rows', () => {
  const text = `repeat('x', 100) || i`;
  const rows = 'generate_series(1, 20000) i';
  for (const sql of [
    `select array_agg(${text}) from ${rows}`,
    `select array_agg(array[${text}]) from ${rows}`,
    `select string_agg(${text}, ',') from ${rows}`,
    `select string_agg((${text})::bytea, '') from ${rows}`,
    `select json_agg(${text}) from ${rows}`,
    `select jsonb_agg(${text}) from ${rows}`,
    `select json_object_agg(i, ${text}) from ${rows}`,
    `select jsonb_object_agg(i, ${text}) from ${rows}`,
    `select range_agg(int4range(2 * i, 2 * i + 1)) from ${rows}`,
    `select i % 5, array_agg(${text}) from ${rows} group by 1`,
    `select array(select ${text} from ${rows})`,
    `select 1 where 'x' not in (select ${text} from ${rows})`,
    `select count(a) from (select array_agg(i) over (order by i) as a from ${rows}) q`,
    `select count(a) from (select string_agg(i::text, ',') over (order by i) as a from ${rows}) q`,
  ]) {
    it(`are refused past the limit: ${sql}`, async () => {
      await expect(db.query(sql)).rejects.toMatchObject({ code: '53200' });
      expect(await column('select 1')).toEqual([1]);
    });
  }

  it('take no memory once nobody keeps them', async () => {
    const lists = 'select max(cardinality(array(select j from generate_series(1, 100) j where j <= i))) as most';
    expect(await column(`${lists} from generate_series(1, 3000) i`)).toEqual([100]);
    const groups = `select sum(n) as n from (select i / 10 as g, cardinality(array_agg(${text})) as n from ${rows} group by 1) q`;
    expect(await column(groups)).toEqual([20000]);
  });

  it('count while their subquery runs, and no longer', async () => {
    const each = 'from generate_series(1, 3000) i';
    expect(await column(`select max((select count(*) from generate_series(1, 100) j where j <= i)) ${each}`)).toEqual([
      100,
    ]);
    const ordered = "select string_agg(x::text, ',' order by x desc) from generate_series(i, i + 40) x";
    expect(await column(`select max(length((${ordered}))) ${each}`)).toEqual([204]);
    const lateral =
      'lateral (select max(j) as m from (select j from generate_series(1, 100) j order by -j offset 1) q) r';
    expect(await column(`select sum(m) ${each}, ${lateral}`)).toEqual([297000]);
    const step = 'select n + 1 from r, generate_series(1, 50) j where j = 1 + n % 7 and n < 1500';
    expect(await column(`with recursive r(n) as (select 1 union all ${step}) select max(n) from r`)).toEqual([1500]);
    // What runs once stays to the end, inside of what runs for each row, too.
    const big = "select repeat('x', 100) || k from generate_series(1, 12000) k";
    const inside = `select count(*) from generate_series(1, 2) j where 'y' || i not in (${big}) and j <= i`;
    await expect(column(`select max((${inside})) ${each}`)).rejects.toMatchObject({ code: '53200' });
  });

  it('are those of their own row in a running frame', async () => {
    const running = (value: string): string =>
      `select ${value} as v from (select i, array_agg(i) over (order by i) as a, array_agg(array[i]) over (order by i) as b,
         jsonb_agg(i) over (order by i) as j, range_agg(int4range(i, i + 1)) over (order by i) as r
       from generate_series(1, 3) i) q order by i`;
    expect(await column(running('cardinality(a)'))).toEqual([1, 2, 3]);
    expect(await column(running('cardinality(b)'))).toEqual([1, 2, 3]);
    expect(await column(running('jsonb_array_length(j)'))).toEqual([1, 2, 3]);
    expect(await column(running('a = array[1, 2]'))).toEqual([false, true, false]);
    expect(await column(running('upper(r)'))).toEqual([2, 3, 4]);
  });

  it('are refused past the items of an array, however they would get there', async () => {
    const assigned = 'do $$ declare a int[]; begin a[1] := 1; a[40000000] := 2; end $$';
    await expect(db.query(assigned)).rejects.toMatchObject({ code: '54000' });
    await expect(db.query('select array_fill(1, array[40000, 40000])')).rejects.toMatchObject({ code: '54000' });
    const inside = `do $$ declare a int[] := array[1, 2]; begin
      a[2] := 5; a[4] := 7; a[0] := 9; assert a = '[0:4]={9,1,5,null,7}'::int[]; end $$`;
    await db.query(inside);
  });
});
