/** pg_description: comments. Those on databases and roles are shared by all databases (pg_shdescription). */
import { EXTENSIONS, LANGUAGE_COMMENTS } from '../ddl/extensions.js';
import { type CatalogRow, catalogView } from './catalog-view.js';
import { ClassOid, LANGUAGE_OIDS, compositeRelationOid } from './oids.js';
import { compositesOf, relationsOf, routinesOf } from './pg-objects.js';
import { policiesOf } from './pg-policies.js';
import { rulesOf } from './pg-rules.js';
import { statisticsObjectsOf } from './pg-statistics.js';
import { triggersOf } from './pg-triggers.js';
import type { SystemView, SystemViewSource } from './system-view.js';

function on(classoid: number, objoid: number, objsubid: number, description: string | undefined): CatalogRow[] {
  return description === undefined ? [] : [{ objoid, classoid, objsubid, description }];
}

function* descriptionRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const relation of relationsOf(source)) {
    yield* on(ClassOid.relation, relation.oid, 0, relation.comment);
    if (relation.kind === 'view') {
      for (const [i, { comment }] of relation.columns.entries())
        yield* on(ClassOid.relation, relation.oid, i + 1, comment);
    }
    if (relation.kind !== 'table') continue;
    for (const column of relation.columns) yield* on(ClassOid.relation, relation.oid, column.number, column.comment);
    for (const constraint of relation.constraints)
      yield* on(ClassOid.constraint, constraint.oid, 0, constraint.comment);
  }
  for (const { oid, definition } of compositesOf(source))
    for (const [i, { comment }] of definition.fields.entries())
      yield* on(ClassOid.relation, compositeRelationOid(oid), i + 1, comment);
  for (const { oid, comment } of routinesOf(source))
    if (comment !== undefined) yield { objoid: oid, classoid: ClassOid.procedure, description: comment };
  for (const { oid, comment } of triggersOf(source))
    if (comment !== undefined) yield { objoid: oid, classoid: ClassOid.trigger, description: comment };
  for (const { oid, comment } of rulesOf(source))
    if (comment !== undefined) yield { objoid: oid, classoid: ClassOid.rewrite, description: comment };
  for (const [, { oid, comment }] of policiesOf(source))
    if (comment !== undefined) yield { objoid: oid, classoid: ClassOid.policy, description: comment };
  for (const { oid, comment } of statisticsObjectsOf(source))
    if (comment !== undefined) yield { objoid: oid, classoid: ClassOid.statistics, description: comment };
  for (const { oid, databaseOid, comment } of source.objectsSeen.operators())
    if (databaseOid === source.databaseOid) yield* on(ClassOid.operator, oid, 0, comment);
  for (const { oid, databaseOid, comment } of source.objectsSeen.casts())
    if (databaseOid === source.databaseOid) yield* on(ClassOid.cast, oid, 0, comment);
  for (const { oid, comment } of source.largeObjects()) yield* on(ClassOid.largeObject, oid, 0, comment);
  for (const { oid, description } of EXTENSIONS) yield* on(ClassOid.extension, oid, 0, description);
  for (const { oid, comment } of source.objectsSeen.extensionsIn(source.databaseOid))
    yield* on(ClassOid.extension, oid, 0, comment);
  for (const [name, comment] of Object.entries(LANGUAGE_COMMENTS))
    yield* on(ClassOid.language, LANGUAGE_OIDS[name] ?? 0, 0, comment);
  for (const object of source.objectsSeen.objectsIn(source.databaseOid)) {
    if (object.kind === 'schema' && object.comment !== undefined)
      yield { objoid: object.oid, classoid: ClassOid.namespace, description: object.comment };
  }
  for (const object of source.objectsSeen.objects()) {
    if (object.kind === 'type' && object.databaseOid === source.databaseOid && object.comment !== undefined)
      yield { objoid: object.oid, classoid: ClassOid.type, description: object.comment };
  }
}

export const DESCRIPTION_VIEWS: readonly SystemView[] = [catalogView('pg_description', descriptionRows)];
