/** A log whose owner remembers how far it went: what is missing, renamed or another's is refused, and a crash never is. */
import { type Checksums, loadChecksums } from '@phantom/base';
import { type FaultyVfs, MemoryVfs } from '@phantom/vfs/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { type LogOwner, type Wal, type WalOptions, dumpWal, openWal } from '../src/index.js';
import { segmentName } from '../src/format.js';
import { DIRECTORY, append, optionsOn, range, readAll } from './workload.js';

let checksums: Checksums;
beforeAll(async () => {
  checksums = await loadChecksums();
});

/** Remembers, as a superblock would; `disk` is what it could still say after a power cut at any moment. */
class Memory implements LogOwner {
  readonly identity: Uint8Array;
  identifiedFrom = 0;
  segment = 0;
  end = 0;
  epoch: number | undefined = 0;
  told: string[] = [];
  fails = false;

  constructor(name: number) {
    this.identity = new Uint8Array(16).fill(name);
  }

  async recordHead(segment: number, end: number): Promise<void> {
    if (this.fails) throw new Error('the superblock cannot be written');
    this.told.push(`later ${segment}`);
    this.note(segment, end);
  }

  recordHeadNow(segment: number, end: number): void {
    this.told.push(`now ${segment}`);
    this.note(segment, end);
  }

  note(segment: number, end: number): void {
    this.segment = Math.max(this.segment, segment);
    this.end = Math.max(this.end, end);
  }

  copy(): Memory {
    return Object.assign(new Memory(this.identity[0] as number), this);
  }

  began(wal: Wal): void {
    this.note(wal.segment, wal.recordsSynced);
    this.epoch = wal.epoch;
  }
}

const open = async (
  vfs: MemoryVfs | FaultyVfs,
  owner: Memory,
  more: Partial<WalOptions> = {},
): Promise<Wal & { syncNow(): number }> => {
  const wal = await openWal(optionsOn(vfs, checksums, { owner, ...more }));
  if (more.readOnly !== true) owner.began(wal);
  return wal;
};

/** A log of several segments, killed. */
async function killed(owner: Memory, count = 37): Promise<MemoryVfs> {
  const vfs = new MemoryVfs({ losesPower: false });
  const wal = await open(vfs, owner);
  for (const seq of range(1, count)) {
    append(wal, seq);
    await wal.sync();
  }
  return vfs.killClone();
}

const path = (number: number): string => `${DIRECTORY}/${segmentName(number)}`;

describe('the owner of a log', () => {
  it('is told of each segment before anything in it is acknowledged', async () => {
    const vfs = new MemoryVfs();
    const owner = new Memory(7);
    const wal = await open(vfs, owner);
    for (const seq of range(1, 60)) {
      append(wal, seq);
      if (seq % 3 === 0) wal.syncNow();
      else await wal.sync();
      expect([owner.segment, owner.end <= wal.durable]).toEqual([wal.segment, true]);
    }
    expect(new Set(owner.told.map((told) => told.split(' ')[1])).size).toBe(owner.told.length);
    expect(owner.told).toEqual(expect.arrayContaining([expect.stringMatching('now'), expect.stringMatching('later')]));
    for (let seed = 0; seed < 10; seed++) await (await open(vfs.crashClone(seed), owner.copy())).close();
    const dump = [...dumpWal({ directory: DIRECTORY, vfs, checksums })];
    expect(dump).toContainEqual(expect.stringContaining(`store ${'07'.repeat(16)}`));
  });

  it('misses the newest segments, whether they are gone, empty or older', async () => {
    const owner = new Memory(7);
    const vfs = await killed(owner);
    const last = owner.segment;
    expect(last).toBeGreaterThan(2);
    const older = vfs.readFile(path(last)).slice(0, 64);
    for (const damage of [
      (disk: MemoryVfs) => disk.remove(path(last)),
      (disk: MemoryVfs) => disk.open(path(last), { mode: 'write' }).truncate(0),
      (disk: MemoryVfs) => disk.corrupt(path(last), 0, new Uint8Array(disk.readFile(path(last)).length)),
    ]) {
      const disk = vfs.killClone();
      damage(disk);
      for (const readOnly of [true, false]) {
        await expect(open(disk, owner, { readOnly })).rejects.toThrow(`Log segment ${last} is missing`);
      }
    }
    const cut = vfs.killClone();
    cut.corrupt(path(last), 64, new Uint8Array(cut.readFile(path(last)).length - 64));
    cut.corrupt(path(last), 0, older);
    await expect(open(cut, owner)).rejects.toThrow('The log ends before records that were durable');
    const wal = await open(vfs, owner);
    expect(await readAll(wal)).toEqual({ first: 1, last: 37 });
    await wal.close();
  });

  it('refuses a segment of another, a renamed one, and a log that was written on behind its back', async () => {
    const owner = new Memory(7);
    const vfs = await killed(owner);
    const other = await killed(new Memory(8));
    const last = owner.segment;
    const foreign = vfs.killClone();
    foreign.corrupt(path(last - 1), 0, other.readFile(path(last - 1)));
    const texts = { expected: '07'.repeat(16), found: '08'.repeat(16) };
    await expect(open(foreign, owner)).rejects.toMatchObject({
      code: 'XX001',
      data: { file: path(last - 1), ...texts },
    });
    const swapped = vfs.killClone();
    swapped.rename(path(last), `${DIRECTORY}/x`);
    swapped.rename(path(last - 1), path(last));
    swapped.rename(`${DIRECTORY}/x`, path(last - 1));
    await expect(open(swapped, owner)).rejects.toThrow('has the name of another');
    const { epoch } = owner;
    const wal = await open(vfs, owner);
    append(wal, 38);
    await wal.sync();
    await wal.close();
    owner.epoch = epoch;
    await expect(open(vfs, owner)).rejects.toThrow('an older superblock lies beside it');
  });

  it('gets a log that belonged to nobody, and knows from where on it is its own', async () => {
    const vfs = new MemoryVfs();
    const plain = await openWal(optionsOn(vfs, checksums));
    for (const seq of range(1, 20)) append(plain, seq);
    await plain.sync();
    const owner = new Memory(7);
    owner.identifiedFrom = Number.MAX_SAFE_INTEGER;
    owner.epoch = undefined;
    const disk = vfs.crashClone(1);
    const unowned = disk.killClone();
    const wal = await open(disk, owner);
    owner.identifiedFrom = wal.end + 1;
    append(wal, 21);
    await wal.sync();
    const again = await open(disk.killClone(), owner.copy());
    expect(await readAll(again)).toEqual({ first: 1, last: 21 });
    await again.close();
    const late = new Memory(7);
    await expect(open(unowned, late)).rejects.toThrow('does not belong to this store');
    // Opened without an owner, the log keeps the one it has.
    await wal.close();
    await (await openWal(optionsOn(disk, checksums))).close();
    await (await open(disk, owner)).close();
  });

  it('that cannot take note leaves the outcome unknown, and the log is lost', async () => {
    const vfs = new MemoryVfs();
    const owner = new Memory(7);
    const wal = await open(vfs, owner);
    owner.fails = true;
    let error: unknown;
    for (let seq = 1; error === undefined; seq++) {
      append(wal, seq);
      error = await wal.sync().then(
        () => undefined,
        (reason: unknown) => reason,
      );
    }
    expect(error).toMatchObject({ code: '08007' });
    expect(wal.lost.aborted).toBe(true);
    await wal.close();
  });
});
