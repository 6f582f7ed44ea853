/**
 * Serializable: snapshot isolation that also watches who read what others wrote (SSI; Cahill, Röhm and Fekete, "Serializable
 * Isolation for Snapshot Databases", 2008; Ports and Grittner, "Serializable Snapshot Isolation in PostgreSQL", 2012).
 *
 * A reads a version that B, which runs beside it, replaces: then A comes before B in any serial order, though nobody waited.
 * Write A ──rw──► B. Every cycle that snapshot isolation lets through holds two such edges in a row, with the last of the
 * three transactions committed before the other two:
 *
 *        T1 ──rw──► T2 ──rw──► T3        T3 committed first: T2 is the pivot, and may be dangerous
 *        ▲                     │
 *        └──── any number ◄────┘
 *
 * A transaction's writes are known to nobody before its commit, and commits are decided one after the other. So edges are
 * looked for in one place, when a transaction commits, and what is found there is complete:
 *   as T2   it read what a committed T3 wrote, and a committed T1 read what it writes          it loses
 *   as T1   it read what a committed T2 wrote, which had an edge to an earlier commit          it loses
 *   as T3   nothing to fear: of a dangerous three it would have been the first
 * Who loses is always the one that commits last. The two others are there by then, so when it is run again it sees them and
 * cannot lose to the same two ("safe retry"). If T1 wrote nothing, the three are dangerous only if T3 committed before T1
 * took its snapshot (Ports and Grittner, theorem 3).
 *
 * All of this takes it that a transaction reads its snapshot and nothing else. Constraints are checked by a newer state, so whoever
 * was told something there that its snapshot does not show comes after somebody that it may come before, and loses (`newerKey`).
 *
 * What is kept, and for how long:
 *   records    of each committed transaction what it read and wrote, until no serializable transaction lives whose snapshot
 *              is older, and until the snapshots that are yet to be taken show it. Past `bytesMax` the oldest go though
 *              somebody may need them; `floor` then says which snapshots can no longer commit (40001 with that reason).
 *   watchers   a read-only transaction is safe, and stops remembering what it reads, once all writers that its snapshot ran
 *              beside have ended without an edge to a commit that the snapshot shows. With none of them it is safe at once.
 *   prepared   transactions that will commit: they count as committed for who wants to be safe, but for their position. Whether
 *              one has an edge to a commit that a snapshot shows is known by the time of the snapshot.
 *   left       spaces that nobody writes any more, since a table has moved or lost an index, and where its rows are written
 *              from then on: whoever has read anything there has read all of that, until nobody is left who may have.
 *
 * Invariants:
 *   1. Records are in the order of their positions; a transaction that wrote nothing has the place of the last commit
 *      appended before its end.
 *   2. A record is there as long as a live snapshot, or one that could be taken now, is older than its position.
 *   3. An edge between two committed transactions was looked at when the later of them committed.
 */
import { type Seq, type SpaceId, spaceOfKey } from '@phantom/kv';
import type { Store } from '@phantom/store';
import type { ConflictLedger } from './conflict-ledger.js';
import type { ReadSet } from './read-set.js';
import type { TransactionDescription } from './types.js';
import type { WriteSet } from './write-set.js';
import { WrittenKeys } from './written-keys.js';

const NEVER = Number.POSITIVE_INFINITY;
/** An object with its fields, and its place in the list. */
const RECORD_BYTES = 200;
/** Spaces left that are remembered while snapshots from before are there; past it those can no longer commit. */
const SPACES_LEFT_MAX = 4096;

/** A serializable transaction, as the graph sees it. */
export interface SerializableTransaction extends TransactionDescription {
  readonly readOnly: boolean;
  readonly snapshotSeq: Seq;
  readonly hasWrites: boolean;
  readonly writes: WriteSet | undefined;
  /** Undefined once nothing that it reads can matter. */
  reads: ReadSet | undefined;
  /** Tells the read set what open cursors have passed over. */
  tellReads(): void;
}

/** A prepared transaction: it will commit, nobody knows when, and can no longer lose. */
export interface PreparedReads {
  readonly by: TransactionDescription;
  readonly reads: ReadSet | undefined;
  readonly writes: WrittenKeys;
  readonly snapshotSeq: Seq;
  /** As CommitRecord's; grows as others commit before it. */
  earliestOut: number;
}

/** A committed transaction that others may still conflict with. */
export interface CommitRecord {
  readonly position: Seq;
  readonly snapshotSeq: Seq;
  readonly by: TransactionDescription;
  readonly reads: ReadSet | undefined;
  readonly writes: WrittenKeys | undefined;
  /** Position of the earliest commit that it has an edge to; infinite when it has none. */
  readonly earliestOut: number;
}

interface Watch {
  readonly transaction: SerializableTransaction;
  /** Writers that its snapshot runs beside, those that are to end before it can be safe. */
  readonly beside: Set<SerializableTransaction | PreparedReads>;
  isUnsafe: boolean;
  onDecided: (() => void) | undefined;
}

/** What of a commit, or of one that is certain to come, may endanger who only reads. */
type Outgoing = Pick<CommitRecord, 'writes' | 'earliestOut'>;

export class SerializationGraph {
  /** Snapshots older than this cannot commit any more: what they may conflict with is forgotten. */
  floor: Seq = 0;
  private readonly store: Store;
  private readonly ledger: ConflictLedger;
  private readonly bytesMax: number;
  /** In order of their snapshots. */
  private readonly live = new Set<SerializableTransaction>();
  private readonly watches = new Map<SerializableTransaction, Watch>();
  private records: CommitRecord[] = [];
  private readonly prepared = new Set<PreparedReads>();
  /** By the space where rows are written now: those that were left for it. */
  private readonly left = new Map<SpaceId, readonly SpaceId[]>();
  private leftCount = 0;
  private bytesCounted = 0;

  constructor(store: Store, ledger: ConflictLedger, bytesMax: number) {
    this.store = store;
    this.ledger = ledger;
    this.bytesMax = bytesMax;
  }

  /** Memory of committed transactions. */
  get bytes(): number {
    return this.bytesCounted;
  }

  get recordCount(): number {
    return this.records.length;
  }

  /** The transaction has taken its snapshot; false when it is safe already and need not remember what it reads. */
  began(transaction: SerializableTransaction): boolean {
    if (!transaction.readOnly) {
      this.live.add(transaction);
      return true;
    }
    const beside: Watch['beside'] = new Set();
    for (const other of this.live) if (!other.readOnly) beside.add(other);
    const { snapshotSeq } = transaction;
    const dangerous = [...this.prepared].filter((prepared) => dangerousFor(snapshotSeq, prepared) !== NEVER);
    const isUnsafe = dangerous.length > 0 || snapshotSeq < this.floor || this.hasDangerousRecord(snapshotSeq);
    if (beside.size === 0 && !isUnsafe) return false;
    this.live.add(transaction);
    // Another snapshot would be as unsafe, until one of those that are prepared has ended.
    if (dangerous.length > 0) this.watch(transaction, new Set(dangerous), true);
    else if (!isUnsafe) this.watch(transaction, beside, false);
    return true;
  }

  /** Resolves once it is known whether a read-only transaction is safe; undefined when that is known already. */
  whenDecided(transaction: SerializableTransaction): Promise<void> | undefined {
    const watch = this.watches.get(transaction);
    if (watch === undefined) return undefined;
    return new Promise((resolve) => {
      watch.onDecided = resolve;
    });
  }

  /** Somebody waits for their second phase. */
  get hasPrepared(): boolean {
    return this.prepared.size > 0;
  }

  /** The store has failed: who waits until it is decided looks again whether that can still come. */
  wakeWatches(): void {
    for (const { onDecided } of this.watches.values()) onDecided?.();
  }

  /** In the turn of the append: 40001 when the transaction is the last of a dangerous three; else what `committed` wants. */
  validate(transaction: SerializableTransaction, isPreparing = false): number {
    const { reads, snapshotSeq } = transaction;
    if (reads !== undefined) transaction.tellReads();
    const isBehindPrepared = this.prepared.size > 0 && this.refuseForPrepared(transaction, reads, isPreparing);
    if (reads === undefined) return NEVER;
    if (reads.newerKey !== undefined) throw this.ledger.checkedNewer(transaction, reads.newerKey);
    if (snapshotSeq < this.floor) throw this.ledger.tooOld(transaction, this.floor, this.bytesMax);
    if (reads.isEmpty) return NEVER;
    let earliestOut = NEVER;
    let out: CommitRecord | undefined;
    for (let i = this.records.length - 1; i >= 0; i--) {
      const record = this.records[i] as CommitRecord;
      if (record.position <= snapshotSeq) break;
      if (record.writes === undefined || !this.hasRead(reads, record.writes)) continue;
      const reachesBack = transaction.hasWrites ? record.earliestOut : dangerousFor(snapshotSeq, record);
      if (reachesBack !== NEVER)
        throw this.ledger.readBehindPivot(transaction, record, this.readKey(reads, record.writes));
      earliestOut = record.position;
      out = record;
    }
    if (out !== undefined && transaction.hasWrites) this.refusePivot(transaction, reads, out);
    return isBehindPrepared ? Math.min(earliestOut, this.store.assignedSeq + 1) : earliestOut;
  }

  /** The transaction has committed: appended at `position`, or, without writes, ended behind it. */
  committed(transaction: SerializableTransaction, position: Seq, earliestOut: number): void {
    const { writes, snapshotSeq, id, label, statement } = transaction;
    const record: CommitRecord = {
      position,
      snapshotSeq,
      by: { id, label, statement },
      reads: transaction.reads?.isEmpty === true ? undefined : transaction.reads,
      writes:
        transaction.hasWrites && writes !== undefined
          ? new WrittenKeys(writes.batch.finish(), writes.touched)
          : undefined,
      earliestOut,
    };
    this.leave(transaction, record);
    if (!this.isNeeded(record)) return;
    this.records.push(record);
    this.bytesCounted += bytesOf(record);
    if (this.bytesCounted > this.bytesMax) this.forgetOldest();
  }

  /** The transaction is prepared: it cannot lose any more, so whoever would close a cycle with it does. */
  wasPrepared(transaction: SerializableTransaction, prepared: PreparedReads): void {
    this.leave(transaction, prepared);
    this.prepared.add(prepared);
  }

  /** Found again after a restart. */
  restorePrepared(prepared: PreparedReads): void {
    this.prepared.add(prepared);
  }

  /** A prepared transaction has committed at `position`, or was rolled back (undefined). */
  preparedEnded(prepared: PreparedReads, position: Seq | undefined): void {
    this.prepared.delete(prepared);
    this.tellWatches(prepared, undefined);
    if (position === undefined) return;
    const { by, reads, writes, snapshotSeq, earliestOut } = prepared;
    this.records.push({ position, snapshotSeq, by, reads, writes, earliestOut });
    this.bytesCounted += bytesOf(this.records.at(-1) as CommitRecord);
  }

  /** The commit is visible, and its batch is about to be used again: keys that are still needed are copied. */
  published(position: Seq): void {
    this.purge();
    for (let i = this.records.length - 1; i >= 0; i--) {
      const record = this.records[i] as CommitRecord;
      if (record.position < position) break;
      if (record.position === position && record.writes !== undefined) record.writes.keep();
    }
  }

  /** The transaction has ended without a commit. Nothing happens when it was not here. */
  ended(transaction: SerializableTransaction): void {
    if (this.live.has(transaction)) this.leave(transaction, undefined);
  }

  /** A table's rows are written in `heir` from the commit at `position` on, and nothing in `space` any more. */
  spaceLeft(space: SpaceId, heir: SpaceId, position: Seq): void {
    if (this.isIdle || space === heir) return;
    const earlier = this.left.get(space) ?? [];
    this.left.set(heir, [...(this.left.get(heir) ?? []), space, ...earlier]);
    this.leftCount += 1 + earlier.length;
    if (this.leftCount <= SPACES_LEFT_MAX) return;
    this.floor = Math.max(this.floor, position);
    this.forgetLeft();
  }

  /** Transactions that live and still remember what they read. */
  get liveCount(): number {
    return this.live.size;
  }

  private refusePivot(transaction: SerializableTransaction, reads: ReadSet, out: CommitRecord): void {
    const { writes } = transaction;
    if (writes === undefined) return;
    let keys: WrittenKeys | undefined;
    for (const prepared of this.prepared) {
      if (prepared.reads === undefined || (isEmpty(prepared.writes) && out.position > prepared.snapshotSeq)) continue;
      keys ??= new WrittenKeys(writes.batch.finish(), writes.touched);
      if (this.hasRead(prepared.reads, keys))
        throw this.ledger.beforePrepared(transaction, prepared, this.readKey(prepared.reads, keys));
    }
    for (let i = this.records.length - 1; i >= 0; i--) {
      const record = this.records[i] as CommitRecord;
      if (record.position < out.position) break;
      if (record.reads === undefined) continue;
      if (record.writes === undefined && out.position > record.snapshotSeq) continue;
      keys ??= new WrittenKeys(writes.batch.finish(), writes.touched);
      if (this.hasRead(record.reads, keys)) {
        throw this.ledger.pivot(
          transaction,
          { record, key: this.readKey(record.reads, keys) },
          { record: out, key: out.writes === undefined ? undefined : this.readKey(reads, out.writes) },
        );
      }
    }
  }

  /**
   * A prepared transaction as T2 cannot lose: T1, or T3, does instead. As T1 it is in the way of T2 (refusePivot). True when the
   * transaction, which is about to be prepared itself, has an edge to one that is: that one may commit first, and neither can
   * lose then.
   */
  private refuseForPrepared(
    transaction: SerializableTransaction,
    reads: ReadSet | undefined,
    isPreparing: boolean,
  ): boolean {
    const { writes } = transaction;
    const keys =
      transaction.hasWrites && writes !== undefined
        ? new WrittenKeys(writes.batch.finish(), writes.touched)
        : undefined;
    let hasEdge = false;
    for (const prepared of this.prepared) {
      const isT1 = reads !== undefined && this.hasRead(reads, prepared.writes);
      const isT3 = keys !== undefined && prepared.reads !== undefined && this.hasRead(prepared.reads, keys);
      if (reads !== undefined && isT1 && (isT3 || prepared.earliestOut !== NEVER))
        throw this.ledger.beforePrepared(transaction, prepared, this.readKey(reads, prepared.writes));
      hasEdge ||= isT1 && isPreparing;
      if (!isT3) continue;
      for (const record of this.records) {
        if (record.reads !== undefined && this.hasRead(record.reads, prepared.writes))
          throw this.ledger.beforePrepared(transaction, prepared, this.readKey(record.reads, prepared.writes));
      }
      const reader = this.preparedReaderOf(prepared.writes, prepared);
      if (reader !== undefined) throw this.ledger.beforePrepared(transaction, reader, undefined);
      prepared.earliestOut = Math.min(prepared.earliestOut, this.store.assignedSeq + 1);
    }
    const reader = hasEdge && keys !== undefined ? this.preparedReaderOf(keys, undefined) : undefined;
    if (reader !== undefined) throw this.ledger.beforePrepared(transaction, reader, undefined);
    return hasEdge;
  }

  /** A prepared transaction, but for one, that writes and has read one of the keys. */
  private preparedReaderOf(keys: WrittenKeys, except: PreparedReads | undefined): PreparedReads | undefined {
    for (const prepared of this.prepared) {
      if (prepared === except || prepared.reads === undefined || isEmpty(prepared.writes)) continue;
      if (this.hasRead(prepared.reads, keys)) return prepared;
    }
    return undefined;
  }

  /** A commit that the snapshot does not show has an edge to one that it does. */
  private hasDangerousRecord(snapshotSeq: Seq): boolean {
    for (let i = this.records.length - 1; i >= 0; i--) {
      const record = this.records[i] as CommitRecord;
      if (record.position <= snapshotSeq) break;
      if (dangerousFor(snapshotSeq, record) !== NEVER) return true;
    }
    return false;
  }

  private watch(transaction: SerializableTransaction, beside: Watch['beside'], isUnsafe: boolean): void {
    this.watches.set(transaction, { transaction, beside, isUnsafe, onDecided: undefined });
  }

  private leave(transaction: SerializableTransaction, record: Outgoing | undefined): void {
    this.live.delete(transaction);
    const own = this.watches.get(transaction);
    if (own !== undefined) {
      this.watches.delete(transaction);
      own.onDecided?.();
    }
    if (!transaction.readOnly && this.watches.size > 0) this.tellWatches(transaction, record);
    this.purge();
  }

  private tellWatches(ended: SerializableTransaction | PreparedReads, record: Outgoing | undefined): void {
    for (const watch of this.watches.values()) {
      if (!watch.beside.delete(ended)) continue;
      const reader = watch.transaction;
      if (record?.writes !== undefined && dangerousFor(reader.snapshotSeq, record) !== NEVER) watch.isUnsafe = true;
      if (!watch.isUnsafe && watch.beside.size > 0) continue;
      this.watches.delete(reader);
      if (!watch.isUnsafe) {
        reader.reads = undefined;
        this.live.delete(reader);
      }
      watch.onDecided?.();
    }
  }

  private isNeeded(record: CommitRecord): boolean {
    return record.position > this.oldestNeeded();
  }

  private oldestNeeded(): Seq {
    const { visibleSeq } = this.store;
    let oldest = visibleSeq;
    for (const { snapshotSeq } of this.prepared) oldest = Math.min(oldest, snapshotSeq);
    for (const { snapshotSeq } of this.live) return Math.min(snapshotSeq, oldest);
    return oldest;
  }

  private hasRead(reads: ReadSet, keys: WrittenKeys): boolean {
    if (this.firstRead(reads, keys) >= 0) return true;
    const { ranges } = keys;
    if (ranges.some(({ lower, upper }) => reads.touches(lower, upper))) return true;
    return this.left.size > 0 && ranges.some(({ lower }) => this.isReadWhereItWas(reads, spaceOfKey(lower, 0)));
  }

  /** Index of the first written key that was read, -1 when there is none. */
  private firstRead(reads: ReadSet, keys: WrittenKeys): number {
    const found = reads.firstRead(keys);
    if (found >= 0 || this.left.size === 0) return found;
    const { bytes, starts, count } = keys;
    for (let i = 0; i < count; i++)
      if (this.isReadWhereItWas(reads, spaceOfKey(bytes, starts[2 * i] as number))) return i;
    return -1;
  }

  private isReadWhereItWas(reads: ReadSet, space: SpaceId): boolean {
    return this.left.get(space)?.some((before) => reads.isIn(before)) === true;
  }

  /** A key that was read and written; that it is there has been found out before. */
  private readKey(reads: ReadSet, keys: WrittenKeys): Uint8Array | undefined {
    const index = this.firstRead(reads, keys);
    return index >= 0 ? keys.key(index) : keys.ranges[0]?.lower;
  }

  /** Nobody is there who has read anything. */
  private get isIdle(): boolean {
    return this.live.size === 0 && this.prepared.size === 0 && this.records.length === 0;
  }

  private forgetLeft(): void {
    this.left.clear();
    this.leftCount = 0;
  }

  private purge(): void {
    const { records } = this;
    if (records.length > 0) {
      const oldest = this.oldestNeeded();
      let drop = 0;
      while (drop < records.length && (records[drop] as CommitRecord).position <= oldest) {
        this.bytesCounted -= bytesOf(records[drop] as CommitRecord);
        drop++;
      }
      if (drop > 0) this.records = records.slice(drop);
    }
    if (this.left.size > 0 && this.isIdle) this.forgetLeft();
  }

  /** Too much is remembered: the older half goes, and with it the chance of old snapshots to commit. */
  private forgetOldest(): void {
    const { records } = this;
    let drop = 0;
    while (drop < records.length && this.bytesCounted > this.bytesMax / 2) {
      const record = records[drop] as CommitRecord;
      this.bytesCounted -= bytesOf(record);
      this.floor = Math.max(this.floor, record.position);
      drop++;
    }
    this.records = records.slice(drop);
  }
}

/** Position of the commit that makes the record dangerous for a reader that writes nothing; infinite when none does. */
function dangerousFor(snapshotSeq: Seq, record: Outgoing): number {
  return record.earliestOut <= snapshotSeq ? record.earliestOut : NEVER;
}

function isEmpty({ count, ranges }: WrittenKeys): boolean {
  return count === 0 && ranges.length === 0;
}

function bytesOf({ reads, writes }: CommitRecord): number {
  return RECORD_BYTES + (reads?.bytes ?? 0) + (writes?.bytesKept ?? 0);
}
