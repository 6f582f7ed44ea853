/**
 * Rows of an operator that did not fit into memory, in a scratch file: written one after the other, then read from the front,
 * as often as wanted.
 *
 *   file   row row ...        row   u32 bytes, row bytes (codec)
 */
import { type Scratch, type ScratchFile, ByteWriter, assert, readU32, writeU32 } from '@phantom/base';
import type { RowCodec } from '@phantom/codec';
import type { Value } from '../../types/type.js';

/** Bytes gathered before they are written. */
const WRITE_BYTES = 64 * 1024;
const LENGTH_BYTES = 4;

export class SpilledRows {
  /** Rows in the file. */
  count = 0;
  private readonly file: ScratchFile;
  private readonly codec: RowCodec;
  private readonly onWrite: (bytes: number) => void;
  private readonly writer = new ByteWriter();
  private readonly values: Value[] = [];

  constructor(scratch: Scratch, codec: RowCodec, purpose: string, onWrite: (bytes: number) => void = () => undefined) {
    this.onWrite = onWrite;
    this.file = scratch.create(purpose);
    this.codec = codec;
  }

  /** Appends row `row` of columns. */
  append(columns: readonly (readonly Value[])[], row: number): void {
    const { values } = this;
    for (let c = 0; c < columns.length; c++) values[c] = (columns[c] as readonly Value[])[row];
    this.appendRow(values);
  }

  /** Appends a row given as an array. */
  appendRow(values: readonly Value[]): void {
    const { writer } = this;
    const start = writer.length;
    writer.u32(0);
    this.codec.encode(values, writer);
    writeU32(writer.buffer, start, writer.length - start - LENGTH_BYTES);
    this.count++;
    if (writer.length >= WRITE_BYTES) this.flush();
  }

  /** A reader of all rows; it holds about `windowBytes` in memory. Nothing may be appended from now on. */
  reader(windowBytes: number): SpillReader {
    this.flush();
    return new SpillReader(this.file, this.codec, windowBytes);
  }

  private flush(): void {
    const { writer } = this;
    if (writer.length === 0) return;
    this.file.append(writer.buffer, 0, writer.length);
    this.onWrite(writer.length);
    writer.reset();
  }

  /** Frees the file. Safe to call twice. */
  close(): void {
    this.file.close();
  }
}

export class SpillReader {
  private readonly file: ScratchFile;
  private readonly codec: RowCodec;
  private readonly windowBytes: number;
  private window = new Uint8Array(0);
  private windowAt = 0;
  private at = 0;

  constructor(file: ScratchFile, codec: RowCodec, windowBytes: number) {
    this.file = file;
    this.codec = codec;
    this.windowBytes = windowBytes;
  }

  /** The next row's values; false at the end. Values may lie in the reader's window, which they keep alive. */
  next(into: Value[]): boolean {
    if (this.at === this.file.bytes) return false;
    this.have(LENGTH_BYTES);
    const bytes = readU32(this.window, this.at - this.windowAt);
    this.have(LENGTH_BYTES + bytes);
    const start = this.at - this.windowAt + LENGTH_BYTES;
    this.codec.decode(this.window, start, start + bytes, into);
    this.at += LENGTH_BYTES + bytes;
    return true;
  }

  /** Makes sure that so many bytes from the present place lie in the window. */
  private have(bytes: number): void {
    const { at, file } = this;
    if (at + bytes <= this.windowAt + this.window.length) return;
    // A new window each time: values of earlier rows may refer to the old one.
    this.window = new Uint8Array(Math.min(Math.max(bytes, this.windowBytes), file.bytes - at));
    this.windowAt = at;
    const found = file.readAt(at, this.window);
    assert(found === this.window.length && found >= bytes, 'a scratch file ends with a row');
  }
}
