/** What a thread that only reads puts in the place of a store and its transactions: one view, and a refusal of everything else. */
import { PhantomError, assert } from '@phantom/base';
import type { AttachedView, ByteSlot, KeyRange, KvCursor, RangeEstimate, Seq } from '@phantom/kv';
import type { Mvcc, SessionLocks } from '@phantom/mvcc';
import type { ReadView, StoragePort } from '@phantom/sql';

/** The view of the read that runs, for whoever takes it for the newest state. */
export class ReadingView implements ReadView {
  private present: AttachedView | undefined = undefined;

  aim(view: AttachedView | undefined): void {
    this.present = view;
  }

  get seq(): Seq {
    return this.view.seq;
  }

  get(key: Uint8Array, start: number, end: number, value: ByteSlot): boolean {
    return this.view.get(key, start, end, value);
  }

  cursor(range: KeyRange): KvCursor {
    return this.view.cursor(range);
  }

  estimate(range: KeyRange): RangeEstimate {
    return this.view.estimate(range);
  }

  /** The read that runs holds it. */
  retain(): this {
    return this;
  }

  release(): void {
    // See retain.
  }

  private get view(): AttachedView {
    assert(this.present !== undefined, 'a thread reads while it runs a read');
    return this.present;
  }
}

function refuse(): never {
  throw new PhantomError('XX000', 'a thread that only reads was asked for more');
}

const NO_LOCKS: SessionLocks = {
  lock: refuse,
  unlock: () => false,
  unlockAll: () => undefined,
  isWaiting: false,
  cancelWait: () => undefined,
};

export class ReadingMvcc implements Mvcc {
  readonly hasReadersShutOut = false;
  readonly begin = refuse;
  readonly spaceLeft = refuse;
  readonly run = refuse;
  readonly locks = refuse;
  readonly transactions = refuse;
  readonly stats = refuse;
  readonly prepared = refuse;
  readonly commitPrepared = refuse;
  readonly rollbackPrepared = refuse;
  readonly describeKey = refuse;
  readonly changes = refuse;
  readonly observe = refuse;
  readonly conflicts = refuse;
  readonly close = refuse;
  private readonly view: ReadingView;

  constructor(view: ReadingView) {
    this.view = view;
  }

  presentView(): ReadingView {
    return this.view;
  }

  sessionLocks(): SessionLocks {
    return NO_LOCKS;
  }
}

export class ReadingStorage implements StoragePort {
  readonly allocateSpace = refuse;
  readonly moveSpaces = refuse;
  readonly beginLoad = refuse;
  readonly advise = refuse;
  readonly work = refuse;
  readonly finishQueuedNow = refuse;
  readonly checkpoint = refuse;
  readonly backup = refuse;
  readonly createRestorePoint = refuse;
  /** Nothing is written here. */
  readonly lastSync = { beganMs: 0, endedMs: 0, commits: 0 };
  private readonly present: ReadingView;

  readonly reads: StoragePort['reads'];

  /** `reads` tells what the thread has read. */
  constructor(view: ReadingView, reads: StoragePort['reads']) {
    this.present = view;
    this.reads = reads;
  }

  view(): ReadingView {
    return this.present;
  }

  estimate(range: KeyRange): RangeEstimate {
    return this.present.estimate(range);
  }

  /** The thread that has opened the files looks for names once the error is there. */
  locate(): undefined {
    return undefined;
  }

  /** Whoever reads here alone needs no parts. */
  split(range: KeyRange): readonly KeyRange[] {
    return [range];
  }
}
