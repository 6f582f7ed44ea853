/** Serializable: constraints are checked by the newest state, and what they are told there has to be what the snapshot tells. */
import { describe, expect, it } from 'vitest';
import type { Isolation, MvccTransaction } from '../src/index.js';
import { codeOf, keyOf, openMvcc, put, rangeOf, read, remove, seed, thrownBy } from './support.js';

describe('a constraint that is checked by a newer state than all else is read by', () => {
  /** Somebody reads; somebody else commits; then a constraint is checked by the newest state. How the first one ends. */
  async function endOf(
    isolation: Isolation,
    change: (other: MvccTransaction) => void,
    check: (transaction: MvccTransaction) => void,
  ): Promise<string> {
    const { mvcc } = await openMvcc();
    await seed(mvcc, { parent: '1', x: '0', y: '0' });
    const transaction = mvcc.begin({ isolation });
    expect(read(transaction, 'x')).toBe('0');
    const other = mvcc.begin({ isolation });
    put(other, 'x', '1');
    change(other);
    other.commitSync();
    check(transaction);
    put(transaction, 'child', '1');
    return codeOf(transaction.commit());
  }
  const found = (transaction: MvccTransaction, key: string): void => {
    const bytes = keyOf(key);
    transaction.guardPresence(bytes, 0, bytes.length);
    expect(read(transaction, key, 'getNewest')).toBeDefined();
  };
  const children = rangeOf('y', 'z');

  it('loses when it found what the snapshot has not', async () => {
    const makeParent = (other: MvccTransaction): void => put(other, 'parent 2', '1');
    const findParent = (transaction: MvccTransaction): void => found(transaction, 'parent 2');
    expect(await endOf('serializable', makeParent, findParent)).toBe('40001');
    expect(await endOf('repeatable read', makeParent, findParent)).toBe('done');
    const changeParent = (other: MvccTransaction): void => put(other, 'parent', '2');
    expect(await endOf('serializable', changeParent, (transaction) => found(transaction, 'parent'))).toBe('done');
  });

  it('loses when it relies on a range of which the snapshot shows something else', async () => {
    const rely = (transaction: MvccTransaction): void => transaction.relyOnNewest(children);
    const changes: ((other: MvccTransaction) => void)[] = [
      (other) => remove(other, 'y'),
      (other) => put(other, 'y', '1'),
      (other) => put(other, 'y2', '1'),
    ];
    for (const change of changes) {
      expect(await endOf('serializable', change, rely)).toBe('40001');
      expect(await endOf('repeatable read', change, rely)).toBe('done');
    }
    expect(await endOf('serializable', (other) => put(other, 'z', '1'), rely)).toBe('done');
  });

  it('is told by which key', async () => {
    const { mvcc } = await openMvcc();
    const transaction = mvcc.begin({ isolation: 'serializable' });
    read(transaction, 'x');
    await seed(mvcc, { parent: '1' });
    found(transaction, 'parent');
    const error = thrownBy(() => transaction.commitSync());
    expect(error).toMatchObject({ code: '40001', retryable: true });
    expect(error.detail).toMatch(
      /^A constraint of this transaction was checked by key .* the state of commit 0, which/,
    );
    expect(mvcc.conflicts()[0]?.count).toBe(1);
  });
});
