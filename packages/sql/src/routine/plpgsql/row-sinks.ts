/** Where the rows of queries inside a body go. */
import { type Execution, PAUSE, type RowBatch, type RowSink, type Yielded } from '../../exec/runtime.js';
import type { Value } from '../../types/type.js';

/** Takes nothing. */
export const DISCARD: RowSink = { batchRowsMax: 1024, rows: () => false };

/** Keeps the first rows of a result. */
export class FirstRows implements RowSink {
  readonly batchRowsMax: number;
  readonly kept: (readonly Value[])[] = [];

  constructor(rowsMax: number) {
    this.batchRowsMax = rowsMax;
  }

  rows({ columns, count }: RowBatch): boolean {
    for (let r = 0; r < count && this.kept.length < this.batchRowsMax; r++)
      this.kept.push(columns.map((column) => column[r]));
    return this.kept.length === this.batchRowsMax;
  }

  /** Runs a query until there are as many rows as are kept. */
  *readFrom(execution: Execution): Generator<Yielded, void, void> {
    for (let step = execution.next(); step.done !== true; step = execution.next()) {
      if (step.value === PAUSE) {
        execution.return(0);
        return;
      }
      yield step.value;
    }
  }
}

/** Keeps a batch at a time: a loop over rows takes them one by one. */
export class BatchRows implements RowSink {
  batchRowsMax: number;
  private kept: (readonly Value[])[] = [];

  constructor(batchRowsMax: number) {
    this.batchRowsMax = batchRowsMax;
  }

  rows({ columns, count }: RowBatch): boolean {
    for (let r = 0; r < count; r++) this.kept.push(columns.map((column) => column[r]));
    return true;
  }

  /** The rows of the batches that came since. */
  take(): readonly (readonly Value[])[] {
    const { kept } = this;
    this.kept = [];
    return kept;
  }
}
