/** Errors about the state of a session's transaction. */
import { PhantomError } from '@phantom/base';
import type { Statement } from '../text/ast-statements.js';

/** What everything but the end of it is told in a transaction that an error has aborted. */
export function inFailedTransaction(): PhantomError {
  return new PhantomError('25P02', 'current transaction is aborted, commands ignored until end of transaction block');
}

/** What a writing statement is told in a transaction that may only read. */
export function readOnlyTransaction(command: string): PhantomError {
  return new PhantomError('25006', `cannot execute ${command} in a read-only transaction`);
}

/** 25P02 for everything but the statements that end or heal a failed transaction. */
export function refuseInFailed({ kind }: Statement): void {
  const ends = kind === 'rollback' || kind === 'commit' || kind === 'rollback-to' || kind === 'prepare-transaction';
  if (!ends) throw inFailedTransaction();
}
