/**
 * Restore points: names for commits of an archive, each in a small file beside them (format.ts). A name is given once: two that were
 * alike would be found out when one of them is needed.
 */
import { type Checksums, type Identity, PhantomError, SqlState, toHex } from '@phantom/base';
import { type Vfs, joinPath, replaceFileNow } from '@phantom/vfs';
import { POINT_NAME_CHARACTERS_MAX, type PointInfo, encodePoint } from './format.js';

const DUPLICATE_OBJECT = '42710';

export type RestorePoint = Omit<PointInfo, 'identity'>;

/** Durable on return. 22023 for a name that cannot be, 42710 for one that is there, 53100 and 58030 from the disk. */
export function writePoint(
  vfs: Vfs,
  directory: string,
  identity: Identity,
  point: RestorePoint,
  checksums: Checksums,
): void {
  const { name } = point;
  if (name === '' || [...name].length > POINT_NAME_CHARACTERS_MAX) {
    const message = `the name of a restore point has 1 to ${POINT_NAME_CHARACTERS_MAX} characters`;
    throw new PhantomError(SqlState.InvalidParameterValue, message);
  }
  const path = joinPath(directory, pointFileName(name, checksums));
  if (vfs.exists(path)) throw new PhantomError(DUPLICATE_OBJECT, `there is a restore point "${name}" already`);
  replaceFileNow(vfs, path, encodePoint({ identity, ...point }, checksums));
}

/** Names may hold what no name of a file may. */
export function pointFileName(name: string, { h64 }: Checksums): string {
  const text = new TextEncoder().encode(name);
  const sum = new Uint8Array(8);
  new DataView(sum.buffer).setBigUint64(0, h64(text, 0, text.length));
  return `point-${toHex(sum)}.info`;
}
