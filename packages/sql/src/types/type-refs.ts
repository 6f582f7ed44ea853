/** References to types, and those that binding makes again and again. */
import type { TypeRef } from '@phantom/catalog';
import { TypeOid } from './type-oids.js';

export function typeRef(oid: number, typmod = -1): TypeRef {
  return { oid, typmod };
}

export const BOOL: TypeRef = typeRef(TypeOid.bool);
export const INT4: TypeRef = typeRef(TypeOid.int4);
export const INT8: TypeRef = typeRef(TypeOid.int8);
export const TEXT: TypeRef = typeRef(TypeOid.text);
export const UNKNOWN: TypeRef = typeRef(TypeOid.unknown);
