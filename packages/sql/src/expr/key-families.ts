/** Types whose values may be compared as keys of one another: the same bytes mean the same value. */
import { TypeOid } from '../types/type-oids.js';

const FAMILIES: readonly (readonly number[])[] = [
  [TypeOid.int2, TypeOid.int4, TypeOid.int8],
  [TypeOid.text, TypeOid.varchar, TypeOid.name],
  [TypeOid.float4, TypeOid.float8],
];

/** True when a value of type `value` can be encoded as a key of a column of type `column`. */
export function isSameKeyFamily(column: number, value: number): boolean {
  return column === value || FAMILIES.some((family) => family.includes(column) && family.includes(value));
}
