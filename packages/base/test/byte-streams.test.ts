import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AssertionError, ByteReader, ByteWriter, SpareMemory, isPhantomError } from '../src/index.js';

type Item =
  | { kind: 'u8' | 'u16' | 'u32' | 'u32BE' | 'u64' | 'varint'; value: number }
  | { kind: 'bytes'; value: Uint8Array }
  | { kind: 'lengthPrefixed'; value: Uint8Array }
  | { kind: 'text'; value: string };

const item: fc.Arbitrary<Item> = fc.oneof(
  fc.nat(0xff).map((value): Item => ({ kind: 'u8', value })),
  fc.nat(0xffff).map((value): Item => ({ kind: 'u16', value })),
  fc.nat(0xffff_ffff).map((value): Item => ({ kind: 'u32', value })),
  fc.nat(0xffff_ffff).map((value): Item => ({ kind: 'u32BE', value })),
  fc.maxSafeNat().map((value): Item => ({ kind: 'u64', value })),
  fc.maxSafeNat().map((value): Item => ({ kind: 'varint', value })),
  fc.uint8Array({ maxLength: 100 }).map((value): Item => ({ kind: 'bytes', value })),
  fc.uint8Array({ maxLength: 100 }).map((value): Item => ({ kind: 'lengthPrefixed', value })),
  fc.string({ unit: 'grapheme', maxLength: 20 }).map((value): Item => ({ kind: 'text', value })),
);

function write(writer: ByteWriter, item: Item): void {
  if (item.kind === 'text') writer.text(item.value);
  else if (item.kind === 'bytes') writer.bytes(item.value);
  else if (item.kind === 'lengthPrefixed') writer.lengthPrefixed(item.value);
  else writer[item.kind](item.value);
}

function read(reader: ByteReader, { kind, value }: Item): unknown {
  return kind === 'bytes' ? reader.take(value.length) : reader[kind]();
}

/** What reading ends in: a value, or the code of the error. */
function outcome(body: () => unknown): unknown {
  try {
    return { value: body() };
  } catch (error) {
    return isPhantomError(error) ? error.code : error;
  }
}

describe('ByteWriter and ByteReader', () => {
  it('give back what was put in', () => {
    const writer = new ByteWriter();
    fc.assert(
      fc.property(fc.array(item, { maxLength: 30 }), fc.nat(5), (items, before) => {
        writer.reset();
        writer.bytes(new Uint8Array(before));
        for (const one of items) write(writer, one);
        expect(writer.view()).toEqual(writer.take());
        const padded = Uint8Array.of(...writer.view(), 9, 9);
        const reader = new ByteReader(padded, 'test', before, padded.length - 2);
        for (const one of items) expect(read(reader, one)).toEqual(one.value);
        expect(reader.remaining).toBe(0);
        expect(outcome(() => reader.u8())).toBe('XX001');
      }),
      { seed: 5, numRuns: 300 },
    );
  });

  it('reserve room without moving on', () => {
    const writer = new ByteWriter(8);
    expect(writer.reserve(1000)).toBe(0);
    expect(writer.buffer.length).toBeGreaterThanOrEqual(1000);
    expect(writer.length).toBe(0);
    writer.bytes(Uint8Array.of(1, 2, 3, 4), 1, 3);
    writer.lengthPrefixed(Uint8Array.of(1, 2, 3, 4), 2);
    expect([...writer.view()]).toEqual([2, 3, 2, 3, 4]);
  });

  it('grow by four while they are large, and by two when they are huge', () => {
    const MIB = 1024 * 1024;
    const grownFrom = (bytes: number): number => {
      const writer = new ByteWriter(bytes);
      writer.reserve(bytes + 1);
      return writer.buffer.length;
    };
    expect(grownFrom(1000)).toBe(2000);
    expect(grownFrom(2 * MIB)).toBe(8 * MIB);
    expect(grownFrom(16 * MIB)).toBe(32 * MIB);
  });

  it('grow into memory that is spare where it is large enough, the larger of two that were given back', () => {
    const KIB = 1024;
    const spare = new SpareMemory();
    const [small, large] = [new Uint8Array(200 * KIB), new Uint8Array(300 * KIB)];
    for (const memory of [small, large, small, new Uint8Array(KIB)]) spare.giveBack(memory);
    const writer = new ByteWriter(KIB, spare);
    writer.bytes(Uint8Array.of(1, 2, 3));
    writer.reserve(100 * KIB);
    expect(writer.buffer.length).toBe(100 * KIB + 3);
    writer.reserve(150 * KIB);
    expect(writer.buffer).toBe(large);
    expect([...writer.view()]).toEqual([1, 2, 3]);
    expect(spare.take(200 * KIB)).toBeUndefined();
    spare.giveBack(small);
    expect(spare.take(201 * KIB)).toBeUndefined();
    expect(spare.take(200 * KIB)).toBe(small);
  });

  it('hold no number that is not a safe integer', () => {
    const writer = new ByteWriter();
    for (const value of [-1, 0.5, 2 ** 53, Number.NaN]) {
      expect(() => writer.u64(value)).toThrow(AssertionError);
      expect(() => writer.varint(value)).toThrow(AssertionError);
    }
  });

  it('name their source and the place where the bytes are wrong', () => {
    const reader = new ByteReader(Uint8Array.of(1, 2, 3), 'a file');
    reader.u8();
    expect(() => reader.u32()).toThrow('the bytes end 2 short of a value in a file at offset 1');
    expect(reader.offset).toBe(1);
    reader.setBuffer(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0x20, 0), 'another file');
    expect(() => reader.u64()).toThrow('an integer is beyond 2^53 in another file at offset 0');
    reader.setBuffer(Uint8Array.of(2, 0xff, 0xfe), 'text');
    expect(() => reader.text()).toThrow('a text is not UTF-8 in text at offset 0');
  });

  it.each([
    ['too long', [0x80, 0]],
    ['without an end', [0xff, 0xff]],
    ['past eight bytes', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]],
    ['beyond 2^53', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]],
  ])('refuse a variable-length integer written %s', (_name, values) => {
    expect(outcome(() => new ByteReader(Uint8Array.from(values), 'test').varint())).toBe('XX001');
  });

  it('end in a value or a corruption error whatever they read', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 30 }), fc.array(item, { maxLength: 8 }), (noise, items) => {
        const reader = new ByteReader(noise, 'noise');
        for (const one of items) {
          const found = outcome(() => read(reader, one));
          expect(found === 'XX001' || (typeof found === 'object' && !(found instanceof Error))).toBe(true);
          expect(reader.offset).toBeLessThanOrEqual(noise.length);
        }
      }),
      { seed: 6, numRuns: 500 },
    );
  });
});
