import { type Checksums, loadChecksums } from '@phantom/base';
import { MemoryVfs } from '@phantom/vfs/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { openWal } from '../src/index.js';
import { Promises, judge, optionsOn, payloadOf, runWorkload } from './workload.js';

const CHANGES = new Set(['write', 'sync', 'syncDir', 'rename', 'remove', 'open', 'truncate']);

interface Cut {
  readonly disk: MemoryVfs;
  readonly promises: Promises;
  readonly label: string;
}

/** More of them by hand: `SWEEP_HISTORIES=300 npx vitest run test/crash-sweep.test.ts`; then also longer, with more cuts. */
const thorough = process.env['SWEEP_HISTORIES'] !== undefined;
const steps = thorough ? 60 : 40;
const seeds = thorough ? 2 : 1;
const histories = Array.from(
  { length: Number(process.env['SWEEP_HISTORIES'] ?? 2) },
  (_, i) => i + 1 + Number(process.env['SWEEP_FIRST'] ?? 0),
);

let checksums: Checksums;
beforeAll(async () => {
  checksums = await loadChecksums();
});

/** Cuts the power after every change that `run` makes, `seeds` times each. */
async function cutsOf(
  disk: MemoryVfs,
  promises: Promises,
  seeds: number,
  label: string,
  run: () => Promise<unknown>,
): Promise<Cut[]> {
  const cuts: Cut[] = [];
  disk.onOperation = (op) => {
    if (!CHANGES.has(op.operation)) return;
    for (let i = 0; i < seeds; i++) {
      const seed = disk.operations * 31 + i;
      cuts.push({ disk: disk.crashClone(seed), promises: promises.copy(), label: `${label} ${op.operation} ${seed}` });
    }
    // A kill leaves what was not durable as it is: there, and not durable. The power may go later.
    if (disk.operations % 3 === 0) {
      cuts.push({ disk: disk.killClone(), promises: promises.copy(), label: `${label} kill ${disk.operations}` });
    }
  };
  await run();
  disk.onOperation = undefined;
  return cuts;
}

/** Opens what a cut has left, checks it, writes on, and checks that what was shown once survives the next cut as well. */
async function survives(cut: Cut, everyOpening: boolean): Promise<void> {
  const { disk, promises } = cut;
  try {
    let inner: Cut[] = [];
    const options = optionsOn(disk, checksums);
    let shown = 0;
    const check = async (): Promise<void> => {
      const wal = await openWal(options);
      shown = await judge(wal, promises);
    };
    if (everyOpening) inner = await cutsOf(disk, promises, 1, `${cut.label} then opening`, check);
    else await check();
    for (const again of inner) await survives(again, false);
    // What an opening has shown is durable: a second cut right behind it loses nothing of it.
    const later = promises.copy();
    later.acknowledged = Math.max(shown, promises.acknowledged);
    for (let seed = 0; seed < 2; seed++) {
      const next = await openWal(optionsOn(disk.crashClone(seed), checksums));
      expect(await judge(next, later)).toBeGreaterThanOrEqual(shown);
    }
    // And it can be written on.
    const killed = disk.killClone();
    const wal = await openWal(optionsOn(killed, checksums));
    // All records may have been dropped; whoever appends goes on behind what it knows.
    const seq = Math.max(await judge(wal, later), later.keptFrom - 1) + 1;
    wal.append(payloadOf(seq), { seq, commitTimeMs: seq, flags: seq & 0xffff });
    await wal.sync();
    const last = await openWal(optionsOn(killed.crashClone(3), checksums));
    later.appended = seq;
    later.acknowledged = seq;
    await judge(last, later);
  } catch (error) {
    throw new Error(`after ${cut.label}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

describe('crash sweep', () => {
  it.each(histories)(
    'keeps every acknowledged record and nothing by halves, history %i',
    { timeout: 60_000 },
    async (seed) => {
      const disk = new MemoryVfs({ syncTurns: seed % 2 });
      const promises = new Promises();
      const cuts = await cutsOf(disk, promises, seeds, `history ${seed}`, () =>
        runWorkload(disk, checksums, promises, { seed, steps }),
      );
      expect(cuts.length).toBeGreaterThan(50);
      for (const [index, cut] of cuts.entries()) await survives(cut, index % 7 === 0);
    },
  );

  it('leaves a log of durability os in order, whatever of its end is gone', async () => {
    const disk = new MemoryVfs({ syncTurns: 1 });
    const promises = new Promises();
    const cuts = await cutsOf(disk, promises, 3, 'os', () =>
      runWorkload(disk, checksums, promises, { seed: 5, steps: 60, more: { durability: 'os' } }),
    );
    let shown = 0;
    for (const cut of cuts) {
      cut.promises.acknowledged = 0;
      const wal = await openWal(optionsOn(cut.disk, checksums, { durability: 'os' }));
      shown = Math.max(shown, await judge(wal, cut.promises));
      await wal.close();
      const again = await openWal(optionsOn(cut.disk.killClone(), checksums));
      expect(await judge(again, cut.promises)).toBeGreaterThanOrEqual(0);
    }
    expect(shown).toBeGreaterThan(20);
  });
});
