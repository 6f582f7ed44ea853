/**
 * Collations as pg_collation shows them. There are as many as Intl knows locales; those are listed that the objects of the database name,
 * so that pg_dump finds what a column's attcollation means.
 *
 * An oid follows from the name alone: of two names that fall on one, the later in the order of names takes the next.
 */
import type { TypeRef } from '@phantom/catalog';
import { TypeOid } from '../types/type-oids.js';
import type { SqlType, TypeLookup } from '../types/type.js';
import { DEFAULT_COLLATION_OID } from './oids.js';
import type { SystemViewSource } from './system-view.js';

const C_OID = 950;
const BUILT_IN: Readonly<Record<string, number>> = { default: DEFAULT_COLLATION_OID, C: C_OID, POSIX: 951 };
/** Above all that users' objects will get, and below extensions. */
const FIRST_OID = 4_200_000_000;
const OIDS = 90_000_000;
/** FNV-1a's. */
const OFFSET_BASIS = 0x811c9dc5;
const PRIME = 0x01000193;

const known = new WeakMap<SystemViewSource, ReadonlyMap<string, number>>();

/** Names and oids of the locales that columns, indexes and types of the database name. */
export function localeCollations(source: SystemViewSource): ReadonlyMap<string, number> {
  let oids = known.get(source);
  if (oids === undefined) known.set(source, (oids = numbered(namesIn(source))));
  return oids;
}

/** Oid of the collation that values of a type have by themselves, as those of an array have the one of its elements; 0 for none. */
export function collationOfType(type: SqlType, types: TypeLookup): number {
  if (type.oid === TypeOid.name) return C_OID;
  const element = type.kind === 'array' ? types.byOid(type.elementOid) : undefined;
  if (element !== undefined) return collationOfType(element, types);
  return type.category === 'S' ? DEFAULT_COLLATION_OID : 0;
}

/** Oid of the collation that a type names; undefined where it names none. */
export function collationOf(source: SystemViewSource, { collation }: Pick<TypeRef, 'collation'>): number | undefined {
  if (collation === undefined) return undefined;
  return BUILT_IN[collation] ?? localeCollations(source).get(collation);
}

/** Oid of the collation of a name; one that the database does not name yet has the oid that it will have. */
export function collationOidOf(source: SystemViewSource, name: string): number {
  return BUILT_IN[name] ?? localeCollations(source).get(name) ?? oidOfName(name);
}

/** Name of a collation that is built in, or that the database names; undefined for others. */
export function collationNameOf(source: SystemViewSource, oid: number): string | undefined {
  return [...Object.entries(BUILT_IN), ...localeCollations(source)].find(([, known]) => known === oid)?.[0];
}

function namesIn({ objectsSeen, databaseOid }: SystemViewSource): Set<string> {
  const names = new Set<string>();
  const add = ({ collation }: TypeRef): void => {
    if (collation !== undefined && BUILT_IN[collation] === undefined) names.add(collation);
  };
  for (const object of objectsSeen.objects()) {
    if (!('databaseOid' in object) || object.databaseOid !== databaseOid) continue;
    if (object.kind === 'table' || object.kind === 'view') for (const { type } of object.columns) add(type);
    else if (object.kind === 'index') for (const { type } of object.parts) add(type);
    else if (object.kind === 'type' && object.definition.kind === 'domain') add(object.definition.base);
    else if (object.kind === 'type' && object.definition.kind === 'composite')
      for (const { type } of object.definition.fields) add(type);
  }
  return names;
}

function numbered(names: ReadonlySet<string>): Map<string, number> {
  const oids = new Map<string, number>();
  const taken = new Set<number>();
  for (const name of [...names].sort()) {
    let oid = oidOfName(name);
    while (taken.has(oid)) oid++;
    taken.add(oid);
    oids.set(name, oid);
  }
  return oids;
}

function oidOfName(name: string): number {
  let hash = OFFSET_BASIS;
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, PRIME) >>> 0;
  return FIRST_OID + (hash % OIDS);
}
