/** Names in definitions: where an object is made, which object is meant, and PostgreSQL's errors when there is none. */
import { PhantomError } from '@phantom/base';
import {
  type ColumnDescriptor,
  type NameClass,
  type ObjectDescriptor,
  type Oid,
  type LargeObjectDescriptor,
  type OwnedObject,
  type SchemaDescriptor,
  type TableDescriptor,
  NameClass as Classes,
  hasPrivilege,
  ownsObject,
  type Persistence,
} from '@phantom/catalog';
import type { Name, QualifiedName } from '../text/ast-leaves.js';
import type { NamedRelation } from '../plan/catalog-port.js';
import { isSystemColumn } from '../storage/system-columns.js';
import { PHANTOM_SCHEMA } from '../system-views/system-view.js';
import type { DdlContext } from './context.js';
import type { Yielded } from '../exec/runtime.js';

/** Schema, name and position of a written name; a database part must be this database's. */
export function splitName(
  name: QualifiedName,
  databaseName: string,
): { schema: string | undefined; name: string; position: number } {
  const parts = name.map((part) => part.text);
  const position = (name[0]?.position ?? 0) + 1;
  if (parts.length > 3)
    throw new PhantomError('42601', `improper qualified name (too many dotted names): ${parts.join('.')}`, {
      position,
    });
  if (parts.length === 3 && parts[0] !== databaseName) {
    throw new PhantomError('0A000', `a reference to another database is not supported: ${parts.join('.')}`, {
      position,
    });
  }
  return { schema: parts.at(-2), name: parts.at(-1) as string, position };
}

/** Where an object is made. */
export interface CreationPlace {
  readonly schemaOid: Oid;
  readonly name: string;
  /** Temporary in the session's own schema of temporary objects, and only there. */
  readonly persistence: Persistence;
}

/** The schema in which an object of this name is to be made, with CREATE on it checked. */
export function creationSchema(
  context: DdlContext,
  name: QualifiedName,
  persistence: Persistence = 'permanent',
): CreationPlace {
  const { picture } = context;
  const target = splitName(name, picture.databaseName);
  const inTemporary =
    target.schema !== undefined && (target.schema === 'pg_temp' || target.schema === picture.temporarySchemaName);
  if (persistence === 'temporary' || inTemporary) {
    if (target.schema !== undefined && !inTemporary)
      throw new PhantomError('42P16', 'cannot create temporary relation in non-temporary schema', {
        position: target.position,
      });
    if (persistence === 'unlogged')
      throw new PhantomError('42P16', 'only temporary relations may be created in temporary schemas', {
        position: target.position,
      });
    return { schemaOid: context.temporarySchema(), name: target.name, persistence: 'temporary' };
  }
  if (target.schema === undefined) {
    for (const candidate of picture.searchPath) {
      if (candidate === 'pg_catalog') continue;
      if (candidate === 'pg_temp')
        return { schemaOid: context.temporarySchema(), name: target.name, persistence: 'temporary' };
      const schema = findSchema(context, candidate);
      if (schema === undefined || !hasPrivilege(context.objects, context.roleOid, schema, 'U')) continue;
      return { schemaOid: mayCreateIn(context, schema), name: target.name, persistence };
    }
    throw new PhantomError('3F000', 'no schema has been selected to create in', { position: target.position });
  }
  if (isSystemSchema(target.schema)) {
    throw new PhantomError('42501', `permission denied for schema ${target.schema}`);
  }
  const schemaOid = mayCreateIn(context, schemaNamed(context, target.schema, target.position));
  return { schemaOid, name: target.name, persistence };
}

function isSystemSchema(name: string): boolean {
  return name === 'pg_catalog' || name === 'information_schema' || name === PHANTOM_SCHEMA;
}

function mayCreateIn(context: DdlContext, schema: SchemaDescriptor): Oid {
  if (!hasPrivilege(context.objects, context.roleOid, schema, 'C')) {
    throw new PhantomError('42501', `permission denied for schema ${schema.name}`);
  }
  return schema.oid;
}

export function findSchema(context: DdlContext, name: string): SchemaDescriptor | undefined {
  const oid = context.objects.oidByName(Classes.Schema, context.databaseOid, name);
  const schema = oid === undefined ? undefined : context.objects.object(oid);
  return schema?.kind === 'schema' ? schema : undefined;
}

/** The schema of a name; 3F000 when there is none. */
export function schemaNamed(context: DdlContext, name: string, position?: number): SchemaDescriptor {
  const schema = findSchema(context, name);
  if (schema === undefined) throw new PhantomError('3F000', `schema "${name}" does not exist`, { position });
  return schema;
}

/** The relation of a name, or undefined. */
export function findRelation(context: DdlContext, name: QualifiedName): NamedRelation | undefined {
  const target = splitName(name, context.picture.databaseName);
  return context.picture.relation(
    target.schema === undefined ? { name: target.name } : { schema: target.schema, name: target.name },
  );
}

/** The relation of a name; 42P01 when there is none. */
export function relationNamed(context: DdlContext, name: QualifiedName): NamedRelation {
  const relation = findRelation(context, name);
  if (relation === undefined) throw undefinedRelation(name);
  return relation;
}

export function undefinedRelation(name: QualifiedName): PhantomError {
  const shown = name.map((part) => part.text).join('.');
  return new PhantomError('42P01', `relation "${shown}" does not exist`, { position: (name[0]?.position ?? 0) + 1 });
}

/** A stored table by name, owned by the current role; 42809 for anything else. */
export function ownTable(context: DdlContext, name: QualifiedName): TableDescriptor {
  const relation = relationNamed(context, name);
  if (relation.kind !== 'table') throw new PhantomError('42809', `"${relation.name}" is not a table`);
  requireOwner(context, relation);
  return relation;
}

/** 42501 unless the current role owns the object. */
export function requireOwner(context: DdlContext, object: OwnedObject | LargeObjectDescriptor): void {
  if (!ownsObject(context.objects, context.roleOid, object)) {
    const word = object.kind === 'statistics' ? 'statistics object' : object.kind;
    const kind = object.kind === 'routine' ? object.routine : word;
    throw new PhantomError('42501', `must be owner of ${kind} ${object.name}`);
  }
}

/**
 * Takes a name for a new object, waiting for whoever is creating or dropping one of that name. Returns the object that
 * already has it, if any.
 */
export function* claimName(
  context: DdlContext,
  nameClass: NameClass,
  namespaceOid: Oid,
  name: string,
): Generator<Yielded, ObjectDescriptor | undefined, void> {
  const { objects } = context;
  for (
    let wait = objects.lockName(nameClass, namespaceOid, name);
    wait !== undefined;
    wait = objects.lockName(nameClass, namespaceOid, name)
  )
    yield wait;
  const oid = objects.oidByName(nameClass, namespaceOid, name);
  return oid === undefined ? undefined : objects.object(oid);
}

/** 42P07, in the words for the kind that is in the way. */
export function relationExists(name: string): PhantomError {
  return new PhantomError('42P07', `relation "${name}" already exists`);
}

/**
 * A name that is free in the schema, made as PostgreSQL makes them: `table_column_suffix`, shortened to 63 bytes, with a
 * number behind it when it is taken.
 */
export function chooseName(
  context: DdlContext,
  schemaOid: Oid,
  parts: readonly string[],
  suffix: string,
  taken: (name: string) => boolean = () => false,
): string {
  for (let attempt = 0; ; attempt++) {
    const tail = attempt === 0 ? suffix : `${suffix}${attempt}`;
    const name = shorten(parts, tail);
    if (!taken(name) && context.objects.oidByName(Classes.Relation, schemaOid, name) === undefined) return name;
  }
}

const NAME_BYTES_MAX = 63;
const UTF8 = new TextEncoder();

/** Joins parts and suffix by `_`, taking characters off the longer part first until the name fits. */
function shorten(parts: readonly string[], suffix: string): string {
  const texts = [...parts];
  const bytes = (): number => UTF8.encode([...texts, suffix].join('_')).length;
  while (bytes() > NAME_BYTES_MAX) {
    let longest = 0;
    texts.forEach((text, i) => {
      if (text.length > (texts[longest] as string).length) longest = i;
    });
    texts[longest] = (texts[longest] as string).slice(0, -1);
  }
  return [...texts, suffix].join('_');
}

/**
 * Takes a lock on an object that is to be changed, waiting for its users; returns it as it is then, or undefined. What belongs to a table
 * changes under the table's lock.
 */
export function* lockForChange<T extends ObjectDescriptor>(
  { objects }: DdlContext,
  object: T,
): Generator<Yielded, T | undefined, void> {
  const belongs = object.kind === 'index' || object.kind === 'trigger' || object.kind === 'policy';
  for (const oid of belongs ? [object.tableOid, object.oid] : [object.oid])
    for (let wait = objects.lockObject(oid, 3); wait !== undefined; wait = objects.lockObject(oid, 3)) yield wait;
  return objects.object(object.oid) as T | undefined;
}

/**
 * Finds an object and locks it for a change. When it has changed while others were waited for it is looked for again: it may have another
 * name or owner by then, or be gone, which `find` tells in the words of the statement.
 */
export function* lockFound<T extends ObjectDescriptor>(
  context: DdlContext,
  find: () => T,
): Generator<Yielded, T, void> {
  for (;;) {
    const found = find();
    if ((yield* lockForChange(context, found)) === found) return found;
  }
}

/** 55006 while a statement around this one or an open cursor is at work on the table, or deferred checks wait that were made for it as it is. */
export function* refuseWhileInUse(
  context: DdlContext,
  table: TableDescriptor,
  command: string,
): Generator<Yielded, void, void> {
  const refused = `cannot ${command} "${table.name}" because it`;
  if (context.isInUse(table.oid))
    throw new PhantomError('55006', `${refused} is being used by active queries in this session`);
  if (!(yield* context.hasPendingChecks(table.oid))) return;
  throw new PhantomError('55006', `${refused} has pending trigger events`);
}

/** 42701 for a column of a table that would be called as one that PostgreSQL's tables have by themselves. */
export function refuseSystemName(name: string): void {
  if (isSystemColumn(name))
    throw new PhantomError('42701', `column name "${name}" conflicts with a system column name`);
}

/** A column of a key or index by name; 42703 when there is none. */
export function columnNamed(table: TableDescriptor, name: Name): ColumnDescriptor {
  const column = table.columns.find((candidate) => candidate.name === name.text && !candidate.dropped);
  if (column === undefined) {
    throw new PhantomError('42703', `column "${name.text}" named in key does not exist`, {
      position: name.position + 1,
    });
  }
  return column;
}

/** The name of a constraint that is to be added to the table; 42710 when one of its constraints has it already. */
export function freeConstraintName(table: TableDescriptor, name: string): string {
  if (table.constraints.some((constraint) => constraint.name === name)) {
    throw new PhantomError('42710', `constraint "${name}" for relation "${table.name}" already exists`);
  }
  return name;
}
