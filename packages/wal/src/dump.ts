/**
 * A log for a person to read: one line for each segment and record, why each segment ends, and what opening would make of
 * it. Reads only, throws nothing about the content: a broken log is what one wants to look at.
 *
 * ```
 * 0000000001.wal  262144 bytes  timeline 1  epoch 1  from lsn 0  durable 0  floor 0
 *   lsn 0  seq 1  2026-01-01T00:00:00.000Z  flags 0  durable 0  5 bytes  68656c6c6f
 *   lsn 64  fragment  ...
 *   ends at lsn 128, offset 192: zeros
 * the log ends at lsn 128, proved durable to lsn 0
 * ```
 */
import { type Checksums, identityText, isPhantomError, toHex } from '@phantom/base';
import { type Vfs, joinPath } from '@phantom/vfs';
import {
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
  decodeSegmentHeader,
  isKnownVersion,
  isFreeName,
  segmentNumber,
} from './format.js';
import { floorOf } from './log-files.js';
import { scanLog } from './log-scan.js';
import { SegmentReader } from './segment-reader.js';

/** Bytes of a payload that are shown. */
const PAYLOAD_BYTES_SHOWN = 16;

export interface DumpOptions {
  readonly directory: string;
  readonly vfs: Vfs;
  readonly checksums: Checksums;
}

/** The lines of the dump, made as they are asked for. */
export function* dumpWal(options: DumpOptions): Generator<string, void, void> {
  for (const name of options.vfs.list(options.directory)) {
    if (isFreeName(name)) yield `${name}  free`;
    else if (segmentNumber(name) !== undefined) yield* dumpSegment(options, name);
  }
  yield verdict(options);
}

function* dumpSegment(options: DumpOptions, name: string): Generator<string, void, void> {
  const file = options.vfs.open(joinPath(options.directory, name), { mode: 'read' });
  try {
    const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
    file.readAt(0, bytes);
    const header = decodeSegmentHeader(bytes, options.checksums);
    if (header === undefined) {
      yield `${name}  ${file.size()} bytes  no header${bytes.every((byte) => byte === 0) ? ': prepared' : ': broken'}`;
      return;
    }
    yield headerLine(name, file.size(), header);
    if (header.number !== segmentNumber(name) || !isKnownVersion(header.version)) return;
    const reader = new SegmentReader(file, header, options.checksums);
    while (reader.advance()) yield recordLine(reader);
    yield `  ends at lsn ${reader.nextLsn}, offset ${reader.nextOffset}: ${reader.problem?.reason ?? 'unknown'}`;
  } finally {
    file.close();
  }
}

function headerLine(name: string, bytes: number, header: SegmentHeader): string {
  const recycled = header.number === segmentNumber(name) ? '' : `  recycled from segment ${header.number}`;
  const { identity, timeline, epoch, firstLsn, durable, floor } = header;
  const owner = identity === undefined ? `timeline ${timeline}` : `store ${identityText(identity)}`;
  const version = isKnownVersion(header.version) ? '' : `  format version ${header.version}`;
  return (
    `${name}  ${bytes} bytes  ${owner}  epoch ${epoch}  from lsn ${firstLsn}  durable ${durable}  floor ${floor}` +
    recycled +
    version
  );
}

function recordLine(reader: SegmentReader): string {
  const { record } = reader;
  const time = timeText(record.commitTimeMs);
  if (record.isMark) {
    return `  lsn ${record.lsn}  mark  epoch ${record.epoch}  ${time}  durable ${record.durable}  floor ${floorOf(reader)}`;
  }
  const kind = record.isFragment
    ? `  ${record.isFirst ? 'first fragment' : record.isLast ? 'last fragment' : 'fragment'}`
    : '';
  const shown = Math.min(reader.payloadEnd, reader.payloadStart + PAYLOAD_BYTES_SHOWN);
  const more = shown < reader.payloadEnd ? '...' : '';
  return (
    `  lsn ${record.lsn}${kind}  seq ${record.seq}  ${time}  flags ${record.ownerFlags}  durable ${record.durable}  ` +
    `${record.payloadBytes} bytes  ${toHex(reader.window, reader.payloadStart, shown)}${more}`
  );
}

/** JavaScript's dates end in the year 275760; a number on disk may be larger. */
function timeText(ms: number): string {
  return ms <= 8.64e15 ? new Date(ms).toISOString() : `${ms} ms`;
}

function verdict(options: DumpOptions): string {
  try {
    const picture = scanLog(options.vfs, options.directory, options.checksums, 0);
    if (picture.segments.length === 0) return 'there is no log';
    return `the log ends at lsn ${picture.end}, proved durable to lsn ${picture.durable}`;
  } catch (error) {
    if (!isPhantomError(error)) throw error;
    return `the log does not open: ${error.code} ${error.message}`;
  }
}
