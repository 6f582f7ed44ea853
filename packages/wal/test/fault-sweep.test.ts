import { type Checksums, isPhantomError, loadChecksums } from '@phantom/base';
import { type FaultKind, FaultyVfs, MemoryVfs, anyOf, failAt, failFrom, onOperation } from '@phantom/vfs/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Wal, openWal } from '../src/index.js';
import { Promises, judge, optionsOn, payloadOf, runWorkload } from './workload.js';

let checksums: Checksums;
beforeAll(async () => {
  checksums = await loadChecksums();
});

const EXPECTED = new Set(['53100', '58030', '08007', '58P01']);

/** What the disk still has must open, hold what was promised, and keep what it shows through the next power cut. */
async function reopens(disk: MemoryVfs, promises: Promises): Promise<void> {
  const killed = disk.killClone();
  const wal = await openWal(optionsOn(killed, checksums));
  const later = promises.copy();
  later.acknowledged = await judge(wal, promises);
  for (let seed = 0; seed < 3; seed++) {
    await judge(await openWal(optionsOn(killed.crashClone(seed), checksums)), later);
  }
}

function refusesWrites(wal: Wal, seq: number): void {
  expect(() => wal.append(payloadOf(seq), { seq, commitTimeMs: seq, flags: 0 })).toThrow(/no more writes/);
}

async function sweep(seed: number, kind: FaultKind, forever: boolean, stride: number): Promise<number> {
  let runs = 0;
  for (let n = seed % stride; ; n += stride) {
    const disk = new MemoryVfs();
    const injector = forever ? failFrom(n, kind) : failAt(n, kind);
    const promises = new Promises();
    let wal: Wal | undefined;
    let failure: unknown;
    try {
      await runWorkload(
        new FaultyVfs(disk, injector),
        checksums,
        promises,
        { seed, steps: 40 },
        (opened) => (wal = opened),
      );
    } catch (error) {
      failure = error;
    }
    try {
      if (failure !== undefined && !(isPhantomError(failure) && EXPECTED.has(failure.code))) throw failure;
      await reopens(disk, promises);
      if (wal?.lost.aborted === true) {
        // Lost is lost: nothing is taken any more, reading goes on, closing works.
        refusesWrites(wal, promises.appended + 1);
      }
      await wal?.close();
    } catch (error) {
      throw new Error(`${injector.toString()}, history ${seed}: ${String(error)}`, { cause: error });
    }
    runs++;
    if (!injector.fired) return runs;
  }
}

describe('fault sweep', () => {
  // EIO meets every operation, the others every third; `SWEEP_STRIDE=1` for all at all.
  const stride = Number(process.env['SWEEP_STRIDE'] ?? 3);

  it.each([
    ['EIO', 3],
    ['ENOSPC', 1],
    ['short-write', 2],
  ] as const)('survives one %s at any operation', async (kind, seed) => {
    expect(await sweep(seed, kind, false, kind === 'EIO' ? 1 : stride)).toBeGreaterThan(30);
  });

  it('survives a disk that stays full from any operation on', async () => {
    expect(await sweep(2, 'ENOSPC', true, stride)).toBeGreaterThan(20);
  });

  it('survives a disk that stays broken from any operation on', async () => {
    expect(await sweep(3, 'EIO', true, stride)).toBeGreaterThan(20);
  });
});

describe('a failed sync', () => {
  it('is final: waiters are told "outcome unknown", nothing is retried, reopening recovers', async () => {
    const disk = new MemoryVfs();
    const faulty = new FaultyVfs(disk, anyOf());
    const wal = await openWal(optionsOn(faulty, checksums));
    wal.append(payloadOf(1), { seq: 1, commitTimeMs: 1, flags: 1 });
    await wal.sync();
    faulty.injector = onOperation('sync', failAt(0, 'EIO'));
    wal.append(payloadOf(2), { seq: 2, commitTimeMs: 2, flags: 2 });
    const first = wal.sync();
    const second = wal.sync();
    await expect(first).rejects.toMatchObject({ code: '08007', family: 'outcome-unknown' });
    await expect(second).rejects.toMatchObject({ code: '08007' });
    expect(wal.lost.aborted).toBe(true);
    expect(wal.lost.reason).toMatchObject({ code: '58030' });
    const syncs = disk.counts.get('sync');
    await expect(wal.sync()).rejects.toMatchObject({ code: '08007' });
    expect(() => wal.syncNow?.()).toThrow(expect.objectContaining({ code: '08007' }) as Error);
    expect(disk.counts.get('sync')).toBe(syncs);
    expect(() => wal.append(payloadOf(3), { seq: 3, commitTimeMs: 3, flags: 3 })).toThrow('no more writes');
    await wal.close();

    // The data reads fine now, and opening shows it only after it has written it anew.
    const reopened = await openWal(optionsOn(disk, checksums));
    const promises = Object.assign(new Promises(), { appended: 2, acknowledged: 1 });
    expect(await judge(reopened, promises)).toBe(2);
    promises.acknowledged = 2;
    for (let seed = 0; seed < 20; seed++) {
      await judge(await openWal(optionsOn(disk.crashClone(seed), checksums)), promises);
    }
  });

  it('through syncNow ends the groups that wait', async () => {
    const disk = new MemoryVfs({ syncTurns: 2 });
    const faulty = new FaultyVfs(disk, anyOf());
    const wal = await openWal(optionsOn(faulty, checksums));
    wal.append(payloadOf(1), { seq: 1, commitTimeMs: 1, flags: 1 });
    const underWay = wal.sync();
    await new Promise((resolve) => setImmediate(resolve));
    wal.append(payloadOf(2), { seq: 2, commitTimeMs: 2, flags: 2 });
    const collecting = wal.sync();
    faulty.injector = onOperation('sync', failAt(0, 'EIO'));
    expect(() => wal.syncNow?.()).toThrow(expect.objectContaining({ code: '08007' }) as Error);
    await expect(underWay).rejects.toMatchObject({ code: '08007' });
    await expect(collecting).rejects.toMatchObject({ code: '08007' });
  });
});

describe('a full disk', () => {
  it('refuses before anything is taken, and goes on when there is room', async () => {
    const disk = new MemoryVfs({ capacityBytes: 6 * 1024 });
    const options = optionsOn(disk, checksums);
    const wal = await openWal(options);
    const ends: number[] = [];
    let refused: unknown;
    while (refused === undefined) {
      const seq = ends.length + 1;
      try {
        ends.push(wal.append(payloadOf(seq === 13 ? 1 : seq), { seq, commitTimeMs: seq, flags: seq }));
      } catch (error) {
        refused = error;
      }
    }
    expect(refused).toMatchObject({ code: '53100', family: 'limit' });
    expect(wal.lost.aborted).toBe(false);
    expect(await wal.sync()).toBe(wal.end);
    const { records } = wal.stats();
    expect(records).toBe(ends.length);
    expect(() => wal.append(new Uint8Array(5000), { seq: 1000, commitTimeMs: 1, flags: 0 })).toThrow('no space left');
    expect(wal.end).toBe(ends.at(-1));

    // Dropping needs room for its mark and has it.
    await wal.dropBefore(ends[Math.floor(ends.length / 2)] as number);
    expect(wal.start).toBeGreaterThan(0);
    const seq = ends.length + 1;
    wal.append(new Uint8Array(100), { seq, commitTimeMs: 1, flags: 0 });
    await wal.sync();
    await wal.close();
    const reopened = await openWal(options);
    let last = 0;
    for await (const batch of reopened.replay(reopened.start)) last = batch.records.at(-1)?.seq ?? last;
    expect(last).toBe(seq);
  });
});
