/**
 * Foreign keys: what a statement's writes owe to other tables, settled at the end of the statement, or at the commit for
 * deferred constraints.
 *
 *   child side    each new key needs its parent: the parent's unique key is locked (KeyShare) at read committed or guarded
 *                 (a constraint read) at the optimistic levels, then looked up in the newest state
 *   parent side   each key that went away must have no children left: RESTRICT and NO ACTION raise 23503, the other actions
 *                 change the children through their own writers, which may owe checks of their own
 *
 * A parent may be a collection, and documents may refer to rows: the document model is asked and told of those (cross-references.ts of
 * catalog). What it is told of is settled at the end of the transaction.
 *
 * Values that a statement both takes away and puts back (an update of the key that another row undoes) are found present
 * again, since the look-ups see everything the transaction has written.
 *
 * Invariant: a child committed without its parent is impossible at every level, because the check locks or guards exactly the
 * key whose removal locks or writes it.
 */
import { assert } from '@phantom/base';
import type { TableDescriptor } from '@phantom/catalog';
import type { Yielded } from '../exec/runtime.js';
import type { Value } from '../types/type.js';
import { ChildRows } from './child-rows.js';
import { missingParent, partlyNullKey, stillReferenced } from './constraint-errors.js';
import { documentKeys } from './document-keys.js';
import { ParentKeys } from './parent-keys.js';
import { providerTransaction } from './provider-transaction.js';
import {
  type ForeignKey,
  type IncomingDocuments,
  type IncomingKey,
  type OutgoingKey,
  type TableRules,
  hasConstraint,
} from './table-rules.js';
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
  private keysOfParents: ParentKeys | undefined;
  private rowsOfChildren: ChildRows | undefined;

  constructor(rules: TableRules, context: WriterContext) {
    this.rules = rules;
    this.context = context;
  }

  // A transaction makes these checks for each table that it writes, and most tables owe nothing.
  private get parentKeys(): ParentKeys {
    return (this.keysOfParents ??= new ParentKeys(this.context));
  }

  private get childRows(): ChildRows {
    return (this.rowsOfChildren ??= new ChildRows(this.context));
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
    for (const key of this.rules.incomingDocuments) {
      if (before[key.position] !== after[key.position])
        this.tellDocuments(key, before[key.position], after[key.position]);
    }
  }

  removed(before: readonly Value[]): void {
    for (const key of this.rules.incoming) {
      const oldValues = key.positions.map((position) => before[position]);
      if (!oldValues.includes(null)) this.owe(key, { key, oldValues, newValues: undefined });
    }
    for (const key of this.rules.incomingDocuments) this.tellDocuments(key, before[key.position], undefined);
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

  /** The document model looks after what refers to the row: at the end of the transaction. */
  private tellDocuments(
    { child, reference, column }: IncomingDocuments,
    before: Value,
    after: Value | undefined,
  ): void {
    const { context, rules } = this;
    if (before === null) return;
    context.provider?.rowKeyGone(
      {
        parent: rules.table,
        child,
        path: reference.path,
        key: reference,
        before: documentKeys(column, before),
        after: after === undefined || after === null ? after : documentKeys(column, after)[0],
        action: after === undefined ? reference.onDelete : reference.onUpdate,
      },
      providerTransaction(context),
    );
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
    return this.childRows.some(this.rules.table, key.constraint, values, () => true);
  }

  private checkParent({ key, values }: ChildCheck): Promise<void> | undefined {
    const { constraint } = key;
    const { context } = this;
    const parent = context.objects.object(constraint.referencedTableOid);
    assert(parent?.kind === 'table', 'a foreign key refers to a table');
    const shared = context.lockTable(parent.oid);
    if (shared !== undefined) return shared;
    if (parent.collection !== undefined) {
      const found = this.documentIsThere(parent, key, values);
      if (found instanceof Promise) return found;
      if (found) return undefined;
    } else {
      const { parentKeys } = this;
      parentKeys.encode(parent, constraint.referencedIndexOid, constraint.referencedColumns, values);
      const wait = parentKeys.hold();
      if (wait !== undefined) return wait;
      if (parentKeys.isThere()) return undefined;
    }
    throw missingParent(this.rules.table, parent, constraint, values, this.context);
  }

  private documentIsThere(
    parent: TableDescriptor,
    { constraint, positions }: OutgoingKey,
    [value]: readonly Value[],
  ): Promise<void> | boolean {
    const { context, rules } = this;
    const referenced = parent.columns.find(({ number }) => number === constraint.referencedColumns[0]);
    const column = rules.table.columns[positions[0] as number];
    assert(referenced !== undefined && column !== undefined, 'a foreign key stands on columns');
    assert(context.provider !== undefined, 'a collection has a model');
    const key = { field: referenced.field?.name ?? referenced.name, indexOid: constraint.referencedIndexOid };
    return context.provider.hasDocument(
      parent,
      key,
      documentKeys(column, value as Value),
      providerTransaction(context),
    );
  }

  /** True unless old and new key values are equal in the parent's own index. */
  private changed({ constraint }: IncomingKey, before: readonly Value[], after: readonly Value[]): boolean {
    if (after.includes(null)) return true;
    const { table } = this.rules;
    const { parentKeys } = this;
    parentKeys.encode(table, constraint.referencedIndexOid, constraint.referencedColumns, before);
    const old = parentKeys.key.take();
    parentKeys.encode(table, constraint.referencedIndexOid, constraint.referencedColumns, after);
    return String(old) !== String(parentKeys.key.view());
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
    // NO ACTION is content when another row has the key by the end of the statement.
    if (action === 'no action' && this.parentIsBack(key, oldValues)) return undefined;
    this.guardChildren(key, oldValues);
    if (action !== 'no action' && action !== 'restrict') {
      const wait = this.childRows.change(child, constraint, action, oldValues, newValues);
      // Rows that had the default before have kept the key that went away.
      if (wait !== undefined || action !== 'set default' || this.parentIsBack(key, oldValues)) return wait;
    }
    if (!this.childRows.some(child, constraint, oldValues, () => true)) return undefined;
    throw stillReferenced(rules.table, child, constraint, oldValues, context);
  }

  private parentIsBack({ constraint }: IncomingKey, values: readonly Value[]): boolean {
    this.parentKeys.encode(this.rules.table, constraint.referencedIndexOid, constraint.referencedColumns, values);
    return this.parentKeys.isThere();
  }

  /** At the optimistic levels nobody may add a child while the parent goes; at read committed the key's lock keeps them out. */
  private guardChildren(key: IncomingKey, values: readonly Value[]): void {
    const { transaction } = this.context;
    if (transaction.concurrency === 'locking') return;
    const { constraint, child } = key;
    const { parentKeys } = this;
    parentKeys.encode(this.rules.table, constraint.referencedIndexOid, constraint.referencedColumns, values);
    transaction.guard(parentKeys.key.buffer, 0, parentKeys.key.length);
    this.childRows.guard(child, constraint, values);
  }
}
