/**
 * Workloads over the package's API: lists and registers as values of keys, which lie in two engines by turns. A statement does
 * what a layer above does: where the transaction locks, it locks what it writes, looks again, and at read committed runs anew.
 */
import { ByteWriter, readU32, readU32BE } from '@phantom/base';
import { ByteSlot, type EngineCode, type KeyRange, makeSpaceId } from '@phantom/kv';
import type { Store } from '@phantom/store';
import {
  type BatchStatement,
  type BeginOptions,
  type HistoryClient,
  type HistoryDatabase,
  INITIAL,
  type Level,
} from '@phantom/testkit/histories';
import { type Concurrency, LockStrength, type Mvcc, type MvccTransaction, type Savepoint } from '../src/index.js';

/** Numbers of the spaces. */
const LISTS = 1;
const REGISTERS = 2;
const SPACE_BYTES = 4;
/** Where spaces of even and of odd keys lie. */
export type Engines = readonly [EngineCode, EngineCode];

/** What the clients share; `close` leaves the store as it is. What was prepared before a restart is committed. */
export async function historyDatabase(
  mvcc: Mvcc,
  store: Store,
  engines: Engines,
  concurrency?: Concurrency,
): Promise<HistoryDatabase> {
  for (const { identifier } of mvcc.prepared()) await mvcc.commitPrepared(identifier);
  return {
    client: async () => new PackageClient(mvcc, engines, concurrency),
    close: async () => {
      await mvcc.close();
      await store.close({ checkpoint: false });
    },
  };
}

class PackageClient implements HistoryClient {
  private readonly mvcc: Mvcc;
  private readonly engines: Engines;
  private readonly concurrency: Concurrency | undefined;
  private readonly slot = new ByteSlot();
  private transaction: MvccTransaction | undefined;
  private saved: Savepoint | undefined;
  private batches = 0;

  constructor(mvcc: Mvcc, engines: Engines, concurrency: Concurrency | undefined) {
    this.mvcc = mvcc;
    this.engines = engines;
    this.concurrency = concurrency;
  }

  async begin(level: Level, { readOnly = false }: BeginOptions = {}): Promise<void> {
    const isolation = level === 'read uncommitted' ? 'read committed' : level;
    const { concurrency } = this;
    this.transaction = this.mvcc.begin({ isolation, readOnly, ...(concurrency === undefined ? {} : { concurrency }) });
  }

  append(key: number, value: number): Promise<void> {
    return this.change(LISTS, key, (values) => [...values, value]);
  }

  write(key: number, value: number): Promise<void> {
    return this.change(REGISTERS, key, () => [value]);
  }

  add(key: number, amount: number): Promise<void> {
    return this.change(REGISTERS, key, ([value = INITIAL]) => [value + amount]);
  }

  async list(key: number): Promise<readonly number[]> {
    this.live.beginStatement();
    return this.read(LISTS, key);
  }

  async register(key: number): Promise<number> {
    this.live.beginStatement();
    return this.read(REGISTERS, key)[0] ?? INITIAL;
  }

  async scanLists(lower: number, upper: number): Promise<ReadonlyMap<number, readonly number[]>> {
    return this.scan(LISTS, lower, upper);
  }

  async scanRegisters(lower: number, upper: number): Promise<ReadonlyMap<number, number>> {
    return new Map(Array.from(this.scan(REGISTERS, lower, upper), ([key, [value = INITIAL]]) => [key, value]));
  }

  async release(): Promise<void> {
    // Keys refer to nothing here.
  }

  async orphans(): Promise<number> {
    return 0;
  }

  async savepoint(): Promise<void> {
    this.saved = this.live.savepoint();
  }

  async rollbackToSavepoint(): Promise<void> {
    this.live.rollbackTo(this.saved as Savepoint);
  }

  async commit(): Promise<void> {
    await this.live.commit();
  }

  /** What others have committed and the log has not synced is read, and this commits behind it. */
  async batch(statements: readonly BatchStatement[]): Promise<readonly (readonly number[])[]> {
    await this.begin(this.batches++ % 2 === 0 ? 'read committed' : 'repeatable read');
    this.live.readsAhead = true;
    const shown: (readonly number[])[] = [];
    for (const { kind, key, value } of statements) {
      if (kind === 'append') await this.append(key, value);
      else if (kind === 'write') await this.write(key, value);
      const table = kind === 'list' ? LISTS : REGISTERS;
      this.live.beginStatement();
      shown.push(kind === 'list' || kind === 'register' ? this.read(table, key) : []);
    }
    await this.commit();
    return shown;
  }

  async rollback(): Promise<void> {
    this.live.rollback();
  }

  async prepare(identifier: string): Promise<void> {
    await this.live.prepare(identifier, '');
  }

  async endPrepared(identifier: string, commits: boolean): Promise<void> {
    if (commits) await this.mvcc.commitPrepared(identifier);
    else await this.mvcc.rollbackPrepared(identifier);
  }

  private get live(): MvccTransaction {
    if (this.transaction === undefined) throw new Error('no transaction has begun');
    return this.transaction;
  }

  private async change(table: number, key: number, make: (values: readonly number[]) => number[]): Promise<void> {
    const transaction = this.live;
    const bytes = this.keyOf(table, key);
    transaction.beginStatement();
    while (transaction.concurrency === 'locking') {
      const lock = transaction.lock(bytes, 0, bytes.length, LockStrength.NoKeyUpdate, 'wait');
      if (lock !== undefined) await lock;
      if (!transaction.changedSinceSnapshot(bytes, 0, bytes.length)) break;
      if (transaction.isolation !== 'read committed') throw transaction.lostRace(bytes, 0, bytes.length);
      transaction.restartStatement();
    }
    const writer = new ByteWriter();
    for (const value of make(this.read(table, key))) writer.u32(value);
    const content = writer.take();
    transaction.put(bytes, 0, bytes.length, content, 0, content.length);
  }

  private read(table: number, key: number): number[] {
    const bytes = this.keyOf(table, key);
    const { slot } = this;
    return this.live.get(bytes, 0, bytes.length, slot) ? valuesOf(slot) : [];
  }

  /** Both engines in one statement. */
  private scan(table: number, lower: number, upper: number): Map<number, number[]> {
    this.live.beginStatement();
    const found = new Map<number, number[]>();
    for (const parity of [0, 1]) {
      const cursor = this.live.cursor(this.rangeOf(table, parity, lower, upper));
      while (cursor.next()) found.set(readU32BE(cursor.key.copy(), SPACE_BYTES), valuesOf(cursor.value));
      cursor.close();
    }
    return found;
  }

  private keyOf(table: number, key: number): Uint8Array {
    return spaceKey(this.engines[key % 2] as EngineCode, table, key);
  }

  private rangeOf(table: number, parity: number, lower: number, upper: number): KeyRange {
    const engine = this.engines[parity] as EngineCode;
    return { lower: spaceKey(engine, table, lower), upper: spaceKey(engine, table, upper) };
  }
}

function spaceKey(engine: EngineCode, table: number, key: number): Uint8Array {
  const writer = new ByteWriter();
  writer.u32BE(makeSpaceId(engine, table));
  writer.u32BE(key);
  return writer.take();
}

function valuesOf(slot: ByteSlot): number[] {
  const bytes = slot.copy();
  return Array.from({ length: bytes.length / 4 }, (_, i) => readU32(bytes, i * 4));
}
