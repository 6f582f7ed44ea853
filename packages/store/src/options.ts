/** The store's settings with their defaults, resolved once at opening. */
import {
  type Clock,
  type Logger,
  type Metrics,
  MetricsRegistry,
  PhantomError,
  SqlState,
  silentLogger,
  systemClock,
  type Tracer,
} from '@phantom/base';
import type { Vfs, LockHolder } from '@phantom/vfs';
import type { Durability } from '@phantom/wal';
import { ENGINE_NAME_BYTES_MAX } from './format.js';
import type { EngineFactory, LogFactory, StoreOptions } from './types.js';

const MIB = 1024 * 1024;

/** Time one uninterrupted slice of applying may take before the event loop gets its turn. */
export const APPLY_SLICE_MS_MAX = 4;
/** Operations applied between two looks at the clock: about 0.3 ms. */
export const APPLY_SLICE_OPERATIONS = 512;
/** How long a sync waits for the commits of others who are at work, where commits have lately come together. */
export const SYNC_DELAY_MS_MAX = 1;
/** How long a commit that asked for `os` in a store of durability `fsync` may stay unsynced. */
export const OS_SYNC_DELAY_MS = 200;
/** Checkpoints that begin by themselves keep this distance, unless the log reaches `checkpointBytesMax`. */
export const CHECKPOINT_INTERVAL_MS = 500;
/** Space numbers reserved at a time: a crash loses the rest of a block, and 2^28 numbers bear a quarter of a million of them. */
export const SPACE_BLOCK_NUMBERS = 1024;

/** What a change feed buffers of commits that nobody has taken yet; past it it reads them from the log. */
export const CHANGE_BUFFER_BYTES = MIB;
/** Log that a change feed may hold back, unless it is told otherwise. */
export const CHANGE_LOG_BYTES_MAX = 1024 * MIB;

/** Bytes that one step of a move copies: about 2 ms of reading. */
export const MOVE_STRETCH_BYTES = 256 * 1024;
/** Files of a move end at this size: what writers do meanwhile waits for them. */
export const MOVE_FILE_BYTES = 32 * MIB;
/** What commits have done to copied keys and the new space does not have yet; past it writers wait. */
export const MOVE_PENDING_BYTES_MAX = 16 * MIB;

/** Loads that an engine has taken and not yet named in its files: each holds descriptors. The next one waits for them. */
export const LOADS_WAITING_MAX = 8;

/** A gigabyte in 4 minutes, at a fiftieth of a processor. */
export const SCRUB_BYTES_PER_SECOND = 4 * MIB;
/** Once a week. */
export const SCRUB_EVERY_HOURS = 168;
/** Ten years. */
const SCRUB_HOURS_MAX = 87_600;

export interface ResolvedOptions {
  readonly vfs: Vfs;
  readonly engines: readonly EngineFactory[];
  readonly durability: Durability;
  readonly cacheBytes: number;
  readonly deltaBytesMax: number;
  readonly checkpointBytesMin: number;
  readonly checkpointBytesMax: number;
  readonly changesKeepBytes: number;
  readonly segmentBytes: number | undefined;
  readonly scrubBytesPerSecond: number;
  readonly scrubEveryHours: number;
  readonly readOnly: boolean;
  readonly create: boolean;
  readonly holder: LockHolder;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly tracer: Tracer | undefined;
  readonly log: LogFactory | undefined;
}

/** Fills in defaults; 22023 for settings that cannot be. */
export function resolveOptions(options: StoreOptions): ResolvedOptions {
  const names = new Set<string>();
  const codes = new Set<number>();
  for (const factory of options.engines) {
    if (names.has(factory.name) || codes.has(factory.code))
      throw invalid(`two engines are called "${factory.name}" or have its code`);
    if (
      !/^[a-z][a-z0-9-]*$/.test(factory.name) ||
      factory.name.length > ENGINE_NAME_BYTES_MAX ||
      factory.name === 'log'
    ) {
      throw invalid(
        `"${factory.name}" cannot be the name of an engine: at most ${ENGINE_NAME_BYTES_MAX} lower-case letters, digits and hyphens`,
      );
    }
    names.add(factory.name);
    codes.add(factory.code);
  }
  if (options.engines.length === 0) throw invalid('a store needs at least one engine');
  for (const name of [
    'cacheBytes',
    'deltaBytesMax',
    'checkpointBytesMin',
    'checkpointBytesMax',
    'segmentBytes',
    'scrubBytesPerSecond',
  ] as const) {
    const value = options[name];
    if (value !== undefined && !(value > 0)) throw invalid(`${name} must be above zero`);
  }
  const { scrubEveryHours = 0 } = options;
  if (!(scrubEveryHours >= 0 && scrubEveryHours <= SCRUB_HOURS_MAX))
    throw invalid(`scrubEveryHours lies between 0 and ${SCRUB_HOURS_MAX}`);
  const checkpointBytesMax = options.checkpointBytesMax ?? 64 * MIB;
  return {
    vfs: options.vfs,
    engines: options.engines,
    durability: options.durability ?? 'fsync',
    cacheBytes: options.cacheBytes ?? 64 * MIB,
    deltaBytesMax: options.deltaBytesMax ?? 64 * MIB,
    checkpointBytesMin: Math.min(options.checkpointBytesMin ?? 4 * MIB, checkpointBytesMax),
    checkpointBytesMax,
    changesKeepBytes: options.changesKeepBytes ?? 0,
    segmentBytes: options.segmentBytes,
    scrubBytesPerSecond: options.scrubBytesPerSecond ?? SCRUB_BYTES_PER_SECOND,
    scrubEveryHours: options.scrubEveryHours ?? SCRUB_EVERY_HOURS,
    readOnly: options.readOnly ?? false,
    create: options.create ?? true,
    holder: options.holder ?? { pid: process.pid, description: 'a Phantom-DB store' },
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
    metrics: options.metrics ?? new MetricsRegistry(),
    tracer: options.tracer,
    log: options.log,
  };
}

function invalid(message: string): PhantomError {
  return new PhantomError(SqlState.InvalidParameterValue, message);
}
