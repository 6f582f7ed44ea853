/**
 * The bytes of a sorted run: written once, front to back, synced once, never changed. All integers are little-endian.
 *
 *      +--------+---------+-----+---------+-------+--------+-- ... --+----------+--------+
 *      | header | data    | ... | data    | index | filter |         | metadata | footer |
 *      +--------+---------+-----+---------+-------+--------+-- ... --+----------+--------+
 *      0        32        \______ one partition __________/  more of them      file end - 48
 *
 *   header, 32 bytes
 *       0   8   magic "PhRun01\n"
 *       8   2   format (1)
 *      10   6   zero
 *      16   8   identity: a number that no other run of this engine has
 *      24   8   seqBase: added to every stored seq (an ingested run is given its base by whoever takes it over)
 *
 *   block (data, index and filter alike)
 *       0   n   payload, compressed when codec is not 0
 *       n   1   codec: 0 as it is, 1 deflate, 2 LZ4 (data blocks only). A compressed payload begins with its length before
 *               compression, a varint; every length and offset below that speaks of blocks counts stored bytes
 *     n+1   8   h64 of payload and codec, seeded with identity and the block's own offset, so that a block that was
 *               written to another place or another file, or not at all, does not pass
 *
 *   data and index payload
 *       entries, each: varint sharedBytes    of the key before; 0 at a restart point
 *                      varint suffixBytes
 *                      varint tag            (seq - seqBase) * 2 + (1 when a removal)
 *                      varint valueBytes     puts only
 *                      suffix, value
 *       then u32 for each restart point: offset of its entry in the payload
 *       then u32 restart points, u32 entries
 *     Keys ascend, versions of a key descend by seq. All versions of a key lie behind one restart point and in one block.
 *     In an index block the key is a separator: above the last key of the data block before, at most the first key of its
 *     own (as short as that allows, but for the first of a partition, which is the whole key); the value is varint
 *     offset, varint payloadBytes, varint entries of the data block, and the tag is 0. A key lies in the last block whose
 *     separator is at most the key. The same for partitions.
 *
 *   filter payload
 *       0   4   lines (32 bytes each)
 *       4   4   hash format (1, see filter.ts)
 *       8   -   the lines
 *
 *   metadata, read whole when a run is opened
 *       varint entries, varint removals, varint dataBlocks, varint keyBytes, varint valueBytes
 *       u64 seqMin, u64 seqMax   over entries and range tombstones, seqBase not yet added
 *       bytes smallestKey, bytes largestKey   of the entries (bytes = varint length, then the bytes)
 *       varint n, then n range tombstones: bytes lower, bytes upper, varint seq (seqBase not yet added);
 *         sorted by lower, then falling seq
 *       varint n, then n partitions: bytes separator, varint indexOffset, varint indexBytes, varint filterOffset,
 *         varint filterBytes, varint entries
 *
 *   footer, 48 bytes
 *       0   8   offset of the metadata
 *       8   4   its bytes
 *      12   2   format (1)
 *      14   2   zero
 *      16   8   identity
 *      24   8   h64 of the header, seeded with identity
 *      32   8   h64 of metadata and of this footer up to here, seeded with identity and the metadata's offset
 *      40   8   magic "PhRunEnd"
 *
 * A worked example stands in docs/formats/run.md. These constants are on disk for good.
 */

export const RUN_FORMAT = 1;
export const RUN_HEADER_BYTES = 32;
export const RUN_FOOTER_BYTES = 48;
/** Codec and checksum behind each block's payload. */
export const BLOCK_TRAILER_BYTES = 9;
/** "PhRun01\n" */
export const RUN_MAGIC = Uint8Array.of(0x50, 0x68, 0x52, 0x75, 0x6e, 0x30, 0x31, 0x0a);
/** "PhRunEnd" */
export const RUN_END_MAGIC = Uint8Array.of(0x50, 0x68, 0x52, 0x75, 0x6e, 0x45, 0x6e, 0x64);

export const BlockCodec = { None: 0, Deflate: 1, Lz4: 2 } as const;
export type BlockCodec = (typeof BlockCodec)[keyof typeof BlockCodec];

/**
 * A restart point is set behind so many keys or so many bytes, whichever comes first: a lookup reads what lies between two
 * of them from the front, so large entries, whose keys save little by sharing, get more of them.
 */
export const RESTART_KEYS = 16;
export const RESTART_BYTES = 512;
/** Data blocks are cut when their payload has reached this. */
export const BLOCK_BYTES_DEFAULT = 4 * 1024;
/** A partition ends when its index block has reached this: about 5 MiB of data, whose filter has about 50 KiB. */
export const PARTITION_INDEX_BYTES = 16 * 1024;
/** A run whose metadata is larger was not written by us; the bound keeps a reader of foreign bytes from allocating it. */
export const METADATA_BYTES_MAX = 256 * 1024 * 1024;

/** A large odd constant (2^64 / golden ratio): identities and offsets cannot cancel each other out. */
const SEED_FACTOR = 0x9e3779b97f4a7c15n;

/** The checksum seed of whatever begins at an offset of a run. */
export function blockSeed(identity: number, offset: number): bigint {
  return BigInt.asUintN(64, BigInt(identity) * SEED_FACTOR + BigInt(offset));
}
