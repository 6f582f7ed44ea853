import { type Checksums, Random, isPhantomError, loadChecksums } from '@phantom/base';
import { MemoryVfs } from '@phantom/vfs/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { dumpWal, openWal } from '../src/index.js';
import { SEGMENT_HEADER_BYTES, decodeSegmentHeader, segmentName } from '../src/format.js';
import { DIRECTORY, Promises, optionsOn, payloadOf, readAll, runWorkload } from './workload.js';

/**
 * One byte in so many is damaged, all with `PHANTOM_SWEEP=whole`; which is no divisor of the widths of fields: records repeat, so each place
 * in them has its turn. Headers of segments do not: each of their bytes is damaged.
 */
const BYTE_STRIDE = process.env['PHANTOM_SWEEP'] === 'whole' ? 1 : 5;

let checksums: Checksums;
beforeAll(async () => {
  checksums = await loadChecksums();
});

interface Small {
  readonly disk: MemoryVfs;
  /** Seqs that are there. */
  readonly first: number;
  readonly last: number;
  /** Seq of the last record that a later sync vouches for. */
  readonly vouched: number;
}

/** A log of a few segments, one of them recycled, with fragments; closed cleanly or killed. */
async function smallLog(closes: boolean): Promise<Small> {
  const disk = new MemoryVfs();
  const wal = await openWal(optionsOn(disk, checksums, { segmentBytes: 1536 }));
  let dropped = 0;
  let vouched = 0;
  for (let seq = 1; seq <= 30; seq++) {
    const lsn = wal.append(payloadOf(seq), { seq, commitTimeMs: seq, flags: seq });
    if (seq % 3 === 0) {
      vouched = seq - 3;
      await wal.sync();
    }
    if (seq === 12) dropped = lsn;
    if (seq === 15) await wal.dropBefore(dropped);
  }
  const { first, last } = await readAll(wal);
  expect(wal.stats().segmentsRecycled).toBeGreaterThan(0);
  if (closes) await wal.close();
  return { disk: disk.killClone(), first, last, vouched: closes ? last : vouched };
}

/** What a reader makes of a damaged disk: the seqs it shows, or the code of the error. */
async function outcome(disk: MemoryVfs, readOnly: boolean): Promise<{ first: number; last: number } | string> {
  try {
    const wal = await openWal(optionsOn(disk, checksums, { readOnly }));
    return await readAll(wal);
  } catch (error) {
    if (isPhantomError(error)) return error.code;
    throw error;
  }
}

function segmentsOf(disk: MemoryVfs): string[] {
  return disk.list(DIRECTORY).map((name) => `${DIRECTORY}/${name}`);
}

/** The segments that something was written to. */
function begunOf(disk: MemoryVfs): string[] {
  return segmentsOf(disk).filter((path) => {
    const number = decodeSegmentHeader(disk.readFile(path), checksums)?.number;
    return number !== undefined && path.endsWith(`/${segmentName(number)}`);
  });
}

describe('one flipped bit', () => {
  it.each([
    ['closed cleanly: found or harmless, without exception', true],
    ['killed: found or harmless, but in what no later sync vouches for', false],
  ])('in any file of a log that was %s', async (_rule, closes) => {
    const small = await smallLog(closes);
    const random = new Random(5);
    const counts = { found: 0, harmless: 0, shortened: 0 };
    for (const path of segmentsOf(small.disk)) {
      const bytes = small.disk.readFile(path);
      for (let at = 0; at < bytes.length; at += at < SEGMENT_HEADER_BYTES ? 1 : BYTE_STRIDE) {
        const damaged = small.disk.killClone();
        damaged.corrupt(path, at, Uint8Array.of((bytes[at] as number) ^ (1 << random.below(8))));
        const result = await outcome(damaged, random.chance(0.5));
        if (typeof result === 'string') {
          if (result !== 'XX001') throw new Error(`${path} ${at}: ${result}`);
          counts.found++;
        } else if (result.first === small.first && result.last === small.last) {
          counts.harmless++;
        } else {
          // Only what came after the last vouched sync may be missing.
          if (result.first !== small.first || result.last < small.vouched) {
            throw new Error(`${path} ${at}: ${result.first}..${result.last} of ${small.first}..${small.last}`);
          }
          counts.shortened++;
        }
      }
    }
    expect(counts.found).toBeGreaterThan(500);
    expect(counts.shortened > 0).toBe(!closes);
  });
});

describe('misplaced bytes', () => {
  it('are found: sectors exchanged, a write that went elsewhere, a write that was dropped', async () => {
    const small = await smallLog(true);
    const random = new Random(9);
    const paths = segmentsOf(small.disk);
    const newest = begunOf(small.disk).at(-1);
    let found = 0;
    for (let round = 0; round < 400; round++) {
      const [a, b] = [random.pick(paths), random.pick(paths)];
      const [from, to] = [random.below(2) * 512, random.below(2) * 512];
      const damaged = small.disk.killClone();
      const [one, two] = [damaged.readFile(a).slice(from, from + 512), damaged.readFile(b).slice(to, to + 512)];
      damaged.corrupt(b, to, one);
      if (random.chance(0.5)) damaged.corrupt(a, from, random.chance(0.5) ? two : new Uint8Array(512));
      const result = await outcome(damaged, true);
      // The newest segment with all that vouches for it may be in one sector: lost, the log is an earlier one.
      const shortened = typeof result !== 'string' && result.first === small.first && [a, b].includes(newest as string);
      const whole = typeof result !== 'string' && result.first === small.first && result.last === small.last;
      expect([round, result, result === 'XX001' || shortened || whole]).toEqual([round, result, true]);
      if (result === 'XX001') found++;
    }
    expect(found).toBeGreaterThan(200);
  });

  it('are found when a whole segment is missing or another takes its place', async () => {
    const small = await smallLog(true);
    const paths = begunOf(small.disk);
    const newest = paths.pop() as string;
    const replaced = (path: string, other: string): MemoryVfs => {
      const disk = small.disk.killClone();
      disk.corrupt(path, 0, disk.readFile(other));
      return disk;
    };
    const removed = (path: string): MemoryVfs => {
      const disk = small.disk.killClone();
      disk.remove(path);
      return disk;
    };
    for (const [index, path] of paths.entries()) {
      expect(await outcome(removed(path), false)).toBe('XX001');
      expect(await outcome(replaced(path, paths[index + 1] ?? newest), false)).toBe('XX001');
    }
    // Without its newest segment a log is one that was killed earlier: nothing that is left can tell.
    const earlier = expect.objectContaining({ first: small.first }) as object;
    expect(await outcome(removed(newest), false)).toEqual(earlier);
    expect(await outcome(replaced(newest, paths[0] as string), false)).toEqual(earlier);
  });

  it('are reported with file, offset, expected and found', async () => {
    const small = await smallLog(true);
    const path = begunOf(small.disk)[1] as string;
    small.disk.corrupt(path, 64 + 56, Uint8Array.of(0xff, 0xee));
    const wal = await openWal(optionsOn(small.disk, checksums, { readOnly: true }));
    const reading = readAll(wal);
    await expect(reading).rejects.toMatchObject({
      code: 'XX001',
      family: 'corruption',
      message: expect.stringMatching(/checksum.*offset 64: expected [0-9a-f]{8}, found [0-9a-f]{8}/) as string,
      data: { file: path, offset: 64 },
    });
  });
});

describe('any bytes', () => {
  it('end in a log or a corruption error, never in anything else', async () => {
    const random = new Random(3);
    const disk = new MemoryVfs();
    await runWorkload(disk, checksums, new Promises(), { seed: 4, steps: 40 });
    for (let round = 0; round < 200; round++) {
      const damaged = disk.killClone();
      const paths = segmentsOf(damaged);
      for (let i = random.below(4); i >= 0; i--) {
        const path = random.pick(paths);
        const size = damaged.readFile(path).length;
        const kind = random.below(5);
        if (kind === 0) damaged.corrupt(path, random.below(size), random.bytes(1 + random.below(64)));
        if (kind === 1) damaged.open(path, { mode: 'write' }).truncate(random.below(size + 100));
        if (kind === 2) damaged.corrupt(path, 0, random.bytes(size));
        if (kind === 3)
          damaged.corrupt(path, 8 * random.below(size / 8), damaged.readFile(random.pick(paths)).slice(0, 400));
        if (kind === 4 && damaged.exists(path))
          damaged.rename(path, `${DIRECTORY}/${String(random.below(40)).padStart(10, '0')}.wal`);
        if (!damaged.exists(path)) break;
      }
      const lines = [...dumpWal({ directory: DIRECTORY, vfs: damaged, checksums })];
      expect(lines.length).toBeGreaterThan(0);
      for (const readOnly of [true, false]) {
        const result = await outcome(damaged, readOnly);
        expect(typeof result === 'object' || result === 'XX001' || result === '58P01').toBe(true);
      }
    }
  });

  it('of random sizes in the place of segments are no log', async () => {
    const random = new Random(8);
    for (let round = 0; round < 100; round++) {
      const disk = new MemoryVfs();
      disk.makeDir(DIRECTORY);
      for (let number = 1; number <= 3; number++) {
        const bytes = random.bytes(random.below(3000));
        if (random.chance(0.5)) bytes.set(Buffer.from('PHANTWAL').subarray(0, bytes.length));
        disk.open(`${DIRECTORY}/000000000${number}.wal`, { mode: 'create' }).writeAt(0, bytes);
      }
      expect(await outcome(disk, round % 2 === 0)).toBe('XX001');
      expect([...dumpWal({ directory: DIRECTORY, vfs: disk, checksums })].at(-1)).toMatch(/does not open: XX001/);
    }
  });
});
