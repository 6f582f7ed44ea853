/** Who loses a deadlock, and modes in which there is none. */
import { Random } from '@phantom/base';
import { describe, expect, it } from 'vitest';
import { LockStrength, type Mvcc, type MvccTransaction, type WaitingMode } from '../src/index.js';
import { codeOf, keyOf, lock, openMvcc, put, settle } from './support.js';

function take(transaction: MvccTransaction, key: string): Promise<string> {
  const outcome = lock(transaction, key);
  return outcome === undefined ? Promise.resolve('done') : codeOf(outcome as Promise<void>);
}

/** Each holds a key of its own and asks for the next one's. */
async function ring(transactions: readonly MvccTransaction[]): Promise<string[]> {
  transactions.forEach((transaction, i) => void take(transaction, `k${i}`));
  const waits = transactions.map((transaction, i) => {
    const wait = take(transaction, `k${(i + 1) % transactions.length}`);
    void wait.then((code) => code !== 'done' && transaction.rollback());
    return wait;
  });
  const codes: string[] = transactions.map(() => 'waits');
  waits.forEach((wait, i) => void wait.then((code) => (codes[i] = code)));
  await settle();
  const seen = [...codes];
  // Who has been granted ends, so that the others are, too.
  for (let round = 0; round < transactions.length; round++) {
    codes.forEach((code, i) => {
      if (code === 'done' && transactions[i]?.status === 'active') transactions[i]?.rollback();
    });
    await settle();
  }
  return seen;
}

describe('the victim of a deadlock', () => {
  it('is the youngest, of any number, and the error names the whole cycle with its statements', async () => {
    for (const parties of [2, 3, 10]) {
      const { mvcc } = await openMvcc();
      const all = Array.from({ length: parties }, () => mvcc.begin());
      all.forEach((transaction, i) => transaction.beginStatement(`statement ${i}`));
      all.forEach((transaction, i) => void take(transaction, `k${i}`));
      let error: { detail?: string; data?: { cycle?: number[] } } | undefined;
      const last = all.map((transaction, i) => {
        const key = keyOf(`k${(i + 1) % parties}`);
        const wait = transaction.lock(key, 0, key.length, LockStrength.Update, 'wait') as Promise<void>;
        return wait.catch((thrown: typeof error) => void (error = thrown));
      });
      await settle();
      expect(mvcc.stats().deadlocks).toBe(1);
      expect(error?.data?.cycle).toHaveLength(parties);
      for (let i = 0; i < parties; i++) {
        expect(error?.detail).toContain(`Transaction ${all[i]?.id} waits for lock "update"`);
        expect(error?.detail).toContain(`Transaction ${all[i]?.id} runs "statement ${i}".`);
      }
      expect(all.at(-1)?.isWaiting).toBe(false);
      for (const transaction of all.reverse()) transaction.rollback();
      await Promise.all(last);
    }
  });

  it.each([2, 3, 10])('is all but one of %i that read a key and then want it alone, each at once', async (parties) => {
    const { mvcc } = await openMvcc();
    const key = keyOf('k');
    const all = Array.from({ length: parties }, () => mvcc.begin());
    for (const transaction of all) transaction.lock(key, 0, key.length, LockStrength.Share, 'nowait');
    const upgrades = all.map((transaction, i) => {
      const wait = codeOf(transaction.lock(key, 0, key.length, LockStrength.Update, 'wait') as Promise<void>);
      // Found in the call that closed the cycle: the second one to ask, and each one after it.
      expect(mvcc.stats().deadlocks).toBe(i);
      return wait.then((code) => {
        if (code !== 'done') transaction.rollback();
        return code;
      });
    });
    // Of each two the younger one gives up, so the oldest is left.
    expect(await Promise.all(upgrades)).toEqual(['done', ...all.slice(1).map(() => '40P01')]);
    all[0]?.rollback();
  });

  it('has least to do again, or least priority, if that is the policy', async () => {
    const work = await openMvcc({ deadlockPolicy: 'least work' });
    const [a, b] = [work.mvcc.begin(), work.mvcc.begin()];
    put(b, 'something', 'x'.repeat(1000));
    expect(await ring([a, b])).toEqual(['40P01', 'done']);
    const priority = await openMvcc({ deadlockPolicy: 'priority' });
    const [c, d, e] = [5, 1, 3].map((p) => priority.mvcc.begin({ priority: p })) as [
      MvccTransaction,
      MvccTransaction,
      MvccTransaction,
    ];
    expect((await ring([c, d, e]))[1]).toBe('40P01');
  });

  it('is not the same twice while another one has not lost at all', async () => {
    const { mvcc } = await openMvcc();
    const [a, b] = [mvcc.begin(), mvcc.begin()];
    expect(await ring([a, b])).toEqual(['done', '40P01']);
    const [c, again] = [mvcc.begin(), mvcc.begin({ retryOf: b.id })];
    expect(await ring([c, again])).toEqual(['40P01', 'done']);
  });

  it('is remembered by its session for the next attempt', async () => {
    const { mvcc } = await openMvcc();
    const [s, t] = [mvcc.sessionLocks('s'), mvcc.sessionLocks('t')];
    const pair = (): [MvccTransaction, MvccTransaction] => [
      mvcc.begin({ sessionLocks: s }),
      mvcc.begin({ sessionLocks: t }),
    ];
    expect(await ring(pair())).toEqual(['done', '40P01']);
    expect(await ring(pair())).toEqual(['40P01', 'done']);
    for (const transaction of pair()) transaction.commitSync();
    for (const transaction of pair()) transaction.rollback();
    expect(await ring(pair())).toEqual(['done', '40P01']);
  });
});

/** Random work: transactions lock random keys in random order, are run again when they lose, and all come to their end. */
async function churn(mvcc: Mvcc, clients: number, rounds: number, seed: number): Promise<number> {
  const random = new Random(seed);
  let attempts = 0;
  const client = async (): Promise<void> => {
    for (let round = 0; round < rounds; round++) {
      const keys = Array.from({ length: 3 }, () => `k${random.below(5)}`);
      let first: number | undefined;
      for (;;) {
        attempts++;
        const transaction = mvcc.begin(first === undefined ? {} : { retryOf: first });
        first ??= transaction.id;
        try {
          for (const key of keys) {
            await lock(transaction, key);
            await new Promise((resolve) => setImmediate(resolve));
          }
          put(transaction, keys[0] as string, String(round));
          await transaction.commit();
          break;
        } catch (error) {
          transaction.rollback();
          if ((error as { code: string }).code !== '40P01') throw error;
        }
      }
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return attempts;
}

describe('waiting', () => {
  it.each(['detect', 'wait-die', 'wound-wait'] as WaitingMode[])(
    'in mode %s comes to an end for everybody',
    async (waiting) => {
      const { mvcc } = await openMvcc({ waiting });
      const attempts = await churn(mvcc, 8, 20, 7);
      expect(attempts).toBeGreaterThan(160);
      const { deadlocks, deadlocksPrevented, live, committed } = mvcc.stats();
      expect([live, committed]).toEqual([0, 160]);
      if (waiting === 'detect') expect(deadlocks).toBeGreaterThan(0);
      else expect(deadlocksPrevented).toBeGreaterThan(0);
    },
  );

  it('the younger one dies, the older one waits', async () => {
    const { mvcc } = await openMvcc({ waiting: 'wait-die' });
    const [older, younger] = [mvcc.begin(), mvcc.begin()];
    void take(older, 'a');
    void take(younger, 'b');
    expect(await take(younger, 'a')).toBe('40P01');
    const waits = take(older, 'b');
    expect(older.isWaiting).toBe(true);
    younger.rollback();
    expect(await waits).toBe('done');
    older.rollback();
  });

  it('the older one wounds, the younger one waits and is told', async () => {
    const { mvcc } = await openMvcc({ waiting: 'wound-wait' });
    const [older, younger] = [mvcc.begin(), mvcc.begin()];
    void take(older, 'a');
    void take(younger, 'b');
    const waits = take(younger, 'a');
    expect(younger.isWaiting).toBe(true);
    expect(await take(older, 'b')).toBe('done');
    expect(await waits).toBe('40P01');
    expect(() => put(younger, 'c', '1')).toThrow('deadlock prevented');
    await expect(younger.commit()).rejects.toMatchObject({
      code: '40P01',
      detail: expect.stringContaining('is older'),
    });
    expect(mvcc.locks()).toEqual([]);
    older.rollback();
  });

  it('is listed: who waits for whom, on what, how long', async () => {
    const { mvcc } = await openMvcc();
    const [a, b] = [mvcc.begin({ label: 'a' }), mvcc.begin({ label: 'b', sessionLocks: mvcc.sessionLocks('7') })];
    void take(a, 'row');
    void take(b, 'row');
    expect(mvcc.locks()).toMatchObject([
      {
        mode: LockStrength.Update,
        granted: false,
        owner: b.id,
        session: '7',
        blockers: [{ id: a.id, session: undefined }],
      },
    ]);
    expect(mvcc.transactions().map(({ waitsFor }) => waitsFor)).toEqual([[], [a.id]]);
    a.rollback();
    await settle();
    b.rollback();
  });
});
