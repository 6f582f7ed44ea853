/**
 * The rows that a foreign key's parent has below it: found by their key, and changed by the key's actions. Those of a partitioned table
 * are found in each of its partitions, by an index of that one, and changed as rows of the table, which may move them.
 */
import { ByteWriter, assert } from '@phantom/base';
import type { ForeignKeyAction, IndexDescriptor, TableDescriptor } from '@phantom/catalog';
import { ByteSlot, type KeyRange, prefixRange, spaceRange } from '@phantom/kv';
import { REST, StatementRestart, type Yielded } from '../exec/runtime.js';
import type { Value } from '../types/type.js';
import { holdersOf } from './partitions/partitioning.js';
import { RowMap } from './partitions/row-map.js';
import { physicalIndex, physicalTable, rowKeyOfEntry } from './physical-table.js';
import { type ForeignKey, positionsOf } from './table-rules.js';
import type { RowReference, WriteOutcome } from './table-writer.js';
import type { ModificationTarget } from './triggers/statement-triggers.js';
import type { WriterContext } from './writer-context.js';

/** An action that changes the child's rows. */
export type ChangingAction = Exclude<ForeignKeyAction, 'no action' | 'restrict'>;

/** What the action does to the child, as a statement. */
export function actionTarget(
  table: TableDescriptor,
  { columns, onDeleteColumns = columns }: ForeignKey,
  action: ChangingAction,
  isUpdate: boolean,
): ModificationTarget {
  if (action === 'cascade' && !isUpdate) return { table, event: 'delete', assigned: [] };
  return { table, event: 'update', assigned: isUpdate ? columns : onDeleteColumns };
}

/** A row of the child. */
interface ChildRow {
  readonly reference: RowReference;
  /** As the table has it that was given the key. */
  readonly values: readonly Value[];
}

export class ChildRows {
  private readonly context: WriterContext;
  private readonly slot = new ByteSlot();
  private readonly key = new ByteWriter();

  constructor(context: WriterContext) {
    this.context = context;
  }

  /**
   * Nobody may add a row with these values, at the optimistic levels; where rows are locked the lock of the parent's key keeps them
   * out. At serializable there must be none, or the same, in the snapshot.
   */
  guard(child: TableDescriptor, constraint: ForeignKey, values: readonly Value[]): void {
    const { transaction } = this.context;
    const isOptimistic = transaction.concurrency !== 'locking';
    if (!isOptimistic && !transaction.tracksReads) return;
    for (const holder of this.holders(child)) {
      const { range } = this.range(holder, columnsIn(holder, child, constraint), values);
      if (isOptimistic) transaction.guardRange(range);
      transaction.relyOnNewest(range);
    }
  }

  /** Shares the tables that have the child's rows until the transaction ends. A promise: wait and call again. */
  share(child: TableDescriptor): Promise<void> | undefined {
    const { context } = this;
    const wait = context.lockTable(child.oid);
    if (wait !== undefined || child.partitioned === undefined) return wait;
    for (const { oid } of this.holders(child)) {
      const inner = context.lockTable(oid);
      if (inner !== undefined) return inner;
    }
    return undefined;
  }

  /**
   * Removes the rows that have the old values, or gives them what the action says. The statement is restarted (thrown) when somebody
   * changed one of them meanwhile.
   */
  *change(
    child: TableDescriptor,
    constraint: ForeignKey,
    action: ChangingAction,
    oldValues: readonly Value[],
    newValues: readonly Value[] | undefined,
  ): Generator<Yielded, void, void> {
    const writer = this.context.writer(child);
    const positions = positionsOf(child, constraint.columns);
    const { event, assigned } = actionTarget(child, constraint, action, newValues !== undefined);
    const changedPositions = positionsOf(child, assigned);
    // Collected first: the actions write into the ranges that the search reads.
    const rows: ChildRow[] = [];
    this.some(child, constraint, oldValues, (row) => {
      rows.push(row);
      return false;
    });
    for (const { reference, values: before } of rows) {
      let write: () => WriteOutcome | Promise<void>;
      if (event === 'delete') {
        write = () => writer.remove(reference, before);
      } else {
        const after = before.slice();
        for (const position of changedPositions) {
          if (action === 'cascade') after[position] = (newValues as readonly Value[])[positions.indexOf(position)];
          else after[position] = action === 'set null' ? null : this.defaultOf(child, position);
        }
        write = () => writer.update(reference, before, after);
      }
      let outcome = write();
      for (; outcome instanceof Promise; outcome = write()) yield outcome === REST ? undefined : outcome;
      if (outcome === 'changed') throw StatementRestart.instance;
    }
  }

  /**
   * Visits the rows of the child table that hold the key's values, in the newest state with all own writes, until `visit`
   * says enough; true when it did. By an index that begins with the key's columns, else by a scan.
   */
  some(
    child: TableDescriptor,
    constraint: ForeignKey,
    values: readonly Value[],
    visit: (row: ChildRow) => boolean,
  ): boolean {
    for (const holder of this.holders(child)) {
      const rows = holder === child ? undefined : new RowMap(child, holder);
      const isEnough = this.someOf(holder, columnsIn(holder, child, constraint), values, ({ reference, values: own }) =>
        visit(rows === undefined ? { reference, values: own } : { reference, values: rows.toParent(own) }),
      );
      if (isEnough) return true;
    }
    return false;
  }

  /** The tables that the child's rows lie in, as they are now. */
  private holders(child: TableDescriptor): readonly TableDescriptor[] {
    return holdersOf(child, this.context.objects);
  }

  /** The same for one table that has rows, and its columns. */
  private someOf(
    child: TableDescriptor,
    columns: readonly number[],
    values: readonly Value[],
    visit: (row: ChildRow) => boolean,
  ): boolean {
    const { context } = this;
    const physical = physicalTable(child, context.picture.types);
    const { range, index } = this.range(child, columns, values);
    const positions = positionsOf(child, columns);
    const cursor = context.transaction.cursorNewest(range);
    try {
      while (cursor.next()) {
        const rowKey =
          index === undefined
            ? cursor.key.copy()
            : rowKeyOfEntry(
                cursor.key,
                cursor.value,
                physicalIndex(index, child, context.picture.types),
                physical.prefix,
              );
        if (index !== undefined && !context.transaction.getNewest(rowKey, 0, rowKey.length, this.slot)) continue;
        const row = index === undefined ? cursor.value.copy() : this.slot.copy();
        const decoded: Value[] = [];
        physical.decode(row, 0, row.length, decoded, context.evaluation);
        if (
          index === undefined &&
          !positions.every((position, i) => this.equalValues(child, position, decoded[position], values[i]))
        )
          continue;
        if (visit({ reference: { key: rowKey, row }, values: decoded })) return true;
      }
    } finally {
      cursor.close();
    }
    return false;
  }

  private defaultOf(child: TableDescriptor, position: number): Value {
    const column = child.columns[position];
    assert(column !== undefined, 'a foreign key stands on columns of its table');
    return this.context.defaultValue(child, column);
  }

  private equalValues(child: TableDescriptor, position: number, a: Value, b: Value): boolean {
    if (a === null || b === null) return false;
    const type = this.context.picture.types.byOid(child.columns[position]?.type.oid as number);
    return type?.compare === undefined ? a === b : type.compare(a, b) === 0;
  }

  /** Where the children with these values lie: in an index on the key's columns, or anywhere in the table. */
  private range(
    child: TableDescriptor,
    columns: readonly number[],
    values: readonly Value[],
  ): { range: KeyRange; index: IndexDescriptor | undefined } {
    const { context, key } = this;
    for (const oid of child.indexOids) {
      const index = context.objects.object(oid);
      if (
        index?.kind !== 'index' ||
        index.space === child.space ||
        index.predicateSql !== undefined ||
        index.method !== 'btree'
      )
        continue;
      const leading = index.parts.slice(0, columns.length).map((part) => part.column);
      if (leading.length !== columns.length || !columns.every((column) => leading.includes(column))) continue;
      const physical = physicalIndex(index, child, context.picture.types);
      key.reset();
      key.bytes(physical.prefix);
      const ordered = leading.map((column) => values[columns.indexOf(column as number)] as Value);
      physical.keyCode.encodePrefix(ordered, ordered.length, key);
      return { range: prefixRange(key.take()), index };
    }
    return { range: spaceRange(child.space), index: undefined };
  }
}

/** The key's columns as one of the tables has them that hold the child's rows. */
function columnsIn(holder: TableDescriptor, child: TableDescriptor, { columns }: ForeignKey): readonly number[] {
  return holder === child ? columns : new RowMap(child, holder).numbersOf(columns);
}
