/**
 * BACKUP TO 'directory': a copy of everything the server has, as it is now, made while others go on. A superuser's, since it has
 * what nobody else may read; the directory is the server's.
 */
import { PhantomError } from '@phantom/base';
import { isSuperuser } from '@phantom/catalog';
import type { Backup } from '../text/ast-session.js';
import { TypeOid } from '../types/type-oids.js';
import type { BackupFacts } from './ports.js';
import { type Utility, field, sendRows } from './statement.js';

const FIELDS = [field('seq', TypeOid.int8), field('entries', TypeOid.int8), field('bytes', TypeOid.int8)];
/** As the platforms write it: from a root, or from a drive or a share. */
const ABSOLUTE = /^(?:[/\\]|[a-z]:[/\\])/i;

export function backupUtility(node: Backup): Utility {
  return {
    fields: FIELDS,
    parameterTypes: [],
    transaction: 'own',
    *run(session, _parameters, sink) {
      if (session.transaction !== undefined)
        throw new PhantomError('25001', 'BACKUP cannot run inside a transaction block');
      if (!isSuperuser(session.engine.catalog.committed, session.currentRoleOid))
        throw new PhantomError('42501', 'must be superuser to make a backup');
      const { value } = node.directory;
      if (!ABSOLUTE.test(value)) {
        throw new PhantomError('42602', 'relative path not allowed for BACKUP', {
          detail: `"${value}" would be below wherever the server was started.`,
        });
      }
      let isStopped = false;
      let made: BackupFacts | undefined;
      try {
        yield session.engine.storage
          .backup(value, () => {
            if (isStopped) throw new PhantomError('57014', 'the backup was given up');
          })
          .then((facts) => {
            made = facts;
          });
      } finally {
        // Whoever stops waiting, for a cancel or a timeout, stops the copy.
        isStopped = true;
      }
      const { seq, entries, bytes } = made as BackupFacts;
      return yield* sendRows([[seq, entries, bytes]], FIELDS.length, sink);
    },
  };
}
