/**
 * The keys of advisory locks in the lock table. They are locked and never written.
 *
 *   ff ff ff ff | 61 | database oid (4) | 01 | number (8)             one number
 *   ff ff ff ff | 61 | database oid (4) | 02 | first (4) second (4)    two numbers
 */
import { ByteWriter, readU32BE } from '@phantom/base';
import type { Oid } from '@phantom/catalog';
import { LOCK_SPACE } from '@phantom/mvcc';
import type { AdvisoryKey } from '../functions/registry.js';

/** What stands behind LOCK_SPACE in keys of advisory locks. */
const ADVISORY_MARK = 0x61;

export function advisoryKey(databaseOid: Oid, key: AdvisoryKey): Uint8Array {
  const writer = new ByteWriter();
  writer.u32BE(LOCK_SPACE);
  writer.u8(ADVISORY_MARK);
  writer.u32BE(databaseOid);
  if (typeof key === 'object') {
    writer.u8(2);
    writer.u32BE(key.first >>> 0);
    writer.u32BE(key.second >>> 0);
  } else {
    const number = BigInt.asUintN(64, BigInt(key));
    writer.u8(1);
    writer.u32BE(Number(number >> 32n));
    writer.u32BE(Number(number & 0xffff_ffffn));
  }
  return writer.take();
}

/** The numbers of an advisory lock's key, with its database; undefined for every other key. */
export function advisoryNumbers(
  key: Uint8Array,
): { readonly databaseOid: Oid; readonly numbers: readonly (number | bigint)[] } | undefined {
  if (key.length !== 18 || readU32BE(key, 0) !== LOCK_SPACE || key[4] !== ADVISORY_MARK) return undefined;
  const view = new DataView(key.buffer, key.byteOffset);
  const numbers = key[9] === 1 ? [view.getBigInt64(10)] : [view.getInt32(10), view.getInt32(14)];
  return { databaseOid: readU32BE(key, 5), numbers };
}
