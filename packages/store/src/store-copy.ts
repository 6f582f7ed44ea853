/**
 * A copy of a store, made while it is used: every key of one view is written to files of a store of its own, in order, past
 * log and memory (bulk-load.ts), and read back before the copy counts. (SQLite's VACUUM INTO does the same for one file; copying
 * files and log as they lie would be quicker, and has to know which of them belong together.)
 *
 *      view at seq N ──► files of the copy ──► sync ──► open it again, read every entry ──► superblock gets its name
 *
 * The copy goes on where the view stood: with its seq and with space numbers that were never handed out, in a timeline of its
 * own. It is smaller than what it was made of, since nothing old is in it, and has the log of its own that is empty.
 *
 * A base of an archive is such a copy, and a restore from there one that goes on: `extend` brings it to a later commit before it counts
 * (archive/restore.ts).
 *
 * Invariants:
 *   1. Before everything is durable and was read back as it was written, the directory holds no store that anybody would open.
 *   2. The store that is copied is only read. Its view is held meanwhile, and its files with it.
 */
import {
  type Checksums,
  type Logger,
  PhantomError,
  SqlState,
  corruptionError,
  eventLoop,
  loadChecksums,
  unsupportedError,
} from '@phantom/base';
import { CursorBatch, type EngineCode, type KeyRange, type KvCursor, SPACE_BYTES, type Seq } from '@phantom/kv';
import { type Vfs, joinPath } from '@phantom/vfs';
import { SUPERBLOCK_FILE, UNFINISHED_FILE } from './format.js';
import { discardUnfinished, isVolatile, openUnfinished } from './open-store.js';
import type { EngineFactory, Store, StoreOptions, StoreOrigin, StoreView } from './types.js';

/** Entries read at once, between two looks at the clock. */
const BATCH_ENTRIES = 128;

export interface StoreCopyOptions {
  /** Those of the store, for the copy alone. */
  readonly engines: readonly EngineFactory[];
  /** Where the copy lies. */
  readonly vfs: Vfs;
  readonly logger?: Logger;
  /** Told now and then, while others have their turn; what it throws ends the copy. */
  readonly onProgress?: ((progress: CopyProgress) => void) | undefined;
}

export interface CopyProgress {
  /** First everything is written, then everything is read back. */
  readonly phase: 'copy' | 'verify';
  /** Of this phase, so far. */
  readonly entries: number;
  readonly bytes: number;
  /** In all: an estimate while it is copied. */
  readonly entriesExpected: number;
}

export interface StoreCopy {
  /** The last commit that the copy has. */
  readonly seq: Seq;
  readonly entries: number;
  /** Of keys and values. */
  readonly bytes: number;
}

/**
 * Copies the present state into a directory that is empty or not there. Durable, and read back, once resolved; await it before the
 * store is closed. On an error nothing is left but empty folders; a process that is killed leaves what the next copy to there
 * removes. 22023 when something else is there, 55006 when somebody copies to there now, 53100 and 58030 from the disk, XX001 when
 * a part of either cannot be read.
 */
export function copyStore(store: Store, directory: string, options: StoreCopyOptions): Promise<StoreCopy> {
  return copyExtended(store, directory, options, undefined);
}

/** How a copy goes on before it counts. */
export interface CopyExtension {
  /** The seq at which the copy begins to go on. */
  readonly seq: Seq;
  /** Space numbers below may have been handed out by what is added. */
  readonly spaceLimit: number;
  /** What was copied has been read back. Commits to the copy; what it throws ends the copy. */
  extend(copy: Store): Promise<void>;
}

/** As copyStore, of a copy that goes on before it counts. Then all of it is checked, in place of being compared with the original. */
export async function copyExtended(
  store: Store,
  directory: string,
  options: StoreCopyOptions,
  extension: CopyExtension | undefined,
): Promise<StoreCopy> {
  const { onProgress, ...others } = options;
  const holder = { pid: process.pid, description: `a copy that process ${process.pid} makes` };
  const copyOptions: StoreOptions = { ...others, holder };
  const view = store.view();
  try {
    return await new Copier(store, view, directory, copyOptions, onProgress, await loadChecksums()).run(extension);
  } catch (error) {
    // The error that ended the copy is the one to tell.
    await discardUnfinished(directory, copyOptions).catch(() => undefined);
    throw error;
  } finally {
    view.release();
  }
}

/** What was read in order: as much of it as tells that something else is the same. */
export class Reading {
  entries = 0;
  bytes = 0;
  private digest = 0;
  private readonly checksums: Checksums;

  constructor(checksums: Checksums) {
    this.checksums = checksums;
  }

  take({ count, keyBuffers, keyStarts, keyEnds, valueBuffers, valueStarts, valueEnds }: CursorBatch): void {
    for (let i = 0; i < count; i++) {
      this.entry(
        keyBuffers[i] as Uint8Array,
        keyStarts[i] as number,
        keyEnds[i] as number,
        valueBuffers[i] as Uint8Array,
        valueStarts[i] as number,
        valueEnds[i] as number,
      );
    }
  }

  entry(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    const { checksums } = this;
    const ofKey = checksums.h32(key, keyStart, keyEnd, this.digest);
    this.digest = checksums.h32(value, valueStart, valueEnd, ofKey);
    this.bytes += keyEnd - keyStart + valueEnd - valueStart;
    this.entries++;
  }

  equals(other: Reading): boolean {
    return this.entries === other.entries && this.bytes === other.bytes && this.digest === other.digest;
  }
}

class Copier {
  private readonly store: Store;
  private readonly view: StoreView;
  private readonly directory: string;
  private readonly options: StoreOptions;
  private readonly onProgress: ((progress: CopyProgress) => void) | undefined;
  private readonly checksums: Checksums;
  private readonly batch = new CursorBatch(BATCH_ENTRIES);

  constructor(
    store: Store,
    view: StoreView,
    directory: string,
    options: StoreOptions,
    onProgress: ((progress: CopyProgress) => void) | undefined,
    checksums: Checksums,
  ) {
    this.store = store;
    this.view = view;
    this.directory = directory;
    this.options = options;
    this.onProgress = onProgress;
    this.checksums = checksums;
  }

  async run(extension: CopyExtension | undefined): Promise<StoreCopy> {
    const { store, view, directory, options } = this;
    const filled = options.engines.filter((factory) => !isVolatile(factory) && this.holdsAnything(factory));
    const { timeline, spaceLimit } = store.origin();
    // Each load is a commit, and the last of them has the seq of the view.
    const origin: StoreOrigin = {
      timeline: timeline + 1,
      seq: Math.max(0, (extension?.seq ?? view.seq) - filled.length),
      spaceLimit: Math.max(spaceLimit, extension?.spaceLimit ?? 0),
    };
    const copy = await openUnfinished(directory, options, origin);
    let written: Reading;
    try {
      written = await this.write(copy, filled);
      if (extension !== undefined) {
        await this.verify(copy, written, filled);
        await extension.extend(copy);
      }
      await copy.close();
    } catch (error) {
      await copy.close({ checkpoint: false }).catch(() => undefined);
      throw error;
    }
    const { entries, bytes } = written;
    const seq = await this.finish(extension === undefined ? written : undefined, filled, origin);
    return { seq, entries, bytes };
  }

  private holdsAnything({ code }: EngineFactory): boolean {
    if (this.store.engine(code) === undefined) return false;
    const cursor = this.view.cursor(rangeOf(code));
    try {
      return cursor.next();
    } finally {
      cursor.close();
    }
  }

  private async write(copy: Store, filled: readonly EngineFactory[]): Promise<Reading> {
    const written = new Reading(this.checksums);
    let expected = 0;
    for (const { code } of filled) expected += this.store.engine(code)?.estimate(rangeOf(code)).keys ?? 0;
    const { batch } = this;
    for (const { code, name } of filled) {
      const load = copy.beginLoad(code);
      if (load === undefined) throw unsupportedError(`a copy of engine "${name}", which has no files`);
      try {
        await this.walk(
          this.view.cursor(rangeOf(code)),
          written,
          () => this.tell('copy', written, expected),
          () => {
            for (let i = 0; i < batch.count; i++) {
              load.put(
                batch.keyBuffers[i] as Uint8Array,
                batch.keyStarts[i] as number,
                batch.keyEnds[i] as number,
                batch.valueBuffers[i] as Uint8Array,
                batch.valueStarts[i] as number,
                batch.valueEnds[i] as number,
              );
            }
          },
        );
        await load.commit();
      } catch (error) {
        load.discard();
        throw error;
      }
    }
    return written;
  }

  /**
   * Opens the copy as anybody will, compares it with what was written, or checks it when that is not all it has, and gives it its
   * name. Gives its seq.
   */
  private async finish(
    written: Reading | undefined,
    filled: readonly EngineFactory[],
    origin: StoreOrigin,
  ): Promise<Seq> {
    const { directory, options } = this;
    const copy = await openUnfinished(directory, { ...options, readOnly: true }, origin);
    try {
      if (written !== undefined) await this.verify(copy, written, filled);
      else await checkWhole(copy);
      nameSuperblock(options.vfs, directory);
      return copy.visibleSeq;
    } finally {
      // Nothing was written by it.
      await copy.close().catch(() => undefined);
    }
  }

  /** Reads all of the copy: XX001 when it is not what was written. */
  private async verify(copy: Store, written: Reading, filled: readonly EngineFactory[]): Promise<void> {
    const found = new Reading(this.checksums);
    const view = copy.view();
    try {
      for (const { code } of filled) {
        await this.walk(view.cursor(rangeOf(code)), found, () => this.tell('verify', found, written.entries));
      }
    } finally {
      view.release();
    }
    if (!found.equals(written)) throw differentCopy(this.directory, written, found);
  }

  /** Reads everything behind the cursor, in turns of the event loop. */
  private async walk(cursor: KvCursor, reading: Reading, tell: () => void, use?: () => void): Promise<void> {
    const { batch } = this;
    try {
      let beganMs = performance.now();
      while (cursor.fill(batch) > 0) {
        reading.take(batch);
        use?.();
        if (!eventLoop.isOverdue()) continue;
        tell();
        await eventLoop.giveWay(performance.now() - beganMs);
        beganMs = performance.now();
      }
      tell();
    } finally {
      cursor.close();
    }
  }

  private tell(phase: CopyProgress['phase'], { entries, bytes }: Reading, entriesExpected: number): void {
    this.onProgress?.({ phase, entries, bytes, entriesExpected: Math.max(entries, entriesExpected) });
  }
}

/** From here on the copy is a store. Where nobody knows whether that would survive a power cut, it is none. */
export function nameSuperblock(vfs: Vfs, directory: string): void {
  const unfinished = joinPath(directory, UNFINISHED_FILE);
  const finished = joinPath(directory, SUPERBLOCK_FILE);
  vfs.rename(unfinished, finished);
  try {
    vfs.syncDir(directory);
  } catch (error) {
    vfs.rename(finished, unfinished);
    throw error;
  }
}

/** All keys of an engine: its code stands in the upper half of their first byte. */
export function rangeOf(code: EngineCode): KeyRange {
  const lower = new Uint8Array(SPACE_BYTES);
  lower[0] = code << 4;
  return { lower, upper: Uint8Array.of((code + 1) << 4) };
}

/** XX001 for the first part of a store that cannot be read. */
async function checkWhole(copy: Store): Promise<void> {
  for await (const { severity, file, message } of copy.check()) {
    if (severity === 'corruption') throw corruptionError(message, { file });
    if (eventLoop.isOverdue()) await eventLoop.nextTurn();
  }
}

/** Of a copy that is not what was written. */
export function differentCopy(directory: string, written: Reading, found: Reading): PhantomError {
  return new PhantomError(SqlState.DataCorrupted, 'the copy does not read as it was written', {
    detail: `${written.entries} entries of ${written.bytes} bytes were written, ${found.entries} of ${found.bytes} were read, or others.`,
    hint: 'The disk of the copy does not keep what it is given.',
    data: { file: directory },
  });
}
