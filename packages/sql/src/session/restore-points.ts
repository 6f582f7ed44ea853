/** pg_create_restore_point: a name for the last commit, to which the archive can be restored. */
import { PhantomError } from '@phantom/base';
import { type Catalog, type Oid, isSuperuser } from '@phantom/catalog';
import type { StoragePort } from './ports.js';

/** A session, as far as it is asked. */
interface PointMaker {
  readonly engine: { readonly catalog: Catalog; readonly storage: StoragePort };
  readonly currentRoleOid: Oid;
}

/** Durable on return; the seq of the commit. 42501 but for superusers, 55000 where nothing is archived, 22023 and 42710 for the name. */
export function createRestorePoint({ engine, currentRoleOid }: PointMaker, name: string): number {
  if (!isSuperuser(engine.catalog.committed, currentRoleOid)) {
    throw new PhantomError('42501', 'permission denied for function pg_create_restore_point');
  }
  const seq = engine.storage.createRestorePoint(name);
  if (seq !== undefined) return seq;
  throw new PhantomError('55000', 'commits are not archived, so there is nothing to restore to', {
    hint: 'Open the database with an archive: the option archive, or phantomd serve --archive-directory.',
  });
}
