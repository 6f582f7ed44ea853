/**
 * Looks through bytes for places that could be the header of a record of one segment. A prepared segment is 16 MiB of zeros
 * and a recycled one full of other segments' records, and every opening has to look through the one that it ends in: so the
 * search is the platform's own for bytes, which needs a millisecond for that, where a loop that is not compiled yet needs thirty.
 */
import { readU32, writeU32 } from '@phantom/base';
import { FORMAT_VERSION, RECORD_ALIGNMENT, RECORD_HEADER_BYTES } from './format.js';

/** Where a record's header has its version and its segment number. */
const VERSION_AT = 8;
const SEGMENT_AT = 20;

export class PlaceSearch {
  private readonly number: number;
  /** The bytes of the number from the first one on that is not zero: zeros are everywhere. */
  private readonly needle: Uint8Array;
  private readonly needleAt: number;

  /** `number` is that of the segment, from 1 on. */
  constructor(number: number) {
    this.number = number;
    const bytes = new Uint8Array(4);
    writeU32(bytes, 0, number);
    const zeros = bytes.findIndex((byte) => byte !== 0);
    this.needle = bytes.subarray(zeros);
    this.needleAt = SEGMENT_AT + zeros;
  }

  /**
   * The first of the places `at`, `at + 8`, ... with room for a header below `end` that names the segment and this format.
   * Without one, the first place that has no room.
   */
  next(bytes: Uint8Array, at: number, end: number): number {
    const haystack = Buffer.from(bytes.buffer, bytes.byteOffset, end);
    let hit = haystack.indexOf(this.needle, at + this.needleAt);
    while (hit >= 0) {
      const place = hit - this.needleAt;
      if (place + RECORD_HEADER_BYTES > end) break;
      const isPlace = (place - at) % RECORD_ALIGNMENT === 0;
      if (
        isPlace &&
        bytes[place + VERSION_AT] === FORMAT_VERSION &&
        readU32(bytes, place + SEGMENT_AT) === this.number
      ) {
        return place;
      }
      hit = haystack.indexOf(this.needle, hit + 1);
    }
    const places = Math.floor((end - at - RECORD_HEADER_BYTES) / RECORD_ALIGNMENT) + 1;
    return at + places * RECORD_ALIGNMENT;
  }
}
