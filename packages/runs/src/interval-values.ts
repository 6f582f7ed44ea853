/**
 * The values of whole restart intervals as references, for readers that look at no key: one pass over the entries' heads,
 * without putting a single key together.
 */
import { readVarint, varintBytes } from '@phantom/base';
import type { CursorBatch } from '@phantom/kv';
import type { Block } from './block.js';
import { touchLines } from './touch-lines.js';

/** How far `fillValues` came; reused. */
export class FilledIntervals {
  /** The first interval that was not handed out. */
  next = 0;
  /** The last interval of which a value was handed out; -1 for none. */
  last = -1;
}

/**
 * Appends, for each key of the intervals [from, to), the value of its newest version with a relative seq <= `seqMax`, unless
 * that is a removal. Ends early, behind a whole interval, when there is not enough room. The block must come from a run
 * without range tombstones.
 */
export function fillValues(
  block: Block,
  from: number,
  to: number,
  seqMax: number,
  batch: CursorBatch,
  filled: FilledIntervals,
): void {
  const { payload } = block;
  const { valueBuffers, valueStarts, valueEnds, capacity } = batch;
  filled.last = -1;
  if (from < to) touchLines(payload, block.restart(from), block.intervalEnd(to - 1));
  let index = from;
  let i = batch.count;
  for (; index < to; index++) {
    let at = block.restart(index);
    const limit = block.intervalEnd(index);
    let keyBytes = 0;
    let taken = false;
    for (let first = true; at < limit; first = false) {
      // Most numbers fit one byte; only the others are worth a call.
      let shared = payload[at]!;
      if (shared < 0x80) at++;
      else at += varintBytes((shared = readVarint(payload, at, limit)));
      let suffixBytes = payload[at]!;
      if (suffixBytes < 0x80 && at < limit) at++;
      else at += varintBytes((suffixBytes = readVarint(payload, at, limit)));
      let tag = payload[at]!;
      if (tag < 0x80 && at < limit) at++;
      else at += varintBytes((tag = readVarint(payload, at, limit)));
      const removed = tag % 2 === 1;
      let valueBytes = 0;
      if (!removed) {
        valueBytes = payload[at]!;
        if (valueBytes < 0x80 && at < limit) at++;
        else at += varintBytes((valueBytes = readVarint(payload, at, limit)));
      }
      const valueStart = at + suffixBytes;
      at = valueStart + valueBytes;
      if (!(at <= limit) || !(shared <= keyBytes)) throw block.malformed(valueStart);
      if (first || suffixBytes > 0 || shared < keyBytes) {
        keyBytes = shared + suffixBytes;
        taken = false;
      }
      if (taken || (tag - (removed ? 1 : 0)) / 2 > seqMax) continue;
      taken = true;
      if (removed) continue;
      if (i === capacity) {
        filled.next = index;
        return;
      }
      valueBuffers[i] = payload;
      valueStarts[i] = valueStart;
      valueEnds[i] = at;
      i++;
    }
    if (i > batch.count) {
      filled.last = index;
      batch.count = i;
    }
  }
  filled.next = index;
}
