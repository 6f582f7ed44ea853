/** Documents that name structures mean what those mean that carry their keys, to every reader. */
import { ByteWriter } from '@phantom/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeSelfContained } from '../src/document-copy.js';
import { DocumentDecoder } from '../src/document-decoder.js';
import { DocumentEncoder } from '../src/document-encoder.js';
import { Tag, isSelfContained } from '../src/document-format.js';
import { appendKeyDocument } from '../src/document-key.js';
import { type DocumentValue, nodeEnd, nodeValue } from '../src/document-reader.js';
import { defineStructure, structureBytes, structureName } from '../src/document-structure.js';
import { Jsonb } from '../src/jsonb.js';
import { StorageKind } from '../src/storage.js';
import { keyBytes } from '../src/text-bytes.js';
import { appendValue } from '../src/value-codec.js';
import { readDocument } from './format-reader.js';
import { VALUE_OR_CORRUPTION, outcome } from './outcome.js';
import { TestStructures } from './structures.js';

type Fields = Record<string, unknown>;

/** Comparing by expect is slow where there are many bytes. */
const isSame = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const rules = { depthMax: 50 };

/** Encodes documents with what it has learnt of those before. */
class Writer {
  readonly structures = new TestStructures();
  readonly encoder = new DocumentEncoder(rules);

  encode({ _id, ...fields }: Fields): Uint8Array {
    this.encoder.writer.reset();
    this.encoder.encodeWithId(fields, _id, this.structures);
    return this.encoder.writer.take();
  }

  /** Encodes it until it is known well. */
  learn(document: Fields): Uint8Array {
    for (let i = 0; i < 70; i++) this.encode(document);
    return this.encode(document);
  }

  change(bytes: Uint8Array, before: Fields, after: Fields): Uint8Array {
    this.encoder.writer.reset();
    this.encoder.encodeChanged(bytes, 0, bytes.length, before, after, this.structures);
    return this.encoder.writer.take();
  }

  get table(): Map<string, Uint8Array> {
    return new Map([...this.structures.kept].map(({ bytes }) => [hex(structureName(bytes)), bytes]));
  }
}

/** The document with its keys in it. */
function plainBytes({ _id, ...fields }: Fields): Uint8Array {
  const encoder = new DocumentEncoder(rules);
  encoder.encodeWithId(fields, _id);
  return encoder.writer.take();
}

function selfContained(bytes: Uint8Array): Uint8Array {
  const writer = new ByteWriter();
  writeSelfContained(writer, bytes, 0, bytes.length);
  return writer.take();
}

const scalar = fc.constantFrom<unknown>(1, -300, 70_000, 1.5, null, true, 'text', 'é', 'x'.repeat(80));
const inner = fc.oneof(
  { weight: 6, arbitrary: scalar },
  fc.constant({ latitude: 1.5, longitude: -3 }),
  fc.constant([{ first_name: 'a', second_name: 'b' }, { other: 1 }, 5]),
  fc.constant({ 'a rather long key': [{ latitude: 2, longitude: 2 }], b: {} }),
);
const names = fc.constantFrom('a', 'name of it', 'another name', 'class', '__proto__', 'é', 'k'.repeat(70));
const entries = fc.uniqueArray(fc.tuple(names, inner), { maxLength: 5, selector: ([key]) => key });
const document = entries.map((fields) => {
  const object: Fields = { _id: 7 };
  for (const [key, value] of fields) set(object, key, value);
  return object;
});

function set(object: Fields, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}

function copyOf(object: Fields): Fields {
  const copy = {};
  for (const [key, value] of Object.entries(object)) set(copy, key, value);
  return copy;
}

describe('documents that name structures', () => {
  it('have ends as wide as they need', () => {
    const writer = new Writer();
    const long = 'y'.repeat(66_000);
    const value = {
      _id: 1,
      'a long name': { 'another long name': long, b: 1 },
      list: [{ 'another long name': long, b: 2 }, 3],
      c: 5,
    };
    const bytes = writer.learn(value);
    expect(bytes[0]).toBe(Tag.StructuredWide);
    const document = new Jsonb(bytes);
    expect(document.plain()).toEqual(value);
    expect(new DocumentDecoder().decode(bytes, 0, bytes.length)).toEqual(value);
    expect(document.field('list')?.bytes[document.field('list')?.start as number]).toBe(Tag.ArrayOverWide);
    expect(document.field('list')?.element(0)?.field('b')?.scalar()).toBe(2);
    expect(isSame(selfContained(bytes), plainBytes(value))).toBe(true);
    expect(readDocument(bytes, writer.table)).toBe(readDocument(plainBytes(value)));
    const shorter = { 'another long name': 'z', b: 1 };
    const changed = writer.change(bytes, { 'a long name': value['a long name'] }, { 'a long name': shorter });
    expect(new Jsonb(changed).plain()).toEqual({ ...value, 'a long name': shorter });
  });

  it('mean to every reader what they mean with their keys', () => {
    const decoder = new DocumentDecoder();
    const writer = new Writer();
    let structured = 0;
    fc.assert(
      fc.property(document, (value) => {
        const bytes = writer.learn(value);
        const plain = plainBytes(value);
        const table = writer.table;
        if (!isSelfContained(bytes[0] as number)) structured++;
        expect(bytes.length).toBeLessThanOrEqual(plain.length);
        expect(isSame(selfContained(bytes), plain)).toBe(true);
        expect(nodeEnd(bytes, 0, bytes.length)).toBe(bytes.length);
        for (let i = 0; i < 3; i++) {
          const read = decoder.decode(bytes, 0, bytes.length) as Fields;
          expect(read).toEqual(decoder.decode(plain, 0, plain.length));
          expect(Object.keys(read)).toEqual(Object.keys(value));
        }
        expect(nodeValue(bytes, 0, bytes.length, 'map')).toEqual(nodeValue(plain, 0, plain.length, 'map'));
        expect(readDocument(bytes, table)).toBe(readDocument(plain));
        const [here, there] = [new Jsonb(bytes), new Jsonb(plain)];
        expect([here.count, here.kind, here.isOrdered]).toEqual([there.count, 'object', true]);
        for (const key of [...Object.keys(value), 'nothing']) {
          expect(here.field(key)?.value()).toEqual(there.field(key)?.value());
          const asked = utf8(key);
          for (let i = 0; i < 2; i++) expect(here.fieldAt(asked)?.value()).toEqual(there.fieldAt(asked)?.value());
          expect(here.field(key)?.element(1)?.value()).toEqual(there.field(key)?.element(1)?.value());
          expect(here.field(key)?.field('longitude')?.scalar()).toBe(there.field(key)?.field('longitude')?.scalar());
        }
        const [key, plainKey] = [new ByteWriter(), new ByteWriter()];
        appendKeyDocument(key, bytes, 0, bytes.length);
        appendKeyDocument(plainKey, plain, 0, plain.length);
        expect(isSame(key.take(), plainKey.take())).toBe(true);
        const kept = new ByteWriter();
        appendValue(kept, { kind: StorageKind.Jsonb }, here);
        expect(isSame(kept.take(), plain)).toBe(true);
      }),
      { numRuns: 60, seed: 1 },
    );
    expect(structured).toBeGreaterThan(30);
  });

  it('give chosen fields alone', () => {
    const writer = new Writer();
    const decoder = new DocumentDecoder();
    const first: Fields = {
      _id: 1,
      temperature: 2,
      'wind direction': { latitude: 1, longitude: 2 },
      text: 'x'.repeat(70_000),
    };
    const fields = ['text', 'temperature', 'none', '_id'].map(utf8);
    for (const value of [first, { ...first, text: 5 }, { _id: 3, pressure_of_air: 1, text: 'y' }]) {
      const bytes = writer.learn(value);
      expect(bytes[0]).toBe(value['text'] === first['text'] ? Tag.StructuredWide : Tag.Structured);
      for (let i = 0; i < 50; i++) {
        const read = decoder.decodeFields(bytes, 0, bytes.length, fields) as Fields;
        const plain = plainBytes(value);
        expect(Object.entries(read)).toEqual(
          Object.entries(decoder.decodeFields(plain, 0, plain.length, fields) as Fields),
        );
      }
    }
  });

  it('are changed as those are that carry their keys', () => {
    const writer = new Writer();
    const decoder = new DocumentDecoder();
    const change = fc.dictionary(fc.oneof(names, fc.constant('toString')), fc.oneof(inner, fc.constant(undefined)), {
      maxKeys: 3,
    });
    fc.assert(
      fc.property(document, change, fc.boolean(), fc.boolean(), (value, changes, learns, learnsAfter) => {
        const bytes = learns ? writer.learn(value) : plainBytes(value);
        const before: Fields = {};
        const whole: Fields = copyOf(value);
        const after: Fields = {};
        for (const key of Object.keys(value)) if (Object.hasOwn(changes, key)) set(before, key, value[key]);
        for (const [key, one] of Object.entries(changes)) {
          if (one === undefined) {
            delete whole[key];
          } else {
            set(after, key, one);
            set(whole, key, one);
          }
        }
        if (learnsAfter) writer.learn(whole);
        const changed = writer.change(bytes, before, after);
        const read = decoder.decode(changed, 0, changed.length) as Fields;
        expect(Object.entries(read)).toEqual(Object.entries(whole));
        expect(isSame(selfContained(changed), plainBytes(whole))).toBe(true);
        expect(readDocument(changed, writer.table)).toBe(readDocument(plainBytes(whole)));
      }),
      { numRuns: 150, seed: 2 },
    );
  });

  it('name what a store has, and nothing else', () => {
    const writer = new Writer();
    const value = { _id: 1, temperature: 20, windDirection: 270, at: { latitude: 1.5, longitude: 2.5, height: 3 } };
    expect(isSelfContained(writer.encode(value)[0] as number)).toBe(true);
    const named = writer.learn(value);
    expect(named[0]).toBe(Tag.Structured);
    expect(writer.structures.kept.size).toBe(2);
    // Another store asks for them first.
    const other = new Writer();
    other.structures.keeps = false;
    expect(other.learn(value)).toEqual(plainBytes(value));
    // What the process knows is found again by an encoder that has met the object twice.
    const third = new Writer();
    for (const structure of writer.structures.kept) third.structures.kept.add(structure);
    third.encode(value);
    expect(third.encode(value)).toEqual(named);
    // What one store refuses, another one that the encoder writes for may learn.
    const fourth = new Writer();
    fourth.structures.keeps = false;
    const own = { _id: 1, nobody_else_has_it: 1, nor_this_one: 2 };
    expect(fourth.learn(own)).toEqual(plainBytes(own));
    fourth.structures.keeps = true;
    expect(fourth.learn(own)[0]).toBe(Tag.Structured);
    // Parts that are to stand by themselves carry their keys.
    writer.encoder.writer.reset();
    writer.encoder.encode(value);
    expect(writer.encoder.writer.take()).toEqual(plainBytes(value));
  });

  it('have none where it saves nothing, or their keys are data', () => {
    const writer = new Writer();
    expect(writer.learn({ _id: 1, a: 1, b: 2 })).toEqual(plainBytes({ _id: 1, a: 1, b: 2 }));
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`key ${i}`, i]));
    expect(writer.learn({ _id: 1, ...many })).toEqual(plainBytes({ _id: 1, ...many }));
    const long = { _id: 1, ['x'.repeat(5000)]: 1, ['y'.repeat(5000)]: 1 };
    expect(writer.learn(long)).toEqual(plainBytes(long));
    for (let i = 0; i < 9000; i++) writer.encode({ _id: i, [`customer ${i}`]: { amount_in_cents: i } });
    // The part that all have is learnt, though keys are forgotten again and again.
    expect(writer.structures.kept.size).toBeLessThanOrEqual(1);
  });

  it('are corrupt when nobody knows the structure, which is named', () => {
    const writer = new Writer();
    const bytes = writer.learn({ _id: 1, 'a key of many letters': 1 });
    for (let i = 1; i <= 8; i++) bytes[i] = i;
    const error = expect.objectContaining({ code: 'XX001', message: expect.stringContaining('0102030405060708') });
    expect(() => new Jsonb(bytes).value()).toThrow(error);
    expect(() => new Jsonb(bytes).field('x')).toThrow(error);
    expect(() => new DocumentDecoder().decode(bytes, 0, bytes.length)).toThrow(error);
    expect(() => selfContained(bytes)).toThrow(error);
  });

  it('are a value or corruption whatever becomes of their bytes', () => {
    const writer = new Writer();
    const decoder = new DocumentDecoder();
    const value = {
      _id: 1,
      readings_of_it: [{ latitude: 70_000, longitude: 'x' }],
      address: { street: 'long', zip: 1 },
    };
    const bytes = writer.learn(value);
    for (let i = 0; i < 50; i++) decoder.decode(bytes, 0, bytes.length);
    const fields = ['address', '_id'].map(utf8);
    for (let at = 0; at <= bytes.length; at++) {
      for (const byte of [0, 1, 0x0b, 0x12, 0x60, 0x62, 0x64, 0x7f, 0xff]) {
        const broken = at === bytes.length ? bytes.slice(0, byte % bytes.length) : bytes.slice();
        if (at < bytes.length) broken[at] = byte;
        expect(outcome(() => decoder.decode(broken, 0, broken.length))).toMatch(VALUE_OR_CORRUPTION);
        expect(outcome(() => decoder.decodeFields(broken, 0, broken.length, fields))).toMatch(VALUE_OR_CORRUPTION);
        expect(outcome(() => selfContained(broken))).toMatch(VALUE_OR_CORRUPTION);
        expect(outcome(() => new Jsonb(broken).field('address')?.field('zip')?.value())).toMatch(VALUE_OR_CORRUPTION);
      }
    }
    let deep: DocumentValue = [];
    for (let i = 0; i < 990; i++) deep = [deep];
    const nested = new ByteWriter();
    appendValue(nested, { kind: StorageKind.Jsonb }, Jsonb.ordered(deep));
    const over = nested.take();
    for (let i = 0; i < over.length; i++) if (over[i] === Tag.Array && over[i + 1] === 1) over[i] = Tag.ArrayOver;
    expect(hex(selfContained(over))).toBe(hex(Jsonb.ordered(deep).bytes));
  });
});

describe('structures', () => {
  const bytesOf = (...keys: string[]): Uint8Array => structureBytes(keys.map(keyBytes));

  it('are the same for the same keys', () => {
    const structure = defineStructure(bytesOf('one', 'two', 'é'));
    expect(structure?.names).toEqual(['one', 'two', 'é']);
    expect(defineStructure(bytesOf('one', 'two', 'é'))).toBe(structure);
    expect(defineStructure(bytesOf('two', 'one', 'é'))).not.toBe(structure);
    for (let i = 0; i < 1000; i++) expect(defineStructure(bytesOf(`key ${i}`))?.names).toEqual([`key ${i}`]);
  });

  it('are no other bytes', () => {
    const bytes = bytesOf('one', 'two');
    for (const broken of [
      [],
      [2, ...bytes.slice(1)],
      [...bytes, 0],
      bytes.slice(0, -1),
      bytesOf('one', 'one'),
      [1, 0, 0],
      bytesOf('x'.repeat(9000)),
      structureBytes(Array.from({ length: 300 }, (_, i) => keyBytes(String(i)))),
      [1, 0xff, 0xff, 0xff, 0xff, 0xff],
    ]) {
      expect(defineStructure(new Uint8Array(broken))).toBeUndefined();
    }
  });
});
