/**
 * What stands in front of an entry of a block (format.ts): how much of its key the entry before has, how long the rest and the value
 * are, and the tag, which is twice the seq, plus one for a removal. One place that reads it, for all who walk entries.
 *
 * Invariant: whoever has called `read` finds four numbers, however the bytes look; where they lead behind the limit is for the
 * caller to see, who knows what else to check (`end`).
 */
import { readVarint, varintBytes } from '@phantom/base';

export class EntryHeader {
  /** Bytes of the key that are those of the key before. */
  shared = 0;
  suffixBytes = 0;
  tag = 0;
  valueBytes = 0;

  /** Reads the header at an offset and returns where the suffix of the key begins, with the value behind it. */
  read(payload: Uint8Array, offset: number, limit: number): number {
    let at = offset;
    // Most numbers fit one byte; only the others are worth a call.
    let shared = payload[at] as number;
    if (shared < 0x80 && at < limit) at++;
    else at += varintBytes((shared = readVarint(payload, at, limit)));
    let suffixBytes = payload[at] as number;
    if (suffixBytes < 0x80 && at < limit) at++;
    else at += varintBytes((suffixBytes = readVarint(payload, at, limit)));
    let tag = payload[at] as number;
    if (tag < 0x80 && at < limit) at++;
    else at += varintBytes((tag = readVarint(payload, at, limit)));
    let valueBytes = 0;
    if (tag % 2 === 0) {
      valueBytes = payload[at] as number;
      if (valueBytes < 0x80 && at < limit) at++;
      else at += varintBytes((valueBytes = readVarint(payload, at, limit)));
    }
    this.shared = shared;
    this.suffixBytes = suffixBytes;
    this.tag = tag;
    this.valueBytes = valueBytes;
    return at;
  }

  /** Where the entry ends whose suffix begins there; NaN when a number made no sense. */
  end(suffixAt: number): number {
    return suffixAt + this.suffixBytes + this.valueBytes;
  }

  get isRemoval(): boolean {
    return this.tag % 2 === 1;
  }

  /** Relative to the run's base. */
  get seq(): number {
    return (this.tag - (this.tag % 2)) / 2;
  }
}
