/** The settings of transactions with their defaults. */
import {
  type Clock,
  type Logger,
  type Metrics,
  MetricsRegistry,
  PhantomError,
  SqlState,
  silentLogger,
  systemClock,
} from '@phantom/base';
import { BATCH_BYTES_MAX, type SpaceId } from '@phantom/kv';
import type { ConflictNames, DeadlockPolicy, MvccOptions, WaitingMode } from './types.js';

const MIB = 1024 * 1024;

/** What is in the order of its keys is put aside from so many bytes on: it becomes a file that is not written again. */
const ORDERED_BYTES_MAX = 32 * MIB - 256 * 1024;
/** Or from this share of what others may have in memory on. */
const ORDERED_SHARE = 1 / 2;

/** Write sets kept for later transactions: about as many as a busy server has open at once. */
export const POOLED_WRITE_SETS_MAX = 64;

/** Transactions that wait for their second phase, unless told otherwise: each keeps its writes and locks in memory. */
export const PREPARED_MAX_DEFAULT = 1000;

export interface ResolvedMvccOptions {
  readonly conflictIndexBytesMax: number;
  readonly writeSetBytesMax: number;
  /** Likewise of a write set that is in the order of its keys. */
  readonly orderedBytesMax: number;
  readonly spillBytesMax: number;
  readonly readSetBytesMax: number;
  readonly serializableBytesMax: number;
  readonly sessionLocksMax: number;
  readonly lockTimeoutMs: number;
  readonly preparedSpace: SpaceId | undefined;
  readonly preparedMax: number;
  readonly preparedTimeoutMs: number;
  readonly longTransactionMs: number;
  readonly tracesBegin: boolean;
  readonly deadlockPolicy: DeadlockPolicy;
  readonly waiting: WaitingMode;
  readonly names: ConflictNames;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

const NAMELESS: ConflictNames = { describe: () => undefined };

/** Fills in defaults; 22023 for a write set larger than a batch can be. */
export function resolveMvccOptions(options: MvccOptions): ResolvedMvccOptions {
  const { writeSetBytesMax = 64 * MIB } = options;
  if (!(writeSetBytesMax > 0 && writeSetBytesMax <= BATCH_BYTES_MAX)) {
    throw new PhantomError(
      SqlState.InvalidParameterValue,
      `writeSetBytesMax lies between 1 and ${BATCH_BYTES_MAX}, not ${writeSetBytesMax}`,
    );
  }
  return {
    conflictIndexBytesMax: options.conflictIndexBytesMax ?? 64 * MIB,
    writeSetBytesMax,
    orderedBytesMax: Math.min(ORDERED_BYTES_MAX, Math.ceil(writeSetBytesMax * ORDERED_SHARE)),
    spillBytesMax: options.spillBytesMax ?? 16 * 1024 * MIB,
    readSetBytesMax: options.readSetBytesMax ?? MIB,
    serializableBytesMax: options.serializableBytesMax ?? 64 * MIB,
    sessionLocksMax: options.sessionLocksMax ?? 100_000,
    lockTimeoutMs: options.lockTimeoutMs ?? 0,
    preparedSpace: options.preparedSpace,
    preparedMax: options.preparedMax ?? PREPARED_MAX_DEFAULT,
    preparedTimeoutMs: options.preparedTimeoutMs ?? 0,
    longTransactionMs: options.longTransactionMs ?? 5 * 60_000,
    tracesBegin: options.tracesBegin ?? false,
    deadlockPolicy: options.deadlockPolicy ?? 'youngest',
    waiting: options.waiting ?? 'detect',
    names: options.names ?? NAMELESS,
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
    metrics: options.metrics ?? new MetricsRegistry(),
  };
}
