/** The errors of transactions. Keys are named by the layer above through ConflictNames; without it, in hexadecimal. */
import { PhantomError, SqlState, toHex } from '@phantom/base';
import type { Seq } from '@phantom/kv';
import { STRENGTH_NAMES } from './lock-strength.js';
import type { ConflictNames, LockStrength } from './types.js';

/** Bytes of a nameless key that an error shows. */
const SHOWN_BYTES_MAX = 64;

/** "key (7) of table "account"", or the bytes when nobody knows better. */
export function describeKey(names: ConflictNames, key: Uint8Array): string {
  const name = names.describe(key);
  const text = name?.key ?? `\\x${toHex(key, 0, Math.min(key.length, SHOWN_BYTES_MAX))}`;
  return name?.table === undefined ? `key ${text}` : `key ${text} of table "${name.table}"`;
}

/** A key was written by a transaction that this one's snapshot does not show. */
export function conflictError(names: ConflictNames, key: Uint8Array, baseSeq: Seq, seq: Seq): PhantomError {
  return new PhantomError(SqlState.SerializationFailure, 'could not serialize access due to concurrent update', {
    detail: `Another transaction wrote ${describeKey(names, key)} after this one had read it (commit ${seq}, snapshot ${baseSeq}).`,
    hint: 'Run the transaction again.',
    table: names.describe(key)?.table,
    data: { seq, snapshotSeq: baseSeq },
  });
}

/** Two transactions made the same unique key; undefined when the layer above does not know the key as unique. */
export function uniqueError(names: ConflictNames, key: Uint8Array, seq: Seq): PhantomError | undefined {
  const name = names.describe(key);
  if (name?.unique === undefined) return undefined;
  const { constraint, detail } = name.unique;
  return new PhantomError(SqlState.UniqueViolation, `duplicate key value violates unique constraint "${constraint}"`, {
    detail,
    constraint,
    table: name.table,
    data: { seq },
  });
}

/** Somebody wrote into a range that this transaction relies on. */
export function rangeConflictError(names: ConflictNames, lower: Uint8Array, seq: Seq): PhantomError {
  return new PhantomError(SqlState.SerializationFailure, 'could not serialize access due to concurrent update', {
    detail: `Another transaction wrote into a range that this one relies on, from ${describeKey(names, lower)} on (commit ${seq}).`,
    hint: 'Run the transaction again.',
    table: names.describe(lower)?.table,
    data: { seq },
  });
}

/** Seq of the commit that a transaction has lost to; 0 when the error is of another kind. */
export function winnerOf(error: unknown): Seq {
  const seq = error instanceof PhantomError ? error.data?.['seq'] : undefined;
  return typeof seq === 'number' ? seq : 0;
}

/** The snapshot is older than what the conflict index remembers. */
export function snapshotTooOldError(snapshotSeq: Seq, floorSeq: Seq, bytesMax: number): PhantomError {
  return new PhantomError(SqlState.SerializationFailure, 'could not serialize access: the snapshot is too old', {
    detail: `Commits up to ${floorSeq} have left the conflict index, which is full (${bytesMax} bytes); the snapshot is of commit ${snapshotSeq}.`,
    hint: 'Run the transaction again, keep it shorter, or raise conflictIndexBytesMax.',
    data: { snapshotSeq, floorSeq, conflictIndexBytesMax: bytesMax },
  });
}

/** A lock that cannot be had without waiting. */
export function lockedError(
  names: ConflictNames,
  key: Uint8Array,
  strength: LockStrength,
  hint: string | undefined,
): PhantomError {
  return new PhantomError(SqlState.LockNotAvailable, 'could not obtain lock', {
    detail: `Lock "${STRENGTH_NAMES[strength]}" on ${describeKey(names, key)}: another transaction is in the way.`,
    hint,
    table: names.describe(key)?.table,
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
