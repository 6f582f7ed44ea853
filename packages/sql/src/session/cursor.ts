/**
 * One cursor: the rows of its query as far as they have been asked for, and a position among them.
 *
 *   rows read           [ dropped ......... | kept ......... ]   not read yet
 *   position            0 = before the first row; n = on row n; the count plus one = behind the last
 *
 * Rows are read when FETCH or MOVE first gets to them and kept for going back; of a cursor that never goes back (NO SCROLL)
 * only the present row is kept. One that says neither gives up going back when its rows no longer fit into the memory of a
 * query; one declared SCROLL then fails (53200).
 */
import { PhantomError, MemoryBudget } from '@phantom/base';
import type { Oid } from '@phantom/catalog';
import { type Execution, PAUSE, type RowBatch, type RowSink, type Yielded } from '../exec/runtime.js';
import type { PlanField } from '../plan/prepared-plan.js';
import type { RowReference } from '../storage/table-writer.js';
import type { Fetch } from '../text/ast-session.js';
import type { Value } from '../types/type.js';

/** What a value is reckoned to take, besides its text. */
const VALUE_BYTES = 16;
/** Rows read at once when all are wanted. */
const BATCH_ROWS_MAX = 1024;

export type Row = readonly Value[];

/** What DECLARE says of a cursor. */
export interface CursorFacts {
  readonly name: string;
  /** The statement that declared it. */
  readonly text: string;
  readonly fields: readonly PlanField[];
  /** The table whose rows it shows one by one, each with its reference behind the fields; undefined for other queries. */
  readonly tableOid: Oid | undefined;
  /** All relations that its rows come from. */
  readonly reads: readonly Oid[];
  readonly scroll: boolean | undefined;
  readonly hold: boolean;
  readonly declaredMicros: number;
}

export class Cursor implements RowSink {
  readonly facts: CursorFacts;
  /** Declared in the transaction that is open: a rollback takes it away. */
  isNew = true;
  /** A loop of a body goes through its rows, all of which are read: it stays when the body ends the transaction. */
  isPinned = false;
  batchRowsMax = BATCH_ROWS_MAX;
  private readonly memory: MemoryBudget;
  private rowsKept: Row[] = [];
  /** Rows read that are no longer kept. */
  private dropped = 0;
  private position = 0;
  private goesBack: boolean;
  /** Runs while there may be more rows. */
  private execution: Execution | undefined;
  /** Rows wanted before the execution rests. */
  private wanted = 0;
  private failed = false;

  constructor(facts: CursorFacts, memoryLimitBytes: number) {
    this.facts = facts;
    this.goesBack = facts.scroll !== false;
    this.memory = new MemoryBudget(memoryLimitBytes);
  }

  /** The query's execution, which hands its rows to this cursor. */
  readFrom(execution: Execution): void {
    this.execution = execution;
  }

  get isScrollable(): boolean {
    return this.goesBack;
  }

  /** The table's row it stands on; undefined when it stands on none. */
  get reference(): RowReference | undefined {
    return this.current()?.[this.facts.fields.length] as RowReference | undefined;
  }

  /** Ends reading and gives back what that holds. */
  close(): void {
    this.execution?.return(0);
    this.execution = undefined;
    this.rowsKept = [];
  }

  rows(batch: RowBatch): boolean {
    for (let r = 0; r < batch.count; r++) {
      const row = batch.columns.map((column) => column[r] as Value);
      this.rowsKept.push(row);
      this.account(row);
    }
    this.batchRowsMax = Math.min(BATCH_ROWS_MAX, Math.max(1, this.wanted - this.rowsRead));
    return this.rowsRead >= this.wanted;
  }

  /** Reads until so many rows are known, or all that there are. */
  *readTo(count: number): Generator<Yielded, void, void> {
    if (this.failed) throw new PhantomError('55000', `portal "${this.facts.name}" cannot be run`);
    if (this.execution === undefined || this.rowsRead >= count) return;
    this.wanted = count;
    this.batchRowsMax = Math.min(BATCH_ROWS_MAX, count - this.rowsRead);
    yield* this.run();
  }

  /** Has the execution go on until it rests or ends. */
  *run(): Generator<Yielded, void, void> {
    // Until it has: whoever throws into a wait ends the cursor.
    this.failed = true;
    while (this.execution !== undefined) {
      const step: IteratorResult<Yielded, number> = this.execution.next();
      if (step.done === true) this.execution = undefined;
      if (step.done === true || step.value === PAUSE) break;
      yield step.value;
    }
    this.failed = false;
  }

  /** Moves as FETCH and MOVE say and answers the rows passed over, in that order. */
  *move(node: Fetch): Generator<Yielded, readonly Row[], void> {
    const { position } = this;
    switch (node.direction) {
      case 'forward':
      case 'backward': {
        const sign = node.direction === 'forward' ? 1 : -1;
        if (node.count === 'all') return sign > 0 ? yield* this.forward(Infinity) : this.backward(position);
        const count = sign * node.count;
        if (count === 0) return this.here(node.move);
        return count > 0 ? yield* this.forward(count) : this.backward(-count);
      }
      case 'absolute': {
        const wanted = node.count as number;
        if (wanted >= 0) return yield* this.moveTo(wanted);
        yield* this.readTo(Infinity);
        return yield* this.moveTo(Math.max(0, this.rowsRead + 1 + wanted));
      }
      default:
        return node.count === 0
          ? this.here(node.move)
          : yield* this.moveTo(Math.max(0, position + (node.count as number)));
    }
  }

  private get rowsRead(): number {
    return this.dropped + this.rowsKept.length;
  }

  private current(): Row | undefined {
    return this.rowsKept[this.position - 1 - this.dropped];
  }

  /** The row it stands on, once more; to read it again is to go back. */
  private here(moves: boolean): readonly Row[] {
    const row = this.current();
    if (row === undefined) return [];
    if (!moves) this.checkBackward();
    return [row];
  }

  private *moveTo(to: number): Generator<Yielded, readonly Row[], void> {
    if (to <= this.position && this.position > 0) this.checkBackward();
    yield* this.readTo(to);
    this.stand(Math.min(to, this.rowsRead + 1));
    const row = this.current();
    return row === undefined ? [] : [row];
  }

  private *forward(count: number): Generator<Yielded, readonly Row[], void> {
    const { position } = this;
    const to = position + count;
    yield* this.readTo(to);
    const passed = this.rowsKept.slice(position - this.dropped, to - this.dropped);
    // Asked for more than there are, it stands behind the last row.
    this.stand(passed.length < count ? this.rowsRead + 1 : to);
    return passed;
  }

  private backward(count: number): readonly Row[] {
    this.checkBackward();
    const { position } = this;
    const to = Math.max(0, position - count);
    const passed = this.rowsKept.slice(Math.max(0, to - 1), Math.max(0, position - 1)).toReversed();
    this.stand(to);
    return passed;
  }

  /** Takes a position; what lies before it goes when there is no way back. */
  private stand(position: number): void {
    this.position = position;
    if (!this.goesBack) this.drop(position - 1);
  }

  /** Drops the rows read before the given one. */
  private drop(before: number): void {
    const count = Math.min(before - this.dropped, this.rowsKept.length);
    if (count <= 0) return;
    for (let i = 0; i < count; i++) this.memory.give(bytesOf(this.rowsKept[i] as Row));
    this.rowsKept = this.rowsKept.slice(count);
    this.dropped += count;
  }

  private account(row: Row): void {
    const bytes = bytesOf(row);
    if (this.goesBack && this.facts.scroll === undefined && this.memory.usedBytes + bytes > this.memory.limitBytes) {
      this.goesBack = false;
      this.drop(this.position - 1);
    }
    this.memory.take(bytes);
  }

  private checkBackward(): void {
    if (this.goesBack) return;
    throw new PhantomError('55000', 'cursor can only scan forward', {
      hint: 'Declare it with SCROLL option to enable backward scan.',
    });
  }
}

function bytesOf(row: Row): number {
  let bytes = VALUE_BYTES;
  for (const value of row) {
    bytes += VALUE_BYTES;
    if (typeof value === 'string') bytes += 2 * value.length;
    else if (value instanceof Uint8Array) bytes += value.length;
  }
  return bytes;
}
