/** Functions that tell of partitioned tables and their partitions, indexes included. */
import type { IndexDescriptor, Oid, TableDescriptor } from '@phantom/catalog';
import type { partitionBoundText, partitionConstraintText, partitionKeyText } from '../plan/partition-text.js';
import type { TextCatalog } from '../system-views/object-text.js';
import { type Implementations, contextual, setOf } from './implementation.js';
import type { EvaluationContext } from './registry.js';

/** Handed in by the catalog: to write an expression takes the binder, which knows these functions. */
export interface PartitionTexts {
  readonly key: typeof partitionKeyText;
  readonly bound: typeof partitionBoundText;
  readonly constraint: typeof partitionConstraintText;
}

type PartitionCatalog = TextCatalog & { readonly partitionTexts: PartitionTexts };
type Part = TableDescriptor | IndexDescriptor;

function catalogOf(context: EvaluationContext): PartitionCatalog {
  return context.catalog as PartitionCatalog;
}

/** A partitioned table, a partition, or an index of one; undefined for all else. */
function partOf(oid: Oid, context: EvaluationContext): Part | undefined {
  const { objects } = catalogOf(context);
  const object = objects.object(oid);
  if (object?.kind === 'table') return (object.partitioned ?? object.partition) ? object : undefined;
  if (object?.kind !== 'index') return undefined;
  const table = objects.object(object.tableOid);
  return object.parentOid !== undefined || (table?.kind === 'table' && table.partitioned !== undefined)
    ? object
    : undefined;
}

function parentOidOf(part: Part): Oid | undefined {
  return part.kind === 'table' ? part.partition?.parentOid : part.parentOid;
}

function partsOf(part: Part, context: EvaluationContext): Part[] {
  const catalog = catalogOf(context);
  const table = part.kind === 'table' ? part : catalog.objects.object(part.tableOid);
  if (table?.kind !== 'table') return [];
  const partitions = catalog.partitionsOf(table);
  if (part.kind === 'table') return [...partitions];
  return partitions.flatMap(({ indexOids }) =>
    indexOids.flatMap((oid) => {
      const index = catalog.objects.object(oid);
      return index?.kind === 'index' && index.parentOid === part.oid ? [index] : [];
    }),
  );
}

/** The part itself, what it is a part of, and so on. */
function ancestorsOf(oid: Oid, context: EvaluationContext): Part[] {
  const ancestors: Part[] = [];
  for (let part = partOf(oid, context); part !== undefined; part = partOf(parentOidOf(part) ?? 0, context))
    ancestors.push(part);
  return ancestors;
}

/** A part and all below it, level by level. */
function* tree(root: Part, context: EvaluationContext): Iterable<(Oid | boolean | number | null)[]> {
  let parts: Part[] = [root];
  for (let level = 0; parts.length > 0; level++) {
    for (const part of parts) {
      const table = part.kind === 'table' ? part : catalogOf(context).objects.object(part.tableOid);
      const isLeaf = table?.kind !== 'table' || table.partitioned === undefined;
      yield [part.oid, parentOidOf(part) ?? null, isLeaf, level];
    }
    parts = parts.flatMap((part) => partsOf(part, context));
  }
}

export const partitionFunctions: Implementations = {
  pg_get_partkeydef: contextual((oid: Oid, context: EvaluationContext) => {
    const catalog = catalogOf(context);
    const table = catalog.objects.object(oid);
    if (table?.kind !== 'table' || table.partitioned === undefined) return null;
    return catalog.partitionTexts.key(table, table.partitioned, catalog);
  }),
  pg_get_partition_constraintdef: contextual((oid: Oid, context: EvaluationContext) => {
    const catalog = catalogOf(context);
    const table = catalog.objects.object(oid);
    if (table?.kind !== 'table' || table.partition === undefined) return null;
    return catalog.partitionTexts.constraint(table, catalog, context);
  }),
  pg_partition_root: contextual(
    (oid: Oid, context: EvaluationContext) => ancestorsOf(oid, context).at(-1)?.oid ?? null,
  ),
  pg_partition_ancestors: setOf(
    (oid: Oid, context: EvaluationContext) => ancestorsOf(oid, context).map((part) => part.oid),
    {
      context: true,
    },
  ),
  pg_partition_tree: setOf(
    (oid: Oid, context: EvaluationContext) => {
      const part = partOf(oid, context);
      return part === undefined ? [] : [...tree(part, context)];
    },
    { context: true },
  ),
};
