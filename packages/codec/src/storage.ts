/**
 * Storage kinds: how the bytes of a column are written, in rows and in keys. They are few where types are many: text,
 * varchar and name are one kind, oid and regclass another. The numbers are on disk for good (docs/formats/row.md).
 */
import { PhantomError } from '@phantom/base';

export const StorageKind = {
  /** boolean: 1 byte. */
  Bool: 1,
  /** number: 2 bytes. */
  Int16: 2,
  /** number: 4 bytes. */
  Int32: 3,
  /** number while safe, else bigint: 8 bytes. */
  Int64: 4,
  /** number: 4 bytes, unsigned (oid and its kin). */
  UInt32: 5,
  /** number: 4 bytes. */
  Float32: 6,
  /** number: 8 bytes. */
  Float64: 7,
  /** Decimal: variable. */
  Decimal: 8,
  /** string: UTF-8, variable. */
  Text: 9,
  /** string padded with blanks that do not count in comparisons (char(n)): UTF-8, variable. */
  PaddedText: 10,
  /** Uint8Array: variable. */
  Bytes: 11,
  /** number, days, or an infinity: 4 bytes. */
  Date: 12,
  /** number, microseconds since midnight: 8 bytes. */
  Time: 13,
  /** microseconds in the form of Int64, or an infinity: 8 bytes. */
  Timestamp: 14,
  /** TimeTz: 12 bytes. */
  TimeTz: 15,
  /** Interval: 16 bytes. */
  Interval: 16,
  /** string, canonical lower case: 16 bytes. */
  Uuid: 17,
  /** Json: UTF-8 text, variable; no key. */
  Json: 18,
  /** Jsonb: a document, variable. */
  Jsonb: 19,
  /** SqlArray: variable. */
  Array: 20,
  /** SqlRecord: variable. */
  Record: 21,
  /** string, a label: 4 bytes, the number that its dictionary gives it. */
  Enum: 22,
  /** SqlRange: variable. */
  Range: 23,
  /** SqlMultirange: variable. */
  Multirange: 24,
  /** string that compares by what its `fold` makes of it (citext): UTF-8, variable. */
  FoldedText: 25,
} as const;

export type StorageKind = (typeof StorageKind)[keyof typeof StorageKind];

/** Labels of an enum and their numbers; asked at each use, so labels may be added behind a compiled codec's back. */
export interface EnumLabels {
  /** Number stored in rows: never changes, whatever the label is renamed to. */
  idOf(label: string): number;
  labelOf(id: number): string | undefined;
  /** Sort position; may be fractional. */
  orderOf(label: string): number;
  labelAt(order: number): string | undefined;
}

/** How values of a type are stored: its kind, and what the kind needs to know further. */
export interface StorageType {
  readonly kind: StorageKind;
  /** Array: of the elements, with the oid that decoded arrays carry. */
  readonly element?: { readonly oid: number; readonly storage: StorageType };
  /** Record: of the fields, in order, with what decoded records carry. */
  readonly record?: RecordStorage;
  /** Enum. */
  readonly labels?: EnumLabels;
  /** Range: of its bounds, with the oid that decoded ranges carry. */
  readonly range?: { readonly typeOid: number; readonly bound: StorageType };
  /** Multirange: of its ranges, with the oid that decoded ones carry. */
  readonly multirange?: { readonly typeOid: number; readonly range: StorageType };
  /** FoldedText: the same for texts that are equal. Keys hold its bytes, so it never changes for a text. */
  readonly fold?: (text: string) => string;
}

export interface RecordStorage {
  readonly typeOid: number;
  readonly names: readonly string[];
  readonly types: readonly number[];
  readonly typmods: readonly number[];
  readonly fields: readonly StorageType[];
}

/** Bytes of a fixed-width kind, 0 for a variable one. */
export function fixedBytes(kind: number): number {
  return FIXED_BYTES[kind] ?? 0;
}

const FIXED_BYTES: readonly number[] = (() => {
  const bytes = new Array<number>(32).fill(0);
  bytes[StorageKind.Bool] = 1;
  bytes[StorageKind.Int16] = 2;
  for (const kind of [StorageKind.Int32, StorageKind.UInt32, StorageKind.Float32, StorageKind.Date, StorageKind.Enum]) {
    bytes[kind] = 4;
  }
  for (const kind of [StorageKind.Int64, StorageKind.Float64, StorageKind.Time, StorageKind.Timestamp]) bytes[kind] = 8;
  bytes[StorageKind.TimeTz] = 12;
  bytes[StorageKind.Interval] = 16;
  bytes[StorageKind.Uuid] = 16;
  return bytes;
})();

/** Stored bytes that no writer of ours makes. */
export function corruptValue(what: string): PhantomError {
  return new PhantomError('XX001', `stored value is corrupt: ${what}`);
}
