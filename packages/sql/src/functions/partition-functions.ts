/** Functions that tell of partitioned tables and their partitions, indexes included. */
import { PhantomError } from '@phantom/base';
import type { IndexDescriptor, Oid, PartitionKey, TableDescriptor, TypeRef } from '@phantom/catalog';
import type { partitionBoundText, partitionConstraintText, partitionKeyText } from '../plan/partition-text.js';
import type { TextCatalog } from '../system-views/object-text.js';
import type { KeyHash } from '../storage/partitions/key-hash.js';
import { TypeOid } from '../types/type-oids.js';
import type { TypeLookup, Value } from '../types/type.js';
import { type Implementations, contextual, scalar, setOf } from './implementation.js';
import { variadicValues } from './json/json-functions.js';
import type { EvaluationContext } from './registry.js';

/** Handed in by the catalog: to write an expression takes the binder, which knows these functions. */
export interface PartitionTexts {
  readonly key: typeof partitionKeyText;
  readonly bound: typeof partitionBoundText;
  readonly constraint: typeof partitionConstraintText;
}

type PartitionCatalog = TextCatalog & {
  readonly partitionTexts: PartitionTexts;
  /** The hash of a table's keys; undefined where it has no hash partitions. */
  partitionHash(table: TableDescriptor): KeyHash | undefined;
};
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

/** Whether a key belongs in the partition of that modulus and remainder; that of any table, be there such a partition or not. */
function satisfiesHash(...args: unknown[]): boolean {
  const { values, types, context } = variadicValues(args);
  const [oid, modulus, remainder, ...key] = values as readonly [Oid | null, number | null, number | null, ...Value[]];
  if (oid === null || modulus === null || remainder === null) return false;
  const catalog = catalogOf(context);
  const table = catalog.objects.object(oid);
  if (table === undefined) return false;
  const hash = table.kind === 'table' ? catalog.partitionHash(table) : undefined;
  if (table.kind !== 'table' || table.partitioned === undefined || hash === undefined)
    throw new PhantomError('22023', `"${'name' in table ? table.name : oid}" is not a hash partitioned table`);
  if (modulus <= 0)
    throw new PhantomError('22023', 'modulus for hash partition must be an integer value greater than zero');
  if (remainder < 0)
    throw new PhantomError(
      '22023',
      'remainder for hash partition must be an integer value greater than or equal to zero',
    );
  if (remainder >= modulus) throw new PhantomError('22023', 'remainder for hash partition must be less than modulus');
  requireKeyTypes(table.partitioned, types.slice(3), context);
  return hash(key).remainder(modulus) === remainder;
}

function requireKeyTypes({ parts }: PartitionKey, given: readonly TypeRef[], { types }: EvaluationContext): void {
  if (given.length !== parts.length)
    throw new PhantomError(
      '22023',
      `number of partitioning columns (${parts.length}) does not match number of partition keys provided (${given.length})`,
    );
  parts.forEach(({ type }, i) => {
    const supplied = given[i]?.oid ?? 0;
    if (plainOid(type.oid, types) === plainOid(supplied, types)) return;
    const name = (oid: Oid): string => types.byOid(oid)?.displayName ?? String(oid);
    throw new PhantomError(
      '22023',
      `column ${i + 1} of the partition key has type ${name(type.oid)}, but supplied value is of type ${name(supplied)}`,
    );
  });
}

/** The type under a domain, varchar being text. */
function plainOid(oid: Oid, types: TypeLookup): Oid {
  const type = types.byOid(oid);
  if (type?.kind === 'domain') return plainOid(type.baseOid, types);
  return oid === TypeOid.varchar ? TypeOid.text : oid;
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
  satisfies_hash_partition: scalar(satisfiesHash, { context: true, types: true }),
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
