/** Options of what drives sagas, each with its default. */
import {
  type Clock,
  type Logger,
  type Metrics,
  MetricsRegistry,
  type Tracer,
  checkOptions,
  optionNames,
  silentLogger,
  systemClock,
} from '@phantom/base';
import type { Mvcc, MvccTransaction } from '@phantom/mvcc';

/** Writes into the journal within the transaction that a local step works in. */
export type WriteJournal = (write: (transaction: MvccTransaction) => void) => Promise<void>;

/**
 * Runs work in a transaction of the caller's kind, at least at repeatable read, again when it loses a race, and commits it: durable on return.
 * It is told by `signal` when the work is given up.
 */
export type Transact<Tx> = (
  work: (tx: Tx, journal: WriteJournal) => Promise<void>,
  signal: AbortSignal,
) => Promise<void>;

export interface SagaRunnerOptions<Tx> {
  readonly mvcc: Mvcc;
  /** The space of the store in which the journal lies, and nothing else. */
  readonly space: number;
  /** Keeps the sagas of several databases in one store apart: a u32. Default 0. */
  readonly scope?: number;
  readonly transact: Transact<Tx>;
  /** Sagas driven at once; others wait for their turn. Default 100. */
  readonly runningMax?: number;
  /** How long one that is over is kept, so that its id begins nothing again. Default 7 days. */
  readonly keepMs?: number;
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly metrics?: Metrics;
  /** Where spans of attempts at steps go. Default: nowhere. */
  readonly tracer?: Tracer | undefined;
}

export type ResolvedSagaOptions<Tx> = Required<Omit<SagaRunnerOptions<Tx>, 'tracer'>> &
  Pick<SagaRunnerOptions<Tx>, 'tracer'>;

const SAGA_OPTIONS = optionNames<SagaRunnerOptions<unknown>>({
  mvcc: true,
  space: true,
  scope: true,
  transact: true,
  runningMax: true,
  keepMs: true,
  clock: true,
  logger: true,
  metrics: true,
  tracer: true,
});

/** With defaults; 22023 for an option that nobody knows. */
export function resolveSagaOptions<Tx>(options: SagaRunnerOptions<Tx>): ResolvedSagaOptions<Tx> {
  checkOptions('SagaRunner', options, SAGA_OPTIONS);
  return {
    scope: 0,
    runningMax: 100,
    keepMs: 7 * 24 * 3_600_000,
    clock: systemClock,
    logger: silentLogger,
    metrics: new MetricsRegistry(),
    ...options,
  };
}
