import { ByteWriter, PhantomError } from '@phantom/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Decimal } from '../src/decimal.js';
import { type DocumentValue, nodeEnd, nodeValue } from '../src/document-reader.js';
import { ObjectId, Uuid } from '../src/document-values.js';
import { writeNode } from '../src/document-writer.js';
import { Jsonb } from '../src/jsonb.js';
import { json } from './arbitraries.js';
import { VALUE_OR_CORRUPTION, outcome } from './outcome.js';

const rich: fc.Arbitrary<DocumentValue> = fc.letrec((tie) => ({
  node: fc.oneof(
    { depthSize: 'small' },
    json,
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.double(),
    fc.uint8Array({ maxLength: 100 }),
    fc.date({ noInvalidDate: true }),
    fc.uuid().map((text) => new Uuid(text)),
    fc.uint8Array({ minLength: 12, maxLength: 12 }).map((bytes) => new ObjectId(bytes)),
    fc.array(tie('node'), { maxLength: 4 }),
    fc
      .array(fc.tuple(fc.string({ maxLength: 100, unit: 'grapheme' }), tie('node')), { maxLength: 4 })
      .map((entries) => new Map(entries as [string, DocumentValue][])),
  ),
})).node as fc.Arbitrary<DocumentValue>;

describe('document codec', () => {
  it('gives back every value with its fields in order', () => {
    fc.assert(
      fc.property(rich, (value) => {
        const document = Jsonb.ordered(value);
        expect(document.value()).toEqual(value);
        const keys = (one: DocumentValue): string[] => (one instanceof Map ? [...one.keys()] : []);
        expect(keys(document.value())).toEqual(keys(value));
        expect(nodeEnd(document.bytes, 0, document.bytes.length)).toBe(document.bytes.length);
      }),
      { numRuns: 500, seed: 10 },
    );
  });

  it('finds each field and element in place, sorted or not', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ maxLength: 8 }), json, { maxKeys: 30 }), fc.string(), (object, other) => {
        const map = new Map(Object.entries(object));
        for (const document of [Jsonb.of(map), Jsonb.ordered(map)]) {
          expect(document.count).toBe(map.size);
          for (const [key, value] of map) {
            const field = document.field(key) as Jsonb;
            expect(field.value()).toEqual(Jsonb.of(value).value());
            const items = Array.isArray(value) ? value : [];
            for (const [i, item] of items.entries()) {
              expect(field.element(i)?.value()).toEqual(Jsonb.of(item).value());
            }
            expect(field.element(items.length)).toBeUndefined();
          }
          expect(document.field(other) !== undefined).toBe(map.has(other));
        }
      }),
      { numRuns: 300, seed: 11 },
    );
  });

  it('sorts fields by length, then bytes', () => {
    const document = Jsonb.of(
      new Map<string, DocumentValue>([
        ['bb', 1],
        ['a', 2],
        ['é', 3],
        ['ab', 4],
      ]),
    );
    expect([...(document.value() as Map<string, unknown>).keys()]).toEqual(['a', 'ab', 'bb', 'é']);
    expect([
      ...Jsonb.of(
        new Map<string, DocumentValue>([
          ['bb', [true]],
          ['a', 1],
        ]),
      ).bytes,
    ]).toEqual([0x14, 2, 3, 0, 0x0b, 0, 1, 0x61, 0x81, 2, 0x62, 0x62, 0x10, 1, 1, 0, 2]);
  });

  it('widens offsets where entries pass 64 KiB, at every level', () => {
    const long = 'x'.repeat(70_000);
    const value: DocumentValue = new Map<string, DocumentValue>([
      ['a', [long, 1, [long, 2]]],
      ['b', new Map<string, DocumentValue>([['c', long]])],
      ['d', 5],
    ]);
    const document = Jsonb.of(value);
    expect(document.value()).toEqual(value);
    expect(document.field('a')?.element(2)?.element(1)?.scalar()).toBe(2);
    expect(document.field('d')?.scalar()).toBe(5);
  });

  it('keeps numbers that doubles cannot', () => {
    const value = [Decimal.fromString('1.10'), Decimal.fromString('12345678901234567890'), 1.5, -0];
    expect(Jsonb.of(value).value()).toEqual(value);
  });

  it('gives plain objects that no key can poison', () => {
    const document = Jsonb.ordered(new Map<string, DocumentValue>([['__proto__', new Map([['x', 1]])]]));
    const plain = document.plain() as Record<string, unknown>;
    expect(Object.keys(plain)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(plain)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
    const object = JSON.parse('{"b":1,"__proto__":{"c":[2]}}') as DocumentValue;
    expect(Jsonb.ordered(object).plain()).toEqual(object);
  });

  it('refuses what it cannot hold', () => {
    const code = (value: unknown): string => outcome(() => Jsonb.of(value as DocumentValue));
    let deep: DocumentValue = [];
    for (let i = 0; i < 1001; i++) deep = [deep];
    expect(code(deep)).toBe('54001');
    expect(code(undefined)).toBe('22023');
    expect(code([() => 1])).toBe('22023');
    expect(code(2n ** 63n)).toBe('22003');
    expect(code(new Date(Number.NaN))).toBe('22007');
    expect(() => new Uuid('x')).toThrow(PhantomError);
    expect(() => new ObjectId(new Uint8Array(11))).toThrow(PhantomError);
    expect(() => ObjectId.fromHex('zz')).toThrow(PhantomError);
    expect(String(ObjectId.fromHex('0123456789abcdef01234567'))).toBe('0123456789abcdef01234567');
    expect(JSON.stringify([new Uuid('00000000-0000-0000-0000-00000000000a'), ObjectId.fromHex('0'.repeat(24))])).toBe(
      '["00000000-0000-0000-0000-00000000000a","000000000000000000000000"]',
    );
  });

  it('ends in a value or a corruption error on any bytes', () => {
    const writer = new ByteWriter();
    fc.assert(
      fc.property(
        rich,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 5 }),
        fc.boolean(),
        (value, changes, cut) => {
          writer.reset();
          writeNode(writer, value, { sorted: cut });
          let bytes = writer.take();
          for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
          if (cut) bytes = bytes.subarray(0, bytes.length >> 1);
          const read = (): void => {
            nodeValue(bytes, 0, bytes.length, 'map');
            new Jsonb(bytes).field('a');
            new Jsonb(bytes).element(1);
          };
          expect(outcome(read)).toMatch(VALUE_OR_CORRUPTION);
        },
      ),
      { numRuns: 1500, seed: 12 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => {
        expect(outcome(() => nodeValue(bytes, 0, bytes.length, 'plain'))).toMatch(VALUE_OR_CORRUPTION);
      }),
      { numRuns: 1500, seed: 13 },
    );
  });
});
