/** Oids that catalogs refer to each other by, PostgreSQL's own. */

/** The catalogs themselves, as pg_depend and pg_description name them. */
export const ClassOid = {
  type: 1247,
  procedure: 1255,
  relation: 1259,
  role: 1260,
  database: 1262,
  constraint: 2606,
  attributeDefault: 2604,
  cast: 2605,
  language: 2612,
  largeObject: 2613,
  operator: 2617,
  operatorClass: 2616,
  operatorFamily: 2753,
  namespace: 2615,
  rewrite: 2618,
  trigger: 2620,
  policy: 3256,
  extension: 3079,
  statistics: 3381,
} as const;

/** Access methods: how PostgreSQL names what a table and an index are stored in. */
export const MethodOid = {
  heap: 2,
  btree: 403,
  hash: 405,
  gist: 783,
  gin: 2742,
  spgist: 4000,
  document: 13901,
  column: 13902,
} as const;

/** The superuser that initdb makes: who owns what is built in. */
export const BOOTSTRAP_ROLE_OID = 10;
/** What functions are written in. */
export const LANGUAGE_OIDS: Readonly<Record<string, number>> = {
  internal: 12,
  c: 13,
  sql: 14,
  plpgsql: 13563,
};
export const DEFAULT_TABLESPACE_OID = 1663;
/** PostgreSQL's schema pg_toast; there is none of the name here. */
export const TOAST_NAMESPACE_OID = 99;
export const DEFAULT_COLLATION_OID = 100;

/** Bit that makes an oid of something derived from another object out of that one's oid: rules of views, defaults of columns. */
const DERIVED = 0x8000_0000;

/** Oid of the rule behind a view. */
export function rewriteOid(viewOid: number): number {
  return (viewOid | DERIVED) >>> 0;
}

/** Oid of the relation whose columns are the fields of a composite type. */
export function compositeRelationOid(typeOid: number): number {
  return (typeOid | DERIVED) >>> 0;
}

/** Oid of the relation that shows what WITH (toast. ...) has said of a table. */
export function toastRelationOid(tableOid: number): number {
  return (tableOid | DERIVED) >>> 0;
}

/** The view or composite type behind such an oid; 0 for the oid of nothing derived. */
export function derivedFrom(oid: number): number {
  return oid >= DERIVED ? oid - DERIVED : 0;
}

/** Oid of a column's default; tables have fewer than 2048 columns. */
export function attributeDefaultOid(tableOid: number, column: number): number {
  return (DERIVED | ((tableOid * 2048 + column) & 0x7fff_ffff)) >>> 0;
}
