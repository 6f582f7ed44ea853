/** A damaged store is read without being opened: its superblock, its log, and what engines make of their files. */
import { compareKeys, loadChecksums } from '@phantom/base';
import { EngineCode, type SalvagedLayer, WriteBatch, isLostRange } from '@phantom/kv';
import { MemoryVfs } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import { type EngineFactory, type SalvagedStore, copySalvaged, openStore, salvageStore } from '../src/index.js';
import { Told, commit, keyNamed, optionsOf, readNow, twoEngines, volatileEngine } from './support.js';

const DIRECTORY = '/data/store';

/** Engines whose files say nothing: what is salvaged is what the log holds. */
function engines(layers: (code: EngineCode) => readonly SalvagedLayer[] = () => [], flushedSeq = 0): EngineFactory[] {
  return twoEngines().map((factory) => ({
    ...factory,
    salvage: () => ({ layers: layers(factory.code), flushedSeq, close: () => undefined }),
  }));
}

async function written(): Promise<MemoryVfs> {
  const vfs = new MemoryVfs({ losesPower: false });
  const store = await openStore(DIRECTORY, optionsOf(vfs, { engines: [...twoEngines(), volatileEngine] }));
  await commit(store, { 'left a': '1', 'left b': '1', 'right x': '1' });
  await commit(store, { 'left b': '2', 'right y': '2' });
  await commit(store, { 'left c': '3', 'left a': undefined });
  const batch = new WriteBatch();
  const key = keyNamed('right z');
  batch.put(key, 0, key.length, key, 0, 0);
  const before = keyNamed('left b');
  batch.put(before, 0, before.length, new TextEncoder().encode('2'), 0, 1);
  batch.removeRange(keyNamed('right a'), keyNamed('right zz'));
  const later = keyNamed('right later');
  batch.put(later, 0, later.length, later, 0, 0);
  store.admitNow(batch);
  store.submit(batch, new Told());
  store.drainNow();
  return vfs.killClone();
}

/** Keys and values, those in doubt with a question mark. */
function rowsOf(salvaged: SalvagedStore): string[] {
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  return [...salvaged.rows()].map((row) =>
    isLostRange(row) ? 'lost' : `${text(row.key.subarray(4))}=${text(row.value)}${row.doubt === undefined ? '' : '?'}`,
  );
}

async function salvagedRows(vfs: MemoryVfs, factories = engines()): Promise<string[]> {
  const salvaged = await salvageStore(DIRECTORY, { vfs, engines: [...factories, volatileEngine] });
  try {
    return rowsOf(salvaged);
  } finally {
    await salvaged.close();
  }
}

const WHOLE = ['b=2', 'c=3', 'later='];
const SUPERBLOCK = `${DIRECTORY}/superblock`;

function corrupt(vfs: MemoryVfs, path: string, at: number, bytes: number): void {
  const before = vfs.readFile(path).slice(at, at + bytes);
  vfs.corrupt(
    path,
    at,
    before.map((byte) => byte ^ (bytes === 1 ? 2 : 0xff)),
  );
}

describe('salvage of a store', () => {
  it('finds what the log holds, and makes a store of it', async () => {
    const vfs = await written();
    const salvaged = await salvageStore(DIRECTORY, { vfs, engines: engines() });
    expect({ findings: salvaged.findings, seq: salvaged.seq, whole: salvaged.isLogWhole }).toEqual({
      findings: [],
      seq: 4,
      whole: true,
    });
    expect(rowsOf(salvaged)).toEqual(WHOLE);
    const entries = await copySalvaged(salvaged, '/data/copy', {
      vfs,
      engines: twoEngines(),
      take: ({ key, value }) => (compareKeys(key, keyNamed('left c')) === 0 ? undefined : value),
    });
    expect(entries).toBe(2);
    await salvaged.close();
    const copy = await openStore('/data/copy', { ...optionsOf(vfs), create: false });
    expect([readNow(copy, 'left b'), readNow(copy, 'left c'), copy.visibleSeq >= 4]).toEqual(['2', undefined, true]);
    await copy.close();
  });

  it('takes the log for newer than files, where nothing is missing in it', async () => {
    const vfs = await written();
    const key = (name: string): Uint8Array => keyNamed(name);
    const old = new TextEncoder().encode('old');
    const layers = (code: EngineCode): readonly SalvagedLayer[] => [
      {
        removals: [],
        items: () =>
          code === EngineCode.Btree
            ? [
                { key: key('left a'), value: old, seq: 0 },
                { key: key('left b'), value: old, seq: 0 },
              ]
            : [],
      },
    ];
    expect(await salvagedRows(vfs, engines(layers, 4))).toEqual(WHOLE);
    const cut = vfs.killClone();
    corrupt(cut, `${DIRECTORY}/log/0000000001.wal`, 64 + 30, 30);
    expect(await salvagedRows(cut, engines(layers, 4))).toEqual(['a=old', 'b=old']);
  });

  it('mends a superblock, takes its other slot, and goes on without one', async () => {
    const vfs = await written();
    const bit = vfs.killClone();
    corrupt(bit, SUPERBLOCK, 100, 1);
    corrupt(bit, SUPERBLOCK, 4096 + 200, 1);
    const mended = await salvageStore(DIRECTORY, { vfs: bit, engines: engines() });
    expect(mended.findings.map(({ isMended }) => isMended)).toEqual([true, true]);
    expect(rowsOf(mended)).toEqual(WHOLE);
    await mended.close();
    corrupt(bit, SUPERBLOCK, 50, 40);
    const half = await salvageStore(DIRECTORY, { vfs: bit, engines: engines() });
    expect(half.findings.every(({ isMended }) => isMended)).toBe(true);
    await half.close();
    corrupt(bit, SUPERBLOCK, 4096, 40);
    for (const disk of [bit, vfs.killClone()]) {
      if (disk !== bit) disk.remove(SUPERBLOCK);
      const none = await salvageStore(DIRECTORY, { vfs: disk, engines: engines() });
      expect(none.findings.some(({ isMended }) => !isMended)).toBe(true);
      expect(rowsOf(none)).toEqual(WHOLE);
      expect(none.origin()).toEqual({ timeline: 2, seq: 4, spaceLimit: 2 });
      await none.close();
    }
  });

  it('stops at a commit of the log that is lost, and goes on behind it when told to', async () => {
    const vfs = await written();
    const log = `${DIRECTORY}/log/0000000001.wal`;
    const bytes = Buffer.from(vfs.readFile(log));
    // A key, the length of its value, its value: alone, its letter may stand in a checksum behind it as well.
    corrupt(vfs, log, bytes.indexOf('c\u00013') - 40, 30);
    const first = await salvageStore(DIRECTORY, { vfs, engines: engines() });
    expect(first).toMatchObject({ isLogWhole: false, log: { recordsPast: 1, lastSeqPast: 4 }, seq: 2 });
    expect(rowsOf(first)).toEqual(['a=1', 'b=2', 'x=1', 'y=2']);
    await first.close();
    const past = await salvageStore(DIRECTORY, { vfs, engines: engines(), pastDamage: true });
    expect(rowsOf(past)).toEqual(['a=1', 'b=2', 'later=']);
    expect(past.findings.map(({ message }) => message).join()).toContain('commit 4 follows commit 2');
    await past.close();
  });

  it('takes nothing of engines that cannot tell, and makes an empty store of nothing', async () => {
    const vfs = await written();
    const options = { vfs, engines: twoEngines() };
    const salvaged = await salvageStore(DIRECTORY, options);
    expect(rowsOf(salvaged)).toEqual([]);
    expect(await copySalvaged(salvaged, '/data/empty', { ...options, take: ({ value }) => value })).toBe(0);
    await salvaged.close();
    const whole = await salvageStore(DIRECTORY, { vfs, engines: engines() });
    expect(await copySalvaged(whole, '/data/none', { ...options, take: () => undefined })).toBe(0);
    await whole.close();
  });

  it('is refused by what a newer release wrote, and lets go of the directory', async () => {
    const vfs = await written();
    const checksums = await loadChecksums();
    const bytes = vfs.readFile(SUPERBLOCK).slice();
    for (const slot of [0, 4096]) {
      const head = bytes.subarray(slot, slot + 16);
      head[8] = 99;
      new DataView(head.buffer, head.byteOffset).setUint32(12, checksums.h32(head, 0, 12), true);
    }
    vfs.corrupt(SUPERBLOCK, 0, bytes);
    for (let n = 0; n < 2; n++)
      await expect(salvageStore(DIRECTORY, { vfs, engines: engines() })).rejects.toMatchObject({ code: '0A000' });
  });

  it('is refused where there is no store, or where somebody has it', async () => {
    const vfs = await written();
    const options = { vfs, engines: engines() };
    await expect(salvageStore('/data/none', options)).rejects.toMatchObject({ code: '58P01' });
    const holder = await salvageStore(DIRECTORY, options);
    await expect(salvageStore(DIRECTORY, options)).rejects.toMatchObject({ code: '55006' });
    await expect(
      copySalvaged(holder, DIRECTORY, { vfs, engines: twoEngines(), take: ({ value }) => value }),
    ).rejects.toMatchObject({ code: '55006' });
    await expect(
      copySalvaged(holder, '/data/other', {
        vfs,
        engines: twoEngines(),
        take: () => {
          throw new Error('enough');
        },
      }),
    ).rejects.toThrow('enough');
    await holder.close();
  });
});
