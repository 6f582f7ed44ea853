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

  /** Hands over what is there. */
  *flush(): Generator<Yielded, void, void> {
    if (this.handOver()) yield PAUSE;
    this.limit = this.room();
  }

  /** The same of the last rows: the answer is whether the sink wants a rest. */
  handOver(): boolean {
    if (this.count === 0) return false;
    this.total += this.count;
    const pause = this.statement.sink.rows(this);
    for (const column of this.columns) column.length = 0;
    this.count = 0;
    return pause;
  }
}
