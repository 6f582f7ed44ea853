/**
 * A node of the arena tree: 128 words of one Int32Array, and the search in it, which is where the tree spends its time.
 *
 *     word 0        1              2           3            4 .. 67          68 .. 127
 *     +-------------+--------------+-----------+------------+----------------+-----------------+
 *     | count,      | offset of a  | next leaf | previous   | discriminators | entry ids       |
 *     | prefix << 8 | key with the |           | leaf       | (60, then 4    | (60)            |
 *     |             | prefix       |           |            | never in use)  |                 |
 *     +-------------+--------------+-----------+------------+----------------+-----------------+
 *     An inner node takes two node ids; words 0 .. 59 of the second are the children.
 *
 * All keys of a node share `prefix` bytes. The discriminator of a slot is the four bytes behind them, as a signed number
 * that sorts like the bytes, so most searches read no key at all but the last one. A tie is decided by the bytes. Slots
 * not in use hold the greatest number, so that a search is three rounds of comparisons without a branch: 12 ns where a
 * binary search takes 32, and what it reads from memory it asks for at once.
 */
import { discriminator } from '@phantom/base';

/** No entry, no node, no version. */
export const NONE = -1;

export const NODE_SHIFT = 7;
export const NODE_WORDS = 1 << NODE_SHIFT;
/** Entries in a leaf, children in an inner node: what fits into 512 bytes beside four unused discriminators. */
export const FANOUT = 60;
export const PREFIX_OFFSET = 1;
export const NEXT = 2;
export const PREVIOUS = 3;
export const DISCRIMINATORS = 4;
export const ENTRIES = 68;
/** From a slot's discriminator to its entry id. */
export const TO_ENTRY = ENTRIES - DISCRIMINATORS;
export const LEAST = -0x8000_0000;
export const GREATEST = 0x7fff_ffff;
export const COUNT_MASK = 0xff;
export const PREFIX_SHIFT = 8;

/**
 * Slot of the key in a node, or ~slot of the first greater entry. Slots before `from` are not looked at. The first
 * `verified` bytes of the key are known to be those of every key below the node. A function of primitives, so that it
 * compiles to loads and compares.
 */
export function searchNode(
  nodes: Int32Array,
  entries: Int32Array,
  entryWords: number,
  keys: Uint8Array,
  node: number,
  from: number,
  key: Uint8Array,
  start: number,
  end: number,
  verified: number,
): number {
  const base = node << NODE_SHIFT;
  const head = nodes[base] as number;
  const count = head & COUNT_MASK;
  const prefix = head >>> PREFIX_SHIFT;
  if (prefix > verified) {
    const at = nodes[base + PREFIX_OFFSET] as number;
    const shared = prefix < end - start ? prefix : end - start;
    for (let i = verified; i < shared; i++) {
      const difference = (key[start + i] as number) - (keys[at + i] as number);
      if (difference !== 0) return difference < 0 ? ~from : ~count;
    }
    if (shared < prefix) return ~from;
  }
  const wanted = signedDiscriminator(key, start + prefix, end);
  // How many of 60 sorted numbers are less: by sixteens, by fours, by ones. `+(a < b)` compiles to a flag, not to a jump.
  let low = base + DISCRIMINATORS;
  low +=
    (+((nodes[low + 15] as number) < wanted) +
      +((nodes[low + 31] as number) < wanted) +
      +((nodes[low + 47] as number) < wanted)) <<
    4;
  low +=
    (+((nodes[low + 3] as number) < wanted) +
      +((nodes[low + 7] as number) < wanted) +
      +((nodes[low + 11] as number) < wanted)) <<
    2;
  low +=
    +((nodes[low] as number) < wanted) +
    +((nodes[low + 1] as number) < wanted) +
    +((nodes[low + 2] as number) < wanted) +
    +((nodes[low + 3] as number) < wanted);
  const first = base + DISCRIMINATORS + from;
  if (low < first) low = first;
  const stop = base + DISCRIMINATORS + count;
  if (low >= stop || nodes[low] !== wanted) return ~(low - base - DISCRIMINATORS);
  return searchTies(nodes, entries, entryWords, keys, base, low, stop, key, start + prefix, end, wanted);
}

/**
 * How many bytes a key is known to share with all keys below the child that a search has chosen. Those of a child between
 * two others lie between two separators, which have the node's prefix, and so does the key: it need not be fetched again
 * to be compared, which would be a cache miss in each leaf.
 */
export function verifiedBelow(nodes: Int32Array, node: number, slot: number, verified: number): number {
  const head = nodes[node << NODE_SHIFT] as number;
  const prefix = head >>> PREFIX_SHIFT;
  return slot > 0 && slot < (head & COUNT_MASK) - 1 && prefix > verified ? prefix : verified;
}

/** Decides between slots with the wanted discriminator, from position `low` on, by their bytes. */
function searchTies(
  nodes: Int32Array,
  entries: Int32Array,
  entryWords: number,
  keys: Uint8Array,
  base: number,
  first: number,
  stop: number,
  key: Uint8Array,
  start: number,
  end: number,
  wanted: number,
): number {
  const prefix = (nodes[base] as number) >>> PREFIX_SHIFT;
  const bytes = end - start;
  let low = first;
  let high = first + 1;
  while (high < stop && nodes[high] === wanted) high++;
  while (low < high) {
    const middle = (low + high) >> 1;
    const entry = (nodes[middle + TO_ENTRY] as number) * entryWords;
    const otherStart = (entries[entry] as number) + prefix;
    const otherBytes = (entries[entry + 1] as number) - prefix;
    const shared = bytes < otherBytes ? bytes : otherBytes;
    let difference = 0;
    // Four bytes are known to be equal; a key that ends within them was padded with zeros, and the shorter one is less.
    for (let i = 4; i < shared; i++) {
      difference = (key[start + i] as number) - (keys[otherStart + i] as number);
      if (difference !== 0) break;
    }
    if (difference === 0) difference = bytes - otherBytes;
    if (difference === 0) return middle - base - DISCRIMINATORS;
    if (difference > 0) low = middle + 1;
    else high = middle;
  }
  return ~(low - base - DISCRIMINATORS);
}

/** The discriminator moved by 2^31: a small integer for the engine, in the same order. */
export function signedDiscriminator(bytes: Uint8Array, at: number, end: number): number {
  if (at + 4 <= end) {
    return (
      (((bytes[at] as number) << 24) |
        ((bytes[at + 1] as number) << 16) |
        ((bytes[at + 2] as number) << 8) |
        (bytes[at + 3] as number)) ^
      0x8000_0000
    );
  }
  return discriminator(bytes, at, end) ^ 0x8000_0000;
}

export function sharedBytes(keys: Uint8Array, a: number, b: number, bytesMax: number): number {
  let i = 0;
  while (i < bytesMax && keys[a + i] === keys[b + i]) i++;
  return i;
}

export function growWords(words: Int32Array, need: number): Int32Array {
  const grown = new Int32Array(Math.max(need, words.length * 2));
  grown.set(words);
  return grown;
}
