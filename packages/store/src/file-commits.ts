/** Commits whose bytes are in files instead of in the log: bulk loads, and spilled writes with them. */
import { identityText } from '@phantom/base';
import type { EngineCode, Seq, SpilledWrites, WriteBatch } from '@phantom/kv';
import type { Durability } from '@phantom/wal';
import { FileLoad, type LoadHost } from './bulk-load.js';
import type { CommitQueue } from './commit-queue.js';
import { RecordKind } from './format.js';
import { type LoadRecord, encodeLoads } from './load-record.js';
import type { LogWriter } from './log-writer.js';
import type { PlacedEngine } from './space-catalog.js';
import { FilesCommit, type SpilledCommit } from './spilled-commit.js';
import type { StoreParts } from './store-parts.js';
import type { CommitListener, SubmitOptions } from './types.js';

/** Of the store's identity, in the names of files. */
const NAME_DIGITS = 16;
const NO_BYTES = new Uint8Array(0);
/** For who drains the queue and hears of a failure there. */
export const UNHEARD: CommitListener = { published: () => undefined, unknown: () => undefined };

/** The store, as far as these commits go the way of all others. */
export interface BatchCommits {
  readonly durability: Durability;
  admit(batch: WriteBatch): Promise<void> | undefined;
  admitNow(batch: WriteBatch): void;
  unadmit(batch: WriteBatch): void;
  submit(batch: WriteBatch, listener: CommitListener, options?: SubmitOptions): Seq;
  /** Waits until something may be added to the log. */
  unstalled(): Promise<void>;
}

export class FileCommits {
  private readonly batches: BatchCommits;
  private readonly parts: StoreParts;
  private readonly queue: CommitQueue;
  private readonly log: LogWriter;
  private readonly loadHost: LoadHost;
  /** Loads and spills that were begun. */
  private named = 0;

  constructor(batches: BatchCommits, parts: StoreParts, queue: CommitQueue, log: LogWriter) {
    this.batches = batches;
    this.parts = parts;
    this.queue = queue;
    this.log = log;
    this.loadHost = {
      get visibleSeq() {
        return queue.visibleSeq;
      },
      admitted: () => batches.unstalled(),
      submit: (loads) =>
        new Promise((resolve, reject) => this.submitLoads(loads, NO_BYTES, { published: resolve, unknown: reject })),
      submitNow: (loads) => {
        const seq = this.submitLoads(loads, NO_BYTES, UNHEARD);
        queue.drainNow();
        return seq;
      },
    };
  }

  /** As Store.beginLoad. */
  beginLoad(code: EngineCode): FileLoad | undefined {
    const { catalog } = this.parts;
    catalog.checkEngines(1 << code);
    const name = this.nameFiles();
    const placed = catalog.engine(code) as PlacedEngine;
    const writer = placed.engine.sortedWriter(name);
    return writer === undefined ? undefined : new FileLoad(this.loadHost, placed, writer);
  }

  /** As Store.spill. */
  spill(engines: number): SpilledWrites | undefined {
    const name = this.nameFiles();
    const placed = this.parts.catalog.engines;
    // Files in the directory of an engine can become its own.
    const preferred = placed.find(({ bit }) => bit === engines);
    for (const { engine } of preferred === undefined ? placed : [preferred, ...placed]) {
      const spilled = engine.spill(name);
      if (spilled !== undefined) return spilled;
    }
    return undefined;
  }

  /** As Store.beginSpilledCommit. */
  beginSpilledCommit(spilled: SpilledWrites): SpilledCommit {
    const { batches } = this;
    return new FilesCommit(
      {
        beginLoad: (code) => this.beginLoad(code),
        admit: (batch) => batches.admit(batch),
        admitNow: (batch) => batches.admitNow(batch),
        unadmit: (batch) => batches.unadmit(batch),
        submit: (batch, listener, options) => batches.submit(batch, listener, options),
        submitLoads: (loads, bytes, listener, options) => this.submitLoads(loads, bytes, listener, options),
      },
      spilled,
    );
  }

  /**
   * A name for files that no other load or spill ever has, of this store or another: identity and epoch are part of it, and no
   * other process has both.
   */
  private nameFiles(): string {
    const { epoch, superblock, health } = this.parts;
    const refusal = health.refusal();
    if (refusal !== undefined) throw refusal;
    epoch?.beginNow();
    const { identity, epoch: number } = superblock.state;
    return `${identityText(identity).slice(0, NAME_DIGITS)}-${number}-${++this.named}`;
  }

  /** `bytes` is a batch for engines without files, or empty; it is theirs alone, and so not in the log. */
  private submitLoads(
    loads: readonly LoadRecord[],
    bytes: Uint8Array,
    listener: CommitListener,
    options?: SubmitOptions,
  ): Seq {
    const refusal = this.parts.health.refusal();
    if (refusal !== undefined) throw refusal;
    const { queue, log } = this;
    const seq = queue.assignedSeq + 1;
    const lsn = log.append(encodeLoads(loads), RecordKind.Load, seq);
    const isSynced = this.batches.durability === 'fsync' && options?.durability !== 'os';
    queue.pushLoads(loads, bytes, lsn, log.commitTimeMs, listener, isSynced);
    return seq;
  }
}
