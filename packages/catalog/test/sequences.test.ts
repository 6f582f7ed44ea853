import { describe, expect, it } from 'vitest';
import { Sequences } from '../src/index.js';
import { openCatalog, sequence } from './support.js';

describe('a sequence', () => {
  it('counts from its start and shows its row', async () => {
    const { catalog } = await openCatalog();
    const counting = sequence({ start: '5' });
    expect(catalog.sequences.row(counting)).toEqual({ lastValue: 5, isCalled: false, reservedCount: 0 });
    expect([1, 2, 3].map(() => catalog.sequences.next(counting))).toEqual([5, 6, 7]);
    expect(catalog.sequences.row(counting)).toEqual({ lastValue: 7, isCalled: true, reservedCount: 30 });
  });

  it('never gives a value twice after a crash, and skips at most a range', async () => {
    const { catalog, mvcc } = await openCatalog();
    const counting = sequence();
    const given = Array.from({ length: 1000 }, () => catalog.sequences.next(counting)) as number[];
    expect(given).toEqual(Array.from({ length: 1000 }, (_, i) => i + 1));
    const afterCrash = new Sequences(mvcc, catalog.keys).next(counting) as number;
    expect(afterCrash).toBeGreaterThan(1000);
  });

  it('goes on exactly where it was after a clean close', async () => {
    const { catalog, mvcc } = await openCatalog();
    const counting = sequence();
    for (let i = 0; i < 10; i++) catalog.sequences.next(counting);
    await catalog.close();
    const reopened = new Sequences(mvcc, catalog.keys);
    expect(reopened.row(counting)).toEqual({ lastValue: 10, isCalled: true, reservedCount: 0 });
    expect(reopened.next(counting)).toBe(11);
  });

  it('logs a handful of times for ten thousand values', async () => {
    const { catalog, store } = await openCatalog();
    const counting = sequence();
    const before = store.stats().commits;
    for (let i = 0; i < 10_000; i++) {
      catalog.sequences.next(counting);
      if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(store.stats().commits - before).toBeLessThan(20);
  });

  it('ends at its limits with 2200H, or begins again when it cycles', async () => {
    const { catalog } = await openCatalog();
    const short = sequence({ oid: 20001, maximum: '3' });
    expect([1, 2, 3].map(() => catalog.sequences.next(short))).toEqual([1, 2, 3]);
    expect(() => catalog.sequences.next(short)).toThrow(expect.objectContaining({ code: '2200H' }));
    const cycling = sequence({ oid: 20002, maximum: '3', cycle: true });
    expect(Array.from({ length: 7 }, () => catalog.sequences.next(cycling))).toEqual([1, 2, 3, 1, 2, 3, 1]);
    const falling = sequence({ oid: 20003, increment: '-2', start: '-1', minimum: '-5', maximum: '-1' });
    expect([1, 2, 3].map(() => catalog.sequences.next(falling))).toEqual([-1, -3, -5]);
    expect(() => catalog.sequences.next(falling)).toThrow(/minimum value/);
    const wrapping = sequence({ oid: 20004, increment: '-1', start: '-1', minimum: '-2', maximum: '-1', cycle: true });
    expect([1, 2, 3].map(() => catalog.sequences.next(wrapping))).toEqual([-1, -2, -1]);
  });

  it('has a position for each place that its descriptor names, and forgets what is discarded', async () => {
    const { catalog, mvcc } = await openCatalog();
    const first = sequence();
    expect([catalog.sequences.next(first), catalog.sequences.next(first)]).toEqual([1, 2]);
    const restarted = sequence({ origin: { stateOid: first.oid + 1, first: '20' } });
    expect(catalog.sequences.next(restarted)).toBe(20);
    expect(catalog.sequences.next(first)).toBe(3);
    catalog.sequences.discard(first.oid + 1);
    await catalog.close();
    const reopened = new Sequences(mvcc, catalog.keys);
    expect([reopened.next(first), reopened.next(restarted)]).toEqual([4, 20]);
  });

  it('goes on from its last value by other steps and limits', async () => {
    const { catalog } = await openCatalog();
    const { sequences } = catalog;
    expect([1, 2].map(() => sequences.next(sequence()))).toEqual([1, 2]);
    expect(sequences.next(sequence({ increment: '10' }))).toBe(12);
    const falling = sequence({ increment: '-1', minimum: '-5' });
    expect([1, 2].map(() => sequences.next(falling))).toEqual([11, 10]);
    const short = sequence({ oid: 20005, maximum: '1' });
    expect(sequences.next(short)).toBe(1);
    expect(() => sequences.next(short)).toThrow(expect.objectContaining({ code: '2200H' }));
    expect(sequences.next({ ...short, maximum: '2' })).toBe(2);
    expect(sequences.next({ ...short, maximum: '2', cycle: true })).toBe(1);
  });

  it('is exact over the whole 64 bits', async () => {
    const { catalog } = await openCatalog();
    const high = sequence({ start: '9223372036854775806' });
    expect(catalog.sequences.next(high)).toBe(9223372036854775806n);
    expect(catalog.sequences.next(high)).toBe(9223372036854775807n);
    expect(() => catalog.sequences.next(high)).toThrow(/maximum value/);
  });

  it('is set durably, within its limits', async () => {
    const { catalog, mvcc } = await openCatalog();
    const counting = sequence();
    catalog.sequences.next(counting);
    catalog.sequences.set(counting, 100, true);
    expect(catalog.sequences.next(counting)).toBe(101);
    catalog.sequences.set(counting, 50, false);
    expect(new Sequences(mvcc, catalog.keys).next(counting)).toBe(50);
    expect(catalog.sequences.next(counting)).toBe(50);
    expect(() => catalog.sequences.set(counting, 0, true)).toThrow(expect.objectContaining({ code: '22003' }));
    const short = sequence({ oid: 20005, maximum: '3' });
    catalog.sequences.set(short, 3, true);
    expect(() => catalog.sequences.next(short)).toThrow(/maximum/);
    catalog.sequences.set(short, 2, true);
    expect(catalog.sequences.next(short)).toBe(3);
  });

  it('forgets what is gone and refuses a broken state', async () => {
    const { catalog, mvcc } = await openCatalog();
    const counting = sequence();
    catalog.sequences.next(counting);
    catalog.sequences.forget(counting.oid);
    const transaction = mvcc.begin();
    const key = catalog.keys.sequence(counting.oid);
    transaction.put(key, 0, key.length, new Uint8Array([123]), 0, 1);
    await transaction.commit();
    expect(() => catalog.sequences.next(counting)).toThrow(expect.objectContaining({ code: 'XX001' }));
  });
});
