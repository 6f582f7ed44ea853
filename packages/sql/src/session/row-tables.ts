/**
 * Tables as the document model sees them, for references between documents and rows, and for policies. It may ask in any transaction,
 * also in one that no session has: then it is answered as a session of the database's user would be, within that transaction. References
 * are settled at the transaction's end, so each change of rows is a statement of its own.
 */
import { PhantomError, unsupportedError } from '@phantom/base';
import type {
  CatalogTransaction,
  ColumnDescriptor,
  DocumentPolicies,
  GoneDocumentKey,
  Oid,
  ProviderTransaction,
  RowKey,
  RowTables,
  TableDescriptor,
} from '@phantom/catalog';
import type { MvccTransaction, TableLockMode } from '@phantom/mvcc';
import { type RowSink, StatementRestart, type Yielded } from '../exec/runtime.js';
import type { CatalogPort } from '../plan/catalog-port.js';
import { rowPolicies } from '../plan/row-policies.js';
import { ChildRows } from '../storage/child-rows.js';
import { stillReferenced } from '../storage/constraint-errors.js';
import { columnKey, requireDocumentKey } from '../storage/document-keys.js';
import { ParentKeys } from '../storage/parent-keys.js';
import { type ForeignKey, positionsOf } from '../storage/table-rules.js';
import type { Value } from '../types/type.js';
import { CatalogPicture } from './catalog-picture.js';
import type { SqlEngine } from './engine.js';
import { type SessionOptions, SqlSession } from './session.js';
import { type WriterHost, type WriterOwner, TransactionWriters } from './transaction-writers.js';

/** How often rows that others change meanwhile are looked for anew. */
const RESTARTS_MAX = 100;
/** For whoever wants to know only how many rows there are. */
const ROWS_COUNTED: RowSink = { batchRowsMax: 1024, rows: () => false };

export class SessionRowTables implements RowTables {
  private readonly engine: SqlEngine;
  private readonly options: SessionOptions;
  private readonly guests = new WeakMap<MvccTransaction, Guest>();
  private session: SqlSession | undefined;

  constructor(engine: SqlEngine, options: SessionOptions) {
    this.engine = engine;
    this.options = options;
  }

  rowKey(name: string, column: string | undefined, transaction: ProviderTransaction): RowKey {
    const dot = name.indexOf('.');
    const [schema, relation] = dot < 0 ? ['public', name] : [name.slice(0, dot), name.slice(dot + 1)];
    const table = this.guestIn(transaction).picture.relation({ schema, name: relation });
    if (table === undefined) throw new PhantomError('42P01', `relation "${name}" does not exist`);
    if (table.kind !== 'table' || table.collection !== undefined || table.materialized !== undefined)
      throw new PhantomError('42809', `referenced relation "${name}" is not a table`);
    if (table.partitioned !== undefined) throw unsupportedError('references of documents to a partitioned table');
    if (table.persistence !== 'permanent')
      throw new PhantomError('42P16', 'documents may refer to permanent tables only');
    const primary = table.constraints.find(({ kind }) => kind === 'primary key');
    const wanted =
      column === undefined
        ? primary?.columns[0]
        : table.columns.find((one) => !one.dropped && one.name === column)?.number;
    if (column !== undefined && wanted === undefined) {
      throw new PhantomError('42703', `column "${column}" of relation "${name}" does not exist`);
    }
    for (const oid of table.indexOids) {
      const index = transaction.objects.object(oid);
      if (index?.kind !== 'index' || !index.unique || index.deferrable === true) continue;
      if (index.predicateSql !== undefined || index.parts.length !== 1) continue;
      const found = columnOf(table, index.parts[0]?.column);
      if (found === undefined || found.number !== wanted) continue;
      requireDocumentKey(found);
      return { tableOid: table.oid, column: found.number, indexOid: index.oid };
    }
    throw new PhantomError(
      '42830',
      `there is no unique constraint matching given keys for referenced table "${name}"`,
      { hint: 'A reference of documents stands on one column that a primary key or a unique index is over.' },
    );
  }

  hasRow(key: RowKey, value: unknown, held: boolean, transaction: ProviderTransaction): Promise<void> | boolean {
    const table = transaction.objects.object(key.tableOid);
    const column = table?.kind === 'table' ? columnOf(table, key.column) : undefined;
    const wanted = column === undefined ? undefined : columnKey(column, value);
    if (table?.kind !== 'table' || wanted === undefined) return false;
    const { writers, parentKeys } = this.guestIn(transaction);
    const shared = held ? writers.lockTable(table.oid) : undefined;
    if (shared !== undefined) return shared;
    const stood = { referencedTableOid: table.oid, referencedColumns: [key.column], referencedIndexOid: key.indexOid };
    if (!parentKeys.encode(stood, [wanted])) return false;
    const wait = held ? parentKeys.hold() : undefined;
    return wait ?? parentKeys.isThere();
  }

  policies(table: TableDescriptor, transaction: ProviderTransaction): DocumentPolicies | undefined {
    const session = this.sessionOf(transaction.storage);
    const { picture } = session.transaction?.storage === transaction.storage ? session : this.guestIn(transaction);
    return rowPolicies(table, picture, session.evaluation, (plan, parameters) => {
      if (plan.privileges.length > 0) session.checkPrivileges(plan.privileges);
      const context = session.executionContext(parameters, transaction.storage, undefined);
      return session.routines.driveNow(plan.execute(context, ROWS_COUNTED));
    });
  }

  /** The session whose transaction it is; that of the database's user for one that has none. */
  private sessionOf(storage: MvccTransaction): SqlSession {
    for (const session of this.engine.allSessions()) if (session.transaction?.storage === storage) return session;
    return (this.session ??= new SqlSession(this.engine, 0, this.options));
  }

  documentKeyGone(gone: GoneDocumentKey, transaction: ProviderTransaction): Promise<void> | undefined {
    return this.guestIn(transaction).documentKeyGone(gone);
  }

  private guestIn(transaction: ProviderTransaction): Guest {
    let guest = this.guests.get(transaction.storage);
    if (guest === undefined) {
      guest = new Guest(this.sessionOf(transaction.storage), transaction);
      this.guests.set(transaction.storage, guest);
    }
    return guest;
  }
}

/** What works on rows in a transaction that is not a session's own. */
class Guest implements WriterHost, WriterOwner {
  readonly storage: MvccTransaction;
  readonly objects: CatalogTransaction;
  readonly writers: TransactionWriters;
  readonly parentKeys: ParentKeys;
  readonly deferred: WriterOwner['deferred'];
  readonly currentRoleOid: Oid;
  private readonly session: SqlSession;
  private readonly childRows: ChildRows;
  private pictureNow: CatalogPicture | undefined;
  /** What is being settled, in the statement that has begun for it. */
  private settling: { readonly gone: GoneDocumentKey; readonly ask: () => Promise<void> | undefined } | undefined;

  constructor(session: SqlSession, transaction: ProviderTransaction) {
    this.session = session;
    this.storage = transaction.storage;
    this.objects = transaction.objects;
    this.currentRoleOid = transaction.roleOid;
    this.deferred = {
      isDeferred: ({ deferrable, initiallyDeferred }) => deferrable && initiallyDeferred,
      add: ({ run }) => transaction.beforeCommit(driven(run)),
    };
    this.writers = new TransactionWriters(this, this);
    this.parentKeys = new ParentKeys(this.writers);
    this.childRows = new ChildRows(this.writers);
  }

  get engine(): SqlEngine {
    return this.session.engine;
  }

  get evaluation(): SqlSession['evaluation'] {
    return this.session.evaluation;
  }

  /** The catalog as the transaction has it. */
  get picture(): CatalogPort {
    const { session, objects } = this;
    if (!objects.changed) return session.picture;
    if (this.pictureNow === undefined || this.pictureNow.steps !== objects.steps)
      this.pictureNow = new CatalogPicture(session, objects, session.engine.catalog.version, objects.steps);
    return this.pictureNow;
  }

  defaultValue(table: TableDescriptor, column: ColumnDescriptor): Value {
    return this.session.defaultValue(table, column);
  }

  shareTable(oid: Oid, mode: TableLockMode): Promise<void> | undefined {
    const wait = this.objects.lockTable(oid, mode, 'wait');
    return wait instanceof Promise ? wait : undefined;
  }

  documentKeyGone(gone: GoneDocumentKey): Promise<void> | undefined {
    const { writers, storage } = this;
    const wait = writers.lockTable(gone.childOid);
    if (wait !== undefined) return wait;
    if (this.settling?.gone !== gone) {
      storage.beginStatement();
      writers.beginStatement();
      this.settling = { gone, ask: driven(() => this.settle(gone)) };
    }
    let outcome: Promise<void> | undefined;
    try {
      outcome = this.settling.ask();
    } finally {
      if (outcome === undefined) this.settling = undefined;
    }
    return outcome;
  }

  private *settle(gone: GoneDocumentKey): Generator<Yielded, void, void> {
    yield* this.changeChildren(gone);
    yield* this.writers.finish();
  }

  private *changeChildren(gone: GoneDocumentKey): Generator<Yielded, void, void> {
    const child = this.objects.object(gone.childOid);
    if (child?.kind !== 'table') return;
    const constraint = child.constraints.find(({ oid }) => oid === gone.constraintOid);
    const column = columnOf(child, constraint?.columns[0]);
    if (constraint?.kind !== 'foreign key' || column === undefined) return;
    const before = columnKey(column, gone.before);
    if (before === undefined) return;
    const action = gone.after === undefined ? constraint.onDelete : constraint.onUpdate;
    this.childRows.guard(child, constraint, [before]);
    if (action === 'no action' || action === 'restrict') {
      if (this.childRows.some(child, constraint, [before], () => true))
        throw this.stillReferenced(gone, child, constraint);
      return;
    }
    const after = gone.after === undefined ? undefined : [columnKey(column, gone.after) ?? null];
    for (let restarts = 0; ; restarts++) {
      try {
        return yield* this.childRows.change(child, constraint, action, [before], after);
      } catch (error) {
        if (!(error instanceof StatementRestart)) throw error;
        if (restarts === RESTARTS_MAX)
          throw new PhantomError('40001', 'could not serialize access due to concurrent update');
        this.storage.beginStatement();
      }
    }
  }

  private stillReferenced({ parent, before }: GoneDocumentKey, child: TableDescriptor, key: ForeignKey): PhantomError {
    const column = columnOf(parent, key.referencedColumns[0]);
    const value = column === undefined ? undefined : columnKey(column, before);
    const referred = { constraint: key, child, positions: positionsOf(parent, key.referencedColumns) };
    return stillReferenced(parent, referred, [value ?? null], this.writers);
  }
}

function columnOf({ columns }: TableDescriptor, number: number | undefined): ColumnDescriptor | undefined {
  return columns.find((column) => column.number === number);
}

/** A check of the executor's protocol, for a caller who waits for a promise and calls again. */
function driven(run: () => Generator<unknown, void, void>): () => Promise<void> | undefined {
  let running: Generator<unknown, void, void> | undefined;
  return () => {
    for (running ??= run(); ;) {
      const { value, done } = running.next();
      if (done === true) return undefined;
      if (value instanceof Promise) return value as Promise<void>;
    }
  };
}
