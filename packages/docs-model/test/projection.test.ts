/** Projections by tables of cases: what MongoDB shows. */
import { expect, it } from 'vitest';
import { compileFilter } from '../src/filter/filter.js';
import type { PlainObject } from '../src/order.js';
import { compileProjection } from '../src/projection.js';
import { openHarness } from './harness.js';

const document: PlainObject = {
  _id: 1,
  a: { x: 1, y: 2 },
  n: 5,
  tags: ['p', 'q', 'r'],
  items: [
    { k: 1, q: 5 },
    { k: 2, q: 7 },
  ],
};

/** Projection, what it shows, and the filter that found the document. */
const cases: readonly (readonly [object, object, object?])[] = [
  [{ n: 1 }, { _id: 1, n: 5 }],
  [{ n: 1, _id: 0 }, { n: 5 }],
  [{ 'a.x': 1, _id: 0 }, { a: { x: 1 } }],
  [{ a: { y: true }, _id: 0 }, { a: { y: 2 } }],
  [{ 'items.k': 1, _id: 0 }, { items: [{ k: 1 }, { k: 2 }] }],
  [
    { a: 0, tags: 0, items: 0 },
    { _id: 1, n: 5 },
  ],
  [
    { 'a.x': 0, 'items.q': 0, tags: 0 },
    { _id: 1, a: { y: 2 }, n: 5, items: [{ k: 1 }, { k: 2 }] },
  ],
  [
    { tags: { $slice: 2 }, a: 0, items: 0 },
    { _id: 1, n: 5, tags: ['p', 'q'] },
  ],
  [
    { tags: { $slice: -1 }, n: 1 },
    { _id: 1, n: 5, tags: ['r'] },
  ],
  [
    { tags: { $slice: [-2, 1] }, n: 1, _id: 0 },
    { n: 5, tags: ['q'] },
  ],
  [{ items: { $elemMatch: { q: { $gt: 5 } } }, _id: 0 }, { items: [{ k: 2, q: 7 }] }],
  [{ items: { $elemMatch: { q: 9 } }, n: 1, _id: 0 }, { n: 5 }],
  [{ 'items.$': 1, _id: 0 }, { items: [{ k: 2, q: 7 }] }, { 'items.k': 2 }],
  [{ 'tags.$': 1, n: 1 }, { _id: 1, n: 5, tags: ['q'] }, { tags: { $in: ['q', 'r'] } }],
  [{ double: { $multiply: ['$n', 2] }, _id: 0 }, { double: 10 }],
  [{ 'a.z': '$n', 'a.x': 1, _id: 0 }, { a: { x: 1, z: 5 } }],
];

it('shows what MongoDB shows', () => {
  for (const [projection, expected, filter = {}] of cases) {
    const shown = compileProjection(projection, undefined, compileFilter(filter)).apply(document);
    expect(shown, JSON.stringify(projection)).toEqual(expected);
  }
});

it('refuses what is none', () => {
  const wrong = [5, { a: 1, n: 0 }, { a: {} }, { a: 1, 'a.x': 1 }, { tags: { $slice: [1, 0] } }, { 'a.$.x': 1 }];
  for (const projection of [...wrong, { 'tags.$': 0 }, { a: { $foo: 1 } }, { $a: 1 }])
    expect(() => compileProjection(projection, undefined, compileFilter({})), JSON.stringify(projection)).toThrow(
      expect.objectContaining({ code: '22023' }),
    );
  expect(() => compileProjection({ 'tags.$': 1 })).toThrow(expect.objectContaining({ code: '22023' }));
  const { apply } = compileProjection({ 'tags.$': 1 }, undefined, compileFilter({ n: 5 }));
  expect(() => apply(document)).toThrow(expect.objectContaining({ code: '22023' }));
});

it('shows the matched element of what is found, and of what is changed', async () => {
  const harness = await openHarness();
  const carts = harness.collection('carts');
  await carts.insertOne(document);
  const filter = { 'items.q': { $gte: 6 } };
  const projection = { 'items.$': 1 };
  const expected = { _id: 1, items: [{ k: 2, q: 7 }] };
  expect(await carts.findOne(filter, { projection })).toEqual(expected);
  expect(await carts.find(filter).project(projection).toArray()).toEqual([expected]);
  const update = { $set: { 'items.$.q': 8 } };
  const changed = await carts.findOneAndUpdate(filter, update, { projection, returnDocument: 'after' });
  expect(changed).toEqual({ _id: 1, items: [{ k: 2, q: 8 }] });
  await harness.close();
});
