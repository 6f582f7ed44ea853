/**
 * Cursors: DECLARE, FETCH, MOVE, CLOSE and WHERE CURRENT OF. A cursor is insensitive: nothing that the transaction writes later
 * shows in it. At read committed, in a transaction that has written nothing, its rows are read as they are fetched, from what was
 * committed when it was declared. Otherwise, and WITH HOLD, all of them are read when it is declared.
 */
import { PhantomError, unsupportedError } from '@phantom/base';
import type { Oid, TypeRef } from '@phantom/catalog';
import { type Execution, PAUSE, type Yielded } from '../exec/runtime.js';
import { ROW_REFERENCE_NAME } from '../plan/binder/bind-relation.js';
import type { PlanField } from '../plan/prepared-plan.js';
import type { Query, Select } from '../text/ast.js';
import type { CloseCursor, DeclareCursor, Fetch } from '../text/ast-session.js';
import type { ParsedStatement } from '../text/ast-statements.js';
import type { Value } from '../types/type.js';
import { Cursor } from './cursor.js';
import { runDetached, runPlan } from './run-plan.js';
import type { SqlSession } from './session.js';
import type { PlanStatement, SessionStatement, Utility } from './statement.js';

/** Cursors of one session at once. */
const CURSORS_MAX = 1000;
/** Every text with a parameter in it has this, and some others do. */
const PARAMETER = /\$\d/;

/** A session's open cursors. */
export class Cursors {
  private readonly open = new Map<string, Cursor>();

  /** In the order in which they were declared. */
  all(): readonly Cursor[] {
    return [...this.open.values()];
  }

  names(): ReadonlySet<string> {
    return new Set(this.open.keys());
  }

  get(name: string): Cursor {
    const cursor = this.open.get(name);
    if (cursor === undefined) throw new PhantomError('34000', `cursor "${name}" does not exist`);
    return cursor;
  }

  /** Columns of an open cursor; undefined when there is none of that name. */
  fieldsOf(name: string): readonly PlanField[] | undefined {
    return this.open.get(name)?.facts.fields;
  }

  has(name: string): boolean {
    return this.open.has(name);
  }

  add(cursor: Cursor): void {
    const { name } = cursor.facts;
    if (this.open.has(name)) throw new PhantomError('42P03', `cursor "${name}" already exists`);
    if (this.open.size >= CURSORS_MAX)
      throw new PhantomError('53400', `a session keeps at most ${CURSORS_MAX} cursors`);
    this.open.set(name, cursor);
  }

  close(name: string): void {
    this.get(name).close();
    this.open.delete(name);
  }

  closeAll(): void {
    for (const name of this.open.keys()) this.close(name);
  }

  /** A savepoint was rolled back: cursors declared behind it go. `before` are those that were open when it was set. */
  rolledBackTo(before: ReadonlySet<string>): void {
    for (const name of this.open.keys()) if (!before.has(name)) this.close(name);
  }

  /** The transaction has ended: cursors WITH HOLD stay, those that a rolled back one has declared do not; pinned ones do. */
  transactionEnded(committed: boolean): void {
    for (const [name, cursor] of this.open) {
      if (!cursor.isPinned && (!cursor.facts.hold || (cursor.isNew && !committed))) this.close(name);
      cursor.isNew = false;
    }
  }

  /** A cursor of the present transaction shows rows of the relation. */
  isReading(relationOid: Oid): boolean {
    for (const { isNew, facts } of this.open.values()) if (isNew && facts.reads.includes(relationOid)) return true;
    return false;
  }

  /** Key of the table's row on which a cursor stands: WHERE CURRENT OF. */
  currentKey(name: string, tableOid: Oid, tableName: string): Uint8Array {
    const cursor = this.get(name);
    if (cursor.facts.tableOid !== tableOid)
      throw new PhantomError('24000', `cursor "${name}" is not a simply updatable scan of table "${tableName}"`);
    const { reference } = cursor;
    if (reference === undefined) throw new PhantomError('24000', `cursor "${name}" is not positioned on a row`);
    return reference.key;
  }
}

/** `declaredTypes` are those of parameters that the client has named, as of the query by itself. */
export function declareUtility(
  node: DeclareCursor,
  session: SqlSession,
  { text, declaredTypes }: { readonly text: string; readonly declaredTypes?: readonly Oid[] },
): Utility {
  const locks = node.query.locking.length > 0;
  if (node.hold && locks)
    throw new PhantomError('0A000', 'DECLARE CURSOR WITH HOLD ... FOR UPDATE is not supported', {
      detail: 'Holdable cursors must be READ ONLY.',
    });
  if (node.scroll === true && locks)
    throw new PhantomError('0A000', 'DECLARE SCROLL CURSOR ... FOR UPDATE is not supported', {
      detail: 'Scrollable cursors must be READ ONLY.',
    });
  if (node.insensitive === true && locks)
    throw new PhantomError('42P11', 'DECLARE INSENSITIVE CURSOR ... FOR UPDATE is not valid', {
      detail: 'Insensitive cursors must be READ ONLY.',
    });
  if (node.binary) throw unsupportedError('binary cursors');
  const parameterTypes = parametersOf(session, node.query, text, declaredTypes);
  return {
    fields: [],
    parameterTypes,
    transaction: 'required',
    *run(session, parameters) {
      if (node.hold) session.roles.refuseRestricted('create a cursor WITH HOLD');
      const transaction = session.ensureTransaction();
      const alone = transaction.statements === 0 && session.parse(text).length === 1;
      if (!node.hold && !transaction.explicit && alone)
        throw new PhantomError('25P01', 'DECLARE CURSOR can only be used in transaction blocks');
      const name = node.name.text;
      if (session.cursors.has(name)) throw new PhantomError('42P03', `cursor "${name}" already exists`);
      const query = {
        text,
        types: parameterTypes.map(({ oid }) => oid),
        parameters,
      };
      session.cursors.add(yield* openCursor(session, node, query));
      return 0;
    },
  };
}

/** Types of the query's parameters. Most cursors have none, and are analysed once, when they are opened. */
function parametersOf(
  session: SqlSession,
  query: Query,
  text: string,
  declaredTypes: readonly Oid[] | undefined,
): readonly TypeRef[] {
  if (!PARAMETER.test(text)) return [];
  const statement = session.prepare(parsedOf(query, text), text, declaredTypes);
  return statement.kind === 'plan' ? statement.plan.parameterTypes : [];
}

/** What a cursor reads. */
interface CursorQuery {
  readonly text: string;
  /** Of its parameters. */
  readonly types: readonly Oid[];
  readonly parameters: readonly Value[];
}

/** Prepares the query and begins to read it. */
function* openCursor(
  session: SqlSession,
  node: DeclareCursor,
  { text, types, parameters }: CursorQuery,
): Generator<Yielded, Cursor, void> {
  const referenced = prepareReferenced(session, node.query, text, types);
  const statement = referenced ?? session.prepare(parsedOf(node.query, text), text, types);
  if (statement.kind !== 'plan') throw new PhantomError('42601', 'SELECT ... INTO is not allowed here');
  const { fields } = statement.plan;
  const cursor = new Cursor(
    {
      name: node.name.text,
      text,
      fields: referenced === undefined ? fields : fields.slice(0, -1),
      tableOid: referenced === undefined ? undefined : fields.at(-1)?.tableOid,
      reads: statement.plan.dependencies.map(({ oid }) => oid),
      scroll: node.query.locking.length > 0 ? false : node.scroll,
      hold: node.hold,
      declaredMicros: session.evaluation.statementMicros,
    },
    session.engine.memoryLimitBytes,
  );
  const detached = !node.hold && readsDetached(session, statement);
  cursor.readFrom(
    detached ? runDetached(session, statement, parameters, cursor) : runPlan(session, statement, parameters, cursor),
  );
  // Until it rests, at once, with the state in hand that it reads; or to the end.
  if (detached) yield* cursor.run();
  else yield* cursor.readTo(Infinity);
  return cursor;
}

/** True where the newest committed state is what the statement sees, and needs no transaction to be read. */
function readsDetached(session: SqlSession, { plan }: PlanStatement): boolean {
  const { storage } = session.ensureTransaction();
  return storage.isolation === 'read committed' && !storage.hasWrites && !plan.traits.writes && !plan.traits.locks;
}

function parsedOf(node: Query, text: string): ParsedStatement {
  return { node, start: node.position, end: text.length };
}

function prepareReferenced(
  session: SqlSession,
  query: Query,
  text: string,
  types: readonly Oid[],
): SessionStatement | undefined {
  return withRowReference(query, (referenced) => session.prepare(parsedOf(referenced, text), text, types));
}

/** Prepares the query with the reference of each row as its last column; undefined where its rows are not those of one table. */
export function withRowReference<T>(query: Query, prepare: (referenced: Query) => T): T | undefined {
  const select = simpleScan(query);
  if (select === undefined) return undefined;
  try {
    return prepare(withReference(query, select));
  } catch (error) {
    // A view, an aggregate, or an error of the query's own, which comes again without the reference.
    if (error instanceof PhantomError) return undefined;
    throw error;
  }
}

/** A SELECT of one table without grouping or the like: each of its rows is one of the table's. */
function simpleScan(query: Query): Select | undefined {
  const { body } = query;
  if (body.kind !== 'select' || body.from.length !== 1 || body.from[0]?.kind !== 'table') return undefined;
  if (query.with !== undefined || body.distinct !== undefined || body.groupBy !== undefined) return undefined;
  if (body.having !== undefined || body.windows.length > 0 || body.into !== undefined) return undefined;
  return body;
}

/** The query with the reference of each row as its last column, where the table has one. */
function withReference(query: Query, select: Select): Query {
  const { position } = query;
  const name = { text: ROW_REFERENCE_NAME, position, quoted: true };
  const item = {
    value: { kind: 'column' as const, names: [name], position },
    alias: undefined,
    columnAliases: [],
    position,
  };
  return { ...query, body: { ...select, items: [...select.items, item] } };
}

export function fetchUtility(node: Fetch, session: SqlSession): Utility {
  const name = node.cursor.text;
  const fields = node.move || !session.cursors.has(name) ? [] : session.cursors.get(name).facts.fields;
  return {
    fields,
    parameterTypes: [],
    transaction: 'any',
    *run(running, _parameters, sink): Execution {
      const cursor = running.cursors.get(name);
      const rows = yield* cursor.move(node);
      if (node.move) return rows.length;
      let sent = 0;
      while (sent < rows.length) {
        const slice = rows.slice(sent, sent + Math.max(1, sink.batchRowsMax));
        sent += slice.length;
        const columns = cursor.facts.fields.map((_, c) => slice.map((row) => row[c]));
        if (sink.rows({ columns, count: slice.length })) yield PAUSE;
      }
      return rows.length;
    },
  };
}

export function closeUtility(node: CloseCursor): Utility {
  return {
    fields: [],
    parameterTypes: [],
    transaction: 'any',
    *run(session) {
      if (node.name === undefined) session.cursors.closeAll();
      else session.cursors.close(node.name.text);
      return 0;
    },
  };
}
