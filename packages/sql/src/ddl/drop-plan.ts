/**
 * What a DROP takes along. Objects, columns, constraints and defaults hang on each other; what hangs on something silently
 * (a table's indexes) goes with it, what stands on it in its own right (a view on a table) goes with CASCADE alone.
 *
 *   schema      its relations and types
 *   table       indexes, policies and own sequences (silently); views, foreign keys and policies of others
 *   collection  likewise; references of others
 *   column      indexes, constraints of the table, own sequences (silently); views, generated columns, foreign keys of others
 *   key         its index (silently); foreign keys, references of documents and views that group by it that stand on it
 *   index       foreign keys and references of documents that stand on it
 *   type        columns and attributes of it, domains over it
 *   sequence    defaults that draw from it
 *   extension   its types and functions (silently), with what stands on them
 */
import { PhantomError } from '@phantom/base';
import type {
  ConstraintDescriptor,
  Dependency,
  IndexDescriptor,
  ObjectDescriptor,
  Oid,
  TableDescriptor,
  TriggerDescriptor,
} from '@phantom/catalog';
import { heirsOf } from '../storage/inheritance/table-tree.js';
import { partitionsOf } from '../storage/partitions/partitioning.js';
import { incomingDocuments, incomingKeys, keysOfRows, refersByDocuments } from '../storage/table-rules.js';
import { columnsIn } from './alter-columns.js';
import type { DdlContext } from './context.js';
import { usersOfOperator, usersOfRoutine, usersOfType } from './routines/routine-users.js';
import { partitionKeyColumns } from './partitions/partition-key-columns.js';
import { castText, operatorText } from './operator-texts.js';
import { routineText } from './routines/routine-names.js';
import { triggersOnColumn } from './triggers/trigger-names.js';

/** One thing that goes. */
export type Going =
  | { readonly kind: 'object'; readonly oid: Oid }
  /** Of a table, or an attribute of a composite type. */
  | { readonly kind: 'column'; readonly oid: Oid; readonly number: number }
  | { readonly kind: 'constraint'; readonly oid: Oid; readonly constraint: ConstraintDescriptor }
  /** What the documents of a collection hold of those of another, or of the rows of a table. */
  | { readonly kind: 'references'; readonly oid: Oid; readonly targetOid: Oid }
  | { readonly kind: 'default'; readonly oid: Oid; readonly number: number };

export interface DropPlan {
  /** In the order in which they were found: what depends comes after what it depends on. */
  readonly items: readonly Going[];
  /** Words for what goes by CASCADE. */
  readonly cascaded: readonly string[];
}

interface Edge {
  readonly item: Going;
  /** It goes without being asked for. */
  readonly silent: boolean;
  /** Raised instead of letting it go: it cannot be without what it stands on. */
  readonly refusal?: () => PhantomError;
}

function keyOf(item: Going): string {
  switch (item.kind) {
    case 'object':
      return `o${item.oid}`;
    case 'constraint':
      return `k${item.constraint.oid}`;
    case 'references':
      return `r${item.oid}.${item.targetOid}`;
    default:
      return `${item.kind[0]}${item.oid}.${item.number}`;
  }
}

/** Everything that goes with the roots; 2BP01 when RESTRICT keeps something that would have to go. */
export function planDrop(context: DdlContext, roots: readonly Going[], cascade: boolean): DropPlan {
  const found = new Map<string, Going>();
  for (const root of roots) found.set(keyOf(root), root);
  const asked: { readonly item: Going; readonly of: Going }[] = [];
  const pending = [...roots];
  for (let item = pending.shift(); item !== undefined; item = pending.shift()) {
    for (const edge of dependentsOf(context, item, found)) {
      const key = keyOf(edge.item);
      if (found.has(key) || isInside(edge.item, found)) continue;
      if (edge.refusal !== undefined) throw edge.refusal();
      found.set(key, edge.item);
      pending.push(edge.item);
      if (edge.silent) continue;
      asked.push({ item: edge.item, of: item });
    }
  }
  // A whole may have been found after its part.
  const told = asked.filter(({ item }) => !isInside(item, found) && !isRuleInside(context, item, found));
  const cascaded = told.map(({ item }) => describe(context, item));
  const refused = told.map(({ item, of }) => `${describe(context, item)} depends on ${describe(context, of)}`);
  refuseRequired(context, found);
  if (refused.length > 0 && !cascade) {
    const what = roots.length === 1 ? describe(context, roots[0] as Going) : 'desired object(s)';
    throw new PhantomError('2BP01', `cannot drop ${what} because other objects depend on it`, {
      detail: refused.join('\n'),
      hint: 'Use DROP ... CASCADE to drop the dependent objects too.',
    });
  }
  return { items: [...found.values()], cascaded };
}

/** A part of something that goes as a whole. */
function isInside(item: Going, found: ReadonlyMap<string, Going>): boolean {
  if (item.kind === 'object') return false;
  return found.has(`o${item.oid}`) || (item.kind === 'default' && found.has(`c${item.oid}.${item.number}`));
}

/** A rule goes with its relation, whatever else it stands on. */
function isRuleInside({ objects }: DdlContext, item: Going, found: ReadonlyMap<string, Going>): boolean {
  const rule = item.kind === 'object' ? objects.object(item.oid) : undefined;
  return rule?.kind === 'rule' && found.has(`o${rule.tableOid}`);
}

/** Words for an item, as PostgreSQL has them. */
export function describe(context: DdlContext, item: Going): string {
  const object = context.objects.object(item.oid) as ObjectDescriptor;
  const word = wordOf(object);
  switch (item.kind) {
    case 'object':
      if (object.kind === 'policy' || object.kind === 'trigger' || object.kind === 'rule')
        return `${word} ${object.name} on ${relationText(context, object.tableOid)}`;
      if (object.kind === 'routine') return `${word} ${routineText(context, object)}`;
      if (object.kind === 'operator') return `${word} ${operatorText(context, object)}`;
      if (object.kind === 'cast') return `${word} ${castText(context, object)}`;
      return `${word} ${object.name}`;
    case 'constraint':
      return `constraint ${item.constraint.name} on table ${object.name}`;
    case 'references':
      return `references of collection ${object.name}`;
    default: {
      const name = columnName(object, item.number);
      return `${item.kind === 'default' ? 'default value for column' : 'column'} ${name} of ${word} ${object.name}`;
    }
  }
}

/** What an object is called in messages. */
export function wordOf(object: ObjectDescriptor): string {
  if (object.kind === 'table' && object.materialized !== undefined) return 'materialized view';
  if (object.kind === 'type' && object.definition.kind === 'composite') return 'composite type';
  if (object.kind === 'routine') return object.routine === 'procedure' ? 'procedure' : 'function';
  return object.kind === 'statistics' ? 'statistics object' : object.kind;
}

function columnName(object: ObjectDescriptor, number: number): string {
  if (object.kind === 'table') return object.columns.find((column) => column.number === number)?.name ?? '';
  if (object.kind === 'type' && object.definition.kind === 'composite')
    return object.definition.fields[number - 1]?.name ?? '';
  return '';
}

function* dependentsOf(context: DdlContext, item: Going, found: ReadonlyMap<string, Going>): Iterable<Edge> {
  switch (item.kind) {
    case 'object':
      yield* dependentsOfObject(context, context.objects.object(item.oid) as ObjectDescriptor);
      return;
    case 'column':
      yield* columnsBelow(context, item.oid, item.number, found);
      yield* dependentsOfColumn(context, item.oid, item.number);
      return;
    case 'constraint':
      yield* checksBelow(context, item.oid, item.constraint, found);
      yield* dependentsOfKey(context, item.oid, item.constraint);
      return;
    default:
      return;
  }
}

function* dependentsOfObject(context: DdlContext, object: ObjectDescriptor): Iterable<Edge> {
  if (object.kind === 'schema') {
    for (const member of context.objects.objectsIn(object.oid)) {
      if (!goesAlong(context, member)) yield { item: { kind: 'object', oid: member.oid }, silent: false };
    }
  }
  if (object.kind === 'sequence') yield* defaultsFrom(context, object.oid);
  if (object.kind === 'index') {
    yield* standingOn(context, object.tableOid, object.oid);
    for (const index of partitionIndexes(context, object.tableOid, object.oid))
      yield { item: { kind: 'object', oid: index.oid }, silent: true };
  }
  if (object.kind === 'operator') for (const item of usersOfOperator(context, object)) yield { item, silent: false };
  if (object.kind === 'routine') for (const item of usersOfRoutine(context, object)) yield { item, silent: false };
  for (const dependency of context.objects.dependentsOf(object.oid)) yield* edgeOf(context, object, dependency);
  if (object.kind === 'type') for (const item of usersOfType(context, object)) yield { item, silent: false };
  if (object.kind === 'table')
    for (const heir of heirsOf(object, context.objects))
      yield { item: { kind: 'object', oid: heir.oid }, silent: false };
  if (object.kind === 'table' && object.partition !== undefined) {
    for (const { child, constraint } of keysOfRows(object, context.objects))
      yield { item: { kind: 'constraint', oid: child.oid, constraint }, silent: false };
  }
  // The row type of a relation may have users of its own.
  if (object.kind === 'table' || object.kind === 'view') {
    const rowType = context.objects.object(object.rowTypeOid);
    if (rowType !== undefined) {
      for (const dependency of context.objects.dependentsOf(rowType.oid)) yield* edgeOf(context, rowType, dependency);
    }
  }
}

/** Row types, indexes, sequences of columns, members of extensions and statistics of a table that goes too go with what they belong to. */
function goesAlong(context: DdlContext, object: ObjectDescriptor): boolean {
  if ('extensionOid' in object && object.extensionOid !== undefined) return true;
  if (object.kind === 'statistics') {
    const table = context.objects.object(object.tableOid);
    return table?.kind === 'table' && table.schemaOid === object.schemaOid;
  }

  if (object.kind === 'index' || (object.kind === 'sequence' && object.ownedBy !== undefined)) return true;
  return (
    object.kind === 'type' && object.definition.kind === 'composite' && object.definition.relationOid !== undefined
  );
}

function* edgeOf(context: DdlContext, object: ObjectDescriptor, dependency: Dependency): Iterable<Edge> {
  const dependent = context.objects.object(dependency.dependentOid);
  if (dependent === undefined || dependent.oid === object.oid) return;
  const silent =
    dependency.strength === 'automatic' ||
    ((dependent.kind === 'policy' || dependent.kind === 'rule') && dependent.tableOid === object.oid);
  if (dependent.kind === 'table' && dependent.partition?.parentOid === object.oid) {
    yield { item: { kind: 'object', oid: dependent.oid }, silent: true };
    return;
  }
  if (dependent.kind === 'table' && object.kind === 'table' && dependent.materialized === undefined) {
    for (const constraint of dependent.constraints) {
      if (constraint.kind !== 'foreign key' || constraint.referencedTableOid !== object.oid) continue;
      yield {
        item: { kind: 'constraint', oid: dependent.oid, constraint },
        silent: silent || constraint.parentOid !== undefined,
      };
    }
    if (refersByDocuments(dependent, object.oid))
      yield { item: { kind: 'references', oid: dependent.oid, targetOid: object.oid }, silent };
    return;
  }
  const isComposite = dependent.kind === 'type' && dependent.definition.kind === 'composite';
  const byPart = (dependent.kind === 'table' || isComposite) && dependency.dependentColumn > 0;
  if (object.kind === 'type' && byPart) {
    const owner =
      isComposite && dependent.definition.kind === 'composite' ? dependent.definition.relationOid : undefined;
    if (owner !== undefined) return;
    const { dependentColumn: number } = dependency;
    // Without its partition key a table could not be read any more.
    const isKey = dependent.kind === 'table' && partitionKeyColumns(context, dependent).includes(number);
    yield {
      item: isKey ? { kind: 'object', oid: dependent.oid } : { kind: 'column', oid: dependent.oid, number },
      silent,
    };
    return;
  }
  yield { item: { kind: 'object', oid: dependent.oid }, silent };
}

/** Columns whose default draws from a sequence. */
function* defaultsFrom(context: DdlContext, sequenceOid: Oid): Iterable<Edge> {
  const drawn = new RegExp(`(^|[^0-9])${sequenceOid}::regclass`);
  const sequence = context.objects.object(sequenceOid);
  for (const object of context.objects.objects()) {
    if (object.kind !== 'table') continue;
    for (const column of object.columns) {
      if (column.dropped || column.defaultSql === undefined || !drawn.test(column.defaultSql)) continue;
      yield { item: { kind: 'default', oid: object.oid, number: column.number }, silent: false };
    }
    const identity = object.columns.find(
      (column) => column.sequenceOid === sequenceOid && column.identity !== undefined,
    );
    if (identity === undefined) continue;
    yield {
      item: { kind: 'default', oid: object.oid, number: identity.number },
      silent: false,
      refusal: () =>
        new PhantomError(
          '2BP01',
          `cannot drop sequence ${sequence?.name} because column ${identity.name} of table ${object.name} requires it`,
          { hint: `You can drop column ${identity.name} of table ${object.name} instead.` },
        ),
    };
  }
}

function* dependentsOfColumn(context: DdlContext, oid: Oid, number: number): Iterable<Edge> {
  const table = context.objects.object(oid);
  if (table?.kind !== 'table') return;
  const name = columnName(table, number);
  for (const partition of partitionsOf(table, context.objects)) {
    const own = partition.columns.find((column) => !column.dropped && column.name === name);
    if (own !== undefined) yield { item: { kind: 'column', oid: partition.oid, number: own.number }, silent: true };
  }
  for (const constraint of table.constraints) {
    if (constraint.columns.includes(number)) yield { item: { kind: 'constraint', oid, constraint }, silent: true };
  }
  for (const key of incomingKeys(table, context.objects)) {
    if (!key.constraint.referencedColumns.includes(number)) continue;
    yield {
      item: { kind: 'constraint', oid: key.child.oid, constraint: key.constraint },
      silent: key.child.oid === oid || key.constraint.parentOid !== undefined,
    };
  }
  for (const { child, reference } of incomingDocuments(table, context.objects)) {
    if (reference.column === number)
      yield { item: { kind: 'references', oid: child.oid, targetOid: oid }, silent: false };
  }
  for (const indexOid of table.indexOids) {
    const index = context.objects.object(indexOid);
    if (index?.kind !== 'index') continue;
    const texts = [...index.parts.map((part) => part.expressionSql), index.predicateSql];
    const uses =
      index.parts.some((part) => part.column === number) ||
      index.include.includes(number) ||
      texts.some((sql) => sql !== undefined && columnsIn(context, table, sql).includes(number));
    const key = table.constraints.find((constraint) => 'indexOid' in constraint && constraint.indexOid === indexOid);
    // What it reads beside its columns takes an exclusion constraint with it, too.
    if (uses && key?.kind === 'exclusion' && !key.columns.includes(number))
      yield { item: { kind: 'constraint', oid, constraint: key }, silent: false };
    if (uses && key === undefined) yield { item: { kind: 'object', oid: indexOid }, silent: true };
  }
  for (const column of table.columns) {
    if (column.generated === undefined || column.dropped || column.number === number) continue;
    if (columnsIn(context, table, column.defaultSql as string).includes(number))
      yield { item: { kind: 'column', oid, number: column.number }, silent: false };
  }
  for (const trigger of triggersOnColumn(context, table, number))
    yield { item: { kind: 'object', oid: trigger.oid }, silent: trigger.parentOid !== undefined };
  for (const dependency of context.objects.dependentsOf(oid)) {
    if (dependency.referencedColumn !== number) continue;
    yield { item: { kind: 'object', oid: dependency.dependentOid }, silent: dependency.strength === 'automatic' };
  }
}

/** Columns of tables that inherit from one, where no other parent has them that stays. */
function* columnsBelow(
  { objects }: DdlContext,
  oid: Oid,
  number: number,
  found: ReadonlyMap<string, Going>,
): Iterable<Edge> {
  const table = objects.object(oid);
  if (table?.kind !== 'table') return;
  const name = columnName(table, number);
  const stays = (parent: TableDescriptor): boolean =>
    parent.columns.some(
      (column) => !column.dropped && column.name === name && !found.has(`c${parent.oid}.${column.number}`),
    );
  for (const heir of heirsOf(table, objects)) {
    const own = heir.columns.find((column) => !column.dropped && column.name === name);
    if (own?.isLocal !== false || parentsIn(objects, heir).some(stays)) continue;
    yield { item: { kind: 'column', oid: heir.oid, number: own.number }, silent: true };
  }
}

/** The same of checks. */
function* checksBelow(
  { objects }: DdlContext,
  oid: Oid,
  { kind, name }: ConstraintDescriptor,
  found: ReadonlyMap<string, Going>,
): Iterable<Edge> {
  const table = objects.object(oid);
  if (kind !== 'check' || table?.kind !== 'table') return;
  const stays = (parent: TableDescriptor): boolean =>
    parent.constraints.some((other) => other.name === name && !found.has(`k${other.oid}`));
  for (const heir of heirsOf(table, objects)) {
    const own = heir.constraints.find((constraint) => constraint.kind === 'check' && constraint.name === name);
    if (own?.kind !== 'check' || own.isLocal !== false || parentsIn(objects, heir).some(stays)) continue;
    yield { item: { kind: 'constraint', oid: heir.oid, constraint: own }, silent: true };
  }
}

function parentsIn(objects: DdlContext['objects'], { parentOids = [] }: TableDescriptor): TableDescriptor[] {
  return parentOids
    .map((oid) => objects.object(oid))
    .filter((parent): parent is TableDescriptor => parent?.kind === 'table');
}

function* dependentsOfKey(context: DdlContext, oid: Oid, constraint: ConstraintDescriptor): Iterable<Edge> {
  const table = context.objects.object(oid);
  if (table?.kind === 'table') {
    for (const partition of partitionsOf(table, context.objects)) {
      for (const own of partition.constraints)
        if (own.parentOid === constraint.oid)
          yield { item: { kind: 'constraint', oid: partition.oid, constraint: own }, silent: true };
    }
  }
  if (!('indexOid' in constraint)) return;
  yield* standingOn(context, oid, constraint.indexOid);
  const index = context.objects.object(constraint.indexOid);
  if (index === undefined) return;
  for (const dependency of context.objects.dependentsOf(index.oid)) yield* edgeOf(context, index, dependency);
}

/** The indexes of a table's partitions that go with one of its own. */
function* partitionIndexes(context: DdlContext, tableOid: Oid, indexOid: Oid): Iterable<IndexDescriptor> {
  const table = context.objects.object(tableOid);
  if (table?.kind !== 'table') return;
  for (const { indexOids } of partitionsOf(table, context.objects)) {
    for (const oid of indexOids) {
      const index = context.objects.object(oid);
      if (index?.kind === 'index' && index.parentOid === indexOid) yield index;
    }
  }
}

/** 2BP01 for an index or a trigger of a partition that its table's asks for, and for a part of an extension. */
function refuseRequired(context: DdlContext, found: ReadonlyMap<string, Going>): void {
  for (const { kind, oid } of found.values()) {
    const index = kind === 'object' ? context.objects.object(oid) : undefined;
    if (index?.kind === 'trigger') refuseRequiredTrigger(context, found, index);
    if (index !== undefined && 'extensionOid' in index && index.extensionOid !== undefined)
      refuseMember(context, found, index.oid, index.extensionOid);
    if (index?.kind !== 'index' || index.parentOid === undefined) continue;
    if (found.has(`o${index.parentOid}`) || found.has(`o${index.tableOid}`)) continue;
    const parent = context.objects.object(index.parentOid);
    throw new PhantomError('2BP01', `cannot drop index ${index.name} because index ${parent?.name} requires it`, {
      hint: `You can drop index ${parent?.name} instead.`,
    });
  }
}

function refuseMember(context: DdlContext, found: ReadonlyMap<string, Going>, oid: Oid, extensionOid: Oid): void {
  if (found.has(`o${extensionOid}`)) return;
  const [shown, whole] = [oid, extensionOid].map((each) => describe(context, { kind: 'object', oid: each }));
  throw new PhantomError('2BP01', `cannot drop ${shown} because ${whole} requires it`, {
    hint: `You can drop ${whole} instead.`,
  });
}

function refuseRequiredTrigger(
  context: DdlContext,
  found: ReadonlyMap<string, Going>,
  trigger: TriggerDescriptor,
): void {
  const parent = context.objects.object(trigger.parentOid ?? 0);
  if (parent?.kind !== 'trigger' || found.has(`o${parent.oid}`) || found.has(`o${trigger.tableOid}`)) return;
  const [shown, above] = [trigger.oid, parent.oid].map((oid) => describe(context, { kind: 'object', oid }));
  throw new PhantomError('2BP01', `cannot drop ${shown} because ${above} requires it`, {
    hint: `You can drop ${above} instead.`,
  });
}

/** Foreign keys, and references of documents, that find what they refer to by an index of the table. */
function* standingOn(context: DdlContext, tableOid: Oid, indexOid: Oid): Iterable<Edge> {
  const table = context.objects.object(tableOid) as TableDescriptor;
  for (const { child, constraint } of incomingKeys(table, context.objects)) {
    if (constraint.referencedIndexOid === indexOid)
      yield { item: { kind: 'constraint', oid: child.oid, constraint }, silent: constraint.parentOid !== undefined };
  }
  for (const { child, reference } of incomingDocuments(table, context.objects)) {
    if (reference.indexOid === indexOid)
      yield { item: { kind: 'references', oid: child.oid, targetOid: tableOid }, silent: false };
  }
}

/** A relation that has policies, triggers or rules. */
function relationText(context: DdlContext, oid: Oid): string {
  const relation = context.objects.object(oid);
  return `${relation?.kind === 'view' ? 'view' : 'table'} ${relation?.name}`;
}
