/**
 * What an engine has in memory and not yet in files that count: the active delta, and behind it, newest first, what is
 * frozen and waits to be flushed: deltas, and files that were handed over whole and are named by nothing durable yet.
 */
import { assert } from '@phantom/base';
import type { BatchReader, EngineCode, Seq } from '@phantom/kv';
import { Delta } from './delta.js';
import type { Run } from './run-reader.js';

/** A frozen layer. Exactly one of the two is there. `F` is what the engine keeps of a file. */
export interface FrozenLayer<F extends { readonly run: Run }> {
  readonly delta: Delta | undefined;
  /** Files that were handed over, newest first. */
  readonly ingested: readonly F[];
  /** Seq of its last batch: what flushedSeq becomes. */
  readonly lastSeq: Seq;
}

/** The active delta is measured each time it has grown by this share of what deltas may hold. */
const MEASURED_SHARE = 64;

export class MemoryLayers<F extends { readonly run: Run }> {
  active = new Delta();
  /** Newest first. */
  frozen: FrozenLayer<F>[] = [];
  /** Seq of the last batch applied. */
  applied: Seq;
  /** What `applied` was before the last completed batch, or the newest view's seq: no view will ever be older. */
  floor: Seq;
  /** Seq of the batch that is being applied in slices; 0 between batches. */
  applying: Seq = 0;
  private readonly code: EngineCode;
  /** Bytes in the active delta's arena at which it is measured next. */
  private measuredAt = 0;
  /** At which an active delta is full, as far as anybody has asked. */
  private fullBytes = Infinity;

  constructor(code: EngineCode, flushedSeq: Seq) {
    this.code = code;
    this.applied = flushedSeq;
    this.floor = flushedSeq;
  }

  /** Bytes of all deltas. An empty one counts nothing. */
  get bytes(): number {
    let bytes = isEmpty(this.active) ? 0 : this.active.bytes;
    for (const { delta } of this.frozen) if (delta !== undefined) bytes += delta.bytes;
    return bytes;
  }

  /** Whether the active delta has half of what deltas may hold. Asked for each batch, so it seldom looks. */
  isActiveFull(bytesMax: () => number): boolean {
    const { active } = this;
    if (active.arenaBytes < this.measuredAt) return false;
    const most = bytesMax();
    this.measuredAt = active.arenaBytes + most / MEASURED_SHARE;
    this.fullBytes = most / 2;
    return active.bytes >= this.fullBytes;
  }

  /**
   * Whether the files come to hold everything up to this seq only once the active delta freezes: it has batches of up to there, or
   * of what is frozen nothing is left that could bring them further.
   */
  mustFreeze(seq: Seq): boolean {
    const { active, frozen } = this;
    return !isEmpty(active) && (active.firstSeq <= seq || frozen.length === 0);
  }

  /** True when a batch was applied, or is being applied, that no file holds. */
  get isDirty(): boolean {
    return this.frozen.length > 0 || this.applying !== 0 || !isEmpty(this.active);
  }

  /** See KvEngine.apply; the batch lies behind `applied`. */
  apply(batch: BatchReader, seq: Seq, operationsMax: number): boolean {
    this.applying = seq;
    if (!this.active.apply(batch, seq, operationsMax, this.code)) return false;
    this.applying = 0;
    this.advance(seq);
    return true;
  }

  /** See KvEngine.foresee. Between batches; what freezes before the batch comes has foreseen it in vain. */
  foresee(batch: BatchReader): void {
    assert(this.applying === 0, 'a batch is foreseen between batches');
    this.active.foresee(batch, this.code);
  }

  /** See KvEngine.advance. Between batches. */
  advance(seq: Seq): void {
    assert(this.applying === 0, 'a batch was begun and not completed');
    this.floor = this.applied;
    this.applied = seq;
  }

  /** Between batches: the active delta, unless it is empty, takes no more and waits to be flushed. */
  freeze(): void {
    assert(this.applying === 0, 'a delta freezes between batches');
    if (isEmpty(this.active)) return;
    this.active.freeze();
    this.frozen.unshift({ delta: this.active, ingested: [], lastSeq: this.active.lastSeq });
    this.active = Delta.like(this.active, this.fullBytes);
    this.measuredAt = 0;
  }

  /** Files, newest first, take their place above everything applied before. */
  ingest(ingested: readonly F[], seq: Seq): void {
    this.freeze();
    this.frozen.unshift({ delta: undefined, ingested, lastSeq: seq });
    this.advance(seq);
  }

  /** What a view sees of it, newest first. */
  layers(): (Delta | Run)[] {
    const layers: (Delta | Run)[] = [];
    if (!isEmpty(this.active)) layers.push(this.active);
    for (const { delta, ingested } of this.frozen) {
      if (delta !== undefined) layers.push(delta);
      for (const { run } of ingested) layers.push(run);
    }
    return layers;
  }
}

/** Nothing in it that a reader could see. */
function isEmpty(delta: Delta): boolean {
  return delta.entries === 0 && delta.tombstones.count === 0;
}
