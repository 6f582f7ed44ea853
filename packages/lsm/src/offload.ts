/**
 * Flushes and compactions in threads of their own, where that is possible and pays; otherwise in slices on this one. One
 * thread for each kind in a process: neither a flush nor a merge of tiers may queue behind a compaction, and what is
 * longer than a flush must not hold up flushes, for which writers wait.
 *
 * The thread writes the runs, this one makes them durable.
 */
import type { Seq } from '@phantom/kv';
import {
  type Delta,
  DeltaCopies,
  type Wait,
  type WorkerCall,
  WorkerThread,
  resultOf,
  syncWritten,
} from '@phantom/runs';
import { type CompactionPlan, type CompactionResult, compact } from './compaction.js';
import { type RunTarget, flushDelta } from './flush.js';
import { runName } from './format.js';
import { type OutputPort, type OutputStyle, type Slices, type WrittenRun, removeQuietly } from './run-output.js';
import type { CompactInput, FlushInput } from './worker-main.js';
import { WORKER_SOURCE } from './worker-source.js';

/** Shared by all trees of the process; started by the first job that is worth it. */
export const threads = {
  flush: new WorkerThread('lsm-flush', WORKER_SOURCE),
  compaction: new WorkerThread('lsm-compaction', WORKER_SOURCE),
  tiers: new WorkerThread('lsm-tiers', WORKER_SOURCE),
};

/** What the thread for flushes reads, of all trees of the process. */
export const deltaCopies = new DeltaCopies();

export interface OffloadOptions {
  readonly port: OutputPort;
  readonly slices: Slices;
  /** Work on fewer bytes stays on this thread. */
  readonly workerBytesMin: number;
}

export class Offload {
  /** Jobs that a worker thread did. */
  count = 0;
  private readonly options: OffloadOptions;

  constructor(options: OffloadOptions) {
    this.options = options;
  }

  /** As flushDelta. */
  *flush(delta: Delta, viewSeqs: readonly Seq[], target: RunTarget, style: OutputStyle): Generator<Wait, WrittenRun> {
    const { port, slices } = this.options;
    if (this.pays(delta.bytes)) {
      const { directory } = port;
      const { descriptor, buffer } = yield* deltaCopies.make(delta.descriptor());
      const input: FlushInput = { directory, delta: descriptor, viewSeqs, target, style };
      const release = (): void => deltaCopies.giveBack(buffer);
      const call = threads.flush.call<WrittenRun>('flush', input, release);
      const written = yield* this.synced(call, (run) => [run]);
      if (written !== undefined) return written;
    }
    return yield* flushDelta(delta, viewSeqs, target, style, port, slices);
  }

  /** As compact. */
  *compact(plan: CompactionPlan): Generator<Wait, CompactionResult> {
    const { port, slices } = this.options;
    let bytes = 0;
    for (const { runs } of plan.layers) for (const run of runs) bytes += run.bytes;
    if (this.pays(bytes)) {
      const input: CompactInput = { directory: port.directory, plan };
      const thread = plan.isTier ? threads.tiers : threads.compaction;
      const call = thread.call<CompactionResult>('compact', input);
      const result = yield* this.synced(call, (all) => all.written);
      if (result !== undefined) return result;
    }
    return yield* compact(plan, port, slices);
  }

  private pays(bytes: number): boolean {
    const { port, workerBytesMin } = this.options;
    return port.vfs.isShared === true && bytes >= workerBytesMin && threads.flush.isAvailable;
  }

  /** The runs that it wrote are synced in the end, or removed. Undefined when the thread was lost: do it without. */
  private *synced<R>(call: WorkerCall<R>, runsOf: (value: R) => readonly WrittenRun[]): Generator<Wait, R | undefined> {
    const { vfs, directory, logger } = this.options.port;
    let isDone = false;
    try {
      const value = yield* resultOf(call, logger);
      if (value !== undefined) {
        const names = runsOf(value).map(({ number }) => runName(number));
        yield* syncWritten(vfs, directory, names);
        this.count++;
      }
      isDone = true;
      return value;
    } finally {
      if (!isDone && call.value !== undefined) {
        for (const { number } of runsOf(call.value)) removeQuietly(this.options.port, number);
      }
    }
  }
}
