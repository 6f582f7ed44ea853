/**
 * Rows as bytes, for another thread: as many as make a block worth sending.
 *
 *   block   row row ...        row   u32 bytes, row bytes (codec)
 */
import { ByteWriter, readU32, writeU32 } from '@phantom/base';
import type { RowCodec } from '@phantom/codec';
import type { Value } from '../types/type.js';
import type { RowBatch, RowSink } from './runtime.js';

const BLOCK_BYTES = 64 * 1024;
const LENGTH_BYTES = 4;
const BATCH_ROWS_MAX = 256;

/** Gathers rows. Asks for a rest when a block is full: take it before the execution goes on. */
export class RowBlockSink implements RowSink {
  readonly batchRowsMax = BATCH_ROWS_MAX;
  private readonly codec: RowCodec;
  private writer = new ByteWriter();
  private readonly values: Value[] = [];

  constructor(codec: RowCodec) {
    this.codec = codec;
  }

  rows({ columns, count }: RowBatch): boolean {
    const { writer, values, codec } = this;
    for (let row = 0; row < count; row++) {
      for (let c = 0; c < columns.length; c++) values[c] = (columns[c] as readonly Value[])[row];
      const start = writer.length;
      writer.u32(0);
      codec.encode(values, writer);
      writeU32(writer.buffer, start, writer.length - start - LENGTH_BYTES);
    }
    return writer.length >= BLOCK_BYTES;
  }

  /** What has been gathered, the caller's from now on; undefined when there is nothing. */
  take(): Uint8Array<ArrayBuffer> | undefined {
    const { writer } = this;
    if (writer.length === 0) return undefined;
    const block = writer.buffer.slice(0, writer.length);
    writer.reset();
    return block;
  }
}

/** Hands the rows of blocks out, by column. */
export class RowBlockReader implements RowBatch {
  readonly columns: Value[][];
  count = 0;
  private readonly codec: RowCodec;
  private readonly values: Value[] = [];
  private block: Uint8Array = new Uint8Array(0);
  private at = 0;

  constructor(codec: RowCodec) {
    this.codec = codec;
    this.columns = codec.layout.columns.map(() => []);
  }

  /** Begins with another block. Values of its rows may lie in it. */
  aim(block: Uint8Array): void {
    this.block = block;
    this.at = 0;
  }

  /** Fills the columns with at most so many rows; false when the block has no more. */
  next(rowsMax: number): boolean {
    const { columns, values, block, codec } = this;
    for (const column of columns) column.length = 0;
    this.count = 0;
    while (this.count < rowsMax && this.at < block.length) {
      const start = this.at + LENGTH_BYTES;
      const end = start + readU32(block, this.at);
      codec.decode(block, start, end, values);
      for (let c = 0; c < columns.length; c++) (columns[c] as Value[]).push(values[c]);
      this.at = end;
      this.count++;
    }
    return this.count > 0;
  }
}
