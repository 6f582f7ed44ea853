/** A data directory opened in this process. */
import type { Database } from '@phantom/db';
import type { PlanField, RowBatch, SqlSession, SqlType } from '@phantom/db/session';
import { openDatabase } from '../open-database.js';
import { EmbeddedCopy } from './embedded-copy.js';
import type { CopyEnds, NoticeReceiver, SqlTarget, StatementResult } from './target.js';

export class EmbeddedTarget implements SqlTarget {
  private readonly handle: Database;
  private readonly notice: NoticeReceiver;
  private readonly copy = new EmbeddedCopy();
  private session: SqlSession;

  private constructor(handle: Database, database: string, notice: NoticeReceiver) {
    this.handle = handle;
    this.notice = notice;
    this.session = this.startSession(database);
  }

  /** Opens the directory, making it when it is not there. CommandError "cannot open" when that fails. */
  static async open(directory: string, database: string, notice: NoticeReceiver): Promise<EmbeddedTarget> {
    const handle = await openDatabase(directory, { database });
    try {
      return new EmbeddedTarget(handle, database, notice);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  get database(): string {
    return this.session.databaseName;
  }

  get status(): string {
    return { idle: '', transaction: '*', failed: '!' }[this.session.status];
  }

  async run(text: string, receive: (result: StatementResult) => void, copy: CopyEnds = {}): Promise<void> {
    const { session } = this;
    this.copy.ends = copy;
    try {
      const parsed = session.parse(text);
      for (let i = 0; i < parsed.length; i++) {
        const portal = session.portal(session.prepare(parsed[i], text), []);
        const rows: (string | null)[][] = [];
        const outcome = await portal.fetch(0, (batch) => this.collect(portal.fields, batch, rows));
        // The last one is told of when it is durable.
        if (i === parsed.length - 1) await session.sync();
        receive({
          fields: portal.fields.map(({ name, type }) => ({ name, typeOid: type.oid })),
          rows,
          tag: outcome.tag,
        });
      }
    } catch (error) {
      session.fail();
      throw error;
    }
  }

  async connect(database: string): Promise<void> {
    const next = this.startSession(database);
    this.session.close();
    this.session = next;
  }

  cancel(): void {
    this.session.cancel();
  }

  async close(): Promise<void> {
    this.session.close();
    await this.handle.close();
  }

  private startSession(database: string): SqlSession {
    return this.handle.createSession({
      database,
      user: superuserOf(this.handle),
      settings: { application_name: 'phantomd sql' },
      copyChannel: this.copy,
      onNotice: ({ severity, message }) => this.notice(severity, message),
    });
  }

  private collect(fields: readonly PlanField[], batch: RowBatch, rows: (string | null)[][]): void {
    const { evaluation } = this.session;
    const types = fields.map((field) => evaluation.types.byOid(field.type.oid) as SqlType);
    for (let r = 0; r < batch.count; r++) {
      rows.push(
        types.map((type, c) => {
          const value = batch.columns[c]?.[r];
          return value === null ? null : type.output(value, evaluation);
        }),
      );
    }
  }
}

/** Whoever can read the files can do everything: the session is the first superuser's. */
function superuserOf(handle: Database): string {
  return handle.catalog.committed.objectsOf('role').find(({ superuser }) => superuser)?.name ?? 'phantom';
}
