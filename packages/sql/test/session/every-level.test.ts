/**
 * What holds at every isolation level: unique keys, references and checks in races; statements that do not see what they
 * write themselves; cursors that do not see what is written while they are open; definitions that writers under way cannot
 * slip past.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SqlSession } from '../../src/index.js';
import { type TestEngine, openEngine } from '../support/engine.js';
import { rows, run, turns } from '../support/statements.js';

const LEVELS = ['read uncommitted', 'read committed', 'repeatable read', 'serializable'] as const;
/** Turns after which whoever has not been answered waits for somebody. */
const SETTLING_TURNS = 20;

describe.each(LEVELS)('at %s', (level) => {
  let engine: TestEngine;
  /** Without a transaction of its own: it sets up, and looks. */
  let main: SqlSession;
  let a: SqlSession;
  let b: SqlSession;

  beforeEach(async () => {
    engine = await openEngine();
    [main, a, b] = [engine.session(), engine.session(), engine.session()];
  });

  afterEach(() => engine.close());

  async function begin(...sessions: readonly SqlSession[]): Promise<void> {
    for (const session of sessions) await run(session, `begin isolation level ${level}`);
  }

  /** Starts a statement that may have to wait; `told` is its answer once there is one. */
  async function start(
    session: SqlSession,
    sql: string,
  ): Promise<{ told: string | undefined; answer: Promise<string> }> {
    const started = { told: undefined as string | undefined, answer: run(session, sql) };
    void started.answer.then((answer) => (started.told = answer));
    await turns(SETTLING_TURNS);
    return started;
  }

  /** Commits, or ends a transaction that has failed; the code of what it failed with. */
  async function finish(session: SqlSession, answer: string): Promise<string> {
    if (/^[0-9A-Z]{5}$/.test(answer)) {
      await run(session, 'rollback');
      return answer;
    }
    return run(session, 'commit');
  }

  describe('a unique key', () => {
    it.each(['id int primary key, v int', 'id int unique, v int', 'id int, v int, unique (v)'])(
      'has one winner: %s',
      async (columns) => {
        await run(main, `create table t (${columns})`);
        await begin(a, b);
        expect(await run(a, 'insert into t values (1, 1)')).toBe('INSERT 0 1');
        const second = await start(b, 'insert into t values (1, 1)');
        expect(await run(a, 'commit')).toBe('COMMIT');
        expect(await finish(b, await second.answer)).toBe('23505');
        expect(await rows(main, 'select * from t')).toEqual(['1 1']);
      },
    );

    it('is free again when its first taker gives it back', async () => {
      await run(main, 'create table t (id int primary key)');
      await begin(a, b);
      await run(a, 'insert into t values (1)');
      const second = await start(b, 'insert into t values (1)');
      await run(a, 'rollback');
      expect(await finish(b, await second.answer)).toBe('COMMIT');
      expect(await rows(main, 'select * from t')).toEqual(['1']);
    });

    it('is not taken by two updates', async () => {
      await run(main, 'create table t (id int primary key, v int unique); insert into t values (1, 1), (2, 2)');
      await begin(a, b);
      await run(a, 'update t set v = 9 where id = 1');
      const second = await start(b, 'update t set v = 9 where id = 2');
      await run(a, 'commit');
      expect(await finish(b, await second.answer)).toBe('23505');
      expect(await rows(main, 'select v from t order by id')).toEqual(['9', '2']);
    });

    it('that one statement gives twice leaves none of it', async () => {
      await run(main, 'create table t (id int primary key)');
      expect(await run(a, 'insert into t values (1), (1)')).toBe('23505');
      await begin(a);
      await run(a, 'insert into t values (5); savepoint s');
      expect(await run(a, 'insert into t values (2), (3), (2)')).toBe('23505');
      await run(a, 'rollback to s');
      expect(await run(a, 'commit')).toBe('COMMIT');
      expect(await rows(main, 'select * from t')).toEqual(['5']);
    });
  });

  describe('a reference', () => {
    const orphans = 'select c.id from child c left join parent p on p.id = c.parent_id where p.id is null';

    async function makeFamily(action = ''): Promise<void> {
      await run(main, 'create table parent (id int primary key, v int); insert into parent values (1, 1), (2, 2)');
      await run(main, `create table child (id int primary key, parent_id int references parent ${action})`);
    }

    it.each([
      ['the child first', 'insert into child values (1, 1)', 'delete from parent where id = 1'],
      ['the parent first', 'delete from parent where id = 1', 'insert into child values (1, 1)'],
      ["the parent's key changes", 'update parent set id = 7 where id = 1', 'insert into child values (1, 1)'],
    ])('leaves no orphan in a race, %s', async (_, first, second) => {
      await makeFamily();
      await begin(a, b);
      await run(a, 'select count(*) from child');
      await run(b, 'select count(*) from child');
      expect(await run(a, first)).toMatch(/ 1$/);
      const other = await start(b, second);
      expect(await run(a, 'commit')).toBe('COMMIT');
      expect(['23503', '40001']).toContain(await finish(b, await other.answer));
      expect(await rows(main, orphans)).toEqual([]);
    });

    it('that cascades takes the child with it, or fails', async () => {
      await makeFamily('on delete cascade');
      await begin(a, b);
      await run(b, 'select count(*) from child');
      expect(await run(a, 'insert into child values (1, 1)')).toBe('INSERT 0 1');
      const other = await start(b, 'delete from parent where id = 1');
      expect(await run(a, 'commit')).toBe('COMMIT');
      expect(['COMMIT', '23503', '40001']).toContain(await finish(b, await other.answer));
      expect(await rows(main, orphans)).toEqual([]);
    });

    it("does not keep others from the parent's other columns", async () => {
      await makeFamily();
      await begin(a, b);
      await run(a, 'insert into child values (1, 1)');
      expect((await start(b, 'update parent set v = 5 where id = 1')).told).toBe('UPDATE 1');
      expect(await run(b, 'commit')).toBe('COMMIT');
      expect(await run(a, 'commit')).toBe('COMMIT');
    });

    it('that is deferred counts at the commit, in races too', async () => {
      await makeFamily('deferrable initially deferred');
      await begin(a);
      expect(await run(a, 'insert into child values (1, 3); insert into parent values (3, 3)')).toBe('INSERT 0 1');
      expect(await run(a, 'commit')).toBe('COMMIT');
      await begin(a);
      expect(await run(a, 'insert into child values (2, 99)')).toBe('INSERT 0 1');
      expect(await run(a, 'commit')).toBe('23503');
      await begin(a, b);
      expect(await run(a, 'insert into child values (4, 2)')).toBe('INSERT 0 1');
      const other = await start(b, 'delete from parent where id = 2');
      const committed = start(a, 'commit');
      const deleted = await finish(b, await other.answer);
      const answers = [deleted, await (await committed).answer];
      expect(answers.filter((answer) => answer === 'COMMIT')).toHaveLength(1);
      expect(await rows(main, orphans)).toEqual([]);
    });
  });

  it('an exclusive order of updates in one statement needs a constraint that is deferrable', async () => {
    await run(
      main,
      'create table t (id int primary key, v int unique deferrable); insert into t values (1, 1), (2, 2)',
    );
    await begin(a);
    expect(await run(a, 'update t set v = 3 - v')).toBe('UPDATE 2');
    expect(await run(a, 'set constraints all deferred; update t set v = 1')).toBe('UPDATE 2');
    expect(await run(a, 'commit')).toBe('23505');
    expect(await rows(main, 'select v from t order by id')).toEqual(['1', '2']);
  });

  describe('a statement does not see what it writes', () => {
    beforeEach(async () => {
      await run(main, 'create table t (id int primary key, k int); create index on t (k)');
      await run(main, 'insert into t select i, i from generate_series(1, 50) i');
      await begin(a);
    });

    it.each([
      ['through the index that changes', 'update t set k = k + 1 where k > 0'],
      ['without one', 'update t set k = k + 1'],
      ['through the primary key that changes', 'update t set k = k + 1, id = id + 100 where id > 0'],
      ['joined with itself', 'update t set k = t.k + 1 from t other where other.k = t.k'],
    ])('when it updates, %s', async (_, update) => {
      await run(a, "set local enable_seqscan = 'off'");
      expect(await run(a, update)).toBe('UPDATE 50');
      expect(await rows(a, 'select sum(k), min(k), max(k), count(*) from t')).toEqual(['1325 2 51 50']);
      expect(await run(a, 'commit')).toBe('COMMIT');
      expect(await rows(main, 'select sum(k) from t where k > 0')).toEqual(['1325']);
    });

    it('when it inserts, deletes or merges what it reads', async () => {
      expect(await run(a, 'insert into t select id + 1000, k from t where k > 0')).toBe('INSERT 0 50');
      expect(await run(a, 'delete from t where k < (select max(k) from t)')).toBe('DELETE 98');
      expect(await run(a, 'insert into t select 5000 + count(*), 1 from t')).toBe('INSERT 0 1');
      expect(await rows(a, 'select id, k from t order by id')).toEqual(['50 50', '1050 50', '5002 1']);
      expect(await run(a, 'commit')).toBe('COMMIT');
    });
  });

  it('a cursor shows what was there when it was opened', async () => {
    await run(main, 'create table t (id int primary key, v int); create index on t (v)');
    await run(main, 'insert into t select i, i from generate_series(1, 6) i');
    await begin(a);
    await run(a, 'declare c scroll cursor for select v from t where v > 0 order by v');
    expect(await rows(a, 'fetch 2 from c')).toEqual(['1', '2']);
    // Others and the transaction itself write before it and behind it.
    expect(await run(main, 'insert into t values (7, 7); delete from t where id = 4')).toBe('DELETE 1');
    expect(await run(a, 'update t set v = v + 10 where id in (1, 3); insert into t values (8, 8)')).toBe('INSERT 0 1');
    expect(await rows(a, 'fetch 2 from c')).toEqual(['3', '4']);
    expect(await run(a, 'delete from t where id > 4')).toMatch(/^DELETE/);
    expect(await rows(a, 'fetch all from c')).toEqual(['5', '6']);
    expect(await rows(a, 'fetch absolute 1 from c')).toEqual(['1']);
    expect(await run(a, 'rollback')).toBe('ROLLBACK');
  });

  describe('a definition', () => {
    beforeEach(async () => {
      await run(main, 'create table t (id int primary key, v int); insert into t values (1, 1), (2, 2)');
      await run(main, 'create table p (id int primary key); insert into p values (1), (2)');
    });

    /** The definition, and what a row that breaks it is told. */
    const definitions = [
      ['create unique index on t (v)', 'insert into t values (9, 1)', '23505'],
      ['alter table t add unique (v)', 'update t set v = 1 where id = 2', '23505'],
      ['alter table t add check (v < 5)', 'insert into t values (9, 9)', '23514'],
      ['alter table t alter v set not null', 'insert into t values (9, null)', '23502'],
      ['alter table t add foreign key (v) references p', 'insert into t values (9, 9)', '23503'],
    ] as const;

    it.each(definitions)('waits for writers and then fails by what they wrote: %s', async (definition, write, code) => {
      await begin(a);
      expect(await run(a, write)).toMatch(/ 1$/);
      const defining = await start(main, definition);
      expect(defining.told).toBeUndefined();
      expect(await run(a, 'commit')).toBe('COMMIT');
      expect(await defining.answer).toBe(code);
    });

    it.each(definitions)('binds those who began and prepared before it: %s', async (definition, write, code) => {
      await run(a, `prepare planned as ${write}`);
      await begin(a, b);
      await run(a, 'select * from p');
      await run(b, 'select * from p');
      expect(await run(main, definition)).toMatch(/^(CREATE INDEX|ALTER TABLE)$/);
      expect([code, '40001']).toContain(await finish(a, await run(a, 'execute planned')));
      expect([code, '40001']).toContain(await finish(b, await run(b, write)));
      expect(await rows(main, 'select * from t order by id')).toEqual(['1 1', '2 2']);
    });

    it('of an index holds what writers under way and prepared statements write', async () => {
      await run(b, 'prepare planned as insert into t values (4, 40)');
      await begin(a);
      await run(a, 'insert into t values (3, 30); update t set v = 20 where id = 2');
      const defining = await start(main, 'create index t_v on t (v)');
      await run(a, 'commit');
      expect(await defining.answer).toBe('CREATE INDEX');
      expect(await run(b, 'execute planned')).toBe('INSERT 0 1');
      await run(main, "set enable_seqscan = 'off'");
      const byIndex = [];
      for (const v of [1, 2, 20, 30, 40]) byIndex.push(...(await rows(main, `select id from t where v = ${v}`)));
      expect(byIndex).toEqual(['1', '2', '3', '4']);
    });
  });
});

describe('of two levels that differ', () => {
  const pairs = LEVELS.slice(1).flatMap((child) => LEVELS.slice(1).map((parent) => [child, parent] as const));

  it.each(pairs)('a child at %s and the end of its parent at %s leave no orphan', async (childLevel, parentLevel) => {
    for (const isChildFirst of [true, false]) {
      const engine = await openEngine();
      const [main, child, parent] = [engine.session(), engine.session(), engine.session()];
      await run(main, 'create table parent (id int primary key); insert into parent values (1)');
      await run(main, 'create table child (id int primary key, parent_id int references parent)');
      await run(child, `begin isolation level ${childLevel}; select count(*) from child`);
      await run(parent, `begin isolation level ${parentLevel}; select count(*) from child`);
      const insert = async (): Promise<string> => run(child, 'insert into child values (1, 1)');
      const remove = async (): Promise<string> => run(parent, 'delete from parent where id = 1');
      const first = isChildFirst ? insert() : remove();
      await turns(SETTLING_TURNS);
      const second = isChildFirst ? remove() : insert();
      await turns(SETTLING_TURNS);
      // The child's commit comes first, where it need not wait for the other one.
      const committed = (isChildFirst ? first : second).then(() => run(child, 'commit'));
      await turns(SETTLING_TURNS);
      await (isChildFirst ? second : first).then(() => run(parent, 'commit'));
      await committed;
      const orphans = 'select * from child c where not exists (select 1 from parent p where p.id = c.parent_id)';
      expect(await rows(main, orphans)).toEqual([]);
      await engine.close();
    }
  });
});
