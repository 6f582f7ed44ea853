/** An index, once it is described, beside its table: its name, its place in the catalog, its entries. */
import type { IndexDescriptor, TableDescriptor } from '@phantom/catalog';
import { installedExtensions } from '../extensions/installed.js';
import type { Yielded } from '../exec/runtime.js';
import type { DdlContext } from './context.js';
import { buildIndex } from './index-build.js';
import { chooseName } from './names.js';

/** Puts an index beside its table and fills it. The caller holds the table's lock and has claimed the name. */
export function* addIndex(
  context: DdlContext,
  table: TableDescriptor,
  index: IndexDescriptor,
): Generator<Yielded, void, void> {
  putIndex(context, table, index);
  yield* buildIndex(context, table, index, true);
  context.tableRewritten(table.oid);
}

/** Puts an index beside its table: whoever writes the table from now on keeps it. */
export function putIndex(context: DdlContext, table: TableDescriptor, index: IndexDescriptor): void {
  enterIndex(context, index);
  context.objects.put({ ...table, indexOids: [...table.indexOids, index.oid], schemaVersion: table.schemaVersion + 1 });
}

/** Puts an index into the catalog, where it goes with its table, and stands on extensions whose operator classes it has; the table is the caller's to change. */
export function enterIndex({ objects, databaseOid }: DdlContext, index: IndexDescriptor): void {
  objects.put(index);
  for (const { operatorClasses, descriptor } of installedExtensions(objects, databaseOid)) {
    const isUsed = index.parts.some((part) => operatorClasses.some(({ name }) => name === part.operatorClass));
    if (!isUsed) continue;
    objects.addDependency({
      dependentOid: index.oid,
      dependentColumn: 0,
      referencedOid: descriptor.oid,
      referencedColumn: 0,
      strength: 'normal',
    });
  }
  objects.addDependency({
    dependentOid: index.oid,
    dependentColumn: 0,
    referencedOid: index.tableOid,
    referencedColumn: 0,
    strength: 'automatic',
  });
}

/** What a new index of the table has, whatever it is over. */
export function indexIdentity(
  { catalog }: DdlContext,
  table: TableDescriptor,
  name: string,
): Pick<IndexDescriptor, 'kind' | 'oid' | 'name' | 'databaseOid' | 'schemaOid' | 'ownerOid' | 'tableOid'> {
  const { databaseOid, schemaOid, ownerOid, oid: tableOid } = table;
  return { kind: 'index', oid: catalog.allocateOid(), name, databaseOid, schemaOid, ownerOid, tableOid };
}

/**
 * A free name after the table and what the index holds: columns, or what an expression would be called; each name once. That of an
 * exclusion constraint is free among the table's constraints, too.
 */
export function indexName(
  context: DdlContext,
  table: TableDescriptor,
  held: readonly string[],
  kind: 'idx' | 'excl' = 'idx',
): string {
  const names: string[] = [];
  for (const wanted of held) {
    let name = wanted;
    for (let n = 1; names.includes(name); n++) name = `${wanted}${n}`;
    names.push(name);
  }
  const isTaken = (name: string): boolean =>
    kind === 'excl' && table.constraints.some((constraint) => constraint.name === name);
  return chooseName(context, table.schemaOid, [table.name, names.join('_')], kind, isTaken);
}
