/**
 * Writes rows as DataRow messages. One encoder serves one shape of result: which type each column has, and in which format
 * the client wants it.
 *
 *   D | length | columns i16 | (bytes i32, -1 for NULL | value) ...
 */
import { PhantomError, unsupportedError, writeU32BE } from '@phantom/base';
import type { PlanField, RowBatch, SqlType, TypeContext, Value } from '@phantom/db/session';
import { type ColumnDescription, writeRowDescription } from './backend-messages.js';
import type { MessageWriter } from './message-writer.js';
import { Backend, Format } from './protocol.js';

/** Longest DataRow: the length is a signed 32-bit number, and PostgreSQL's own limit is this. */
export const ROW_BYTES_MAX = 0x3fff_ffff;
/** PostgreSQL's pseudo-type for what has none. */
const UNKNOWN_OID = 705;
const UNKNOWN_LENGTH = -2;

/** Finds types by oid. */
export interface TypeFinder {
  byOid(oid: number): SqlType | undefined;
}

export class RowEncoder {
  /** The fields it was made for, to tell whether it still fits. */
  readonly fields: readonly PlanField[];
  private readonly types: readonly (SqlType | undefined)[];
  private readonly formats: readonly number[];
  private readonly columns: readonly ColumnDescription[];
  /** RowDescription, once it has been written: many clients ask for it with every row. */
  private description: Uint8Array | undefined;

  /** `formatOf` tells the format of a column by its index. */
  constructor(fields: readonly PlanField[], types: TypeFinder, formatOf: (index: number) => number) {
    this.fields = fields;
    this.types = fields.map((field) => types.byOid(field.type.oid));
    this.formats = fields.map((_, index) => formatOf(index));
    this.columns = fields.map((field, index) => describeColumn(field, types, this.formats[index] as number));
  }

  /** RowDescription. */
  describe(writer: MessageWriter): void {
    const { bytes } = writer;
    if (this.description !== undefined && writer.encoding === undefined) {
      bytes.bytes(this.description);
      return;
    }
    const start = bytes.length;
    writeRowDescription(writer, this.columns);
    if (writer.encoding === undefined) this.description = bytes.buffer.slice(start, bytes.length);
  }

  /** All rows of a batch. On an error nothing of the row at hand is left in the writer. */
  rows(batch: RowBatch, writer: MessageWriter, context: TypeContext): void {
    const { columns, count } = batch;
    const width = this.fields.length;
    for (let r = 0; r < count; r++) {
      const start = writer.bytes.length;
      try {
        writer.begin(Backend.DataRow);
        writer.i16(width);
        for (let c = 0; c < width; c++) this.value((columns[c] as readonly Value[])[r], c, writer, context);
        this.endRow(writer, start);
      } catch (error) {
        writer.bytes.length = start;
        throw error;
      }
    }
  }

  /** Rows without columns, which only their number tells apart. */
  emptyRows(count: number, writer: MessageWriter): void {
    for (let r = 0; r < count; r++) {
      const start = writer.bytes.length;
      writer.begin(Backend.DataRow);
      writer.i16(0);
      this.endRow(writer, start);
    }
  }

  /** One row, its values by column. */
  row(values: readonly Value[], writer: MessageWriter, context: TypeContext): void {
    const start = writer.bytes.length;
    try {
      writer.begin(Backend.DataRow);
      const width = this.fields.length;
      writer.i16(width);
      for (let c = 0; c < width; c++) this.value(values[c], c, writer, context);
      this.endRow(writer, start);
    } catch (error) {
      writer.bytes.length = start;
      throw error;
    }
  }

  /** The first column's value alone, as FunctionCallResponse has it. */
  single(value: Value, writer: MessageWriter, context: TypeContext): void {
    const start = writer.bytes.length;
    try {
      writer.begin(Backend.FunctionCallResponse);
      this.value(value, 0, writer, context);
      this.endRow(writer, start);
    } catch (error) {
      writer.bytes.length = start;
      throw error;
    }
  }

  private value(value: Value, column: number, writer: MessageWriter, context: TypeContext): void {
    if (value === null) {
      writer.i32(-1);
      return;
    }
    const type = this.types[column];
    if (type === undefined)
      throw new PhantomError('XX000', `column "${this.fields[column]?.name ?? ''}" has no known type`);
    const isConverted = writer.encoding !== undefined;
    if (this.formats[column] === Format.Text || (isConverted && type.category === 'S')) {
      writer.textValue(type.output(value, context));
      return;
    }
    if (isConverted) refuseHiddenText(type);
    const { bytes } = writer;
    const at = bytes.reserve(4);
    bytes.length = at + 4;
    type.send(value, bytes, context);
    writeU32BE(bytes.buffer, at, bytes.length - at - 4);
  }

  private endRow(writer: MessageWriter, start: number): void {
    const rowBytes = writer.bytes.length - start;
    if (rowBytes > ROW_BYTES_MAX) {
      throw new PhantomError('54000', `a row of ${rowBytes} bytes is longer than the limit of ${ROW_BYTES_MAX} bytes`, {
        data: { rowBytes, rowBytesMax: ROW_BYTES_MAX },
      });
    }
    writer.end();
  }
}

/** Categories of types whose binary form has no text inside: numbers, dates, spans, truth values, bits, networks, geometry. */
const WITHOUT_TEXT = 'NDTBVIG';
const BYTEA_OID = 17;
const UUID_OID = 2950;

/** 0A000 for the binary form of a type that may hold text, to or from a client that does not speak UTF-8: only whole texts are converted. */
export function refuseHiddenText({ category, oid, name }: SqlType): void {
  if (category !== undefined && WITHOUT_TEXT.includes(category)) return;
  if (oid === BYTEA_OID || oid === UUID_OID) return;
  throw unsupportedError(`the binary format of type ${name} in another client encoding than UTF-8`);
}

/** A domain is told of as the type under it, as PostgreSQL does: clients know no domains. */
function describeColumn(field: PlanField, types: TypeFinder, format: number): ColumnDescription {
  const base = { name: field.name, tableOid: field.tableOid, column: field.column, format };
  let type = types.byOid(field.type.oid);
  if (type === undefined) return { ...base, typeOid: UNKNOWN_OID, typeLength: UNKNOWN_LENGTH, typmod: -1 };
  let { typmod } = field.type;
  while (type.kind === 'domain' && type.baseOid !== 0) {
    const under = types.byOid(type.baseOid);
    if (under === undefined) break;
    type = under;
    typmod = -1;
  }
  return { ...base, typeOid: type.oid, typeLength: type.length, typmod };
}
