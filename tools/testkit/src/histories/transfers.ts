/**
 * Money moves between accounts by clients that get in each other's way, and whoever looks sees the same sum: in one statement
 * at every level, in several statements from repeatable read on.
 */
import { Random } from '@phantom/base';
import { isAtLeast } from './anomaly.js';
import { type HistoryClient, type HistoryDatabase, sqlStateOf } from './client.js';
import { pause } from './event-loop.js';
import type { Level } from './history.js';

export interface TransferOptions {
  readonly seed: number;
  readonly clients: number;
  /** Transfers of each client that have to succeed, however often they are tried. */
  readonly transfers: number;
  readonly levels: readonly Level[];
}

/** Accounts are registers of these keys. */
const FIRST_ACCOUNT = 2_000_000;
const ACCOUNTS = 8;
const OPENING_BALANCE = 100;
const TRIES_MAX = 1000;

/** Opens the accounts, moves money, and returns every sum that was seen; all should equal TRANSFERS_TOTAL. */
export async function sumsSeen(database: HistoryDatabase, options: TransferOptions): Promise<Set<number>> {
  const random = new Random(options.seed);
  const sums = new Set<number>();
  const client = await database.client();
  await client.begin('read committed');
  for (let i = 0; i < ACCOUNTS; i++) await client.write(FIRST_ACCOUNT + i, OPENING_BALANCE);
  await client.commit();
  const work = Array.from({ length: options.clients }, async () => {
    const own = new Random(random.u32());
    const worker = await database.client();
    for (let i = 0; i < options.transfers; i++) {
      await untilCommitted(worker, own, () => transfer(worker, own, own.pick(options.levels)));
      await untilCommitted(worker, own, () => look(worker, own, own.pick(options.levels), sums));
    }
  });
  await Promise.all(work);
  await look(client, random, 'serializable', sums);
  return sums;
}

export const TRANSFERS_TOTAL = ACCOUNTS * OPENING_BALANCE;

async function untilCommitted(client: HistoryClient, random: Random, run: () => Promise<void>): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return await run();
    } catch (error) {
      if (!sqlStateOf(error).startsWith('40') || tries === TRIES_MAX) throw error;
      await client.rollback();
      await pause(random);
    }
  }
}

async function transfer(client: HistoryClient, random: Random, level: Level): Promise<void> {
  const from = random.below(ACCOUNTS);
  const to = (from + 1 + random.below(ACCOUNTS - 1)) % ACCOUNTS;
  const amount = 1 + random.below(5);
  await client.begin(level);
  await client.add(FIRST_ACCOUNT + from, -amount);
  await pause(random);
  await client.savepoint();
  await client.add(FIRST_ACCOUNT + to, amount + 7);
  await client.rollbackToSavepoint();
  await client.add(FIRST_ACCOUNT + to, amount);
  await pause(random);
  await client.commit();
}

async function look(client: HistoryClient, random: Random, level: Level, sums: Set<number>): Promise<void> {
  await client.begin(level, { readOnly: true });
  sums.add(sumOf((await client.scanRegisters(FIRST_ACCOUNT, FIRST_ACCOUNT + ACCOUNTS)).values()));
  if (isAtLeast(level, 'repeatable read')) {
    const balances: number[] = [];
    for (let i = 0; i < ACCOUNTS; i++) {
      balances.push(await client.register(FIRST_ACCOUNT + i));
      await pause(random);
    }
    sums.add(sumOf(balances));
  }
  await client.commit();
}

function sumOf(balances: Iterable<number>): number {
  let sum = 0;
  for (const balance of balances) sum += balance;
  return sum;
}
