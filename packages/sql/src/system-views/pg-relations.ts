/** pg_catalog's relations, columns, indexes, constraints, sequences and rules. */
import { installedExtensions } from '../extensions/installed.js';
import type {
  ConstraintDescriptor,
  IndexDescriptor,
  Oid,
  RelationDescriptor,
  Persistence,
  TableDescriptor,
} from '@phantom/catalog';
import { SqlArray } from '@phantom/codec';
import { ancestorsOf, partitionsOf } from '../storage/partitions/partitioning.js';
import { TypeOid } from '../types/type-oids.js';
import { aclItems } from './acl-text.js';
import { type CatalogRow, catalogView, emptyViews, optionTexts, vector } from './catalog-view.js';
import { collationOf } from './collations.js';
import { checkText, indexPartText, predicateText } from './object-text.js';
import {
  BOOTSTRAP_ROLE_OID,
  DEFAULT_COLLATION_OID,
  MethodOid,
  TOAST_NAMESPACE_OID,
  compositeRelationOid,
  toastRelationOid,
} from './oids.js';
import { operatorClassOf } from './operator-classes.js';
import { compositesOf, listedSystemViews, relationsOf, storedQueryOf, tablesOf } from './pg-objects.js';
import { partitionBoundText } from '../plan/partition-text.js';
import { RULE_VIEWS } from './pg-rules.js';
import { PARTITION_VIEWS } from './pg-partitions.js';
import { systemTypeNamed } from './row-types.js';
import { type SystemView, type SystemViewSource, isSystemTable } from './system-view.js';

const RELATION_KIND: Readonly<Record<RelationDescriptor['kind'], string>> = {
  table: 'r',
  view: 'v',
  sequence: 'S',
  index: 'i',
};

/** Tables with a foreign key, and those that one refers to, with their partitions. */
function keyedTables(source: SystemViewSource): Set<number> {
  const keyed = new Set<number>();
  for (const table of tablesOf(source)) {
    for (const constraint of table.constraints)
      if (constraint.kind === 'foreign key') keyed.add(table.oid).add(constraint.referencedTableOid);
  }
  for (const table of tablesOf(source)) {
    if (ancestorsOf(table, source.objectsSeen).some(({ oid }) => keyed.has(oid))) keyed.add(table.oid);
  }
  return keyed;
}

function* classRows(source: SystemViewSource): Iterable<CatalogRow> {
  const keyed = keyedTables(source);
  for (const relation of relationsOf(source)) {
    const table = relation.kind === 'table' ? relation : undefined;
    yield {
      oid: relation.oid,
      relname: relation.name,
      relnamespace: relation.schemaOid,
      reltype: relation.kind === 'table' || relation.kind === 'view' ? relation.rowTypeOid : 0,
      relowner: relation.ownerOid,
      relam: methodOf(relation),
      relfilenode: relation.kind === 'view' || isPartitioned(source, relation) ? 0 : relation.oid,
      reltuples: source.statisticsOf(relation.oid)?.rows ?? -1,
      relhasindex: table !== undefined && table.indexOids.length > 0,
      relpersistence: PERSISTENCE[persistenceOf(source, relation)],
      relkind: kindOf(source, relation),
      relnatts: relation.kind === 'sequence' ? 3 : columnCount(relation),
      relchecks: table?.constraints.filter(({ kind }) => kind === 'check').length ?? 0,
      relhassubclass: isPartitioned(source, relation) || table?.heirOids !== undefined,
      relispartition: table?.partition !== undefined || (relation.kind === 'index' && relation.parentOid !== undefined),
      relpartbound: boundOf(source, table),
      relhasrules: storedQueryOf(relation) !== undefined || ('ruleOids' in relation && relation.ruleOids !== undefined),
      // PostgreSQL checks foreign keys by triggers on both sides, and clients look for them only where it says so.
      relhastriggers: keyed.has(relation.oid) || ('triggerOids' in relation && relation.triggerOids.length > 0),
      relrowsecurity: table?.rowSecurity?.enabled ?? false,
      relforcerowsecurity: table?.rowSecurity?.forced ?? false,
      relispopulated: table?.materialized?.populated ?? true,
      relreplident: table === undefined ? 'n' : identityOf(source, table),
      relacl: aclItems(source, relation.acl),
      ...(relation.kind === 'sequence' ? {} : { reloptions: relationOptions(relation) }),
      ...(table !== undefined && hasToastOptions(table) ? { reltoastrelid: toastRelationOid(table.oid) } : {}),
    };
    if (table !== undefined && hasToastOptions(table)) yield toastRow(table);
  }
  for (const type of compositesOf(source)) {
    yield {
      oid: compositeRelationOid(type.oid),
      relname: type.name,
      relnamespace: type.schemaOid,
      reltype: type.oid,
      relowner: type.ownerOid,
      relpersistence: 'p',
      relkind: 'c',
      relnatts: type.definition.fields.length,
      relispopulated: true,
      relreplident: 'n',
    };
  }
  for (const view of listedSystemViews(source)) {
    yield {
      oid: view.oid,
      relname: view.name,
      relnamespace: view.schemaOid,
      reltype: systemTypeNamed(view.schemaOid, view.name) ?? 0,
      relowner: BOOTSTRAP_ROLE_OID,
      reltuples: -1,
      relpersistence: 'p',
      relkind: isSystemTable(view) ? 'r' : 'v',
      relnatts: view.columns.length,
      relispopulated: true,
      relreplident: 'n',
    };
  }
}

/** A partitioned table, or an index of one. */
function isPartitioned(source: SystemViewSource, relation: RelationDescriptor): boolean {
  const table = relation.kind === 'index' ? source.objectsSeen.object(relation.tableOid) : relation;
  return table?.kind === 'table' && table.partitioned !== undefined;
}

function kindOf(source: SystemViewSource, relation: RelationDescriptor): string {
  if (relation.kind === 'table' && relation.materialized !== undefined) return 'm';
  if (isPartitioned(source, relation)) return relation.kind === 'index' ? 'I' : 'p';
  return RELATION_KIND[relation.kind];
}

function methodOf(relation: RelationDescriptor): number {
  if (relation.kind === 'index') return indexMethodOf(relation);
  return relation.kind === 'table' && relation.partitioned === undefined ? MethodOid.heap : 0;
}

/** That of an exclusion constraint is told as the one that was asked for. */
function indexMethodOf({ exclusion, method }: IndexDescriptor): number {
  const asked = exclusion?.method;
  return asked === 'gist' || asked === 'spgist' || asked === 'hash' ? MethodOid[asked] : MethodOid[method];
}

function boundOf(source: SystemViewSource, table: TableDescriptor | undefined): string | null {
  const parent = source.objectsSeen.object(table?.partition?.parentOid ?? 0);
  if (table?.partition === undefined || parent?.kind !== 'table' || parent.partitioned === undefined) return null;
  return partitionBoundText(table.partition.bound, parent.partitioned, source.catalog, source.formats);
}

const PERSISTENCE: Readonly<Record<Persistence, string>> = { permanent: 'p', unlogged: 'u', temporary: 't' };

/** An index lasts as long as its table. */
function persistenceOf(source: SystemViewSource, relation: RelationDescriptor): Persistence {
  if (relation.kind === 'view') return 'permanent';
  if (relation.kind !== 'index') return relation.persistence;
  const table = source.objectsSeen.object(relation.tableOid);
  return table?.kind === 'table' ? table.persistence : 'permanent';
}

const TOAST = 'toast.';

/** What WITH (...) has said of a relation, but for what it says of the table where PostgreSQL puts large values. */
function relationOptions(relation: Exclude<RelationDescriptor, { kind: 'sequence' }>): SqlArray | null {
  const own = Object.entries(relation.options ?? {}).filter(([name]) => !name.startsWith(TOAST));
  const { checkOption } = relation.kind === 'view' ? relation : {};
  return optionTexts({
    ...Object.fromEntries(own),
    ...(checkOption === undefined ? {} : { check_option: checkOption }),
  });
}

function hasToastOptions({ options = {} }: TableDescriptor): boolean {
  return Object.keys(options).some((name) => name.startsWith(TOAST));
}

/** There is no such table here: it shows what WITH (toast. ...) has said, where tools look for it. */
function toastRow({ oid, ownerOid, options = {} }: TableDescriptor): CatalogRow {
  const said = Object.entries(options).filter(([name]) => name.startsWith(TOAST));
  return {
    oid: toastRelationOid(oid),
    relname: `pg_toast_${oid}`,
    relnamespace: TOAST_NAMESPACE_OID,
    relowner: ownerOid,
    relpersistence: 'p',
    relkind: 't',
    relispopulated: true,
    relreplident: 'n',
    reloptions: optionTexts(Object.fromEntries(said.map(([name, value]) => [name.slice(TOAST.length), value]))),
  };
}

const IDENTITY = { full: 'f', nothing: 'n' } as const;

/** What REPLICA IDENTITY has said: a mode, or one of the indexes. */
function identityOf(source: SystemViewSource, { replicaIdentity, indexOids }: TableDescriptor): string {
  if (replicaIdentity !== undefined) return IDENTITY[replicaIdentity];
  const isMarked = indexOids.some((oid) => {
    const index = source.objectsSeen.object(oid);
    return index?.kind === 'index' && index.replicaIdentity === true;
  });
  return isMarked ? 'i' : 'd';
}

function columnCount(relation: Exclude<RelationDescriptor, { kind: 'sequence' }>): number {
  return relation.kind === 'index' ? relation.parts.length + relation.include.length : relation.columns.length;
}

function* indexesOf(source: SystemViewSource): Iterable<IndexDescriptor> {
  for (const relation of relationsOf(source)) if (relation.kind === 'index') yield relation;
}

/** Of a partitioned table: every partition has its part of the index. */
function isOnAll(source: SystemViewSource, table: TableDescriptor, { oid }: IndexDescriptor): boolean {
  if (table.partitioned === undefined) return true;
  return partitionsOf(table, source.objectsSeen).every(({ indexOids }) =>
    indexOids.some((own) => {
      const index = source.objectsSeen.object(own);
      return index?.kind === 'index' && index.parentOid === oid;
    }),
  );
}

function* indexRows(source: SystemViewSource): Iterable<CatalogRow> {
  const extensions = installedExtensions(source.objectsSeen, source.databaseOid);
  for (const index of indexesOf(source)) {
    const table = source.objectsSeen.object(index.tableOid);
    if (table?.kind !== 'table') continue;
    const constraint = table.constraints.find(
      (candidate) => 'indexOid' in candidate && candidate.indexOid === index.oid,
    );
    const expressions = index.parts.flatMap((part, i) =>
      part.expressionSql === undefined ? [] : [indexPartText(source.catalog, table, index, i)],
    );
    yield {
      indexrelid: index.oid,
      indrelid: index.tableOid,
      indnatts: index.parts.length + index.include.length,
      indnkeyatts: index.parts.length,
      indisunique: index.unique,
      indnullsnotdistinct: index.nullsNotDistinct,
      indisprimary: index.primary,
      indisexclusion: index.exclusion !== undefined,
      indimmediate: constraint?.deferrable !== true,
      indisvalid: index.state === 'valid' && isOnAll(source, table, index),
      indisclustered: index.clustered === true,
      indisreplident: index.replicaIdentity === true,
      indisready: true,
      indislive: true,
      indkey: vector(TypeOid.int2, [...index.parts.map(({ column }) => column ?? 0), ...index.include]),
      indcollation: vector(
        TypeOid.oid,
        index.parts.map(
          ({ type }) =>
            collationOf(source, type) ?? (source.types.byOid(type.oid)?.category === 'S' ? DEFAULT_COLLATION_OID : 0),
        ),
      ),
      indclass: vector(
        TypeOid.oid,
        index.parts.map((part) => operatorClassOf(source.types, part, indexMethodOf(index), extensions)),
      ),
      indoption: vector(
        TypeOid.int2,
        index.parts.map((part) => (part.descending ? 1 : 0) | (part.nullsFirst ? 2 : 0)),
      ),
      ...(expressions.length > 0 ? { indexprs: expressions.join(', ') } : {}),
      ...(index.predicateSql === undefined
        ? {}
        : { indpred: predicateText(source.catalog, table, index.predicateSql) }),
    };
  }
}

const CONSTRAINT_TYPE = { 'primary key': 'p', unique: 'u', check: 'c', 'foreign key': 'f', exclusion: 'x' } as const;
const ACTION = { 'no action': 'a', restrict: 'r', cascade: 'c', 'set null': 'n', 'set default': 'd' } as const;

/** Those of partitions go with their table's, by which they are known. */
function inheritanceOf(constraint: ConstraintDescriptor): CatalogRow {
  if (constraint.parentOid !== undefined) return { conislocal: false, coninhcount: 1 };
  if (constraint.kind !== 'check') return { conislocal: true, coninhcount: 0 };
  return { conislocal: constraint.isLocal === undefined, coninhcount: constraint.inheritCount ?? 0 };
}

/** An expression is column 0 of the key. */
function exclusionOf({ objectsSeen, catalog }: SystemViewSource, indexOid: Oid): CatalogRow {
  const index = objectsSeen.object(indexOid);
  if (index?.kind !== 'index') return { conindid: indexOid };
  const operators = index.parts.map(({ type }, i) => {
    const found = catalog.functions.resolveOperator(index.exclusion?.operators[i] ?? '=', type.oid, type.oid);
    return typeof found === 'string' ? 0 : found.operator.oid;
  });
  return {
    conindid: indexOid,
    conkey: SqlArray.of(
      TypeOid.int2,
      index.parts.map(({ column }) => column ?? 0),
    ),
    conexclop: SqlArray.of(TypeOid.oid, operators),
  };
}

function* constraintRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const table of tablesOf(source)) {
    for (const constraint of table.constraints) {
      const row = {
        oid: constraint.oid,
        conname: constraint.name,
        connamespace: table.schemaOid,
        contype: CONSTRAINT_TYPE[constraint.kind],
        condeferrable: constraint.deferrable,
        condeferred: constraint.initiallyDeferred,
        convalidated: constraint.validated,
        conrelid: table.oid,
        ...inheritanceOf(constraint),
        conparentid: constraint.kind === 'check' ? 0 : (constraint.parentOid ?? 0),
        connoinherit: constraint.kind === 'check' ? constraint.noInherit === true : constraint.parentOid === undefined,
        conkey: SqlArray.of(TypeOid.int2, constraint.columns),
      };
      if (constraint.kind === 'check')
        yield { ...row, conbin: checkText(source.catalog, table, constraint.expressionSql) };
      else if (constraint.kind === 'exclusion') yield { ...row, ...exclusionOf(source, constraint.indexOid) };
      else if (constraint.kind !== 'foreign key') yield { ...row, conindid: constraint.indexOid };
      else {
        yield {
          ...row,
          conindid: constraint.referencedIndexOid,
          confrelid: constraint.referencedTableOid,
          confupdtype: ACTION[constraint.onUpdate],
          confdeltype: ACTION[constraint.onDelete],
          confmatchtype: constraint.match === 'full' ? 'f' : 's',
          confkey: SqlArray.of(TypeOid.int2, constraint.referencedColumns),
        };
      }
    }
  }
  for (const object of source.objectsSeen.objects()) {
    if (object.kind !== 'type' || object.databaseOid !== source.databaseOid || object.definition.kind !== 'domain')
      continue;
    for (const check of object.definition.checks) {
      yield {
        oid: check.oid,
        conname: check.name,
        connamespace: object.schemaOid,
        contype: 'c',
        convalidated: check.validated !== false,
        contypid: object.oid,
        conislocal: true,
        conbin: check.expressionSql,
      };
    }
  }
}

function* sequenceRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const relation of relationsOf(source)) {
    if (relation.kind !== 'sequence') continue;
    yield {
      seqrelid: relation.oid,
      seqtypid: relation.typeOid,
      seqstart: int8(relation.start),
      seqincrement: int8(relation.increment),
      seqmax: int8(relation.maximum),
      seqmin: int8(relation.minimum),
      seqcache: relation.cache,
      seqcycle: relation.cycle,
    };
  }
}

/** A bigint in its canonical form. */
export function int8(text: string): number | bigint {
  const value = BigInt(text);
  return BigInt(Number(value)) === value && Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

export const RELATION_VIEWS: readonly SystemView[] = [
  catalogView('pg_class', classRows),
  catalogView('pg_index', indexRows),
  catalogView('pg_constraint', constraintRows),
  catalogView('pg_sequence', sequenceRows),
  ...RULE_VIEWS,
  ...PARTITION_VIEWS,
  ...emptyViews('pg_foreign_table'),
];
