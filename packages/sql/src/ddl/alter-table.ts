/** ALTER TABLE (and the ALTERs of other relations): each action makes a new descriptor; rows are read only where one asks something of them. */
import { PhantomError, unsupportedError } from '@phantom/base';
import type { ConstraintDescriptor, IndexDescriptor, TableDescriptor, ViewDescriptor } from '@phantom/catalog';
import type { Yielded } from '../exec/runtime.js';
import type { AlterTable, AlterTableAction } from '../text/ast-schema.js';
import {
  addColumn,
  addIdentity,
  alterTypes,
  columnOf,
  dropDefault,
  dropExpression,
  dropIdentity,
  dropNotNull,
  replaceColumn,
  setDefault,
  setExpression,
  setIdentity,
} from './alter-columns.js';
import { setColumnOptions, setCompression, setIndexStatistics, setStatistics, setStorage } from './column-tuning.js';
import { addConstraint } from './constraints.js';
import { refuseCollection } from './create-collection.js';
import type { DdlContext, DdlExecution } from './context.js';
import { dropColumn, dropConstraint, removeSequence } from './drop.js';
import {
  findRelation,
  lockForChange,
  refuseWhileInUse,
  relationNamed,
  requireOwner,
  undefinedRelation,
} from './names.js';
import { changeRelationOwner } from './rename.js';
import { alterHeirs, keepBelow, refuseInTree } from './inheritance/alter-tree.js';
import { disinherit, inherit } from './inheritance/inherit.js';
import { alterPartitions, reachesPartitions, refuseForPartitions } from './partitions/alter-partitions.js';
import { lockPartitions } from './partitions/lock-partitions.js';
import { attachIndex, attachPartition, detachPartition } from './partitions/attach.js';
import { roleOf } from './role-names.js';
import { alterRowSecurity } from './row-security.js';
import { markClustered, setReplicaIdentity } from './table-marks.js';
import { switchRule } from './rules/alter-rule.js';
import { switchTriggers } from './triggers/alter-trigger.js';
import { setOptions } from './set-engine.js';
import { changedStorageOptions, noteIdleOptions, noteWithoutEffect, viewOptions } from './storage-options.js';
import { storedExpression } from './stored-expressions.js';
import { checkExistingForeignKey, checkExistingRows } from './validate.js';
import { bindRowExpression } from '../expr/row-expression.js';
import { BOOL } from '../types/type-refs.js';
import { changePersistence } from './persistence.js';

type Step = Generator<Yielded, void, void>;

/** What concerns a collection as a table; all else is ALTER COLLECTION's. */
const COLLECTION_ACTIONS: ReadonlySet<AlterTableAction['kind']> = new Set(['owner', 'row-security']);

export function* alterTable(context: DdlContext, node: AlterTable): DdlExecution {
  if (node.object === 'foreign table') throw unsupportedError('ALTER FOREIGN TABLE');
  const found = findRelation(context, node.name);
  if (found === undefined) {
    if (!node.ifExists) throw undefinedRelation(node.name);
    context.notice(
      'NOTICE',
      '00000',
      `relation "${node.name.map((part) => part.text).join('.')}" does not exist, skipping`,
    );
    return undefined;
  }
  if (found.kind === 'virtual')
    throw new PhantomError('42501', `permission denied: "${found.name}" is a system catalog`);
  requireOwner(context, found);
  if (found.kind === 'table' && node.actions.some(({ kind }) => !COLLECTION_ACTIONS.has(kind)))
    refuseCollection(found, 'ALTER TABLE');
  if (found.kind === 'table') yield* refuseWhileInUse(context, found, 'ALTER TABLE');
  if (node.actions.some((action) => setsEngine(action))) {
    yield* setOptions(context, node);
    return undefined;
  }
  const locked = yield* lockForChange(context, found);
  if (locked === undefined) throw undefinedRelation(node.name);
  if (locked.kind === 'table' && node.actions.some((action) => reachesPartitions(action, node.only)))
    yield* lockPartitions(context, locked);
  for (const [action, ...together] of inPasses(node.actions)) {
    const relation = relationNamed(context, node.name);
    if (action.kind === 'owner') {
      yield* changeRelationOwner(context, relation as TableDescriptor, roleOf(context, action.owner));
    } else if (relation.kind === 'view') {
      alterView(context, relation, action);
    } else if (relation.kind === 'index' && action.kind === 'attach-index-partition') {
      yield* attachIndex(context, relation, action.table);
    } else if (relation.kind === 'index') {
      alterIndex(context, relation, action);
    } else if (relation.kind === 'table') {
      if (relation.materialized !== undefined && !MATERIALIZED_ACTIONS.has(action.kind))
        throw new PhantomError(
          '42809',
          `ALTER action ${nameOf(action)} cannot be performed on relation "${relation.name}"`,
          {
            detail: 'This operation is not supported for materialized views.',
          },
        );
      if (node.object !== 'table' && node.object !== 'materialized view')
        throw new PhantomError('42809', `"${relation.name}" is not a ${node.object}`);
      for (const each of [action, ...together]) {
        refuseForPartitions(context, relation, each, node.only);
        refuseInTree(relation, each, node.only);
      }
      if (node.only) yield* keepBelow(context, relation, action);
      yield* alter(context, relation, action, together, node.actions.length === 1);
      if (relation.partitioned !== undefined)
        yield* alterPartitions(context, relation, action, node.only, (partition, own) =>
          alter(context, partition, own, together, false),
        );
      if (relation.heirOids !== undefined && !node.only)
        yield* alterHeirs(context, relation, action, together, (heir, own) =>
          alter(context, heir, own, together, false),
        );
    } else if (relation.kind === 'sequence' && (action.kind === 'set-logged' || action.kind === 'set-unlogged')) {
      context.objects.put({ ...relation, persistence: action.kind === 'set-logged' ? 'permanent' : 'unlogged' });
    } else {
      throw new PhantomError(
        '42809',
        `ALTER action ${nameOf(action)} cannot be performed on relation "${relation.name}"`,
        {
          detail: `This operation is not supported for ${relation.kind}s.`,
        },
      );
    }
    if (relation.kind === 'table' || relation.kind === 'index') noteAction(context, action);
  }
  return undefined;
}

type RetypeAction = AlterTableAction & { readonly kind: 'alter-type' };

/** What is done at once: one action, or every change of a type. */
type Pass = readonly [AlterTableAction, ...RetypeAction[]];

/**
 * The order in which the actions of one statement are done, PostgreSQL's as far as it shows: constraints and defaults go before
 * columns get other types, all of them together, and whatever else there is follows as it is written.
 */
function inPasses(actions: readonly AlterTableAction[]): Pass[] {
  const early = actions.filter(({ kind }) => kind === 'drop-constraint' || kind === 'drop-default');
  const [first, ...retyping] = actions.filter((action): action is RetypeAction => action.kind === 'alter-type');
  const late = actions.filter((action) => action.kind !== 'alter-type' && !early.includes(action));
  const alone = (action: AlterTableAction): Pass => [action];
  return [...early.map(alone), ...(first === undefined ? [] : [[first, ...retyping] as const]), ...late.map(alone)];
}

const MATERIALIZED_ACTIONS = new Set<AlterTableAction['kind']>([
  'set-options',
  'reset-options',
  'owner',
  'set-statistics',
  'set-storage',
  'set-compression',
  'set-column-options',
  'reset-column-options',
  'cluster-on',
  'set-without-cluster',
]);

function clusteredParts(): PhantomError {
  return new PhantomError('0A000', 'cannot mark index clustered in partitioned table');
}

/** Tells the client of what is kept and changes nothing. */
function noteAction(context: DdlContext, action: AlterTableAction): void {
  if (action.kind === 'set-options') noteIdleOptions(context, action.options);
  else if (action.kind === 'set-storage') noteWithoutEffect(context, 'SET STORAGE');
  else if (action.kind === 'set-compression') noteWithoutEffect(context, 'SET COMPRESSION');
  else if (action.kind === 'cluster-on') noteWithoutEffect(context, 'CLUSTER ON');
  else if (action.kind === 'replica-identity' && action.mode !== 'default')
    noteWithoutEffect(context, 'REPLICA IDENTITY');
}

/** SET or RESET of the engine: a command of its own kind. */
function setsEngine(action: AlterTableAction): boolean {
  const sets = action.kind === 'set-options' || action.kind === 'reset-options';
  return sets && action.options.some((option) => option.namespace === undefined && option.name.text === 'engine');
}

function nameOf(action: AlterTableAction): string {
  return action.kind.replaceAll('-', ' ').toUpperCase();
}

function notSupported(action: AlterTableAction, object: string): PhantomError {
  return unsupportedError(`ALTER ${object} ... ${nameOf(action)}`);
}

function alterIndex(context: DdlContext, index: IndexDescriptor, action: AlterTableAction): void {
  if (action.kind === 'set-statistics') context.objects.put(setIndexStatistics(context, index, action));
  else if (action.kind === 'set-options' || action.kind === 'reset-options')
    context.objects.put({ ...index, ...changedStorageOptions(index.options, action, 'index') });
  else throw notSupported(action, 'INDEX');
}

function alterView(context: DdlContext, view: ViewDescriptor, action: AlterTableAction): void {
  switch (action.kind) {
    case 'set-default':
    case 'drop-default': {
      const column = view.columns.find((candidate) => candidate.name === action.column.text);
      if (column === undefined)
        throw new PhantomError('42703', `column "${action.column.text}" of relation "${view.name}" does not exist`);
      const { defaultSql: _old, ...rest } = column;
      const defaultSql = action.kind === 'set-default' ? storedExpression(context, action.value) : undefined;
      if (defaultSql !== undefined) {
        bindRowExpression(defaultSql, {
          columns: [],
          relationName: view.name,
          catalog: context.picture,
          target: column.type,
          purpose: 'default',
        });
      }
      const changed = defaultSql === undefined ? rest : { ...rest, defaultSql };
      context.objects.put({
        ...view,
        columns: view.columns.map((candidate) => (candidate === column ? changed : candidate)),
      });
      return;
    }
    case 'set-options': {
      const { options, checkOption } = viewOptions(action.options);
      context.objects.put({
        ...view,
        options: { ...view.options, ...options },
        ...(checkOption === undefined ? {} : { checkOption }),
      });
      return;
    }
    case 'reset-options': {
      const names = new Set(action.options.map((option) => option.name.text));
      const { checkOption, ...rest } = view;
      const options = Object.fromEntries(Object.entries(view.options ?? {}).filter(([name]) => !names.has(name)));
      const keeps = checkOption !== undefined && !names.has('check_option');
      context.objects.put({ ...rest, options, ...(keeps ? { checkOption } : {}) });
      return;
    }
    default:
      throw new PhantomError('42809', `ALTER action ${nameOf(action)} cannot be performed on relation "${view.name}"`, {
        detail: 'This operation is not supported for views.',
      });
  }
}

function* alter(
  context: DdlContext,
  table: TableDescriptor,
  action: AlterTableAction,
  together: readonly RetypeAction[],
  alone: boolean,
): Step {
  switch (action.kind) {
    case 'add-column':
      return yield* addColumn(context, table, action);
    case 'drop-column':
      return yield* dropColumn(context, table, action);
    case 'set-default':
      return setDefault(context, table, action);
    case 'drop-default':
      return dropDefault(context, table, action);
    case 'set-not-null': {
      const column = columnOf(table, action.column);
      if (!column.notNull) yield* checkExistingRows(context, table, column);
      return replaceColumn(context, table, { ...column, notNull: true });
    }
    case 'drop-not-null':
      return dropNotNull(context, table, action);
    case 'alter-type':
      return yield* alterTypes(context, table, [action, ...together]);
    case 'add-identity':
      return yield* addIdentity(context, table, action);
    case 'set-identity':
      return setIdentity(context, table, action);
    case 'drop-identity': {
      const sequence = dropIdentity(context, table, action);
      if (sequence !== undefined) removeSequence(context, sequence);
      return;
    }
    case 'drop-expression':
      return dropExpression(context, table, action);
    case 'set-expression':
      return yield* setExpression(context, table, action.column, action.value);
    case 'add-constraint':
      return yield* addConstraint(context, table, action.constraint, { newTable: false, alone });
    case 'drop-constraint':
      return yield* dropConstraint(context, table, action);
    case 'validate-constraint':
      return yield* validateConstraint(context, table, action.name.text);
    case 'alter-constraint': {
      const constraint = constraintNamed(table, action.name.text);
      if (constraint.kind !== 'foreign key')
        throw new PhantomError(
          '42809',
          `constraint "${constraint.name}" of relation "${table.name}" is not a foreign key constraint`,
        );
      const { deferrable, initiallyDeferred } = action.deferral;
      return putConstraint(context, table, { ...constraint, deferrable, initiallyDeferred });
    }
    case 'inherit':
      return yield* inherit(context, table, action.table);
    case 'no-inherit':
      return yield* disinherit(context, table, action.table);
    case 'attach-partition':
      return yield* attachPartition(context, table, action);
    case 'detach-partition':
      return yield* detachPartition(context, table, action);
    case 'set-logged':
      return changePersistence(context, table, 'permanent');
    case 'set-unlogged':
      return changePersistence(context, table, 'unlogged');
    case 'enable-trigger':
    case 'disable-trigger':
      return switchTriggers(context, table, action);
    case 'enable-rule':
    case 'disable-rule':
      return switchRule(context, table, action);
    case 'set-statistics':
      return setStatistics(context, table, action);
    case 'set-storage':
      return setStorage(context, table, action);
    case 'set-compression':
      return setCompression(context, table, action);
    case 'set-column-options':
    case 'reset-column-options':
      return setColumnOptions(context, table, action);
    case 'cluster-on':
      if (table.partitioned !== undefined) throw clusteredParts();
      return markClustered(context, table, action.name);
    case 'set-without-cluster':
      if (table.partitioned !== undefined) throw clusteredParts();
      return markClustered(context, table, undefined);
    case 'replica-identity':
      return setReplicaIdentity(context, table, action);
    case 'row-security':
      return alterRowSecurity(context, table, action);
    case 'set-options':
    case 'reset-options':
      return context.objects.put({
        ...table,
        ...changedStorageOptions(table.options, action, 'table'),
        schemaVersion: table.schemaVersion + 1,
      });
    default:
      throw notSupported(action, 'TABLE');
  }
}

function constraintNamed(table: TableDescriptor, name: string): ConstraintDescriptor {
  const constraint = table.constraints.find((candidate) => candidate.name === name);
  if (constraint !== undefined) return constraint;
  throw new PhantomError('42704', `constraint "${name}" of relation "${table.name}" does not exist`);
}

function putConstraint(context: DdlContext, table: TableDescriptor, constraint: ConstraintDescriptor): void {
  const constraints = table.constraints.map((other) => (other.oid === constraint.oid ? constraint : other));
  context.objects.put({ ...table, constraints, schemaVersion: table.schemaVersion + 1 });
}

/** VALIDATE CONSTRAINT: looks at the rows that were there when a NOT VALID constraint came. */
function* validateConstraint(context: DdlContext, table: TableDescriptor, name: string): Step {
  const constraint = constraintNamed(table, name);
  if (constraint.kind === 'check') {
    const condition = bindRowExpression(constraint.expressionSql, {
      columns: table.columns,
      relationName: table.name,
      catalog: context.picture,
      target: BOOL,
      purpose: 'check',
    });
    if (!constraint.validated) yield* checkExistingRows(context, table, constraint.name, condition);
  } else if (constraint.kind === 'foreign key') {
    const parent = context.objects.object(constraint.referencedTableOid) as TableDescriptor;
    if (!constraint.validated) yield* checkExistingForeignKey(context, table, constraint, parent);
  } else {
    throw new PhantomError(
      '42809',
      `constraint "${name}" of relation "${table.name}" is not a foreign key or check constraint`,
    );
  }
  putConstraint(context, table, { ...constraint, validated: true });
}
