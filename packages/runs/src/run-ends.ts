/**
 * What proves that a file is the run that somebody means: header, metadata and footer (format.ts draws them).
 *
 *   | header |  blocks, filters, indexes ...  | metadata | footer |
 *                                        └──── tail, one read ────┘
 *
 * Opening a store reads these of every run, so they come in two reads: the header, and a tail that is as long as the
 * metadata of most runs. Longer metadata is read once more, whole.
 */
import {
  ByteReader,
  type Checksums,
  corruptionError,
  equalBytes,
  readU16,
  readU32,
  readU64,
  toHex,
  unsupportedError,
} from '@phantom/base';
import type { Seq } from '@phantom/kv';
import type { VfsFile } from '@phantom/vfs';
import {
  METADATA_BYTES_MAX,
  RUN_END_MAGIC,
  RUN_FOOTER_BYTES,
  RUN_FORMAT,
  RUN_HEADER_BYTES,
  RUN_MAGIC,
  blockSeed,
} from './format.js';

const TAIL_BYTES = 4096;
/** Of the footer, by the checksum over the metadata in front of it. */
const FOOTER_COVERED_BYTES = 32;

/** What the file must be, by whoever recorded it. */
export interface RecordedRun {
  readonly path: string;
  readonly checksums: Checksums;
  readonly bytes?: number;
  readonly identity?: number;
}

export interface RunEnds {
  readonly bytes: number;
  readonly identity: number;
  /** The header's. */
  readonly seqBase: Seq;
  /** At the beginning of the metadata. */
  readonly metadata: ByteReader;
}

/** Reads and proves them. XX001 (file, offset, expected, found) for another run or a damaged one, 0A000 for a newer format. */
export function readRunEnds(
  file: Pick<VfsFile, 'size' | 'readAt'>,
  { path, checksums, ...recorded }: RecordedRun,
): RunEnds {
  const corrupt = (message: string, offset: number, expected?: unknown, found?: unknown): Error =>
    corruptionError(message, { file: path, offset, expected, found });
  const prove = (covered: Uint8Array, seed: bigint, stored: Uint8Array, at: number, offset: number): void => {
    const expected = checksums.h64(covered, 0, covered.length, seed);
    const low = Number(expected & 0xffffffffn);
    if (readU32(stored, at) === low && readU32(stored, at + 4) === Number(expected >> 32n)) return;
    const found = toHex(stored.slice(at, at + 8).reverse());
    throw corrupt('a run has the wrong checksum', offset, expected.toString(16).padStart(16, '0'), found);
  };

  const bytes = file.size();
  if (recorded.bytes !== undefined && recorded.bytes !== bytes)
    throw corrupt('a run has the wrong size', 0, recorded.bytes, bytes);
  const footerAt = bytes - RUN_FOOTER_BYTES;
  if (footerAt < RUN_HEADER_BYTES) throw corrupt('a run is cut short', 0, RUN_HEADER_BYTES + RUN_FOOTER_BYTES, bytes);
  const tail = new Uint8Array(Math.min(bytes, TAIL_BYTES));
  const tailAt = bytes - tail.length;
  file.readAt(tailAt, tail);

  const footer = tail.subarray(footerAt - tailAt);
  if (!equalBytes(footer, 40, 48, RUN_END_MAGIC, 0, 8)) throw corrupt('a run has no footer', footerAt + 40);
  const identity = readU64(footer, 16);
  // Also where nobody has recorded which run it is: no run has such a number.
  if (Number.isNaN(identity) || (recorded.identity !== undefined && recorded.identity !== identity))
    throw corrupt('a run is another one', footerAt + 16, recorded.identity ?? 'a number', identity);

  const header = new Uint8Array(RUN_HEADER_BYTES);
  file.readAt(0, header);
  if (!equalBytes(header, 0, 8, RUN_MAGIC, 0, 8)) throw corrupt('a run has no header', 0);
  prove(header, blockSeed(identity, 0), footer, 24, 0);

  const at = readU64(footer, 0);
  const metadataBytes = readU32(footer, 8);
  if (at + metadataBytes !== footerAt || metadataBytes > METADATA_BYTES_MAX)
    throw corrupt('a footer does not fit its run', footerAt, bytes, at + metadataBytes + RUN_FOOTER_BYTES);
  let covered = tail.subarray(Math.max(0, at - tailAt), footerAt - tailAt + FOOTER_COVERED_BYTES);
  if (at < tailAt) {
    covered = new Uint8Array(metadataBytes + FOOTER_COVERED_BYTES);
    file.readAt(at, covered);
  }
  prove(covered, blockSeed(identity, at), footer, 32, at);
  // Every format keeps this footer, so that a flipped bit in it is not taken for a newer one.
  const format = readU16(footer, 12);
  if (format !== RUN_FORMAT) throw unsupportedError(`run format ${format} of ${path}`);
  return { bytes, identity, seqBase: readU64(header, 24), metadata: new ByteReader(covered, path, 0, metadataBytes) };
}
