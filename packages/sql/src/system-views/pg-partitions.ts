/** pg_catalog's partitioned tables, and what is a part of what, or inherits from it: tables of tables, indexes of indexes. */
import type { Oid, RelationDescriptor } from '@phantom/catalog';
import { TypeOid } from '../types/type-oids.js';
import { rowExpressionText } from '../expr/row-expression.js';
import { partitionsOf } from '../storage/partitions/partitioning.js';
import { type CatalogRow, catalogView, vector } from './catalog-view.js';
import { DEFAULT_COLLATION_OID, MethodOid } from './oids.js';
import { operatorClassOf } from './operator-classes.js';
import { relationsOf, tablesOf } from './pg-objects.js';
import type { SystemView, SystemViewSource } from './system-view.js';

const STRATEGY = { list: 'l', range: 'r', hash: 'h' } as const;

function* partitionedRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const table of tablesOf(source)) {
    const { partitioned } = table;
    if (partitioned === undefined) continue;
    const { parts, strategy } = partitioned;
    const partitions = partitionsOf(table, source.objectsSeen);
    const expressions = parts.flatMap(({ expressionSql }) => {
      if (expressionSql === undefined) return [];
      const { columns, name: relationName } = table;
      const request = { columns, relationName, catalog: source.catalog, target: undefined, purpose: 'index' } as const;
      return [rowExpressionText(expressionSql, request)];
    });
    yield {
      partrelid: table.oid,
      partstrat: STRATEGY[strategy],
      partnatts: parts.length,
      partdefid: partitions.find(({ partition }) => partition?.bound.kind === 'default')?.oid ?? 0,
      partattrs: vector(
        TypeOid.int2,
        parts.map(({ column }) => column ?? 0),
      ),
      partclass: vector(
        TypeOid.oid,
        parts.map((part) =>
          operatorClassOf(source.types, part, strategy === 'hash' ? MethodOid.hash : MethodOid.btree),
        ),
      ),
      partcollation: vector(
        TypeOid.oid,
        parts.map(({ type }) => (source.types.byOid(type.oid)?.category === 'S' ? DEFAULT_COLLATION_OID : 0)),
      ),
      partexprs: expressions.length === 0 ? null : expressions.join(', '),
    };
  }
}

/** What a relation is a part of, or inherits from, in turn. */
function parentsOf(relation: RelationDescriptor): readonly Oid[] {
  if (relation.kind === 'table' && relation.parentOids !== undefined) return relation.parentOids;
  const parent =
    relation.kind === 'table'
      ? relation.partition?.parentOid
      : relation.kind === 'index'
        ? relation.parentOid
        : undefined;
  return parent === undefined ? [] : [parent];
}

function* inheritanceRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const relation of relationsOf(source)) {
    for (const [i, parent] of parentsOf(relation).entries())
      yield { inhrelid: relation.oid, inhparent: parent, inhseqno: i + 1, inhdetachpending: false };
  }
}

export const PARTITION_VIEWS: readonly SystemView[] = [
  catalogView('pg_partitioned_table', partitionedRows),
  catalogView('pg_inherits', inheritanceRows),
];
