/** What a statement of a routine's body is bound with, besides the catalog. */
import type { StoredQuery, TypeRef } from '@phantom/catalog';
import type { ParameterNames } from '../expr/context.js';
import type { CatalogPort, VirtualRelation } from './catalog-port.js';

/** What the rows of a body's last statement are to be. */
export interface WantedResult {
  readonly type: TypeRef;
  /** The routine's result as it was declared, for messages. */
  readonly shown: string;
  /** Columns of a row, where they are known. */
  readonly columns: readonly { readonly name: string; readonly type: TypeRef }[] | undefined;
  /** One row is enough: a query is not asked for more. */
  readonly firstOnly: boolean;
  /** A row of one column may be the whole row: not for a procedure, whose parameters it fills. */
  readonly mayBeWhole: boolean;
}

export interface RoutineBinding {
  readonly names: ParameterNames;
  /** Undefined: its rows are thrown away. */
  readonly wanted: WantedResult | undefined;
  /** What names meant when a body written in SQL was kept; undefined: what they mean at the call. */
  readonly stored: Pick<StoredQuery, 'searchPath' | 'names'> | undefined;
  /** Relations that only the body knows: a trigger's transition tables. */
  readonly relations?: ReadonlyMap<string, VirtualRelation> | undefined;
}

/** The picture with further relations, which hide others of their names. */
export function withRelations(catalog: CatalogPort, relations: RoutineBinding['relations']): CatalogPort {
  if (relations === undefined || relations.size === 0) return catalog;
  const relation: CatalogPort['relation'] = (name) =>
    (name.schema === undefined ? relations.get(name.name) : undefined) ?? catalog.relation(name);
  const withSearchPath: CatalogPort['withSearchPath'] = (path) =>
    withRelations(catalog.withSearchPath(path), relations);
  return Object.assign(Object.create(catalog) as CatalogPort, { relation, withSearchPath });
}
