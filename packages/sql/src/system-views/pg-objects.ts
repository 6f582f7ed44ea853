/** What a session's database holds, for views that walk over it. */
import type {
  ObjectDescriptor,
  RelationDescriptor,
  RoutineDescriptor,
  StoredQuery,
  TableDescriptor,
  TypeDescriptor,
} from '@phantom/catalog';
import { BOOTSTRAP_ROLE_OID } from './oids.js';
import {
  INFORMATION_SCHEMA_OID,
  PG_CATALOG_OID,
  PHANTOM_OID,
  type SystemView,
  type SystemViewSource,
} from './system-view.js';

interface ListedSchema {
  readonly oid: number;
  readonly name: string;
  readonly ownerOid: number;
}

/** PostgreSQL's schema for what it stores apart; clients know that it is not theirs. */
const TOAST_OID = 99;

/**
 * Schemas of the session's database, the system's own first. `phantom` is not listed: clients take a schema whose name they do
 * not know for the user's.
 */
export function* schemasOf(source: SystemViewSource): Iterable<ListedSchema> {
  yield { oid: PG_CATALOG_OID, name: 'pg_catalog', ownerOid: BOOTSTRAP_ROLE_OID };
  yield { oid: INFORMATION_SCHEMA_OID, name: 'information_schema', ownerOid: BOOTSTRAP_ROLE_OID };
  yield { oid: TOAST_OID, name: 'pg_toast', ownerOid: BOOTSTRAP_ROLE_OID };
  for (const object of source.objectsSeen.objectsIn(source.databaseOid)) if (object.kind === 'schema') yield object;
}

/** Relations of the session's database. */
export function* relationsOf(source: SystemViewSource): Iterable<RelationDescriptor> {
  for (const schema of schemasOf(source)) {
    for (const object of source.objectsSeen.objectsIn(schema.oid)) if (isRelation(object)) yield object;
  }
}

/** Tables of the session's database, materialized views too. */
export function* tablesOf(source: SystemViewSource): Iterable<TableDescriptor> {
  for (const relation of relationsOf(source)) if (relation.kind === 'table') yield relation;
}

/** The query that a view or a materialized view stands for. */
export function storedQueryOf(relation: RelationDescriptor): StoredQuery | undefined {
  if (relation.kind === 'view') return relation;
  return relation.kind === 'table' ? relation.materialized : undefined;
}

/** User-defined types of the session's database. */
export function* typesOf(source: SystemViewSource): Iterable<TypeDescriptor> {
  for (const schema of schemasOf(source)) {
    for (const object of source.objectsSeen.objectsIn(schema.oid)) if (object.kind === 'type') yield object;
  }
}

/** A composite type that stands by itself, not for the rows of a relation. */
export type Composite = TypeDescriptor & {
  readonly definition: Extract<TypeDescriptor['definition'], { kind: 'composite' }>;
};

export function* compositesOf(source: SystemViewSource): Iterable<Composite> {
  for (const type of typesOf(source)) if (isComposite(type)) yield type;
}

function isComposite(type: TypeDescriptor): type is Composite {
  return type.definition.kind === 'composite' && type.definition.relationOid === undefined;
}

/** Routines of the session's database. */
export function* routinesOf(source: SystemViewSource): Iterable<RoutineDescriptor> {
  for (const schema of schemasOf(source)) {
    for (const object of source.objectsSeen.objectsIn(schema.oid)) if (object.kind === 'routine') yield object;
  }
}

function isRelation(object: ObjectDescriptor): object is RelationDescriptor {
  return object.kind === 'table' || object.kind === 'view' || object.kind === 'sequence' || object.kind === 'index';
}

/** The system's own relations that are listed. */
export function* listedSystemViews(source: SystemViewSource): Iterable<SystemView> {
  for (const view of source.systemViews()) if (view.schemaOid !== PHANTOM_OID) yield view;
}
