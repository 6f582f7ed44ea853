/**
 * What a transaction reads by: the snapshot of its statement, and the newest state for constraint reads. And what its writes
 * rest on: a commit behind the snapshot under which a key was written conflicts with it.
 *
 *   current   from the first statement on; at read committed anew for each statement that finds something new
 *   held      those of the statements around the present one, which go on when it ends
 *   newest    taken when a constraint is checked, kept while nothing is published
 *   bases     place in the write set -> seq: what is written from there on rests on that snapshot
 *
 * Invariants:
 *   1. While `current` is there, the registry knows from which seq on the transaction must hear of commits.
 *   2. Writes that validation will check, and guards, keep the registry at the oldest snapshot that they rest on.
 */
import { unsupportedError } from '@phantom/base';
import type { Seq } from '@phantom/kv';
import type { StoreView } from '@phantom/store';
import { ReadSet } from './read-set.js';
import type { LiveTransaction, TransactionRegistry } from './registry.js';
import type { SerializableTransaction } from './serialization-graph.js';
import type { Concurrency, Isolation } from './types.js';

/** From this place of the write set on, writes rest on a snapshot of this seq. */
export interface WriteBase {
  readonly place: number;
  readonly seq: Seq;
}

/** The transaction, as its snapshots see it. */
export interface SnapshotOwner extends LiveTransaction, SerializableTransaction {
  readonly isolation: Isolation;
  readonly concurrency: Concurrency;
  readonly isSerializable: boolean;
  readonly readsAhead: boolean;
  /** It relies on keys besides those that it writes. */
  readonly hasGuards: boolean;
}

const NO_WRITE_BASES: readonly WriteBase[] = [];

export class Snapshots {
  current: StoreView | undefined = undefined;
  newest: StoreView | undefined = undefined;
  /** By place; empty when written keys are not validated (read committed, or no snapshot). */
  bases: readonly WriteBase[] = NO_WRITE_BASES;
  /** The newest commit that any of its snapshots has shown. */
  seqMax: Seq = 0;
  private readonly registry: TransactionRegistry;
  private readonly owner: SnapshotOwner;
  /** Outermost first; undefined until a statement runs inside another one. */
  private held: StoreView[] | undefined = undefined;

  constructor(registry: TransactionRegistry, owner: SnapshotOwner) {
    this.registry = registry;
    this.owner = owner;
  }

  /** Seq of the present one, 0 while there is none. */
  get seq(): Seq {
    return this.current?.seq ?? 0;
  }

  /** Seq that a snapshot taken now would have. */
  get presentSeq(): Seq {
    const { store, window } = this.registry;
    return this.owner.readsAhead ? window.newestSeq : store.visibleSeq;
  }

  /** The first one. */
  take(): StoreView {
    const { registry, owner } = this;
    const view = this.present();
    this.current = view;
    if (!owner.readOnly) {
      registry.addSnapshot(owner, registry.store.visibleSeq);
      if (this.validatesWrites) this.bases = [{ place: 0, seq: view.seq }];
    }
    if (owner.isSerializable && registry.graph.began(owner))
      owner.reads = new ReadSet(registry.options.readSetBytesMax);
    return view;
  }

  /** The first one, where it is that of another transaction, which lives: what that has been shown, this one is. */
  share(other: Snapshots): void {
    if (!this.owner.readOnly || this.owner.isolation !== 'repeatable read')
      throw unsupportedError('a snapshot of another transaction but at repeatable read and read-only');
    this.current = (other.current ?? other.take()).retain();
    this.seqMax = other.seqMax;
  }

  /** Lets go of a snapshot that nothing rests on yet, for another one. */
  giveUp(): void {
    this.current?.release();
    this.current = undefined;
  }

  /** A statement begins: at read committed it sees what was committed before. */
  renew(): void {
    const { owner } = this;
    if (this.current === undefined) this.take();
    else if (owner.isolation === 'read committed' && this.current.seq !== this.presentSeq) this.replace(this.current);
    if (this.newest !== undefined && this.newest.seq !== this.presentSeq) {
      this.newest.release();
      this.newest = undefined;
    }
  }

  /** Keeps the present one for when the statement that now begins inside the present one has ended. */
  hold(): void {
    const view = this.current ?? this.take();
    if (this.held === undefined) this.held = [view];
    else this.held.push(view);
  }

  /** That statement has ended: the one held last is the present one again. */
  resume(): void {
    const view = this.held?.pop();
    if (view === undefined) return;
    if (this.held?.length === 0) this.held = undefined;
    const { current, owner } = this;
    if (current === view) return;
    this.current = view;
    if (current !== undefined) this.letGo(current);
    if (this.validatesWrites && owner.hasWrites)
      this.bases = [...this.bases, { place: owner.writes?.place ?? 0, seq: view.seq }];
  }

  /** The newest committed state; it is released with the others. */
  takeNewest(): StoreView {
    if (this.current === undefined) this.take();
    const { newest } = this;
    if (newest !== undefined && newest.seq === this.presentSeq) return newest;
    const view = this.present();
    this.newest = view;
    newest?.release();
    return view;
  }

  /** Writes behind this place are undone: what is written there again rests on the present snapshot. */
  basesUpTo(end: number): void {
    if (this.bases.length <= 1) return;
    this.bases = [...this.bases.filter(({ place }) => place < end), { place: end, seq: this.seq }];
  }

  /** All writes have been checked against what was committed so far, and are locked: they rest on the present snapshot. */
  restAgain(): void {
    if (this.bases.length > 0) this.bases = [{ place: 0, seq: this.seq }];
  }

  release(): void {
    if (this.held !== undefined) for (const view of new Set(this.held)) if (view !== this.current) view.release();
    this.current?.release();
    this.newest?.release();
    this.current = this.newest = this.held = undefined;
  }

  /** Releases a view that no statement around the present one needs. */
  private letGo(view: StoreView): void {
    if (this.held?.includes(view) !== true) view.release();
  }

  private present(): StoreView {
    const { registry, owner } = this;
    if (!owner.readsAhead) {
      if (!owner.readOnly) registry.window.recordQueued();
      return registry.store.view();
    }
    const view = registry.window.viewAhead();
    this.seqMax = view.seq;
    return view;
  }

  private replace(old: StoreView): void {
    const { registry, owner } = this;
    const view = this.present();
    this.current = view;
    this.letGo(old);
    if (owner.readOnly) return;
    const hasValidatedWrites = this.validatesWrites && owner.hasWrites;
    if (hasValidatedWrites) {
      this.bases = [...this.bases, { place: owner.writes?.place ?? 0, seq: view.seq }];
    } else if (this.validatesWrites) {
      this.bases = [{ place: 0, seq: view.seq }];
    }
    if (hasValidatedWrites || owner.hasGuards || this.held !== undefined) return;
    registry.removeSnapshot(owner);
    registry.addSnapshot(owner, registry.store.visibleSeq);
  }

  /** Read committed with locks has made sure of each key it writes; everybody else is checked at commit. */
  private get validatesWrites(): boolean {
    return this.owner.isolation !== 'read committed' || this.owner.concurrency === 'optimistic';
  }
}
