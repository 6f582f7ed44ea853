/**
 * Every way to read is remembered at serializable. Two transactions ask the same question; each then changes a row, so that the other
 * one's answer would be another. Whichever comes first, somebody has seen what cannot be: the second may not commit. A way of reading
 * that is remembered by nobody lets both through.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Database, type Transaction, open } from '../src/index.js';

const ROWS = 120;
const SETUP = `
  create table item (id int primary key, grp int not null, n int not null, word text not null, doc jsonb not null);
  create index on item (grp, n);
  create index on item (n);
  create index on item (word);
  create index on item using gin (doc);
  create table other (id int primary key, item int);
  insert into other select i, i from generate_series(1, 60) i;
  create table note (text text);
  create view items as select grp, sum(n) as total from item group by grp;
  create function total() returns bigint language sql as 'select sum(n) from item';
  create function counted() returns bigint language plpgsql as
    'declare c bigint := 0; r record; begin for r in select n from item where grp = 1 loop c := c + r.n; end loop; return c; end';
`;
const ROW = "i, i % 4, i * 10, 'word' || i, jsonb_build_object('a', i % 4, 'n', i)";

/** Of two, each changes a row of its own. */
const CHANGES: readonly (readonly [first: string, second: string])[] = [
  ['delete from item where id = 1', 'delete from item where id = 5'],
  [
    `update item set n = n + 5000, word = 'wo' || id, doc = '{"a": 9}' where id = 1`,
    `update item set n = n + 5000, word = 'wo' || id, doc = '{"a": 9}' where id = 5`,
  ],
  [
    `insert into item values (1001, 1, 9001, 'word1001', '{"a": 1}')`,
    `insert into item values (1005, 1, 9005, 'word1005', '{"a": 1}')`,
  ],
];

const READS: readonly string[] = [
  'select count(*) from item',
  'select count(*) from item where grp = 1',
  'select sum(n), avg(n) from item',
  'select max(n) from item',
  'select max(n) from item where grp = 1',
  'select id from item where id in (1, 5, 1001, 1005)',
  'select n from item where id = any (array[1, 5, 1001, 1005])',
  'select id from item where id between 0 and 9 or id > 1000',
  'select id from item where grp = 1 or n > 9000',
  'select id from item where grp = 1 and n < 100',
  "select id from item where word like 'word1%'",
  "select id from item where word ~ '^word(1|5)$'",
  `select id from item where doc @> '{"a": 1}'`,
  `select id from item where doc -> 'a' = '1'`,
  'select id from item order by n desc limit 200',
  'select id from item order by id',
  'select grp, count(*) from item group by grp',
  'select grp, n, count(*) from item group by rollup (grp, n)',
  'select distinct n from item',
  'select distinct on (grp) grp, n from item order by grp, n desc',
  'select exists (select from item where id = 1) and exists (select from item where id = 5) as x',
  'select o.id, i.n from other o join item i on i.id = o.item',
  'select o.id, i.n from other o left join item i on i.id = o.item where o.id < 10',
  'select o.id from other o where not exists (select from item i where i.id = o.item)',
  'select o.id from other o where o.item in (select id from item where grp = 1)',
  'select o.id, (select n from item i where i.id = o.item) from other o',
  'select o.id, l.n from other o cross join lateral (select n from item i where i.id >= o.item order by i.id limit 1) l',
  'select a.id, b.id from item a join item b on a.grp = b.grp and a.n = b.n',
  'select id, sum(n) over (partition by grp order by id) from item',
  'select id from item except select item from other',
  'select n from item where grp = 1 union select n from item where grp = 2',
  'with recursive r as (select 1 as id union all select r.id + 4 from r join item i on i.id = r.id) select id from r',
  'with m as materialized (select id, n from item) select count(*), sum(n) from m',
  'select * from items',
  'select total()',
  'select counted()',
  'select i.id from item i where n > (select avg(n) from item)',
  'select array_agg(n order by id) from item where grp = 1',
  'select id from item where (grp, n) > (1, 0) and grp < 2',
  'select count(*) from generate_series(1, 9) g join item i on i.id = g',
  'values ((select count(*) from item))',
];

/** Likewise, where statements write what they have read. */
const WRITES: readonly string[] = [
  'insert into note select count(*)::text from item returning text',
  'insert into note select id::text from item where grp = 1 returning text',
];

const answerOf = async (tx: Transaction, sql: string): Promise<string> => JSON.stringify((await tx.query(sql)).rows);

describe('a serializable transaction remembers what it has read', () => {
  let db: Database;

  beforeAll(async () => {
    db = await open(':memory:');
    db.exec(`${SETUP}; insert into item select ${ROW} from generate_series(1, ${ROWS}) i; analyze`);
  });

  afterAll(() => db.close());

  const restore = (): void =>
    db.exec(
      `delete from item where id > 1000 or id in (1, 5); insert into item select ${ROW} from unnest(array[1, 5]) i`,
    );

  /** Whether a change is one of the answer. */
  async function changesAnswer(read: string, change: string): Promise<boolean> {
    let differs = false;
    const attempt = db.transaction(async (tx) => {
      const before = await answerOf(tx, read);
      await tx.query(change);
      differs = before !== (await answerOf(tx, read));
      throw new Error('over');
    });
    await expect(attempt).rejects.toThrow('over');
    return differs;
  }

  /** Both ask and change something; how the one ends that began first and ends last. */
  async function endOf(read: string | undefined, first: string, second: string): Promise<unknown> {
    const options = { isolation: 'serializable', retries: 0 } as const;
    const outer = db.transaction(async (tx) => {
      await tx.query(read ?? 'select 1');
      await db.transaction(async (other) => {
        await other.query(read ?? 'select 1');
        await other.query(second);
      }, options);
      await tx.query(first);
    }, options);
    const end = await outer.then(
      () => 'done',
      (error: { readonly code: string }) => error.code,
    );
    restore();
    return end;
  }

  it('by no read at all', async () => {
    for (const [first, second] of CHANGES) expect(await endOf(undefined, first, second)).toBe('done');
  });

  it.each([...READS, ...WRITES])('%s', async (read) => {
    for (const [first, second] of CHANGES) {
      if (!(await changesAnswer(read, first)) || !(await changesAnswer(read, second))) continue;
      expect({ second, end: await endOf(read, first, second) }).toEqual({ second, end: '40001' });
      return;
    }
    throw new Error('no change changes the answer');
  });
});
