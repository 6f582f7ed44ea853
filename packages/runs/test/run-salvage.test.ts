/** A run damaged in each of its parts: what is read, what is mended, and which range of keys is named as lost. */
import { type Checksums, loadChecksums } from '@phantom/base';
import { type LostRange, type SalvageFinding, type SalvagedEntry, isLostRange } from '@phantom/kv';
import { MendedVfs } from '@phantom/vfs';
import { MemoryVfs } from '@phantom/vfs/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { BlockCache, Run, RunWriter, SalvagedRun, VersionKind } from '../src/index.js';

const PATH = '/data/a.run';
const ENTRIES = 400;
const IDENTITY = 77;
const LOWER = Uint8Array.of(0);
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const keyOf = (i: number): string => `key ${1000 + i}`;

let checksums: Checksums;
let whole: MemoryVfs;
let bytes: Buffer;

beforeAll(async () => {
  checksums = await loadChecksums();
  whole = new MemoryVfs({ losesPower: false });
  whole.makeDir('/data');
  const writer = new RunWriter({ vfs: whole, path: PATH, checksums, identity: IDENTITY, seqBase: 10, blockBytes: 300 });
  writer.addRangeTombstone({ lower: encode('z'), upper: encode('zz'), seq: 12 });
  for (let i = 0; i < ENTRIES; i++) {
    const key = encode(keyOf(i));
    const value = encode(`value ${i}`);
    if (i % 10 === 0) writer.add(key, 0, key.length, 13, VersionKind.Remove, key, 0, 0);
    writer.add(key, 0, key.length, 11, VersionKind.Put, value, 0, value.length);
  }
  writer.finish();
  await writer.sync();
  writer.close();
  bytes = Buffer.from(whole.readFile(PATH));
});

interface Found {
  readonly entries: SalvagedEntry[];
  readonly lost: LostRange[];
  readonly findings: SalvageFinding[];
  readonly removals: number;
}

function salvaged(disk: MemoryVfs, name = 'a.run'): Found {
  const findings: SalvageFinding[] = [];
  const report = (finding: SalvageFinding): void => void findings.push(finding);
  const vfs = new MendedVfs(disk);
  const options = {
    vfs,
    directory: '/data',
    name,
    checksums,
    identity: IDENTITY,
    lower: LOWER,
    upper: undefined,
    report,
  };
  const run = new SalvagedRun(options);
  const items = [...run.items()];
  // Nothing is told twice.
  const told = findings.length;
  expect([...run.items()].length).toBe(items.length);
  expect(findings.length).toBe(told);
  run.close();
  return {
    entries: items.filter((item): item is SalvagedEntry => !isLostRange(item)),
    lost: items.filter(isLostRange),
    findings,
    removals: run.removals.length,
  };
}

function damaged(at: number, count: number): MemoryVfs {
  const disk = whole.killClone();
  const piece = bytes.subarray(at, at + count);
  disk.corrupt(
    PATH,
    at,
    piece.map((byte) => byte ^ (count === 1 ? 8 : 0xff)),
  );
  return disk;
}

describe('salvage of a run', () => {
  it('reads every entry of one that is whole, the newest version of each key', () => {
    const { entries, lost, findings, removals } = salvaged(whole);
    expect({ lost, findings, removals }).toEqual({ lost: [], findings: [], removals: 1 });
    expect(entries.map(({ key }) => decode(key))).toEqual(Array.from({ length: ENTRIES }, (_, i) => keyOf(i)));
    expect(entries[0]).toMatchObject({ value: undefined, seq: 13 });
    expect(entries[1]).toMatchObject({ value: encode('value 1'), seq: 11 });
  });

  it('loses a data block, and names its range and entries', () => {
    const at = bytes.indexOf('value 333');
    const { entries, lost, findings } = salvaged(damaged(at, 20));
    expect(lost).toHaveLength(1);
    expect(findings).toMatchObject([{ isMended: false, file: PATH }]);
    const [range] = lost as [LostRange];
    const missing = Array.from({ length: ENTRIES }, (_, i) => keyOf(i)).filter(
      (key) => !entries.some((entry) => decode(entry.key) === key),
    );
    expect(missing).toContain(keyOf(333));
    expect(missing.length).toBeLessThanOrEqual(range.entries as number);
    for (const key of missing) {
      expect(Buffer.compare(encode(key), range.lower)).toBeGreaterThanOrEqual(0);
      expect(Buffer.compare(encode(key), range.upper as Uint8Array)).toBeLessThan(0);
    }
  });

  it('loses a partition with its index', () => {
    const run = new Run({ vfs: whole, path: PATH, checksums, cache: new BlockCache(1000) });
    const { offset, entries } = run.partitionPlace(0);
    run.release();
    const found = salvaged(damaged(offset + 5, 20));
    expect(found.lost).toMatchObject([{ entries, offset }]);
    expect(found.entries.length + entries).toBeGreaterThanOrEqual(ENTRIES);
  });

  it('mends a bit anywhere', () => {
    const places = [2, 17, 29, bytes.indexOf('value 350'), bytes.length - 2, bytes.length - 30, bytes.length - 45];
    for (const at of [...places, bytes.length - 90]) {
      const { entries, lost, findings } = salvaged(damaged(at, 1));
      expect(lost, `byte ${at}`).toEqual([]);
      expect(entries).toHaveLength(ENTRIES);
      expect(
        findings.every(({ isMended }) => isMended),
        `byte ${at}`,
      ).toBe(true);
      expect(findings).toHaveLength(1);
    }
  });

  it('finds the blocks of a run without its ends, and all but its removals', () => {
    const found = salvaged(damaged(bytes.length - 40, 20));
    expect(found.entries).toHaveLength(ENTRIES);
    expect(found.entries.map(({ seq }) => seq)).toContain(13);
    expect(found.lost).toMatchObject([{ lower: LOWER, upper: undefined, entries: 0 }]);
    // A block more: what lies around it is found all the same.
    const disk = damaged(bytes.length - 40, 20);
    const at = bytes.indexOf('value 333');
    disk.corrupt(
      PATH,
      at,
      bytes.subarray(at, at + 20).map((byte) => byte ^ 0xff),
    );
    const holed = salvaged(disk);
    expect(holed.lost).toMatchObject([{ entries: 0 }, { entries: undefined }]);
    const [, hole] = holed.lost as [LostRange, LostRange];
    const key = encode(keyOf(333));
    expect(Buffer.compare(hole.lower, key) <= 0 && Buffer.compare(key, hole.upper as Uint8Array) < 0).toBe(true);
    expect(holed.entries.length).toBeGreaterThan(ENTRIES - 60);
  });

  it('loses all of a run that is not there, is too short, or has nothing that could be found', () => {
    const all = [{ lower: LOWER, upper: undefined, entries: undefined }];
    expect(salvaged(whole, 'b.run')).toMatchObject({ lost: all, findings: [{ message: 'a run is gone' }] });
    const short = new MemoryVfs();
    short.makeDir('/data');
    short.open(PATH, { mode: 'create-new' }).writeAt(0, new Uint8Array(40));
    expect(salvaged(short)).toMatchObject({ entries: [], lost: all, findings: [{ isMended: false }] });
    const other = new MemoryVfs();
    other.makeDir('/data');
    other.open(PATH, { mode: 'create-new' }).writeAt(0, new Uint8Array(900).fill(7));
    expect(salvaged(other)).toMatchObject({ entries: [], lost: all });
  });
});
