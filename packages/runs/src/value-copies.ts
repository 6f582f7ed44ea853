/**
 * Where lookups copy what they found in memory that will be filled again. The copies lie side by side in chunks that are
 * never written over: a slot stays good for as long as somebody has it, and a copy costs no object.
 */
import { copyBytes } from '@phantom/base';
import type { ByteSlot } from '@phantom/kv';

const CHUNK_BYTES = 8192;
/** Longer values get an array of their own. */
const SHARE_BYTES = CHUNK_BYTES / 4;

let chunk = new Uint8Array(0);
let used = CHUNK_BYTES;

/** Aims the slot at a copy of [start, end). */
export function showCopy(value: ByteSlot, source: Uint8Array, start: number, end: number): void {
  const bytes = end - start;
  if (bytes > SHARE_BYTES) {
    value.set(source.slice(start, end), 0, bytes);
    return;
  }
  if (used + bytes > CHUNK_BYTES) {
    chunk = new Uint8Array(CHUNK_BYTES);
    used = 0;
  }
  copyBytes(source, start, end, chunk, used);
  value.set(chunk, used, used + bytes);
  used += bytes;
}
