/** What drives the sagas of an open database: made when a handle first asks for it, ended with the database. */
import { PhantomError } from '@phantom/base';
import { sagaSpace } from '@phantom/catalog';
import { EngineCode } from '@phantom/kv';
import type { Mvcc } from '@phantom/mvcc';
import { SagaRunner, type SagaRunnerOptions, type SagaStatus, listSagas } from '@phantom/txn-2pc-saga';
import type { Transaction } from './transaction.js';

const SPACE = sagaSpace(EngineCode.Btree);

type Ports = Pick<SagaRunnerOptions<Transaction>, 'mvcc' | 'scope' | 'clock' | 'logger' | 'metrics' | 'tracer'>;

/** A handle on the database that only sagas have: theirs is none of the callers', who may close theirs before. */
interface Handle {
  transaction(callback: (tx: Transaction) => Promise<void>, options: { readonly signal: AbortSignal }): Promise<void>;
  close(): Promise<void>;
}

export class SagaRuns {
  private readonly ports: Ports;
  private readonly readOnly: boolean;
  private made: { readonly runner: SagaRunner<Transaction>; readonly handle: Handle } | undefined;

  constructor(ports: Ports, readOnly: boolean) {
    this.ports = ports;
    this.readOnly = readOnly;
  }

  /** 25006 for a database that is open read-only. */
  runner(makeHandle: () => Handle): SagaRunner<Transaction> {
    if (this.made !== undefined) return this.made.runner;
    if (this.readOnly) throw new PhantomError('25006', 'a database that is open read-only cannot drive sagas');
    const handle = makeHandle();
    const runner = new SagaRunner<Transaction>({
      ...this.ports,
      space: SPACE,
      transact: (work, signal) =>
        handle.transaction(
          (tx) => work(tx, async (write) => void (await tx.documents(({ storage }) => write(storage)))),
          { signal },
        ),
    });
    this.made = { runner, handle };
    return runner;
  }

  /** Gives up attempts that are under way. */
  async close(): Promise<void> {
    await this.made?.runner.close();
    await this.made?.handle.close();
  }
}

/** Sagas of one database of the store, for views. */
export function sagasOf(mvcc: Mvcc, databaseOid: number): SagaStatus[] {
  return listSagas(mvcc, SPACE, databaseOid);
}
