/**
 * Bulk loads: entries in the order of their keys go into files of the engine's own making, past the log and past its
 * memory, and become visible together with one small record that names them (load-record.ts).
 *
 *   put, put, ... ──► files ──► sync ──► log: record ──► sync ──► the engine takes the files over ──► publish
 *
 * Whatever happens before the record is in the log leaves nothing but files that nobody names; engines remove those when they
 * are opened next. From the record on a load is a commit like any other: in seq order, whole or absent, replayed.
 *
 * A load looks at nothing that is there and asks nobody: it is for keys that no one else writes meanwhile, such as those of a
 * space that is being made. An entry takes the place of an older one under its key.
 */
import { assert, compareKeys, copyBytes } from '@phantom/base';
import type { BatchReader, KvEngine, ReadyRun, Seq, SortedRunRef, SortedWriter } from '@phantom/kv';
import type { LoadRecord } from './load-record.js';
import { LOADS_WAITING_MAX } from './options.js';
import type { PlacedEngine } from './space-catalog.js';

/** A load under way. One of `commit`, `commitNow` and `discard` ends it; after an error `discard` does. */
export interface BulkLoad {
  /** About what has been written. */
  readonly bytes: number;
  /** Keys ascend, with their space in front, and all are of the engine. The bytes are copied. 53100, 58030 from the disk. */
  put(key: Uint8Array, keyStart: number, keyEnd: number, value: Uint8Array, valueStart: number, valueEnd: number): void;
  /** What is under the key is gone with the commit; in the order of keys, likewise. */
  remove(key: Uint8Array, keyStart: number, keyEnd: number): void;
  /** Likewise of every older key in [lower, upper); ranges come before the first key. The bytes must not change. */
  removeRange(lower: Uint8Array, upper: Uint8Array): void;
  /** Makes everything durable and visible; resolves with its seq. Rejects as a commit does: 08007 when nobody knows. */
  commit(): Promise<Seq>;
  /** As commit, on this thread. */
  commitNow(): Seq;
  /** Gives it up: what was written goes, at the next opening at the latest. No effect on what is committed. Never throws. */
  discard(): void;
}

/** What a load asks of its store. */
export interface LoadHost {
  readonly visibleSeq: Seq;
  /** Waits until something may be added to the log. */
  admitted(): Promise<void>;
  submit(loads: readonly LoadRecord[]): Promise<Seq>;
  submitNow(loads: readonly LoadRecord[]): Seq;
}

export class FileLoad implements BulkLoad {
  private readonly host: LoadHost;
  private readonly placed: PlacedEngine;
  private readonly writer: SortedWriter;
  private firstKey: Uint8Array | undefined = undefined;
  private lastKey = new Uint8Array(256);
  private lastKeyBytes = 0;
  /** Least lower and greatest upper end of the removed ranges and of what came as files. */
  private firstLower: Uint8Array | undefined = undefined;
  private lastUpper: Uint8Array | undefined = undefined;
  private files: readonly SortedRunRef[] = [];
  /** What came as files, to be kept once the log may name them. */
  private readonly added: ReadyRun[] = [];
  /** The log may name the files. */
  private isSubmitted = false;

  constructor(host: LoadHost, placed: PlacedEngine, writer: SortedWriter) {
    this.host = host;
    this.placed = placed;
    this.writer = writer;
  }

  get bytes(): number {
    return this.writer.bytes;
  }

  put(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    this.writer.put(key, keyStart, keyEnd, value, valueStart, valueEnd);
    this.noteKey(key, keyStart, keyEnd);
  }

  remove(key: Uint8Array, keyStart: number, keyEnd: number): void {
    this.writer.remove(key, keyStart, keyEnd);
    this.noteKey(key, keyStart, keyEnd);
  }

  removeRange(lower: Uint8Array, upper: Uint8Array): void {
    this.writer.removeRange(lower, upper);
    this.noteRange(lower, upper);
  }

  /** A file that is there already: no key of it lies among the others, nor in a removed range. */
  add(run: ReadyRun): void {
    this.writer.add(run);
    this.added.push(run);
    this.noteRange(run.firstKey, run.lastKey);
  }

  async commit(): Promise<Seq> {
    const { host } = this;
    if (this.isEmpty) return host.visibleSeq;
    await this.prepare();
    this.isSubmitted = true;
    return host.submit([this.record()]);
  }

  commitNow(): Seq {
    const { host } = this;
    if (this.isEmpty) return host.visibleSeq;
    this.prepareNow();
    this.isSubmitted = true;
    return host.submitNow([this.record()]);
  }

  /** Nothing was written. */
  get isEmpty(): boolean {
    return this.firstKey === undefined && this.firstLower === undefined;
  }

  /** Makes the files durable, and waits until the engine and the log will take them. */
  async prepare(): Promise<void> {
    this.files = await this.writer.finish();
    const { engine } = this.placed;
    if (isBehind(engine)) await engine.flush();
    await this.host.admitted();
  }

  /** As prepare, on this thread. */
  prepareNow(): void {
    this.files = this.writer.finishNow();
    const { engine } = this.placed;
    if (isBehind(engine)) engine.flushNow();
  }

  /** The log may name the files: they are not the load's to remove any more. */
  submitted(): void {
    this.isSubmitted = true;
    for (const run of this.added) run.keep();
  }

  /** What the log is to say of it, once it is prepared. */
  record(): LoadRecord {
    const { firstKey, firstLower, lastUpper } = this;
    const lastKey = this.lastKey.slice(0, this.lastKeyBytes);
    return {
      engine: this.placed.code,
      firstKey: least(firstKey, firstLower),
      lastKey: lastUpper === undefined || compareKeys(lastKey, lastUpper) > 0 ? lastKey : lastUpper,
      files: this.files.map(({ path, entries, bytes }) => ({
        path: path.slice(path.lastIndexOf('/') + 1),
        entries,
        bytes,
      })),
    };
  }

  discard(): void {
    if (!this.isSubmitted) this.writer.discard();
  }

  private noteRange(lower: Uint8Array, upper: Uint8Array): void {
    if (this.firstLower === undefined || compareKeys(lower, this.firstLower) < 0) this.firstLower = lower;
    if (this.lastUpper === undefined || compareKeys(upper, this.lastUpper) > 0) this.lastUpper = upper;
  }

  private noteKey(key: Uint8Array, start: number, end: number): void {
    assert((key[start] as number) >>> 4 === this.placed.code, 'a load has keys of one engine');
    this.firstKey ??= key.slice(start, end);
    const bytes = end - start;
    if (bytes > this.lastKey.length) this.lastKey = new Uint8Array(bytes * 2);
    this.lastKeyBytes = copyBytes(key, start, end, this.lastKey, 0);
  }
}

/**
 * What publishing loads and replaying them come to: each engine takes its files over, unless its own files have them. The
 * batch, if there is one, is for engines that no load is for.
 */
export function applyLoads(
  engines: readonly PlacedEngine[],
  loads: readonly LoadRecord[],
  seq: Seq,
  batch: BatchReader | undefined,
): void {
  for (const placed of engines) {
    const { engine } = placed;
    if (engine.appliedSeq >= seq) continue;
    const load = loads.find(({ engine: code }) => code === placed.code);
    if (load !== undefined) {
      engine.ingest(
        load.files.map((file) => ({ ...file, path: placed.pathOf(file.path) })),
        seq,
      );
    } else if (batch !== undefined && (batch.engines & placed.bit) !== 0) {
      engine.apply(batch, seq, Number.POSITIVE_INFINITY);
      batch.rewind();
    } else {
      engine.advance(seq);
    }
  }
}

function least(a: Uint8Array | undefined, b: Uint8Array | undefined): Uint8Array {
  if (a === undefined || b === undefined) return (a ?? b) as Uint8Array;
  return compareKeys(a, b) < 0 ? a : b;
}

function isBehind(engine: KvEngine): boolean {
  return engine.stats().frozenDeltas >= LOADS_WAITING_MAX;
}
