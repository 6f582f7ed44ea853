/**
 * Random transactions by several clients at once, written down for the checker. Clients meet on a few keys at a time: a
 * window of keys moves on once it has been written to often enough, so that keys are contended and their histories short.
 *
 *     lists       0 ... 3 │ 4 ... 7 │ 8 ...            registers the same, from REGISTER_KEYS on
 *                           window
 *
 * One workload serves one history, though the database is closed, loses its power and is opened again in between: its values
 * are never the same twice. The seed decides what is done; the turns of the event loop decide who goes first.
 */
import { Random } from '@phantom/base';
import { type HistoryClient, type HistoryDatabase, RecordingClient, sqlStateOf } from './client.js';
import { pause } from './event-loop.js';
import { HistoryRecorder, INITIAL, type Level, type RecordedTransaction, isWriteKind } from './history.js';

export interface WorkloadOptions {
  readonly seed: number;
  readonly clients: number;
  /** Transactions of each client in one run. */
  readonly transactions: number;
  /** Each transaction has one of them. */
  readonly levels: readonly Level[];
}

/** Registers have keys from here on, lists below. */
const REGISTER_KEYS = 1_000_000;
const WINDOW_KEYS = 4;
const WRITES_OF_WINDOW = 60;
const STATEMENTS_MAX = 5;
const BATCH_MAX = 3;

export class RandomWorkload {
  private readonly options: WorkloadOptions;
  private readonly random: Random;
  private writes = 0;
  private prepared = 0;

  constructor(options: WorkloadOptions) {
    this.options = options;
    this.random = new Random(options.seed);
  }

  /**
   * Runs all clients to their end, once all are there. Errors with a SQLSTATE end a transaction and are expected; any other, and those of class
   * XX, reject once all clients have ended.
   */
  async run(database: HistoryDatabase, recorder: HistoryRecorder): Promise<void> {
    const clients = await Promise.all(Array.from({ length: this.options.clients }, () => database.client()));
    const running = clients.map((client, session) =>
      this.runClient(recorder, client, session, new Random(this.random.u32())),
    );
    for (const result of await Promise.allSettled(running)) if (result.status === 'rejected') throw result.reason;
  }

  /** One more transaction, which reads every key that was ever written; it must succeed. */
  async readAll(database: HistoryDatabase, recorder: HistoryRecorder): Promise<void> {
    const reader = new RecordingClient(recorder, await database.client(), this.options.clients);
    await reader.begin('serializable', { readOnly: true });
    await reader.scanLists(0, this.firstKey + WINDOW_KEYS);
    await reader.scanRegisters(REGISTER_KEYS, REGISTER_KEYS + this.firstKey + WINDOW_KEYS);
    await reader.expectNoOrphans();
    await reader.commit();
  }

  private get firstKey(): number {
    return Math.floor(this.writes / WRITES_OF_WINDOW) * WINDOW_KEYS;
  }

  private async runClient(
    recorder: HistoryRecorder,
    client: HistoryClient,
    session: number,
    random: Random,
  ): Promise<void> {
    const recording = new RecordingClient(recorder, client, session);
    for (let i = 0; i < this.options.transactions; i++) {
      await pause(random);
      try {
        await this.runTransaction(recording, random);
      } catch (error) {
        sqlStateOf(error);
        await recording.giveUp(error);
      }
    }
  }

  private async runTransaction(client: RecordingClient, random: Random): Promise<void> {
    if (this.options.levels.includes('read committed') && random.chance(0.25)) return this.runBatch(client, random);
    const readOnly = random.chance(0.15);
    await client.begin(random.pick(this.options.levels), { readOnly });
    const statements = 1 + random.below(STATEMENTS_MAX);
    for (let i = 0; i < statements; i++) {
      const isTried = !readOnly && random.chance(0.1);
      if (isTried) await client.savepoint();
      await this.runStatement(client, random, readOnly);
      if (isTried && random.chance(0.5)) await client.rollbackToSavepoint();
      await pause(random);
    }
    if (random.chance(0.05)) await client.rollback();
    else if (readOnly || !random.chance(0.15)) await client.commit();
    else await client.endInTwoPhases(`history ${++this.prepared}`, random.chance(0.8), () => pause(random));
  }

  private runBatch(client: RecordingClient, random: Random): Promise<void> {
    const kinds = ['append', 'append', 'write', 'list', 'register'] as const;
    const statements = Array.from({ length: 1 + random.below(BATCH_MAX) }, () => {
      const kind = random.pick(kinds);
      const key = this.firstKey + random.below(WINDOW_KEYS);
      const isList = kind === 'append' || kind === 'list';
      return { kind, key: isList ? key : REGISTER_KEYS + key, value: isWriteKind(kind) ? ++this.writes : INITIAL };
    });
    return client.batch(statements);
  }

  private runStatement(client: RecordingClient, random: Random, readOnly: boolean): Promise<void> {
    const { firstKey } = this;
    const key = firstKey + random.below(WINDOW_KEYS);
    if (!readOnly && random.chance(0.1)) return client.release(key);
    const isScan = random.chance(0.15);
    const isList = random.chance(0.6);
    if (!isScan && !readOnly && random.chance(0.5)) {
      const value = ++this.writes;
      return isList ? client.append(key, value) : client.write(REGISTER_KEYS + key, value);
    }
    if (isList) return isScan ? client.scanLists(firstKey, firstKey + WINDOW_KEYS) : client.list(key);
    const first = REGISTER_KEYS + firstKey;
    return isScan ? client.scanRegisters(first, first + WINDOW_KEYS) : client.register(REGISTER_KEYS + key);
  }
}

/** The history of one run, with a reader at its end; the database is closed. */
export async function randomHistory(
  database: HistoryDatabase,
  options: WorkloadOptions,
): Promise<readonly RecordedTransaction[]> {
  const recorder = new HistoryRecorder();
  const workload = new RandomWorkload(options);
  await workload.run(database, recorder);
  await workload.readAll(database, recorder);
  await database.close();
  return recorder.transactions();
}
