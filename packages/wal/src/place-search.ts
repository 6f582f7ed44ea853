/**
 * Looks through bytes for places that could be the header of a record of one segment. A prepared segment is 16 MiB of zeros
 * and a recycled one full of other segments' records, and every opening has to look through the one that it ends in: so the
 * search is the platform's own, which needs a millisecond for that, where a loop that is not compiled yet needs thirty.
 *
 * It looks for the bytes of the segment's number. Where those are something else they mostly are so again and again (the
 * length of each record, a field of each row); the search for aligned words goes over the rest, which takes four times as
 * long for a look at all and a twentieth of the time for each find.
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
  /** The number as a word of this machine. */
  private readonly word: number;

  /** `number` is that of the segment, from 1 on. */
  constructor(number: number) {
    this.number = number;
    const bytes = new Uint8Array(4);
    writeU32(bytes, 0, number);
    const zeros = bytes.findIndex((byte) => byte !== 0);
    this.needle = bytes.subarray(zeros);
    this.needleAt = SEGMENT_AT + zeros;
    this.word = new Uint32Array(bytes.buffer)[0] as number;
  }

  /**
   * The first of the places `at`, `at + 8`, ... with room for a header below `end` that names the segment and this format.
   * Without one, the first place that has no room. `at` is a multiple of 4, also from the beginning of the buffer.
   */
  next(bytes: Uint8Array, at: number, end: number): number {
    const haystack = Buffer.from(bytes.buffer, bytes.byteOffset, end);
    const hit = haystack.indexOf(this.needle, at + this.needleAt);
    if (hit >= 0) {
      const from = hit - this.needleAt;
      if (this.isPlace(bytes, at, from, end)) return from;
      const words = new Uint32Array(bytes.buffer, bytes.byteOffset + at, (end - at) >> 2);
      let index = words.indexOf(this.word, (from - at + SEGMENT_AT) >> 2);
      for (; index >= 0; index = words.indexOf(this.word, index + 1)) {
        const place = at + index * 4 - SEGMENT_AT;
        if (this.isPlace(bytes, at, place, end)) return place;
      }
    }
    const places = Math.floor((end - at - RECORD_HEADER_BYTES) / RECORD_ALIGNMENT) + 1;
    return at + places * RECORD_ALIGNMENT;
  }

  private isPlace(bytes: Uint8Array, at: number, place: number, end: number): boolean {
    return (
      (place - at) % RECORD_ALIGNMENT === 0 &&
      place + RECORD_HEADER_BYTES <= end &&
      bytes[place + VERSION_AT] === FORMAT_VERSION &&
      readU32(bytes, place + SEGMENT_AT) === this.number
    );
  }
}
