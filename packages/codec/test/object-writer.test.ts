/** Compiled writers of objects write what is written field by field, and refuse what is refused there. */
import { isPhantomError } from '@phantom/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DocumentEncoder } from '../src/document-encoder.js';
import { Tag } from '../src/document-format.js';
import { ObjectId } from '../src/document-values.js';
import { TestStructures } from './structures.js';

type Fields = Record<string, unknown>;

const rules = { depthMax: 6 };

/** The same object for the encoder, which writes Maps field by field. */
function asMaps(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asMaps);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return new Map(Object.entries(value).map(([key, field]) => [key, asMaps(field)]));
}

/** What an encoding gives, or how it is refused. */
function outcome(encode: () => string): unknown {
  try {
    return encode();
  } catch (error) {
    if (!isPhantomError(error)) throw error;
    const { code, message, detail } = error as { code: string; message: string; detail?: string };
    return { code, message, detail };
  }
}

class Writer {
  readonly structures = new TestStructures();
  readonly encoder = new DocumentEncoder(rules);

  encode(document: object, id: unknown): string {
    const { encoder, structures } = this;
    encoder.writer.reset();
    encoder.writer.u8(7);
    encoder.encodeWithId(document, id, structures);
    return Buffer.from(encoder.writer.view()).toString('hex');
  }

  /** What encoding it gives, and that of the Maps. */
  both(document: object, id: unknown): [unknown, unknown] {
    return [outcome(() => this.encode(document, id)), outcome(() => this.encode(asMaps(document) as object, id))];
  }
}

const person = (i: number): Fields => ({
  _id: i,
  name: `person ${i}`,
  age: i,
  address: { street_name: 'Long Street', zip_code: 10_000 + i, deep: { deeper: { number_of_it: i } } },
  tags: ['a', { latitude: i, longitude: 0 }],
});

/** A writer that has met many of them, and learns no more. */
function learnt(): Writer {
  const writer = new Writer();
  for (let i = 0; i < 200; i++) writer.encode(person(i), i);
  writer.structures.keeps = false;
  return writer;
}

describe('compiled writers of objects', () => {
  const value = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom<unknown>(0, -0, 127, 128, -129, 70_000, 2 ** 40, 0.5, Number.NaN) },
    fc.constantFrom<unknown>(null, true, false, undefined, 5n, new Date(5), new ObjectId('0123456789abcdef01234567')),
    fc.constantFrom('', 'text', 'é', '\ud83d\ude00', 'x'.repeat(63), 'x'.repeat(64), 'ü'.repeat(40), 'x'.repeat(5000)),
    fc.constantFrom<unknown>('\ud800', () => 1, /x/, { $bad: 1 }, [undefined, '\udc00'], { number_of_it: '\udc00' }),
    fc.constantFrom<unknown>([], {}, { street_name: 1, zip_code: 2, deep: 3 }, { number_of_it: [{ number_of_it: 1 }] }),
    fc.constant(() => 0).map((f) => ({ street_name: 'a', zip_code: f, deep: null })),
  );
  const changes = fc.array(fc.tuple(fc.constantFrom('name', 'age', 'address', 'tags', 'more', '_id'), value));
  const inside = fc.array(fc.tuple(fc.constantFrom('street_name', 'zip_code', 'deep'), value));

  it('write the same bytes, and refuse the same in the same words', () => {
    const writer = learnt();
    fc.assert(
      fc.property(changes, inside, fc.constantFrom('first', 'last', 'none'), (changed, within, place) => {
        const id = 3;
        const document = person(id);
        if (place !== 'first') delete document['_id'];
        if (place === 'last') document['_id'] = id;
        Object.assign(document['address'] as Fields, Object.fromEntries(within));
        for (const [key, given] of changed) document[key] = given;
        const [plain, maps] = writer.both(document, id);
        expect(plain).toEqual(maps);
      }),
      { numRuns: 400 },
    );
  });

  it('are used once objects are known, and left for others', () => {
    const writer = learnt();
    const [structure] = [...writer.structures.kept].filter(({ names }) => names.length === 5);
    expect(structure?.write).toBeDefined();
    let reads = 0;
    const document = Object.defineProperty({ ...person(1) }, 'age', { get: () => ++reads, enumerable: true });
    writer.encode(document, 1);
    expect(reads).toBe(1);
    const other = { ...person(2), more: 1 };
    const [plain, maps] = writer.both(other, 2);
    expect(plain).toEqual(maps);
    expect(Buffer.from(writer.encode(person(1), 1), 'hex')[1]).toBe(Tag.Structured);
  });

  it('give objects of more than 64 KiB wide ends', () => {
    const writer = learnt();
    const large = { ...person(1), name: 'x'.repeat(70_000) };
    const deep = { ...person(1), address: { street_name: 'y'.repeat(70_000), zip_code: 1, deep: { deeper: 1 } } };
    for (const document of [large, deep]) {
      const [plain, maps] = writer.both(document, 1);
      expect(plain === maps).toBe(true);
      expect(Buffer.from(writer.encode(document, 1), 'hex')[1]).toBe(Tag.StructuredWide);
    }
  });

  it('keep names that are no identifiers out of code', () => {
    const names = ['"', '\\', '${x}', '__proto__', '*/ y', '\u2028', 'constructor', 'target', 'names', 'é'];
    for (const name of names) {
      const writer = new Writer();
      const fields = (i: number): Fields =>
        Object.defineProperty({ a_rather_long_name: i }, name, { value: i, enumerable: true }) as Fields;
      for (let i = 0; i < 200; i++) writer.encode(fields(i), i);
      const [plain, maps] = writer.both(fields(5), 5);
      expect(plain).toEqual(maps);
    }
  });

  it('leave the rules of depth and the structures of the store as they are', () => {
    const writer = learnt();
    const deep = (levels: number): unknown => (levels === 0 ? 1 : { number_of_it: deep(levels - 1) });
    for (const levels of [3, 4, 5, 6]) {
      const [plain, maps] = writer.both({ ...person(1), address: deep(levels) }, 1);
      expect(plain).toEqual(maps);
    }
    writer.structures.kept.clear();
    const [plain, maps] = writer.both(person(1), 1);
    expect(plain).toEqual(maps);
    expect(Buffer.from(plain as string, 'hex')[1]).toBe(Tag.Object);
  });
});
