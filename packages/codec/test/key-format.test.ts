/** The page docs/formats/key.md says enough: a reader written from it alone reads the keys that are written. */
import { ByteWriter } from '@phantom/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Decimal } from '../src/decimal.js';
import { type DocumentValue, nodeValue } from '../src/document-reader.js';
import { Interval, TimeTz } from '../src/interval.js';
import { Jsonb } from '../src/jsonb.js';
import { type KeyColumn, hasKey, keyCode } from '../src/keycode.js';
import { StorageKind, type StorageType } from '../src/storage.js';
import { SqlArray, SqlMultirange, SqlRange, SqlRecord } from '../src/value.js';
import { kinds, moods } from './arbitraries.js';
import { shapeOf } from './format-shapes.js';
import { decimalForm, intervalMicros, readKey } from './key-format-reader.js';

const keyed = kinds.filter(({ storage }) => hasKey(storage));

/** A value the way the reader tells it. */
function textOf(value: unknown, storage: StorageType): string | null {
  if (value === null) return null;
  if (storage.kind === StorageKind.Enum) return `order ${moods.orderOf(value as string)}`;
  if (storage.kind === StorageKind.PaddedText) return (value as string).replace(/ +$/, '');
  if (storage.fold !== undefined) return storage.fold(value as string);
  if (typeof value === 'number') return String(value);
  if (value instanceof Decimal) return decimalText(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (value instanceof TimeTz) return `${value.micros + value.offsetSeconds * 1_000_000} west ${value.offsetSeconds}`;
  if (value instanceof Interval) return String(intervalMicros(value.months, value.days, BigInt(value.micros)));
  if (value instanceof Jsonb) return documentText(nodeValue(value.bytes, 0, value.bytes.length, 'map'), true);
  if (value instanceof SqlArray) {
    const lengths = value.dimensions.map((length, i) => `${length} from ${value.lowerBounds[i]}`);
    const item = storage.element?.storage as StorageType;
    return `[${lengths.join()}: ${value.items.map((each) => textOf(each, item)).join()}]`;
  }
  if (value instanceof SqlRecord)
    return `(${value.fields.map((field, i) => textOf(field, storage.record?.fields[i] as StorageType)).join()})`;
  if (value instanceof SqlMultirange)
    return `{${value.ranges.map((range) => textOf(range, storage.multirange?.range as StorageType)).join()}}`;
  if (value instanceof SqlRange) {
    if (value.empty) return 'empty';
    const side = (end: unknown): string =>
      end === null ? '' : String(textOf(end, storage.range?.bound as StorageType));
    return `${value.lowerInclusive ? '[' : '('}${side(value.lower)},${side(value.upper)}${value.upperInclusive ? ']' : ')'}`;
  }
  return String(value);
}

function decimalText(value: Decimal): string {
  if (!value.isFinite()) return value.toString();
  const [, sign, whole, part = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(value.toString()) as unknown as string[];
  const digits = `${whole}${part}`;
  const leading = /^0*/.exec(digits)?.[0].length as number;
  const significant = digits.slice(leading).replace(/0+$/, '');
  if (significant === '') return '0';
  return decimalForm(sign === '-', significant, (whole as string).length - leading);
}

function documentText(value: DocumentValue, isTop: boolean): string {
  if (typeof value === 'number') return decimalText(Decimal.parse(String(value)) as Decimal);
  if (value instanceof Decimal) return decimalText(value);
  if (typeof value === 'string') return JSON.stringify(value);
  if (Array.isArray(value))
    return isTop && value.length === 0 ? '[]' : `[${value.map((item) => documentText(item, false)).join()}]`;
  if (!(value instanceof Map)) return String(value);
  return `{${[...value].map(([key, field]) => `${JSON.stringify(key)}:${documentText(field, false)}`).join()}}`;
}

const flags = fc.record({ descending: fc.boolean(), nullable: fc.boolean(), nullsFirst: fc.boolean() });

describe('a reader written from the page', () => {
  for (const { name, storage, values } of keyed) {
    it(`reads keys of ${name}`, () => {
      fc.assert(
        fc.property(flags, fc.option(values), fc.nat(100), (flag, value, behind) => {
          const known = value === null && !flag.nullable ? 0 : value;
          const second = {
            storage: { kind: StorageKind.Int32 },
            descending: false,
            nullable: false,
            nullsFirst: false,
          };
          const columns: KeyColumn[] = known === value ? [{ storage, ...flag }, second] : [second];
          const written = known === value ? [value, behind] : [behind];
          const writer = new ByteWriter();
          keyCode(columns).encode(written, writer);
          const found = readKey(
            writer.take(),
            columns.map((column) => ({ ...column, shape: shapeOf(column.storage) })),
          );
          expect(found).toEqual(written.map((each, i) => textOf(each, (columns[i] as KeyColumn).storage)));
        }),
        { numRuns: 60, seed: 7 },
      );
    });
  }

  it('reads the examples of the page', () => {
    const read = (hex: string, kind: 'int4' | 'decimal' | 'text', nullable = false): (string | null)[] =>
      readKey(new Uint8Array(Buffer.from(hex, 'hex')), [
        { shape: { kind }, descending: false, nullable, nullsFirst: false },
      ]);
    expect(read('820102', 'int4')).toEqual(['258']);
    expect(read('7ffe', 'int4')).toEqual(['-1']);
    expect(read('0481020d6400', 'decimal')).toEqual([decimalForm(false, '1299', 2)]);
    expect(read('61620000', 'text')).toEqual(['ab']);
    expect(read('02', 'text', true)).toEqual([null]);
  });
});
