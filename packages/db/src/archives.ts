/**
 * Archives: every commit of the store, beside bases of it, in a directory of their own, and the way back from there. See
 * `packages/store/src/archive/archiver.ts` for how one is written.
 */
import {
  type Clock,
  type Logger,
  type Metrics,
  PhantomError,
  checkOptions,
  optionNames,
  unsupportedError,
} from '@phantom/base';
import { btree } from '@phantom/btree';
import { lsm } from '@phantom/lsm';
import { SharedMemory } from '@phantom/runs';
import {
  type ArchiveOptions,
  type Archiver,
  type EngineFactory,
  type RestoreProgress,
  type RestoreResult,
  type Store,
  openArchive,
  restoreStore,
} from '@phantom/store';
import { type Vfs, createNodeVfs } from '@phantom/vfs';
import { MEMORY_DIRECTORY } from './options.js';

const MIB = 1024 * 1024;
/** Bases and restored stores are written in order and read in order. */
const CACHE_BYTES = 8 * MIB;
const DELTA_BYTES_MAX = 8 * MIB;

const ARCHIVE_OPTIONS = optionNames<ArchiveOptions>({
  directory: true,
  timeoutMs: true,
  fileBytesMax: true,
  baseEveryMs: true,
  basesKept: true,
  logBytesMax: true,
  retryMs: true,
});

/** What a database shows of its archive. */
export type Archive = Pick<Archiver, 'state' | 'flush' | 'makeBase' | 'createPoint'>;

export interface RestoreOptions {
  /** The last commit that the restored database is to have, as a commit's result names it (`seq`). */
  readonly toSeq?: number;
  /** Instead: the last moment. */
  readonly toTime?: Date;
  /** Instead: the restore point of this name (pg_create_restore_point). Without any of them everything is restored that the archive has. */
  readonly toName?: string;
  /** Told now and then; what it throws ends the restore. */
  readonly onProgress?: (progress: RestoreProgress) => void;
  /** Aborting it ends the restore with 57014. */
  readonly signal?: AbortSignal;
  readonly logger?: Logger;
}

const RESTORE_OPTIONS = optionNames<RestoreOptions>({
  toSeq: true,
  toTime: true,
  toName: true,
  onProgress: true,
  signal: true,
  logger: true,
});

/** Opens the archive of a store, on the store's disk; before anything is committed. See openArchive for what it rejects with. */
export async function openArchiveOf(
  store: Store,
  vfs: Vfs,
  options: ArchiveOptions,
  ports: { readonly clock: Clock; readonly logger: Logger; readonly metrics: Metrics },
): Promise<Archiver> {
  checkOptions('archive', options, ARCHIVE_OPTIONS);
  if (typeof options.directory !== 'string') throw new PhantomError('22023', 'an archive needs a directory');
  if (store.directory === MEMORY_DIRECTORY) throw unsupportedError('an archive of a database in memory');
  return openArchive(store, options, { ...ports, vfs, engines: makeEngines() });
}

/**
 * Makes a data directory, empty or not there before, of an archive: the database as it was after one commit, or at one moment. It
 * opens like any other once this resolves, and not before; the archive is only read. 22023 for the target and a directory that is
 * taken, 55000 when the archive does not reach the target or has a gap before it, XX001 for damage, which is named before anything is
 * written, 58P01 when there is no archive, 53100 and 58030 from the disk.
 */
export function restore(archive: string, directory: string, options: RestoreOptions = {}): Promise<RestoreResult> {
  return restoreOn(createNodeVfs(), archive, directory, options);
}

/** As restore, on a disk of the caller's. */
export async function restoreOn(
  vfs: Vfs,
  archive: string,
  directory: string,
  options: RestoreOptions = {},
): Promise<RestoreResult> {
  checkOptions('restore', options, RESTORE_OPTIONS);
  const { toSeq, toTime, toName, onProgress, signal, logger } = options;
  if (directory === '' || directory === MEMORY_DIRECTORY) {
    throw new PhantomError('22023', 'a restore needs a directory', { detail: `"${directory}" is none.` });
  }
  const refuse = (): void => {
    if (signal?.aborted === true) throw new PhantomError('57014', 'the restore was aborted', { cause: signal.reason });
  };
  refuse();
  return restoreStore(archive, directory, {
    vfs,
    makeEngines,
    ...(toSeq === undefined ? {} : { toSeq }),
    ...(toTime === undefined ? {} : { toTimeMs: toTime.getTime() }),
    ...(toName === undefined ? {} : { toName }),
    ...(logger === undefined ? {} : { logger }),
    onProgress: (progress) => {
      refuse();
      onProgress?.(progress);
    },
  });
}

function makeEngines(): readonly EngineFactory[] {
  const memory = new SharedMemory({ cacheBytes: CACHE_BYTES, deltaBytesMax: DELTA_BYTES_MAX });
  return [btree({ memory }), lsm({ memory })];
}
