/**
 * DROP: what goes is found first (drop-plan.ts), then taken away, dependents before what they depend on. Rows go by one
 * range removal per space, unread.
 */
import { PhantomError, unsupportedError } from '@phantom/base';
import {
  type ColumnDescriptor,
  type ConstraintDescriptor,
  type ObjectDescriptor,
  type Oid,
  type SequenceDescriptor,
  stateOid,
  type TableDescriptor,
} from '@phantom/catalog';
import { spaceRange } from '@phantom/kv';
import type { Yielded } from '../exec/runtime.js';
import type { AlterTableAction, Drop } from '../text/ast-schema.js';
import { columnOf, eraseColumn } from './alter-columns.js';
import type { DdlContext, DdlExecution } from './context.js';
import { type Going, planDrop } from './drop-plan.js';
import { dropUnmade } from './drop-unmade.js';
import { madeExtension } from './extensions.js';
import { findCastNamed, requireCastOwner } from './casts.js';
import { forgetObject } from './forget-object.js';
import { findOperator, forgetOperator } from './operators.js';
import { findRelation, findSchema, lockForChange, refuseWhileInUse, requireOwner, splitName } from './names.js';
import { findRoutine, isRoutineWord } from './routines/routine-names.js';
import { rewriteTable } from './rewrite-table.js';
import { lockPartitions } from './partitions/lock-partitions.js';
import { renew } from './partitions/partition-of.js';
import { leaveParent } from './inheritance/bonds.js';
import { loseParent, recount } from './inheritance/inherit.js';
import { heirsOf } from '../storage/inheritance/table-tree.js';
import { forgetPolicy } from './row-security.js';
import { findStatistics } from './statistics-objects.js';
import { forgetRule } from './rules/rule-names.js';
import { forgetTrigger } from './triggers/trigger-names.js';

type Step<T> = Generator<Yielded, T, void>;

const RELATION_KINDS = new Set(['table', 'view', 'materialized view', 'index', 'sequence', 'collection']);
/** Kinds of what can be made here. */
const MADE_KINDS = new Set([
  ...RELATION_KINDS,
  'schema',
  'statistics',
  'extension',
  'type',
  'domain',
  'function',
  'procedure',
  'aggregate',
  'routine',
  'operator',
  'cast',
]);
/** Of these, what is missing is told as what nobody can make. */
const TOLD_AS_UNMADE = new Set(['statistics', 'extension', 'operator', 'cast']);

export function* drop(context: DdlContext, node: Drop): DdlExecution {
  if (!MADE_KINDS.has(node.object)) {
    dropUnmade(context, node);
    return undefined;
  }
  const roots: ObjectDescriptor[] = [];
  for (const target of node.objects) {
    const object = yield* lockDropped(context, node, target);
    const shown = nameOf(target);
    if (object === undefined && (isRoutineWord(node.object) || TOLD_AS_UNMADE.has(node.object))) {
      dropUnmade(context, { ...node, objects: [target] });
      continue;
    }
    if (object === undefined) {
      const missingSchema = missingSchemaOf(context, target.name);
      if (!node.ifExists) throw missingSchema ?? missing(node, shown, target.position);
      const what = missingSchema === undefined ? `${node.object} "${shown}"` : `schema "${target.name[0]?.text}"`;
      context.notice('NOTICE', '00000', `${what} does not exist, skipping`);
      continue;
    }
    roots.push(object);
  }
  for (const root of roots) if (root.kind === 'index') refuseConstraintIndex(context, root.oid);
  yield* dropAll(context, roots, node.cascade);
  return undefined;
}

/** As findDropped, locked: when the object has changed while others were waited for, the name may mean another one, or none. */
function* lockDropped(
  context: DdlContext,
  node: Drop,
  target: Drop['objects'][number],
): Step<ObjectDescriptor | undefined> {
  for (;;) {
    const object = findDropped(context, node, target);
    if (object === undefined) return undefined;
    yield* lockAbove(context, object);
    if ((yield* lockForChange(context, object)) === object) return object;
  }
}

function nameOf(target: Drop['objects'][number]): string {
  const name = target.name.length > 0 ? target.name : (target.types[0]?.name ?? []);
  return name.map((part) => part.text).join('.');
}

function missingSchemaOf(context: DdlContext, name: Drop['objects'][number]['name']): PhantomError | undefined {
  const schema = name.length > 1 ? name.at(-2) : undefined;
  if (schema === undefined || context.picture.schemaExists(schema.text)) return undefined;
  return new PhantomError('3F000', `schema "${schema.text}" does not exist`, { position: schema.position + 1 });
}

/** What a target of DROP means, its owner's right checked; undefined when there is no such thing. */
export function findDropped(
  context: DdlContext,
  node: Drop,
  target: Drop['objects'][number],
): ObjectDescriptor | undefined {
  const { name } = target;
  if (node.object === 'schema') {
    const text = name[0]?.text as string;
    const schema = findSchema(context, text);
    if (schema !== undefined) requireOwner(context, schema);
    if (text === 'pg_catalog' || text === 'information_schema')
      throw new PhantomError('2BP01', `cannot drop schema ${text} because it is required by the database system`);
    return schema;
  }
  if (node.object === 'type' || node.object === 'domain') {
    const written = target.types[0]?.name ?? name;
    const split = splitName(written, context.picture.databaseName);
    const type = context.picture.typeNamed(
      split.schema === undefined ? { name: split.name } : { schema: split.schema, name: split.name },
    );
    const object = type === undefined ? undefined : context.objects.object(type.oid);
    if (object === undefined && type !== undefined)
      throw new PhantomError(
        '2BP01',
        `cannot drop type ${type.displayName} because it is required by the database system`,
      );
    if (object?.kind !== 'type') return undefined;
    requireOwner(context, object);
    if (node.object === 'domain' && object.definition.kind !== 'domain')
      throw new PhantomError('42809', `"${object.name}" is not a domain`);
    if (object.definition.kind === 'multirange') {
      const range = context.objects.object(object.definition.rangeOid);
      throw new PhantomError('2BP01', `cannot drop type ${object.name} because type ${range?.name} requires it`, {
        hint: `You can drop type ${range?.name} instead.`,
      });
    }
    if (object.definition.kind === 'composite' && object.definition.relationOid !== undefined)
      throw new PhantomError('2BP01', `cannot drop type ${object.name} because table ${object.name} requires it`, {
        hint: `You can drop table ${object.name} instead.`,
      });
    return object;
  }
  if (node.object === 'extension') {
    const extension = madeExtension(context, name[0]?.text as string);
    if (extension !== undefined) requireOwner(context, extension);
    return extension;
  }
  if (node.object === 'statistics') {
    const statistics = findStatistics(context, name);
    if (statistics !== undefined) requireOwner(context, statistics);
    return statistics;
  }
  if (node.object === 'operator') {
    const operator = findOperator(context, target);
    if (operator !== undefined) requireOwner(context, operator);
    return operator;
  }
  if (node.object === 'cast') {
    const cast = findCastNamed(context, target);
    if (cast !== undefined) requireCastOwner(context, cast);
    return cast;
  }
  if (isRoutineWord(node.object)) {
    const routine = findRoutine(context, target);
    if (routine === undefined) return undefined;
    if (node.object === 'function' && routine.routine === 'aggregate')
      throw new PhantomError('42809', `"${routine.name}" is an aggregate function`, {
        hint: 'Use DROP AGGREGATE to drop aggregate functions.',
      });
    requireOwner(context, routine);
    return routine;
  }
  if (!RELATION_KINDS.has(node.object)) throw unsupportedError(`DROP ${node.object.toUpperCase()}`);
  const relation = findRelation(context, name);
  if (relation === undefined) return undefined;
  if (relation.kind === 'virtual')
    throw new PhantomError('42501', `permission denied: "${relation.name}" is a system catalog`);
  const kind = relation.kind === 'table' && relation.materialized !== undefined ? 'materialized view' : relation.kind;
  // A collection is a table, and may be dropped as either.
  const isCollection = node.object === 'collection' && relation.kind === 'table' && relation.collection !== undefined;
  if (kind !== node.object && !isCollection) {
    throw new PhantomError(
      '42809',
      `"${relation.name}" is not ${node.object === 'index' ? 'an' : 'a'} ${node.object}`,
      {
        hint: `Use DROP ${kind.toUpperCase()} to remove ${kind === 'index' ? 'an' : 'a'} ${kind}.`,
      },
    );
  }
  requireOwner(context, relation);
  return relation;
}

function missing(node: Drop, name: string, position: number): PhantomError {
  const code =
    node.object === 'schema'
      ? '3F000'
      : ['table', 'view', 'sequence', 'materialized view', 'collection'].includes(node.object)
        ? '42P01'
        : '42704';
  return new PhantomError(code, `${node.object} "${name}" does not exist`, { position: position + 1 });
}

/** An index that a constraint stands on goes with the constraint. */
function refuseConstraintIndex(context: DdlContext, oid: Oid): void {
  const index = context.objects.object(oid);
  const table = index?.kind === 'index' ? context.objects.object(index.tableOid) : undefined;
  if (table?.kind !== 'table') return;
  const standing = table.constraints.find((constraint) => 'indexOid' in constraint && constraint.indexOid === oid);
  if (standing === undefined) return;
  throw new PhantomError(
    '2BP01',
    `cannot drop index ${index?.name} because constraint ${standing.name} on table ${table.name} requires it`,
    { hint: `You can drop constraint ${standing.name} on table ${table.name} instead.` },
  );
}

/** Removes objects and what depends on them; 2BP01 when RESTRICT forbids it. */
export function* dropAll(context: DdlContext, roots: readonly ObjectDescriptor[], cascade: boolean): Step<void> {
  yield* dropItems(
    context,
    roots.map((root) => ({ kind: 'object', oid: root.oid })),
    cascade,
  );
}

function* dropItems(context: DdlContext, roots: readonly Going[], cascade: boolean): Step<void> {
  let plan = planDrop(context, roots, cascade);
  // What goes from a whole goes from its partitions, and which these are is known under their locks.
  if (yield* lockTables(context, plan.items)) plan = planDrop(context, roots, cascade);
  const { items, cascaded } = plan;
  tellCascade(context, cascaded);
  const going = new Set<Oid>();
  for (const item of items) if (item.kind === 'object') going.add(item.oid);
  const rank = (item: Going): number => ['default', 'references', 'constraint', 'column', 'object'].indexOf(item.kind);
  // Parts before wholes: a foreign key must be gone before the table it refers to, a column before its type.
  for (const item of items.toSorted((a, b) => rank(a) - rank(b))) yield* removeItem(context, item, going);
}

/** Locks the tables whose descriptors change with what goes; true where some have partitions, which are locked as well. */
function* lockTables(context: DdlContext, items: readonly Going[]): Step<boolean> {
  let hasPartitions = false;
  for (const { oid } of items) {
    const object = context.objects.object(oid);
    const isPart = object?.kind === 'index' || object?.kind === 'trigger' || object?.kind === 'rule';
    const found = isPart ? context.objects.object(object.tableOid) : object;
    if (object !== undefined && found === object) yield* lockAbove(context, object);
    if (found?.kind !== 'table' || (found === object && found.partitioned === undefined)) continue;
    const table = yield* lockForChange(context, found);
    if (table?.partitioned === undefined) continue;
    hasPartitions = true;
    yield* lockPartitions(context, table);
  }
  return hasPartitions;
}

/** Locks the table that a table is a partition of, before that is locked: whoever changes the whole has the locks in this order. */
function* lockAbove(context: DdlContext, object: ObjectDescriptor): Step<void> {
  const oid = object.kind === 'table' ? object.partition?.parentOid : undefined;
  if (oid !== undefined) yield* lockForChange(context, context.objects.object(oid) as TableDescriptor);
}

/** CASCADE says what it takes along. */
function tellCascade(context: DdlContext, cascaded: readonly string[]): void {
  if (cascaded.length === 1) context.notice('NOTICE', '00000', `drop cascades to ${cascaded[0]}`);
  else if (cascaded.length > 1) {
    context.notice('NOTICE', '00000', `drop cascades to ${cascaded.length} other objects`, {
      detail: cascaded.map((name) => `drop cascades to ${name}`).join('\n'),
    });
  }
}

function* removeItem(context: DdlContext, item: Going, going: ReadonlySet<Oid>): Step<void> {
  const found = context.objects.object(item.oid);
  if (found === undefined) return;
  if (item.kind === 'object') return yield* removeObject(context, found, going);
  const object = yield* lockForChange(context, found);
  if (object === undefined) return;
  if (item.kind === 'constraint') {
    yield* removeConstraint(context, item.oid, item.constraint);
    if (object.kind === 'table') yield* recountBelow(context, object);
    return;
  }
  if (item.kind === 'references') return removeReferences(context, object, item.targetOid);
  if (object.kind === 'type') {
    const { definition } = object;
    if (definition.kind !== 'composite') return;
    // Numbers are places, which others still name in this same DROP: the field goes, the rest is told by name.
    const name = definition.fields[item.number - 1]?.name;
    const fields = definition.fields.filter((field) => field.name !== name);
    context.objects.put({ ...object, definition: { ...definition, fields } });
    return;
  }
  if (object.kind !== 'table') return;
  const column = object.columns.find((candidate) => candidate.number === item.number);
  if (column === undefined || column.dropped) return;
  if (item.kind === 'column') {
    yield* eraseColumn(context, object, column);
    return yield* recountBelow(context, object);
  }
  const { defaultSql: _default, sequenceOid: _sequence, ...rest } = column;
  const columns = object.columns.map((candidate): ColumnDescriptor => (candidate === column ? rest : candidate));
  context.objects.put({ ...object, columns, schemaVersion: object.schemaVersion + 1 });
}

/** What those that inherit from a table have of it, now that a part of it has gone. */
function* recountBelow(context: DdlContext, before: TableDescriptor): Step<void> {
  for (const heir of heirsOf(before, context.objects)) {
    yield* lockForChange(context, heir);
    recount(context, heir.oid, before);
  }
}

/** From now on documents may refer to what is not there: the schema's x-ref says so no more than a comment. */
function removeReferences({ objects }: DdlContext, object: ObjectDescriptor, targetOid: Oid): void {
  if (object.kind !== 'table' || object.collection === undefined) return;
  const { references = [], rowReferences = [], ...collection } = object.collection;
  const documents = references.filter((reference) => reference.collectionOid !== targetOid);
  const rows = rowReferences.filter((reference) => reference.tableOid !== targetOid);
  objects.put({
    ...object,
    collection: {
      ...collection,
      ...(documents.length === 0 ? {} : { references: documents }),
      ...(rows.length === 0 ? {} : { rowReferences: rows }),
    },
    schemaVersion: object.schemaVersion + 1,
  });
  for (const dependency of Array.from(objects.dependenciesOf(object.oid))) {
    if (dependency.referencedOid === targetOid) objects.removeDependency(dependency);
  }
}

function* removeObject(context: DdlContext, found: ObjectDescriptor, going: ReadonlySet<Oid>): Step<void> {
  const { objects } = context;
  const object = yield* lockForChange(context, found);
  if (object === undefined) return;
  if (object.kind === 'table') {
    yield* refuseWhileInUse(context, object, 'DROP TABLE');
    const parentOid = object.partition?.parentOid;
    if (parentOid !== undefined && !going.has(parentOid)) yield* leavePartitioned(context, parentOid);
    for (const above of object.parentOids ?? []) if (!going.has(above)) yield* leaveParent(context, object.oid, above);
    yield* leaveHeirs(context, object.oid, going);
    context.transaction.removeRange(spaceRange(object.space));
    objects.remove(object.rowTypeOid);
  } else if (object.kind === 'index') {
    const table = objects.object(object.tableOid);
    if (table?.kind !== 'table' || object.space !== table.space)
      context.transaction.removeRange(spaceRange(object.space));
    if (table?.kind === 'table' && !going.has(table.oid)) {
      const indexOids = table.indexOids.filter((oid) => oid !== object.oid);
      objects.put({ ...table, indexOids, schemaVersion: table.schemaVersion + 1 });
    }
  } else if (object.kind === 'view') {
    objects.remove(object.rowTypeOid);
  } else if (object.kind === 'sequence') {
    removeSequence(context, object);
    return;
  } else if (object.kind === 'trigger') {
    forgetTrigger(context, object);
  } else if (object.kind === 'rule') {
    forgetRule(context, object);
  } else if (object.kind === 'policy') {
    forgetPolicy(context, object);
  } else if (object.kind === 'operator') {
    forgetOperator(context, object);
  } else if (object.kind === 'schema') {
    forgetSchemaRights(context, object.oid);
  }
  forgetObject(context, object.oid);
}

/** Tables that have come to inherit from one since it was found what goes with it stay, by themselves. */
function* leaveHeirs(context: DdlContext, oid: Oid, going: ReadonlySet<Oid>): Step<void> {
  const table = context.objects.object(oid);
  if (table?.kind !== 'table') return;
  for (const found of heirsOf(table, context.objects)) {
    const heir = going.has(found.oid) ? undefined : yield* lockForChange(context, found);
    if (heir !== undefined) loseParent(context, heir, table);
  }
}

/** The table that a partition was one of: its writers are waited for, and its plans made anew. */
function* leavePartitioned(context: DdlContext, oid: Oid): Step<void> {
  const parent = context.objects.object(oid);
  if (parent?.kind !== 'table') return;
  yield* lockForChange(context, parent);
  renew(context, oid);
}

/** Default privileges in a schema go with it. */
function forgetSchemaRights(context: DdlContext, schemaOid: Oid): void {
  for (const role of Array.from(context.objects.objects())) {
    if (role.kind !== 'role' || role.defaultPrivileges === undefined) continue;
    const left = role.defaultPrivileges.filter((entry) => entry.schemaOid !== schemaOid);
    if (left.length < role.defaultPrivileges.length) context.objects.put({ ...role, defaultPrivileges: left });
  }
}

/** Takes a sequence away, with its state. */
export function removeSequence(context: DdlContext, sequence: SequenceDescriptor): void {
  const oid = stateOid(sequence);
  const key = context.catalog.keys.sequence(oid);
  context.transaction.remove(key, 0, key.length);
  context.onEnd((committed) => {
    if (committed) context.catalog.sequences.forget(oid);
  });
  forgetObject(context, sequence.oid);
}

export function* dropColumn(
  context: DdlContext,
  table: TableDescriptor,
  action: Extract<AlterTableAction, { kind: 'drop-column' }>,
): Step<void> {
  const column = table.columns.find((candidate) => candidate.name === action.name.text && !candidate.dropped);
  if (column === undefined) {
    if (!action.ifExists) columnOf(table, action.name);
    const message = `column "${action.name.text}" of relation "${table.name}" does not exist, skipping`;
    return context.notice('NOTICE', '00000', message);
  }
  yield* dropItems(context, [{ kind: 'column', oid: table.oid, number: column.number }], action.cascade);
}

export function* dropConstraint(
  context: DdlContext,
  table: TableDescriptor,
  action: Extract<AlterTableAction, { kind: 'drop-constraint' }>,
): Step<void> {
  const constraint = table.constraints.find((candidate) => candidate.name === action.name.text);
  if (constraint === undefined) {
    const message = `constraint "${action.name.text}" of relation "${table.name}" does not exist`;
    if (!action.ifExists) throw new PhantomError('42704', message);
    return context.notice('NOTICE', '00000', `${message}, skipping`);
  }
  yield* dropItems(context, [{ kind: 'constraint', oid: table.oid, constraint }], action.cascade);
}

/** Takes a constraint off its table, with the index it stands on; rows keyed by it get hidden numbers for keys. */
function* removeConstraint(context: DdlContext, tableOid: Oid, constraint: ConstraintDescriptor): Step<void> {
  const { objects } = context;
  const table = objects.object(tableOid);
  if (table?.kind !== 'table') return;
  const left = table.constraints.filter((candidate) => candidate.oid !== constraint.oid);
  const indexOid = 'indexOid' in constraint ? constraint.indexOid : undefined;
  const index = indexOid === undefined ? undefined : objects.object(indexOid);
  const changed: TableDescriptor = {
    ...table,
    constraints: left,
    indexOids: table.indexOids.filter((oid) => oid !== indexOid),
    schemaVersion: table.schemaVersion + 1,
  };
  if (index?.kind === 'index') {
    const keysRows = index.space === table.space;
    forgetObject(context, index.oid);
    if (keysRows) {
      yield* rewriteTable(context, table, { ...changed, keyColumns: [] }, (row) => row.slice(0, table.columns.length));
      return;
    }
    context.transaction.removeRange(spaceRange(index.space));
  }
  objects.put(changed);
  if (constraint.kind !== 'foreign key') return;
  const parentOid = constraint.referencedTableOid;
  if (left.some((other) => other.kind === 'foreign key' && other.referencedTableOid === parentOid)) return;
  // The same entry says that it is a partition of that table.
  if (table.partition?.parentOid === parentOid) return;
  for (const dependency of Array.from(objects.dependenciesOf(tableOid))) {
    if (dependency.referencedOid === parentOid) objects.removeDependency(dependency);
  }
}
