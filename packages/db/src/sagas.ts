/**
 * Sagas of a database: their local steps are transactions over SQL and documents, and their journal lies beside the data. All handles on a
 * database share what drives them; it ends with the last of them.
 */
import { checkOptions, optionNames } from '@phantom/base';
import {
  type SagaDefinition,
  type SagaRunner,
  type SagaState,
  type SagaStatus,
  defineSaga as checked,
} from '@phantom/txn-2pc-saga';
import type { Transaction } from './transaction.js';

export interface SagaStartOptions {
  /** The saga begins when this transaction commits, and not otherwise. */
  readonly tx?: Transaction;
}

const START_OPTIONS = optionNames<SagaStartOptions>({ tx: true });

/** A definition for `sagas.define`, checked: 22023 when it has no steps, two of one name, or limits that are none. */
export function defineSaga<Input>(definition: SagaDefinition<Input, Transaction>): SagaDefinition<Input, Transaction> {
  return checked(definition);
}

export class Sagas {
  private readonly runner: SagaRunner<Transaction>;

  constructor(runner: SagaRunner<Transaction>) {
    this.runner = runner;
  }

  /**
   * Makes a definition known and goes on with its sagas that are under way: call it once, when the program starts. 42710 when there is one of
   * that name.
   */
  define<Input>(definition: SagaDefinition<Input, Transaction>): void {
    this.runner.define(definition);
  }

  /**
   * Begins a saga under an id of the caller's: it is as durable as a commit once this resolves, and goes on by itself, over restarts. Asked again
   * with the same input it begins nothing, and resolves; with another input, 42710. With `tx` it is a part of that transaction.
   */
  async start(name: string, id: string, input: unknown, options: SagaStartOptions = {}): Promise<void> {
    checkOptions('start', options, START_OPTIONS);
    const { tx } = options;
    if (tx === undefined) await this.runner.start(name, id, input);
    else await tx.documents(({ storage }) => this.runner.startWithin(storage, name, id, input));
  }

  /** Undefined when there is none, or it is over and was removed. */
  status(id: string): SagaStatus | undefined {
    return this.runner.status(id);
  }

  /** In the order of their ids, those that are over last. */
  list(filter: { readonly state?: SagaState; readonly name?: string } = {}): SagaStatus[] {
    return this.runner.list(filter);
  }

  /** Resolves when it is over or stuck. 42704 when there is none, 55000 when nobody drives it, 57P01 when the database is closed before. */
  finished(id: string): Promise<SagaStatus> {
    return this.runner.finished(id);
  }

  /** Goes on with one that is stuck, where it is, with all attempts anew. 55000 when it is not. */
  retry(id: string): Promise<SagaStatus> {
    return this.runner.retry(id);
  }

  /** Undoes one that is not over, from where it is; an attempt under way does not count any more. 55000 when it is over. */
  compensate(id: string): Promise<SagaStatus> {
    return this.runner.compensate(id);
  }

  /** Removes one that is over, so that its id can be given again; otherwise that is done a week later. 55000 when it is not. */
  forget(id: string): Promise<void> {
    return this.runner.forget(id);
  }
}
