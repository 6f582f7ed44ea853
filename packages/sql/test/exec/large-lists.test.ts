/** VALUES and IN lists of thousands of parameters: what they say, and how little is made for them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { memberTest } from '../../src/exec/values/members.js';
import type { ArrayQuantified, Expression } from '../../src/expr/expression.js';
import type { SqlSession, Value } from '../../src/index.js';
import { INT4 } from '../../src/types/type-refs.js';
import type { TypeLookup } from '../../src/types/type.js';
import { openEngine, type TestEngine } from '../support/engine.js';

let test: TestEngine;
let session: SqlSession;

function run(text: string, parameters: readonly Value[] = []): Value[][] {
  const rows: Value[][] = [];
  for (const parsed of session.parse(text)) {
    const portal = session.portal(session.prepare(parsed, text), parameters);
    portal.fetchNow(0, ({ columns, count }) => {
      for (let i = 0; i < count; i++) rows.push(columns.map((column) => column[i]));
    });
    session.syncNow();
  }
  return rows;
}

function places(count: number, first = 1): string {
  return Array.from({ length: count }, (_, i) => `$${i + first}`).join(', ');
}

beforeAll(async () => {
  test = await openEngine();
  session = test.session();
  run(`create table t (id int primary key, a int, s text); create sequence numbers;
    insert into t select i, case when i % 10 > 0 then i % 100 end, 's' || i from generate_series(1, 1000) i`);
});

afterAll(() => test.close());

describe('VALUES', () => {
  it('of many parameters makes no function for its rows', () => {
    const { counters } = test.engine;
    run('create table given (a int, b text, c int)');
    const many = 2000;
    const text = `insert into given values ${Array.from({ length: many }, (_, i) => `($${2 * i + 1}, $${2 * i + 2}, ${i})`).join(', ')}`;
    const values = Array.from({ length: many }, (_, i) => [i % 7 === 0 ? null : i, `s${i}`]).flat();
    const before = counters.compilations;
    for (let times = 0; times < 4; times++) run(text, values);
    expect(counters.compilations - before).toBeLessThan(10);
    expect(run('select count(*)::int, count(a)::int, sum(c)::int, max(b) from given')).toEqual([
      [4 * many, 4 * (many - 286), 2 * many * (many - 1), 's999'],
    ]);
  });

  it('keeps the order of rows that are given and rows that are computed', () => {
    const rows = Array.from({ length: 200 }, (_, i) =>
      i % 90 < 80 ? `(nextval('numbers')::int, $1)` : `(${-i}, null)`,
    );
    const got = run(`select * from (values ${rows.join(', ')}) v (n, s)`, ['x']);
    let next = 0;
    expect(got).toEqual(rows.map((_, i) => (i % 90 < 80 ? [++next, 'x'] : [-i, null])));
  });
});

describe('a list of parameters', () => {
  it.each([
    ['a in', [5, 7, 500]],
    ['a in', [5, null]],
    ['a not in', [5, 7]],
    ['a not in', [5, null]],
    ['s in', ['s5', 's1000', 'none', null]],
  ])('is looked through as one of constants is: %s %j', (test_, wanted) => {
    const items = [
      ...wanted,
      ...Array.from({ length: 20 }, (_, i) => (typeof wanted[0] === 'string' ? `x${i}` : 1000 + i)),
    ];
    const constants = items.map((item) => (typeof item === 'string' ? `'${item}'` : String(item))).join(', ');
    const select = `select id, ${test_}`;
    const expected = run(`${select} (${constants}) from t order by id`);
    expect(run(`${select} (${places(items.length)}) from t order by id`, items)).toEqual(expected);
    const where = (list: string): string => `select count(*)::int from t where ${test_} (${list})`;
    expect(run(where(places(items.length)), items)).toEqual(run(where(constants)));
  });

  it('is one parameter, an array of any length', () => {
    const text =
      'select count(*)::int, count(a = any ($1))::int, (null::int = any ($1)) from t where a = any ($1) or $1 is null';
    const any = (items: string | null): Value[][] => {
      const sql = items === null ? 'null::int[]' : `'${items}'::int[]`;
      const [[array]] = run(`select ${sql}`) as [[Value]];
      const got = run(text.replaceAll('$1', '$1::int[]'), [array]);
      expect(got).toEqual(run(text.replaceAll('$1', sql)));
      return got;
    };
    any('{}');
    any('{5}');
    any('{5,null}');
    any(null);
    expect(any(`{${Array.from({ length: 5000 }, (_, i) => i + 50).join(',')}}`)[0]?.[0]).toBe(450);
  });

  it('is hashed once for all rows', () => {
    let hashed = 0;
    const type = { elementOid: 23, hashKey: (value: Value) => (hashed++, value as number) };
    const types = { byOid: () => type } as unknown as TypeLookup;
    const parameter = (index: number): Expression => ({ kind: 'parameter', index, type: INT4 });
    const elements = Array.from({ length: 3000 }, (_, i) => parameter(i + 1));
    const listed = { kind: 'array', elements, elementOid: 23, nested: false, type: INT4 };
    const expression = {
      left: parameter(1),
      array: listed,
      role: '=',
      quantifier: 'any',
    } as unknown as ArrayQuantified;
    const test_ = memberTest(expression, types);
    const parameters = elements.map((_, i) => i);
    const statement = {};
    const found = Array.from({ length: 4000 }, (_, i) => test_?.({ statement, parameters })(i));
    expect(found.filter((isFound) => isFound === true)).toHaveLength(3000);
    expect(hashed).toBe(3000 + 4000);
  });
});
