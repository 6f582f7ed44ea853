/** Queries that the catalog keeps as text: of views, of policies. */
import type { Oid, StoredQuery } from '@phantom/catalog';
import type { QueryToStore } from '../plan/stored-query.js';
import type { Query } from '../text/ast.js';
import { deparseQuery } from '../text/deparse.js';
import type { DdlContext } from './context.js';

/** The query as it is kept. */
export function storedQuery(context: DdlContext, query: Query, described: QueryToStore): StoredQuery {
  return {
    querySql: deparseQuery(query),
    // Names of relations are known by number; functions and types are still found along the path.
    searchPath: context.picture.searchPath,
    names: described.names,
  };
}

/** Records what a stored query stands on; what was recorded before is forgotten, but for types. */
export function dependOn(context: DdlContext, oid: Oid, uses: QueryToStore['uses']): void {
  for (const dependency of Array.from(context.objects.dependenciesOf(oid))) {
    if (context.objects.object(dependency.referencedOid)?.kind !== 'type') context.objects.removeDependency(dependency);
  }
  for (const { oid: referencedOid, column } of uses) {
    if (context.objects.object(referencedOid) === undefined) continue;
    context.objects.addDependency({
      dependentOid: oid,
      dependentColumn: 0,
      referencedOid,
      referencedColumn: column,
      strength: 'normal',
    });
  }
}
