/** $graphLookup: what a document leads to, step by step. */
import fc from 'fast-check';
import { aggregate as mingoAggregate } from 'mingo';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Harness, openHarness } from './harness.js';
import { runs } from './oracle.js';

let harness: Harness;

beforeEach(async () => {
  harness = await openHarness();
});

afterEach(() => harness.close());

interface Person extends Record<string, unknown> {
  readonly _id: number;
  readonly boss?: unknown;
}

const staff: readonly Person[] = [
  { _id: 1, name: 'Ada' },
  { _id: 2, name: 'Bob', boss: 1 },
  { _id: 3, name: 'Cid', boss: 2 },
  { _id: 4, name: 'Dee', boss: [1, 3] },
  { _id: 5, name: 'Eve', boss: 9, active: true },
  { _id: 6, name: 'Fay', boss: 7, active: true },
  { _id: 7, name: 'Gus', boss: 6 },
];

const upwards = {
  from: 'staff',
  startWith: '$boss',
  connectFromField: 'boss',
  connectToField: '_id',
  as: 'chain',
};

const run = async (more: object = {}, filter: object = {}): Promise<Record<string, unknown>[]> => {
  const pipeline = [{ $match: filter }, { $sort: { _id: 1 } }, { $graphLookup: { ...upwards, ...more } }];
  return harness.collection('staff').aggregate(pipeline).toArray();
};

const chain = (found: readonly Record<string, unknown>[]): unknown[] =>
  found.map((one) => (one['chain'] as Person[]).map(({ _id }) => _id));

it('finds each once, in circles and through arrays', async () => {
  await harness.collection('staff').insertMany(staff);
  expect(chain(await run())).toEqual([[], [1], [2, 1], [1, 3, 2], [], [7, 6], [6, 7]]);
  const below = { startWith: '$_id', connectFromField: '_id', connectToField: 'boss' };
  expect(chain(await run(below, { _id: 1 }))).toEqual([[2, 4, 3]]);
});

it('stops at a depth, tells it, and keeps to a condition', async () => {
  await harness.collection('staff').insertMany(staff);
  const [found] = await run({ maxDepth: 1, depthField: 'steps.up' }, { _id: 4 });
  expect(found?.['chain']).toEqual([
    { _id: 1, name: 'Ada', steps: { up: 0 } },
    { _id: 3, name: 'Cid', boss: 2, steps: { up: 0 } },
    { _id: 2, name: 'Bob', boss: 1, steps: { up: 1 } },
  ]);
  expect(chain(await run({ restrictSearchWithMatch: { name: { $ne: 'Bob' } } }, { _id: { $in: [3, 4] } }))).toEqual([
    [],
    [1, 3],
  ]);
  expect(chain(await run({ startWith: { $literal: [1, 6] }, maxDepth: 0 }, { _id: 1 }))).toEqual([[1, 6]]);
});

it('refuses what is none', async () => {
  for (const wrong of [{ from: 5 }, { maxDepth: -1 }, { as: undefined }, { restrictSearchWithMatch: 5 }, { foo: 1 }])
    await expect(run(wrong)).rejects.toMatchObject({ code: '22023' });
});

it('agrees with mingo on random graphs', async () => {
  // A step that finds nothing is a document without fields to mingo: every step finds something here.
  const node = fc.record({ to: fc.array(fc.nat(5), { minLength: 1, maxLength: 3 }) });
  let round = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(node, { minLength: 6, maxLength: 6 }),
      fc.option(fc.nat(2), { nil: undefined }),
      async (nodes, most) => {
        const documents = nodes.map((one, _id) => ({ _id, ...one }));
        const name = `graph${round++}`;
        await harness.collection(name).insertMany(documents);
        const lookup = {
          startWith: '$to',
          connectFromField: 'to',
          connectToField: '_id',
          as: 'reached',
          depthField: 'depth',
          ...(most === undefined ? {} : { maxDepth: most }),
        };
        const sorted = (found: readonly unknown[]): unknown =>
          found.map((one) => {
            const reached = [...(one as { reached: { _id: number }[] }).reached];
            return reached.sort((a, b) => a._id - b._id);
          });
        const ours = await harness
          .collection(name)
          .aggregate([{ $graphLookup: { from: name, ...lookup } }])
          .toArray();
        const theirs = mingoAggregate(
          structuredClone(documents) as never,
          [{ $graphLookup: { from: structuredClone(documents), ...lookup } }] as never,
        );
        expect(sorted(ours)).toEqual(sorted(theirs));
      },
    ),
    runs(40, 41),
  );
});
