/**
 * Reads the blocks of a run: nothing is believed before its checksum, which says that it is what was written at this place
 * of this file, has been compared. What comes from the disk is read into one buffer for all, and decompressed from there.
 */
import { type Checksums, corruptionError, toHex } from '@phantom/base';
import type { VfsFile } from '@phantom/vfs';
import { type Block, takeBlock } from './block.js';
import { decompress, decompressedBytes } from './block-codec.js';
import { BLOCK_TRAILER_BYTES, blockSeed } from './format.js';

/** Where blocks are read to before they are decompressed. */
let scratch = new Uint8Array(16 * 1024);
/** A larger one is not kept. */
const SCRATCH_BYTES_MAX = 1024 * 1024;

export class BlockFile {
  private readonly file: VfsFile;
  private readonly checksums: Checksums;
  private readonly identity: number;

  constructor(file: VfsFile, checksums: Checksums, identity: number) {
    this.file = file;
    this.checksums = checksums;
    this.identity = identity;
  }

  /** A payload in bytes of its own, which the caller owns. Throws a corruption error when it is not what was written. */
  payload(offset: number, bytes: number): Uint8Array {
    const { path } = this.file;
    const stored = this.readStored(offset, bytes);
    const codec = stored[bytes] as number;
    const payload = new Uint8Array(decompressedBytes(stored, bytes, codec, path, offset));
    decompress(stored, bytes, codec, payload, payload.length, path, offset);
    return payload;
  }

  /** A block in `into`, or in one that is the caller's from now on. Throws as `payload`. */
  block(offset: number, bytes: number, into?: Block): Block {
    const { path } = this.file;
    const stored = this.readStored(offset, bytes);
    const codec = stored[bytes] as number;
    const payloadBytes = decompressedBytes(stored, bytes, codec, path, offset);
    const block = into ?? takeBlock(payloadBytes);
    decompress(stored, bytes, codec, block.room(payloadBytes), payloadBytes, path, offset);
    block.read(path, offset);
    return block;
  }

  /** Reads a payload as it is stored, its codec behind it. Borrowed until the next read. */
  private readStored(offset: number, bytes: number): Uint8Array {
    const { file, identity } = this;
    const stored = scratchOf(bytes + BLOCK_TRAILER_BYTES);
    const found = file.readAt(offset, stored);
    if (found !== stored.length) {
      throw corruptionError('a block is cut short', { file: file.path, offset, expected: stored.length, found });
    }
    const expected = this.checksums.h64(stored, 0, bytes + 1, blockSeed(identity, offset));
    if (new DataView(stored.buffer).getBigUint64(bytes + 1, true) !== expected) {
      throw corruptionError('a block has the wrong checksum', {
        file: file.path,
        offset,
        expected: expected.toString(16).padStart(16, '0'),
        found: toHex(stored.slice(bytes + 1).reverse()),
      });
    }
    return stored;
  }
}

/** So many bytes to be used until the next block is read. */
function scratchOf(bytes: number): Uint8Array {
  if (bytes > SCRATCH_BYTES_MAX) return new Uint8Array(bytes);
  if (bytes > scratch.length) scratch = new Uint8Array(Math.min(bytes * 2, SCRATCH_BYTES_MAX));
  return scratch.subarray(0, bytes);
}
