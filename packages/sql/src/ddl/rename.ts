/**
 * ALTER ... RENAME, OWNER TO and SET SCHEMA. Whatever refers to an object by oid need not hear of it; texts of a table's own
 * expressions name its columns and are written anew, as are all texts that name functions, types and schemas (renamed-texts.ts);
 * stored queries keep the names of relations that they were made with.
 */
import { PhantomError, unsupportedError } from '@phantom/base';
import {
  type DatabaseDescriptor,
  NameClass,
  type OwnedObject,
  type RoleDescriptor,
  type SchemaDescriptor,
  type PartitionKey,
  type TableDescriptor,
  type TypeDescriptor,
  hasPrivilege,
} from '@phantom/catalog';
import type { Yielded } from '../exec/runtime.js';
import type { ObjectRef } from '../text/ast-access.js';
import type { Name, QualifiedName } from '../text/ast-leaves.js';
import type { AlterObjectSchema, AlterOwner, Rename } from '../text/ast-schema.js';
import type { DdlContext, DdlExecution } from './context.js';
import { ownType } from './create-type.js';
import { ownDomain } from './domains.js';
import {
  claimName,
  findRelation,
  lockForChange,
  lockFound,
  refuseSystemName,
  relationExists,
  relationNamed,
  requireOwner,
  schemaNamed,
} from './names.js';
import { largeObjectNamed, putLargeObject } from './large-objects.js';
import { moveOperator, ownOperator } from './operators.js';
import { mayGiveTo, withOwner } from './ownership.js';
import { lockBelow } from './inheritance/alter-tree.js';
import { lockPartitions } from './partitions/lock-partitions.js';
import type { CheckConstraint } from '../storage/table-rules.js';
import { renamePolicy } from './policies.js';
import { renameRule } from './rules/alter-rule.js';
import { renameSchemaInTexts, renameTypeInTexts } from './renamed-texts.js';
import { keepLanguageOwner } from './extensions.js';
import { refuseCollection } from './create-collection.js';
import { roleNamed, roleOf } from './role-names.js';
import { databaseNamed, refusePredefined, requireRoleAdministration } from './roles.js';
import { moveRoutine, ownRoutine, renameRoutine } from './routines/alter-routine.js';
import { isRoutineWord } from './routines/routine-names.js';
import { renamedColumn } from './stored-expressions.js';
import { moveStatistics, ownStatistics } from './statistics-objects.js';
import { renameInConditions, renameTrigger } from './triggers/alter-trigger.js';
import { claimTypeName, putRowType } from './types.js';

type Step<T> = Generator<Yielded, T, void>;
type Named = OwnedObject;
type NamedRelation = Exclude<Named, { kind: 'database' | 'schema' | 'type' | 'routine' | 'statistics' }>;

const RELATIONS = new Set(['table', 'view', 'materialized view', 'index', 'sequence', 'foreign table']);

export function* rename(context: DdlContext, node: Rename): DdlExecution {
  const { target } = node;
  const to = node.to.text;
  switch (target.object) {
    case 'column':
      return yield* renameColumn(context, node);
    case 'constraint':
      return yield* renameConstraint(context, node);
    case 'trigger':
      return yield* renameTrigger(context, node);
    case 'rule':
      return yield* renameRule(context, node);
    case 'policy':
      return yield* renamePolicy(context, node);
    case 'domain constraint': {
      const type = yield* lockFound(context, () => ownDomain(context, target.on as readonly Name[]));
      const from = target.name.at(-1)?.text;
      const { definition } = type;
      if (!definition.checks.some((check) => check.name === from))
        throw new PhantomError('42704', `constraint "${from}" for domain ${type.name} does not exist`);
      const checks = definition.checks.map((check) => (check.name === from ? { ...check, name: to } : check));
      context.objects.put({ ...type, definition: { ...definition, checks } });
      return undefined;
    }
    case 'role': {
      const role = yield* lockFound(context, () => roleNamed(context, target.name[0]?.text as string));
      refusePredefined(role);
      requireRoleAdministration(context, role, 'permission denied to rename role');
      if (role.oid === context.sessionRoleOid) throw unsupportedError('renaming the session user');
      if (to.startsWith('pg_') || to === 'public' || to === 'none')
        throw new PhantomError('42939', `role name "${to}" is reserved`);
      if ((yield* claimName(context, NameClass.Role, 0, to)) !== undefined)
        throw new PhantomError('42710', `role "${to}" already exists`);
      context.objects.put({ ...role, name: to });
      return undefined;
    }
    case 'database':
    case 'schema': {
      const object = yield* lockFound(context, () => namedObject(context, target));
      const isSchema = object.kind === 'schema';
      if (isSchema && to.startsWith('pg_')) {
        throw new PhantomError('42939', `unacceptable schema name "${to}"`, {
          detail: 'The prefix "pg_" is reserved for system schemas.',
        });
      }
      if (!isSchema && object.oid === context.databaseOid)
        throw new PhantomError('0A000', 'current database cannot be renamed');
      const nameClass = isSchema ? NameClass.Schema : NameClass.Database;
      const existing = yield* claimName(context, nameClass, isSchema ? context.databaseOid : 0, to);
      if (existing !== undefined)
        throw new PhantomError(isSchema ? '42P06' : '42P04', `${object.kind} "${to}" already exists`);
      if (isSchema) yield* renameSchemaInTexts(context, object.name, to);
      context.objects.put({ ...object, name: to });
      return undefined;
    }
    case 'type':
    case 'domain': {
      const type = yield* lockFound(context, () => namedType(context, target));
      yield* claimTypeName(context, type.schemaOid, to);
      yield* renameTypeInTexts(context, type, { ...type, name: to });
      putType(context, { ...type, name: to });
      return undefined;
    }
    case 'function':
    case 'procedure':
    case 'aggregate':
    case 'routine':
      return yield* renameRoutine(context, target, to);
    case 'statistics':
      return yield* moveStatistics(context, target.name, { name: to });
    default:
      if (!RELATIONS.has(target.object)) throw unsupportedError(`ALTER ${target.object.toUpperCase()} ... RENAME`);
      return yield* renameRelation(context, node);
  }
}

/** Finds the relation of an ALTER; undefined, with a notice, when it need not exist. */
function alteredRelation(
  context: DdlContext,
  target: ObjectRef,
  ifExists: boolean,
  name: QualifiedName = target.name,
): NamedRelation | undefined {
  if (ifExists && findRelation(context, name) === undefined) {
    const shown = name.map((part) => part.text).join('.');
    context.notice('NOTICE', '00000', `relation "${shown}" does not exist, skipping`);
    return undefined;
  }
  const relation = relationNamed(context, name);
  if (relation.kind === 'virtual')
    throw new PhantomError('42501', `permission denied: "${relation.name}" is a system catalog`);
  requireOwner(context, relation);
  return relation;
}

/** 42809 unless the words of an ALTER fit the relation: ALTER TABLE is for all kinds, others for their own. */
function checkKind(
  relation: { readonly kind: string; readonly name: string; readonly materialized?: unknown },
  word: string,
): void {
  const kind = relation.kind === 'table' && relation.materialized !== undefined ? 'materialized view' : relation.kind;
  if (word === 'table' || word === kind) return;
  throw new PhantomError('42809', `"${relation.name}" is not ${word === 'index' ? 'an' : 'a'} ${word}`);
}

function* renameRelation(context: DdlContext, node: Rename): DdlExecution {
  const found = alteredRelation(context, node.target, node.ifExists);
  if (found === undefined) return undefined;
  checkKind(found, node.target.object);
  const relation = yield* lockForChange(context, found);
  if (relation === undefined) return undefined;
  const to = node.to.text;
  if ((yield* claimName(context, NameClass.Relation, relation.schemaOid, to)) !== undefined) throw relationExists(to);
  if (relation.kind === 'table' || relation.kind === 'view')
    yield* claimTypeName(context, relation.schemaOid, to, true);
  yield* move(context, relation, { ...relation, name: to });
  return undefined;
}

/** Puts a relation under its new name or schema, with texts that name the type of its rows. */
function* move(context: DdlContext, before: NamedRelation, after: NamedRelation): Step<void> {
  if (before.kind === 'table' || before.kind === 'view') {
    const type = { oid: before.rowTypeOid, name: before.name, schemaOid: before.schemaOid };
    yield* renameTypeInTexts(context, type, { ...type, name: after.name, schemaOid: after.schemaOid });
  }
  const { name, schemaOid } = after;
  moved(context, { ...(context.objects.object(before.oid) as NamedRelation), name, schemaOid });
}

/** Puts a relation under its new name or schema; row types, and constraints that share their index's name, follow. */
function moved(context: DdlContext, relation: NamedRelation): void {
  const { objects } = context;
  if (relation.kind === 'table') {
    const changed: TableDescriptor = { ...relation, schemaVersion: relation.schemaVersion + 1 };
    objects.put(changed);
    putRowType(context, changed);
    return;
  }
  objects.put(relation);
  if (relation.kind === 'view') putRowType(context, relation);
  if (relation.kind !== 'index') return;
  const table = objects.object(relation.tableOid);
  if (table?.kind !== 'table') return;
  const constraints = table.constraints.map((constraint) =>
    'indexOid' in constraint && constraint.indexOid === relation.oid
      ? { ...constraint, name: relation.name }
      : constraint,
  );
  objects.put({ ...table, constraints, schemaVersion: table.schemaVersion + 1 });
}

function* renameColumn(context: DdlContext, node: Rename): DdlExecution {
  const owner = node.target.name.slice(0, -1);
  const from = (node.target.name.at(-1) as Name).text;
  const to = node.to.text;
  if (node.relation === 'type') return yield* renameAttribute(context, owner, from, to);
  const found = alteredRelation(context, node.target, node.ifExists, owner);
  if (found === undefined) return undefined;
  const relation = yield* lockForChange(context, found);
  if (relation?.kind === 'view') {
    if (!relation.columns.some((column) => column.name === from)) throw noColumn(from);
    if (relation.columns.some((column) => column.name === to)) throw taken(to, relation.name);
    const changed = {
      ...relation,
      columns: relation.columns.map((column) => (column.name === from ? { ...column, name: to } : column)),
    };
    context.objects.put(changed);
    putRowType(context, changed);
    return undefined;
  }
  if (relation?.kind !== 'table') throw new PhantomError('42809', `cannot rename columns of relation "${found.name}"`);
  // A column is called what its field is.
  refuseCollection(relation, 'ALTER TABLE RENAME COLUMN');
  if (relation.partition !== undefined) throw new PhantomError('42P16', `cannot rename inherited column "${from}"`);
  if (node.only && (relation.heirOids !== undefined || context.picture.partitionsOf(relation).length > 0))
    throw new PhantomError('42P16', `inherited column "${from}" must be renamed in child tables too`);
  yield* lockPartitions(context, relation);
  const tree = yield* treeToRename(context, relation, 'column', from, ({ columns }) =>
    columns.find((column) => !column.dropped && column.name === from),
  );
  for (const table of tree) yield* renameTableColumn(context, table, from, to);
  return undefined;
}

/** It inherits from others, or they from it. */
function isInTree({ parentOids, heirOids }: TableDescriptor): boolean {
  return parentOids !== undefined || heirOids !== undefined;
}

/** A table and those that inherit from it, where none has the part in question from elsewhere too; 42P16 otherwise. */
function* treeToRename(
  context: DdlContext,
  table: TableDescriptor,
  what: 'column' | 'constraint',
  name: string,
  partOf: (table: TableDescriptor) => { readonly inheritCount?: number } | undefined,
): Step<readonly TableDescriptor[]> {
  const tree = [table, ...(yield* lockBelow(context, table))];
  for (const member of tree) {
    const parents = (member.parentOids ?? []).filter((oid) => tree.some((other) => other.oid === oid)).length;
    if ((partOf(member)?.inheritCount ?? 0) > parents)
      throw new PhantomError('42P16', `cannot rename inherited ${what} "${name}"`);
  }
  return tree;
}

/** The caller holds the locks of the table and its partitions. */
function* renameTableColumn(context: DdlContext, relation: TableDescriptor, from: string, to: string): Step<void> {
  const column = relation.columns.find((candidate) => candidate.name === from && !candidate.dropped);
  if (column === undefined) throw noColumn(from);
  refuseSystemName(to);
  if (relation.columns.some((candidate) => candidate.name === to && !candidate.dropped)) throw taken(to, relation.name);
  const changed: TableDescriptor = {
    ...relation,
    columns: relation.columns.map((candidate) => {
      if (candidate === column) return { ...column, name: to };
      if (candidate.generated === undefined || candidate.defaultSql === undefined) return candidate;
      return { ...candidate, defaultSql: renamedColumn(candidate.defaultSql, from, to) };
    }),
    constraints: relation.constraints.map((constraint) =>
      constraint.kind === 'check'
        ? { ...constraint, expressionSql: renamedColumn(constraint.expressionSql, from, to) }
        : constraint,
    ),
    ...(relation.partitioned === undefined ? {} : { partitioned: renamedKey(relation.partitioned, from, to) }),
    schemaVersion: relation.schemaVersion + 1,
  };
  for (const oid of relation.indexOids) {
    const index = context.objects.object(oid);
    if (index?.kind !== 'index') continue;
    context.objects.put({
      ...index,
      parts: index.parts.map((part) =>
        part.expressionSql === undefined
          ? part
          : { ...part, expressionSql: renamedColumn(part.expressionSql, from, to) },
      ),
      ...(index.predicateSql === undefined ? {} : { predicateSql: renamedColumn(index.predicateSql, from, to) }),
    });
  }
  context.objects.put(changed);
  putRowType(context, changed);
  renameInConditions(context, changed, from, to);
  for (const partition of context.picture.partitionsOf(changed)) {
    yield* renameTableColumn(context, partition, from, to);
  }
}

function renamedKey(key: PartitionKey, from: string, to: string): PartitionKey {
  const parts = key.parts.map((part) =>
    part.expressionSql === undefined ? part : { ...part, expressionSql: renamedColumn(part.expressionSql, from, to) },
  );
  return { ...key, parts };
}

function noColumn(name: string): PhantomError {
  return new PhantomError('42703', `column "${name}" does not exist`);
}

function taken(name: string, relation: string): PhantomError {
  return new PhantomError('42701', `column "${name}" of relation "${relation}" already exists`);
}

function* renameAttribute(context: DdlContext, owner: QualifiedName, from: string, to: string): DdlExecution {
  const type = yield* lockFound(context, () => ownType(context, owner));
  refuseRowType(type);
  const { definition } = type;
  if (definition.kind !== 'composite') throw new PhantomError('42809', `${type.name} is not a composite type`);
  if (!definition.fields.some((field) => field.name === from)) throw noColumn(from);
  if (definition.fields.some((field) => field.name === to)) throw taken(to, type.name);
  const fields = definition.fields.map((field) => (field.name === from ? { ...field, name: to } : field));
  context.objects.put({ ...type, definition: { ...definition, fields } });
  return undefined;
}

function* renameConstraint(context: DdlContext, node: Rename): DdlExecution {
  const owner = node.target.on as readonly Name[];
  const found = alteredRelation(context, node.target, node.ifExists, owner);
  if (found === undefined) return undefined;
  const table = yield* lockForChange(context, found);
  if (table?.kind !== 'table') throw new PhantomError('42809', `"${found.name}" is not a table`);
  const from = node.target.name.at(-1)?.text;
  const to = node.to.text;
  const constraint = table.constraints.find((candidate) => candidate.name === from);
  if (constraint === undefined)
    throw new PhantomError('42704', `constraint "${from}" for table "${table.name}" does not exist`);
  if (table.constraints.some((candidate) => candidate.name === to))
    throw new PhantomError('42710', `constraint "${to}" for relation "${table.name}" already exists`);
  if (constraint.kind === 'check' && constraint.noInherit !== true && isInTree(table))
    return yield* renameCheck(context, table, constraint.name, to, node.only);
  if (constraint.kind === 'check' && constraint.parentOid !== undefined)
    throw new PhantomError('42P16', `cannot rename inherited constraint "${from}"`);
  const index = 'indexOid' in constraint ? context.objects.object(constraint.indexOid) : undefined;
  if (index?.kind === 'index') {
    if ((yield* claimName(context, NameClass.Relation, index.schemaOid, to)) !== undefined) throw relationExists(to);
    context.objects.put({ ...index, name: to });
  }
  const constraints = table.constraints.map((candidate) =>
    candidate === constraint ? { ...candidate, name: to } : candidate,
  );
  context.objects.put({ ...table, constraints, schemaVersion: table.schemaVersion + 1 });
  if (constraint.kind !== 'check') return undefined;
  yield* lockPartitions(context, table);
  renameInherited(context, table, constraint.oid, to);
  return undefined;
}

/** A CHECK is called the same in all of an inheritance tree. */
function* renameCheck(
  context: DdlContext,
  table: TableDescriptor,
  from: string,
  to: string,
  only: boolean,
): DdlExecution {
  if (only && table.heirOids !== undefined)
    throw new PhantomError('42P16', `inherited constraint "${from}" must be renamed in child tables too`);
  const checkOf = ({ constraints }: TableDescriptor): CheckConstraint | undefined =>
    constraints.find((each): each is CheckConstraint => each.kind === 'check' && each.name === from);
  for (const member of yield* treeToRename(context, table, 'constraint', from, checkOf)) {
    const own = checkOf(member);
    if (own === undefined) continue;
    if (member.constraints.some((candidate) => candidate.name === to))
      throw new PhantomError('42710', `constraint "${to}" for relation "${member.name}" already exists`);
    const constraints = member.constraints.map((candidate) => (candidate === own ? { ...own, name: to } : candidate));
    context.objects.put({ ...member, constraints, schemaVersion: member.schemaVersion + 1 });
  }
  return undefined;
}

/** A CHECK is called in partitions what it is called in their table. The caller holds their locks. */
function renameInherited(context: DdlContext, parent: TableDescriptor, oid: number, to: string): void {
  for (const table of context.picture.partitionsOf(parent)) {
    const own = table.constraints.find(({ parentOid }) => parentOid === oid);
    if (own === undefined) continue;
    const constraints = table.constraints.map((other) => (other === own ? { ...own, name: to } : other));
    context.objects.put({ ...table, constraints, schemaVersion: table.schemaVersion + 1 });
    renameInherited(context, table, own.oid, to);
  }
}

function refuseRowType(type: TypeDescriptor): void {
  if (type.definition.kind === 'composite' && type.definition.relationOid !== undefined) {
    throw new PhantomError('42809', `${type.name} is a table's row type`, { hint: 'Use ALTER TABLE instead.' });
  }
}

/** Puts a type under its new name or schema; its own texts may have been written anew meanwhile. */
function putType(context: DdlContext, { oid, name, schemaOid }: TypeDescriptor): void {
  const type = context.objects.object(oid) as TypeDescriptor;
  context.objects.put({ ...type, name, schemaOid });
}

/** The type or domain that an ALTER names; 42501 where the current role does not own it, 42809 for the type of a table's rows. */
function namedType(context: DdlContext, { object, name }: ObjectRef): TypeDescriptor {
  const type = object === 'domain' ? ownDomain(context, name) : ownType(context, name);
  refuseRowType(type);
  return type;
}

/** A schema or database by name; 42501 where the current role does not own it. */
function namedObject(context: DdlContext, target: ObjectRef): SchemaDescriptor | DatabaseDescriptor {
  const object = schemaOrDatabase(context, target);
  requireOwner(context, object);
  return object;
}

function schemaOrDatabase(context: DdlContext, target: ObjectRef): SchemaDescriptor | DatabaseDescriptor {
  const [name] = target.name as readonly [Name];
  if (target.object === 'schema') return schemaNamed(context, name.text, name.position + 1);
  return databaseNamed(context, name.text);
}

export function* alterOwner(context: DdlContext, node: AlterOwner): DdlExecution {
  const { target } = node;
  const owner = roleOf(context, node.owner);
  switch (target.object) {
    case 'database':
    case 'schema': {
      const object = yield* lockFound(context, () => namedObject(context, target));
      mayGiveTo(context, owner, undefined);
      context.objects.put(withOwner(object, owner.oid));
      return undefined;
    }
    case 'type':
    case 'domain': {
      const type = yield* lockFound(context, () => namedType(context, target));
      mayGiveTo(context, owner, type.schemaOid);
      context.objects.put(withOwner(type, owner.oid));
      return undefined;
    }
    case 'function':
    case 'procedure':
    case 'aggregate':
    case 'routine': {
      const routine = yield* ownRoutine(context, target);
      mayGiveTo(context, owner, routine.schemaOid);
      context.objects.put(withOwner(routine, owner.oid));
      return undefined;
    }
    case 'statistics': {
      const statistics = yield* ownStatistics(context, target.name);
      mayGiveTo(context, owner, statistics.schemaOid);
      context.objects.put({ ...statistics, ownerOid: owner.oid });
      return undefined;
    }
    case 'operator': {
      const operator = yield* ownOperator(context, target);
      mayGiveTo(context, owner, operator.schemaOid);
      context.objects.put(withOwner(operator, owner.oid));
      return undefined;
    }
    case 'language':
      keepLanguageOwner(context, target, owner.oid);
      return undefined;
    case 'large object': {
      const object = yield* largeObjectNamed(context, target);
      requireOwner(context, object);
      mayGiveTo(context, owner, undefined);
      putLargeObject(context, withOwner(object, owner.oid));
      return undefined;
    }
    default: {
      if (!RELATIONS.has(target.object)) throw unsupportedError(`ALTER ${target.object.toUpperCase()} OWNER`);
      const relation = alteredRelation(context, target, node.ifExists);
      if (relation !== undefined) yield* changeRelationOwner(context, relation, owner);
      return undefined;
    }
  }
}

/** Gives a relation, with its indexes, own sequences and row type, to another role. */
export function* changeRelationOwner(context: DdlContext, found: NamedRelation, owner: RoleDescriptor): Step<void> {
  const relation = yield* lockForChange(context, found);
  if (relation === undefined) return;
  if (relation.kind === 'sequence' && relation.ownedBy !== undefined) {
    const table = context.objects.object(relation.ownedBy.tableOid) as TableDescriptor;
    if (table.ownerOid !== owner.oid) {
      throw new PhantomError('0A000', 'cannot change owner of sequence ' + `"${relation.name}"`, {
        detail: `Sequence "${relation.name}" is linked to table "${table.name}".`,
      });
    }
  }
  mayGiveTo(context, owner, relation.schemaOid);
  context.objects.put(withOwner(relation, owner.oid));
  if (relation.kind !== 'table' && relation.kind !== 'view') return;
  const type = context.objects.object(relation.rowTypeOid);
  if (type?.kind === 'type') context.objects.put({ ...type, ownerOid: owner.oid });
  for (const dependency of Array.from(context.objects.dependentsOf(relation.oid))) {
    const dependent = context.objects.object(dependency.dependentOid);
    if (dependency.strength === 'automatic' && (dependent?.kind === 'index' || dependent?.kind === 'sequence'))
      context.objects.put(withOwner(dependent, owner.oid));
  }
}

export function* alterSchema(context: DdlContext, node: AlterObjectSchema): DdlExecution {
  const { target } = node;
  const schema = schemaNamed(context, node.schema.text, node.schema.position + 1);
  if (!hasPrivilege(context.objects, context.roleOid, schema, 'C'))
    throw new PhantomError('42501', `permission denied for schema ${schema.name}`);
  if (target.object === 'type' || target.object === 'domain') {
    const type = yield* lockFound(context, () => namedType(context, target));
    if (type.schemaOid === schema.oid) return undefined;
    yield* claimTypeName(context, schema.oid, type.name);
    yield* renameTypeInTexts(context, type, { ...type, schemaOid: schema.oid });
    putType(context, { ...type, schemaOid: schema.oid });
    return undefined;
  }
  if (isRoutineWord(target.object)) return yield* moveRoutine(context, target, schema.oid);
  if (target.object === 'operator') return yield* moveOperator(context, target, schema.oid);
  if (target.object === 'statistics') return yield* moveStatistics(context, target.name, { schemaOid: schema.oid });
  if (!RELATIONS.has(target.object)) throw unsupportedError(`ALTER ${target.object.toUpperCase()} SET SCHEMA`);
  const found = alteredRelation(context, target, node.ifExists);
  if (found === undefined) return undefined;
  const relation = yield* lockForChange(context, found);
  if (relation === undefined || relation.schemaOid === schema.oid) return undefined;
  if (relation.kind === 'index')
    throw new PhantomError('42809', `cannot move index "${relation.name}" to another schema`);
  if (relation.kind === 'sequence' && relation.ownedBy !== undefined)
    throw new PhantomError('0A000', 'cannot move an owned sequence into another schema');
  const taken = yield* claimName(context, NameClass.Relation, schema.oid, relation.name);
  if (taken !== undefined)
    throw new PhantomError('42P07', `relation "${relation.name}" already exists in schema "${schema.name}"`);
  if (relation.kind === 'table' || relation.kind === 'view')
    yield* claimTypeName(context, schema.oid, relation.name, true);
  yield* move(context, relation, { ...relation, schemaOid: schema.oid });
  for (const dependency of Array.from(context.objects.dependentsOf(relation.oid))) {
    const dependent = context.objects.object(dependency.dependentOid);
    if (dependency.strength === 'automatic' && (dependent?.kind === 'index' || dependent?.kind === 'sequence'))
      context.objects.put({ ...dependent, schemaOid: schema.oid });
  }
  return undefined;
}
