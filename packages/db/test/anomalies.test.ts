/**
 * Every anomaly at every level: which come to pass, and which cannot. Through SQL sessions over tables in both engines, and through
 * transactions of the asynchronous API over rows in one engine and documents in the other.
 */
import { type HistoryDatabase, SCENARIOS, levelsOfOccurrence } from '@phantom/testkit/histories';
import { MemoryVfs } from '@phantom/vfs/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TransactionOptions } from '../src/index.js';
import { openHistoryDatabase } from './history-database.js';
import { openMixedDatabase } from './mixed-database.js';

const TURNS = 30;
const KEYS_OF_SCENARIOS = 100;

async function settle(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
}

type Concurrency = TransactionOptions['concurrency'];

const open = {
  'of sessions': (concurrency: Concurrency) => openHistoryDatabase(new MemoryVfs(), concurrency),
  'between rows in btree and documents in lsm': (concurrency: Concurrency) =>
    openMixedDatabase(new MemoryVfs(), ['btree', 'lsm'], concurrency),
  'between rows in lsm and documents in btree': (concurrency: Concurrency) =>
    openMixedDatabase(new MemoryVfs(), ['lsm', 'btree'], concurrency),
} as const;

const DATABASES: readonly (readonly [kind: keyof typeof open, concurrency: Concurrency])[] = [
  ['of sessions', undefined],
  ['of sessions', 'optimistic'],
  ['of sessions', 'locking'],
  ['between rows in btree and documents in lsm', undefined],
  ['between rows in btree and documents in lsm', 'locking'],
  ['between rows in lsm and documents in btree', 'optimistic'],
];

describe.each(DATABASES)('anomalies %s (%s)', (kind, concurrency) => {
  let database: HistoryDatabase;

  beforeAll(async () => {
    database = await open[kind](concurrency);
  });

  afterAll(() => database.close());

  it.each(SCENARIOS.map((scenario, i) => ({ ...scenario, firstKey: i * KEYS_OF_SCENARIOS })))(
    '$anomaly, $title',
    async (scenario) => {
      expect(await levelsOfOccurrence(scenario, database, settle, scenario.firstKey)).toEqual(scenario.occursAt);
    },
  );
});
