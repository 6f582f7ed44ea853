/**
 * Numbers by key hash (key-hash.ts), in typed arrays: open addressing, at most half full, so that a probe is short. There is no
 * object for an entry, and taking one away leaves no mark behind.
 */
const CAPACITY_MIN = 256;
/** Of a slot: hash and value. */
const SLOT_BYTES = 16;

export class HashTable {
  /** Hashes in it. */
  count = 0;
  private hashes = new Float64Array(CAPACITY_MIN);
  private values = new Float64Array(CAPACITY_MIN);

  get bytes(): number {
    return this.hashes.length * SLOT_BYTES;
  }

  /** The value of a hash, `otherwise` when it has none. */
  get(hash: number, otherwise: number): number {
    const at = this.slotOf(hash);
    return this.hashes[at] === hash ? (this.values[at] as number) : otherwise;
  }

  has(hash: number): boolean {
    return this.hashes[this.slotOf(hash)] === hash;
  }

  /** Sets the value of a hash; the one it had before, `otherwise` when it had none. */
  set(hash: number, value: number, otherwise: number): number {
    let at = this.slotOf(hash);
    const isNew = this.hashes[at] !== hash;
    const before = isNew ? otherwise : (this.values[at] as number);
    if (isNew) {
      if (++this.count * 2 > this.hashes.length) {
        this.resize(this.hashes.length * 2);
        at = this.slotOf(hash);
      }
      this.hashes[at] = hash;
    }
    this.values[at] = value;
    return before;
  }

  /** Takes a hash out that is in it. Closes the gap, so that no probe ends early (Knuth, volume 3, section 6.4, algorithm R). */
  delete(hash: number): void {
    const { hashes, values } = this;
    const mask = hashes.length - 1;
    let gap = this.slotOf(hash);
    let at = gap;
    for (;;) {
      at = (at + 1) & mask;
      const other = hashes[at] as number;
      if (other === 0) break;
      const home = other & mask;
      if (((at - home) & mask) < ((at - gap) & mask)) continue;
      hashes[gap] = other;
      values[gap] = values[at] as number;
      gap = at;
    }
    hashes[gap] = 0;
    this.count--;
  }

  /** Forgets everything, and gives back the memory that it has grown by. */
  clear(): void {
    const isEmpty = this.count === 0;
    this.count = 0;
    if (this.hashes.length === CAPACITY_MIN) {
      if (!isEmpty) this.hashes.fill(0);
    } else {
      this.hashes = new Float64Array(CAPACITY_MIN);
      this.values = new Float64Array(CAPACITY_MIN);
    }
  }

  /** Where the hash is, or the empty slot where it belongs. */
  private slotOf(hash: number): number {
    const { hashes } = this;
    const mask = hashes.length - 1;
    let at = hash & mask;
    while (hashes[at] !== 0 && hashes[at] !== hash) at = (at + 1) & mask;
    return at;
  }

  private resize(capacity: number): void {
    const { hashes, values } = this;
    this.hashes = new Float64Array(capacity);
    this.values = new Float64Array(capacity);
    for (let i = 0; i < hashes.length; i++) {
      if (hashes[i] === 0) continue;
      const at = this.slotOf(hashes[i] as number);
      this.hashes[at] = hashes[i] as number;
      this.values[at] = values[i] as number;
    }
  }
}
