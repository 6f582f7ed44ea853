/** Texts of COPY that are taken as the bytes that have come, for columns whose values only the stored row needs. */
import { TextBytes } from '@phantom/codec';
import { lengthOf } from '../types/text-types.js';
import { TypeOid } from '../types/type-oids.js';
import type { CopyColumn } from './copy-rows.js';

/** Takes ASCII in [start, end) as a value of the column; undefined where the type has to look at it. */
export type PlainText = (bytes: Uint8Array, start: number, end: number) => TextBytes | undefined;

/** What takes the texts of a column; undefined for one that needs values. */
export function plainText({ type, typmod, isOnlyStored }: CopyColumn): PlainText | undefined {
  if (isOnlyStored !== true) return undefined;
  const taken = new TextBytes();
  const { oid } = type;
  if (oid === TypeOid.text || ((oid === TypeOid.varchar || oid === TypeOid.bpchar) && typmod < 0))
    return (bytes, start, end) => taken.aim(bytes, start, end, 0);
  if (oid !== TypeOid.varchar && oid !== TypeOid.bpchar) return undefined;
  const length = lengthOf(typmod);
  const isPadded = oid === TypeOid.bpchar;
  return (bytes, start, end) => {
    const missing = length - (end - start);
    return missing < 0 ? undefined : taken.aim(bytes, start, end, isPadded ? missing : 0);
  };
}
