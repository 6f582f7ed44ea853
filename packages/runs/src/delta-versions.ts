/**
 * What a flush writes of a frozen delta: per key the newest version, and those that live views see.
 *
 *   versions of a key     seq   3      5           9
 *   views                         4         8             and all to come
 *   kept                        3    5           9
 *
 * Each version is what views in [its seq, the next version's seq) see. It stays when there is one among them from whom no
 * range removal hides it; that is the oldest of them, if any, since removals only become more for younger ones.
 */
import { ArenaTreeCursor, ByteSlot, NONE, type Seq } from '@phantom/kv';
import { OLDER_WORDS, ROW_OLDER, ROW_OPERATION, ROW_SEQ } from './delta-row.js';
import type { Delta } from './delta.js';
import { type VersionCursor, VersionKind } from './layer.js';

export class DeltaVersions implements VersionCursor {
  readonly key = new ByteSlot();
  readonly value = new ByteSlot();
  seq: Seq = 0;
  kind: VersionKind = VersionKind.Put;
  firstOfKey = true;
  private readonly delta: Delta;
  private readonly viewSeqs: readonly Seq[];
  private readonly walk: ArenaTreeCursor;
  private begun = false;
  private ended = false;
  /** The next version of the present key to look at: its operation (NONE when there is none), relative seq, predecessor. */
  private operation: number = NONE;
  private relative = 0;
  private older: number = NONE;
  /** Views at or above this see a younger version. */
  private until: Seq = 0;
  private handedOut = false;

  constructor(delta: Delta, viewSeqs: readonly Seq[]) {
    this.delta = delta;
    this.viewSeqs = viewSeqs;
    this.walk = new ArenaTreeCursor(delta.tree);
  }

  next(): boolean {
    while (!this.ended) {
      while (this.operation !== NONE) {
        const operation = this.operation;
        const seq = this.relative + this.delta.firstSeq;
        const isKept = this.isNeeded(operation, seq);
        this.until = seq;
        this.toOlder();
        if (isKept) {
          this.show(operation, seq);
          return true;
        }
      }
      this.toNextKey();
    }
    return false;
  }

  close(): void {
    this.ended = true;
    this.operation = NONE;
  }

  private toNextKey(): void {
    const { walk, delta } = this;
    const found = this.begun ? walk.next() : walk.first();
    this.begun = true;
    if (!found) {
      this.ended = true;
      return;
    }
    const { tree } = delta;
    const row = walk.entry * tree.entryWords;
    this.key.set(tree.keys, tree.keyStart(walk.entry), tree.keyEnd(walk.entry));
    this.operation = tree.entries[row + ROW_OPERATION] as number;
    this.relative = tree.entries[row + ROW_SEQ] as number;
    this.older = tree.entries[row + ROW_OLDER] as number;
    this.until = Number.POSITIVE_INFINITY;
    this.handedOut = false;
  }

  private toOlder(): void {
    if (this.older === NONE) {
      this.operation = NONE;
      return;
    }
    const older = this.delta.olderVersions;
    const at = this.older * OLDER_WORDS;
    this.operation = older[at] as number;
    this.relative = older[at + 1] as number;
    this.older = older[at + 2] as number;
  }

  private isNeeded(operation: number, seq: Seq): boolean {
    const { until, delta, key } = this;
    const view = this.oldestViewFrom(seq);
    if (view >= until) return false;
    const { tombstones } = delta;
    return tombstones.count === 0 || tombstones.newestOperation(key.buffer, key.start, key.end, view) < operation;
  }

  /** The oldest view at or above a seq; just below infinity when there are only those to come. */
  private oldestViewFrom(seq: Seq): Seq {
    const { viewSeqs } = this;
    let low = 0;
    let high = viewSeqs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((viewSeqs[middle] as number) < seq) low = middle + 1;
      else high = middle;
    }
    return viewSeqs[low] ?? Number.MAX_SAFE_INTEGER;
  }

  private show(operation: number, seq: Seq): void {
    const { delta, key } = this;
    this.seq = seq;
    this.kind = delta.readValue(operation, key.end - key.start, this.value) ? VersionKind.Put : VersionKind.Remove;
    this.firstOfKey = !this.handedOut;
    this.handedOut = true;
  }
}
