/**
 * Going back within a transaction: to where its statement began, and to savepoints, which are nested like brackets.
 *
 *   begin ── statement ── savepoint a ── statement ── savepoint b ── statement ── ...
 *                         ▲ rollbackTo(a): b is gone                 ▲ restart: locks stay
 */
import { PhantomError } from '@phantom/base';
import { NONE } from '@phantom/kv';
import type { ConstraintGuards } from './constraint-guards.js';
import type { TransactionRegistry } from './registry.js';
import type { Snapshots } from './snapshots.js';
import type { SpilledHolder } from './spilled-holders.js';
import type { TransactionReads } from './transaction-reads.js';
import type { Savepoint } from './types.js';
import { type WriteMark, WriteSet } from './write-set.js';

/** Everything that going back undoes. */
interface TransactionMark {
  readonly writes: WriteMark;
  readonly pointGuards: number;
  readonly rangeGuards: number;
  /** Newest lock record; those taken later are released. */
  readonly lockHead: number;
}

/** The mark of a transaction that has done nothing yet. */
const BEGINNING: TransactionMark = {
  writes: new WriteSet().mark(),
  pointGuards: 0,
  rangeGuards: 0,
  lockHead: NONE,
};

class StackedSavepoint implements Savepoint {
  readonly depth: number;
  readonly mark: TransactionMark;

  constructor(depth: number, mark: TransactionMark) {
    this.depth = depth;
    this.mark = mark;
  }
}

/** The transaction, as going back changes it. */
interface Undoable extends SpilledHolder {
  readonly writes: WriteSet | undefined;
  readonly guards: ConstraintGuards | undefined;
  readonly hasGuards: boolean;
  readonly snapshots: Snapshots;
  readonly reader: TransactionReads;
}

export class Undo {
  private readonly registry: TransactionRegistry;
  private readonly transaction: Undoable;
  private statement: TransactionMark = BEGINNING;
  private stack: StackedSavepoint[] | undefined = undefined;

  constructor(registry: TransactionRegistry, transaction: Undoable) {
    this.registry = registry;
    this.transaction = transaction;
  }

  /** From here on `restartStatement` goes back to here. */
  beginStatement(): void {
    const { writes, hasGuards } = this.transaction;
    this.statement = writes === undefined && !hasGuards ? BEGINNING : this.mark();
  }

  restartStatement(): void {
    // Locks stay: it is because of a lock that was waited for that the statement runs again.
    this.goBackTo(this.statement, false);
  }

  /** A statement begins inside the present one; the function that is returned ends it. */
  nestStatement(): () => void {
    const { statement } = this;
    return () => {
      this.statement = statement;
    };
  }

  savepoint(): Savepoint {
    const stack = (this.stack ??= []);
    const savepoint = new StackedSavepoint(stack.length, this.mark());
    stack.push(savepoint);
    return savepoint;
  }

  /** Savepoints made later are gone, the one itself stays. */
  rollbackTo(savepoint: Savepoint): void {
    const stack = this.stackWith(savepoint);
    stack.length = savepoint.depth + 1;
    this.goBackTo((stack[savepoint.depth] as StackedSavepoint).mark, true);
  }

  /** Forgets the savepoint and those made later. */
  release(savepoint: Savepoint): void {
    this.stackWith(savepoint).length = savepoint.depth;
  }

  /** Newest lock record at the newest savepoint, NONE without one: locks taken since may be given back. */
  get newestLockHead(): number {
    return this.stack?.at(-1)?.mark.lockHead ?? NONE;
  }

  private mark(): TransactionMark {
    const { writes, guards, lockHead } = this.transaction;
    return {
      writes: writes === undefined ? BEGINNING.writes : writes.mark(),
      pointGuards: guards?.pointCount ?? 0,
      rangeGuards: guards?.ranges.length ?? 0,
      lockHead,
    };
  }

  private goBackTo(mark: TransactionMark, releasesLocks: boolean): void {
    const { registry, transaction } = this;
    const { writes, guards, snapshots, reader } = transaction;
    const { place } = mark.writes;
    if (writes !== undefined && writes.place > place) {
      reader.endBehind(place);
      writes.truncate(mark.writes);
      if (writes.spilled === undefined) registry.spillers.delete(transaction);
      snapshots.basesUpTo(place);
    }
    guards?.truncate(registry.window, mark.pointGuards, mark.rangeGuards);
    // A lock on a key that is still put aside may have its record only since, and looks like one that was taken since.
    if (releasesLocks && writes?.spilled === undefined) registry.locks.release(transaction, mark.lockHead);
  }

  private stackWith(savepoint: Savepoint): StackedSavepoint[] {
    if (this.stack?.[savepoint.depth] === savepoint) return this.stack;
    throw new PhantomError('3B001', 'the savepoint does not exist', {
      family: 'state',
      hint: 'It was released, or an earlier one was gone back to.',
    });
  }
}
