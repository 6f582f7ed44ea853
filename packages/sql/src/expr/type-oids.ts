/** PostgreSQL's oids of the types that binding and planning treat by name. */
import type { TypeRef } from '@phantom/catalog';

export const Oids = {
  bool: 16,
  bytea: 17,
  char: 18,
  name: 19,
  int8: 20,
  int2: 21,
  int4: 23,
  text: 25,
  oid: 26,
  json: 114,
  float4: 700,
  float8: 701,
  unknown: 705,
  bpchar: 1042,
  varchar: 1043,
  date: 1082,
  time: 1083,
  timestamp: 1114,
  timestamptz: 1184,
  interval: 1186,
  timetz: 1266,
  bit: 1560,
  varbit: 1562,
  numeric: 1700,
  regclass: 2205,
  record: 2249,
  recordArray: 2287,
  void: 2278,
  any: 2276,
  anyelement: 2283,
  anyarray: 2277,
  uuid: 2950,
  jsonb: 3802,
  jsonpath: 4072,
} as const;

export function typeRef(oid: number, typmod = -1): TypeRef {
  return { oid, typmod };
}

export const BOOL: TypeRef = typeRef(Oids.bool);
export const INT4: TypeRef = typeRef(Oids.int4);
export const INT8: TypeRef = typeRef(Oids.int8);
export const TEXT: TypeRef = typeRef(Oids.text);
export const UNKNOWN: TypeRef = typeRef(Oids.unknown);
