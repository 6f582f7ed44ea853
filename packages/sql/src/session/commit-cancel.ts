/** What becomes of a commit that is asked to stop. */
import type { PhantomError } from '@phantom/base';
import type { MvccTransaction } from '@phantom/mvcc';
import type { SqlSession } from './session.js';

/** Before it is in the log a commit can be given up; afterwards it will be what it will be, and the client is told that. */
export function cancelCommit(session: SqlSession, storage: MvccTransaction, reason: PhantomError): void {
  if (storage.isCommitQueued) {
    session.notice('WARNING', '01000', 'the commit could no longer be canceled', {
      detail: 'It was in the log already when the request came; what the command says of it holds.',
    });
  } else {
    storage.cancelWait(reason);
  }
}
