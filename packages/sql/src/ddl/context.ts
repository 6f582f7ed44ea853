/**
 * What a definition (CREATE, ALTER, DROP, TRUNCATE, COMMENT, GRANT) works with. DDL is an ordinary transaction: objects go
 * through the catalog's overlay, rows and indexes through the transaction, and a rollback undoes both.
 *
 * A handler is a generator with the protocol of exec/runtime.ts: it yields a promise where it must wait (for a lock) and
 * undefined after a slice of long work (index builds). It returns the command tag when it differs from the usual one.
 */
import type { ErrorFields } from '@phantom/base';
import type {
  Catalog,
  CatalogTransaction,
  Oid,
  RoutineDescriptor,
  StoredQuery,
  TableDescriptor,
  TableProvider,
  ViewDescriptor,
} from '@phantom/catalog';
import type { MvccTransaction } from '@phantom/mvcc';
import type { Execution, ExecutionContext, RowSink, Yielded } from '../exec/runtime.js';
import type { EvaluationContext } from '../functions/registry.js';
import type { CatalogPort } from '../plan/catalog-port.js';
import type { PlanField } from '../plan/prepared-plan.js';
import type { QueryToStore } from '../plan/stored-query.js';
import type { RuledRelation, describeRule } from '../rewrite/stored-rule.js';
import type { Query } from '../text/ast.js';
import type { ExecutePrepared } from '../text/ast-schema.js';
import type { Statement } from '../text/ast-statements.js';
import type { StatisticsCatalog } from '../plan/statistics/statistics-catalog.js';
import type { StoragePort } from '../session/ports.js';
import type { StatementTriggers } from '../storage/triggers/statement-triggers.js';
import type { WriterContext } from '../storage/writer-context.js';

export type NoticeSeverity = 'NOTICE' | 'WARNING' | 'INFO' | 'DEBUG' | 'LOG';

/** Rows that come from a query, and what columns they have. */
export interface RowSource {
  readonly fields: readonly PlanField[];
  run(sink: RowSink): Execution;
}

export interface DdlContext {
  readonly transaction: MvccTransaction;
  readonly objects: CatalogTransaction;
  readonly catalog: Catalog;
  readonly storage: StoragePort;
  /** The model that keeps collections; undefined where there is none. */
  readonly provider: TableProvider | undefined;
  readonly statistics: StatisticsCatalog;
  readonly databaseOid: Oid;
  /** Current role: owner of what is created. */
  readonly roleOid: Oid;
  /** Role of the session, whatever SET ROLE says. */
  readonly sessionRoleOid: Oid;
  readonly evaluation: EvaluationContext;
  /** The catalog as the session sees it NOW: asks again after each change of this statement. */
  readonly picture: CatalogPort;
  /** The session's schema of temporary objects, made when it is first asked for. */
  temporarySchema(): Oid;
  /** Notes a temporary table that must be emptied or dropped when a transaction ends. */
  onCommit(table: TableDescriptor): void;
  /** Context for scans of this statement. */
  /** Memory that a build of an index may fill before it goes to files (maintenance_work_mem). */
  readonly maintenanceBytes: number;
  execution(): ExecutionContext;
  /** Context for checks of foreign keys and writers. */
  writerContext(): WriterContext;
  /** Fires what a change of whole tables fires. */
  readonly triggers: StatementTriggers;
  /** Plans and runs a query inside this statement (CREATE TABLE AS, validation of constraints). */
  query(query: Query, sink: RowSink): Execution;
  /** The same in a security-restricted operation. */
  queryRestricted(query: Query, sink: RowSink): Execution;
  /** A prepared query with its arguments (CREATE TABLE AS ... EXECUTE); 26000 for an unknown name, 42809 for what is no query. */
  prepared(node: ExecutePrepared): RowSource;
  /** Output columns of a query and the oids of the relations it reads, without running it. */
  describe(query: Query): { readonly fields: readonly PlanField[]; readonly relations: readonly Oid[] };
  /** What a query that is to be stored gives and stands on. */
  describeStored(query: Query): QueryToStore;
  /** The same of a statement of a routine's body. */
  describeRoutine(routine: RoutineDescriptor, statement: Statement, text: string): QueryToStore;
  /** The same of a statement of a triggered action, in which the rows and transition tables have names. */
  describeAction(
    relation: TableDescriptor | ViewDescriptor,
    tables: { readonly oldTable?: string; readonly newTable?: string },
    rows: readonly string[],
    text: string,
  ): QueryToStore;
  /** The same of the condition or of an action of a rule, over its rows. */
  describeRule(part: Parameters<typeof describeRule>[0], ruled: RuledRelation): QueryToStore;
  /** Raises what is wrong with the body of a routine. */
  validateRoutine(routine: RoutineDescriptor): void;
  /** The same of a query that stands for the condition of a policy. */
  describePolicy(query: Query): QueryToStore;
  /** Runs a stored query as its relation's owner, in a security-restricted operation. */
  runStored(stored: StoredQuery, ownerOid: Oid, sink: RowSink): Execution;
  /** Runs another definition inside this one, in a schema (elements of CREATE SCHEMA). */
  define(statement: Statement, schema: string): DdlExecution;
  /**
   * A table lies in spaces that this transaction has filled, or has a new index: once it has committed, older snapshots are
   * refused the table.
   */
  tableRewritten(oid: Oid): void;
  /** True while a statement around this one is at work on the table, or an open cursor shows its rows. */
  isInUse(tableOid: Oid): boolean;
  /** True while deferred checks are owed for rows that this transaction has written into the table. */
  hasPendingChecks(tableOid: Oid): Generator<Yielded, boolean, void>;
  /** True inside BEGIN ... COMMIT, or behind another statement of the same transaction. */
  readonly inTransactionBlock: boolean;
  /** True when the caller cannot wait: whatever would have to is refused. */
  readonly synchronous: boolean;
  /** True when a session is connected to the database. */
  databaseInUse(oid: Oid): boolean;
  notice(severity: NoticeSeverity, code: string, message: string, fields?: ErrorFields): void;
  /** Runs when the transaction has committed (with true) or ended otherwise. */
  onEnd(listener: (committed: boolean) => void): void;
}

export type DdlExecution = Generator<Yielded, string | undefined, void>;
