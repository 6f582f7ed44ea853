/**
 * Random histories through the package: lists and registers in two engines, at each level and at all of them together,
 * through power cuts and faults of the disk. The checker finds nothing that the levels forbid. `npm run histories` tries
 * more seeds.
 */
import { type Clock, ManualClock } from '@phantom/base';
import { btree } from '@phantom/btree';
import { EngineCode, makeSpaceId } from '@phantom/kv';
import { openStore } from '@phantom/store';
import {
  HISTORIES_TIMEOUT_MS,
  type HistoryDatabase,
  type Level,
  TRANSFERS_TOTAL,
  faultHistories,
  powerCutHistories,
  randomHistory,
  seedsToTry,
  sumsSeen,
  violationsOf,
} from '@phantom/testkit/histories';
import type { Vfs } from '@phantom/vfs';
import { MemoryVfs } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import { type Concurrency, type MvccOptions, createMvcc } from '../src/index.js';
import { type Engines, historyDatabase } from './history-database.js';
import { memoryEngine } from './support.js';

const LEVELS: readonly Level[] = ['read committed', 'repeatable read', 'serializable'];
/** Everybody at one level, with and without locks; and all levels together. */
const MIXES: readonly (readonly [levels: readonly Level[], concurrency: Concurrency | undefined])[] = [
  ...LEVELS.map((level) => [[level], 'optimistic'] as const),
  ...LEVELS.map((level) => [[level], 'locking'] as const),
  [LEVELS, undefined],
];
const FAULTS = ['EIO', 'ENOSPC', 'short-write'] as const;
/** Tests of this file, which share the time of a long run. */
const TESTS = 2 * MIXES.length + 1 + FAULTS.length;

/** Hardly any write stays in memory. */
const PUTTING_ASIDE: MvccOptions = { writeSetBytesMax: 40 };

async function openDatabase(
  vfs: Vfs,
  engines: Engines,
  concurrency?: Concurrency,
  options?: MvccOptions,
  clock?: Clock,
): Promise<HistoryDatabase> {
  const store = await openStore('/db', {
    vfs,
    ...(clock === undefined ? {} : { clock }),
    engines: [btree({ idleMergeMs: 0 }), memoryEngine],
    segmentBytes: 16_384,
    checkpointBytesMax: 8192,
    durability: 'fsync',
  });
  const preparedSpace = makeSpaceId(EngineCode.Btree, 9);
  return historyDatabase(createMvcc(store, { preparedSpace, ...options }), store, engines, concurrency);
}

const openBoth = (syncTurns: number, concurrency?: Concurrency, options?: MvccOptions): Promise<HistoryDatabase> =>
  openDatabase(new MemoryVfs({ syncTurns }), [EngineCode.Btree, EngineCode.Memory], concurrency, options);
let opened = 0;
/** What lies in memory only is gone after a crash. Every second one puts its writes aside. */
const openDurable = (vfs: Vfs): Promise<HistoryDatabase> =>
  openDatabase(vfs, [EngineCode.Btree, EngineCode.Btree], undefined, opened++ % 2 === 0 ? PUTTING_ASIDE : {});

describe('random histories', { timeout: HISTORIES_TIMEOUT_MS }, () => {
  it.each(MIXES)('at %s (%s) are sound', async (levels, concurrency) => {
    for (const seed of seedsToTry(2, TESTS)) {
      const database = await openBoth((seed % 4) * 6, concurrency, seed % 2 === 0 ? PUTTING_ASIDE : {});
      const history = await randomHistory(database, { seed, clients: 6, transactions: 30, levels });
      expect(history.filter(({ outcome }) => outcome === 'committed').length).toBeGreaterThan(60);
      expect({ seed, violations: violationsOf(history) }).toEqual({ seed, violations: [] });
    }
  });

  it('are the same for the same seed', async () => {
    // How long a sync waits for others is a matter of time.
    const open = (): Promise<HistoryDatabase> =>
      openDatabase(
        new MemoryVfs({ syncTurns: 2 }),
        [EngineCode.Btree, EngineCode.Memory],
        undefined,
        {},
        new ManualClock(),
      );
    const run = async (): Promise<unknown> =>
      randomHistory(await open(), { seed: 5, clients: 6, transactions: 20, levels: LEVELS });
    expect(await run()).toEqual(await run());
  });

  it.each(MIXES)('of transfers at %s (%s) keep the sum', async (levels, concurrency) => {
    for (const seed of seedsToTry(1, TESTS)) {
      const database = await openBoth((seed % 4) * 6, concurrency);
      const sums = await sumsSeen(database, { seed, clients: 6, transfers: 8, levels });
      await database.close();
      expect({ seed, sums: [...sums] }).toEqual({ seed, sums: [TRANSFERS_TOTAL] });
    }
  });
});

describe('random histories through disasters', { timeout: HISTORIES_TIMEOUT_MS }, () => {
  const work = { clients: 5, levels: LEVELS };

  it('are sound after power cuts', async () => {
    for (const seed of seedsToTry(1, TESTS)) {
      const report = await powerCutHistories(openDurable, { ...work, seed, transactions: 12, everyOperations: 9 });
      expect({ seed, violations: report.violations }).toEqual({ seed, violations: [] });
      expect(report.disasters).toBeGreaterThan(3);
      expect(report.unknown).toBeGreaterThan(0);
    }
  });

  it.each(FAULTS)('are sound after faults of the disk: %s', async (kind) => {
    for (const seed of seedsToTry(1, TESTS)) {
      const report = await faultHistories(openDurable, { ...work, seed, kind, transactions: 6, everyOperations: 9 });
      expect({ seed, violations: report.violations }).toEqual({ seed, violations: [] });
      expect(report.disasters).toBeGreaterThan(2);
    }
  });
});
