/**
 * Versions of keys: who wrote which, what is known of their order, and what each transaction has read of others.
 *
 *   lists       a read shows the whole order: [4, 9, 2] says that 4 came first. Reads of one list are prefixes of one another.
 *   registers   a partial order: INITIAL comes first, who reads a version and then writes makes a later one, and who began
 *               after another one had ended writes a later one (Elle, section 5.2).
 *
 * Only transactions that committed count. One with unknown outcome did when somebody has read what it wrote.
 */
import type { Anomaly } from './anomaly.js';
import { INITIAL, type Operation, type RecordedTransaction, isWrite } from './history.js';

export interface Write {
  readonly transaction: number;
  /** False when the same transaction wrote the key again. */
  isLast: boolean;
}

/** What a transaction read that it had not written itself. */
export interface ExternalRead {
  readonly transaction: number;
  /** Index of the operation. */
  readonly position: number;
  readonly key: number;
  /** The register's value, or the list's last one; INITIAL where there was none. */
  readonly version: number;
  /** All versions that were seen with it, oldest first. */
  readonly values: readonly number[];
  readonly scan: number | undefined;
}

export class Versions {
  readonly transactions: readonly RecordedTransaction[];
  readonly isCommitted: readonly boolean[];
  /** By transaction, in the order of its operations; of committed ones only. */
  readonly reads: readonly (readonly ExternalRead[])[];
  /** What no order of versions can explain. */
  readonly anomalies: Anomaly[] = [];
  private readonly writes = new Map<number, Map<number, Write>>();
  private readonly following = new Map<number, Map<number, number[]>>();

  constructor(transactions: readonly RecordedTransaction[]) {
    this.transactions = transactions;
    transactions.forEach((transaction, i) => this.noteWrites(transaction, i));
    this.isCommitted = this.committedOnes();
    this.reads = transactions.map((transaction, i) => (this.isCommitted[i] ? this.externalReads(transaction, i) : []));
    const lists = new Set<number>();
    for (const { operations } of transactions) {
      for (const { kind, key } of operations) if (kind === 'append' || kind === 'list') lists.add(key);
    }
    for (const key of this.keys())
      this.following.set(key, lists.has(key) ? this.listOrder(key) : this.registerOrder(key));
  }

  /** Keys that were written or read. */
  *keys(): Generator<number> {
    const keys = new Set(this.writes.keys());
    for (const reads of this.reads) for (const { key } of reads) keys.add(key);
    yield* keys;
  }

  /** Who wrote a version; undefined for INITIAL, and for what nobody wrote. */
  writeOf(key: number, version: number): Write | undefined {
    return this.writes.get(key)?.get(version);
  }

  /** Committed versions of a key with their writers. */
  *committedWrites(key: number): Generator<readonly [version: number, write: Write]> {
    for (const entry of this.writes.get(key) ?? []) if (this.isCommitted[entry[1].transaction] === true) yield entry;
  }

  /** Versions that are known to follow one, the next ones first. */
  followersOf(key: number, version: number): readonly number[] {
    return this.following.get(key)?.get(version) ?? [];
  }

  /**
   * Those of them between which and the version no other transaction is known to have written one. Of those that follow INITIAL
   * only such as no transaction can have come before that is not watched: the row may have been made by it.
   */
  nextOf(key: number, version: number, isWatched: (transaction: number) => boolean): readonly number[] {
    const followers = this.followersOf(key, version);
    const writerOf = (other: number): number | undefined => this.writeOf(key, other)?.transaction;
    return followers.filter(
      (next) =>
        !followers.some((other) => writerOf(other) !== writerOf(next) && this.isBefore(key, other, next)) &&
        (version !== INITIAL || !this.isPrecededBy(key, next, (transaction) => !isWatched(transaction))),
    );
  }

  /** Every version that is known to be later. */
  *laterThan(key: number, version: number): Generator<number> {
    const seen = new Set<number>(this.followersOf(key, version));
    for (const later of seen) {
      yield later;
      for (const next of this.followersOf(key, later)) seen.add(next);
    }
  }

  isBefore(key: number, version: number, other: number): boolean {
    for (const later of this.laterThan(key, version)) if (later === other) return true;
    return false;
  }

  /** True when somebody of a kind may have written the key before a version was written to it. */
  private isPrecededBy(key: number, version: number, isOfKind: (transaction: number) => boolean): boolean {
    const { transaction: writer } = this.writeOf(key, version) as Write;
    const { ended } = this.transactions[writer] as RecordedTransaction;
    for (const [other, { transaction }] of this.writes.get(key) ?? []) {
      if (transaction === writer || !isOfKind(transaction) || this.isBefore(key, version, other)) continue;
      // One with unknown outcome may have committed though nobody has seen it.
      const { outcome, began } = this.transactions[transaction] as RecordedTransaction;
      if (outcome !== 'aborted' && began < ended) return true;
    }
    return false;
  }

  private noteWrites({ operations }: RecordedTransaction, transaction: number): void {
    const last = new Map<number, Write>();
    for (const operation of operations) {
      if (!isWrite(operation)) continue;
      const { key, value } = operation;
      const previous = last.get(key);
      if (previous !== undefined) previous.isLast = false;
      const write: Write = { transaction, isLast: true };
      last.set(key, write);
      let versions = this.writes.get(key);
      if (versions === undefined) this.writes.set(key, (versions = new Map()));
      if (versions.has(value) || value === INITIAL) throw new Error(`${value} is written to key ${key} twice`);
      versions.set(value, write);
    }
  }

  private committedOnes(): boolean[] {
    const isCommitted = this.transactions.map(({ outcome }) => outcome === 'committed');
    for (let isSettled = false; !isSettled;) {
      isSettled = true;
      this.transactions.forEach(({ operations }, reader) => {
        if (isCommitted[reader] !== true) return;
        for (const operation of operations) {
          for (const value of valuesRead(operation)) {
            const writer = this.writeOf(operation.key, value)?.transaction ?? reader;
            if (isCommitted[writer] === true || this.transactions[writer]?.outcome !== 'unknown') continue;
            isCommitted[writer] = true;
            isSettled = false;
          }
        }
      });
    }
    return isCommitted;
  }

  private externalReads({ operations }: RecordedTransaction, transaction: number): ExternalRead[] {
    const reads: ExternalRead[] = [];
    const own = new Map<number, number[]>();
    operations.forEach((operation, position) => {
      const { kind, key } = operation;
      if (isWrite(operation)) {
        own.set(key, [...((kind === 'append' ? own.get(key) : undefined) ?? []), operation.value]);
        return;
      }
      const written = own.get(key) ?? [];
      const seen = valuesRead(operation);
      const others = seen.slice(0, Math.max(0, seen.length - written.length));
      if (written.some((value, i) => seen[others.length + i] !== value)) {
        this.say('own writes', [transaction], `wrote ${written.join(', ')} to key ${key} and then read ${shown(seen)}`);
        return;
      }
      const { scan } = operation;
      // A register that it wrote hides what others wrote.
      if (kind === 'register' && written.length > 0) return;
      reads.push({ transaction, position, key, version: others.at(-1) ?? INITIAL, values: others, scan });
      this.judgeValues(transaction, key, others);
    });
    return reads;
  }

  /** What is wrong with versions that were read, whatever their order. */
  private judgeValues(reader: number, key: number, values: readonly number[]): void {
    if (new Set(values).size < values.length) this.say('garbage', [reader], `read key ${key} as ${shown(values)}`);
    values.forEach((value, i) => {
      const write = this.writeOf(key, value);
      if (write === undefined) {
        this.say('garbage', [reader], `read ${value} of key ${key}, which nobody wrote`);
      } else if (this.transactions[write.transaction]?.outcome === 'aborted') {
        this.say('G1a', [reader, write.transaction], `read ${value} of key ${key}, whose writer was rolled back`);
      } else if (!write.isLast && i === values.length - 1 && write.transaction !== reader) {
        this.say('G1b', [reader, write.transaction], `read ${value} of key ${key}, which its writer replaced`);
      }
    });
  }

  private listOrder(key: number): Map<number, number[]> {
    let longest: readonly number[] = [];
    const lists: { readonly reader: number; readonly values: readonly number[] }[] = [];
    this.transactions.forEach(({ operations }, reader) => {
      if (this.isCommitted[reader] !== true) return;
      for (const operation of operations) {
        if (operation.kind !== 'list' || operation.key !== key) continue;
        lists.push({ reader, values: operation.values });
        if (operation.values.length > longest.length) longest = operation.values;
      }
    });
    for (const { reader, values } of lists) {
      if (values.some((value, i) => value !== longest[i])) {
        this.say('order', [reader], `read key ${key} as ${shown(values)}, another one as ${shown(longest)}`);
      }
    }
    const order = new Map<number, number[]>();
    let before = INITIAL;
    for (const value of new Set(longest)) {
      order.set(before, [value]);
      before = value;
    }
    // What nobody has seen comes after all that somebody has.
    const seen = new Set(longest);
    const unseen = [...this.committedWrites(key)].map(([version]) => version).filter((version) => !seen.has(version));
    if (unseen.length > 0) order.set(before, unseen);
    return order;
  }

  private registerOrder(key: number): Map<number, number[]> {
    const committed = [...this.committedWrites(key)];
    const order = new Map<number, number[]>([[INITIAL, committed.map(([version]) => version)]]);
    const follows = (before: number, after: number): void => {
      const followers = order.get(before);
      if (followers === undefined) order.set(before, [after]);
      else followers.push(after);
    };
    for (const [version, write] of committed) {
      const { operations, began } = this.transactions[write.transaction] as RecordedTransaction;
      const base = versionBefore(operations, key, version);
      if (base !== undefined && base !== INITIAL) follows(base, version);
      for (const [other, { transaction }] of committed) {
        if ((this.transactions[transaction] as RecordedTransaction).ended < began) follows(other, version);
      }
    }
    this.following.set(key, order);
    const circular = committed.find(([version]) => this.isBefore(key, version, version));
    if (circular === undefined) return order;
    this.say('order', [circular[1].transaction], `its write ${circular[0]} of key ${key} comes before itself`);
    return new Map([[INITIAL, order.get(INITIAL) as number[]]]);
  }

  private say(kind: Anomaly['kind'], transactions: readonly number[], text: string): void {
    this.anomalies.push({ kind, transactions, text: `transaction ${transactions[0]} ${text}` });
  }
}

/** Values that a read shows, oldest first. */
function valuesRead(operation: Operation): readonly number[] {
  if (operation.kind === 'list') return operation.values;
  return operation.kind === 'register' && operation.value !== INITIAL ? [operation.value] : [];
}

/** The version of the key that a transaction wrote or read last before it wrote this one. */
function versionBefore(operations: readonly Operation[], key: number, version: number): number | undefined {
  let before: number | undefined;
  for (const operation of operations) {
    if (operation.key !== key || (operation.kind !== 'write' && operation.kind !== 'register')) continue;
    if (operation.kind === 'write' && operation.value === version) return before;
    before = operation.value;
  }
  return undefined;
}

function shown(values: readonly number[]): string {
  return `[${values.join(' ')}]`;
}
