/** Expressions by a table of cases: what MongoDB gives. */
import { describe, expect, it } from 'vitest';
import { compileExpression } from '../src/aggregate/expression.js';
import { Decimal, ObjectId } from '../src/index.js';

const date = new Date(Date.UTC(2024, 1, 29, 13, 5, 9, 7));
const root = {
  a: 5,
  b: [3, 1, 2],
  s: 'Grüße you',
  o: { x: 1, y: null },
  items: [{ n: 1 }, { n: 2 }],
  d: date,
  z: null,
  f: 2.5,
};

/** Expression and what it gives over `root`. */
const expressions: readonly (readonly [unknown, unknown])[] = [
  ['$a', 5],
  ['$o.x', 1],
  ['$items.n', [1, 2]],
  ['$nothing', undefined],
  ['$$ROOT.a', 5],
  [
    { x: '$a', y: '$nothing', z: [1, '$nothing'] },
    { x: 5, z: [1, null] },
  ],
  [{ $literal: '$a' }, '$a'],
  [{ $add: ['$a', 1, 2.5] }, 8.5],
  [{ $add: ['$a', null] }, null],
  [{ $add: ['$d', 1000] }, new Date(date.getTime() + 1000)],
  [{ $subtract: ['$d', new Date(date.getTime() - 5)] }, 5],
  [{ $multiply: ['$a', 2n] }, 10n],
  [{ $divide: ['$a', 2] }, 2.5],
  [{ $mod: [7, 4] }, 3],
  [{ $mod: [-7, 4] }, -3],
  [{ $abs: -3 }, 3],
  [{ $ceil: 1.2 }, 2],
  [{ $floor: -1.2 }, -2],
  [{ $round: [2.5] }, 2],
  [{ $round: [3.5] }, 4],
  [{ $round: [1234.567, 1] }, 1234.6],
  [{ $trunc: [-1.29, 1] }, -1.2],
  [{ $sqrt: 9 }, 3],
  [{ $pow: [2, 10] }, 1024],
  [{ $exp: 0 }, 1],
  [{ $ln: 1 }, 0],
  [{ $log10: 100 }, 2],
  [{ $log: [8, 2] }, 3],
  [{ $sum: '$b' }, 6],
  [{ $avg: ['$a', 7, 'x'] }, 6],
  [{ $min: '$b' }, 1],
  [{ $max: ['$a', '$f'] }, 5],
  [{ $cmp: [1, 2] }, -1],
  [{ $gte: [2, 2] }, true],
  [{ $eq: ['$a', 5n] }, true],
  [{ $ne: ['$nothing', null] }, true],
  [{ $gt: ['x', 5] }, true],
  [{ $lte: ['$a', 5] }, true],
  [{ $and: [true, '$a'] }, true],
  [{ $or: [0, '$z'] }, false],
  [{ $not: ['$z'] }, true],
  [{ $cond: [{ $gt: ['$a', 3] }, 'yes', 'no'] }, 'yes'],
  [JSON.parse('{"$cond": {"if": "$z", "then": 1, "else": 2}}'), 2],
  [{ $ifNull: ['$z', '$nothing', 7] }, 7],
  [JSON.parse('{"$switch": {"branches": [{"case": {"$eq": ["$a", 5]}, "then": "five"}]}}'), 'five'],
  [{ $arrayElemAt: ['$b', -1] }, 2],
  [{ $first: '$b' }, 3],
  [{ $last: '$b' }, 2],
  [{ $concatArrays: ['$b', [9]] }, [3, 1, 2, 9]],
  [{ $filter: { input: '$b', as: 'n', cond: { $gt: ['$$n', 1] } } }, [3, 2]],
  [{ $map: { input: '$b', in: { $add: ['$$this', 1] } } }, [4, 2, 3]],
  [{ $reduce: { input: '$b', initialValue: 0, in: { $add: ['$$value', '$$this'] } } }, 6],
  [{ $in: [2, '$b'] }, true],
  [{ $indexOfArray: ['$b', 2] }, 2],
  [{ $isArray: '$b' }, true],
  [{ $reverseArray: '$b' }, [2, 1, 3]],
  [{ $size: '$b' }, 3],
  [{ $slice: ['$b', 2] }, [3, 1]],
  [{ $slice: ['$b', -2, 1] }, [1]],
  [{ $range: [0, 10, 3] }, [0, 3, 6, 9]],
  [{ $sortArray: { input: '$b', sortBy: 1 } }, [1, 2, 3]],
  [{ $sortArray: { input: '$items', sortBy: { n: -1 } } }, [{ n: 2 }, { n: 1 }]],
  [
    { $zip: { inputs: ['$b', [7]], useLongestLength: true, defaults: [0, 0] } },
    [
      [3, 7],
      [1, 0],
      [2, 0],
    ],
  ],
  [{ $arrayToObject: [[{ k: 'x', v: 1 }]] }, { x: 1 }],
  [
    { $objectToArray: '$o' },
    [
      { k: 'x', v: 1 },
      { k: 'y', v: null },
    ],
  ],
  [{ $mergeObjects: ['$o', { y: 2 }] }, { x: 1, y: 2 }],
  [{ $getField: 'a' }, 5],
  [{ $getField: { field: 'x', input: '$o' } }, 1],
  [{ $setField: { field: 'x', input: '$o', value: 9 } }, { y: null, x: 9 }],
  [{ $let: { vars: { p: '$a' }, in: { $add: ['$$p', '$$p'] } } }, 10],
  [
    {
      $setUnion: [
        [3, 1],
        [1, 2],
      ],
    },
    [1, 2, 3],
  ],
  [
    {
      $setIntersection: [
        [3, 1, 1],
        [1, 2],
      ],
    },
    [1],
  ],
  [{ $setDifference: [[3, 1, 3], [1]] }, [3]],
  [
    {
      $setEquals: [
        [1, 2],
        [2, 1, 1],
      ],
    },
    true,
  ],
  [{ $setIsSubset: [[1], [2, 1]] }, true],
  [{ $anyElementTrue: [[0, null, 1]] }, true],
  [{ $allElementsTrue: [[1, 0]] }, false],
  [{ $concat: ['$s', '!'] }, 'Grüße you!'],
  [{ $concat: ['$s', '$z'] }, null],
  [{ $toLower: '$s' }, 'grüße you'],
  [{ $toUpper: 'ab' }, 'AB'],
  [{ $substrCP: ['$s', 2, 3] }, 'üße'],
  [{ $substrBytes: ['$s', 0, 2] }, 'Gr'],
  [{ $substr: ['$s', 0, 2] }, 'Gr'],
  [{ $strLenCP: '$s' }, 9],
  [{ $strLenBytes: '$s' }, 11],
  [{ $split: ['a-b-c', '-'] }, ['a', 'b', 'c']],
  [{ $trim: { input: '  x ' } }, 'x'],
  [{ $ltrim: { input: 'xxay', chars: 'x' } }, 'ay'],
  [{ $rtrim: { input: 'ayy', chars: 'y' } }, 'a'],
  [{ $indexOfCP: ['$s', 'ß'] }, 3],
  [{ $replaceOne: { input: 'aaa', find: 'a', replacement: { $literal: '$&' } } }, '$&aa'],
  [{ $replaceAll: { input: 'aba', find: 'a', replacement: 'x' } }, 'xbx'],
  [{ $regexMatch: { input: '$s', regex: '^gr', options: 'i' } }, true],
  [{ $regexFind: { input: '$s', regex: '(ß)e' } }, { match: 'ße', idx: 3, captures: ['ß'] }],
  [
    { $regexFindAll: { input: 'a1b2', regex: /\d/ } },
    [
      { match: '1', idx: 1, captures: [] },
      { match: '2', idx: 3, captures: [] },
    ],
  ],
  [{ $strcasecmp: ['a', 'B'] }, -1],
  [{ $type: '$d' }, 'date'],
  [{ $type: '$nothing' }, 'missing'],
  [{ $isNumber: '$a' }, true],
  [{ $toString: '$a' }, '5'],
  [{ $toInt: '12' }, 12],
  [{ $toLong: '9007199254740993' }, 9007199254740993n],
  [{ $toDouble: '1.5' }, 1.5],
  [{ $toDecimal: '1.50' }, Decimal.fromString('1.50')],
  [{ $toBool: 0 }, false],
  [{ $toDate: 5 }, new Date(5)],
  [{ $toObjectId: '000000050000000000000000' }, ObjectId.fromHex('000000050000000000000000')],
  [{ $toDate: ObjectId.fromHex('000000050000000000000000') }, new Date(5000)],
  [{ $convert: { input: 'x', to: 'int', onError: -1 } }, -1],
  [{ $convert: { input: null, to: 'int', onNull: 0 } }, 0],
  [{ $year: '$d' }, 2024],
  [{ $month: '$d' }, 2],
  [{ $dayOfMonth: { date: '$d', timezone: 'UTC' } }, 29],
  [{ $dayOfWeek: '$d' }, 5],
  [{ $dayOfYear: '$d' }, 60],
  [{ $hour: '$d' }, 13],
  [{ $minute: '$d' }, 5],
  [{ $second: '$d' }, 9],
  [{ $millisecond: '$d' }, 7],
  [{ $isoWeek: '$d' }, 9],
  [{ $isoWeekYear: '$d' }, 2024],
  [{ $isoDayOfWeek: '$d' }, 4],
  [{ $week: '$d' }, 8],
  [{ $dateToString: { date: '$d' } }, '2024-02-29T13:05:09.007Z'],
  [{ $dateToString: { date: '$d', format: '%d/%m/%Y %%' } }, '29/02/2024 %'],
  [{ $dateFromString: { dateString: '2024-02-29' } }, new Date(Date.UTC(2024, 1, 29))],
  [{ $dateAdd: { startDate: '$d', unit: 'year', amount: 1 } }, new Date(Date.UTC(2025, 1, 28, 13, 5, 9, 7))],
  [{ $dateSubtract: { startDate: '$d', unit: 'hour', amount: 14 } }, new Date(date.getTime() - 14 * 3_600_000)],
  [{ $dateDiff: { startDate: '$d', endDate: new Date(Date.UTC(2024, 2, 1)), unit: 'day' } }, 1],
  [{ $dateTrunc: { date: '$d', unit: 'month' } }, new Date(Date.UTC(2024, 1, 1))],
  [{ $dateTrunc: { date: '$d', unit: 'week' } }, new Date(Date.UTC(2024, 1, 25))],
  [{ $dateToParts: { date: '$d' } }, { year: 2024, month: 2, day: 29, hour: 13, minute: 5, second: 9, millisecond: 7 }],
  [
    { $dateToParts: { date: '$d', iso8601: true } },
    { isoWeekYear: 2024, isoWeek: 9, isoDayOfWeek: 4, hour: 13, minute: 5, second: 9, millisecond: 7 },
  ],
  [{ $dateToParts: { date: '$z' } }, null],
  [{ $dateFromParts: { year: 2024, month: 14, day: 0, hour: 25 } }, new Date(Date.UTC(2025, 1, 1, 1))],
  [{ $dateFromParts: { year: 99 } }, new Date('0099-01-01T00:00:00Z')],
  [
    { $dateFromParts: { isoWeekYear: 2024, isoWeek: 9, isoDayOfWeek: 4, minute: 1 } },
    new Date(Date.UTC(2024, 1, 29, 0, 1)),
  ],
  [{ $dateFromParts: { isoWeekYear: 2021 } }, new Date(Date.UTC(2021, 0, 4))],
  [{ $dateFromParts: { year: 2024, month: '$z' } }, null],
  [{ $firstN: { n: 2, input: '$b' } }, [3, 1]],
  [{ $lastN: { n: 2, input: '$b' } }, [1, 2]],
  [{ $minN: { n: 2, input: [3, null, 'x', 1] } }, [1, 3]],
  [{ $maxN: { n: 5, input: '$b' } }, [3, 2, 1]],
  [{ $stdDevPop: '$b' }, Math.sqrt(2 / 3)],
  [{ $stdDevSamp: ['$a', 'x', 7] }, Math.SQRT2],
  [{ $stdDevSamp: ['$a'] }, null],
  [{ $sin: 0 }, 0],
  [{ $acos: '$z' }, null],
  [
    [{ $cos: 0 }, { $tan: 0 }, { $sinh: 0 }, { $tanh: 0 }],
    [1, 0, 0, 0],
  ],
  [
    [{ $asin: 0 }, { $atan: 0 }, { $asinh: 0 }, { $acosh: 1 }, { $atanh: 0 }],
    [0, 0, 0, 0, 0],
  ],
  [{ $atan2: [1, 1] }, Math.PI / 4],
  [{ $degreesToRadians: 180 }, Math.PI],
  [{ $radiansToDegrees: Math.PI }, 180],
  [{ $cosh: Decimal.of(0) }, Decimal.of(1)],
  [{ $bitAnd: [6, 3] }, 2],
  [{ $bitOr: [6, 1n] }, 7n],
  [{ $bitXor: [] }, 0],
  [{ $bitXor: [5, '$z'] }, null],
  [{ $bitNot: 5 }, -6],
  [{ $bitNot: -1n }, 0n],
  [{ $unsetField: { field: 'x', input: '$o' } }, { y: null }],
  [{ $lt: [{ $rand: {} }, 1] }, true],
];

describe('an expression', () => {
  it('gives what MongoDB gives', () => {
    for (const [expression, expected] of expressions) {
      const name = `${Object.keys(Object(expression) as object).join()} ${String(expected)}`;
      expect(compileExpression(expression).evaluate(root), name).toEqual(expected);
    }
  });

  it('refuses what is none, and what does not fit', () => {
    const fails = (expression: unknown, code: string): void => {
      expect(() => compileExpression(expression).evaluate(root), JSON.stringify(expression)).toThrow(
        expect.objectContaining({ code }),
      );
    };
    for (const expression of [
      { $foo: 1 },
      { $add: 1, $subtract: 2 },
      { $divide: [1] },
      '$$nothing',
      { $cond: [1] },
      { $toLower: [] },
      { $map: { input: [], foo: 1 } },
      { $size: 5 },
      { $concat: [5] },
      { $switch: { branches: [] } },
      { $range: [0, 1, 0] },
      { $convert: { input: 1, to: 'x' } },
      { $dateToString: { date: '$d', format: '%q' } },
      { $sqrt: -1 },
      { $arrayElemAt: ['$a', 0] },
      { $meta: 'x' },
      { $substrBytes: ['$s', 0, 3] },
      { $filter: { input: [] } },
      { $firstN: { n: 0, input: [] } },
      { $bitAnd: [1.5] },
      { $unsetField: { field: 'x', input: 5 } },
      { $dateFromParts: { year: 0 } },
      { $dateFromParts: { year: 2000, isoWeek: 1 } },
      { $sin: 'x' },
    ])
      fails(expression, '22023');
    fails({ $divide: [1, 0] }, '22012');
    fails({ $toInt: 'x' }, '22018');
    fails({ $toInt: 1e10 }, '22003');
    fails({ $function: {} }, '0A000');
    let deep: unknown = 1;
    for (let i = 0; i < 300; i++) deep = { $abs: deep };
    fails(deep, '22023');
  });
});
