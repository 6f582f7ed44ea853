/**
 * A read in partitions, which other threads share (exec/gather.ts). Which reads those are is the rule of read-elsewhere.ts; what stays
 * here is read by this thread alone, in the same partitions, so that the answer does not tell the difference.
 */
import type { Partition, PartitionPiece, PartitionReads, PartitionWork } from '../exec/runtime.js';
import type { PreparedPlan } from '../plan/prepared-plan.js';
import type { SessionExecutionContext } from './execution-context.js';
import type { ReadView, RemoteRows } from './ports.js';
import { addWork, isForOthers, remoteRead } from './read-elsewhere.js';
import { type SharedPartitions, claimPartition, decodePiece } from './remote-read.js';
import type { SqlSession } from './session.js';
import type { PlanStatement } from './statement.js';

export type BeginPartitions = (
  partitions: readonly Partition[],
  isMeasured: boolean,
) => PartitionReads | Promise<void> | undefined;

/** Lets other threads share in an execution, where it may be. `view`: all that it would read, if that is so. */
export function shareRead(
  session: SqlSession,
  statement: PlanStatement,
  { partitioned }: PreparedPlan,
  context: SessionExecutionContext,
  view: ReadView | undefined,
): void {
  const { workers } = session.engine;
  const threadsMax = session.settings.integer('max_parallel_workers_per_gather');
  if (workers === undefined || view === undefined || partitioned === undefined || threadsMax === 0) return;
  if (!isForOthers(session, statement, view)) return;
  context.partitionsElsewhere = (all, isMeasured) => {
    const shared = { shape: partitioned.shape, all, isMeasured, begun: new Int32Array(new SharedArrayBuffer(4)) };
    const read = remoteRead(session, statement, context.parameters);
    const begun = read === undefined ? [] : workers.beginAll({ ...read, partitions: shared }, view, threadsMax);
    if (begun instanceof Promise) return begun;
    return begun.length === 0 ? undefined : new SharedReads(session, shared, begun);
  };
}

/** The threads that share in a read. */
class SharedReads implements PartitionReads {
  readonly threads: number;
  readonly work: PartitionWork[] = [];
  private readonly shared: SharedPartitions;
  /** Those that may still send something. */
  private readers: readonly RemoteRows[];
  private readonly waits: Promise<void>[] = [];

  constructor({ engine }: SqlSession, shared: SharedPartitions, readers: readonly RemoteRows[]) {
    this.shared = shared;
    this.readers = readers;
    this.threads = readers.length;
    engine.counters.remoteExecutions += readers.length;
    for (const reader of readers) {
      reader.onEnd = () => {
        const { outcome } = reader;
        if (outcome !== undefined) addWork(engine.counters, outcome.counters);
        if (outcome?.work !== undefined) this.work.push(outcome.work);
      };
    }
  }

  get isReading(): boolean {
    return this.readers.length > 0;
  }

  get slices(): number {
    return this.readers.reduce((sum, reader) => sum + reader.slices, 0);
  }

  claim(): number | undefined {
    return claimPartition(this.shared, false);
  }

  take(): PartitionPiece | undefined {
    this.waits.length = 0;
    for (const reader of this.readers) {
      const block = this.nextOf(reader);
      if (block === undefined) this.readers = this.readers.filter((other) => other !== reader);
      else if (block instanceof Promise) this.waits.push(block);
      else return decodePiece(block);
    }
    return undefined;
  }

  wait(): Promise<void> {
    return Promise.race(this.waits);
  }

  close(): void {
    for (const reader of this.readers) reader.close();
  }

  /** What a thread that is gone has claimed is run by others: its end is none of the read. */
  private nextOf(reader: RemoteRows): ReturnType<RemoteRows['next']> {
    try {
      return reader.next();
    } catch (error) {
      if (reader.isLost) return undefined;
      throw error;
    }
  }
}
