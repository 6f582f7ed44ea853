/** A session of a caller's own: settings, temporary tables and a transaction by BEGIN last over its statements. */
import { PhantomError } from '@phantom/base';
import type { SqlSession } from '@phantom/sql';
import { type QueryOptions, type QueryResult, runQuery, withDurability } from './async-query.js';
import type { ResultOptions } from './options.js';

export class Connection {
  private readonly session: SqlSession;
  private readonly js: ResultOptions;
  /** Statements run one after the other. */
  private last: Promise<unknown> = Promise.resolve();
  private isReleased = false;

  constructor(session: SqlSession, js: ResultOptions) {
    this.session = session;
    this.js = js;
  }

  /** Runs one statement behind those before it; durable on resolution when it wrote, outside of a transaction. 08003 once it is released. */
  query<Row = Record<string, unknown>>(
    text: string,
    parameters: readonly unknown[] = [],
    options: QueryOptions = {},
  ): Promise<QueryResult<Row>> {
    if (this.isReleased) return Promise.reject(new PhantomError('08003', 'the connection has been released'));
    const result = this.last.then(() => this.run<Row>(text, parameters, options));
    this.last = result.catch(() => undefined);
    return result;
  }

  /** Ends the session, once its statements have ended; an open transaction is rolled back. Safe to call twice. */
  async release(): Promise<void> {
    if (this.isReleased) return;
    this.isReleased = true;
    await this.last;
    this.session.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  private async run<Row>(
    text: string,
    parameters: readonly unknown[],
    options: QueryOptions,
  ): Promise<QueryResult<Row>> {
    const { session } = this;
    const before = session.lastCommit;
    for (;;) {
      try {
        const result = await runQuery<Row>(session, text, parameters, options, this.js);
        await session.sync();
        return this.js.tellsDurability ? withDurability(result, session, before) : result;
      } catch (error) {
        if (!(await session.again(error))) throw error;
      } finally {
        session.traces?.rest();
      }
    }
  }
}
