/**
 * Restore points: names for commits of an archive, each in a small file beside them (format.ts). A name is given once: two that were
 * alike would be found out when one of them is needed.
 */
import { type Checksums, type Identity, PhantomError, SqlState, toHex, writeU32, writeU64 } from '@phantom/base';
import type { Seq } from '@phantom/kv';
import { type Vfs, joinPath } from '@phantom/vfs';
import { POINT_HEAD_BYTES, POINT_MAGIC, POINT_NAME_CHARACTERS_MAX, putMagic } from './format.js';

const DUPLICATE_OBJECT = '42710';

export interface RestorePoint {
  readonly name: string;
  /** The last commit that was visible. */
  readonly seq: Seq;
  /** When it was given, milliseconds since 1970. */
  readonly timeMs: number;
}

/** Durable on return. 22023 for a name that cannot be, 42710 for one that is there, 53100 and 58030 from the disk. */
export function writePoint(
  vfs: Vfs,
  directory: string,
  identity: Identity,
  { name, seq, timeMs }: RestorePoint,
  checksums: Checksums,
): void {
  if (name === '' || [...name].length > POINT_NAME_CHARACTERS_MAX) {
    const message = `the name of a restore point has 1 to ${POINT_NAME_CHARACTERS_MAX} characters`;
    throw new PhantomError(SqlState.InvalidParameterValue, message);
  }
  const text = new TextEncoder().encode(name);
  const bytes = new Uint8Array(POINT_HEAD_BYTES + text.length + 4);
  putMagic(bytes, POINT_MAGIC);
  bytes.set(identity, 16);
  writeU64(bytes, 32, seq);
  writeU64(bytes, 40, timeMs);
  bytes.set(text, POINT_HEAD_BYTES);
  writeU32(bytes, bytes.length - 4, checksums.h32(bytes, 0, bytes.length - 4));
  const path = joinPath(directory, pointFileName(name, checksums));
  if (vfs.exists(path)) throw new PhantomError(DUPLICATE_OBJECT, `there is a restore point "${name}" already`);
  const made = `${path}.new`;
  vfs.remove(made);
  const file = vfs.open(made, { mode: 'create-new' });
  try {
    file.writeAt(0, bytes);
    file.syncNow();
  } finally {
    file.close();
  }
  vfs.rename(made, path);
  vfs.syncDir(directory);
}

/** Names may hold what no name of a file may. */
export function pointFileName(name: string, { h64 }: Checksums): string {
  const text = new TextEncoder().encode(name);
  const sum = new Uint8Array(8);
  new DataView(sum.buffer).setBigUint64(0, h64(text, 0, text.length));
  return `point-${toHex(sum)}.info`;
}
