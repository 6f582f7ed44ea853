import { ByteWriter, compareKeys } from '@phantom/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Decimal } from '../src/decimal.js';
import type { DocumentValue } from '../src/document-reader.js';
import { ObjectId, Uuid } from '../src/document-values.js';
import { Jsonb } from '../src/jsonb.js';
import { exactKey, keyCode } from '../src/keycode.js';
import { StorageKind } from '../src/storage.js';
import { compareText } from '../src/text-bytes.js';
import { json } from './arbitraries.js';

const columns = [{ storage: { kind: StorageKind.Jsonb }, descending: false, nullable: false, nullsFirst: false }];
const code = keyCode(columns);

function keyOf(document: Jsonb): Uint8Array {
  const writer = new ByteWriter();
  code.encode([document], writer);
  return writer.take();
}

/** PostgreSQL's order of jsonb, written down once more and plainly. */
function rank(node: DocumentValue): number {
  if (node === null) return 0;
  if (typeof node === 'string') return 1;
  if (typeof node === 'number' || node instanceof Decimal) return 2;
  if (typeof node === 'boolean') return 3;
  return Array.isArray(node) ? 4 : 5;
}

const decimalOf = (node: DocumentValue): Decimal =>
  node instanceof Decimal ? node : Decimal.fromNumber(node as number);

function compareNodes(a: DocumentValue, b: DocumentValue): number {
  if (rank(a) !== rank(b)) return rank(a) - rank(b);
  switch (rank(a)) {
    case 1:
      return compareText(a as string, b as string);
    case 2:
      return decimalOf(a).compare(decimalOf(b));
    case 3:
      return Number(a) - Number(b);
    case 4:
      return compareLists(a as DocumentValue[], b as DocumentValue[]);
    case 5:
      return compareLists([...(a as Map<string, DocumentValue>)].flat(), [...(b as Map<string, DocumentValue>)].flat());
    default:
      return 0;
  }
}

function compareLists(a: DocumentValue[], b: DocumentValue[]): number {
  if (a.length !== b.length) return a.length - b.length;
  for (let i = 0; i < a.length; i++) {
    const order = compareNodes(a[i] as DocumentValue, b[i] as DocumentValue);
    if (order !== 0) return order;
  }
  return 0;
}

function compareTop(a: DocumentValue, b: DocumentValue): number {
  const emptyA = Array.isArray(a) && a.length === 0;
  const emptyB = Array.isArray(b) && b.length === 0;
  if (emptyA || emptyB) return Number(emptyB) - Number(emptyA);
  return compareNodes(a, b);
}

it('writes whole numbers without a decimal as it writes them with one', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.integer(),
        fc.integer({ min: -1e14, max: 1e14 }),
        fc.integer({ min: -20, max: 20 }).map((n) => n * 1e6),
      ),
      (value) => {
        const number = keyOf(Jsonb.of(value));
        expect(number).toEqual(keyOf(Jsonb.of(Decimal.fromNumber(value))));
      },
    ),
    { numRuns: 2000, seed: 4 },
  );
});

it('tells values beyond JSON from their text, and gives them back', () => {
  const values = [
    new Uint8Array([1, 0, 2]),
    new Uuid('00000000-0000-4000-8000-000000000001'),
    ObjectId.fromHex('0123456789abcdef01234567'),
    new Date(5),
  ];
  for (const value of values) {
    const key = keyOf(Jsonb.ordered(value));
    expect(key).not.toEqual(keyOf(Jsonb.of(String(value))));
    const into: unknown[] = [];
    code.decode(key, 0, key.length, into);
    expect((into[0] as Jsonb).value()).toEqual(value);
  }
});

describe('keys of documents', () => {
  it('sort as jsonb does', () => {
    const small = fc.oneof(json, fc.constantFrom<DocumentValue>([], [[]], 0, '', null, [1], [2], ['a'], true, false));
    fc.assert(
      fc.property(small, small, (a, b) => {
        const x = Jsonb.of(a);
        const y = Jsonb.of(b);
        const expected = Math.sign(compareTop(x.value(), y.value()));
        expect(Math.sign(compareKeys(keyOf(x), keyOf(y)))).toBe(expected);
      }),
      { numRuns: 600, seed: 30 },
    );
  });

  it('decode to an equal document', () => {
    fc.assert(
      fc.property(json, (value) => {
        const document = Jsonb.of(value);
        const key = keyOf(document);
        const into: unknown[] = [];
        expect(code.decode(key, 0, key.length, into)).toBe(key.length);
        expect(compareTop((into[0] as Jsonb).value(), document.value())).toBe(0);
      }),
      { numRuns: 300, seed: 31 },
    );
    expect(exactKey({ kind: StorageKind.Jsonb })).toBe(false);
  });

  it('sort types beyond JSON as their texts', () => {
    const id = ObjectId.fromHex('0123456789abcdef01234567');
    const values: DocumentValue[] = [new Date(0), id, new Uuid('00000000-0000-0000-0000-00000000000a'), 5n];
    for (const value of values) {
      const key = keyOf(Jsonb.ordered([value]));
      expect(key.length).toBeGreaterThan(3);
    }
    expect(compareKeys(keyOf(Jsonb.ordered(5n)), keyOf(Jsonb.of(5)))).toBe(0);
  });
});
