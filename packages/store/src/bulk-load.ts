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
import { assert } from '@phantom/base';
import type { KvEngine, Seq, SortedRunRef, SortedWriter } from '@phantom/kv';
import type { LoadRecord } from './load-record.js';
import { LOADS_WAITING_MAX } from './options.js';
import type { PlacedEngine } from './space-catalog.js';

/** A load under way. One of `commit`, `commitNow` and `discard` ends it; after an error `discard` does. */
export interface BulkLoad {
  /** About what has been written. */
  readonly bytes: number;
  /** Keys ascend, with their space in front, and all are of the engine. The bytes are copied. 53100, 58030 from the disk. */
  put(key: Uint8Array, keyStart: number, keyEnd: number, value: Uint8Array, valueStart: number, valueEnd: number): void;
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
  submit(load: LoadRecord): Promise<Seq>;
  submitNow(load: LoadRecord): Seq;
}

export class FileLoad implements BulkLoad {
  private readonly host: LoadHost;
  private readonly placed: PlacedEngine;
  private readonly writer: SortedWriter;
  private firstKey: Uint8Array | undefined = undefined;
  private lastKey = new Uint8Array(256);
  private lastKeyBytes = 0;
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
    assert((key[keyStart] as number) >>> 4 === this.placed.code, 'a load has keys of one engine');
    this.writer.put(key, keyStart, keyEnd, value, valueStart, valueEnd);
    this.firstKey ??= key.slice(keyStart, keyEnd);
    const bytes = keyEnd - keyStart;
    if (bytes > this.lastKey.length) this.lastKey = new Uint8Array(bytes * 2);
    for (let i = 0; i < bytes; i++) this.lastKey[i] = key[keyStart + i] as number;
    this.lastKeyBytes = bytes;
  }

  async commit(): Promise<Seq> {
    const { host, writer } = this;
    if (this.firstKey === undefined) return host.visibleSeq;
    const files = await writer.finish();
    const { engine } = this.placed;
    if (isBehind(engine)) await engine.flush();
    await host.admitted();
    this.isSubmitted = true;
    return host.submit(this.record(files));
  }

  commitNow(): Seq {
    const { host, writer } = this;
    if (this.firstKey === undefined) return host.visibleSeq;
    const files = writer.finishNow();
    const { engine } = this.placed;
    if (isBehind(engine)) engine.flushNow();
    this.isSubmitted = true;
    return host.submitNow(this.record(files));
  }

  discard(): void {
    if (!this.isSubmitted) this.writer.discard();
  }

  private record(files: readonly SortedRunRef[]): LoadRecord {
    return {
      engine: this.placed.code,
      firstKey: this.firstKey as Uint8Array,
      lastKey: this.lastKey.slice(0, this.lastKeyBytes),
      files: files.map(({ path, entries, bytes }) => ({ path: path.slice(path.lastIndexOf('/') + 1), entries, bytes })),
    };
  }
}

/** What publishing a load and replaying one come to: its engine takes the files over, unless its own files have them. */
export function applyLoad(engines: readonly PlacedEngine[], load: LoadRecord, seq: Seq): void {
  for (const placed of engines) {
    const { engine } = placed;
    if (engine.appliedSeq >= seq) continue;
    if (placed.code !== load.engine) engine.advance(seq);
    else
      engine.ingest(
        load.files.map((file) => ({ ...file, path: placed.pathOf(file.path) })),
        seq,
      );
  }
}

function isBehind(engine: KvEngine): boolean {
  return engine.stats().frozenDeltas >= LOADS_WAITING_MAX;
}
