/**
 * Keeps the exclusion constraints of a table's rows (exclusion-rule.ts) as they are written.
 *
 * A constraint that cannot be deferred is asked before its row is written, any other when the statement or the transaction ends. Either
 * way the part of the index where rows in the way could be is locked as a whole, and so it is by whoever takes an entry out of it: of two
 * transactions that write there the second waits, and then sees what the first has left. At the optimistic levels that part is guarded
 * instead, and the commit fails when somebody else has written there.
 */
import { ByteSlot, prefixRange } from '@phantom/kv';
import { LockStrength } from '@phantom/mvcc';
import type { Yielded } from '../exec/runtime.js';
import type { Value } from '../types/type.js';
import { exclusionViolation } from './constraint-errors.js';
import type { ExclusionRule } from './exclusion-rule.js';
import type { ExcludingRule, TableRules } from './table-rules.js';
import type { WriterContext } from './writer-context.js';

type Found = NonNullable<ReturnType<ExclusionRule['find']>>;

export class ExclusionChecks {
  private readonly rules: TableRules;
  private readonly context: WriterContext;
  private readonly parts: Value[] = [];
  private readonly slot = new ByteSlot();

  constructor(rules: TableRules, context: WriterContext) {
    this.rules = rules;
    this.context = context;
  }

  /**
   * Asks the constraint of an index for a row that is about to be written; `own` is the key of the entry that the row gives up. The
   * cursor stands on an entry that is in the way, and is the caller's to close. A promise: wait, then call again.
   */
  claim(
    { exclusion: rule }: ExcludingRule,
    parts: readonly Value[],
    own: Uint8Array | undefined,
  ): Found | Promise<void> | undefined {
    if (rule.isFree(parts)) return undefined;
    return this.hold(rule, parts) ?? rule.find(parts, own, this.context.transaction, this.context.evaluation);
  }

  /** 23P01, naming the entry under the cursor, which is closed. */
  violated(rule: ExclusionRule, parts: readonly Value[], found: Found): Error {
    const error = exclusionViolation(this.rules.table, rule.index, parts, rule.partsAt(found), this.context);
    found.close();
    return error;
  }

  /** A row is about to leave the entries that it has. A promise: wait, then call again. */
  leave(row: readonly Value[]): Promise<void> | undefined {
    for (const rule of this.rules.exclusions) {
      if (!rule.covers(row, this.context.evaluation)) continue;
      rule.parts(row, this.parts, this.context.evaluation);
      const wait = this.leaveEntry(rule, this.parts);
      if (wait !== undefined) return wait;
    }
    return undefined;
  }

  leaveEntry({ exclusion: rule }: ExcludingRule, parts: readonly Value[]): Promise<void> | undefined {
    return rule.isFree(parts) ? undefined : this.hold(rule, parts);
  }

  /** A row of a deferrable constraint has been entered under the key. The parts stay the caller's. */
  entered(rule: ExclusionRule, parts: readonly Value[], key: Uint8Array): void {
    if (rule.isFree(parts)) return;
    const kept = parts.slice(0, rule.index.parts.length);
    const { constraint } = rule;
    if (!this.context.isDeferred(constraint)) {
      this.context.triggers.owe({ fires: false, settle: () => this.check(rule, kept, key) });
      return;
    }
    const { oid, kind } = constraint;
    this.context.defer({
      constraint: { oid, kind, tableOid: this.rules.table.oid },
      run: () => this.untilSettled(rule, kept, key),
    });
  }

  private *untilSettled(rule: ExclusionRule, parts: readonly Value[], key: Uint8Array): Generator<Yielded, void, void> {
    for (let wait = this.check(rule, parts, key); wait !== undefined; wait = this.check(rule, parts, key)) yield wait;
  }

  /** 23P01 when the entry is there still, and one that it must not stand beside. */
  private check(rule: ExclusionRule, parts: readonly Value[], key: Uint8Array): Promise<void> | undefined {
    const wait = this.hold(rule, parts);
    if (wait !== undefined) return wait;
    const { transaction, evaluation } = this.context;
    if (!transaction.getNewest(key, 0, key.length, this.slot)) return undefined;
    const found = rule.find(parts, key, transaction, evaluation);
    if (found !== undefined) throw this.violated(rule, parts, found);
    return undefined;
  }

  private hold(rule: ExclusionRule, parts: readonly Value[]): Promise<void> | undefined {
    const { transaction } = this.context;
    const prefix = rule.prefix(parts);
    const entries = prefixRange(prefix.take());
    if (transaction.concurrency === 'locking') {
      const wait = transaction.lock(prefix.buffer, 0, prefix.length, LockStrength.Update, 'wait');
      if (wait instanceof Promise) return wait;
    } else {
      transaction.guardRange(entries);
    }
    transaction.relyOnNewest(entries);
    return undefined;
  }
}
