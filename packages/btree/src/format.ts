/**
 * The bytes of a tree file (`tree.db`): two meta slots, then pages. All integers are little-endian unless said otherwise.
 *
 *      +--------+--------+- ... -+--------+--------+--------+--
 *      | meta 0 | meta 1 | unused| page f | page   | page   | ...      f = first page behind byte 8192
 *      +--------+--------+- ... -+--------+--------+--------+--
 *      0        4096     8192
 *
 *   Page n begins at byte n * pageBytes. Page 0 always lies under the metas, so the number 0 means "no page".
 *   Pages are never changed once a durable meta reaches them; the meta of generation g goes to slot g mod 2.
 *
 *   meta, 4096 bytes
 *       0   8   magic "PhTree1\n"
 *       8   2   format (2)
 *      10   2   zero
 *      12   4   pageBytes
 *      16   8   generation
 *      24   8   tree: a random number, part of every page's checksum, so that pages of another file do not pass
 *      32   8   flushedSeq: pages and runs hold the effects up to here and nothing later
 *      40   4   root page, 0 when the tree is empty
 *      44   4   level of the root (0: it is a leaf)
 *      48   8   checksum of the root
 *      56   4   keys under the root      64   4   pages of the file
 *      60   4   pages under the root     68   4   first page of the freelist, 0 when nothing is free
 *      72   4   bytes of the freelist    76   4   zero
 *      80   8   checksum of the freelist
 *      88   8   number of the next run
 *      96   4   runs
 *     100   4   zero
 *     104  32   for each run, newest first: u64 number, u64 bytes, u64 identity, u64 seqBase + 1 (0: the file's own)
 *    4072  16   identity of the store; zeros in format 1, which is the same in all else
 *    4088   8   h64 of the bytes before, seeded with the slot
 *
 *   page header, 32 bytes
 *       0   8   h64 of the bytes behind it to the end of the page, seeded with tree and page number
 *       8   4   page number
 *      12   1   kind: 1 leaf, 2 inner
 *      13   1   level: 0 for leaves
 *      14   2   slots
 *      16   8   generation that wrote it
 *      24   2   prefixBytes: leading bytes that all keys of the page share (in an inner page: all but the first separator)
 *      26   2   where in the page these bytes are
 *      28   2   omittedBytes: how many leading bytes are left out of each stored key, 0 or prefixBytes
 *      30   2   zero
 *
 *   leaf, behind the header, for n slots
 *       i32[n]  discriminators: the four key bytes behind the prefix as a big-endian number, zeros where the key ends, with
 *               the highest bit turned, so that signed numbers sort as the bytes do
 *       u16[n]  offsets of the entries in the page
 *       then prefix (when it is omitted from the keys) and entries, in slot order, then zeros
 *       entry: varint stored key bytes, varint valueBytes * 2 + (1 when it lies in overflow pages), key, value
 *       overflow reference in the place of the value: u32 first page, u64 checksum
 *
 *   inner, behind the header, for n children
 *       i32[n]  discriminators of the separators; that of child 0 is -2^31
 *       u32[n]  page of the child
 *       u32[n]  keys under it (4294967295: so many or more)
 *       u32[n]  its checksum, low half
 *       u32[n]  pages under it, itself and overflow included
 *       u32[n]  its checksum, high half
 *       u16[n]  offsets of the separators in the page
 *       then prefix and separators: varint stored key bytes, key
 *     Child i holds keys at or above separator i and below separator i + 1. Separator 0 is empty: it stands for the one
 *     with which the page hangs in its parent.
 *
 *   overflow: a value's bytes, on as many whole pages as they take, side by side, without headers. Its checksum is h64 of
 *     the bytes, seeded with tree and first page.
 *   freelist: whole pages like overflow; varint ranges, then for each, ascending: varint gap to the end of the range
 *     before, varint pages. Free are the pages that the meta's root, runs and freelist do not need.
 *
 * A worked example stands in docs/formats/btree.md. These constants are on disk for good.
 */

export const TREE_FORMAT = 2;
/** "PhTree1\n" */
export const TREE_MAGIC = Uint8Array.of(0x50, 0x68, 0x54, 0x72, 0x65, 0x65, 0x31, 0x0a);
export const META_BYTES = 4096;
export const META_SLOTS = 2;
export const META_CHECKSUM_AT = META_BYTES - 8;
export const META_IDENTITY_AT = META_CHECKSUM_AT - 16;
export const META_RUNS_AT = 104;
export const META_RUN_BYTES = 32;
/** More runs do not fit into a meta; `runsMax` lies far below. */
export const META_RUNS_MAX = 124;

export const PAGE_HEADER_BYTES = 32;
/** A byte of the header that is zero on disk; in memory the cache notes there that a page was used. */
export const IN_MEMORY_USED_AT = 31;
/** Bytes of a slot's discriminator and offset. */
export const LEAF_SLOT_BYTES = 6;
/** The six words and the offset of a child. */
export const INNER_SLOT_BYTES = 26;
export const OVERFLOW_REFERENCE_BYTES = 12;

export const PAGE_BYTES_MIN = 4096 * 2;
/** Offsets in a page have 16 bits. */
export const PAGE_BYTES_MAX = 32768;

export const PageKind = { Leaf: 1, Inner: 2 } as const;
export type PageKind = (typeof PageKind)[keyof typeof PageKind];

/** A tree of height 16 would hold more than 2^53 keys: a higher level is corruption, and must not become recursion. */
export const LEVEL_MAX = 16;

/** Counters of keys and pages stop here. */
export const COUNT_MAX = 0xffff_ffff;

/** A page number. 0 is none. */
export type PageId = number;

/** Names one version of one page: where it is and what it must contain. */
export interface PageRef {
  readonly id: PageId;
  /** Signed halves, see lowHalf. */
  readonly checksumLow: number;
  readonly checksumHigh: number;
  /** Keys in it or under it; COUNT_MAX stands for "so many or more". */
  readonly keys: number;
  /** Pages under it, itself and overflow pages included. */
  readonly pages: number;
}

/** A tree as of one generation: immutable, like everything it reaches. */
export interface TreeRoot extends PageRef {
  readonly level: number;
}

/**
 * A root, of one shape wherever it comes from (a meta, a merge, another thread): each lookup begins with one, and V8 throws code away
 * that it has made for another shape.
 */
export function rootOf({ id, checksumLow, checksumHigh, keys, pages }: PageRef, level: number): TreeRoot {
  return { id, checksumLow, checksumHigh, keys, pages, level };
}

export const EMPTY_ROOT = rootOf({ id: 0, checksumLow: 0, checksumHigh: 0, keys: 0, pages: 0 }, 0);

/** A large odd constant (2^64 / golden ratio): tree numbers and page numbers cannot cancel each other out. */
const SEED_FACTOR = 0x9e3779b97f4a7c15n;

/** The checksum seed of what begins at a page: tree and place are part of it. */
export function pageSeed(tree: number, page: PageId): bigint {
  return BigInt.asUintN(64, BigInt(tree) * SEED_FACTOR + BigInt(page));
}

/** The halves of a checksum as signed numbers: small integers, which cost no allocation to keep and compare. */
export function lowHalf(checksum: bigint): number {
  return Number(checksum & 0xffffffffn) | 0;
}

export function highHalf(checksum: bigint): number {
  return Number(checksum >> 32n) | 0;
}

/** First page behind the metas. */
export function firstPage(pageBytes: number): PageId {
  return Math.ceil((META_BYTES * META_SLOTS) / pageBytes);
}

/** The longest value that a leaf keeps beside its key; three entries of this size fit into a page. */
export function inlineBytesMax(pageBytes: number): number {
  return Math.floor((pageBytes - PAGE_HEADER_BYTES) / 3) - LEAF_SLOT_BYTES - 8;
}
