/** The search for places that could hold a record finds the same ones as a look at every place. */
import { writeU32 } from '@phantom/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RECORD_ALIGNMENT, RECORD_HEADER_BYTES } from '../src/format.js';
import { PlaceSearch } from '../src/place-search.js';

describe('The search for places of records', () => {
  it('finds those that name the segment, whatever lies between them', () => {
    const numbers = fc.constantFrom(1, 255, 256, 0x1_0000, 0x0101_0101, 0xffff_ffff);
    const marks = fc.array(fc.record({ offset: fc.nat(600), own: fc.boolean(), version: fc.constantFrom(0, 1, 2) }));
    fc.assert(
      fc.property(numbers, marks, fc.nat(16), fc.integer({ min: 64, max: 600 }), (number, placed, from, end) => {
        const at = from & ~3;
        const bytes = new Uint8Array(1024);
        for (const { offset, own, version } of placed) {
          bytes[offset + 8] = version;
          writeU32(bytes, offset + 20, own ? number : (number ^ 1) >>> 0);
        }
        const wanted: number[] = [];
        let place = at;
        for (; place + RECORD_HEADER_BYTES <= end; place += RECORD_ALIGNMENT) {
          const named = new Uint8Array(4);
          writeU32(named, 0, number);
          if (bytes[place + 8] === 1 && named.every((byte, i) => bytes[place + 20 + i] === byte)) wanted.push(place);
        }
        const search = new PlaceSearch(number);
        const found: number[] = [];
        let next = search.next(bytes, at, end);
        for (; next + RECORD_HEADER_BYTES <= end; next = search.next(bytes, next + RECORD_ALIGNMENT, end))
          found.push(next);
        expect(found).toEqual(wanted);
        expect(next).toBe(place);
      }),
      { seed: 7, numRuns: 300 },
    );
  });
});
