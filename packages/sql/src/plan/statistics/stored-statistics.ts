/**
 * The statistics of a table as they are stored: JSON, values as the types' own text, so that a person can read them. One
 * entry of the catalog's space for each table that was analysed (catalog/src/keys.ts), written by the transaction that ran
 * ANALYZE and thrown away with the table.
 */
import type { TableDescriptor } from '@phantom/catalog';
import type { TypeContext, TypeLookup, Value } from '../../types/type.js';
import type { ColumnStatistics } from '../catalog-port.js';
import type { ColumnSummary } from './column-sample.js';
import type { GroupDependency, GroupDistinct } from './group-sample.js';

interface StoredColumn {
  readonly typeOid: number;
  /** Distinct values; a negative number is a share of the rows, for columns that grow with their table. */
  readonly distinct: number;
  readonly nullFraction: number;
  readonly averageBytes: number;
  readonly common: readonly (readonly [text: string, fraction: number])[];
  readonly histogram: readonly string[];
  readonly correlation: number;
}

/** What was found of columns together, for one CREATE STATISTICS. */
export interface StoredGroup {
  readonly columns: readonly number[];
  readonly distinct: readonly GroupDistinct[];
  readonly dependencies: readonly GroupDependency[];
}

export interface StoredStatistics {
  /** Rows that ANALYZE counted, and what the engine had estimated at that moment. */
  readonly rows: number;
  readonly estimatedRows: number;
  readonly columns: Readonly<Record<string, StoredColumn>>;
  readonly groups?: readonly StoredGroup[];
}

/** From so many distinct values per row on, a column is taken to grow with its table. */
const GROWING_SHARE = 0.1;
/** More digits of a fraction mean nothing. */
const DIGITS = 6;

/** Texts that mean the same whatever a session's settings are. */
export function storageContext(types: TypeLookup): TypeContext {
  return {
    timeZone: 'UTC',
    dateStyle: 'ISO',
    dateOrder: 'YMD',
    intervalStyle: 'postgres',
    byteaOutput: 'hex',
    xmlOption: 'content',
    extraFloatDigits: 1,
    transactionMicros: 0,
    types,
  };
}

/** Puts what was found into the stored form. */
export function storeStatistics(
  table: TableDescriptor,
  rows: number,
  estimatedRows: number,
  summaries: ReadonlyMap<number, ColumnSummary>,
  groups: readonly StoredGroup[],
  types: TypeLookup,
): StoredStatistics {
  const context = storageContext(types);
  const columns: Record<string, StoredColumn> = {};
  for (const column of table.columns) {
    const summary = summaries.get(column.number);
    const type = types.byOid(column.type.oid);
    if (summary === undefined || type === undefined) continue;
    const text = (value: Value): string => type.output(value, context);
    const growing = summary.distinctCount > GROWING_SHARE * rows;
    columns[column.number] = {
      typeOid: column.type.oid,
      distinct: growing ? -round(summary.distinctCount / Math.max(1, rows)) : summary.distinctCount,
      nullFraction: round(summary.nullFraction),
      averageBytes: Math.round(summary.averageBytes),
      common: summary.mostCommon.map(({ value, fraction }) => [text(value), round(fraction)] as const),
      histogram: summary.histogram.map(text),
      correlation: round(summary.correlation),
    };
  }
  return { rows, estimatedRows, columns, ...(groups.length === 0 ? {} : { groups }) };
}

function round(value: number): number {
  return Number(value.toPrecision(DIGITS));
}

/** A column's statistics for a table of so many rows today; undefined when there are none, or its type has changed. */
export function columnOf(
  stored: StoredStatistics,
  table: TableDescriptor,
  columnNumber: number,
  rowsNow: number,
  types: TypeLookup,
): ColumnStatistics | undefined {
  const column = stored.columns[columnNumber];
  const typeRef = table.columns.find(({ number }) => number === columnNumber)?.type;
  const type = typeRef === undefined ? undefined : types.byOid(typeRef.oid);
  if (column === undefined || type === undefined || column.typeOid !== type.oid) return undefined;
  const context = storageContext(types);
  const value = (text: string): Value => type.input(text, -1, context);
  return {
    distinctCount: Math.max(1, column.distinct < 0 ? -column.distinct * rowsNow : column.distinct),
    nullFraction: column.nullFraction,
    averageBytes: column.averageBytes,
    mostCommon: column.common.map(([text, fraction]) => ({ value: value(text), fraction })),
    histogram: column.histogram.map(value),
    correlation: column.correlation,
  };
}
