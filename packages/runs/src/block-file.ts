/**
 * Reads the blocks of a run: nothing is believed before its checksum, which says that it is what was written at this place
 * of this file, has been compared. Blocks of usual size are read to where they can be decompressed.
 */
import { type Checksums, corruptionError, toHex } from '@phantom/base';
import type { VfsFile } from '@phantom/vfs';
import { type Block, takeBlock } from './block.js';
import { decompress, decompressed, decompressedBytes } from './block-codec.js';
import { BLOCK_TRAILER_BYTES, blockSeed } from './format.js';
import { lz4Input } from './lz4-wasm.js';
import type { PassingBlock } from './passing-block.js';
import type { ReadAhead } from './read-ahead.js';

const inputView = new DataView(lz4Input.buffer, lz4Input.byteOffset, lz4Input.length);

export class BlockFile {
  private readonly file: VfsFile;
  private readonly checksums: Checksums;
  /** Of the block at 0; those of others follow. */
  private readonly seed: bigint;

  constructor(file: VfsFile, checksums: Checksums, identity: number) {
    this.file = file;
    this.checksums = checksums;
    this.seed = blockSeed(identity, 0);
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

  /** A block in `into`, or in one that is the caller's from now on; `ahead` is of who reads this file in order. Throws as `payload`. */
  block(offset: number, bytes: number, into?: Block, ahead?: ReadAhead): Block {
    const { path } = this.file;
    const stored = this.readStored(offset, bytes, ahead);
    const codec = stored[bytes] as number;
    const payloadBytes = decompressedBytes(stored, bytes, codec, path, offset);
    const block = into ?? takeBlock(payloadBytes);
    decompress(stored, bytes, codec, block.room(payloadBytes), payloadBytes, path, offset);
    block.read(path, offset);
    return block;
  }

  /** As `block`, for one lookup: nothing is kept, and the bytes stay where they came to. */
  passing(offset: number, bytes: number, into: PassingBlock): void {
    const { path } = this.file;
    const stored = this.readStored(offset, bytes);
    const codec = stored[bytes] as number;
    const payloadBytes = decompressedBytes(stored, bytes, codec, path, offset);
    into.read(decompressed(stored, bytes, codec, payloadBytes, path, offset), payloadBytes, path, offset);
  }

  /** Reads a payload as it is stored, its codec behind it. Borrowed until the next read. */
  private readStored(offset: number, bytes: number, ahead?: ReadAhead): Uint8Array {
    const { file } = this;
    const storedBytes = bytes + BLOCK_TRAILER_BYTES;
    const isUsual = storedBytes <= lz4Input.length;
    const stored = isUsual ? lz4Input : new Uint8Array(storedBytes);
    const found =
      ahead === undefined ? file.readAt(offset, stored, storedBytes) : ahead.readAt(file, offset, stored, storedBytes);
    if (found !== storedBytes) {
      throw corruptionError('a block is cut short', { file: file.path, offset, expected: storedBytes, found });
    }
    const expected = this.checksums.h64(stored, 0, bytes + 1, BigInt.asUintN(64, this.seed + BigInt(offset)));
    const view = isUsual ? inputView : new DataView(stored.buffer);
    if (view.getBigUint64(bytes + 1, true) !== expected) {
      throw corruptionError('a block has the wrong checksum', {
        file: file.path,
        offset,
        expected: expected.toString(16).padStart(16, '0'),
        found: toHex(stored.slice(bytes + 1, storedBytes).reverse()),
      });
    }
    return stored;
  }
}
