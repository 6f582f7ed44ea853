/**
 * Where the entries of the containers end that are being written: a stack, the innermost container on top. A container's table of ends is
 * written once all are known, into room that was left for the narrow form; wider ends move the entries once.
 */
import { type ByteWriter, writeU16, writeU32 } from '@phantom/base';

/** An entry of a container in the narrow form ends so many bytes behind the first one's beginning at the most. */
export const NARROW_MAX = 0xffff;

const ENDS_MIN = 256;

export class EntryEnds {
  /** How many are on the stack. */
  count = 0;
  private ends = new Int32Array(ENDS_MIN);

  push(end: number): void {
    if (this.count === this.ends.length) {
      const grown = new Int32Array(2 * this.ends.length);
      grown.set(this.ends);
      this.ends = grown;
    }
    this.ends[this.count++] = end;
  }

  /**
   * Takes `count` ends from the stack, those from `first` on, and writes them at `table`, behind which the entries begin that stand at
   * `reserved`. `start` is where the container's tag is.
   */
  write(writer: ByteWriter, start: number, table: number, count: number, reserved: number, first: number): void {
    const { ends } = this;
    const wide = writer.length - reserved > NARROW_MAX;
    const data = table + count * (wide ? 4 : 2);
    if (data !== reserved) {
      const bytes = writer.length - reserved;
      if (data > reserved) writer.reserve(data - reserved);
      writer.buffer.copyWithin(data, reserved, reserved + bytes);
      writer.length = data + bytes;
    }
    const { buffer } = writer;
    if (wide) buffer[start] = (buffer[start] as number) | 1;
    for (let i = 0; i < count; i++) {
      const end = (ends[first + i] as number) - reserved;
      if (wide) writeU32(buffer, table + 4 * i, end);
      else writeU16(buffer, table + 2 * i, end);
    }
    this.count = first;
  }
}
