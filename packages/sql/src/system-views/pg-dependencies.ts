/** pg_depend: what belongs to what, and what cannot be without what. pg_dump writes objects in the order that it tells. */
import { isPhantomError } from '@phantom/base';
import type {
  CastDescriptor,
  ColumnDescriptor,
  ConstraintDescriptor,
  ExtensionDescriptor,
  ObjectDescriptor,
  Oid,
  OperatorDescriptor,
  TableDescriptor,
} from '@phantom/catalog';
import { installedExtensions } from '../extensions/installed.js';
import { bindRowExpression } from '../expr/row-expression.js';
import type { RowExpressionRequest } from '../expr/row-expression-types.js';
import type { Value } from '../types/type.js';
import { type CatalogRow, catalogView } from './catalog-view.js';
import { ClassOid, attributeDefaultOid, rewriteOid } from './oids.js';
import { relationsOf, routinesOf, storedQueryOf, typesOf } from './pg-objects.js';
import { rulesOf } from './pg-rules.js';
import { statisticsObjectsOf } from './pg-statistics.js';
import type { SystemView, SystemViewSource } from './system-view.js';

export function* dependencyRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const relation of relationsOf(source)) {
    if (relation.kind === 'sequence' && relation.ownedBy !== undefined) {
      const { tableOid, column } = relation.ownedBy;
      const table = source.objectsSeen.object(tableOid);
      const owner = table?.kind === 'table' ? table.columns.find(({ number }) => number === column) : undefined;
      const deptype = owner?.identity === undefined ? 'a' : 'i';
      yield { ...onRelation(ClassOid.relation, relation.oid, tableOid, column), deptype };
    } else if (storedQueryOf(relation) !== undefined) {
      yield* needs(source, ClassOid.rewrite, relation.oid, rewriteOid(relation.oid));
    } else if (relation.kind === 'table') {
      yield* needs(source, ClassOid.relation, relation.oid);
      for (const parentOid of relation.parentOids ?? [])
        yield { ...onRelation(ClassOid.relation, relation.oid, parentOid, 0), deptype: 'n' };
      yield* defaultDependencies(relation);
      yield* expressionDependencies(source, relation);
      for (const constraint of relation.constraints) {
        if (!('indexOid' in constraint)) continue;
        yield {
          classid: ClassOid.relation,
          objid: constraint.indexOid,
          refclassid: ClassOid.constraint,
          refobjid: constraint.oid,
          deptype: 'i',
        };
      }
    }
  }
  for (const { oid, tableOid, columns } of statisticsObjectsOf(source)) {
    for (const column of columns) yield { ...onRelation(ClassOid.statistics, oid, tableOid, column), deptype: 'a' };
  }
  for (const { oid, tableOid } of rulesOf(source)) {
    yield* needs(source, ClassOid.rewrite, oid);
    yield { ...onRelation(ClassOid.rewrite, oid, tableOid, 0), deptype: 'a' };
  }
  for (const { oid } of typesOf(source)) yield* needs(source, ClassOid.type, oid);
  for (const { oid } of routinesOf(source)) yield* needs(source, ClassOid.procedure, oid);
  const { operators, casts } = made(source);
  for (const { oid } of operators) yield* needs(source, ClassOid.operator, oid);
  for (const { oid } of casts) yield* needs(source, ClassOid.cast, oid);
  for (const { descriptor } of installedExtensions(source.objectsSeen, source.databaseOid))
    yield* extensionDependencies(source, descriptor);
}

/** Operators and casts that users have made in the database. */
function made({ objectsSeen, databaseOid }: SystemViewSource): {
  readonly operators: readonly OperatorDescriptor[];
  readonly casts: readonly CastDescriptor[];
} {
  return {
    operators: objectsSeen.operators().filter((operator) => operator.databaseOid === databaseOid),
    casts: objectsSeen.casts().filter((cast) => cast.databaseOid === databaseOid),
  };
}

/** An extension stands in its schema and on what it requires; its members belong to it. */
function* extensionDependencies(source: SystemViewSource, extension: ExtensionDescriptor): Iterable<CatalogRow> {
  const { oid, schemaOid, members } = extension;
  const own = { classid: ClassOid.extension, objid: oid };
  yield { ...own, refclassid: ClassOid.namespace, refobjid: schemaOid, deptype: 'n' };
  for (const { referencedOid } of source.objectsSeen.dependenciesOf(oid))
    if (source.objectsSeen.object(referencedOid)?.kind === 'extension')
      yield { ...own, refclassid: ClassOid.extension, refobjid: referencedOid, deptype: 'n' };
  const classes = [
    [ClassOid.type, members.types],
    [ClassOid.procedure, members.functions],
    [ClassOid.operator, members.operators],
    [ClassOid.cast, members.casts],
    [ClassOid.operatorClass, members.operatorClasses],
    [ClassOid.operatorFamily, members.operatorClasses],
  ] as const;
  for (const [classid, oids] of classes) {
    for (const objid of oids) yield { classid, objid, refclassid: ClassOid.extension, refobjid: oid, deptype: 'e' };
  }
}

/**
 * Types, relations, routines and keys that an object was made with; it is told of by the number that its class of objects has for it. A
 * key is one that a query groups by, so that other columns of its table may be named: pg_dump makes it before the view.
 */
function* needs({ objectsSeen }: SystemViewSource, classid: Oid, oid: Oid, objid: Oid = oid): Iterable<CatalogRow> {
  for (const { dependentColumn, referencedOid, referencedColumn } of objectsSeen.dependenciesOf(oid)) {
    const referenced = objectsSeen.object(referencedOid);
    const key =
      referenced?.kind === 'index' ? constraintOf(objectsSeen.object(referenced.tableOid), referencedOid) : undefined;
    if (key !== undefined) yield { classid, objid, refclassid: ClassOid.constraint, refobjid: key.oid, deptype: 'n' };
    const refclassid = classOf(referenced?.kind);
    if (refclassid === undefined) continue;
    yield {
      classid,
      objid,
      objsubid: dependentColumn,
      refclassid,
      refobjid: referencedOid,
      refobjsubid: referencedColumn,
      deptype: 'n',
    };
  }
}

/** The constraint that the index keeps. */
function constraintOf(table: ObjectDescriptor | undefined, indexOid: Oid): ConstraintDescriptor | undefined {
  if (table?.kind !== 'table') return undefined;
  return table.constraints.find((constraint) => 'indexOid' in constraint && constraint.indexOid === indexOid);
}

function classOf(kind: ObjectDescriptor['kind'] | undefined): Oid | undefined {
  if (kind === 'table' || kind === 'view' || kind === 'sequence') return ClassOid.relation;
  if (kind === 'operator') return ClassOid.operator;
  return kind === 'type' ? ClassOid.type : kind === 'routine' ? ClassOid.procedure : undefined;
}

/** A default belongs to its column, and needs the sequences it asks: they are kept in it by their oids. */
function* defaultDependencies(table: TableDescriptor): Iterable<CatalogRow> {
  for (const { number, defaultSql, identity, dropped } of table.columns) {
    if (defaultSql === undefined || identity !== undefined || dropped) continue;
    const oid = attributeDefaultOid(table.oid, number);
    yield { ...onRelation(ClassOid.attributeDefault, oid, table.oid, number), deptype: 'a' };
    for (const [, relation] of defaultSql.matchAll(/(\d+)::regclass/g))
      yield { ...onRelation(ClassOid.attributeDefault, oid, Number(relation), 0), deptype: 'n' };
  }
}

/** Functions and operators of users that defaults and checks call: the catalog does not note them, the texts say so. */
function* expressionDependencies(source: SystemViewSource, table: TableDescriptor): Iterable<CatalogRow> {
  const { columns } = table;
  for (const { number, defaultSql, generated, dropped } of columns) {
    if (defaultSql === undefined || dropped) continue;
    const own = { classid: ClassOid.attributeDefault, objid: attributeDefaultOid(table.oid, number) };
    const isGenerated = generated !== undefined;
    const called = routinesIn(source, defaultSql, isGenerated ? columns : [], isGenerated ? 'generated' : 'default');
    for (const oid of called) yield { ...own, ...onCalled(source, oid) };
  }
  for (const constraint of table.constraints) {
    if (constraint.kind !== 'check') continue;
    const own = { classid: ClassOid.constraint, objid: constraint.oid };
    for (const oid of routinesIn(source, constraint.expressionSql, columns, 'check'))
      yield { ...own, ...onCalled(source, oid) };
  }
}

/** What stands on a function of a user's, or on an operator. */
function onCalled({ objectsSeen }: SystemViewSource, oid: Oid): Record<string, Value> {
  const refclassid = classOf(objectsSeen.object(oid)?.kind) ?? ClassOid.procedure;
  return { refclassid, refobjid: oid, deptype: 'n' };
}

function routinesIn(
  source: SystemViewSource,
  sql: string,
  columns: readonly ColumnDescriptor[],
  purpose: RowExpressionRequest['purpose'],
): Iterable<Oid> {
  let isNamed = false;
  for (const { name } of [...routinesOf(source), ...made(source).operators]) isNamed ||= sql.includes(name);
  if (!isNamed) return [];
  try {
    const request = { columns, relationName: undefined, catalog: source.catalog, target: undefined, purpose };
    return bindRowExpression(sql, request).routines;
  } catch (error) {
    // What can no longer be bound stands on something that has gone.
    if (isPhantomError(error)) return [];
    throw error;
  }
}

function onRelation(classid: number, objid: number, relation: number, column: number): Record<string, Value> {
  return { classid, objid, refclassid: ClassOid.relation, refobjid: relation, refobjsubid: column };
}

export const DEPENDENCY_VIEWS: readonly SystemView[] = [catalogView('pg_depend', dependencyRows)];
