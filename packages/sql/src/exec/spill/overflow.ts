/**
 * Grouping more keys than memory holds, or than the session lets a hash table have (work_mem, hash_mem_multiplier), in passes. A pass
 * takes as many keys as fit; rows of other keys go to a scratch file and are the input of the next pass. Rows of a key never divide between passes, so that what a pass has grouped is final.
 *
 *   pass 1   a b a c d a b ..    table {a b}   file  c d ..
 *   pass 2   c d ..              table {c d}
 *
 * The cost is one reading and writing of what is left for each memory full of keys. Dividing the rows by a hash of their keys
 * would cost less for keys a hundred times the memory, and needs a hash of every type; that was left out.
 */
import { assert, MemoryBudget, MemoryShare } from '@phantom/base';
import type { RowCodec } from '@phantom/codec';
import type { Value } from '../../types/type.js';
import { RowBuffer } from '../row-buffer.js';
import type { Run, Statement } from '../run.js';
import type { SpillReader, SpilledRows } from './spilled-rows.js';
import { WorkArea } from './work-area.js';

/** Rows read at once: few enough not to be counted. */
const PIECE_ROWS = 64;
const WINDOW_BYTES = 16 * 1024;

/** The budget of all pieces of rows. */
const UNCOUNTED = new MemoryBudget(Number.MAX_SAFE_INTEGER);

/** Where tables and states of an operator count their memory. */
export type MemoryOf = (run: Run) => MemoryBudget;

/** The memory of the whole query. */
export const queryMemory: MemoryOf = (run) => run.memory;

/** The rows that wait for the next pass. Generated code asks `isFull`, and pushes rows with keys that are not in the table. */
export class Overflow {
  /** The pass takes no more keys. */
  isFull = false;
  /** Rows wait for the next pass. */
  waits = false;
  /** What the tables and states of the present pass take. */
  readonly memory: MemoryShare;
  private readonly statement: Statement;
  private readonly codec: RowCodec | undefined;
  /** Each pass may take twice what the one before did. */
  private readonly area: WorkArea;
  private readonly purpose: string;
  private written: SpilledRows | undefined;

  constructor(run: Run, codec: RowCodec | undefined, purpose = 'groups') {
    this.statement = run.statement;
    this.memory = new MemoryShare(run.memory);
    this.codec = run.context.scratch === undefined ? undefined : codec;
    this.purpose = purpose;
    this.area = new WorkArea(run.context.hashBytesMax, 1);
    this.beginPass();
  }

  /**
   * After a new key, or another row of one: tables double when they grow, so a pass is full at a third of what it may take. It
   * stays full to its end, whatever memory others give back.
   */
  grew(): void {
    const { memory } = this;
    this.isFull ||=
      this.codec !== undefined &&
      (memory.usedBytes * 2 > memory.leftBytes || memory.usedBytes * 3 > this.area.bytesMax);
  }

  /** Puts aside a row whose key is not in the table of a full pass. */
  pushRow(row: readonly Value[]): void {
    const { codec } = this;
    assert(codec !== undefined, 'a pass is full only where rows can be written');
    this.waits = true;
    this.written ??= this.statement.spill(codec, this.purpose);
    this.written?.appendRow(row);
  }

  /** Ends a pass: a reader of the rows that wait, undefined when there are none. The caller drops its tables, whose memory is given back. */
  nextPass(): SpillReader | undefined {
    const { written } = this;
    this.memory.release();
    if (written === undefined) return undefined;
    this.written = undefined;
    this.area.wrote();
    // Whoever has taken the results so far makes room.
    this.memory.reclaim();
    this.beginPass();
    return written.reader(WINDOW_BYTES);
  }

  private beginPass(): void {
    this.isFull = false;
    this.waits = false;
  }
}

/** A buffer for the rows of a pass, a piece at a time. */
export function pieceBuffer(width: number): RowBuffer {
  return new RowBuffer(width, UNCOUNTED);
}

/** Puts the next rows of a reader into a buffer in place of those that were there; false when there are none. */
export function refill(buffer: RowBuffer, reader: SpillReader): boolean {
  const row: unknown[] = [];
  buffer.clear();
  while (buffer.count < PIECE_ROWS && reader.next(row)) buffer.pushRow(row);
  return buffer.count > 0;
}
