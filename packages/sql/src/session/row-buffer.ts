/** Keeps the rows of a statement that may yet be run anew (read committed), and sends them once it has ended. */
import { type Execution, PAUSE, type RowBatch, type RowSink } from '../exec/runtime.js';
import type { Value } from '../types/type.js';

const BATCH_ROWS = 1024;

export class RowBuffer implements RowSink {
  readonly batchRowsMax = BATCH_ROWS;
  private readonly columns: Value[][];
  private count = 0;

  constructor(width: number) {
    this.columns = Array.from({ length: width }, () => []);
  }

  rows(batch: RowBatch): boolean {
    for (let c = 0; c < this.columns.length; c++) {
      const from = batch.columns[c] as readonly Value[];
      const to = this.columns[c] as Value[];
      for (let r = 0; r < batch.count; r++) to.push(from[r]);
    }
    this.count += batch.count;
    return false;
  }

  *drain(sink: RowSink): Execution {
    let sent = 0;
    while (sent < this.count) {
      const count = Math.min(this.count - sent, Math.max(1, sink.batchRowsMax));
      const columns = this.columns.map((column) => column.slice(sent, sent + count));
      sent += count;
      if (sink.rows({ columns, count })) yield PAUSE;
    }
    return this.count;
  }
}
