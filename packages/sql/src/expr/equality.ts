/** Whether values of a type can be told apart: what GROUP BY, DISTINCT, PARTITION BY and the set operations need. */
import type { TypeRef } from '@phantom/catalog';
import { TypeOid } from '../types/type-oids.js';
import type { BindContext } from './context.js';

/** 42883 unless they can; json and the geometric types have no equality that holds together. */
export function requireEquality(context: BindContext, { oid }: TypeRef, position: number | undefined): void {
  const type = context.catalog.types.byOid(oid);
  if (type === undefined || type.hashKey !== undefined || oid === TypeOid.unknown) return;
  throw context.error('42883', `could not identify an equality operator for type ${context.typeName(oid)}`, position);
}
