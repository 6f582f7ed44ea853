/**
 * Where segments come from and go to.
 *
 * Writing into a file that grows makes every sync write the file system's journal as well: two to three times the time, and
 * far less steady. So a segment is filled with zeros before records go in, or is an old one, recycled. That is done ahead of
 * need: once the current segment is half full the next one is made on the thread of the `data` lane (the log does not wait
 * behind it): zeros, sync, directory entry, so that nothing in it can be acknowledged under a name that a crash takes
 * (invariant 5 of the store).
 *
 * When a segment is needed before it was made, what there is of it is taken over and zeros are laid a step ahead of the
 * records. A log that never fills half a segment therefore never costs more disk than that step.
 *
 * Room is had before anything is promised: `ensure` throws 53100 while the disk is full and nothing has changed.
 */
import { type Logger, SqlState, isPhantomError } from '@phantom/base';
import { type Vfs, type VfsFile, joinPath } from '@phantom/vfs';
import { freePath, segmentName } from './format.js';

/** Zeros are laid ahead in steps of this: each costs one longer sync. */
const FILL_STEP_BYTES = 256 * 1024;
const ZEROS = new Uint8Array(FILL_STEP_BYTES);

/** Bytes that the sync thread is asked to fill at a time, so that it serves others in between. */
const FILL_REQUEST_BYTES = 1024 * 1024;
const FILL_ALIGNMENT_BYTES = 4096;

/** A segment file that can be written to. */
export class SegmentFile {
  readonly number: number;
  readonly path: string;
  readonly file: VfsFile;
  /** Bytes at which it is full. */
  readonly capacityBytes: number;
  /** Up to here writing needs no more room on the disk. */
  filledBytes: number;

  constructor(number: number, path: string, file: VfsFile, capacityBytes: number) {
    this.number = number;
    this.path = path;
    this.file = file;
    this.capacityBytes = capacityBytes;
    this.filledBytes = file.size();
  }

  /** Has room for [0, bytes), a step more where the segment allows. Throws 53100 and leaves things as they are. */
  ensureFilled(bytes: number): void {
    if (bytes <= this.filledBytes) return;
    const target = Math.min(this.capacityBytes, Math.max(bytes, this.filledBytes + FILL_STEP_BYTES));
    try {
      this.fillTo(target);
    } catch (error) {
      // The step is a convenience; what was asked for is not.
      if (bytes <= this.filledBytes) return;
      if (!isPhantomError(error) || target === bytes) throw error;
      this.fillTo(bytes);
    }
  }

  private fillTo(target: number): void {
    while (this.filledBytes < target) {
      const bytes = Math.min(FILL_STEP_BYTES, target - this.filledBytes);
      this.file.writeAt(this.filledBytes, ZEROS.subarray(0, bytes));
      this.filledBytes += bytes;
    }
  }
}

interface Preparation {
  readonly number: number;
  readonly path: string;
  /** Set when the segment was needed before it was made, or the log closes. */
  cancelled: boolean;
  /** The file while zeros are being laid. */
  filling: VfsFile | undefined;
  ended: Promise<void>;
}

export interface SegmentSupplyOptions {
  readonly vfs: Vfs;
  readonly directory: string;
  readonly segmentBytes: number;
  readonly recycledSegmentsMax: number;
  /** False where nothing is promised: names and zeros are then not synced. */
  readonly syncs: boolean;
  readonly logger: Logger;
}

export class SegmentSupply {
  /** How many segments began in a recycled file. */
  recycled = 0;
  private readonly options: SegmentSupplyOptions;
  /** Paths of files that can be segments again. */
  private readonly free: string[] = [];
  /** Segments that may be used at once, by number. */
  private readonly ready: SegmentFile[] = [];
  private preparation: Preparation | undefined;

  constructor(options: SegmentSupplyOptions) {
    this.options = options;
  }

  /** Makes segments `number`, `number + 1`, ... ready, the i-th with room for bytes[i]. Throws 53100 and keeps what it has. */
  ensure(number: number, bytes: readonly number[]): void {
    if (this.ready.length < bytes.length)
      this.ready.push(...this.make(number + this.ready.length, number + bytes.length));
    for (let i = 0; i < bytes.length; i++) this.fill(this.ready[i] as SegmentFile, bytes[i] as number);
  }

  /** Has room for [0, bytes) of a segment; on a full disk the files kept for reuse go first. */
  fill(segment: SegmentFile, bytes: number): void {
    for (;;) {
      try {
        segment.ensureFilled(bytes);
        return;
      } catch (error) {
        const full = isPhantomError(error) && error.code === SqlState.DiskFull;
        const free = full ? this.free.pop() : undefined;
        if (free === undefined) throw error;
        this.options.vfs.remove(free);
      }
    }
  }

  /** The next segment; `ensure` has made it ready. */
  take(): SegmentFile {
    return this.ready.shift() as SegmentFile;
  }

  /** Begins to make a segment in the background, unless there is one or one is being made. */
  prepare(number: number): void {
    if (this.ready.length > 0 || this.preparation !== undefined) return;
    const path = this.path(segmentName(number));
    const preparation: Preparation = { number, path, cancelled: false, filling: undefined, ended: Promise.resolve() };
    preparation.ended = this.runPreparation(preparation).catch((error: unknown) => {
      // Not needed yet. When it is, the attempt is repeated where a refusal can be reported.
      this.options.logger.warn('could not prepare a log segment', { path, error });
      if (this.preparation === preparation) this.preparation = undefined;
    });
    this.preparation = preparation;
  }

  /** Keeps a segment's file for reuse, or removes it when there are enough. */
  giveBack(path: string): void {
    const { vfs, recycledSegmentsMax } = this.options;
    if (this.free.length >= recycledSegmentsMax) {
      vfs.remove(path);
      return;
    }
    const free = freePath(path);
    // There may be a file of that name already: its segment was recycled once and came back by a crash.
    if (free !== path) vfs.rename(path, free);
    if (!this.free.includes(free)) this.free.push(free);
  }

  /** Waits for background work to end and closes what nobody took. */
  async close(): Promise<void> {
    if (this.preparation !== undefined) {
      this.preparation.cancelled = true;
      await this.preparation.ended;
    }
    for (const { file, path } of this.ready.splice(0)) {
      try {
        file.close();
      } catch (error) {
        this.options.logger.warn('could not close a prepared log segment', { path, error });
      }
    }
  }

  private path(name: string): string {
    return joinPath(this.options.directory, name);
  }

  /** Segments `from` up to `to` now, in whatever state the background work left them; their names are durable on return. */
  private make(from: number, to: number): SegmentFile[] {
    const { vfs, directory, syncs } = this.options;
    const made: SegmentFile[] = [];
    try {
      for (let number = from; number < to; number++) made.push(this.makeOne(number));
      // The names of all of them are one sync.
      if (syncs) vfs.syncDir(directory);
      return made;
    } catch (error) {
      for (const { file } of made) file.close();
      throw error;
    }
  }

  private makeOne(number: number): SegmentFile {
    const path = this.path(segmentName(number));
    const preparation = this.preparation;
    if (preparation?.number === number) {
      preparation.cancelled = true;
      this.preparation = undefined;
      // The zeros that are on their way must be down before records are: this waits for them.
      preparation.filling?.syncNow();
    } else {
      this.recycleInto(path);
    }
    return this.openReady(number, path);
  }

  private openReady(number: number, path: string): SegmentFile {
    const { vfs, segmentBytes } = this.options;
    const file = vfs.open(path, { mode: 'create', syncLane: 'log' });
    try {
      return new SegmentFile(number, path, file, segmentBytes);
    } catch (error) {
      file.close();
      throw error;
    }
  }

  private recycleInto(path: string): boolean {
    const free = this.free.pop();
    if (free === undefined) return false;
    try {
      this.options.vfs.rename(free, path);
    } catch (error) {
      this.free.push(free);
      throw error;
    }
    this.recycled++;
    return true;
  }

  private async runPreparation(preparation: Preparation): Promise<void> {
    const { vfs, segmentBytes } = this.options;
    if (!this.recycleInto(preparation.path)) {
      const file = vfs.open(preparation.path, { mode: 'create', syncLane: 'data' });
      preparation.filling = file;
      try {
        let offset = file.size();
        while (offset < segmentBytes && !preparation.cancelled) {
          // What a kill left of an earlier attempt may end anywhere.
          offset -= offset % FILL_ALIGNMENT_BYTES;
          const bytes = Math.min(FILL_REQUEST_BYTES, segmentBytes - offset);
          await file.fill(offset, bytes);
          offset += bytes;
        }
        if (!preparation.cancelled && this.options.syncs) await file.sync();
      } finally {
        preparation.filling = undefined;
        file.close();
      }
    }
    if (this.options.syncs && !preparation.cancelled) await vfs.syncDirLater(this.options.directory);
    else await nextTurn();
    if (preparation.cancelled) return;
    this.ready.push(this.openReady(preparation.number, preparation.path));
    this.preparation = undefined;
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
