/**
 * Reading a run a few blocks at a time, past the cache, to find out whether it can still be read: what a scrubber does with files that
 * nobody looks into. And the way back: which keys lie where an error says that something cannot be read.
 *
 *   place     partition, block          0 0: the ends of the file, too, whenever a run is begun
 *   step      [ends]  [index, filter of the partition]  block  block  ...   until there have been so many bytes
 *
 * Checksums alone are compared: whether what was written made sense is for `check`.
 */
import { isPhantomError } from '@phantom/base';
import { type Finding, type KeyRange, keyAfter } from '@phantom/kv';
import { Block } from './block.js';
import { BLOCK_TRAILER_BYTES } from './format.js';
import type { BlockPlace, Run } from './run-reader.js';

/** Where the next step goes on. */
export interface RunPlace {
  readonly partition: number;
  readonly block: number;
}

export const RUN_BEGINNING: RunPlace = { partition: 0, block: 0 };

export interface RunScrubStep {
  /** Undefined when the run is through. */
  readonly next: RunPlace | undefined;
  readonly bytes: number;
  readonly findings: readonly Finding[];
}

export class RunScrubber {
  private readonly block = new Block();
  /** Of the partition that was read last; not read again for each step. */
  private places: readonly BlockPlace[] = [];
  private placesOf: { readonly run: Run; readonly partition: number } | undefined = undefined;

  /** Reads on from a place until it has read so many bytes, or the partition has ended. Never throws for what the file holds. */
  step(run: Run, { partition, block }: RunPlace, bytesMax: number): RunScrubStep {
    const findings: Finding[] = [];
    let bytes = 0;
    const read = (offset: number, size: number, action: () => void): void => {
      bytes += size;
      try {
        action();
      } catch (error) {
        if (!isPhantomError(error)) throw error;
        findings.push({
          severity: 'corruption',
          file: run.path,
          offset: offsetOf(error.data, offset),
          message: error.message,
        });
      }
    };
    if (partition === 0 && block === 0) read(0, 0, () => run.proveEnds());
    if (partition >= run.partitionCount) return { next: undefined, bytes, findings };
    if (this.placesOf?.run !== run || this.placesOf.partition !== partition || block === 0) {
      this.places = [];
      this.placesOf = { run, partition };
      const index = run.partitionPlace(partition);
      read(index.offset, index.bytes, () => (this.places = run.places(partition)));
      const filter = run.filterPlace(partition);
      read(filter.offset, filter.bytes, () => run.proveBlock(filter.offset, filter.bytes));
    }
    let at = block;
    // One block at least, or a long index would be all that is ever read.
    for (; at < this.places.length && (at === block || bytes < bytesMax); at++) {
      const place = this.places[at] as BlockPlace;
      read(place.offset, place.bytes + BLOCK_TRAILER_BYTES, () => run.readPlace(place, this.block));
    }
    const isThrough = at >= this.places.length;
    if (isThrough) this.placesOf = undefined;
    const next = isThrough ? { partition: partition + 1, block: 0 } : { partition, block: at };
    return { next: next.partition < run.partitionCount ? next : undefined, bytes, findings };
  }
}

/** The keys of the block, or of the partition, that lies at an offset; all of the run's when it is neither, or cannot be told. */
export function locateInRun(run: Run, offset: number | undefined): KeyRange {
  const end = keyAfter(run.largestKey);
  const endOf = (partition: number): Uint8Array =>
    partition + 1 < run.partitionCount ? run.separatorOfPartition(partition + 1) : end;
  for (let partition = 0; partition < run.partitionCount && offset !== undefined; partition++) {
    const index = run.partitionPlace(partition);
    const upper = endOf(partition);
    if (index.offset === offset || run.filterPlace(partition).offset === offset)
      return { lower: index.separator, upper };
    // A partition's blocks lie in front of its index.
    if (offset > index.offset) continue;
    const places = placesOf(run, partition);
    const at = places.findIndex((place) => place.offset === offset);
    if (at >= 0) return { lower: (places[at] as BlockPlace).separator, upper: places[at + 1]?.separator ?? upper };
    break;
  }
  return { lower: run.smallestKey, upper: end };
}

function placesOf(run: Run, partition: number): readonly BlockPlace[] {
  try {
    return run.places(partition);
  } catch (error) {
    if (isPhantomError(error)) return [];
    throw error;
  }
}

function offsetOf(data: Readonly<Record<string, unknown>> | undefined, fallback: number): number {
  const { offset } = data ?? {};
  return typeof offset === 'number' ? offset : fallback;
}
