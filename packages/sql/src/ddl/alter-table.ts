/** ALTER TABLE: each action makes a new descriptor; rows are read only where an action asks something of them. */
import { PhantomError, unsupportedError } from '@phantom/base';
import type { ColumnDescriptor, TableDescriptor } from '@phantom/catalog';
import type { Yielded } from '../exec/runtime.js';
import { bindRowExpression } from '../expr/row-expression.js';
import type { Name } from '../text/ast-leaves.js';
import type { AlterTable, AlterTableAction } from '../text/ast-schema.js';
import { deparseExpression } from '../text/deparse.js';
import { addConstraint } from './constraints.js';
import type { DdlContext, DdlExecution } from './context.js';
import { makeColumn } from './create-table.js';
import { removeConstraint } from './drop.js';
import { findRelation, lockForChange, ownTable, undefinedRelation } from './names.js';
import { setOptions } from './set-engine.js';
import { putRowType } from './types.js';
import { checkExistingRows } from './validate.js';

type Step = Generator<Yielded, void, void>;
type Action<K extends AlterTableAction['kind']> = Extract<AlterTableAction, { kind: K }>;

export function* alterTable(context: DdlContext, node: AlterTable): DdlExecution {
  if (node.object !== 'table') throw unsupportedError(`ALTER ${node.object.toUpperCase()}`);
  if (findRelation(context, node.name) === undefined && node.ifExists) {
    context.notice('NOTICE', '00000', `relation "${node.name.at(-1)?.text}" does not exist, skipping`);
    return undefined;
  }
  if (node.actions.some(({ kind }) => kind === 'set-options' || kind === 'reset-options')) {
    yield* setOptions(context, node);
    return undefined;
  }
  const found = ownTable(context, node.name);
  if ((yield* lockForChange(context, found)) === undefined) throw undefinedRelation(node.name);
  for (const action of node.actions) {
    yield* alter(context, context.objects.object(found.oid) as TableDescriptor, action);
  }
  return undefined;
}

function* alter(context: DdlContext, table: TableDescriptor, action: AlterTableAction): Step {
  switch (action.kind) {
    case 'add-column':
      return yield* addColumn(context, table, action);
    case 'drop-column':
      return dropColumn(context, table, action);
    case 'set-default':
      return replaceColumn(context, table, setDefault(context, table, action));
    case 'drop-default': {
      const { defaultSql: _default, ...rest } = columnOf(table, action.column);
      return replaceColumn(context, table, rest);
    }
    case 'set-not-null': {
      const column = columnOf(table, action.column);
      if (!column.notNull) yield* checkExistingRows(context, table, column);
      return replaceColumn(context, table, { ...column, notNull: true });
    }
    case 'drop-not-null': {
      const column = columnOf(table, action.column);
      const keyed = table.constraints.some((c) => c.kind === 'primary key' && c.columns.includes(column.number));
      if (keyed) throw new PhantomError('42P16', `column "${column.name}" is in a primary key`);
      return replaceColumn(context, table, { ...column, notNull: false });
    }
    case 'add-constraint':
      return yield* addConstraint(context, table, action.constraint, { newTable: false });
    case 'drop-constraint': {
      const constraint = table.constraints.find((candidate) => candidate.name === action.name.text);
      if (constraint !== undefined) return yield* removeConstraint(context, table.oid, constraint);
      const message = `constraint "${action.name.text}" of relation "${table.name}" does not exist`;
      if (!action.ifExists) throw new PhantomError('42704', message);
      return context.notice('NOTICE', '00000', `${message}, skipping`);
    }
    case 'owner': {
      const role = action.owner.kind === 'role' ? context.catalog.role(action.owner.name?.text as string) : undefined;
      const ownerOid = role?.oid ?? context.roleOid;
      if (action.owner.kind === 'role' && role === undefined) {
        throw new PhantomError('42704', `role "${action.owner.name?.text}" does not exist`);
      }
      return context.objects.put({ ...table, ownerOid, schemaVersion: table.schemaVersion + 1 });
    }
    default:
      throw unsupportedError(`ALTER TABLE ... ${action.kind.replaceAll('-', ' ').toUpperCase()}`);
  }
}

function columnOf(table: TableDescriptor, name: Name): ColumnDescriptor {
  const column = table.columns.find((candidate) => candidate.name === name.text && !candidate.dropped);
  if (column !== undefined) return column;
  throw new PhantomError('42703', `column "${name.text}" of relation "${table.name}" does not exist`, {
    position: name.position + 1,
  });
}

function replaceColumn(context: DdlContext, table: TableDescriptor, column: ColumnDescriptor): void {
  const columns = table.columns.map((candidate) => (candidate.number === column.number ? column : candidate));
  context.objects.put({ ...table, columns, schemaVersion: table.schemaVersion + 1 });
}

function setDefault(context: DdlContext, table: TableDescriptor, action: Action<'set-default'>): ColumnDescriptor {
  const column = columnOf(table, action.column);
  if (column.identity !== undefined)
    throw new PhantomError('42601', `column "${column.name}" of relation "${table.name}" is an identity column`);
  const defaultSql = deparseExpression(action.value);
  bindRowExpression(defaultSql, {
    columns: [],
    relationName: table.name,
    catalog: context.picture,
    target: column.type,
    purpose: 'default',
  });
  return { ...column, defaultSql };
}

/** ADD COLUMN: rows stay as they are and read the constant default of this moment; other defaults would need a rewrite. */
function* addColumn(context: DdlContext, table: TableDescriptor, action: Action<'add-column'>): Step {
  const { name } = action.column;
  if (action.ifNotExists && table.columns.some((column) => column.name === name.text && !column.dropped)) {
    return context.notice(
      'NOTICE',
      '42701',
      `column "${name.text}" of relation "${table.name}" already exists, skipping`,
    );
  }
  const made = yield* makeColumn(context, { ...table, layoutVersion: table.layoutVersion + 1 }, action.column);
  let { column } = made;
  if (column.generated !== undefined) throw unsupportedError('ADD COLUMN with a generation expression');
  if (column.defaultSql !== undefined) {
    const expression = bindRowExpression(column.defaultSql, {
      columns: [],
      relationName: table.name,
      catalog: context.picture,
      target: column.type,
      purpose: 'default',
    });
    if (expression.volatility === 'volatile') throw unsupportedError('ADD COLUMN with a volatile default');
    const value = expression.evaluate([], context.evaluation);
    const type = context.picture.types.byOid(column.type.oid);
    column = {
      ...column,
      missingText: value === null || type === undefined ? null : type.output(value, context.evaluation),
    };
  }
  const changed: TableDescriptor = {
    ...table,
    columns: [...table.columns, column],
    layoutVersion: table.layoutVersion + 1,
    schemaVersion: table.schemaVersion + 1,
  };
  if (column.notNull && (column.missingText ?? null) === null) yield* checkExistingRows(context, changed, column);
  context.objects.put(changed);
  putRowType(context, changed);
  for (const constraint of made.constraints) {
    yield* addConstraint(context, context.objects.object(table.oid) as TableDescriptor, constraint, {
      newTable: false,
    });
  }
}

function dropColumn(context: DdlContext, table: TableDescriptor, action: Action<'drop-column'>): void {
  const column = table.columns.find((candidate) => candidate.name === action.name.text && !candidate.dropped);
  if (column === undefined) {
    if (!action.ifExists) columnOf(table, action.name);
    return context.notice(
      'NOTICE',
      '00000',
      `column "${action.name.text}" of relation "${table.name}" does not exist, skipping`,
    );
  }
  if (table.keyColumns.includes(column.number)) throw unsupportedError('dropping a column of the primary key');
  const constrained = table.constraints.find((constraint) => constraint.columns.includes(column.number));
  if (constrained !== undefined)
    throw unsupportedError(`dropping a column that constraint ${constrained.name} stands on`);
  for (const oid of table.indexOids) {
    const index = context.objects.object(oid);
    if (index?.kind !== 'index') continue;
    const uses =
      index.parts.some((part) => part.column === column.number || part.expressionSql !== undefined) ||
      index.predicateSql !== undefined;
    if (uses) throw unsupportedError(`dropping a column that index ${index.name} may stand on`);
  }
  const { defaultSql: _default, ...rest } = column;
  const columns = table.columns.map((candidate) =>
    candidate === column
      ? { ...rest, name: `........pg.dropped.${column.number}........`, dropped: true, notNull: false }
      : candidate,
  );
  const changed: TableDescriptor = { ...table, columns, schemaVersion: table.schemaVersion + 1 };
  context.objects.put(changed);
  putRowType(context, changed);
}
