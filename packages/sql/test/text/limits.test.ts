/** Nesting and chains: what is flat has no limit, what nests ends in 54001, and nothing ends the stack. */
import { isPhantomError } from '@phantom/base';
import { describe, expect, it } from 'vitest';
import { deparseQuery, deparseStatement } from '../../src/text/deparse.js';
import { CHAIN_MAX, DEPTH_MAX } from '../../src/text/grammar/token-reader.js';
import { parseScript, parseStatement } from '../../src/text/parse.js';
import type { Query } from '../../src/text/ast.js';

const MANY = 100_000;

function codeOf(text: string): string {
  try {
    parseScript(text);
    return 'read';
  } catch (error) {
    if (!isPhantomError(error)) throw error;
    return error.code;
  }
}

describe('flat chains have no limit', () => {
  it('OR, AND and lists of 100,000', () => {
    const condition = Array.from({ length: MANY }, () => 'a = 1');
    const query = parseStatement(`select 1 where ${condition.join(' or ')}`) as Query;
    const where = query.body.kind === 'select' ? query.body.where : undefined;
    expect(where?.kind === 'logical' && where.operands.length).toBe(MANY);
    expect(codeOf(`select 1 where ${condition.join(' and ')}`)).toBe('read');
    expect(codeOf(`select ${condition.join(', ')}`)).toBe('read');
    expect(deparseQuery(query).length).toBeGreaterThan(MANY);
  });

  it('set operations of 50,000', () => {
    for (const word of ['union all', 'intersect']) {
      const query = parseStatement(Array.from({ length: 50_000 }, () => 'select 1').join(` ${word} `)) as Query;
      expect(query.body.kind === 'set-operation' && query.body.rest.length).toBe(49_999);
      expect(deparseStatement(query).length).toBeGreaterThan(50_000);
    }
    expect(codeOf(Array.from({ length: 50_000 }, () => '(select 1)').join(' union '))).toBe('read');
  });

  it('empty statements', () => {
    expect(parseScript(';'.repeat(MANY))).toEqual([]);
  });
});

describe('nesting is limited', () => {
  const openers: [name: string, start: string, nested: string][] = [
    ['parentheses', 'select ', '('],
    ['subqueries', '', '(select '],
    ['NOT', 'select ', 'not '],
    ['signs', 'select ', '- '],
    ['operators', 'select ', '@ '],
    ['calls', 'select ', 'f('],
    ['CASE', 'select ', 'case when '],
    ['arrays', 'select array', '['],
    ['tables', 'select * from ', '('],
    ['joins', 'select * from a', ' join b'],
    ['WITH', '', 'with a as ('],
    ['EXISTS', 'select ', 'exists (select '],
    ['grouping sets', 'select 1 group by ', 'grouping sets ('],
    ['schemas', '', 'create schema a '],
    ['atomic bodies', '', 'create function f() returns int begin atomic '],
    ['JSON columns', "select * from json_table(a, '$' columns (", "nested path '$' columns ("],
    ['fields', 'select (a)', '.b'],
    ['collations', 'select a', ' collate b'],
  ];
  for (const [what, start, nested] of openers) {
    it(`of ${what}`, () => {
      expect(codeOf(start + nested.repeat(20_000))).toBe('54001');
    });
  }

  it('100,000 parentheses are 54001, closed or not', () => {
    expect(codeOf(`select ${'('.repeat(MANY)}1${')'.repeat(MANY)}`)).toBe('54001');
    expect(codeOf(`select ${'('.repeat(MANY)}`)).toBe('54001');
  });

  it('what a person writes is far below the limit', () => {
    const deep = 100;
    expect(codeOf(`select ${'(1 + '.repeat(deep)}1${')'.repeat(deep)}`)).toBe('read');
    expect(codeOf(`select ${'(select '.repeat(deep)}1${')'.repeat(deep)}`)).toBe('read');
    expect(codeOf(`select * from ${'(select * from '.repeat(deep)}t${') a'.repeat(deep)}`)).toBe('read');
    expect(codeOf(`select ${'case when a then '.repeat(deep)}1${' end'.repeat(deep)}`)).toBe('read');
    expect(DEPTH_MAX).toBeGreaterThan(deep);
  });
});

describe('chains that lean to one side are limited', () => {
  const links = ['+ 1', '|| a', '::int', ' is null', ' in (1)', ' collate c', " at time zone 'x'", '= any (b)'];
  for (const link of links) {
    it(`of ${link}`, () => {
      expect(codeOf(`select a ${link.repeat(CHAIN_MAX * 2)}`)).toBe('54001');
      const text = `select a ${link.repeat(CHAIN_MAX / 2)}`;
      expect(codeOf(deparseQuery(parseStatement(text) as Query))).toBe('read');
    });
  }

  it('joins', () => {
    const chain = (count: number): string => `select 1 from t${' join t using (a)'.repeat(count)}`;
    expect(codeOf(chain(CHAIN_MAX * 2))).toBe('54001');
    expect(codeOf(deparseQuery(parseStatement(chain(CHAIN_MAX / 2)) as Query))).toBe('read');
  });
});
