/** The face that a database shows to workloads, whatever stands behind it: a package's API, SQL in process, SQL over sockets. */
import {
  type HistoryRecorder,
  INITIAL,
  type Level,
  type OpenRecord,
  type Operation,
  type Outcome,
  isWriteKind,
} from './history.js';

export interface BeginOptions {
  readonly readOnly?: boolean;
}

/**
 * One client of a database, which runs one transaction after the other. Each call but begin and the ends is one statement.
 * Everything rejects with the database's errors; after one, only `rollback` makes sense.
 */
export interface HistoryClient {
  begin(level: Level, options?: BeginOptions): Promise<void>;
  append(key: number, value: number): Promise<void>;
  write(key: number, value: number): Promise<void>;
  /** Adds to a register that is there. */
  add(key: number, amount: number): Promise<void>;
  /** Empty where nobody has appended. */
  list(key: number): Promise<readonly number[]>;
  /** INITIAL where nobody has written. */
  register(key: number): Promise<number>;
  /** Keys from `lower` to below `upper` that are there. */
  scanLists(lower: number, upper: number): Promise<ReadonlyMap<number, readonly number[]>>;
  scanRegisters(lower: number, upper: number): Promise<ReadonlyMap<number, number>>;
  /** Removes what a list would refer to, unless the list is there. Nothing happens where lists refer to nothing. */
  release(key: number): Promise<void>;
  /** Lists that refer to what is not there. */
  orphans(): Promise<number>;
  savepoint(): Promise<void>;
  rollbackToSavepoint(): Promise<void>;
  commit(): Promise<void>;
  rollback(): Promise<void>;
  /** The first of two phases: the transaction waits under this name, also after a restart, until somebody ends it. */
  prepare(identifier: string): Promise<void>;
  endPrepared(identifier: string, commits: boolean): Promise<void>;
  /**
   * Statements that are a transaction of their own at read committed, sent together and answered together once it has
   * committed: what each read shows, nothing for a write.
   */
  batch(statements: readonly BatchStatement[]): Promise<readonly (readonly number[])[]>;
}

/** One statement of a batch; a read shows the list, or the register's value alone. */
export interface BatchStatement {
  readonly kind: Operation['kind'];
  readonly key: number;
  /** What is written; of a read nothing. */
  readonly value: number;
}

export interface HistoryDatabase {
  client(): Promise<HistoryClient>;
  close(): Promise<void>;
}

/** A client whose transactions are written down. */
export class RecordingClient {
  private readonly recorder: HistoryRecorder;
  private readonly client: HistoryClient;
  private readonly session: number;
  private record: OpenRecord | undefined;
  /** Prepared, and not ended as far as anybody knows. */
  private inDoubt: { readonly identifier: string; readonly commits: boolean } | undefined;
  /** Operations recorded when the savepoint was set. */
  private savedOperations = 0;

  constructor(recorder: HistoryRecorder, client: HistoryClient, session: number) {
    this.recorder = recorder;
    this.client = client;
    this.session = session;
  }

  async begin(level: Level, options: BeginOptions = {}): Promise<void> {
    this.record = this.recorder.begin(level, this.session);
    await this.client.begin(level, options);
  }

  append(key: number, value: number): Promise<void> {
    // Noted before it is known to succeed: what failed must not be seen either.
    this.open.wrote('append', key, value);
    return this.client.append(key, value);
  }

  write(key: number, value: number): Promise<void> {
    this.open.wrote('write', key, value);
    return this.client.write(key, value);
  }

  async list(key: number): Promise<void> {
    this.open.readList(key, await this.client.list(key));
  }

  async register(key: number): Promise<void> {
    this.open.readRegister(key, await this.client.register(key));
  }

  async scanLists(lower: number, upper: number): Promise<void> {
    this.open.scannedLists(lower, upper, await this.client.scanLists(lower, upper));
  }

  async scanRegisters(lower: number, upper: number): Promise<void> {
    this.open.scannedRegisters(lower, upper, await this.client.scanRegisters(lower, upper));
  }

  /** Nobody reads what it removes but the database itself. */
  release(key: number): Promise<void> {
    return this.client.release(key);
  }

  /** Throws when the database shows lists without what they refer to. */
  async expectNoOrphans(): Promise<void> {
    const orphans = await this.client.orphans();
    if (orphans > 0) throw new Error(`${orphans} lists refer to what is not there`);
  }

  async savepoint(): Promise<void> {
    await this.client.savepoint();
    this.savedOperations = this.open.operations.length;
  }

  /** What was done since the savepoint was never done: nobody may ever see it. */
  async rollbackToSavepoint(): Promise<void> {
    await this.client.rollbackToSavepoint();
    this.open.operations.length = this.savedOperations;
  }

  async commit(): Promise<void> {
    const record = this.open;
    record.isCommitting = true;
    await this.client.commit();
    this.recorder.end(record, 'committed');
  }

  async rollback(): Promise<void> {
    await this.client.rollback();
    this.recorder.end(this.open, 'aborted');
  }

  /** Ends the transaction in two phases, between which others have their turn. Whoever finds it in doubt commits it. */
  async endInTwoPhases(identifier: string, commits: boolean, between: () => Promise<void>): Promise<void> {
    const record = this.open;
    record.isCommitting = true;
    await this.client.prepare(identifier);
    this.inDoubt = { identifier, commits };
    await between();
    await this.client.endPrepared(identifier, commits);
    this.inDoubt = undefined;
    this.recorder.end(record, commits ? 'committed' : 'aborted');
  }

  async batch(statements: readonly BatchStatement[]): Promise<void> {
    const record = (this.record = this.recorder.begin('read committed', this.session));
    record.isCommitting = true;
    for (const { kind, key, value } of statements) if (isWriteKind(kind)) record.wrote(kind, key, value);
    const shown = await this.client.batch(statements);
    record.operations.length = 0;
    statements.forEach(({ kind, key, value }, i) => {
      const values = shown[i] ?? [];
      if (isWriteKind(kind)) record.wrote(kind, key, value);
      else if (kind === 'list') record.readList(key, values);
      else record.readRegister(key, values[0] ?? INITIAL);
    });
    this.recorder.end(record, 'committed');
  }

  /** After an error of any call: ends the transaction with what the error says. */
  async giveUp(error: unknown): Promise<void> {
    const record = this.open;
    const { inDoubt } = this;
    this.recorder.end(record, inDoubt === undefined ? outcomeOf(error, record.isCommitting) : 'unknown');
    this.inDoubt = undefined;
    // The database may be gone; the outcome stands. Whoever is in doubt keeps others waiting.
    if (inDoubt === undefined) await this.client.rollback().catch(() => undefined);
    else await this.client.endPrepared(inDoubt.identifier, inDoubt.commits).catch(() => undefined);
  }

  private get open(): OpenRecord {
    if (this.record === undefined) throw new Error('no transaction has begun');
    return this.record;
  }
}

/** SQLSTATE of an error that a database may raise; anything else is thrown on. */
export function sqlStateOf(error: unknown): string {
  const { code } = error as { readonly code?: unknown };
  if (typeof code !== 'string' || !/^[0-9A-Z]{5}$/.test(code) || code.startsWith('XX')) throw error;
  return code;
}

/** Class 08: nobody knows whether a commit that was sent has happened. Any other error promises that it has not. */
function outcomeOf(error: unknown, wasCommitting: boolean): Outcome {
  return wasCommitting && sqlStateOf(error).startsWith('08') ? 'unknown' : 'aborted';
}
