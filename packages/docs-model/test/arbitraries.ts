/** Random documents and filters over few fields and few values, so that they meet. */
import fc from 'fast-check';

const scalar = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -2, max: 3 }) },
  { weight: 3, arbitrary: fc.constantFrom('', 'a', 'ab', 'b') },
  { weight: 2, arbitrary: fc.constantFrom(true, false) },
  { weight: 2, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.constantFrom(0.5, 1.5) },
  { weight: 1, arbitrary: fc.constantFrom(new Date(0), new Date(1000)) },
);

const objectOf = (value: fc.Arbitrary<unknown>): fc.Arbitrary<Record<string, unknown>> =>
  fc.dictionary(fc.constantFrom('a', 'b', 'c'), value, { maxKeys: 3, noNullPrototype: true });

const leaf = objectOf(scalar);
const value = fc.oneof(
  { weight: 5, arbitrary: scalar },
  { weight: 2, arbitrary: fc.array(fc.oneof(scalar, leaf), { maxLength: 3 }) },
  { weight: 2, arbitrary: leaf },
);

export const document = objectOf(value);

const solid = scalar.filter((one) => one !== null);
const ordered = fc.oneof(fc.integer({ min: -2, max: 3 }), fc.constantFrom('a', 'ab', 'b'));

// Where mingo and MongoDB part ways (mingo-differences.test.ts; null among values and behind arrays, $mod of null, $type, $size and
// $elemMatch behind arrays) tables of cases decide.
const tests = [
  solid,
  fc.record({ $eq: solid }),
  fc.record({ $ne: solid }),
  fc.record({ $gt: ordered }),
  fc.record({ $gte: ordered, $lt: ordered }),
  fc.record({ $lte: ordered }),
  fc.record({ $in: fc.array(solid, { maxLength: 3 }) }),
  fc.record({ $nin: fc.array(solid, { maxLength: 3 }) }),
  fc.record({ $exists: fc.boolean() }),
  fc.record({ $not: fc.record({ $gt: ordered }) }),
  fc.record({ $not: fc.record({ $in: fc.array(solid, { maxLength: 3 }) }) }),
  fc.constantFrom({ $regex: '^a' }, { $regex: 'B$', $options: 'i' }, { $not: { $regex: 'b' } }),
];
const ofFields = [
  scalar,
  fc.record({ $eq: scalar }),
  fc.record({ $size: fc.integer({ min: 0, max: 3 }) }),
  fc.record({ $elemMatch: fc.record({ $gt: ordered }) }),
  fc.record({ $all: fc.uniqueArray(solid, { minLength: 2, maxLength: 2, comparator: 'SameValue' }) }),
];

const condition = fc.oneof(
  fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.oneof(...tests, ...ofFields)),
  fc.tuple(fc.constantFrom('a.b', 'b.a', 'a.a'), fc.oneof(...tests)),
);
const simple = fc.array(condition, { minLength: 1, maxLength: 2 }).map((entries) => Object.fromEntries(entries));

export const filter: fc.Arbitrary<Record<string, unknown>> = fc.oneof(
  { weight: 4, arbitrary: simple },
  { weight: 1, arbitrary: fc.record({ $or: fc.array(simple, { minLength: 1, maxLength: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ $and: fc.array(simple, { minLength: 1, maxLength: 2 }) }) },
  { weight: 1, arbitrary: fc.record({ $nor: fc.array(simple, { minLength: 1, maxLength: 2 }) }) },
);
