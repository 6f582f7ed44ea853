import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { type Checksums, ManualClock, MetricsRegistry, Random, loadChecksums } from '@phantom/base';
import { createNodeVfs } from '@phantom/vfs';
import { MemoryVfs } from '@phantom/vfs/testing';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Wal, openWal } from '../src/index.js';
import { Promises, append, code, judge, optionsOn, range, readAll, seqsOf } from './workload.js';

let checksums: Checksums;
beforeAll(async () => {
  checksums = await loadChecksums();
});

describe('appending and reading', () => {
  it('gives back what was appended, in order, with positions that can be read from', async () => {
    const disk = new MemoryVfs();
    const wal = await openWal(optionsOn(disk, checksums));
    expect([wal.start, wal.end, wal.durable, wal.caps.syncNow]).toEqual([0, 0, 0, true]);
    const ends = range(1, 30).map((seq) => append(wal, seq));
    expect(wal.durable).toBe(0);
    expect(await wal.sync()).toBe(wal.end);
    expect(ends.at(-1)).toBe(wal.end);
    expect(await readAll(wal)).toEqual({ first: 1, last: 30 });
    for (const [index, end] of ends.entries()) expect(await seqsOf(wal.replay(end))).toEqual(range(index + 2, 30));
    expect(await seqsOf(wal.replay(wal.end))).toEqual([]);
    await wal.close();
  });

  it('reads its own unsynced records, and refuses positions that it does not have', async () => {
    const wal = await openWal(optionsOn(new MemoryVfs(), checksums));
    append(wal, 1);
    expect(await seqsOf(wal.replay(0))).toEqual([1]);
    await expect(seqsOf(wal.replay(wal.end + 8))).rejects.toThrow(code('55000'));
    await expect(seqsOf(wal.replay(8))).rejects.toThrow(code('XX001'));
    append(wal, 2);
    await wal.sync();
    await wal.close();
    expect(() => append(wal, 3)).toThrow(code('55000'));
    expect(() => wal.write()).toThrow(code('55000'));
    expect(() => wal.follow(0)).toThrow(code('55000'));
    await expect(seqsOf(wal.replay(0))).rejects.toThrow(code('55000'));
    await wal.close();
  });

  it('keeps batches bounded, payloads inside the batch, and large payloads whole', async () => {
    const disk = new MemoryVfs();
    const wal = await openWal(optionsOn(disk, checksums, { segmentBytes: 1 << 22, bufferBytesMax: 1 << 20 }));
    const sizes = [0, 1, 7, 8, 9, 300_000, 5, 2_500_000, 1, 9_000_000, 3];
    const random = new Random(1);
    const payloads = sizes.map((size) => random.bytes(Math.min(size, 5000)));
    const contentOf = (index: number): Uint8Array => {
      const bytes = new Uint8Array(sizes[index] as number);
      for (let at = 0; at < bytes.length; at += 5000)
        bytes.set((payloads[index] as Uint8Array).subarray(0, bytes.length - at), at);
      return bytes;
    };
    for (const index of sizes.keys()) wal.append(contentOf(index), { seq: index + 1, commitTimeMs: 0, flags: 0 });
    for (let i = 0; i < 3000; i++) wal.append(new Uint8Array(3), { seq: 100, commitTimeMs: 0, flags: 0 });
    await wal.sync();
    let index = 0;
    let batches = 0;
    for await (const batch of wal.replay(0)) {
      batches++;
      expect(batch.records.length).toBeLessThanOrEqual(1024);
      for (const record of batch.records) {
        if (record.seq === 100) continue;
        expect(Buffer.compare(record.payload, contentOf(index++))).toBe(0);
      }
    }
    expect(index).toBe(sizes.length);
    expect(batches).toBeGreaterThan(3);
    expect(wal.stats().segments).toBe(3);
    await wal.close();
  });

  it('is the list that was appended, however it is synced, closed, killed and reopened', async () => {
    const step = fc.oneof(
      { weight: 10, arbitrary: fc.nat(2000).map((bytes) => ({ kind: 'append' as const, bytes })) },
      {
        weight: 4,
        arbitrary: fc.constantFrom('sync', 'syncNow', 'write', 'close', 'kill').map((kind) => ({ kind, bytes: 0 })),
      },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 60 }),
        fc.constantFrom('fsync', 'os', 'memory'),
        async (steps, durability) => {
          let disk = new MemoryVfs();
          const open = (): Promise<Wal> => openWal(optionsOn(disk, checksums, { durability: durability as 'fsync' }));
          let wal = await open();
          const expected: number[] = [];
          let handed = 0;
          for (const { kind, bytes } of steps) {
            if (kind === 'append') {
              wal.append(new Uint8Array(bytes).fill(expected.length), {
                seq: expected.length,
                commitTimeMs: 0,
                flags: 0,
              });
              expected.push(bytes);
            } else if (kind === 'sync') await wal.sync();
            else if (kind === 'syncNow') wal.syncNow?.();
            else if (kind === 'write') wal.write();
            else {
              if (kind === 'close') await wal.close();
              else disk = disk.killClone();
              wal = await open();
            }
            const given = kind === 'close' || kind === 'write' || (durability !== 'memory' && kind.startsWith('sync'));
            if (given) handed = expected.length;
            const found: number[] = [];
            for await (const batch of wal.replay(wal.start)) {
              for (const { payload } of batch.records) {
                if (!payload.every((byte) => byte === (found.length & 0xff))) throw new Error('another payload');
                found.push(payload.length);
              }
            }
            // A kill takes what was not handed over; the rest is there.
            if (kind === 'kill') {
              if (found.length < handed)
                throw new Error(`${handed} records were handed over, ${found.length} are there`);
              expected.length = found.length;
            }
            // Reading hands over what is in the buffer.
            handed = found.length;
            expect(found).toEqual(expected);
          }
        },
      ),
      { seed: 11, numRuns: 40 },
    );
  });
});

describe('group commit', () => {
  it('does one write and one sync for everyone who waits', async () => {
    const disk = new MemoryVfs({ syncTurns: 1 });
    const wal = await openWal({ ...optionsOn(disk, checksums), segmentBytes: 1 << 20, bufferBytesMax: 1 << 20 });
    const before = { ...wal.stats() };
    let seq = 0;
    const caller = async (rounds: number): Promise<void> => {
      for (let i = 0; i < rounds; i++) {
        wal.append(new Uint8Array(50), { seq: ++seq, commitTimeMs: 0, flags: 0 });
        const mine = wal.end;
        expect(await wal.sync()).toBeGreaterThanOrEqual(mine);
      }
    };
    await Promise.all(range(1, 64).map(() => caller(10)));
    const { records, writes, syncs } = wal.stats();
    expect(records - before.records).toBe(640);
    expect(syncs - before.syncs).toBe(10);
    expect(writes - before.writes).toBe(10);
    expect(await wal.sync()).toBe(wal.durable);
    expect(wal.syncNow?.()).toBe(wal.durable);
    expect(wal.stats().syncs).toBe(syncs);
    await wal.close();
  });

  it('lets the next group collect while a sync is under way, callers that come late included', async () => {
    const disk = new MemoryVfs({ syncTurns: 3 });
    const wal = await openWal(optionsOn(disk, checksums));
    const syncs = wal.stats().syncs;
    append(wal, 1);
    const first = wal.sync();
    await new Promise((resolve) => setImmediate(resolve));
    expect(wal.sync()).toBe(first);
    append(wal, 2);
    const second = wal.sync();
    append(wal, 3);
    expect(wal.sync()).toBe(second);
    await first;
    expect(wal.durable).toBeLessThan(wal.end);
    await second;
    expect(wal.durable).toBe(wal.end);
    expect(wal.stats().syncs - syncs).toBe(2);
  });

  it('finishes everything in syncNow, and settles the groups that waited', async () => {
    const disk = new MemoryVfs({ syncTurns: 3 });
    const wal = await openWal(optionsOn(disk, checksums));
    append(wal, 1);
    const underWay = wal.sync();
    await new Promise((resolve) => setImmediate(resolve));
    range(2, 40).forEach((seq) => append(wal, seq));
    const collecting = wal.sync();
    expect(wal.syncNow?.()).toBe(wal.end);
    expect(await underWay).toBe(wal.end);
    expect(await collecting).toBe(wal.end);
    await judge(
      await openWal(optionsOn(disk.crashClone(1), checksums)),
      Object.assign(new Promises(), { appended: 40, acknowledged: 40 }),
    );
  });

  it('tells those who wait when the log is closed before their sync', async () => {
    const disk = new MemoryVfs({ syncTurns: 3 });
    const wal = await openWal(optionsOn(disk, checksums));
    append(wal, 1);
    const underWay = wal.sync();
    await new Promise((resolve) => setImmediate(resolve));
    append(wal, 2);
    const waiting = wal.sync();
    const closed = wal.close();
    await expect(waiting).rejects.toThrow(code('08007'));
    expect(await underWay).toBeGreaterThan(0);
    await closed;
    await expect(wal.sync()).rejects.toThrow(code('55000'));
    expect(() => wal.syncNow?.()).toThrow(code('55000'));
  });
});

describe('durability', () => {
  it.each(['os', 'memory'] as const)(
    '%s never syncs for a commit, and a clean close loses nothing',
    async (durability) => {
      const disk = new MemoryVfs();
      const wal = await openWal(optionsOn(disk, checksums, { durability, segmentBytes: 1 << 16 }));
      const { syncs } = wal.stats();
      range(1, 20).forEach((seq) => append(wal, seq));
      expect(await wal.sync()).toBe(wal.end);
      expect(wal.syncNow?.()).toBe(wal.end);
      append(wal, 21);
      const { end } = wal;
      expect(wal.durable === end).toBe(durability === 'memory');
      append(wal, 22);
      wal.syncNow?.();
      expect(wal.stats().syncs).toBe(syncs);
      await wal.close();
      // Whoever opens it with more durability makes it durable first.
      const again = await openWal(optionsOn(disk, checksums));
      expect(await readAll(again)).toEqual({ first: 1, last: 22 });
      const promises = Object.assign(new Promises(), { appended: 22, acknowledged: 22 });
      for (let seed = 0; seed < 10; seed++)
        await judge(await openWal(optionsOn(disk.crashClone(seed), checksums)), promises);
    },
  );

  it('os drops, rotates and loses only the end in a power cut', async () => {
    const disk = new MemoryVfs();
    const options = optionsOn(disk, checksums, { durability: 'os' });
    let wal = await openWal(options);
    const ends = range(1, 60).map((seq) => append(wal, seq));
    await wal.sync();
    await wal.dropBefore(ends[20] as number);
    await wal.close();
    wal = await openWal(options);
    append(wal, 61);
    await wal.sync();
    const promises = Object.assign(new Promises(), { appended: 61, keptFrom: 22 });
    const shown = new Set<number>();
    for (let seed = 0; seed < 60; seed++) {
      const wal = await openWal(optionsOn(disk.crashClone(seed), checksums, { durability: 'os' }));
      shown.add(await judge(wal, promises));
    }
    expect(shown).toContain(61);
    expect(shown.size).toBeGreaterThan(1);
  });

  it('memory writes nothing until it must', async () => {
    const disk = new MemoryVfs();
    const wal = await openWal(
      optionsOn(disk, checksums, { durability: 'memory', bufferBytesMax: 4096, segmentBytes: 1 << 16 }),
    );
    const writes = wal.stats().writes;
    append(wal, 1);
    await wal.sync();
    expect(wal.stats().writes).toBe(writes);
    range(2, 60).forEach((seq) => append(wal, seq));
    expect(wal.stats().writes).toBeGreaterThan(writes);
    await wal.dropBefore(wal.end);
    expect(disk.counts.get('sync') ?? 0).toBe(0);
    await wal.close();
  });
});

describe('the real disk', () => {
  it('does one sync for 64 callers, and counts it', async () => {
    const directory = mkdtempSync(`${tmpdir()}/phantom-wal-`);
    const metrics = new MetricsRegistry();
    const wal = await openWal({ directory, vfs: createNodeVfs(), checksums, metrics, clock: new ManualClock() });
    const { syncs } = wal.stats();
    await Promise.all(
      range(1, 64).map(async (seq) => {
        append(wal, seq);
        await wal.sync();
      }),
    );
    expect(wal.stats().syncs - syncs).toBe(1);
    append(wal, 65);
    wal.syncNow?.();
    expect(await readAll(wal)).toEqual({ first: 1, last: 65 });
    expect(metrics.samples().map((sample) => [sample.name, 'value' in sample ? sample.value : sample.kind])).toEqual([
      ['phantom_wal_appended_bytes_total', wal.stats().bytesAppended],
      ['phantom_wal_records_total', 65],
      ['phantom_wal_sync_seconds', 'histogram'],
      ['phantom_wal_syncs_total', wal.stats().syncs],
    ]);
    await wal.close();
    rmSync(directory, { recursive: true });
  });
});
