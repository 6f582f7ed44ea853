/**
 * Loading many rows at once: COPY with a client that has values where others send bytes, in a transaction of its own.
 *
 * A load seldom meets anybody on the rows that it makes, and locking each of them costs as much as writing it. So rows that can be
 * had again, as those of an array, are written without locks first, and with locks if that has lost a race; rows that come
 * once are written with locks.
 */
import { checkOptions, isPhantomError, optionNames } from '@phantom/base';
import { type CopiedRows, type SqlSession, ValueChannel } from '@phantom/sql';
import { type QueryOptions, runQuery } from './async-query.js';
import type { ResultOptions } from './options.js';
import { type TransactionOptions, openingModes } from './transaction.js';

export interface CopyOptions extends QueryOptions {
  /** Which columns the rows have values for. Default: the names in the first row when that is an object, otherwise all. */
  readonly columns?: readonly string[];
}

const COPY_OPTIONS = optionNames<CopyOptions>({ columns: true, signal: true, timeoutMs: true });

export interface CopyResult {
  /** Rows written. */
  readonly rowCount: number;
}

const WITHOUT_LOCKS: TransactionOptions = { isolation: 'repeatable read', concurrency: 'optimistic' };
const WITH_LOCKS: TransactionOptions = { isolation: 'read committed', concurrency: 'locking' };

/** Copies rows into a table and commits. `makeSession` makes a session with this channel, which is closed in the end. */
export async function copyInto(
  makeSession: (channel: ValueChannel) => SqlSession,
  table: string,
  rows: CopiedRows,
  options: CopyOptions,
  js: ResultOptions,
): Promise<CopyResult> {
  checkOptions('copyInto', options, COPY_OPTIONS);
  const copy = (modes: TransactionOptions): Promise<CopyResult> =>
    copyOnce(makeSession, table, rows, options, js, modes);
  if (!Array.isArray(rows)) return copy(WITH_LOCKS);
  try {
    return await copy(WITHOUT_LOCKS);
  } catch (error) {
    if (!isPhantomError(error) || !error.retryable) throw error;
    return copy(WITH_LOCKS);
  }
}

async function copyOnce(
  makeSession: (channel: ValueChannel) => SqlSession,
  table: string,
  rows: CopiedRows,
  { columns: chosen, ...options }: CopyOptions,
  js: ResultOptions,
  modes: TransactionOptions,
): Promise<CopyResult> {
  const channel = new ValueChannel(rows);
  const session = makeSession(channel);
  try {
    const columns = chosen ?? (await channel.columns());
    const list = columns === undefined ? '' : ` (${columns.map(quoted).join(', ')})`;
    const text = `copy ${table.split('.').map(quoted).join('.')}${list} from stdin`;
    session.openTransaction(true, openingModes(modes));
    const { rowCount } = await runQuery(session, text, [], options, js);
    await session.commit();
    return { rowCount };
  } finally {
    session.close();
    await channel.end();
  }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
