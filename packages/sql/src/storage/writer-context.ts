/** What writers of tables work with: one per statement and session. */
import type {
  CatalogTransaction,
  ColumnDescriptor,
  ConstraintDescriptor,
  Oid,
  TableDescriptor,
  TableProvider,
} from '@phantom/catalog';
import type { NewEntries } from '@phantom/kv';
import type { MvccTransaction } from '@phantom/mvcc';
import type { Yielded } from '../exec/runtime.js';
import type { EvaluationContext } from '../functions/registry.js';
import type { CatalogPort } from '../plan/catalog-port.js';
import type { RowNumbers } from './row-numbers.js';
import type { Value } from '../types/type.js';
import type { TableWriter } from './table-writer.js';
import type { StatementTriggers } from './triggers/statement-triggers.js';

/** A check that waits for the commit. */
export interface DeferredCheck {
  /**
   * Whose check it is: SET CONSTRAINTS ... IMMEDIATE runs it at once, and the table whose rows owe it must stay as it is
   * until then. Undefined for one of the document model.
   */
  readonly constraint:
    | { readonly oid: Oid; readonly kind: ConstraintDescriptor['kind']; readonly tableOid: Oid }
    | undefined;
  /** With the executor's protocol; raises what the constraint raises. */
  run(): Generator<Yielded, void, void>;
}

export interface WriterContext {
  readonly transaction: MvccTransaction;
  /** Takes the entries of new rows, but for those of unique keys. */
  readonly newEntries: NewEntries;
  readonly objects: CatalogTransaction;
  /** The role that executes. */
  readonly roleOid: Oid;
  readonly picture: CatalogPort;
  readonly evaluation: EvaluationContext;
  readonly rowNumbers: RowNumbers;
  /** The model that keeps collections; undefined where there is none. */
  readonly provider: TableProvider | undefined;
  /** What the statement's writes fire and owe. */
  readonly triggers: StatementTriggers;
  /** The writer of a table in the same statement: for actions of foreign keys. */
  writer(table: TableDescriptor): TableWriter;
  /** A writer of its own that fires no triggers: for rows that were there before. */
  plainWriter(table: TableDescriptor): TableWriter;
  /** Shares the table with other writers until the transaction ends; whoever alters it waits for them, and they for him. */
  lockTable(oid: Oid): Promise<void> | undefined;
  /** Value of a column's default: for ON DELETE SET DEFAULT. */
  defaultValue(table: TableDescriptor, column: ColumnDescriptor): Value;
  /** True when the constraint is checked before the commit and not at the end of the statement. */
  isDeferred(constraint: ConstraintDescriptor): boolean;
  /** Runs a check before the commit, or when SET CONSTRAINTS asks for it. */
  defer(check: DeferredCheck): void;
}
