/** The format as docs/formats/run.md draws it: a reader that knows nothing else reads what is written. */
import { type Checksums, Random, loadChecksums, toHex } from '@phantom/base';
import { MemoryVfs } from '@phantom/vfs/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { readRun } from './format-reader.js';
import { type ModelVersion, sortVersions, writeModel } from './run-model.js';

let checksums: Checksums;
beforeAll(async () => {
  checksums = await loadChecksums();
});
const hash = (bytes: Uint8Array, seed: bigint): bigint => checksums.h64(bytes, 0, bytes.length, seed);

describe('the format of a run', () => {
  it('can be read by the page that draws it', () => {
    const random = new Random(7);
    const list: ModelVersion[] = [];
    for (let i = 0; i < 9000; i++) {
      const key = Uint8Array.from({ length: 4 + random.below(10) }, () => random.below(3) * 100);
      list.push({
        key,
        seq: 1000 + random.below(50),
        value: random.chance(0.2) ? undefined : random.bytes(random.below(40)),
      });
    }
    const versions = sortVersions(list);
    const tombstones = [
      { lower: Uint8Array.of(100), upper: Uint8Array.of(100, 200), seq: 1049 },
      { lower: Uint8Array.of(100), upper: Uint8Array.of(200), seq: 1003 },
    ];
    const vfs = new MemoryVfs({ losesPower: false });
    const writer = { blockBytes: 60, seqBase: 1000 };
    const run = writeModel(versions, tombstones, { checksums, vfs, path: 'a', writer });
    expect(run.partitionCount).toBeGreaterThan(1);
    const text = (bytes: Uint8Array): string => toHex(bytes);
    expect(readRun(vfs.readFile('a'), hash)).toEqual({
      identity: run.identity,
      versions: versions.map(({ key, seq, value }) => ({
        key: text(key),
        seq,
        value: value === undefined ? undefined : text(value),
      })),
      tombstones: tombstones.map(({ lower, upper, seq }) => ({ lower: text(lower), upper: text(upper), seq })),
      removals: versions.filter(({ value }) => value === undefined).length,
      seqMin: 1000,
      seqMax: 1049,
      smallest: text((versions[0] as ModelVersion).key),
      largest: text((versions.at(-1) as ModelVersion).key),
      filtersHold: true,
    });
    run.release();
  });

  it('can be read by it when blocks are compressed', () => {
    const random = new Random(8);
    const text = (bytes: Uint8Array): string => toHex(bytes);
    const list = Array.from({ length: 3000 }, (_, i): ModelVersion => {
      const value = Buffer.from(`value ${i % 50} `.repeat(random.below(60)));
      return {
        key: Uint8Array.of(i >> 8, i & 255),
        seq: 5,
        value: i % 3 === 0 ? random.bytes(300) : new Uint8Array(value),
      };
    });
    for (const compression of ['lz4', 'deflate'] as const) {
      const vfs = new MemoryVfs({ losesPower: false });
      const run = writeModel(list, [], { checksums, vfs, path: 'a', writer: { compression, blockBytes: 4096 } });
      run.release();
      expect(readRun(vfs.readFile('a'), hash).versions).toEqual(
        list.map(({ key, seq, value }) => ({ key: text(key), seq, value: text(value as Uint8Array) })),
      );
    }
  });

  it('looks as the example says', () => {
    const vfs = new MemoryVfs({ losesPower: false });
    const ascii = (letters: string): Uint8Array => new TextEncoder().encode(letters);
    const list = [
      { key: ascii('ab'), seq: 103, value: ascii('x') },
      { key: ascii('ab'), seq: 101, value: ascii('y') },
      { key: ascii('ac'), seq: 102, value: undefined },
    ];
    writeModel(list, [], { checksums, vfs, path: 'a', writer: { identity: 7, seqBase: 100 } }).release();
    const file = vfs.readFile('a');
    const block = '00020601616278 0200020179 01010563 00000000 0100000003000000 00'.replaceAll(' ', '');
    expect(toHex(file, 32, 61)).toBe(block);
    const stored = new DataView(file.buffer, file.byteOffset).getBigUint64(61, true);
    expect(stored).toBe(hash(file.slice(32, 61), ((7n * 0x9e3779b97f4a7c15n) % 2n ** 64n) + 32n));
  });
});
