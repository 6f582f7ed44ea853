/** Foreign keys to partitioned tables: to the whole table, wherever the rows lie that have the key and those that refer to it. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SqlSession } from '../../src/index.js';
import { type TestEngine, openEngine } from '../support/engine.js';
import { rows, run, turns } from '../support/statements.js';

let engine: TestEngine;
let session: SqlSession;

/** Rows lie in p1's own partitions by `id`, in another order of columns, and in p2. */
const PARENT = `
  create table p (id int, k int, t text, primary key (k, id)) partition by range (k);
  create table p1 (t text, k int not null, id int not null) partition by list (id);
  create table p1a partition of p1 for values in (1, 2, 3);
  create table p1b (t text, id int not null, k int not null);
  alter table p1 attach partition p1b default;
  alter table p attach partition p1 for values from (0) to (100);
  create table p2 partition of p for values from (100) to (200)`;
const CHILD = `
  create table c (n text, a int, b int, foreign key (a, b) references p (id, k) on update cascade on delete cascade)
    partition by list (a);
  create table c1 (a int, b int, n text); alter table c attach partition c1 for values in (1, 2);
  create table c2 partition of c default`;

const where = (table: string): Promise<string[]> =>
  rows(session, `select tableoid::regclass::text, * from ${table} order by 2, 3`);

beforeEach(async () => {
  engine = await openEngine();
  session = engine.session();
  await run(session, PARENT);
});

afterEach(() => engine.close());

describe('a foreign key to a partitioned table', () => {
  it('finds the parent in its partition, and only there', async () => {
    await run(session, `${CHILD}; insert into p values (1, 1), (7, 5), (1, 150)`);
    expect(await run(session, 'insert into c (a, b) values (1, 1), (7, 5), (1, 150), (null, 9)')).toBe('INSERT 0 4');
    for (const values of ['(1, 2)', '(8, 5)', '(1, 500)'])
      expect([values, await run(session, `insert into c (a, b) values ${values}`)]).toEqual([values, '23503']);
    expect(await run(session, 'update c set b = 2 where b = 1')).toBe('23503');
  });

  it('is asked when a row goes, by whatever name, and follows one that moves', async () => {
    await run(session, `${CHILD}; insert into p values (1, 1), (7, 5), (1, 150)`);
    await run(session, "insert into c values ('x', 1, 1), ('y', 7, 5), ('z', 1, 150)");
    expect(await run(session, 'update p set id = 7, k = 6 where k = 1')).toBe('UPDATE 1');
    expect(await where('c')).toEqual(['c2 x 7 6', 'c2 y 7 5', 'c1 z 1 150']);
    expect(await run(session, 'update p set k = 160 where k = 6; update p2 set k = 170 where k = 160')).toBe(
      'UPDATE 1',
    );
    expect(await where('c')).toEqual(['c2 x 7 170', 'c2 y 7 5', 'c1 z 1 150']);
    expect(await run(session, "update p set t = 'moved', k = 3 where k = 5")).toBe('UPDATE 1');
    expect(await run(session, 'delete from p1b; delete from p where k = 150')).toBe('DELETE 1');
    expect(await where('c')).toEqual(['c2 x 7 170']);
  });

  it('keeps rows that others refer to', async () => {
    await run(session, 'create table c (a int, b int, foreign key (b, a) references p)');
    await run(session, 'insert into p values (1, 1), (1, 150); insert into c values (1, 1)');
    for (const text of [
      'delete from p',
      'delete from p1a',
      'update p set k = 2 where k = 1',
      'update p set id = 2 where k = 1',
      'update p set k = 120 where k = 1',
    ])
      expect([text, await run(session, text)]).toEqual([text, '23503']);
    // A row that only moves between two partitions keeps its key; so does one that is put back.
    expect(await run(session, "update p set t = 'x' where k = 1; update p set k = k")).toBe('UPDATE 2');
    expect(await run(session, 'with gone as (delete from p where k = 150) select 1; truncate p')).toBe('0A000');
    expect(await run(session, 'truncate p2')).toBe('0A000');
    expect(await run(session, 'truncate p cascade')).toBe('TRUNCATE TABLE');
    expect(await rows(session, 'select * from c')).toEqual([]);
  });

  it('sets what refers to a row that goes to null, or to the default', async () => {
    await run(session, 'create table h (id int primary key) partition by hash (id)');
    await run(session, 'create table h0 partition of h for values with (modulus 2, remainder 0)');
    await run(session, 'create table h1 partition of h for values with (modulus 2, remainder 1)');
    await run(session, 'create table c (a int default 1 references h on delete set default on update set null)');
    await run(session, 'insert into h select generate_series(1, 9); insert into c select generate_series(1, 9)');
    expect(await run(session, 'delete from h where id in (2, 3); update h set id = id + 10 where id > 7')).toBe(
      'UPDATE 2',
    );
    expect(await rows(session, 'select a from c order by a')).toEqual('1 1 1 4 5 6 7 null null'.split(' '));
  });

  it('waits for the commit where it is deferred', async () => {
    await run(session, `${CHILD}; alter table c alter constraint c_a_b_fkey deferrable initially deferred`);
    expect(await run(session, 'begin; insert into c (a, b) values (2, 9); insert into p values (2, 9); commit')).toBe(
      'COMMIT',
    );
    expect(await run(session, 'begin; insert into c (a, b) values (2, 8); commit')).toBe('23503');
    await run(session, 'rollback');
    expect(await run(session, 'begin; insert into c (a, b) values (8, 8); set constraints all immediate')).toBe(
      '23503',
    );
    await run(session, 'rollback');
    expect(await rows(session, 'select a, b from c')).toEqual(['2 9']);
  });

  it('lets go of a partition that nothing refers to, and takes it back', async () => {
    await run(session, `${CHILD}; insert into p values (1, 1), (1, 150); insert into c (a, b) values (1, 1)`);
    expect(await run(session, 'alter table p detach partition p1')).toBe('23503');
    expect(await run(session, 'alter table p1 detach partition p1a')).toBe('23503');
    expect(await run(session, 'drop table p1a')).toBe('2BP01');
    expect(await run(session, 'alter table p detach partition p2; delete from p2')).toBe('DELETE 1');
    expect(await run(session, 'insert into c (a, b) values (1, 150)')).toBe('23503');
    expect(await run(session, 'insert into p2 values (3, 120)')).toBe('INSERT 0 1');
    expect(await run(session, 'alter table p attach partition p2 for values from (100) to (200)')).toBe('ALTER TABLE');
    expect(await run(session, 'insert into c (a, b) values (3, 120)')).toBe('INSERT 0 1');
    expect(await run(session, 'drop table p cascade; insert into c (a, b) values (5, 5)')).toBe('INSERT 0 1');
  });

  it('refers to the table itself', async () => {
    await run(session, 'create table s (id int primary key, up int references s) partition by range (id)');
    await run(session, 'create table s1 partition of s for values from (0) to (10)');
    await run(session, 'create table s2 partition of s for values from (10) to (20)');
    expect(await run(session, 'insert into s values (1, 11), (11, 1), (2, 2)')).toBe('INSERT 0 3');
    expect(await run(session, 'insert into s values (3, 12)')).toBe('23503');
    expect(await run(session, 'delete from s where id = 1')).toBe('23503');
    expect(await run(session, 'alter table s detach partition s2')).toBe('23503');
    expect(await run(session, 'delete from s where id in (1, 11)')).toBe('DELETE 2');
  });

  it('looks at the rows that are there when it is added', async () => {
    await run(
      session,
      'create table c (a int, b int); insert into p values (1, 1); insert into c values (1, 1), (1, 2)',
    );
    const add = 'alter table c add constraint f foreign key (a, b) references p (id, k)';
    expect(await run(session, add)).toBe('23503');
    expect(await run(session, `${add} not valid`)).toBe('ALTER TABLE');
    expect(await run(session, 'insert into c values (5, 5)')).toBe('23503');
    expect(await run(session, 'alter table c validate constraint f')).toBe('23503');
    expect(await run(session, 'delete from c where b = 2; alter table c validate constraint f')).toBe('ALTER TABLE');
    expect(await run(session, 'alter table p drop constraint p_pkey')).toBe('2BP01');
  });

  it('is one of the table that it names, not of those above and below', async () => {
    await run(session, 'create table c (a int, b int, foreign key (b, a) references p1 on update cascade)');
    await run(session, 'insert into p values (1, 1), (9, 9), (2, 150)');
    expect(await run(session, 'insert into c values (2, 150)')).toBe('23503');
    expect(await run(session, 'insert into c values (1, 1); update p1 set id = 8 where id = 1')).toBe('UPDATE 1');
    expect(await rows(session, 'select a, b from c')).toEqual(['8 1']);
    expect(await run(session, 'update p set k = 130 where k = 9')).toBe('0A000');
    expect(await run(session, 'create table d (a int references p2 (id))')).toBe('42830');
  });

  it('is told by the catalogs of the table and of its partitions', async () => {
    await run(session, CHILD);
    const constraints =
      "select conname, conrelid::regclass::text, confrelid::regclass::text from pg_constraint where contype = 'f' order by 2";
    expect(await rows(session, constraints)).toEqual(['c', 'c1', 'c2'].map((table) => `c_a_b_fkey ${table} p`));
    const marked = "select string_agg(relname, ' ' order by relname) from pg_class where relhastriggers";
    expect(await rows(session, marked)).toEqual(['c c1 c2 p p1 p1a p1b p2']);
  });
});

describe.each(['read committed', 'repeatable read', 'serializable'])('at %s', (level) => {
  it('no row is left without its parent by two at once', async () => {
    await run(session, CHILD);
    const other = engine.session();
    for (const [first, second] of [
      ['delete from p', 'insert into c (a, b) values (1, 1)'],
      ['insert into c (a, b) values (1, 1)', 'delete from p1a'],
      ['insert into c (a, b) values (1, 1)', 'alter table p1 detach partition p1a'],
      ['alter table p detach partition p1', 'insert into c (a, b) values (1, 1)'],
    ] as const) {
      await run(session, 'insert into p values (1, 1)');
      await run(session, `begin isolation level ${level}; ${first}`);
      const began = run(other, `begin isolation level ${level}; ${second}; commit`);
      await turns(20);
      await run(session, 'commit');
      await began;
      await run(other, 'rollback');
      const orphans = 'select a, b from c where not exists (select from p where id = a and k = b)';
      expect([first, second, await rows(session, orphans)]).toEqual([first, second, []]);
      await run(session, 'delete from c; delete from p');
      await run(session, 'delete from p1; alter table p attach partition p1 for values from (0) to (100)');
      await run(session, 'delete from p1a; alter table p1 attach partition p1a for values in (1, 2, 3)');
    }
    expect(
      await rows(session, "select count(*) from pg_inherits where inhparent in ('p'::regclass, 'p1'::regclass)"),
    ).toEqual(['4']);
  });
});
