/**
 * The writer of an inheritance tree: hands each row to the writer of the table that it lies in. Rows come as the named table has them;
 * a table below it keeps what it has besides, and computes its generated columns anew. New rows are the named table's.
 *
 * Triggers of rows are those of the table that a row lies in; those of statements are the named table's, and know all rows.
 */
import { assert } from '@phantom/base';
import type { Oid, TableDescriptor, TriggerEvent } from '@phantom/catalog';
import { type SpaceId, spaceOfKey } from '@phantom/kv';
import { StatementRestart } from '../../exec/runtime.js';
import type { Value } from '../../types/type.js';
import { RowMap } from '../partitions/row-map.js';
import { physicalTable } from '../physical-table.js';
import type { Arbitration, RowReference, StatementWriter, WriteOutcome } from '../table-writer.js';
import { tableTriggers } from '../triggers/table-triggers.js';
import type { WriterContext } from '../writer-context.js';
import { isCurrentTree, membersOf, rootOf } from './table-tree.js';

type Row = readonly Value[];

/** A table of the tree as rows are written to it. */
interface Member {
  readonly table: TableDescriptor;
  readonly rows: RowMap;
}

/** A row as its own table has it, before and after. */
interface OwnRows {
  readonly old: Row;
  readonly values: Row;
}

export class TreeWriter implements StatementWriter {
  readonly rowsWritten = 0;
  readonly conflict: undefined;
  stored: Row = [];
  /** Of the table that was written to last. */
  writtenOid: Oid = 0;
  private readonly tree: TableDescriptor;
  private readonly root: TableDescriptor;
  private readonly context: WriterContext;
  private readonly bySpace = new Map<SpaceId, Member>();
  /** Triggers of the named table's statements know rows as relations. */
  private readonly keepsRows: boolean;
  private isLocked = false;
  /** The row for which a member's writer had to wait: it is asked again with the same one. */
  private waiting: { readonly given: Row; readonly own: OwnRows } | undefined;

  constructor(tree: TableDescriptor, context: WriterContext) {
    this.tree = tree;
    this.root = rootOf(tree);
    this.context = context;
    this.keepsRows = tableTriggers(this.root, context.objects, context.picture)?.keepsRows ?? false;
    for (const table of membersOf(tree) ?? [])
      this.bySpace.set(table.space, { table, rows: new RowMap(this.root, table) });
  }

  get tableOid(): Oid {
    return this.root.oid;
  }

  beginStatement(): void {
    this.isLocked = false;
    this.waiting = undefined;
  }

  leavesUnread(): boolean {
    return false;
  }

  insert(values: Row, arbitration?: Arbitration): WriteOutcome | Promise<void> {
    assert(arbitration === undefined, 'rows in the way of others are met in one table');
    const wait = this.lockTree();
    if (wait !== undefined) return wait;
    const writer = this.context.writer(this.root);
    const outcome = writer.insert(values);
    if (outcome instanceof Promise) return outcome;
    this.stored = writer.stored ?? values;
    this.writtenOid = this.root.oid;
    return outcome;
  }

  update(old: RowReference, oldValues: Row, values: Row): WriteOutcome | Promise<void> {
    const wait = this.lockTree();
    if (wait !== undefined) return wait;
    const member = this.memberOf(old);
    const own = this.ownRows(member, old, oldValues, values);
    const writer = this.context.writer(member.table);
    const outcome = writer.update(old, own.old, own.values);
    return this.settled(member, 'update', outcome, { given: values, own }, oldValues, writer.stored);
  }

  remove(old: RowReference, oldValues: Row): WriteOutcome | Promise<void> {
    const wait = this.lockTree();
    if (wait !== undefined) return wait;
    const member = this.memberOf(old);
    const own = this.ownRows(member, old, oldValues, oldValues);
    const outcome = this.context.writer(member.table).remove(old, own.old);
    return this.settled(member, 'delete', outcome, { given: oldValues, own }, oldValues, undefined);
  }

  private settled(
    { table, rows }: Member,
    event: TriggerEvent,
    outcome: WriteOutcome | Promise<void>,
    written: { readonly given: Row; readonly own: OwnRows },
    oldValues: Row,
    stored: Row | undefined,
  ): WriteOutcome | Promise<void> {
    this.waiting = outcome instanceof Promise ? written : undefined;
    if (outcome !== 'written') return outcome;
    this.stored = rows.toParent(stored ?? written.own.values);
    this.writtenOid = table.oid;
    if (this.keepsRows && table !== this.root)
      this.context.triggers.routed(this.root, event, oldValues, event === 'delete' ? null : this.stored);
    return outcome;
  }

  /** The rows as their own table has them: what the named one does not know stays as it is stored. */
  private ownRows({ table, rows }: Member, { row }: RowReference, oldValues: Row, values: Row): OwnRows {
    if (this.waiting?.given === values) return this.waiting.own;
    if (table === this.root) return { old: oldValues, values };
    const { picture, evaluation } = this.context;
    const old: Value[] = table.columns.map(() => null);
    physicalTable(table, picture.types).decode(row, 0, row.length, old, evaluation);
    if (values === oldValues) return { old, values: old };
    const changed = old.slice();
    rows.positions.forEach((at, i) => {
      if (at >= 0) changed[at] = values[i];
    });
    return { old, values: changed };
  }

  private memberOf({ key }: RowReference): Member {
    const member = this.bySpace.get(spaceOfKey(key, 0));
    if (member === undefined) throw StatementRestart.instance;
    return member;
  }

  /** Each member's writer locks its own table; what the tree is made of must not have changed meanwhile. */
  private lockTree(): Promise<void> | undefined {
    if (this.isLocked) return undefined;
    const { context, root, tree } = this;
    const wait = context.lockTable(root.oid);
    if (wait !== undefined) return wait;
    const now = context.objects.object(root.oid);
    if (now?.kind !== 'table' || !isCurrentTree(tree, now, context.picture)) throw StatementRestart.instance;
    this.isLocked = true;
    return undefined;
  }
}
