/** A table becomes a partition: by CREATE TABLE ... PARTITION OF with the columns of its parent, or by ATTACH PARTITION as it is. */
import { PhantomError } from '@phantom/base';
import type { ColumnDescriptor, PartitionBound, TableDescriptor } from '@phantom/catalog';
import type { Yielded } from '../../exec/runtime.js';
import { PartitionCheck } from '../../storage/partitions/partition-check.js';
import { partitioning } from '../../storage/partitions/partitioning.js';
import { parseExpression } from '../../text/parse.js';
import type { QualifiedName } from '../../text/ast-leaves.js';
import type { ColumnDefinition, CreateTable, TableConstraint } from '../../text/ast-schema.js';
import type { DdlContext } from '../context.js';
import { lockForChange, refuseWhileInUse, relationNamed, requireOwner, undefinedRelation } from '../names.js';
import { replaceTable } from '../replace-table.js';
import { eachRow } from '../validate.js';
import { inheritTriggers } from '../triggers/partition-triggers.js';
import { partitionBoundOf } from './partition-bound.js';
import { inheritForeignKeys } from './partition-foreign-keys.js';
import { inheritIndexes } from './partition-indexes.js';

type Step = Generator<Yielded, void, void>;

/** The table that a new partition is to be one of, locked against writers. */
export function* parentOf(
  context: DdlContext,
  name: QualifiedName,
  persistence: TableDescriptor['persistence'],
): Generator<Yielded, TableDescriptor, void> {
  const relation = relationNamed(context, name);
  if (relation.kind !== 'table' || relation.partitioned === undefined)
    throw new PhantomError('42P17', `"${relation.name}" is not partitioned`);
  requireOwner(context, relation);
  const parent = yield* lockForChange(context, relation);
  if (parent === undefined) throw undefinedRelation(name);
  yield* refuseWhileInUse(context, parent, 'CREATE TABLE .. PARTITION OF');
  if (persistence === 'temporary' && parent.persistence !== 'temporary')
    throw new PhantomError(
      '42809',
      `cannot create a temporary relation as partition of permanent relation "${parent.name}"`,
    );
  if (persistence !== 'temporary' && parent.persistence === 'temporary')
    throw new PhantomError(
      '42809',
      `cannot create a permanent relation as partition of temporary relation "${parent.name}"`,
    );
  return parent;
}

/** The columns of a partition as its parent has them; identities, and what is said of its statistics, are the parent's alone. */
export function inheritedColumns(parent: TableDescriptor, layoutVersion: number): ColumnDescriptor[] {
  return parent.columns
    .filter(({ dropped }) => !dropped)
    .map((column, i): ColumnDescriptor => {
      const { identity: _identity, sequenceOid: _sequence, missingText: _missing, acl: _acl, ...shared } = column;
      const { statisticsTarget: _target, options: _options, ...rest } = shared;
      return { ...rest, number: i + 1, sinceVersion: layoutVersion };
    });
}

/** The checks of a partition as its parent has them. */
export function inheritedChecks(parent: TableDescriptor): TableConstraint[] {
  return parent.constraints.flatMap((constraint): TableConstraint[] =>
    constraint.kind === 'check'
      ? [
          {
            kind: 'check',
            name: { text: constraint.name, position: 0, quoted: true },
            condition: parseExpression(constraint.expressionSql),
            noInherit: false,
            notValid: false,
            enforced: true,
            position: 0,
          },
        ]
      : [],
  );
}

/** The elements of PARTITION OF: a default of the partition's own stands in the place of its parent's. */
export function overriddenColumn(table: TableDescriptor, { name, constraints }: ColumnDefinition): ColumnDescriptor {
  const column = table.columns.find((candidate) => candidate.name === name.text);
  if (column === undefined)
    throw new PhantomError('42703', `column "${name.text}" does not exist`, { position: name.position + 1 });
  if (!constraints.some(({ kind }) => kind === 'default') || column.generated !== undefined) return column;
  const { defaultSql: _default, ...rest } = column;
  return rest;
}

/** Puts a table under its parent, with the bound; its rows obey it, and the default partition has none of them. */
export function* attach(
  context: DdlContext,
  parent: TableDescriptor,
  oid: number,
  node: NonNullable<CreateTable['partitionOf']>['bound'],
  isNew: boolean,
): Step {
  const table = context.objects.object(oid) as TableDescriptor;
  const key = parent.partitioned;
  if (key === undefined) throw new PhantomError('42P17', `"${parent.name}" is not partitioned`);
  const bound: PartitionBound = partitionBoundOf(context, parent, key, table.name, node);
  const { default: other } = partitioning(parent, context.picture);
  const locked = other === undefined ? undefined : yield* lockForChange(context, other.table);
  const checks = table.constraints.map((constraint) => {
    const above = parent.constraints.find(({ kind, name }) => kind === 'check' && name === constraint.name);
    return constraint.kind === 'check' && above !== undefined ? { ...constraint, parentOid: above.oid } : constraint;
  });
  context.objects.put({
    ...table,
    constraints: checks,
    partition: { parentOid: parent.oid, bound },
    schemaVersion: table.schemaVersion + 1,
  });
  context.objects.addDependency({
    dependentOid: table.oid,
    dependentColumn: 0,
    referencedOid: parent.oid,
    referencedColumn: 0,
    strength: 'automatic',
  });
  renew(context, parent.oid);
  if (!isNew)
    yield* checkRows(context, context.objects.object(oid) as TableDescriptor, (leaf) => {
      return new PhantomError('23514', `partition constraint of relation "${leaf.name}" is violated by some row`, {
        table: leaf.name,
        schema: context.picture.schemaName(leaf.schemaOid),
      });
    });
  if (locked !== undefined)
    yield* checkRows(context, locked, (leaf) => {
      const message = `updated partition constraint for default partition "${leaf.name}" would be violated by some row`;
      return new PhantomError('23514', message, {
        table: leaf.name,
        schema: context.picture.schemaName(leaf.schemaOid),
      });
    });
  yield* inheritTriggers(context, context.objects.object(parent.oid) as TableDescriptor, oid);
  yield* inheritForeignKeys(context, context.objects.object(parent.oid) as TableDescriptor, oid, isNew);
  yield* inheritIndexes(context, context.objects.object(parent.oid) as TableDescriptor, oid, isNew);
}

/** A partitioned table whose partitions have changed gets its next version. The caller holds its lock, and those of none above it. */
export function renew(context: DdlContext, oid: number): void {
  const table = context.objects.object(oid);
  if (table?.kind === 'table') replaceTable(context, table, {});
}

/** Every row of a partition, and of those below it, must lie where its bounds say. */
function* checkRows(
  context: DdlContext,
  table: TableDescriptor,
  refuse: (leaf: TableDescriptor) => PhantomError,
): Step {
  if (table.partitioned !== undefined) {
    for (const inner of context.picture.partitionsOf(table)) {
      yield* lockForChange(context, inner);
      yield* checkRows(context, inner, refuse);
    }
    return;
  }
  const check = new PartitionCheck(table, context.objects, context.picture);
  yield* eachRow(context, table, (row) => {
    if (!check.takes(row, context.evaluation)) throw refuse(table);
  });
}
