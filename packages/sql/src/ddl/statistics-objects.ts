/**
 * CREATE STATISTICS, and what ALTER, COMMENT and DROP do with what it makes: columns of a table of which ANALYZE finds how many
 * combinations of values they have, and how far values of one follow from the others (plan/statistics/group-sample.ts).
 *
 * It belongs to its table and goes with it, and with each of its columns. Left out: expressions, lists of common combinations
 * (mcv).
 */
import { PhantomError, unsupportedError } from '@phantom/base';
import {
  NameClass,
  type StatisticsDescriptor,
  type StatisticsKind,
  type TableDescriptor,
  hasPrivilege,
} from '@phantom/catalog';
import type { Yielded } from '../exec/runtime.js';
import { isSystemColumn } from '../storage/system-columns.js';
import type { Name, QualifiedName } from '../text/ast-leaves.js';
import type { AlterStatistics, CreateStatistics } from '../text/ast-schema.js';
import type { Expression } from '../text/ast.js';
import { checkedTarget } from './column-advice.js';
import type { DdlContext, DdlExecution } from './context.js';
import {
  chooseName,
  claimName,
  creationSchema,
  findSchema,
  lockForChange,
  relationNamed,
  requireOwner,
  splitName,
} from './names.js';

/** As PostgreSQL: the combinations of more are too many. */
const COLUMNS_MAX = 8;
const GATHERED: readonly StatisticsKind[] = ['ndistinct', 'dependencies'];

export function* createStatistics(context: DdlContext, node: CreateStatistics): DdlExecution {
  const [from, ...others] = node.from;
  if (from === undefined || others.length > 0)
    throw new PhantomError('0A000', 'only a single relation is allowed in CREATE STATISTICS');
  const found = relationNamed(context, from);
  if (found.kind !== 'table') throw new PhantomError('42809', `cannot define statistics for relation "${found.name}"`);
  requireOwner(context, found);
  const gathers = gatheredOf(node.kinds);
  const table = (yield* lockForChange(context, found)) as TableDescriptor;
  const columns = columnsOf(context, table, node.expressions);
  const place = node.name === undefined ? undefined : creationSchema(context, node.name);
  const schemaOid = place?.schemaOid ?? table.schemaOid;
  const name = place?.name ?? freeName(context, table, columns);
  if ((yield* claimName(context, NameClass.Statistics, schemaOid, name)) !== undefined) {
    const message = `statistics object "${name}" already exists`;
    if (!node.ifNotExists) throw new PhantomError('42710', message);
    context.notice('NOTICE', '42710', `${message}, skipping`);
    return undefined;
  }
  putStatistics(context, table, { name, schemaOid, columns, gathers });
  return undefined;
}

/** Makes a statistics object of a table. */
export function putStatistics(
  context: DdlContext,
  table: TableDescriptor,
  made: Pick<StatisticsDescriptor, 'name' | 'schemaOid' | 'columns' | 'gathers' | 'comment'>,
): void {
  const oid = context.catalog.allocateOid();
  const { objects, databaseOid, roleOid } = context;
  objects.put({ kind: 'statistics', oid, databaseOid, ownerOid: roleOid, tableOid: table.oid, ...made });
  for (const referencedColumn of made.columns)
    objects.addDependency({
      dependentOid: oid,
      dependentColumn: 0,
      referencedOid: table.oid,
      referencedColumn,
      strength: 'automatic',
    });
}

/** The statistics objects of a table, oldest first. */
export function statisticsOf({ objects }: Pick<DdlContext, 'objects'>, table: TableDescriptor): StatisticsDescriptor[] {
  const found = new Map<number, StatisticsDescriptor>();
  for (const { dependentOid } of objects.dependentsOf(table.oid)) {
    const object = objects.object(dependentOid);
    if (object?.kind === 'statistics') found.set(dependentOid, object);
  }
  return [...found.values()].sort((a, b) => a.oid - b.oid);
}

/** A name that no statistics object of the table's schema has: PostgreSQL's, of the table and the columns. */
export function freeName(context: DdlContext, table: TableDescriptor, columns: readonly number[]): string {
  const names = columns.map((number) => table.columns.find((column) => column.number === number)?.name as string);
  const isTaken = (name: string): boolean =>
    context.objects.oidByName(NameClass.Statistics, table.schemaOid, name) !== undefined;
  return chooseName(context, table.schemaOid, [table.name, names.join('_')], 'stat', isTaken);
}

function gatheredOf(kinds: readonly Name[]): readonly StatisticsKind[] {
  if (kinds.length === 0) return GATHERED;
  for (const { text } of kinds) {
    if (text === 'mcv') throw unsupportedError('statistics of kind "mcv"');
    if (!GATHERED.some((kind) => kind === text))
      throw new PhantomError('42601', `unrecognized statistics kind "${text}"`);
  }
  return GATHERED.filter((kind) => kinds.some(({ text }) => text === kind));
}

/** Numbers of the columns, in their order. */
function columnsOf(context: DdlContext, table: TableDescriptor, expressions: readonly Expression[]): number[] {
  if (expressions.length > COLUMNS_MAX)
    throw new PhantomError('54011', `cannot have more than ${COLUMNS_MAX} columns in statistics`);
  const numbers: number[] = [];
  for (const expression of expressions) {
    const name = expression.kind === 'column' && expression.names.length === 1 ? expression.names[0] : undefined;
    if (name === undefined) throw unsupportedError('statistics of expressions');
    if (isSystemColumn(name.text))
      throw new PhantomError('0A000', 'statistics creation on system columns is not supported');
    const column = table.columns.find((candidate) => candidate.name === name.text && !candidate.dropped);
    if (column === undefined)
      throw new PhantomError('42703', `column "${name.text}" does not exist`, { position: name.position + 1 });
    const type = context.picture.types.byOid(column.type.oid);
    if (type?.compare === undefined || type.hashKey === undefined) {
      const shown = type?.displayName ?? String(column.type.oid);
      const why = `its type ${shown} has no default btree operator class`;
      throw new PhantomError('0A000', `column "${column.name}" cannot be used in statistics because ${why}`);
    }
    numbers.push(column.number);
  }
  if (numbers.length < 2) throw new PhantomError('42P17', 'extended statistics require at least 2 columns');
  if (new Set(numbers).size < numbers.length)
    throw new PhantomError('42701', 'duplicate column name in statistics definition');
  return numbers.sort((a, b) => a - b);
}

/** A statistics object by name, along the search path; undefined when there is none. */
export function findStatistics(context: DdlContext, written: QualifiedName): StatisticsDescriptor | undefined {
  const { schema, name } = splitName(written, context.picture.databaseName);
  for (const candidate of schema === undefined ? context.picture.searchPath : [schema]) {
    const found = findSchema(context, candidate);
    if (found === undefined || !hasPrivilege(context.objects, context.roleOid, found, 'U')) continue;
    const oid = context.objects.oidByName(NameClass.Statistics, found.oid, name);
    const object = oid === undefined ? undefined : context.objects.object(oid);
    if (object?.kind === 'statistics') return object;
  }
  return undefined;
}

/** The role's own statistics object of that name, locked; 42704 when there is none. */
export function* ownStatistics(
  context: DdlContext,
  name: QualifiedName,
): Generator<Yielded, StatisticsDescriptor, void> {
  const found = findStatistics(context, name);
  if (found === undefined) throw noStatistics(name);
  requireOwner(context, found);
  return (yield* lockForChange(context, found)) ?? found;
}

function noStatistics(name: QualifiedName): PhantomError {
  const shown = name.map((part) => part.text).join('.');
  return new PhantomError('42704', `statistics object "${shown}" does not exist`);
}

/** Gives a statistics object another name or schema. */
export function* moveStatistics(
  context: DdlContext,
  written: QualifiedName,
  to: Partial<Pick<StatisticsDescriptor, 'name' | 'schemaOid'>>,
): Generator<Yielded, undefined, void> {
  const statistics = yield* ownStatistics(context, written);
  const moved = { ...statistics, ...to };
  if (moved.schemaOid === statistics.schemaOid && to.name === undefined) return undefined;
  if ((yield* claimName(context, NameClass.Statistics, moved.schemaOid, moved.name)) !== undefined) {
    const schema = context.picture.schemaName(moved.schemaOid);
    throw new PhantomError('42710', `statistics object "${moved.name}" already exists in schema "${schema}"`);
  }
  context.objects.put(moved);
  return undefined;
}

/** ALTER STATISTICS ... SET STATISTICS: how large a sample ANALYZE takes for it; 0: none. */
export function* alterStatistics(context: DdlContext, node: AlterStatistics): DdlExecution {
  if (node.ifExists && findStatistics(context, node.name) === undefined) {
    context.notice('NOTICE', '00000', `${noStatistics(node.name).message}, skipping`);
    return undefined;
  }
  const { target: _old, ...statistics } = yield* ownStatistics(context, node.name);
  const target = checkedTarget(context, node.target);
  context.objects.put(target === undefined ? statistics : { ...statistics, target });
  return undefined;
}
