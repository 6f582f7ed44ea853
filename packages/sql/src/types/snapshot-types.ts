/**
 * xid8, and the snapshots of transactions that are written with such numbers.
 *
 *   xid8            64 bits without a sign; a value is its 16 hexadecimal digits, so that texts order as numbers do (a number
 *                   would lose those above 2^53)
 *   pg_snapshot     xmin:xmax:xip,xip...    xmin: every transaction below it has ended; xmax: none from it on had begun;
 *                   xip: those between that ran, ascending, without repetition
 *   txid_snapshot   the same, as it was called when its numbers were bigint
 */
import { PhantomError } from '@phantom/base';
import { TEXT_STORAGE, builtinType, compareTexts } from './base-type.js';
import { invalidText } from './sql-errors.js';
import { TypeOid } from './type-oids.js';
import type { SqlType } from './type.js';
import { expectBytes } from './wire.js';

const DIGITS = 16;
const UINT64_MAX = 0xffff_ffff_ffff_ffffn;
/** Largest number that a snapshot may hold: PostgreSQL keeps them as bigint. */
const XID_MAX = 0x7fff_ffff_ffff_ffffn;

/** The canonical value of a transaction's number. */
export function encodeXid8(number: bigint): string {
  return number.toString(16).padStart(DIGITS, '0');
}

/** The number of a canonical value. */
export function decodeXid8(value: string): bigint {
  return BigInt(`0x${value}`);
}

/**
 * As C's strtoull reads it, which PostgreSQL takes: digits at the beginning in base 8, 10 or 16, 0 where there are none, the largest
 * number for those above it, and counted down from 2^64 with a minus.
 */
function parseXid8(text: string): string {
  const [, sign, digits = '0'] = /^\s*([+-]?)(0x[\da-f]+|0[0-7]*|[1-9]\d*)/i.exec(text) ?? [];
  const isOctal = /^0[0-7]/.test(digits);
  const number = BigInt(isOctal ? `0o${digits.slice(1)}` : digits);
  if (number > UINT64_MAX) return encodeXid8(UINT64_MAX);
  return encodeXid8(sign === '-' ? BigInt.asUintN(64, -number) : number);
}

export interface TransactionSnapshot {
  readonly xmin: bigint;
  readonly xmax: bigint;
  readonly running: readonly bigint[];
}

export function decodeSnapshot(value: string): TransactionSnapshot {
  const [xmin, xmax, running] = value.split(':') as [string, string, string];
  return { xmin: BigInt(xmin), xmax: BigInt(xmax), running: running === '' ? [] : running.split(',').map(BigInt) };
}

/** The value of a snapshot; it is its text. */
export function encodeSnapshot({ xmin, xmax, running }: TransactionSnapshot): string {
  return `${xmin}:${xmax}:${running.join(',')}`;
}

function parseSnapshot(text: string): TransactionSnapshot | undefined {
  if (!/^\d+:\d+:(\d+(,\d+)*)?$/.test(text)) return undefined;
  const { xmin, xmax, running } = decodeSnapshot(text);
  if (xmin < 1n || xmax < xmin || xmax > XID_MAX) return undefined;
  const inOrder = running.every(
    (xid, i) => xid >= xmin && xid < xmax && (i === 0 || xid >= (running[i - 1] as bigint)),
  );
  return inOrder ? { xmin, xmax, running: running.filter((xid, i) => xid !== running[i - 1]) } : undefined;
}

const xid8Type: SqlType = builtinType<string>(TypeOid.xid8, {
  storage: TEXT_STORAGE,
  input: parseXid8,
  output: (value) => String(decodeXid8(value)),
  compare: compareTexts,
  receive: (bytes, start, end) => {
    expectBytes(start, end, DIGITS / 2);
    return Buffer.from(bytes.buffer, bytes.byteOffset + start, DIGITS / 2).toString('hex');
  },
  send: (value, writer) => writer.bytes(Buffer.from(value, 'hex')),
});

function snapshotType(oid: number): SqlType {
  return builtinType<string>(oid, {
    storage: TEXT_STORAGE,
    input: (text) => {
      const snapshot = parseSnapshot(text);
      if (snapshot === undefined) throw invalidText('pg_snapshot', text);
      return encodeSnapshot(snapshot);
    },
    receive: (bytes, start, end) => {
      // Count of running ones, xmin, xmax, and those: 4 bytes, then 8 each.
      const view = new DataView(bytes.buffer, bytes.byteOffset + start, end - start);
      const count = view.byteLength < 20 ? -1 : view.getInt32(0);
      expectBytes(start, end, 20 + 8 * Math.max(count, 0));
      const numbers = Array.from({ length: 2 + count }, (_, i) => view.getBigInt64(4 + 8 * i));
      const [xmin, xmax, ...running] = numbers as [bigint, bigint, ...bigint[]];
      const snapshot = parseSnapshot(encodeSnapshot({ xmin, xmax, running }));
      if (snapshot === undefined) throw new PhantomError('22P03', 'invalid external pg_snapshot data');
      return encodeSnapshot(snapshot);
    },
    send: (value, writer) => {
      const { xmin, xmax, running } = decodeSnapshot(value);
      writer.u32BE(running.length);
      const bytes = Buffer.alloc(8);
      for (const number of [xmin, xmax, ...running]) {
        bytes.writeBigUInt64BE(number);
        writer.bytes(bytes);
      }
    },
    compare: undefined,
  });
}

export const snapshotTypes: readonly SqlType[] = [
  xid8Type,
  snapshotType(TypeOid.pgSnapshot),
  snapshotType(TypeOid.txidSnapshot),
];
