/** The pseudo-types that stand for whatever types a call has, in their two families, with their names. */
import { TypeOid } from '../types/type-oids.js';

/** All of one type, which an array or a range may be made of. */
export const SIMPLE_FAMILY: ReadonlyMap<number, string> = new Map([
  [TypeOid.anyElement, 'anyelement'],
  [TypeOid.anyArray, 'anyarray'],
  [TypeOid.anyNonArray, 'anynonarray'],
  [TypeOid.anyEnum, 'anyenum'],
  [TypeOid.anyRange, 'anyrange'],
  [TypeOid.anyMultirange, 'anymultirange'],
]);

/** Cast to a common type. */
export const COMMON_FAMILY: ReadonlyMap<number, string> = new Map([
  [TypeOid.anyCompatible, 'anycompatible'],
  [TypeOid.anyCompatibleArray, 'anycompatiblearray'],
  [TypeOid.anyCompatibleNonArray, 'anycompatiblenonarray'],
  [TypeOid.anyCompatibleRange, 'anycompatiblerange'],
  [TypeOid.anyCompatibleMultirange, 'anycompatiblemultirange'],
]);

/** True for types that a call decides. */
export function isPolymorphic(oid: number): boolean {
  return SIMPLE_FAMILY.has(oid) || COMMON_FAMILY.has(oid);
}
