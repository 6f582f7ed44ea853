/**
 * COPY between a client and a table or query. Rows that come in take the road of a prepared INSERT, run once for each row
 * inside one statement, so defaults, generated columns, constraints and rights are INSERT's own; where that has nothing to
 * compute they go past its plan (straight-copy.ts). Rows that go out are those of a SELECT.
 */
import { PhantomError, unsupportedError } from '@phantom/base';
import type { ColumnDescriptor, Oid, TableDescriptor } from '@phantom/catalog';
import type { CopyChannel } from '../copy/copy-channel.js';
import { type CopySettings, copySettings } from '../copy/copy-options.js';
import { encodedChannel } from '../copy/encoded-channel.js';
import { BinaryRows } from '../copy/binary-rows.js';
import type { CopyColumn, RowReader } from '../copy/copy-rows.js';
import { type RowWriter, copyWriter } from '../copy/copy-writer.js';
import { TextRows } from '../copy/text-rows.js';
import {
  type Execution,
  PAUSE,
  type RowBatch,
  type RowSink,
  StatementRestart,
  StatementWait,
} from '../exec/runtime.js';
import type { NamedRelation } from '../plan/catalog-port.js';
import { splitName } from '../ddl/names.js';
import { binderFor, planStatement } from '../plan/plan-statement.js';
import type { PreparedPlan } from '../plan/prepared-plan.js';
import type { Insert, Select } from '../text/ast.js';
import type { Name } from '../text/ast-leaves.js';
import type { Copy } from '../text/ast-session.js';
import type { SqlType, Value } from '../types/type.js';
import { runWithinStatement } from './run-statement.js';
import { COPIED, rewriteChange, rewrittenAlone } from '../rewrite/rewrite-change.js';
import type { SqlSession } from './session.js';
import { readOnlyTransaction } from './session-errors.js';
import type { PlanStatement, Utility } from './statement.js';
import { markOnlyStored, straightInsert, takesAsGiven } from './straight-copy.js';

/** Rows read between two looks at the clock. */
const ROWS_A_LOOK = 64;
/** Rows written between two looks at the client. */
const BATCH_ROWS_MAX = 256;

export function copyUtility(node: Copy, text: string): Utility {
  if (node.endpoint !== 'client') {
    throw unsupportedError(`COPY with a ${node.endpoint} of the server`, {
      hint: 'Use COPY with STDIN or STDOUT; psql has \\copy for files of the client.',
    });
  }
  return {
    fields: [],
    parameterTypes: [],
    transaction: node.direction === 'from' ? 'required' : 'any',
    run(session) {
      const channel = session.copyChannel;
      if (channel === undefined) {
        throw unsupportedError(`COPY ${node.direction === 'from' ? 'FROM STDIN' : 'TO STDOUT'} without a client`);
      }
      return node.direction === 'from' ? copyFrom(node, session, channel, text) : copyTo(node, session, channel, text);
    },
  };
}

/** What a client's data is in, where COPY does not say. */
function encodingOf({ followsClientEncoding }: CopyChannel, { settings }: SqlSession): string {
  return followsClientEncoding === true ? settings.get('client_encoding') : 'UTF8';
}

// ---------------------------------------------------------------------------------------------------------- into

function* copyFrom(node: Copy, session: SqlSession, client: CopyChannel, text: string): Execution {
  const settings = copySettings(node, encodingOf(client, session));
  const channel = encodedChannel(client, settings.encoding);
  const table = tableOf(node, session);
  const targets = columnsOf(node, table);
  const columns = targets.map((column) => copyColumn(column, session));
  const transaction = session.ensureTransaction();
  if (transaction.readOnly) throw readOnlyTransaction('COPY FROM');
  const plan = insertPlan(node, session, table, targets, columns, text);
  session.checkPrivileges(plan.privileges);
  transaction.statements++;
  transaction.storage.beginStatement();
  const writers = transaction.writersOf(session);
  writers.beginStatement();
  const parameters: Value[] = columns.map(() => null);
  const context = session.executionContext(parameters, transaction.storage, transaction);
  const valueReader = client.reader?.(table.name, columns, session.picture.types, session.evaluation);
  const readsText = valueReader === undefined && settings.format !== 'binary';
  const isStraight =
    plan.pointWrite !== undefined && node.where === undefined && takesAsGiven(table, targets, columns, readsText);
  const write = isStraight ? straightInsert(table, targets, parameters) : plan.pointWrite;
  const readColumns = isStraight ? markOnlyStored(context.writer(table), table, targets, columns) : columns;
  const reader = valueReader ?? rowReader(table, readColumns, settings, session);
  let rows = 0;
  yield* writers.triggers.begin(plan.targets);
  channel.startIn(settings.format === 'binary', columns.length);
  if (settings.freeze) checkFreeze(session, table);
  writers.newEntries.gather();
  try {
    for (let isOver = false; !isOver;) {
      const wait = channel.advance();
      if (wait !== undefined) yield wait;
      const { piece } = channel;
      isOver = piece === undefined;
      if (reader.ended) continue;
      if (piece === undefined) reader.finish();
      else reader.push(piece);
      try {
        while (reader.next(parameters)) {
          if (write === undefined) rows += yield* plan.execute(context, NO_ROWS);
          else {
            let outcome = write.run(context);
            while (typeof outcome !== 'number') {
              yield outcome;
              outcome = write.run(context);
            }
            rows += outcome;
          }
          if (rows % ROWS_A_LOOK === 0 && session.slice.due()) yield;
        }
      } catch (error) {
        throw located(error, reader);
      }
    }
    yield* writers.finish();
  } finally {
    writers.newEntries.drop();
  }
  return rows;
}

/**
 * Versions of rows carry no transaction ids that a freeze could spare a vacuum: there is nothing to do for it. It is refused where
 * rows that all snapshots see would show to somebody too early.
 */
function checkFreeze(session: SqlSession, { oid, space }: TableDescriptor): void {
  if (session.cursors.names().size > 0)
    throw new PhantomError('25000', 'cannot perform COPY FREEZE because of prior transaction activity');
  const before = session.engine.catalog.committed.object(oid);
  if (before?.kind !== 'table' || before.space !== space) return;
  const made = 'the table was not created or truncated in the current subtransaction';
  throw new PhantomError('55000', `cannot perform COPY FREEZE because ${made}`);
}

const NO_ROWS: RowSink = { rows: () => false, batchRowsMax: BATCH_ROWS_MAX };

/** Says in which line the row stood that could not be written. */
function located(error: unknown, reader: RowReader): unknown {
  // The data has been read: the statement cannot be run anew.
  if (error instanceof StatementRestart || error instanceof StatementWait)
    return new PhantomError('40001', 'could not serialize access due to concurrent update');
  return error instanceof PhantomError && error.where === undefined ? error.with({ where: reader.place() }) : error;
}

function rowReader(
  table: TableDescriptor,
  columns: readonly CopyColumn[],
  settings: CopySettings,
  session: SqlSession,
): RowReader {
  if (settings.format === 'binary') return new BinaryRows(table.name, columns, session.evaluation);
  const forced = {
    notNull: forcedColumns(settings.forceNotNull, columns, 'FORCE_NOT_NULL'),
    null: forcedColumns(settings.forceNull, columns, 'FORCE_NULL'),
  };
  return new TextRows(table.name, columns, settings, forced, session.evaluation);
}

/** INSERT of one row whose values are the parameters; with WHERE, of the row that meets it. */
function insertPlan(
  node: Copy,
  session: SqlSession,
  table: TableDescriptor,
  targets: readonly ColumnDescriptor[],
  columns: readonly CopyColumn[],
  copyText: string,
): PreparedPlan {
  const target = relationName(table, session);
  const types = columns.map(({ type }) => type.oid);
  // COPY is no statement that rules rewrite.
  const prepared = (text: string): PreparedPlan =>
    table.ruleOids === undefined
      ? (session.prepareText(text, types) as PlanStatement).plan
      : unruled(session.parse(text)[0]?.node as Insert, text);
  const unruled = (insert: Insert, text: string): PreparedPlan =>
    planStatement(insert, session.picture, { declaredTypes: types, text, ignoresRules: true });
  if (targets.length === 0) return prepared(`insert into ${target} default values`);
  const names = targets.map(({ name }) => quoted(name)).join(', ');
  const values = `(values (${targets.map((_, i) => `$${i + 1}`).join(', ')}))`;
  const head = `insert into ${target} (${names}) overriding system value`;
  if (node.where === undefined) return prepared(`${head} ${values.slice(1, -1)}`);
  const text = `${head} select ${names} from ${values} as ${quoted(table.name)} (${names})`;
  const insert = session.parse(text)[0]?.node as Insert;
  const source = insert.source as NonNullable<Insert['source']>;
  const body: Select = { ...(source.body as Select), where: node.where };
  const conditional = { ...insert, source: { ...source, body } };
  // Positions in the condition are those of the COPY statement.
  if (table.ruleOids !== undefined) return unruled(conditional, copyText);
  return analysed(conditional, session, copyText, types).plan;
}

function copyColumn({ name, type }: ColumnDescriptor, session: SqlSession): CopyColumn {
  let found = session.picture.types.byOid(type.oid);
  let { typmod } = type;
  // Values of a domain are read as those of the type under it; the insertion checks them.
  while (found !== undefined && found.kind === 'domain' && found.baseOid !== 0) {
    found = session.picture.types.byOid(found.baseOid);
    typmod = -1;
  }
  if (found === undefined) throw new PhantomError('42704', `type with OID ${type.oid} does not exist`);
  return { name, type: found, typmod };
}

// --------------------------------------------------------------------------------------------------------- out of

function* copyTo(node: Copy, session: SqlSession, client: CopyChannel, text: string): Execution {
  const settings = copySettings(node, encodingOf(client, session));
  const channel = encodedChannel(client, settings.encoding);
  const statement = node.query === undefined ? tableQuery(node, session) : analysed(node.query, session, text);
  if (node.query !== undefined) refuseRewritten(node.query, session, text);
  const { fields } = session.currentPlan(statement);
  if (fields.length === 0 && node.query !== undefined && node.query.kind !== 'query')
    throw new PhantomError('0A000', 'COPY query must have a RETURNING clause');
  const types = fields.map(({ type }) => session.picture.types.byOid(type.oid) as SqlType);
  const writer = copyWriter({
    channel,
    settings,
    types,
    names: fields.map(({ name }) => name),
    forceQuote: forcedColumns(settings.forceQuote, fields, 'FORCE_QUOTE'),
    context: session.evaluation,
  });
  session.checkPrivileges(session.currentPlan(statement).privileges);
  channel.startOut(settings.format === 'binary', fields.length);
  writer.begin();
  const sink = new WriterSink(writer);
  const inner = runWithinStatement(session, statement, sink);
  try {
    for (let step = inner.next(); step.done !== true;) {
      if (step.value === PAUSE) {
        const wait = channel.relieve();
        if (wait !== undefined) yield wait;
        step = inner.next();
      } else step = yield* passedOn(inner, step.value);
    }
  } finally {
    inner.return(0);
  }
  writer.end();
  channel.endOut();
  return sink.count;
}

/** 0A000 for a change that rules make of something else than one statement. */
function refuseRewritten(node: NonNullable<Copy['query']>, session: SqlSession, text: string): void {
  if (node.kind !== 'insert' && node.kind !== 'update' && node.kind !== 'delete') return;
  const rewritten = rewriteChange(binderFor(session.picture, { text }), node, undefined);
  if (rewritten !== undefined) rewrittenAlone(rewritten, COPIED);
}

/** Yields what an inner execution waits for, and resumes it with the outcome. */
function* passedOn(
  inner: Execution,
  wait: undefined | Promise<unknown>,
): Generator<undefined | Promise<unknown>, ReturnType<Execution['next']>, void> {
  try {
    yield wait;
  } catch (error) {
    return inner.throw(error);
  }
  return inner.next();
}

/** Writes all rows and asks for a rest after each batch, so that the client can be looked at. */
class WriterSink implements RowSink {
  count = 0;
  readonly batchRowsMax = BATCH_ROWS_MAX;
  private readonly writer: RowWriter;

  constructor(writer: RowWriter) {
    this.writer = writer;
  }

  rows(batch: RowBatch): boolean {
    this.writer.rows(batch);
    this.count += batch.count;
    return true;
  }
}

/** A query or change that was parsed as part of another statement's text. */
function analysed(
  node: NonNullable<Copy['query']>,
  session: SqlSession,
  text: string,
  types: readonly Oid[] = [],
): PlanStatement {
  return session.prepare({ node, start: 0, end: text.length }, text, types) as PlanStatement;
}

function tableQuery(node: Copy, session: SqlSession): PlanStatement {
  const table = tableOf(node, session);
  if (table.partitioned !== undefined)
    throw new PhantomError('42809', `cannot copy from partitioned table "${table.name}"`, {
      hint: 'Try the COPY (SELECT ...) TO variant.',
    });
  const names = columnsOf(node, table).map(({ name }) => quoted(name));
  return session.prepareText(`select ${names.join(', ')} from only ${relationName(table, session)}`) as PlanStatement;
}

// ----------------------------------------------------------------------------------------------------------- names

function tableOf(node: Copy, session: SqlSession): TableDescriptor {
  const name = node.table as NonNullable<Copy['table']>;
  const { schema, name: last, position } = splitName(name, session.databaseName);
  const relation = session.picture.relation(schema === undefined ? { name: last } : { schema, name: last });
  const shown = name.map((part) => part.text).join('.');
  if (relation === undefined) throw new PhantomError('42P01', `relation "${shown}" does not exist`, { position });
  if (relation.kind === 'table') return relation;
  throw notCopied(node, relation);
}

function notCopied(node: Copy, relation: NamedRelation): PhantomError {
  const what = relation.kind === 'virtual' ? 'view' : relation.kind === 'sequence' ? 'sequence' : relation.kind;
  if (node.direction === 'from') return new PhantomError('42809', `cannot copy to ${what} "${relation.name}"`);
  const hint = what === 'view' ? 'Try the COPY (SELECT ...) TO variant.' : undefined;
  return new PhantomError('42809', `cannot copy from ${what} "${relation.name}"`, { hint });
}

/** The columns in the order of their values: those that are named, or all that are stored as they are given. */
function columnsOf(node: Copy, table: TableDescriptor): ColumnDescriptor[] {
  const stored = table.columns.filter((column) => !column.dropped);
  if (node.columns.length === 0) return stored.filter((column) => column.generated === undefined);
  const found: ColumnDescriptor[] = [];
  for (const name of node.columns) {
    const column = stored.find((candidate) => candidate.name === name.text);
    if (column === undefined)
      throw new PhantomError('42703', `column "${name.text}" of relation "${table.name}" does not exist`);
    if (column.generated !== undefined) {
      throw new PhantomError('42P10', `column "${name.text}" is a generated column`, {
        detail: 'Generated columns cannot be used in COPY.',
      });
    }
    if (found.includes(column)) throw new PhantomError('42701', `column "${name.text}" specified more than once`);
    found.push(column);
  }
  return found;
}

function forcedColumns(
  names: readonly Name[] | '*',
  columns: readonly { readonly name: string }[],
  option: string,
): boolean[] {
  if (names === '*') return columns.map(() => true);
  for (const { text } of names) {
    if (columns.some((column) => column.name === text)) continue;
    throw new PhantomError('42P10', `${option} column "${text}" not referenced by COPY`);
  }
  return columns.map(({ name }) => names.some(({ text }) => text === name));
}

function relationName(table: TableDescriptor, session: SqlSession): string {
  return `${quoted(session.picture.schemaName(table.schemaOid))}.${quoted(table.name)}`;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
