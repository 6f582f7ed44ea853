/** Every built-in type: the base types written in this folder, their arrays, and the pseudo-types. */
import { aclItemType } from './acl-item-type.js';
import { arrayTypeOf, vectorType } from './array-type.js';
import { bitType, varbitType } from './bit-types.js';
import { dateTimeTypes } from './date-time-types.js';
import { float4Type, float8Type } from './float-types.js';
import { geometricTypes } from './geometric-types.js';
import { int2Type, integerTypes, unsignedType } from './integer-types.js';
import { internalTypes } from './internal-types.js';
import { jsonTypes } from './json-types.js';
import { jsonpathType } from './jsonpath-type.js';
import { lsnType } from './lsn-type.js';
import { macaddr8Type, macaddrType } from './mac-types.js';
import { moneyType } from './money-type.js';
import { cidrType, inetType } from './network-types.js';
import { numericType } from './numeric-type.js';
import { pseudoTypes } from './pseudo-types.js';
import { rangeTypes } from './range-types.js';
import { regObjectTypes } from './reg-object-types.js';
import { regTypes } from './reg-types.js';
import { boolType, byteaType, uuidType } from './simple-types.js';
import { textTypes } from './text-types.js';
import { snapshotTypes } from './snapshot-types.js';
import { regSearchTypes, tsqueryType, tsvectorType } from './text-search-types.js';
import { tidType } from './tid-type.js';
import { typeFacts } from './type-facts.js';
import { TypeOid } from './type-oids.js';
import type { SqlType } from './type.js';
import { xmlType } from './xml-type.js';

const scalarTypes: readonly SqlType[] = [
  boolType,
  byteaType,
  uuidType,
  ...integerTypes,
  float4Type,
  float8Type,
  numericType,
  ...textTypes,
  ...dateTimeTypes,
  ...jsonTypes,
  jsonpathType,
  xmlType,
  ...regTypes,
  ...regObjectTypes,
  bitType,
  varbitType,
  moneyType,
  inetType,
  cidrType,
  lsnType,
  macaddrType,
  macaddr8Type,
  tidType,
  tsvectorType,
  tsqueryType,
  ...regSearchTypes,
  ...geometricTypes,
  aclItemType,
  ...internalTypes,
  ...snapshotTypes,
  ...rangeTypes,
  vectorType(TypeOid.int2Vector, int2Type),
  vectorType(TypeOid.oidVector, unsignedType(TypeOid.oid, 'oid')),
];

/** Every built-in type but record, which needs to find its fields' types (see TypeCatalog). */
export const builtinTypes: readonly SqlType[] = [
  ...scalarTypes,
  ...scalarTypes.filter((type) => typeFacts.has(type.arrayOid)).map(arrayTypeOf),
  ...pseudoTypes,
];
