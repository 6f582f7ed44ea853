/** A row of a table as one of a table that it inherits from, or is a part of: the fields of that one, found by their names. */
import type { ObjectDescriptor, Oid, TableDescriptor } from '@phantom/catalog';
import { SqlRecord } from '@phantom/codec';
import type { CastDefinition } from '../functions/registry.js';
import type { CatalogPort } from '../plan/catalog-port.js';
import { parentOidsOf } from '../storage/inheritance/table-tree.js';
import type { SqlType } from '../types/type.js';

/** The cast of rows of type `source`; undefined where the relation that `target` is the row type of is none above theirs. */
export function castToParent(catalog: CatalogPort, source: Oid, target: SqlType): CastDefinition | undefined {
  const shape = target.storage.record;
  const [childOid, parentOid] = [catalog.relationOfRows(source), catalog.relationOfRows(target.oid)];
  if (shape === undefined || childOid === undefined || parentOid === undefined) return undefined;
  const object = (oid: Oid): ObjectDescriptor | undefined => tableIn(catalog, oid);
  const child = tableIn(catalog, childOid);
  if (child === undefined || !parentOidsOf(child, { object }).has(parentOid)) return undefined;
  const fields = catalog.compositeFields(source) ?? [];
  const places = (catalog.compositeFields(target.oid) ?? []).map(({ name }) =>
    fields.findIndex((field) => field.name === name),
  );
  const call = (row: SqlRecord): SqlRecord =>
    new SqlRecord(
      target.oid,
      places.map((at) => row.fields[at] ?? null),
      shape,
    );
  return {
    source,
    target: target.oid,
    context: 'implicit',
    call: call as NonNullable<CastDefinition['call']>,
    volatility: 'immutable',
  };
}

function tableIn(catalog: CatalogPort, oid: Oid): TableDescriptor | undefined {
  const relation = catalog.relationByOid(oid);
  return relation?.kind === 'table' ? relation : undefined;
}
