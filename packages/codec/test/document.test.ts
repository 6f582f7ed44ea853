import { ByteWriter, PhantomError } from '@phantom/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Decimal } from '../src/decimal.js';
import { DocumentDecoder } from '../src/document-decoder.js';
import { DocumentEncoder } from '../src/document-encoder.js';
import { type DocumentValue, nodeEnd, nodeValue } from '../src/document-reader.js';
import { ObjectId, Uuid } from '../src/document-values.js';
import { writeNode } from '../src/document-writer.js';
import { Jsonb } from '../src/jsonb.js';
import { json, richDocument } from './arbitraries.js';
import { VALUE_OR_CORRUPTION, outcome } from './outcome.js';

const encoder = new DocumentEncoder({ depthMax: 50, refuseKey: (key) => (key === 'bad' ? 'a bad key' : undefined) });
const encoded = (value: unknown): Jsonb => {
  encoder.writer.reset();
  encoder.encode(value);
  return new Jsonb(encoder.writer.take());
};

describe('the encoder and decoder of collections', () => {
  it('write the bytes that the plain writer writes, and read the same values', () => {
    const decoder = new DocumentDecoder();
    fc.assert(
      fc.property(richDocument, (value) => {
        const bytes = encoded(value).bytes;
        expect(bytes).toEqual(Jsonb.ordered(value).bytes);
        expect(decoder.decode(bytes, 0, bytes.length)).toEqual(Jsonb.ordered(value).plain());
      }),
      { numRuns: 500, seed: 12 },
    );
  });

  it('write arrays whose items end too far for narrow ends from some item on, within each other too', () => {
    const decoder = new DocumentDecoder();
    const text = (length: number): string => 'x'.repeat(length);
    const arrays: DocumentValue[] = [
      [text(65_531)],
      [text(65_532)],
      [text(70_000), 1, 'b'],
      ['a', text(40_000), [1, text(66_000), [text(10), null]], text(40_000), 2],
      ['a', 'b', text(65_600)],
      Array.from({ length: 200 }, (_, i) => text(i * 5)),
      Array.from({ length: 40_000 }, (_, i) => i % 100),
    ];
    for (const array of [...arrays, arrays]) {
      const { bytes } = encoded(array);
      expect(Buffer.compare(bytes, Jsonb.ordered(array).bytes)).toBe(0);
      expect(decoder.decode(bytes, 0, bytes.length)).toEqual(array);
    }
  });

  it('read chosen fields alone', () => {
    const decoder = new DocumentDecoder();
    const long = 'k'.repeat(100);
    const { bytes } = encoded({ a: 1, b: { c: [1] }, [long]: 2, d: 'x'.repeat(70_000) });
    const fields = ['d', long, 'b', 'z'].map((key) => new TextEncoder().encode(key));
    expect(decoder.decodeFields(bytes, 0, bytes.length, fields)).toEqual({
      b: { c: [1] },
      [long]: 2,
      d: 'x'.repeat(70_000),
    });
    expect(decoder.decodeFields(encoded([1]).bytes, 0, 5, fields)).toEqual({});
  });

  it('read the same fields of many documents, alike or not', () => {
    const decoder = new DocumentDecoder();
    const fields = ['b', 'a', '__proto__'].map((key) => new TextEncoder().encode(key));
    const documents = [
      { a: 1, b: { c: { d: 'e' } } },
      { b: 2, x: 0, a: 3 },
      { a: 4 },
      { x: 5 },
      JSON.parse('{"__proto__": 1, "b": 2}') as object,
    ];
    const bytes = documents.map((document) => encoded(document).bytes);
    // Mostly of the first kind: its shape is the one that is learnt.
    const kinds = [...Array.from({ length: 100 }, () => 0), 1, 2, 3, 4, 0, 1, 4];
    for (const kind of kinds) {
      const [node, document] = [bytes[kind] as Uint8Array, documents[kind] as Record<string, unknown>];
      const read = decoder.decodeFields(node, 0, node.length, fields) as Record<string, unknown>;
      const names = Object.keys(document).filter((name) => name !== 'x');
      expect(Object.keys(read)).toEqual(names);
      for (const name of names)
        expect(Object.getOwnPropertyDescriptor(read, name)?.value).toEqual(
          Object.getOwnPropertyDescriptor(document, name)?.value,
        );
      expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
    }
  });

  it('refuse what a document cannot hold, and say where', () => {
    const refusal = (value: unknown): unknown => outcome(() => encoded(value));
    class Foo {}
    for (const value of [() => 1, Symbol('x'), /x/, new Set(), new Foo()]) {
      expect(() => encoded({ a: [value] })).toThrow(expect.objectContaining({ code: '22023', detail: 'At "a.0".' }));
    }
    expect(() => encoded(new Map([[1, 2]]))).toThrow(expect.objectContaining({ code: '22023' }));
    expect(() => encoded({ bad: 1 })).toThrow('a bad key');
    expect(() => encoded({ a: '\ud800' })).toThrow(expect.objectContaining({ code: '22021', detail: 'At "a".' }));
    expect(() => encoded({ '\udc00': 1 })).toThrow(expect.objectContaining({ code: '22021' }));
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    expect(() => encoded(cycle)).toThrow(expect.objectContaining({ code: '54001' }));
    expect(() => encoded({ a: new Date(Number.NaN) })).toThrow(expect.objectContaining({ code: '22007' }));
    expect(refusal({ a: 1 })).toBeDefined();
  });

  it('leave undefined fields out, keep __proto__ a field, and take views and buffers as binary', () => {
    expect(encoded({ a: undefined, b: [undefined] }).plain()).toEqual({ b: [null] });
    const sneaky: unknown = JSON.parse('{"__proto__": {"polluted": 1}}');
    const decoded = new DocumentDecoder().decode(encoded(sneaky).bytes, 0, encoded(sneaky).bytes.length) as object;
    expect(Object.keys(decoded)).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(encoded([new Uint16Array([1]), new ArrayBuffer(2)]).plain()).toEqual([
      new Uint8Array([1, 0]),
      new Uint8Array(2),
    ]);
  });

  it('write the id first', () => {
    encoder.writer.reset();
    encoder.encodeWithId({ a: 1, _id: 5 }, 7);
    expect([
      ...(Jsonb.copyOf(encoder.writer.view(), 0, encoder.writer.length).value() as Map<string, unknown>),
    ]).toEqual([
      ['_id', 7],
      ['a', 1],
    ]);
  });

  it('learn what documents look like, and are right about those that look otherwise', () => {
    const name = fc.constantFrom('_id', 'a', 'ab', 'b', 'class', 'x y', '__proto__', '1', 'é', 'k'.repeat(70));
    const value = fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom<unknown>(1, -300, 70_000, 1.5, null, true, 'text', 'é', [], undefined) },
      { weight: 1, arbitrary: fc.constant({ a: 1, b: [{ a: 'x' }, { b: 2 }] }) },
      { weight: 1, arbitrary: fc.constant({ ab: 'y'.repeat(66_000), a: 2 }) },
    );
    const fields = fc.uniqueArray(fc.tuple(name, value), { maxLength: 6, selector: ([key]) => key });
    const decoder = new DocumentDecoder();
    fc.assert(
      fc.property(fc.array(fields, { minLength: 1, maxLength: 3 }), (shapes) => {
        for (let i = 0; i < 120; i++) {
          const entries = shapes[i < 80 ? 0 : i % shapes.length] as [string, unknown][];
          const document = new Map(entries.filter(([, one]) => one !== undefined));
          const object = {};
          for (const [key, one] of entries) Object.defineProperty(object, key, { value: one, enumerable: true });
          const { bytes } = encoded(i % 2 === 0 ? object : new Map(entries));
          const found = decoder.decode(bytes, 0, bytes.length) as object;
          expect(Object.entries(found)).toEqual(Object.entries(Object.fromEntries(document)));
        }
      }),
      { numRuns: 15, seed: 14 },
    );
  });

  it('forget keys when they have met too many', () => {
    const documents = Array.from({ length: 5000 }, (_, i) => ({ [`a${i}`]: i, b: { [`c${i}`]: 1 } }));
    expect(documents.map((document) => encoded(document).plain())).toEqual(documents);
  });

  it('find corruption in documents that look like those before', () => {
    const decoder = new DocumentDecoder();
    const { bytes } = encoded({ _id: 1, name: 'x', address: { street: 'long street', zip: 70_000 }, tags: ['a', 2.5] });
    for (let i = 0; i < 50; i++) decoder.decode(bytes, 0, bytes.length);
    for (let at = 0; at < bytes.length; at++) {
      for (const byte of [0, 1, 0x0b, 0x12, 0x7f, 0xff]) {
        const broken = bytes.slice();
        broken[at] = byte;
        expect(outcome(() => decoder.decode(broken, 0, broken.length))).toMatch(VALUE_OR_CORRUPTION);
      }
    }
    expect(decoder.decode(bytes, 0, bytes.length)).toMatchObject({ address: { zip: 70_000 } });
  });

  it('answer any bytes with a value or corruption', () => {
    const decoder = new DocumentDecoder();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        expect(outcome(() => decoder.decode(bytes, 0, bytes.length))).toMatch(VALUE_OR_CORRUPTION);
      }),
      { numRuns: 2000, seed: 13 },
    );
  });
});

describe('document codec', () => {
  it('gives back every value with its fields in order', () => {
    fc.assert(
      fc.property(richDocument, (value) => {
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
    expect(() => new ObjectId('zz')).toThrow(PhantomError);
    expect(() => new ObjectId(12 as never)).toThrow(PhantomError);
    expect(String(new ObjectId('0123456789abcdef01234567'))).toBe('0123456789abcdef01234567');
    expect(String(new ObjectId())).not.toBe(String(new ObjectId()));
    expect(String(ObjectId.fromHex('0123456789abcdef01234567'))).toBe('0123456789abcdef01234567');
    expect(JSON.stringify([new Uuid('00000000-0000-0000-0000-00000000000a'), ObjectId.fromHex('0'.repeat(24))])).toBe(
      '["00000000-0000-0000-0000-00000000000a","000000000000000000000000"]',
    );
  });

  it('ends in a value or a corruption error on any bytes', () => {
    const writer = new ByteWriter();
    fc.assert(
      fc.property(
        richDocument,
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
