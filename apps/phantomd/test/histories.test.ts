/**
 * Random histories over sockets, through `kill -9` of the daemon while its clients are at work. Only `npm run histories` runs
 * them.
 */
import { Client } from 'pg';
import {
  HISTORIES_TIMEOUT_MS,
  type HistoryDatabase,
  HistoryRecorder,
  type Level,
  RandomWorkload,
  type Rows,
  SqlClient,
  type SqlConnection,
  commitPrepared,
  runsForLong,
  schemaStatements,
  seedsToTry,
  violationsOf,
} from '@phantom/testkit/histories';
import { describe, expect, it } from 'vitest';
import { Daemon } from './support/daemon.js';
import { temporaryDirectories } from './support/directories.js';

const LEVELS: readonly Level[] = ['read committed', 'repeatable read', 'serializable'];
const newDirectory = temporaryDirectories();

const POLLING = { interval: 2, timeout: 60_000 };

/** What nobody answered any more. */
const CONNECTION_FAILURE = '08006';

class DaemonDatabase implements HistoryDatabase {
  private readonly daemon: Daemon;
  private readonly clients: Client[] = [];

  constructor(daemon: Daemon) {
    this.daemon = daemon;
  }

  async client(): Promise<SqlClient> {
    return new SqlClient(await this.connect());
  }

  async connect(): Promise<SqlConnection> {
    const client = new Client({ connectionString: this.daemon.url });
    client.on('error', () => undefined);
    await client.connect();
    this.clients.push(client);
    return {
      query: (text) => answered(async () => (await client.query<string[]>(asText(text))).rows),
      batch: (statements) =>
        answered(async () => {
          // Several statements in one message are one transaction; `pg` then gives a list of results.
          const results: unknown = await client.query<string[]>(asText(statements.join('; ')));
          return (Array.isArray(results) ? results : [results]).map(({ rows }: { rows: Rows }) => rows);
        }),
    };
  }

  async close(): Promise<void> {
    for (const client of this.clients) await client.end().catch(() => undefined);
  }
}

function asText(text: string): { text: string; rowMode: 'array'; types: { getTypeParser: () => StringConstructor } } {
  return { text, rowMode: 'array', types: { getTypeParser: () => String } };
}

/** With a code for what has none: a connection that is gone. */
async function answered<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const { code } = error as { readonly code?: string };
    throw code?.length === 5 ? error : Object.assign(new Error(String(error)), { code: CONNECTION_FAILURE });
  }
}

describe.runIf(runsForLong)('random histories over sockets', { timeout: HISTORIES_TIMEOUT_MS }, () => {
  it('are sound when the daemon is killed', async () => {
    for (const seed of seedsToTry(0, 1)) {
      const data = newDirectory();
      let daemon = await Daemon.start('--data', data);
      let database = new DaemonDatabase(daemon);
      const setUp = await database.connect();
      for (const statement of schemaStatements(['btree', 'lsm'])) await setUp.query(statement);
      const recorder = new HistoryRecorder();
      const workload = new RandomWorkload({ seed, clients: 8, transactions: 60, levels: LEVELS });
      for (let kills = 0; kills < 3; kills++) {
        const running = workload.run(database, recorder);
        const transactions = recorder.transactions().length + 40 + ((seed * 31 + kills * 57) % 200);
        await expect.poll(() => recorder.transactions().length, POLLING).toBeGreaterThan(transactions);
        await daemon.end('SIGKILL');
        await running;
        await database.close();
        daemon = await Daemon.start('--data', data);
        database = new DaemonDatabase(daemon);
        await commitPrepared(await database.connect());
        await workload.readAll(database, recorder);
      }
      await workload.run(database, recorder);
      await workload.readAll(database, recorder);
      await database.close();
      await daemon.end('SIGTERM');
      const history = recorder.transactions();
      expect(history.filter(({ outcome }) => outcome === 'committed').length).toBeGreaterThan(100);
      expect({ seed, violations: violationsOf(history) }).toEqual({ seed, violations: [] });
    }
  });
});
