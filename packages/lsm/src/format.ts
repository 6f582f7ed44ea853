/**
 * What lies in the engine's directory, and the bytes of a manifest. All integers are little-endian.
 *
 *   manifest-<number, 16 digits>   which runs count, and in which level: a log of edits. The newest that is whole counts
 *   <number, 16 digits>.run        sorted runs (their format is @phantom/runs')
 *
 * A manifest is written front to back and only ever grows; when it has become long, the next number gets a new file that
 * begins with everything.
 *
 *      +--------+----------+------+------+-- ... --+------+
 *      | header | snapshot | edit | edit |         | edit |
 *      +--------+----------+------+------+-- ... --+------+
 *      0        48
 *
 *   header, 48 bytes; every format keeps its shape, so that a flipped bit is not taken for a newer format
 *       0   8   magic "PhLsmMf\n"
 *       8   2   format (2)
 *      10   6   zero
 *      16   8   number of this manifest, as in its name
 *      24   8   engine: a random number below 2^21, the same in all manifests of an engine
 *      32   8   zero
 *      40   8   h64 of the 40 bytes before, seeded with 0
 *
 *   record (snapshot and edits alike)
 *       0   4   payload bytes
 *       4   4   kind: 1 snapshot, 2 edit
 *       8   8   generation: of a snapshot any, of an edit that of the record before plus one
 *      16   n   payload
 *    16+n   8   h64 of the 16 + n bytes before, seeded with engine, number and the record's own offset
 *
 *   payload
 *       varint flushedSeq      everything up to this commit is in the runs, nothing later
 *       varint nextNumber      no run has had a number from here up to 2^52, but for orphans
 *       varint n, then n run numbers that no longer count (none in a snapshot)
 *       varint n, then n runs that count from now on, each:
 *         varint number, varint bytes, varint identity, varint (0: as in its header; else seqBase + 1), varint level,
 *         varint age (a larger one is newer; orders the runs of level 0 and means nothing elsewhere)
 *       in a snapshot, 16 bytes: identity of the store (not in format 1, which is the same in all else)
 *       A run that changes its level stands in both lists. Numbers from 2^52 on are of ingested files.
 *
 * A record whose checksum does not fit ends the manifest. Whether that is a torn tail or corruption says the store, which
 * knows the least generation that was made durable. A worked example stands in docs/formats/lsm.md. These constants are on
 * disk for good.
 */

export const LSM_FORMAT = 2;
/** Level 0 and six more; with a factor of ten between them that is enough for a petabyte. */
export const LEVELS = 7;
export const BOTTOM_LEVEL = LEVELS - 1;
/** "PhLsmMf\n" */
export const MANIFEST_MAGIC = Uint8Array.of(0x50, 0x68, 0x4c, 0x73, 0x6d, 0x4d, 0x66, 0x0a);
export const MANIFEST_HEADER_BYTES = 48;
export const RECORD_HEADER_BYTES = 16;
export const RECORD_TRAILER_BYTES = 8;
export const RecordKind = { Snapshot: 1, Edit: 2 } as const;
export type RecordKind = (typeof RecordKind)[keyof typeof RecordKind];
/** The engine's number takes the upper bits of a run's identity, the run's number the lower 32. */
export const ENGINE_NUMBER_MAX = 2 ** 21;
/** Own runs ever written by one engine: at ten a second they last for thirteen years. */
export const RUN_NUMBER_MAX = 2 ** 32;

const MANIFEST_NAME = /^manifest-(\d{16})$/;
const RUN_NAME = /^(\d{16})\.run$/;

export function manifestName(number: number): string {
  return `manifest-${String(number).padStart(16, '0')}`;
}

export function runName(number: number): string {
  return `${String(number).padStart(16, '0')}.run`;
}

/** The number in a manifest's name; undefined for any other name. */
export function numberOfManifest(name: string): number | undefined {
  const digits = MANIFEST_NAME.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** The number in a run's name; undefined for any other name. */
export function numberOfRun(name: string): number | undefined {
  const digits = RUN_NAME.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

const ENGINE_FACTOR = 0x9e3779b97f4a7c15n;
const NUMBER_FACTOR = 0xc2b2ae3d27d4eb4fn;

/** The checksum seed of the record at an offset of a manifest. */
export function recordSeed(engine: number, manifest: number, offset: number): bigint {
  return BigInt.asUintN(64, BigInt(engine) * ENGINE_FACTOR + BigInt(manifest) * NUMBER_FACTOR + BigInt(offset));
}
