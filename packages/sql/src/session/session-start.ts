/** What is checked and set when a session begins. */
import { PhantomError } from '@phantom/base';
import { type Catalog, type DatabaseDescriptor, type RoleDescriptor, hasPrivilege } from '@phantom/catalog';
import { readSetting, refuseSetting } from './settings.js';

/** Whoever connects, and to what; 3D000, 28000 and 42501 when that cannot be. */
export function findConnection(
  catalog: Catalog,
  databaseName: string,
  user: string,
): { database: DatabaseDescriptor; role: RoleDescriptor } {
  const database = catalog.database(databaseName);
  if (database === undefined) throw new PhantomError('3D000', `database "${databaseName}" does not exist`);
  const role = catalog.role(user);
  if (role === undefined) throw new PhantomError('28000', `role "${user}" does not exist`);
  if (!role.login) throw new PhantomError('28000', `role "${user}" is not permitted to log in`);
  if (!hasPrivilege(catalog.committed, role.oid, database, 'c')) {
    throw new PhantomError('42501', `permission denied for database "${database.name}"`);
  }
  return { database, role };
}

/** What a session of the role in the database begins with, of a setting that is a number; 0 where nobody has set it. */
export function startingInteger(
  ofEngine: Readonly<Record<string, string>>,
  database: DatabaseDescriptor,
  role: RoleDescriptor,
  name: 'lock_timeout' | 'statement_timeout',
): number {
  return Number(startSettings(ofEngine, database, role, {}).get(name) ?? 0);
}

/** Defaults of a session's settings: the engine's, the database's, the role's, the role's in the database, then what the client asked for. */
export function startSettings(
  ofEngine: Readonly<Record<string, string>>,
  database: DatabaseDescriptor,
  role: RoleDescriptor,
  given: Readonly<Record<string, string>>,
): Map<string, string> {
  for (const name of Object.keys(given)) refuseSetting(name, role.superuser);
  const defaults = new Map<string, string>();
  const here = role.databaseSettings?.[String(database.oid)];
  for (const [name, value] of Object.entries({
    ...ofEngine,
    ...database.settings,
    ...role.settings,
    ...here,
    ...given,
  }))
    defaults.set(name.toLowerCase(), readSetting(name, value));
  return defaults;
}
