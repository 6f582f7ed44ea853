import { describe, expect, it } from 'vitest';
import {
  type LostRange,
  type SalvagedEntry,
  type SalvagedLayer,
  type SalvagedRemoval,
  isLostRange,
  mergeSalvaged,
} from '../src/index.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (key: Uint8Array): string => new TextDecoder().decode(key);

const put = (key: string, seq: number): SalvagedEntry => ({ key: bytes(key), value: bytes(`${key}${seq}`), seq });
const gone = (key: string, seq: number): SalvagedEntry => ({ key: bytes(key), value: undefined, seq });
const lost = (lower: string, upper: string | undefined): LostRange => {
  return {
    lower: bytes(lower),
    upper: upper === undefined ? undefined : bytes(upper),
    entries: 1,
    file: 'f',
    offset: 0,
  };
};

function layer(items: (SalvagedEntry | LostRange)[], removals: [string, string, number][] = []): SalvagedLayer {
  const made: SalvagedRemoval[] = removals.map(([lower, upper, seq]) => {
    return { lower: bytes(lower), upper: bytes(upper), seq };
  });
  return { removals: made, items: () => items };
}

/** Entries by their values, with a question mark when they are doubtful; lost ranges in brackets. */
function merged(...layers: SalvagedLayer[]): string[] {
  return [...mergeSalvaged(layers)].map((item) => {
    if (isLostRange(item)) return `[${text(item.lower)}-${item.upper === undefined ? '' : text(item.upper)})`;
    return text(item.value) + (item.doubt === undefined ? '' : '?');
  });
}

describe('layers put together', () => {
  it('give the newest of each key, in order', () => {
    const newest = layer([put('b', 9), gone('d', 8)]);
    const older = layer([put('a', 5), put('b', 4), put('e', 5)]);
    const pages = layer([put('b', 0), put('c', 0), put('d', 0)]);
    expect(merged(newest, older, pages)).toEqual(['a5', 'b9', 'c0', 'e5']);
    expect(merged(older, newest)).toEqual(['a5', 'b9', 'e5']);
    expect(merged()).toEqual([]);
  });

  it('hide what a removed range covers, and nothing that is newer', () => {
    const newest = layer([put('c', 7)], [['b', 'e', 7]]);
    const pages = layer(['a', 'b', 'c', 'd', 'e'].map((key) => put(key, 0)));
    expect(merged(newest, pages)).toEqual(['a0', 'c7', 'e0']);
    expect(merged(layer([put('d', 9)]), newest, pages)).toEqual(['a0', 'c7', 'd9', 'e0']);
    expect(merged(layer([], [['a', 'c', 3]]), layer([put('a', 2)], [['b', 'z', 4]]), pages)).toEqual([]);
  });

  it('mark what lies below a lost range, and only that', () => {
    const above = layer([lost('b', 'd'), put('d', 5)]);
    const below = layer([put('a', 1), put('b', 1), put('c', 1), put('d', 1), put('e', 1)]);
    expect(merged(above, below)).toEqual(['a1', '[b-d)', 'b1?', 'c1?', 'd5', 'e1']);
    expect(merged(below, above)).toEqual(['a1', '[b-d)', 'b1', 'c1', 'd5', 'e1']);
    expect(merged(layer([put('c', 9)]), layer([lost('a', undefined)]), below)).toEqual([
      '[a-)',
      'a1?',
      'b1?',
      'c9',
      'd1?',
      'e1?',
    ]);
  });
});
