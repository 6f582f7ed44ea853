/** A record that was read. A replay makes thousands, and a view of each payload would cost more than all the rest of it. */
import type { Lsn, WalRecord } from './wal-types.js';

export class FoundRecord implements WalRecord {
  readonly lsn: Lsn;
  readonly end: Lsn;
  readonly seq: number;
  readonly commitTimeMs: number;
  readonly flags: number;
  readonly bytes: Uint8Array;
  readonly payloadStart: number;
  readonly payloadEnd: number;

  constructor(
    lsn: Lsn,
    end: Lsn,
    seq: number,
    commitTimeMs: number,
    flags: number,
    bytes: Uint8Array,
    payloadStart: number,
    payloadEnd: number,
  ) {
    this.lsn = lsn;
    this.end = end;
    this.seq = seq;
    this.commitTimeMs = commitTimeMs;
    this.flags = flags;
    this.bytes = bytes;
    this.payloadStart = payloadStart;
    this.payloadEnd = payloadEnd;
  }

  get payload(): Uint8Array {
    return this.bytes.subarray(this.payloadStart, this.payloadEnd);
  }
}
