/**
 * ANALYZE [table [(columns)] [, ...]], also as VACUUM (ANALYZE): walks over each table once and stores what the planner wants
 * to know. What else VACUUM does is in session/vacuum.ts.
 *
 * A sample is taken all over the key order: every row of a small table, a share of a large one's. Which rows is drawn by a hash
 * of their position: were it every k-th, rows beside each other, which are often alike, would never come together, and
 * values that repeat would look different. The walk gives way like any scan.
 */
import { ByteSlot, CursorBatch, spaceRange } from '@phantom/kv';
import {
  type ColumnDescriptor,
  type StatisticsDescriptor,
  type StatisticsKind,
  type TableDescriptor,
  ownsObject,
} from '@phantom/catalog';
import { PhantomError } from '@phantom/base';
import { ColumnSample, type ColumnSummary } from '../plan/statistics/column-sample.js';
import { GroupSample } from '../plan/statistics/group-sample.js';
import { type StoredGroup, storeStatistics } from '../plan/statistics/stored-statistics.js';
import type { NamedRelation } from '../plan/catalog-port.js';
import { physicalTable } from '../storage/physical-table.js';
import { isSystemTable } from '../system-views/system-view.js';
import type { Yielded } from '../exec/runtime.js';
import type { Vacuum } from '../text/ast-session.js';
import type { SqlType, Value } from '../types/type.js';
import type { DdlContext, DdlExecution } from './context.js';
import { distinctSaid } from './column-advice.js';
import { columnOf } from './alter-columns.js';
import { relationNamed } from './names.js';
import { statisticsOf } from './statistics-objects.js';

/** Rows of a sample for each bucket of a histogram: as in PostgreSQL. */
const SAMPLE_ROWS_PER_BUCKET = 300;
const BATCH_ROWS = 256;

const UTF8 = new TextEncoder();

export function* analyzeTables(context: DdlContext, node: Vacuum): DdlExecution {
  yield* analyze(context, node);
  return undefined;
}

/** Analyses the tables of an ANALYZE, or of a VACUUM that asks for it; gives those that the role maintains. */
export function* analyze(context: DdlContext, node: Vacuum): Generator<Yielded, readonly TableDescriptor[], void> {
  const wanted = node.kind === 'analyze' || node.options.some((option) => option.name.text === 'analyze');
  if (!wanted && node.tables.some(({ columns }) => columns.length > 0))
    throw new PhantomError('0A000', 'ANALYZE option must be specified when a column list is provided');
  const maintained: TableDescriptor[] = [];
  for (const target of tablesOf(context, node)) {
    if (!maintains(context, target)) {
      const message = `skipping "${target.name}" --- only table or database owner can ${node.kind} it`;
      context.notice('WARNING', '01000', message);
      continue;
    }
    if (wanted) yield* analyzeTable(context, target);
    maintained.push(target);
  }
  return maintained;
}

/** Statistics are a matter of the table's owner and of the database's. */
function maintains(context: DdlContext, table: TableDescriptor): boolean {
  return ownsObject(context.objects, context.roleOid, table) || ownsDatabase(context);
}

function ownsDatabase({ objects, databaseOid, roleOid }: DdlContext): boolean {
  const database = objects.object(databaseOid);
  return database?.kind === 'database' && ownsObject(objects, roleOid, database);
}

function tablesOf(context: DdlContext, node: Vacuum): TableDescriptor[] {
  if (node.tables.length === 0) {
    const tables: TableDescriptor[] = [];
    for (const object of context.objects.objects()) {
      if (object.kind !== 'table' || object.partitioned !== undefined) continue;
      const schema = context.objects.object(object.schemaOid);
      if (schema?.kind === 'schema' && schema.databaseOid === context.databaseOid) tables.push(object);
    }
    return tables;
  }
  return node.tables.flatMap(({ name, columns }) => {
    const relation = relationNamed(context, name);
    if (relation.kind !== 'table') {
      passOver(context, relation, node.kind);
      return [];
    }
    for (const column of columns) columnOf(relation, column);
    return leavesOf(context, relation);
  });
}

/** The system's own tables need nothing done to them; of whatever else is no table, the caller hears. */
function passOver(context: DdlContext, relation: NamedRelation, kind: Vacuum['kind']): void {
  const { name } = relation;
  if (isSystemTable(relation)) {
    if (ownsDatabase(context)) return;
    const message = `skipping "${name}" --- only superuser or database owner can ${kind} it`;
    context.notice('WARNING', '01000', message);
  } else {
    context.notice('WARNING', '01000', `skipping "${name}" --- cannot ${kind} non-tables or special system tables`);
  }
}

/** The table; of a partitioned one, which has no rows of its own, all partitions that have. */
function leavesOf(context: DdlContext, table: TableDescriptor): TableDescriptor[] {
  if (table.partitioned === undefined) return [table];
  return context.picture.partitionsOf(table).flatMap((partition) => leavesOf(context, partition));
}

/** Walks over one table and writes its statistics in the transaction; the planner has them once that is published. */
export function* analyzeTable(context: DdlContext, table: TableDescriptor): DdlExecution {
  const { types } = context.picture;
  const execution = context.execution();
  const physical = physicalTable(table, types);
  const range = spaceRange(table.space);
  const estimatedRows = context.storage.estimate(range).keys;
  const statistics = statisticsOf(context, table);
  const share = Math.min(1, sampleRows(context, table, statistics) / Math.max(1, estimatedRows));
  const samples = new Map<number, { readonly sample: ColumnSample; readonly position: number }>();
  table.columns.forEach((column, position) => {
    const type = types.byOid(column.type.oid);
    const target = column.statisticsTarget ?? defaultTarget(context);
    if (column.dropped || type === undefined || target === 0) return;
    samples.set(column.number, { sample: new ColumnSample(type, target), position });
  });
  const all = [...samples.values()];
  const groups = groupsOf(context, table, statistics);
  const batch = new CursorBatch(BATCH_ROWS);
  batch.keyless = true;
  const slot = new ByteSlot();
  const values: Value[] = [];
  const cursor = execution.read.cursor(range);
  let rows = 0;
  try {
    for (let count = cursor.fill(batch); count > 0; count = cursor.fill(batch)) {
      for (let i = 0; i < count; i++) {
        if (drawnOf(rows++) >= share) continue;
        slot.set(batch.valueBuffers[i] as Uint8Array, batch.valueStarts[i] as number, batch.valueEnds[i] as number);
        physical.decode(slot.buffer, slot.start, slot.end, values, context.evaluation);
        for (const { sample, position } of all) sample.add(values[position] ?? null);
        for (const { sample, positions } of groups) sample.add(positions.map((position) => values[position] ?? null));
      }
      if (execution.slice.due()) yield undefined;
    }
  } finally {
    cursor.close();
  }
  const summaries = new Map<number, ColumnSummary>();
  for (const [number, { sample, position }] of samples) {
    const summary = sample.summary(rows);
    const said = distinctSaid(table.columns[position] as ColumnDescriptor, rows);
    summaries.set(number, said === undefined ? summary : { ...summary, distinctCount: said });
    if (execution.slice.due()) yield undefined;
  }
  const found: StoredGroup[] = [];
  for (const { sample, gathers } of groups) {
    const distinct = gathers.includes('ndistinct') ? yield* inSlices(context, sample.distinct(rows)) : [];
    const dependencies = gathers.includes('dependencies') ? yield* inSlices(context, sample.dependencies()) : [];
    found.push({ columns: sample.columns, distinct, dependencies });
  }
  const stored = storeStatistics(table, rows, estimatedRows, summaries, found, types);
  const key = context.catalog.keys.statistics(table.oid);
  const json = UTF8.encode(JSON.stringify(stored));
  context.transaction.put(key, 0, key.length, json, 0, json.length);
  context.onEnd((committed) => {
    if (committed) context.statistics.publish(table.oid, stored);
  });
  return undefined;
}

interface Group {
  readonly sample: GroupSample;
  readonly gathers: readonly StatisticsKind[];
  /** Places of the columns in a row. */
  readonly positions: readonly number[];
}

/** Rows enough for whichever column, and whatever is gathered of columns together, has the largest target. */
function sampleRows(
  context: DdlContext,
  { columns }: TableDescriptor,
  statistics: readonly StatisticsDescriptor[],
): number {
  const targets = [
    ...columns.filter(({ dropped }) => !dropped).map(({ statisticsTarget }) => statisticsTarget),
    ...statistics.map(({ target }) => target),
  ];
  return SAMPLE_ROWS_PER_BUCKET * Math.max(1, ...targets.map((target) => target ?? defaultTarget(context)));
}

/** How many common values and buckets are kept of a column of which nothing else is said. */
function defaultTarget({ evaluation }: DdlContext): number {
  return Number(evaluation.setting('default_statistics_target', false));
}

/** Samples for the table's statistics objects, but for those that are to gather nothing. */
function groupsOf(context: DdlContext, table: TableDescriptor, statistics: readonly StatisticsDescriptor[]): Group[] {
  const gathering = statistics.filter(({ target }) => target !== 0);
  return gathering.map(({ columns, gathers }) => {
    const positions = columns.map((number) => table.columns.findIndex((column) => column.number === number));
    const types = positions.map(
      (position) => context.picture.types.byOid((table.columns[position] as ColumnDescriptor).type.oid) as SqlType,
    );
    return { sample: new GroupSample(columns, types), gathers, positions };
  });
}

/** Runs work that yields often, and lets others run when it is time. */
function* inSlices<T>(context: DdlContext, work: Generator<undefined, T, void>): Generator<Yielded, T, void> {
  const { slice } = context.execution();
  for (let step = work.next(); ; step = work.next()) {
    if (step.done === true) return step.value;
    if (slice.due()) yield undefined;
  }
}

/** A number from 0 to less than 1 for a row's position: the same each time, and as good as drawn (the finalizer of MurmurHash3). */
function drawnOf(position: number): number {
  let hash = Math.imul(position ^ (position >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 4294967296;
}
