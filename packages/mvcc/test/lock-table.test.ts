/** The lock table alone: strengths, queues, deadlocks, and its memory. */
import { Random } from '@phantom/base';
import { NONE } from '@phantom/kv';
import { describe, expect, it } from 'vitest';
import { LockStrength, type LockMode, TableLockMode } from '../src/index.js';
import { excludes } from '../src/lock-strength.js';
import type { LockOwner, LockRequest } from '../src/lock-owner.js';
import { LockTable } from '../src/lock-table.js';
import { findCycle } from '../src/wait-for-graph.js';

class Owner implements LockOwner {
  readonly id: number;
  readonly name: string;
  lockSlot: number = NONE;
  lockHead: number = NONE;
  lockCount = 0;
  readonly readsAhead = false;
  readonly isCommitQueued = false;
  readonly lockWaits: LockRequest[] = [];
  readonly party = this;
  readonly statement = undefined;
  readonly session = undefined;
  losses = 0;
  lockTimeoutMs = 0;
  priority = 0;
  work = 0;
  age: number;

  constructor(id: number) {
    this.id = id;
    this.name = `transaction ${id}`;
    this.age = id;
  }

  lost(): void {
    this.losses++;
  }

  wound(): boolean {
    return false;
  }
}

const { KeyShare, Share, NoKeyUpdate, Update } = LockStrength;
const STRENGTHS = [KeyShare, Share, NoKeyUpdate, Update];

function tableOf(): LockTable {
  return new LockTable({ policy: 'youngest', waiting: 'detect', describeKey: (key) => `key ${key[0]}` });
}

function wait(table: LockTable, owner: Owner, key: number, strength: LockStrength): Promise<string> {
  return table.wait(owner, key + 1, new Uint8Array([key]), 0, 1, strength).then(
    () => 'granted',
    (error: { code?: string; message: string }) => error.code ?? error.message,
  );
}

async function turn(): Promise<void> {
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
}

describe('strengths', () => {
  it("exclude each other as PostgreSQL's table says", () => {
    const table = STRENGTHS.map((a) => STRENGTHS.map((b) => (excludes(a, b) ? 'x' : '-')).join(''));
    expect(table).toEqual(['---x', '--xx', '-xxx', 'xxxx']);
  });
});

describe('locks', () => {
  it('are had at once when nobody is in the way, and again by their holder', () => {
    const table = tableOf();
    const [a, b] = [new Owner(1), new Owner(2)];
    expect(table.tryAcquire(a, 1, Share)).toBe(true);
    expect(table.tryAcquire(b, 1, KeyShare)).toBe(true);
    expect(table.tryAcquire(a, 1, KeyShare)).toBe(true);
    expect(a.lockCount).toBe(1);
    expect(table.tryAcquire(b, 1, NoKeyUpdate)).toBe(false);
    expect(table.tryAcquire(a, 1, NoKeyUpdate)).toBe(true);
    expect(a.lockCount).toBe(2);
    expect(table.isHeldAgainst(b, 1, Share)).toBe(true);
    expect(table.isHeldAgainst(a, 1, Update)).toBe(true);
    expect(table.isHeldAgainst(a, 1, NoKeyUpdate)).toBe(false);
    expect(table.isHeldAgainst(a, 9, Update)).toBe(false);
    table.release(a, NONE);
    table.release(b, NONE);
    expect(table.count).toBe(0);
    expect(a.lockSlot).toBe(NONE);
  });

  it('made stronger fall back to what they were', () => {
    const table = tableOf();
    const [a, b] = [new Owner(1), new Owner(2)];
    table.tryAcquire(a, 1, Share);
    const mark = a.lockHead;
    table.tryAcquire(a, 1, Update);
    table.tryAcquire(a, 2, Update);
    table.release(a, mark);
    expect(table.tryAcquire(b, 1, Share)).toBe(true);
    expect(table.tryAcquire(b, 2, Update)).toBe(true);
    expect(table.tryAcquire(b, 1, Update)).toBe(false);
  });

  it('of many keys are kept, found and given back', () => {
    const table = tableOf();
    const random = new Random(1);
    const owners = Array.from({ length: 8 }, (_, i) => new Owner(i));
    const held = new Map<number, Owner>();
    let wrong = 0;
    for (let i = 0; i < 40_000; i++) {
      const owner = random.pick(owners);
      const key = 1 + random.below(5000) * 7 + random.below(3);
      const holder = held.get(key);
      if (table.tryAcquire(owner, key, Update) !== (holder === undefined || holder === owner)) wrong++;
      if (holder === undefined) held.set(key, owner);
      if (i % 5000 === 4999) {
        const gone = random.pick(owners);
        table.release(gone, NONE);
        for (const [name, other] of held) if (other === gone) held.delete(name);
      }
      if (table.count !== held.size) wrong++;
    }
    expect(wrong).toBe(0);
    for (const owner of owners) table.release(owner, NONE);
    expect(table.count).toBe(0);
    expect(table.tryAcquire(owners[0] as Owner, 7, Update)).toBe(true);
  });

  it('of keys that many hold are had and given back as those of others are', () => {
    const table = tableOf();
    const random = new Random(3);
    const owners = Array.from({ length: 30 }, (_, i) => new Owner(i));
    const held = owners.map((): { head: number; key: number; mode: LockMode }[] => []);
    const modes = Object.values(TableLockMode);
    let wrong = 0;
    let crowdMax = 0;
    for (let i = 0; i < 30_000; i++) {
      const at = random.below(owners.length);
      const [owner, own] = [owners[at] as Owner, held[at] as (typeof held)[number]];
      if (random.below(40) === 0) {
        const keep = random.below(own.length + 1);
        table.release(owner, own[keep]?.head ?? owner.lockHead);
        own.length = keep;
      } else {
        const key = 1 + random.below(3);
        const mode = random.below(4) > 0 ? TableLockMode.RowExclusive : random.pick(modes);
        const head = owner.lockHead;
        const isFree = held.every(
          (others, other) => other === at || others.every((lock) => lock.key !== key || !excludes(lock.mode, mode)),
        );
        if (table.tryAcquire(owner, key, mode) !== isFree) wrong++;
        if (owner.lockHead !== head) own.push({ head, key, mode });
        if (own.length > 3 * modes.length) wrong++;
      }
      crowdMax = Math.max(crowdMax, table.count);
      if (table.count !== held.reduce((sum, { length }) => sum + length, 0)) wrong++;
    }
    expect(wrong).toBe(0);
    expect(crowdMax).toBeGreaterThan(40);
    for (const owner of owners) table.release(owner, NONE);
    expect(table.count).toBe(0);
  });

  it('of a key that a thousand hold cost no look at each of them', () => {
    const table = tableOf();
    let looks = 0;
    const owners = Array.from({ length: 1000 }, (_, i) => {
      const owner = new Owner(i);
      const looked = { get: () => (looks++, owner) };
      return Object.defineProperty(owner, 'party', looked);
    });
    for (const owner of owners) expect(table.tryAcquire(owner, 1, TableLockMode.RowExclusive)).toBe(true);
    for (const owner of owners) expect(table.tryAcquire(owner, 1, TableLockMode.RowExclusive)).toBe(true);
    expect(table.count).toBe(1000);
    expect(looks).toBeLessThan(200);
    expect(table.tryAcquire(owners[0] as Owner, 1, TableLockMode.Share)).toBe(false);
    for (const owner of owners) table.release(owner, NONE);
    expect(table.tryAcquire(owners[0] as Owner, 1, TableLockMode.Share)).toBe(true);
  });

  it.each([100, 5000])('of one owner, %i of them, all go at once when nobody else has any', (keys) => {
    const table = tableOf();
    const [a, b] = [new Owner(1), new Owner(2)];
    for (let round = 0; round < 2; round++) {
      for (let key = 1; key <= keys; key++) table.tryAcquire(a, key, key % 3 === 0 ? Share : Update);
      for (let key = 3; key <= keys; key += 3) table.tryAcquire(a, key, Update);
      table.nameKey(1, new Uint8Array([1]), 0, 1);
      expect(table.tryAcquire(b, keys, Share)).toBe(false);
      table.release(a, NONE);
      expect([table.count, a.lockCount, a.lockHead, table.heldBy(a)]).toEqual([0, 0, NONE, []]);
      let taken = 0;
      for (let key = 1; key <= keys; key++) if (table.tryAcquire(b, key, Update)) taken++;
      expect(taken).toBe(keys);
      expect(table.heldBy(b).every(({ key }) => key === undefined)).toBe(true);
      // The other one's stay where the first one has some as well.
      table.tryAcquire(a, keys + 1, Update);
      table.release(a, NONE);
      expect(table.count).toBe(keys);
      table.release(b, NONE);
    }
  });
});

describe('waiting', () => {
  it('ends in the order of asking, and nobody overtakes', async () => {
    const table = tableOf();
    const owners = [0, 1, 2, 3, 4].map((id) => new Owner(id));
    const [a, b, c, d, e] = owners as [Owner, Owner, Owner, Owner, Owner];
    table.tryAcquire(a, 1, Share);
    const log: string[] = [];
    void wait(table, b, 0, Update).then((told) => log.push(`b ${told}`));
    void wait(table, c, 0, Share).then((told) => log.push(`c ${told}`));
    void wait(table, d, 0, KeyShare).then((told) => log.push(`d ${told}`));
    expect(table.tryAcquire(e, 1, Share)).toBe(false);
    expect([...table.blockersOf(c)]).toEqual([b]);
    table.release(a, NONE);
    await turn();
    expect(log).toEqual(['b granted']);
    table.release(b, NONE);
    await turn();
    expect(log).toEqual(['b granted', 'c granted', 'd granted']);
    for (const owner of owners) table.release(owner, NONE);
  });

  it('is cut short by a time limit, and those behind go on', async () => {
    const table = tableOf();
    const [a, b, c] = [new Owner(1), new Owner(2), new Owner(3)];
    b.lockTimeoutMs = 20;
    table.tryAcquire(a, 1, Share);
    const late = wait(table, b, 0, Update);
    const behind = table.wait(c, 1, new Uint8Array([0]), 0, 1, Share);
    await expect(late).resolves.toBe('55P03');
    await behind;
    expect(c.lockCount).toBe(1);
    const again = table.wait(b, 1, new Uint8Array([0]), 0, 1, Update);
    await expect(again).rejects.toMatchObject({ detail: 'Lock "update" on key 0 was not granted within 20 ms.' });
  });

  it('is cut short by a cancel', async () => {
    const table = tableOf();
    const [a, b] = [new Owner(1), new Owner(2)];
    table.tryAcquire(a, 1, Update);
    table.tryAcquire(a, 2, Update);
    const waits = [wait(table, b, 0, Update), wait(table, b, 1, Update)];
    expect(b.lockWaits).toHaveLength(2);
    table.cancelWaits(b, new Error('cancelled'));
    await expect(Promise.all(waits)).resolves.toEqual(['cancelled', 'cancelled']);
    expect(b.lockWaits).toHaveLength(0);
  });

  it('of a holder who wants more goes ahead of those who hold nothing', async () => {
    const table = tableOf();
    const [a, b, c, d] = [new Owner(1), new Owner(2), new Owner(3), new Owner(4)];
    table.tryAcquire(a, 1, KeyShare);
    table.tryAcquire(b, 1, KeyShare);
    table.tryAcquire(d, 1, KeyShare);
    const log: string[] = [];
    void wait(table, c, 0, Update).then((told) => log.push(`c ${told}`));
    void wait(table, a, 0, Update).then((told) => log.push(`a ${told}`));
    void wait(table, d, 0, Update).then((told) => log.push(`d ${told}`));
    await turn();
    // a and d both hold the key and want it alone: the younger one gives up.
    expect(log).toEqual(['d 40P01']);
    table.release(d, NONE);
    table.release(b, NONE);
    await turn();
    expect(log).toEqual(['d 40P01', 'a granted']);
    table.release(a, NONE);
    await turn();
    expect(log).toEqual(['d 40P01', 'a granted', 'c granted']);
  });
});

describe('deadlocks', () => {
  it.each([2, 3, 10])('of %i are found when the last one begins to wait, and cost the youngest', async (parties) => {
    for (let closing = 0; closing < parties; closing++) {
      const table = tableOf();
      const owners = Array.from({ length: parties }, (_, i) => new Owner(i + 1));
      owners.forEach((owner, i) => table.tryAcquire(owner, i + 1, Update));
      const told = new Map<number, string>();
      const order = owners.map((_, i) => (closing + 1 + i) % parties);
      for (const i of order) {
        expect(table.deadlocks).toBe(0);
        void wait(table, owners[i] as Owner, (i + 1) % parties, Update).then((text) => {
          told.set(i, text);
          table.release(owners[i] as Owner, NONE);
        });
      }
      expect(table.deadlocks).toBe(1);
      for (let i = 0; i < parties + 1; i++) await turn();
      expect(told.get(parties - 1)).toBe('40P01');
      expect([...told.values()].filter((text) => text === 'granted')).toHaveLength(parties - 1);
      expect(table.count).toBe(0);
    }
  });

  it('that one wait closes twice cost as many victims as it takes', async () => {
    const table = tableOf();
    const [a, b, c] = [new Owner(1), new Owner(2), new Owner(3)];
    table.tryAcquire(a, 1, Update);
    table.tryAcquire(b, 2, Share);
    table.tryAcquire(c, 2, Share);
    const log: string[] = [];
    void wait(table, b, 0, Update).then((told) => log.push(`b ${told}`));
    void wait(table, c, 0, Update).then((told) => log.push(`c ${told}`));
    void wait(table, a, 1, Update).then((told) => log.push(`a ${told}`));
    await turn();
    expect(log.sort()).toEqual(['b 40P01', 'c 40P01']);
    expect(table.deadlocks).toBe(2);
    table.release(b, NONE);
    table.release(c, NONE);
    await turn();
    expect(log).toContain('a granted');
  });

  it('never are found where there is none, and never stay, in random schedules', async () => {
    const random = new Random(99);
    for (let round = 0; round < 150; round++) {
      const table = tableOf();
      const owners = Array.from({ length: 2 + random.below(6) }, (_, i) => new Owner(i + 1));
      const keys = 1 + random.below(5);
      let victims = 0;
      let running = 0;
      const client = async (owner: Owner): Promise<void> => {
        running++;
        for (let attempt = 0; attempt < 4; attempt++) {
          let isVictim = false;
          for (let step = 0; step < 3 && !isVictim; step++) {
            const key = random.below(keys);
            const strength = random.pick(STRENGTHS);
            if (!table.tryAcquire(owner, key + 1, strength))
              isVictim = (await wait(table, owner, key, strength)) === '40P01';
            if (random.chance(0.5)) await turn();
          }
          if (isVictim) victims++;
          table.release(owner, NONE);
        }
        running--;
      };
      await Promise.all(owners.map((owner) => client(owner)));
      expect([running, table.count]).toEqual([0, 0]);
      expect(victims).toBeLessThanOrEqual(table.deadlocks);
    }
  });
});

describe('the wait-for graph', () => {
  const graph = (edges: Record<string, string>) => (node: string) => [...(edges[node] ?? '')];

  it('names a cycle through the start, in order of waiting', () => {
    expect(findCycle('a', graph({ a: 'bc', b: '', c: 'de', d: 'c', e: 'a' }))).toEqual(['a', 'c', 'e']);
  });

  it('does not mistake a cycle elsewhere, or two ways to one node, for one', () => {
    expect(findCycle('a', graph({ a: 'bc', b: 'd', c: 'd', d: 'e', e: 'd' }))).toBeUndefined();
  });
});
