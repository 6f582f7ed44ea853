/** What sessions tell in more than one place: errors about the state of a transaction, and warnings of strings with escapes. */
import { type ErrorFields, PhantomError } from '@phantom/base';
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

/** What else to write, by the character behind the backslash. */
const ESCAPE_HINTS: Readonly<Record<string, string>> = {
  "'": "Use '' to write quotes in strings, or use the escape string syntax (E'...').",
  '\\': "Use the escape string syntax for backslashes, e.g., E'\\\\'.",
};

/** A warning for each plain string with an escape; `escapes` holds the character behind each one's first backslash. */
export function warnOfEscapes(
  session: { notice(severity: 'WARNING', code: string, message: string, fields: ErrorFields): void },
  escapes: readonly string[],
): void {
  for (const character of escapes) {
    const known = ESCAPE_HINTS[character];
    const what = known === undefined ? 'escape' : `\\${character}`;
    session.notice('WARNING', '22P06', `nonstandard use of ${what} in a string literal`, {
      hint: known ?? "Use the escape string syntax for escapes, e.g., E'\\r\\n'.",
    });
  }
}

/** A function had to wait for another transaction in a statement that cannot be run anew. */
export function waitedWithin(wait: Promise<void>): PhantomError {
  // Nobody waits for it any more.
  wait.catch(() => undefined);
  return new PhantomError('40001', 'could not serialize access: a function would have had to wait', {
    hint: 'Run the statement again.',
  });
}

/** The error, or what it is called where the process has run out of stack, or of room for one value. */
export function limitError(error: unknown): unknown {
  if (!(error instanceof RangeError)) return isStringTooLong(error) ? valueTooLong(error) : error;
  if (error.message.startsWith('Maximum call stack'))
    return new PhantomError('54001', 'stack depth limit exceeded', { cause: error, family: 'limit' });
  if (/^(Invalid (string|array|typed array) length|Array buffer allocation failed)/.test(error.message))
    return valueTooLong(error);
  return error;
}

/** Node's own name for bytes that make no string. */
function isStringTooLong(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_STRING_TOO_LONG';
}

function valueTooLong(cause: unknown): PhantomError {
  return new PhantomError('54000', 'a value is too long', { cause, family: 'limit' });
}

const NOTICE_RANKS = ['DEBUG', 'LOG', 'NOTICE', 'WARNING', 'ERROR'];

/** Rank of a severity for client_min_messages; INFO is always sent. */
export function noticeRank(severity: string): number {
  return severity === 'INFO' ? NOTICE_RANKS.length : NOTICE_RANKS.indexOf(severity.replace(/\d$/, ''));
}
