/**
 * Which keys were written lately, and by which commit: what a transaction's write set and its constraint reads are
 * checked against. Conflicts are decided here, in memory, never by reading versions from disk.
 *
 *   newest  key hash -> seq of the last commit that wrote it (hash-table.ts)
 *   ring    (hash, seq) in commit order, so that what no live snapshot needs is forgotten from the old end
 *   ranges  range removals, rare, looked through one by one
 *
 * 32 to 48 bytes per key. Past its limit the oldest records go although somebody may need them; `floor` then says below
 * which snapshot nothing can be decided any more, and a transaction that old loses with 40001 and that reason.
 *
 * Invariants:
 *   1. A commit with a seq above `floor` that was recorded is found until forget() was told that nobody needs it.
 *   2. Seqs are recorded in rising order.
 */
import { compareBytes } from '@phantom/base';
import { BatchReader, type KeyRange, OperationKind, type Seq } from '@phantom/kv';
import { HashTable } from './hash-table.js';
import { keyHash } from './key-hash.js';

const RING_ENTRIES_MIN = 512;
const RING_ENTRY_BYTES = 16;
const RANGE_BYTES = 96;

interface RecentRange {
  readonly lower: Uint8Array;
  readonly upper: Uint8Array;
  readonly seq: Seq;
}

export class ConflictIndex {
  /** Commits at or below may have been forgotten though a snapshot still needed them. */
  floor: Seq = 0;
  private readonly bytesMax: number;
  private readonly reader = new BatchReader();
  private readonly newest = new HashTable();
  private ringHashes = new Float64Array(RING_ENTRIES_MIN);
  private ringSeqs = new Float64Array(RING_ENTRIES_MIN);
  private ringHead = 0;
  private ringCount = 0;
  private ranges: RecentRange[] = [];
  private rangeBytes = 0;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /** True when nothing is recorded: nothing can conflict. */
  get isEmpty(): boolean {
    return this.ringCount === 0 && this.ranges.length === 0;
  }

  get bytes(): number {
    return this.newest.bytes + this.ringHashes.length * RING_ENTRY_BYTES + this.rangeBytes;
  }

  /** Records every key and range of a write batch (its finished bytes) for a commit. */
  record(batch: Uint8Array, seq: Seq): void {
    const reader = this.reader.setBatch(batch);
    while (reader.next()) {
      if (reader.kind === OperationKind.RemoveRange) {
        const lower = batch.slice(reader.keyStart, reader.keyEnd);
        const upper = batch.slice(reader.valueStart, reader.valueEnd);
        this.recordRange(lower, upper, seq);
      } else {
        this.recordHash(keyHash(batch, reader.keyStart, reader.keyEnd), seq);
      }
    }
    this.boundRanges();
  }

  /** Records for a commit ranges that together hold the keys it has written: each of their keys counts as written. */
  recordRanges(ranges: readonly KeyRange[], seq: Seq): void {
    for (const { lower, upper } of ranges) this.recordRange(lower, upper as Uint8Array, seq);
    this.boundRanges();
  }

  /** Seq of the last recorded commit that wrote the key, 0 when there is none. */
  seqOf(hash: number, key: Uint8Array, start: number, end: number): Seq {
    let seq = this.newest.get(hash, 0);
    for (const range of this.ranges) {
      if (range.seq <= seq) continue;
      if (compareBytes(key, start, end, range.lower, 0, range.lower.length) < 0) continue;
      if (compareBytes(key, start, end, range.upper, 0, range.upper.length) < 0) seq = range.seq;
    }
    return seq;
  }

  /** Nobody needs commits at or below `seq` any more. */
  forget(seq: Seq): void {
    if (this.ringCount === 0 && this.ranges.length === 0) return;
    while (this.ringCount > 0 && (this.ringSeqs[this.ringHead] as number) <= seq) this.dropOldest();
    this.dropRanges(seq);
    // An idle database gives its memory back.
    if (this.ringCount > 0 || this.ringHashes.length === RING_ENTRIES_MIN) return;
    this.newest.clear();
    this.resizeRing(RING_ENTRIES_MIN);
  }

  private boundRanges(): void {
    if (this.rangeBytes > this.bytesMax / 4) this.raiseFloor((this.ranges.at(-1) as RecentRange).seq);
  }

  private recordRange(lower: Uint8Array, upper: Uint8Array, seq: Seq): void {
    this.ranges.push({ lower, upper, seq });
    this.rangeBytes += RANGE_BYTES + lower.length + upper.length;
  }

  private recordHash(hash: number, seq: Seq): void {
    if (this.ringCount === this.ringHashes.length) this.makeRoom();
    if (this.newest.set(hash, seq, 0) === seq) return;
    const ringAt = (this.ringHead + this.ringCount++) & (this.ringHashes.length - 1);
    this.ringHashes[ringAt] = hash;
    this.ringSeqs[ringAt] = seq;
  }

  /** Twice the ring, which has a record for each hash in the table; past the limit the older half goes instead, needed or not. */
  private makeRoom(): void {
    if (this.bytes * 2 <= this.bytesMax) {
      this.resizeRing(this.ringHashes.length * 2);
      return;
    }
    const middle = (this.ringHead + (this.ringCount >> 1)) & (this.ringHashes.length - 1);
    this.raiseFloor(this.ringSeqs[middle] as number);
  }

  /** Commits up to `seq` are forgotten, whole, though a snapshot may need them: it will be told so. */
  private raiseFloor(seq: Seq): void {
    this.floor = Math.max(this.floor, seq);
    while (this.ringCount > 0 && (this.ringSeqs[this.ringHead] as number) <= seq) this.dropOldest();
    this.dropRanges(seq);
  }

  private dropRanges(seq: Seq): void {
    if (this.ranges.length === 0 || (this.ranges[0] as RecentRange).seq > seq) return;
    this.ranges = this.ranges.filter((range) => range.seq > seq);
    this.rangeBytes = 0;
    for (const { lower, upper } of this.ranges) this.rangeBytes += RANGE_BYTES + lower.length + upper.length;
  }

  private dropOldest(): void {
    const hash = this.ringHashes[this.ringHead] as number;
    const seq = this.ringSeqs[this.ringHead] as number;
    this.ringHead = (this.ringHead + 1) & (this.ringHashes.length - 1);
    this.ringCount--;
    // A later commit that wrote the key again has a ring entry of its own.
    if (this.newest.get(hash, 0) === seq) this.newest.delete(hash);
  }

  private resizeRing(entries: number): void {
    const { ringHashes, ringSeqs, ringHead, ringCount } = this;
    this.ringHashes = new Float64Array(entries);
    this.ringSeqs = new Float64Array(entries);
    for (let i = 0; i < ringCount; i++) {
      const from = (ringHead + i) & (ringHashes.length - 1);
      this.ringHashes[i] = ringHashes[from] as number;
      this.ringSeqs[i] = ringSeqs[from] as number;
    }
    this.ringHead = 0;
  }
}
