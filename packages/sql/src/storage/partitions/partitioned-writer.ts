/**
 * The writer of a partitioned table: hands each row to the writer of the partition that takes it. An update that moves a row is a
 * removal from one partition and an insertion into another. Rows of a partition among them are partitioned in turn by the writer
 * that is asked for.
 *
 * Triggers of rows are the partitions'. Those before an update fire where the row lies, and what they make of it says where it goes.
 */
import { PhantomError, assert } from '@phantom/base';
import type { IndexDescriptor, Oid, TableDescriptor, TriggerEvent } from '@phantom/catalog';
import { type SpaceId, spaceOfKey } from '@phantom/kv';
import { StatementRestart } from '../../exec/runtime.js';
import type { Value } from '../../types/type.js';
import { noPartition, partitionViolation } from '../constraint-errors.js';
import { physicalTable } from '../physical-table.js';
import type { Arbitration, MovedRow, RowReference, StatementWriter, WriteOutcome } from '../table-writer.js';
import { tableTriggers } from '../triggers/table-triggers.js';
import type { WriterContext } from '../writer-context.js';
import { PartitionCheck } from './partition-check.js';
import { type Partitioning, partitioning } from './partitioning.js';
import { RowMap } from './row-map.js';

type Row = readonly Value[];

/** A partition as rows are written to it. */
interface Target {
  readonly table: TableDescriptor;
  readonly rows: RowMap;
  /** ON CONFLICT as the partition's indexes know it, by what was said of the partitioned table's. */
  readonly arbitrations: Map<Arbitration, Arbitration>;
}

/** Where a row lies: in the partition itself, or in one of its own partitions. */
interface Holder {
  readonly holder: TableDescriptor;
  readonly leaf: TableDescriptor;
}

export class PartitionedWriter implements StatementWriter {
  readonly rowsWritten = 0;
  stored: Row = [];
  /** Of the partition that was written to last, or that has the row of the last 'conflict'. */
  writtenOid: Oid = 0;
  private readonly context: WriterContext;
  private readonly table: TableDescriptor;
  private readonly partitions: Partitioning;
  /** Of a partition: what its own bound asks of its rows. */
  private readonly above: PartitionCheck | undefined;
  private readonly targets = new Map<Oid, Target>();
  /** Partitions by the spaces of their rows; those of partitions that are partitioned in turn among them. */
  private readonly bySpace = new Map<SpaceId, Holder>();
  /** Triggers of the table's statements know rows as relations. */
  private readonly keepsRows: boolean;
  private isLocked = false;
  private met: Target | undefined;
  /** A row that is to leave its partition: as it was given, and as triggers have made it. */
  private leaving: { readonly values: Row; readonly wanted: Row } | undefined;
  /** A row that has been removed from its partition and is on its way to another one. */
  private moving: { readonly values: Row; readonly wanted: Row; readonly partition: Target } | undefined;
  /** The row for which a partition's writer had to wait: it is asked again with the same one. */
  private waiting: { readonly values: Row; readonly mapped: Row } | undefined;

  constructor(table: TableDescriptor, context: WriterContext) {
    this.table = table;
    this.context = context;
    this.partitions = partitioning(table, context.picture);
    this.above =
      table.partition === undefined ? undefined : new PartitionCheck(table, context.objects, context.picture);
    this.keepsRows = tableTriggers(table, context.objects, context.picture)?.keepsRows ?? false;
    for (const partition of this.partitions.partitions) this.addSpaces(partition.table, partition.table);
  }

  get tableOid(): Oid {
    return this.table.oid;
  }

  get conflict(): RowReference | undefined {
    return this.met === undefined ? undefined : this.writerOf(this.met).conflict;
  }

  beginStatement(): void {
    this.isLocked = false;
    this.leaving = undefined;
    this.moving = undefined;
    this.waiting = undefined;
    this.met = undefined;
  }

  leavesUnread(): boolean {
    return false;
  }

  insert(values: Row, arbitration?: Arbitration): WriteOutcome | Promise<void> {
    const wait = this.lockTable();
    if (wait !== undefined) return wait;
    const outcome = this.insertInto(this.targetOf(values), values, arbitration);
    if (outcome === 'written') this.routed('insert', null, this.stored);
    return outcome;
  }

  update(old: RowReference, oldValues: Row, values: Row, mayLeave = false): WriteOutcome | Promise<void> {
    const wait = this.lockTable();
    if (wait !== undefined) return wait;
    const outcome = this.replace(old, oldValues, values, mayLeave);
    if (outcome instanceof Promise) return outcome;
    this.leaving = undefined;
    if (outcome === 'written') this.routed('update', oldValues, this.stored);
    return outcome;
  }

  private replace(old: RowReference, oldValues: Row, values: Row, mayLeave: boolean): WriteOutcome | Promise<void> {
    const { moving } = this;
    if (moving?.values === values) return this.arrive(moving.partition, moving.wanted);
    const { holder, leaf } = this.holderOf(old);
    const from = this.targetFor(holder);
    if (this.leaving?.values !== values) {
      // Triggers come first, and may say where the row goes.
      const mayChange = this.firesBeforeUpdate(leaf);
      let wanted = values;
      if (mayChange || this.targetOf(values) === from) {
        const outcome = this.updateIn(from, old, oldValues, values, mayChange);
        if (outcome !== 'leaves') return outcome;
        wanted = from.rows.toParent(this.writerOf(from).stored ?? []);
      }
      if (mayLeave && this.above?.takes(wanted, this.context.evaluation) === false) {
        this.stored = wanted;
        return 'leaves';
      }
      this.leaving = { values, wanted };
    }
    const { wanted } = this.leaving as { wanted: Row };
    const to = this.targetOf(wanted);
    const moved = { tableOid: this.table.oid, values: from.rows.toPartition(wanted) };
    const outcome = this.removeFrom(from, old, oldValues, moved);
    if (outcome !== 'written') return outcome;
    this.moving = { values, wanted, partition: to };
    return this.arrive(to, wanted);
  }

  private updateIn(
    from: Target,
    old: RowReference,
    oldValues: Row,
    values: Row,
    mayLeave: boolean,
  ): WriteOutcome | Promise<void> {
    const writer = this.writerOf(from);
    const mapped = this.mapped(from, values);
    const outcome = this.settled(
      writer.update(old, from.rows.toPartition(oldValues), mapped, mayLeave),
      values,
      mapped,
    );
    if (outcome === 'written') this.note(from, writer.stored, values);
    return outcome;
  }

  remove(old: RowReference, oldValues: Row, moved?: MovedRow): WriteOutcome | Promise<void> {
    const wait = this.lockTable();
    if (wait !== undefined) return wait;
    const from = this.targetFor(this.holderOf(old).holder);
    const inner = moved === undefined ? undefined : { ...moved, values: from.rows.toPartition(moved.values) };
    const outcome = this.removeFrom(from, old, oldValues, inner);
    if (outcome === 'written' && moved === undefined) this.routed('delete', oldValues, null);
    return outcome;
  }

  private firesBeforeUpdate(leaf: TableDescriptor): boolean {
    const triggers = tableTriggers(leaf, this.context.objects, this.context.picture);
    return triggers !== undefined && triggers.of('before', 'row', 'update').length > 0;
  }

  private routed(event: TriggerEvent, oldRow: Row | null, newRow: Row | null): void {
    if (this.keepsRows) this.context.triggers.routed(this.table, event, oldRow, newRow);
  }

  private removeFrom(
    from: Target,
    old: RowReference,
    oldValues: Row,
    moved: MovedRow | undefined,
  ): WriteOutcome | Promise<void> {
    const mapped = this.mapped(from, oldValues);
    const writer = this.writerOf(from);
    const outcome = this.settled(writer.remove(old, mapped, moved), oldValues, mapped);
    this.writtenOid = writer instanceof PartitionedWriter ? writer.writtenOid : from.table.oid;
    return outcome;
  }

  private mapped(target: Target, values: Row): Row {
    return this.waiting?.values === values ? this.waiting.mapped : target.rows.toPartition(values);
  }

  private settled<T>(outcome: T, values: Row, mapped: Row): T {
    this.waiting = outcome instanceof Promise ? { values, mapped } : undefined;
    return outcome;
  }

  /** The values of the row that the last 'conflict' met. */
  conflictRow(): Row {
    const { met, conflict } = this;
    assert(met !== undefined && conflict !== undefined, 'a conflict has met a row');
    const writer = this.writerOf(met);
    if (writer instanceof PartitionedWriter) return met.rows.toParent(writer.conflictRow());
    const { picture, evaluation } = this.context;
    const values: Value[] = met.table.columns.map(() => null);
    physicalTable(met.table, picture.types).decode(conflict.row, 0, conflict.row.length, values, evaluation);
    return met.rows.toParent(values);
  }

  private arrive(target: Target, values: Row): WriteOutcome | Promise<void> {
    const outcome = this.insertInto(target, values, undefined);
    if (!(outcome instanceof Promise)) this.moving = undefined;
    return outcome;
  }

  private insertInto(target: Target, values: Row, arbitration: Arbitration | undefined): WriteOutcome | Promise<void> {
    const writer = this.writerOf(target);
    const own = arbitration === undefined ? undefined : this.arbitrationOf(target, arbitration);
    const mapped = this.mapped(target, values);
    const outcome = this.settled(writer.insert(mapped, own), values, mapped);
    if (outcome === 'conflict') this.met = target;
    if (outcome === 'written' || outcome === 'conflict') this.note(target, writer.stored, values);
    return outcome;
  }

  private note(target: Target, stored: Row | undefined, values: Row): void {
    const writer = this.writerOf(target);
    this.stored = stored === undefined ? values : target.rows.toParent(stored);
    this.writtenOid = writer instanceof PartitionedWriter ? writer.writtenOid : target.table.oid;
  }

  private writerOf({ table }: Target): ReturnType<WriterContext['writer']> {
    return this.context.writer(table);
  }

  /** Whoever adds or takes away partitions waits for writers, and they for him. */
  private lockTable(): Promise<void> | undefined {
    if (this.isLocked) return undefined;
    const wait = this.context.lockTable(this.table.oid);
    if (wait !== undefined) return wait;
    if (this.context.objects.object(this.table.oid) !== this.table) throw StatementRestart.instance;
    this.isLocked = true;
    return undefined;
  }

  /** The partition that takes a row; 23514 when none does. */
  private targetOf(values: Row): Target {
    const { partitions, context } = this;
    if (this.above?.takes(values, context.evaluation) === false) throw partitionViolation(this.table, values, context);
    const key = partitions.keyOf(values, context.evaluation);
    const partition = partitions.partitionOf(key);
    if (partition === undefined) throw noPartition(this.table, partitions.key, key, context);
    return this.targetFor(partition.table);
  }

  private targetFor(table: TableDescriptor): Target {
    let target = this.targets.get(table.oid);
    if (target === undefined) {
      target = { table, rows: new RowMap(this.table, table), arbitrations: new Map() };
      this.targets.set(table.oid, target);
    }
    return target;
  }

  /** The partition that has a row, perhaps in a partition of its own. */
  private holderOf({ key }: RowReference): Holder {
    const found = this.bySpace.get(spaceOfKey(key, 0));
    if (found === undefined) throw StatementRestart.instance;
    return found;
  }

  private addSpaces(partition: TableDescriptor, holder: TableDescriptor): void {
    if (partition.partitioned === undefined) this.bySpace.set(partition.space, { holder, leaf: partition });
    else for (const inner of this.context.picture.partitionsOf(partition)) this.addSpaces(inner, holder);
  }

  /** The arbitration by the partition's own indexes and columns. */
  private arbitrationOf(target: Target, arbitration: Arbitration): Arbitration {
    let own = target.arbitrations.get(arbitration);
    if (own !== undefined) return own;
    const { objects } = this.context;
    const indexes = target.table.indexOids
      .map((oid) => objects.object(oid))
      .filter((index): index is IndexDescriptor => index?.kind === 'index');
    const arbiters = arbitration.arbiters.map((oid) => {
      const index = indexes.find(({ parentOid }) => parentOid === oid);
      if (index !== undefined) return index.oid;
      throw new PhantomError(
        '42P10',
        'there is no unique or exclusion constraint matching the ON CONFLICT specification',
      );
    });
    const assigned = arbitration.assigned.map((number) => {
      const position = this.table.columns.findIndex((column) => column.number === number);
      return target.table.columns[target.rows.positions[position] as number]?.number ?? 0;
    });
    own = { ...arbitration, arbiters, assigned };
    target.arbitrations.set(arbitration, own);
    return own;
  }
}
