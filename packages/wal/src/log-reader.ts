/**
 * Reading a log that is open: `replay` and `follow`.
 *
 * Batches are windows of a segment (a quarter of a megabyte, more for a larger record), so memory is bounded whatever the
 * length of the log, and payloads are views of the window, valid until the next batch. A payload in fragments is gathered
 * into bytes of its own and belongs to the batch in which it ends.
 *
 * Everything below the position up to which is read has been written whole by this process or accepted at opening. So a
 * record that is not valid there is corruption, never an end.
 */
import { type Checksums, PhantomError, SqlState, corruptionError } from '@phantom/base';
import type { Vfs } from '@phantom/vfs';
import { FoundRecord } from './found-record.js';
import type { SegmentHeader } from './format.js';
import type { Retentions } from './retention.js';
import type { ScannedLog } from './scanned-log.js';
import { SegmentReader } from './segment-reader.js';
import type { Lsn, WalRecord, WalRecordBatch } from './wal-types.js';

const NO_RECORDS: readonly WalRecord[] = [];

/** Records of one batch at most: small ones would make a batch of thousands of objects. */
const BATCH_RECORDS_MAX = 1024;

/** A segment as readers see it; `limit` grows finite when the log rotates. */
export interface ReadableSegment {
  readonly number: number;
  readonly path: string;
  readonly header: SegmentHeader;
  readonly limit: Lsn;
}

/** What a reader asks the log. */
export interface ReadableLog {
  readonly vfs: Vfs;
  readonly checksums: Checksums;
  readonly retentions: Retentions;
  /** Oldest first. */
  readonly segments: readonly ReadableSegment[];
  readonly start: Lsn;
}

/** What a reader may know and want beside the positions. */
export interface ReadOptions {
  /** What an opening has kept, which is not read again. */
  readonly scanned: ScannedLog | undefined;
  /** Kept records with these flags come as runs. */
  readonly runsOf: number | undefined;
}

const PLAIN: ReadOptions = { scanned: undefined, runsOf: undefined };

/** Whole records of [from, upTo), in order. `from` and `upTo` are positions that this log has given. */
export async function* readRecords(
  log: ReadableLog,
  from: Lsn,
  upTo: Lsn,
  { scanned, runsOf }: ReadOptions = PLAIN,
): AsyncGenerator<WalRecordBatch, void, void> {
  if (from < log.start || from > upTo) {
    throw new PhantomError(SqlState.ObjectNotInPrerequisiteState, `the log has no LSN ${from}`, {
      detail: `It reaches from LSN ${log.start} to LSN ${upTo}.`,
    });
  }
  const pin = log.retentions.pin(from);
  const fragments = new FragmentGatherer(from === log.start);
  let position = from;
  try {
    while (position < upTo) {
      const segment = segmentAt(log.segments, position);
      const file = log.vfs.open(segment.path, { mode: 'read' });
      try {
        const reader = new SegmentReader(file, segment.header, log.checksums, scanned?.segment(segment.header));
        reader.seekLsn(position);
        const limit = Math.min(segment.limit, upTo);
        while (position < limit) {
          const found = runsOf === undefined || fragments.begin >= 0 ? undefined : reader.runHere(runsOf, limit);
          if (found === undefined) {
            const records = readBatch(reader, limit, fragments, runsOf);
            position = reader.nextLsn;
            if (records.length > 0) yield { records, end: position };
          } else {
            reader.passRun(found);
            fragments.mayStray = false;
            position = reader.nextLsn;
            yield { records: NO_RECORDS, run: found.run, end: position };
          }
          // What a payload in fragments began with is needed until it has ended.
          pin.from = fragments.begin >= 0 ? fragments.begin : position;
        }
      } finally {
        file.close();
      }
    }
    if (fragments.begin >= 0) {
      throw corruptionError('A payload of the log does not end', {
        file: segmentAt(log.segments, fragments.begin).path,
      });
    }
  } finally {
    log.retentions.unpin(pin);
  }
}

/** The segment that holds a position. */
export function segmentAt(segments: readonly ReadableSegment[], lsn: Lsn): ReadableSegment {
  for (let i = segments.length - 1; i >= 0; i--) {
    const segment = segments[i] as ReadableSegment;
    if (segment.header.firstLsn <= lsn && lsn < segment.limit) return segment;
  }
  throw new PhantomError(SqlState.ObjectNotInPrerequisiteState, `the log has no LSN ${lsn}`);
}

/** The records of one window, up to the limit or a run; empty when a payload is not complete yet. */
function readBatch(
  reader: SegmentReader,
  limit: Lsn,
  fragments: FragmentGatherer,
  runsOf: number | undefined,
): readonly WalRecord[] {
  const records: WalRecord[] = [];
  while (reader.nextLsn < limit && records.length < BATCH_RECORDS_MAX) {
    if (runsOf !== undefined && fragments.begin < 0 && reader.runHere(runsOf, limit) !== undefined) break;
    const step = reader.step();
    if (step === 'broken') throw brokenRecord(reader);
    if (step === 'window') {
      if (records.length > 0) break;
      reader.slide();
      continue;
    }
    const record = reader.record;
    if (record.isMark) continue;
    let { window: bytes, payloadStart, payloadEnd } = reader;
    let lsn = record.lsn;
    if (record.isFragment) {
      if (record.isFirst) fragments.begin = lsn;
      else if (fragments.begin < 0) {
        // The rest of a payload whose beginning was dropped, at the very beginning of the log.
        if (fragments.mayStray) continue;
        throw brokenRecord(reader, 'fragment without its beginning');
      }
      fragments.add(bytes.subarray(payloadStart, payloadEnd));
      if (!record.isLast) continue;
      lsn = fragments.begin;
      bytes = fragments.take();
      payloadStart = 0;
      payloadEnd = bytes.length;
    }
    fragments.mayStray = false;
    const { seq, commitTimeMs, ownerFlags } = record;
    records.push(new FoundRecord(lsn, reader.nextLsn, seq, commitTimeMs, ownerFlags, bytes, payloadStart, payloadEnd));
  }
  return records;
}

function brokenRecord(reader: SegmentReader, reason?: string): Error {
  const problem = reader.problem;
  return corruptionError(`A log record is broken (${reason ?? problem?.reason ?? 'unknown'})`, {
    file: reader.file.path,
    offset: reader.nextOffset,
    expected: problem?.expected,
    found: problem?.found,
  });
}

/** Puts the fragments of one payload together. */
class FragmentGatherer {
  /** LSN of the first fragment, or -1 when no payload is under way. */
  begin = -1;
  /** Whether fragments may come that belong to no beginning: until the first record of a log that lost its older part. */
  mayStray: boolean;
  private parts: Uint8Array[] = [];
  private bytes = 0;

  constructor(mayStray: boolean) {
    this.mayStray = mayStray;
  }

  /** Copies a fragment: its window may move before the payload ends. */
  add(part: Uint8Array): void {
    this.parts.push(part.slice());
    this.bytes += part.length;
  }

  take(): Uint8Array {
    const payload = new Uint8Array(this.bytes);
    let at = 0;
    for (const part of this.parts) {
      payload.set(part, at);
      at += part.length;
    }
    this.begin = -1;
    this.parts = [];
    this.bytes = 0;
    return payload;
  }
}
