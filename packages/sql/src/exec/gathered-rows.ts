/** What a partition has given, until its turn comes: in memory, and in a scratch file where that is short. */
import type { RowCodec } from '@phantom/codec';
import type { Value } from '../types/type.js';
import { RowBuffer } from './row-buffer.js';
import type { Run, Statement } from './run.js';
import type { RowBatch } from './runtime.js';
import type { SpilledRows } from './spill/spilled-rows.js';

/** Rows of a scratch file that are handed on at once. */
const BATCH_ROWS = 256;
const WINDOW_BYTES = 64 * 1024;

export class GatheredRows extends RowBuffer {
  private readonly statement: Statement;
  private readonly codec: RowCodec;
  private spilled: SpilledRows | undefined = undefined;

  /** Counted in the memory of the query as a whole: they outlast their run. */
  constructor({ statement, context }: Run, codec: RowCodec) {
    super(codec.layout.columns.length, context.memory);
    this.statement = statement;
    this.codec = codec;
  }

  /** Copies the rows of a batch. */
  append({ columns, count }: RowBatch): void {
    for (let c = 0; c < columns.length; c++) {
      const [to, from] = [this.columns[c] as Value[], columns[c] as readonly Value[]];
      for (let row = 0; row < count; row++) to.push(from[row]);
    }
    this.count += count;
    this.account();
  }

  /** All rows, in the order in which they came; each batch until the next is asked for. */
  *batches(): Generator<RowBatch, void, void> {
    const { spilled, columns } = this;
    if (spilled !== undefined) {
      const reader = spilled.reader(WINDOW_BYTES);
      const batch = { columns: columns.map((): Value[] => []), count: 0 };
      const values: Value[] = [];
      for (let more = reader.next(values); more;) {
        for (const column of batch.columns) column.length = 0;
        for (batch.count = 0; more && batch.count < BATCH_ROWS; batch.count++) {
          for (let c = 0; c < columns.length; c++) (batch.columns[c] as Value[]).push(values[c]);
          more = reader.next(values);
        }
        yield batch;
      }
    }
    if (this.count > 0) yield this;
  }

  /** They have been handed on. */
  drop(): void {
    this.clear();
    this.spilled?.close();
    this.spilled = undefined;
  }

  protected override makeRoom(): boolean {
    const { columns, count } = this;
    const spilled = (this.spilled ??= this.statement.spill(this.codec, 'gather'));
    if (spilled === undefined) return false;
    for (let row = 0; row < count; row++) spilled.append(columns, row);
    this.clear();
    return true;
  }
}
