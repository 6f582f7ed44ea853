/** Logs damaged in every way: salvage takes what is before the damage, says what is behind it, and mends single bits. */
import { type Checksums, loadChecksums, newIdentity } from '@phantom/base';
import { MendedVfs } from '@phantom/vfs';
import { MemoryVfs } from '@phantom/vfs/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { type SalvagedLog, openWal, salvageLog } from '../src/index.js';
import { SEGMENT_HEADER_BYTES, segmentName } from '../src/format.js';
import type { LogDamage, LogSalvageOptions } from '../src/log-salvage.js';
import { DIRECTORY, optionsOn, payloadOf } from './workload.js';

const LAST = 40;
let checksums: Checksums;
let whole: MemoryVfs;
let end = 0;
let newest = 0;

beforeAll(async () => {
  checksums = await loadChecksums();
  whole = new MemoryVfs({ losesPower: false });
  const wal = await openWal(optionsOn(whole, checksums, { segmentBytes: 1536 }));
  for (let seq = 1; seq <= LAST; seq++) {
    end = wal.append(payloadOf(seq), { seq, commitTimeMs: seq, flags: seq });
    await wal.sync();
  }
  newest = wal.segment;
  whole = whole.killClone();
});

interface Found extends SalvagedLog {
  readonly damage: LogDamage[];
  readonly seqs: number[];
}

function salvaged(disk: MemoryVfs, options: Partial<LogSalvageOptions> = {}): Found {
  const damage: LogDamage[] = [];
  const log = salvageLog({
    directory: DIRECTORY,
    vfs: new MendedVfs(disk),
    checksums,
    from: 0,
    identity: undefined,
    end,
    segment: newest,
    pastDamage: false,
    report: (one) => damage.push(one),
    ...options,
  });
  for (const { seq, payload } of log.records) expect(Buffer.compare(payload, payloadOf(seq))).toBe(0);
  return { ...log, damage, seqs: log.records.map(({ seq }) => seq) };
}

const segmentsOf = (disk: MemoryVfs): string[] =>
  disk
    .list(DIRECTORY)
    .filter((name) => /^\d+\.wal$/.test(name) && Number(name.slice(0, 10)) <= newest)
    .map((name) => `${DIRECTORY}/${name}`);
const upTo = (last: number): number[] => Array.from({ length: last }, (_, i) => i + 1);

function corrupt(disk: MemoryVfs, path: string, at: number, bytes: number): void {
  const before = disk.readFile(path).slice(at, at + bytes);
  disk.corrupt(
    path,
    at,
    before.map((byte) => (bytes === 1 ? byte ^ 4 : byte ^ 0xff)),
  );
}

describe('salvage of a log', () => {
  it('takes everything of a log that is whole, and from a position on', () => {
    expect(segmentsOf(whole).length).toBeGreaterThan(2);
    expect(salvaged(whole)).toMatchObject({ seqs: upTo(LAST), damage: [], recordsPast: 0 });
    const half = salvaged(whole, { from: end });
    expect(half).toMatchObject({ seqs: [], damage: [] });
  });

  it('mends a single bit of a record or a header', () => {
    for (const path of segmentsOf(whole)) {
      for (const at of [3, 40, SEGMENT_HEADER_BYTES + 2, SEGMENT_HEADER_BYTES + 5, SEGMENT_HEADER_BYTES + 60]) {
        const disk = whole.killClone();
        corrupt(disk, path, at, 1);
        const { seqs, damage } = salvaged(disk);
        expect(seqs, `${path} at ${at}`).toEqual(upTo(LAST));
        expect(damage.every(({ isMended }) => isMended)).toBe(true);
      }
    }
  });

  it('stops at a record that was durable, counts what is behind, and takes it when told to', () => {
    const disk = whole.killClone();
    const [first = ''] = segmentsOf(disk);
    corrupt(disk, first, SEGMENT_HEADER_BYTES + 200, 80);
    const { seqs, damage, recordsPast, lastSeqPast } = salvaged(disk);
    expect(seqs).toEqual(upTo(seqs.length));
    expect(damage).toMatchObject([{ file: first, isMended: false }]);
    expect(recordsPast).toBeGreaterThan(0);
    expect(lastSeqPast).toBe(LAST);
    const all = salvaged(disk, { pastDamage: true });
    expect(all.seqs.length).toBe(seqs.length + recordsPast);
    expect(all.seqs.at(-1)).toBe(LAST);
    expect(all.seqs).toEqual(all.seqs.toSorted((a, b) => a - b));
  });

  it('goes on with the next segment where the rest of one is lost', () => {
    const disk = whole.killClone();
    const [first = '', second = ''] = segmentsOf(disk);
    corrupt(disk, first, SEGMENT_HEADER_BYTES + 300, disk.readFile(first).length - SEGMENT_HEADER_BYTES - 300);
    const { seqs, recordsPast } = salvaged(disk, { pastDamage: true });
    expect(recordsPast).toBeGreaterThan(0);
    expect(seqs.length).toBeLessThan(LAST);
    // A header without its segment's is made again of the first record.
    const other = whole.killClone();
    corrupt(other, second, 0, SEGMENT_HEADER_BYTES);
    expect(salvaged(other)).toMatchObject({ seqs: upTo(LAST), damage: [{ file: second, isMended: true }] });
    corrupt(other, second, SEGMENT_HEADER_BYTES, 20);
    const cut = salvaged(other);
    expect(cut.seqs.length).toBeLessThan(LAST);
    expect(cut.damage.some(({ isMended }) => !isMended)).toBe(true);
  });

  it('says which files are missing', () => {
    const segments = segmentsOf(whole);
    const disk = whole.killClone();
    disk.remove(segments[1] as string);
    expect(salvaged(disk).damage).toMatchObject([{ file: segments[1] === undefined ? '' : segments[0] }]);
    const cut = whole.killClone();
    cut.remove(segments.at(-1) as string);
    expect(salvaged(cut).damage.at(-1)).toMatchObject({ message: expect.stringContaining('ends before records') });
    const none = whole.killClone();
    for (const path of segments) none.remove(path);
    expect(salvaged(none)).toMatchObject({ seqs: [], damage: [{ file: DIRECTORY }] });
    expect(salvaged(new MemoryVfs(), { end: 0, segment: 0 })).toMatchObject({ seqs: [], damage: [] });
    const late = whole.killClone();
    late.remove(segments[0] as string);
    const { damage, recordsPast } = salvaged(late, { from: 64 });
    expect(damage).toMatchObject([{ message: expect.stringContaining('before this one are missing') }]);
    expect(recordsPast).toBeGreaterThan(0);
  });

  it('takes a broken end for the end where nobody knew it durable', () => {
    const disk = whole.killClone();
    const last = segmentsOf(disk).findLast((path) => disk.readFile(path).some((byte) => byte !== 0)) as string;
    const bytes = disk.readFile(last);
    const used = bytes.findLastIndex((byte) => byte !== 0);
    corrupt(disk, last, used - 4, 4);
    const { seqs, damage } = salvaged(disk, { end: 0, segment: 0 });
    expect(seqs).toEqual(upTo(LAST - 1));
    expect(damage).toEqual([]);
  });

  it('does not take the segments of another store, nor what an opening has discarded', async () => {
    const identity = newIdentity();
    const disk = new MemoryVfs({ losesPower: false });
    const owner = {
      identity,
      identifiedFrom: 0,
      segment: 0,
      end: 0,
      epoch: undefined,
      recordHead: () => Promise.resolve(),
      recordHeadNow: () => undefined,
    };
    const wal = await openWal(optionsOn(disk, checksums, { owner }));
    wal.append(payloadOf(1), { seq: 1, commitTimeMs: 1, flags: 1 });
    await wal.sync();
    await wal.close();
    expect(salvaged(disk, { identity, end: 0, segment: 0 })).toMatchObject({ seqs: [1], damage: [] });
    const other = salvaged(disk, { identity: newIdentity(), end: 0, segment: 0 });
    expect(other).toMatchObject({ seqs: [], damage: [{ message: 'the segment is of another store' }] });
    expect(disk.exists(`${DIRECTORY}/${segmentName(1)}`)).toBe(true);
  });
});
