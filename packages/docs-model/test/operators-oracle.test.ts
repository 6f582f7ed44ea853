/**
 * Update operators and expressions, each on random documents, against mingo's answers wherever both have one. What mingo answers
 * otherwise than MongoDB is left out (mingo-differences.test.ts): arrays that equal their only element, $pull of fields from scalars,
 * comparisons of values of different types, modifiers of $push on a field that is missing, $addToSet on an array that has values twice.
 */
import fc from 'fast-check';
import { aggregate, updateOne } from 'mingo';
import { describe, expect, it } from 'vitest';
import { compileExpression } from '../src/aggregate/expression.js';
import { compileFilter } from '../src/filter/filter.js';
import { compileUpdate } from '../src/update/update.js';
import { document } from './arbitraries.js';
import { runs } from './oracle.js';

const NOW = { nowMs: () => 0 };
const small = fc.integer({ min: -3, max: 3 });
const scalar = fc.oneof(small, fc.constantFrom('a', 'b', true));
const field = fc.constantFrom('a', 'b', 'c', 'd');

/** A document with arrays of numbers and of objects, so that operators on arrays meet some. */
const withArrays = fc.record({
  a: fc.uniqueArray(small, { maxLength: 4 }),
  b: fc.array(fc.record({ x: small, y: small }), { maxLength: 3 }),
  c: small,
});

interface Case {
  readonly update: Record<string, unknown>;
  readonly arrayFilters?: Record<string, unknown>[];
}

/** Fields that are numbers, or missing. */
const numeric = fc.constantFrom('c', 'd');

const on = <T>(operator: string, operand: fc.Arbitrary<T>, path: fc.Arbitrary<string> = field): fc.Arbitrary<Case> =>
  fc.tuple(path, operand).map(([name, value]) => ({ update: { [operator]: { [name]: value } } }));

const updates: Readonly<Record<string, fc.Arbitrary<Case>>> = {
  $mul: on('$mul', small),
  $min: on('$min', small, numeric),
  $max: on('$max', small, numeric),
  $rename: on('$rename', fc.constantFrom('e', 'f.g')),
  $pop: on('$pop', fc.constantFrom(1, -1)),
  $pullAll: on('$pullAll', fc.array(small, { maxLength: 3 })),
  '$pull by condition': on('$pull', fc.record({ $gt: small }), fc.constant('a')),
  '$pull by fields': on('$pull', fc.record({ x: small }), fc.constant('b')),
  '$addToSet with $each': on('$addToSet', fc.record({ $each: fc.array(small, { maxLength: 3 }) }), fc.constant('a')),
  $push: on('$push', scalar, fc.constant('a')),
  '$push with modifiers': on(
    '$push',
    fc.record({
      $each: fc.array(small, { maxLength: 3 }),
      $position: fc.integer({ min: 0, max: 4 }),
      $slice: fc.integer({ min: -3, max: 4 }),
    }),
    fc.constant('a'),
  ),
  '$push sorted': on(
    '$push',
    fc.record({ $each: fc.array(small, { maxLength: 3 }), $sort: fc.constantFrom(1, -1) }),
    fc.constant('a'),
  ),
  'every element': on('$inc', small, fc.constant('b.$[].x')),
  'elements by a filter': small.chain((least) =>
    on('$set', small, fc.constant('b.$[e].y')).map(({ update }) => ({
      update,
      arrayFilters: [{ 'e.x': { $gte: least } }],
    })),
  ),
};

/** Whose documents have numbers and arrays where they are expected. */
const modifiers: ReadonlySet<string> = new Set([
  '$min',
  '$max',
  '$addToSet with $each',
  '$pull by fields',
  '$push with modifiers',
  '$push sorted',
]);

/** Without the signs of zeros: mingo multiplies integers as doubles. */
const unsigned = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('an update', () => {
  for (const [name, cases] of Object.entries(updates)) {
    it(`agrees with mingo: ${name}`, () => {
      let compared = 0;
      fc.assert(
        fc.property(
          modifiers.has(name) ? withArrays : fc.oneof(withArrays, document),
          cases,
          (before, { update, arrayFilters }) => {
            let ours: unknown;
            const theirs = [structuredClone(before)];
            try {
              const { apply } = compileUpdate(update, arrayFilters, NOW);
              ours = apply(before, { filter: compileFilter({}), inserting: false });
              updateOne(
                theirs as never,
                {},
                structuredClone(update) as never,
                arrayFilters === undefined ? {} : ({ arrayFilters } as never),
              );
            } catch {
              return;
            }
            compared++;
            expect(unsigned(ours)).toEqual(unsigned(theirs[0]));
          },
        ),
        runs(200, 31),
      );
      expect(compared).toBeGreaterThan(40);
    });
  }
});

const value = fc.constantFrom<unknown>('$n', '$m', '$s', '$t', '$list', 1, 2.5, 'ab', true, null);
const scalarValue = value.filter((one) => one !== '$list');
const number = fc.constantFrom<unknown>('$n', '$m', 1, 2.5, -3);
const text = fc.constantFrom<unknown>('$s', '$t', 'ab');
const list = fc.constantFrom<unknown>('$list', '$other', [1, 2]);
const pair = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<[T, T]> => fc.tuple(one, one);
const taking = (names: readonly string[], operand: fc.Arbitrary<unknown>): [string, fc.Arbitrary<unknown>][] =>
  names.map((name) => [name, operand.map((given) => ({ [name]: given }))]);

const expressions: readonly (readonly [string, fc.Arbitrary<unknown>])[] = [
  ...taking(['$add', '$multiply', '$subtract', '$divide', '$mod', '$pow'], pair(number)),
  ...taking(['$abs', '$ceil', '$floor', '$exp', '$sin', '$cos', '$tanh', '$degreesToRadians'], number),
  ...taking(['$bitAnd', '$bitOr', '$bitXor'], pair(fc.constantFrom<unknown>('$n', 5, -2))),
  ...taking(['$firstN', '$lastN', '$maxN'], fc.record({ n: fc.integer({ min: 1, max: 3 }), input: list })),
  ...taking(['$trunc', '$round'], fc.tuple(number, fc.constantFrom(0, 1))),
  ...taking(['$and', '$or', '$ifNull'], pair(value)),
  ...taking(['$eq', '$ne'], fc.oneof(pair(scalarValue), pair(list))),
  ...taking(['$gt', '$gte', '$lt', '$lte', '$cmp'], fc.oneof(pair(fc.constantFrom<unknown>('$n', 1, -2)), pair(text))),
  ...taking(['$not'], fc.tuple(number)),
  ...taking(['$type', '$isNumber', '$isArray'], value),
  ...taking(['$cond'], fc.tuple(value, value, value)),
  ...taking(['$concat'], pair(text)),
  ...taking(['$toUpper', '$toLower', '$strLenCP'], text),
  ...taking(['$split', '$strcasecmp'], pair(text)),
  ...taking(['$substrCP'], fc.tuple(text, fc.nat(2), fc.nat(2))),
  ...taking(['$size', '$reverseArray', '$first', '$last', '$min', '$max', '$sum', '$avg'], list),
  ...taking(['$concatArrays', '$setUnion', '$setIntersection', '$setDifference', '$setEquals'], pair(list)),
  ...taking(['$in'], fc.tuple(number, list)),
  ...taking(['$indexOfArray'], fc.tuple(list, number)),
  ...taking(['$arrayElemAt'], fc.tuple(list, fc.integer({ min: -3, max: 3 }))),
  ...taking(['$slice'], fc.tuple(list, fc.integer({ min: -3, max: 3 }))),
  ...taking(['$range'], fc.tuple(fc.nat(5), fc.nat(9), fc.integer({ min: 1, max: 3 }))),
  ...taking(['$map'], fc.constant({ input: '$list', as: 'x', in: { $multiply: ['$$x', 2] } })),
  ...taking(['$filter'], fc.constant({ input: '$list', as: 'x', cond: { $gt: ['$$x', 0] } })),
  ...taking(['$reduce'], fc.constant({ input: '$list', initialValue: 0, in: { $add: ['$$value', '$$this'] } })),
];

describe('an expression', () => {
  const documents = fc.record({
    n: small,
    m: fc.oneof(small, fc.constantFrom(0.5, null)),
    s: fc.constantFrom('', 'a', 'ab', 'Ba'),
    t: fc.constantFrom('a', 'b'),
    list: fc.array(small, { maxLength: 4 }),
    other: fc.array(small, { maxLength: 3 }),
  });
  for (const [name, operation] of expressions) {
    it(`agrees with mingo: ${name}`, () => {
      let compared = 0;
      fc.assert(
        fc.property(documents, operation, (given, expression) => {
          let ours: unknown;
          let theirs: unknown;
          try {
            ours = compileExpression(expression).evaluate(given);
            theirs = aggregate([structuredClone(given)] as never, [{ $project: { r: expression } }] as never)[0]?.['r'];
          } catch {
            return;
          }
          compared++;
          const inOrder = (one: unknown): unknown =>
            name.startsWith('$set') && Array.isArray(one) ? one.toSorted() : one;
          expect(inOrder(ours ?? null)).toEqual(inOrder(theirs ?? null));
        }),
        runs(60, 32),
      );
      expect(compared).toBeGreaterThan(10);
    });
  }
});
