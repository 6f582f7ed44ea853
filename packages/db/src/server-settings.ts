/** How the database was opened, as sessions tell of it by PostgreSQL's names (SHOW data_directory). */
import type { ServerSettings } from '@phantom/sql';
import { DEFAULT_CACHE_BYTES, DEFAULT_PREPARED_MAX, type DatabaseOptions, MEMORY_DIRECTORY } from './options.js';

/** Bytes of a block, in which PostgreSQL reckons memory for pages. */
const BLOCK_BYTES = 8192;
const MIB = 2 ** 20;
/** Where nothing else is said (ArchiveOptions.timeoutMs). */
const ARCHIVE_TIMEOUT_MS = 60_000;

/** `workersMax`: threads for costly reads. */
export function serverSettingsOf(directory: string, options: DatabaseOptions, workersMax: number): ServerSettings {
  const {
    durability = 'fsync',
    cacheBytes = DEFAULT_CACHE_BYTES,
    preparedMax = DEFAULT_PREPARED_MAX,
    archive,
    checkpointBytesMin,
    checkpointBytesMax,
  } = options;
  const told = new Map([
    ['archive_mode', archive === undefined ? 'off' : 'on'],
    ['data_directory', directory === MEMORY_DIRECTORY ? '' : directory],
    ['fsync', durability === 'fsync' ? 'on' : 'off'],
    ['max_prepared_transactions', String(preparedMax)],
    ['max_worker_processes', String(workersMax)],
    ['shared_buffers', String(Math.floor(cacheBytes / BLOCK_BYTES))],
  ]);
  if (archive !== undefined)
    told.set('archive_timeout', String(Math.ceil((archive.timeoutMs ?? ARCHIVE_TIMEOUT_MS) / 1000)));
  if (checkpointBytesMin !== undefined) told.set('min_wal_size', String(Math.ceil(checkpointBytesMin / MIB)));
  if (checkpointBytesMax !== undefined) told.set('max_wal_size', String(Math.ceil(checkpointBytesMax / MIB)));
  return told;
}
