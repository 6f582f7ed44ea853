/** Errors and notices of the database as the protocol reports them. */
import { PhantomError, isPhantomError } from '@phantom/base';
import type { Notice } from '@phantom/db/session';
import type { Report, Severity } from './backend-messages.js';
import { PROTOCOL_VIOLATION } from './protocol.js';

/** An error whose connection ends with it: what follows in the stream can no longer be trusted, or the client is not let in. */
export class FatalError extends Error {
  readonly error: PhantomError;

  constructor(error: PhantomError) {
    super(error.message, { cause: error });
    this.name = 'FatalError';
    this.error = error;
  }
}

/** FATAL with a code and a message. */
export function fatal(code: string, message: string, fields: { detail?: string; hint?: string } = {}): FatalError {
  return new FatalError(new PhantomError(code, message, fields));
}

/** Runs a reader of the stream, or of what comes before a session: bytes that are no message end the connection. */
export function readOrEnd<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (isPhantomError(error) && error.code === PROTOCOL_VIOLATION) throw new FatalError(error);
    throw error;
  }
}

/** The error as it goes to the client. What is not a PhantomError is a defect of ours: XX000, without its stack. */
export function errorReport(thrown: unknown, severity: 'ERROR' | 'FATAL'): Report {
  const error = asPhantomError(thrown);
  return {
    severity,
    code: error.code,
    message: error.message,
    detail: error.detail,
    hint: error.hint,
    position: error.position,
    where: error.where,
    schema: error.schema,
    table: error.table,
    column: error.column,
    constraint: error.constraint,
    dataType: error.dataType,
    routine: error.routine,
  };
}

export function asPhantomError(thrown: unknown): PhantomError {
  if (thrown instanceof FatalError) return thrown.error;
  if (isPhantomError(thrown)) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (thrown instanceof RangeError && message.startsWith('Maximum call stack')) {
    return new PhantomError('54001', 'stack depth limit exceeded', { cause: thrown });
  }
  return new PhantomError('XX000', `internal error: ${message}`, { cause: thrown });
}

/** Orders of client_min_messages, mildest first. INFO stands above all: it is always sent. */
const SEVERITY_ORDER: readonly string[] = [
  'DEBUG5',
  'DEBUG4',
  'DEBUG3',
  'DEBUG2',
  'DEBUG1',
  'LOG',
  'NOTICE',
  'WARNING',
  'ERROR',
  'INFO',
];

/** The notice as it goes to a client that wants messages from `least` (client_min_messages) on; undefined when it does not. */
export function noticeReport(notice: Notice, least: string): Report | undefined {
  const order = SEVERITY_ORDER.indexOf(notice.severity === 'DEBUG' ? 'DEBUG1' : notice.severity);
  if (order < SEVERITY_ORDER.indexOf(least.toUpperCase())) return undefined;
  return { ...notice.fields, severity: notice.severity as Severity, code: notice.code, message: notice.message };
}
