/** Characters of texts, which UTF-16 counts otherwise. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bpcharType, characterLength } from '../../src/types/text-types.js';
import type { TypeContext } from '../../src/types/type.js';

const context = {} as unknown as TypeContext;
const text = fc.string({ unit: fc.constantFrom('a', ' ', 'ö', '語', '🙂'), maxLength: 40 });
/** A typmod of char(40). */
const FORTY = 44;

describe('characters of a text', () => {
  it('are code points, in short texts and in long ones', () => {
    fc.assert(
      fc.property(text, (value) => {
        expect(characterLength(value)).toBe([...value].length);
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it('are as many as char(n) says', () => {
    fc.assert(
      fc.property(text, (value) => {
        const padded = bpcharType.input(value, FORTY, context) as string;
        expect([...padded]).toHaveLength(40);
        expect(padded.startsWith(value)).toBe(true);
        expect(bpcharType.coerceTypmod?.(padded, FORTY, false)).toBe(padded);
      }),
      { seed: 2, numRuns: 200 },
    );
  });
});
