/**
 * Random schedules of serializable transactions over a disk whose syncs end at any later step, each judged by the order of versions
 * that the database itself tells. `npm run histories` tries more of them.
 */
import { ManualClock, Random } from '@phantom/base';
import { btree } from '@phantom/btree';
import { EngineCode, makeSpaceId } from '@phantom/kv';
import { openStore } from '@phantom/store';
import { HISTORIES_TIMEOUT_MS, seedsToTry } from '@phantom/testkit/histories';
import { describe, expect, it } from 'vitest';
import { type Isolation, type MvccOptions, createMvcc } from '../src/index.js';
import { HeldSyncs } from './held-syncs.js';
import { Schedule } from './schedule.js';
import { Judgement } from './schedule-judge.js';
import { memoryEngine } from './support.js';

/** Schedules over one store, which is then made anew. */
const SCHEDULES = 30;
const TRANSACTIONS = 14;
/** Little room for what has to be remembered, or to write. */
const NARROW: readonly MvccOptions[] = [
  {},
  { readSetBytesMax: 400 },
  { serializableBytesMax: 3000 },
  { writeSetBytesMax: 40 },
];
const MIXES: readonly (readonly [beside: string, weaker: readonly Isolation[]])[] = [
  ['alone', []],
  ['beside weaker levels', ['read committed', 'repeatable read']],
];

interface Outcome {
  readonly faults: readonly string[];
  readonly committed: number;
  readonly lost: number;
}

async function runSchedules(seed: number, weaker: readonly Isolation[]): Promise<Outcome> {
  const random = new Random(seed);
  const disk = new HeldSyncs();
  const store = await openStore('/db', {
    vfs: disk,
    clock: new ManualClock(),
    engines: [btree({ idleMergeMs: 0 }), memoryEngine],
    segmentBytes: 16_384,
    checkpointBytesMax: 8192,
    durability: 'fsync',
  });
  const preparedSpace = makeSpaceId(EngineCode.Btree, 9);
  const mvcc = createMvcc(store, { preparedSpace, clock: new ManualClock(), ...NARROW[seed % NARROW.length] });
  const faults: string[] = [];
  let [committed, lost] = [0, 0];
  let state: ReadonlyMap<number, string> = new Map();
  for (let i = 0; i < SCHEDULES && faults.length === 0; i++) {
    disk.isHolding = true;
    const schedule = new Schedule({ random, mvcc, disk, transactions: TRANSACTIONS, weaker });
    await schedule.run();
    disk.releaseAll();
    await store.drain();
    const judgement = new Judgement(state, schedule.committed);
    state = judgement.state;
    faults.push(...schedule.faults, ...judgement.faults);
    // Whoever ends looks what is still needed.
    const last = mvcc.begin({ isolation: 'serializable' });
    last.beginStatement();
    last.rollback();
    if (mvcc.stats().serializableRecords > 0) faults.push('records are left though nobody lives');
    committed += schedule.committed.length;
    lost += schedule.lost;
  }
  await mvcc.close();
  await store.close({ checkpoint: false });
  return { faults, committed, lost };
}

describe('random schedules of serializable transactions', { timeout: HISTORIES_TIMEOUT_MS }, () => {
  it.each(MIXES)('%s have an order', async (_, weaker) => {
    for (const seed of seedsToTry(2, MIXES.length)) {
      const { faults, committed, lost } = await runSchedules(seed, weaker);
      expect({ seed, faults }).toEqual({ seed, faults: [] });
      expect(committed).toBeGreaterThan(SCHEDULES * TRANSACTIONS * 0.4);
      expect(lost).toBeGreaterThan(SCHEDULES);
    }
  });
});
