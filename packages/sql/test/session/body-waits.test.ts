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
  it.each(['select endless()', 'do $$ begin loop null; end loop; end $$', 'call endlessly()'])(
    'ends with a cancel: %s',
    async (statement) => {
      const session = (await open()).session();
      await run(
        session,
        `create function endless() returns int language plpgsql as 'begin loop null; end loop; end';
         create procedure endlessly() language plpgsql as 'declare i int = 0; begin while true loop i = 1 - i; end loop; end'`,
      );
      const running = run(session, statement);
      await turns(3);
      session.cancel();
      expect(await running).toBe('57014');
      expect(await run(session, 'select 1')).toBe('SELECT 1');
    },
  );
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

  it.each(['do $$ declare x int; begin x := add(5) + 1; end $$', 'call adds()'])(
    'is run anew where it cannot wait: %s',
    async (statement) => {
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
         create procedure adds() language plpgsql as 'declare x int; begin x := add(5) + 1; end'`,
      );
      await run(a, 'begin; update t set v = 10 where id = 1');
      const waiting = run(b, statement);
      await turns(5);
      await run(a, 'commit');
      await waiting;
      expect(await run(a, 'do $$ begin assert (select sum(v) from t) = 15 + 7; end $$')).toBe('DO');
    },
  );
});
