/**
 * What a definition (CREATE, ALTER, DROP, TRUNCATE, COMMENT, GRANT) works with. DDL is an ordinary transaction: objects go
 * through the catalog's overlay, rows and indexes through the transaction, and a rollback undoes both.
 *
 * A handler is a generator with the protocol of exec/runtime.ts: it yields a promise where it must wait (for a lock) and
 * undefined after a slice of long work (index builds). It returns the command tag when it differs from the usual one.
 */
import type { ErrorFields } from '@phantom/base';
import type { Catalog, CatalogTransaction, Oid } from '@phantom/catalog';
import type { MvccTransaction } from '@phantom/mvcc';
import type { Execution, ExecutionContext, RowSink, Yielded } from '../exec/runtime.js';
import type { EvaluationContext } from '../functions/registry.js';
import type { CatalogPort } from '../plan/catalog-port.js';
import type { Query } from '../text/ast.js';
import type { StoragePort } from '../session/ports.js';

export type NoticeSeverity = 'NOTICE' | 'WARNING' | 'INFO' | 'DEBUG' | 'LOG';

export interface DdlContext {
  readonly transaction: MvccTransaction;
  readonly objects: CatalogTransaction;
  readonly catalog: Catalog;
  readonly storage: StoragePort;
  readonly databaseOid: Oid;
  /** Current role: owner of what is created. */
  readonly roleOid: Oid;
  readonly evaluation: EvaluationContext;
  /** The catalog as the session sees it NOW: asks again after each change of this statement. */
  readonly picture: CatalogPort;
  /** Oid of the session's temporary schema, made on first use. */
  temporarySchema(): Oid;
  /** Context for scans and writers of this statement. */
  execution(): ExecutionContext;
  /** Plans and runs a query inside this statement (CREATE TABLE AS, validation of constraints). */
  query(query: Query, sink: RowSink): Execution;
  notice(severity: NoticeSeverity, code: string, message: string, fields?: ErrorFields): void;
  /** Runs when the transaction has committed (with true) or ended otherwise. */
  onEnd(listener: (committed: boolean) => void): void;
}

export type DdlExecution = Generator<Yielded, string | undefined, void>;
export type DdlHandler<Node> = (context: DdlContext, statement: Node) => DdlExecution;
