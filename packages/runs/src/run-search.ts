/**
 * The blocks of a run whose metadata is lost, found one behind the other: nothing says where a block ends, but its checksum, which is
 * seeded with its place, holds for one length only. So each length is tried, where the byte in front of the sum may be a codec; of a
 * block of 4 KiB that takes a fraction of a millisecond. What a block is, its content tells:
 *
 *   filter   as long as its number of lines says
 *   index    its first entry names the first data block of the partition
 *   data     any other
 *
 * Behind a block that cannot be read the next one is looked for at every place, among short ones, and not for ever.
 */
import { ByteReader, type Checksums, isPhantomError, readU32 } from '@phantom/base';
import type { VfsFile } from '@phantom/vfs';
import { Block } from './block.js';
import { decompress, decompressedBytes } from './block-codec.js';
import { BlockInterval } from './block-interval.js';
import { isFilter } from './filter.js';
import { BLOCK_TRAILER_BYTES, BlockCodec, RUN_FOOTER_BYTES, RUN_HEADER_BYTES, blockSeed } from './format.js';

/** The longest block that is found where one must begin, and where one may. */
const BYTES_MAX = 64 * 1024;
const SOUGHT_BYTES_MAX = 8 * 1024;
/** So far behind a lost block the next one is looked for. */
const SOUGHT_PLACES_MAX = 8 * 1024;

/** A data block; or, without one, a place at which something could not be read. */
export interface FoundBlock {
  readonly offset: number;
  readonly block: Block | undefined;
}

/** The data blocks of a file, in order. */
export function* findBlocks(file: VfsFile, checksums: Checksums, identity: number): Generator<FoundBlock, void, void> {
  const end = file.size() - RUN_FOOTER_BYTES;
  const window = new Uint8Array(BYTES_MAX + BLOCK_TRAILER_BYTES);
  /** Where the partition at hand begins. */
  let partition = RUN_HEADER_BYTES;
  let isBehindFilter = false;
  for (let offset = RUN_HEADER_BYTES; offset < end;) {
    let bytes = payloadAt(file, checksums, identity, offset, window, BYTES_MAX);
    if (bytes === undefined) {
      let next = offset + 1;
      const sought = Math.min(end, offset + SOUGHT_PLACES_MAX);
      while (next < sought && bytes === undefined) {
        bytes = payloadAt(file, checksums, identity, next, window, SOUGHT_BYTES_MAX);
        if (bytes === undefined) next++;
      }
      // Behind the last filter nothing is left but the metadata.
      const isEnd = bytes === undefined && isBehindFilter && end - offset <= BYTES_MAX;
      if (!isEnd) yield { offset, block: undefined };
      if (bytes === undefined) return;
      offset = next;
    }
    const payload = unpacked(window, bytes, file.path, offset);
    isBehindFilter = payload !== undefined && isFilter(payload, payload.length);
    const next = offset + bytes + BLOCK_TRAILER_BYTES;
    if (isBehindFilter) {
      partition = next;
    } else {
      const block = payload === undefined ? undefined : blockOf(payload, file.path, offset);
      if (block === undefined) yield { offset, block: undefined };
      else if (!isIndexOf(block, partition)) yield { offset, block };
    }
    offset = next;
  }
}

/** Bytes of the payload of the block that begins at an offset; it lies at the beginning of the window then. */
function payloadAt(
  file: VfsFile,
  checksums: Checksums,
  identity: number,
  offset: number,
  window: Uint8Array,
  bytesMax: number,
): number | undefined {
  const seed = blockSeed(identity, offset);
  const count = file.readAt(offset, window, bytesMax + BLOCK_TRAILER_BYTES);
  for (let bytes = 1; bytes + BLOCK_TRAILER_BYTES <= count; bytes++) {
    if ((window[bytes] as number) > BlockCodec.Lz4) continue;
    const sum = checksums.h64(window, 0, bytes + 1, seed);
    const isSum = readU32(window, bytes + 1) === Number(sum & 0xffffffffn);
    if (isSum && readU32(window, bytes + 5) === Number(sum >> 32n)) return bytes;
  }
  return undefined;
}

function unpacked(window: Uint8Array, bytes: number, path: string, offset: number): Uint8Array | undefined {
  const codec = window[bytes] as number;
  try {
    const payload = new Uint8Array(decompressedBytes(window, bytes, codec, path, offset));
    decompress(window, bytes, codec, payload, payload.length, path, offset);
    return payload;
  } catch (error) {
    if (!isPhantomError(error)) throw error;
    return undefined;
  }
}

function blockOf(payload: Uint8Array, path: string, offset: number): Block | undefined {
  const block = new Block();
  block.room(payload.length).set(payload);
  try {
    block.read(path, offset);
    return block;
  } catch (error) {
    if (!isPhantomError(error)) throw error;
    return undefined;
  }
}

/** Whether the first entry names a data block at a place. */
function isIndexOf(block: Block, partition: number): boolean {
  const interval = new BlockInterval();
  interval.decode(block, 0, Number.MAX_SAFE_INTEGER, true);
  const start = interval.valueStarts[0] as number;
  const end = interval.valueEnds[0] as number;
  if (interval.count === 0 || interval.removed[0] === 1 || interval.seqs[0] !== 0 || start === end) return false;
  const handle = new ByteReader(block.payload, block.path, start, end);
  try {
    return handle.varint() === partition && handle.varint() > 0 && handle.varint() > 0 && handle.remaining === 0;
  } catch (error) {
    if (!isPhantomError(error)) throw error;
    return false;
  }
}
