/** What lies behind 4 GiB of a file, where numbers have two halves. */
import { type Checksums, loadChecksums } from '@phantom/base';
import type { VfsFile } from '@phantom/vfs';
import { beforeAll, describe, expect, it } from 'vitest';
import { BlockFile } from '../src/block-file.js';
import { blockSeed } from '../src/format.js';
import { PartitionIndex } from '../src/partition-index.js';

let checksums: Checksums;
beforeAll(async () => {
  checksums = await loadChecksums();
});

const OFFSETS = [0, 32, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 7, 2 ** 45 + 2 ** 31 + 3, 2 ** 52 - 1];

/** A file that has these bytes at every offset. */
function fileOf(bytes: Uint8Array): VfsFile {
  const readAt = (_: number, into: Uint8Array): number => {
    into.set(bytes);
    return bytes.length;
  };
  return { path: 'a', readAt } as unknown as VfsFile;
}

describe('a large file', () => {
  it('has blocks that prove where they lie, of every length', () => {
    for (const offset of OFFSETS) {
      for (const identity of [1, 2 ** 31 + 1, 2 ** 53 - 1]) {
        for (const bytes of [0, 1, 3, 4, 7, 8, 12, 31, 32, 33, 63, 64, 100, 4000]) {
          const stored = new Uint8Array(bytes + 9).map((_, i) => (i * 151 + offset) & 0xff);
          stored[bytes] = 0;
          const hash = checksums.h64(stored, 0, bytes + 1, blockSeed(identity, offset));
          new DataView(stored.buffer).setBigUint64(bytes + 1, hash, true);
          const file = new BlockFile(fileOf(stored), checksums, identity);
          expect(file.payload(offset, bytes)).toEqual(stored.slice(0, bytes));
          const elsewhere = offset === 0 ? 2 ** 32 : offset - 1;
          expect(() => file.payload(elsewhere, bytes)).toThrow('checksum');
        }
      }
    }
  });

  it('has blocks that are found again', () => {
    const index = new PartitionIndex({ index: undefined }, OFFSETS.length);
    OFFSETS.forEach((offset, i) => index.place(i, offset, 100 + i));
    expect(OFFSETS.map((_, i) => index.offset(i))).toEqual(OFFSETS);
    expect(OFFSETS.map((_, i) => index.bytes(i))).toEqual(OFFSETS.map((_, i) => 100 + i));
  });
});
