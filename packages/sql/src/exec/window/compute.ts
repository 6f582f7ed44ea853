/**
 * One window function over rows in order: partition by partition, row by row, each with its frame.
 *
 * Rows are positions in the order; a frame is a range of positions [start, end) of the partition, less what EXCLUDE takes
 * out. Frames of later rows never begin or end earlier, so their ends move forward only: an aggregate whose frame begins
 * with the partition is stepped along, one with an inverse lets rows go, others begin anew for each different frame.
 */
import type { MemoryBudget } from '@phantom/base';
import type { AggregateFunction, EvaluationContext } from '../../functions/registry.js';
import type { WindowCall } from '../../plan/logical/logical.js';
import type { Value } from '../../types/type.js';
import { aggregateResults } from './aggregate-frames.js';
import { FrameWalker } from './frame.js';
import { rankingResult } from './ranking.js';

export interface WindowInput {
  readonly columns: readonly Value[][];
  readonly order: Uint32Array;
  readonly count: number;
  /** Zero for rows of one partition, and for peers in the ordering. */
  readonly samePartition: (columns: readonly Value[][], a: number, b: number) => number;
  readonly samePeers: (columns: readonly Value[][], a: number, b: number) => number;
  readonly evaluation: EvaluationContext;
  /** Counts what the results take. */
  readonly memory: MemoryBudget;
}

export interface LimitColumns {
  readonly value: number;
  readonly limit: number;
  readonly compare: (a: Value, b: Value) => number;
}

/** One call with the buffer columns it reads. */
export interface WindowColumn {
  readonly call: WindowCall;
  readonly arguments: readonly number[];
  readonly filter: number | undefined;
  readonly startOffset: number | undefined;
  readonly endOffset: number | undefined;
  readonly startLimit: LimitColumns | undefined;
  readonly endLimit: LimitColumns | undefined;
  /** The first ordering key descends: limits lie the other way. */
  readonly descending: boolean;
}

/** A partition: positions [start, end) of the order, with the peer groups inside. */
export interface Partition {
  readonly start: number;
  readonly end: number;
  /** For each position of the partition (from 0) the number of its peer group. */
  readonly peerGroup: Int32Array;
  /** First position (from 0) of each peer group; one more entry for the end. */
  readonly groupStarts: readonly number[];
}

/** Fills `results` (by row) for all rows. Yields undefined when `due` says so. */
export function* computeWindow(
  input: WindowInput,
  column: WindowColumn,
  results: Value[],
  due: () => boolean,
): Generator<undefined, void, void> {
  let start = 0;
  while (start < input.count) {
    const partition = nextPartition(input, start);
    const { function: definition } = column.call;
    if (definition.kind === 'aggregate') {
      yield* aggregateResults(input, partition, column, definition as AggregateFunction, results, due);
    } else {
      const walker = new FrameWalker(input, partition, column);
      for (let i = 0; i < partition.end - partition.start; i++) {
        const row = input.order[partition.start + i] as number;
        results[row] = rankingResult(input, partition, column, definition.window, walker, i);
        if ((i & 1023) === 1023 && due()) yield undefined;
      }
    }
    start = partition.end;
  }
}

function nextPartition(input: WindowInput, start: number): Partition {
  const { order, columns, count } = input;
  const first = order[start] as number;
  let end = start + 1;
  while (end < count && input.samePartition(columns, first, order[end] as number) === 0) end++;
  const length = end - start;
  const peerGroup = new Int32Array(length);
  const groupStarts = [0];
  let group = 0;
  for (let i = 1; i < length; i++) {
    if (input.samePeers(columns, order[start + i - 1] as number, order[start + i] as number) !== 0) {
      group++;
      groupStarts.push(i);
    }
    peerGroup[i] = group;
  }
  groupStarts.push(length);
  return { start, end, peerGroup, groupStarts };
}
