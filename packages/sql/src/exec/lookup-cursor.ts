/** Cursors of lookup joins: opened for one outer row, closed at their end. */
import type { KeyRange, KvCursor } from '@phantom/kv';
import { ByteSlot } from '@phantom/kv';
import type { Run } from './run.js';

/** What a lookup join needs of a cursor. */
export interface LookupCursor {
  readonly key: ByteSlot;
  readonly value: ByteSlot;
  next(): boolean;
  close(): void;
}

/** No entries: the range of a null. */
class EmptyCursor implements LookupCursor {
  readonly key = new ByteSlot();
  readonly value = new ByteSlot();

  next(): boolean {
    return false;
  }

  close(): void {
    // There is nothing to free.
  }
}

/** Closes its cursor at the end and counts what it reads. */
class CountingCursor implements LookupCursor {
  readonly key: ByteSlot;
  readonly value: ByteSlot;
  private readonly cursor: KvCursor;
  private readonly run: Run;

  constructor(cursor: KvCursor, run: Run) {
    this.cursor = cursor;
    this.key = cursor.key;
    this.value = cursor.value;
    this.run = run;
  }

  next(): boolean {
    if (this.cursor.next()) {
      this.run.context.counters.rowsScanned++;
      return true;
    }
    this.cursor.close();
    return false;
  }

  close(): void {
    this.cursor.close();
  }
}

/** A cursor over a range; over nothing when it is null. */
export function openCursor(run: Run, range: KeyRange | null): LookupCursor {
  return range === null ? new EmptyCursor() : new CountingCursor(run.read.cursor(range), run);
}
