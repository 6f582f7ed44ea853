/** What the deparser writes reads back as the same tree: for the golden scripts, and for trees that nobody wrote. */
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Expression, Query } from '../../src/text/ast.js';
import type { Statement } from '../../src/text/ast-statements.js';
import type { Name, OperatorName, TypeName } from '../../src/text/ast-leaves.js';
import { deparseExpression, deparseStatement, deparseTypeName } from '../../src/text/deparse.js';
import { parseExpression, parseScript, parseStatement, parseTypeName } from '../../src/text/parse.js';
import { withoutPositions } from './tree.js';

type Data = Extract<Statement, { kind: 'query' | 'insert' | 'update' | 'delete' | 'merge' }>;

function dataOf(node: Statement): Data | undefined {
  switch (node.kind) {
    case 'query':
    case 'insert':
    case 'update':
    case 'delete':
    case 'merge':
      return node;
    case 'create-view':
      return node.query;
    case 'explain':
    case 'prepare':
      return dataOf(node.statement);
    default:
      return undefined;
  }
}

function goldenStatements(): string[] {
  const folder = fileURLToPath(new URL('golden/', import.meta.url));
  return readdirSync(folder)
    .flatMap((name) => readFileSync(folder + name, 'utf8').split(/\n\n(?=[^ \])])/))
    .map((block) => block.split('\n----')[0] as string);
}

describe('golden scripts', () => {
  it('read back as the same trees', () => {
    let count = 0;
    for (const text of goldenStatements()) {
      let statements: Statement[];
      try {
        statements = parseScript(text).map((statement) => statement.node);
      } catch {
        continue;
      }
      for (const node of statements) {
        const data = dataOf(node);
        if (data === undefined) continue;
        const written = deparseStatement(data);
        expect({ written, tree: withoutPositions(parseStatement(written)) }).toEqual({
          written,
          tree: withoutPositions(data),
        });
        count++;
      }
    }
    expect(count).toBeGreaterThan(90);
  });
});

// -------------------------------------------------------------------------------------------------- arbitrary trees

const at = { position: 0 };
const name: fc.Arbitrary<Name> = fc
  .constantFrom('a', 'b', 'name', 'Mixed', 'sp ace', 'quo"te', 'select', 'été', 'x$1')
  .map((text) => ({ text, quoted: !/^[a-z]+$/.test(text) || text === 'select', ...at }));
const operator = (symbols: readonly string[]): fc.Arbitrary<OperatorName> =>
  fc.record({
    schema: fc.oneof(
      fc.constant([]),
      name.map((one) => [one]),
    ),
    symbol: fc.constantFrom(...symbols),
    position: fc.constant(0),
  });
const type: fc.Arbitrary<TypeName> = fc
  .constantFrom(
    'int',
    'numeric(5, 2)',
    'timestamp(3) with time zone',
    'text[]',
    's."T"',
    'char(3)',
    'interval day to second(2)',
    'bit varying(4)',
    'interval(2)',
    'varchar(8 octets)',
    'double precision[][3]',
    'x(1, abc)',
    "y('z')",
  )
  .map(parseTypeName);
const INFIX = ['+', '-', '*', '/', '%', '^', '<', '>', '=', '<=', '>=', '<>', '||', '->', '@>', '?'];

const leaf: fc.Arbitrary<Expression> = fc.oneof(
  fc.constantFrom<Expression>(
    { kind: 'null', ...at },
    { kind: 'boolean', value: true, ...at },
    { kind: 'number', text: '12', integer: true, ...at },
    { kind: 'number', text: '1.5e10', integer: false, ...at },
    { kind: 'string', value: "it's \\ 'x", ...at },
    { kind: 'bit-string', base: 'binary', digits: '01', ...at },
    { kind: 'parameter', index: 3, ...at },
    { kind: 'current', function: 'current_timestamp', precision: 3, ...at },
    { kind: 'default', ...at },
  ),
  fc.array(name, { minLength: 1, maxLength: 3 }).map((names): Expression => ({ kind: 'column', names, ...at })),
);

const { tree } = fc.letrec<{ tree: Expression; query: Query }>((tie) => {
  const sub = tie('tree');
  const list = fc.array(sub, { minLength: 1, maxLength: 3 });
  const flag = fc.boolean();
  const order = fc.record({
    value: sub,
    direction: fc.constantFrom('asc' as const, 'desc' as const, undefined),
    using: fc.constant(undefined),
    nulls: fc.constantFrom('first' as const, 'last' as const, undefined),
    position: fc.constant(0),
  });
  const window = fc.record({
    kind: fc.constant('window' as const),
    base: fc.option(name, { nil: undefined }),
    partitionBy: fc.array(sub, { maxLength: 2 }),
    orderBy: fc.array(order, { maxLength: 2 }),
    frame: fc.constant(undefined),
    position: fc.constant(0),
  });
  const made = <T extends Record<string, unknown>>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
    fc.record(fields).map((node) => ({ ...node, position: 0 }) as unknown as Expression);
  const k = <T extends string>(kind: T): fc.Arbitrary<T> => fc.constant(kind);
  return {
    query: sub.map((value): Query => ({
      kind: 'query',
      with: undefined,
      body: {
        kind: 'select',
        distinct: undefined,
        items: [{ value, alias: undefined, columnAliases: [], ...at }],
        into: undefined,
        from: [],
        where: value,
        groupBy: undefined,
        having: undefined,
        windows: [],
        ...at,
      },
      orderBy: [],
      limit: undefined,
      offset: undefined,
      locking: [],
      ...at,
    })),
    tree: fc.oneof(
      { maxDepth: 6 },
      leaf,
      made({ kind: k('binary'), operator: operator(INFIX), left: sub, right: sub }),
      made({ kind: k('unary'), operator: operator(['-', '+', '@', '~', '|/']), operand: sub }),
      made({
        kind: k('logical'),
        operator: fc.constantFrom('and', 'or'),
        operands: fc.array(sub, { minLength: 2, maxLength: 3 }),
      }),
      made({ kind: k('not'), operand: sub }),
      made({
        kind: k('is'),
        operand: sub,
        test: fc.constantFrom('null', 'true', 'unknown', 'document'),
        form: fc.constant(undefined),
        negated: flag,
      }),
      made({ kind: k('is-distinct'), left: sub, right: sub, negated: flag }),
      made({ kind: k('between'), operand: sub, low: sub, high: sub, symmetric: flag, negated: flag }),
      made({
        kind: k('in'),
        operand: sub,
        candidates: fc.oneof(fc.array(sub, { minLength: 2, maxLength: 3 }), tie('query')),
        negated: flag,
      }),
      made({
        kind: k('like'),
        operator: fc.constantFrom('like', 'ilike', 'similar'),
        operand: sub,
        pattern: sub,
        escape: fc.option(sub, { nil: undefined }),
        negated: flag,
      }),
      made({
        kind: k('quantified'),
        left: sub,
        operator: operator(['=', '<', '~~', '!~~*', '+']),
        quantifier: fc.constantFrom('any', 'all'),
        source: fc.oneof(leaf, tie('query')),
      }),
      made({ kind: fc.constantFrom('exists', 'subquery', 'array-subquery', 'unique'), query: tie('query') }),
      made({ kind: k('array'), elements: list, bare: fc.constant(false) }),
      made({ kind: k('row'), fields: fc.array(sub, { minLength: 2, maxLength: 3 }), explicit: flag }),
      made({ kind: k('cast'), operand: sub, type, spelling: fc.constantFrom('cast', 'colons') }),
      made({ kind: k('collate'), operand: sub, collation: fc.array(name, { minLength: 1, maxLength: 2 }) }),
      made({ kind: k('at-time-zone'), operand: sub, zone: fc.option(sub, { nil: undefined }) }),
      made({
        kind: k('case'),
        operand: fc.option(sub, { nil: undefined }),
        branches: fc.array(fc.record({ when: sub, result: sub, position: fc.constant(0) }), {
          minLength: 1,
          maxLength: 2,
        }),
        otherwise: fc.option(sub, { nil: undefined }),
      }),
      made({ kind: k('conditional'), function: fc.constantFrom('coalesce', 'greatest', 'least'), arguments: list }),
      made({ kind: k('field'), base: sub, field: fc.option(name, { nil: undefined }) }).filter(
        (node) => !(node.kind === 'field' && node.base.kind === 'default'),
      ),
      made({
        kind: k('special'),
        function: fc.constantFrom('substring', 'position', 'btrim', 'rtrim'),
        arguments: fc.tuple(sub, sub),
      }),
      made({
        kind: k('call'),
        name: fc.array(name, { minLength: 1, maxLength: 2 }),
        arguments: fc.array(
          fc.record({
            name: fc.option(name, { nil: undefined }),
            value: sub,
            variadic: fc.constant(false),
            position: fc.constant(0),
          }),
          { minLength: 1, maxLength: 2 },
        ),
        star: fc.constant(false),
        distinct: flag,
        orderBy: fc.array(order, { maxLength: 1 }),
        withinGroup: fc.constant([]),
        filter: fc.option(sub, { nil: undefined }),
        nulls: fc.constantFrom('ignore', undefined),
        from: fc.constant(undefined),
        onOverflow: fc.constant(undefined),
        over: fc.oneof(window, name, fc.constant(undefined)),
      }),
    ),
  };
});

describe('arbitrary expressions', () => {
  it('read back as the same trees', () => {
    fc.assert(
      fc.property(tree, (node) => {
        const written = deparseExpression(node);
        expect({ written, tree: withoutPositions(parseExpression(written)) }).toEqual({
          written,
          tree: withoutPositions(node),
        });
      }),
      { numRuns: 1500, seed: 7 },
    );
  });
});

describe('types', () => {
  it('read back as the same types', () => {
    fc.assert(
      fc.property(type, fc.boolean(), (one, setOf) => {
        const changed = { ...one, setOf };
        expect(withoutPositions(parseTypeName(deparseTypeName(changed)))).toEqual(withoutPositions(changed));
      }),
      { seed: 7 },
    );
    expect(deparseTypeName(parseTypeName('t.c%type'))).toBe('t.c%TYPE');
  });
});
