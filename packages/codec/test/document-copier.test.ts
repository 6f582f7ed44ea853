/** Copies of documents: equal, with nothing in common that anybody could change. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Decimal, ObjectId, Uuid, copierOf } from '../src/index.js';

type Plain = Parameters<typeof copierOf>[0];

const everything = (): Plain => ({
  _id: new ObjectId('0123456789abcdef01234567'),
  text: 'x',
  none: null,
  yes: true,
  half: 0.5,
  long: 7n,
  price: Decimal.One,
  uuid: new Uuid('00000000-0000-4000-8000-000000000000'),
  at: new Date(5),
  bytes: new Uint8Array([1, 2]),
  tags: ['a', 'b'],
  mixed: [1, { deep: [new Date(6)] }, [2]],
  address: { street: 's', zip: 1, more: { x: [] } },
});

/** Objects of a value that somebody could change. */
function changeable(value: unknown, into: Set<object> = new Set()): Set<object> {
  if (typeof value !== 'object' || value === null || value instanceof Decimal || value instanceof Uuid) return into;
  into.add(value);
  if (value instanceof ObjectId) into.add(value.bytes);
  else if (!(value instanceof Date)) for (const part of Object.values(value)) changeable(part, into);
  return into;
}

function expectOwn(document: Plain): void {
  const copy = copierOf(document).copy(document);
  expect(copy).toStrictEqual(document);
  expect(Object.keys(copy)).toEqual(Object.keys(document));
  const ours = changeable(copy);
  for (const part of changeable(document)) expect(ours.has(part)).toBe(false);
}

describe('a copy of a document', () => {
  it('is equal, and the caller can change everything in it', () => {
    expectOwn(everything());
    expectOwn({});
  });

  it('has the keys that no code has names for', () => {
    const odd: Plain = { 'a b': 1, "'": { '\n': [1] }, 4: 2, list: [{ 'c-d': [1] }] };
    Object.defineProperty(odd, '__proto__', {
      value: { x: [1] },
      enumerable: true,
      configurable: true,
      writable: true,
    });
    expectOwn(odd);
    const copy = copierOf(odd).copy(odd);
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
    expect(Object.hasOwn(copy, '__proto__')).toBe(true);
  });

  it('is as deep, as wide and as large as it must be', () => {
    let deep: Plain = { end: [1] };
    for (let i = 0; i < 50; i++) deep = { deep };
    expectOwn(deep);
    expectOwn(Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`field_${i}`, [i]])));
  });

  it('is made by the same function for documents that are alike, and by as few as are worth it', () => {
    const { copy } = copierOf({ a: 1, b: 'x', c: [1] });
    expect(copierOf({ a: 'y', b: null, c: [] }).copy).toBe(copy);
    expect(copierOf({ b: 1, a: 'x', c: [1] }).copy).not.toBe(copy);
    const many = Array.from({ length: 1100 }, (_, i) => ({ [`name_${i}`]: [i] }));
    for (const document of many) expectOwn(document);
    expect(copierOf({ another: 1 }).copy).toBe(copierOf({ other: 1 }).copy);
  });

  it('holds for any document', () => {
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { depthSize: 'small' },
        fc.string(),
        fc.integer(),
        fc.constant(null),
        fc.boolean(),
        fc.date({ noInvalidDate: true }),
        fc.array(tie('any'), { maxLength: 3 }),
        tie('object'),
      ),
      object: fc.dictionary(fc.constantFrom('a', 'b', 'c d', 'e'), tie('any'), { noNullPrototype: true }),
    }));
    fc.assert(
      fc.property(value.object, (document) => expectOwn(document as Plain)),
      { seed: 1, numRuns: 200 },
    );
  });

  it('knows about how much memory a document takes', () => {
    const bytesOf = (document: Plain): number => copierOf(document).bytes;
    expect(bytesOf({ a: 'x'.repeat(1000) }) - bytesOf({ a: '' })).toBe(1000);
    expect(bytesOf({ a: new Uint8Array(1000) })).toBeGreaterThan(1000);
    expect(bytesOf({ a: Array.from({ length: 100 }, () => 1) })).toBeGreaterThan(800);
  });
});
