/**
 * The writer of one table in one statement (its face and pattern of use are in table-writer.ts).
 *
 * Each write has two halves. The first may wait and changes nothing: it locks, looks for rows in the way, computes what
 * will be written. The second cannot fail and puts the row and its index entries into the transaction. So a caller who had to
 * wait simply calls again.
 *
 * How each isolation level keeps uniqueness:
 *   read committed                  the key is locked first, then the newest committed state decides
 *   repeatable read, serializable   the newest committed state decides now; a row committed meanwhile is a write to the
 *                                   same key, and the commit's validation raises 23505 through the conflict's names
 *
 * Updates of unique keys are checked row by row, as PostgreSQL does for constraints that are not deferrable; those that are
 * have their duplicates counted later (deferrable-keys.ts).
 */
import { ByteWriter, PhantomError, equalBytes } from '@phantom/base';
import type { Oid, TableDescriptor } from '@phantom/catalog';
import { ByteSlot, SPACE_BYTES, type ValueSource, spaceOfKey } from '@phantom/kv';
import { LockStrength } from '@phantom/mvcc';
import { StatementRestart } from '../exec/runtime.js';
import type { Value } from '../types/type.js';
import { completeRow } from './complete-row.js';
import { changedInside, checkKeyBytes, deferrableArbiter, uniqueViolation } from './constraint-errors.js';
import { markRow } from './columnar/markers.js';
import { DeferrableKeyChecks } from './deferrable-keys.js';
import { ExclusionChecks } from './exclusion-checks.js';
import { ForeignKeyChecks } from './foreign-keys.js';
import { InvertedEntries } from './inverted-entries.js';
import { keepsValues } from './kept-values.js';
import { rowKeyOfEntry, writeEntry } from './physical-table.js';
import { type IndexRule, type TableRules, positionsOf, tableRules } from './table-rules.js';
import type { Arbitration, MovedRow, RowReference, StatementWriter, WriteOutcome } from './table-writer.js';
import type { WriterContext } from './writer-context.js';

const NO_BYTES = new Uint8Array(0);
/** Where all writers encode: a transaction makes one for each table, and a call has used up what it has encoded when it returns. */
const KEY = new ByteWriter();
const ENTRY = new ByteWriter();

export class RowWriter implements StatementWriter, ValueSource {
  rowsWritten = 0;
  conflict: RowReference | undefined;
  stored: readonly Value[] | undefined = undefined;
  private readonly context: WriterContext;
  private readonly rules: TableRules;
  private readonly foreignKeys: ForeignKeyChecks;
  private readonly deferrableKeys: DeferrableKeyChecks;
  private readonly exclusions: ExclusionChecks | undefined;
  private readonly inverted: readonly InvertedEntries[];
  private locking = false;
  private readonly key = KEY;
  private readonly entry = ENTRY;
  private readonly slot = new ByteSlot();
  private readonly parts: Value[] = [];
  private readonly oldParts: Value[] = [];
  private tableLocked = false;
  /** What the last INSERT said of rows in the way, and how firmly those are held for it. */
  private arbitration: Arbitration | undefined = undefined;
  private meeting: LockStrength = LockStrength.Update;
  /** What `writeValue` writes. */
  private row: readonly Value[] = [];
  private replaced: ByteSlot | undefined = undefined;

  get tableOid(): Oid {
    return this.rules.table.oid;
  }

  get marksRows(): boolean {
    return this.rules.columnar.length > 0;
  }

  /** Rows in the way stay as they are. */
  private get keepsMet(): boolean {
    return this.meeting === LockStrength.KeyShare;
  }

  /** A new statement, perhaps of another transaction: nothing is owed, nothing written yet. */
  beginStatement(): void {
    this.locking = this.context.transaction.concurrency === 'locking';
    this.rowsWritten = 0;
    this.conflict = undefined;
    // Going back to a savepoint gives locks back.
    this.tableLocked = false;
  }

  constructor(table: TableDescriptor, context: WriterContext) {
    this.context = context;
    this.rules = tableRules(table, context.objects, context.picture);
    this.foreignKeys = new ForeignKeyChecks(this.rules, context);
    this.deferrableKeys = new DeferrableKeyChecks(table, context);
    this.exclusions = this.rules.exclusions.length === 0 ? undefined : new ExclusionChecks(this.rules, context);
    this.inverted = this.rules.inverted.map((rule) => new InvertedEntries(rule, context.picture.types));
    this.locking = context.transaction.concurrency === 'locking';
  }

  insert(values: readonly Value[], arbitration?: Arbitration): WriteOutcome | Promise<void> {
    const wait = this.lockTable();
    if (wait !== undefined) return wait;
    const row = completeRow(this.rules, values, this.context, undefined);
    this.encodeRowKey(row, undefined);
    this.stored = row;
    const taken = this.claimInsert(row, arbitration);
    if (taken !== undefined) return taken;
    this.putRow(row, undefined);
    for (const rule of this.rules.indexes) {
      if (!rule.covers(row, this.context.evaluation)) continue;
      rule.parts(row, this.parts, this.context.evaluation);
      this.putEntry(rule, this.parts, row);
    }
    const { transaction, evaluation } = this.context;
    for (const entries of this.inverted) entries.insert(row, this.key.view(), transaction, evaluation);
    this.mark(this.key.buffer, this.key.length);
    this.foreignKeys.inserted(row);
    this.rowsWritten++;
    return 'written';
  }

  leavesUnread(positions: readonly number[]): boolean {
    const { readsColumn } = this.rules;
    for (let i = 0; i < positions.length; i++) if (readsColumn[positions[i] as number] === true) return false;
    return true;
  }

  update(old: RowReference, oldValues: readonly Value[], values: readonly Value[]): WriteOutcome | Promise<void> {
    const wait = this.lockTable();
    if (wait !== undefined) return wait;
    const strength = this.changesKey(oldValues, values) ? LockStrength.Update : LockStrength.NoKeyUpdate;
    const held = this.holdRow(old, strength, 'updated');
    if (held !== undefined) return held;
    const row = completeRow(this.rules, values, this.context, old);
    this.encodeRowKey(row, old.key);
    const moved = !equalBytes(this.key.buffer, 0, this.key.length, old.key, 0, old.key.length);
    const taken = this.claimUpdate(row, oldValues, moved, old.key);
    if (taken !== undefined) return taken;
    const { transaction, evaluation } = this.context;
    if (moved) transaction.remove(old.key, 0, old.key.length);
    this.putRow(row, old.stored);
    for (const rule of this.rules.indexes) this.moveEntry(rule, oldValues, row, old.key, moved, evaluation);
    for (const entries of this.inverted)
      entries.update(oldValues, old.key, row, this.key.view(), transaction, evaluation);
    this.markUpdated(oldValues, row, old.key, moved);
    this.foreignKeys.updated(oldValues, row);
    this.stored = row;
    this.rowsWritten++;
    return 'written';
  }

  remove(old: RowReference, oldValues: readonly Value[], moved?: MovedRow): WriteOutcome | Promise<void> {
    const wait = this.lockTable();
    if (wait !== undefined) return wait;
    const held = this.holdRow(old, LockStrength.Update, 'deleted');
    if (held !== undefined) return held;
    const locked = this.lockUniqueEntries(oldValues) ?? this.exclusions?.leave(oldValues);
    if (locked !== undefined) return locked;
    const { transaction, evaluation } = this.context;
    transaction.remove(old.key, 0, old.key.length);
    for (const rule of this.rules.indexes) {
      if (!rule.covers(oldValues, evaluation)) continue;
      rule.parts(oldValues, this.oldParts, evaluation);
      this.encodeEntryKey(rule, this.oldParts, old.key);
      transaction.remove(this.entry.buffer, 0, this.entry.length);
    }
    for (const entries of this.inverted) entries.remove(oldValues, old.key, transaction, evaluation);
    this.mark(old.key, old.key.length);
    if (moved === undefined) this.foreignKeys.removed(oldValues);
    else this.foreignKeys.moved(oldValues, moved);
    this.rowsWritten++;
    return 'written';
  }

  private lockTable(): Promise<void> | undefined {
    if (this.tableLocked) return undefined;
    const wait = this.context.lockTable(this.rules.table.oid);
    if (wait !== undefined) return wait;
    // Whoever had it may have altered it: the statement is planned anew.
    if (this.context.objects.object(this.rules.table.oid) !== this.rules.table) throw StatementRestart.instance;
    this.tableLocked = true;
    return undefined;
  }

  /** The row's key into `key`; a hidden row number stays what it is (`oldKey`) or is made now. */
  private encodeRowKey(row: readonly Value[], oldKey: Uint8Array | undefined): void {
    const { key, rules } = this;
    const { physical } = rules;
    key.reset();
    if (physical.hasRowNumber && oldKey !== undefined) {
      key.bytes(oldKey);
      return;
    }
    key.bytes(physical.prefix);
    if (physical.hasRowNumber) {
      const number = this.context.rowNumbers.next(rules.table.space, this.context.transaction);
      physical.keyCode.encodePrefix([number], 1, key);
    } else {
      physical.keyCode.encode(row, key);
      checkKeyBytes(key.length, rules.table.name);
    }
  }

  /** Locks and looks at every unique key of a new row. Undefined: nothing is in the way. */
  private claimInsert(
    row: readonly Value[],
    arbitration: Arbitration | undefined,
  ): WriteOutcome | Promise<void> | undefined {
    const { rules } = this;
    if (arbitration !== undefined) this.arbitrate(arbitration);
    // A conflict that the statement asks for is met before any that it does not.
    if (arbitration !== undefined && arbitration.arbiters.length > 0) {
      for (const rule of rules.indexes) {
        if (!rule.index.unique) break;
        if (!arbitration.arbiters.includes(rule.index.oid)) continue;
        const outcome = this.claimEntry(rule, row, arbitration);
        if (outcome !== undefined) return outcome;
      }
    }
    if (!rules.physical.hasRowNumber) {
      const isMet = isArbiter(rules.primary?.oid, arbitration);
      const taken = isMet ? this.claimOrMeet(this.key) : this.claim(this.key);
      if (taken instanceof Promise) return taken;
      if (taken && !isMet) throw this.primaryViolation(row);
      // It is held since, and stands in `slot`.
      if (taken) return this.meet(this.key.take());
    }
    for (const rule of rules.indexes) {
      if (!rule.index.unique) break;
      const outcome = this.claimEntry(rule, row, arbitration);
      if (outcome !== undefined) return outcome;
    }
    return this.exclusions === undefined ? undefined : this.claimExclusions(this.exclusions, row, arbitration);
  }

  /** Asks the exclusion constraints for a new row. */
  private claimExclusions(
    checks: ExclusionChecks,
    row: readonly Value[],
    arbitration: Arbitration | undefined,
  ): WriteOutcome | Promise<void> | undefined {
    const { rules, parts, context } = this;
    for (const rule of rules.exclusions) {
      if (rule.exclusion.constraint.deferrable) continue;
      if (!rule.covers(row, context.evaluation)) continue;
      rule.parts(row, parts, context.evaluation);
      const found = checks.claim(rule, parts, undefined);
      if (found === undefined) continue;
      if (found instanceof Promise) return found;
      if (arbitration?.action !== 'nothing' || !isArbiter(rule.index.oid, arbitration))
        throw checks.violated(rule.exclusion, parts, found);
      const rowKey = rowKeyOfEntry(found.key, found.value, rule.physical, rules.physical.prefix);
      found.close();
      return this.meetEntry(rowKey);
    }
    return undefined;
  }

  /** The same for a row that is changed, and whose entries under `oldKey` go. */
  private claimMoves(
    checks: ExclusionChecks,
    before: readonly Value[],
    after: readonly Value[],
    oldKey: Uint8Array,
  ): Promise<void> | undefined {
    const { evaluation } = this.context;
    for (const rule of this.rules.exclusions) {
      if (rule.keepsEntry(before, after)) continue;
      let own: Uint8Array | undefined;
      if (rule.covers(before, evaluation)) {
        rule.parts(before, this.oldParts, evaluation);
        const wait = checks.leaveEntry(rule, this.oldParts);
        if (wait !== undefined) return wait;
        this.encodeEntryKey(rule, this.oldParts, oldKey);
        own = this.entry.take();
      }
      if (rule.exclusion.constraint.deferrable || !rule.covers(after, evaluation)) continue;
      rule.parts(after, this.parts, evaluation);
      const found = checks.claim(rule, this.parts, own);
      if (found instanceof Promise) return found;
      if (found !== undefined) throw checks.violated(rule.exclusion, this.parts, found);
    }
    return undefined;
  }

  /** How firmly rows in the way will be held: no firmer than for what becomes of them. */
  private arbitrate(arbitration: Arbitration): void {
    if (arbitration === this.arbitration) return;
    const { table, indexes, referablePositions, referablesComputed } = this.rules;
    for (const { index, deferrable, exclusion } of indexes) {
      const isDeferrable = deferrable !== undefined || exclusion?.constraint.deferrable === true;
      if (!isDeferrable || !isArbiter(index.oid, arbitration)) continue;
      throw deferrableArbiter(table, index, this.context);
    }
    const { action, assigned } = arbitration;
    const setsKey = positionsOf(table, assigned).some((position) => referablePositions.includes(position));
    if (action === 'nothing') this.meeting = LockStrength.KeyShare;
    else this.meeting = setsKey || referablesComputed ? LockStrength.Update : LockStrength.NoKeyUpdate;
    this.arbitration = arbitration;
  }

  private claimUpdate(
    row: readonly Value[],
    oldValues: readonly Value[],
    moved: boolean,
    oldKey: Uint8Array,
  ): WriteOutcome | Promise<void> | undefined {
    const { rules, context } = this;
    if (moved) {
      const taken = this.claim(this.key);
      if (taken instanceof Promise) return taken;
      if (taken) throw this.primaryViolation(row);
    }
    for (const rule of rules.indexes) {
      if (!rule.index.unique) break;
      if (this.sameUniqueEntry(rule, oldValues, row)) continue;
      if (rule.covers(oldValues, context.evaluation)) {
        const wait = this.lockEntry(rule, oldValues);
        if (wait !== undefined) return wait;
      }
      const outcome = this.claimEntry(rule, row, undefined);
      if (outcome !== undefined) return outcome;
    }
    return this.exclusions === undefined ? undefined : this.claimMoves(this.exclusions, oldValues, row, oldKey);
  }

  private claimEntry(
    rule: IndexRule,
    row: readonly Value[],
    arbitration: Arbitration | undefined,
  ): WriteOutcome | Promise<void> | undefined {
    const { evaluation } = this.context;
    if (!rule.covers(row, evaluation)) return undefined;
    rule.parts(row, this.parts, evaluation);
    if (!rule.physical.isUniqueEntry(this.parts)) return undefined;
    this.encodeEntryKey(rule, this.parts, NO_BYTES);
    const isMet = isArbiter(rule.index.oid, arbitration);
    const taken = isMet ? this.claimOrMeet(this.entry) : this.claim(this.entry);
    if (taken instanceof Promise) return taken;
    if (!taken) return undefined;
    if (!isMet) throw uniqueViolation(this.rules.table, rule.index, this.parts, this.context);
    return this.meetEntry(rowKeyOfEntry(this.slot, this.slot, rule.physical, this.rules.physical.prefix));
  }

  /**
   * Locks a key where the level asks for it, and tells whether a row or entry is there already (its value in `slot`): if not, it
   * is written before the turn ends.
   */
  private claim(key: ByteWriter): boolean | Promise<void> {
    const { transaction } = this.context;
    if (this.locking) {
      const wait = transaction.claim(key.buffer, 0, key.length);
      if (wait instanceof Promise) return wait;
    }
    return transaction.getNewest(key.buffer, 0, key.length, this.slot);
  }

  /**
   * The same where the statement says what becomes of a row that is there: it is held for that only, so that nobody waits for
   * those who refer to it, nor they for the statement.
   */
  private claimOrMeet(key: ByteWriter): boolean | Promise<void> {
    const { transaction } = this.context;
    const { buffer, length } = key;
    transaction.arbitrate(spaceOfKey(buffer, 0));
    if (!this.locking) return transaction.getNewest(buffer, 0, length, this.slot);
    const isThere = transaction.getNewest(buffer, 0, length, this.slot);
    if (isThere) {
      // Two who waited together to share a key that has gone since would each be in the way of the other's claim.
      const held = transaction.lock(buffer, 0, length, this.meeting, this.keepsMet ? 'skip' : 'wait');
      if (held instanceof Promise) return held;
      if (held === undefined) return true;
    }
    const wait = transaction.lock(buffer, 0, length, LockStrength.Update, 'wait');
    return wait instanceof Promise ? wait : isThere;
  }

  /** The entry of a row is in the way of a statement that says what becomes of it: the row is held if it is changed, and met. */
  private meetEntry(rowKey: Uint8Array): WriteOutcome | Promise<void> {
    const { transaction } = this.context;
    if (this.locking && !this.keepsMet) {
      const wait = transaction.lock(rowKey, 0, rowKey.length, this.meeting, 'wait');
      if (wait instanceof Promise) return wait;
    }
    return transaction.getNewest(rowKey, 0, rowKey.length, this.slot) ? this.meet(rowKey) : 'changed';
  }

  /** The row that stands in `slot` is told as a conflict. The key is its own from now on. */
  private meet(key: Uint8Array): WriteOutcome {
    const { transaction } = this.context;
    if (transaction.isolation !== 'read committed' && transaction.changedSinceSnapshot(key, 0, key.length)) {
      throw transaction.lostRace(key, 0, key.length);
    }
    this.conflict = { key, row: this.slot.copy() };
    return 'conflict';
  }

  /** An update of what others may refer to: references (key share) do not go together with it. */
  private changesKey(before: readonly Value[], after: readonly Value[]): boolean {
    const { referablePositions, referablesComputed } = this.rules;
    return referablesComputed || !keepsValues(referablePositions, before, after);
  }

  /** Makes sure that nobody else changes a row that was read, and that it still is what was read. */
  private holdRow(
    old: RowReference,
    strength: LockStrength,
    what: 'updated' | 'deleted',
  ): WriteOutcome | Promise<void> | undefined {
    const { transaction } = this.context;
    const { key } = old;
    // The row a conflict was met on was read in its newest version, and is held since; a trigger may change its key all the same.
    if (old === this.conflict) {
      if (!this.locking || strength <= this.meeting) return undefined;
      const wait = transaction.lock(key, 0, key.length, strength, 'wait');
      return wait instanceof Promise ? wait : undefined;
    }
    if (this.locking) {
      const wait = transaction.lock(key, 0, key.length, strength, 'wait');
      if (wait instanceof Promise) return wait;
    }
    if (transaction.wroteInside && !this.isAsRead(old)) throw changedInside(what);
    if (!transaction.changedSinceSnapshot(key, 0, key.length)) return undefined;
    if (transaction.isolation === 'read committed') return 'changed';
    throw transaction.lostRace(key, 0, key.length);
  }

  /** No function or trigger of this statement has changed the row since it was read. */
  private isAsRead({ key, row }: RowReference): boolean {
    const { slot } = this;
    const isThere = this.context.transaction.getOwn(key, 0, key.length, slot);
    return isThere && equalBytes(slot.buffer, slot.start, slot.end, row, 0, row.length);
  }

  /** Whoever looks for a row through a unique index (a foreign key's child) locks its entry: so does who takes it away. */
  private lockUniqueEntries(row: readonly Value[]): Promise<void> | undefined {
    if (!this.locking) return undefined;
    for (const rule of this.rules.indexes) {
      if (!rule.index.unique) break;
      if (!rule.covers(row, this.context.evaluation)) continue;
      const wait = this.lockEntry(rule, row);
      if (wait !== undefined) return wait;
    }
    return undefined;
  }

  private lockEntry(rule: IndexRule, row: readonly Value[]): Promise<void> | undefined {
    if (!this.locking) return undefined;
    rule.parts(row, this.parts, this.context.evaluation);
    if (!rule.physical.isUniqueKey(this.parts)) return undefined;
    this.encodeEntryKey(rule, this.parts, NO_BYTES);
    const wait = this.context.transaction.lock(this.entry.buffer, 0, this.entry.length, LockStrength.Update, 'wait');
    return wait instanceof Promise ? wait : undefined;
  }

  private sameUniqueEntry(rule: IndexRule, before: readonly Value[], after: readonly Value[]): boolean {
    if (rule.keepsEntry(before, after)) return true;
    const { evaluation } = this.context;
    const was = rule.covers(before, evaluation);
    const is = rule.covers(after, evaluation);
    if (!was || !is) return !was && !is;
    rule.parts(before, this.oldParts, evaluation);
    this.encodeEntryKey(rule, this.oldParts, NO_BYTES);
    const old = this.entry.take();
    rule.parts(after, this.parts, evaluation);
    this.encodeEntryKey(rule, this.parts, NO_BYTES);
    return equalBytes(this.entry.buffer, 0, this.entry.length, old, 0, old.length);
  }

  /** Values may be kept of what is stored, where that is given. */
  private putRow(row: readonly Value[], stored: ByteSlot | undefined): void {
    this.row = row;
    this.replaced = stored;
    const { key } = this;
    this.context.transaction.putFrom(key.buffer, 0, key.length, this);
  }

  /** For `putRow`: the bytes of its row. */
  writeValue(writer: ByteWriter): void {
    const { row, replaced, rules } = this;
    if (replaced === undefined) rules.physical.codec.encode(row, writer);
    else rules.physical.codec.encodeOver(row, replaced.buffer, replaced.start, replaced.end, writer);
  }

  /** The index key of `parts` for the row under `rowKey` into `entry`. */
  private encodeEntryKey(rule: IndexRule, parts: readonly Value[], rowKey: Uint8Array): void {
    const { entry } = this;
    const { physical, index } = rule;
    entry.reset();
    entry.bytes(physical.prefix);
    physical.keyCode.encodePrefix(parts, index.parts.length, entry);
    if (!physical.isUniqueEntry(parts) && rowKey.length > 0) entry.bytes(rowKey, SPACE_BYTES);
    checkKeyBytes(entry.length, index.name);
  }

  /** Writes the entry of the row at hand, whose values in the index are `parts`. */
  private putEntry(rule: IndexRule, parts: readonly Value[], row: readonly Value[]): void {
    const { key, entry, context } = this;
    const { physical } = rule;
    this.encodeEntryKey(rule, parts, key.view());
    const isUnique = physical.isUniqueEntry(parts);
    // The next row is held against entries of an exclusion constraint as against those of a unique key.
    const target = isUnique || rule.exclusion !== undefined ? context.transaction : context.newEntries;
    writeEntry(target, physical, isUnique, entry, key.buffer, key.length, row);
    if (!isUnique && rule.deferrable !== undefined) this.deferrableKeys.entered(rule, rule.deferrable, parts);
    const { exclusion } = rule;
    if (exclusion?.constraint.deferrable === true) this.exclusions?.entered(exclusion, parts, entry.take());
  }

  /** Replaces a row's entry in an index; an entry that stays the same is not written. */
  private moveEntry(
    rule: IndexRule,
    before: readonly Value[],
    after: readonly Value[],
    oldKey: Uint8Array,
    moved: boolean,
    evaluation: WriterContext['evaluation'],
  ): void {
    if (!moved && rule.keepsEntry(before, after)) return;
    const { entry, context } = this;
    let old: Uint8Array | undefined;
    if (rule.covers(before, evaluation)) {
      rule.parts(before, this.oldParts, evaluation);
      this.encodeEntryKey(rule, this.oldParts, oldKey);
      old = entry.take();
    }
    if (!rule.covers(after, evaluation)) {
      if (old !== undefined) context.transaction.remove(old, 0, old.length);
      return;
    }
    rule.parts(after, this.parts, evaluation);
    this.encodeEntryKey(rule, this.parts, this.key.view());
    if (old !== undefined) {
      if (equalBytes(entry.buffer, 0, entry.length, old, 0, old.length)) {
        const { included } = rule.physical;
        if (!moved && (included === undefined || keepsValues(included.positions, before, after))) return;
      } else {
        context.transaction.remove(old, 0, old.length);
      }
    }
    this.putEntry(rule, this.parts, after);
  }

  /** Column indexes look for the row in the table from here on. */
  private mark(rowKey: Uint8Array, rowKeyBytes: number): void {
    const { transaction } = this.context;
    const { columnar } = this.rules;
    for (let i = 0; i < columnar.length; i++) {
      markRow(transaction, columnar[i]!, rowKey, rowKeyBytes, transaction.snapshotSeq);
    }
  }

  /** Marks a row in the column indexes of which it does not keep every value. */
  private markUpdated(before: readonly Value[], after: readonly Value[], oldKey: Uint8Array, moved: boolean): void {
    const { transaction } = this.context;
    const { columnar } = this.rules;
    const { key } = this;
    for (let i = 0; i < columnar.length; i++) {
      const index = columnar[i]!;
      if (!moved && keepsValues(index.positions, before, after)) continue;
      markRow(transaction, index, key.buffer, key.length, transaction.snapshotSeq);
      if (moved) markRow(transaction, index, oldKey, oldKey.length, transaction.snapshotSeq);
    }
  }

  private primaryViolation(row: readonly Value[]): PhantomError {
    const { rules } = this;
    const { primary, table } = rules;
    if (primary === undefined)
      return new PhantomError('23505', `duplicate key value violates the key of "${table.name}"`);
    const parts = rules.physical.keyCode.columns.map((column) => row[column.position as number]);
    return uniqueViolation(table, primary, parts, this.context);
  }
}

/** True when an INSERT with the arbitration says what becomes of rows in the way on the index. */
function isArbiter(indexOid: Oid | undefined, arbitration: Arbitration | undefined): boolean {
  if (arbitration === undefined) return false;
  const { arbiters } = arbitration;
  return arbiters.length === 0 || (indexOid !== undefined && arbiters.includes(indexOid));
}
