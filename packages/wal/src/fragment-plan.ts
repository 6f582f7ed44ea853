/**
 * How a payload that is too large for one record is cut into fragments over the rest of the present segment and the ones
 * behind it. Arithmetic alone, so that its edge, a gigabyte, is tested without one.
 */
import { MARK_BYTES, RECORD_ALIGNMENT, RECORD_HEADER_BYTES, SEGMENT_HEADER_BYTES, recordBytes } from './format.js';

/** One payload at most. */
export const PAYLOAD_BYTES_MAX = 1024 * 1024 * 1024;
/** A fragment leaves the rest of a segment alone when that is smaller than this. */
const FRAGMENT_BYTES_MIN = 256;

export interface FragmentPlan {
  /** Where each fragment ends in the payload. */
  readonly ends: readonly number[];
  /** Bytes up to which the present segment is filled, a later mark included; 0 when nothing goes into it. */
  readonly currentBytes: number;
  /** The same for each segment behind it that is needed. */
  readonly segmentBytes: readonly number[];
}

/** `offset` is where the next record goes in the present segment, which holds `capacityBytes`; later ones hold `segmentBytes`. */
export function planFragments(
  payloadBytes: number,
  offset: number,
  capacityBytes: number,
  segmentBytes: number,
  fragmentBytesMax: number,
): FragmentPlan {
  const ends: number[] = [];
  const filled: number[] = [];
  let currentBytes = 0;
  let at = offset;
  let capacity = capacityBytes;
  let start = 0;
  while (start < payloadBytes) {
    const left = payloadBytes - start;
    const room = (capacity - at - RECORD_HEADER_BYTES - MARK_BYTES) & ~(RECORD_ALIGNMENT - 1);
    if (room < Math.min(left, FRAGMENT_BYTES_MIN)) {
      filled.push(0);
      at = SEGMENT_HEADER_BYTES;
      capacity = segmentBytes;
      continue;
    }
    const bytes = Math.min(left, room, fragmentBytesMax);
    start += bytes;
    at += recordBytes(bytes);
    ends.push(start);
    if (filled.length === 0) currentBytes = at + MARK_BYTES;
    else filled[filled.length - 1] = at + MARK_BYTES;
  }
  return { ends, currentBytes, segmentBytes: filled };
}
