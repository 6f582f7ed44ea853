/** Work that has lost a race is run again, and gets its turn. */
import { describe, expect, it } from 'vitest';
import type { Mvcc, MvccTransaction } from '../src/index.js';
import { codeOf, lock, openMvcc, openSlow, put, read, seed } from './support.js';

const add = (transaction: MvccTransaction, key: string): void =>
  put(transaction, key, String(Number(read(transaction, key) ?? 0) + 1));

describe('a counter that many write optimistically', () => {
  it('counts everybody, who loses once and then waits for a turn', async () => {
    const { mvcc } = await openSlow();
    await seed(mvcc, { n: '0' });
    const writers = 16;
    const attempts: number[] = [];
    await Promise.all(
      Array.from({ length: writers }, async (_, i) => {
        attempts[i] = 0;
        await mvcc.run((transaction) => {
          attempts[i] = (attempts[i] as number) + 1;
          transaction.beginStatement();
          add(transaction, 'n');
        });
      }),
    );
    expect(read(mvcc.begin(), 'n')).toBe(String(writers));
    expect(Math.max(...attempts)).toBe(2);
  });

  it('takes few syncs, since who runs again is shown what is in the log', async () => {
    const { mvcc, store } = await openSlow();
    await seed(mvcc, { n: '0' });
    const { syncs } = store.stats();
    await Promise.all(
      Array.from({ length: 16 }, () =>
        mvcc.run((transaction) => {
          transaction.beginStatement();
          add(transaction, 'n');
        }),
      ),
    );
    expect(store.stats().syncs - syncs).toBeLessThanOrEqual(4);
  });

  it('tells what an attempt that was shown more than is durable has thrown when that is', async () => {
    const { mvcc, store } = await openSlow();
    await seed(mvcc, { n: '0' });
    const shown = await Promise.all(
      Array.from({ length: 4 }, async () => {
        let seq = 0;
        const run = mvcc.run((transaction) => {
          transaction.beginStatement();
          seq = transaction.snapshotSeq;
          if (transaction.readsAhead && seq > store.visibleSeq) throw new Error('enough');
          add(transaction, 'n');
        });
        const isRefused = await run.then(
          () => false,
          () => true,
        );
        expect(store.visibleSeq).toBeGreaterThanOrEqual(seq);
        return isRefused;
      }),
    );
    expect(shown).toContain(true);
  });

  it('lets nobody starve beside those who lock', async () => {
    const { mvcc } = await openSlow();
    await seed(mvcc, { n: '0' });
    let isDone = false;
    const lockers = Array.from({ length: 4 }, async () => {
      while (!isDone) {
        const transaction = mvcc.begin();
        await lock(transaction, 'n');
        transaction.beginStatement();
        add(transaction, 'n');
        await transaction.commit();
      }
    });
    let attempts = 0;
    await mvcc.run(
      async (transaction) => {
        attempts++;
        transaction.beginStatement();
        await new Promise((resolve) => setImmediate(resolve));
        add(transaction, 'n');
      },
      { retriesMax: 2 },
    );
    isDone = true;
    await Promise.all(lockers);
    expect(attempts).toBeLessThanOrEqual(2);
  });

  it('works at serializable, over several keys', async () => {
    const { mvcc } = await openMvcc();
    await seed(mvcc, { a: '0', b: '0', c: '0' });
    const keys = ['a', 'b', 'c'];
    await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        mvcc.run(
          async (transaction) => {
            transaction.beginStatement();
            for (let step = 0; step < keys.length; step++) {
              add(transaction, keys[(i + step) % keys.length] as string);
              await Promise.resolve();
              transaction.beginStatement();
            }
          },
          { isolation: 'serializable' },
        ),
      ),
    );
    const reader = mvcc.begin();
    expect(keys.map((key) => read(reader, key))).toEqual(['12', '12', '12']);
  });
});

describe('writers of different keys', () => {
  it('never lose', async () => {
    const { mvcc } = await openSlow();
    await Promise.all(
      Array.from({ length: 16 }, async (_, i) => {
        for (let round = 0; round < 8; round++) {
          await mvcc.run((transaction) => {
            transaction.beginStatement();
            add(transaction, `row ${i}`);
          });
        }
      }),
    );
    expect(mvcc.stats()).toMatchObject({ conflicts: 0, committed: 128, rolledBack: 0 });
    expect(mvcc.conflicts()).toEqual([]);
  });
});

describe('running again', () => {
  const losing = (mvcc: Mvcc, attempt: () => void) => async (transaction: MvccTransaction) => {
    attempt();
    transaction.beginStatement();
    add(transaction, `other ${mvcc.stats().begun}`);
    add(transaction, 'n');
    // Somebody who holds no lock gets in between, on a key that was not lost on before.
    const other = mvcc.begin();
    add(other, `other ${mvcc.stats().begun - 1}`);
    await other.commit();
  };

  it('ends after as many attempts as were asked for', async () => {
    const { mvcc } = await openMvcc();
    let attempts = 0;
    const run = mvcc.run(
      losing(mvcc, () => attempts++),
      { retriesMax: 3 },
    );
    expect(await codeOf(run)).toBe('40001');
    expect(attempts).toBe(4);
  });

  it('is for lost races alone, and rolls back whatever throws', async () => {
    const { mvcc } = await openMvcc();
    let attempts = 0;
    const run = mvcc.run((transaction) => {
      attempts++;
      add(transaction, 'n');
      throw new Error('mine');
    });
    await expect(run).rejects.toThrow('mine');
    expect([attempts, mvcc.stats().live]).toEqual([1, 0]);
    expect(read(mvcc.begin(), 'n')).toBeUndefined();
  });

  it('is as old as the first attempt', async () => {
    const { mvcc } = await openMvcc();
    let attempts = 0;
    await mvcc.run((transaction) => {
      transaction.beginStatement();
      add(transaction, 'n');
      if (attempts++ > 0) return;
      const other = mvcc.begin();
      add(other, 'n');
      other.commitSync();
    });
    expect(attempts).toBe(2);
    expect(mvcc.conflicts()).toMatchObject([{ count: 1 }]);
  });
});
