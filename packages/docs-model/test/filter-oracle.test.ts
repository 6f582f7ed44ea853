/** Filters against mingo's answers, over random documents and filters. */
import fc from 'fast-check';
import { Query } from 'mingo';
import { describe, expect, it } from 'vitest';
import { compileFilter } from '../src/filter/filter.js';
import { storeFilter, storedFilter } from '../src/stored-filter.js';
import { document, filter } from './arbitraries.js';
import { runs } from './oracle.js';

describe('a compiled filter', () => {
  it('agrees with mingo', () => {
    fc.assert(
      fc.property(document, filter, (doc, query) => {
        expect(compileFilter(query).matches(doc)).toBe(new Query(query as never).test(doc as never));
      }),
      runs(5000, 8),
    );
  });

  it('survives being stored', () => {
    const given = { a: { $gt: new Date(0) }, b: [1n, null], c: 'x' };
    expect(storedFilter(storeFilter(given))).toEqual(given);
    expect(() => storeFilter({ a: /x/ })).toThrow(expect.objectContaining({ code: '22023' }));
  });
});
