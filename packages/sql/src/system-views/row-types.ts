/**
 * Types that the system's own schemas bring along: a composite type for the rows of each of PostgreSQL's catalogs and views, with
 * its array, and the domains of information_schema (ISO 9075-11, 5.3 and following). They are described as users' types are, so
 * that whatever reads a description of one knows these too. Made when the first of them is asked for: most sessions ask for none.
 */
import { FIRST_USER_OID, type Oid, type TypeDescriptor } from '@phantom/catalog';
import { TypeOid } from '../types/type-oids.js';
import { BOOTSTRAP_ROLE_OID } from './oids.js';
import { informationFacts, relationFacts } from './relation-facts.js';
import { INFORMATION_SCHEMA_OID, PG_CATALOG_OID } from './system-view.js';

/** A varchar of so many characters, as PostgreSQL writes modifiers. */
const VARCHAR_3 = 7;

const DOMAINS: readonly (readonly [oid: Oid, arrayOid: Oid, name: string, ...Domain])[] = [
  [13221, 13220, 'cardinal_number', TypeOid.int4, -1, { check: [13222, 'cardinal_number_domain_check', 'VALUE >= 0'] }],
  [13224, 13223, 'character_data', TypeOid.varchar, -1, {}],
  [13226, 13225, 'sql_identifier', TypeOid.name, -1, {}],
  [13232, 13231, 'time_stamp', TypeOid.timestamptz, 2, { defaultSql: 'CURRENT_TIMESTAMP(2)' }],
  [
    13234,
    13233,
    'yes_or_no',
    TypeOid.varchar,
    VARCHAR_3,
    { check: [13235, 'yes_or_no_check', "VALUE IN ('YES', 'NO')"] },
  ],
];

type Domain = readonly [
  baseOid: Oid,
  typmod: number,
  more: {
    readonly defaultSql?: string;
    readonly check?: readonly [oid: Oid, name: string, expressionSql: string];
  },
];

interface SystemTypes {
  readonly all: readonly TypeDescriptor[];
  /** By the oid of the type, and by that of its array. */
  readonly byOid: ReadonlyMap<Oid, TypeDescriptor>;
  readonly byName: ReadonlyMap<Oid, ReadonlyMap<string, Oid>>;
}

let made: SystemTypes | undefined;

function systemTypes(): SystemTypes {
  made ??= collected([
    ...rowTypes(PG_CATALOG_OID, relationFacts),
    ...DOMAINS.map(domainDescriptor),
    ...rowTypes(INFORMATION_SCHEMA_OID, informationFacts),
  ]);
  return made;
}

function collected(all: readonly TypeDescriptor[]): SystemTypes {
  const byOid = new Map<Oid, TypeDescriptor>();
  const byName = new Map<Oid, Map<string, Oid>>();
  for (const type of all) {
    byOid.set(type.oid, type).set(type.arrayOid, type);
    const names = byName.get(type.schemaOid) ?? new Map<string, Oid>();
    byName.set(type.schemaOid, names.set(type.name, type.oid).set(`_${type.name}`, type.arrayOid));
  }
  return { all, byOid, byName };
}

function rowTypes(schemaOid: Oid, facts: string): TypeDescriptor[] {
  return facts
    .trim()
    .split('\n')
    .map((line) => {
      const [relationOid, name, oid, arrayOid, ...columns] = line.split(' ') as [string, string, string, string];
      const fields = columns.map((text: string) => {
        const [column, type] = text.split(':') as [string, string];
        return { name: column, type: { oid: Number.parseInt(type, 10), typmod: -1 } };
      });
      const definition = { kind: 'composite', fields, relationOid: Number(relationOid) } as const;
      return described(schemaOid, name, Number(oid), Number(arrayOid), definition);
    });
}

function domainDescriptor([oid, arrayOid, name, baseOid, typmod, more]: (typeof DOMAINS)[number]): TypeDescriptor {
  const { check, defaultSql } = more;
  const checks = check === undefined ? [] : [{ oid: check[0], name: check[1], expressionSql: check[2] }];
  return described(INFORMATION_SCHEMA_OID, name, oid, arrayOid, {
    kind: 'domain',
    base: { oid: baseOid, typmod },
    notNull: false,
    checks,
    ...(defaultSql === undefined ? {} : { defaultSql }),
  });
}

function described(
  schemaOid: Oid,
  name: string,
  oid: Oid,
  arrayOid: Oid,
  definition: TypeDescriptor['definition'],
): TypeDescriptor {
  return { kind: 'type', oid, name, databaseOid: 0, schemaOid, ownerOid: BOOTSTRAP_ROLE_OID, arrayOid, definition };
}

/** All of them. */
export function systemTypeDescriptors(): readonly TypeDescriptor[] {
  return systemTypes().all;
}

/** The one with that oid, or whose array has it; undefined where there is none. */
export function systemType(oid: Oid): TypeDescriptor | undefined {
  return oid < FIRST_USER_OID ? systemTypes().byOid.get(oid) : undefined;
}

/** Oid of the type, or array, of that name in a system schema; undefined where there is none. */
export function systemTypeNamed(schemaOid: Oid, name: string): Oid | undefined {
  return schemaOid < FIRST_USER_OID ? systemTypes().byName.get(schemaOid)?.get(name) : undefined;
}
