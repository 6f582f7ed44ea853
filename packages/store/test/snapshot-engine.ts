/**
 * The simplest durable engine: everything in memory, written whole to one file at each flush. For tests of the store: it
 * keeps the engine contract with files, flushes and generations, and takes an hour less to understand than a tree.
 */
import { ByteReader, ByteWriter, corruptionError } from '@phantom/base';
import {
  BatchReader,
  type EngineCode,
  type EngineStats,
  type Finding,
  type KvEngine,
  type KvView,
  type Seq,
  type SortedRunRef,
  type SortedWriter,
  WriteBatch,
} from '@phantom/kv';
import { MemoryEngine } from '@phantom/kv/memory';
import { joinPath, replaceFile } from '@phantom/vfs';
import type { EngineContext, EngineFactory } from '../src/index.js';

const FILE = 'snapshot';

export class SnapshotEngine implements KvEngine {
  readonly name: string;
  private readonly memory: MemoryEngine;
  private readonly context: EngineContext;
  private flushed: Seq = 0;
  private generation = 0;
  private flushing: Promise<Seq> | undefined;
  /** Bytes admitted and not given back. */
  admitted = 0;
  /** Makes the next admit wait until it is called. */
  stall: Promise<void> | undefined;
  refuse: Error | undefined;
  failApply: Error | undefined;
  failForesee: Error | undefined;
  /** Operations of the batches foreseen. */
  readonly foreseen: number[] = [];
  flushes = 0;
  /** What it says of loads that wait to be named. */
  frozenDeltas = 0;

  constructor(code: EngineCode, name: string, context: EngineContext) {
    this.name = name;
    this.context = context;
    this.memory = new MemoryEngine({ code, name });
    this.load();
  }

  get appliedSeq(): Seq {
    return this.memory.appliedSeq;
  }

  admit(bytes: number): Promise<void> | undefined {
    if (this.refuse !== undefined) return Promise.reject(this.refuse);
    this.admitted += bytes;
    return this.stall;
  }

  admitNow(bytes: number): void {
    if (this.refuse !== undefined) throw this.refuse;
    this.admitted += bytes;
  }

  unadmit(bytes: number): void {
    this.admitted -= bytes;
  }

  foresee(batch: BatchReader): void {
    if (this.failForesee !== undefined) throw this.failForesee;
    this.foreseen.push(batch.count);
  }

  apply(batch: BatchReader, seq: Seq, operationsMax: number): boolean {
    if (this.failApply !== undefined) throw this.failApply;
    if (seq <= this.flushed) return true;
    const done = this.memory.apply(batch, seq, operationsMax);
    if (done) this.admitted -= batch.room;
    return done;
  }

  advance(seq: Seq): void {
    this.memory.advance(seq);
  }

  view(seq: Seq): KvView {
    return this.memory.view(seq);
  }

  sortedWriter(name: string): SortedWriter {
    const { vfs, directory } = this.context;
    const path = joinPath(directory, name);
    const batch = new WriteBatch();
    const added: SortedRunRef[] = [];
    const finishNow = (): readonly SortedRunRef[] => {
      const bytes = batch.finish();
      const file = vfs.open(path, { mode: 'create-new' });
      file.writeAt(0, bytes);
      file.syncNow();
      file.close();
      vfs.syncDir(directory);
      return [...added, { path, entries: batch.count, bytes: bytes.length }];
    };
    return {
      get bytes() {
        return batch.bytes;
      },
      put: (...entry) => void batch.put(...entry),
      remove: (...key) => void batch.remove(...key),
      removeRange: (lower, upper) => void batch.removeRange(lower, upper),
      add: ({ ref }) => void added.push(ref),
      finish: async () => finishNow(),
      finishNow,
      discard: () => vfs.remove(path),
    };
  }

  spill(): undefined {
    return undefined;
  }

  ingest(files: readonly SortedRunRef[], seq: Seq): void {
    if (seq <= this.flushed) return;
    for (const { path } of files) {
      const file = this.context.vfs.open(path, { mode: 'read' });
      const bytes = new Uint8Array(file.size());
      file.readAt(0, bytes);
      file.close();
      this.memory.apply(new BatchReader().setBatch(bytes), seq, Number.POSITIVE_INFINITY);
    }
  }

  estimate(): { keys: number; bytes: number } {
    return { keys: 0, bytes: 0 };
  }

  split(): [] {
    return [];
  }

  flushedSeq(): Seq {
    return this.flushed;
  }

  flush(): Promise<Seq> {
    this.flushing ??= this.write().finally(() => {
      this.flushing = undefined;
    });
    return this.flushing;
  }

  flushNow(): Seq {
    this.flushes++;
    return this.flushed;
  }

  stats(): EngineStats {
    return { ...this.memory.stats(), name: this.name, flushes: this.flushes, frozenDeltas: this.frozenDeltas };
  }

  check(): Iterable<Finding> {
    return [];
  }

  close(): Promise<void> {
    return this.memory.close();
  }

  private get path(): string {
    return joinPath(this.context.directory, FILE);
  }

  private async write(): Promise<Seq> {
    const seq = this.memory.appliedSeq;
    if (seq === this.flushed) return seq;
    const writer = new ByteWriter();
    const batch = new WriteBatch();
    const view = this.memory.view(seq);
    const cursor = view.cursor({ lower: new Uint8Array(0), upper: undefined });
    while (cursor.next()) {
      const { key, value } = cursor;
      batch.put(key.buffer, key.start, key.end, value.buffer, value.start, value.end);
    }
    cursor.close();
    view.release();
    const generation = this.generation + 1;
    writer.u64(seq);
    writer.u64(generation);
    writer.bytes(batch.finish());
    const sum = new ByteWriter();
    sum.u32(this.context.checksums.h32(writer.buffer, 0, writer.length));
    sum.bytes(writer.buffer, 0, writer.length);
    await this.context.syncLog();
    await replaceFile(this.context.vfs, this.path, sum.take());
    await this.context.recordGeneration(generation);
    this.generation = generation;
    this.flushed = seq;
    this.flushes++;
    return seq;
  }

  private load(): void {
    const { vfs, generationMin, checksums } = this.context;
    if (!vfs.exists(this.path)) {
      if (generationMin > 0) throw corruptionError('the snapshot is gone', { file: this.path });
      return;
    }
    const file = vfs.open(this.path, { mode: 'read' });
    const bytes = new Uint8Array(file.size());
    file.readAt(0, bytes);
    file.close();
    const reader = new ByteReader(bytes, this.path);
    if (reader.u32() !== checksums.h32(bytes, 4, bytes.length))
      throw corruptionError('the snapshot is broken', { file: this.path });
    this.flushed = reader.u64();
    this.generation = reader.u64();
    if (this.generation < generationMin) {
      throw corruptionError('the snapshot is too old', {
        file: this.path,
        expected: generationMin,
        found: this.generation,
      });
    }
    this.memory.apply(new BatchReader().setBatch(bytes, reader.offset), this.flushed, Number.POSITIVE_INFINITY);
  }
}

/** A factory whose newest engine can be reached as `engine`. */
export function snapshotEngine(code: EngineCode, name: string): EngineFactory & { engine: SnapshotEngine } {
  const factory = {
    code,
    name,
    engine: undefined as unknown as SnapshotEngine,
    open: async (context: EngineContext): Promise<KvEngine> => {
      factory.engine = new SnapshotEngine(code, name, context);
      return factory.engine;
    },
  };
  return factory;
}
