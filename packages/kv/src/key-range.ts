/**
 * A range of keys: from `lower` (inclusive) up to `upper` (exclusive). Every scan, range delete and estimate speaks of
 * ranges in this one form; whoever has `gt` or `lte` appends a zero byte (the smallest longer key) first.
 */
import { SPACE_BYTES, type SpaceId, writeSpace } from './space.js';

export interface KeyRange {
  readonly lower: Uint8Array;
  /** Exclusive; undefined is the end of all keys. */
  readonly upper: Uint8Array | undefined;
}

/** The smallest key greater than every key that begins with the prefix; undefined when there is none (all 0xff). */
export function prefixEnd(prefix: Uint8Array): Uint8Array | undefined {
  for (let i = prefix.length - 1; i >= 0; i--) {
    const byte = prefix[i] as number;
    if (byte !== 0xff) {
      const end = prefix.slice(0, i + 1);
      end[i] = byte + 1;
      return end;
    }
  }
  return undefined;
}

/** Every key that begins with the prefix. */
export function prefixRange(prefix: Uint8Array): KeyRange {
  return { lower: prefix, upper: prefixEnd(prefix) };
}

/** Every key of a space. */
export function spaceRange(space: SpaceId): KeyRange {
  const lower = new Uint8Array(SPACE_BYTES);
  writeSpace(lower, 0, space);
  return prefixRange(lower);
}

/** The smallest key that sorts after `key`: turns `gt` into `gte` and `lte` into `lt`. */
export function keyAfter(key: Uint8Array): Uint8Array {
  const after = new Uint8Array(key.length + 1);
  after.set(key);
  return after;
}
