/**
 * JavaScript text that reads a row's fields in place, for query compilers: offsets are constants of the layout, the buffer
 * and the row's start are names the caller chose, everything slower than a few shifts goes through `readHelpers`.
 *
 * The caller has checked the row once (`checkRow`) and tests for null by `isNullSource` where a column may be null.
 */
import { readU32 } from '@phantom/base';
import { ROW_BITMAP_OFFSET, type RowLayout, variableEnd, variableStart } from './row-layout.js';
import { type StorageType, StorageKind } from './storage.js';
import {
  readDate,
  readF32,
  readF64,
  readI64,
  readInterval,
  readTimeTz,
  readTimestamp,
  readUuid,
} from './value-bytes.js';
import { readEnum, readValue } from './value-codec.js';

/** What generated readers call; hand it to the generated function under a name of your choice. */
export const readHelpers = {
  readU32,
  readI64,
  readF32,
  readF64,
  readDate,
  readTimestamp,
  readTimeTz,
  readInterval,
  readUuid,
  readEnum,
  readVariable,
} as const;

/** Value of variable column `index` of the row, which is not null. */
function readVariable(buffer: Uint8Array, start: number, end: number, index: number, layout: RowLayout): unknown {
  const variable = layout.variableIndexes[index] as number;
  const from = variableStart(buffer, start, variable, layout);
  const to = variableEnd(buffer, start, end, variable, layout, from);
  return readValue(buffer, from, to, layout.columns[index] as StorageType);
}

/** Names in scope of the generated code. */
export interface RowSourceNames {
  readonly buffer: string;
  readonly start: string;
  readonly end: string;
  /** `readHelpers`. */
  readonly helpers: string;
  /** The RowLayout. */
  readonly layout: string;
}

/** Source of a boolean expression: column `index` is null. */
export function isNullSource(index: number, names: RowSourceNames): string {
  return `((${names.buffer}[${names.start} + ${ROW_BITMAP_OFFSET + (index >> 3)}] & ${1 << (index & 7)}) !== 0)`;
}

/** Source of an expression: the value of column `index`, which is not null. */
export function columnSource(layout: RowLayout, index: number, names: RowSourceNames): string {
  const type = layout.columns[index] as StorageType;
  const offset = layout.fixedOffsets[index] as number;
  const { buffer, start, end, helpers } = names;
  if (offset >= 0) {
    const source = fixedReadSource(type.kind, buffer, `${start} + ${offset}`, helpers);
    if (source !== undefined) return source;
    return `${helpers}.readEnum(${buffer}, ${start} + ${offset}, ${names.layout}.columns[${index}].labels)`;
  }
  return `${helpers}.readVariable(${buffer}, ${start}, ${end}, ${index}, ${names.layout})`;
}

/** Source that reads a fixed-width kind at `at`; undefined for enums, which need their labels. */
export function fixedReadSource(kind: number, buffer: string, at: string, helpers: string): string | undefined {
  const byte = (i: number): string => `${buffer}[${at} + ${i}]`;
  switch (kind) {
    case StorageKind.Bool:
      return `(${byte(0)} !== 0)`;
    case StorageKind.Int16:
      return `((${byte(0)} | ${byte(1)} << 8) << 16 >> 16)`;
    case StorageKind.Int32:
      return `(${byte(0)} | ${byte(1)} << 8 | ${byte(2)} << 16 | ${byte(3)} << 24)`;
    case StorageKind.UInt32:
      return `((${byte(0)} | ${byte(1)} << 8 | ${byte(2)} << 16 | ${byte(3)} << 24) >>> 0)`;
    case StorageKind.Int64:
    case StorageKind.Time:
      return `${helpers}.readI64(${buffer}, ${at})`;
    case StorageKind.Float32:
      return `${helpers}.readF32(${buffer}, ${at})`;
    case StorageKind.Float64:
      return `${helpers}.readF64(${buffer}, ${at})`;
    case StorageKind.Date:
      return `${helpers}.readDate(${buffer}, ${at})`;
    case StorageKind.Timestamp:
      return `${helpers}.readTimestamp(${buffer}, ${at})`;
    case StorageKind.TimeTz:
      return `${helpers}.readTimeTz(${buffer}, ${at})`;
    case StorageKind.Interval:
      return `${helpers}.readInterval(${buffer}, ${at})`;
    case StorageKind.Uuid:
      return `${helpers}.readUuid(${buffer}, ${at})`;
    default:
      return undefined;
  }
}
