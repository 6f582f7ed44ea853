/** What HTTP answers: whole texts, and errors with the status that says who must act. */
import type { PhantomError } from '@phantom/base';

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request that is refused before a statement is run. */
export class HttpError extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = 'HttpError';
    this.status = status;
    this.headers = headers;
  }
}

export function jsonAnswer(status: number, body: unknown, headers?: Readonly<Record<string, string>>): Answer {
  const text = `${JSON.stringify(body)}\n`;
  return { status, type: 'application/json', body: text, ...(headers === undefined ? {} : { headers }) };
}

/** An error of the database as an object of JSON: SQLSTATE, message, and the fields that are known. */
export function errorBody(error: PhantomError): Readonly<Record<string, unknown>> {
  const { code, message, detail, hint, position, schema, table, column, constraint, retryable } = error;
  return { code, message, detail, hint, position, schema, table, column, constraint, retryable };
}

/** Rights, lost races and limits have statuses of their own; what else is the caller's mistake is 400, ours is 500. */
export function statusOf(error: PhantomError): number {
  if (error.code === '42501' || error.code.startsWith('28')) return 403;
  if (error.code === '57014') return 408;
  if (error.code === '53300') return 429;
  switch (error.family) {
    case 'input':
      return 400;
    case 'conflict':
      return 409;
    case 'unsupported':
      return 501;
    case 'limit':
      return error.code.startsWith('54') ? 413 : 503;
    case 'state':
      return error.code.startsWith('57') ? 503 : 400;
    default:
      return 500;
  }
}
