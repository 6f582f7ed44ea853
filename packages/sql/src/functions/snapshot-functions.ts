/** What snapshots of transactions hold (see types/snapshot-types.ts), as xid8 and, under their former names, as bigint. */
import { canonicalInteger } from '@phantom/codec';
import { type TransactionSnapshot, decodeSnapshot, decodeXid8, encodeXid8 } from '../types/snapshot-types.js';
import { type Implementations, setOf } from './implementation.js';

const XID_BITS = 32;

/** True for a transaction that had ended when the snapshot was taken. */
function isVisible(xid: bigint, { xmin, xmax, running }: TransactionSnapshot): boolean {
  return xid < xmin || (xid < xmax && !running.includes(xid));
}

export const snapshotFunctions: Implementations = {
  pg_snapshot_xmin: (value: string) => encodeXid8(decodeSnapshot(value).xmin),
  pg_snapshot_xmax: (value: string) => encodeXid8(decodeSnapshot(value).xmax),
  pg_snapshot_xip: setOf((value: string) => decodeSnapshot(value).running.map(encodeXid8)),
  pg_visible_in_snapshot: (xid: string, value: string) => isVisible(decodeXid8(xid), decodeSnapshot(value)),
  txid_snapshot_xmin: (value: string) => canonicalInteger(decodeSnapshot(value).xmin),
  txid_snapshot_xmax: (value: string) => canonicalInteger(decodeSnapshot(value).xmax),
  txid_snapshot_xip: setOf((value: string) => decodeSnapshot(value).running.map(canonicalInteger)),
  txid_visible_in_snapshot: (xid: number | bigint, value: string) => isVisible(BigInt(xid), decodeSnapshot(value)),
  xid8_xid: (value: string) => Number(BigInt.asUintN(XID_BITS, decodeXid8(value))),
  xid8cmp: (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0),
  xid8_larger: (a: string, b: string) => (a > b ? a : b),
  xid8_smaller: (a: string, b: string) => (a < b ? a : b),
};
