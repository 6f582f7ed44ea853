/** Workloads over sessions in process, as a protocol server has them: one table in each engine. */
import type { Vfs } from '@phantom/vfs';
import {
  type HistoryDatabase,
  type Rows,
  SqlClient,
  commitPrepared,
  type SqlConnection,
  schemaStatements,
} from '@phantom/testkit/histories';
import { type Database, type TransactionOptions, openOn } from '../src/index.js';
import type { SqlSession } from '../src/session.js';

/** Opens the database on a disk and makes the tables where they are not there yet. */
export async function openHistoryDatabase(
  vfs: Vfs,
  concurrency?: TransactionOptions['concurrency'],
): Promise<HistoryDatabase> {
  const db = await openOn(vfs, '/data/db', { checkpointBytesMax: 32_768, deltaBytesMax: 1 << 20, cacheBytes: 1 << 20 });
  const names = await db.sql`select 1 from information_schema.tables where table_schema = 'public'`;
  if (names.length === 0) db.exec(['begin', ...schemaStatements(['btree', 'lsm']), 'commit'].join('; '));
  await commitPrepared({ query: (sql) => rowsOf(db.createSession({ database: 'phantom', user: 'phantom' }), sql) });
  return {
    client: async () => new SqlClient(connectionTo(db, concurrency)),
    close: () => db.close(),
  };
}

function connectionTo(db: Database, concurrency: TransactionOptions['concurrency']): SqlConnection {
  const session = db.createSession({ database: 'phantom', user: 'phantom' });
  const connection: SqlConnection = {
    query: (sql) => rowsOf(session, sql),
    batch: async (statements) => {
      const [first] = statements;
      if (first !== undefined && statements.length === 1) return [rowsAsText(await db.query(first))];
      return (await db.batch(statements.map((sql) => [sql]))).map(rowsAsText);
    },
  };
  if (concurrency === undefined) return connection;
  return {
    ...connection,
    // SQL has no word for it.
    begin: async (isolation, { readOnly = false }) => {
      session.openTransaction(true, { isolation, readOnly, deferrable: false, concurrency });
    },
  };
}

function rowsAsText({ rows }: { readonly rows: readonly Record<string, unknown>[] }): Rows {
  return rows.map((row) => Object.values(row).map(String));
}

async function rowsOf(session: SqlSession, sql: string): Promise<(string | null)[][]> {
  const rows: (string | null)[][] = [];
  for (const parsed of session.parse(sql)) {
    const portal = session.portal(session.prepare(parsed, sql), []);
    await portal.fetch(0, ({ count, columns }) => {
      for (let r = 0; r < count; r++) {
        rows.push(columns.map((column) => (column[r] === null ? null : String(column[r]))));
      }
    });
  }
  await session.sync();
  return rows;
}
