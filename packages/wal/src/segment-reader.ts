/**
 * Reads the records of one segment, front to back, through a window over the file. Every byte may be anything: a record is
 * either valid at its place (rule 1 of `format.ts`) or `problem` says why not; nothing else is thrown.
 */
import type { Checksums } from '@phantom/base';
import type { VfsFile } from '@phantom/vfs';
import {
  FORMAT_VERSION,
  LOG_FLAGS_KNOWN,
  RECORD_ALIGNMENT,
  RECORD_HEADER_BYTES,
  RecordHeader,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
  recordBytes,
} from './format.js';
import { PlaceSearch } from './place-search.js';
import { recordSweep } from './record-sweep.js';
import type { ScannedLog, ScannedRun, ScannedSegment } from './scanned-log.js';
import type { Lsn } from './wal-types.js';

/** Bytes of the window; it grows for a record that is larger. Also about the size of a batch of replay. */
const WINDOW_BYTES = 256 * 1024;

const NO_BYTES = new Uint8Array(0);
const NO_VIEW = new DataView(NO_BYTES.buffer);

/** Why there is no record at a place. */
export interface RecordProblem {
  readonly reason: 'end of file' | 'zeros' | 'checksum' | 'place' | 'epoch' | 'length' | 'version' | 'flags';
  readonly expected: string;
  readonly found: string;
}

/** `record`: the fields are aimed at one. `window`: the next record needs another window. `broken`: see `problem`. */
export type Step = 'record' | 'window' | 'broken';

export class SegmentReader {
  readonly file: VfsFile;
  readonly header: SegmentHeader;
  /** Length of the file when reading began, or less if it turned out shorter. */
  fileBytes: number;
  readonly record = new RecordHeader();
  /** The window; payloads are ranges of it. */
  window: Uint8Array;
  private view: DataView;
  /** Stands for the bytes that are in the window now. */
  private windowToken: object = {};
  /** Where the payload of the record lies in the window. */
  payloadStart = 0;
  payloadEnd = 0;
  problem: RecordProblem | undefined;
  private readonly checksums: Checksums;
  /** File offset of the window and how many bytes of it are filled. */
  private windowOffset = 0;
  private windowBytes = 0;
  /** Epoch of the last record that was valid, or of the header. */
  get lastEpoch(): number {
    return this.epoch;
  }

  /** File offset of the record that `record` is aimed at, and of the one behind it. */
  private current: number;
  private next: number;
  private epoch: number;
  /** What an opening has kept of this segment; what begins before `validTo` needs no proof any more. */
  private readonly scanned: ScannedSegment | undefined;
  private readonly validFrom: number;
  private readonly validTo: number;
  /** Takes the windows that are read. */
  private keeper: ScannedSegment | undefined = undefined;
  /** Somebody else has the window, too: the next one needs bytes of its own. */
  private isWindowKept = true;

  constructor(file: VfsFile, header: SegmentHeader, checksums: Checksums, scanned?: ScannedSegment) {
    this.file = file;
    this.header = header;
    this.checksums = checksums;
    this.scanned = scanned;
    this.validFrom = scanned?.from ?? 0;
    this.validTo = scanned?.to ?? 0;
    this.fileBytes = file.size();
    this.window = NO_BYTES;
    this.view = NO_VIEW;
    this.current = SEGMENT_HEADER_BYTES;
    this.next = SEGMENT_HEADER_BYTES;
    this.epoch = header.epoch;
  }

  /** LSN of the record that comes next: behind the one the fields are aimed at. */
  get nextLsn(): number {
    return this.header.firstLsn + this.next - SEGMENT_HEADER_BYTES;
  }

  /** File offset at which the next record is looked for, or was not found. */
  get nextOffset(): number {
    return this.next;
  }

  /** File offset of the record that the fields are aimed at. */
  get offset(): number {
    return this.current;
  }

  /** Goes to a file offset: the next step looks there. The epoch of what is before is not known any more. */
  seek(offset: number): void {
    this.next = offset;
    this.epoch = this.header.epoch;
  }

  /** As seek, to the place of an LSN. */
  seekLsn(lsn: number): void {
    this.seek(SEGMENT_HEADER_BYTES + lsn - this.header.firstLsn);
  }

  /** As step, over as many windows as it takes; payloads of earlier records become invalid. */
  advance(): boolean {
    let step = this.step();
    while (step === 'window') {
      this.slide();
      step = this.step();
    }
    return step === 'record';
  }

  /**
   * Passes over usual records (record-sweep.ts) that lie in one window and before an LSN, and aims the fields at the last of
   * them; false when there is none here. The greatest epoch and durable LSN of those passed over are those of the last one.
   */
  passUsual(limit: Lsn): boolean {
    if (this.passUsualInWindow(limit)) return true;
    if (this.isNextInWindow()) return false;
    this.slide();
    return this.passUsualInWindow(limit);
  }

  /** Whether a larger window, or another one, would have no more of the next record. */
  private isNextInWindow(): boolean {
    const at = this.next - this.windowOffset;
    if (this.next + RECORD_HEADER_BYTES > this.fileBytes) return true;
    if (at < 0 || at + RECORD_HEADER_BYTES > this.windowBytes) return false;
    const end = at + RECORD_HEADER_BYTES + this.view.getUint32(at + 4, true);
    return end <= this.windowBytes || this.windowOffset + end > this.fileBytes;
  }

  private passUsualInWindow(limit: Lsn): boolean {
    const { header, windowOffset } = this;
    const start = this.next - windowOffset;
    if (start < 0 || start >= this.windowBytes) return false;
    const windowLsn = header.firstLsn + windowOffset - SEGMENT_HEADER_BYTES;
    const end = Math.min(this.windowBytes, limit - windowLsn);
    const sweep = recordSweep();
    const count = sweep.run(this.windowToken, this.window, start, end, header, this.epoch, windowLsn);
    if (count === 0) return false;
    const { record, next: from } = this;
    const last = (sweep.ranges[2 * (count - 1)] as number) - RECORD_HEADER_BYTES;
    record.read(this.view, last);
    this.aimBehind(last);
    this.keeper?.addRun({
      from,
      to: this.next,
      epoch: this.epoch,
      run: {
        lsn: header.firstLsn + from - SEGMENT_HEADER_BYTES,
        count,
        firstSeq: record.seq - count + 1,
        flags: record.ownerFlags,
        commitTimeMs: record.commitTimeMs,
        bytes: this.window,
        ranges: sweep.ranges.slice(0, 2 * count),
        end: this.nextLsn,
      },
    });
    return true;
  }

  /** What an opening has kept of a run with these flags that begins here, up to an LSN behind it at which a record ends. */
  runHere(flags: number, limit: Lsn): ScannedRun | undefined {
    const found = this.scanned?.runAt(this.next);
    if (found === undefined || found.run.flags !== flags) return undefined;
    return found.run.end <= limit ? found : cutRun(found, limit);
  }

  /** Passes over a run that begins here. */
  passRun({ to, epoch }: ScannedRun): void {
    this.next = to;
    this.epoch = epoch;
  }

  /** Aims the fields at the next record, as long as it lies in the window. */
  step(): Step {
    const offset = this.next;
    const at = offset - this.windowOffset;
    if (offset + RECORD_HEADER_BYTES > this.fileBytes)
      return this.broken('end of file', 'a record', 'the end of the file');
    if (at < 0 || at + RECORD_HEADER_BYTES > this.windowBytes) return 'window';
    const window = this.window;
    const record = this.record;
    record.read(this.view, at);
    if (offset >= this.validFrom && offset < this.validTo) return this.stepOverKnown(at);
    const end = offset + RECORD_HEADER_BYTES + record.payloadBytes;
    if (record.checksum === 0 && record.version === 0 && isZeroRange(window, at, at + RECORD_HEADER_BYTES)) {
      return this.broken('zeros', 'a record', 'zeros');
    }
    if (record.version !== FORMAT_VERSION) {
      return this.broken('version', String(FORMAT_VERSION), String(record.version));
    }
    const lsn = this.nextLsn;
    if (record.segment !== this.header.number || record.lsn !== lsn || record.timeline !== this.header.timeline) {
      const place = (segment: number, at: number, timeline: number): string =>
        `lsn ${at} of segment ${segment}, timeline ${timeline}`;
      return this.broken(
        'place',
        place(this.header.number, lsn, this.header.timeline),
        place(record.segment, record.lsn, record.timeline),
      );
    }
    if (end > this.fileBytes) {
      return this.broken(
        'length',
        `at most ${this.fileBytes - offset - RECORD_HEADER_BYTES}`,
        String(record.payloadBytes),
      );
    }
    if (end > this.windowOffset + this.windowBytes) return 'window';
    const payloadEnd = at + RECORD_HEADER_BYTES + record.payloadBytes;
    const checksum = this.checksums.h32(window, at + 4, payloadEnd);
    if (checksum !== record.checksum) return this.broken('checksum', hex(record.checksum), hex(checksum));
    if (record.epoch < this.epoch) return this.broken('epoch', `at least ${this.epoch}`, String(record.epoch));
    if (Number.isNaN(record.seq + record.commitTimeMs + record.durable) || record.logFlags > LOG_FLAGS_KNOWN) {
      return this.broken('flags', 'known flags and safe integers', `flags ${record.logFlags}`);
    }
    this.epoch = record.epoch;
    this.aimBehind(at);
    return 'record';
  }

  /** Of a record that an opening found valid all there is to ask is whether the window has it whole. */
  private stepOverKnown(at: number): Step {
    const { record } = this;
    if (at + RECORD_HEADER_BYTES + record.payloadBytes > this.windowBytes) return 'window';
    this.epoch = record.epoch;
    this.aimBehind(at);
    return 'record';
  }

  /** `record` is the valid one at a place in the window: the next one comes behind it. */
  private aimBehind(at: number): void {
    const { payloadBytes } = this.record;
    this.problem = undefined;
    this.payloadStart = at + RECORD_HEADER_BYTES;
    this.payloadEnd = this.payloadStart + payloadBytes;
    this.current = this.windowOffset + at;
    this.next = this.current + recordBytes(payloadBytes);
  }

  /** Keeps what is read from the next record on, for later readers, until `endKeeping`. */
  keepIn(log: ScannedLog): void {
    this.keeper = log.begin(this.header, this.next);
    if (this.next >= this.windowOffset && this.next < this.windowOffset + this.windowBytes) this.keepWindow();
  }

  /** Everything before the next record was valid. */
  endKeeping(): void {
    this.keeper?.end(this.next);
    this.keeper = undefined;
  }

  /** Moves the window so that it begins with the next record, or before it, and has it whole. */
  slide(): void {
    const window = this.scanned?.windowAt(this.next);
    if (window === undefined) {
      this.readWindow();
    } else {
      this.aimAt(window.bytes);
      this.isWindowKept = true;
      this.windowOffset = window.offset;
      this.windowBytes = window.bytes.length;
      this.windowToken = window;
    }
  }

  private readWindow(): void {
    let bytes = WINDOW_BYTES;
    const at = this.next - this.windowOffset;
    const headerIsHere = at >= 0 && at + RECORD_HEADER_BYTES <= this.windowBytes;
    if (headerIsHere) bytes = Math.max(bytes, recordBytes(this.view.getUint32(at + 4, true)));
    bytes = Math.min(bytes, this.fileBytes - this.next);
    if (this.window.length < bytes || this.isWindowKept)
      this.aimAt(new Uint8Array(Buffer.allocUnsafeSlow(bytes).buffer));
    this.windowOffset = this.next;
    const wanted = Math.min(this.window.length, this.fileBytes - this.next);
    this.windowBytes = this.file.readAt(this.next, this.window.subarray(0, wanted));
    // Somebody cut the file meanwhile: what is not there must not be asked for again and again.
    if (this.windowBytes < wanted) this.fileBytes = this.next + this.windowBytes;
    this.windowToken = {};
    this.isWindowKept = false;
    this.keepWindow();
  }

  private keepWindow(): void {
    const { keeper, windowOffset: offset, windowBytes } = this;
    if (keeper?.keep({ offset, bytes: this.window.subarray(0, windowBytes) }) === true) this.isWindowKept = true;
  }

  private aimAt(window: Uint8Array): void {
    this.window = window;
    this.view = new DataView(window.buffer, window.byteOffset, window.length);
  }

  /**
   * Looks for valid records anywhere behind the place at which reading stopped, and calls `found` with the fields aimed at
   * each. Places are multiples of 8 whose header names this segment and that very LSN.
   */
  search(found: () => void): void {
    const places = new PlaceSearch(this.header.number);
    let offset = this.next;
    this.epoch = 0;
    while (offset + RECORD_HEADER_BYTES <= this.fileBytes) {
      this.next = offset;
      const at = offset - this.windowOffset;
      if (at < 0 || at + RECORD_HEADER_BYTES > this.windowBytes) {
        this.slide();
        if (this.windowBytes < RECORD_HEADER_BYTES) return;
        continue;
      }
      const place = places.next(this.window, at, this.windowBytes);
      this.next = this.windowOffset + place;
      if (place + RECORD_HEADER_BYTES > this.windowBytes) {
        offset = this.next;
      } else if (this.advance()) {
        found();
        offset = this.next;
        this.epoch = 0;
      } else {
        offset = this.next + RECORD_ALIGNMENT;
      }
    }
  }

  private broken(reason: RecordProblem['reason'], expected: string, found: string): 'broken' {
    this.problem = { reason, expected, found };
    return 'broken';
  }
}

/** The records of a run that lie before an LSN, which is behind the first of them. */
function cutRun({ from, to, epoch, run }: ScannedRun, limit: Lsn): ScannedRun {
  const { lsn, ranges, bytes } = run;
  const headersEnd = (ranges[0] as number) + limit - lsn;
  let count = 1;
  while (count < run.count && (ranges[2 * count] as number) < headersEnd) count++;
  const header = new RecordHeader();
  header.read(
    new DataView(bytes.buffer, bytes.byteOffset, bytes.length),
    (ranges[2 * count - 2] as number) - RECORD_HEADER_BYTES,
  );
  return {
    from,
    to: to - (run.end - limit),
    epoch,
    run: { ...run, count, commitTimeMs: header.commitTimeMs, end: limit },
  };
}

function isZeroRange(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i] !== 0) return false;
  return true;
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0');
}
