/** Flushing: a frozen delta becomes one sorted run of level 0, with the versions that somebody may still look at. */
import type { Seq } from '@phantom/kv';
import { type Delta, PAUSE, type Wait } from '@phantom/runs';
import { type OutputPort, RunOutput, type Slices, type OutputStyle, type WrittenRun } from './run-output.js';

/** Which run is to be written. */
export interface RunTarget {
  readonly number: number;
  readonly identity: number;
}

/** Writes the delta; the run is synced and not yet named. Views see of it what they saw of the delta. */
export function* flushDelta(
  delta: Delta,
  viewSeqs: readonly Seq[],
  target: RunTarget,
  style: OutputStyle,
  port: OutputPort,
  slices: Slices,
): Generator<Wait, WrittenRun> {
  const output = new RunOutput(port, style, target.number, target.identity, delta.firstSeq);
  const versions = delta.versions(viewSeqs);
  try {
    const { writer } = output;
    for (const tombstone of delta.rangeTombstones(Number.MAX_SAFE_INTEGER)) writer.addRangeTombstone(tombstone);
    while (!writer.addFrom(versions, slices.monotonicMs, slices.monotonicMs() + slices.sliceMs)) yield PAUSE;
    return yield* output.finish();
  } finally {
    versions.close();
    output.discard();
  }
}
