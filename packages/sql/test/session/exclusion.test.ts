/** Exclusion constraints against a model that compares every two rows; and how much of an index a look takes. */
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { ExclusionRule } from '../../src/storage/exclusion-rule.js';
import { type TestEngine, openEngine } from '../support/engine.js';
import { rows, run } from '../support/statements.js';

const opened: TestEngine[] = [];

afterEach(async () => {
  for (const engine of opened.splice(0)) await engine.close();
});

interface Row {
  readonly room: number | null;
  readonly from: number;
  readonly to: number;
}

type Change =
  | { readonly kind: 'insert' | 'update'; readonly id: number; readonly row: Row }
  | { readonly kind: 'delete'; readonly id: number };

const row = fc.record({
  room: fc.option(fc.nat(1), { freq: 8 }),
  from: fc.nat(12),
  to: fc.nat(12),
});
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constantFrom('insert' as const, 'update' as const), id: fc.nat(9), row }),
  fc.record({ kind: fc.constant('delete' as const), id: fc.nat(9) }),
);

function excludes(a: Row, b: Row): boolean {
  const isEmpty = (one: Row): boolean => one.from >= one.to;
  if (a.room === null || a.room !== b.room || isEmpty(a) || isEmpty(b)) return false;
  return a.from < b.to && b.from < a.to;
}

const isObeyed = (model: ReadonlyMap<number, Row>): boolean =>
  [...model].every(([id, one]) => [...model].every(([other, two]) => id === other || !excludes(one, two)));

const values = ({ room, from, to }: Row): string =>
  `${room ?? 'null'}, ${from <= to ? `'[${from},${to})'` : "'empty'"}::int4range`;

function statement(one: Change): string {
  if (one.kind === 'insert') return `insert into t values (${one.id}, ${values(one.row)}) on conflict (id) do nothing`;
  if (one.kind === 'delete') return `delete from t where id = ${one.id}`;
  return `update t set (room, r) = (${values(one.row)}) where id = ${one.id}`;
}

function applied(model: ReadonlyMap<number, Row>, one: Change): ReadonlyMap<number, Row> {
  const next = new Map(model);
  if (one.kind === 'delete') next.delete(one.id);
  else if (next.has(one.id) === (one.kind === 'update')) next.set(one.id, one.row);
  return next;
}

describe('exclusion constraints', () => {
  it.each(['', 'deferrable initially deferred'])(
    'let no two rows be there that exclude each other: %s',
    async (mode) => {
      const engine = await openEngine();
      opened.push(engine);
      const session = engine.session();
      await run(
        session,
        `create table t (id int primary key, room int, r int4range,
      exclude using gist (room with =, r with &&) ${mode})`,
      );
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(change, { minLength: 1, maxLength: 4 }), { maxLength: 10 }),
          async (groups) => {
            await run(session, 'truncate t');
            let model: ReadonlyMap<number, Row> = new Map();
            for (const group of groups) {
              let next = model;
              await run(session, 'begin');
              for (const one of group) {
                const after = applied(next, one);
                const outcome = await run(session, statement(one));
                if (mode === '' && !isObeyed(after)) {
                  expect(outcome).toBe('23P01');
                  next = model;
                  break;
                }
                expect(outcome).not.toBe('23P01');
                next = after;
              }
              const outcome = await run(session, 'commit');
              if (mode === '') model = next;
              else {
                expect(outcome).toBe(isObeyed(next) ? 'COMMIT' : '23P01');
                if (isObeyed(next)) model = next;
              }
              const ids = [...model.keys()].sort((a, b) => a - b);
              expect(await rows(session, 'select id from t order by id')).toEqual(ids.map(String));
            }
          },
        ),
        { numRuns: 40, seed: 11 },
      );
    },
  );

  it('looks at the entries beside a range only', async () => {
    const engine = await openEngine();
    opened.push(engine);
    const session = engine.session();
    await run(session, 'create table t (id int primary key, r int4range, exclude using gist (r with &&))');
    await run(session, 'insert into t select i, int4range(i * 10, i * 10 + 10) from generate_series(1, 1000) i');
    const table = session.picture.relation({ name: 't' });
    if (table?.kind !== 'table') throw new Error('no table');
    let looked = 0;
    const { partsAt } = ExclusionRule.prototype;
    ExclusionRule.prototype.partsAt = function counted(cursor) {
      looked++;
      return partsAt.call(this, cursor);
    };
    try {
      await run(session, "update t set r = '[5001,5009)' where id = 500");
    } finally {
      ExclusionRule.prototype.partsAt = partsAt;
    }
    expect(looked).toBe(2);
  });
});
