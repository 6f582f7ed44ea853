/** Fields that are changed where they lie give the bytes that changing them field by field gives. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DocumentDecoder } from '../src/document-decoder.js';
import { DocumentEncoder } from '../src/document-encoder.js';
import { Tag } from '../src/document-format.js';
import { appendKeyDocument, appendKeyPlain } from '../src/document-key.js';
import { FieldPlaces, readPlaces, writePatched } from '../src/document-patch.js';
import { ByteWriter } from '@phantom/base';
import { ObjectId } from '../src/document-values.js';
import { VALUE_OR_CORRUPTION, outcome } from './outcome.js';
import { TestStructures } from './structures.js';

type Fields = Record<string, unknown>;

const encoder = new DocumentEncoder({ depthMax: 50 });
const decoder = new DocumentDecoder();
const structures = new TestStructures();

function encode({ _id, ...fields }: Fields): Uint8Array {
  encoder.writer.reset();
  encoder.encodeWithId(fields, _id, structures);
  return encoder.writer.take();
}

function learn(document: Fields): Uint8Array {
  for (let i = 0; i < 70; i++) encode(document);
  return encode(document);
}

/** The patched document behind `head`; undefined where it is not patched. */
function patch(bytes: Uint8Array, places: FieldPlaces, changes: Fields, head = 0): Uint8Array | undefined {
  const before: unknown[] = [];
  if (!readPlaces(decoder, bytes, head, bytes.length, places, before)) return undefined;
  const after = places.order.map((field) => changes[places.names[field] as string]);
  encoder.writer.reset();
  return writePatched(encoder, bytes, 0, head, bytes.length, places, before, after, structures)
    ? encoder.writer.take()
    : undefined;
}

const document = {
  _id: 7,
  name: 'person',
  age: 30,
  tags: ['a', 'b'],
  home: { city: 'x', zip: 1 },
  note: 'n'.repeat(50),
};
const value = fc.constantFrom<unknown>(
  1,
  30,
  -70_000,
  1.5,
  null,
  true,
  'person',
  'é',
  ['a'],
  { city: 'y', zip: 2 },
  {},
);

describe('fields changed where they lie', () => {
  it('are what encoding the changed document gives', () => {
    const bytes = learn(document);
    expect(bytes[0]).toBe(Tag.Structured);
    const names = fc.subarray(['note', 'home', 'age', 'name', 'tags'], { minLength: 1 });
    fc.assert(
      fc.property(names, fc.array(value, { minLength: 5, maxLength: 5 }), (fields, values) => {
        const changes = Object.fromEntries(fields.map((name, i) => [name, values[i]]));
        const places = new FieldPlaces(fields);
        const patched = patch(bytes, places, changes) as Uint8Array;
        expect(decoder.decode(patched, 0, patched.length)).toEqual({ ...document, ...changes });
        const headed = patch(Uint8Array.of(9, 9, 9, ...bytes), places, changes, 3) as Uint8Array;
        expect(Buffer.compare(headed.subarray(0, 3), Uint8Array.of(9, 9, 9))).toBe(0);
        expect(Buffer.compare(headed.subarray(3), patched)).toBe(0);
      }),
      { numRuns: 200, seed: 5 },
    );
  });

  it('are left to others where the object lacks one, carries its keys, or gets too large', () => {
    const bytes = learn(document);
    expect(patch(bytes, new FieldPlaces(['age', 'other']), { age: 1, other: 2 })).toBeUndefined();
    expect(patch(encode({ _id: 1, rare: 1 }), new FieldPlaces(['rare']), { rare: 2 })).toBeUndefined();
    const places = new FieldPlaces(['note', 'age']);
    expect(patch(bytes, places, { age: 31, note: 'x'.repeat(65_000) })).toBeDefined();
    expect(patch(bytes, places, { age: 31, note: 'x'.repeat(66_000) })).toBeUndefined();
    expect(encoder.writer.length).toBe(0);
  });

  it('know their places in each structure', () => {
    const bytes = learn(document);
    const other = learn({ _id: 1, note: 'first', 'a rather long name': 1, age: 2 });
    const places = new FieldPlaces(['age', 'note']);
    for (const one of [bytes, other, bytes]) {
      const patched = patch(one, places, { age: 99, note: 'new' }) as Uint8Array;
      expect(decoder.decode(patched, 0, patched.length)).toMatchObject({ age: 99, note: 'new' });
    }
  });

  it('are XX001 in damaged bytes, or values', () => {
    const bytes = learn(document);
    const places = new FieldPlaces(['age', 'home']);
    for (let i = 0; i < bytes.length; i++) {
      for (const flip of [0x01, 0x80, 0xff]) {
        const damaged = bytes.slice();
        damaged[i] = (damaged[i] as number) ^ flip;
        expect(outcome(() => patch(damaged, places, { age: 1, home: null }))).toMatch(VALUE_OR_CORRUPTION);
      }
    }
  });
});

it('makes keys of plain ids as of their nodes', () => {
  for (const id of ['', 'd17', 'x'.repeat(40), new ObjectId('00112233445566778899aabb')]) {
    const [plain, node] = [new ByteWriter(), new ByteWriter()];
    encoder.writer.reset();
    encoder.encode(id);
    appendKeyDocument(node, encoder.writer.buffer, 0, encoder.writer.length);
    expect(appendKeyPlain(plain, id)).toBe(true);
    expect(plain.take()).toEqual(node.take());
  }
  for (const id of ['é', 'a\0', '\ud800', 'x'.repeat(41), 1, null, new Date(), new Uint8Array(12)]) {
    const writer = new ByteWriter();
    expect(appendKeyPlain(writer, id)).toBe(false);
    expect(writer.length).toBe(0);
  }
});
