/** What the callbacks of `transaction` and `transactionSync` get: statements that belong to one transaction. */
import { PhantomError, checkOptions, optionNames } from '@phantom/base';
import {
  type Collection,
  type CollectionOptions,
  type DocumentModel,
  type DocumentTransaction,
  type TransactionHost,
  openCollection,
} from '@phantom/docs-model';
import type { OpeningModes, SqlSession } from '@phantom/sql';
import { type QueryOptions, type QueryResult, arm, cancelled, runQuery } from './async-query.js';
import type { ResultOptions } from './options.js';
import { Statement } from './statement.js';
import { templateText } from './template.js';

export type Isolation = 'read committed' | 'repeatable read' | 'serializable';

export interface TransactionOptions {
  /** Default `repeatable read`. */
  readonly isolation?: Isolation;
  readonly readOnly?: boolean;
  /** Serializable and read-only: its first statement waits until no writer can make it fail. Default false. */
  readonly deferrable?: boolean;
  /** Default: read committed locks rows as it writes, the others validate at the commit. */
  readonly concurrency?: 'optimistic' | 'locking';
  /** How often it is run again after it lost a race (40001, 40P01). Default 10. */
  readonly retries?: number;
  /** Once it is aborted, what runs ends with 57014, and so does the transaction unless its commit has begun. */
  readonly signal?: AbortSignal;
}

const TRANSACTION_OPTIONS = optionNames<TransactionOptions>({
  isolation: true,
  readOnly: true,
  deferrable: true,
  concurrency: true,
  retries: true,
  signal: true,
});

/** The modes to begin with; `retryOf` is the first attempt's transaction where this is another one, which then reads ahead. */
export function openingModes(options: TransactionOptions, retryOf?: number): OpeningModes {
  checkOptions('transaction', options, TRANSACTION_OPTIONS);
  const { isolation, readOnly, concurrency, deferrable } = options;
  return {
    isolation: isolation ?? 'repeatable read',
    readOnly: readOnly ?? false,
    deferrable: deferrable ?? false,
    concurrency,
    retryOf,
    readsAhead: retryOf !== undefined,
  };
}

/** A transaction of the asynchronous API. Use it only inside the callback it was given to. */
export class Transaction implements TransactionHost {
  private readonly session: SqlSession;
  private readonly model: DocumentModel;
  private readonly js: ResultOptions;
  private readonly signal: AbortSignal | undefined;
  /** Statements run one after the other, in the order of their calls. */
  private last: Promise<unknown> = Promise.resolve();
  /** Statements that have not ended. */
  private running = 0;
  /** What documents' operations ran in last: it serves until the role changes. */
  private documentsRun: DocumentTransaction | undefined = undefined;

  constructor(session: SqlSession, model: DocumentModel, js: ResultOptions, signal: AbortSignal | undefined) {
    this.session = session;
    this.model = model;
    this.js = js;
    this.signal = signal;
  }

  query<Row = Record<string, unknown>>(
    text: string,
    parameters: readonly unknown[] = [],
    options: QueryOptions = {},
  ): Promise<QueryResult<Row>> {
    const signal = options.signal ?? this.signal;
    const run = (): QueryResult<Row> | Promise<QueryResult<Row>> =>
      runQuery<Row>(
        this.session,
        text,
        parameters,
        { ...options, ...(signal === undefined ? {} : { signal }) },
        this.js,
      );
    return this.follow(this.last.then(run));
  }

  async sql<Row = Record<string, unknown>>(
    strings: TemplateStringsArray,
    ...values: readonly unknown[]
  ): Promise<Row[]> {
    return (await this.query<Row>(templateText(strings), values)).rows;
  }

  /** As `db.collection`: each of its operations is one statement of this transaction. */
  collection<T extends object = Record<string, unknown>>(name: string, options: CollectionOptions = {}): Collection<T> {
    return openCollection<T>(this.model, name, options, this);
  }

  /** Runs a document operation as one statement of the transaction; collections call it when they are given `{ tx }`. */
  documents<T>(work: (transaction: DocumentTransaction) => T | Promise<T>): T | Promise<T> {
    if (this.running > 0) return this.follow(this.last.then(() => this.runDocuments(work)));
    const result = this.runDocuments(work);
    return result instanceof Promise ? this.follow(result) : result;
  }

  private runDocuments<T>(work: (transaction: DocumentTransaction) => T | Promise<T>): T | Promise<T> {
    const { transaction } = this.session;
    this.checkNotAborted();
    if (transaction === undefined) throw new PhantomError('25P01', 'the transaction has ended');
    if (transaction.failed) throw new PhantomError('25P02', 'the transaction was aborted by an earlier error');
    const { currentRoleOid } = this.session;
    if (this.documentsRun?.storage !== transaction.storage || this.documentsRun.roleOid !== currentRoleOid) {
      this.documentsRun = {
        storage: transaction.storage,
        objects: transaction.objects,
        roleOid: currentRoleOid,
        checkTime: () => this.session.interrupts.checkNow(),
        beforeCommit: (check) => transaction.deferred.add({ constraint: undefined, run: () => awaited(check) }),
      };
    }
    const operation = work(this.documentsRun);
    return operation instanceof Promise ? this.stoppable(operation, transaction) : operation;
  }

  /**
   * The operation's end, or that of its time: the signal, statement_timeout and a cancel of the session stop it and fail the transaction, as
   * they do with a statement of SQL. It has ended in any case when this has.
   */
  private async stoppable<T>(operation: Promise<T>, transaction: NonNullable<SqlSession['transaction']>): Promise<T> {
    const { session, signal } = this;
    const { interrupts } = session;
    let hasEnded = false;
    const ended = (): void => {
      hasEnded = true;
    };
    operation.then(ended, ended);
    const disarm = arm(session, signal === undefined ? {} : { signal });
    const endRun = interrupts.beginRun(session.settings.integer('statement_timeout'));
    try {
      await interrupts.interruptible(operation);
    } catch (error) {
      if (!hasEnded) {
        transaction.fail(error);
        await operation.catch(() => undefined);
        // What it has written since the newest savepoint on its way out.
        if (transaction.storage.status === 'active') transaction.fail(error);
      }
      throw error;
    } finally {
      endRun();
      disarm();
    }
    return await operation;
  }

  /** 57014 once the signal is aborted. */
  checkNotAborted(): void {
    const { signal } = this;
    if (signal?.aborted === true) throw cancelled(signal);
  }

  /** The statement is the last one now: what comes next waits for it. */
  private follow<T>(statement: Promise<T>): Promise<T> {
    this.running++;
    const ended = (): void => {
      this.running--;
    };
    this.last = statement.then(ended, ended);
    return statement;
  }

  /** Resolves when every statement that was started has ended. */
  settled(): Promise<unknown> {
    return this.last;
  }
}

/** A check in the executor's protocol: what is yielded is awaited. */
function* awaited(check: () => Promise<void> | undefined): Generator<Promise<void>, void, void> {
  for (let wait = check(); wait !== undefined; wait = check()) yield wait;
}

/** A transaction of the synchronous API. */
export class SyncTransaction {
  private readonly session: SqlSession;
  private readonly js: ResultOptions;
  private readonly statements = new Map<string, Statement>();

  constructor(session: SqlSession, js: ResultOptions) {
    this.session = session;
    this.js = js;
  }

  /** A statement of this transaction; the same text gives the same statement. */
  prepare<Row = Record<string, unknown>>(text: string): Statement<Row> {
    let statement = this.statements.get(text);
    if (statement === undefined) this.statements.set(text, (statement = new Statement(this.session, text, this.js)));
    return statement as Statement<Row>;
  }

  exec(script: string): void {
    for (const parsed of this.session.parse(script)) {
      this.session.portal(this.session.prepare(parsed, script), []).fetchNow(0, () => undefined);
    }
  }
}
