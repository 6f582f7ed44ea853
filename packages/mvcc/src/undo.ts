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
import type { UnrecordedHolder } from './unrecorded-locks.js';
import type { TransactionReads } from './transaction-reads.js';
import type { Savepoint } from './types.js';
import { EVERYTHING, WriteMark, type WriteSet } from './write-set.js';

/** Everything that going back undoes. A new one is that of a transaction that has done nothing yet. */
class TransactionMark {
  readonly writes = new WriteMark();
  pointGuards = 0;
  rangeGuards = 0;
  /** Newest lock record; those taken later are released. */
  lockHead: number = NONE;

  /** Marks where the transaction is now. */
  take({ writes, guards, lockHead }: Undoable): this {
    writes?.mark(this.writes);
    this.pointGuards = guards?.pointCount ?? 0;
    this.rangeGuards = guards?.ranges.length ?? 0;
    this.lockHead = lockHead;
    return this;
  }
}

const BEGINNING = new TransactionMark();

class StackedSavepoint implements Savepoint {
  readonly depth: number;
  readonly mark: TransactionMark;

  constructor(depth: number, mark: TransactionMark) {
    this.depth = depth;
    this.mark = mark;
  }
}

/** The transaction, as going back changes it. */
interface Undoable extends UnrecordedHolder {
  readonly writes: WriteSet | undefined;
  readonly guards: ConstraintGuards | undefined;
  readonly hasGuards: boolean;
  readonly snapshots: Snapshots;
  readonly reader: TransactionReads;
  /** Place behind which what it has written are locks without a record; EVERYTHING where none are. */
  claimedFrom: number;
}

export class Undo {
  private readonly registry: TransactionRegistry;
  private readonly transaction: Undoable;
  private statement: TransactionMark = BEGINNING;
  /** Serves statement after statement; a statement inside another one has its own. */
  private statementMark: TransactionMark | undefined = undefined;
  private stack: StackedSavepoint[] | undefined = undefined;
  /** Of a savepoint that was released: most are made, and released soon, one after the other. */
  private spare: TransactionMark | undefined = undefined;

  constructor(registry: TransactionRegistry, transaction: Undoable) {
    this.registry = registry;
    this.transaction = transaction;
  }

  /** From here on `restartStatement` goes back to here. */
  beginStatement(): void {
    const { transaction } = this;
    const isBeginning = transaction.writes === undefined && !transaction.hasGuards;
    this.statement = isBeginning ? BEGINNING : (this.statementMark ??= new TransactionMark()).take(transaction);
  }

  restartStatement(): void {
    // Locks stay: it is because of a lock that was waited for that the statement runs again.
    this.goBackTo(this.statement, false);
  }

  /** A statement begins inside the present one; the function that is returned ends it. */
  nestStatement(): () => void {
    const { statement, statementMark } = this;
    this.statementMark = undefined;
    return () => {
      this.statement = statement;
      this.statementMark = statementMark;
    };
  }

  savepoint(): Savepoint {
    const stack = (this.stack ??= []);
    const mark = this.spare ?? new TransactionMark();
    this.spare = undefined;
    const savepoint = new StackedSavepoint(stack.length, mark.take(this.transaction));
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
    const stack = this.stackWith(savepoint);
    this.spare = (stack[savepoint.depth] as StackedSavepoint).mark;
    stack.length = savepoint.depth;
  }

  /** Newest lock record at the newest savepoint, NONE without one: locks taken since may be given back. */
  get newestLockHead(): number {
    return this.stack?.at(-1)?.mark.lockHead ?? NONE;
  }

  private goBackTo(mark: TransactionMark, releasesLocks: boolean): void {
    const { registry, transaction } = this;
    const { writes, guards, snapshots, reader } = transaction;
    const { place } = mark.writes;
    if (writes !== undefined && writes.place > place) {
      reader.endBehind(place);
      writes.truncate(mark.writes);
      snapshots.basesUpTo(place);
    }
    if (place <= transaction.claimedFrom) transaction.claimedFrom = EVERYTHING;
    const hasUnrecorded = transaction.claims || writes?.spilled !== undefined;
    if (!hasUnrecorded) registry.unrecorded.delete(transaction);
    guards?.truncate(registry.window, mark.pointGuards, mark.rangeGuards);
    // A lock that had no record may have it only since, and looks like one that was taken since.
    if (releasesLocks && !hasUnrecorded) registry.locks.release(transaction, mark.lockHead);
  }

  private stackWith(savepoint: Savepoint): StackedSavepoint[] {
    if (this.stack?.[savepoint.depth] === savepoint) return this.stack;
    throw new PhantomError('3B001', 'the savepoint does not exist', {
      family: 'state',
      hint: 'It was released, or an earlier one was gone back to.',
    });
  }
}
