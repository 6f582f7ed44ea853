/** From what the picker chose to a plan in plain data: which files, what lies below them, and the numbers of new ones. */
import { commonPrefixBytes } from '@phantom/base';
import type { CompactionLayer, CompactionPlan } from './compaction.js';
import type { CompactionJob } from './compaction-picker.js';
import { cutsAround } from './held-runs.js';
import { type KeySpan, hullOf, overlapping } from './key-span.js';
import type { LsmFiles } from './lsm-files.js';
import type { RunFile } from './run-file.js';
import type { OutputStyle } from './run-output.js';

export type MergeJob = Extract<CompactionJob<RunFile>, { kind: 'merge' }>;

/** A run may end early for the sake of the level below, though never before it has an eighth of its size. */
const NUMBERS_FOR_EACH_RUN = 8;

/** `held` are runs around which a merge of level 0 with itself is cut. */
export function planCompaction(
  job: MergeJob,
  files: LsmFiles,
  style: OutputStyle,
  held: readonly KeySpan[] = [],
): CompactionPlan {
  const { options, version } = files;
  const inputs = [...job.upper, ...job.lower];
  const hull = hullOf(inputs);
  const { lower: first, upper: last } = hull;
  let bytes = 0;
  let seq = 0;
  for (const file of inputs) {
    bytes += file.bytes;
    seq = Math.max(seq, file.run.seqMax);
  }
  // What stays in level 0 stays one run, or reads would have more of them to ask.
  const runBytesMax = job.to === 0 ? Number.POSITIVE_INFINITY : options.runBytesMax;
  const cuts = job.to === 0 ? cutsAround(held, hull) : [];
  const numberCount = (Math.ceil(bytes / runBytesMax) + 1) * NUMBERS_FOR_EACH_RUN + cuts.length;
  const numberFirst = files.takeNumbers(numberCount);
  const below = version.levels[job.to + 1];
  const upper = job.from === 0 ? job.upper.map((file) => [file]) : [job.upper];
  return {
    layers: [...upper, job.lower].filter((layer) => layer.length > 0).map(layerOf),
    older: [
      ...(job.to === 0 ? olderInLevel0(job, files) : []),
      ...version.levels.slice(job.to + 1).map((level) => overlapping(level.files, hull).map(spanOf)),
    ],
    below:
      below === undefined
        ? []
        : overlapping(below.files, hull).map(({ lower, upper, bytes: size }) => ({ lower, upper, bytes: size })),
    prefixBytes: commonPrefixBytes(first, 0, first.length, last, 0, last.length),
    seq,
    numberFirst,
    numberCount,
    identityFirst: files.identityOf(numberFirst),
    runBytesMax,
    cuts,
    belowBytesMax: runBytesMax * options.levelFactor,
    style,
    isTier: job.to === 0,
  };
}

/** Runs of level 0 behind those that are merged, each by itself. */
function olderInLevel0(job: MergeJob, files: LsmFiles): KeySpan[][] {
  const level0 = files.version.levels[0]?.files ?? [];
  return level0.slice(level0.indexOf(job.upper.at(-1) as RunFile) + 1).map((file) => [spanOf(file)]);
}

function layerOf(layer: readonly RunFile[]): CompactionLayer {
  return {
    runs: layer.map(({ entry }) => entry),
    tombstones: layer.flatMap(({ tombstones }) => tombstones.map(spanOf)),
  };
}

/** Plain data, which travels. */
function spanOf({ lower, upper }: KeySpan): KeySpan {
  return { lower, upper };
}
