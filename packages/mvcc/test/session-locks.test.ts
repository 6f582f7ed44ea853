/** Locks of sessions and of tables: counted, outliving transactions, and one party with their transaction. */
import { describe, expect, it } from 'vitest';
import { LOCK_SPACE, LockStrength, TableLockMode } from '../src/index.js';
import { excludes } from '../src/lock-strength.js';
import { codeOf, keyOf, openMvcc, seed, settle, thrownBy } from './support.js';

const { Share, Update } = LockStrength;

function lockKey(name: string): Uint8Array {
  const key = keyOf(name);
  new DataView(key.buffer).setUint32(0, LOCK_SPACE);
  return key;
}

const one = lockKey('one');

describe('table modes', () => {
  it("exclude each other as PostgreSQL's do", () => {
    const modes = Object.values(TableLockMode);
    const shown = modes.map((a) => modes.map((b) => (excludes(a, b) ? 'x' : '.')).join(''));
    expect(shown).toEqual([
      '.......x',
      '......xx',
      '....xxxx',
      '...xxxxx',
      '..xx.xxx',
      '..xxxxxx',
      '.xxxxxxx',
      'xxxxxxxx',
    ]);
    for (const row of Object.values(LockStrength)) for (const table of modes) expect(excludes(row, table)).toBe(false);
  });

  it('that are both needed are both held, and shut readers out while one does', async () => {
    const { mvcc } = await openMvcc();
    const [a, b] = [mvcc.begin(), mvcc.begin()];
    const { RowExclusive, ShareUpdateExclusive, Share: ShareTable, AccessExclusive, AccessShare } = TableLockMode;
    const tryLock = (tx: typeof a, mode: TableLockMode): boolean => tx.lock(one, 0, one.length, mode, 'skip') !== false;
    expect([tryLock(a, ShareUpdateExclusive), tryLock(b, RowExclusive)]).toEqual([true, true]);
    // A mode that is greater by number does not cover one that excludes other things.
    expect([tryLock(a, ShareTable), tryLock(b, ShareTable)]).toEqual([false, false]);
    b.rollback();
    expect([tryLock(a, ShareTable), tryLock(a, AccessExclusive), mvcc.hasReadersShutOut]).toEqual([true, true, true]);
    const c = mvcc.begin({ readOnly: true });
    expect(tryLock(c, AccessShare)).toBe(false);
    expect(thrownBy(() => c.lock(keyOf('row'), 0, 7, Share, 'wait')).code).toBe('25006');
    a.rollback();
    expect(mvcc.hasReadersShutOut).toBe(false);
  });
});

describe('locks of a session', () => {
  it('are counted in each mode, and what is left is the strongest still asked for', async () => {
    const { mvcc } = await openMvcc();
    const [a, b] = [mvcc.sessionLocks('a'), mvcc.sessionLocks('b')];
    for (const mode of [Share, Update, Update]) expect(a.lock(one, mode, 'wait')).toBeUndefined();
    expect(b.lock(one, Share, 'skip')).toBe(false);
    expect([a.unlock(one, Update), b.lock(one, Share, 'skip')]).toEqual([true, false]);
    expect([a.unlock(one, Update), b.lock(one, Share, 'skip')]).toEqual([true, undefined]);
    expect([a.unlock(one, Update), a.unlock(one, Share), a.unlock(one, Share)]).toEqual([false, true, false]);
    expect(b.lock(one, Update, 'skip')).toBeUndefined();
    b.unlockAll();
    expect(a.lock(one, Update, 'nowait')).toBeUndefined();
    expect(thrownBy(() => b.lock(one, Update, 'nowait')).code).toBe('55P03');
    a.unlockAll();
  });

  it('are bounded for all sessions together', async () => {
    const { mvcc } = await openMvcc({ sessionLocksMax: 2 });
    const [a, b] = [mvcc.sessionLocks('a'), mvcc.sessionLocks('b')];
    for (const session of [a, a, b]) session.lock(one, Share, 'wait');
    expect(thrownBy(() => b.lock(keyOf('two'), Share, 'wait')).code).toBe('53200');
    expect(b.lock(one, Share, 'wait')).toBeUndefined();
    expect(a.unlock(one, Share)).toBe(true);
    expect(thrownBy(() => b.lock(keyOf('two'), Share, 'wait')).code).toBe('53200');
    a.unlockAll();
    expect(b.lock(keyOf('two'), Share, 'wait')).toBeUndefined();
    b.unlockAll();
    for (const text of ['one', 'two']) expect(a.lock(keyOf(text), Share, 'wait')).toBeUndefined();
    a.unlockAll();
  });

  it('that are waited for are granted, or given up', async () => {
    const { mvcc } = await openMvcc();
    const [a, b] = [mvcc.sessionLocks('a'), mvcc.sessionLocks()];
    a.lock(one, Update, 'wait');
    const given = b.lock(one, Update, 'wait');
    expect(b.isWaiting).toBe(true);
    b.cancelWait(new Error('enough'));
    await expect(given).rejects.toThrow('enough');
    const granted = b.lock(one, Update, 'wait');
    a.unlockAll();
    await granted;
    expect(b.unlock(one, Update)).toBe(true);
  });

  it('and its transaction are one party: never in the way, also not in the queue, and in one graph', async () => {
    const { mvcc } = await openMvcc();
    await seed(mvcc, { row: '1' });
    const [a, b] = [mvcc.sessionLocks('a'), mvcc.sessionLocks('b')];
    a.lock(one, Update, 'wait');
    const ta = mvcc.begin({ sessionLocks: a });
    const tb = mvcc.begin({ sessionLocks: b });
    const waiting = codeOf(b.lock(one, Update, 'wait') as Promise<void>);
    expect(ta.lock(one, 0, one.length, Share, 'wait')).toBeUndefined();
    const row = keyOf('row');
    expect(tb.lock(row, 0, row.length, Update, 'wait')).toBeUndefined();
    // b waits for what session a holds; a waits for what transaction b holds.
    const closing = codeOf(ta.lock(row, 0, row.length, Update, 'wait') as Promise<void>);
    await settle();
    expect(await Promise.race([closing, waiting])).toBe('40P01');
    expect(mvcc.stats().deadlocks).toBe(1);
    ta.rollback();
    tb.rollback();
    a.unlockAll();
    b.unlockAll();
    await settle();
  });
});
