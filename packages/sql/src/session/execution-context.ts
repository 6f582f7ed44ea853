/** What one execution works with: its parameters, what it reads, where it writes, and the writers it has used. */
import { type MemoryBudget, type Scratch, assert } from '@phantom/base';
import type { TableDescriptor } from '@phantom/catalog';
import type {
  ColumnReads,
  ExecutionContext,
  Partition,
  PartitionReads,
  ReadSource,
  TimeSlice,
  WorkCounters,
  Yielded,
} from '../exec/runtime.js';
import type { KeyRange } from '@phantom/kv';
import type { StorageReads } from '../exec/storage-work.js';
import type { RequiredPrivilege } from '../plan/catalog-port.js';
import type { ModificationTarget } from '../storage/triggers/statement-triggers.js';
import type { TableWriter } from '../storage/table-writer.js';
import type { Value } from '../types/type.js';
import type { SessionEvaluation } from './evaluation.js';
import type { BeginPartitions } from './partitioned-read.js';
import type { SqlSession } from './session.js';
import type { SessionTransaction } from './transaction.js';
import type { TransactionWriters } from './transaction-writers.js';

/** What one execution works with. */
export class SessionExecutionContext implements ExecutionContext {
  /** Exchanged between the statements of a straight road. */
  parameters: readonly Value[];
  readonly read: ReadSource;
  readonly transaction: ExecutionContext['transaction'];
  readonly memory: MemoryBudget;
  readonly scratch: Scratch | undefined;
  readonly evaluation: SessionEvaluation;
  readonly slice: TimeSlice;
  readonly counters: WorkCounters;
  readonly columns: ColumnReads;
  /** Set where other threads may share in the read. */
  partitionsElsewhere: BeginPartitions | undefined = undefined;
  private readonly session: SqlSession;
  private readonly owner: SessionTransaction | undefined;
  private writers: TransactionWriters | undefined;

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
    this.memory = session.engine.newMemory();
    this.scratch = session.engine.scratch;
    this.evaluation = session.evaluation;
    this.slice = session.slice;
    this.counters = session.engine.counters;
    this.columns = session.engine.columns;
  }

  get readOnly(): boolean {
    return this.owner === undefined || this.owner.readOnly;
  }

  writer(table: TableDescriptor): TableWriter {
    const { owner } = this;
    assert(owner !== undefined, 'only a transaction writes');
    // Those of its own place: the statement may go on while one inside it has begun.
    this.writers ??= owner.writersOf(this.session);
    return this.writers.writer(table);
  }

  get sortBytesMax(): number {
    return this.session.settings.integer('work_mem') * 1024;
  }

  get hashBytesMax(): number {
    return this.sortBytesMax * Number(this.session.settings.get('hash_mem_multiplier'));
  }

  *beginPart(targets: readonly ModificationTarget[], isFirst: boolean): Generator<Yielded, void, void> {
    const { owner } = this;
    if (owner === undefined) return;
    const writers = (this.writers ??= owner.writersOf(this.session));
    if (!isFirst) {
      yield* writers.finish();
      writers.beginStatement();
      owner.storage.continueStatement();
    }
    if (targets.length > 0) yield* writers.triggers.begin(targets);
  }

  get leaderParticipates(): boolean {
    return this.session.settings.boolean('parallel_leader_participation');
  }

  storageReads(): StorageReads {
    return this.session.engine.storage.reads();
  }

  split(range: KeyRange, parts: number): readonly KeyRange[] {
    return this.session.engine.storage.split(range, parts);
  }

  beginPartitions(partitions: readonly Partition[], isMeasured: boolean): PartitionReads | Promise<void> | undefined {
    return this.partitionsElsewhere?.(partitions, isMeasured);
  }

  checkPrivileges(required: readonly RequiredPrivilege[]): void {
    this.session.checkPrivileges(required);
  }
}
