import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { ManualClock, loadChecksums } from '@phantom/base';
import { createNodeVfs } from '@phantom/vfs';
import { MemoryVfs } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import { openWal } from '../src/index.js';
import type { Wal, WalOptions } from '../src/index.js';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
async function all(wal: Wal, from = wal.start): Promise<string[]> {
  const out: string[] = [];
  for await (const batch of wal.replay(from))
    for (const record of batch.records) out.push(`${record.seq}:${text(record.payload)}`);
  return out;
}

describe('log', () => {
  it('round trip on the memory disk, reopen clean and not', async () => {
    const vfs = new MemoryVfs();
    const options: WalOptions = {
      directory: '/a/wal',
      vfs,
      checksums: await loadChecksums(),
      segmentBytes: 2048,
      clock: new ManualClock(),
    };
    let wal = await openWal(options);
    const expected: string[] = [];
    for (let i = 1; i <= 100; i++) {
      wal.append(Buffer.from(`record ${i}`), { seq: i, commitTimeMs: 1e12 + i, flags: i });
      expected.push(`${i}:record ${i}`);
      if (i % 7 === 0) await wal.sync();
      if (i % 11 === 0) wal.syncNow!();
    }
    const big = 'x'.repeat(10_000);
    wal.append(Buffer.from(big), { seq: 101, commitTimeMs: 1e12, flags: 0 });
    expected.push(`101:${big}`);
    expect(await wal.sync()).toBe(wal.end);
    expect(await all(wal)).toEqual(expected);
    const end = wal.end;
    await wal.close();
    wal = await openWal(options);
    expect(wal.end).toBe(end);
    expect(await all(wal)).toEqual(expected);
    wal.append(Buffer.from('more'), { seq: 102, commitTimeMs: 1e12, flags: 0 });
    expected.push('102:more');
    await wal.sync();
    const killed = vfs.killClone();
    const again = await openWal({ ...options, vfs: killed });
    expect(await all(again)).toEqual(expected);
  });

  it('on the real disk', async () => {
    const directory = mkdtempSync(`${tmpdir()}/wal-`);
    const wal = await openWal({ directory, vfs: createNodeVfs(), checksums: await loadChecksums() });
    await Promise.all(
      Array.from({ length: 64 }, async (_, i) => {
        wal.append(Buffer.from(`r${i}`), { seq: 1, commitTimeMs: 1, flags: 0 });
        await wal.sync();
      }),
    );
    expect(wal.stats().syncs).toBe(1);
    expect((await all(wal)).length).toBe(64);
    await wal.close();
    rmSync(directory, { recursive: true });
  });
});
