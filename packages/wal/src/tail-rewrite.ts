/**
 * Makes the accepted tail of a log durable by writing it again.
 *
 * Records that nothing proves durable may have been read from a page cache that a failed sync left clean: they look fine,
 * no later sync writes them, and the next power cut takes them (PostgreSQL's lesson of 2018). Syncing the file again is
 * therefore no answer. The tail goes into a new segment under a name that no reader takes; it is synced, renamed, and the
 * directory synced. Before that the old tail rules, afterwards the new segment does, from its first LSN on.
 */
import { type Checksums, assert } from '@phantom/base';
import { type VfsFile, joinPath } from '@phantom/vfs';
import {
  type Ownership,
  RECORD_HEADER_BYTES,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
  encodeSegmentHeader,
  recordBytes,
  sealRecord,
  segmentName,
  temporaryName,
} from './format.js';
import type { LogSegment } from './log-appender.js';
import { segmentAt } from './log-reader.js';
import type { LogPicture } from './log-scan.js';
import type { Settings } from './options.js';
import { SegmentReader } from './segment-reader.js';
import type { Lsn } from './wal-types.js';

/** Copied bytes are written in pieces of about this. */
const PIECE_BYTES = 256 * 1024;

export interface TailRewrite {
  /** First LSN of the new segment. The records from here to the end of the picture are copied. */
  readonly from: Lsn;
  readonly number: number;
  readonly ownership: Ownership;
  readonly epoch: number;
}

/** Writes the segment and makes it the log's newest. On return it rules, and (but for durability `memory`) is durable. */
export async function rewriteTail(settings: Settings, picture: LogPicture, rewrite: TailRewrite): Promise<LogSegment> {
  const { vfs, directory, durability } = settings;
  const path = joinPath(directory, segmentName(rewrite.number));
  const temporary = joinPath(directory, temporaryName(rewrite.number));
  const header: SegmentHeader = {
    ...rewrite.ownership,
    epoch: rewrite.epoch,
    number: rewrite.number,
    firstLsn: rewrite.from,
    // True of the whole copy by the time anybody can read it under its name.
    durable: durability === 'memory' ? picture.durable : picture.end,
    floor: picture.floor,
  };
  vfs.remove(temporary);
  // The lane of the log is that of its commits, and there are none yet: its thread may start later.
  const file = vfs.open(temporary, { mode: 'create-new', syncLane: 'data' });
  try {
    copyTail(file, header, settings, picture);
    if (durability !== 'memory') await file.sync();
  } finally {
    file.close();
  }
  vfs.rename(temporary, path);
  if (durability !== 'memory') await vfs.syncDirLater(directory);
  return { number: rewrite.number, path, header, limit: Number.POSITIVE_INFINITY };
}

function copyTail(file: VfsFile, header: SegmentHeader, settings: Settings, picture: LogPicture): void {
  const { checksums } = settings;
  const out = new PieceWriter(file, Math.min(PIECE_BYTES, SEGMENT_HEADER_BYTES + picture.end - header.firstLsn));
  encodeSegmentHeader(out.room(SEGMENT_HEADER_BYTES), out.used, header, checksums);
  out.used += SEGMENT_HEADER_BYTES;
  let position = header.firstLsn;
  while (position < picture.end) {
    const segment = segmentAt(picture.segments, position);
    const source = settings.vfs.open(segment.path, { mode: 'read' });
    try {
      const reader = new SegmentReader(source, segment.header, checksums, picture.scanned.segment(segment.header));
      reader.seekLsn(position);
      const limit = Math.min(segment.limit, picture.end);
      while (position < limit) {
        const valid = reader.advance();
        assert(valid && reader.record.lsn === position, 'the tail reads as it was scanned');
        copyRecord(out, reader, header, checksums);
        position = reader.nextLsn;
      }
    } finally {
      source.close();
    }
  }
  out.flush();
}

function copyRecord(out: PieceWriter, reader: SegmentReader, header: SegmentHeader, checksums: Checksums): void {
  const { record } = reader;
  const bytes = recordBytes(record.payloadBytes);
  const buffer = out.room(bytes);
  buffer.set(reader.window.subarray(reader.payloadStart, reader.payloadEnd), out.used + RECORD_HEADER_BYTES);
  sealRecord(
    buffer,
    out.used,
    record.payloadBytes,
    record.logFlags,
    record.ownerFlags,
    header.timeline,
    header.epoch,
    header.number,
    record.lsn,
    record.seq,
    record.commitTimeMs,
    record.durable,
    checksums,
  );
  out.used += bytes;
}

/** Gathers bytes and writes them one behind the other. */
class PieceWriter {
  used = 0;
  private buffer: Uint8Array;
  private offset = 0;
  private readonly file: VfsFile;

  constructor(file: VfsFile, bufferBytes: number) {
    this.file = file;
    this.buffer = new Uint8Array(bufferBytes);
  }

  /** The buffer, with room for so many bytes at `used`. */
  room(bytes: number): Uint8Array {
    if (this.used + bytes > this.buffer.length) {
      this.flush();
      if (bytes > this.buffer.length) this.buffer = new Uint8Array(bytes);
    }
    return this.buffer;
  }

  flush(): void {
    this.file.writeAt(this.offset, this.buffer.subarray(0, this.used));
    this.offset += this.used;
    this.used = 0;
  }
}
