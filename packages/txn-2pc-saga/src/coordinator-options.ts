/** Options of a coordinator, each with its default. */
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

export interface CoordinatorOptions {
  /** Nobody else who talks to the same participants has it: 1 to 64 of `A-Z a-z 0-9 _ -`. The same after each restart. */
  readonly name: string;
  /** The space of the store in which decisions are written, and nothing else. */
  readonly space: number;
  /** How long a participant may take to answer; a vote that takes longer is a no. Default 30 seconds. */
  readonly answerMsMax?: number;
  /** From a question that was not answered to the next one; doubles each time, up to `retryMsMax`. Default 200. */
  readonly retryMs?: number;
  /** Default 30 seconds. */
  readonly retryMsMax?: number;
  /** How often a participant is asked what it has in doubt. Default a minute. */
  readonly roundEveryMs?: number;
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly metrics?: Metrics;
  /** Where spans of commits and their branches go. Default: nowhere. */
  readonly tracer?: Tracer | undefined;
}

export type ResolvedOptions = Required<Omit<CoordinatorOptions, 'tracer'>> & Pick<CoordinatorOptions, 'tracer'>;

const COORDINATOR_OPTIONS = optionNames<CoordinatorOptions>({
  name: true,
  space: true,
  answerMsMax: true,
  retryMs: true,
  retryMsMax: true,
  roundEveryMs: true,
  clock: true,
  logger: true,
  metrics: true,
  tracer: true,
});

/** With defaults; 22023 for an option that nobody knows. */
export function resolveOptions(options: CoordinatorOptions): ResolvedOptions {
  checkOptions('Coordinator', options, COORDINATOR_OPTIONS);
  return {
    name: options.name,
    space: options.space,
    answerMsMax: options.answerMsMax ?? 30_000,
    retryMs: options.retryMs ?? 200,
    retryMsMax: options.retryMsMax ?? 30_000,
    roundEveryMs: options.roundEveryMs ?? 60_000,
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
    metrics: options.metrics ?? new MetricsRegistry(),
    tracer: options.tracer,
  };
}
