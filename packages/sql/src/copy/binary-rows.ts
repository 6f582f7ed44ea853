/** Rows of COPY FROM in the binary format. */
import { PhantomError } from '@phantom/base';
import type { TypeContext, Value } from '../types/type.js';
import type { CopyColumn, RowReader } from './copy-rows.js';

/** PostgreSQL's signature of a binary copy. */
export const BINARY_SIGNATURE = new Uint8Array([0x50, 0x47, 0x43, 0x4f, 0x50, 0x59, 0x0a, 0xff, 0x0d, 0x0a, 0x00]);
const HEADER_BYTES = BINARY_SIGNATURE.length + 8;
/** Longest extension of the header that is skipped. */
const EXTENSION_BYTES_MAX = 64 * 1024;
/** Longest row. */
const ROW_BYTES_MAX = 0x3fff_ffff;

/** Reads the binary format: a header, then rows of (count i16, then length i32 and bytes for each value), then a count of -1. */
export class BinaryRows implements RowReader {
  ended = false;
  private readonly table: string;
  private readonly columns: readonly CopyColumn[];
  private readonly context: TypeContext;
  private bytes = new Uint8Array(0);
  private view = new DataView(this.bytes.buffer);
  private at = 0;
  private headerDue = true;
  private finished = false;
  private row = 0;

  constructor(table: string, columns: readonly CopyColumn[], context: TypeContext) {
    this.table = table;
    this.columns = columns;
    this.context = context;
  }

  push(piece: Uint8Array): void {
    const rest = this.bytes.length - this.at;
    if (rest > ROW_BYTES_MAX) throw new PhantomError('54000', `a row of COPY is longer than ${ROW_BYTES_MAX} bytes`);
    const joined = new Uint8Array(rest + piece.length);
    joined.set(this.bytes.subarray(this.at), 0);
    joined.set(piece, rest);
    this.bytes = joined;
    this.view = new DataView(joined.buffer);
    this.at = 0;
  }

  finish(): void {
    this.finished = true;
  }

  next(into: Value[]): boolean {
    if (this.ended) return false;
    if (this.headerDue && !this.header()) return this.lacking();
    const end = this.rowEnd();
    if (end < 0) return this.lacking();
    this.row++;
    const count = this.view.getInt16(this.at);
    let at = this.at + 2;
    if (count === -1) {
      this.at = at;
      this.ended = true;
      return false;
    }
    const { columns } = this;
    if (count !== columns.length) throw this.bad(`row field count is ${count}, expected ${columns.length}`);
    for (let i = 0; i < count; i++) {
      const bytes = this.view.getInt32(at);
      at += 4;
      into[i] = bytes === -1 ? null : this.value(at, at + bytes, columns[i] as CopyColumn);
      at += Math.max(bytes, 0);
    }
    this.at = end;
    return true;
  }

  place(): string {
    return `COPY ${this.table}, line ${this.row}`;
  }

  /** End of the row at hand; -1 while it is not whole. */
  private rowEnd(): number {
    const { view, bytes } = this;
    let at = this.at + 2;
    if (at > bytes.length) return -1;
    const count = view.getInt16(this.at);
    if (count < -1) throw this.bad('invalid COPY file header (count of fields)');
    for (let i = 0; i < count; i++) {
      if (at + 4 > bytes.length) return -1;
      const length = view.getInt32(at);
      if (length < -1) throw this.bad('invalid field size');
      at += 4 + Math.max(length, 0);
    }
    return at > bytes.length ? -1 : at;
  }

  private header(): boolean {
    const { bytes, view } = this;
    for (let i = 0; i < Math.min(bytes.length, BINARY_SIGNATURE.length); i++)
      if (bytes[i] !== BINARY_SIGNATURE[i]) throw this.bad('COPY file signature not recognized');
    if (bytes.length < HEADER_BYTES) return false;
    const flags = view.getInt32(BINARY_SIGNATURE.length);
    if ((flags & 0x1_0000) !== 0) throw this.bad('invalid COPY file header (WITH OIDS)');
    if (flags >> 16 !== 0) throw this.bad('unrecognized critical flags in COPY file header');
    const extension = view.getInt32(BINARY_SIGNATURE.length + 4);
    if (extension < 0 || extension > EXTENSION_BYTES_MAX) throw this.bad('invalid COPY file header (missing length)');
    if (bytes.length < HEADER_BYTES + extension) return false;
    this.at = HEADER_BYTES + extension;
    this.headerDue = false;
    return true;
  }

  private lacking(): false {
    if (this.finished && (this.headerDue || this.at < this.bytes.length)) {
      throw this.bad(this.headerDue ? 'COPY file signature not recognized' : 'unexpected EOF in COPY data');
    }
    return false;
  }

  private value(start: number, end: number, { type, typmod, name }: CopyColumn): Value {
    try {
      return type.receive(this.bytes, start, end, typmod, this.context);
    } catch (error) {
      if (!(error instanceof PhantomError)) throw error;
      throw error.with({ where: `${this.place()}, column ${name}` });
    }
  }

  private bad(message: string): PhantomError {
    return new PhantomError('22P04', message, { where: this.place() });
  }
}
