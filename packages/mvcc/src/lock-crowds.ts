/**
 * Keys that many hold at once: tables, above all, which every writer shares. A look at each holder would make a lock cost as
 * much as there are clients, so from some holders on a key's records are counted by mode and by holder, and a request that
 * nobody excludes, as nearly all are, looks at none of them. While no key is crowded this costs nothing; when the last holder
 * of a crowded one lets go its counts go too.
 */
import type { LockMode } from './types.js';

/** Modes of rows and tables together. */
const MODES = 12;
/** A holder's number and a mode, as one. */
const HOLDER_SHIFT = 4;

class Crowd {
  /** Modes in which anybody holds the key, a bit for each. */
  modes = 0;
  records = 0;
  private readonly byMode = new Int32Array(MODES);
  /** Records by holder and mode. */
  private readonly byHolder = new Map<number, number>();

  has(holder: number, mode: LockMode): boolean {
    return this.byHolder.has((holder << HOLDER_SHIFT) | mode);
  }

  add(holder: number, mode: LockMode): void {
    this.records++;
    this.byMode[mode] = (this.byMode[mode] as number) + 1;
    this.modes |= 1 << mode;
    const own = (holder << HOLDER_SHIFT) | mode;
    this.byHolder.set(own, (this.byHolder.get(own) ?? 0) + 1);
  }

  remove(holder: number, mode: LockMode): void {
    this.records--;
    const left = (this.byMode[mode] as number) - 1;
    this.byMode[mode] = left;
    if (left === 0) this.modes &= ~(1 << mode);
    const own = (holder << HOLDER_SHIFT) | mode;
    const ownLeft = (this.byHolder.get(own) as number) - 1;
    if (ownLeft === 0) this.byHolder.delete(own);
    else this.byHolder.set(own, ownLeft);
  }
}

export class LockCrowds {
  private readonly crowds = new Map<number, Crowd>();

  /** The crowd of a key; undefined when it has none. */
  of(hash: number): Crowd | undefined {
    return this.crowds.size === 0 ? undefined : this.crowds.get(hash);
  }

  /** Begins to count a key's records; the caller adds those that there are. */
  gather(hash: number): Crowd {
    const crowd = new Crowd();
    this.crowds.set(hash, crowd);
    return crowd;
  }

  /** A record of the key was made. */
  added(hash: number, holder: number, mode: LockMode): void {
    this.of(hash)?.add(holder, mode);
  }

  /** A record of the key was taken away. */
  removed(hash: number, holder: number, mode: LockMode): void {
    const crowd = this.of(hash);
    if (crowd === undefined) return;
    crowd.remove(holder, mode);
    if (crowd.records === 0) this.crowds.delete(hash);
  }

  clear(): void {
    if (this.crowds.size > 0) this.crowds.clear();
  }
}
