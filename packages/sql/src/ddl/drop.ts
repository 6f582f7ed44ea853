/**
 * DROP and TRUNCATE. What goes is found first, with everything that depends on it; RESTRICT refuses when something would go
 * that was not named, CASCADE takes it along. Rows go by one range removal per space, unread.
 */
import { PhantomError, unsupportedError } from '@phantom/base';
import {
  type ColumnDescriptor,
  type ConstraintDescriptor,
  type ObjectDescriptor,
  type Oid,
  type TableDescriptor,
} from '@phantom/catalog';
import { spaceRange } from '@phantom/kv';
import type { Yielded } from '../exec/runtime.js';
import { incomingKeys } from '../storage/table-rules.js';
import type { Drop, Truncate } from '../text/ast-schema.js';
import type { DdlContext, DdlExecution } from './context.js';
import { findRelation, findSchema, lockForChange, ownTable, requireOwner, splitName } from './names.js';

type Step<T> = Generator<Yielded, T, void>;

const RELATION_KINDS: Readonly<Record<string, string>> = {
  table: 'table',
  view: 'view',
  index: 'index',
  sequence: 'sequence',
};

export function* drop(context: DdlContext, node: Drop): DdlExecution {
  if (node.concurrently) throw unsupportedError('DROP INDEX CONCURRENTLY');
  const roots: ObjectDescriptor[] = [];
  for (const target of node.objects) {
    const object = findDropped(context, node, target.name);
    if (object === undefined) {
      if (!node.ifExists) throw missing(node, target.name.map((part) => part.text).join('.'), target.position);
      context.notice(
        'NOTICE',
        '00000',
        `${node.object} "${target.name.map((part) => part.text).join('.')}" does not exist, skipping`,
      );
      continue;
    }
    const locked = yield* lockForChange<ObjectDescriptor>(context, object);
    if (locked !== undefined) roots.push(locked);
  }
  yield* dropAll(context, roots, node.cascade);
  return undefined;
}

function findDropped(
  context: DdlContext,
  node: Drop,
  name: Drop['objects'][number]['name'],
): ObjectDescriptor | undefined {
  if (node.object === 'schema') {
    const schema = findSchema(context, name[0]?.text as string);
    if (schema !== undefined) requireOwner(context, schema);
    return schema;
  }
  if (node.object === 'type' || node.object === 'domain') {
    const target = splitName(name, context.picture.databaseName);
    const type = context.picture.typeNamed(
      target.schema === undefined ? { name: target.name } : { schema: target.schema, name: target.name },
    );
    const object = type === undefined ? undefined : context.objects.object(type.oid);
    if (object?.kind === 'type') requireOwner(context, object);
    return object;
  }
  const wanted = RELATION_KINDS[node.object];
  if (wanted === undefined) throw unsupportedError(`DROP ${node.object.toUpperCase()}`);
  const relation = findRelation(context, name);
  if (relation === undefined) return undefined;
  if (relation.kind === 'virtual')
    throw new PhantomError('42501', `permission denied: "${relation.name}" is a system catalog`);
  if (relation.kind !== wanted) {
    throw new PhantomError('42809', `"${relation.name}" is not ${wanted === 'index' ? 'an' : 'a'} ${wanted}`, {
      hint: `Use DROP ${relation.kind.toUpperCase()} to remove ${relation.kind === 'index' ? 'an' : 'a'} ${relation.kind}.`,
    });
  }
  requireOwner(context, relation);
  return relation;
}

function missing(node: Drop, name: string, position: number): PhantomError {
  const code =
    node.object === 'schema'
      ? '3F000'
      : node.object === 'table' || node.object === 'view' || node.object === 'sequence'
        ? '42P01'
        : '42704';
  return new PhantomError(code, `${node.object} "${name}" does not exist`, { position: position + 1 });
}

/** Removes objects and what depends on them; 2BP01 when RESTRICT forbids it. */
export function* dropAll(context: DdlContext, roots: readonly ObjectDescriptor[], cascade: boolean): Step<void> {
  const going = new Map<Oid, ObjectDescriptor>(roots.map((root) => [root.oid, root]));
  const foreignKeys: { child: TableDescriptor; constraint: ConstraintDescriptor }[] = [];
  const refused: string[] = [];
  const pending = [...roots];
  for (let object = pending.pop(); object !== undefined; object = pending.pop()) {
    if (object.kind === 'schema') {
      for (const member of context.objects.objectsIn(object.oid)) {
        if (isRowType(member) || going.has(member.oid)) continue;
        if (!cascade) refused.push(`${member.kind} ${member.name} depends on schema ${object.name}`);
        going.set(member.oid, member);
        pending.push(member);
      }
      continue;
    }
    for (const dependency of context.objects.dependentsOf(object.oid)) {
      if (going.has(dependency.dependentOid) || dependency.dependentOid === object.oid) continue;
      const dependent = context.objects.object(dependency.dependentOid);
      if (dependent === undefined) continue;
      if (dependency.strength === 'normal' && dependent.kind === 'table' && object.kind === 'table') {
        for (const key of dependent.constraints) {
          if (key.kind !== 'foreign key' || key.referencedTableOid !== object.oid) continue;
          if (!cascade)
            refused.push(`constraint ${key.name} on table ${dependent.name} depends on table ${object.name}`);
          foreignKeys.push({ child: dependent, constraint: key });
        }
        continue;
      }
      if (dependency.strength === 'normal' && !cascade) {
        refused.push(`${dependent.kind} ${dependent.name} depends on ${object.kind} ${object.name}`);
      }
      going.set(dependent.oid, dependent);
      pending.push(dependent);
    }
  }
  if (refused.length > 0) {
    const first = roots[0] as ObjectDescriptor & { name: string };
    throw new PhantomError('2BP01', `cannot drop ${first.kind} ${first.name} because other objects depend on it`, {
      detail: refused.join('\n'),
      hint: 'Use DROP ... CASCADE to drop the dependent objects too.',
    });
  }
  if (cascade) tellCascade(context, roots, going, foreignKeys);
  for (const { child, constraint } of foreignKeys) {
    if (!going.has(child.oid)) yield* removeConstraint(context, child.oid, constraint);
  }
  for (const object of going.values()) yield* removeObject(context, object, going);
}

/** CASCADE says what it takes along; what would go silently anyway (a table's own indexes and sequences) is not named. */
function tellCascade(
  context: DdlContext,
  roots: readonly ObjectDescriptor[],
  going: ReadonlyMap<Oid, ObjectDescriptor>,
  foreignKeys: readonly { child: TableDescriptor; constraint: ConstraintDescriptor }[],
): void {
  const named: string[] = [];
  for (const object of going.values()) {
    if (roots.some((root) => root.oid === object.oid) || object.kind === 'index') continue;
    if (object.kind === 'sequence' && object.ownedBy !== undefined && going.has(object.ownedBy.tableOid)) continue;
    named.push(`${object.kind} ${object.name}`);
  }
  for (const { child, constraint } of foreignKeys) {
    if (!going.has(child.oid)) named.push(`constraint ${constraint.name} on table ${child.name}`);
  }
  if (named.length === 1) context.notice('NOTICE', '00000', `drop cascades to ${named[0]}`);
  else if (named.length > 1) {
    context.notice('NOTICE', '00000', `drop cascades to ${named.length} other objects`, {
      detail: named.map((name) => `drop cascades to ${name}`).join('\n'),
    });
  }
}

function isRowType(object: ObjectDescriptor): boolean {
  return (
    object.kind === 'type' && object.definition.kind === 'composite' && object.definition.relationOid !== undefined
  );
}

function* removeObject(
  context: DdlContext,
  object: ObjectDescriptor,
  going: ReadonlyMap<Oid, ObjectDescriptor>,
): Step<void> {
  const { objects } = context;
  if (objects.object(object.oid) === undefined) return;
  yield* lockForChange(context, object);
  if (object.kind === 'table') {
    context.transaction.removeRange(spaceRange(object.space));
    objects.remove(object.rowTypeOid);
  } else if (object.kind === 'index') {
    const table = objects.object(object.tableOid);
    if (table?.kind === 'table') {
      if (object.space !== table.space) context.transaction.removeRange(spaceRange(object.space));
      if (!going.has(table.oid)) forgetIndex(context, table, object.oid);
    }
  } else if (object.kind === 'view') {
    objects.remove(object.rowTypeOid);
  } else if (object.kind === 'sequence') {
    const key = context.catalog.keys.sequence(object.oid);
    context.transaction.remove(key, 0, key.length);
    context.onEnd((committed) => {
      if (committed) context.catalog.sequences.forget(object.oid);
    });
    forgetDefaults(context, object.oid, going);
  }
  for (const dependency of [...objects.dependenciesOf(object.oid), ...objects.dependentsOf(object.oid)])
    objects.removeDependency(dependency);
  objects.remove(object.oid);
}

function forgetIndex(context: DdlContext, table: TableDescriptor, indexOid: Oid): void {
  const standing = table.constraints.find((constraint) => 'indexOid' in constraint && constraint.indexOid === indexOid);
  if (standing !== undefined) {
    throw new PhantomError(
      '2BP01',
      `cannot drop index ${standing.name} because constraint ${standing.name} on table ${table.name} requires it`,
      {
        hint: `You can drop constraint ${standing.name} on table ${table.name} instead.`,
      },
    );
  }
  context.objects.put({
    ...table,
    indexOids: table.indexOids.filter((oid) => oid !== indexOid),
    schemaVersion: table.schemaVersion + 1,
  });
}

/** A dropped sequence leaves the columns that drew from it without a default. */
function forgetDefaults(context: DdlContext, sequenceOid: Oid, going: ReadonlyMap<Oid, ObjectDescriptor>): void {
  const sequence = context.objects.object(sequenceOid);
  if (sequence?.kind !== 'sequence' || sequence.ownedBy === undefined || going.has(sequence.ownedBy.tableOid)) return;
  const table = context.objects.object(sequence.ownedBy.tableOid);
  if (table?.kind !== 'table') return;
  const columns = table.columns.map((column) =>
    column.sequenceOid === sequenceOid ? withoutSequence(column) : column,
  );
  context.objects.put({ ...table, columns, schemaVersion: table.schemaVersion + 1 });
}

function withoutSequence(column: ColumnDescriptor): ColumnDescriptor {
  const { sequenceOid: _sequence, defaultSql: _default, identity: _identity, ...rest } = column;
  return rest;
}

/** Takes a constraint off its table, with the index it stands on. */
export function* removeConstraint(context: DdlContext, tableOid: Oid, constraint: ConstraintDescriptor): Step<void> {
  const { objects } = context;
  const found = objects.object(tableOid);
  if (found?.kind !== 'table') return;
  const table = yield* lockForChange(context, found);
  if (table === undefined) return;
  const left = table.constraints.filter((candidate) => candidate.oid !== constraint.oid);
  const indexOid = 'indexOid' in constraint ? constraint.indexOid : undefined;
  const index = indexOid === undefined ? undefined : objects.object(indexOid);
  objects.put({
    ...table,
    constraints: left,
    indexOids: table.indexOids.filter((oid) => oid !== indexOid),
    schemaVersion: table.schemaVersion + 1,
  });
  if (index?.kind === 'index') {
    if (index.space === table.space) throw unsupportedError('dropping the primary key that a table was made with');
    context.transaction.removeRange(spaceRange(index.space));
    for (const dependency of Array.from(objects.dependenciesOf(index.oid))) objects.removeDependency(dependency);
    objects.remove(index.oid);
  }
  if (constraint.kind === 'foreign key') {
    const others = left.some(
      (candidate) => candidate.kind === 'foreign key' && candidate.referencedTableOid === constraint.referencedTableOid,
    );
    if (others) return;
    for (const dependency of Array.from(objects.dependenciesOf(tableOid))) {
      if (dependency.referencedOid === constraint.referencedTableOid) objects.removeDependency(dependency);
    }
  }
}

export function* truncate(context: DdlContext, node: Truncate): DdlExecution {
  const tables = new Map<Oid, TableDescriptor>();
  const pending = node.tables.map(({ name }) => ownTable(context, name));
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (tables.has(next.oid)) continue;
    const table = yield* lockForChange(context, next);
    if (table === undefined) continue;
    tables.set(table.oid, table);
    if (node.cascade) for (const key of incomingKeys(table, context.objects)) pending.push(key.child);
  }
  for (const table of tables.values()) {
    const blocker = incomingKeys(table, context.objects).find((key) => !tables.has(key.child.oid));
    if (blocker !== undefined) {
      throw new PhantomError('0A000', 'cannot truncate a table referenced in a foreign key constraint', {
        detail: `Table "${blocker.child.name}" references "${table.name}".`,
        hint: `Truncate table "${blocker.child.name}" at the same time, or use TRUNCATE ... CASCADE.`,
      });
    }
  }
  for (const table of tables.values()) truncateTable(context, table, node.restartIdentity);
  return undefined;
}

/** Gives a table and its indexes fresh, empty spaces: the old ones go by range removal, so nothing is read. */
function truncateTable(context: DdlContext, table: TableDescriptor, restartIdentity: boolean): void {
  context.transaction.removeRange(spaceRange(table.space));
  const space = context.storage.allocateSpace(table.engine);
  for (const oid of table.indexOids) {
    const index = context.objects.object(oid);
    if (index?.kind !== 'index') continue;
    if (index.space === table.space) {
      context.objects.put({ ...index, space });
    } else {
      context.transaction.removeRange(spaceRange(index.space));
      context.objects.put({ ...index, space: context.storage.allocateSpace(table.engine) });
    }
  }
  context.objects.put({ ...table, space, schemaVersion: table.schemaVersion + 1 });
  if (!restartIdentity) return;
  for (const column of table.columns) {
    const sequence = column.sequenceOid === undefined ? undefined : context.objects.object(column.sequenceOid);
    if (sequence?.kind !== 'sequence') continue;
    context.onEnd((committed) => {
      if (committed) context.catalog.sequences.set(sequence, BigInt(sequence.start), false);
    });
  }
}
