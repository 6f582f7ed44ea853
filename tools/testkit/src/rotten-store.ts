/**
 * Rotten bytes in the files of a whole small store, log and superblock included: what is flipped, exchanged or never
 * arrived is noticed with XX001, or nothing reads differently. One exception, which no log can avoid: damage in the last
 * group of the log looks like a write that was cut short, so the store may come back as it was before that group.
 */
import { isPhantomError } from '@phantom/base';
import type { MemoryVfs } from '@phantom/vfs/testing';

const BLOCK_BYTES = 4096;
/** Of bytes that are zero one in so many is tried: they are padding, and there are many. */
const ZERO_STRIDE = 499;
/**
 * Of the others one in so many, which is no divisor of the widths of fields: where fields repeat, each place in them has its turn.
 * `PHANTOM_SWEEP=whole` tries each.
 */
const BYTE_STRIDE = process.env['PHANTOM_SWEEP'] === 'whole' ? 1 : 7;
/** At both ends of blocks and of files, where what is there once has its place (magics, versions, checksums, footers), each is tried. */
const EDGE_BYTES = 64;

export interface RottenStore {
  /** As the process left it: nothing open, nothing locked. */
  readonly disk: MemoryVfs;
  /** Every file of the store. */
  readonly paths: readonly string[];
  /** Writes that lie on the disk as they were made, with what they wrote over. */
  readonly writes: readonly { readonly path: string; readonly at: number; readonly before: Uint8Array }[];
  /** What must be read, as text; and what was to be read before the last group, which may be read when the log is damaged. */
  readonly state: string;
  readonly stateBefore: string;
  /** Opens, reads everything and closes; writes nothing to the disk. */
  readonly read: (disk: MemoryVfs) => Promise<string>;
}

/** Keeps, for every write to a disk, what it wrote over. */
export class WriteRecorder {
  private readonly disk: MemoryVfs;
  private readonly contents = new Map<string, Uint8Array>();
  private readonly made: { path: string; at: number; before: Uint8Array; after: Uint8Array }[] = [];

  constructor(disk: MemoryVfs) {
    this.disk = disk;
    disk.onOperation = ({ operation, path }) => {
      if (operation === 'write') this.note(path);
    };
  }

  /** The writes whose bytes are still there. */
  survivors(disk: MemoryVfs): RottenStore['writes'] {
    return this.made.filter(({ path, at, after }) => {
      if (!disk.exists(path)) return false;
      const now = disk.readFile(path).subarray(at, at + after.length);
      return Buffer.compare(now, after) === 0;
    });
  }

  private note(path: string): void {
    const before = this.contents.get(path) ?? new Uint8Array(0);
    const now = this.disk.readFile(path);
    this.contents.set(path, now);
    let from = 0;
    while (from < now.length && now[from] === before[from]) from++;
    let to = now.length;
    while (to > from && now[to - 1] === before[to - 1]) to--;
    if (from === to) return;
    const old = new Uint8Array(to - from);
    old.set(before.subarray(from, Math.min(to, before.length)));
    this.made.push({ path, at: from, before: old, after: now.slice(from, to) });
  }
}

/** Flips a bit of bytes that are not zero, of every kind of them, and of some that are; how many there were, and how many were noticed. */
export async function flipBits(store: RottenStore): Promise<{ tried: number; noticed: number }> {
  let tried = 0;
  let noticed = 0;
  for (const path of store.paths) {
    const bytes = store.disk.readFile(path);
    for (let at = 0; at < bytes.length; at++) {
      const place = at % BLOCK_BYTES;
      const isEdge = Math.min(place, BLOCK_BYTES - 1 - place, bytes.length - 1 - at) < EDGE_BYTES;
      if (at % (bytes[at] === 0 ? ZERO_STRIDE : isEdge ? 1 : BYTE_STRIDE) !== 0) continue;
      tried++;
      const flipped = Uint8Array.of((bytes[at] as number) ^ (1 << (at & 7)));
      if (await isNoticed(store, path, at, flipped, `bit ${at & 7} of byte ${at} of ${path}`)) noticed++;
    }
  }
  return { tried, noticed };
}

/** Puts every block with content into the place of every other, of its own file and of others. */
export async function exchangeBlocks(store: RottenStore): Promise<{ tried: number; noticed: number }> {
  const blocks: { path: string; at: number; bytes: Uint8Array }[] = [];
  for (const path of store.paths) {
    const bytes = store.disk.readFile(path);
    for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
      const block = bytes.slice(at, at + BLOCK_BYTES);
      if (block.some((byte) => byte !== 0)) blocks.push({ path, at, bytes: block });
    }
  }
  let tried = 0;
  let noticed = 0;
  for (const from of blocks) {
    for (const to of blocks) {
      if (from === to) continue;
      tried++;
      const bytes = from.bytes.slice(0, to.bytes.length);
      const what = `${from.path} at ${from.at} over ${to.path} at ${to.at}`;
      if (await isNoticed(store, to.path, to.at, bytes, what)) noticed++;
    }
  }
  return { tried, noticed };
}

/** Takes every write back that can be seen on the disk, one at a time. */
export async function loseWrites(store: RottenStore): Promise<{ tried: number; noticed: number }> {
  let noticed = 0;
  for (const { path, at, before } of store.writes) {
    if (await isNoticed(store, path, at, before, `the write of ${before.length} bytes at ${at} of ${path} is lost`)) {
      noticed++;
    }
  }
  return { tried: store.writes.length, noticed };
}

/** Damages the file, looks whether that is noticed, and repairs it. */
async function isNoticed(
  store: RottenStore,
  path: string,
  at: number,
  bytes: Uint8Array,
  what: string,
): Promise<boolean> {
  const { disk } = store;
  const before = disk.readFile(path).slice(at, at + bytes.length);
  disk.corrupt(path, at, bytes.subarray(0, before.length));
  try {
    const found = await store.read(disk);
    if (found === store.state || (path.includes('/log/') && found === store.stateBefore)) return false;
    throw new Error('it reads differently, and nobody noticed');
  } catch (error) {
    if (isPhantomError(error) && error.code === 'XX001') return true;
    throw new Error(`${what}: ${(error as Error).message}`, { cause: error });
  } finally {
    disk.corrupt(path, at, before);
  }
}
