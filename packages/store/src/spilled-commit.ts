/**
 * The commit of spilled writes, which memory does not hold: what is left of each key goes into files that the engines take
 * over whole, and one log record names those of all of them (load-record.ts). So it costs the log next to nothing and the
 * engines' memory nothing, and is whole or absent like any commit.
 *
 *   runs of the writer ──merge──► files of each engine ──► sync ──► [ validate, log: record ] ──► sync ──► take over, publish
 *        (spilled)                        prepare()                         submit()
 *
 * Runs that are in the order of their keys, and have nothing else among these, are such files already: nothing is written again.
 *
 * Engines without files keep nothing over a restart: what is theirs is a batch in memory beside the record.
 */
import { PhantomError, SqlState, eventLoop, isPhantomError } from '@phantom/base';
import {
  BATCH_BYTES_MAX,
  type EngineCode,
  type KeyRange,
  type Seq,
  type SpilledWrites,
  WriteBatch,
  engineOfKey,
  keyAfter,
} from '@phantom/kv';
import type { FileLoad } from './bulk-load.js';
import type { LoadRecord } from './load-record.js';
import { TouchedRanges } from './touched-ranges.js';
import type { CommitListener, SubmitOptions } from './types.js';

/** Entries between two looks at the clock. */
const ENTRIES_PER_LOOK = 64;
const NO_BYTES = new Uint8Array(0);

/** A commit under way. Whatever fails before `submit` returns, `discard` leaves nothing of it. */
export interface SpilledCommit {
  /** Ranges that together hold every key that is written, few, as narrow as that allows. Known once it is prepared. */
  readonly ranges: readonly KeyRange[];
  /** Writes the files, in turns of the event loop, and makes them durable. Rejects with 53100, 58030, 53200. */
  prepare(): Promise<void>;
  /** As prepare, on this thread. */
  prepareNow(): void;
  /** As Store.submit. */
  submit(listener: CommitListener, options?: SubmitOptions): Seq;
  /** Gives it up. No effect once it is submitted. */
  discard(): void;
}

/** What the commit asks of its store. */
export interface SpilledCommitHost {
  beginLoad(code: EngineCode): FileLoad | undefined;
  admit(batch: WriteBatch): Promise<void> | undefined;
  admitNow(batch: WriteBatch): void;
  unadmit(batch: WriteBatch): void;
  submit(batch: WriteBatch, listener: CommitListener, options?: SubmitOptions): Seq;
  submitLoads(loads: readonly LoadRecord[], bytes: Uint8Array, listener: CommitListener, options?: SubmitOptions): Seq;
}

export class FilesCommit implements SpilledCommit {
  private readonly host: SpilledCommitHost;
  private readonly spilled: SpilledWrites;
  private readonly touched = new TouchedRanges();
  /** By engine code; null: the engine has no files. */
  private readonly loads = new Map<EngineCode, FileLoad | null>();
  private readonly batch = new WriteBatch();
  private isAdmitted = false;
  private isSubmitted = false;

  constructor(host: SpilledCommitHost, spilled: SpilledWrites) {
    this.host = host;
    this.spilled = spilled;
  }

  get ranges(): readonly KeyRange[] {
    return this.touched.ranges();
  }

  async prepare(): Promise<void> {
    for (const _ of this.write()) if (eventLoop.isOverdue()) await eventLoop.nextTurn();
    for (const load of this.filled()) await load.prepare();
    if (this.batch.count === 0) return;
    await this.host.admit(this.batch);
    this.isAdmitted = true;
  }

  prepareNow(): void {
    for (const _ of this.write());
    for (const load of this.filled()) load.prepareNow();
    if (this.batch.count === 0) return;
    this.host.admitNow(this.batch);
    this.isAdmitted = true;
  }

  submit(listener: CommitListener, options?: SubmitOptions): Seq {
    const { batch, host } = this;
    const loads = this.filled();
    try {
      const seq =
        loads.length === 0
          ? host.submit(batch, listener, { ...options, give: true })
          : host.submitLoads(
              loads.map((load) => load.record()),
              batch.count === 0 ? NO_BYTES : batch.finish(),
              listener,
              options,
            );
      this.isSubmitted = true;
      return seq;
    } catch (error) {
      this.isSubmitted = isPhantomError(error) && error.code === SqlState.TransactionResolutionUnknown;
      throw error;
    } finally {
      if (this.isSubmitted) for (const load of loads) load.submitted();
    }
  }

  discard(): void {
    if (this.isSubmitted) return;
    if (this.isAdmitted) this.host.unadmit(this.batch);
    this.isAdmitted = false;
    for (const load of this.loads.values()) load?.discard();
  }

  private filled(): FileLoad[] {
    return [...this.loads.values()].filter((load) => load !== null && !load.isEmpty) as FileLoad[];
  }

  /** Merges the runs into files, but for those that can be handed over as they are, and yields now and then. */
  private *write(): Iterable<void> {
    const { spilled, touched } = this;
    for (const run of spilled.takeReady()) {
      touched.addRange(run.firstKey, keyAfter(run.lastKey));
      (this.loadOf(spilled.engine) as FileLoad).add(run);
    }
    for (const { lower, upper } of spilled.removedRanges()) {
      touched.addRange(lower, upper);
      (this.loadOf(engineOfKey(lower, 0)) ?? this.checkedBatch(0)).removeRange(lower, upper);
    }
    const entries = spilled.entries();
    try {
      let untilLook = ENTRIES_PER_LOOK;
      while (entries.next()) {
        const { key, value } = entries;
        touched.addKey(key.buffer, key.start, key.end);
        const bytes = key.end - key.start + value.end - value.start;
        const target = this.loadOf(engineOfKey(key.buffer, key.start)) ?? this.checkedBatch(bytes);
        if (entries.isRemoved) target.remove(key.buffer, key.start, key.end);
        else target.put(key.buffer, key.start, key.end, value.buffer, value.start, value.end);
        if (--untilLook > 0) continue;
        untilLook = ENTRIES_PER_LOOK;
        yield;
      }
    } finally {
      entries.close();
    }
  }

  private loadOf(code: EngineCode): FileLoad | null {
    let load = this.loads.get(code);
    if (load === undefined) this.loads.set(code, (load = this.host.beginLoad(code) ?? null));
    return load;
  }

  private checkedBatch(bytes: number): WriteBatch {
    if (this.batch.bytes + bytes + 2 * ENTRIES_PER_LOOK > BATCH_BYTES_MAX) {
      throw new PhantomError(SqlState.OutOfMemory, 'a transaction writes more to memory than it may', {
        data: { bytesMax: BATCH_BYTES_MAX },
      });
    }
    return this.batch;
  }
}
