/**
 * Which keys does a table get? Of a sample of its writes: are they new keys behind all others, and about how many different
 * ones are there? That decides what a merge costs: a few hot keys are one row each in every flush, and keys that ascend touch
 * no page that is there already.
 *
 * The number of different keys K follows from how many of n sampled writes hit a key that the sample has had already:
 * K (1 - e^(-n/K)) of them are different. Those are counted by linear counting (Whang, Vander-Zanden and Taylor, 1990): a
 * bit for each hash; with `set` bits of m there were about -m ln(1 - set/m) different ones. A sample begins anew once it is
 * full, so that a change of habit is noticed.
 */
import { compareBytes } from '@phantom/base';

const BITS = 8192;
/** Writes in a sample: as many as there are bits, when half of them are still clear. */
const SAMPLE_WRITES = BITS;
/** Fewer say nothing of how many keys there are. */
const WRITES_MIN = 64;
/** What linear counting is wrong by, seen as a share of the writes: less repetition than this is none. */
const REPEATED_MIN = 0.03;
const FNV_PRIME = 0x0100_0193;
const FNV_START = 0x811c_9dc5;

export class WrittenKeys {
  private readonly bits = new Uint32Array(BITS / 32);
  private bitsSet = 0;
  private writes = 0;
  private highest = new Uint8Array(0);
  /** Of the last full sample. */
  private settled: number | undefined = undefined;

  /** Notes a key of the sample; true when it lies behind all before it. */
  add(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.writes === SAMPLE_WRITES) {
      this.settled = this.estimate();
      this.bits.fill(0);
      this.bitsSet = this.writes = 0;
    }
    this.writes++;
    const place = hashOf(bytes, start, end) & (BITS - 1);
    const mask = 1 << (place & 31);
    const word = this.bits[place >>> 5] as number;
    if ((word & mask) === 0) {
      this.bits[place >>> 5] = word | mask;
      this.bitsSet++;
    }
    const { highest } = this;
    if (highest.length > 0 && compareBytes(bytes, start, end, highest, 0, highest.length) <= 0) return false;
    this.highest = bytes.slice(start, end);
    return true;
  }

  /** Different keys that the writes go to; Infinity when the sample has hardly had one twice. */
  estimate(): number {
    const { writes, bitsSet, settled } = this;
    if (settled !== undefined && writes * 2 < SAMPLE_WRITES) return settled;
    if (writes < WRITES_MIN) return Number.POSITIVE_INFINITY;
    const different = Math.min(writes, -BITS * Math.log(1 - Math.min(bitsSet, BITS - 1) / BITS));
    if (different > writes * (1 - REPEATED_MIN)) return Number.POSITIVE_INFINITY;
    return keysBehind(writes, different);
  }
}

/** Of how many keys, each as likely as the other, so many writes hit so many different ones. */
function keysBehind(writes: number, different: number): number {
  let low = different;
  let high = writes * writes;
  while (high > low * 1.01) {
    const middle = Math.sqrt(low * high);
    if (middle * (1 - Math.exp(-writes / middle)) < different) low = middle;
    else high = middle;
  }
  return low;
}

/** FNV-1a with a last mix: the low bits depend on every byte. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = FNV_START;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] as number), FNV_PRIME);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85eb_ca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
