/**
 * Where mingo, the oracle of the property tests, answers otherwise than MongoDB: each with MongoDB's answer, which is ours. The properties
 * leave these out. Should mingo agree one day, its line fails and the properties may take it in.
 */
import { Query, aggregate, updateOne } from 'mingo';
import { expect, it } from 'vitest';
import { compileExpression } from '../src/aggregate/expression.js';
import { compileFilter } from '../src/filter/filter.js';
import { compileUpdate } from '../src/update/update.js';

type Fields = Record<string, unknown>;
type Answers = readonly [ours: unknown, theirs: unknown];

function matched(document: Fields, filter: Fields): Answers {
  return [compileFilter(filter).matches(document), new Query(filter as never).test(document as never)];
}

function evaluated(document: Fields, expression: Fields): Answers {
  const [theirs] = aggregate([structuredClone(document)] as never, [{ $project: { r: expression } }] as never);
  return [compileExpression(expression).evaluate(document), theirs?.['r']];
}

function updated(document: Fields, update: Fields): Answers {
  const theirs = [structuredClone(document)];
  updateOne(theirs as never, {}, update as never);
  const context = { filter: compileFilter({}), inserting: false };
  return [compileUpdate(update, undefined, { nowMs: () => 0 }).apply(document, context), theirs[0]];
}

const differences: readonly (readonly [what: string, answers: Answers, ofMongoDB: unknown])[] = [
  ['$all of one value, named twice, holds for a scalar', matched({ a: 1 }, { a: { $all: [1, 1] } }), true],
  ['null is another value than a missing one', evaluated({ a: null }, { $eq: ['$a', '$b'] }), false],
  ['an array is another value than its only element', evaluated({ a: [1] }, { $eq: ['$a', 1] }), false],
  ['$pull by fields leaves what has no fields', updated({ a: [1] }, { $pull: { a: { x: 1 } } }), { a: [1] }],
  ['$addToSet leaves what is there twice', updated({ a: [1, 1] }, { $addToSet: { a: 0 } }), { a: [1, 1, 0] }],
];

it.each(differences)('%s', (_what, [ours, theirs], ofMongoDB) => {
  expect(ours).toEqual(ofMongoDB);
  expect(theirs).not.toEqual(ofMongoDB);
});
