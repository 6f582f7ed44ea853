/**
 * How batches come into an engine's memory and leave it for files. Both trees have one before theirs.
 *
 *   admit ──► (log) ──► apply ──► active delta ──freeze──► frozen layers ──flush──► files
 *      room is reserved              half of what deltas may hold              in the background, or here for
 *                                    is enough, or somebody wants room         those who cannot wait
 *
 * Invariants:
 *   1. Nothing freezes while a batch is being applied in slices: who wants room then has it freeze at the batch's end.
 *   2. Who waits for room is let in when a flush has ended, and told when none ever will: while somebody waits, a flush is under way, or
 *      all that is held is reserved by others, who use it or give it back.
 *   3. From the flush that finds the disk full to the next one that does not, only removals are let in.
 */
import { PhantomError, SqlState, assert } from '@phantom/base';
import type { Seq } from '@phantom/kv';
import type { Admission } from './admission.js';
import type { MemoryLayers } from './memory-layers.js';
import type { Run } from './run-reader.js';

/** What flushes frozen layers in the background. */
export interface Flusher {
  /** Why nothing is written any more. */
  readonly failure: Error | undefined;
  /** Why writes must be refused now: for good, or until a flush has found room on the disk. */
  readonly refusal: Error | undefined;
  readonly isFlushing: boolean;
  /** Flushes frozen layers, oldest first, until there are none. No effect when that is going on. */
  startFlush(): void;
  /** Tries again at once what waits for room on the disk. */
  retryNow(): void;
  /** Resolves when the flush under way has ended; rejects as it did. */
  flushed(): Promise<void>;
  /** Brings the flush under way to its thread. */
  handOver(): void;
  /** Ends the flush under way on this thread. Throws what it throws. */
  finishFlushNow(): void;
}

export interface WriteIntakeContext {
  readonly memory: Pick<
    MemoryLayers<{ readonly run: Run }>,
    'applied' | 'applying' | 'frozen' | 'isDirty' | 'isActiveFull' | 'mustFreeze' | 'freeze'
  >;
  readonly admission: Admission;
  /** Bytes that deltas may hold now. */
  readonly deltaBytesMax: () => number;
  readonly flusher: Flusher;
  /** What the files hold. */
  readonly files: { readonly flushedSeq: Seq };
  readonly readOnly: boolean;
}

export class WriteIntake {
  isClosed = false;
  private readonly context: WriteIntakeContext;
  /** Somebody waits for the batch that is being applied to end. */
  private freezeWanted = false;
  /** Why nothing is taken any more. */
  private ended: Error | undefined = undefined;

  constructor(context: WriteIntakeContext) {
    this.context = context;
  }

  /** See KvEngine.admit. */
  admit(room: number, usesReserve: boolean): Promise<void> | undefined {
    try {
      if (this.isAdmitted(room, usesReserve, false)) return undefined;
    } catch (error) {
      return Promise.reject(error as Error);
    }
    const admitted = this.context.admission.wait(room, usesReserve);
    this.makeRoom();
    return admitted;
  }

  /** See KvEngine.admitNow. */
  admitNow(room: number, usesReserve: boolean): void {
    const { flusher } = this.context;
    while (!this.isAdmitted(room, usesReserve, true)) {
      this.makeRoom();
      if (!flusher.isFlushing) {
        throw new PhantomError(
          SqlState.OutOfMemory,
          'the memory for unflushed writes is reserved by other transactions',
        );
      }
      flusher.finishFlushNow();
    }
  }

  /** A batch that had reserved so much is applied whole; `atOnce` by a caller who may let no other turn begin soon. */
  applied(room: number, atOnce: boolean): void {
    const { memory, admission, deltaBytesMax, flusher } = this.context;
    admission.giveBack(room);
    if (this.freezeWanted || memory.isActiveFull(deltaBytesMax)) this.freeze();
    else this.flushForWaiters();
    if (atOnce) flusher.handOver();
  }

  /** See KvEngine.unadmit. */
  unadmit(room: number): void {
    this.context.admission.giveBack(room);
    this.flushForWaiters();
  }

  /** See KvEngine.flushedSeq. */
  flushedSeq(): Seq {
    const { memory, files } = this.context;
    return memory.isDirty ? files.flushedSeq : memory.applied;
  }

  /** See KvEngine.flush. */
  async flush(): Promise<Seq> {
    const { memory, flusher, readOnly } = this.context;
    const target = Math.max(memory.applied, memory.applying);
    while (this.flushedSeq() < target) {
      if (flusher.failure !== undefined) throw flusher.failure;
      if (this.isClosed || readOnly) break;
      // A batch that was being applied in slices when the store failed never ends.
      if (this.ended !== undefined) throw this.ended;
      // What came later waits for a flush of its own: each turn of this loop would freeze another small delta.
      if (memory.mustFreeze(target)) this.makeRoom();
      flusher.retryNow();
      // While a batch is being applied in slices its end must come first: its last slice freezes.
      if (flusher.isFlushing) await flusher.flushed();
      else await new Promise((resolve) => setImmediate(resolve));
    }
    return this.flushedSeq();
  }

  /** See KvEngine.flushNow. */
  flushNow(): Seq {
    const { memory, flusher, readOnly } = this.context;
    assert(memory.applying === 0, 'a flush that cannot wait comes between batches');
    while (this.flushedSeq() < memory.applied && !this.isClosed && !readOnly) {
      if (flusher.failure !== undefined) throw flusher.failure;
      this.makeRoom();
      flusher.retryNow();
      flusher.finishFlushNow();
    }
    return this.flushedSeq();
  }

  /** See KvEngine.refuseWrites. */
  refuseWrites(reason: Error): void {
    this.ended ??= reason;
    this.context.admission.refuse(reason);
  }

  /** Takes nothing any more, and turns away who waits. */
  close(): void {
    this.isClosed = true;
    this.refuseWrites(new PhantomError(SqlState.AdminShutdown, 'the engine was closed'));
  }

  /** Reserves room; false when there is none now. Throws what refuses writes, from which removals on a full disk are spared. */
  private isAdmitted(room: number, usesReserve: boolean, overtakes: boolean): boolean {
    const { admission, flusher, readOnly } = this.context;
    const { failure, refusal } = flusher;
    if (this.ended !== undefined) throw this.ended;
    if (failure !== undefined) throw failure;
    if (refusal === undefined) return readOnly || admission.tryReserve(room, overtakes);
    if (usesReserve && admission.tryReserveForRemoval(room)) return true;
    throw refusal;
  }

  /** Freezes what there is, or sees to it that the end of the present batch does, and lets the flush run. */
  private makeRoom(): void {
    if (this.context.memory.applying !== 0) this.freezeWanted = true;
    else this.freeze();
  }

  private flushForWaiters(): void {
    const { memory, admission, flusher } = this.context;
    if (freezeForWaiters(memory, admission)) flusher.startFlush();
  }

  private freeze(): void {
    const { memory, flusher } = this.context;
    this.freezeWanted = false;
    memory.freeze();
    flusher.startFlush();
  }
}

/** Freezes the active delta when somebody waits for the room that it takes, and nothing else is on its way to files. True when it did. */
export function freezeForWaiters(
  memory: Pick<MemoryLayers<{ readonly run: Run }>, 'applying' | 'frozen' | 'freeze'>,
  admission: Admission,
): boolean {
  if (!admission.isAwaited || memory.applying !== 0 || memory.frozen.length > 0) return false;
  memory.freeze();
  return true;
}
