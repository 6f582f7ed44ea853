/**
 * What a table's rows must obey and what must be kept beside them: not-null columns, checks, generated columns, indexes,
 * foreign keys in both directions. Bound and compiled once for a picture of the catalog, used by every writer after that.
 */
import type {
  CatalogTransaction,
  ColumnDescriptor,
  ConstraintDescriptor,
  ObjectReader,
  Oid,
  RowReference,
  TableDescriptor,
  IndexDescriptor,
} from '@phantom/catalog';
import { bindRowExpression } from '../expr/row-expression.js';
import type { EvaluationContext } from '../functions/registry.js';
import type { CatalogPort } from '../plan/catalog-port.js';
import type { Value } from '../types/type.js';
import { BoundRowExpression } from './bound-row-expression.js';
import { type ColumnIndex, columnIndex } from './columnar/column-index.js';
import { type ExclusionConstraint, ExclusionRule } from './exclusion-rule.js';
import { keepsValues } from './kept-values.js';
import { PartitionCheck } from './partitions/partition-check.js';
import { ancestorsOf } from './partitions/partitioning.js';
import { RowMap } from './partitions/row-map.js';
import { type PhysicalIndex, type PhysicalTable, physicalIndex, physicalTable } from './physical-table.js';

export type ForeignKey = ConstraintDescriptor & { readonly kind: 'foreign key' };
export type KeyConstraint = ConstraintDescriptor & { readonly kind: 'primary key' | 'unique' };
export type CheckConstraint = ConstraintDescriptor & { readonly kind: 'check' };

/** An index as a writer keeps it. */
export class IndexRule {
  readonly index: IndexDescriptor;
  readonly physical: PhysicalIndex;
  /** The deferrable key that stands on the index. */
  readonly deferrable: KeyConstraint | undefined;
  /** The exclusion constraint that stands on the index. */
  readonly exclusion: ExclusionRule | undefined;
  private readonly expressions: readonly (BoundRowExpression | undefined)[];
  private readonly predicate: BoundRowExpression | undefined;
  /** Of the columns that it reads of a row. */
  readonly positions: readonly number[];

  constructor(index: IndexDescriptor, table: TableDescriptor, catalog: CatalogPort) {
    this.index = index;
    this.physical = physicalIndex(index, table, catalog.types);
    this.deferrable =
      index.deferrable === undefined
        ? undefined
        : table.constraints.find(
            (constraint): constraint is KeyConstraint => 'indexOid' in constraint && constraint.indexOid === index.oid,
          );
    this.exclusion = exclusionOf(index, table, this.physical, catalog);
    const bind = (sql: string, purpose: 'index' | 'predicate'): BoundRowExpression =>
      bound(sql, table, catalog, purpose, undefined);
    this.expressions = index.parts.map((part) =>
      part.expressionSql === undefined ? undefined : bind(part.expressionSql, 'index'),
    );
    this.predicate = index.predicateSql === undefined ? undefined : bind(index.predicateSql, 'predicate');
    const columns = this.physical.positions.filter((_, i) => this.expressions[i] === undefined);
    const computed = [this.predicate, ...this.expressions].flatMap((part) => part?.positions ?? []);
    this.positions = [...columns, ...computed, ...(this.physical.included?.positions ?? [])];
  }

  /** True when a row that is changed keeps its entry for certain: nothing that the index reads of it is another value. */
  keepsEntry(before: readonly Value[], after: readonly Value[]): boolean {
    return keepsValues(this.positions, before, after);
  }

  /** True when the row has an entry in the index (its predicate holds). */
  covers(row: readonly Value[], context: EvaluationContext): boolean {
    return this.predicate === undefined || this.predicate.evaluate(row, context) === true;
  }

  /** The values of the parts for a row, and nothing else, into an array of the caller's. */
  parts(row: readonly Value[], into: Value[], context: EvaluationContext): void {
    const { positions } = this.physical;
    // The array may come from an index with more parts; a null among those would say that no two rows are equal here.
    if (into.length > positions.length) into.length = positions.length;
    for (let i = 0; i < positions.length; i++) {
      const expression = this.expressions[i];
      into[i] = expression === undefined ? row[positions[i] as number] : expression.evaluate(row, context);
    }
  }
}

/** One with an exclusion constraint. */
export type ExcludingRule = IndexRule & { readonly exclusion: ExclusionRule };

function exclusionOf(
  index: IndexDescriptor,
  table: TableDescriptor,
  physical: PhysicalIndex,
  catalog: CatalogPort,
): ExclusionRule | undefined {
  const { exclusion } = index;
  const constraint = table.constraints.find(
    (candidate): candidate is ExclusionConstraint => candidate.kind === 'exclusion' && candidate.indexOid === index.oid,
  );
  return exclusion === undefined || constraint === undefined
    ? undefined
    : new ExclusionRule(constraint, index, exclusion.operators, physical, catalog);
}

/** A foreign key of this table. */
export interface OutgoingKey {
  readonly constraint: ForeignKey;
  readonly positions: readonly number[];
}

/** A foreign key of another table (or of this one) that refers to this one, or to a partitioned table that it is a part of. */
export interface IncomingKey {
  readonly constraint: ForeignKey;
  /** The table that was given the key: with a partitioned one come its partitions. */
  readonly child: TableDescriptor;
  /** Positions in this table of the referenced columns. */
  readonly positions: readonly number[];
}

/** Documents of a collection that refer to this table's rows. */
export interface IncomingDocuments {
  readonly child: TableDescriptor;
  readonly reference: RowReference;
  readonly column: ColumnDescriptor;
  /** Position in this table of the referenced column. */
  readonly position: number;
}

export class TableRules {
  readonly table: TableDescriptor;
  readonly physical: PhysicalTable;
  readonly notNull: readonly { readonly position: number; readonly column: ColumnDescriptor }[];
  readonly checks: readonly { readonly constraint: CheckConstraint; readonly condition: BoundRowExpression }[];
  readonly generated: readonly { readonly position: number; readonly value: BoundRowExpression }[];
  /** Of a partition: what its bound asks of its rows. */
  readonly partition: PartitionCheck | undefined;
  /** Secondary indexes, unique ones first: their checks come before anything is written. */
  readonly indexes: readonly IndexRule[];
  /** Those of exclusion constraints, which stand among `indexes` too. */
  readonly exclusions: readonly ExcludingRule[];
  /** Inverted indexes: a row has any number of entries in each. */
  readonly inverted: readonly IndexRule[];
  /** Column indexes: a row that is written is marked in each. */
  readonly columnar: readonly ColumnIndex[];
  readonly primary: IndexDescriptor | undefined;
  /** Foreign keys in both directions; none while they are not looked after (DISABLE TRIGGER ALL, session_replication_role). */
  readonly outgoing: readonly OutgoingKey[];
  readonly incoming: readonly IncomingKey[];
  readonly incomingDocuments: readonly IncomingDocuments[];
  /** Columns of keys that a foreign key may refer to; and whether one of them is computed from others. */
  readonly referablePositions: readonly number[];
  readonly referablesComputed: boolean;
  /** By position: whether anything that must hold or be kept beside the row reads the column. */
  readonly readsColumn: readonly boolean[];

  constructor(table: TableDescriptor, objects: ObjectReader, catalog: CatalogPort) {
    this.table = table;
    this.physical = physicalTable(table, catalog.types);
    const live = table.columns
      .map((column, position) => ({ column, position }))
      .filter(({ column }) => !column.dropped);
    this.notNull = live.filter(({ column }) => column.notNull);
    this.generated = live
      .filter(({ column }) => column.generated !== undefined)
      .map(({ column, position }) => ({
        position,
        value: bound(column.defaultSql as string, table, catalog, 'generated', column.type),
      }));
    const checks = table.constraints.filter((constraint) => constraint.kind === 'check');
    this.checks = checks.map((constraint) => ({
      constraint,
      condition: bound(constraint.expressionSql, table, catalog, 'check', undefined),
    }));
    this.partition = table.partition === undefined ? undefined : new PartitionCheck(table, objects, catalog);
    const indexes: IndexDescriptor[] = [];
    for (const oid of table.indexOids) {
      const index = objects.object(oid);
      if (index?.kind === 'index' && index.method !== 'document') indexes.push(index);
    }
    this.primary = indexes.find((index) => index.primary && index.space === table.space);
    const ruleOf = (index: IndexDescriptor): IndexRule => new IndexRule(index, table, catalog);
    this.inverted = indexes.filter((index) => index.method === 'gin').map(ruleOf);
    this.columnar = indexes
      .filter((index) => index.method === 'column')
      .map((index) => columnIndex(index, table, catalog.types));
    this.indexes = indexes
      .filter((index) => index !== this.primary && index.method !== 'gin' && index.method !== 'column')
      .sort((a, b) => Number(b.unique) - Number(a.unique))
      .map(ruleOf);
    this.exclusions = this.indexes.filter((rule): rule is ExcludingRule => rule.exclusion !== undefined);
    const referable = indexes.filter(
      (index) =>
        index.unique &&
        index.predicateSql === undefined &&
        index.parts.every((part) => part.expressionSql === undefined),
    );
    const numbers = new Set([
      ...table.keyColumns,
      ...referable.flatMap((index) => index.parts.map(({ column }) => column)),
    ]);
    this.referablePositions = live.filter(({ column }) => numbers.has(column.number)).map(({ position }) => position);
    this.referablesComputed = this.generated.some(({ position }) => this.referablePositions.includes(position));
    const looksAfterKeys = table.foreignKeysOff !== true && !catalog.isReplica;
    const outgoing = looksAfterKeys ? table.constraints.filter((constraint) => constraint.kind === 'foreign key') : [];
    this.outgoing = outgoing.map((constraint) => ({ constraint, positions: positionsOf(table, constraint.columns) }));
    this.incoming = looksAfterKeys ? keysOfRows(table, objects) : [];
    this.incomingDocuments = incomingDocuments(table, objects);
    const read = new Set([
      ...positionsOf(table, table.keyColumns),
      ...this.referablePositions,
      ...this.checks.flatMap(({ condition }) => condition.positions),
      ...this.generated.flatMap(({ value }) => value.positions),
      ...(this.partition?.readPositions ?? []),
      ...[...this.indexes, ...this.inverted, ...this.columnar].flatMap((rule) => rule.positions),
      ...[...this.outgoing, ...this.incoming].flatMap(({ positions }) => positions),
      ...this.incomingDocuments.map(({ position }) => position),
    ]);
    this.readsColumn = table.columns.map((_, position) => read.has(position));
  }
}

const cache = new WeakMap<CatalogPort, Map<TableDescriptor, TableRules>>();

/** The rules of a table for a picture of the catalog. */
export function tableRules(table: TableDescriptor, objects: CatalogTransaction, catalog: CatalogPort): TableRules {
  let tables = cache.get(catalog);
  if (tables === undefined) cache.set(catalog, (tables = new Map()));
  let rules = tables.get(table);
  if (rules === undefined) tables.set(table, (rules = new TableRules(table, objects, catalog)));
  return rules;
}

/** Positions of columns given by number. */
export function positionsOf(table: TableDescriptor, numbers: readonly number[]): number[] {
  return numbers.map((number) => table.columns.findIndex((column) => column.number === number));
}

/** Tables with foreign keys to the table, and collections with references to it, perhaps itself. */
export function referringTables(table: TableDescriptor, objects: ObjectReader): TableDescriptor[] {
  const above = ancestorsOf(table, objects).flatMap((ancestor) => incomingKeys(ancestor, objects));
  const referring = [...incomingKeys(table, objects), ...above].map(({ child }) => child);
  for (const { dependentOid } of objects.dependentsOf(table.oid)) {
    const child = objects.object(dependentOid);
    if (child?.kind === 'table' && refersByDocuments(child, table.oid)) referring.push(child);
  }
  return referring;
}

/** True for a collection whose documents refer to the documents of another, or to the rows of a table. */
export function refersByDocuments({ collection }: TableDescriptor, oid: Oid): boolean {
  if (collection?.rowReferences?.some(({ tableOid }) => tableOid === oid) === true) return true;
  return collection?.references?.some(({ collectionOid }) => collectionOid === oid) ?? false;
}

/** References of documents to the table's rows. */
export function incomingDocuments(table: TableDescriptor, objects: ObjectReader): IncomingDocuments[] {
  const incoming: IncomingDocuments[] = [];
  for (const { dependentOid } of objects.dependentsOf(table.oid)) {
    const child = objects.object(dependentOid);
    if (child?.kind !== 'table') continue;
    for (const reference of child.collection?.rowReferences ?? []) {
      const position = table.columns.findIndex(({ number }) => number === reference.column);
      const column = table.columns[position];
      if (reference.tableOid === table.oid && column !== undefined)
        incoming.push({ child, reference, column, position });
    }
  }
  return incoming;
}

/** True while the table has the foreign key. */
export function hasConstraint(table: TableDescriptor, { oid }: ForeignKey): boolean {
  return table.constraints.some((constraint) => constraint.oid === oid);
}

/** Foreign keys that rows of the table answer to: those that refer to it, and to the tables that it is a part of. */
export function keysOfRows(table: TableDescriptor, objects: ObjectReader): IncomingKey[] {
  const own = incomingKeys(table, objects);
  const above = ancestorsOf(table, objects).flatMap((ancestor) => {
    const rows = new RowMap(ancestor, table);
    return incomingKeys(ancestor, objects).map((key) => ({
      ...key,
      positions: key.positions.map((position) => rows.positions[position] as number),
    }));
  });
  // Keys that partitions have with their table are looked after with the table's.
  return [...own, ...above].filter(({ constraint }) => constraint.parentOid === undefined);
}

/** Foreign keys that refer to the table by its own name. */
export function incomingKeys(table: TableDescriptor, objects: ObjectReader): IncomingKey[] {
  const keys: IncomingKey[] = [];
  const seen = new Set<number>();
  for (const dependency of objects.dependentsOf(table.oid)) {
    if (seen.has(dependency.dependentOid)) continue;
    seen.add(dependency.dependentOid);
    const child = objects.object(dependency.dependentOid);
    if (child?.kind !== 'table') continue;
    for (const constraint of child.constraints) {
      if (constraint.kind !== 'foreign key' || constraint.referencedTableOid !== table.oid) continue;
      keys.push({ constraint, child, positions: positionsOf(table, constraint.referencedColumns) });
    }
  }
  return keys;
}

function bound(
  sql: string,
  table: TableDescriptor,
  catalog: CatalogPort,
  purpose: 'check' | 'generated' | 'index' | 'predicate',
  target: ColumnDescriptor['type'] | undefined,
): BoundRowExpression {
  const expression = bindRowExpression(sql, {
    columns: table.columns,
    relationName: table.name,
    catalog,
    target,
    purpose,
  });
  return new BoundRowExpression(expression, table);
}
