/** Savepoints: places in a transaction to go back to, nested like brackets. */
import { PhantomError } from '@phantom/base';
import { NONE } from '@phantom/kv';
import type { Savepoint } from './types.js';
import { type WriteMark, WriteSet } from './write-set.js';

/** Everything that going back undoes. */
export interface TransactionMark {
  readonly writes: WriteMark;
  readonly pointGuards: number;
  readonly rangeGuards: number;
  /** Newest lock record; those taken later are released. */
  readonly lockHead: number;
}

/** The mark of a transaction that has done nothing yet. */
export const BEGINNING: TransactionMark = {
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

export class SavepointStack {
  private readonly stack: StackedSavepoint[] = [];

  push(mark: TransactionMark): Savepoint {
    const savepoint = new StackedSavepoint(this.stack.length, mark);
    this.stack.push(savepoint);
    return savepoint;
  }

  /** The mark to go back to; savepoints made later are gone, the one itself stays. */
  goBackTo(savepoint: Savepoint): TransactionMark {
    this.find(savepoint);
    this.stack.length = savepoint.depth + 1;
    return (this.stack[savepoint.depth] as StackedSavepoint).mark;
  }

  /** The newest mark; that of the beginning when there is none. */
  get newest(): TransactionMark {
    return this.stack.at(-1)?.mark ?? BEGINNING;
  }

  /** Forgets the savepoint and those made later. */
  release(savepoint: Savepoint): void {
    this.find(savepoint);
    this.stack.length = savepoint.depth;
  }

  private find(savepoint: Savepoint): void {
    if (this.stack[savepoint.depth] === savepoint) return;
    throw new PhantomError('3B001', 'the savepoint does not exist', {
      family: 'state',
      hint: 'It was released, or an earlier one was gone back to.',
    });
  }
}
