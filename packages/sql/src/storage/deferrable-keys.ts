/**
 * Checks of deferrable primary keys and unique constraints. Their indexes take any number of entries for one key; what was
 * entered is looked at again when the statement ends, or before the commit, and two entries are an error then.
 *
 * Nobody is waited for while rows are written. The check locks the key as a whole (the entry's key without its row), as does
 * whoever takes an entry away: so of two transactions that enter the same key the second to be checked sees the first's row,
 * and one that enters what another is removing waits for it. At the optimistic levels the entries of the key are guarded
 * instead: the commit fails when somebody else has written among them.
 */
import { ByteWriter } from '@phantom/base';
import type { TableDescriptor } from '@phantom/catalog';
import { prefixRange } from '@phantom/kv';
import { LockStrength } from '@phantom/mvcc';
import type { Yielded } from '../exec/runtime.js';
import type { Value } from '../types/type.js';
import { uniqueViolation } from './constraint-errors.js';
import type { IndexRule, KeyConstraint } from './table-rules.js';
import type { WriterContext } from './writer-context.js';

interface KeyCheck {
  readonly rule: IndexRule;
  readonly parts: readonly Value[];
}

export class DeferrableKeyChecks {
  private readonly table: TableDescriptor;
  private readonly context: WriterContext;

  constructor(table: TableDescriptor, context: WriterContext) {
    this.table = table;
    this.context = context;
  }

  /** A row has been entered under the parts, which stay the caller's. */
  entered(rule: IndexRule, constraint: KeyConstraint, parts: readonly Value[]): void {
    if (!rule.physical.isUniqueKey(parts)) return;
    const check = { rule, parts: parts.slice(0, rule.index.parts.length) };
    if (!this.context.isDeferred(constraint)) {
      this.context.triggers.owe({ fires: false, settle: () => this.check(check) });
      return;
    }
    const { oid, kind } = constraint;
    this.context.defer({ constraint: { oid, kind, tableOid: this.table.oid }, run: () => this.untilSettled(check) });
  }

  private *untilSettled(check: KeyCheck): Generator<Yielded, void, void> {
    for (let wait = this.check(check); wait !== undefined; wait = this.check(check)) yield wait;
  }

  /** Two entries of the key are 23505. A promise: wait, then call again. */
  private check({ rule, parts }: KeyCheck): Promise<void> | undefined {
    const { context } = this;
    const { transaction } = context;
    const key = new ByteWriter();
    key.bytes(rule.physical.prefix);
    rule.physical.keyCode.encodePrefix(parts, parts.length, key);
    const entries = prefixRange(key.take());
    if (transaction.concurrency === 'locking') {
      const wait = transaction.lock(key.buffer, 0, key.length, LockStrength.Update, 'wait');
      if (wait instanceof Promise) return wait;
    } else {
      transaction.guardRange(entries);
    }
    transaction.relyOnNewest(entries);
    const cursor = transaction.cursorNewest(entries);
    try {
      if (!cursor.next() || !cursor.next()) return undefined;
    } finally {
      cursor.close();
    }
    throw uniqueViolation(this.table, rule.index, parts, context);
  }
}
