/** Loading many rows at once: COPY with a client that has values where others send bytes. */
import { type CopiedRows, type SqlSession, ValueChannel } from '@phantom/sql';
import { type QueryOptions, runQuery } from './async-query.js';
import type { ResultOptions } from './options.js';

export interface CopyOptions extends QueryOptions {
  /** Which columns the rows have values for. Default: the names in the first row when that is an object, otherwise all. */
  readonly columns?: readonly string[];
}

export interface CopyResult {
  /** Rows written. */
  readonly rowCount: number;
}

/**
 * Copies rows into a table, as one statement in the session's transaction. `session` makes the session that is given a
 * channel; it is the caller's to commit and close.
 */
export async function copyInto(
  session: (channel: ValueChannel) => SqlSession,
  table: string,
  rows: CopiedRows,
  options: CopyOptions,
  js: ResultOptions,
): Promise<CopyResult> {
  const channel = new ValueChannel(rows);
  try {
    const columns = options.columns ?? (await channel.columns());
    const list = columns === undefined ? '' : ` (${columns.map(quoted).join(', ')})`;
    const { rowCount } = await runQuery(
      session(channel),
      `copy ${table.split('.').map(quoted).join('.')}${list} from stdin`,
      [],
      options,
      js,
    );
    return { rowCount };
  } finally {
    await channel.end();
  }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
