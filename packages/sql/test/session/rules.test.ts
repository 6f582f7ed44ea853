/** Rules beside others: rights, other sessions, partitions, triggers. What rules do is in the golden script. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SqlSession } from '../../src/index.js';
import { type TestEngine, openEngine } from '../support/engine.js';
import { rows, run, turns } from '../support/statements.js';

let engine: TestEngine;
let session: SqlSession;

beforeEach(async () => {
  engine = await openEngine();
  session = engine.session();
});

afterEach(() => engine.close());

describe('rights of rules', () => {
  it('are the owner’s for what the actions do, and those of who writes for the rest', async () => {
    await run(
      session,
      `create role writer; create table t (a int); create table log (who text, a int); create view v as select a from t;
       create rule v_i as on insert to v do instead (insert into t values (new.a); insert into log values (current_user, new.a));
       create table secret (a int); insert into secret values (5); grant insert on v to writer`,
    );
    await run(session, 'set role writer');
    expect(await run(session, 'insert into v values (1)')).toBe('INSERT 0 1');
    expect(await run(session, 'insert into v select a from secret')).toBe('42501');
    expect(await run(session, 'insert into t values (1)')).toBe('42501');
    expect(await run(session, 'update v set a = 1')).toBe('42501');
    expect(await run(session, 'create rule mine as on insert to v do nothing')).toBe('42501');
    expect(await run(session, 'drop rule v_i on v')).toBe('42501');
    await run(session, 'reset role; create or replace rule v_i as on insert to v do instead nothing');
    await run(session, 'revoke insert on v from writer; set role writer');
    expect(await run(session, 'insert into v values (2)')).toBe('INSERT 0 0');
    await run(session, 'reset role');
    expect(await rows(session, 'select who, log.a, t.a from log, t')).toEqual(['writer 1 1']);
  });
});

describe('rules among sessions', () => {
  it('are done anew as a whole where a row has changed meanwhile', async () => {
    await run(
      session,
      `create table t (k int primary key, v int); insert into t values (1, 1); create table log (old int, new int);
       create rule t_u as on update to t do also insert into log values (old.v, new.v)`,
    );
    const other = engine.session();
    await run(other, 'begin');
    await run(other, 'update t set v = 10 where k = 1');
    const waiting = run(session, 'update t set v = v + 1 where k = 1');
    await turns(5);
    await run(other, 'commit');
    expect(await waiting).toBe('UPDATE 1');
    expect(await rows(session, 'select old, new from log order by old')).toEqual(['1 10', '10 11']);
  });

  it('come and go with their transaction, and with them the plans of others', async () => {
    await run(session, 'create table t (a int); create table log (a int)');
    const other = engine.session();
    const prepared = other.prepareText('insert into t values (1)');
    const insert = async (): Promise<void> => {
      await other.portal(prepared, []).fetch(0, () => undefined);
      await other.sync();
    };
    await run(session, 'begin; create rule r as on insert to t do also insert into log values (new.a)');
    await run(session, 'rollback');
    await insert();
    await run(session, 'create rule r as on insert to t do also insert into log values (new.a)');
    await insert();
    await run(session, 'drop rule r on t');
    await insert();
    expect(await rows(session, 'select count(*), (select count(*) from log) from t')).toEqual(['3 1']);
  });
});

describe('rules and other things of tables', () => {
  it('apply to what a statement names, not to partitions and heirs', async () => {
    await run(
      session,
      `create table p (a int, b int) partition by list (a); create table p1 partition of p for values in (1);
       create table p2 partition of p for values in (2); create table log (what text, a int, b int);
       create rule p_i as on insert to p do also insert into log values ('p', new.a, new.b);
       create rule p1_i as on insert to p1 do also insert into log values ('p1', new.a, new.b);
       create rule p_u as on update to p do also insert into log values ('u', old.a, new.a)`,
    );
    expect(await run(session, 'insert into p values (1, 1), (2, 2)')).toBe('INSERT 0 2');
    expect(await run(session, 'insert into p1 values (1, 3)')).toBe('INSERT 0 1');
    expect(await run(session, 'update p set a = 2 where b = 1')).toBe('UPDATE 1');
    expect(await rows(session, 'select what, a, b from log')).toEqual(['p 1 1', 'p 2 2', 'p1 1 3', 'u 1 2']);
    expect(await rows(session, 'select a, b from p order by b')).toEqual(['2 1', '2 2', '1 3']);
  });

  it('fire the triggers of what their actions change, each after its own part', async () => {
    await run(
      session,
      `create table t (a int); create table u (a int); create table log (n serial, what text);
       create function note() returns trigger language plpgsql as $$ begin
         insert into log (what) values (concat_ws(' ', tg_table_name, tg_when, (select count(*) from u)));
         return new; end $$;
       create trigger t1 after insert on t for each row execute function note();
       create trigger u1 before insert on u for each row execute function note();
       create trigger u2 after insert on u for each statement execute function note();
       create rule r as on insert to t do also insert into u values (new.a)`,
    );
    expect(await run(session, 'insert into t values (1), (2)')).toBe('INSERT 0 2');
    expect(await rows(session, 'select what from log order by n')).toEqual([
      't AFTER 0',
      't AFTER 0',
      'u BEFORE 0',
      'u BEFORE 1',
      'u AFTER 2',
    ]);
  });

  it('run in bodies of functions, and give them what they return', async () => {
    await run(
      session,
      `create table t (a int); create view v as select a from t;
       create rule v_i as on insert to v do instead insert into t values (new.a * 2) returning a;
       create function add(int) returns int language sql as 'insert into v values ($1) returning a + 1';
       create function added(i int) returns int language plpgsql as $$ declare r int; n int; begin
         insert into v values (i) returning a into r; get diagnostics n = row_count; return r * 10 + n; end $$;
       create function kept(i int) returns int begin atomic insert into v values (i) returning a; end`,
    );
    expect(await rows(session, 'select add(1), added(2), kept(3)')).toEqual(['3 41 6']);
  });
});
