/**
 * Backups: copies of the whole store, all its databases among them, into a directory that can be opened like any other. Whoever
 * closes the database ends those that are being made.
 */
import { type Clock, PhantomError, checkOptions, optionNames } from '@phantom/base';
import { btree } from '@phantom/btree';
import { lsm } from '@phantom/lsm';
import { SharedMemory } from '@phantom/runs';
import { type CopyProgress, type Store, type StoreCopy, copyStore } from '@phantom/store';
import { type Vfs, createNodeVfs } from '@phantom/vfs';
import { MEMORY_DIRECTORY } from './options.js';

const MIB = 1024 * 1024;
/** A copy is written in order and read in order, once each. */
const CACHE_BYTES = 8 * MIB;
const DELTA_BYTES_MAX = 8 * MIB;

/** How far a backup is. */
export type BackupProgress = CopyProgress;
/** What a backup holds. */
export type BackupResult = StoreCopy;

export interface BackupOptions {
  /** Told now and then; what it throws ends the backup. */
  readonly onProgress?: (progress: BackupProgress) => void;
  /** Aborting it ends the backup with 57014. */
  readonly signal?: AbortSignal;
}

const BACKUP_OPTIONS = optionNames<BackupOptions>({ onProgress: true, signal: true });

/** The last backup of this process that was read back and counts. */
export interface LastBackup {
  /** When it was done, in milliseconds since 1970. */
  readonly atMs: number;
  readonly directory: string;
  readonly seq: number;
  readonly bytes: number;
}

export class Backups {
  /** Undefined before the first. */
  last: LastBackup | undefined;
  private readonly store: Store;
  private readonly vfs: Vfs;
  private readonly clock: Clock;
  private readonly running = new Set<Promise<unknown>>();
  private isEnding = false;

  /** `vfs` is the disk of the store. */
  constructor(store: Store, vfs: Vfs, clock: Clock) {
    this.store = store;
    this.clock = clock;
    // What is in memory goes to a real disk.
    this.vfs = store.directory === MEMORY_DIRECTORY ? createNodeVfs() : vfs;
  }

  /** See Database.backup. */
  async make(directory: string, options: BackupOptions = {}): Promise<BackupResult> {
    checkOptions('backup', options, BACKUP_OPTIONS);
    if (directory === '' || directory === MEMORY_DIRECTORY) {
      throw new PhantomError('22023', 'a backup needs a directory', {
        detail: `"${directory}" is none that could be opened.`,
      });
    }
    const { onProgress, signal } = options;
    const memory = new SharedMemory({ cacheBytes: CACHE_BYTES, deltaBytesMax: DELTA_BYTES_MAX });
    this.refuse(signal);
    const copying = copyStore(this.store, directory, {
      vfs: this.vfs,
      engines: [btree({ memory }), lsm({ memory })],
      onProgress: (progress) => {
        this.refuse(signal);
        onProgress?.(progress);
      },
    });
    this.running.add(copying);
    try {
      const copy = await copying;
      this.last = { atMs: this.clock.nowMs(), directory, seq: copy.seq, bytes: copy.bytes };
      return copy;
    } finally {
      this.running.delete(copying);
    }
  }

  /** Ends those under way, with 57P01, and resolves when none is. */
  async stop(): Promise<void> {
    this.isEnding = true;
    await Promise.allSettled(this.running);
  }

  private refuse(signal: AbortSignal | undefined): void {
    if (this.isEnding) throw new PhantomError('57P01', 'the database is closed');
    if (signal?.aborted === true) throw new PhantomError('57014', 'the backup was aborted', { cause: signal.reason });
  }
}
