/** CREATE TRIGGER: PostgreSQL's, with a function, and ISO's, with statements in the definition. */
import { PhantomError, unsupportedError } from '@phantom/base';
import {
  NameClass,
  type StoredQuery,
  type TableDescriptor,
  type TriggerDescriptor,
  hasPrivilege,
} from '@phantom/catalog';
import { bindTriggerCondition } from '../../expr/trigger-condition.js';
import type { CreateTrigger, Statement } from '../../text/ast-statements.js';
import { deparseExpression, deparseStatement } from '../../text/deparse.js';
import { TypeOid } from '../../types/type-oids.js';
import type { DdlContext, DdlExecution } from '../context.js';
import { claimName, lockForChange, requireOwner, splitName } from '../names.js';
import { dependOn } from '../stored-queries.js';
import { lockPartitions } from '../partitions/lock-partitions.js';
import { triggerOnPartitions } from './partition-triggers.js';
import { type TriggeredRelation, putTriggers, triggeredRelation } from './trigger-names.js';

export function* createTrigger(context: DdlContext, node: CreateTrigger): DdlExecution {
  const found = triggeredRelation(context, node.table);
  if (!hasPrivilege(context.objects, context.roleOid, found, 't'))
    throw new PhantomError('42501', `permission denied for ${found.kind} ${found.name}`);
  checkShape(found, node);
  const relation = (yield* lockForChange(context, found)) ?? found;
  const name = node.name.text;
  const existing = yield* claimName(context, NameClass.Trigger, relation.oid, name);
  if (existing !== undefined && !node.orReplace)
    throw new PhantomError('42710', `trigger "${name}" for relation "${relation.name}" already exists`);
  const before = existing?.kind === 'trigger' ? existing : undefined;
  if (before !== undefined) requireOwner(context, relation);
  if (before?.parentOid !== undefined)
    throw new PhantomError(
      '42710',
      `trigger "${name}" for relation "${relation.name}" is an internal or a child trigger`,
    );
  const { deferrable, initiallyDeferred } = node.deferral;
  const trigger: TriggerDescriptor = {
    kind: 'trigger',
    oid: before?.oid ?? context.catalog.allocateOid(),
    name,
    databaseOid: context.databaseOid,
    tableOid: relation.oid,
    timing: node.timing === 'instead-of' ? 'instead of' : node.timing,
    level: node.forEach,
    events: node.events.map(({ event }) => event),
    columns: columnsOf(relation, node),
    ...(node.when === undefined ? {} : { whenSql: whenOf(context, relation, node) }),
    ...transitionsOf(relation, node),
    functionOid: functionOf(context, node),
    arguments: node.arguments,
    firing: before?.firing ?? 'origin',
    ...(node.constraint ? { constraint: { deferrable: deferrable || initiallyDeferred, initiallyDeferred } } : {}),
  };
  const { action, uses } = actionOf(context, relation, node);
  context.objects.put(action === undefined ? trigger : { ...trigger, action });
  const own = { dependentOid: trigger.oid, dependentColumn: 0, referencedColumn: 0 };
  dependOn(context, trigger.oid, uses);
  context.objects.addDependency({ ...own, referencedOid: relation.oid, strength: 'automatic' });
  if (trigger.functionOid !== 0)
    context.objects.addDependency({ ...own, referencedOid: trigger.functionOid, strength: 'normal' });
  const others = (relation.triggerOids ?? []).filter((oid) => oid !== trigger.oid);
  putTriggers(context, relation, [...others, trigger.oid]);
  if (relation.kind === 'table' && relation.partitioned !== undefined && trigger.level === 'row') {
    yield* lockPartitions(context, relation);
    yield* triggerOnPartitions(context, relation.oid, context.objects.object(trigger.oid) as TriggerDescriptor);
  }
  return undefined;
}

/** What of timing, level and events goes together, on a table and on a view. */
function checkShape(relation: TriggeredRelation, node: CreateTrigger): void {
  const { timing, forEach, events } = node;
  const wrong = (detail: string): never => {
    throw new PhantomError('42809', `"${relation.name}" is a ${relation.kind}`, { detail });
  };
  const truncates = events.some(({ event }) => event === 'truncate');
  if (relation.kind === 'table' && timing === 'instead-of') wrong('Tables cannot have INSTEAD OF triggers.');
  if (relation.kind === 'table' && forEach === 'row' && node.transitions.some(({ table }) => table)) {
    if (relation.partitioned !== undefined)
      throw new PhantomError('0A000', `"${relation.name}" is a partitioned table`, {
        detail: 'ROW triggers with transition tables are not supported on partitioned tables.',
      });
    if (relation.parentOids !== undefined)
      throw new PhantomError('0A000', 'ROW triggers with transition tables are not supported on inheritance children');
    if (relation.partition !== undefined)
      throw new PhantomError('0A000', 'ROW triggers with transition tables are not supported on partitions');
  }
  if (relation.kind === 'view') {
    if (timing !== 'instead-of' && forEach === 'row') wrong('Views cannot have row-level BEFORE or AFTER triggers.');
    if (truncates) wrong('Views cannot have TRUNCATE triggers.');
  }
  if (truncates && forEach === 'row')
    throw new PhantomError('0A000', 'TRUNCATE FOR EACH ROW triggers are not supported');
  if (timing === 'instead-of') {
    if (forEach !== 'row') throw new PhantomError('0A000', 'INSTEAD OF triggers must be FOR EACH ROW');
    if (node.when !== undefined) throw new PhantomError('0A000', 'INSTEAD OF triggers cannot have WHEN conditions');
    if (events.some(({ columns }) => columns.length > 0))
      throw new PhantomError('0A000', 'INSTEAD OF triggers cannot have column lists');
  }
  if (new Set(events.map(({ event }) => event)).size < events.length)
    throw new PhantomError('42601', 'duplicate trigger events specified');
  if (node.constraint && (timing !== 'after' || forEach !== 'row'))
    throw new PhantomError('42601', 'constraint triggers must be AFTER ROW triggers');
  if (node.from !== undefined) throw unsupportedError('FROM of a constraint trigger');
}

function columnsOf(relation: TriggeredRelation, node: CreateTrigger): number[] {
  const numbers: number[] = [];
  for (const { text, position } of node.events.flatMap(({ columns }) => columns)) {
    const at = relation.columns.findIndex((column) => column.name === text && !('dropped' in column && column.dropped));
    const column = relation.columns[at];
    if (column === undefined) {
      throw new PhantomError('42703', `column "${text}" of relation "${relation.name}" does not exist`, {
        position: position + 1,
      });
    }
    const number = 'number' in column ? column.number : at + 1;
    if (numbers.includes(number)) throw new PhantomError('42701', `column "${text}" specified more than once`);
    numbers.push(number);
  }
  return numbers;
}

function whenOf(context: DdlContext, relation: TriggeredRelation, node: CreateTrigger): string {
  const sql = deparseExpression(node.when as NonNullable<CreateTrigger['when']>);
  const isRow = node.forEach === 'row';
  if (!isRow && /\b(?:old|new)\b/i.test(sql))
    throw new PhantomError('42P17', "statement trigger's WHEN condition cannot reference column values");
  const { columns, rowTypeOid } = relation as TableDescriptor;
  bindTriggerCondition(sql, {
    columns,
    rowTypeOid,
    catalog: context.picture,
    hasOld: isRow && !node.events.some(({ event }) => event === 'insert'),
    hasNew: isRow && !node.events.some(({ event }) => event === 'delete'),
    refusesGenerated: isRow && node.timing === 'before',
  });
  return sql;
}

/** REFERENCING ... TABLE: the names of transition tables. */
function transitionsOf(
  relation: TriggeredRelation,
  node: CreateTrigger,
): Pick<TriggerDescriptor, 'oldTable' | 'newTable'> {
  const tables = node.transitions.filter(({ table }) => table);
  if (tables.length < node.transitions.length && node.body === undefined) {
    throw new PhantomError('0A000', 'ROW variable naming in the REFERENCING clause is not supported', {
      hint: 'Use OLD TABLE or NEW TABLE for naming transition tables.',
    });
  }
  if (tables.length === 0) return {};
  const refuse = (message: string): never => {
    throw new PhantomError('42P17', message);
  };
  const has = (event: string): boolean => node.events.some((one) => one.event === event);
  if (relation.kind === 'view') {
    throw new PhantomError('42809', `"${relation.name}" is a view`, {
      detail: 'Triggers on views cannot have transition tables.',
    });
  }
  if (node.timing !== 'after') refuse('transition table name can only be specified for an AFTER trigger');
  if (has('truncate')) refuse('TRUNCATE triggers with transition tables are not supported');
  if (node.events.length > 1)
    throw new PhantomError('0A000', 'transition tables cannot be specified for triggers with more than one event');
  if (node.events.some(({ columns }) => columns.length > 0))
    throw new PhantomError('0A000', 'transition tables cannot be specified for triggers with column lists');
  const named: { oldTable?: string; newTable?: string } = {};
  for (const { which, name } of tables) {
    const key = which === 'old' ? 'oldTable' : 'newTable';
    if (named[key] !== undefined) refuse(`${which.toUpperCase()} TABLE cannot be specified multiple times`);
    if (which === 'new' && has('delete')) refuse('NEW TABLE can only be specified for an INSERT or UPDATE trigger');
    if (which === 'old' && has('insert')) refuse('OLD TABLE can only be specified for a DELETE or UPDATE trigger');
    named[key] = name.text;
  }
  if (named.oldTable !== undefined && named.oldTable === named.newTable)
    refuse('OLD TABLE name and NEW TABLE name cannot be the same');
  return named;
}

function functionOf(context: DdlContext, node: CreateTrigger): number {
  if (node.function === undefined) return 0;
  const { schema, name } = splitName(node.function, context.picture.databaseName);
  const shown = node.function.map((part) => part.text).join('.');
  const found = context.picture.functions
    .functionsNamed(name, schema)
    .find(({ argumentTypes }) => argumentTypes.length === 0);
  if (found === undefined) throw new PhantomError('42883', `function ${shown}() does not exist`);
  const { routine } = found;
  if (routine !== undefined && !hasPrivilege(context.objects, context.roleOid, routine, 'X'))
    throw new PhantomError('42501', `permission denied for function ${routine.name}`);
  if (found.resultType !== TypeOid.trigger || routine === undefined)
    throw new PhantomError('42P17', `function ${shown} must return type trigger`);
  return found.oid;
}

type Uses = Parameters<typeof dependOn>[2];

/** ISO's statements, with what they call the rows. */
function actionOf(
  context: DdlContext,
  relation: TriggeredRelation,
  node: CreateTrigger,
): { readonly action?: NonNullable<TriggerDescriptor['action']>; readonly uses: Uses } {
  if (node.body === undefined) return { uses: [] };
  const rowName = (which: 'old' | 'new'): string =>
    node.transitions.find((transition) => !transition.table && transition.which === which)?.name.text ?? which;
  const [oldRow, newRow] = [rowName('old'), rowName('new')];
  const uses: Uses[number][] = [];
  const { searchPath } = context.picture;
  const statements = node.body.map((statement): StoredQuery => {
    const querySql = textOf(statement);
    const described = context.describeAction(relation, transitionsOf(relation, node), [oldRow, newRow], querySql);
    uses.push(...described.uses.filter(({ oid }) => oid !== 0));
    const names = described.names.filter(({ oid }) => oid !== 0);
    return { querySql, searchPath, names };
  });
  return { action: { statements, oldRow, newRow }, uses };
}

function textOf(statement: Statement): string {
  switch (statement.kind) {
    case 'query':
    case 'insert':
    case 'update':
    case 'delete':
    case 'merge':
      return deparseStatement(statement);
    default:
      throw unsupportedError(`${statement.kind} in a triggered action`);
  }
}
