/** Result rows on their way to the sink: gathered by column, handed over when the batch is full. */
import type { Value } from '../types/type.js';
import type { Statement } from './run.js';
import { PAUSE, type RowBatch, type Yielded } from './runtime.js';

/** Most rows in a batch, whatever the sink would take. */
const BATCH_ROWS_MAX = 256;

export class Output implements RowBatch {
  readonly columns: Value[][];
  /** Generated code pushes a value to each column and raises it. */
  count = 0;
  limit: number;
  /** Rows handed over so far. */
  total = 0;
  private readonly statement: Statement;

  constructor(width: number, statement: Statement) {
    this.columns = [];
    for (let i = 0; i < width; i++) this.columns.push([]);
    this.statement = statement;
    this.limit = this.room();
  }

  private room(): number {
    return Math.max(1, Math.min(BATCH_ROWS_MAX, this.statement.sink.batchRowsMax));
  }

  isFull(): boolean {
    return this.count >= this.limit;
  }

  /**
   * Hands over full batches, and at the end all that is left. One row from below may make many at once: those that the sink does not
   * want yet wait here.
   */
  *flush(atEnd = false): Generator<Yielded, void, void> {
    const held = this.count;
    let at = 0;
    while (at < held && (atEnd || held - at >= this.limit)) {
      const count = Math.min(this.limit, held - at);
      this.total += count;
      if (this.statement.sink.rows(this.piece(at, count))) yield PAUSE;
      this.limit = this.room();
      at += count;
    }
    for (const column of this.columns) {
      if (at < held) column.copyWithin(0, at);
      column.length = held - at;
    }
    this.count = held - at;
  }

  private piece(at: number, count: number): RowBatch {
    if (at > 0) return { columns: this.columns.map((column) => column.slice(at, at + count)), count };
    this.count = count;
    return this;
  }
}
