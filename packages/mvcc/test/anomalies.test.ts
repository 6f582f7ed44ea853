/** Every anomaly at every level through the package: which come to pass, and which cannot. SQL's are in packages/db. */
import { EngineCode } from '@phantom/kv';
import { SCENARIOS, levelsOfOccurrence } from '@phantom/testkit/histories';
import { describe, expect, it } from 'vitest';
import { createMvcc } from '../src/index.js';
import { historyDatabase } from './history-database.js';
import { openMemoryStore, settle } from './support.js';

describe.each(['optimistic', 'locking'] as const)('anomalies of %s transactions', (concurrency) => {
  it.each(SCENARIOS)('$anomaly, $title', async (scenario) => {
    const store = await openMemoryStore();
    const database = await historyDatabase(
      createMvcc(store),
      store,
      [EngineCode.Memory, EngineCode.Memory],
      concurrency,
    );
    expect(await levelsOfOccurrence(scenario, database, settle)).toEqual(scenario.occursAt);
    await database.close();
  });
});
