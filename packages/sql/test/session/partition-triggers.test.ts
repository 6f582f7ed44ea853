/** Triggers of partitioned tables: of rows on every partition, wherever a row goes, and of statements with the rows of all. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SqlSession } from '../../src/index.js';
import { type TestEngine, openEngine } from '../support/engine.js';
import { rows, run } from '../support/statements.js';

let engine: TestEngine;
let session: SqlSession;

/** p1 holds k from 0 to 9, in partitions of its own by id, one of which has its columns in another order; p2 holds 10 to 19. */
const TABLES = `
  create table p (id int, k int, t text, primary key (id, k)) partition by range (k);
  create table p1 partition of p for values from (0) to (10) partition by list (id);
  create table p1a partition of p1 for values in (1, 2, 3);
  create table p1b (t text, k int not null, id int not null);
  alter table p1 attach partition p1b default;
  create table p2 partition of p for values from (10) to (20)`;
/** Notes every call, and does to the row what its text says. */
const FUNCTION = `
  create table seen (what text);
  create function note() returns trigger language plpgsql as $$ begin
    insert into seen values (concat_ws(' ', tg_name, tg_table_name, lower(tg_op), old.id, old.t, '>', new.id, new.t));
    if tg_when = 'BEFORE' and tg_op <> 'DELETE' and split_part(new.t, ' ', 1) = lower(tg_op) then
      case split_part(new.t, ' ', 2)
        when 'skip' then return null;
        when 'move' then new.k := (new.k + 10) % 20;
        when 'inner' then new.id := 10 - new.id;
        else new.k := 99;
      end case;
    end if;
    return coalesce(new, old);
  end $$`;

const seen = async (): Promise<string[]> => {
  const found = await rows(session, 'select what from seen');
  await run(session, 'truncate seen');
  return found;
};
const where = (): Promise<string[]> => rows(session, 'select tableoid::regclass::text, id, k from p order by id');

beforeEach(async () => {
  engine = await openEngine();
  session = engine.session();
  await run(session, `${TABLES}; ${FUNCTION}`);
});

afterEach(() => engine.close());

describe('triggers of rows', () => {
  it('fire on the partition that has the row, by whatever name it is written', async () => {
    await run(session, 'create trigger z after insert or update or delete on p for each row execute function note()');
    await run(session, "insert into p values (1, 1, 'a'), (7, 5, 'b'); insert into p2 values (2, 12, 'c')");
    expect(await seen()).toEqual(['z p1a insert > 1 a', 'z p1b insert > 7 b', 'z p2 insert > 2 c']);
    await run(session, "update p1 set t = 'd' where id = 7; delete from p where id = 1");
    await run(session, "insert into p values (2, 12, 'e') on conflict (id, k) do update set t = excluded.t");
    expect(await seen()).toEqual(['z p1b update 7 b > 7 d', 'z p1a delete 1 a >', 'z p2 update 2 c > 2 e']);
  });

  it('say where an updated row goes, and see it go', async () => {
    await run(session, 'create trigger a before insert or update or delete on p for each row execute function note()');
    await run(session, "insert into p values (1, 1, 'a'), (7, 5, 'b')");
    await seen();
    expect(await run(session, "update p set t = 'update move' where id = 1; update p1b set t = 'x'")).toBe('UPDATE 1');
    expect(await seen()).toEqual([
      'a p1a update 1 a > 1 update move',
      'a p1a delete 1 a >',
      'a p2 insert > 1 update move',
      'a p1b update 7 b > 7 x',
    ]);
    expect(await run(session, "update p set t = 'update inner' where id = 7; update p set t = 'update skip'")).toBe(
      'UPDATE 0',
    );
    expect(await where()).toEqual(['p2 1 11', 'p1a 3 5']);
    expect(await run(session, "update p set t = 'update out'")).toBe('23514');
    expect(await run(session, "update p1 set t = 'update move'")).toBe('23514');
    expect(await run(session, "update p1 set t = 'update inner'")).toBe('UPDATE 1');
    expect(await run(session, "update p1a set t = 'update inner', id = 2")).toBe('UPDATE 0');
  });

  it('leave a row that is inserted in the partition that was found for it', async () => {
    await run(session, 'create trigger a before insert on p for each row execute function note()');
    expect(await run(session, "insert into p values (1, 1, 'insert move')")).toBe('0A000');
    expect(await run(session, "insert into p1a values (1, 1, 'insert inner')")).toBe('0A000');
    expect(await run(session, "insert into p values (1, 1, 'insert skip'), (5, 1, 'y')")).toBe('INSERT 0 1');
    await run(
      session,
      'drop trigger a on p; create trigger a before insert on p1a for each row execute function note()',
    );
    expect(await run(session, "insert into p values (1, 1, 'insert inner')")).toBe('23514');
  });

  it('fire for the columns that a statement sets, by the name of any of the tables', async () => {
    await run(
      session,
      'create trigger z after update of t on p for each row when (new.id > 2) execute function note()',
    );
    await run(session, 'create trigger own after update of t on p1b for each row execute function note()');
    await run(session, "insert into p values (1, 1, 'a'), (7, 5, 'b')");
    await run(session, 'update p set k = k; update p1b set id = id');
    expect(await seen()).toEqual([]);
    await run(session, "update p set t = 'c'");
    expect(await seen()).toEqual(['own p1b update 7 b > 7 c', 'z p1b update 7 b > 7 c']);
    await run(session, 'alter table p rename column t to u');
    const texts =
      "select pg_get_triggerdef(oid) like '%OF u ON public.p%(new.id > 2)%' from pg_trigger where tgname = 'z'";
    expect(await rows(session, texts)).toEqual(['true', 'true', 'true', 'true', 'true']);
    expect(await run(session, 'alter table p drop column u')).toBe('2BP01');
    expect(await run(session, 'alter table p drop column u cascade')).toBe('ALTER TABLE');
    expect(await rows(session, 'select tgname from pg_trigger')).toEqual([]);
  });

  it('fire for what foreign keys do', async () => {
    await run(session, 'create table r (id int primary key); insert into r values (1), (2)');
    await run(
      session,
      'create table c (id int references r on delete cascade on update cascade, t text) partition by list (id)',
    );
    await run(session, 'create table c1 partition of c for values in (1); create table c2 partition of c default');
    await run(session, 'create trigger z after update or delete or insert on c for each row execute function note()');
    await run(
      session,
      "create function told() returns trigger language plpgsql as $$ begin insert into seen values (concat_ws(' ', tg_name, tg_table_name, lower(tg_op))); return null; end $$",
    );
    await run(session, 'create trigger s after update or delete on c for each statement execute function told()');
    await run(session, 'insert into c values (1), (2)');
    await seen();
    await run(session, 'update r set id = 3 where id = 1; delete from r');
    expect(await seen()).toEqual([
      'z c1 delete 1 >',
      'z c2 insert > 3',
      's c update',
      'z c2 delete 2 >',
      'z c2 delete 3 >',
      's c delete',
    ]);
  });

  it('come with new partitions and go with those that leave', async () => {
    await run(session, 'create trigger z after insert on p for each row execute function note()');
    await run(session, 'create table p3 partition of p for values from (20) to (30) partition by list (id)');
    await run(session, 'create table p3a partition of p3 default; create table other (id int, k int, t text)');
    const on = "select tgrelid::regclass::text, tgparentid <> 0 from pg_trigger where tgname = 'z' order by 1";
    expect(await rows(session, on)).toEqual([
      'p false',
      ...['p1', 'p1a', 'p1b', 'p2', 'p3', 'p3a'].map((name) => `${name} true`),
    ]);
    await run(session, 'alter table p detach partition p3; alter table p detach partition p1');
    expect(await rows(session, on)).toEqual(['p false', 'p2 true']);
    await run(session, 'create trigger z before insert on p1a for each row execute function note()');
    const attach = 'alter table p attach partition p1 for values from (0) to (10)';
    expect(await run(session, attach)).toBe('42710');
    await run(session, 'drop trigger z on p1a');
    expect(await run(session, attach)).toBe('ALTER TABLE');
    expect(await run(session, 'drop trigger z on p1b')).toBe('2BP01');
    expect(await run(session, 'drop function note()')).toBe('2BP01');
    expect(await run(session, 'drop function note() cascade')).toBe('DROP FUNCTION');
    expect(await rows(session, on)).toEqual([]);
  });

  it('are renamed, replaced and switched with the table they came with', async () => {
    await run(session, 'create trigger z after insert on p for each row execute function note()');
    expect(await run(session, 'alter trigger z on p1 rename to y')).toBe('XX000');
    expect(await run(session, 'alter trigger z on p rename to y')).toBe('ALTER TRIGGER');
    expect(await run(session, 'alter table p1 disable trigger y; alter table only p enable always trigger y')).toBe(
      'ALTER TABLE',
    );
    const firing = 'select tgrelid::regclass::text, tgname, tgenabled from pg_trigger order by 1';
    expect(await rows(session, firing)).toEqual(['p y A', 'p1 y D', 'p1a y D', 'p1b y D', 'p2 y O']);
    await run(session, "insert into p values (1, 1, 'a'), (2, 12, 'b'); alter table p enable trigger all");
    await run(session, "insert into p values (2, 1, 'c')");
    expect(await seen()).toEqual(['y p2 insert > 2 b', 'y p1a insert > 2 c']);
    const replace = 'create or replace trigger y after delete on';
    expect(await run(session, `${replace} p1 for each row execute function note()`)).toBe('42710');
    expect(await run(session, `${replace} p for each row execute function note()`)).toBe('CREATE TRIGGER');
    expect(await rows(session, 'select count(*) from pg_trigger')).toEqual(['5']);
    await run(session, 'delete from p');
    expect(await seen()).toEqual(['y p1a delete 1 a >', 'y p1a delete 2 c >', 'y p2 delete 2 b >']);
  });

  it('wait for the commit where they are deferred', async () => {
    await run(session, 'create constraint trigger z after insert on p deferrable for each row execute function note()');
    await run(session, 'begin; set constraints z deferred');
    await run(session, "insert into p values (1, 1, 'a')");
    expect(await rows(session, 'select what from seen')).toEqual([]);
    await run(session, 'commit');
    expect(await seen()).toEqual(['z p1a insert > 1 a']);
  });
});

describe('triggers of statements', () => {
  it('know the rows of all partitions, as the table has them', async () => {
    await run(
      session,
      `create function sums() returns trigger language plpgsql as $$ begin
        if tg_op <> 'INSERT' then insert into seen select 'old ' || string_agg(id || t, ',' order by id) from o; end if;
        if tg_op <> 'DELETE' then insert into seen select 'new ' || string_agg(id || t, ',' order by id) from n; end if;
        return null;
      end $$`,
    );
    const create = (event: string, tables: string, on = 'p'): Promise<string> =>
      run(
        session,
        `create trigger ${event} after ${event} on ${on} referencing ${tables} for each statement execute function sums()`,
      );
    await create('insert', 'new table as n');
    await create('update', 'new table as n old table as o');
    await create('delete', 'old table as o');
    await create('insert', 'new table as n', 'p1a');
    await run(session, "insert into p values (1, 1, 'a'), (7, 5, 'b'), (2, 12, 'c')");
    expect(await seen()).toEqual(['new 1a,2c,7b']);
    // A row that moves is one that is updated.
    await run(session, "update p set k = 19 - k, t = t || '!'");
    expect(await seen()).toEqual(['old 1a,2c,7b', 'new 1a!,2c!,7b!']);
    await run(session, 'delete from p where id > 1; delete from p2');
    expect(await seen()).toEqual(['old 2c!,7b!']);
    expect(
      await run(
        session,
        'create trigger r after insert on p referencing new table as n for each row execute function sums()',
      ),
    ).toBe('0A000');
    expect(
      await run(
        session,
        'create trigger r after insert on p2 referencing new table as n for each row execute function sums()',
      ),
    ).toBe('0A000');
    expect(await run(session, 'create trigger r instead of insert on p for each row execute function sums()')).toBe(
      '42809',
    );
  });
});
