/**
 * Workloads over rows and documents at once: even keys are rows in one engine, odd ones documents in the other, so that neighbours lie in
 * different models. Documents are written by collections and read by them and by SQL, by `_id` and by an index.
 */
import type { Vfs } from '@phantom/vfs';
import {
  type BeginOptions,
  type HistoryClient,
  type HistoryDatabase,
  INITIAL,
  type Level,
} from '@phantom/testkit/histories';
import { type Collection, type Database, type Transaction, type TransactionOptions, openOn } from '../src/index.js';

interface ListDocument {
  readonly _id: number;
  readonly mark: number;
  readonly items: readonly number[];
}

interface RegisterDocument {
  readonly _id: number;
  readonly mark: number;
  readonly value: number;
}

/** An open transaction, whose callback waits to be told how it ends. */
interface OpenTransaction {
  readonly tx: Transaction;
  end(commits: boolean): void;
}

class RolledBack extends Error {}

/** `engines`: that of the rows, and that of the documents. */
export async function openMixedDatabase(
  vfs: Vfs,
  engines: readonly ['btree', 'lsm'] | readonly ['lsm', 'btree'],
  concurrency: TransactionOptions['concurrency'],
): Promise<HistoryDatabase> {
  const [rows, engine] = engines;
  const db = await openOn(vfs, '/data/db');
  db.exec(`create table lists (key int primary key, items int[] not null) with (engine = ${rows});
    create table registers (key int primary key, value int not null) with (engine = ${rows})`);
  const lists = db.collection<ListDocument>('list_documents', { engine });
  const registers = db.collection<RegisterDocument>('register_documents', { engine });
  await lists.createIndex({ mark: 1 });
  await registers.createIndex({ mark: 1 });
  return {
    client: async () => new MixedClient(db, lists, registers, concurrency),
    close: () => db.close(),
  };
}

class MixedClient implements HistoryClient {
  private readonly db: Database;
  private readonly lists: Collection<ListDocument>;
  private readonly registers: Collection<RegisterDocument>;
  private readonly concurrency: TransactionOptions['concurrency'];
  private current: OpenTransaction | undefined;
  /** Settles with the transaction that was begun last. */
  private ended: Promise<void> = Promise.resolve();
  private reads = 0;

  constructor(
    db: Database,
    lists: Collection<ListDocument>,
    registers: Collection<RegisterDocument>,
    concurrency: TransactionOptions['concurrency'],
  ) {
    this.db = db;
    this.lists = lists;
    this.registers = registers;
    this.concurrency = concurrency;
  }

  async begin(level: Level, { readOnly = false }: BeginOptions = {}): Promise<void> {
    const isolation = level === 'read uncommitted' ? 'read committed' : level;
    const { concurrency } = this;
    this.current = await new Promise((begun, failed) => {
      const done = this.db.transaction(
        (tx) =>
          new Promise<void>((commit, rollback) => {
            begun({ tx, end: (commits) => (commits ? commit() : rollback(new RolledBack())) });
          }),
        { isolation, readOnly, retries: 0, ...(concurrency === undefined ? {} : { concurrency }) },
      );
      done.catch(failed);
      this.ended = done;
    });
  }

  private get tx(): Transaction {
    if (this.current === undefined) throw new Error('no transaction has begun');
    return this.current.tx;
  }

  async append(key: number, value: number): Promise<void> {
    const { tx } = this;
    if (isRow(key)) {
      await tx.query(
        `insert into lists values ($1, array[$2::int])
         on conflict (key) do update set items = lists.items || excluded.items`,
        [key, value],
      );
    } else {
      const update = { $push: { items: value }, $setOnInsert: { mark: key } };
      await this.lists.updateOne({ _id: key }, update, { tx, upsert: true });
    }
  }

  async write(key: number, value: number): Promise<void> {
    const { tx } = this;
    if (isRow(key)) {
      const text = 'insert into registers values ($1, $2) on conflict (key) do update set value = excluded.value';
      await tx.query(text, [key, value]);
    } else {
      await this.registers.updateOne({ _id: key }, { $set: { mark: key, value } }, { tx, upsert: true });
    }
  }

  async add(key: number, amount: number): Promise<void> {
    const { tx } = this;
    if (isRow(key)) await tx.query('update registers set value = value + $2 where key = $1', [key, amount]);
    else await this.registers.updateOne({ _id: key }, { $inc: { value: amount } }, { tx });
  }

  async list(key: number): Promise<readonly number[]> {
    const { tx } = this;
    if (isRow(key)) {
      const { rows } = await tx.query<{ items: number[] }>('select items from lists where key = $1', [key]);
      return rows[0]?.items ?? [];
    }
    switch (this.reads++ % 3) {
      case 0:
        return (await this.lists.findOne({ _id: key }, { tx }))?.items ?? [];
      case 1:
        return (await this.lists.find({ mark: key }, { tx }).toArray())[0]?.items ?? [];
      default: {
        const text = `select doc -> 'items' as items from list_documents where _id = to_jsonb($1::int)`;
        return (await tx.query<{ items: number[] }>(text, [key])).rows[0]?.items ?? [];
      }
    }
  }

  async register(key: number): Promise<number> {
    const { tx } = this;
    if (isRow(key)) {
      const { rows } = await tx.query<{ value: number }>('select value from registers where key = $1', [key]);
      return rows[0]?.value ?? INITIAL;
    }
    const filter = this.reads++ % 2 === 0 ? { _id: key } : { mark: key };
    return (await this.registers.find(filter, { tx }).toArray())[0]?.value ?? INITIAL;
  }

  /** Both models in one statement. */
  async scanLists(lower: number, upper: number): Promise<ReadonlyMap<number, readonly number[]>> {
    const { rows } = await this.tx.query<{ key: number; items: number[] }>(
      `select key, to_jsonb(items) as items from lists where key >= $1 and key < $2
       union all select (doc ->> '_id')::int, doc -> 'items' from list_documents
       where (doc ->> '_id')::int >= $1 and (doc ->> '_id')::int < $2`,
      [lower, upper],
    );
    return new Map(rows.map(({ key, items }) => [key, items]));
  }

  async scanRegisters(lower: number, upper: number): Promise<ReadonlyMap<number, number>> {
    const { rows } = await this.tx.query<{ key: number; value: number }>(
      `select key, value from registers where key >= $1 and key < $2
       union all select (doc ->> '_id')::int, (doc ->> 'value')::int from register_documents
       where (doc ->> '_id')::int >= $1 and (doc ->> '_id')::int < $2`,
      [lower, upper],
    );
    return new Map(rows.map(({ key, value }) => [key, value]));
  }

  /** Lists refer to nothing here. */
  async release(): Promise<void> {}

  async orphans(): Promise<number> {
    return 0;
  }

  async savepoint(): Promise<void> {
    await this.tx.query('savepoint s');
  }

  async rollbackToSavepoint(): Promise<void> {
    await this.tx.query('rollback to s');
  }

  commit(): Promise<void> {
    return this.end(true);
  }

  rollback(): Promise<void> {
    return this.end(false).catch((error: unknown) => {
      if (!(error instanceof RolledBack)) throw error;
    });
  }

  private async end(commits: boolean): Promise<void> {
    const { current } = this;
    this.current = undefined;
    current?.end(commits);
    await this.ended;
  }

  prepare(): never {
    throw new Error('a transaction of a callback has one phase');
  }

  endPrepared(): never {
    throw new Error('a transaction of a callback has one phase');
  }

  batch(): never {
    throw new Error('documents are in no batch of SQL');
  }
}

function isRow(key: number): boolean {
  return key % 2 === 0;
}
