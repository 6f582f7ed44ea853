import { ByteWriter, compareKeys } from '@phantom/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Decimal } from '../src/decimal.js';
import { type KeyColumn, exactKey, hasKey, keyCode, keyPrefixEnd } from '../src/keycode.js';
import { StorageKind } from '../src/storage.js';
import { type Kind, int64, kinds } from './arbitraries.js';
import { VALUE_OR_CORRUPTION, outcome } from './outcome.js';

const ordered = kinds.filter((kind) => kind.compare !== undefined);

const keyOf = (columns: readonly KeyColumn[], values: readonly unknown[]): Uint8Array => {
  const writer = new ByteWriter();
  keyCode(columns).encode(values, writer);
  return writer.take();
};

const flags = fc.record({ descending: fc.boolean(), nullable: fc.boolean(), nullsFirst: fc.boolean() });

const column = fc.tuple(fc.constantFrom(...ordered), flags);

function compareColumn(kind: Kind, flag: Omit<KeyColumn, 'storage'>, a: unknown, b: unknown): number {
  if (a === null || b === null) {
    if (a === b) return 0;
    return (a === null) === flag.nullsFirst ? -1 : 1;
  }
  const order = (kind.compare as (a: unknown, b: unknown) => number)(a, b);
  return flag.descending ? 0 - order : order;
}

const valuesOf = ([kind, flag]: [Kind, Omit<KeyColumn, 'storage'>]): fc.Arbitrary<unknown> =>
  flag.nullable ? fc.option(kind.values, { freq: 4 }) : kind.values;

describe('keycode', () => {
  for (const kind of ordered) {
    it(`orders ${kind.name} as its values, equal values alike, none a prefix of another`, () => {
      const columns = [{ storage: kind.storage, descending: false, nullable: false, nullsFirst: false }];
      fc.assert(
        fc.property(kind.values, kind.values, (a, b) => {
          const x = keyOf(columns, [a]);
          const y = keyOf(columns, [b]);
          const expected = Math.sign((kind.compare as (a: unknown, b: unknown) => number)(a, b));
          expect(Math.sign(compareKeys(x, y))).toBe(expected);
          expect(compareKeys(x, y.subarray(0, x.length)) === 0).toBe(expected === 0);
        }),
        { numRuns: 400, seed: 4 },
      );
    });
  }

  it('orders tuples with any directions and nulls, and decodes them', () => {
    fc.assert(
      fc.property(
        fc
          .array(column, { minLength: 1, maxLength: 4 })
          .chain((chosen) =>
            fc.tuple(
              fc.constant(chosen),
              fc.tuple(...chosen.map(valuesOf)),
              fc.tuple(...chosen.map(valuesOf)),
              fc.nat(99),
            ),
          ),
        ([chosen, a, b, cut]) => {
          const columns = chosen.map(([kind, flag]) => ({ storage: kind.storage, ...flag }));
          const x = keyOf(columns, a);
          const y = keyOf(columns, b);
          let expected = 0;
          for (let i = 0; i < chosen.length && expected === 0; i++) {
            const [kind, flag] = chosen[i] as [Kind, Omit<KeyColumn, 'storage'>];
            expected = compareColumn(kind, flag, a[i], b[i]);
          }
          expect(Math.sign(compareKeys(x, y)) - Math.sign(expected)).toBe(0);
          const into: unknown[] = [];
          const buffer = new Uint8Array([9, ...x, 7, 7]);
          expect(keyCode(columns).decode(buffer, 1, buffer.length, into)).toBe(1 + x.length);
          expect(keyCode(columns).skip(buffer, 1, buffer.length)).toBe(1 + x.length);
          // A key that is cut somewhere still begins with the columns that are whole.
          const end = 1 + ((cut + x.length) % (x.length + 1));
          const leading: unknown[] = [];
          const count = keyCode(columns).decodePrefix(buffer, 1, end, leading);
          expect(count).toBe(chosen.filter((_, i) => keyOf(columns.slice(0, i + 1), a).length < end).length);
          expect(leading.slice(0, count)).toEqual(into.slice(0, count));
          for (let i = 0; i < chosen.length; i++) {
            const [kind, flag] = chosen[i] as [Kind, Omit<KeyColumn, 'storage'>];
            expect(compareColumn(kind, flag, into[i], a[i])).toBe(0);
            expect(exactKey(kind.storage) ? into[i] : a[i]).toEqual(a[i]);
          }
        },
      ),
      { numRuns: 600, seed: 5 },
    );
  });

  it('gives integers of all widths the same bytes', () => {
    const of = (kind: StorageKind): KeyColumn[] => [
      { storage: { kind }, descending: false, nullable: false, nullsFirst: false },
    ];
    for (const value of [0, 1, -1, 255, 256, -32768, 32767]) {
      expect(keyOf(of(StorageKind.Int16), [value])).toEqual(keyOf(of(StorageKind.Int64), [value]));
    }
    expect(keyOf(of(StorageKind.Int64), [2n ** 62n]).length).toBe(9);
    expect([...keyOf(of(StorageKind.Int32), [258])]).toEqual([0x82, 1, 2]);
    expect([...keyOf(of(StorageKind.Int32), [-1])]).toEqual([0x7f, 0xfe]);
  });

  it('gives decimals of equal value the same bytes', () => {
    const columns = [{ storage: { kind: StorageKind.Decimal }, descending: false, nullable: false, nullsFirst: false }];
    const key = (text: string): Uint8Array => keyOf(columns, [Decimal.fromString(text)]);
    expect(key('1')).toEqual(key('1.000'));
    expect(key('-120')).toEqual(key('-120.00'));
    expect(key('0')).toEqual(key('0.00'));
    expect(compareKeys(key('9.99'), key('10'))).toBeLessThan(0);
  });

  it('reads the values of an encoder by position', () => {
    const columns = [{ storage: { kind: StorageKind.Int32 }, descending: false, nullable: false, nullsFirst: false }];
    expect(keyOf([{ ...(columns[0] as KeyColumn), position: 2 }], ['x', 'y', 5])).toEqual(keyOf(columns, [5]));
  });

  it('makes ranges that hold exactly the keys between the bounds', () => {
    const bound = fc.option(fc.record({ value: fc.integer({ min: -4, max: 4 }), inclusive: fc.boolean() }));
    fc.assert(
      fc.property(
        flags,
        bound,
        bound,
        fc.boolean(),
        fc.option(fc.integer({ min: -5, max: 5 })),
        (flag, lower, upper, nulls, value) => {
          if (!flag.nullable && value === null) return;
          const storage = { kind: StorageKind.Int32 };
          const code = keyCode([
            { storage, descending: false, nullable: false, nullsFirst: false },
            { storage, ...flag },
            { storage: { kind: StorageKind.Text }, descending: false, nullable: false, nullsFirst: false },
          ]);
          const space = new Uint8Array([1, 2]);
          const range = code.range(space, [3], {
            nulls,
            ...(lower === null ? {} : { lower }),
            ...(upper === null ? {} : { upper }),
          });
          const writer = new ByteWriter();
          writer.bytes(space);
          code.encode([3, value, 'tail'], writer);
          const key = writer.take();
          const inside =
            compareKeys(key, range.lower) >= 0 && (range.upper === undefined || compareKeys(key, range.upper) < 0);
          // A bound on the side of the nulls shuts them out, as it does in SQL.
          const boundOnNullSide = flag.nullsFirst === !flag.descending ? lower : upper;
          const at = value ?? 0;
          const above = lower === null || at > lower.value || (lower.inclusive && at === lower.value);
          const below = upper === null || at < upper.value || (upper.inclusive && at === upper.value);
          expect(inside).toBe(value === null ? nulls && boundOnNullSide === null : above && below);
          writer.reset();
          writer.bytes(space);
          code.encode([4, value, 'tail'], writer);
          expect(range.upper === undefined || compareKeys(writer.take(), range.upper) >= 0).toBe(true);
        },
      ),
      { numRuns: 1000, seed: 6 },
    );
  });

  it('makes ranges of long values and of short ones after them, each of its own bytes', () => {
    const text = { storage: { kind: StorageKind.Text }, descending: false, nullable: false, nullsFirst: false };
    const code = keyCode([text, text]);
    const space = new Uint8Array([7]);
    const long = code.range(space, ['x'.repeat(100_000)]);
    const short = code.range(space, ['b'], { lower: { value: 'c', inclusive: true } });
    expect([long.lower.length, long.lower[1]]).toEqual([100_003, 'x'.charCodeAt(0)]);
    expect(compareKeys(short.lower, code.range(space, ['b']).lower)).toBeGreaterThan(0);
    expect(code.range(space, ['b'], { lower: { value: 'c', inclusive: true } })).toEqual(short);
  });

  it('says which types have keys', () => {
    expect(hasKey({ kind: StorageKind.Json })).toBe(false);
    expect(hasKey({ kind: StorageKind.Array, element: { oid: 114, storage: { kind: StorageKind.Json } } })).toBe(false);
    for (const kind of ordered) expect(hasKey(kind.storage)).toBe(true);
  });

  it('has no end after a prefix of all ones', () => {
    expect(keyPrefixEnd(new Uint8Array([0xff, 0xff]))).toBeUndefined();
    expect(keyPrefixEnd(new Uint8Array([1, 0xff]))).toEqual(new Uint8Array([2]));
  });

  it('ends in a value or a corruption error on any bytes', () => {
    const nullable = kinds
      .filter((kind) => hasKey(kind.storage))
      .map((kind) => ({ storage: kind.storage, descending: false, nullable: true, nullsFirst: false }));
    fc.assert(
      fc.property(fc.constantFrom(...nullable), fc.boolean(), fc.uint8Array({ maxLength: 60 }), (one, down, tail) => {
        const code = keyCode([{ ...one, descending: down }]);
        const bytes = new Uint8Array([1, ...tail]);
        expect(outcome(() => code.decode(bytes, 0, bytes.length, []))).toMatch(VALUE_OR_CORRUPTION);
        expect(outcome(() => code.skip(bytes, 0, bytes.length))).toMatch(VALUE_OR_CORRUPTION);
      }),
      { numRuns: 1000, seed: 7 },
    );
  });

  it('keeps the order of integers over their whole range', () => {
    const columns = [{ storage: { kind: StorageKind.Int64 }, descending: true, nullable: false, nullsFirst: false }];
    fc.assert(
      fc.property(int64, int64, (a, b) => {
        const expected = a < b ? 1 : a > b ? -1 : 0;
        expect(Math.sign(compareKeys(keyOf(columns, [a]), keyOf(columns, [b])))).toBe(expected);
      }),
      { seed: 8, numRuns: 500 },
    );
  });
});
