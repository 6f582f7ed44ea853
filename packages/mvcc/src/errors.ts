/** The errors of transactions. Keys are named by the layer above through ConflictNames; without it, in hexadecimal. */
import { PhantomError, SqlState, toHex } from '@phantom/base';
import type { Seq } from '@phantom/kv';
import { MODE_NAMES } from './lock-strength.js';
import type { ConflictNames, LockMode } from './types.js';

/** Bytes of a nameless key that an error shows. */
const SHOWN_BYTES_MAX = 64;

/** "key (7) of table "account"", or the bytes when nobody knows better. */
export function describeKey(names: ConflictNames, key: Uint8Array): string {
  const name = names.describe(key);
  if (name?.what !== undefined) return name.what;
  const text = name?.key ?? `\\x${toHex(key, 0, Math.min(key.length, SHOWN_BYTES_MAX))}`;
  return name?.table === undefined ? `key ${text}` : `key ${text} of table "${name.table}"`;
}

/** Seq of the commit that a transaction has lost to; 0 when the error is of another kind. */
export function winnerOf(error: unknown): Seq {
  const seq = error instanceof PhantomError ? error.data?.['seq'] : undefined;
  return typeof seq === 'number' ? seq : 0;
}

/** Keys that lost races were lost on, by their errors. */
const lostKeys = new WeakMap<object, Uint8Array>();

/** The error, which from now on knows the key that its race was lost on. */
export function lostOn(error: PhantomError, key: Uint8Array | undefined): PhantomError {
  if (key !== undefined) lostKeys.set(error, key);
  return error;
}

/** The key that a race was lost on; undefined when the error is of another kind, or no key is known. */
export function lostKeyOf(error: PhantomError): Uint8Array | undefined {
  return lostKeys.get(error);
}

/** A lock that cannot be had without waiting. */
export function lockedError(
  names: ConflictNames,
  key: Uint8Array,
  mode: LockMode,
  hint: string | undefined,
): PhantomError {
  const name = names.describe(key);
  const on = name?.what ?? (name?.table === undefined ? '' : `row in relation "${name.table}"`);
  return new PhantomError(SqlState.LockNotAvailable, `could not obtain lock${on === '' ? '' : ` on ${on}`}`, {
    detail: `Lock "${MODE_NAMES[mode]}" on ${describeKey(names, key)}: another transaction is in the way.`,
    hint,
    table: name?.table,
  });
}

export const SYNCHRONOUS_LOCK_HINT =
  'The synchronous API never waits for a lock, since its holder may need this very thread. Use the asynchronous form.';

export function notActiveError(status: string): PhantomError {
  return new PhantomError(SqlState.InvalidTransactionState, `the transaction is ${status}`, {
    hint: 'Begin a new one.',
  });
}

export function readOnlyError(): PhantomError {
  return new PhantomError(SqlState.ReadOnlyTransaction, 'cannot write in a read-only transaction');
}

export function rolledBackError(): PhantomError {
  return new PhantomError(SqlState.QueryCanceled, 'the transaction was rolled back while it waited');
}
