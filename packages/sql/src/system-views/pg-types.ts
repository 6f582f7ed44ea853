/** pg_catalog's types, functions, operators, casts and access methods: the built-in ones, and the database's own types. */
import type { TypeRef } from '@phantom/catalog';
import { estimatorOid } from '../functions/estimators.js';
import { allCasts } from '../functions/casts.js';
import { allOperators } from '../functions/definitions.js';
import { type InstalledExtension, type InstalledOperatorClass, installedExtensions } from '../extensions/installed.js';
import type { OperatorDefinition } from '../functions/registry.js';
import { builtinTypes } from '../types/builtin-types.js';
import { TypeOid } from '../types/type-oids.js';
import type { SqlType } from '../types/type.js';
import { delimiterOf } from '../types/array-type.js';
import { aclItems } from './acl-text.js';
import { collationOf, collationOfType, localeCollations } from './collations.js';
import { type CatalogRow, catalogView, emptyViews } from './catalog-view.js';
import { BOOTSTRAP_ROLE_OID, DEFAULT_COLLATION_OID, MethodOid, compositeRelationOid } from './oids.js';
import { operatorClasses, operatorFamilies } from './operator-classes.js';
import { relationsOf, typesOf } from './pg-objects.js';
import { systemTypeDescriptors } from './row-types.js';
import { compositeFunctions, typeFunctions } from './type-functions.js';
import { PG_CATALOG_OID, type SystemView, type SystemViewSource } from './system-view.js';

const TYPE_KIND: Readonly<Record<SqlType['kind'], string>> = {
  base: 'b',
  array: 'b',
  enum: 'e',
  domain: 'd',
  // The nearest thing that clients know.
  distinct: 'd',
  composite: 'c',
  pseudo: 'p',
  range: 'r',
  multirange: 'm',
};

/** PostgreSQL's letter for how it would store values of the type. */
export function storageOf(typeOid: number, length: number): 'p' | 'm' | 'x' {
  if (length > 0) return 'p';
  return typeOid === TypeOid.numeric ? 'm' : 'x';
}

/** Whether PostgreSQL hands values of so many bytes around as they are. */
export function isByValue(length: number): boolean {
  return length === 1 || length === 2 || length === 4 || length === 8;
}

/** PostgreSQL's letter for where values of so many bytes may begin. */
export function alignmentOf(length: number): string {
  return ALIGNMENTS[length] ?? 'i';
}

const ALIGNMENTS: Readonly<Record<number, string>> = { 1: 'c', 2: 's', 6: 's', 8: 'd' };

function typeRow(
  { types }: SystemViewSource,
  type: SqlType,
  schemaOid: number,
  ownerOid: number,
): Record<string, unknown> {
  const { length } = type;
  return {
    oid: type.oid,
    typname: type.name,
    typnamespace: schemaOid,
    typowner: ownerOid,
    typlen: length,
    typbyval: isByValue(length),
    // Arrays of pseudo-types are such themselves.
    typtype: type.category === 'P' ? 'p' : TYPE_KIND[type.kind],
    typcategory: type.category,
    typispreferred: type.preferred,
    typisdefined: true,
    typdelim: delimiterOf(type),
    typelem: type.elementOid,
    typarray: type.arrayOid,
    typalign: alignmentOf(length),
    typstorage: storageOf(type.oid, length),
    typbasetype: type.baseOid,
    typtypmod: type.kind === 'distinct' ? (type.baseTypmod ?? -1) : -1,
    typcollation: collationOfType(type, types),
    ...typeFunctions(type, types),
  };
}

function* typeRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const type of builtinTypes) yield typeRow(source, type, PG_CATALOG_OID, BOOTSTRAP_ROLE_OID);
  // Each session has its own, which knows the fields of all types.
  for (const oid of [TypeOid.record, TypeOid.recordArray]) {
    const type = source.types.byOid(oid);
    if (type !== undefined) yield typeRow(source, type, PG_CATALOG_OID, BOOTSTRAP_ROLE_OID);
  }
  for (const descriptor of [...systemTypeDescriptors(), ...typesOf(source)]) {
    const type = source.types.byOid(descriptor.oid);
    const array = source.types.byOid(descriptor.arrayOid);
    const { definition } = descriptor;
    if (type !== undefined) {
      yield {
        ...typeRow(source, type, descriptor.schemaOid, descriptor.ownerOid),
        typacl: aclItems(source, descriptor.acl),
        ...(definition.kind === 'domain'
          ? {
              typnotnull: definition.notNull,
              typtypmod: definition.base.typmod,
              ...collationRow(source, definition.base),
              typdefaultbin: definition.defaultSql ?? null,
              typdefault: definition.defaultSql ?? null,
            }
          : {}),
        ...(definition.kind === 'composite'
          ? { typrelid: definition.relationOid ?? compositeRelationOid(descriptor.oid) }
          : {}),
      };
    }
    if (array !== undefined && descriptor.arrayOid !== 0)
      yield typeRow(source, array, descriptor.schemaOid, descriptor.ownerOid);
  }
  for (const relation of relationsOf(source)) {
    if (relation.kind !== 'table' && relation.kind !== 'view') continue;
    // Listed above where it is a type of its own.
    if (source.objectsSeen.object(relation.rowTypeOid) !== undefined) continue;
    yield {
      oid: relation.rowTypeOid,
      typname: relation.name,
      typnamespace: relation.schemaOid,
      typowner: relation.ownerOid,
      typlen: -1,
      typtype: 'c',
      typcategory: 'C',
      typisdefined: true,
      typdelim: ',',
      typrelid: relation.oid,
      typalign: 'd',
      typstorage: 'x',
      typtypmod: -1,
      ...compositeFunctions(),
    };
  }
}

function* enumRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const { oid, definition } of typesOf(source)) {
    if (definition.kind !== 'enum') continue;
    for (const { oid: labelOid, label, order } of definition.labels)
      yield { oid: labelOid, enumtypid: oid, enumsortorder: order, enumlabel: label };
  }
}

function* rangeRows(source: SystemViewSource): Iterable<CatalogRow> {
  const userTypes = [...typesOf(source)].map((descriptor) => source.types.byOid(descriptor.oid));
  for (const type of [...builtinTypes, ...userTypes]) {
    if (type?.kind !== 'range' || type.range === undefined) continue;
    const { subtype, multirangeOid } = type.range;
    yield {
      rngtypid: type.oid,
      rngsubtype: subtype.oid,
      rngmultitypid: multirangeOid,
      rngcollation: subtype.category === 'S' ? DEFAULT_COLLATION_OID : 0,
      rngsubopc: operatorClasses().find((found) => found.typeOid === subtype.oid && found.isDefault)?.oid ?? 0,
      rngcanonical: 0,
      rngsubdiff: 0,
    };
  }
}

function* operatorRows(source: SystemViewSource): Iterable<CatalogRow> {
  yield* rowsOfOperators(allOperators());
  for (const extension of extensionsOf(source)) {
    const operators = extension.operators((oid) => source.catalog.functions.functionByOid(oid));
    yield* rowsOfOperators(operators, extension.descriptor);
  }
  yield* userOperatorRows(source);
}

function* rowsOfOperators(
  operators: Iterable<OperatorDefinition>,
  { schemaOid, ownerOid }: { readonly schemaOid: number; readonly ownerOid: number } = BUILT_IN,
): Iterable<CatalogRow> {
  for (const operator of operators) {
    yield {
      oid: operator.oid,
      oprname: operator.name,
      oprnamespace: schemaOid,
      oprowner: ownerOid,
      oprkind: operator.leftType === 0 ? 'l' : 'b',
      oprleft: operator.leftType,
      oprright: operator.rightType,
      oprresult: operator.resultType,
      oprcode: operator.function.oid,
    };
  }
}

function* userOperatorRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const operator of source.objectsSeen.operators()) {
    if (operator.databaseOid !== source.databaseOid) continue;
    yield {
      oid: operator.oid,
      oprname: operator.name,
      oprnamespace: operator.schemaOid,
      oprowner: operator.ownerOid,
      oprkind: operator.leftTypeOid === 0 ? 'l' : 'b',
      oprcanmerge: operator.merges ?? false,
      oprcanhash: operator.hashes ?? false,
      oprleft: operator.leftTypeOid,
      oprright: operator.rightTypeOid,
      oprresult: operator.resultTypeOid,
      oprcom: operator.commutatorOid,
      oprnegate: operator.negatorOid,
      oprcode: operator.functionOid,
      oprrest: estimatorOid(operator.restrict ?? '', false) ?? 0,
      oprjoin: estimatorOid(operator.join ?? '', true) ?? 0,
    };
  }
}

const CAST_METHODS = { function: 'f', binary: 'b', inout: 'i' } as const;
const BUILT_IN = { schemaOid: PG_CATALOG_OID, ownerOid: BOOTSTRAP_ROLE_OID };

function extensionsOf({ objectsSeen, databaseOid }: SystemViewSource): readonly InstalledExtension[] {
  return installedExtensions(objectsSeen, databaseOid);
}

const CONTEXT_LETTERS = { implicit: 'i', assignment: 'a', explicit: 'e' } as const;

function* addedCastRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const { casts } of extensionsOf(source)) {
    for (const { oid, source: castsource, target, context, functionOid } of casts) {
      const castcontext = CONTEXT_LETTERS[context];
      const castmethod = functionOid === 0 ? 'b' : 'f';
      yield { oid, castsource, casttarget: target, castfunc: functionOid, castcontext, castmethod };
    }
  }
}

/** Operator classes of extensions, of which each has a family of its name. */
function* addedClasses(source: SystemViewSource): Iterable<InstalledOperatorClass & { readonly schema: CatalogRow }> {
  for (const { operatorClasses: found, descriptor } of extensionsOf(source))
    for (const one of found) yield { ...one, schema: { namespace: descriptor.schemaOid, owner: descriptor.ownerOid } };
}

function* castRows(source: SystemViewSource): Iterable<CatalogRow> {
  yield* addedCastRows(source);
  let index = 0;
  for (const { source: castsource, target, context, method, functionOid } of allCasts()) {
    yield {
      // PostgreSQL numbers them at initdb; nothing refers to them.
      oid: 10035 + index++,
      castsource,
      casttarget: target,
      castfunc: functionOid,
      castcontext: context,
      castmethod: method,
    };
  }
  for (const cast of source.objectsSeen.casts()) {
    if (cast.databaseOid !== source.databaseOid) continue;
    yield {
      oid: cast.oid,
      castsource: cast.sourceOid,
      casttarget: cast.targetOid,
      castfunc: cast.functionOid,
      castcontext: CONTEXT_LETTERS[cast.context],
      castmethod: CAST_METHODS[cast.method],
    };
  }
}

function methodOid(method: string): number {
  return MethodOid[method as keyof typeof MethodOid];
}

/** A domain's own collation, where it has one. */
function collationRow(source: SystemViewSource, base: TypeRef): CatalogRow {
  const typcollation = collationOf(source, base);
  return typcollation === undefined ? {} : { typcollation };
}

function* collationRows(source: SystemViewSource): Iterable<CatalogRow> {
  const rows = [
    [DEFAULT_COLLATION_OID, 'default', 'd', -1, null],
    [950, 'C', 'c', -1, 'C'],
    [951, 'POSIX', 'c', -1, 'POSIX'],
  ] as const;
  const shared = {
    collnamespace: PG_CATALOG_OID,
    collowner: BOOTSTRAP_ROLE_OID,
    collisdeterministic: true,
  };
  for (const [oid, collname, collprovider, collencoding, locale] of rows)
    yield { ...shared, oid, collname, collprovider, collencoding, collcollate: locale, collctype: locale };
  for (const [collname, oid] of localeCollations(source))
    yield { ...shared, oid, collname, collprovider: 'i', collencoding: -1, colliculocale: collname };
}

/** PostgreSQL's functions behind access methods. */
const METHOD_HANDLERS: Readonly<Record<number, number>> = {
  [MethodOid.heap]: 3,
  [MethodOid.btree]: 330,
  [MethodOid.hash]: 331,
  [MethodOid.gist]: 332,
  [MethodOid.gin]: 333,
  [MethodOid.spgist]: 334,
};

export const TYPE_VIEWS: readonly SystemView[] = [
  catalogView('pg_type', typeRows),
  catalogView('pg_enum', enumRows),
  catalogView('pg_range', rangeRows),
  catalogView('pg_operator', operatorRows),
  catalogView('pg_cast', castRows),
  catalogView('pg_am', () =>
    [
      { oid: MethodOid.heap, amname: 'heap', amtype: 't' },
      { oid: MethodOid.btree, amname: 'btree', amtype: 'i' },
      { oid: MethodOid.hash, amname: 'hash', amtype: 'i' },
      { oid: MethodOid.gist, amname: 'gist', amtype: 'i' },
      { oid: MethodOid.spgist, amname: 'spgist', amtype: 'i' },
      { oid: MethodOid.gin, amname: 'gin', amtype: 'i' },
      { oid: MethodOid.document, amname: 'document', amtype: 'i' },
      { oid: MethodOid.column, amname: 'column', amtype: 'i' },
    ].map((row) => ({ ...row, amhandler: METHOD_HANDLERS[row.oid] ?? 0 })),
  ),
  catalogView('pg_opclass', (source) => [
    ...operatorClasses().map((found) => ({
      oid: found.oid,
      opcmethod: found.methodOid,
      opcname: found.name,
      opcnamespace: PG_CATALOG_OID,
      opcowner: BOOTSTRAP_ROLE_OID,
      opcfamily: found.familyOid,
      opcintype: found.typeOid,
      opcdefault: found.isDefault,
    })),
    ...Array.from(addedClasses(source), (found) => ({
      oid: found.oid,
      opcmethod: methodOid(found.method),
      opcname: found.name,
      opcnamespace: found.schema['namespace'],
      opcowner: found.schema['owner'],
      opcfamily: found.oid,
      opcintype: found.typeOid,
      opcdefault: found.isDefault,
    })),
  ]),
  catalogView('pg_opfamily', (source) => [
    ...operatorFamilies().map(([oid, opfname, opfmethod]) => ({
      oid,
      opfmethod,
      opfname,
      opfnamespace: PG_CATALOG_OID,
      opfowner: BOOTSTRAP_ROLE_OID,
    })),
    ...Array.from(addedClasses(source), (found) => ({
      oid: found.oid,
      opfmethod: methodOid(found.method),
      opfname: found.name,
      opfnamespace: found.schema['namespace'],
      opfowner: found.schema['owner'],
    })),
  ]),
  catalogView('pg_collation', collationRows),
  ...emptyViews('pg_amop', 'pg_amproc', 'pg_conversion', 'pg_transform'),
];
