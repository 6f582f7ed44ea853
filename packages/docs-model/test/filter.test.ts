/** Operators of filters by tables of cases: what MongoDB answers. */
import { describe, expect, it } from 'vitest';
import { compileFilter } from '../src/filter/filter.js';
import { Decimal, ObjectId, Uuid } from '../src/index.js';

type Case = readonly [filter: object, matching: readonly unknown[], others: readonly unknown[]];

const id = ObjectId.fromHex('0123456789abcdef01234567');
const uuid = new Uuid('00000000-0000-4000-8000-000000000001');

/** Filters on `a`, with values of `a` that match and that do not. `undefined` is a document without it. */
const cases: Readonly<Record<string, Case>> = {
  'equality of numbers whatever their type': [{ a: 1 }, [1, 1n, Decimal.of(1), [1], [0, 1]], [2, '1', true, [[1]]]],
  $eq: [{ a: { $eq: [1] } }, [[1], [[1]]], [1, [2]]],
  'null is missing, too': [{ a: null }, [null, undefined, [null], [1, null]], [0, '', false, [], {}]],
  'an array equals itself, and an element of an array': [{ a: [1, 2] }, [[1, 2], [[1, 2]]], [[2, 1], 1, [1, 2, 3]]],
  'an object equals with its fields in order': [{ a: { x: 1, y: 2 } }, [{ x: 1, y: 2 }], [{ y: 2, x: 1 }, { x: 1 }]],
  'an empty object': [{ a: {} }, [{}, [{}]], [{ x: 1 }, null]],
  'a date, an id, a uuid, bytes': [
    { $or: [{ a: new Date(5) }, { a: id }, { a: uuid }, { a: new Uint8Array([1]) }] },
    [new Date(5), ObjectId.fromHex(String(id)), new Uuid(String(uuid)), new Uint8Array([1])],
    [5, String(id), String(uuid), [1], new Uint8Array([1, 0])],
  ],
  'a regular expression on text and elements': [{ a: /^ab/i }, ['abc', 'AB', ['x', 'ab']], ['b', 5, null]],
  '$ne is no element equal': [{ a: { $ne: 1 } }, [2, null, undefined, [2]], [1, [1, 2]]],
  '$ne null': [{ a: { $ne: null } }, [1, []], [null, undefined, [null]]],
  '$gt within a type': [{ a: { $gt: 1 } }, [2, 1.5, 2n, [0, 2]], [1, '2', null, true, Number.NaN, new Date(5)]],
  '$gte null': [{ a: { $gte: null } }, [null, undefined], [0, '']],
  '$gt null': [{ a: { $gt: null } }, [], [null, 0]],
  '$lte NaN': [{ a: { $lte: Number.NaN } }, [Number.NaN], [0, null]],
  '$lt on text': [{ a: { $lt: 'b' } }, ['a', 'aa', ''], ['b', 1, null]],
  '$gt on dates': [{ a: { $gt: new Date(5) } }, [new Date(6)], [new Date(5), 6]],
  '$gt on arrays': [{ a: { $gt: [1] } }, [[1, 0], [2]], [[1], 5]],
  '$gt on booleans': [{ a: { $gt: false } }, [true], [1, false]],
  'a range through two elements': [{ a: { $gt: 5, $lt: 3 } }, [[2, 6]], [4, [3, 5]]],
  '$elemMatch through one': [{ a: { $elemMatch: { $gt: 5, $lt: 7 } } }, [[6], [1, 6]], [6, [2, 8], []]],
  '$elemMatch on objects': [
    { a: { $elemMatch: { x: 1, y: { $gt: 1 } } } },
    [[{ x: 1, y: 2 }]],
    [[{ x: 1 }, { y: 2 }], { x: 1, y: 2 }],
  ],
  '$elemMatch with $or': [{ a: { $elemMatch: { $or: [{ x: 1 }, { x: 2 }] } } }, [[{ x: 2 }]], [[{ x: 3 }], [1]]],
  '$in with null and expressions': [{ a: { $in: [1, null, /^x/] } }, [1, undefined, 'xy', [3, 1]], [2, 'y', []]],
  '$in of nothing': [{ a: { $in: [] } }, [], [1, null, undefined]],
  $nin: [{ a: { $nin: [1, null] } }, [2, []], [1, null, undefined, [1]]],
  $exists: [{ a: { $exists: true } }, [1, null, []], [undefined]],
  '$exists false': [{ a: { $exists: false } }, [undefined], [1, null]],
  '$type by name, also of elements': [{ a: { $type: 'string' } }, ['x', [1, 'x']], [1, null, []]],
  '$type of an array': [{ a: { $type: 'array' } }, [[], [1]], [1, {}]],
  '$type of numbers': [{ a: { $type: ['int', 'long'] } }, [1, 1n], [1.5, Decimal.of(1), 2 ** 40]],
  '$type number': [{ a: { $type: 'number' } }, [1, 1n, 1.5, Decimal.of(1)], ['1', null]],
  '$type by number': [{ a: { $type: 10 } }, [null], [undefined, 0]],
  '$type of an id': [{ a: { $type: 'objectId' } }, [id], [String(id)]],
  $size: [{ a: { $size: 2 } }, [[1, 2]], [[1], [[1, 2]], 2, undefined]],
  $all: [{ a: { $all: [1, 2] } }, [[2, 1, 3]], [[1], 1]],
  '$all of one is equality': [{ a: { $all: [1] } }, [1, [1]], [2]],
  '$all of null': [{ a: { $all: [null] } }, [null, undefined], [1]],
  '$all with $elemMatch': [
    { a: { $all: [{ $elemMatch: { x: 1 } }, { $elemMatch: { x: 2 } }] } },
    [[{ x: 1 }, { x: 2 }]],
    [[{ x: 1 }]],
  ],
  $mod: [{ a: { $mod: [3, 1] } }, [4, 1, 4.5, 4n, [4]], [3, '4', null, Number.NaN]],
  '$bitsAllSet by a mask': [
    { a: { $bitsAllSet: 5 } },
    [5, 7, 13n, -1, [0, 5], new Uint8Array([5])],
    [4, 1.5, '5', null],
  ],
  '$bitsAnySet by positions': [{ a: { $bitsAnySet: [1, 70] } }, [2, -1, new Uint8Array([2])], [5, 0, undefined]],
  '$bitsAllClear by binary': [{ a: { $bitsAllClear: new Uint8Array([0, 1]) } }, [0, 255, -512], [256, -1]],
  $bitsAnyClear: [{ a: { $bitsAnyClear: 3n } }, [1, 2, 4], [3, 7]],
  $jsonSchema: [
    { $jsonSchema: { properties: { a: { type: 'integer', minimum: 2 } }, required: ['a'] } },
    [2, 3],
    [1, 'x', undefined],
  ],
  'not what a schema says': [{ $nor: [{ $jsonSchema: { required: ['a'] } }] }, [undefined], [1, null]],
  '$regex with options': [{ a: { $regex: '^A', $options: 'i' } }, ['abc'], ['xa', 1]],
  $not: [{ a: { $not: { $gt: 1 } } }, [1, undefined, 'x', null], [2, [0, 2]]],
  '$not an expression': [{ a: { $not: /x/ } }, ['a', 1, undefined], ['x']],
  $nor: [{ $nor: [{ a: 1 }, { a: 2 }] }, [3, undefined], [1, [2]]],
  '$and of the same path': [{ $and: [{ a: { $gt: 1 } }, { a: { $lt: 3 } }] }, [2, [0, 5]], [3]],
  '$expr compares a field with another': [{ $expr: { $gt: ['$a', '$b'] } }, [6], [5, 1]],
  '$comment says nothing': [{ a: 1, $comment: 'why' }, [1], [2]],
  'a path into an object': [{ 'a.x': 1 }, [{ x: 1 }, [{ x: 2 }, { x: 1 }], { x: [1] }], [1, { y: 1 }, [[{ x: 1 }]]]],
  'a path that leads nowhere is null': [
    { 'a.x': null },
    [{}, undefined, 5, { x: null }, [{ y: 1 }]],
    [{ x: 1 }, [], [1]],
  ],
  'an index in a path': [{ 'a.1': 2 }, [[1, 2], { 1: 2 }, [[1, 2]].concat([[0, 2]])], [[2, 1], [1]]],
  'an index and a field': [{ 'a.0.x': 1 }, [[{ x: 1 }]], [[{ x: 2 }, { x: 1 }]]],
};

describe('a filter', () => {
  for (const [name, [filter, matching, others]] of Object.entries(cases)) {
    it(name, () => {
      const { matches } = compileFilter(filter);
      const document = (a: unknown): object => (a === undefined ? { b: 5 } : { a, b: 5 });
      expect(matching.filter((a) => !matches(document(a)))).toEqual([]);
      expect(others.filter((a) => matches(document(a)))).toEqual([]);
    });
  }

  it('refuses what is none', () => {
    const wrong: readonly unknown[] = [
      5,
      { $foo: 1 },
      { a: { $foo: 1 } },
      { a: { $gt: 1, b: 2 } },
      { a: { b: 2, $gt: 1 } },
      { $or: [] },
      { $and: {} },
      { a: { $in: 5 } },
      { a: { $in: [{ $gt: 1 }] } },
      { a: { $size: -1 } },
      { a: { $type: 'nothing' } },
      { a: { $mod: [0, 1] } },
      { a: { $mod: [1] } },
      { a: { $not: 5 } },
      { a: { $options: 'i' } },
      { a: { $regex: 'x', $options: 'q' } },
      { a: { $ne: /x/ } },
      { a: { $gt: /x/ } },
      { a: { $elemMatch: 5 } },
      { a: { $all: [{ $gt: 1 }] } },
      { a: undefined },
      { a: { $in: [undefined] } },
      { 'a..b': 1 },
      { $text: 'x' },
      { a: { $bitsAllSet: -1 } },
      { a: { $bitsAnySet: [-1] } },
      { a: { $bitsAllClear: '1' } },
      { $jsonSchema: { type: 'nothing' } },
    ];
    for (const filter of wrong) {
      expect(() => compileFilter(filter), JSON.stringify(filter)).toThrow(expect.objectContaining({ code: '22023' }));
    }
    expect(() => compileFilter({ a: { $regex: '(' } })).toThrow(expect.objectContaining({ code: '2201B' }));
    for (const filter of [
      { $where: 'x' },
      { a: { $near: 1 } },
      { a: { $regex: 'x', $options: 'x' } },
      { $or: [{ $text: { $search: 'x' } }] },
    ]) {
      expect(() => compileFilter(filter)).toThrow(expect.objectContaining({ code: '0A000' }));
    }
    let deep: object = { a: 1 };
    for (let i = 0; i < 200; i++) deep = { $or: [deep] };
    expect(() => compileFilter(deep)).toThrow(expect.objectContaining({ code: '22023' }));
  });
});
