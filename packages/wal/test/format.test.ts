import { readFileSync, readdirSync } from 'node:fs';
import { type Checksums, ManualClock, loadChecksums, toHex } from '@phantom/base';
import { MemoryVfs } from '@phantom/vfs/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { dumpWal, openWal } from '../src/index.js';
import {
  RecordHeader,
  decodeSegmentHeader,
  encodeSegmentHeader,
  freePath,
  isFreeName,
  isTemporaryName,
  recordBytes,
  segmentName,
  segmentNumber,
  temporaryName,
} from '../src/format.js';
import { readLog } from './format-reader.js';
import { DIRECTORY, Promises, optionsOn, payloadOf, runWorkload } from './workload.js';

const FIXTURES = new URL('./fixtures/', import.meta.url);
const DOCUMENT = new URL('../../../docs/formats/wal.md', import.meta.url);

let checksums: Checksums;
beforeAll(async () => {
  checksums = await loadChecksums();
});

const hash = (bytes: Uint8Array): number => checksums.h32(bytes, 0, bytes.length);

function filesOf(disk: MemoryVfs): Map<string, Uint8Array> {
  return new Map(disk.list(DIRECTORY).map((name) => [name, disk.readFile(`${DIRECTORY}/${name}`)]));
}

describe('names', () => {
  it('are told apart', () => {
    expect(segmentName(7)).toBe('0000000007.wal');
    expect(segmentNumber('4294967295.wal')).toBe(0xffff_ffff);
    for (const name of ['7.wal', '0000000007.wal.new', 'free-0000000007.wal', '000000000x.wal']) {
      expect(segmentNumber(name)).toBeUndefined();
    }
    expect(freePath('/a/b/0000000007.wal')).toBe('/a/b/free-0000000007.wal');
    expect(freePath('/a/b/free-0000000007.wal')).toBe('/a/b/free-0000000007.wal');
    expect(isFreeName('free-0000000007.wal')).toBe(true);
    expect(isTemporaryName(temporaryName(7))).toBe(true);
  });
});

describe('headers', () => {
  it('of segments go round, and broken ones are none', () => {
    const header = {
      version: 1,
      timeline: 2,
      identity: undefined,
      epoch: 3,
      number: 4,
      firstLsn: 5e15,
      durable: 6,
      floor: 7,
    };
    const bytes = new Uint8Array(80);
    encodeSegmentHeader(bytes, 8, header, checksums);
    expect(decodeSegmentHeader(bytes.subarray(8), checksums)).toEqual(header);
    expect(decodeSegmentHeader(bytes.subarray(8, 60), checksums)).toBeUndefined();
    for (let at = 8; at < 72; at++) {
      const broken = bytes.slice(8);
      broken[at - 8] = (broken[at - 8] as number) ^ 4;
      expect(decodeSegmentHeader(broken, checksums)).toBeUndefined();
    }
    bytes.fill(0xff, 32, 40);
    const reseal = bytes.slice(8);
    new DataView(reseal.buffer).setUint32(60, hash(reseal.subarray(0, 60)), true);
    expect(decodeSegmentHeader(reseal, checksums)).toBeUndefined();
  });

  it('of records have the size that the page says', () => {
    expect([0, 1, 8, 9].map(recordBytes)).toEqual([56, 64, 64, 72]);
    const record = new RecordHeader();
    record.read(new DataView(new ArrayBuffer(56)), 0);
    expect([record.isMark, record.isFragment, record.isFirst, record.isLast]).toEqual([false, false, false, false]);
  });
});

describe('docs/formats/wal.md', () => {
  it('has the bytes of its worked example', async () => {
    const disk = new MemoryVfs();
    const wal = await openWal({ directory: DIRECTORY, vfs: disk, checksums, clock: new ManualClock(0) });
    wal.append(Buffer.from('hi'), { seq: 1, commitTimeMs: 1000, flags: 5 });
    await wal.sync();
    await wal.close();
    const bytes = disk.readFile(`${DIRECTORY}/0000000001.wal`);
    const example = /```\n(0000 {2}[^`]*)```/.exec(readFileSync(DOCUMENT, 'utf8'))?.[1] ?? '';
    const lines = example.trim().split('\n');
    expect(lines.length).toBe(12);
    for (const [index, line] of lines.entries()) {
      const shown = line
        .slice(6, 6 + 49)
        .replaceAll(' ', '')
        .slice(0, 32);
      expect([index, shown]).toEqual([index, toHex(bytes, index * 16, index * 16 + 16)]);
    }
  });

  it.each([1, 2, 3, 4, 5])('is enough to read a log by, history %i', async (seed) => {
    const disk = new MemoryVfs();
    const promises = new Promises();
    await runWorkload(disk, checksums, promises, { seed, steps: 60 });
    for (const state of [disk, ...Array.from({ length: 10 }, (_, i) => disk.crashClone(i))]) {
      const read = readLog(filesOf(state), hash);
      const wal = await openWal(optionsOn(state, checksums, { readOnly: true }));
      expect(read.end).toBe(wal.end);
      const seqs: number[] = [];
      for await (const batch of wal.replay(wal.start)) for (const record of batch.records) seqs.push(record.seq);
      expect(read.records.map((record) => record.seq).slice(-seqs.length)).toEqual(seqs);
      for (const record of read.records) expect(Buffer.compare(record.payload, payloadOf(record.seq))).toBe(0);
      await wal.close();
    }
  });
});

describe('files of earlier versions', () => {
  it.each(readdirSync(FIXTURES).filter((name) => !name.endsWith('.txt')))('open: %s', async (name) => {
    const disk = new MemoryVfs();
    disk.makeDir(DIRECTORY);
    const directory = new URL(`${name}/`, FIXTURES);
    for (const file of readdirSync(directory)) {
      const bytes = readFileSync(new URL(file, directory));
      disk.open(`${DIRECTORY}/${file}`, { mode: 'create' }).writeAt(0, bytes);
    }
    const wal = await openWal(optionsOn(disk, checksums));
    const lines: string[] = [];
    for await (const batch of wal.replay(wal.start)) {
      for (const { seq, commitTimeMs, flags, payload } of batch.records) {
        lines.push(`${seq} ${commitTimeMs} ${flags} ${payload.length} ${hash(payload)}`);
      }
    }
    await wal.close();
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(new URL(`${name}.txt`, FIXTURES).pathname);
  });
});

/** What a person sees; `npx vitest run -u` rewrites the files. */
describe('the dump', () => {
  const golden = (name: string): string => new URL(`./golden/${name}.txt`, import.meta.url).pathname;
  const dump = (disk: MemoryVfs): string =>
    `${[...dumpWal({ directory: DIRECTORY, vfs: disk, checksums })].join('\n')}\n`;

  it('of an empty directory', () => {
    const disk = new MemoryVfs();
    disk.makeDir(DIRECTORY);
    expect(dump(disk)).toBe('there is no log\n');
  });

  it('of a log that rotated, was closed, reopened and dropped', async () => {
    const disk = new MemoryVfs();
    let wal = await openWal(optionsOn(disk, checksums));
    const ends: number[] = [];
    for (let seq = 1; seq <= 16; seq++) {
      ends.push(wal.append(payloadOf(seq), { seq, commitTimeMs: seq * 1000, flags: seq }));
      if (seq % 4 === 0) await wal.sync();
    }
    await wal.close();
    wal = await openWal(optionsOn(disk, checksums));
    wal.append(payloadOf(17), { seq: 17, commitTimeMs: 9e15, flags: 17 });
    await wal.sync();
    await wal.dropBefore(ends[11] as number);
    for (let seq = 18; seq <= 26; seq++) wal.append(new Uint8Array(60), { seq, commitTimeMs: seq, flags: 0 });
    await wal.sync();
    await expect(dump(disk)).toMatchFileSnapshot(golden('rotated'));
  });

  it('of a torn tail, before and after it was opened', async () => {
    const disk = new MemoryVfs();
    const wal = await openWal(optionsOn(disk, checksums));
    for (let seq = 1; seq <= 6; seq++) {
      wal.append(new Uint8Array(40).fill(seq), { seq, commitTimeMs: seq, flags: 0 });
      if (seq < 5) await wal.sync();
    }
    wal.write();
    // The last record lost its end.
    disk.corrupt(`${DIRECTORY}/0000000001.wal`, wal.end, new Uint8Array(64));
    const before = dump(disk);
    const killed = disk.killClone();
    await openWal(optionsOn(killed, checksums));
    await expect(`${before}--- opened ---\n${dump(killed)}`).toMatchFileSnapshot(golden('torn-tail'));
  });

  it('of broken and foreign files', async () => {
    const disk = new MemoryVfs();
    await runWorkload(disk, checksums, new Promises(), { seed: 1, steps: 12 });
    disk.corrupt(`${DIRECTORY}/0000000001.wal`, 70, Uint8Array.of(1, 2, 3));
    disk.open(`${DIRECTORY}/0000000007.wal`, { mode: 'create' }).writeAt(0, new Uint8Array(100).fill(9));
    disk
      .open(`${DIRECTORY}/0000000008.wal`, { mode: 'create' })
      .writeAt(0, disk.readFile(`${DIRECTORY}/0000000001.wal`));
    const newer = new Uint8Array(64);
    const header = {
      version: 3,
      timeline: 1,
      identity: undefined,
      epoch: 9,
      number: 9,
      firstLsn: 0,
      durable: 0,
      floor: 0,
    };
    encodeSegmentHeader(newer, 0, header, checksums);
    disk.open(`${DIRECTORY}/0000000009.wal`, { mode: 'create' }).writeAt(0, newer);
    await expect(dump(disk)).toMatchFileSnapshot(golden('broken'));
  });
});
