/**
 * Errors: one class, one SQLSTATE, one question a caller asks ("may I try again?").
 *
 * Two kinds never mix (TigerBeetle's rule). An operating error (bad input, a full disk, a lost race) is thrown as a
 * `PhantomError` and handled. A broken invariant is an `AssertionError` from `assert.ts`; it stays on in production and
 * poisons the store that meets it.
 *
 * Families say who must act:
 *   input      the caller's statement or value is wrong; repeating it gives the same error
 *   conflict   another transaction won; run the same transaction again (retryable)
 *   limit      a named limit (memory, disk, connections, a queue) is reached; nothing was done
 *   io         the operating system refused an operation
 *   corruption stored bytes are not what was written: file, offset, expected and found are in the message and fields
 *   outcome-unknown  a commit may or may not survive: never reported as failure, never as success
 *   cancelled  the caller (or a timeout of theirs) asked for it
 *   state      the handle, transaction or store is not in a state in which this can be done
 *   unsupported  0A000, never accepted and ignored
 *   internal   XX000: a defect of ours
 */
export type ErrorFamily =
  | 'input'
  | 'conflict'
  | 'limit'
  | 'io'
  | 'corruption'
  | 'outcome-unknown'
  | 'cancelled'
  | 'state'
  | 'unsupported'
  | 'internal';

/** Everything an error may carry besides its message; all of it reaches the PostgreSQL protocol's error fields. */
export interface ErrorFields {
  /** One sentence with the particulars, for a person. */
  readonly detail?: string | undefined;
  /** What the caller could do about it. */
  readonly hint?: string | undefined;
  /** 1-based character (code point) position in the statement's text. */
  readonly position?: number | undefined;
  readonly schema?: string | undefined;
  readonly table?: string | undefined;
  readonly column?: string | undefined;
  readonly constraint?: string | undefined;
  readonly dataType?: string | undefined;
  /** What PostgreSQL calls the routine that raises it: some clients decide by that name whether to prepare a statement anew. */
  readonly routine?: string | undefined;
  /** PL or nested-statement context, innermost first. */
  readonly where?: string | undefined;
  /** Index of the failing statement in a batch. */
  readonly index?: number | undefined;
  /** Numbers and names a program may want (file, offset, limit), never only in the message. */
  readonly data?: Readonly<Record<string, unknown>> | undefined;
  readonly cause?: unknown;
  /** Overrides the family that the SQLSTATE implies. */
  readonly family?: ErrorFamily | undefined;
  readonly retryable?: boolean | undefined;
}

/** SQLSTATEs the storage floors raise; SQL has its own, larger table. */
export const SqlState = {
  FeatureNotSupported: '0A000',
  ConnectionFailure: '08006',
  TransactionResolutionUnknown: '08007',
  DataException: '22000',
  InvalidParameterValue: '22023',
  UniqueViolation: '23505',
  InvalidTransactionState: '25000',
  ReadOnlyTransaction: '25006',
  InFailedTransaction: '25P02',
  SerializationFailure: '40001',
  DeadlockDetected: '40P01',
  StatementCompletionUnknown: '40003',
  InsufficientResources: '53000',
  DiskFull: '53100',
  OutOfMemory: '53200',
  TooManyConnections: '53300',
  ConfigurationLimitExceeded: '53400',
  ProgramLimitExceeded: '54000',
  ObjectNotInPrerequisiteState: '55000',
  ObjectInUse: '55006',
  LockNotAvailable: '55P03',
  QueryCanceled: '57014',
  AdminShutdown: '57P01',
  CannotConnectNow: '57P03',
  SystemError: '58000',
  IoError: '58030',
  UndefinedFile: '58P01',
  SnapshotTooOld: '72000',
  InternalError: 'XX000',
  DataCorrupted: 'XX001',
} as const;

const FAMILY_BY_CODE: Readonly<Record<string, ErrorFamily>> = {
  '08007': 'outcome-unknown',
  '40003': 'outcome-unknown',
  '57014': 'cancelled',
  XX000: 'internal',
  XX001: 'corruption',
  XX002: 'corruption',
  '55000': 'state',
  '55006': 'state',
  '55P03': 'conflict',
};

const FAMILY_BY_CLASS: Readonly<Record<string, ErrorFamily>> = {
  '0A': 'unsupported',
  '08': 'state',
  '25': 'state',
  '40': 'conflict',
  '53': 'limit',
  '54': 'limit',
  '57': 'state',
  '58': 'io',
  '72': 'limit',
};

/** The family a SQLSTATE belongs to when an error does not say otherwise. */
export function familyOf(code: string): ErrorFamily {
  return FAMILY_BY_CODE[code] ?? FAMILY_BY_CLASS[code.slice(0, 2)] ?? 'input';
}

/** Node's name for the method by which `console.log` shows an object. */
export const INSPECT: unique symbol = Symbol.for('nodejs.util.inspect.custom') as typeof INSPECT;

type Inspect = (value: unknown, options: unknown) => string;

/** The one error class of every package. `code` is a SQLSTATE and part of the API. */
export class PhantomError extends Error {
  readonly code: string;
  readonly family: ErrorFamily;
  /** True when running the same transaction again may succeed (serialization failure, deadlock victim). */
  readonly retryable: boolean;
  readonly detail: string | undefined;
  readonly hint: string | undefined;
  readonly position: number | undefined;
  readonly schema: string | undefined;
  readonly table: string | undefined;
  readonly column: string | undefined;
  readonly constraint: string | undefined;
  readonly dataType: string | undefined;
  readonly routine: string | undefined;
  readonly where: string | undefined;
  readonly index: number | undefined;
  readonly data: Readonly<Record<string, unknown>> | undefined;

  constructor(code: string, message: string, fields: ErrorFields = {}) {
    super(message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.code = code;
    this.family = fields.family ?? familyOf(code);
    this.retryable = fields.retryable ?? (code === SqlState.SerializationFailure || code === SqlState.DeadlockDetected);
    this.detail = fields.detail;
    this.hint = fields.hint;
    this.position = fields.position;
    this.schema = fields.schema;
    this.table = fields.table;
    this.column = fields.column;
    this.constraint = fields.constraint;
    this.dataType = fields.dataType;
    this.routine = fields.routine;
    this.where = fields.where;
    this.index = fields.index;
    this.data = fields.data;
  }

  /** A copy with further fields; the stack and cause stay those of the original. */
  with(fields: ErrorFields): PhantomError {
    return copyWith(this, fields);
  }

  /** All that it carries besides code and message. */
  fields(): ErrorFields {
    return {
      detail: this.detail,
      hint: this.hint,
      position: this.position,
      schema: this.schema,
      table: this.table,
      column: this.column,
      constraint: this.constraint,
      dataType: this.dataType,
      routine: this.routine,
      where: this.where,
      index: this.index,
      data: this.data,
      cause: this.cause,
      family: this.family,
      retryable: this.retryable,
    };
  }

  /** With the fields that it has, and without those that it could have. */
  [INSPECT](_depth: number, options: unknown, inspect: Inspect): string {
    const given = Object.entries(this.fields()).filter(([, value]) => value !== undefined);
    return `${this.stack} ${inspect({ code: this.code, ...Object.fromEntries(given) }, options)}`;
  }
}

/** Not a part of the class: a bundler gives another name to a class that speaks of itself, and users would read it. */
function copyWith(error: PhantomError, fields: ErrorFields): PhantomError {
  const copy = new PhantomError(error.code, error.message, { ...error.fields(), ...fields });
  if (error.stack !== undefined) copy.stack = error.stack;
  return copy;
}

// Known before the first one is made, so that its stack begins with it.
Object.defineProperty(PhantomError.prototype, 'name', { value: 'PhantomError', writable: true, configurable: true });

/** True for a PhantomError of any copy of this package (ESM and CJS builds may both be loaded). */
export function isPhantomError(error: unknown): error is PhantomError {
  return (
    error instanceof Error && error.name === 'PhantomError' && typeof (error as { code?: unknown }).code === 'string'
  );
}

/** Stored bytes are not what was written. Says file, offset, expected and found. */
export function corruptionError(
  message: string,
  at: { file: string; offset?: number; expected?: unknown; found?: unknown; cause?: unknown },
): PhantomError {
  const where = at.offset === undefined ? at.file : `${at.file} at offset ${at.offset}`;
  const difference = at.expected === undefined ? '' : `: expected ${String(at.expected)}, found ${String(at.found)}`;
  const { cause, ...data } = at;
  return new PhantomError(SqlState.DataCorrupted, `${message} in ${where}${difference}`, { data, cause });
}

/** A feature that does not exist here. Loud, with its name. */
export function unsupportedError(feature: string, fields: ErrorFields = {}): PhantomError {
  return new PhantomError(SqlState.FeatureNotSupported, `${feature} is not supported`, fields);
}

/** A commit whose durability cannot be known: neither failure nor success. */
export function outcomeUnknownError(message: string, cause?: unknown): PhantomError {
  return new PhantomError(SqlState.TransactionResolutionUnknown, message, {
    cause,
    hint: 'Reopen the database to learn whether the transaction was committed.',
  });
}

const ERRNO_CODES: Readonly<Record<string, string>> = {
  ENOSPC: SqlState.DiskFull,
  EDQUOT: SqlState.DiskFull,
  ENOENT: SqlState.UndefinedFile,
  EMFILE: SqlState.InsufficientResources,
  ENFILE: SqlState.InsufficientResources,
};

/** What the system refused and may grant later: room on the disk (53100), or another open file (53000). */
export function isShortage(error: unknown): boolean {
  return isPhantomError(error) && (error.code === SqlState.DiskFull || error.code === SqlState.InsufficientResources);
}

/** Stored bytes are wrong. */
export function isCorruption(error: unknown): error is PhantomError {
  return isPhantomError(error) && error.family === 'corruption';
}

/** Wraps what the operating system threw. ENOSPC and EDQUOT become 53100, everything unknown 58030. */
export function ioError(operation: string, path: string, cause: unknown): PhantomError {
  if (isPhantomError(cause)) return cause;
  const errno = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : 'EIO';
  const code = ERRNO_CODES[errno] ?? SqlState.IoError;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new PhantomError(code, `could not ${operation} "${path}": ${reason}`, {
    family: code === SqlState.DiskFull ? 'limit' : 'io',
    cause,
    data: { operation, path, errno },
  });
}
