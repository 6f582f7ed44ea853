/** One statement through the asynchronous API: bound, run in a session, its rows collected. */
import { PhantomError, checkOptions, eventLoop, optionNames } from '@phantom/base';
import {
  type JsOptions,
  type PlanField,
  type SessionStatement,
  type SqlSession,
  type Value,
  commandTag,
  jsWriter,
  writePoint,
} from '@phantom/sql';
import type { Durability } from '@phantom/wal';
import { RowShape } from './row-shape.js';
import { wrongCount } from './statement.js';

export interface QueryOptions {
  /** Aborting it stops the statement within 50 ms, with 57014. */
  readonly signal?: AbortSignal;
  /** Longest run; past it 57014. */
  readonly timeoutMs?: number;
}

const QUERY_OPTIONS = optionNames<QueryOptions>({ signal: true, timeoutMs: true });

export interface QueryResult<Row> {
  readonly rows: Row[];
  readonly fields: readonly PlanField[];
  /** Rows returned or affected. */
  readonly rowCount: number;
  /** The command tag, e.g. `INSERT 0 1`. */
  readonly command: string;
  /** There when it was committed and survives less than a power cut: `os` the end of the process, `memory` nothing. */
  readonly durability?: Durability;
}

/** Analyses a text of one statement and runs it; a result that is there at once is no promise, and an error may be thrown or rejected. */
export function runQuery<Row>(
  session: SqlSession,
  text: string,
  parameters: readonly unknown[],
  options: QueryOptions,
  js: JsOptions,
): QueryResult<Row> | Promise<QueryResult<Row>> {
  checkOptions('query', options, QUERY_OPTIONS);
  // A row that lies in memory is there at once, and so is the next one that the caller asks for.
  const wait = eventLoop.isOverdue() ? eventLoop.nextTurn() : session.relieve();
  return wait === undefined
    ? runNow(session, text, parameters, options, js)
    : runAfter(wait, session, text, parameters, options, js);
}

async function runAfter<Row>(
  wait: Promise<void>,
  session: SqlSession,
  text: string,
  parameters: readonly unknown[],
  options: QueryOptions,
  js: JsOptions,
): Promise<QueryResult<Row>> {
  await wait;
  const relief = session.relieve();
  if (relief !== undefined) await relief;
  return runNow(session, text, parameters, options, js);
}

/** The result at once where the statement has a straight road. */
function runNow<Row>(
  session: SqlSession,
  text: string,
  parameters: readonly unknown[],
  options: QueryOptions,
  js: JsOptions,
): QueryResult<Row> | Promise<QueryResult<Row>> {
  const statement = session.prepareText(text);
  const values = bindValues(session, statement, parameters);
  if (options.signal?.aborted === true) throw cancelled(options.signal);
  const direct = statement.kind === 'plan' ? writePoint(session, statement, values) : undefined;
  if (direct !== undefined && statement.kind === 'plan') {
    return { rows: [], fields: [], rowCount: direct, command: commandTag(statement.node, direct) };
  }
  return fetchAll(session, statement, values, options, js);
}

async function fetchAll<Row>(
  session: SqlSession,
  statement: SessionStatement,
  values: readonly Value[],
  options: QueryOptions,
  js: JsOptions,
): Promise<QueryResult<Row>> {
  // What a caller without a transaction gets it gets when the statement has committed.
  const portal = session.portal(statement, values, true);
  const shape = new RowShape<Row>(portal.fields, session.picture.types, js);
  const rows: Row[] = [];
  const disarm = arm(session, options);
  try {
    const outcome = await portal.fetch(0, (batch) => shape.rows(batch, rows));
    return { rows, fields: portal.fields, rowCount: outcome.count, command: outcome.tag };
  } finally {
    disarm();
  }
}

/** The result with what its commit survives, where that is less than a power cut. `before` was the last commit until then. */
export function withDurability<Row>(
  result: QueryResult<Row>,
  session: SqlSession,
  before: SqlSession['lastCommit'],
): QueryResult<Row> {
  const commit = session.lastCommit;
  if (commit === undefined || commit === before || commit.durability === 'fsync') return result;
  return { ...result, durability: commit.durability };
}

/** JavaScript values as values of the statement's parameter types; 08P01 when there are more or fewer. */
export function bindValues(session: SqlSession, statement: SessionStatement, parameters: readonly unknown[]): Value[] {
  const types =
    statement.kind === 'plan'
      ? statement.plan.parameterTypes
      : statement.kind === 'utility'
        ? statement.utility.parameterTypes
        : [];
  if (parameters.length !== types.length) throw wrongCount(parameters.length, types.length);
  return types.map((type, i) => {
    const given = parameters[i];
    return given === null || given === undefined
      ? null
      : jsWriter(type, session.picture.types, session.evaluation)(given);
  });
}

/** Cancels what the session runs when the signal says so or the time is over; the function returned ends that. */
export function arm(session: SqlSession, { signal, timeoutMs }: QueryOptions): () => void {
  const abort = (): void => session.cancel();
  signal?.addEventListener('abort', abort, { once: true });
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => session.cancel('canceling statement due to statement timeout'), timeoutMs);
  return () => {
    signal?.removeEventListener('abort', abort);
    clearTimeout(timer);
  };
}

/** 57014: the signal has said so. */
export function cancelled(signal: AbortSignal): PhantomError {
  return new PhantomError('57014', 'canceling statement due to user request', { cause: signal.reason });
}
