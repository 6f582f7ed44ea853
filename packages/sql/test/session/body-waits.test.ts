/** Bodies in PL/pgSQL that go on without end are stopped, and those that wait go on where they were. */
import { systemClock } from '@phantom/base';
import { afterEach, describe, expect, it } from 'vitest';
import { type TestEngine, openEngine } from '../support/engine.js';
import { run, turns } from '../support/statements.js';

const opened: TestEngine[] = [];

afterEach(async () => {
  for (const engine of opened.splice(0)) await engine.close();
});

async function open(): Promise<TestEngine> {
  const engine = await openEngine(systemClock);
  opened.push(engine);
  return engine;
}

describe('a body without queries', () => {
  it.each([
    'select endless()',
    'do $$ begin loop null; end loop; end $$',
    'call endlessly()',
    'select 1 + endless() from t',
    'select * from t where i > 0 and endless() = i order by i',
    'select sum(endless()) from t',
    'select case when i = 1 then endless() end from t',
    'insert into t values (endless() + 1)',
    'insert into fired values (1)',
    'select * from endlessly_given()',
    'select endlessly_given()',
    'select doubling(60)',
    'select doubled(60)',
    'do $$ declare i int; begin i := 1 + endless(); end $$',
    'do $$ begin if endless() > 1 then null; end if; end $$',
  ])('ends with a cancel: %s', async (statement) => {
    const session = (await open()).session();
    await run(
      session,
      `create function endless() returns int language plpgsql as 'begin loop null; end loop; end';
         create procedure endlessly() language plpgsql as 'declare i int = 0; begin while true loop i = 1 - i; end loop; end';
         create function endlessly_given() returns setof int language plpgsql as 'begin loop null; end loop; end';
         create function doubling(n int) returns int language plpgsql
           as 'begin return case when n = 0 then 1 else doubling(n - 1) + doubling(n - 1) end; end';
         create function doubled(n int) returns int language sql
           as 'select case when n = 0 then 1 else doubled(n - 1) + doubled(n - 1) end';
         create table t (i int);
         insert into t values (1), (2);
         create table fired (i int);
         create function fires() returns trigger language plpgsql as 'begin new.i := endless(); return new; end';
         create trigger fires before insert on fired for each row execute function fires()`,
    );
    const running = run(session, statement);
    await turns(3);
    session.cancel();
    expect(await running).toBe('57014');
    expect(await run(session, 'select 1')).toBe('SELECT 1');
  });
});

describe('a body that waits for a row', () => {
  it('goes on from there, and does nothing twice', async () => {
    const engine = await open();
    const said: string[] = [];
    const [a, b] = [engine.session(), engine.session({ onNotice: ({ message }) => said.push(message) })];
    await run(
      a,
      `create table t (id int primary key, v int); insert into t values (1, 1);
       create function add(n int) returns int language plpgsql as $$
       declare r int;
       begin
         raise notice 'begins';
         update t set v = v + n where id = 1 returning v into r;
         raise notice 'has %', r;
         return r;
       end $$`,
    );
    await run(a, 'begin; update t set v = 10');
    const waiting = run(b, 'select add(5)');
    await turns(5);
    expect(said).toEqual(['begins']);
    await run(a, 'commit');
    expect(await waiting).toBe('SELECT 1');
    expect(said).toEqual(['begins', 'has 15']);
  });

  it.each([
    'do $$ declare x int; begin x := add(5) + 1; end $$',
    'call adds()',
    'select add(5) + 1',
    // A default's text is computed at once: the statement is run anew once the row is free.
    'insert into added default values',
  ])('changes each row once: %s', async (statement) => {
    const engine = await open();
    const [a, b] = [engine.session(), engine.session()];
    await run(
      a,
      `create table t (id int primary key, v int); insert into t values (1, 1), (2, 2);
         create function add(n int) returns int language plpgsql as $$
         declare r int;
         begin
           update t set v = v + n where id = 2;
           update t set v = v + n where id = 1 returning v into r;
           return r;
         end $$;
         create table added (x int default add(5));
         create procedure adds() language plpgsql as 'declare x int; begin x := add(5) + 1; end'`,
    );
    await run(a, 'begin; update t set v = 10 where id = 1');
    const waiting = run(b, statement);
    await turns(5);
    await run(a, 'commit');
    await waiting;
    expect(await run(a, 'do $$ begin assert (select sum(v) from t) = 15 + 7; end $$')).toBe('DO');
  });
});

describe('the rows of a function', () => {
  it.each(['select count(*) from given()', 'select count(*) from queried()', 'select count(*) from selected()'])(
    'are kept within the memory of a query: %s',
    async (statement) => {
      const session = (await open()).session();
      await run(
        session,
        `create function given() returns setof text language plpgsql
           as $$ begin loop return next repeat('x', 1000000); end loop; end $$;
         create function queried() returns setof text language plpgsql
           as $$ begin return query select repeat('x', 1000000) from generate_series(1, 1000000); end $$;
         create function selected() returns setof text volatile language sql
           as $$ select repeat('x', 1000000) from generate_series(1, 1000000) $$`,
      );
      expect(await run(session, statement)).toBe('53200');
    },
  );
});
