import { type Checksums, type Logger, loadChecksums, silentLogger } from '@phantom/base';
import { MemoryVfs } from '@phantom/vfs/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { openWal } from '../src/index.js';
import { append, code, optionsOn, range, seqsOf } from './workload.js';

let checksums: Checksums;
beforeAll(async () => {
  checksums = await loadChecksums();
});

describe('following', () => {
  it('shows what is there, then what becomes durable, until it is returned', async () => {
    const wal = await openWal(optionsOn(new MemoryVfs({ syncTurns: 1 }), checksums));
    range(1, 20).forEach((seq) => append(wal, seq));
    await wal.sync();
    const seen: number[] = [];
    const done = (async () => {
      for await (const batch of wal.follow(0)) {
        for (const record of batch.records) seen.push(record.seq);
        if (seen.includes(60)) break;
      }
    })();
    for (let seq = 21; seq <= 60; seq++) {
      append(wal, seq);
      if (seq % 5 === 0) await wal.sync();
    }
    await done;
    expect(seen).toEqual(range(1, 60));
    await wal.close();
  });

  it('ends when the log closes, or when it is returned while it waits', async () => {
    const wal = await openWal(optionsOn(new MemoryVfs(), checksums));
    const idle = wal.follow(0)[Symbol.asyncIterator]();
    const next = idle.next();
    await idle.return?.();
    expect(await next).toEqual({ done: true, value: undefined });
    const follower = seqsOf(wal.follow(0));
    append(wal, 1);
    await wal.sync();
    const reading = wal.follow(0)[Symbol.asyncIterator]();
    expect((await reading.next()).done).toBe(false);
    await reading.return?.();
    expect((await reading.next()).done).toBe(true);
    await wal.close();
    expect(await follower).toEqual([1]);
  });

  it.each(['os', 'memory'] as const)('follows what is handed over with durability %s', async (durability) => {
    const wal = await openWal(optionsOn(new MemoryVfs(), checksums, { durability }));
    const seen: number[] = [];
    const done = (async () => {
      for await (const batch of wal.follow(0)) {
        for (const record of batch.records) seen.push(record.seq);
        if (seen.length === 3) return;
      }
    })();
    for (let seq = 1; seq <= 3; seq++) {
      append(wal, seq);
      wal.write();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await done;
    expect(seen).toEqual([1, 2, 3]);
    await wal.close();
  });
});

describe('retentions', () => {
  it('keep records, by name, up to their limit', async () => {
    const warnings: unknown[] = [];
    const logger: Logger = { ...silentLogger, warn: (message, fields) => warnings.push([message, fields?.['name']]) };
    const wal = await openWal(optionsOn(new MemoryVfs(), checksums, { logger }));
    range(1, 40).forEach((seq) => append(wal, seq));
    await wal.sync();
    const follower = wal.retain('follower', 0, 1_000_000);
    const archive = wal.retain('archive', 0, 5000);
    const backup = wal.retain('backup', 0, 1_000_000);
    expect([follower.name, follower.from, follower.dropped]).toEqual(['follower', 0, false]);
    await wal.dropBefore(wal.end);
    expect(wal.start).toBe(0);
    expect(archive.dropped).toBe(true);
    expect(warnings).toEqual([['dropped a log retention that was past its limit', 'archive']]);
    backup.release();
    follower.advance(3000);
    follower.advance(1000);
    expect(follower.from).toBe(3000);
    await wal.dropBefore(wal.end);
    expect(wal.start).toBeGreaterThan(0);
    expect(wal.start).toBeLessThanOrEqual(3000);
    expect(() => wal.retain('late', 0, 1)).toThrow(code('55000'));
    follower.release();
    await wal.dropBefore(wal.end);
    expect(wal.stats().segments).toBe(1);
    for (let i = 0; i < 1000; i++) wal.retain(`r${i}`, wal.end, 1);
    expect(() => wal.retain('one more', wal.end, 1)).toThrow(code('53400'));
    await wal.close();
  });

  it('are implied by a reader under way', async () => {
    const wal = await openWal(optionsOn(new MemoryVfs(), checksums));
    range(1, 40).forEach((seq) => append(wal, seq));
    await wal.sync();
    const reader = wal.replay(0)[Symbol.asyncIterator]();
    const seen: number[] = [];
    for (let batch = await reader.next(); batch.done !== true; batch = await reader.next()) {
      await wal.dropBefore(wal.end);
      seen.push(...batch.value.records.map((record) => record.seq));
    }
    expect(seen).toEqual(range(1, 40));
    await wal.dropBefore(wal.end);
    expect(wal.stats().segments).toBe(1);
    await wal.close();
  });
});
