/**
 * Executing a compaction: a merge of sorted runs into new ones. A pure function of files: the plan is plain data, and what
 * it needs of the world is a disk, so that another thread can do the same.
 *
 *   layers, newest first   ──►  per key the newest entry, unless a range tombstone of a newer layer hides it
 *   removal                ──►  written only if something older may hold its key
 *   range tombstones       ──►  joined; of each piece the part between the ends of a run goes into that run, if something
 *                               older lies under it
 *
 * Views of the past hold the runs that they began with, so nobody needs an older version of what is written here. All of it
 * gets one seq, the newest of the input: whoever is shown these runs is at or behind it. What survives under a tombstone of
 * its own run is younger than the tombstone, and at equal seqs an entry stands (layer.ts of @phantom/runs, rule 2).
 *
 * Runs end at runBytesMax, or where the next compaction of the run would have to read too much of the level below it.
 */
import { compareBytes, compareKeys } from '@phantom/base';
import type { Seq } from '@phantom/kv';
import {
  BlockCache,
  type KeyIntervals,
  MergingVersions,
  PAUSE,
  Run,
  type VersionSource,
  VersionKind,
  type Wait,
  unionOf,
} from '@phantom/runs';
import { joinPath } from '@phantom/vfs';
import { ChainedVersions } from './chained-versions.js';
import { type KeySpan, hullOf } from './key-span.js';
import { runName } from './format.js';
import type { RunEntry } from './manifest-codec.js';
import {
  type OutputPort,
  type OutputStyle,
  RunOutput,
  type Slices,
  type WrittenRun,
  removeQuietly,
} from './run-output.js';

/** Runs that are disjoint and in order: a run of level 0 alone, or a part of another level. */
export interface CompactionLayer {
  readonly runs: readonly RunEntry[];
  readonly tombstones: readonly KeySpan[];
}

export interface CompactionPlan {
  /** Newest first. */
  readonly layers: readonly CompactionLayer[];
  /** What is older than every layer and not among them; each list disjoint and in order. Removals over it must stay. */
  readonly older: readonly (readonly KeySpan[])[];
  /** Runs of the level below the one that is written, with their bytes; disjoint and in order. */
  readonly below: readonly (KeySpan & { readonly bytes: number })[];
  /** What is merged lies between two keys that have so many bytes in common. */
  readonly prefixBytes: number;
  /** Of everything that is written: at least that of everything that is read. */
  readonly seq: Seq;
  /** Numbers of the runs to be written begin here; there are so many, and identities go along. */
  readonly numberFirst: number;
  readonly numberCount: number;
  readonly identityFirst: number;
  readonly runBytesMax: number;
  /** Keys at which a run ends whatever its size, ascending, inside of what is merged. */
  readonly cuts: readonly Uint8Array[];
  /** Bytes of `below` that a run may lie over. */
  readonly belowBytesMax: number;
  readonly style: OutputStyle;
  /** Runs of level 0 are merged with each other. */
  readonly isTier: boolean;
}

export interface CompactionResult {
  /** In the order of their keys. */
  readonly written: readonly WrittenRun[];
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

/** Index blocks of the runs that are read; their data blocks are read once and not kept. */
const CACHE_BYTES = 8 * 1024 * 1024;
/** Entries between two looks at the clock: about 20 us. */
const CLOCK_ENTRIES = 64;
/** A run does not end for the sake of the level below before it has this share of runBytesMax. */
const SHORT_RUN_SHARE = 8;

/** Merges. The runs written are synced and not yet named; when it throws there are none. */
export function* compact(plan: CompactionPlan, port: OutputPort, slices: Slices): Generator<Wait, CompactionResult> {
  const compaction = new Compaction(plan, port);
  let isDone = false;
  try {
    let deadlineMs = slices.monotonicMs() + slices.sliceMs;
    while (yield* compaction.step(CLOCK_ENTRIES)) {
      if (slices.monotonicMs() < deadlineMs) continue;
      yield PAUSE;
      deadlineMs = slices.monotonicMs() + slices.sliceMs;
    }
    const result = yield* compaction.finish();
    isDone = true;
    return result;
  } finally {
    compaction.close();
    if (!isDone) compaction.discard();
  }
}

class Compaction {
  private readonly plan: CompactionPlan;
  private readonly port: OutputPort;
  private readonly versions: MergingVersions;
  private readonly older: readonly SpanWalk[];
  private readonly below: BelowMeter;
  /** Range tombstones that must be written. */
  private readonly tombstones: KeyIntervals;
  private readonly written: WrittenRun[] = [];
  private output: RunOutput | undefined = undefined;
  /** Tombstones before this key are written. */
  private tombstonesFrom: Uint8Array = new Uint8Array(0);
  private begun = 0;
  /** Of the plan's cuts the next one. */
  private cutAt = 0;

  constructor(plan: CompactionPlan, port: OutputPort) {
    this.plan = plan;
    this.port = port;
    this.versions = new MergingVersions(sourcesOf(plan, port), plan.prefixBytes);
    this.older = plan.older.filter((spans) => spans.length > 0).map((spans) => new SpanWalk(spans));
    this.below = new BelowMeter(plan.below);
    const all = unionOf(plan.layers.flatMap(({ tombstones }) => tombstones));
    this.tombstones = piecesOver(all, plan.older);
  }

  /** Merges so many entries at most; false when there are no more. */
  *step(entriesMax: number): Generator<Wait, boolean> {
    const { versions, plan, below } = this;
    for (let i = 0; i < entriesMax; i++) {
      if (!versions.next()) return false;
      const { key, value, kind } = versions;
      if (kind === VersionKind.Remove && !this.isOverOlder(key.buffer, key.start, key.end)) continue;
      if (this.cutAt < plan.cuts.length) yield* this.cutUpTo(key.buffer, key.start, key.end);
      below.moveTo(key.buffer, key.start, key.end);
      if (this.output !== undefined && this.isFull(this.output)) yield* this.endRun(key.copy());
      this.output ??= this.beginRun();
      const { writer } = this.output;
      writer.add(key.buffer, key.start, key.end, plan.seq, kind, value.buffer, value.start, value.end);
    }
    return true;
  }

  /** Writes what is left and tells what was written. */
  *finish(): Generator<Wait, CompactionResult> {
    const { written, plan } = this;
    while (this.cutAt < plan.cuts.length) yield* this.endRun(plan.cuts[this.cutAt++]);
    yield* this.endRun(undefined);
    let bytesRead = 0;
    for (const { runs } of plan.layers) for (const { bytes } of runs) bytesRead += bytes;
    let bytesWritten = 0;
    for (const { bytes } of written) bytesWritten += bytes;
    return { written, bytesRead, bytesWritten };
  }

  /** Removes everything that was written. */
  discard(): void {
    this.output?.discard();
    for (const { number } of this.written) removeQuietly(this.port, number);
  }

  close(): void {
    this.versions.close();
  }

  /** Ends runs where the plan says so, as far as a key. */
  private *cutUpTo(key: Uint8Array, start: number, end: number): Generator<Wait, void> {
    const { cuts } = this.plan;
    for (; this.cutAt < cuts.length; this.cutAt++) {
      const cut = cuts[this.cutAt] as Uint8Array;
      if (compareBytes(cut, 0, cut.length, key, start, end) > 0) return;
      yield* this.endRun(cut);
    }
  }

  private isFull(output: RunOutput): boolean {
    const { plan, below } = this;
    // The last number has to do for all the rest.
    if (this.begun === plan.numberCount) return false;
    const { bytes } = output.writer;
    if (bytes >= plan.runBytesMax) return true;
    return below.bytes > plan.belowBytesMax && bytes * SHORT_RUN_SHARE >= plan.runBytesMax;
  }

  private beginRun(): RunOutput {
    const { plan, port } = this;
    const index = this.begun++;
    this.below.reset();
    return new RunOutput(port, plan.style, plan.numberFirst + index, plan.identityFirst + index, plan.seq);
  }

  /** Ends the present run; the next one begins at a key, if there is a next one. */
  *endRun(next: Uint8Array | undefined): Generator<Wait, void> {
    const { tombstones, plan } = this;
    const { lowers, uppers } = tombstones;
    const from = this.tombstonesFrom;
    for (let i = tombstones.firstEndingAfter(from, 0, from.length); i < tombstones.count; i++) {
      const lower = later(lowers[i] as Uint8Array, from);
      const upper = next === undefined ? (uppers[i] as Uint8Array) : earlier(uppers[i] as Uint8Array, next);
      if (compareKeys(lower, upper) >= 0) break;
      this.output ??= this.beginRun();
      this.output.writer.addRangeTombstone({ lower, upper, seq: plan.seq });
    }
    if (next !== undefined) this.tombstonesFrom = next;
    if (this.output === undefined) return;
    this.written.push(yield* this.output.finish());
    this.output = undefined;
  }

  private isOverOlder(key: Uint8Array, start: number, end: number): boolean {
    const { older } = this;
    for (let i = 0; i < older.length; i++) if ((older[i] as SpanWalk).holds(key, start, end)) return true;
    return false;
  }
}

/** Asks spans that are in order about keys that ascend. */
class SpanWalk {
  private readonly spans: readonly KeySpan[];
  private at = 0;

  constructor(spans: readonly KeySpan[]) {
    this.spans = spans;
  }

  holds(key: Uint8Array, start: number, end: number): boolean {
    const { spans } = this;
    while (this.at < spans.length) {
      const { lower, upper } = spans[this.at] as KeySpan;
      if (compareBytes(upper, 0, upper.length, key, start, end) > 0) {
        return compareBytes(lower, 0, lower.length, key, start, end) <= 0;
      }
      this.at++;
    }
    return false;
  }
}

/** How many bytes of the level below the present run lies over. */
class BelowMeter {
  /** Of runs that ended since the last reset. */
  bytes = 0;
  private readonly spans: CompactionPlan['below'];
  private at = 0;

  constructor(spans: CompactionPlan['below']) {
    this.spans = spans;
  }

  moveTo(key: Uint8Array, start: number, end: number): void {
    const { spans } = this;
    while (this.at < spans.length) {
      const { upper, bytes } = spans[this.at] as CompactionPlan['below'][number];
      if (compareBytes(upper, 0, upper.length, key, start, end) > 0) return;
      this.bytes += bytes;
      this.at++;
    }
  }

  reset(): void {
    this.bytes = 0;
  }
}

/** Of each interval the part that may reach over something older. */
function piecesOver(intervals: KeyIntervals, older: CompactionPlan['older']): KeyIntervals {
  const pieces: KeySpan[] = [];
  for (let i = 0; i < intervals.count; i++) {
    const lower = intervals.lowers[i] as Uint8Array;
    const upper = intervals.uppers[i] as Uint8Array;
    const under = older.flatMap((spans) =>
      spans.filter((span) => compareKeys(span.lower, upper) < 0 && compareKeys(lower, span.upper) < 0),
    );
    if (under.length === 0) continue;
    const hull = hullOf(under);
    pieces.push({ lower: later(lower, hull.lower), upper: earlier(upper, hull.upper) });
  }
  return unionOf(pieces);
}

function sourcesOf(plan: CompactionPlan, port: OutputPort): VersionSource[] {
  const { vfs, checksums, directory, logger } = port;
  const cache = new BlockCache(CACHE_BYTES);
  const above: KeySpan[] = [];
  return plan.layers.map(({ runs, tombstones }) => {
    const openers = runs.map(({ number, bytes, identity, seqBase }) => () => {
      const path = joinPath(directory, runName(number));
      const options = { vfs, checksums, logger, cache, path, bytes, identity };
      return new Run(seqBase === undefined ? options : { ...options, seqBase });
    });
    const hidden = above.length === 0 ? undefined : unionOf(above);
    above.push(...tombstones);
    return { versions: new ChainedVersions(openers, hidden), hidden };
  });
}

function later(a: Uint8Array, b: Uint8Array): Uint8Array {
  return compareKeys(a, b) >= 0 ? a : b;
}

function earlier(a: Uint8Array, b: Uint8Array): Uint8Array {
  return compareKeys(a, b) <= 0 ? a : b;
}
