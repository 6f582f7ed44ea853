/** Types whose values may be compared as keys of one another: the same bytes mean the same value. */
import { Oids } from './type-oids.js';

const FAMILIES: readonly (readonly number[])[] = [
  [Oids.int2, Oids.int4, Oids.int8],
  [Oids.text, Oids.varchar, Oids.name],
  [Oids.float4, Oids.float8],
];

/** True when a value of type `value` can be encoded as a key of a column of type `column`. */
export function isSameKeyFamily(column: number, value: number): boolean {
  return column === value || FAMILIES.some((family) => family.includes(column) && family.includes(value));
}
