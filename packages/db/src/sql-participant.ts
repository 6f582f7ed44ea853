/**
 * A database that speaks PostgreSQL's SQL as a participant of transactions over several databases: PREPARE TRANSACTION, COMMIT PREPARED,
 * ROLLBACK PREPARED and pg_prepared_xacts. How its statements get there is the caller's: a `pg.Pool` is such a source, and so is a
 * `Database` of this process.
 *
 *   connect ── begin ── statements ── prepare transaction 'gid' ── release          the branch, on one connection
 *   connect ── commit prepared 'gid' ── release                                    any time later, on any other
 *
 * PREPARE TRANSACTION of a transaction that has failed, or that was ended by hand, is no error in PostgreSQL: it answers ROLLBACK. So
 * the answer's command is looked at, and where the driver has none pg_prepared_xacts is.
 */
import { PhantomError } from '@phantom/base';
import type { Branch, Ending, Participant, Vote } from '@phantom/txn-2pc-saga';
import type { Isolation } from './transaction.js';

/** What a statement answers; drivers have more. */
export interface SqlAnswer {
  readonly rows: readonly unknown[];
  /** The command tag or its first word, in capitals; looked up otherwise where it matters. */
  readonly command?: string;
}

/** One connection: its statements run one after the other, in the order of their calls. */
export interface SqlConnection {
  query(text: string, values?: unknown[]): Promise<SqlAnswer>;
  /** Gives it back; with true it is broken, or in a state that nobody knows, and is not to be used again. */
  release?(destroy?: boolean): unknown;
  /** Of `pg`: a connection that breaks tells so as an event, which ends the process where nobody listens. */
  on?(event: 'error', listener: (error: Error) => void): unknown;
  off?(event: 'error', listener: (error: Error) => void): unknown;
}

/** Where connections come from, always to the same database: a `pg.Pool`, a `Database`, or a function of the caller's in an object. */
export interface SqlSource {
  connect(): Promise<SqlConnection>;
  /** Of a `Database`: what its commits survive. */
  readonly durability?: string;
}

const UNDEFINED_OBJECT = '42704';

/** A participant over connections; `name` stays the same over restarts. */
export function sqlParticipant(name: string, source: SqlSource): Participant {
  return {
    name,
    commit: (gid) => end(source, `commit prepared '${gid}'`),
    rollback: (gid) => end(source, `rollback prepared '${gid}'`),
    inDoubt: () =>
      withConnection(source, async (connection) => {
        const { rows } = await connection.query(
          `select gid from pg_prepared_xacts where database = current_database() and gid like 'phantom:%'`,
        );
        return rows.map((row) => String((row as { gid: unknown }).gid));
      }),
  };
}

function end(source: SqlSource, text: string): Promise<Ending> {
  return withConnection(source, async (connection) => {
    try {
      await connection.query(text);
      return 'ended';
    } catch (error) {
      if (sqlStateOf(error) === UNDEFINED_OBJECT) return 'absent';
      throw error;
    }
  });
}

async function withConnection<T>(source: SqlSource, work: (connection: SqlConnection) => Promise<T>): Promise<T> {
  const connection = await connectTo(source);
  let isBroken = true;
  try {
    const result = await work(connection);
    isBroken = false;
    return result;
  } finally {
    await giveBack(connection, isBroken);
  }
}

async function connectTo(source: SqlSource): Promise<SqlConnection> {
  const connection = await source.connect();
  connection.on?.('error', ignoreBreak);
  return connection;
}

async function giveBack(connection: SqlConnection, isBroken: boolean): Promise<void> {
  connection.off?.('error', ignoreBreak);
  await connection.release?.(isBroken);
}

/** Whoever waits for an answer is told by it. */
function ignoreBreak(): void {
  // There is nothing to do.
}

/** The SQLSTATE that drivers give their errors as `code`. */
export function sqlStateOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}

/**
 * The share of one transaction that another database has. It begins with its first statement, and ends with the transaction; what is never
 * used costs nothing. Statements that end a transaction are not for it.
 */
export class SqlBranch {
  private readonly name: string;
  private readonly source: SqlSource;
  private readonly isolation: Isolation;
  private connection: Promise<SqlConnection> | undefined;
  private isOver = false;

  constructor(name: string, source: SqlSource, isolation: Isolation) {
    this.name = name;
    this.source = source;
    this.isolation = isolation;
  }

  /** Runs one statement there. Rejects as its driver does; 25P01 once the transaction has ended. */
  async query<Row = Record<string, unknown>>(
    text: string,
    values: readonly unknown[] = [],
  ): Promise<{ readonly rows: Row[] }> {
    if (this.isOver) throw new PhantomError('25P01', `the transaction at "${this.name}" has ended`);
    this.connection ??= this.begin();
    const { rows } = await (await this.connection).query(text, [...values]);
    return { rows: rows as Row[] };
  }

  /** For the coordinator; undefined when no statement was run. */
  get branch(): Branch | undefined {
    if (this.connection === undefined) return undefined;
    return { participant: this.name, prepare: (gid) => this.prepare(gid), abandon: () => this.abandon() };
  }

  /** Rolls it back, unless its vote was asked for. Never rejects: a connection that fails ends it as well. */
  async abandon(): Promise<void> {
    if (this.isOver) return;
    this.isOver = true;
    const connection = await this.connection?.catch(() => undefined);
    if (connection === undefined) return;
    const isBroken = await connection.query('rollback').then(
      () => false,
      () => true,
    );
    await giveBack(connection, isBroken);
  }

  private async begin(): Promise<SqlConnection> {
    const connection = await connectTo(this.source);
    try {
      await connection.query(`begin isolation level ${this.isolation}`);
      return connection;
    } catch (error) {
      await giveBack(connection, true);
      throw error;
    }
  }

  private async prepare(gid: string): Promise<Vote> {
    this.isOver = true;
    const connection = await (this.connection as Promise<SqlConnection>);
    let isBroken = true;
    try {
      const { command } = await connection.query(`prepare transaction '${gid}'`);
      const isPrepared = command === undefined ? await isListed(connection, gid) : command.startsWith('PREPARE');
      isBroken = false;
      if (isPrepared) return 'prepared';
    } finally {
      await giveBack(connection, isBroken);
    }
    throw new PhantomError(
      '25P02',
      `the transaction at "${this.name}" had failed or was ended before it could be prepared`,
      {
        hint: 'Let an error of a statement leave the callback, and leave the end of the transaction to it.',
      },
    );
  }
}

async function isListed(connection: SqlConnection, gid: string): Promise<boolean> {
  const { rows } = await connection.query(`select 1 as found from pg_prepared_xacts where gid = '${gid}'`);
  return rows.length > 0;
}
