/** Keys that a transaction holds by what it has written to them, and not by records of locks. */
import { describe, expect, it } from 'vitest';
import { LockStrength, type Mvcc, type MvccTransaction, createMvcc } from '../src/index.js';
import { codeOf, keyOf, openMemoryStore, openSlow, put, read, settle } from './support.js';

/** More than have a record each. */
const MANY = 600;
const numbered = (n: number): string => `k${String(n).padStart(4, '0')}`;

function claim(transaction: MvccTransaction, key: string): Promise<void> | undefined {
  const bytes = keyOf(key);
  const wait = transaction.claim(bytes, 0, bytes.length);
  if (wait === undefined) put(transaction, key, `of ${transaction.id}`);
  return wait;
}

function claimMany(transaction: MvccTransaction, from = 0, to = MANY): void {
  for (let n = from; n < to; n++)
    if (claim(transaction, numbered(n)) !== undefined) throw new Error(`somebody has ${numbered(n)}`);
}

function lock(transaction: MvccTransaction, key: string): Promise<void> | false | undefined {
  const bytes = keyOf(key);
  return transaction.lock(bytes, 0, bytes.length, LockStrength.KeyShare, 'wait');
}

/** Tells, once it has waited, that it has. */
async function claimLater(transaction: MvccTransaction, key: string, told: string[]): Promise<void> {
  const wait = claim(transaction, key);
  if (wait === undefined) throw new Error(`nobody has ${key}`);
  await wait;
  told.push(key);
}

async function openMvcc(): Promise<Mvcc> {
  return createMvcc(await openMemoryStore());
}

describe('a transaction that claims many keys', () => {
  it('has few records of locks, and keeps others from all of its keys until it ends', async () => {
    const mvcc = await openMvcc();
    const told: string[] = [];
    const many = mvcc.begin();
    claimMany(many);
    expect(mvcc.transactions().find(({ id }) => id === many.id)?.locks).toBeLessThan(MANY / 2);
    const waits = [0, MANY - 1].map((n) => claimLater(mvcc.begin(), numbered(n), told));
    const reference = lock(mvcc.begin(), numbered(MANY - 2));
    expect(reference).toBeInstanceOf(Promise);
    await settle();
    expect(told).toEqual([]);
    expect(claim(mvcc.begin(), numbered(MANY))).toBeUndefined();
    await many.commit();
    await Promise.all([...waits, reference]);
    expect(told.toSorted()).toEqual([numbered(0), numbered(MANY - 1)]);
  });

  it('goes behind who waits for a key, also where it reads ahead of the one that has it', async () => {
    const { mvcc } = await openSlow();
    const [holder, waiting, many] = [mvcc.begin(), mvcc.begin(), mvcc.begin()];
    many.readsAhead = true;
    claimMany(many);
    const key = numbered(MANY);
    claim(holder, key);
    const first = claim(waiting, key);
    const committed = holder.commit();
    const second = claim(many, key);
    expect([first, second]).toEqual([expect.any(Promise), expect.any(Promise)]);
    await first;
    waiting.rollback();
    await Promise.all([second, committed]);
  });

  it('waits for who has a key already, by a lock or by a claim', async () => {
    const mvcc = await openMvcc();
    const told: string[] = [];
    const [first, many, large] = [mvcc.begin(), mvcc.begin(), mvcc.begin()];
    const taken = numbered(MANY);
    expect(lock(first, taken)).toBeUndefined();
    claimMany(many);
    claimMany(large, 2 * MANY, 3 * MANY);
    const waits = [claimLater(many, taken, told), claimLater(large, numbered(MANY - 1), told)];
    await settle();
    expect(told).toEqual([]);
    await first.commit();
    await waits[0];
    expect(told).toEqual([taken]);
    many.rollback();
    await waits[1];
    expect(told).toEqual([taken, numbered(MANY - 1)]);
  });

  it('keeps what it had before a savepoint, and gives back all when it goes back to its beginning', async () => {
    const mvcc = await openMvcc();
    const many = mvcc.begin();
    const beginning = many.savepoint();
    claimMany(many);
    const middle = many.savepoint();
    claimMany(many, MANY, 2 * MANY);
    const other = mvcc.begin();
    const wait = lock(other, numbered(MANY - 1));
    expect(wait).toBeInstanceOf(Promise);
    many.rollbackTo(middle);
    await settle();
    expect(other.isWaiting).toBe(true);
    many.rollbackTo(beginning);
    await wait;
    expect(claim(other, numbered(1))).toBeUndefined();
    const others = mvcc.begin();
    claimMany(others, 2 * MANY, 3 * MANY);
    expect(lock(other, numbered(2 * MANY - 1))).toBeUndefined();
  });

  it('holds a row that it has locked in a weaker mode no harder than that', async () => {
    const mvcc = await openMvcc();
    const many = mvcc.begin();
    claimMany(many);
    const row = keyOf('row');
    expect(many.lock(row, 0, row.length, LockStrength.NoKeyUpdate, 'wait')).toBeUndefined();
    put(many, 'row', 'changed');
    expect(lock(mvcc.begin(), 'row')).toBeUndefined();
  });

  it('is met by commits of those who lock nothing', async () => {
    const mvcc = await openMvcc();
    const many = mvcc.begin();
    claimMany(many);
    const optimist = mvcc.begin({ isolation: 'repeatable read' });
    optimist.beginStatement();
    put(optimist, numbered(MANY - 1), 'mine');
    const commit = codeOf(optimist.commit());
    await settle();
    await many.commit();
    expect(await commit).toBe('40001');
    const reader = mvcc.begin();
    reader.beginStatement();
    expect(read(reader, numbered(MANY - 1))).toBe(`of ${many.id}`);
  });
});

describe('claims of a prepared transaction', () => {
  it('are locks until it ends', async () => {
    const mvcc = createMvcc(await openMemoryStore(), { preparedSpace: 2 });
    const many = mvcc.begin();
    claimMany(many);
    await many.prepare('many', '');
    const told: string[] = [];
    const wait = claimLater(mvcc.begin(), numbered(MANY - 1), told);
    await settle();
    expect(told).toEqual([]);
    await mvcc.commitPrepared('many');
    await wait;
  });
});
