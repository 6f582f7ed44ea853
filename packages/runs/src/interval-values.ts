/**
 * The values of a whole restart interval as references, for readers that look at no key: one pass over the entries' heads,
 * without putting a single key together.
 */
import { readVarint, varintBytes } from '@phantom/base';
import type { CursorBatch } from '@phantom/kv';
import type { Block } from './block-reader.js';

/**
 * Appends the value of each key's newest version with a relative seq <= `seqMax`, unless that is a removal. False, with the
 * batch as it was, when there is not enough room. The block must come from a run without range tombstones.
 */
export function fillValues(block: Block, index: number, seqMax: number, batch: CursorBatch): boolean {
  const { payload } = block;
  const { valueBuffers, valueStarts, valueEnds, capacity } = batch;
  let at = block.restart(index);
  const limit = block.intervalEnd(index);
  let i = batch.count;
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
    if (i === capacity) return false;
    valueBuffers[i] = payload;
    valueStarts[i] = valueStart;
    valueEnds[i] = at;
    i++;
  }
  batch.count = i;
  return true;
}
