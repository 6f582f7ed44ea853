/**
 * pg_indexam_has_property, pg_index_has_property and pg_index_column_has_property: what an access method, an index and a column of an index can
 * do. The properties of PostgreSQL's methods are told, since it is by their names that indexes here are known; PostGraphile asks which
 * columns rows can be ordered by.
 */
import type { IndexDescriptor, ObjectDescriptor, Oid } from '@phantom/catalog';
import { MethodOid } from '../system-views/oids.js';
import { type Implementations, contextual } from './implementation.js';
import type { EvaluationContext } from './registry.js';

type Method = 'btree' | 'hash' | 'gin' | 'gist' | 'spgist';

/** The properties that a method has, of itself, its indexes and their key columns; those it has not are false. */
const HELD: Readonly<Record<Method, string>> = {
  btree:
    'can_order can_unique can_multi_col can_exclude can_include clusterable index_scan bitmap_scan backward_scan orderable returnable search_array search_nulls',
  hash: 'can_exclude index_scan bitmap_scan backward_scan',
  gin: 'can_multi_col bitmap_scan',
  gist: 'can_multi_col can_exclude can_include clusterable index_scan bitmap_scan returnable search_nulls',
  spgist: 'can_exclude can_include index_scan bitmap_scan returnable search_nulls',
};

const OF_METHODS = new Set(['can_order', 'can_unique', 'can_multi_col', 'can_exclude', 'can_include']);
const OF_INDEXES = new Set(['clusterable', 'index_scan', 'bitmap_scan', 'backward_scan']);
/** Of columns; what is true of one by the way it is ordered is asked of the column itself. */
const OF_COLUMNS = new Set(['orderable', 'distance_orderable', 'returnable', 'search_array', 'search_nulls']);
const OF_ORDER = new Set(['asc', 'desc', 'nulls_first', 'nulls_last']);

const METHODS: ReadonlyMap<Oid, Method> = new Map(
  (['btree', 'hash', 'gin', 'gist', 'spgist'] as const).map((method) => [MethodOid[method], method]),
);

function holds(method: Method, property: string): boolean {
  return HELD[method].split(' ').includes(property);
}

function indexOf(oid: Oid, context: EvaluationContext): IndexDescriptor | undefined {
  const { objects } = context.catalog as { readonly objects: { object(oid: Oid): ObjectDescriptor | undefined } };
  const object = objects.object(oid);
  return object?.kind === 'index' ? object : undefined;
}

/** As pg_class has it; undefined for what PostgreSQL has not. */
function methodOf({ exclusion, method }: IndexDescriptor): Method | undefined {
  const asked = exclusion?.method ?? method;
  return asked in HELD ? (asked as Method) : undefined;
}

function columnHas(index: IndexDescriptor, number: number, property: string): boolean | null {
  const method = methodOf(index);
  if (method === undefined || number < 1 || number > index.parts.length + index.include.length) return null;
  const part = index.parts[number - 1];
  if (OF_ORDER.has(property)) {
    if (part === undefined) return null;
    if (!holds(method, 'can_order')) return false;
    if (property === 'asc' || property === 'desc') return part.descending === (property === 'desc');
    return part.nullsFirst === (property === 'nulls_first');
  }
  if (!OF_COLUMNS.has(property)) return null;
  // A column that is only carried along is not searched.
  if (part === undefined && property.startsWith('search_')) return null;
  return (part !== undefined || property === 'returnable') && holds(method, property);
}

export const indexProperties: Implementations = {
  pg_indexam_has_property: (oid: Oid, name: string) => {
    const property = name.toLowerCase();
    const method = METHODS.get(oid);
    return method === undefined || !OF_METHODS.has(property) ? null : holds(method, property);
  },
  pg_index_has_property: contextual((oid: Oid, name: string, context: EvaluationContext) => {
    const property = name.toLowerCase();
    const index = indexOf(oid, context);
    const method = index === undefined ? undefined : methodOf(index);
    return method === undefined || !OF_INDEXES.has(property) ? null : holds(method, property);
  }),
  pg_index_column_has_property: contextual((oid: Oid, number: number, name: string, context: EvaluationContext) => {
    const index = indexOf(oid, context);
    return index === undefined ? null : columnHas(index, number, name.toLowerCase());
  }),
};
