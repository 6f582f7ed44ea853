/**
 * What a store that holds nothing yet is given when it is served: beside the database `phantom`, which the catalog makes, one by the name
 * of `postgres`. Tools like createdb, dropdb, `psql -l` and pg_dumpall connect to that before they do anything else. Once there is
 * anything in the store it is left as it is: who drops the database then does without.
 */
import type { Database } from '@phantom/db';

const MAINTENANCE_DATABASE = 'postgres';

/** True when nobody has made a table, a view or a sequence in the store yet. */
export function isUnused(database: Database): boolean {
  for (const object of database.catalog.committed.objects()) {
    if (object.kind === 'table' || object.kind === 'view' || object.kind === 'sequence') return false;
  }
  return true;
}

/** Makes the database that PostgreSQL's tools connect to, in a store that holds nothing yet. */
export function ensureMaintenanceDatabase(database: Database): void {
  if (database.catalog.database(MAINTENANCE_DATABASE) === undefined && isUnused(database))
    database.exec(`create database ${MAINTENANCE_DATABASE}`);
}
