/**
 * Rows to bytes and back (the layout is drawn in row-layout.ts).
 *
 * A codec is compiled once for a layout, each part when it is first used: straight-line code with every offset a constant, made
 * from numbers only, never from a name or a value of the user's. Where code generation is forbidden, closures over the same
 * helpers give the same bytes and values; a test holds the two together. Encoding writes the narrow form and falls back to the
 * wide one when a row passes 64 KiB.
 */
import { type ByteWriter, assert, writeU16, writeU32 } from '@phantom/base';
import { codeGenerationAllowed } from './code-generation.js';
import { fixedReadSource, readHelpers } from './row-source.js';
import {
  ROW_BITMAP_OFFSET,
  ROW_WIDE,
  type RowLayout,
  checkRow,
  isNullColumn,
  variableEnd,
  variableStart,
} from './row-layout.js';
import { type StorageType, StorageKind, fixedBytes } from './storage.js';
import { appendValue, readFixed, readValue, writeFixed } from './value-codec.js';

const NARROW_DATA_MAX = 0xffff;
const NO_BYTES = new Uint8Array(0);

/** Stands among values for what the column has in the row whose place they take (RowCodec.encodeOver). */
export const KEPT: unique symbol = Symbol('kept');

export interface RowCodec {
  readonly layout: RowLayout;
  /** Appends the row of `values`, by column position; null is SQL NULL. */
  encode(values: readonly unknown[], writer: ByteWriter): void;
  /**
   * The same for a row that takes the place of the one at [start, end) of `stored`, which has the same layout: variable columns
   * whose value is KEPT have the bytes that they have there, unread.
   */
  encodeOver(values: readonly unknown[], stored: Uint8Array, start: number, end: number, writer: ByteWriter): void;
  /** Puts every column of the row at [start, end) into `into`. Corrupt bytes raise XX001. */
  decode(buffer: Uint8Array, start: number, end: number, into: unknown[]): void;
  /** One column, without touching the others. */
  readColumn(buffer: Uint8Array, start: number, end: number, index: number): unknown;
}

type ColumnReader = (buffer: Uint8Array, start: number, end: number) => unknown;
/** Writes a row's head up to the ends of its variable columns: all of them are said to be there. */
type HeadEncoder = (buffer: Uint8Array, start: number, version: number, values: readonly unknown[]) => void;

/** The codec of a layout. `generate: false` asks for closures, which is also what a process gets that forbids generation. */
export function rowCodec(layout: RowLayout, options: { readonly generate?: boolean } = {}): RowCodec {
  const generate = options.generate !== false && codeGenerationAllowed();
  // Each takes its own place by what it stands for when first called: most codecs of buffers that may spill never are.
  const readers = layout.columns.map((_, index): ColumnReader => (buffer, start, end) => {
    const reader = (readers[index] = columnReader(layout, index, generate));
    return reader(buffer, start, end);
  });
  let encodeHead: HeadEncoder = (buffer, start, version, values) => {
    encodeHead = generate ? generatedHeadEncoder(layout) : closureHeadEncoder(layout);
    encodeHead(buffer, start, version, values);
  };
  const variables = variableColumns(layout);
  const count = layout.columns.length;

  function encodeAs(
    values: readonly unknown[],
    stored: Uint8Array,
    storedStart: number,
    storedEnd: number,
    writer: ByteWriter,
    wide: boolean,
  ): boolean {
    const dataOffset = wide ? layout.wideDataOffset : layout.narrowDataOffset;
    const start = writer.reserve(dataOffset);
    const buffer = writer.buffer;
    encodeHead(buffer, start, wide ? layout.version | ROW_WIDE : layout.version, values);
    writer.length = start + dataOffset;
    const data = writer.length;
    const ends = start + layout.endsOffset;
    for (let i = 0; i < variables.length; i++) {
      const column = variables[i] as number;
      const value = values[column];
      if (value === KEPT) {
        if (isNullColumn(stored, storedStart, column)) setNull(writer.buffer, start, column);
        else appendKept(writer, layout, stored, storedStart, storedEnd, i);
      } else if (value === null) setNull(writer.buffer, start, column);
      else appendValue(writer, layout.columns[column] as StorageType, value);
      const end = writer.length - data;
      if (wide) {
        writeU32(writer.buffer, ends + 4 * i, end);
      } else {
        if (end > NARROW_DATA_MAX) {
          writer.length = start;
          return false;
        }
        writeU16(writer.buffer, ends + 2 * i, end);
      }
    }
    return true;
  }

  return {
    layout,
    encode(values, writer) {
      if (!encodeAs(values, NO_BYTES, 0, 0, writer, false)) encodeAs(values, NO_BYTES, 0, 0, writer, true);
    },
    encodeOver(values, stored, start, end, writer) {
      checkRow(stored, start, end, layout);
      if (!encodeAs(values, stored, start, end, writer, false)) encodeAs(values, stored, start, end, writer, true);
    },
    decode(buffer, start, end, into) {
      checkRow(buffer, start, end, layout);
      for (let i = 0; i < count; i++) into[i] = (readers[i] as ColumnReader)(buffer, start, end);
    },
    readColumn(buffer, start, end, index) {
      checkRow(buffer, start, end, layout);
      return (readers[index] as ColumnReader)(buffer, start, end);
    },
  };
}

/**
 * Writes the head of the row that begins at `start`, whose columns are all variable, none null, and written already: from
 * `narrowDataOffset` on, each ending at one of `ends`, counted from there. A row over 64 KiB makes room for wider ends.
 */
export function writeVariableHead(writer: ByteWriter, start: number, layout: RowLayout, ends: Int32Array): void {
  const { version, variableCount, endsOffset, narrowDataOffset, wideDataOffset } = layout;
  assert(variableCount === layout.columns.length && variableCount === ends.length, 'every column is variable');
  const bytes = ends[variableCount - 1] as number;
  const wide = bytes > NARROW_DATA_MAX;
  if (wide) {
    writer.reserve(wideDataOffset - narrowDataOffset);
    const narrow = start + narrowDataOffset;
    writer.buffer.copyWithin(start + wideDataOffset, narrow, narrow + bytes);
    writer.length = start + wideDataOffset + bytes;
  }
  const { buffer } = writer;
  for (let i = start; i < start + endsOffset; i++) buffer[i] = 0;
  writeU16(buffer, start, wide ? version | ROW_WIDE : version);
  const table = start + endsOffset;
  for (let i = 0; i < variableCount; i++) {
    if (wide) writeU32(buffer, table + 4 * i, ends[i] as number);
    else writeU16(buffer, table + 2 * i, ends[i] as number);
  }
}

function setNull(buffer: Uint8Array, start: number, column: number): void {
  const at = start + ROW_BITMAP_OFFSET + (column >> 3);
  buffer[at] = (buffer[at] as number) | (1 << (column & 7));
}

/** Appends the bytes of a stored row's variable column as they are. */
function appendKept(
  writer: ByteWriter,
  layout: RowLayout,
  stored: Uint8Array,
  start: number,
  end: number,
  variable: number,
): void {
  assert(end > 0, 'a value is kept where there is a row that has it');
  const from = variableStart(stored, start, variable, layout);
  writer.bytes(stored, from, variableEnd(stored, start, end, variable, layout, from));
}

function variableColumns(layout: RowLayout): readonly number[] {
  const columns: number[] = [];
  for (let i = 0; i < layout.columns.length; i++) if ((layout.fixedOffsets[i] as number) < 0) columns.push(i);
  return columns;
}

function columnReader(layout: RowLayout, index: number, generate: boolean): ColumnReader {
  const type = layout.columns[index] as StorageType;
  const offset = layout.fixedOffsets[index] as number;
  if (offset < 0) {
    const variable = layout.variableIndexes[index] as number;
    return (buffer, start, end) => {
      if (isNullColumn(buffer, start, index)) return null;
      const from = variableStart(buffer, start, variable, layout);
      return readValue(buffer, from, variableEnd(buffer, start, end, variable, layout, from), type);
    };
  }
  const source = generate ? fixedReadSource(type.kind, 'buffer', `start + ${offset}`, 'helpers') : undefined;
  if (source === undefined) {
    return (buffer, start) => (isNullColumn(buffer, start, index) ? null : readFixed(buffer, start + offset, type));
  }
  const isNull = `(buffer[start + ${ROW_BITMAP_OFFSET + (index >> 3)}] & ${1 << (index & 7)}) !== 0`;
  const make = new Function('helpers', `return (buffer, start, end) => ${isNull} ? null : ${source};`) as (
    helpers: unknown,
  ) => ColumnReader;
  return make(readHelpers);
}

function closureHeadEncoder(layout: RowLayout): HeadEncoder {
  return (buffer, start, version, values) => {
    for (let i = start; i < start + layout.endsOffset; i++) buffer[i] = 0;
    writeU16(buffer, start, version);
    for (let i = 0; i < layout.columns.length; i++) {
      const offset = layout.fixedOffsets[i] as number;
      if (offset < 0) continue;
      const value = values[i];
      if (value === null) setNull(buffer, start, i);
      else writeFixed(buffer, start + offset, layout.columns[i] as StorageType, value);
    }
  };
}

/** Source that writes `value` of a 1, 2 or 4 byte integer kind; undefined for kinds left to helpers. */
function fixedWriteSource(kind: number, offset: number): string | undefined {
  const byte = (i: number, text: string): string => `buffer[start + ${offset + i}] = ${text};`;
  switch (kind) {
    case StorageKind.Bool:
      return byte(0, 'value === true ? 1 : 0');
    case StorageKind.Int16:
    case StorageKind.Int32:
    case StorageKind.UInt32: {
      let source = byte(0, 'value');
      for (let i = 1; i < fixedBytes(kind); i++) source += ` ${byte(i, `value >>> ${8 * i}`)}`;
      return source;
    }
    default:
      return undefined;
  }
}

function generatedHeadEncoder(layout: RowLayout): HeadEncoder {
  const zeros = (from: number, to: number): string =>
    Array.from({ length: to - from }, (_, i) => `buffer[start + ${from + i}] = 0;`).join(' ');
  const lines: string[] = [
    'let value;',
    'buffer[start] = version; buffer[start + 1] = version >>> 8;',
    zeros(ROW_BITMAP_OFFSET, ROW_BITMAP_OFFSET + layout.bitmapBytes),
  ];
  for (let i = 0; i < layout.columns.length; i++) {
    const offset = layout.fixedOffsets[i] as number;
    if (offset < 0) continue;
    const type = layout.columns[i] as StorageType;
    const write = fixedWriteSource(type.kind, offset) ?? `writeFixed(buffer, start + ${offset}, columns[${i}], value);`;
    const at = ROW_BITMAP_OFFSET + (i >> 3);
    lines.push(`value = values[${i}];`);
    const none = `buffer[start + ${at}] |= ${1 << (i & 7)}; ${zeros(offset, offset + fixedBytes(type.kind))}`;
    lines.push(`if (value === null) { ${none} } else { ${write} }`);
  }
  const body = `return (buffer, start, version, values) => { ${lines.join('\n')} };`;
  const make = new Function('writeFixed', 'columns', body) as (
    write: typeof writeFixed,
    columns: readonly StorageType[],
  ) => HeadEncoder;
  return make(writeFixed, layout.columns);
}
