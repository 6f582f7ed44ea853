/** Every setting of the log, checked, with its default filled in. */
import {
  type Checksums,
  type Clock,
  type Logger,
  type Metrics,
  PhantomError,
  SqlState,
  silentLogger,
  systemClock,
} from '@phantom/base';
import type { Vfs } from '@phantom/vfs';
import { RECORD_HEADER_BYTES, SEGMENT_HEADER_BYTES } from './format.js';
import type { Durability, LogOwner, Lsn, WalOptions } from './wal-types.js';

const SEGMENT_BYTES_DEFAULT = 16 * 1024 * 1024;
/** Room for the header and a few records; below it rotation would be all a log does. */
const SEGMENT_BYTES_MIN = 1024;
const SEGMENT_BYTES_MAX = 1024 * 1024 * 1024;
const RECYCLED_SEGMENTS_MAX_DEFAULT = 4;
const BUFFER_BYTES_MAX_DEFAULT = 8 * 1024 * 1024;
const BUFFER_BYTES_MIN = 4096;
/** Payloads above this are split: bounds the buffer, and what the rest of a segment may waste. */
const FRAGMENT_BYTES_MAX = 1024 * 1024;

export interface Settings {
  readonly directory: string;
  readonly vfs: Vfs;
  readonly checksums: Checksums;
  readonly durability: Durability;
  readonly segmentBytes: number;
  readonly recycledSegmentsMax: number;
  readonly bufferBytesMax: number;
  /** Payload bytes of one record; more become fragments. */
  readonly fragmentBytesMax: number;
  readonly owner: LogOwner | undefined;
  readonly droppedBefore: Lsn;
  readonly readOnly: boolean;
  readonly lockDirectory: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics | undefined;
}

export function settingsOf(options: WalOptions): Settings {
  const segmentBytes = checked(
    'segmentBytes',
    options.segmentBytes ?? SEGMENT_BYTES_DEFAULT,
    SEGMENT_BYTES_MIN,
    SEGMENT_BYTES_MAX,
  );
  const bufferBytesMax = checked(
    'bufferBytesMax',
    options.bufferBytesMax ?? BUFFER_BYTES_MAX_DEFAULT,
    BUFFER_BYTES_MIN,
    SEGMENT_BYTES_MAX,
  );
  const recordRoom = Math.min(segmentBytes - SEGMENT_HEADER_BYTES, bufferBytesMax) - RECORD_HEADER_BYTES;
  return {
    directory: options.directory,
    vfs: options.vfs,
    checksums: options.checksums,
    durability: options.durability ?? 'fsync',
    segmentBytes,
    recycledSegmentsMax: checked(
      'recycledSegmentsMax',
      options.recycledSegmentsMax ?? RECYCLED_SEGMENTS_MAX_DEFAULT,
      0,
      1024,
    ),
    bufferBytesMax,
    fragmentBytesMax: Math.min(FRAGMENT_BYTES_MAX, recordRoom & ~7),
    owner: options.owner,
    droppedBefore: options.droppedBefore ?? 0,
    readOnly: options.readOnly ?? false,
    lockDirectory: options.lockDirectory ?? true,
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
    metrics: options.metrics,
  };
}

function checked(name: string, value: number, min: number, max: number): number {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
  throw new PhantomError(SqlState.InvalidParameterValue, `${name} must be an integer from ${min} to ${max}`, {
    detail: `It is ${value}.`,
  });
}
