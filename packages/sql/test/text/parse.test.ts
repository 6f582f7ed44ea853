/** The parser's door: what each entry takes and gives, and where errors point. */
import { PhantomError } from '@phantom/base';
import { EOF } from 'chevrotain';
import { describe, expect, it } from 'vitest';
import { COLUMN_NAMES, RESERVED, TYPE_OR_FUNCTION, UNRESERVED } from '../../src/text/keywords.js';
import { NAME_BYTES_MAX, scan } from '../../src/text/lexer.js';
import { parserInstance, parseExpression, parseScript, parseStatement, parseTypeName } from '../../src/text/parse.js';
import { SqlParser } from '../../src/text/parser.js';
import { LITERALS, SYMBOLS, keywordType, otherType } from '../../src/text/tokens.js';
import { showTree } from './tree.js';

function errorOf(run: () => unknown): PhantomError {
  try {
    run();
  } catch (error) {
    if (error instanceof PhantomError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('parseScript', () => {
  it('gives each statement with its place, and leaves out empty ones', () => {
    const text = ' ;; select 1 ; -- nothing\n insert into t values (2);;';
    const statements = parseScript(text);
    expect(statements.map((statement) => text.slice(statement.start, statement.end))).toEqual([
      'select 1',
      'insert into t values (2)',
    ]);
    expect(statements.map((statement) => statement.node.kind)).toEqual(['query', 'insert']);
  });

  it('finds nothing in an empty text or a comment', () => {
    expect(parseScript('')).toEqual([]);
    expect(parseScript(' /* a */ -- b')).toEqual([]);
  });

  it('keeps positions as UTF-16 offsets in nodes, and as code points in errors', () => {
    const text = "select '😀', x";
    const [statement] = parseScript(text);
    const query = statement!.node;
    if (query.kind !== 'query' || query.body.kind !== 'select') throw new Error(query.kind);
    expect(query.body.items[1]!.position).toBe(text.indexOf('x'));
    const error = errorOf(() => parseScript("select '😀',\n '😀' x y"));
    expect(error).toMatchObject({ code: '42601', position: 20, data: { line: 2, column: 8 } });
  });

  it('reads the spans of queries that are stored as text', () => {
    const text = 'create view v as select  1 ; prepare p as  select 2';
    const [view, prepare] = parseScript(text);
    if (view!.node.kind !== 'create-view' || prepare!.node.kind !== 'prepare') throw new Error('kinds');
    expect(text.slice(view!.node.querySpan.start, view!.node.querySpan.end)).toBe('select  1');
    expect(text.slice(prepare!.node.span.start, prepare!.node.span.end)).toBe('select 2');
  });

  it('tells the first error of the text, lexical or not', () => {
    expect(errorOf(() => parseScript("selec 1; select 'abc")).message).toBe('syntax error at or near "selec"');
    expect(errorOf(() => parseScript("select 1; select 'abc")).message).toBe(
      'unterminated quoted string at or near "\'abc"',
    );
  });

  it('refuses what no text of PostgreSQL can hold', () => {
    expect(errorOf(() => parseScript("select '\ud800'"))).toMatchObject({ code: '22021', position: 9 });
    expect(errorOf(() => parseScript("select '\udc00x'"))).toMatchObject({ code: '22021', position: 9 });
    expect(errorOf(() => parseScript('select 1\0'))).toMatchObject({ code: '22021', position: 9 });
    expect(parseScript("select '😀'")).toHaveLength(1);
  });

  it('knows statements by name that it does not read', () => {
    expect(parseScript('create tablespace x location y; select 1').map((one) => one.node)).toMatchObject([
      { kind: 'unsupported', feature: 'CREATE TABLESPACE' },
      { kind: 'query' },
    ]);
  });
});

describe('the other entries', () => {
  it('parseStatement takes one statement', () => {
    expect(parseStatement('select 1;').kind).toBe('query');
    expect(errorOf(() => parseStatement(''))).toMatchObject({ code: '42601', message: 'syntax error at end of input' });
    expect(errorOf(() => parseStatement('select 1; select 2'))).toMatchObject({ code: '42601', position: 11 });
  });

  it('parseExpression takes the whole text', () => {
    expect(showTree(parseExpression('a + 1'))).toBe('(binary operator=+ left=a right=1)');
    expect(errorOf(() => parseExpression('a b'))).toMatchObject({ code: '42601', position: 3 });
    expect(errorOf(() => parseExpression(''))).toMatchObject({ code: '42601', position: 1 });
  });

  it('parseTypeName reads every spelling of a type', () => {
    const names = ['double precision', 'timestamp(3) with time zone', 'character varying(10)', 'int[]', 'int array[3]'];
    const more = [
      'setof s.t',
      't.c%type',
      'interval day to second(2)',
      'bit(3)',
      'bit varying',
      'national character(2)',
    ];
    const iso = [
      'binary varying(5)',
      'binary large object',
      'character large object(9)',
      'blob',
      'clob',
      'varbinary(1)',
    ];
    const odd = ['float(20)', 'float', 'dec(3)', 'numeric(5, -2)', '"char"', 'char', 'time without time zone', 'nchar'];
    expect([...names, ...more, ...iso, ...odd].map((text) => showTree(parseTypeName(text)))).toMatchInlineSnapshot(`
      [
        "float8",
        "(type-name name=timestamptz system=true modifiers=[3])",
        "(type-name name=varchar system=true modifiers=[10])",
        "(type-name name=int4 system=true arrayBounds=[undefined])",
        "(type-name name=int4 system=true arrayBounds=[3])",
        "(type-name name=s.t setOf=true)",
        "(type-name name=t.c columnType=true)",
        "(type-name name=interval system=true modifiers=[2] intervalFields=['day' 'hour' 'minute' 'second'])",
        "(type-name name=bit system=true modifiers=[3])",
        "varbit",
        "(type-name name=bpchar system=true modifiers=[2])",
        "(type-name name=varbinary system=true modifiers=[5])",
        "blob",
        "(type-name name=clob system=true modifiers=[9])",
        "blob",
        "clob",
        "(type-name name=varbinary system=true modifiers=[1])",
        "float4",
        "float8",
        "(type-name name=numeric system=true modifiers=[3])",
        "(type-name name=numeric system=true modifiers=[5 -2])",
        ""char"",
        "(type-name name=bpchar system=true modifiers=[1])",
        "time",
        "(type-name name=bpchar system=true modifiers=[1])",
      ]
    `);
    expect(errorOf(() => parseTypeName('int int'))).toMatchObject({ code: '42601', position: 5 });
    expect(errorOf(() => parseTypeName('float(0)'))).toMatchObject({ code: '22023' });
    expect(errorOf(() => parseTypeName('float(54)'))).toMatchObject({ code: '22023' });
    expect(errorOf(() => parseTypeName('interval minute to year'))).toMatchObject({ code: '42601' });
  });
});

describe('what was expected', () => {
  it('is in the detail and in the data', () => {
    const error = errorOf(() => parseScript('create table t (a int not nul)'));
    expect(error.detail).toBe('Expected NULL.');
    expect(error.data).toMatchObject({ line: 1, column: 27, expected: ['null'] });
  });

  it('blames the second word of a phrase whose first fits', () => {
    expect(errorOf(() => parseScript('drop table if exist t'))).toMatchObject({ position: 15 });
    expect(errorOf(() => parseScript('select a from t order a'))).toMatchObject({ position: 23 });
  });

  it('points behind the text when the text ends too early', () => {
    expect(errorOf(() => parseScript('select (1'))).toMatchObject({
      message: 'syntax error at end of input',
      position: 10,
    });
    expect(errorOf(() => parseScript('select (1')).detail).toMatch(/^Expected "\)"/);
  });
});

describe('the grammar', () => {
  it("passes chevrotain's own checks", () => {
    expect(() => new SqlParser(false)).not.toThrow();
  });

  it('has few rules and no tables of look-ahead', () => {
    const rules = Object.values(parserInstance().getGAstProductions());
    expect(rules.map((rule) => rule.name)).toEqual(['script', 'oneStatement', 'oneExpression', 'oneTypeName']);
    // Nothing is recorded inside them, so there is nothing to look ahead for.
    expect(rules.flatMap((rule) => rule.definition)).toEqual([]);
  });

  it('knows the keywords of PostgreSQL 15 by class', () => {
    expect([UNRESERVED, COLUMN_NAMES, TYPE_OR_FUNCTION, RESERVED].map((words) => words.length)).toEqual([
      309, 51, 23, 77,
    ]);
    const words = [UNRESERVED, COLUMN_NAMES, TYPE_OR_FUNCTION, RESERVED].flatMap((group): readonly string[] => group);
    expect(new Set(words).size).toBe(words.length);
    const types = [...words.map(keywordType), ...[...SYMBOLS, ...LITERALS].map(otherType)];
    // Chevrotain's own have numbers below.
    expect(new Set(types.map((type) => type?.tokenTypeIdx)).size).toBe(types.length);
    expect(Math.min(...types.map((type) => type?.tokenTypeIdx ?? 0))).toBeGreaterThan(EOF.tokenTypeIdx ?? Infinity);
  });

  it('cuts names at 63 bytes, between characters', () => {
    const name = (text: string): string => scan(text).tokens[0]!.value;
    expect(name('a'.repeat(70))).toHaveLength(NAME_BYTES_MAX);
    expect(name('é'.repeat(40))).toBe('é'.repeat(31));
    expect(name(`"${'😀'.repeat(20)}"`)).toBe('😀'.repeat(15));
    expect(name(`a${'é'.repeat(31)}`)).toBe(`a${'é'.repeat(31)}`);
  });
});
