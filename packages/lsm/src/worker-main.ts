/** What the tree's worker threads run. */
import { type Checksums, ThreadPriority, silentLogger, standBack } from '@phantom/base';
import { Delta, type DeltaDescriptor, serveTasks } from '@phantom/runs';
import type { Seq } from '@phantom/kv';
import { createNodeVfs } from '@phantom/vfs';
import { type CompactionPlan, compact } from './compaction.js';
import { type RunTarget, flushDelta } from './flush.js';
import type { OutputPort, OutputStyle, Slices } from './run-output.js';

export interface CompactInput {
  readonly directory: string;
  readonly plan: CompactionPlan;
}

export interface FlushInput {
  readonly directory: string;
  readonly delta: DeltaDescriptor;
  readonly viewSeqs: readonly Seq[];
  readonly target: RunTarget;
  readonly style: OutputStyle;
}

/** How often the thread looks whether it is to stop. */
const SLICES: Slices = { monotonicMs: () => performance.now(), sliceMs: 20 };

standBack(ThreadPriority.Background);

serveTasks({
  compact: ({ directory, plan }: CompactInput, checksums) => compact(plan, portOf(directory, checksums), SLICES),
  flush: ({ directory, delta, viewSeqs, target, style }: FlushInput, checksums) =>
    flushDelta(Delta.attach(delta), viewSeqs, target, style, portOf(directory, checksums), SLICES),
});

function portOf(directory: string, checksums: Checksums): OutputPort {
  return { vfs: createNodeVfs(), checksums, logger: silentLogger, directory };
}
