/**
 * Numbers of files that another writer prepared. After a crash replay hands the same files over again, so a file's number
 * is made from its name, above every number of an engine's own.
 */
import { type Checksums, readU32 } from '@phantom/base';

/** Numbers of an engine's own runs lie below. */
export const INGESTED_NUMBER_MIN = 2 ** 52;

/** The number of a file that is handed over: from the last part of its path. */
export function ingestedNumber(checksums: Checksums, path: string): number {
  const name = new TextEncoder().encode(path.slice(path.lastIndexOf('/') + 1));
  const hash = new Uint8Array(8);
  new DataView(hash.buffer).setBigUint64(0, checksums.h64(name, 0, name.length), true);
  return INGESTED_NUMBER_MIN + (readU32(hash, 4) & 0xfffff) * 4294967296 + readU32(hash, 0);
}
