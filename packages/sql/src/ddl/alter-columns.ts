/** ALTER TABLE's actions on columns: adding, dropping, changing type, default, nullness, identity and generation. */
import { PhantomError } from '@phantom/base';
import type { ColumnDescriptor, SequenceDescriptor, TableDescriptor } from '@phantom/catalog';
import type { Yielded } from '../exec/runtime.js';
import { bindRowExpression } from '../expr/row-expression.js';
import type { RowExpression } from '../expr/row-expression-types.js';
import { resolveTypeName } from '../expr/type-names.js';
import { withNamedCollation } from '../expr/named-collation.js';
import { BoundRowExpression } from '../storage/bound-row-expression.js';
import { type ForeignKey, incomingKeys } from '../storage/table-rules.js';
import type { Expression } from '../text/ast.js';
import type { Name } from '../text/ast-leaves.js';
import type { AlterTableAction } from '../text/ast-schema.js';
import type { Value } from '../types/type.js';
import { addConstraint } from './constraints.js';
import { checkKeyTypes } from './foreign-key-constraints.js';
import type { DdlContext } from './context.js';
import { bindColumnValue, makeColumn } from './create-table.js';
import { ownSequence } from './create-table-sequence.js';
import { rewriteTable } from './rewrite-table.js';
import { changedSequence, restartSequence } from './sequences.js';
import { refuseMember, refuseStoredRows } from './stored-rows.js';
import { storedExpression } from './stored-expressions.js';
import { putRowType, requireTypeUsage, userTypeOf } from './types.js';
import { checkExistingRows, hasRows } from './validate.js';
import { BOOL } from '../types/type-refs.js';

type Step = Generator<Yielded, void, void>;
type Action<K extends AlterTableAction['kind']> = AlterTableAction & { readonly kind: K };

export function columnOf(table: TableDescriptor, name: Name): ColumnDescriptor {
  const column = table.columns.find((candidate) => candidate.name === name.text && !candidate.dropped);
  if (column !== undefined) return column;
  throw new PhantomError('42703', `column "${name.text}" of relation "${table.name}" does not exist`, {
    position: name.position + 1,
  });
}

export function replaceColumn(context: DdlContext, table: TableDescriptor, column: ColumnDescriptor): void {
  const columns = table.columns.map((candidate) => (candidate.number === column.number ? column : candidate));
  context.objects.put({ ...table, columns, schemaVersion: table.schemaVersion + 1 });
}

export function setDefault(context: DdlContext, table: TableDescriptor, action: Action<'set-default'>): void {
  const column = columnOf(table, action.column);
  if (column.identity !== undefined)
    throw new PhantomError('42601', `column "${column.name}" of relation "${table.name}" is an identity column`, {
      hint: 'Use ALTER TABLE ... ALTER COLUMN ... DROP IDENTITY instead.',
    });
  if (column.generated !== undefined)
    throw new PhantomError('42601', `column "${column.name}" of relation "${table.name}" is a generated column`);
  const { defaultSql: _old, ...rest } = column;
  if (action.value.kind === 'null') return replaceColumn(context, table, rest);
  const defaultSql = storedExpression(context, action.value);
  bindColumnValue(context, table, column, defaultSql);
  replaceColumn(context, table, { ...column, defaultSql });
}

export function dropDefault(context: DdlContext, table: TableDescriptor, action: { readonly column: Name }): void {
  const column = columnOf(table, action.column);
  if (column.identity !== undefined)
    throw new PhantomError('42601', `column "${column.name}" of relation "${table.name}" is an identity column`, {
      hint: 'Use ALTER TABLE ... ALTER COLUMN ... DROP IDENTITY instead.',
    });
  if (column.generated !== undefined)
    throw new PhantomError('42601', `column "${column.name}" of relation "${table.name}" is a generated column`, {
      hint: 'Use ALTER TABLE ... ALTER COLUMN ... DROP EXPRESSION instead.',
    });
  const { defaultSql: _default, ...rest } = column;
  replaceColumn(context, table, rest);
}

export function dropNotNull(context: DdlContext, table: TableDescriptor, action: { readonly column: Name }): void {
  const column = columnOf(table, action.column);
  const keyed = table.constraints.some((c) => c.kind === 'primary key' && c.columns.includes(column.number));
  if (keyed) throw new PhantomError('42P16', `column "${column.name}" is in a primary key`);
  if (column.identity !== undefined)
    throw new PhantomError('42601', `column "${column.name}" of relation "${table.name}" is an identity column`);
  replaceColumn(context, table, { ...column, notNull: false });
}

/**
 * ADD COLUMN: rows stay as they are and read the constant default of this moment. What has no such default (a volatile one, an
 * identity, a generation expression) is computed for every row, which rewrites the table.
 */
export function* addColumn(context: DdlContext, table: TableDescriptor, action: Action<'add-column'>): Step {
  const { name } = action.column;
  if (table.columns.some((column) => column.name === name.text && !column.dropped)) {
    const message = `column "${name.text}" of relation "${table.name}" already exists`;
    if (!action.ifNotExists) throw new PhantomError('42701', message, { position: name.position + 1 });
    return context.notice('NOTICE', '42701', `${message}, skipping`);
  }
  const made = yield* makeColumn(context, { ...table, layoutVersion: table.layoutVersion + 1 }, action.column);
  const { column } = made;
  refuseMember(context, column.type.oid, { oid: table.rowTypeOid, name: table.name });
  refuseStoredRows(context, table);
  const type = context.picture.types.byOid(column.type.oid);
  const sql = column.generated === undefined ? (column.defaultSql ?? type?.defaultSql) : undefined;
  const value = bindColumnValue(context, table, column, sql ?? 'null');
  const computed = column.generated !== undefined || column.identity !== undefined || value.volatility === 'volatile';
  if (computed && (yield* hasRows(context, table))) {
    const at = table.columns.length;
    const next = column.identity === undefined ? value : nextOf(context, table, column);
    const changed = { ...table, columns: [...table.columns, column] };
    const after = yield* rewriteTable(context, table, changed, (row) => {
      const copy = row.slice(0, at);
      copy.push(column.generated === undefined ? next.evaluate([], context.evaluation) : null);
      return copy;
    });
    putRowType(context, after);
  } else {
    // A domain may refuse the value, but only where there is a row to have it.
    const constrained = type?.constrain !== undefined && !(yield* hasRows(context, table));
    const stored = computed || constrained ? null : value.evaluate([], context.evaluation);
    const missingText = stored === null || type === undefined ? null : type.output(stored, context.evaluation);
    const changed: TableDescriptor = {
      ...table,
      columns: [...table.columns, { ...column, missingText }],
      layoutVersion: table.layoutVersion + 1,
      schemaVersion: table.schemaVersion + 1,
    };
    if (column.notNull && missingText === null) yield* checkExistingRows(context, changed, column);
    context.objects.put(changed);
    putRowType(context, changed);
  }
  for (const constraint of made.constraints) {
    const now = context.objects.object(table.oid) as TableDescriptor;
    yield* addConstraint(context, now, constraint, { newTable: false });
  }
}

/** The next value of a column's own sequence, as an expression. */
function nextOf(context: DdlContext, table: TableDescriptor, column: ColumnDescriptor): RowExpression {
  return bindColumnValue(context, table, column, `nextval(${column.sequenceOid}::regclass)`);
}

/**
 * ALTER COLUMN ... TYPE, any number of them: the table is rewritten once, and each new value is computed from the row as it was
 * before all of them.
 */
export function* alterTypes(
  context: DdlContext,
  table: TableDescriptor,
  actions: readonly Action<'alter-type'>[],
): Step {
  const transforms = new Map<number, BoundRowExpression>();
  let changed = table;
  for (const action of actions) {
    const column = columnOf(table, action.column);
    const at = table.columns.indexOf(column);
    if (transforms.has(at)) throw new PhantomError('0A000', `cannot alter type of column "${column.name}" twice`);
    const typed = typedColumn(context, table, column, action);
    const using = action.using === undefined ? undefined : storedExpression(context, action.using, table.name);
    transforms.set(at, new BoundRowExpression(transformOf(context, table, typed, using), table));
    const defaulted = column.generated === undefined ? castDefault(context, table, typed) : typed;
    changed = { ...changed, columns: changed.columns.map((other) => (other === column ? defaulted : other)) };
  }
  bindTexts(context, changed);
  checkForeignKeys(context, changed);
  const after = yield* rewriteTable(context, table, changed, (row) => {
    const copy = row.slice(0, table.columns.length);
    for (const [at, transform] of transforms) copy[at] = transform.evaluate(row, context.evaluation);
    return copy;
  });
  putRowType(context, after);
  for (const at of transforms.keys()) {
    const column = after.columns[at] as ColumnDescriptor;
    if (column.identity !== undefined) retypeSequence(context, column, column.type.oid);
  }
}

/** Raises what foreign keys of the table, and those that refer to it, cannot be with the types of its columns. */
function checkForeignKeys(context: DdlContext, table: TableDescriptor): void {
  for (const constraint of table.constraints) {
    if (constraint.kind !== 'foreign key') continue;
    const other = context.objects.object(constraint.referencedTableOid);
    const parent = constraint.referencedTableOid === table.oid ? table : other;
    if (parent?.kind === 'table') checkForeignKey(context, constraint, table, parent);
  }
  for (const { child, constraint } of incomingKeys(table, context.objects))
    if (child.oid !== table.oid) checkForeignKey(context, constraint, child, table);
}

function checkForeignKey(
  context: DdlContext,
  { columns, name, referencedColumns }: ForeignKey,
  child: TableDescriptor,
  parent: TableDescriptor,
): void {
  const own = columns.flatMap((number) => child.columns.find((column) => column.number === number) ?? []);
  checkKeyTypes(context, name, parent, own, referencedColumns);
}

/** The column with the type that the action says; refused where something of the table would not go with it. */
function typedColumn(
  context: DdlContext,
  table: TableDescriptor,
  column: ColumnDescriptor,
  action: Action<'alter-type'>,
): ColumnDescriptor {
  const type = resolveTypeName(context.picture, action.type);
  if (context.picture.types.byOid(type.oid)?.kind === 'pseudo')
    throw new PhantomError('42P16', `column "${column.name}" has pseudo-type`);
  requireTypeUsage(context, type);
  refuseMember(context, type.oid, { oid: table.rowTypeOid, name: table.name });
  refuseStoredRows(context, table);
  refuseDependents(context, table, column);
  if (column.identity !== undefined && ![20, 21, 23].includes(type.oid))
    throw new PhantomError('22023', 'identity column type must be smallint, integer, or bigint');
  return { ...column, type: withNamedCollation(context.picture, type, action.collation) };
}

function retypeSequence(context: DdlContext, column: ColumnDescriptor, typeOid: number): void {
  const sequence = context.objects.object(column.sequenceOid as number);
  if (sequence?.kind === 'sequence')
    context.objects.put(changedSequence(context, { ...sequence, typeOid: sequence.typeOid }, [], typeOid));
}

function transformOf(
  context: DdlContext,
  table: TableDescriptor,
  column: ColumnDescriptor,
  using: string | undefined,
): RowExpression {
  const sql = using ?? `"${column.name.replaceAll('"', '""')}"`;
  try {
    return bindRowExpression(sql, {
      columns: table.columns,
      relationName: table.name,
      catalog: context.picture,
      target: column.type,
      purpose: 'transform',
    });
  } catch (error) {
    if (!(error instanceof PhantomError) || error.code !== '42804') throw error;
    const name = context.picture.types.byOid(column.type.oid)?.displayName ?? '';
    if (using !== undefined) {
      throw new PhantomError(
        '42804',
        `result of USING clause for column "${column.name}" cannot be cast automatically to type ${name}`,
        {
          hint: 'You might need to add an explicit cast.',
        },
      );
    }
    throw new PhantomError('42804', `column "${column.name}" cannot be cast automatically to type ${name}`, {
      hint: `You might need to specify "USING ${column.name}::${name}".`,
    });
  }
}

/** The column with its default, if that can be of the new type. */
function castDefault(context: DdlContext, table: TableDescriptor, column: ColumnDescriptor): ColumnDescriptor {
  if (column.defaultSql === undefined) return column;
  try {
    bindColumnValue(context, table, column, column.defaultSql);
  } catch (error) {
    if (!(error instanceof PhantomError) || !(error.code === '42804' || error.code.startsWith('22'))) throw error;
    const name = context.picture.types.byOid(column.type.oid)?.displayName ?? '';
    throw new PhantomError('42804', `default for column "${column.name}" cannot be cast automatically to type ${name}`);
  }
  return column;
}

/** Views and generated columns hold on to the column's type. */
function refuseDependents(context: DdlContext, table: TableDescriptor, column: ColumnDescriptor): void {
  for (const dependency of context.objects.dependentsOf(table.oid)) {
    if (dependency.referencedColumn !== column.number) continue;
    const dependent = context.objects.object(dependency.dependentOid);
    if (dependent?.kind === 'rule') {
      const relation = context.objects.object(dependent.tableOid);
      throw new PhantomError('0A000', 'cannot alter type of a column used by a view or rule', {
        detail: `rule ${dependent.name} on ${relation?.kind} ${relation?.name} depends on column "${column.name}"`,
      });
    }
    if (dependent?.kind === 'view' || (dependent?.kind === 'table' && dependent.materialized !== undefined)) {
      throw new PhantomError('0A000', 'cannot alter type of a column used by a view or rule', {
        detail: `rule _RETURN on ${dependent.kind === 'view' ? 'view' : 'materialized view'} ${dependent.name} depends on column "${column.name}"`,
      });
    }
  }
  for (const other of table.columns) {
    if (other.generated === undefined || other.dropped || other.number === column.number) continue;
    if (columnsIn(context, table, other.defaultSql as string).includes(column.number)) {
      throw new PhantomError('0A000', 'cannot alter type of a column used by a generated column', {
        detail: `Column "${column.name}" is used by generated column "${other.name}".`,
      });
    }
  }
}

/** Numbers of the columns that an expression text of the table reads. */
export function columnsIn(context: DdlContext, table: TableDescriptor, sql: string): readonly number[] {
  return bindRowExpression(sql, {
    columns: table.columns,
    relationName: table.name,
    catalog: context.picture,
    target: undefined,
    purpose: 'transform',
  }).columns;
}

/** Everything that is kept as text over the table's columns must still mean something. */
function bindTexts(context: DdlContext, table: TableDescriptor): void {
  const bind = (
    sql: string,
    purpose: 'check' | 'generated' | 'index' | 'predicate',
    target: ColumnDescriptor['type'] | undefined,
  ): void => {
    bindRowExpression(sql, {
      columns: table.columns,
      relationName: table.name,
      catalog: context.picture,
      target,
      purpose,
    });
  };
  for (const constraint of table.constraints) {
    if (constraint.kind === 'check') bind(constraint.expressionSql, 'check', undefined);
  }
  for (const column of table.columns) {
    if (column.generated !== undefined && !column.dropped) bind(column.defaultSql as string, 'generated', column.type);
  }
  for (const oid of table.indexOids) {
    const index = context.objects.object(oid);
    if (index?.kind !== 'index') continue;
    for (const part of index.parts) if (part.expressionSql !== undefined) bind(part.expressionSql, 'index', undefined);
    if (index.predicateSql !== undefined) bind(index.predicateSql, 'predicate', undefined);
  }
}

export function* addIdentity(context: DdlContext, table: TableDescriptor, action: Action<'add-identity'>): Step {
  const column = columnOf(table, action.column);
  if (!column.notNull)
    throw new PhantomError(
      '55000',
      `column "${column.name}" of relation "${table.name}" must be declared NOT NULL before identity can be added`,
    );
  if (column.identity !== undefined)
    throw new PhantomError(
      '55000',
      `column "${column.name}" of relation "${table.name}" is already an identity column`,
    );
  if (column.defaultSql !== undefined)
    throw new PhantomError('55000', `column "${column.name}" of relation "${table.name}" already has a default value`);
  const made = yield* ownSequence(
    context,
    table,
    column,
    undefined,
    action.options,
    action.always ? 'always' : 'by default',
  );
  replaceColumn(context, table, made);
}

function identityOf(
  context: DdlContext,
  table: TableDescriptor,
  name: Name,
): { column: ColumnDescriptor; sequence: SequenceDescriptor } | undefined {
  const column = columnOf(table, name);
  const sequence = column.sequenceOid === undefined ? undefined : context.objects.object(column.sequenceOid);
  return column.identity !== undefined && sequence?.kind === 'sequence' ? { column, sequence } : undefined;
}

function notIdentity(table: TableDescriptor, name: Name): PhantomError {
  return new PhantomError('55000', `column "${name.text}" of relation "${table.name}" is not an identity column`);
}

export function setIdentity(context: DdlContext, table: TableDescriptor, action: Action<'set-identity'>): void {
  const found = identityOf(context, table, action.column);
  if (found === undefined) throw notIdentity(table, action.column);
  if (action.always !== undefined) {
    replaceColumn(context, table, { ...found.column, identity: action.always ? 'always' : 'by default' });
  }
  context.objects.put(changedSequence(context, found.sequence, action.options));
  restartSequence(context, found.sequence.oid, action.options);
}

export function dropIdentity(
  context: DdlContext,
  table: TableDescriptor,
  action: { readonly column: Name; readonly ifExists: boolean },
): SequenceDescriptor | undefined {
  const found = identityOf(context, table, action.column);
  if (found === undefined) {
    if (!action.ifExists) throw notIdentity(table, action.column);
    context.notice(
      'NOTICE',
      '00000',
      `column "${action.column.text}" of relation "${table.name}" is not an identity column, skipping`,
    );
    return undefined;
  }
  const { identity: _identity, sequenceOid: _sequence, ...rest } = found.column;
  replaceColumn(context, table, rest);
  return found.sequence;
}

/** DROP EXPRESSION: the values stay, and are ordinary from now on. */
export function dropExpression(
  context: DdlContext,
  table: TableDescriptor,
  action: { readonly column: Name; readonly ifExists: boolean },
): void {
  const column = columnOf(table, action.column);
  if (column.generated === undefined) {
    const message = `column "${column.name}" of relation "${table.name}" is not a stored generated column`;
    if (!action.ifExists) throw new PhantomError('55000', message);
    return context.notice('NOTICE', '00000', `${message}, skipping`);
  }
  const { generated: _generated, defaultSql: _value, ...rest } = column;
  replaceColumn(context, table, rest);
}

/** SET EXPRESSION: another way to compute the column, for every row. */
export function* setExpression(context: DdlContext, table: TableDescriptor, column: Name, value: Expression): Step {
  const found = columnOf(table, column);
  if (found.generated === undefined)
    throw new PhantomError('55000', `column "${found.name}" of relation "${table.name}" is not a generated column`);
  const changed: ColumnDescriptor = { ...found, defaultSql: storedExpression(context, value, table.name) };
  const columns = table.columns.map((candidate) => (candidate === found ? changed : candidate));
  bindTexts(context, { ...table, columns });
  yield* rewriteTable(context, table, { ...table, columns }, (row) => row.slice(0, columns.length));
}

/**
 * The column gone from the table's descriptor. Its place stays, and old rows keep its bytes; where it is in the rows' key, or of a
 * type that may be gone tomorrow, the table is rewritten without it.
 */
export function* eraseColumn(context: DdlContext, table: TableDescriptor, column: ColumnDescriptor): Step {
  refuseStoredRows(context, table);
  const {
    defaultSql: _default,
    generated: _generated,
    identity: _identity,
    sequenceOid: _sequence,
    acl: _acl,
    comment: _comment,
    inheritCount: _inheritCount,
    isLocal: _isLocal,
    ...rest
  } = column;
  const ofUserType = userTypeOf(context, column.type.oid) !== undefined;
  const erased: ColumnDescriptor = {
    ...rest,
    name: `........pg.dropped.${column.number}........`,
    dropped: true,
    notNull: false,
    ...(ofUserType ? { type: BOOL, missingText: null } : {}),
  };
  const columns = table.columns.map((candidate) => (candidate.number === column.number ? erased : candidate));
  const inKey = table.keyColumns.includes(column.number);
  let changed: TableDescriptor = { ...table, columns, schemaVersion: table.schemaVersion + 1 };
  if (inKey || ofUserType) {
    const at = columns.indexOf(erased);
    const keyed = inKey ? { ...changed, keyColumns: [] } : changed;
    changed = yield* rewriteTable(context, table, keyed, (row) => {
      const copy: Value[] = row.slice(0, columns.length);
      copy[at] = null;
      return copy;
    });
  } else {
    context.objects.put(changed);
  }
  putRowType(context, changed);
}
