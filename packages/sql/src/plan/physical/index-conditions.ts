/**
 * What an index says beyond the names of columns: expressions among its parts, and the condition of a partial one, over the
 * columns of a scan. An expression of a query uses an index when it is the same as a part's once both are bound and folded; a
 * partial index is read by a query whose own conditions imply the index's (expr/implication.ts).
 */
import { isPhantomError } from '@phantom/base';
import type { IndexDescriptor, TableDescriptor } from '@phantom/catalog';
import { type Expression, columnReference } from '../../expr/expression.js';
import { conjunctsOf } from '../../expr/implication.js';
import { foldedRowExpression } from '../../expr/row-expression.js';
import { replaceColumns } from '../../expr/walk.js';
import type { CatalogPort } from '../catalog-port.js';
import { columnsOf } from '../logical/walk.js';
import type { Scan } from '../logical/logical.js';

/** The expressions of an index over the columns of its table, by number. */
interface BoundIndex {
  /** By place among the parts; undefined for plain columns. */
  readonly parts: readonly (TableExpression | undefined)[];
  readonly predicate: TableExpression | undefined;
}

interface TableExpression {
  readonly expression: Expression;
  /** The number of the column that each id in the expression stands for. */
  readonly numbers: ReadonlyMap<number, number>;
}

/** The same over the columns of a scan. */
export interface IndexConditions {
  /** By place among the parts; undefined for plain columns, and where the scan lacks a column of the expression. */
  readonly parts: readonly (Expression | undefined)[];
  /** What holds for every row that has an entry; empty when that is all rows. */
  readonly predicate: readonly Expression[];
}

const PLAIN: IndexConditions = { parts: [], predicate: [] };

/** A picture of the catalog never changes, so what is bound once stays right as long as it lives. */
const bound = new WeakMap<CatalogPort, Map<IndexDescriptor, BoundIndex | undefined>>();

/** The expressions of an index over a scan's columns; undefined when the scan cannot use the index. */
export function indexConditions(index: IndexDescriptor, scan: Scan, catalog: CatalogPort): IndexConditions | undefined {
  if (index.predicateSql === undefined && index.parts.every((part) => part.expressionSql === undefined)) return PLAIN;
  const known = boundIndex(index, scan.table, catalog);
  if (known === undefined) return undefined;
  const predicate = known.predicate === undefined ? undefined : overScan(known.predicate, scan);
  if (known.predicate !== undefined && predicate === undefined) return undefined;
  return {
    parts: known.parts.map((part) => (part === undefined ? undefined : overScan(part, scan))),
    predicate: predicate === undefined ? [] : conjunctsOf(predicate),
  };
}

function boundIndex(index: IndexDescriptor, table: TableDescriptor, catalog: CatalogPort): BoundIndex | undefined {
  let known = bound.get(catalog);
  if (known === undefined) bound.set(catalog, (known = new Map()));
  if (!known.has(index)) known.set(index, bindIndex(index, table, catalog));
  return known.get(index);
}

/** Undefined when the role may not call what the index calls: then it reads the table in another way. */
function bindIndex(index: IndexDescriptor, table: TableDescriptor, catalog: CatalogPort): BoundIndex | undefined {
  const bind = (sql: string, purpose: 'index' | 'predicate'): TableExpression => {
    const { columns, name: relationName } = table;
    const { expression, ids } = foldedRowExpression(sql, {
      columns,
      relationName,
      catalog,
      target: undefined,
      purpose,
    });
    return { expression, numbers: new Map(ids.map((id, i) => [id, columns[i]?.number ?? 0])) };
  };
  try {
    return {
      parts: index.parts.map(({ expressionSql }) =>
        expressionSql === undefined ? undefined : bind(expressionSql, 'index'),
      ),
      predicate: index.predicateSql === undefined ? undefined : bind(index.predicateSql, 'predicate'),
    };
  } catch (error) {
    if (isPhantomError(error)) return undefined;
    throw error;
  }
}

/** The expression over the scan's columns; undefined when it lacks one. */
function overScan({ expression, numbers }: TableExpression, { table, scanColumns }: Scan): Expression | undefined {
  const places = new Map<number, Expression>();
  for (const id of columnsOf(expression)) {
    const number = numbers.get(id);
    const scanned = scanColumns.find((column) => column.number === number);
    const column = table.columns.find((candidate) => candidate.number === number);
    if (scanned === undefined || column === undefined) return undefined;
    places.set(id, columnReference(scanned.id, column.type));
  }
  return replaceColumns(expression, (id) => places.get(id));
}
