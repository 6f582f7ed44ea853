import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Checksums, type Logger, loadChecksums, silentLogger } from '@phantom/base';
import { createNodeVfs } from '@phantom/vfs';
import { FaultyVfs, MemoryVfs, anyOf, failAt, failFrom, onOperation, pathMatch } from '@phantom/vfs/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { type WalOptions, openWal } from '../src/index.js';
import { SEGMENT_HEADER_BYTES, encodeSegmentHeader, segmentName } from '../src/format.js';
import { DIRECTORY, append, code, optionsOn, range, readAll, seqsOf } from './workload.js';

let checksums: Checksums;
beforeAll(async () => {
  checksums = await loadChecksums();
});

describe('a segment that is begun early', () => {
  it.each(['fsync', 'os', 'memory'] as const)(
    'lets the ones before rot once nobody needs them (%s)',
    async (durability) => {
      const disk = new MemoryVfs({ losesPower: false });
      const wal = await openWal(optionsOn(disk, checksums, { durability }));
      range(1, 10).forEach((seq) => append(wal, seq));
      await wal.sync();
      const { end, segment } = wal;
      append(wal, 11);
      await wal.nextSegment?.();
      expect(wal.segment).toBe(segment + 1);
      const floor = wal.end;
      append(wal, 12);
      await wal.sync();
      expect(await seqsOf(wal.replay(end))).toEqual([11, 12]);
      const [path] = disk.list(DIRECTORY).filter((name) => name.endsWith('.wal'));
      disk.corrupt(join(DIRECTORY, path as string), 100, new Uint8Array(20).fill(255));
      await expect(readAll(wal)).rejects.toThrow(code('XX001'));
      const again = await openWal(optionsOn(disk.crashClone(1), checksums, { durability, droppedBefore: floor }));
      expect(await seqsOf(again.replay(floor))).toEqual([12]);
      await again.close();
      await wal.dropBefore(floor);
      expect(wal.start).toBeGreaterThan(0);
      await wal.close();
      await expect(wal.nextSegment?.()).rejects.toThrow(code('55000'));
    },
  );
});

describe('opening', () => {
  it('for reading changes nothing and takes no writes', async () => {
    const disk = new MemoryVfs();
    await expect(openWal(optionsOn(disk, checksums, { readOnly: true }))).rejects.toThrow(code('58P01'));
    disk.makeDir(DIRECTORY);
    await expect(openWal(optionsOn(disk, checksums, { readOnly: true }))).rejects.toThrow(code('58P01'));
    const writer = await openWal(optionsOn(disk, checksums));
    range(1, 10).forEach((seq) => append(writer, seq));
    await writer.sync();
    const changes: string[] = [];
    disk.onOperation = (op) => {
      if (!['open', 'list', 'size', 'read', 'close', 'exists'].includes(op.operation)) changes.push(op.operation);
    };
    const wal = await openWal(optionsOn(disk, checksums, { readOnly: true }));
    expect(await readAll(wal)).toEqual({ first: 1, last: 10 });
    expect(() => append(wal, 11)).toThrow(code('25006'));
    await expect(wal.sync()).rejects.toThrow(code('25006'));
    expect(() => wal.syncNow?.()).toThrow(code('25006'));
    await expect(wal.dropBefore(wal.end)).rejects.toThrow(code('25006'));
    await wal.close();
    expect(changes).toEqual([]);
  });

  it('holds the directory, unless the owner of one above does', async () => {
    const disk = new MemoryVfs();
    const wal = await openWal(optionsOn(disk, checksums));
    await expect(openWal(optionsOn(disk, checksums))).rejects.toThrow(code('55006'));
    await wal.close();
    const unlocked = await openWal(optionsOn(disk, checksums, { lockDirectory: false }));
    await (await openWal(optionsOn(disk, checksums))).close();
    await unlocked.close();
  });

  it('refuses a newer format, and touches nothing', async () => {
    const disk = new MemoryVfs();
    await (await openWal(optionsOn(disk, checksums))).close();
    const header = new Uint8Array(64);
    const newer = {
      version: 3,
      timeline: 1,
      identity: undefined,
      epoch: 1,
      number: 1,
      firstLsn: 0,
      durable: 0,
      floor: 0,
    };
    encodeSegmentHeader(header, 0, newer, checksums);
    disk.corrupt(`${DIRECTORY}/0000000001.wal`, 0, header);
    const names = disk.list(DIRECTORY);
    await expect(openWal(optionsOn(disk, checksums))).rejects.toThrow(code('0A000'));
    await expect(openWal(optionsOn(disk, checksums))).rejects.toThrow('log format version 3 is not supported');
    expect(disk.list(DIRECTORY)).toEqual(names);
  });

  it('goes on in place after a clean close, and in a new segment after a kill', async () => {
    const disk = new MemoryVfs();
    const options = optionsOn(disk, checksums, { segmentBytes: 1 << 16 });
    let wal = await openWal(options);
    append(wal, 1);
    await wal.sync();
    const end = wal.end;
    await wal.close();
    for (let seq = 2; seq < 6; seq++) {
      const { operations } = disk;
      wal = await openWal(options);
      expect(wal.end).toBeGreaterThanOrEqual(end);
      expect(wal.durable).toBe(wal.end);
      expect(wal.stats().segments).toBe(1);
      expect(disk.operations - operations).toBeLessThan(25);
      append(wal, seq);
      await wal.sync();
      await wal.close();
    }
    const killed = disk.killClone();
    wal = await openWal(optionsOn(killed, checksums, { segmentBytes: 1 << 16 }));
    append(wal, 6);
    wal.syncNow?.();
    const again = killed.killClone();
    wal = await openWal(optionsOn(again, checksums));
    expect(await readAll(wal)).toEqual({ first: 1, last: 6 });
    expect(wal.stats().segments).toBe(2);
    await wal.close();
  });

  it('checks its options', async () => {
    const disk = new MemoryVfs();
    for (const wrong of [{ segmentBytes: 100 }, { recycledSegmentsMax: -1 }, { bufferBytesMax: 1.5 }]) {
      await expect(openWal({ ...optionsOn(disk, checksums), ...wrong } as WalOptions)).rejects.toThrow(code('22023'));
    }
  });

  it('gives the directory back when it fails', async () => {
    const disk = new MemoryVfs();
    await expect(
      openWal(optionsOn(new FaultyVfs(disk, onOperation('list', failAt(0, 'EIO'))), checksums)),
    ).rejects.toThrow(code('58030'));
    await (await openWal(optionsOn(disk, checksums))).close();
  });
});

describe('segments', () => {
  it('are prepared ahead in the background and recycled', async () => {
    const disk = new MemoryVfs();
    const wal = await openWal(optionsOn(disk, checksums, { segmentBytes: 1 << 20, recycledSegmentsMax: 1 }));
    const payload = new Uint8Array(1000);
    let seq = 0;
    const fill = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        wal.append(payload, { seq: ++seq, commitTimeMs: 0, flags: 0 });
        await wal.sync();
      }
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    };
    await fill(700);
    expect(disk.list(DIRECTORY)).toEqual(['0000000001.wal', '0000000002.wal']);
    expect(disk.readFile(`${DIRECTORY}/0000000002.wal`).length).toBe(1 << 20);
    // What is prepared is used as it is: no room is taken, no name is made while commits wait.
    let renames = 0;
    disk.onOperation = (op) => {
      if (op.operation === 'rename' || op.operation === 'syncDir') renames++;
    };
    await fill(400);
    disk.onOperation = undefined;
    expect(renames).toBe(0);
    await fill(1500);
    await wal.dropBefore(wal.end);
    expect(disk.list(DIRECTORY)).toEqual(['0000000003.wal', '0000000004.wal', 'free-0000000001.wal']);
    await fill(1000);
    expect(wal.stats()).toMatchObject({ segmentsRecycled: 1, segments: 2 });
    await wal.close();
    const again = await openWal(optionsOn(disk, checksums, { segmentBytes: 1 << 20 }));
    expect((await seqsOf(again.replay(again.start))).at(-1)).toBe(seq);
    await again.close();
  });

  it('that one record needs several of have their names synced at once', async () => {
    const disk = new MemoryVfs();
    const options = { segmentBytes: 1 << 16, bufferBytesMax: 1 << 20 };
    const wal = await openWal(optionsOn(disk, checksums, options));
    let syncs = 0;
    disk.onOperation = (op) => {
      if (op.operation === 'syncDir') syncs++;
    };
    wal.append(new Uint8Array(300_000), { seq: 1, commitTimeMs: 0, flags: 0 });
    expect(syncs).toBe(1);
    disk.onOperation = undefined;
    await wal.sync();
    expect(wal.stats().segments).toBeGreaterThan(4);
    const after = disk.crashClone(1);
    await wal.close();
    const again = await openWal(optionsOn(after, checksums, options));
    expect(await seqsOf(again.replay(again.start))).toEqual([1]);
    await again.close();
  });

  it('that are needed while zeros are being laid lose no record to them', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'phantom-wal-'));
    try {
      const options = {
        ...optionsOn(createNodeVfs(), checksums, { segmentBytes: 1_572_864, bufferBytesMax: 1 << 20 }),
        directory,
      };
      const wal = await openWal(options);
      const payload = new Uint8Array(60_000).fill(0xab);
      let seq = 0;
      for (let round = 0; round < 12; round++) {
        // Past half a segment: the next one is begun, and the loop that follows needs it at once.
        for (let i = 0; i < 14; i++) wal.append(payload, { seq: ++seq, commitTimeMs: 1, flags: 0 });
        wal.write();
        if (round % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
        for (let i = 0; i < 14; i++) wal.append(payload, { seq: ++seq, commitTimeMs: 1, flags: 0 });
        wal.syncNow?.();
      }
      await wal.close();
      const again = await openWal(options);
      let count = 0;
      for await (const batch of again.replay(again.start)) {
        for (const record of batch.records) {
          count++;
          expect(record.payload.every((byte) => byte === 0xab)).toBe(true);
        }
      }
      expect(count).toBe(seq);
      await again.close();
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('that could not be prepared are tried again when they are needed', async () => {
    const disk = new MemoryVfs();
    const warnings: string[] = [];
    const logger: Logger = { ...silentLogger, warn: (message) => warnings.push(message) };
    const faulty = new FaultyVfs(disk, pathMatch('0000000002', onOperation('write', failAt(0, 'ENOSPC'))));
    const wal = await openWal(optionsOn(faulty, checksums, { segmentBytes: 1 << 16, logger }));
    for (let seq = 1; seq <= 100; seq++) {
      wal.append(new Uint8Array(1000), { seq, commitTimeMs: 0, flags: 0 });
      await wal.sync();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(warnings).toEqual(['could not prepare a log segment']);
    expect(wal.stats().segments).toBe(2);
    faulty.injector = onOperation('close', failFrom(0, 'EIO'));
    await wal.close();
    expect(warnings.length).toBeGreaterThan(1);
  });

  it('are dropped only wholly, in order, and never the newest', async () => {
    const wal = await openWal(optionsOn(new MemoryVfs(), checksums));
    const ends = range(1, 40).map((seq) => append(wal, seq));
    await wal.dropBefore(wal.end);
    expect(wal.start).toBe(0);
    await wal.sync();
    await wal.dropBefore(0);
    expect(wal.start).toBe(0);
    await wal.dropBefore(ends[19] as number);
    expect(wal.start).toBeGreaterThan(0);
    expect(wal.start).toBeLessThanOrEqual(ends[19] as number);
    const first = (await readAll(wal)).first;
    expect(first).toBeLessThanOrEqual(21);
    await expect(seqsOf(wal.replay(0))).rejects.toThrow(code('55000'));
    await Promise.all([wal.dropBefore(wal.end), wal.dropBefore(wal.end), wal.sync()]);
    expect(wal.stats().segments).toBe(1);
    await wal.close();
  });

  it('are not searched for the word that they went when the owner of the log knows it', async () => {
    const disk = new MemoryVfs();
    const wal = await openWal(optionsOn(disk, checksums));
    const ends = range(1, 40).map((seq) => append(wal, seq));
    await wal.sync();
    await wal.dropBefore(ends[29] as number);
    const reads: number[] = [];
    for (const droppedBefore of [0, ends[29] as number]) {
      const clone = disk.killClone();
      const before = clone.counts.get('read') ?? 0;
      const again = await openWal(optionsOn(clone, checksums, { droppedBefore }));
      reads.push((clone.counts.get('read') ?? 0) - before);
      expect(again.start).toBeLessThanOrEqual(ends[29] as number);
      expect((await readAll(again)).last).toBe(40);
      await again.close();
    }
    expect(reads[1]).toBeLessThan(reads[0] as number);
    await wal.close();
  });

  it('are read once by an opening and the replay behind it, and not before what their owner needs', async () => {
    const disk = new MemoryVfs();
    const more = { segmentBytes: 64 * 1024 };
    const wal = await openWal(optionsOn(disk, checksums, more));
    const ends: number[] = [];
    for (let seq = 1; seq <= 200; seq++) {
      ends.push(wal.append(new Uint8Array(1000), { seq, commitTimeMs: seq, flags: 0 }));
      if (seq % 18 === 0) await wal.sync();
    }
    await wal.sync();
    const droppedBefore = ends[188] as number;
    const clone = disk.killClone();
    const read: string[] = [];
    clone.onOperation = ({ operation, path }) => void (operation === 'read' && read.push(path.slice(-6)));
    const again = await openWal(optionsOn(clone, checksums, { ...more, droppedBefore }));
    // Of each segment the header, and the one that the owner needs.
    expect(read.slice(0, 3)).toEqual(['01.wal', '02.wal', '03.wal']);
    expect(read.slice(3).every((name) => name === '04.wal')).toBe(true);
    for (const segments of [['05.wal'], ['04.wal', '05.wal']]) {
      read.length = 0;
      expect(await seqsOf(again.replay(droppedBefore))).toEqual(range(190, 200));
      // What was not known to be durable has been written anew.
      expect([...new Set(read)]).toEqual(segments);
    }
    await again.close();
    await wal.close();
  });

  it('are replayed in runs after an opening, as far as nothing comes between, record for record the same', async () => {
    const disk = new MemoryVfs();
    const more = { segmentBytes: 64 * 1024 };
    const wal = await openWal(optionsOn(disk, checksums, more));
    const ends: number[] = [];
    for (let seq = 1; seq <= 900; seq++) {
      // One with other flags, one that is several fragments, and one whose seq is that of the record before.
      const bytes = seq === 300 ? 100_000 : seq % 40;
      const told = seq === 500 ? 499 : seq;
      const meta = { seq: told, commitTimeMs: 7 * told, flags: seq === 200 ? 3 : 0 };
      ends.push(wal.append(new Uint8Array(bytes).fill(seq), meta));
      // What nobody knows to be durable is written anew at the opening, and then read as it is there.
      if (seq % 50 === 0) await wal.sync();
    }
    await wal.sync();
    const clone = disk.killClone();
    await wal.close();
    for (const [from, runsMax] of [
      [0, 10],
      [ends[250] as number, 7],
    ] as const) {
      const replayed: string[][] = [];
      for (const options of [{}, { runsOf: 0 }, { runsOf: 5 }]) {
        const again = await openWal(optionsOn(clone.killClone(), checksums, { ...more, droppedBefore: from }));
        const seen: string[] = [];
        let runs = 0;
        let inRuns = 0;
        for await (const { records, run, end } of again.replay(from, options)) {
          for (const { seq, payload } of records) seen.push(`${seq} ${Buffer.from(payload).toString('hex')}`);
          if (run === undefined) continue;
          expect([records.length, run.flags, run.end]).toEqual([0, 0, end]);
          expect(run.commitTimeMs).toBe(7 * (run.firstSeq + run.count - 1));
          runs++;
          inRuns += run.count;
          for (let i = 0; i < run.count; i++) {
            const payload = Buffer.from(run.bytes.subarray(run.ranges[2 * i], run.ranges[2 * i + 1]));
            seen.push(`${run.firstSeq + i} ${payload.toString('hex')}`);
          }
        }
        expect(runs > 0).toBe(options.runsOf === 0);
        expect(runs).toBeLessThanOrEqual(runsMax);
        if (runs > 0) expect(inRuns).toBe(550);
        replayed.push(seen);
        await again.close();
      }
      expect(replayed[1]).toEqual(replayed[0]);
      expect(replayed[2]).toEqual(replayed[0]);
      expect(replayed[0]?.length).toBe(from === 0 ? 900 : 649);
    }
  });

  it.each(['fsync', 'os'] as const)(
    'may be damaged before what their owner needs, durability %s',
    async (durability) => {
      const disk = new MemoryVfs();
      const wal = await openWal(optionsOn(disk, checksums, { durability, segmentBytes: 64 * 1024 }));
      const ends = range(1, 40).map((seq) => append(wal, seq));
      // Nothing proves what comes behind the first records.
      await wal.sync();
      const droppedBefore = ends[29] as number;
      for (const damaged of [ends[3] as number, ends[20] as number, ends[28] as number]) {
        let clone = disk.killClone();
        clone.corrupt(`${DIRECTORY}/${segmentName(1)}`, SEGMENT_HEADER_BYTES + damaged + 5, new Uint8Array([0xa5]));
        for (const last of [40, 41]) {
          const again = await openWal(optionsOn(clone, checksums, { durability, droppedBefore }));
          expect(await seqsOf(again.replay(droppedBefore))).toEqual(range(31, last));
          append(again, last + 1);
          await again.sync();
          clone = clone.killClone();
          await again.close();
        }
      }
      await wal.close();
    },
  );

  it('are opened from any record on, whatever payload over several of them came before', async () => {
    const disk = new MemoryVfs();
    const wal = await openWal(optionsOn(disk, checksums, { segmentBytes: 1536 }));
    const payload = new Uint8Array(4000).fill(120);
    const ends: number[] = [];
    for (let seq = 1; seq <= 12; seq++) {
      wal.append(seq % 2 === 0 ? payload : payload.subarray(0, 50), { seq, commitTimeMs: seq, flags: 0 });
      ends.push(wal.end);
    }
    await wal.sync();
    const killed = disk.killClone();
    await wal.close();
    for (const source of [killed, disk]) {
      for (const droppedBefore of ends) {
        const again = await openWal(optionsOn(source.killClone(), checksums, { segmentBytes: 1536, droppedBefore }));
        expect(again.end).toBeGreaterThanOrEqual(ends.at(-1) as number);
        const seqs = await seqsOf(again.replay(droppedBefore));
        expect(seqs).toEqual(range(ends.indexOf(droppedBefore) + 2, 12));
        await again.close();
      }
    }
  });

  it.each(['fsync', 'os', 'memory'] as const)('go on the calling thread as well, durability %s', async (durability) => {
    const disk = new MemoryVfs();
    const wal = await openWal(optionsOn(disk, checksums, { durability }));
    for (let round = 0; round < 20; round++) {
      for (let i = 0; i < 10; i++) append(wal, round * 10 + i + 1);
      if (round % 3 === 0) void wal.sync();
      const before = wal.end;
      // An asynchronous one that is under way finds that nothing is left to do.
      const dropping = wal.dropBefore(before);
      if (durability === 'fsync') wal.syncNow?.();
      else wal.write();
      wal.dropBeforeNow?.(before);
      expect(wal.stats().segments).toBe(1);
      await dropping;
    }
    expect(wal.stats().segmentsRecycled).toBeGreaterThan(5);
    await wal.sync();
    const clone = durability === 'memory' ? disk : disk.crashClone(3);
    await wal.close();
    const again = await openWal(optionsOn(clone, checksums, { durability }));
    if (durability === 'fsync') expect((await readAll(again)).last).toBe(200);
    await again.close();
  });

  it('that cannot be given back are reported, and the log is whole', async () => {
    const disk = new MemoryVfs();
    const faulty = new FaultyVfs(disk, anyOf());
    const wal = await openWal(optionsOn(faulty, checksums));
    range(1, 40).forEach((seq) => append(wal, seq));
    await wal.sync();
    faulty.injector = onOperation(['rename', 'remove'], failAt(1, 'EIO'));
    await expect(wal.dropBefore(wal.end)).rejects.toThrow(code('58030'));
    append(wal, 41);
    await wal.sync();
    await wal.close();
    const again = await openWal(optionsOn(disk, checksums));
    expect((await readAll(again)).last).toBe(41);
    await again.close();
  });
});
