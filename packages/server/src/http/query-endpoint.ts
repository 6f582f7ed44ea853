/**
 * POST /v1/query: one statement in a transaction of its own, as the role and in the database of the caller's token.
 *
 *   token -> place -> session -> bind -> rows, piece by piece -> commit -> last line
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { PhantomError, type Span } from '@phantom/base';
import { type SqlSession, bindValues } from '@phantom/db/session';
import type { Admission, AdmissionRole } from '../admission.js';
import type { Access, AccessTokens } from '../auth/access-tokens.js';
import { fetchRows } from '../fetch-rows.js';
import { Pace } from '../pace.js';
import { asPhantomError } from '../pg/reports.js';
import { accessOf } from './bearer.js';
import { JsonRows, fieldTexts } from './json-rows.js';
import { LINES_TYPE, LinesReply, type QueryReply, WholeReply, cutUnread } from './query-reply.js';
import { type QueryRequest, parseQueryRequest, readBody } from './query-request.js';

export interface QueryLimits {
  /** Longest body of a request. */
  readonly bodyBytesMax: number;
  /** Longest result that is sent as one object. */
  readonly resultBytesMax: number;
  /** How long a client may take nothing of its result. */
  readonly unreadTimeoutMs: number;
}

/** What the endpoint asks of the database. */
export interface QuerySource {
  /** Who may ask, as it is said now. */
  tokens(): AccessTokens | undefined;
  readonly admission: Admission;
  role(name: string): AdmissionRole | undefined;
  /** Throws 3D000, 28000, 42501 when there can be no such session. */
  openSession(access: Access, settings: Readonly<Record<string, string>>, requestId: string, within?: Span): SqlSession;
}

const STOPPED = 'terminating connection due to administrator command';

export class QueryEndpoint {
  private readonly source: QuerySource;
  private readonly limits: QueryLimits;
  private readonly sessions = new Set<SqlSession>();

  constructor(source: QuerySource, limits: QueryLimits) {
    this.source = source;
    this.limits = limits;
  }

  /** Runs what the request asks for, and answers; the log knows it by `requestId`, and `span` is its span; `onDefect` hears of errors of ours. HttpError for what is no request. */
  async respond(
    request: IncomingMessage,
    response: ServerResponse,
    requestId: string,
    onDefect: (error: unknown) => void,
    span?: Span,
  ): Promise<Access> {
    const access = accessOf(request, this.source.tokens());
    const query = parseQueryRequest(await readBody(request, this.limits.bodyBytesMax));
    const byLine = (request.headers.accept ?? '').includes(LINES_TYPE);
    const { resultBytesMax, unreadTimeoutMs } = this.limits;
    const reply = byLine ? new LinesReply(response, unreadTimeoutMs) : new WholeReply(response, resultBytesMax);
    try {
      await this.run(access, query, reply, response, requestId, span);
    } catch (error) {
      const told = endedByServer(asPhantomError(error));
      if (told.family === 'internal') onDefect(error);
      reply.fail(told);
    }
    cutUnread(response, unreadTimeoutMs);
    return access;
  }

  /** Stops what runs. */
  cancelAll(): void {
    for (const session of this.sessions) session.cancel(STOPPED);
  }

  private async run(
    access: Access,
    query: QueryRequest,
    reply: QueryReply,
    response: ServerResponse,
    requestId: string,
    span: Span | undefined,
  ): Promise<void> {
    const { source } = this;
    const role = source.role(access.role);
    if (role === undefined) throw new PhantomError('28000', `role "${access.role}" does not exist`);
    source.admission.enter(role);
    try {
      const settings = query.timeoutMs === undefined ? {} : { statement_timeout: String(query.timeoutMs) };
      const session = source.openSession(access, settings, requestId, span);
      const left = (): void => session.cancel('terminating connection: the client has gone');
      this.sessions.add(session);
      response.once('close', left);
      try {
        await execute(session, query, reply);
      } finally {
        response.off('close', left);
        this.sessions.delete(session);
        session.close();
      }
    } finally {
      source.admission.exit(role);
    }
  }
}

/** A statement that was cancelled since the server stops has not taken too long: the next server may run it. */
function endedByServer(error: PhantomError): PhantomError {
  return error.code === '57014' && error.message === STOPPED
    ? new PhantomError('57P01', STOPPED, { cause: error })
    : error;
}

async function execute(session: SqlSession, query: QueryRequest, reply: QueryReply): Promise<void> {
  const statement = session.prepareText(query.sql);
  const portal = session.portal(statement, bindValues(session, statement, query.parameters));
  const { types } = session.picture;
  const rows = new JsonRows(portal.fields, types, query.rows);
  reply.begin(fieldTexts(portal.fields, types));
  const outcome = await fetchRows(session, portal, (batch) => reply.rows(batch, rows), 0, reply, new Pace());
  if (session.transaction?.explicit === true) {
    throw new PhantomError('25000', 'a request is a transaction of its own and cannot begin one');
  }
  await session.sync();
  reply.end(outcome);
}
