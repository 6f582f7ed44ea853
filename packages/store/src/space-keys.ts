/**
 * The keys of a single space as its user sees them, and as the engine does: with the four bytes of the space in front.
 * Ranges come in the words of Level (gt, gte, lt, lte) and leave in the one form that engines know.
 */
import { PhantomError, SqlState, compareKeys } from '@phantom/base';
import {
  type EngineCode,
  KEY_BYTES_MAX,
  type KeyRange,
  SPACE_BYTES,
  makeSpaceId,
  prefixRange,
  writeSpace,
} from '@phantom/kv';

/** Bounds of a range; a side that is left out is open. Where both words of a side are given the narrower one holds. */
export interface RangeOptions {
  readonly gt?: Uint8Array | undefined;
  readonly gte?: Uint8Array | undefined;
  readonly lt?: Uint8Array | undefined;
  readonly lte?: Uint8Array | undefined;
}

/** The one space of a store that has nothing else: numbers that are handed out begin above it. */
const SPACE_NUMBER = 0;

/** Keys of a single space may have so many bytes. */
export const SINGLE_SPACE_KEY_BYTES_MAX = KEY_BYTES_MAX - SPACE_BYTES;

/** Puts the space in front of keys; the buffer is reused. */
export class SpaceKeys {
  /** The key set last is [0, length). */
  readonly buffer = new Uint8Array(KEY_BYTES_MAX);
  length = SPACE_BYTES;
  /** Everything in the space. */
  readonly range: KeyRange;

  constructor(code: EngineCode) {
    writeSpace(this.buffer, 0, makeSpaceId(code, SPACE_NUMBER));
    this.range = prefixRange(this.buffer.slice(0, SPACE_BYTES));
  }

  /** Aims at a key of the user. 22023 for what are no bytes, 54000 for a key that is too long. */
  set(key: Uint8Array): void {
    const length = checkKey(key).length + SPACE_BYTES;
    const { buffer } = this;
    if (key.length <= 48) for (let i = 0; i < key.length; i++) buffer[SPACE_BYTES + i] = key[i] as number;
    else buffer.set(key, SPACE_BYTES);
    this.length = length;
  }

  /** The range of the engine's keys between bounds of the user; its ends are the caller's. */
  rangeOf(bounds: RangeOptions): KeyRange {
    let { lower } = this.range;
    let upper = this.range.upper as Uint8Array;
    const { gt, gte, lt, lte } = bounds;
    if (gte !== undefined) lower = this.bound(gte, 0);
    if (gt !== undefined) lower = laterOf(lower, this.bound(gt, 1));
    if (lt !== undefined) upper = this.bound(lt, 0);
    if (lte !== undefined) upper = earlierOf(upper, this.bound(lte, 1));
    return { lower, upper };
  }

  /** The engine's key, with zeros appended: one makes it the smallest key behind it. */
  private bound(key: Uint8Array, zeros: number): Uint8Array {
    const bound = new Uint8Array(SPACE_BYTES + checkKey(key).length + zeros);
    bound.set(this.range.lower);
    bound.set(key, SPACE_BYTES);
    return bound;
  }
}

function laterOf(a: Uint8Array, b: Uint8Array): Uint8Array {
  return compareKeys(a, b) >= 0 ? a : b;
}

function earlierOf(a: Uint8Array, b: Uint8Array): Uint8Array {
  return compareKeys(a, b) <= 0 ? a : b;
}

function checkKey(key: Uint8Array): Uint8Array {
  checkBytes(key, 'a key');
  if (key.length > SINGLE_SPACE_KEY_BYTES_MAX) {
    throw new PhantomError(SqlState.ProgramLimitExceeded, 'a key is too long', {
      detail: `It has ${key.length} bytes, of ${SINGLE_SPACE_KEY_BYTES_MAX} there may be.`,
      data: { bytes: key.length, bytesMax: SINGLE_SPACE_KEY_BYTES_MAX },
    });
  }
  return key;
}

/** 22023 for what is no Uint8Array: callers in JavaScript are told here, not by the log. */
export function checkBytes(bytes: Uint8Array, what: string): void {
  if (bytes instanceof Uint8Array) return;
  throw new PhantomError(SqlState.InvalidParameterValue, `${what} is not a Uint8Array`, {
    hint: 'Encode text with TextEncoder or Buffer.from.',
  });
}
