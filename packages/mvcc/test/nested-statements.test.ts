/** Statements inside statements: what each of them sees, whatever the level. */
import { describe, expect, it } from 'vitest';
import { drainCursor, openMvcc, put, rangeOf, read, seed } from './support.js';

describe('a statement inside another one', () => {
  it('sees what the outer one has written and what was committed since, and the outer one afterwards still does not', async () => {
    const { mvcc } = await openMvcc();
    await seed(mvcc, { a: '1', b: '1' });
    const transaction = mvcc.begin();
    transaction.beginStatement('outer');
    put(transaction, 'a', '2');
    expect(read(transaction, 'a')).toBe('1');
    await seed(mvcc, { b: '2' });
    const leave = transaction.nestStatement();
    transaction.beginStatement('inner');
    expect([read(transaction, 'a'), read(transaction, 'b')]).toEqual(['2', '2']);
    put(transaction, 'c', '3');
    const deeper = transaction.nestStatement();
    transaction.beginStatement('innermost');
    expect(read(transaction, 'c')).toBe('3');
    deeper();
    expect(read(transaction, 'c')).toBeUndefined();
    leave();
    expect([read(transaction, 'a'), read(transaction, 'b'), read(transaction, 'c')]).toEqual(['1', '1', undefined]);
    transaction.beginStatement('next');
    expect([read(transaction, 'a'), read(transaction, 'b'), read(transaction, 'c')]).toEqual(['2', '2', '3']);
    await transaction.commit();
  });

  it('leaves the outer one where it can go back to its own beginning', async () => {
    const { mvcc } = await openMvcc();
    const transaction = mvcc.begin();
    transaction.beginStatement();
    put(transaction, 'a', '1');
    transaction.beginStatement('outer');
    put(transaction, 'b', '1');
    const leave = transaction.nestStatement();
    transaction.beginStatement('inner');
    put(transaction, 'c', '1');
    transaction.beginStatement('another');
    put(transaction, 'd', '1');
    leave();
    transaction.restartStatement();
    expect(drainCursor(transaction.cursor(rangeOf('a', 'z')))).toEqual(['a=1']);
    await transaction.commit();
  });

  it('tells the outer one, and those around it, that something was written inside them, unless it was undone', async () => {
    const { mvcc } = await openMvcc();
    const transaction = mvcc.begin();
    transaction.beginStatement();
    put(transaction, 'a', '1');
    const undone = transaction.nestStatement();
    transaction.beginStatement();
    put(transaction, 'b', '1');
    transaction.restartStatement();
    undone();
    expect(transaction.wroteInside).toBe(false);
    const leave = transaction.nestStatement();
    transaction.beginStatement();
    const deeper = transaction.nestStatement();
    transaction.beginStatement();
    put(transaction, 'b', '1');
    expect(transaction.wroteInside).toBe(false);
    deeper();
    expect(transaction.wroteInside).toBe(true);
    leave();
    expect(transaction.wroteInside).toBe(true);
    transaction.beginStatement();
    expect(transaction.wroteInside).toBe(false);
    await transaction.commit();
  });

  it('leaves the cursors of the outer one as they are, and releases what it has read by', async () => {
    const { mvcc, store } = await openMvcc();
    await seed(mvcc, { a: '1' });
    const transaction = mvcc.begin();
    transaction.beginStatement();
    const cursor = transaction.cursor(rangeOf('a', 'z'));
    const leave = transaction.nestStatement();
    transaction.beginStatement();
    put(transaction, 'b', '2');
    await seed(mvcc, { c: '3' });
    transaction.restartStatement();
    expect(read(transaction, 'b')).toBeUndefined();
    expect(read(transaction, 'c')).toBe('3');
    leave();
    expect(drainCursor(cursor).map(([key]) => key)).toEqual(['a']);
    transaction.rollback();
    leave();
    await store.close();
  });

  it('checks under repeatable read what the outer one writes afterwards by the outer snapshot', async () => {
    const { mvcc } = await openMvcc();
    await seed(mvcc, { a: '1' });
    const transaction = mvcc.begin({ isolation: 'read committed', concurrency: 'optimistic' });
    transaction.beginStatement();
    put(transaction, 'x', '1');
    await seed(mvcc, { a: '2' });
    const leave = transaction.nestStatement();
    transaction.beginStatement();
    expect(read(transaction, 'a')).toBe('2');
    leave();
    put(transaction, 'a', '3');
    await expect(transaction.commit()).rejects.toMatchObject({ code: '40001' });
  });
});

describe('a statement that goes on', () => {
  it('sees what it has written so far, by the same snapshot, and is undone as a whole', async () => {
    const { mvcc } = await openMvcc();
    await seed(mvcc, { a: '1', b: '1' });
    const transaction = mvcc.begin();
    transaction.beginStatement('first');
    put(transaction, 'z', '0');
    transaction.beginStatement('in parts');
    put(transaction, 'a', '2');
    await seed(mvcc, { b: '2' });
    transaction.continueStatement();
    expect([read(transaction, 'a'), read(transaction, 'b')]).toEqual(['2', '1']);
    put(transaction, 'a', '3');
    expect(read(transaction, 'a')).toBe('2');
    transaction.restartStatement();
    expect([read(transaction, 'a'), read(transaction, 'b'), read(transaction, 'z')]).toEqual(['1', '2', '0']);
    await transaction.commit();
  });
});
