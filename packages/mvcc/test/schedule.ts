/**
 * One random schedule of transactions, turn by turn: who does what next, which sync of the disk ends, who ends what is prepared, and
 * whether the event loop turns in between. All of it follows from a seed, the ends of syncs too (HeldSyncs), so commits stay
 * queued for as long as anything else may happen meanwhile, and a schedule that goes wrong goes wrong again.
 */
import { PhantomError, type Random } from '@phantom/base';
import { ByteSlot, EngineCode, type KvCursor, makeSpaceId } from '@phantom/kv';
import {
  type Isolation,
  LockStrength,
  type Mvcc,
  type MvccTransaction,
  type Savepoint,
  type TransactionOptions,
} from '../src/index.js';
import type { HeldSyncs } from './held-syncs.js';
import type { Account } from './schedule-judge.js';

/** Keys lie in two engines by turns; a schedule uses the first ones, fewer for more conflicts. */
const KEYS = [4, 6, 8] as const;
const ENGINES = [EngineCode.Btree, EngineCode.Memory] as const;
const SLOTS = 5;
/** Turns of the event loop without anything to do, after which whoever still waits waits for ever. */
const IDLE_TURNS_MAX = 200;

export interface ScheduleOptions {
  readonly random: Random;
  readonly mvcc: Mvcc;
  readonly disk: HeldSyncs;
  /** Transactions in all. */
  readonly transactions: number;
  /** Levels beside serializable. */
  readonly weaker: readonly Isolation[];
}

interface OpenCursor {
  readonly cursor: KvCursor;
  readonly keys: readonly number[];
  /** What it lays over its view. */
  readonly own: ReadonlyMap<number, string | undefined>;
  /** So many of the keys have been passed over. */
  forward: number;
}

interface Slot {
  readonly transaction: MvccTransaction;
  readonly account: Account;
  readonly written: Map<number, string | undefined>;
  readonly cursors: OpenCursor[];
  saved: { readonly savepoint: Savepoint; readonly written: ReadonlyMap<number, string | undefined> } | undefined;
  stepsLeft: number;
  /** It waits for something. */
  isBusy: boolean;
}

interface PreparedOne {
  readonly identifier: string;
  readonly account: Account;
  isBusy: boolean;
}

export class Schedule {
  /** Who has committed. */
  readonly committed: Account[] = [];
  /** What was wrong on the way. */
  readonly faults: string[] = [];
  lost = 0;
  private readonly options: ScheduleOptions;
  private readonly random: Random;
  private readonly slots: Slot[] = [];
  private readonly prepared: PreparedOne[] = [];
  private readonly slot = new ByteSlot();
  private readonly keys: number;
  /** Shares of those who end in two phases, and of the steps at which one that is prepared is ended. */
  private readonly prepares: number;
  private readonly endsPrepared: number;
  private begun = 0;
  private moment = 0;
  private values = 0;

  constructor(options: ScheduleOptions) {
    this.options = options;
    const { random } = options;
    this.random = random;
    this.keys = random.pick(KEYS);
    this.prepares = random.pick([0.1, 0.1, 0.6]);
    this.endsPrepared = random.pick([0.02, 0.06]);
  }

  /** Runs it until all have ended. */
  async run(): Promise<void> {
    const { random, options } = this;
    const { disk, transactions } = options;
    let idleTurns = 0;
    while (this.begun < transactions || this.slots.length > 0 || this.prepared.length > 0) {
      const didSomething = this.doSomething();
      idleTurns = didSomething ? 0 : idleTurns + 1;
      if (idleTurns > IDLE_TURNS_MAX) {
        this.faults.push(`${this.slots.map(({ account }) => account.name).join(', ')} wait for ever`);
        break;
      }
      if (!didSomething && disk.count > 0) disk.releaseOne();
      // The next step follows in a later turn, behind the microtasks of this one, or at once.
      const pause = didSomething ? random.below(4) : 0;
      if (pause < 2) await turn();
      else if (pause < 3) await undefined;
    }
    for (const { transaction } of this.slots) if (transaction.status === 'active') transaction.rollback();
  }

  /** False when there was nobody who could do anything. */
  private doSomething(): boolean {
    const { random, options, slots, prepared } = this;
    const { disk, transactions } = options;
    if (disk.count > 0 && random.chance(0.08)) {
      disk.releaseOne();
      return true;
    }
    const ready = prepared.filter(({ isBusy }) => !isBusy);
    const idle = slots.filter(({ isBusy }) => !isBusy);
    const mayBegin = this.begun < transactions && slots.length < SLOTS;
    if (ready.length > 0 && (random.chance(this.endsPrepared) || (idle.length === 0 && !mayBegin))) {
      this.endPrepared(random.pick(ready));
      return true;
    }
    if (mayBegin && (idle.length === 0 || random.chance(0.15))) {
      this.begin();
      return true;
    }
    if (idle.length === 0) return false;
    const slot = random.pick(idle);
    try {
      if (slot.stepsLeft-- > 0) this.step(slot);
      else this.end(slot);
    } catch (error) {
      this.lose(slot, error);
    }
    return true;
  }

  private begin(): void {
    const { random, options, slots } = this;
    const { mvcc, weaker } = options;
    const isSerializable = weaker.length === 0 || random.chance(0.7);
    const transactionOptions: TransactionOptions = {
      isolation: isSerializable ? 'serializable' : random.pick(weaker),
      readOnly: random.chance(0.2),
      concurrency: random.chance(0.2) ? 'locking' : 'optimistic',
    };
    const name = `${String.fromCharCode(65 + (this.begun % 26))}${this.begun++}`;
    const written = new Map<number, string | undefined>();
    const account: Account = {
      name,
      isSerializable,
      began: this.moment++,
      ended: Number.POSITIVE_INFINITY,
      snapshot: 0,
      seq: undefined,
      seen: new Map(),
      relied: new Set(),
      written,
    };
    const transaction = mvcc.begin(transactionOptions);
    if (!isSerializable) transaction.readsAhead = random.chance(0.3);
    const stepsLeft = 1 + random.below(6);
    const slot: Slot = { transaction, account, written, cursors: [], saved: undefined, stepsLeft, isBusy: false };
    slots.push(slot);
    const safe = isSerializable && transaction.readOnly && random.chance(0.3) ? transaction.whenSafe() : undefined;
    if (safe !== undefined) this.await(slot, safe);
  }

  private step(slot: Slot): void {
    const { random } = this;
    const { transaction } = slot;
    const what = random.below(transaction.readOnly ? 8 : 18);
    if (what < 5) this.read(slot);
    else if (what < 7) this.openCursor(slot);
    else if (what < 8) this.moveCursor(slot);
    else if (what < 13) this.write(slot);
    else if (what < 14) this.write(slot, true);
    else if (what < 15) this.rely(slot);
    else if (what < 16 || slot.saved === undefined) this.save(slot);
    else this.goBack(slot, slot.saved);
  }

  private beginStatement({ transaction, account }: Slot): void {
    transaction.beginStatement();
    if (!account.isSerializable) return;
    if (account.snapshot !== 0 && account.snapshot !== transaction.snapshotSeq)
      this.faults.push(`${account.name} had snapshot ${account.snapshot}, then ${transaction.snapshotSeq}`);
    account.snapshot = transaction.snapshotSeq;
  }

  private read(slot: Slot): void {
    this.beginStatement(slot);
    const key = this.random.below(this.keys);
    const bytes = keyOf(key);
    const found = slot.transaction.get(bytes, 0, bytes.length, this.slot);
    this.saw(slot, key, found ? textOf(this.slot) : undefined, slot.written);
  }

  /** A scan of some keys of one engine, which may be left in the middle, and gone on with. */
  private openCursor(slot: Slot): void {
    this.beginStatement(slot);
    const { random } = this;
    const parity = random.below(2);
    const keys = Array.from({ length: this.keys / 2 }, (_, i) => 2 * i + parity);
    const from = random.below(keys.length);
    const scanned = keys.slice(from, from + 1 + random.below(keys.length));
    const cursor = slot.transaction.cursor({
      lower: keyOf(scanned[0] as number),
      upper: keyOf((scanned.at(-1) as number) + 2),
    });
    const open: OpenCursor = { cursor, keys: scanned, own: new Map(slot.written), forward: 0 };
    slot.cursors.push(open);
    if (random.chance(0.3)) this.walkBack(slot, open);
    else this.walk(slot, open);
  }

  private moveCursor(slot: Slot): void {
    const open = slot.cursors.at(-1);
    if (open !== undefined) this.walk(slot, open);
  }

  private walk(slot: Slot, open: OpenCursor): void {
    const { cursor, keys, own } = open;
    for (let entries = 1 + this.random.below(3); entries > 0 && open.forward < keys.length; entries--) {
      const at = cursor.next() ? keyAt(cursor) : Number.POSITIVE_INFINITY;
      while (open.forward < keys.length && (keys[open.forward] as number) <= at) {
        const key = keys[open.forward++] as number;
        this.saw(slot, key, key === at ? textOf(cursor.value) : undefined, own);
      }
    }
    if (open.forward < keys.length && this.random.chance(0.5)) return;
    cursor.close();
    slot.cursors.splice(slot.cursors.indexOf(open), 1);
  }

  private walkBack(slot: Slot, { cursor, keys, own }: OpenCursor): void {
    let left = keys.length;
    for (let entries = 1 + this.random.below(3); entries > 0 && left > 0; entries--) {
      const at = cursor.prev() ? keyAt(cursor) : Number.NEGATIVE_INFINITY;
      while (left > 0 && (keys[left - 1] as number) >= at) {
        const key = keys[--left] as number;
        this.saw(slot, key, key === at ? textOf(cursor.value) : undefined, own);
      }
    }
    cursor.close();
    slot.cursors.pop();
  }

  private saw(
    { account }: Slot,
    key: number,
    value: string | undefined,
    own: ReadonlyMap<number, string | undefined>,
  ): void {
    if (!account.isSerializable) return;
    if (own.has(key)) {
      if (own.get(key) !== value)
        this.faults.push(`${account.name} wrote ${own.get(key)} to ${key} and reads ${value}`);
    } else if (account.seen.has(key) && account.seen.get(key) !== value) {
      this.faults.push(`${account.name} read ${key} as ${account.seen.get(key)}, then as ${value}`);
    } else {
      account.seen.set(key, value);
    }
  }

  private write(slot: Slot, removes = false): void {
    const { transaction } = slot;
    const key = this.random.below(this.keys);
    const bytes = keyOf(key);
    this.beginStatement(slot);
    if (transaction.concurrency !== 'locking') {
      this.put(slot, key, removes);
      return;
    }
    const wait = this.random.chance(0.8) ? 'wait' : 'nowait';
    const lock = transaction.lock(bytes, 0, bytes.length, LockStrength.Update, wait);
    const writeLocked = (): void => {
      if (!transaction.changedSinceSnapshot(bytes, 0, bytes.length)) this.put(slot, key, removes);
      else if (transaction.isolation !== 'read committed') throw transaction.lostRace(bytes, 0, bytes.length);
      else transaction.restartStatement();
    };
    if (lock instanceof Promise) this.await(slot, lock.then(writeLocked));
    else writeLocked();
  }

  /** A constraint: the key has to be there in the newest state, and to stay there. */
  private rely(slot: Slot): void {
    const { transaction, account, written } = slot;
    this.beginStatement(slot);
    const key = this.random.below(this.keys);
    if (transaction.concurrency === 'locking' || written.has(key)) return;
    const bytes = keyOf(key);
    transaction.guardPresence(bytes, 0, bytes.length);
    if (transaction.getNewest(bytes, 0, bytes.length, this.slot)) account.relied.add(key);
  }

  private put({ transaction, account, written }: Slot, key: number, removes: boolean): void {
    const bytes = keyOf(key);
    const value = `${account.name}.${++this.values}`;
    if (removes) {
      transaction.remove(bytes, 0, bytes.length);
    } else {
      const content = new TextEncoder().encode(value);
      transaction.put(bytes, 0, bytes.length, content, 0, content.length);
    }
    written.set(key, removes ? undefined : value);
  }

  private save(slot: Slot): void {
    slot.saved = { savepoint: slot.transaction.savepoint(), written: new Map(slot.written) };
  }

  private goBack(slot: Slot, { savepoint, written }: NonNullable<Slot['saved']>): void {
    const cursors = slot.cursors.splice(0);
    const areLeftOpen = this.random.chance(0.5);
    if (!areLeftOpen) for (const { cursor } of cursors) cursor.close();
    slot.transaction.rollbackTo(savepoint);
    if (areLeftOpen) for (const { cursor } of cursors) cursor.close();
    slot.written.clear();
    for (const [key, value] of written) slot.written.set(key, value);
  }

  private end(slot: Slot): void {
    const { random } = this;
    const { transaction, account } = slot;
    const how = random.below(20);
    const hasWritten = slot.written.size > 0;
    if (!transaction.readOnly && !transaction.readsAhead && random.chance(this.prepares)) {
      const identifier = account.name;
      const done = transaction.prepare(identifier, '').then(() => {
        this.prepared.push({ identifier, account, isBusy: false });
      });
      this.await(slot, done, true);
    } else if (how < 2) {
      transaction.rollback();
      this.leave(slot);
    } else if (how < 3) {
      const { seq } = transaction.commitSync();
      this.finished(account, hasWritten ? seq : undefined);
      this.leave(slot);
    } else {
      const done = transaction.commit().then(({ seq }) => this.finished(account, hasWritten ? seq : undefined));
      this.await(slot, done, true);
    }
  }

  private endPrepared(one: PreparedOne): void {
    const { mvcc } = this.options;
    const { identifier, account } = one;
    const commits = this.random.chance(0.8);
    one.isBusy = true;
    const done = commits
      ? mvcc.commitPrepared(identifier).then(({ seq }) => this.finished(account, seq))
      : mvcc.rollbackPrepared(identifier);
    done
      .catch((error: unknown) => this.faults.push(`${account.name} was prepared, and ended by ${String(error)}`))
      .finally(() => this.prepared.splice(this.prepared.indexOf(one), 1));
  }

  private finished(account: Account, seq: number | undefined): void {
    account.ended = this.moment++;
    account.seq = seq;
    this.committed.push(account);
  }

  /** The transaction waits; `isEnd`: afterwards it is over. */
  private await(slot: Slot, done: Promise<unknown>, isEnd = false): void {
    slot.isBusy = true;
    done.then(
      () => {
        slot.isBusy = false;
        if (isEnd) this.leave(slot);
      },
      (error: unknown) => this.lose(slot, error),
    );
  }

  private lose(slot: Slot, error: unknown): void {
    const { transaction, account } = slot;
    const isExpected = error instanceof PhantomError && (error.retryable || error.code === '55P03');
    if (!isExpected) this.faults.push(`${account.name} ended by ${String(error)}`);
    this.lost++;
    if (transaction.status === 'active') transaction.rollback();
    this.leave(slot);
  }

  private leave(slot: Slot): void {
    this.slots.splice(this.slots.indexOf(slot), 1);
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

function keyOf(key: number): Uint8Array {
  const space = makeSpaceId(ENGINES[key % 2] as EngineCode, 1);
  return new Uint8Array([space >>> 24, space >>> 16, space >>> 8, space, key]);
}

function keyAt({ key }: KvCursor): number {
  return key.buffer[key.end - 1] as number;
}

function textOf(slot: ByteSlot): string {
  return new TextDecoder().decode(slot.copy());
}
