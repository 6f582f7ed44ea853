/**
 * Transactions over this database and others: all of them commit, or none does. This database decides: its own share of the work and the
 * decision are one commit (packages/txn-2pc-saga). A handle holds the other databases by names that stay the same over restarts, since
 * decisions are kept under them; while it is open, what was decided is told to whoever has not heard it.
 */
import { PhantomError, type Span, checkOptions, isPhantomError, optionNames } from '@phantom/base';
import type { Coordinator, UnansweredDecision, WriteDecision } from '@phantom/txn-2pc-saga';
import { requireDurable } from './coordination.js';
import { SqlBranch, type SqlSource, sqlParticipant, sqlStateOf } from './sql-participant.js';
import type { Transaction, TransactionOptions } from './transaction.js';

/** Of each database alike; the others take the isolation that this one has. */
export type DistributedOptions = Pick<TransactionOptions, 'isolation' | 'concurrency' | 'retries' | 'signal'>;

const DISTRIBUTED_OPTIONS = optionNames<DistributedOptions>({
  isolation: true,
  concurrency: true,
  retries: true,
  signal: true,
});

export interface DistributedResult<T> {
  /** What the callback resolved with. */
  readonly value: T;
  /** Databases that have not answered to the decision yet: they commit once they can be told. */
  readonly unanswered: readonly string[];
}

export type Branches<Name extends string> = { readonly [name in Name]: SqlBranch };

/** Runs a callback in transactions of the coordinating database, and ends them by `commit`, given how to commit its own share. */
export type RunTransaction = <T>(
  callback: (tx: Transaction) => Promise<T>,
  options: DistributedOptions,
  commit: (commitOwn: (write: WriteDecision | undefined) => Promise<void>, span: Span | undefined) => Promise<void>,
) => Promise<T>;

const RETRYABLE: ReadonlySet<unknown> = new Set(['40001', '40P01']);

export class Distributed<Name extends string> {
  private readonly coordinator: Coordinator;
  private readonly sources: ReadonlyMap<Name, SqlSource>;
  private readonly run: RunTransaction;
  private closing: Promise<void> | undefined;

  constructor(coordinator: Coordinator, participants: Readonly<Record<Name, SqlSource>>, run: RunTransaction) {
    this.coordinator = coordinator;
    this.run = run;
    this.sources = new Map(Object.entries(participants) as [Name, SqlSource][]);
    for (const [name, { durability }] of this.sources) requireDurable(`"${name}"`, durability ?? 'fsync');
    const registered: Name[] = [];
    try {
      for (const [name, source] of this.sources) {
        coordinator.register(sqlParticipant(name, source));
        registered.push(name);
      }
    } catch (error) {
      for (const name of registered) void coordinator.unregister(name);
      throw error;
    }
  }

  /**
   * Runs the callback and commits what it did here and there, or nothing of it: durable everywhere once it resolves, but for those that
   * `unanswered` names, which commit when they can be told. A callback that lost a race here or there (40001, 40P01) is run again from its
   * beginning. Rejects as the callback does, with 40000 when another database refused to commit, and with 08007 when nobody knows: the
   * branches then wait, locked, until this database is opened again.
   */
  async transaction<T>(
    callback: (tx: Transaction, branches: Branches<Name>) => Promise<T>,
    options: DistributedOptions = {},
  ): Promise<DistributedResult<T>> {
    checkOptions('transaction', options, DISTRIBUTED_OPTIONS);
    if (this.closing !== undefined) throw new PhantomError('55000', 'the participants have been closed');
    let open: readonly SqlBranch[] = [];
    let unanswered: readonly string[] | undefined;
    const value = await this.run(
      async (tx) => {
        const branches = this.begin(options);
        open = Object.values(branches);
        try {
          return await callback(tx, branches);
        } catch (error) {
          await abandonAll(open);
          throw retryable(error);
        }
      },
      options,
      async (commitOwn, span) => {
        try {
          const used = open.flatMap(({ branch }) => branch ?? []);
          ({ unanswered } = await this.coordinator.commit(used, commitOwn, span));
        } finally {
          await abandonAll(open);
        }
      },
    );
    if (unanswered === undefined) {
      await abandonAll(open);
      throw new PhantomError(
        '25P01',
        'the callback has ended the transaction itself: the other databases have rolled back',
      );
    }
    return { value, unanswered };
  }

  /** Tells every participant now what it has not heard, and ends what it has in doubt; otherwise that is done each minute, and soon after failures. */
  resolve(): Promise<void> {
    return this.coordinator.resolve();
  }

  /** Decisions of which somebody has not heard, oldest first. */
  unanswered(): readonly UnansweredDecision[] {
    return this.coordinator.unanswered();
  }

  /** Lets the participants go; what they have not heard waits for who names them again. Closing the database does it too. */
  close(): Promise<void> {
    this.closing ??= Promise.all(Array.from(this.sources.keys(), (name) => this.coordinator.unregister(name))).then(
      () => undefined,
    );
    return this.closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private begin({ isolation = 'repeatable read' }: DistributedOptions): Branches<Name> {
    const branches = Array.from(this.sources, ([name, source]) => [name, new SqlBranch(name, source, isolation)]);
    return Object.fromEntries(branches) as Branches<Name>;
  }
}

async function abandonAll(branches: readonly SqlBranch[]): Promise<void> {
  await Promise.all(branches.map((branch) => branch.abandon()));
}

/** A race that was lost at another database, as its driver tells it, in the form in which this one's are. */
function retryable(error: unknown): unknown {
  const code = sqlStateOf(error);
  if (isPhantomError(error) || !RETRYABLE.has(code)) return error;
  return new PhantomError(String(code), error instanceof Error ? error.message : String(error), { cause: error });
}
