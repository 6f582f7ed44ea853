/**
 * Random histories through SQL sessions: lists and registers in tables of both engines, read by key and by index, at each
 * level and at all of them together, through power cuts and faults of the disk. The checker finds nothing that the levels
 * forbid. `npm run histories` tries more seeds.
 */
import {
  HISTORIES_TIMEOUT_MS,
  type Level,
  TRANSFERS_TOTAL,
  faultHistories,
  powerCutHistories,
  randomHistory,
  runsForLong,
  seedsToTry,
  sumsSeen,
  violationsOf,
} from '@phantom/testkit/histories';
import { MemoryVfs } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import type { TransactionOptions } from '../src/index.js';
import { openHistoryDatabase } from './history-database.js';

const LEVELS: readonly Level[] = ['read committed', 'repeatable read', 'serializable'];
const MIXES: readonly (readonly [levels: readonly Level[], concurrency: TransactionOptions['concurrency']])[] = [
  ...LEVELS.map((level) => [[level], undefined] as const),
  [['read committed'], 'optimistic'],
  [['repeatable read'], 'locking'],
  [['serializable'], 'locking'],
  [LEVELS, undefined],
];
const FAULTS = runsForLong ? (['EIO', 'ENOSPC', 'short-write'] as const) : (['EIO'] as const);
/** Tests of this file, which share the time of a long run. */
const TESTS = MIXES.length + 2 + FAULTS.length;

describe('random histories', { timeout: HISTORIES_TIMEOUT_MS }, () => {
  it.each(MIXES)('at %s (%s) are sound', async (levels, concurrency) => {
    for (const seed of seedsToTry(1, TESTS)) {
      const database = await openHistoryDatabase(new MemoryVfs({ syncTurns: (seed % 4) * 6 }), concurrency);
      const history = await randomHistory(database, { seed, clients: 6, transactions: 10, levels });
      expect(history.filter(({ outcome }) => outcome === 'committed').length).toBeGreaterThan(20);
      expect({ seed, violations: violationsOf(history) }).toEqual({ seed, violations: [] });
    }
  });

  it('of transfers at all levels together keep the sum', async () => {
    for (const seed of seedsToTry(1, TESTS)) {
      const database = await openHistoryDatabase(new MemoryVfs({ syncTurns: (seed % 4) * 6 }));
      const sums = await sumsSeen(database, { seed, clients: 6, transfers: 5, levels: LEVELS });
      await database.close();
      expect({ seed, sums: [...sums] }).toEqual({ seed, sums: [TRANSFERS_TOTAL] });
    }
  });
});

describe('random histories through disasters', { timeout: HISTORIES_TIMEOUT_MS }, () => {
  const work = { clients: 4, transactions: 5, levels: LEVELS };

  it('are sound after power cuts', async () => {
    for (const seed of seedsToTry(1, TESTS)) {
      const report = await powerCutHistories(openHistoryDatabase, { ...work, seed, everyOperations: 4 });
      expect({ seed, violations: report.violations }).toEqual({ seed, violations: [] });
      expect(report.disasters).toBeGreaterThan(0);
    }
  });

  it.each(FAULTS)('are sound after faults of the disk: %s', async (kind) => {
    for (const seed of seedsToTry(1, TESTS)) {
      const report = await faultHistories(openHistoryDatabase, { ...work, seed, kind, everyOperations: 17 });
      expect({ seed, violations: report.violations }).toEqual({ seed, violations: [] });
      expect(report.disasters).toBeGreaterThan(2);
    }
  });
});
