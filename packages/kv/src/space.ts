/**
 * A key begins with its space: four bytes, most significant first, so that spaces lie side by side in key order.
 *
 *    31    28 27                                   0
 *   +--------+--------------------------------------+
 *   | engine |               number                 |
 *   +--------+--------------------------------------+
 *
 * The engine code routes a key without a catalog, at commit and at replay. Numbers are never used twice, so a late
 * tombstone can never hide a younger table; 2^28 of them last for three years of one CREATE TABLE every 350 ms.
 * These constants are on disk for good.
 */
import { assert, readU32BE, writeU32BE } from '@phantom/base';

/** Bytes of the space at the head of every key. */
export const SPACE_BYTES = 4;

export const EngineCode = { Memory: 0, Btree: 1, Lsm: 2 } as const;
export type EngineCode = (typeof EngineCode)[keyof typeof EngineCode];

/** A space id with its engine code in the high four bits. */
export type SpaceId = number;

export const SPACE_NUMBER_MAX = 0x0fff_ffff;

export function makeSpaceId(engine: EngineCode, number: number): SpaceId {
  assert(number >= 0 && number <= SPACE_NUMBER_MAX, 'a space number has 28 bits');
  return ((engine << 28) | number) >>> 0;
}

export function engineOfSpace(space: SpaceId): EngineCode {
  return (space >>> 28) as EngineCode;
}

/** The engine code of a whole key. */
export function engineOfKey(bytes: Uint8Array, start: number): EngineCode {
  return ((bytes[start] as number) >>> 4) as EngineCode;
}

export function spaceOfKey(bytes: Uint8Array, start: number): SpaceId {
  return readU32BE(bytes, start);
}

export function writeSpace(bytes: Uint8Array, at: number, space: SpaceId): number {
  writeU32BE(bytes, at, space);
  return at + SPACE_BYTES;
}
