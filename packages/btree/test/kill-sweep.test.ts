/** Killed processes, and power cuts in those that come after them. */
import { EngineCode } from '@phantom/kv';
import { killSweep } from '@phantom/testkit/engine';
import { describe, expect, it } from 'vitest';
import { BtreeEngine } from '../src/index.js';
import { Workload } from './workload.js';

describe('a killed process', () => {
  it('leaves nothing that a power cut in the next one could take away', async () => {
    const cuts = await killSweep<BtreeEngine>({
      code: EngineCode.Btree,
      open: (context) => BtreeEngine.open(context, { runsMax: 2, sliceMs: 0, idleMergeMs: 0 }),
      settle: (engine) => engine.merge(),
      workload: (engine) => new Workload(engine, { seed: 7, rounds: 3, keys: 150 }),
      killsEvery: 1,
      cutsEvery: 4,
    });
    expect(cuts).toBeGreaterThan(300);
  }, 60_000);
});
