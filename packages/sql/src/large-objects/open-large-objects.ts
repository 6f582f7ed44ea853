/**
 * The large objects that a transaction has open, by the numbers that its client knows them by: the lowest that is free, as in PostgreSQL.
 * They end with the transaction, and with going back to a savepoint from before they were opened; their places in the object are not
 * given back then.
 *
 * A statement that has to wait in the middle is undone and executed anew. What it has done here is undone, too: `place` marks where a
 * statement began, and `rollBackTo` goes back there.
 */
import { PhantomError } from '@phantom/base';
import type { Oid } from '@phantom/catalog';
import type { KvCursor } from '@phantom/kv';

/** Large objects that one transaction may have open at a time. */
const OPEN_MAX = 4096;

/** An object that was opened. */
export interface OpenLargeObject {
  readonly oid: Oid;
  readonly isWritable: boolean;
  /** Its pages as they were when it was opened, for one that is only read. */
  readonly pages: KvCursor | undefined;
  /** Where the next read or write begins, in bytes. */
  offset: number;
}

interface Numbered {
  readonly object: OpenLargeObject;
  /** Counts what was opened in the transaction. */
  readonly serial: number;
}

export class OpenLargeObjects {
  private readonly slots: (Numbered | undefined)[] = [];
  /** How the statement at hand is undone, newest last. */
  private readonly undo: (() => void)[] = [];
  /** Closed by the statement at hand. */
  private closing: KvCursor[] = [];
  private opened = 0;

  /** Where the statement at hand stands. */
  get place(): number {
    return this.undo.length;
  }

  /** What a savepoint remembers. */
  get serial(): number {
    return this.opened;
  }

  /** The number of an object that is opened; 53400 where there are too many. */
  open(object: OpenLargeObject): number {
    const free = this.slots.indexOf(undefined);
    const number = free < 0 ? this.slots.length : free;
    if (number >= OPEN_MAX) {
      throw new PhantomError('53400', `a transaction has at most ${OPEN_MAX} large objects open`, {
        hint: 'Close those that are no longer used (lo_close).',
        data: { openLargeObjectsMax: OPEN_MAX },
      });
    }
    this.slots[number] = { object, serial: this.opened++ };
    this.undo.push(() => this.drop(number));
    return number;
  }

  /** The object of a number; 42704 where there is none. */
  get(number: number): OpenLargeObject {
    const found = this.slots[number];
    if (found === undefined) throw new PhantomError('42704', `invalid large-object descriptor: ${number}`);
    return found.object;
  }

  moveTo(object: OpenLargeObject, offset: number): void {
    const before = object.offset;
    object.offset = offset;
    this.undo.push(() => {
      object.offset = before;
    });
  }

  close(number: number): void {
    const { pages } = this.get(number);
    const entry = this.slots[number];
    this.slots[number] = undefined;
    if (pages !== undefined) this.closing.push(pages);
    this.undo.push(() => {
      this.slots[number] = entry;
      if (pages !== undefined) this.closing = this.closing.filter((cursor) => cursor !== pages);
    });
  }

  /** Closes all that are open on an object, which goes. */
  closeAllOf(oid: Oid): void {
    for (const [number, entry] of this.slots.entries()) if (entry?.object.oid === oid) this.close(number);
  }

  /** A statement begins: the one before it is not undone any more. */
  settle(): void {
    this.undo.length = 0;
    for (const cursor of this.closing) cursor.close();
    this.closing = [];
  }

  /** Undoes what the statement has done behind a place. */
  rollBackTo(place: number): void {
    while (this.undo.length > place) (this.undo.pop() as () => void)();
  }

  /** A savepoint was rolled back to: what was opened behind it is closed. */
  closeSince(serial: number): void {
    for (const [number, entry] of this.slots.entries())
      if (entry !== undefined && entry.serial >= serial) this.drop(number);
  }

  private drop(number: number): void {
    this.slots[number]?.object.pages?.close();
    this.slots[number] = undefined;
  }
}
