/**
 * Which keys were written lately, and by which commit: what a transaction's write set and its constraint reads are
 * checked against. Conflicts are decided here, in memory, never by reading versions from disk.
 *
 *   slots   open addressing: key hash -> seq of the last commit that wrote it
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
import { keyHash } from './key-hash.js';

const CAPACITY_MIN = 1024;
/** Per slot: a hash and a seq. The ring is as long as the table has slots at the most, half of them in use. */
const SLOT_BYTES = 16;
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
  private hashes = new Float64Array(CAPACITY_MIN);
  private seqs = new Float64Array(CAPACITY_MIN);
  private used = 0;
  private ringHashes = new Float64Array(CAPACITY_MIN / 2);
  private ringSeqs = new Float64Array(CAPACITY_MIN / 2);
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
    return this.hashes.length * SLOT_BYTES + this.ringHashes.length * RING_ENTRY_BYTES + this.rangeBytes;
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
    const at = this.slotOf(hash);
    let seq = this.hashes[at] === hash ? (this.seqs[at] as number) : 0;
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
    if (this.ringCount === 0 && this.hashes.length > CAPACITY_MIN) this.resize(CAPACITY_MIN);
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
    const at = this.slotOf(hash);
    if (this.hashes[at] !== hash) {
      this.hashes[at] = hash;
      this.used++;
    } else if (this.seqs[at] === seq) {
      return;
    }
    this.seqs[at] = seq;
    const ringAt = (this.ringHead + this.ringCount++) & (this.ringHashes.length - 1);
    this.ringHashes[ringAt] = hash;
    this.ringSeqs[ringAt] = seq;
  }

  /** Twice the table; past the limit the older half goes instead, needed or not. */
  private makeRoom(): void {
    if (this.bytes * 2 <= this.bytesMax) {
      this.resize(this.hashes.length * 2);
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
    const at = this.slotOf(hash);
    // A later commit wrote the key again: its own ring entry answers for the slot.
    if (this.hashes[at] === hash && this.seqs[at] === seq) this.removeSlot(at);
  }

  /** Where the hash is, or the empty slot where it belongs. */
  private slotOf(hash: number): number {
    const { hashes } = this;
    const mask = hashes.length - 1;
    let at = hash & mask;
    while (hashes[at] !== 0 && hashes[at] !== hash) at = (at + 1) & mask;
    return at;
  }

  /** Closes the gap, so that no probe ends early (Knuth, volume 3, section 6.4, algorithm R). */
  private removeSlot(slot: number): void {
    const { hashes, seqs } = this;
    const mask = hashes.length - 1;
    let gap = slot;
    let at = slot;
    for (;;) {
      at = (at + 1) & mask;
      const hash = hashes[at] as number;
      if (hash === 0) break;
      const home = hash & mask;
      if (((at - home) & mask) < ((at - gap) & mask)) continue;
      hashes[gap] = hash;
      seqs[gap] = seqs[at] as number;
      gap = at;
    }
    hashes[gap] = 0;
    this.used--;
  }

  private resize(capacity: number): void {
    const { hashes, seqs, ringHashes, ringSeqs, ringHead, ringCount } = this;
    this.hashes = new Float64Array(capacity);
    this.seqs = new Float64Array(capacity);
    for (let i = 0; i < hashes.length; i++) {
      if (hashes[i] === 0) continue;
      const at = this.slotOf(hashes[i] as number);
      this.hashes[at] = hashes[i] as number;
      this.seqs[at] = seqs[i] as number;
    }
    this.ringHashes = new Float64Array(capacity / 2);
    this.ringSeqs = new Float64Array(capacity / 2);
    for (let i = 0; i < ringCount; i++) {
      const from = (ringHead + i) & (ringHashes.length - 1);
      this.ringHashes[i] = ringHashes[from] as number;
      this.ringSeqs[i] = ringSeqs[from] as number;
    }
    this.ringHead = 0;
  }
}
