/** Everything that only turns text into text. */
import fc from 'fast-check';
import { PhantomError } from '@phantom/base';
import { describe, expect, it } from 'vitest';
import { CommandError, errorFacts, errorLines } from '../src/failure.js';
import { generateShop } from '../src/sample-shop/generate.js';
import { calledAs, inserts, nextSteps } from '../src/sample-shop/sample-shop.js';
import { formatResult } from '../src/sql/format.js';
import { splitStatements, splitTyped } from '../src/sql/statement-splitter.js';
import { scriptText } from '../src/sql/script-text.js';

describe('statement splitter', () => {
  it.each([
    ['select 1; select 2;', ['select 1;', ' select 2;'], undefined],
    ['select 1', [], 'statement'],
    ['select \';\' as ";" ;', ['select \';\' as ";" ;'], undefined],
    ["select 'it''s; ", [], 'quote'],
    [String.raw`select E'a\'; b';`, [String.raw`select E'a\'; b';`], undefined],
    [String.raw`select 'a\'; b';`, [String.raw`select 'a\';`], 'quote'],
    ['do $x$ begin; $$ end; $x$;', ['do $x$ begin; $$ end; $x$;'], undefined],
    ['select $$open;', [], 'quote'],
    ['select $1; select a$b$ ;', ['select $1;', ' select a$b$ ;'], undefined],
    ['-- a; b\nselect 1;', ['-- a; b\nselect 1;'], undefined],
    ['/* a /* ; */ ; */ select 1;', ['/* a /* ; */ ; */ select 1;'], undefined],
    ['/* open ;', [], 'comment'],
    ['-- just words', [], undefined],
    ['create rule r do (a; b);', ['create rule r do (a; b);'], undefined],
    ['select (1;', [], 'parenthesis'],
    ['  \n ', [], undefined],
  ])('%j', (text, statements, open) => {
    const split = splitStatements(text);
    expect(split).toMatchObject({ statements, open });
    expect(split.statements.join('') + split.rest).toBe(text);
  });

  it('ends at a backslash that is not quoted', () => {
    expect(splitTyped("select '\\a'; select 1 -- \\b\n \\gx now\n")).toEqual({
      statements: ["select '\\a';"],
      rest: ' select 1 -- \\b\n ',
      open: 'statement',
      command: '\\gx now',
    });
    expect(splitTyped("select '\\").command).toBe(undefined);
  });

  it('loses no character of any text', () => {
    const piece = fc.constantFrom("'", '"', '$$', '$a$', '--', '/*', '*/', ';', '\n', '(', ')', 'x', '\\', 'E');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const text = pieces.join('');
        const { statements, rest } = splitStatements(text);
        expect(statements.join('') + rest).toBe(text);
      }),
      { seed: 1 },
    );
  });
});

describe('formats', () => {
  const result = {
    fields: [
      { name: 'id', typeOid: 23 },
      { name: 'note', typeOid: 25 },
    ],
    rows: [
      ['1', 'größer'],
      ['22', 'two\nlines, "quoted"'],
      [null, null],
      ['3', ''],
    ],
    tag: 'SELECT 4',
  };

  it('aligned', () => {
    expect(formatResult(result, 'aligned')).toBe(
      [
        ' id |      note',
        '----+-----------------',
        '  1 | größer',
        ' 22 | two            +',
        '    | lines, "quoted"',
        '    |',
        '  3 |',
        '(4 rows)',
        '',
        '',
      ].join('\n'),
    );
    expect(formatResult({ fields: [{ name: 'x', typeOid: 25 }], rows: [['a']], tag: 'SELECT 1' }, 'aligned')).toBe(
      ' x\n---\n a\n(1 row)\n\n',
    );
    expect(formatResult({ fields: [], rows: [], tag: 'CREATE TABLE' }, 'aligned')).toBe('CREATE TABLE\n');
    expect(formatResult({ fields: [], rows: [], tag: '' }, 'aligned')).toBe('');
  });

  it('tables stand straight with wide, joined and controlling characters', () => {
    const fields = [
      { name: '漢字', typeOid: 25 },
      { name: 'n', typeOid: 23 },
    ];
    const values = ['日本語', '👍🏽', 'e\u0301', 'ｶﾅ', '', '\u001B[31mred\r', '한국어', '❤️'];
    const rows = values.map((value, i) => [value, String(i)]);
    const result = { fields, rows, tag: 'SELECT 8' };
    expect(formatResult(result, 'aligned', false).split('\n')).toEqual([
      '     漢字      | n',
      '---------------+---',
      ' 日本語        | 0',
      ' 👍🏽            | 1',
      ' e\u0301             | 2',
      ' ｶﾅ            | 3',
      '               | 4',
      ' \\x1B[31mred\\r | 5',
      ' 한국어        | 6',
      ' ❤️            | 7',
      '',
    ]);
    expect(formatResult({ fields, rows: [rows[5] as string[]], tag: '' }, 'expanded')).toBe(
      '-[ RECORD 1 ]-\n漢字 | \\x1B[31mred\\r\nn    | 5\n\n',
    );
    // What programs read is as it is.
    expect(formatResult({ fields, rows: [rows[5] as string[]], tag: '' }, 'csv')).toContain('\u001B[31mred\r');
  });

  it('csv', () => {
    expect(formatResult(result, 'csv')).toBe('id,note\n1,größer\n22,"two\nlines, ""quoted"""\n,\n3,""\n');
    expect(formatResult({ fields: [], rows: [], tag: 'INSERT 0 1' }, 'csv')).toBe('');
  });

  it('json, exact', () => {
    const oids = [16, 20, 20, 701, 1700, 3802, 25, 701];
    const row = ['t', '7', '9007199254740993', '1.5', '1.10', '{"a":[1]}', null, 'NaN'];
    const fields = oids.map((typeOid, i) => ({ name: `c${i}`, typeOid }));
    expect(JSON.parse(formatResult({ fields, rows: [row], tag: 'SELECT 1' }, 'json'))).toEqual({
      command: 'SELECT 1',
      rowCount: 1,
      rows: [{ c0: true, c1: 7, c2: '9007199254740993', c3: 1.5, c4: '1.10', c5: { a: [1] }, c6: null, c7: 'NaN' }],
    });
    expect(JSON.parse(formatResult({ fields: [], rows: [], tag: 'BEGIN' }, 'json'))).toEqual({ command: 'BEGIN' });
  });
});

describe('failures', () => {
  it('point into the line', () => {
    const error = new PhantomError('42703', 'no such column', { position: 16, detail: 'd', hint: 'h' });
    expect(errorLines(errorFacts(error), "select '🙂',\n  \tnope\nfrom t")).toBe(
      'ERROR:  42703: no such column\nLINE 2:   \tnope\n           ^\nDETAIL:  d\nHINT:  h\n'.replace('\t', ' '),
    );
    expect(errorLines(errorFacts(error), 'x')).toContain('LINE 1: x\n');
  });

  it('say how to reach who holds a directory', () => {
    const held = new PhantomError('55006', 'in use', {
      data: { holder: { pid: 1, endpoints: { url: 'postgres://x' } } },
    });
    expect(errorLines(errorFacts(new CommandError(4, held)))).toContain('psql postgres://x');
    expect(errorFacts(new PhantomError('55006', 'in use', { data: { holder: { pid: 1 } } })).endpoints).toBeUndefined();
  });

  it('are told whoever threw them', () => {
    expect(errorFacts('text')).toEqual({ message: 'text' });
    expect(errorFacts(Object.assign(new Error('from pg'), { code: '42601', position: '3' }))).toEqual({
      message: 'from pg',
      code: '42601',
      position: 3,
    });
    expect(errorFacts(new TypeError())).toEqual({ message: 'TypeError' });
    expect(new CommandError(2, 'plain').message).toBe('plain');
  });
});

describe('sample shop', () => {
  it('is tried by the program as it was called', () => {
    expect(calledAs('/srv/app/node_modules/.bin/phantomd', '/srv/app')).toBe('npx phantomd');
    expect(calledAs('/srv/bin/phantomd', '/srv')).toBe('phantomd');
    expect(calledAs('/srv/phantom/dist/main.js', '/srv/phantom')).toBe('node dist/main.js');
    const steps = nextSteps('postgres://a@b/c', 'npx phantomd', 'http://b/dashboard#token=t');
    expect(steps).toContain('  npx phantomd sql --url postgres://a@b/c\n');
    expect(steps).toContain('  http://b/dashboard#token=t\n');
    expect(nextSteps('postgres://a@b/c', 'npx phantomd', undefined)).not.toContain('drawn');
  });

  it('is the same each time, and whole', () => {
    const shop = generateShop();
    expect(generateShop()).toEqual(shop);
    const products = new Set(shop.products.map((row) => row[0]));
    const customers = new Set(shop.customers.map((row) => row[0]));
    const orders = new Set(shop.orders.map((row) => row[0]));
    expect(new Set(shop.customers.map((row) => row[2])).size).toBe(customers.size);
    expect(shop.orders.every((row) => customers.has(row[1] as number))).toBe(true);
    expect(shop.orderItems.every((row) => orders.has(row[0] as number) && products.has(row[2] as number))).toBe(true);
    expect(shop.orderItems.length).toBeGreaterThan(800);
  });

  it('comes in statements of some rows', () => {
    const rows = Array.from({ length: 250 }, (_, i) => [i, `n${i}`]);
    const statements = inserts('t', rows);
    expect(statements).toHaveLength(3);
    expect(statements[2]).toMatch(/^insert into t values \(200, 'n200'\), .*\(249, 'n249'\)$/);
  });
});

describe('the text of a script', () => {
  it('is UTF-8, and nothing is guessed at', () => {
    expect(scriptText(Buffer.from("select 'ö'"), 'a.sql')).toBe("select 'ö'");
    expect(() => scriptText(Buffer.from("select 'ö'", 'latin1'), 'a.sql')).toThrow(
      'invalid byte sequence for encoding "UTF8" in a.sql',
    );
  });
});
