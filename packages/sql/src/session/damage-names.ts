/**
 * Says what lies where a file is damaged: which tables and indexes, and what helps. Asked only when something could not be read.
 *
 * A query whose plan goes by a damaged index fails, and is not run again without it: the index may be what the query needs to be quick,
 * and a scan of the whole table that nobody asked for is no smaller harm. The hint says how the index is healed, while others read on.
 */
import { type PhantomError, compareKeys, isCorruption } from '@phantom/base';
import type { Catalog, ObjectDescriptor, Oid } from '@phantom/catalog';
import { type KeyRange, type SpaceId, spaceRange } from '@phantom/kv';
import { quoteIdentifier } from '../types/reg-types.js';
import type { StoragePort } from './ports.js';
import { StoredNames } from './stored-names.js';

/** A table or an index of one that may have lost something. */
export interface DamagedObject {
  /** Empty for large objects: all databases' lie in one space. */
  readonly database: string;
  readonly schema: string;
  readonly table: string;
  /** Undefined where it is rows that cannot be read. */
  readonly index: string | undefined;
}

/** Names in one hint; further objects are counted. */
const NAMES_MAX = 3;

/** What lies in a range of keys, as far as the committed catalog knows. */
export function damagedObjects(catalog: Catalog, { lower, upper }: KeyRange): DamagedObject[] {
  const objects = new Map<Oid, ObjectDescriptor>();
  for (const object of catalog.committed.objects()) objects.set(object.oid, object);
  const found: DamagedObject[] = [];
  const isDamaged = (space: SpaceId): boolean => {
    const own = spaceRange(space);
    const isBehind = upper !== undefined && compareKeys(own.lower, upper) >= 0;
    return !isBehind && (own.upper === undefined || compareKeys(own.upper, lower) > 0);
  };
  for (const [space, { database, schema, table, index }] of new StoredNames(objects).all())
    if (isDamaged(space)) found.push({ database, schema, table: table.name, index: index?.name });
  if (isDamaged(catalog.keys.largeObjectSpace))
    found.push({ database: '', schema: 'pg_catalog', table: 'pg_largeobject', index: undefined });
  return found;
}

/** The error, with the names of what is damaged and a hint if it tells of damage. */
export function nameDamage(
  engine: { readonly catalog: Catalog; readonly storage: StoragePort },
  error: unknown,
): unknown {
  if (!isCorruption(error) || error.table !== undefined) return error;
  const { file, offset } = error.data ?? {};
  if (typeof file !== 'string') return error;
  const range = engine.storage.locate(file, typeof offset === 'number' ? offset : undefined);
  return range === undefined ? error : named(error, damagedObjects(engine.catalog, range));
}

function named(error: PhantomError, objects: readonly DamagedObject[]): PhantomError {
  const [first] = objects;
  if (first === undefined) return error;
  const { schema, table, index } = objects.find((object) => object.index === undefined) ?? first;
  return error.with({ schema, table, constraint: index, hint: hintFor(objects) });
}

function hintFor(objects: readonly DamagedObject[]): string {
  const texts = objects
    .slice(0, NAMES_MAX)
    .map(({ schema, table, index }) => `${quoteIdentifier(schema)}.${quoteIdentifier(index ?? table)}`);
  const more = objects.length > NAMES_MAX ? ` and ${objects.length - NAMES_MAX} more` : '';
  if (objects.every(({ index }) => index !== undefined)) {
    const commands = texts.map((text) => `REINDEX INDEX ${text}`).join('; ');
    return `The table is whole: ${commands}${more} makes the index anew.`;
  }
  return `Rows of ${texts.join(', ')}${more} cannot be read. Restore a backup, or stop and run "phantomd repair", which saves what can be read and names what is lost.`;
}
