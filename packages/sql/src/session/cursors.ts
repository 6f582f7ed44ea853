/**
 * Cursors: DECLARE, FETCH, MOVE, CLOSE and WHERE CURRENT OF. A cursor is insensitive: its rows are read when it is declared, so
 * nothing that the transaction writes later shows in it, and it can be read in every direction. That costs the memory of its
 * result, which `memoryLimitBytes` bounds (53200); large results are better read through the protocol's portals, which stream.
 *
 * A position is a row's number from 1; 0 stands before the first row, the count plus one behind the last.
 */
import { PhantomError, unsupportedError } from '@phantom/base';
import type { Oid } from '@phantom/catalog';
import { type Execution, PAUSE, type RowBatch, type RowSink, MemoryBudget } from '../exec/runtime.js';
import type { PlanField } from '../plan/prepared-plan.js';
import { ROW_REFERENCE_NAME } from '../plan/binder/bind-relation.js';
import type { RowReference } from '../storage/table-writer.js';
import type { Query, Select } from '../text/ast.js';
import type { CloseCursor, DeclareCursor, Fetch } from '../text/ast-session.js';
import type { ParsedStatement } from '../text/ast-statements.js';
import type { Value } from '../types/type.js';
import type { SqlSession } from './session.js';
import type { SessionStatement, Utility } from './statement.js';

/** Cursors of one session at once. */
const CURSORS_MAX = 1000;
/** What a value is reckoned to take, besides its text. */
const VALUE_BYTES = 16;

interface CursorRows {
  readonly name: string;
  readonly fields: readonly PlanField[];
  readonly rows: readonly (readonly Value[])[];
  /** The table whose rows it shows one by one, and the row behind each of its own; undefined for other queries. */
  readonly source: { readonly tableOid: Oid; readonly references: readonly RowReference[] } | undefined;
  readonly scroll: boolean | undefined;
  readonly hold: boolean;
  position: number;
  /** Declared in the transaction that is open: a rollback takes it away. */
  isNew: boolean;
}

/** A session's open cursors. */
export class Cursors {
  private readonly open = new Map<string, CursorRows>();

  get(name: string): CursorRows {
    const cursor = this.open.get(name);
    if (cursor === undefined) throw new PhantomError('34000', `cursor "${name}" does not exist`);
    return cursor;
  }

  has(name: string): boolean {
    return this.open.has(name);
  }

  add(cursor: CursorRows): void {
    if (this.open.has(cursor.name)) throw new PhantomError('42P03', `cursor "${cursor.name}" already exists`);
    if (this.open.size >= CURSORS_MAX)
      throw new PhantomError('53400', `a session keeps at most ${CURSORS_MAX} cursors`);
    this.open.set(cursor.name, cursor);
  }

  close(name: string): void {
    this.get(name);
    this.open.delete(name);
  }

  closeAll(): void {
    this.open.clear();
  }

  /** The transaction has ended: cursors WITH HOLD stay, those that a rolled back one has declared do not. */
  transactionEnded(committed: boolean): void {
    for (const [name, cursor] of this.open) {
      if (!cursor.hold || (cursor.isNew && !committed)) this.open.delete(name);
      cursor.isNew = false;
    }
  }

  /** Key of the table's row on which a cursor stands: WHERE CURRENT OF. */
  currentKey(name: string, tableOid: Oid, tableName: string): Uint8Array {
    const cursor = this.get(name);
    if (cursor.source?.tableOid !== tableOid)
      throw new PhantomError('24000', `cursor "${name}" is not a simply updatable scan of table "${tableName}"`);
    const reference = cursor.source.references[cursor.position - 1];
    if (reference === undefined) throw new PhantomError('24000', `cursor "${name}" is not positioned on a row`);
    return reference.key;
  }
}

export function declareUtility(node: DeclareCursor, text: string): Utility {
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
  return {
    fields: [],
    parameterTypes: [],
    transaction: 'required',
    *run(session) {
      const transaction = session.ensureTransaction();
      const alone = transaction.statements === 0 && session.parse(text).length === 1;
      if (!node.hold && !transaction.explicit && alone)
        throw new PhantomError('25P01', 'DECLARE CURSOR can only be used in transaction blocks');
      const name = node.name.text;
      if (session.cursors.has(name)) throw new PhantomError('42P03', `cursor "${name}" already exists`);
      session.cursors.add(yield* readAll(session, node, text));
      return 0;
    },
  };
}

/** Runs the query and keeps its rows. */
function* readAll(
  session: SqlSession,
  node: DeclareCursor,
  text: string,
): Generator<undefined | Promise<unknown> | typeof PAUSE, CursorRows, void> {
  const referenced = prepareReferenced(session, node.query, text);
  const simple = referenced === undefined ? undefined : true;
  const statement = referenced ?? session.prepare(parsedOf(node.query, text), text);
  if (statement.kind !== 'plan') throw unsupportedError('a cursor over SELECT INTO');
  const { fields } = statement.plan;
  const tableOid = simple === undefined ? undefined : fields.at(-1)?.tableOid;
  const rows: Value[][] = [];
  const references: RowReference[] = [];
  const memory = new MemoryBudget(session.engine.memoryLimitBytes);
  const sink: RowSink = {
    batchRowsMax: 1024,
    rows(batch: RowBatch): boolean {
      for (let r = 0; r < batch.count; r++) {
        const row = batch.columns.map((column) => column[r]);
        if (simple !== undefined) references.push(row.pop() as RowReference);
        memory.take(row.reduce<number>((bytes, value) => bytes + bytesOf(value), VALUE_BYTES));
        rows.push(row);
      }
      return false;
    },
  };
  yield* session.run(statement, [], sink, () => undefined);
  return {
    name: node.name.text,
    fields: simple === undefined ? fields : fields.slice(0, -1),
    rows,
    source: tableOid === undefined ? undefined : { tableOid, references },
    scroll: node.scroll,
    hold: node.hold,
    position: 0,
    isNew: true,
  };
}

function parsedOf(node: Query, text: string): ParsedStatement {
  return { node, start: node.position, end: text.length };
}

/** The query with the reference of each row behind its columns; undefined where its rows are not those of one table. */
function prepareReferenced(session: SqlSession, query: Query, text: string): SessionStatement | undefined {
  const select = simpleScan(query);
  if (select === undefined) return undefined;
  try {
    return session.prepare(parsedOf(withReference(query, select), text), text);
  } catch (error) {
    // A view, an aggregate, or an error of the query's own, which comes again without the reference.
    if (error instanceof PhantomError) return undefined;
    throw error;
  }
}

function bytesOf(value: Value): number {
  if (typeof value === 'string') return VALUE_BYTES + 2 * value.length;
  return value instanceof Uint8Array ? VALUE_BYTES + value.length : VALUE_BYTES;
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
  const fields = node.move || !session.cursors.has(name) ? [] : session.cursors.get(name).fields;
  return {
    fields,
    parameterTypes: [],
    transaction: 'any',
    *run(running, _parameters, sink): Execution {
      const cursor = running.cursors.get(name);
      const rows = step(cursor, node);
      if (node.move) return rows.length;
      let sent = 0;
      while (sent < rows.length) {
        const slice = rows.slice(sent, sent + Math.max(1, sink.batchRowsMax));
        sent += slice.length;
        const columns = cursor.fields.map((_, c) => slice.map((row) => row[c]));
        if (sink.rows({ columns, count: slice.length })) yield PAUSE;
      }
      return rows.length;
    },
  };
}

/** Moves a cursor and answers the rows passed over, in that order. */
function step(cursor: CursorRows, node: Fetch): readonly (readonly Value[])[] {
  const end = cursor.rows.length + 1;
  const { position } = cursor;
  switch (node.direction) {
    case 'forward':
    case 'backward': {
      const sign = node.direction === 'forward' ? 1 : -1;
      if (node.count === 'all') return run(cursor, sign > 0 ? end : 0);
      const count = sign * node.count;
      if (count === 0) return current(cursor);
      return run(cursor, clamp(position + count, end), Math.abs(count));
    }
    case 'absolute': {
      const wanted = node.count as number;
      return moveTo(cursor, clamp(wanted < 0 ? end + wanted : wanted, end));
    }
    default:
      return node.count === 0 ? current(cursor) : moveTo(cursor, clamp(position + (node.count as number), end));
  }
}

function clamp(position: number, end: number): number {
  return Math.max(0, Math.min(end, position));
}

function current(cursor: CursorRows): readonly (readonly Value[])[] {
  const row = cursor.rows[cursor.position - 1];
  return row === undefined ? [] : [row];
}

/** Goes to a place and answers the one row there. */
function moveTo(cursor: CursorRows, to: number): readonly (readonly Value[])[] {
  if (to < cursor.position) checkBackward(cursor);
  cursor.position = to;
  return current(cursor);
}

/** Goes to a place and answers the rows passed over: `count` of them, or all to the end. */
function run(cursor: CursorRows, to: number, count?: number): readonly (readonly Value[])[] {
  const { position, rows } = cursor;
  if (to < position || (to === 0 && position === 0)) {
    checkBackward(cursor);
    cursor.position = to;
    return rows.slice(Math.max(0, to === 0 ? 0 : to - 1), position - 1).toReversed();
  }
  const passed = rows.slice(position, Math.min(rows.length, to));
  // Asked for more than there are, it stands behind the last row.
  cursor.position = count === undefined || passed.length < count ? rows.length + 1 : to;
  return passed;
}

function checkBackward(cursor: CursorRows): void {
  if (cursor.scroll !== false) return;
  throw new PhantomError('55000', 'cursor can only scan forward', {
    hint: 'Declare it with SCROLL option to enable backward scan.',
  });
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
