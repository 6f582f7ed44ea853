/** Texts that differ in literals only share a plan, and answer as if they did not. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Literals, StatementShapes } from '../../src/session/statement-shapes.js';
import { openEngine } from '../support/engine.js';
import { runStatement } from '../exec/answers.js';

describe('the shape of a text', () => {
  const shapes = new StatementShapes();
  const shapeOf = (text: string): string | undefined => shapes.find(text)?.shape.text;

  it('has parameters where only a value can depend on the literal', () => {
    expect(shapeOf("select v from t where id = 17 and s < 'it''s'")).toBe('select v from t where id = $1 and s < $2');
    expect(shapeOf('select * from t join u on u.k = 5 and t.a >= 1.5;')).toBe(
      'select * from t join u on u.k = $1 and t.a >= $2;',
    );
    expect(shapeOf("insert into t values (1, 'a'), (2, 'b')")).toBe('insert into t values ($1, $2), ($3, $4)');
    expect(shapeOf("update t set v = 'x', w = 2 where id = 3 returning 4")).toBe(
      'update t set v = $1, w = $2 where id = $3 returning 4',
    );
    expect(shapeOf('update t set v = v + -5, w = w - 2 where id = - 3')).toBe(
      'update t set v = v + -$1, w = w - $2 where id = - $3',
    );
    expect(shapeOf('insert into t values (1, -2, a + 3)')).toBe('insert into t values ($1, -$2, a + $3)');
    expect(shapes.find("select 1 from t where s = 'it''s'")?.texts).toEqual(["it's"]);
  });

  it.each([
    'select 1',
    'select a = 1 from t group by a = 1',
    'select a from t order by 1 limit 5',
    "select a from t where a > b * 5 and b = date '2020-01-01'",
    'select a from t where a = 5::bigint',
    'select a from t where a = 5 * 1',
    "select a from t where b = now() - '1 day'",
    "select a from t where a = 'x' || b",
    "select a from t where b = e'x'",
    'select a from t -- where a = 5',
    'select "where" from t where a = 5',
    'select a from t where a = $1 and b = 5',
    'select a from t where a between 1 and 2',
    'select a from t having a = 1',
    'create table t (a int default 5)',
    'select a from t where a = -2147483648',
    'insert into t values (-9223372036854775808)',
  ])('leaves alone: %s', (text) => {
    expect(shapeOf(text)).toBeUndefined();
  });
});

describe('a text that has the shape of another', () => {
  const BEGINNINGS = ['select a from t where a = 1', 'update t set a = 1', 'insert into t values (1', 'delete from t'];
  const BEFORE = [' where a = ', ' and b < -', ' or c >= + ', ' set b = ', ', ', ' + ', ' = e', ' limit ', '.', "'"];
  const BEHIND = ['', '', '', ')', ';', '.', '::int', ' e', "'"];
  const LITERALS = ['5', '12', '1.5', '7000000000', "'x'", "'it''s'", "''"];
  const part = fc.tuple(fc.constantFrom(...BEFORE), fc.constantFrom(...LITERALS), fc.constantFrom(...BEHIND));
  const text = fc
    .tuple(fc.constantFrom(...BEGINNINGS), fc.array(part, { maxLength: 3 }))
    .map(([beginning, parts]) => `${beginning}${parts.flat().join('')}`);
  const told = (found: Literals | undefined): unknown =>
    found && { text: found.shape.text, types: found.shape.types, values: found.texts };

  it('brings the same values as the first one, compared or cut into tokens', () => {
    const shapes = new StatementShapes();
    let compared = 0;
    const literals = fc.array(fc.constantFrom('5', '12', '1.5', '7000000000', "'x'", "'it''s'", "''"), {
      minLength: 1,
    });
    fc.assert(
      fc.property(text, literals, (first, others) => {
        shapes.find(first);
        let next = 0;
        const other = first.replaceAll(/\b\d+\b|'x'/g, () => others[next++ % others.length] as string);
        const known = shapes.known(other);
        const alone = told(new StatementShapes().find(other));
        if (known !== undefined) {
          compared++;
          expect(told(known)).toEqual(alone);
        }
        expect(told(shapes.find(other))).toEqual(alone);
      }),
      { seed: 7, numRuns: 3000 },
    );
    expect(compared).toBeGreaterThan(200);
  });

  it('is known again after many others', () => {
    const shapes = new StatementShapes();
    for (let i = 0; i < 2000; i++) shapes.find(`select a${i} from t where a = 1`);
    expect(shapes.known('select a0 from t where a = 2')).toBeUndefined();
    expect(shapes.find('select a0 from t where a = 2')?.texts).toEqual(['2']);
    expect(shapes.known('select a0 from t where a = 3')?.texts).toEqual(['3']);
    for (let i = 0; i < 20; i++) shapes.find(`select a from t where a = 1 and b${i} = 2`);
    expect(shapes.known('select a from t where a = 1 and b0 = 3')).toBeUndefined();
    expect(shapes.find('select a from t where a = 1 and b0 = 3')?.texts).toEqual(['1', '3']);
    expect(shapes.known("select a from t where a = 1 and b0 = '--'")).toBeUndefined();
  });
});

describe('texts of one shape', () => {
  it('are parsed and planned for their own values first, then not at all', async () => {
    const test = await openEngine();
    const session = test.session();
    const run = (sql: string): Promise<string[]> => runStatement(session, sql);
    await run('create table t (id int primary key, k bigint, s text, d date)');
    await run("insert into t select i, i * 10, 's' || i, date '2024-01-01' + i from generate_series(1, 100) i");
    const { counters } = test.engine;
    const ask = (i: number): string => `select id from t where k = ${i * 10} and s = 's${i}' and d > '2024-01-01'`;
    for (let i = 1; i <= 6; i++) expect(await run(ask(i))).toEqual(['id', ` ${i}`.padStart(3), '(1 rows)']);
    const { parses, plans } = counters;
    for (let i = 7; i <= 30; i++) expect((await run(ask(i)))[1]?.trim()).toBe(`${i}`);
    expect(counters.plans - plans).toBe(0);
    expect(counters.parses - parses).toBe(0);
    expect((await run("select id from t where k = 10 and s = 's1' and d > 'nonsense'"))[0]).toContain('22007');
    for (let i = 200; i < 220; i++) await run(`insert into t values (${i}, 1, 'it''s', '2024-05-05')`);
    expect((await run("select count(*) from t where s = 'it''s'"))[1]?.trim()).toBe('20');
    expect((await run("insert into t values (200, 1, 'x', '2024-05-05')"))[0]).toContain('23505');
    await run('alter table t add column extra int default 7');
    expect((await run('select extra from t where id = 200'))[1]?.trim()).toBe('7');
    await test.close();
  });

  it('have one plan when they are one text', async () => {
    const test = await openEngine();
    const session = test.session();
    await runStatement(session, 'create table t (id int primary key, k int)');
    const { counters } = test.engine;
    const { parses, plans } = counters;
    for (let i = 0; i < 8; i++) await runStatement(session, 'select id from t where k = 5');
    expect(counters.plans - plans).toBe(1);
    expect(counters.parses - parses).toBe(1);
    await test.close();
  });

  it('share a plan from the second one on where they name one row by its key', async () => {
    const test = await openEngine();
    const session = test.session();
    const run = (sql: string): Promise<string[]> => runStatement(session, sql);
    await run('create table t (id int primary key, v int)');
    const { counters } = test.engine;
    const statements = [
      'insert into t values (I, 10)',
      'update t set v = v + -1 where id = I',
      'select v from t where id = I',
    ];
    for (const text of statements) {
      await run(text.replace('I', '1'));
      const { parses, plans } = counters;
      for (let i = 2; i <= 9; i++) expect((await run(text.replace('I', `${i}`)))[0]).not.toContain('error');
      expect([counters.parses - parses, counters.plans - plans]).toEqual([0, 0]);
    }
    expect((await run('select v from t where id = 5'))[1]?.trim()).toBe('9');
    await test.close();
  });

  it('share it though more shapes begin alike than are compared', async () => {
    const test = await openEngine();
    const session = test.session();
    const columns = Array.from({ length: 20 }, (_, i) => `c${i}`);
    await runStatement(
      session,
      `create table t (id int primary key, ${columns.map((name) => `${name} int`).join(', ')})`,
    );
    const ask = async (round: number): Promise<void> => {
      for (const name of columns) await runStatement(session, `select id from t where id = ${round} and ${name} = 1`);
    };
    const { counters } = test.engine;
    for (let round = 0; round < 3; round++) await ask(round);
    const { parses, plans } = counters;
    await ask(3);
    expect([counters.parses - parses, counters.plans - plans]).toEqual([0, 0]);
    await test.close();
  });

  it('keep plans of their own where their costs differ', async () => {
    const test = await openEngine();
    const session = test.session();
    const run = (sql: string): Promise<string[]> => runStatement(session, sql);
    await run('create table t (id int primary key, kind int)');
    await run('create index t_kind on t (kind)');
    await run('insert into t select i, case when i < 40 then i else 100 end from generate_series(1, 3000) i');
    await run('analyze t');
    const { counters } = test.engine;
    for (const kind of [1, 100, 2, 100, 3, 100, 4]) await run(`select count(*) from t where kind = ${kind} and id > 0`);
    const { plans } = counters;
    for (const kind of [5, 6, 7]) await run(`select count(*) from t where kind = ${kind} and id > 0`);
    expect(counters.plans - plans).toBe(3);
    await test.close();
  });
});
