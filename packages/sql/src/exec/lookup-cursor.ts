/**
 * Cursors of lookup joins: one for each place in the code and execution, sought anew for each outer row, since opening a
 * cursor costs ten times a seek. Only where what is read is remembered (serializable) each outer row opens a cursor over its
 * own range.
 */
import { ByteWriter, compareBytes } from '@phantom/base';
import { ByteSlot, type KeyRange, type KvCursor } from '@phantom/kv';
import type { PhysicalIndex, PhysicalTable } from '../storage/physical-table.js';
import type { Value } from '../types/type.js';
import type { Run, Statement } from './run.js';
import { wholeRange } from './table-access.js';

/** What generated code uses of a cursor: `next` to each entry of the outer row's range, then false. */
export class LookupCursor {
  key: ByteSlot = new ByteSlot();
  value: ByteSlot = new ByteSlot();
  private readonly space: PhysicalTable | PhysicalIndex;
  private readonly prefix = new ByteWriter();
  private cursor: KvCursor | undefined;
  /** Where the outer row's entries end; undefined: with the last key that begins with the prefix. */
  private upper: Uint8Array | undefined;
  private own = false;
  private fresh = false;
  private found = false;
  private run: Run | undefined;

  constructor(space: PhysicalTable | PhysicalIndex) {
    this.space = space;
  }

  /** Aims at the keys that begin with these values; at none when one of them is null. */
  aimAtPrefix(run: Run, values: readonly Value[]): void {
    this.run = run;
    this.fresh = true;
    this.found = false;
    for (let i = 0; i < values.length; i++) if (values[i] === null) return;
    const { prefix, space } = this;
    if (run.read.tracksReads === true) {
      this.openOwn(run, space.keyCode.range(space.prefix, values, { nulls: true }));
      return;
    }
    prefix.reset();
    prefix.bytes(space.prefix);
    space.keyCode.encodePrefix(values, values.length, prefix);
    this.upper = undefined;
    this.found = this.open(run).seek(prefix.buffer, 0, prefix.length);
  }

  /** Aims at a range; at nothing when it is null. */
  aimAtRange(run: Run, range: KeyRange | null): void {
    this.run = run;
    this.fresh = true;
    this.found = false;
    if (range === null) return;
    if (run.read.tracksReads === true) {
      this.openOwn(run, range);
      return;
    }
    this.upper = range.upper;
    this.prefix.reset();
    this.found = this.open(run).seek(range.lower, 0, range.lower.length);
  }

  next(): boolean {
    const { cursor } = this;
    if (cursor === undefined) return false;
    if (this.fresh) this.fresh = false;
    else if (this.found) this.found = cursor.next();
    if (!this.found) return false;
    if (!this.own && !this.isInside(cursor.key)) {
      this.found = false;
      return false;
    }
    (this.run as Run).context.counters.rowsScanned++;
    return true;
  }

  /** Leaves the outer row's entries. */
  close(): void {
    this.found = false;
    if (!this.own) return;
    this.cursor?.close();
    this.cursor = undefined;
    this.own = false;
  }

  /** Frees what it holds, at the end of the execution. */
  free(): void {
    this.cursor?.close();
    this.cursor = undefined;
  }

  private isInside(key: ByteSlot): boolean {
    const { upper, prefix } = this;
    const { buffer, start } = key;
    if (upper !== undefined) return compareBytes(buffer, start, key.end, upper, 0, upper.length) < 0;
    return beginsWith(buffer, start, key.end, prefix);
  }

  private open(run: Run): KvCursor {
    // A reader becomes safe in the middle of a statement, when those beside it have ended.
    if (this.own) this.close();
    if (this.cursor === undefined) this.take(run.read.cursor(wholeRange(this.space.prefix)));
    return this.cursor as KvCursor;
  }

  private openOwn(run: Run, range: KeyRange): void {
    this.cursor?.close();
    this.take(run.read.cursor(range));
    this.own = true;
    this.found = (this.cursor as unknown as KvCursor).next();
  }

  private take(cursor: KvCursor): void {
    this.cursor = cursor;
    this.key = cursor.key;
    this.value = cursor.value;
  }
}

/** Whether a key of the space begins with a prefix that holds the space, too. */
export function beginsWith(
  buffer: Uint8Array,
  start: number,
  end: number,
  { buffer: bytes, length }: ByteWriter,
): boolean {
  if (end - start < length) return false;
  // The space at the head is the same for all; keys differ at their ends first.
  for (let i = length - 1; i >= 0; i--) if (buffer[start + i] !== bytes[i]) return false;
  return true;
}

/** The cursor of a place in the code for a statement. */
export function lookupCursor(statement: Statement, place: object, space: PhysicalTable | PhysicalIndex): LookupCursor {
  return statement.keep(place, () => new LookupCursor(space));
}
