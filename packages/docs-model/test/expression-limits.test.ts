/** What an expression makes is counted while it is made, and so are its steps: none ends the process, and none goes on for ever. */
import { MemoryBudget, MemoryPool } from '@phantom/base';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Variables } from '../src/aggregate/evaluate.js';
import { compileExpression } from '../src/aggregate/expression.js';
import { Work } from '../src/aggregate/work.js';
import { type Collection, DocumentModel, openCollection } from '../src/index.js';
import { turnIsLong } from '../src/long-turns.js';
import { type Harness, beginIn, openHarness } from './harness.js';

type Any = Record<string, unknown>;

const LIMIT_BYTES = 1_000_000;
const pool = new MemoryPool(4 * LIMIT_BYTES);
const STEPS_MAX = 500_000;
const evaluate = (expression: unknown, document: Any = {}, stepsMax?: number): unknown => {
  const work = new Work(() => new MemoryBudget(LIMIT_BYTES, pool), undefined, stepsMax);
  return compileExpression(expression, Variables.begin(work)).evaluate(document);
};

const range = (items: number): Any => ({ $range: [0, items] });
/** What becomes of a value when the same is done to it again and again. */
const again = (times: number, initialValue: unknown, change: unknown): Any => ({
  $reduce: { input: range(times), initialValue, in: change },
});
const BOTH = ['$$value', '$$value'];
const TEXT = 'x'.repeat(100_000);
const ITEMS = Array.from({ length: 10_000 }, (_, i) => i);

type Tried = readonly [part: string, expression: unknown, document?: Any];
const tooLarge: readonly Tried[] = [
  ['$concatArrays', again(40, [1], { $concatArrays: BOTH })],
  ['$concat', again(40, 'x', { $concat: BOTH })],
  ['$concat', { $concat: Array.from({ length: 20 }, () => '$text') }, { text: TEXT }],
  ['an expression', again(40, 1, BOTH)],
  ['an expression', again(40, {}, { a: '$$value', b: '$$value' })],
  ['an expression', { $eq: [again(40, 1, BOTH), 1] }],
  ['$map', { $map: { input: range(1000), in: '$$ROOT' } }, { text: TEXT }],
  ['$map', { $map: { input: range(1000), in: '$items' } }, { items: ITEMS.slice(0, 1000) }],
  ['$range', { $map: { input: range(1000), in: range(1_000_000) } }],
  ['an expression', { $zip: { inputs: Array.from({ length: 20 }, () => '$$ROOT.items') } }, { items: ITEMS }],
  ['$setUnion', { $setUnion: Array.from({ length: 20 }, () => '$items') }, { items: ITEMS }],
  ['an expression', again(40, { a: 1 }, { $mergeObjects: ['$$value', { b: '$$value', c: '$$value' }] })],
  [
    '$setField',
    again(40, { a: 1 }, { $setField: { field: { $toString: '$$this' }, input: '$$value', value: '$$value' } }),
  ],
  ['$replaceAll', { $replaceAll: { input: '$text', find: 'x', replacement: 'yyyyyyyyyyy' } }, { text: TEXT }],
  ['$replaceAll', { $replaceAll: { input: '$text', find: '', replacement: '$text' } }, { text: TEXT.slice(0, 5000) }],
  ['$split', { $split: ['$text', 'x'] }, { text: TEXT }],
  ['$regexFindAll', { $regexFindAll: { input: '$text', regex: 'x' } }, { text: TEXT }],
  ['$trim', { $trim: { input: '$text' } }, { text: TEXT }],
  ['$indexOfCP', { $indexOfCP: ['$text', 'y'] }, { text: TEXT }],
];

describe('an expression that makes too much', () => {
  it.each(tooLarge.map((one, i) => [one[0], i] as const))('is refused by the name of %s (%i)', (part, i) => {
    const [, expression, document] = tooLarge[i] as Tried;
    expect(() => evaluate(expression, document)).toThrow(
      expect.objectContaining({
        code: '53200',
        message: `the query needs more than ${LIMIT_BYTES} bytes of working memory (in ${part})`,
      }),
    );
    expect(pool.usedBytes).toBe(0);
  });

  it('is refused before a text is longer than texts can be', () => {
    const large = new Work(() => new MemoryBudget(2 ** 40));
    const text = 'x'.repeat(2 ** 20);
    const expression = { $concat: Array.from({ length: 600 }, () => '$text') };
    expect(() => compileExpression(expression, Variables.begin(large)).evaluate({ text })).toThrow(
      expect.objectContaining({ code: '54000', message: '$concat would make a text of 629145600 UTF-16 units' }),
    );
  });
});

describe('an expression that makes much, and holds little at a time', () => {
  it('is computed', () => {
    const appended = again(500, [], { $concatArrays: ['$$value', ['$$this']] });
    expect(evaluate({ $size: [appended] })).toBe(500);
    const summed = { $map: { input: range(200), in: { $sum: { $range: [0, 1000] } } } };
    expect(evaluate({ $sum: summed })).toBe(200 * 499_500);
    expect(evaluate({ $size: [{ $filter: { input: range(50), cond: { $in: [5, range(3000)] } } }] })).toBe(50);
    const longest = again(300, '', { $let: { vars: { t: { $concat: ['$$value', 'x'] } }, in: '$$t' } });
    expect(evaluate({ $strLenCP: longest })).toBe(300);
    expect(pool.usedBytes).toBe(0);
  });
});

const STEPS: readonly Tried[] = [
  [
    '$map',
    { $sum: { $map: { input: range(5000), in: { $size: { $map: { input: '$items', in: 1 } } } } } },
    { items: ITEMS },
  ],
  [
    '$reduce',
    { $size: { $map: { input: range(1000), in: { $reduce: { input: '$items', initialValue: 1, in: 1 } } } } },
    { items: ITEMS },
  ],
  ['$in', { $size: { $filter: { input: range(20_000), cond: { $in: [-1, '$items'] } } } }, { items: ITEMS }],
  ['$setUnion', { $size: { $filter: { input: range(20_000), cond: { $setUnion: ['$items'] } } } }, { items: ITEMS }],
  ['$eq', { $size: { $filter: { input: range(20_000), cond: { $eq: ['$a', '$b'] } } } }, { a: ITEMS, b: [...ITEMS] }],
  [
    '$regexMatch',
    { $size: { $filter: { input: range(20_000), cond: { $regexMatch: { input: '$text', regex: 'x$' } } } } },
    { text: `${TEXT}y` },
  ],
];

describe('an expression without an end', () => {
  it.each(STEPS.map((one, i) => [one[0], i] as const))('is refused by its steps, in %s', async (part, i) => {
    const [, expression, document] = STEPS[i] as Tried;
    await new Promise(setImmediate);
    const thrown = expect.objectContaining({
      code: '54001',
      message: `the expressions of one document take more than ${STEPS_MAX} steps (in ${part})`,
    });
    expect(() => evaluate(expression, document, STEPS_MAX)).toThrow(thrown);
    expect(turnIsLong()).toBe(true);
    expect(pool.usedBytes).toBe(0);
  });
});

describe('expressions of operations', () => {
  let harness: Harness;
  let c: Collection<Any>;
  const memory = (): MemoryBudget => new MemoryBudget(LIMIT_BYTES, pool);
  const doubled = again(40, 'x', { $concat: BOTH });
  const endless = { $size: { $map: { input: range(1_000_000), in: { $size: { $map: { input: '$items', in: 1 } } } } } };

  beforeAll(async () => {
    harness = await openHarness();
    c = openCollection<Any>(new DocumentModel({ ...harness.model.ports, memory }), 'c');
    await c.insertMany([0, 1, 2].map((_id) => ({ _id, items: ITEMS.slice(0, 200), list: [{}, {}, {}] })));
  });
  afterAll(() => harness.close());

  const tried: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['$project', () => c.aggregate([{ $project: { a: doubled } }]).toArray()],
    ['$set', () => c.aggregate([{ $set: { 'list.a': doubled } }]).toArray()],
    ['$match', () => c.aggregate([{ $match: { $expr: { $eq: [doubled, 1] } } }]).toArray()],
    ['$replaceWith', () => c.aggregate([{ $replaceWith: { a: doubled } }]).toArray()],
    ['$group', () => c.aggregate([{ $group: { _id: doubled } }]).toArray()],
    ['$push', () => c.aggregate([{ $group: { _id: 1, a: { $push: doubled } } }]).toArray()],
    ['$bucketAuto', () => c.aggregate([{ $bucketAuto: { groupBy: doubled, buckets: 2 } }]).toArray()],
    ['let', () => c.aggregate([{ $lookup: { from: 'c', let: { x: doubled }, pipeline: [], as: 'y' } }]).toArray()],
    ['$facet', () => c.aggregate([{ $facet: { a: [{ $set: { a: doubled } }] } }]).toArray()],
    ['$unionWith', () => c.aggregate([{ $unionWith: { coll: 'c', pipeline: [{ $set: { a: doubled } }] } }]).toArray()],
    ['find', () => c.find({ $expr: { $eq: [doubled, 1] } }).toArray()],
    ['projection', () => c.find({}, { projection: { a: doubled } }).toArray()],
    ['update', () => c.updateMany({}, [{ $set: { a: doubled } }])],
  ];

  it.each(tried)('make no more than there is, in %s', async (_where, run) => {
    await expect(run()).rejects.toMatchObject({ code: '53200', message: expect.stringMatching(/\(in \$concat\)$/) });
    expect(pool.usedBytes).toBe(0);
    expect(await c.countDocuments({ a: { $exists: true } })).toBe(0);
  });

  it('give documents that are counted together, wherever their values stand', async () => {
    const shares = Array.from({ length: 1000 }, () => ({ $set: { a: '$$ROOT', b: '$$ROOT' } }));
    await expect(c.aggregate(shares).toArray()).rejects.toMatchObject({ code: '53200' });
    const wide = { $set: { list: { $map: { input: range(1000), in: {} } } } };
    await expect(c.aggregate([wide, { $set: { 'list.a': '$items' } }]).toArray()).rejects.toMatchObject({
      code: '53200',
      message: expect.stringContaining('(in $set)'),
    });
    expect(pool.usedBytes).toBe(0);
  });

  it('end soon after statement_timeout, in one document too', async () => {
    const timeLimits = () => ({ lockTimeoutMs: 0, statementTimeoutMs: 20 });
    const hurried = openCollection<Any>(new DocumentModel({ ...harness.model.ports, timeLimits }), 'c');
    await expect(hurried.aggregate([{ $set: { a: endless } }]).toArray()).rejects.toMatchObject({ code: '57014' });
    const long = { $set: { a: { $size: { $map: { input: range(20_000), in: 1 } } } } };
    const many = [{ $unwind: '$items' }, long, { $count: 'n' }];
    await expect(hurried.aggregate(many).toArray()).rejects.toMatchObject({ code: '57014' });
  });

  const slow = { $size: { $map: { input: range(10_000), in: 1 } } };
  const stages: readonly (readonly [string, Any])[] = [
    ['$set', { $set: { a: slow } }],
    ['$project', { $project: { a: slow } }],
    ['$replaceWith', { $replaceWith: { a: slow } }],
    ['$match', { $match: { $expr: { $gt: [slow, 0] } } }],
    ['$group', { $group: { _id: slow } }],
    ['$sum', { $group: { _id: 1, a: { $sum: slow } } }],
    ['$bucket', { $bucket: { groupBy: slow, boundaries: [0, 1e6] } }],
    ['$bucketAuto', { $bucketAuto: { groupBy: slow, buckets: 2 } }],
    ['$sortByCount', { $sortByCount: slow }],
    ['$facet', { $facet: { a: [{ $set: { a: slow } }] } }],
    ['$lookup', { $lookup: { from: 'none', let: { x: slow }, pipeline: [], as: 'y' } }],
    [
      '$graphLookup',
      { $graphLookup: { from: 'none', startWith: slow, connectFromField: 'a', connectToField: 'b', as: 'c' } },
    ],
    ['$merge', { $merge: { into: 'other' } }],
    ['$out', { $out: 'other' }],
  ];

  it.each(stages)('end with their transaction, in %s', async (name, stage) => {
    const { tx, rollback } = beginIn(harness);
    // Nothing is read any more when the documents come to the stage.
    const written = name === '$merge' || name === '$out' ? [{ $set: { _id: '$items', a: slow } }] : [];
    const pipeline = [{ $limit: 1 }, { $unwind: '$items' }, ...written, stage];
    const running = c.aggregate(pipeline, { tx }).toArray();
    setImmediate(rollback);
    await expect(running).rejects.toMatchObject({ code: '25P01' });
  });
});
