/**
 * Foreign keys: what a statement's writes owe to other tables, settled at the end of the statement in the order of the writes and
 * between the triggers that they fire (triggers/statement-triggers.ts), or at the commit for deferred constraints.
 *
 *   child side    each new key needs its parent: the parent's unique key is locked (KeyShare) at read committed or guarded
 *                 (a constraint read) at the optimistic levels, then looked up in the newest state
 *   parent side   each key that went away must have no children left: RESTRICT and NO ACTION raise 23503, the other actions
 *                 change the children through their own writers, as a statement with its own triggers, which may owe more
 *
 * A parent or a child may be partitioned: the key is one of the whole table, and where rows lie is looked up. A row that moves to another
 * partition stays a row of the table, so its key is changed by that, or is not.
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
import { PhantomError, assert } from '@phantom/base';
import type { ForeignKeyAction, TableDescriptor } from '@phantom/catalog';
import { REST, type Yielded } from '../exec/runtime.js';
import type { Value } from '../types/type.js';
import { type ChangingAction, ChildRows, actionTarget } from './child-rows.js';
import { missingParent, partlyNullKey, stillReferenced } from './constraint-errors.js';
import { documentKeys } from './document-keys.js';
import { ParentKeys } from './parent-keys.js';
import { ancestorsOf } from './partitions/partitioning.js';
import { providerTransaction } from './provider-transaction.js';
import {
  type ForeignKey,
  type IncomingDocuments,
  type IncomingKey,
  type OutgoingKey,
  type TableRules,
  hasConstraint,
} from './table-rules.js';
import type { MovedRow } from './table-writer.js';
import type { OwedCheck } from './triggers/statement-triggers.js';
import type { DeferredCheck, WriterContext } from './writer-context.js';

/** A row's key that needs its parent. */
class ChildCheck implements OwedCheck {
  readonly fires = false;
  readonly key: OutgoingKey;
  readonly values: readonly Value[];
  private readonly checks: ForeignKeyChecks;

  constructor(checks: ForeignKeyChecks, key: OutgoingKey, values: readonly Value[]) {
    this.checks = checks;
    this.key = key;
    this.values = values;
  }

  settle(): Promise<void> | undefined {
    return this.checks.checkParent(this);
  }
}

/** A key that went away from its table. */
class ParentCheck implements OwedCheck {
  readonly fires: boolean;
  readonly action: ForeignKeyAction;
  readonly key: IncomingKey;
  readonly oldValues: readonly Value[];
  /** The new values of an update; undefined for a removal. */
  readonly newValues: readonly Value[] | undefined;
  private readonly checks: ForeignKeyChecks;
  private running: Generator<Yielded, void, void> | undefined;

  constructor(
    checks: ForeignKeyChecks,
    key: IncomingKey,
    oldValues: readonly Value[],
    newValues: readonly Value[] | undefined,
  ) {
    this.checks = checks;
    this.key = key;
    this.oldValues = oldValues;
    this.newValues = newValues;
    const { constraint, child } = key;
    this.action = newValues === undefined ? constraint.onDelete : constraint.onUpdate;
    const hasTriggers = child.partitioned !== undefined || (child.triggerOids?.length ?? 0) > 0;
    this.fires = changesRows(this.action) && hasTriggers;
  }

  settle(): Promise<void> | undefined {
    this.running ??= this.checks.settleChildren(this);
    const { done, value } = this.running.next();
    if (done === true) return undefined;
    return value instanceof Promise ? value.then(() => undefined) : REST;
  }
}

/** A key that refers to neither the partition nor the table: whether the row has left what it refers to would have to be asked anew. */
function referredInBetween(between: TableDescriptor, mover: TableDescriptor | undefined): PhantomError {
  return new PhantomError(
    '0A000',
    'cannot move tuple across partitions when a non-root ancestor of the source partition is directly referenced in a foreign key',
    {
      detail: `A foreign key points to ancestor "${between.name}" but not the root ancestor "${mover?.name}".`,
      hint: `Consider defining the foreign key on table "${mover?.name}".`,
    },
  );
}

/** True for an action that changes rows of the child, and does not only look at them. */
function changesRows(action: ForeignKeyAction): action is ChangingAction {
  return action !== 'no action' && action !== 'restrict';
}

export class ForeignKeyChecks {
  private readonly rules: TableRules;
  private readonly context: WriterContext;
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

  inserted(row: readonly Value[]): void {
    for (const key of this.rules.outgoing) this.oweParent(key, row);
  }

  updated(before: readonly Value[], after: readonly Value[]): void {
    for (const key of this.rules.incoming) this.keyUpdated(key, before, after);
    for (const key of this.rules.outgoing) {
      if (key.positions.some((position) => before[position] !== after[position])) this.oweParent(key, after);
    }
    for (const key of this.rules.incomingDocuments) {
      if (before[key.position] !== after[key.position])
        this.tellDocuments(key, before[key.position], after[key.position]);
    }
  }

  removed(before: readonly Value[]): void {
    for (const key of this.rules.incoming) this.keyRemoved(key, before);
    for (const key of this.rules.incomingDocuments) this.tellDocuments(key, before[key.position], undefined);
  }

  /**
   * The row has been removed to go to another partition of a table, as `after`. Whoever refers to that table sees it updated; whoever
   * refers to this partition loses it. 0A000 where somebody refers to a table in between.
   */
  moved(before: readonly Value[], { tableOid, values }: MovedRow): void {
    const { rules, context } = this;
    const ancestors = ancestorsOf(rules.table, context.objects);
    const mover = ancestors.findIndex(({ oid }) => oid === tableOid);
    for (const key of rules.incoming) {
      const { referencedTableOid } = key.constraint;
      if (referencedTableOid === rules.table.oid) {
        this.keyRemoved(key, before);
        continue;
      }
      const between = ancestors.slice(0, mover).find(({ oid }) => oid === referencedTableOid);
      if (between !== undefined) throw referredInBetween(between, ancestors[mover]);
      this.keyUpdated(key, before, values);
    }
    for (const key of rules.incomingDocuments) this.tellDocuments(key, before[key.position], undefined);
  }

  private keyUpdated(key: IncomingKey, before: readonly Value[], after: readonly Value[]): void {
    const oldValues = key.positions.map((position) => before[position]);
    const newValues = key.positions.map((position) => after[position]);
    if (oldValues.includes(null) || !this.changed(key, oldValues, newValues)) return;
    this.owe(new ParentCheck(this, key, oldValues, newValues));
  }

  private keyRemoved(key: IncomingKey, before: readonly Value[]): void {
    const oldValues = key.positions.map((position) => before[position]);
    if (!oldValues.includes(null)) this.owe(new ParentCheck(this, key, oldValues, undefined));
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
    const check = new ChildCheck(this, key, values);
    if (this.context.isDeferred(key.constraint)) this.defer(key.constraint, () => this.deferredParent(check));
    else this.context.triggers.owe(check);
  }

  private owe(check: ParentCheck): void {
    const { constraint } = check.key;
    // Only NO ACTION can wait; actions are part of the statement.
    if (check.action === 'no action' && this.context.isDeferred(constraint))
      this.defer(constraint, () => this.settleChildren(check));
    else this.context.triggers.owe(check);
  }

  private defer(constraint: ForeignKey, run: DeferredCheck['run']): void {
    const { oid, kind } = constraint;
    this.context.defer({ constraint: { oid, kind, tableOid: this.rules.table.oid }, run });
  }

  private *deferredParent(check: ChildCheck): Generator<Yielded, void, void> {
    const child = this.context.objects.object(this.rules.table.oid);
    // The parent may have been dropped since, and the constraint with it.
    if (child?.kind !== 'table' || !hasConstraint(child, check.key.constraint)) return;
    for (let wait = this.checkParent(check); wait !== undefined; wait = this.checkParent(check)) yield wait;
  }

  /** A row that a trigger or the same transaction has removed or changed again asks for nothing. */
  private stillThere({ key, values }: ChildCheck): boolean {
    return this.childRows.some(this.rules.table, key.constraint, values, () => true);
  }

  /** 23503 unless the parent is there. A promise: wait, then call again. */
  checkParent(check: ChildCheck): Promise<void> | undefined {
    const { key, values } = check;
    const { constraint } = key;
    const { context } = this;
    const parent = context.objects.object(constraint.referencedTableOid);
    assert(parent?.kind === 'table', 'a foreign key refers to a table');
    const shared = this.parentKeys.share(constraint, values);
    if (shared !== undefined) return shared;
    if (parent.collection !== undefined) {
      const found = this.documentIsThere(parent, key, values);
      if (found instanceof Promise) return found;
      if (found) return undefined;
    } else {
      const { parentKeys } = this;
      // Where no partition would take the key there is nothing to hold: whoever adds one waits for those who share the table.
      if (parentKeys.encode(constraint, values)) {
        const wait = parentKeys.hold();
        if (wait !== undefined) return wait;
        if (parentKeys.isThere()) return undefined;
      }
    }
    if (!this.stillThere(check)) return undefined;
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
    const { parentKeys } = this;
    if (!parentKeys.encode(constraint, before)) return true;
    const old = parentKeys.key.take();
    if (!parentKeys.encode(constraint, after)) return true;
    return String(old) !== String(parentKeys.key.view());
  }

  /** Does what the foreign key says about the rows that had the key for their parent, or raises 23503. */
  *settleChildren({ key: planned, action, oldValues, newValues }: ParentCheck): Generator<Yielded, void, void> {
    const { context, rules } = this;
    const { constraint } = planned;
    const { oid } = planned.child;
    for (let wait = this.childRows.share(planned.child); wait !== undefined; wait = this.childRows.share(planned.child))
      yield wait;
    // Until we shared it, the child may have been altered, and its rows may lie elsewhere now.
    const child = context.objects.object(oid);
    if (child?.kind !== 'table' || !hasConstraint(child, constraint)) return;
    const key = { ...planned, child };
    // NO ACTION is content when another row has the key by the end of the statement.
    if (action === 'no action' && this.parentIsBack(key, oldValues)) return;
    this.guardChildren(key, oldValues);
    if (changesRows(action)) {
      const target = actionTarget(child, constraint, action, newValues !== undefined);
      const change = this.childRows.change(child, constraint, action, oldValues, newValues);
      yield* context.triggers.within(target, change);
      // Rows that had the default before have kept the key that went away.
      if (action !== 'set default' || this.parentIsBack(key, oldValues)) return;
    }
    if (!this.childRows.some(child, constraint, oldValues, () => true)) return;
    throw stillReferenced(rules.table, key, oldValues, context);
  }

  private parentIsBack({ constraint }: IncomingKey, values: readonly Value[]): boolean {
    return this.parentKeys.encode(constraint, values) && this.parentKeys.isThere();
  }

  /** At the optimistic levels nobody may add a child while the parent goes; at read committed the key's lock keeps them out. */
  private guardChildren(key: IncomingKey, values: readonly Value[]): void {
    const { transaction } = this.context;
    const { constraint, child } = key;
    if (transaction.concurrency !== 'locking') {
      const { parentKeys } = this;
      if (parentKeys.encode(constraint, values)) transaction.guard(parentKeys.key.buffer, 0, parentKeys.key.length);
    }
    this.childRows.guard(child, constraint, values);
  }
}
