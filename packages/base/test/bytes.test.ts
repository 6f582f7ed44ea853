import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  commonPrefixBytes,
  compareBytes,
  compareKeys,
  copyBytes,
  discriminator,
  equalBytes,
  readU16,
  readU32,
  readU32BE,
  readU64,
  readVarint,
  toHex,
  varintBytes,
  writeU16,
  writeU32,
  writeU32BE,
  writeU64,
  writeVarint,
} from '../src/index.js';

const settings = { seed: 7, numRuns: 500 };
const bytes = fc.uint8Array({ maxLength: 12 });
/** Few different bytes, so that common prefixes and equal keys are frequent. */
const likeBytes = fc.array(fc.constantFrom(0, 1, 255), { maxLength: 8 }).map((values) => Uint8Array.from(values));
const anyBytes = fc.oneof(bytes, likeBytes);

/** A range somewhere inside a larger buffer. */
function inside(content: Uint8Array, before: number): { buffer: Uint8Array; start: number; end: number } {
  const buffer = new Uint8Array(content.length + before + 5).fill(0x5a);
  buffer.set(content, before);
  return { buffer, start: before, end: before + content.length };
}

const sign = (value: number): number => (value < 0 ? -1 : value > 0 ? 1 : 0);

describe('comparisons of byte ranges', () => {
  it('agree with Buffer.compare, wherever the bytes lie', () => {
    fc.assert(
      fc.property(anyBytes, anyBytes, fc.nat(9), fc.nat(9), (a, b, beforeA, beforeB) => {
        const left = inside(a, beforeA);
        const right = inside(b, beforeB);
        const found = compareBytes(left.buffer, left.start, left.end, right.buffer, right.start, right.end);
        expect(sign(found)).toBe(Buffer.compare(a, b));
        expect(sign(compareKeys(a, b))).toBe(Buffer.compare(a, b));
        const same = equalBytes(left.buffer, left.start, left.end, right.buffer, right.start, right.end);
        expect(same).toBe(Buffer.compare(a, b) === 0);
      }),
      settings,
    );
  });

  it('are total: antisymmetric and transitive', () => {
    fc.assert(
      fc.property(likeBytes, likeBytes, likeBytes, (a, b, c) => {
        expect(sign(compareKeys(a, b)) + sign(compareKeys(b, a))).toBe(0);
        const [x, y, z] = [a, b, c].sort(compareKeys) as [Uint8Array, Uint8Array, Uint8Array];
        expect(compareKeys(x, y) <= 0 && compareKeys(y, z) <= 0 && compareKeys(x, z) <= 0).toBe(true);
      }),
      settings,
    );
  });

  it('count the bytes that two ranges share', () => {
    fc.assert(
      fc.property(likeBytes, likeBytes, fc.nat(9), (a, b, before) => {
        const left = inside(a, before);
        const shared = commonPrefixBytes(left.buffer, left.start, left.end, b, 0, b.length);
        expect(a.slice(0, shared)).toEqual(b.slice(0, shared));
        expect(shared === a.length || shared === b.length || a[shared] !== b[shared]).toBe(true);
      }),
      settings,
    );
  });

  it('have a discriminator that never contradicts them', () => {
    fc.assert(
      fc.property(anyBytes, anyBytes, fc.nat(9), (a, b, before) => {
        const left = inside(a, before);
        const x = discriminator(left.buffer, left.start, left.end);
        const y = discriminator(b, 0, b.length);
        expect(x >= 0 && x <= 0xffff_ffff).toBe(true);
        const order = sign(compareKeys(a, b));
        expect(x === y || sign(x - y) === order).toBe(true);
      }),
      settings,
    );
    expect(discriminator(Uint8Array.of(1, 2, 3, 4, 5), 0, 5)).toBe(0x01020304);
    expect(discriminator(Uint8Array.of(0xff, 2, 3, 4, 5), 0, 2)).toBe(0xff020000);
    expect(discriminator(Uint8Array.of(1), 1, 1)).toBe(0);
  });
});

describe('copyBytes', () => {
  it.each([0, 1, 47, 48, 49, 300])('copies %i bytes and nothing else', (count) => {
    const source = Uint8Array.from({ length: count + 4 }, (_, i) => i + 1);
    const target = new Uint8Array(count + 6);
    expect(copyBytes(source, 2, 2 + count, target, 3)).toBe(3 + count);
    expect(target.slice(3, 3 + count)).toEqual(source.slice(2, 2 + count));
    expect([target[0], target[2], target[3 + count]]).toEqual([0, 0, 0]);
  });
});

describe('integers in bytes', () => {
  it('come back as they were written', () => {
    const buffer = new Uint8Array(20).fill(0x77);
    const view = new DataView(buffer.buffer);
    fc.assert(
      fc.property(fc.nat(0xffff), fc.nat({ max: 0xffff_ffff }), fc.maxSafeNat(), fc.nat(9), (u16, u32, u64, at) => {
        writeU16(buffer, at, u16);
        expect([readU16(buffer, at), view.getUint16(at, true)]).toEqual([u16, u16]);
        writeU32(buffer, at, u32);
        expect([readU32(buffer, at), view.getUint32(at, true)]).toEqual([u32, u32]);
        writeU32BE(buffer, at, u32);
        expect([readU32BE(buffer, at), view.getUint32(at)]).toEqual([u32, u32]);
        writeU64(buffer, at, u64);
        expect([readU64(buffer, at), view.getBigUint64(at, true)]).toEqual([u64, BigInt(u64)]);
      }),
      settings,
    );
  });

  it('are not a number beyond 2^53', () => {
    const buffer = new Uint8Array(8);
    new DataView(buffer.buffer).setBigUint64(0, 2n ** 53n, true);
    expect(readU64(buffer, 0)).toBeNaN();
    new DataView(buffer.buffer).setBigUint64(0, 2n ** 53n - 1n, true);
    expect(readU64(buffer, 0)).toBe(Number.MAX_SAFE_INTEGER);
  });
});

describe('variable-length integers', () => {
  const number = fc.oneof(
    fc.maxSafeNat(),
    fc.nat(300),
    fc.integer({ min: 0, max: 53 }).map((bits) => 2 ** bits - 1),
  );

  it('take as many bytes as they say and come back', () => {
    const buffer = new Uint8Array(16);
    fc.assert(
      fc.property(number, fc.nat(7), (value, at) => {
        const end = writeVarint(buffer, at, value);
        expect(end - at).toBe(varintBytes(value));
        expect(readVarint(buffer, at, end)).toBe(value);
        expect(readVarint(buffer, at, end - 1)).toBeNaN();
      }),
      settings,
    );
    expect(varintBytes(0)).toBe(1);
    expect(varintBytes(Number.MAX_SAFE_INTEGER)).toBe(8);
  });

  it.each([
    ['a value beyond 2^53', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]],
    ['more than eight bytes', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]],
    ['a longer form than needed', [0x84, 0x00]],
    ['nothing at all', []],
  ])('are not a number for %s', (_name, values) => {
    expect(readVarint(Uint8Array.from(values), 0, values.length)).toBeNaN();
  });
});

describe('toHex', () => {
  it('shows a range as lower-case text', () => {
    expect(toHex(Uint8Array.of(0, 0x0f, 0xa0, 0xff))).toBe('000fa0ff');
    expect(toHex(Uint8Array.of(0, 0x0f, 0xa0, 0xff), 1, 3)).toBe('0fa0');
  });
});
