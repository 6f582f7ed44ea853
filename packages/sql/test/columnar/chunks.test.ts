/** Chunks: what is read is what was written, in whichever encoding; and bytes that are no chunk are refused. */
import { ByteWriter, PhantomError, Random } from '@phantom/base';
import { Decimal, type StorageType, StorageKind } from '@phantom/codec';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChunkReader } from '../../src/storage/columnar/chunk-reader.js';
import { ChunkWriter } from '../../src/storage/columnar/chunk-writer.js';
import { Encoding } from '../../src/storage/columnar/format.js';
import type { Value } from '../../src/types/type.js';

function write(storage: StorageType, values: readonly Value[]): Uint8Array {
  const writer = new ByteWriter();
  writer.u8(0xaa);
  new ChunkWriter(storage).write(values, writer);
  return writer.take().subarray(1);
}

function read(storage: StorageType, chunk: Uint8Array, rows: number): Value[] {
  const values = new ChunkReader(storage).read(chunk, 0, chunk.length, rows);
  return Array.from({ length: rows }, (_, i) => values.at(i) as Value);
}

function many(rows: number, make: (row: number) => Value): Value[] {
  return Array.from({ length: rows }, (_, row) => make(row));
}

const INT: StorageType = { kind: StorageKind.Int64 };
const TEXT: StorageType = { kind: StorageKind.Text };
const DECIMAL: StorageType = { kind: StorageKind.Decimal };
const FLOAT: StorageType = { kind: StorageKind.Float64 };

describe('a chunk', () => {
  it.each<[string, StorageType, Value[], number]>([
    ['no rows', INT, [], Encoding.Empty],
    ['nulls alone', TEXT, [null, null], Encoding.Empty],
    ['one value again and again', INT, [7, 7, 7], Encoding.Integers],
    ['small integers', INT, [-3, 200, 0], Encoding.Integers],
    ['integers of two bytes', INT, [-30_000, 30_000], Encoding.Integers],
    ['integers of four bytes', INT, [-0x8000_0000, 0x7fff_ffff, null], Encoding.Integers],
    ['integers of eight bytes', INT, [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 0], Encoding.Integers],
    ['integers that a double does not hold', INT, many(40, (row) => 2n ** 60n + BigInt(row)), Encoding.Values],
    ['infinite dates', { kind: StorageKind.Date }, many(40, (row) => (row === 9 ? -Infinity : row)), Encoding.Values],
    ['few of them', { kind: StorageKind.Date }, [Infinity, 3, -Infinity, 3], Encoding.Dictionary],
    ['whole floats', FLOAT, [1, 2, 3], Encoding.Integers],
    ['floats', FLOAT, [1.5, Number.NaN, -0, Infinity, null], Encoding.Floats],
    ['booleans', { kind: StorageKind.Bool }, [true, null, false], Encoding.Dictionary],
    ['few decimals', DECIMAL, [new Decimal(150, 2), new Decimal(15, 1), Decimal.NaN], Encoding.Dictionary],
    [
      'decimals of one scale',
      DECIMAL,
      many(99, (row) => (row === 5 ? null : new Decimal(row - 40, 2))),
      Encoding.Decimals,
    ],
    ['of several', DECIMAL, many(99, (row) => new Decimal(row, row % 3)), Encoding.Values],
    ['large ones', DECIMAL, many(99, (row) => new Decimal(2n ** 70n + BigInt(row), 4)), Encoding.Values],
    ['few texts', TEXT, many(99, (row) => `text ${row % 3}`), Encoding.Dictionary],
    ['many', TEXT, many(2000, (row) => `text ${row % 400}`), Encoding.Dictionary],
    ['different texts', TEXT, many(99, (row) => (row === 3 ? null : 'x'.repeat(row % 5) + row)), Encoding.Texts],
    ['texts of any characters', TEXT, many(99, (row) => `größer 🙂 ${row}`), Encoding.Texts],
    ['values of parts', { kind: StorageKind.Bytes }, [Uint8Array.of(1), Uint8Array.of(), null], Encoding.Values],
  ])('holds %s', (_, storage, values, encoding) => {
    const chunk = write(storage, values);
    expect(chunk[0]).toBe(encoding);
    expect(read(storage, chunk, values.length)).toEqual(values);
  });

  it('gives numbers without nulls in typed arrays', () => {
    const values = (from: Value[]): unknown => {
      const chunk = write(INT, from);
      return new ChunkReader(INT).read(chunk, 0, chunk.length, from.length);
    };
    expect(values([1, 2])).toBeInstanceOf(Int32Array);
    expect(values([1, 2 ** 40])).toBeInstanceOf(Float64Array);
  });

  it('refuses bytes that are none', () => {
    const random = new Random(1);
    const chunks = [
      [
        INT,
        write(
          INT,
          many(50, (row) => row * 1000),
        ),
      ],
      [
        TEXT,
        write(
          TEXT,
          many(50, (row) => `text ${row}`),
        ),
      ],
      [
        TEXT,
        write(
          TEXT,
          many(50, (row) => `text ${row % 2}`),
        ),
      ],
      [
        DECIMAL,
        write(
          DECIMAL,
          many(50, (row) => new Decimal(row, 2)),
        ),
      ],
      [
        FLOAT,
        write(
          FLOAT,
          many(50, (row) => row / 3),
        ),
      ],
    ] as const;
    for (let time = 0; time < 1000; time++) {
      const [storage, whole] = chunks[time % chunks.length]!;
      const chunk = whole.slice(0, random.below(4) === 0 ? random.below(whole.length) : whole.length);
      for (let flips = random.below(3); flips > 0 && chunk.length > 0; flips--)
        chunk[random.below(chunk.length)] = random.below(256);
      try {
        read(storage, chunk, 50);
      } catch (error) {
        expect(error).toBeInstanceOf(PhantomError);
        expect((error as PhantomError).code).toBe('XX001');
      }
    }
  });

  it('holds any mixture', () => {
    const holds = (storage: StorageType, values: readonly Value[]): void => {
      expect(read(storage, write(storage, values), values.length)).toEqual(values);
    };
    const rows = { maxLength: 60 };
    const texts = fc.array(fc.option(fc.string({ maxLength: 5 })), rows);
    const doubles = fc.array(fc.option(fc.double()), rows);
    const runs = { seed: 1, numRuns: 30 };
    fc.assert(
      fc.property(texts, (values) => holds(TEXT, values)),
      runs,
    );
    fc.assert(
      fc.property(doubles, (values) => holds(FLOAT, values)),
      runs,
    );
  });
});
