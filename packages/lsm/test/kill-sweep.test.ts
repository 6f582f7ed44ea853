/** Killed processes, and power cuts in those that come after them. */
import { EngineCode } from '@phantom/kv';
import { killSweep } from '@phantom/testkit/engine';
import { describe, expect, it } from 'vitest';
import { LsmEngine } from '../src/index.js';
import { SMALL } from './small-options.js';
import { Workload } from './workload.js';

describe('a killed process', () => {
  it('leaves nothing that a power cut in the next one could take away', async () => {
    const cuts = await killSweep<LsmEngine>({
      code: EngineCode.Lsm,
      open: (context) => LsmEngine.open(context, SMALL),
      settle: (engine) => engine.compact(),
      workload: (engine, vfs) => new Workload(engine, { seed: 7, rounds: 3, vfs }),
      killsEvery: 3,
      cutsEvery: 13,
    });
    expect(cuts).toBeGreaterThan(100);
  }, 60_000);
});
