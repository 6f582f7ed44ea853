/**
 * The right side of a merge join: a cursor that goes forward with the left rows, which come in the order of its keys. Each left
 * row finds it on its first match, or a few entries before that; only where the gap is wide is the match sought.
 *
 *   left    1   2   2   4   9          right   1   2   4   4   4   5   6   7 ... 9
 *                                              ^   ^   ^               sought: ^
 *
 * Nothing is kept of either side: a left row with the key of the one before finds a single match where the cursor stands, and
 * several by going back to the first. No answer rests on the order: a left row that comes too late goes back, too. Where what is
 * read is remembered (serializable) each left row reads its own range, as in a lookup join.
 */
import { compareBytes, ByteWriter } from '@phantom/base';
import { ByteSlot, CursorBatch, type KvCursor } from '@phantom/kv';
import type { PhysicalIndex, PhysicalTable } from '../storage/physical-table.js';
import type { Value } from '../types/type.js';
import { LookupCursor, beginsWith } from './lookup-cursor.js';
import type { Run, Statement } from './run.js';
import { wholeRange } from './table-access.js';

/** Entries that are passed one by one before a match is sought: about as many as a search costs. */
const STEPS_MAX = 16;

/** What generated code uses: as LookupCursor, `next` to each entry that begins with the left row's values, then false. */
export class MergeCursor {
  key: ByteSlot = new ByteSlot();
  value: ByteSlot = new ByteSlot();
  private readonly space: PhysicalTable | PhysicalIndex;
  private readonly isSingle: boolean;
  /** The left row's values, and those of the row before. */
  private prefix = new ByteWriter();
  private last = new ByteWriter();
  private cursor: KvCursor | undefined;
  private readonly batch = new CursorBatch(STEPS_MAX);
  /** The entry at hand in the batch; where there is none, the end is behind us. */
  private at = 0;
  private run: Run | undefined;
  private isFresh = false;
  /** The cursor has left the first of the entries. */
  private hasMoved = false;
  /** The left row has values that may match. */
  private matches = false;
  private tracked: LookupCursor | undefined;

  /** `isSingle`: no two entries have the same values. */
  constructor(space: PhysicalTable | PhysicalIndex, isSingle: boolean) {
    this.space = space;
    this.isSingle = isSingle;
  }

  /** Aims at the entries that begin with these values; at none when one of them is null. */
  aimAtPrefix(run: Run, values: readonly Value[]): void {
    this.run = run;
    if (run.read.tracksReads === true) {
      this.tracked ??= new LookupCursor(this.space);
      this.tracked.aimAtPrefix(run, values);
      return;
    }
    // A reader becomes safe in the middle of a statement, when those beside it have ended.
    if (this.tracked !== undefined) this.untrack();
    this.isFresh = true;
    this.matches = false;
    for (let i = 0; i < values.length; i++) if (values[i] === null) return;
    this.matches = true;
    const { space, last } = this;
    const prefix = last;
    this.last = this.prefix;
    this.prefix = prefix;
    prefix.reset();
    prefix.bytes(space.prefix);
    space.keyCode.encodePrefix(values, values.length, prefix);
    if (this.cursor === undefined) this.seek();
    else {
      const order = compareBytes(prefix.buffer, 0, prefix.length, this.last.buffer, 0, this.last.length);
      if (order > 0) this.forward();
      else if (order < 0 || this.hasMoved) this.seek();
    }
    this.hasMoved = false;
  }

  next(): boolean {
    const { tracked } = this;
    if (tracked !== undefined) {
      if (!tracked.next()) return false;
      this.key = tracked.key;
      this.value = tracked.value;
      return true;
    }
    if (!this.matches) return false;
    if (this.isFresh) this.isFresh = false;
    else {
      // A single entry is not left: the next left row may have the same values.
      if (this.isSingle) return false;
      this.hasMoved = true;
      this.step();
    }
    const { at, batch, prefix } = this;
    if (at >= batch.count) return (this.matches = false);
    const buffer = batch.keyBuffers[at] as Uint8Array;
    const start = batch.keyStarts[at] as number;
    const end = batch.keyEnds[at] as number;
    if (!beginsWith(buffer, start, end, prefix)) return (this.matches = false);
    this.key.set(buffer, start, end);
    this.value.set(
      batch.valueBuffers[at] as Uint8Array,
      batch.valueStarts[at] as number,
      batch.valueEnds[at] as number,
    );
    (this.run as Run).context.counters.rowsScanned++;
    return true;
  }

  /** Leaves the left row's entries. */
  close(): void {
    this.matches = false;
    this.tracked?.close();
  }

  /** Frees what it holds, at the end of the execution. */
  free(): void {
    this.untrack();
    this.cursor?.close();
    this.cursor = undefined;
  }

  private untrack(): void {
    this.tracked?.free();
    this.tracked = undefined;
  }

  /** To the first entry that is not less than the prefix, from one that is not behind it. */
  private forward(): void {
    const { batch, prefix } = this;
    for (let steps = 0; this.at < batch.count; steps++) {
      const { at } = this;
      const buffer = batch.keyBuffers[at] as Uint8Array;
      const start = batch.keyStarts[at] as number;
      const end = batch.keyEnds[at] as number;
      if (compareBytes(buffer, start, end, prefix.buffer, 0, prefix.length) >= 0) return;
      if (steps === STEPS_MAX) {
        this.seek();
        return;
      }
      this.step();
    }
  }

  private step(): void {
    if (++this.at < this.batch.count) return;
    this.at = 0;
    this.batch.count = (this.cursor as KvCursor).fill(this.batch);
  }

  private seek(): void {
    const { batch, prefix, space } = this;
    const cursor = (this.cursor ??= (this.run as Run).read.cursor(wholeRange(space.prefix)));
    this.at = 0;
    batch.count = 0;
    if (cursor.seek(prefix.buffer, 0, prefix.length)) batch.setOne(cursor.key, cursor.value);
  }
}

/** The cursor of a place in the code for a statement. */
export function mergeCursor(
  statement: Statement,
  place: object,
  space: PhysicalTable | PhysicalIndex,
  isSingle: boolean,
): MergeCursor {
  return statement.keep(place, () => new MergeCursor(space, isSingle));
}
