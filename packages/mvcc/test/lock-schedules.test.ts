/**
 * Random schedules of the lock table against a model of it. Who loses a deadlock was in a cycle; no cycle outlives the call
 * that closed it; whoever waits in the one waits in the other. In the prevention modes nobody has to make way for somebody on
 * the wrong side of its age.
 */
import { Random } from '@phantom/base';
import { NONE } from '@phantom/kv';
import { HISTORIES_TIMEOUT_MS, runsForLong } from '@phantom/testkit/histories';
import { describe, expect, it } from 'vitest';
import { LockStrength, type WaitingMode } from '../src/index.js';
import type { LockOwner, LockRequest } from '../src/lock-owner.js';
import { LockTable } from '../src/lock-table.js';
import { LockModel } from './lock-model.js';

/** `npm run histories` tries more of them. */
const SCHEDULES = runsForLong ? 100_000 : 10_000;
const OWNERS_MAX = 5;
const STEPS = 10;
const STRENGTHS = Object.values(LockStrength);

/** A party that tells of its defeats at once. */
class Party implements LockOwner {
  readonly id: number;
  readonly name = 'party';
  readonly statement = undefined;
  readonly session = undefined;
  readonly party = this;
  readonly lockWaits: LockRequest[] = [];
  readonly age: number;
  readonly priority = 0;
  readonly work = 0;
  readonly losses = 0;
  readonly lockTimeoutMs = 0;
  lockSlot: number = NONE;
  lockHead: number = NONE;
  lockCount = 0;
  readonly readsAhead = false;
  readonly isCommitQueued = false;
  private readonly onLoss: (id: number) => void;
  private readonly onWound: (id: number) => void;

  constructor(id: number, onLoss: (id: number) => void, onWound: (id: number) => void) {
    this.id = this.age = id;
    this.onLoss = onLoss;
    this.onWound = onWound;
  }

  lost(): void {
    this.onLoss(this.id);
  }

  wound(): boolean {
    this.onWound(this.id);
    return true;
  }
}

/** Runs schedules one after the other; what went wrong, and how many have lost. */
function runSchedules(waiting: WaitingMode, seed: number): { readonly wrong: string[]; readonly lost: number } {
  const random = new Random(seed);
  const wrong: string[] = [];
  let lost = 0;
  let model = new LockModel();
  let asking = NONE as number;
  const say = (text: string): void => {
    if (wrong.length < 5) wrong.push(`${waiting}, after ${lost} losses: ${text}`);
  };
  const table = new LockTable({ policy: 'youngest', waiting, describeKey: String });
  const end = (id: number): void => {
    table.release(parties[id] as Party, NONE);
    model.release(id);
  };
  const onLoss = (id: number): void => {
    lost++;
    const hasToDie = waiting === 'wait-die' && id === asking && model.blockersOf(id).some((other) => other < id);
    if (!hasToDie && !model.isInCycle(id)) say(`${id} lost without a cycle`);
    model.withdraw(id);
  };
  const onWound = (id: number): void => {
    lost++;
    if (id < asking || !model.blockersOf(asking).includes(id)) say(`${asking} wounded ${id}, which was not in its way`);
    table.cancelWaits(parties[id] as Party, new Error('wounded'));
    end(id);
  };
  const parties = Array.from({ length: OWNERS_MAX }, (_, id) => new Party(id, onLoss, onWound));

  for (let schedule = 0; schedule < SCHEDULES && wrong.length === 0; schedule++) {
    const owners = 2 + random.below(OWNERS_MAX - 1);
    const keys = 1 + random.below(3);
    model = new LockModel();
    for (let step = 0; step < STEPS; step++) {
      const id = random.below(owners);
      const party = parties[id] as Party;
      if (party.lockWaits.length > 0) continue;
      asking = id;
      if (random.chance(0.15)) {
        end(id);
      } else {
        const key = random.below(keys);
        const mode = random.pick(STRENGTHS);
        const isGranted = model.acquire(id, key, mode);
        if (table.tryAcquire(party, key + 1, mode) !== isGranted) say(`${id} and its model differ about key ${key}`);
        if (!isGranted) table.wait(party, key + 1, new Uint8Array([key]), 0, 1, mode).catch(() => undefined);
      }
      for (let other = 0; other < owners; other++) {
        const waits = (parties[other] as Party).lockWaits.length > 0;
        if (waits !== model.isWaiting(other)) say(`${other} ${waits ? 'waits' : 'does not wait'}`);
      }
      // A cycle that is new goes through whoever began to wait.
      if (party.lockWaits.length > 0 && model.isInCycle(id)) say(`${id} is left in a cycle`);
    }
    for (const { lockWaits, id } of parties) {
      if (lockWaits.length > 0) table.cancelWaits(parties[id] as Party, new Error('over'));
      end(id);
    }
    if (table.count !== 0) say('locks are left');
  }
  return { wrong, lost };
}

describe('random schedules', { timeout: HISTORIES_TIMEOUT_MS }, () => {
  it.each(['detect', 'wait-die', 'wound-wait'] as const)('in mode %s have no victim without need', (waiting) => {
    const { wrong, lost } = runSchedules(waiting, 17);
    expect(wrong).toEqual([]);
    expect(lost).toBeGreaterThan(SCHEDULES / 50);
  });
});
