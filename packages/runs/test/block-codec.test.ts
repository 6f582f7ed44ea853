/** Compressed blocks: what goes in comes out, anything else is corruption, and a run with them reads like one without. */
import { type Checksums, Random, isPhantomError, loadChecksums, writeVarint } from '@phantom/base';
import { MemoryVfs } from '@phantom/vfs/testing';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { BlockCompressor, type Compression, decompress, decompressedBytes } from '../src/block-codec.js';
import { Lz4Encoder, decodeLz4, lz4BytesMax } from '../src/lz4.js';
import { decodeInput, encodeWithInput, lz4Input, lz4Output } from '../src/lz4-wasm.js';
import { type ModelVersion, getFrom, sortVersions, writeModel } from './run-model.js';

let checksums: Checksums;
beforeAll(async () => {
  checksums = await loadChecksums();
});

/** Bytes with repetitions near and far, in pieces of noise. */
const compressible = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc
        .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 700 }))
        .map(([byte, n]) => new Uint8Array(n).fill(byte)),
      fc
        .constantFrom('name=', 'a longer text that comes again and again;', '0123456789abcdef')
        .map((text) => Buffer.from(text)),
    ),
    { maxLength: 60 },
  )
  .map((parts) => Uint8Array.from(Buffer.concat(parts)));

function encode(encoder: Lz4Encoder, bytes: Uint8Array): Uint8Array {
  const around = new Uint8Array(bytes.length + 7);
  around.set(bytes, 3);
  const target = new Uint8Array(lz4BytesMax(bytes.length) + 5);
  const end = encoder.encode(around, 3, 3 + bytes.length, target, 5);
  return target.slice(5, end);
}

/** The same bytes where blocks of usual size are read to. */
function inInput(stored: Uint8Array): Uint8Array {
  lz4Input.set(stored);
  return lz4Input;
}

/** The payload that was stored like this. */
function payloadOf(stored: Uint8Array, codec: number): Uint8Array {
  const bytes = decompressedBytes(stored, stored.length, codec, 'file', 7);
  const payloads = [stored, inInput(stored)].map((from) => {
    const target = new Uint8Array(bytes + 1).fill(0xee);
    decompress(from, stored.length, codec, target, bytes, 'file', 7);
    expect(target[bytes]).toBe(0xee);
    return target.subarray(0, bytes);
  });
  expect(payloads[1]).toEqual(payloads[0]);
  return payloads[0] as Uint8Array;
}

describe('LZ4', () => {
  const encoder = new Lz4Encoder();

  it('gives back what it was given', () => {
    fc.assert(
      fc.property(compressible, (bytes) => {
        const encoded = encode(encoder, bytes);
        const decoded = new Uint8Array(bytes.length);
        expect(encoded.length).toBeLessThanOrEqual(lz4BytesMax(bytes.length));
        expect(decodeLz4(encoded, 0, encoded.length, decoded, decoded.length)).toBe(true);
        expect(decoded).toEqual(bytes);
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  it('knows lengths beyond the token, matches far away, and noise', () => {
    const random = new Random(7);
    const noise = random.bytes(70_000);
    const far = Uint8Array.from(
      Buffer.concat([noise.subarray(0, 500), noise.subarray(1000, 66_000), noise.subarray(0, 500)]),
    );
    const wholes = [
      noise,
      far,
      new Uint8Array(100_000),
      Uint8Array.from(Buffer.concat([noise, noise.subarray(30_000)])),
    ];
    for (const bytes of wholes) {
      const encoded = encode(encoder, bytes);
      const decoded = new Uint8Array(bytes.length);
      expect(decodeLz4(encoded, 0, encoded.length, decoded, decoded.length)).toBe(true);
      expect(Buffer.compare(decoded, bytes)).toBe(0);
    }
    expect(encode(encoder, new Uint8Array(100_000)).length).toBeLessThan(450);
    expect(encode(encoder, wholes[3] as Uint8Array).length).toBeLessThan(75_000);
  });

  it('decodes a block written by hand from the format', () => {
    const block = Uint8Array.of(0x35, 1, 2, 3, 3, 0, 0x10, 9);
    const decoded = new Uint8Array(13);
    expect(decodeLz4(block, 0, block.length, decoded, decoded.length)).toBe(true);
    expect([...decoded]).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 9]);
  });

  it('refuses any other bytes and writes nowhere else', () => {
    const sample = encode(
      encoder,
      Uint8Array.from(Buffer.from('abcabcabcabcabcabcabcabcabcabc, and so on and so on and so on')),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 80 }),
          fc.tuple(fc.nat(sample.length - 1), fc.nat(255)).map(([at, byte]) => sample.with(at, byte)),
          fc.nat(sample.length - 1).map((bytes) => sample.slice(0, bytes)),
        ),
        fc.integer({ min: 0, max: 300 }),
        (bytes, targetBytes) => {
          const around = new Uint8Array(targetBytes + 4).fill(0xee);
          decodeLz4(bytes, 0, bytes.length, around.subarray(1, targetBytes + 3), targetBytes);
          expect([around[0], ...around.subarray(targetBytes + 1)]).toEqual([0xee, 0xee, 0xee, 0xee]);
        },
      ),
      { numRuns: 3000, seed: 3 },
    );
    const target = new Uint8Array(20);
    for (const block of [
      [],
      [0xf0],
      [0xf0, 255],
      [0x10],
      [0x1f, 1, 1, 0, 255],
      [0x14, 1, 1],
      [0x14, 1, 0, 0],
      [0x14, 1, 2, 0],
    ]) {
      expect(decodeLz4(Uint8Array.from(block), 0, block.length, target, target.length)).toBe(false);
    }
  });

  it('clears its table before places in it overflow', () => {
    const bytes = Uint8Array.from(Buffer.from('again and again and again and again and again'));
    const worn = new Lz4Encoder();
    (worn as unknown as { base: number }).base = 0x4000_0000 - 20;
    expect(encode(worn, bytes)).toEqual(encode(new Lz4Encoder(), bytes));
    expect(encode(worn, bytes)).toEqual(encode(new Lz4Encoder(), bytes));
  });
});

/** What the WebAssembly decoder makes of a block; undefined when it refuses it. */
function decodeFast(block: Uint8Array, bytes: number): Uint8Array | undefined {
  lz4Input.fill(0xee);
  lz4Input.set(block, 3);
  return decodeInput(3, 3 + block.length, bytes) ? lz4Output.slice(0, bytes) : undefined;
}

describe('LZ4 in WebAssembly', () => {
  const encoder = new Lz4Encoder();

  it('writes what both decoders read, and reads what both encoders write', () => {
    const random = new Random(5);
    const noise = random.bytes(65_535);
    const repeated = Buffer.concat([noise.subarray(0, 30_000), noise.subarray(0, 30_000)]);
    const check = (bytes: Uint8Array): void => {
      const encoded = encodeWithInput(bytes).slice();
      expect(encoded.length).toBeLessThanOrEqual(lz4BytesMax(bytes.length));
      const decoded = new Uint8Array(bytes.length);
      expect(decodeLz4(encoded, 0, encoded.length, decoded, decoded.length)).toBe(true);
      expect(Buffer.compare(decoded, bytes)).toBe(0);
      for (const block of [encoded, encode(encoder, bytes)]) {
        // Noise has grown: who reads such blocks takes the other way.
        if (block.length + 3 > lz4Input.length) continue;
        expect(Buffer.compare(decodeFast(block, bytes.length) as Uint8Array, bytes)).toBe(0);
      }
    };
    for (const bytes of [noise, noise.subarray(0, 60_000), repeated, new Uint8Array(65_535)]) check(bytes);
    for (let bytes = 0; bytes < 40; bytes++) check(new Uint8Array(bytes));
    expect(encodeWithInput(repeated).length).toBeLessThan(31_000);
    fc.assert(fc.property(compressible, check), { numRuns: 200, seed: 6 });
  });

  it('refuses what the other decoder refuses', () => {
    const sample = encode(
      encoder,
      Uint8Array.from(Buffer.from('abcabcabcabcabcabcabcabc, and so on and so on and so on')),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 80 }),
          fc.tuple(fc.nat(sample.length - 1), fc.nat(255)).map(([at, byte]) => sample.with(at, byte)),
          fc.nat(sample.length - 1).map((bytes) => sample.slice(0, bytes)),
        ),
        fc.oneof(fc.integer({ min: 0, max: 300 }), fc.constant(55)),
        (bytes, targetBytes) => {
          const target = new Uint8Array(targetBytes);
          const isWhole = decodeLz4(bytes, 0, bytes.length, target, targetBytes);
          expect(decodeFast(bytes, targetBytes)).toEqual(isWhole ? target : undefined);
        },
      ),
      { numRuns: 3000, seed: 7 },
    );
  });
});

describe('compressed payloads', () => {
  const all: readonly Compression[] = ['none', 'lz4', 'deflate'];

  it('come back as they were, and are stored as they are when that saves nothing', () => {
    for (const compression of all) {
      const compressor = new BlockCompressor(compression);
      fc.assert(
        fc.property(compressible, (payload) => {
          const stored = compressor.compress(payload).slice();
          expect(stored.length).toBeLessThanOrEqual(payload.length);
          expect(payloadOf(stored, compressor.codec)).toEqual(payload);
        }),
        { numRuns: 40, seed: 4 },
      );
      const noise = new Random(1).bytes(3000);
      expect(compressor.compress(noise)).toBe(noise);
      expect(compressor.codec).toBe(0);
      const zeros = new Uint8Array(3000);
      expect(compressor.compress(zeros).length < 100).toBe(compression !== 'none');
    }
  });

  it('are a corruption error when they are something else', () => {
    const lying = new Uint8Array(20);
    writeVarint(lying, 0, 1e15);
    const short = new BlockCompressor('deflate').compress(new Uint8Array(1000)).slice();
    writeVarint(short, 0, 1001);
    for (const codec of [1, 2]) {
      for (const stored of [new Uint8Array(0), lying, short, Uint8Array.of(5, 1, 2, 3), Uint8Array.of(0, 0xff)]) {
        expect(() => payloadOf(stored, codec)).toThrow('a compressed block is malformed in file at offset 7');
      }
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 60 }), (stored) => {
          try {
            payloadOf(stored, codec);
          } catch (error) {
            if (!isPhantomError(error) || error.code !== 'XX001') throw error;
          }
        }),
        { numRuns: 1000, seed: codec },
      );
    }
    expect(() => payloadOf(lying, 3)).toThrow('block codec 3');
  });

  it('make a run smaller and leave what it answers alone', () => {
    const list = sortVersions(
      Array.from({ length: 800 }, (_, i): ModelVersion => ({
        key: Buffer.from(`key ${String(i).padStart(9, '0')}`),
        seq: 1 + (i % 5),
        value: i % 7 === 0 ? undefined : Buffer.from(`value of ${i} `.repeat(5)),
      })),
    );
    const sizes = all.map((compression) => {
      const vfs = new MemoryVfs({ losesPower: false });
      const run = writeModel(list, [], { checksums, vfs, path: 'a', writer: { compression } });
      for (const { key, value } of list)
        expect(getFrom(run, key, 9).value).toEqual(value === undefined ? undefined : Uint8Array.from(value));
      expect([...run.check()]).toEqual([]);
      run.release();
      return run.bytes;
    });
    expect(sizes[1]).toBeLessThan((sizes[0] as number) / 2);
    expect(sizes[2]).toBeLessThan(sizes[1] as number);
  });
});
