/**
 * The system's own relations: views of `pg_catalog`, `information_schema` and `phantom`, computed from the
 * catalog's objects when they are read. Each lives in a file by area and registers here; nothing of them is stored.
 */
import type { Oid } from '@phantom/catalog';
import type { VirtualRelation } from '../plan/catalog-port.js';
import { ACTIVITY_VIEWS } from './activity.js';
import { INFORMATION_RIGHTS_VIEWS } from './information-rights.js';
import { INFORMATION_ROUTINE_VIEWS } from './information-routines.js';
import { INFORMATION_SCHEMA_VIEWS } from './information-schema.js';
import { INFORMATION_OBJECT_VIEWS } from './information-objects.js';
import { INFORMATION_STANDARD_VIEWS } from './information-standard.js';
import { INFORMATION_USAGE_VIEWS } from './information-usage.js';
import { ATTRIBUTE_VIEWS } from './pg-attributes.js';
import { CLUSTER_VIEWS } from './pg-cluster.js';
import { DEPENDENCY_VIEWS } from './pg-dependencies.js';
import { MONITORING_VIEWS } from './pg-monitoring.js';
import { TIME_ZONE_VIEWS } from './pg-time-zones.js';
import { DESCRIPTION_VIEWS } from './pg-descriptions.js';
import { LARGE_OBJECT_VIEWS } from './pg-large-objects.js';
import { LISTING_VIEWS } from './pg-listings.js';
import { POLICY_VIEWS } from './pg-policies.js';
import { STATISTICS_VIEWS } from './pg-statistics.js';
import { RELATION_VIEWS } from './pg-relations.js';
import { ROUTINE_VIEWS } from './pg-routines.js';
import { SERVER_VIEWS } from './pg-server.js';
import { TEXT_SEARCH_VIEWS } from './pg-text-search.js';
import { TRIGGER_VIEWS } from './pg-triggers.js';
import { TYPE_VIEWS } from './pg-types.js';
import { PHANTOM_VIEWS } from './phantom.js';
import {
  INFORMATION_SCHEMA_OID,
  PG_CATALOG_OID,
  PHANTOM_OID,
  type SystemView,
  type SystemViewSource,
} from './system-view.js';

const PG_CATALOG_VIEWS: readonly SystemView[] = [
  ...RELATION_VIEWS,
  ...ATTRIBUTE_VIEWS,
  ...DEPENDENCY_VIEWS,
  ...DESCRIPTION_VIEWS,
  ...POLICY_VIEWS,
  ...STATISTICS_VIEWS,
  ...TYPE_VIEWS,
  ...TEXT_SEARCH_VIEWS,
  ...ROUTINE_VIEWS,
  ...CLUSTER_VIEWS,
  ...LISTING_VIEWS,
  ...LARGE_OBJECT_VIEWS,
  ...MONITORING_VIEWS,
  ...TIME_ZONE_VIEWS,
  ...SERVER_VIEWS,
];
const ALL_VIEWS: readonly SystemView[] = [
  ...PG_CATALOG_VIEWS,
  ...ACTIVITY_VIEWS,
  ...INFORMATION_SCHEMA_VIEWS,
  ...INFORMATION_RIGHTS_VIEWS,
  ...INFORMATION_ROUTINE_VIEWS,
  ...INFORMATION_USAGE_VIEWS,
  ...INFORMATION_OBJECT_VIEWS,
  ...INFORMATION_STANDARD_VIEWS,
  ...TRIGGER_VIEWS,
  ...PHANTOM_VIEWS,
];

/** All of them, for the catalogs that list themselves. */
export function allSystemViews(): readonly SystemView[] {
  return ALL_VIEWS;
}

const BY_SCHEMA: ReadonlyMap<Oid, ReadonlyMap<string, SystemView>> = new Map([
  [PG_CATALOG_OID, viewsOf(PG_CATALOG_OID)],
  [INFORMATION_SCHEMA_OID, viewsOf(INFORMATION_SCHEMA_OID)],
  [PHANTOM_OID, viewsOf(PHANTOM_OID)],
]);

function viewsOf(schemaOid: Oid): ReadonlyMap<string, SystemView> {
  return new Map(ALL_VIEWS.filter((view) => view.schemaOid === schemaOid).map((view) => [view.name, view]));
}

const BY_OID: ReadonlyMap<Oid, SystemView> = new Map(ALL_VIEWS.map((view) => [view.oid, view]));

/** A system relation by schema and name, over what the session sees; undefined when there is none. */
export function systemRelation(schemaOid: Oid, name: string, source: SystemViewSource): VirtualRelation | undefined {
  const view = BY_SCHEMA.get(schemaOid)?.get(name);
  return view === undefined ? undefined : relationOf(view, source);
}

export function systemRelationByOid(oid: Oid, source: SystemViewSource): VirtualRelation | undefined {
  const view = BY_OID.get(oid);
  return view === undefined ? undefined : relationOf(view, source);
}

function relationOf(view: SystemView, source: SystemViewSource): VirtualRelation {
  return {
    kind: 'virtual',
    oid: view.oid,
    name: view.name,
    schemaOid: view.schemaOid,
    columns: view.columns.map(([name, oid]) => ({ name, type: { oid, typmod: -1 } })),
    rowsEstimate: view.rowsEstimate,
    ...(view.restricted === true ? { restricted: true } : {}),
    rows: () => view.rows(source),
  };
}
