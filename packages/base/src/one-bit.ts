/**
 * Rot of one bit is the commonest there is and the only one that a checksum lets us undo: each bit is turned in its turn, and the
 * one with which the checksum holds was the turned one. Of n bits tried a wrong one passes with a chance of n / 2^64 (or 2^32 for the
 * short checksums of the log, whose callers bound n).
 */

/**
 * Turns the one bit of [start, end) with which the bytes are what they were, and leaves it turned; undefined, with the bytes as they
 * came, when there is no such bit. Costs up to eight calls of `isWhole` for each byte.
 */
export function turnOneBit(
  bytes: Uint8Array,
  start: number,
  end: number,
  isWhole: () => boolean,
): { readonly at: number; readonly mask: number } | undefined {
  for (let at = start; at < end; at++) {
    const before = bytes[at] as number;
    for (let mask = 1; mask < 256; mask <<= 1) {
      bytes[at] = before ^ mask;
      if (isWhole()) return { at, mask };
    }
    bytes[at] = before;
  }
  return undefined;
}
