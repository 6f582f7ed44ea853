/** What one execution works with: its parameters, what it reads, where it writes, and the writers it has used. */
import { assert } from '@phantom/base';
import type { Oid, TableDescriptor } from '@phantom/catalog';
import {
  type ExecutionContext,
  MemoryBudget,
  type ReadSource,
  type TimeSlice,
  type WorkCounters,
} from '../exec/runtime.js';
import type { RequiredPrivilege } from '../plan/catalog-port.js';
import { RowWriter } from '../storage/row-writer.js';
import type { TableWriter } from '../storage/table-writer.js';
import type { WriterContext } from '../storage/writer-context.js';
import type { Value } from '../types/type.js';
import type { SessionEvaluation } from './evaluation.js';
import type { SqlSession } from './session.js';
import type { SessionTransaction } from './transaction.js';

/** What one execution works with. */
export class SessionExecutionContext implements ExecutionContext {
  readonly parameters: readonly Value[];
  readonly read: ReadSource;
  readonly transaction: ExecutionContext['transaction'];
  readonly memory: MemoryBudget;
  readonly evaluation: SessionEvaluation;
  readonly slice: TimeSlice;
  readonly counters: WorkCounters;
  private readonly session: SqlSession;
  private readonly owner: SessionTransaction | undefined;
  private readonly writers = new Map<Oid, TableWriter>();

  constructor(
    session: SqlSession,
    parameters: readonly Value[],
    read: ReadSource,
    owner: SessionTransaction | undefined,
  ) {
    this.session = session;
    this.parameters = parameters;
    this.read = read;
    this.owner = owner;
    this.transaction = owner?.storage;
    this.memory = new MemoryBudget(session.engine.memoryLimitBytes);
    this.evaluation = session.evaluation;
    this.slice = session.slice;
    this.counters = session.engine.counters;
  }

  writer(table: TableDescriptor): TableWriter {
    let writer = this.writers.get(table.oid);
    if (writer === undefined) this.writers.set(table.oid, (writer = new RowWriter(table, this.writerContext())));
    return writer;
  }

  checkPrivileges(required: readonly RequiredPrivilege[]): void {
    this.session.checkPrivileges(required);
  }

  writerContext(): WriterContext {
    const { session, owner } = this;
    assert(owner !== undefined, 'only a transaction writes');
    return {
      transaction: owner.storage,
      objects: owner.objects,
      picture: session.picture,
      evaluation: this.evaluation,
      rowNumbers: session.engine.rowNumbers,
      writer: (table) => this.writer(table),
      lockTable: (oid) => owner.shareTable(oid),
      defaultValue: (table, column) => session.defaultValue(table, column),
      defer: (check) => owner.beforeCommit.push(check),
    };
  }

  /** Settles what the writers owe; a writer that a foreign key's action brought in owes checks of its own. */
  *finishWriters(): Generator<Promise<void>, void, void> {
    for (const writer of this.writers.values()) {
      for (let wait = writer.finishStatement(); wait !== undefined; wait = writer.finishStatement()) yield wait;
    }
  }
}
