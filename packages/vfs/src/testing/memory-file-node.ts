/**
 * One file of the memory disk, as the operating system holds it: what reads see, what the platter has, and what lies
 * between the two in order.
 *
 * ```
 *   current  = durable + pending, in order                        what every handle reads
 *   pending  = [write | resize, ...] since the last sync          each sector may have reached the platter or not
 *   lost     = sectors that a failed sync left clean in the cache: they read fine, no later sync writes them, a crash takes them
 * ```
 *
 * A crash decides sector by sector (512 bytes, the unit a drive writes whole) which prefix of the pending writes reached
 * it: a sector never shows a later write without the earlier ones, but two sectors may be of any two moments. The length
 * is of some moment as well; sectors inside it that were never written read as zeros, and what a recycled file held before
 * shows through wherever a write did not arrive.
 */
import type { Random } from '@phantom/base';
import { ChunkedBytes, isZero } from './chunked-bytes.js';

/** What a drive writes whole or not at all. */
export const SECTOR_BYTES = 512;

/** A change that is not on the platter yet; never changed after it was made, so copies of the disk share it. */
interface PendingChange {
  readonly kind: 'write' | 'resize';
  /** When it was made, counted over the whole disk. */
  readonly order: number;
  readonly offset: number;
  /** Bytes of the write; undefined for zeros and for resize. */
  readonly bytes: Uint8Array | undefined;
  readonly length: number;
  /** Length of the file after the change. */
  readonly sizeAfter: number;
}

/**
 * How the pending changes of a whole disk fare in one crash. `none` and `all` are the ends; `moment` keeps what was
 * written before one moment, disk-wide; `prefix` has a moment for each file; `sectors` decides for each sector apart.
 */
export type CrashMode = 'none' | 'all' | 'moment' | 'prefix' | 'sectors';

export class MemoryFileNode {
  readonly kind = 'file';
  private current = new ChunkedBytes();
  private durable = new ChunkedBytes();
  private pending: PendingChange[] = [];
  /** How many changes left `pending` so far. */
  private taken = 0;
  /** Content of the sectors that a failed sync lost, by sector index. */
  private lost = new Map<number, Uint8Array>();
  /** Handles open on the file, for disks on which an open file cannot be renamed over. */
  openHandles = 0;
  /** Whether the disk can lose its power at all: if not, nothing but `current` is kept. */
  private readonly losesPower: boolean;

  constructor(losesPower: boolean) {
    this.losesPower = losesPower;
  }

  get size(): number {
    return this.current.size;
  }

  read(offset: number, into: Uint8Array): number {
    return this.current.read(offset, into);
  }

  write(offset: number, from: Uint8Array, order: number): void {
    if (from.length === 0) return;
    if (!this.losesPower) {
      this.current.write(offset, isZero(from, 0, from.length) ? undefined : from, 0, from.length);
      return;
    }
    this.redirty(offset, from.length, order);
    const bytes = isZero(from, 0, from.length) ? undefined : from.slice();
    this.current.write(offset, bytes, 0, from.length);
    this.pending.push({ kind: 'write', order, offset, bytes, length: from.length, sizeAfter: this.current.size });
  }

  resize(size: number, order: number): void {
    for (const sector of this.lost.keys()) if (sector * SECTOR_BYTES >= size) this.lost.delete(sector);
    this.current.resize(size);
    if (!this.losesPower) return;
    this.pending.push({ kind: 'resize', order, offset: size, bytes: undefined, length: 0, sizeAfter: size });
  }

  /** What a sync that begins now has to write: to be given to `synced`. */
  mark(): number {
    return this.taken + this.pending.length;
  }

  /** A sync that began at `mark` has ended well. */
  synced(mark: number): void {
    const count = mark - this.taken;
    if (count <= 0) return;
    for (let i = 0; i < count; i++) apply(this.durable, this.pending[i] as PendingChange);
    this.pending.splice(0, count);
    this.taken = mark;
  }

  /** A sync failed: everything unsynced reads as before, will be written by no later sync, and is gone after a crash. */
  syncFailed(order: number): void {
    if (!this.losesPower) return;
    for (const change of this.pending) {
      if (change.kind === 'resize') continue;
      const last = Math.floor((change.offset + change.length - 1) / SECTOR_BYTES);
      for (let sector = Math.floor(change.offset / SECTOR_BYTES); sector <= last; sector++) {
        this.lost.set(sector, this.currentSector(sector));
      }
    }
    const size = this.current.size;
    this.taken += this.pending.length;
    this.pending = [{ kind: 'resize', order, offset: size, bytes: undefined, length: 0, sizeAfter: size }];
  }

  /** Changes bytes in the cache and on the platter alike, unnoticed by any sync. */
  overwrite(offset: number, bytes: Uint8Array): void {
    this.current.write(offset, bytes, 0, bytes.length);
    if (this.losesPower) this.durable.write(offset, bytes, 0, bytes.length);
  }

  /** The file as the operating system still has it after the process died: nothing is lost. */
  clone(): MemoryFileNode {
    const copy = new MemoryFileNode(this.losesPower);
    copy.current = this.current.clone();
    copy.durable = this.durable.clone();
    copy.pending = this.pending.slice();
    copy.taken = this.taken;
    copy.lost = new Map(this.lost);
    return copy;
  }

  /** The file as a power cut could leave it. */
  crashClone(random: Random, mode: CrashMode, moment: number): MemoryFileNode {
    const copy = new MemoryFileNode(this.losesPower);
    const image = this.losesPower ? this.durable.clone() : this.current.clone();
    if (mode === 'all' || mode === 'moment') {
      for (const change of this.pending) if (mode === 'all' || change.order < moment) apply(image, change);
    }
    if (mode === 'prefix') {
      const count = random.below(this.pending.length + 1);
      for (let i = 0; i < count; i++) apply(image, this.pending[i] as PendingChange);
    }
    if (mode === 'sectors') applySectors(image, this.pending, random);
    for (const [sector, bytes] of this.lost) {
      const offset = sector * SECTOR_BYTES;
      const keeps = mode !== 'none' && random.chance(0.1) && offset < image.size;
      if (keeps) image.write(offset, bytes, 0, Math.min(SECTOR_BYTES, image.size - offset));
    }
    copy.current = image;
    if (this.losesPower) copy.durable = image.clone();
    return copy;
  }

  private currentSector(sector: number): Uint8Array {
    const bytes = new Uint8Array(SECTOR_BYTES);
    this.current.read(sector * SECTOR_BYTES, bytes);
    return bytes;
  }

  /** A write into a lost sector makes the whole sector dirty again, with what the cache shows of it. */
  private redirty(offset: number, length: number, order: number): void {
    if (this.lost.size === 0) return;
    const last = Math.floor((offset + length - 1) / SECTOR_BYTES);
    for (let sector = Math.floor(offset / SECTOR_BYTES); sector <= last; sector++) {
      const bytes = this.lost.get(sector);
      if (bytes === undefined) continue;
      this.lost.delete(sector);
      const at = sector * SECTOR_BYTES;
      const count = Math.min(SECTOR_BYTES, this.current.size - at);
      this.pending.push({ kind: 'write', order, offset: at, bytes, length: count, sizeAfter: this.current.size });
    }
  }
}

function apply(image: ChunkedBytes, change: PendingChange): void {
  if (change.kind === 'resize') image.resize(change.sizeAfter);
  else image.write(change.offset, change.bytes, 0, change.length);
}

/** Each sector gets a prefix of the writes of its own; the length and the truncations are those of one moment. */
function applySectors(image: ChunkedBytes, pending: readonly PendingChange[], random: Random): void {
  const moment = random.below(pending.length + 1);
  const salt = random.u32();
  let size = image.size;
  for (let i = 0; i < pending.length; i++) {
    const change = pending[i] as PendingChange;
    if (i < moment) size = change.sizeAfter;
    if (change.kind === 'resize') {
      if (i < moment) image.resize(change.sizeAfter);
      continue;
    }
    const end = change.offset + change.length;
    let at = change.offset;
    while (at < end) {
      const sector = Math.floor(at / SECTOR_BYTES);
      const stop = Math.min(end, (sector + 1) * SECTOR_BYTES);
      if (i < sectorPrefix(sector, salt, pending.length)) {
        image.write(at, change.bytes, at - change.offset, stop - change.offset);
      }
      at = stop;
    }
  }
  image.resize(size);
}

/** How many of the pending changes reached a sector: a number that depends on nothing but its arguments. */
function sectorPrefix(sector: number, salt: number, count: number): number {
  let hash = Math.imul(sector ^ salt, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca77);
  hash = (hash ^ (hash >>> 13)) >>> 0;
  // A third of the sectors get nothing and a third everything, so that long stretches of either occur.
  const third = hash % 3;
  if (third === 0) return 0;
  if (third === 1) return count;
  return (hash >>> 8) % (count + 1);
}
