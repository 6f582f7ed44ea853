/**
 * What a column's descriptor holds of targets of statistics, storage and compression, from the words of a statement; and what ANALYZE
 * is told by it. column-tuning.ts has the ALTERs.
 */
import { PhantomError } from '@phantom/base';
import type { ColumnDescriptor } from '@phantom/catalog';
import { storageOf } from '../system-views/pg-types.js';
import type { Name } from '../text/ast-leaves.js';
import { formatType } from '../types/format-type.js';
import type { DdlContext } from './context.js';

/** Largest target of statistics, PostgreSQL's. */
const TARGET_MAX = 10_000;

const STORAGE_LETTERS = new Map([
  ['plain', 'p'],
  ['external', 'e'],
  ['main', 'm'],
  ['extended', 'x'],
] as const);
const COMPRESSION_LETTERS = new Map([
  ['pglz', 'p'],
  ['lz4', 'l'],
] as const);
/** A target as it is kept: undefined for -1, the default. 22023 below that; more than there is becomes the most, with a warning. */
export function checkedTarget(context: DdlContext, target: number): number | undefined {
  if (target < -1) throw new PhantomError('22023', `statistics target ${target} is too low`);
  if (target > TARGET_MAX) {
    context.notice('WARNING', '22023', `lowering statistics target to ${TARGET_MAX}`);
    return TARGET_MAX;
  }
  return target === -1 ? undefined : target;
}

/** The column with the STORAGE of that name. 22023 for unknown ones, 0A000 for one that its type cannot have. */
export function storedAs(context: DdlContext, column: ColumnDescriptor, { text }: Name): ColumnDescriptor {
  const own = ownStorage(context, column);
  const word = text.toLowerCase();
  const letter = word === 'default' ? own : STORAGE_LETTERS.get(word as 'plain');
  if (letter === undefined) throw new PhantomError('22023', `invalid storage type "${text}"`);
  if (own === 'p' && letter !== 'p')
    throw new PhantomError('0A000', `column data type ${typeName(context, column)} can only have storage PLAIN`);
  const { storage: _old, ...rest } = column;
  return letter === own ? rest : { ...rest, storage: letter };
}

/** The column with the COMPRESSION of that name. 22023 for unknown ones, 0A000 for a type whose values are never compressed. */
export function compressedBy(context: DdlContext, column: ColumnDescriptor, { text }: Name): ColumnDescriptor {
  const { compression: _old, ...rest } = column;
  if (text === 'default') return rest;
  const compression = COMPRESSION_LETTERS.get(text as 'pglz');
  if (compression === undefined) throw new PhantomError('22023', `invalid compression method "${text}"`);
  if (ownStorage(context, column) === 'p')
    throw new PhantomError('0A000', `column data type ${typeName(context, column)} does not support compression`);
  return { ...rest, compression };
}

/** How many distinct values a column is said to have among so many rows; undefined where nothing is said. */
export function distinctSaid({ options }: ColumnDescriptor, rows: number): number | undefined {
  const said = Number(options?.['n_distinct'] ?? 0);
  if (said === 0) return undefined;
  return said > 0 ? said : Math.round(-said * rows);
}

function ownStorage({ picture }: DdlContext, { type }: ColumnDescriptor): 'p' | 'm' | 'x' {
  return storageOf(type.oid, picture.types.byOid(type.oid)?.length ?? -1);
}

function typeName({ picture }: DdlContext, { type }: ColumnDescriptor): string {
  const found = picture.types.byOid(type.oid);
  return found === undefined ? String(type.oid) : formatType(found, type.typmod);
}
