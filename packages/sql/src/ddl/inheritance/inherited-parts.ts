/**
 * CREATE TABLE ... INHERITS: the columns and checks that a table begins with. Columns of one name in several parents, and in the
 * definition, are one column, where they are alike; each parent that has it counts (ColumnDescriptor.inheritCount). Defaults and NOT NULL
 * come down with columns; identities, keys, indexes, foreign keys and triggers do not.
 */
import { PhantomError } from '@phantom/base';
import type { ColumnDescriptor, ConstraintDescriptor, Persistence, TableDescriptor, TypeRef } from '@phantom/catalog';
import type { Yielded } from '../../exec/runtime.js';
import { bindRowExpression } from '../../expr/row-expression.js';
import type { QualifiedName } from '../../text/ast-leaves.js';
import { formatType } from '../../types/format-type.js';
import { BOOL } from '../../types/type-refs.js';
import type { DdlContext } from '../context.js';
import { refuseCollection } from '../create-collection.js';
import { relationNamed, requireOwner, undefinedRelation } from '../names.js';
import { replaceTable } from '../replace-table.js';
import { lockBond } from './bonds.js';

/** What a table has of its parents. */
export interface InheritedParts {
  readonly parentOids: readonly number[];
  readonly columns: readonly ColumnDescriptor[];
  /** Names of columns whose defaults differ among the parents: the table has to say one itself. */
  readonly conflicts: ReadonlySet<string>;
  readonly checks: readonly InheritedCheck[];
}

interface InheritedCheck {
  readonly name: string;
  readonly expressionSql: string;
  readonly count: number;
}

/** The parts that parents have in common with a table that is to inherit from them; their bonds are locked. */
export function* inheritedParts(
  context: DdlContext,
  names: readonly QualifiedName[],
  persistence: Persistence,
): Generator<Yielded, InheritedParts, void> {
  const parents: TableDescriptor[] = [];
  for (const name of names) parents.push(yield* parentNamed(context, name, persistence));
  const twice = parents.find((parent, i) => parents.findIndex(({ oid }) => oid === parent.oid) < i);
  if (twice !== undefined)
    throw new PhantomError('42P07', `relation "${twice.name}" would be inherited from more than once`);
  const columns: ColumnDescriptor[] = [];
  const conflicts = new Set<string>();
  const checks: InheritedCheck[] = [];
  for (const parent of parents) {
    for (const column of parent.columns) if (!column.dropped) mergeColumn(context, columns, conflicts, column);
    for (const constraint of parent.constraints) mergeCheck(checks, constraint);
  }
  return { parentOids: parents.map(({ oid }) => oid), columns, conflicts, checks };
}

/** A table that may be inherited from. */
export function* parentNamed(
  context: DdlContext,
  name: QualifiedName,
  persistence: Persistence,
): Generator<Yielded, TableDescriptor, void> {
  const found = relationNamed(context, name);
  if (found.kind !== 'table' || found.materialized !== undefined)
    throw new PhantomError('42809', `inherited relation "${found.name}" is not a table or foreign table`);
  requireOwner(context, found);
  refuseCollection(found, 'INHERITS');
  const parent = yield* lockBond(context, found.oid);
  if (parent === undefined) throw undefinedRelation(name);
  if (parent.partitioned !== undefined)
    throw new PhantomError('42809', `cannot inherit from partitioned table "${parent.name}"`);
  if (parent.partition !== undefined) throw new PhantomError('42809', `cannot inherit from partition "${parent.name}"`);
  requireLasting(context, parent, persistence);
  return parent;
}

/** 42809 for a permanent table that would inherit from a temporary one, or for a temporary one of somebody else. */
function requireLasting(context: DdlContext, parent: TableDescriptor, persistence: Persistence): void {
  if (parent.persistence !== 'temporary') return;
  if (persistence !== 'temporary')
    throw new PhantomError('42809', `cannot inherit from temporary relation "${parent.name}"`);
  if (parent.schemaOid !== context.picture.temporarySchemaOid)
    throw new PhantomError('42809', 'cannot inherit from temporary relation of another session');
}

function mergeColumn(
  context: DdlContext,
  columns: ColumnDescriptor[],
  conflicts: Set<string>,
  column: ColumnDescriptor,
): void {
  const at = columns.findIndex(({ name }) => name === column.name);
  const known = columns[at];
  if (known === undefined) {
    columns.push(inheritedColumn(column, columns.length + 1));
    return;
  }
  const { name } = column;
  context.notice('NOTICE', '00000', `merging multiple inherited definitions of column "${name}"`);
  requireAlike(context, 'inherited column', name, known.type, column.type);
  if (known.generated !== column.generated)
    throw new PhantomError('42804', `inherited column "${name}" has a generation conflict`);
  if (known.defaultSql !== undefined && column.defaultSql !== undefined && known.defaultSql !== column.defaultSql)
    conflicts.add(name);
  columns[at] = {
    ...known,
    notNull: known.notNull || column.notNull,
    ...defaultOf(known.defaultSql === undefined ? column : known),
    inheritCount: (known.inheritCount ?? 0) + 1,
  };
}

/** A parent's column as a table has it that inherits it. */
export function inheritedColumn(
  { name, type, notNull, defaultSql, generated, storage, compression }: ColumnDescriptor,
  number: number,
  sinceVersion = 1,
): ColumnDescriptor {
  return {
    number,
    name,
    type,
    notNull,
    dropped: false,
    sinceVersion,
    ...defaultOf({ defaultSql }),
    ...(generated === undefined ? {} : { generated }),
    ...(storage === undefined ? {} : { storage }),
    ...(compression === undefined ? {} : { compression }),
    inheritCount: 1,
    isLocal: false,
  };
}

function defaultOf({ defaultSql }: { readonly defaultSql?: string | undefined }): { readonly defaultSql?: string } {
  return defaultSql === undefined ? {} : { defaultSql };
}

/** 42804 and 42P21 for two columns of one name that cannot be one. */
function requireAlike(context: DdlContext, what: string, name: string, one: TypeRef, other: TypeRef): void {
  if (one.oid !== other.oid || one.typmod !== other.typmod) {
    const detail = `${typeText(context, one)} versus ${typeText(context, other)}`;
    throw new PhantomError('42804', `${what} "${name}" has a type conflict`, { detail });
  }
  if (one.collation !== other.collation) {
    const detail = `"${one.collation ?? 'default'}" versus "${other.collation ?? 'default'}"`;
    throw new PhantomError('42P21', `${what} "${name}" has a collation conflict`, { detail });
  }
}

function typeText({ picture }: DdlContext, { oid, typmod }: TypeRef): string {
  const type = picture.types.byOid(oid);
  return type === undefined ? String(oid) : formatType(type, typmod ?? -1);
}

function mergeCheck(checks: InheritedCheck[], constraint: ConstraintDescriptor): void {
  if (constraint.kind !== 'check' || constraint.noInherit === true) return;
  const { name, expressionSql } = constraint;
  const at = checks.findIndex((check) => check.name === name);
  const known = checks[at];
  if (known === undefined) checks.push({ name, expressionSql, count: 1 });
  else if (known.expressionSql === expressionSql) checks[at] = { ...known, count: known.count + 1 };
  else
    throw new PhantomError(
      '42710',
      `check constraint name "${name}" appears multiple times but with different expressions`,
    );
}

/**
 * An inherited column with what the definition says of it besides; `declared` is the column that the definition would make alone,
 * `saysDefault` whether that may be null because it says so, and `place` its place there.
 */
export function mergeDeclared(
  context: DdlContext,
  inherited: ColumnDescriptor,
  declared: ColumnDescriptor,
  saysDefault: boolean,
  place: number,
): ColumnDescriptor {
  const { name } = inherited;
  if (place === inherited.number)
    context.notice('NOTICE', '00000', `merging column "${name}" with inherited definition`);
  else
    context.notice('NOTICE', '00000', `moving and merging column "${name}" with inherited definition`, {
      detail: 'User-specified column moved to the position of the inherited column.',
    });
  requireAlike(context, 'column', name, inherited.type, declared.type);
  if (inherited.generated !== undefined) {
    if (declared.generated !== undefined)
      throw new PhantomError('42611', `child column "${name}" specifies generation expression`, {
        hint: 'Omit the generation expression in the definition of the child table column to inherit the generation expression from the parent table.',
      });
    if (saysDefault || declared.defaultSql !== undefined)
      throw new PhantomError('42611', `column "${name}" inherits from generated column but specifies default`);
    if (declared.identity !== undefined)
      throw new PhantomError('42611', `column "${name}" inherits from generated column but specifies identity`);
  }
  const { defaultSql: _inherited, isLocal: _notLocal, ...rest } = inherited;
  const { identity, sequenceOid, generated, comment } = declared;
  return {
    ...rest,
    notNull: inherited.notNull || declared.notNull,
    ...defaultOf(saysDefault || declared.defaultSql !== undefined || identity !== undefined ? declared : inherited),
    ...(generated === undefined ? {} : { generated }),
    ...(identity === undefined ? {} : { identity }),
    ...(sequenceOid === undefined ? {} : { sequenceOid }),
    ...(comment === undefined ? {} : { comment }),
  };
}

/** 42611 for defaults that differ among the parents where the table has none of its own. */
export function refuseConflicts(
  columns: readonly ColumnDescriptor[],
  conflicts: ReadonlySet<string>,
  settled: ReadonlySet<string>,
): void {
  for (const { name, generated } of columns) {
    if (!conflicts.has(name) || settled.has(name)) continue;
    if (generated !== undefined)
      throw new PhantomError('42611', `column "${name}" inherits conflicting generation expressions`);
    throw new PhantomError('42611', `column "${name}" inherits conflicting default values`, {
      hint: 'To resolve the conflict, specify a default explicitly.',
    });
  }
}

/** Gives a new table the checks of its parents. */
export function putInheritedChecks(
  context: DdlContext,
  table: TableDescriptor,
  checks: readonly InheritedCheck[],
): void {
  const made = checks.map(({ name, expressionSql, count }): ConstraintDescriptor => ({
    kind: 'check',
    oid: context.catalog.allocateOid(),
    name,
    deferrable: false,
    initiallyDeferred: false,
    validated: true,
    expressionSql,
    columns: checkedColumns(context, table, expressionSql),
    inheritCount: count,
    isLocal: false,
  }));
  if (made.length > 0) replaceTable(context, table, { constraints: [...table.constraints, ...made] });
}

function checkedColumns(
  { picture }: DdlContext,
  { columns, name }: TableDescriptor,
  expressionSql: string,
): readonly number[] {
  const request = { columns, relationName: name, catalog: picture, target: BOOL, purpose: 'check' } as const;
  return bindRowExpression(expressionSql, request).columns;
}
