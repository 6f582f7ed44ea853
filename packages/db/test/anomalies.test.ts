/** Every anomaly at every level through SQL sessions, over tables in both engines: which come to pass, and which cannot. */
import { type HistoryDatabase, SCENARIOS, levelsOfOccurrence } from '@phantom/testkit/histories';
import { MemoryVfs } from '@phantom/vfs/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openHistoryDatabase } from './history-database.js';

const TURNS = 30;
const KEYS_OF_SCENARIOS = 100;

async function settle(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
}

describe.each([undefined, 'optimistic', 'locking'] as const)('anomalies of sessions (%s)', (concurrency) => {
  let database: HistoryDatabase;

  beforeAll(async () => {
    database = await openHistoryDatabase(new MemoryVfs(), concurrency);
  });

  afterAll(() => database.close());

  it.each(SCENARIOS.map((scenario, i) => ({ ...scenario, firstKey: i * KEYS_OF_SCENARIOS })))(
    '$anomaly, $title',
    async (scenario) => {
      expect(await levelsOfOccurrence(scenario, database, settle, scenario.firstKey)).toEqual(scenario.occursAt);
    },
  );
});
