/**
 * The columns that PostgreSQL's tables have by themselves. tableoid and ctid can be read: a table is known, and a row has a key.
 * Who wrote a version and who took it away (xmin, xmax, cmin, cmax) is kept by nobody once a transaction is over (but RETURNING of
 * an INSERT knows what xmax would be); their names are taken all the same, so that no table has a column that one of PostgreSQL's cannot have.
 */
import { KeyReader } from '@phantom/codec';
import { SPACE_BYTES } from '@phantom/kv';
import { tidOfKey, tidOfNumber } from '../types/tid-type.js';
import { TypeOid } from '../types/type-oids.js';

export interface SystemColumn {
  readonly name: string;
  /** Below zero, as pg_attribute counts them. */
  readonly number: number;
  readonly typeOid: number;
}

export const SYSTEM_COLUMNS: readonly SystemColumn[] = [
  { name: 'tableoid', number: -6, typeOid: TypeOid.oid },
  { name: 'cmax', number: -5, typeOid: TypeOid.cid },
  { name: 'xmax', number: -4, typeOid: TypeOid.xid },
  { name: 'cmin', number: -3, typeOid: TypeOid.cid },
  { name: 'xmin', number: -2, typeOid: TypeOid.xid },
  { name: 'ctid', number: -1, typeOid: TypeOid.tid },
];

/** What a scan calls the column ctid. */
export const CTID_NUMBER = -1;

/** What a scan of a partitioned table calls the column tableoid, which is a constant in all others. */
export const TABLE_OID_NUMBER = -6;

export function isSystemColumn(name: string): boolean {
  return SYSTEM_COLUMNS.some((column) => column.name === name);
}

/** The ctid of a row by its key, space and all, in a table without a primary key. */
export function ctidOfRowNumber(buffer: Uint8Array, start: number, end: number): string {
  return tidOfNumber(Number(new KeyReader(buffer, start + SPACE_BYTES, end).integer()));
}

/** The ctid of a row by its key, space and all, in a table with a primary key. */
export function ctidOfKey(buffer: Uint8Array, start: number, end: number): string {
  return tidOfKey(buffer, start + SPACE_BYTES, end);
}
