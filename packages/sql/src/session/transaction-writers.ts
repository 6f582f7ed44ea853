/**
 * The table writers of one transaction. They are made once per table and serve statement after statement, and those of a session
 * one transaction after the other: a writer holds compiled rules that are worth keeping. A statement's writers are those it has
 * asked for; what they owe is settled when it ends.
 */
import { unsupportedError } from '@phantom/base';
import type {
  CatalogTransaction,
  ColumnDescriptor,
  ConstraintDescriptor,
  Oid,
  TableDescriptor,
  TableProvider,
} from '@phantom/catalog';
import { NewEntries } from '@phantom/kv';
import { type MvccTransaction, TableLockMode } from '@phantom/mvcc';
import type { Yielded } from '../exec/runtime.js';
import type { EvaluationContext } from '../functions/registry.js';
import type { CatalogPort } from '../plan/catalog-port.js';
import type { RowNumbers } from '../storage/row-numbers.js';
import { PartitionedWriter } from '../storage/partitions/partitioned-writer.js';
import { membersOf } from '../storage/inheritance/table-tree.js';
import { TreeWriter } from '../storage/inheritance/tree-writer.js';
import { ProvidedTableWriter } from '../storage/provided-writer.js';
import { RowWriter } from '../storage/row-writer.js';
import type { StatementWriter } from '../storage/table-writer.js';
import type { DeferredCheck, WriterContext } from '../storage/writer-context.js';
import { InsteadOfWriter } from '../storage/triggers/instead-of-writer.js';
import { isViewTable } from '../storage/triggers/view-tables.js';
import { StatementTriggers, type TriggerHost } from '../storage/triggers/statement-triggers.js';
import { tableTriggers } from '../storage/triggers/table-triggers.js';
import { TriggeredWriter } from '../storage/triggers/triggered-writer.js';
import type { Value } from '../types/type.js';
import type { SqlEngine } from './engine.js';

/** In whose name rows are written. */
export interface WriterHost {
  readonly engine: SqlEngine;
  readonly picture: CatalogPort;
  readonly evaluation: EvaluationContext;
  readonly currentRoleOid: Oid;
  defaultValue(table: TableDescriptor, column: ColumnDescriptor): Value;
}

/** The transaction in which rows are written. */
export interface WriterOwner {
  readonly storage: MvccTransaction;
  readonly objects: CatalogTransaction;
  readonly deferred: {
    isDeferred(constraint: ConstraintDescriptor): boolean;
    add(check: DeferredCheck): void;
  };
  shareTable(oid: Oid, mode: TableLockMode): Promise<void> | undefined;
}

/** Tables whose writers are kept from one transaction to the next. */
const KEPT_TABLES_MAX = 16;

interface KeptWriter {
  readonly writer: StatementWriter;
  readonly table: TableDescriptor;
  readonly picture: CatalogPort;
  /** Number of the statement that used it last. */
  statement: number;
}

export class TransactionWriters implements WriterContext {
  transaction: MvccTransaction;
  newEntries: NewEntries;
  objects: CatalogTransaction;
  readonly evaluation: EvaluationContext;
  readonly rowNumbers: RowNumbers;
  private readonly host: WriterHost;
  private owner: WriterOwner;
  /** By their tables' numbers; those of inheritance trees by the negative ones. */
  private readonly kept = new Map<number, KeptWriter>();
  /** Some of those kept are of this transaction only. */
  private areOfTransaction = false;
  /** The first `usedCount` are those that the statement has asked for: an array that is emptied gives its memory back. */
  private readonly used: StatementWriter[] = [];
  private usedCount = 0;
  private statement = 0;
  /** What the statement's writes fire. */
  readonly triggers: StatementTriggers;
  private readonly firesTriggers: boolean;

  /** Without a trigger host, tables with triggers are not written to. */
  constructor(host: WriterHost, owner: WriterOwner, triggerHost?: TriggerHost) {
    this.host = host;
    this.owner = owner;
    this.transaction = owner.storage;
    this.newEntries = new NewEntries(owner.storage);
    this.objects = owner.objects;
    this.evaluation = host.evaluation;
    this.rowNumbers = host.engine.rowNumbers;
    this.triggers = new StatementTriggers(triggerHost);
    this.firesTriggers = triggerHost !== undefined;
  }

  get provider(): TableProvider | undefined {
    return this.host.engine.provider;
  }

  get roleOid(): Oid {
    return this.host.currentRoleOid;
  }

  get picture(): CatalogPort {
    return this.host.picture;
  }

  /** Goes on for another transaction of the same host; nothing of the one before is under way any more. */
  aim(owner: WriterOwner): void {
    if (this.areOfTransaction || this.kept.size > KEPT_TABLES_MAX) {
      this.kept.clear();
      this.areOfTransaction = false;
    }
    this.owner = owner;
    this.transaction = owner.storage;
    this.newEntries = new NewEntries(owner.storage);
    this.objects = owner.objects;
    this.beginStatement();
  }

  /** A new statement, or the same one anew: no writer owes anything. */
  beginStatement(): void {
    this.statement++;
    this.usedCount = 0;
    this.triggers.reset();
  }

  writer(table: TableDescriptor): StatementWriter {
    // A tree's writer writes by that of the table itself, too.
    const place = membersOf(table) === undefined ? table.oid : -table.oid;
    const kept = this.kept.get(place);
    if (kept !== undefined && kept.statement === this.statement && kept.table === table) return kept.writer;
    const { picture } = this;
    if (kept !== undefined && kept.table === table && kept.picture === picture) {
      kept.statement = this.statement;
      kept.writer.beginStatement();
      return this.use(kept.writer);
    }
    const writer = this.newWriter(table);
    this.kept.set(place, { writer, table, picture, statement: this.statement });
    return this.use(writer);
  }

  plainWriter(table: TableDescriptor): StatementWriter {
    return this.use(new RowWriter(table, this));
  }

  private use(writer: StatementWriter): StatementWriter {
    this.used[this.usedCount++] = writer;
    return writer;
  }

  private newWriter(table: TableDescriptor): StatementWriter {
    if (membersOf(table) !== undefined) return new TreeWriter(table, this);
    const triggers = tableTriggers(table, this.objects, this.picture);
    // Its own are those of statements, which need to know of no row.
    if (table.partitioned !== undefined && (triggers === undefined || this.firesTriggers))
      return new PartitionedWriter(table, this);
    if (triggers !== undefined && isViewTable(table)) return new InsteadOfWriter(triggers, this.triggers);
    const writer = this.writerWithoutTriggers(table);
    if (triggers === undefined) return writer;
    if (!this.firesTriggers) throw unsupportedError('writing to a table with triggers by way of documents');
    return new TriggeredWriter(writer, triggers, this.triggers);
  }

  private writerWithoutTriggers(table: TableDescriptor): StatementWriter {
    if (table.collection === undefined) return new RowWriter(table, this);
    const { provider } = this;
    if (provider === undefined) throw unsupportedError('writing to a collection without a document model');
    this.areOfTransaction = true;
    return new ProvidedTableWriter(table, provider, this);
  }

  lockTable(oid: Oid): Promise<void> | undefined {
    return this.owner.shareTable(oid, TableLockMode.RowExclusive);
  }

  defaultValue(table: TableDescriptor, column: ColumnDescriptor): Value {
    return this.host.defaultValue(table, column);
  }

  isDeferred(constraint: ConstraintDescriptor): boolean {
    return this.owner.deferred.isDeferred(constraint);
  }

  defer(check: DeferredCheck): void {
    this.owner.deferred.add(check);
  }

  /** Everything is written: settles what the writers owe, and fires what comes after; actions of foreign keys bring in more writers. */
  *finish(): Generator<Yielded, void, void> {
    this.endGathering();
    yield* this.triggers.finish();
    this.countWritten();
  }

  /** The same where nobody is to be waited for; false, with the statement to be run anew, where somebody is or triggers fire. */
  finishNow(): boolean {
    this.endGathering();
    if (!this.triggers.finishNow()) return false;
    this.countWritten();
    return true;
  }

  /** From here on each write sees the entries of those before it. */
  private endGathering(): void {
    this.newEntries.putGathered();
    this.newEntries.drop();
  }

  private countWritten(): void {
    const { statistics, columns } = this.host.engine;
    for (let i = 0; i < this.usedCount; i++) {
      const writer = this.used[i] as StatementWriter;
      if (writer.rowsWritten === 0) continue;
      statistics.countWritten(writer.tableOid, writer.rowsWritten);
      if (writer.marksRows === true) columns.countMarked(writer.tableOid, writer.rowsWritten);
    }
  }
}
