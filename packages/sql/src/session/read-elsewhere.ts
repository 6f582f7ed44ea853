/**
 * Reads that are costly enough to be run in another thread, so that this one goes on to serve others meanwhile. Which those are
 * is a matter of rule, not of luck: what another thread could not answer, or not alike, stays here.
 *
 *   stays here   what writes or locks, calls volatile functions or those of users, asks for the session or the process (system
 *                views, collections, tables in memory); what must see writes or definitions of its own transaction, or whose
 *                reads are remembered (serializable); statements of a body, of EXECUTE, and of synchronous calls
 */
import type { Oid } from '@phantom/catalog';
import { RowBlockReader } from '../exec/row-block.js';
import { type Execution, PAUSE, type RowSink, type WorkCounters, type Yielded } from '../exec/runtime.js';
import type { PreparedPlan } from '../plan/prepared-plan.js';
import { selectInto } from '../text/select-into.js';
import type { Value } from '../types/type.js';
import type { ReadView, RemoteRows } from './ports.js';
import { type RemoteRead, encodeParameters, resultCodec } from './remote-read.js';
import type { SqlSession } from './session.js';
import type { PlanStatement } from './statement.js';

/** A read under way in another thread. */
export interface ReadElsewhere {
  readonly rows: RemoteRows;
  readonly reader: RowBlockReader;
}

/**
 * Whether a plan costs enough to be worth another thread, where there is one. One that reads in partitions shares those with others
 * instead (partitioned-read.ts), and one that is measured is measured here.
 */
export function isCostly(
  { engine: { workers } }: SqlSession,
  { isMeasured, partitioned, traits }: PreparedPlan,
): boolean {
  return workers !== undefined && partitioned === undefined && !isMeasured && traits.cost >= workers.costMin;
}

/** In how many threads besides its own an asynchronous caller's read would run, if as many are free. */
export function threadsPlanned(session: SqlSession, plan: PreparedPlan): number {
  const { workers } = session.engine;
  if (workers === undefined || !isForAnyThread(plan)) return 0;
  if (plan.partitioned === undefined) return isCostly(session, plan) ? 1 : 0;
  return Math.min(workers.threadsMax, session.settings.integer('max_parallel_workers_per_gather'));
}

/** Has a read begun in another thread, if it is for one and one is free. `view`: all that it would read, if that is so. */
export function* beginElsewhere(
  session: SqlSession,
  statement: PlanStatement,
  parameters: readonly Value[],
  view: ReadView | undefined,
): Generator<Yielded, ReadElsewhere | undefined, void> {
  const { workers } = session.engine;
  const { plan } = statement;
  if (workers === undefined || view === undefined || !isForOthers(session, statement, view)) return undefined;
  const codec = resultCodec(plan, session.picture.types);
  const read = codec === undefined ? undefined : remoteRead(session, statement, parameters);
  if (codec === undefined || read === undefined) return undefined;
  for (;;) {
    const rows = workers.begin(read, view);
    if (rows === undefined) return undefined;
    if (!(rows instanceof Promise)) return { rows, reader: new RowBlockReader(codec) };
    yield rows;
  }
}

/** The execution of a read that runs in another thread. */
export function* readElsewhere(session: SqlSession, { rows, reader }: ReadElsewhere, sink: RowSink): Execution {
  const { counters } = session.engine;
  counters.remoteExecutions++;
  let count = 0;
  try {
    for (;;) {
      const block = rows.next();
      if (block instanceof Promise) {
        yield block;
        continue;
      }
      if (block === undefined) break;
      reader.aim(block);
      while (reader.next(sink.batchRowsMax)) {
        count += reader.count;
        if (sink.rows(reader)) yield PAUSE;
        else if (session.slice.due()) yield undefined;
      }
    }
    if (rows.outcome !== undefined) addWork(counters, rows.outcome.counters);
    return count;
  } finally {
    rows.close();
  }
}

export function isForOthers(session: SqlSession, { plan, routine }: PlanStatement, view: ReadView): boolean {
  if (!isForAnyThread(plan) || routine !== undefined || session.synchronous) return false;
  if (!showsDefinitions(session, view)) return false;
  // What the session alone can name.
  return session.temporary.find(session.engine.catalog.committed) === undefined;
}

/** The view shows the definitions that the session works with. */
export function showsDefinitions({ transaction, engine }: SqlSession, { seq }: ReadView): boolean {
  return transaction?.objects.changed !== true && seq >= engine.catalog.changedSeq;
}

function isForAnyThread({ traits }: PreparedPlan): boolean {
  return !traits.writes && !traits.locks && !traits.volatile && !traits.local;
}

/** The read as plain data; undefined where that is not all that there is to it. */
export function remoteRead(
  session: SqlSession,
  statement: PlanStatement,
  parameters: readonly Value[],
): RemoteRead | undefined {
  const { text, declaredTypes, plan } = statement;
  const index = indexInText(session, statement);
  const block = encodeParameters(parameters, plan.parameterTypes, session.picture.types);
  return index < 0 || block === undefined ? undefined : readOf(session, text, index, declaredTypes, block);
}

/** A read as the session would do it now. `parameters`: a block of one row. */
export function readOf(
  session: SqlSession,
  text: string,
  index: number,
  declaredTypes: readonly Oid[],
  parameters: Uint8Array,
): RemoteRead {
  const { engine, evaluation, databaseName: database, roles, settings } = session;
  return {
    catalogKey: `${engine.catalog.version} ${engine.statistics.version}`,
    database,
    roles: roles.acting,
    settings: settings.inForce(),
    text,
    index,
    declaredTypes,
    parameters,
    statementMicros: evaluation.statementMicros,
    transactionMicros: evaluation.transactionMicros,
  };
}

/** Which statement of its text it is; -1 for one that comes from elsewhere. */
function indexInText(session: SqlSession, { text, node }: PlanStatement): number {
  if (!session.settings.boolean('standard_conforming_strings')) return -1;
  const statements = session.engine.statements.parse(text);
  const [first] = statements;
  // The only one may have been parsed anew for the types that were declared for it. What it is a part of is of another kind.
  const isOnly =
    statements.length === 1 && first?.node.kind === 'query' && selectInto(first.node, first.end) === undefined;
  return isOnly ? 0 : statements.findIndex((statement) => statement.node === node);
}

export function addWork(to: WorkCounters, work: WorkCounters): void {
  for (const name of Object.keys(work) as (keyof WorkCounters)[]) to[name] += work[name];
}
