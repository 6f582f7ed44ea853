/**
 * Foreign keys: what a statement's writes owe to other tables, settled at the end of the statement, or at the commit for
 * deferred constraints.
 *
 *   child side    each new key needs its parent: the parent's unique key is locked (KeyShare) at read committed or guarded
 *                 (a constraint read) at the optimistic levels, then looked up in the newest state
 *   parent side   each key that went away must have no children left: RESTRICT and NO ACTION raise 23503, the other actions
 *                 change the children through their own writers, which may owe checks of their own
 *
 * Values that a statement both takes away and puts back (an update of the key that another row undoes) are found present
 * again, since the look-ups see everything the transaction has written.
 *
 * Invariant: a child committed without its parent is impossible at every level, because the check locks or guards exactly the
 * key whose removal locks or writes it.
 */
import { ByteWriter, assert } from '@phantom/base';
import type { IndexDescriptor, TableDescriptor } from '@phantom/catalog';
import { ByteSlot, type KeyRange, prefixRange, spaceRange } from '@phantom/kv';
import { LockStrength } from '@phantom/mvcc';
import { StatementRestart, type Yielded } from '../exec/runtime.js';
import type { Value } from '../types/type.js';
import { missingParent, partlyNullKey, stillReferenced } from './constraint-errors.js';
import { physicalIndex, physicalTable, rowKeyOfEntry } from './physical-table.js';
import type { RowReference, WriteOutcome } from './table-writer.js';
import { type ForeignKey, type IncomingKey, type OutgoingKey, type TableRules, positionsOf } from './table-rules.js';
import type { DeferredCheck, WriterContext } from './writer-context.js';

interface ChildCheck {
  readonly key: OutgoingKey;
  readonly values: readonly Value[];
}

interface ParentCheck {
  readonly key: IncomingKey;
  readonly oldValues: readonly Value[];
  /** The new values of an update; undefined for a removal. */
  readonly newValues: readonly Value[] | undefined;
}

export class ForeignKeyChecks {
  private readonly rules: TableRules;
  private readonly context: WriterContext;
  private readonly children: ChildCheck[] = [];
  private readonly parents: ParentCheck[] = [];
  private childrenSettled = 0;
  private parentsSettled = 0;
  private readonly slot = new ByteSlot();
  private readonly key = new ByteWriter();

  constructor(rules: TableRules, context: WriterContext) {
    this.rules = rules;
    this.context = context;
  }

  /** Forgets what an earlier statement owed: it has been settled, or undone with the statement. */
  reset(): void {
    if (this.children.length > 0) this.children.length = 0;
    if (this.parents.length > 0) this.parents.length = 0;
    this.childrenSettled = 0;
    this.parentsSettled = 0;
  }

  inserted(row: readonly Value[]): void {
    for (const key of this.rules.outgoing) this.oweParent(key, row);
  }

  updated(before: readonly Value[], after: readonly Value[]): void {
    for (const key of this.rules.outgoing) {
      if (key.positions.some((position) => before[position] !== after[position])) this.oweParent(key, after);
    }
    for (const key of this.rules.incoming) {
      const oldValues = key.positions.map((position) => before[position]);
      const newValues = key.positions.map((position) => after[position]);
      if (oldValues.includes(null) || !this.changed(key, oldValues, newValues)) continue;
      this.owe(key, { key, oldValues, newValues });
    }
  }

  removed(before: readonly Value[]): void {
    for (const key of this.rules.incoming) {
      const oldValues = key.positions.map((position) => before[position]);
      if (!oldValues.includes(null)) this.owe(key, { key, oldValues, newValues: undefined });
    }
  }

  /** Settles what is owed at the end of the statement. A promise: wait, then call again. */
  finish(): Promise<void> | undefined {
    for (; this.childrenSettled < this.children.length; this.childrenSettled++) {
      const wait = this.checkParent(this.children[this.childrenSettled] as ChildCheck);
      if (wait !== undefined) return wait;
    }
    for (; this.parentsSettled < this.parents.length; this.parentsSettled++) {
      const wait = this.settleChildren(this.parents[this.parentsSettled] as ParentCheck);
      if (wait !== undefined) return wait;
    }
    return undefined;
  }

  private oweParent(key: OutgoingKey, row: readonly Value[]): void {
    const values = key.positions.map((position) => row[position]);
    if (values.includes(null)) {
      if (key.constraint.match === 'full' && values.some((value) => value !== null)) {
        throw partlyNullKey(this.rules.table, key.constraint, this.context);
      }
      return;
    }
    const check = { key, values };
    if (this.context.isDeferred(key.constraint)) this.defer(key.constraint, () => this.deferredParent(check));
    else this.children.push(check);
  }

  private owe(key: IncomingKey, check: ParentCheck): void {
    const { constraint } = key;
    const action = check.newValues === undefined ? constraint.onDelete : constraint.onUpdate;
    // Only NO ACTION can wait; actions are part of the statement.
    if (action === 'no action' && this.context.isDeferred(constraint))
      this.defer(constraint, () => this.deferredChildren(check));
    else this.parents.push(check);
  }

  private defer(constraint: ForeignKey, run: DeferredCheck['run']): void {
    const { oid, kind } = constraint;
    this.context.defer({ constraint: { oid, kind, tableOid: this.rules.table.oid }, run });
  }

  private *deferredParent(check: ChildCheck): Generator<Yielded, void, void> {
    const child = this.context.objects.object(this.rules.table.oid);
    // The parent may have been dropped since, and the constraint with it.
    if (child?.kind !== 'table' || !hasConstraint(child, check.key.constraint)) return;
    if (!this.stillThere(check)) return;
    for (let wait = this.checkParent(check); wait !== undefined; wait = this.checkParent(check)) yield wait;
  }

  private *deferredChildren(check: ParentCheck): Generator<Yielded, void, void> {
    for (let wait = this.settleChildren(check); wait !== undefined; wait = this.settleChildren(check)) yield wait;
  }

  /** A deferred check of a row that the same transaction has removed or changed again asks for nothing. */
  private stillThere({ key, values }: ChildCheck): boolean {
    return this.someChild({ constraint: key.constraint, child: this.rules.table, positions: [] }, values, () => true);
  }

  private checkParent({ key, values }: ChildCheck): Promise<void> | undefined {
    const { constraint } = key;
    const { context } = this;
    const { transaction } = context;
    const parent = context.objects.object(constraint.referencedTableOid);
    assert(parent?.kind === 'table', 'a foreign key refers to a table');
    const shared = context.lockTable(parent.oid);
    if (shared !== undefined) return shared;
    this.encodeParentKey(parent, constraint.referencedIndexOid, constraint.referencedColumns, values);
    const { buffer, length } = this.key;
    if (transaction.concurrency === 'locking') {
      const wait = transaction.lock(buffer, 0, length, LockStrength.KeyShare, 'wait');
      if (wait instanceof Promise) return wait;
    } else {
      transaction.guardPresence(buffer, 0, length);
    }
    if (transaction.getNewest(buffer, 0, length, this.slot)) return undefined;
    throw missingParent(this.rules.table, parent, constraint, values, this.context);
  }

  /** The unique key of the parent's index that the foreign key stands on, into `key`. */
  private encodeParentKey(
    parent: TableDescriptor,
    indexOid: number,
    columns: readonly number[],
    values: readonly Value[],
  ): void {
    const { key, context } = this;
    const index = context.objects.object(indexOid) as IndexDescriptor;
    const ordered = index.parts.map((part) => values[columns.indexOf(part.column as number)] as Value);
    key.reset();
    if (index.space === parent.space) {
      const physical = physicalTable(parent, context.picture.types);
      key.bytes(physical.prefix);
      physical.keyCode.encodePrefix(ordered, ordered.length, key);
    } else {
      const physical = physicalIndex(index, parent, context.picture.types);
      key.bytes(physical.prefix);
      physical.keyCode.encodePrefix(ordered, ordered.length, key);
    }
  }

  /** True unless old and new key values are equal in the parent's own index. */
  private changed({ constraint }: IncomingKey, before: readonly Value[], after: readonly Value[]): boolean {
    if (after.includes(null)) return true;
    const { table } = this.rules;
    this.encodeParentKey(table, constraint.referencedIndexOid, constraint.referencedColumns, before);
    const old = this.key.take();
    this.encodeParentKey(table, constraint.referencedIndexOid, constraint.referencedColumns, after);
    return String(old) !== String(this.key.view());
  }

  private settleChildren({ key: planned, oldValues, newValues }: ParentCheck): Promise<void> | undefined {
    const { context, rules } = this;
    const { constraint } = planned;
    const shared = context.lockTable(planned.child.oid);
    if (shared !== undefined) return shared;
    // Until we shared it, the child may have been altered, and its rows may lie elsewhere now.
    const child = context.objects.object(planned.child.oid);
    if (child?.kind !== 'table' || !hasConstraint(child, constraint)) return undefined;
    const key = { ...planned, child };
    const action = newValues === undefined ? constraint.onDelete : constraint.onUpdate;
    if (action === 'no action' || action === 'restrict') {
      // NO ACTION is content when another row has the key by the end of the statement.
      if (action === 'no action' && this.parentIsBack(key, oldValues)) return undefined;
      this.guardChildren(key, oldValues);
      if (!this.someChild(key, oldValues, () => true)) return undefined;
      throw stillReferenced(rules.table, child, constraint, oldValues, this.context);
    }
    const writer = context.writer(child);
    const physical = physicalTable(child, context.picture.types);
    const positions = positionsOf(child, constraint.columns);
    const changedPositions =
      constraint.onDeleteColumns === undefined || newValues !== undefined
        ? positions
        : positionsOf(child, constraint.onDeleteColumns);
    this.guardChildren(key, oldValues);
    // Collected first: the actions write into the ranges that the search reads.
    const rows: RowReference[] = [];
    this.someChild(key, oldValues, (rowKey, row) => {
      rows.push({ key: rowKey, row });
      return false;
    });
    for (const reference of rows) {
      const before: Value[] = [];
      physical.decode(reference.row, 0, reference.row.length, before, context.evaluation);
      let outcome: WriteOutcome | Promise<void>;
      if (action === 'cascade' && newValues === undefined) {
        outcome = writer.remove(reference, before);
      } else {
        const after = before.slice();
        for (const position of changedPositions) {
          if (action === 'cascade') after[position] = (newValues as readonly Value[])[positions.indexOf(position)];
          else after[position] = action === 'set null' ? null : this.defaultOf(child, position);
        }
        outcome = writer.update(reference, before, after);
      }
      if (outcome instanceof Promise) return outcome;
      if (outcome === 'changed') throw StatementRestart.instance;
    }
    return undefined;
  }

  private defaultOf(child: TableDescriptor, position: number): Value {
    const column = child.columns[position];
    assert(column !== undefined, 'a foreign key stands on columns of its table');
    return this.context.defaultValue(child, column);
  }

  private parentIsBack({ constraint }: IncomingKey, values: readonly Value[]): boolean {
    this.encodeParentKey(this.rules.table, constraint.referencedIndexOid, constraint.referencedColumns, values);
    return this.context.transaction.getNewest(this.key.buffer, 0, this.key.length, this.slot);
  }

  /** At the optimistic levels nobody may add a child while the parent goes; at read committed the key's lock keeps them out. */
  private guardChildren(key: IncomingKey, values: readonly Value[]): void {
    const { transaction } = this.context;
    if (transaction.concurrency === 'locking') return;
    const { constraint } = key;
    this.encodeParentKey(this.rules.table, constraint.referencedIndexOid, constraint.referencedColumns, values);
    transaction.guard(this.key.buffer, 0, this.key.length);
    transaction.guardRange(this.childRange(key, values).range);
  }

  /**
   * Visits the rows of the child table that hold the key's values, in the newest state with all own writes, until `visit`
   * says enough; true when it did. By an index that begins with the key's columns, else by a scan.
   */
  private someChild(
    key: IncomingKey,
    values: readonly Value[],
    visit: (rowKey: Uint8Array, row: Uint8Array) => boolean,
  ): boolean {
    const { child } = key;
    const { context } = this;
    const physical = physicalTable(child, context.picture.types);
    const { range, index } = this.childRange(key, values);
    const positions = positionsOf(child, key.constraint.columns);
    const cursor = context.transaction.cursorNewest(range);
    const decoded: Value[] = [];
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
        let row: Uint8Array;
        if (index === undefined) {
          row = cursor.value.copy();
          physical.decode(row, 0, row.length, decoded, context.evaluation);
          if (!positions.every((position, i) => this.equalValues(child, position, decoded[position], values[i])))
            continue;
        } else {
          if (!context.transaction.getNewest(rowKey, 0, rowKey.length, this.slot)) continue;
          row = this.slot.copy();
        }
        if (visit(rowKey, row)) return true;
      }
    } finally {
      cursor.close();
    }
    return false;
  }

  private equalValues(child: TableDescriptor, position: number, a: Value, b: Value): boolean {
    if (a === null || b === null) return false;
    const type = this.context.picture.types.byOid(child.columns[position]?.type.oid as number);
    return type?.compare === undefined ? a === b : type.compare(a, b) === 0;
  }

  /** Where the children with these values lie: in an index on the key's columns, or anywhere in the table. */
  private childRange(
    { constraint, child }: IncomingKey,
    values: readonly Value[],
  ): { range: KeyRange; index: IndexDescriptor | undefined } {
    const { context, key } = this;
    const { columns } = constraint;
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

function hasConstraint(table: TableDescriptor, { oid }: ForeignKey): boolean {
  return table.constraints.some((constraint) => constraint.oid === oid);
}
