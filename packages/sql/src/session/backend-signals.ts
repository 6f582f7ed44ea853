/** pg_cancel_backend and pg_terminate_backend: one session stops what another does, or ends it. */
import { PhantomError } from '@phantom/base';
import { PredefinedRole, effectiveRoles, isSuperuser } from '@phantom/catalog';
import type { SqlSession } from './session.js';

/** How PostgreSQL speaks of a signal when it refuses it. */
const WORDS = {
  cancel: { query: 'cancel superuser query', process: 'whose query is being canceled' },
  terminate: { query: 'terminate superuser process', process: 'whose process is being terminated' },
} as const;

export type BackendSignal = keyof typeof WORDS;

/**
 * Stops the statement of the session of that number (57014 there), or ends it (57P01). False, with a warning, when there is no such
 * session; 42501 unless the current role has the rights of that session's.
 */
export function signalBackend(session: SqlSession, pid: number, signal: BackendSignal): boolean {
  const { engine, currentRoleOid } = session;
  const target = engine.session(pid);
  if (target === undefined) {
    session.notice('WARNING', '01000', `PID ${pid} is not a PostgreSQL backend process`);
    return false;
  }
  const objects = engine.catalog.committed;
  const role = target.roles.sessionRoleOid;
  const { query, process } = WORDS[signal];
  if (!isSuperuser(objects, currentRoleOid)) {
    if (isSuperuser(objects, role)) throw new PhantomError('42501', `must be a superuser to ${query}`);
    const roles = effectiveRoles(objects, currentRoleOid, session.databaseOid);
    if (!roles.has(role) && !roles.has(PredefinedRole.SignalBackend))
      throw new PhantomError('42501', `must be a member of the role ${process} or member of pg_signal_backend`);
  }
  if (signal === 'cancel') target.cancel();
  else target.end(new PhantomError('57P01', 'terminating connection due to administrator command'));
  return true;
}
