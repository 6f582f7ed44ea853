/** Patterns of callers: what they may cost is known before they are asked, and none of them holds the process. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Collection } from '../src/index.js';
import { backtrackingCost } from '../src/patterns/backtracking.js';
import { turnIsLong } from '../src/long-turns.js';
import { BoundedPattern } from '../src/patterns/bounded-pattern.js';
import { type Harness, beginIn, openHarness } from './harness.js';

type Any = Record<string, unknown>;

const EXPONENTIAL = [
  '(a+)+$',
  '(a*)*b',
  '(a|a)*$',
  '(a|aa)+$',
  '^(\\w+\\s?)*$',
  '(a?b?)*c',
  '(x+x+)+y',
  '^(([a-z])+.)+[A-Z]([a-z])+$',
  '(a?){13}a{13}',
  '(?<name>.*)*x',
];
const NOT_FOLLOWED = [
  '^(?=.*x)y',
  '(?<!a)b',
  '(a)\\1',
  '(?<n>a)\\k<n>',
  `${'('.repeat(101)}a${')'.repeat(101)}`,
  'a'.repeat(2001),
  `(?:${'ab'.repeat(40)})*`,
];
const POLYNOMIAL: readonly (readonly [pattern: string, flags: string, degree: number])[] = [
  ['^foo', '', 0],
  ['foo', 'i', 1],
  ['foo|bar|baz', '', 1],
  ['^\\d{4}-\\d{2}-\\d{2}$', '', 1],
  ['^[a-z]+(\\.[a-z]+)*@[a-z]+(?:\\.[a-z]+)*$', 'i', 1],
  ['^a{2,}b{,3}\\x41\\u0042\\cA\\.$', '', 1],
  ['(a|b)*$', '', 2],
  ['foo.*?bar', 's', 2],
  ['.*foo.*', '', 2],
  ['\\w+@\\w+\\.\\w+', '', 2],
  ['[^\\]a]+\\]', '', 2],
  ['\\p{L}+\\d\\u{1F600}😀\\bé', 'iu', 2],
  ['^a+a+a+$', '', 3],
  ['^a+a+', 'm', 3],
];

describe('the cost of a pattern', () => {
  it('is exponential where a loop leads to itself in two ways, or is not followed', () => {
    for (const pattern of [...EXPONENTIAL, ...NOT_FOLLOWED])
      expect([pattern, backtrackingCost(pattern, '').degree]).toEqual([pattern, Infinity]);
    expect(backtrackingCost('[a--b]', 'v').degree).toBe(Infinity);
  });

  it('is a power of the length otherwise, by loops that may be left in two ways', () => {
    for (const [pattern, flags, degree] of POLYNOMIAL)
      expect([pattern, backtrackingCost(pattern, flags).degree]).toEqual([pattern, degree]);
    expect(backtrackingCost('a?a?a?aa', '')).toEqual({ degree: 1, factor: 8 });
  });

  it('does not change what is found', () => {
    const texts = ['', 'a', 'aaaaaaaaaaaaaa', 'foo bar foo', 'x@y.z', '2026-01-02', 'é😀 ABC'.repeat(5)];
    for (const [pattern, flags] of [...POLYNOMIAL, ...EXPONENTIAL.map((one) => [one, ''] as const)]) {
      const regex = new RegExp(pattern, `${flags}g`);
      const bounded = new BoundedPattern(regex);
      for (const text of texts) {
        if (flags === '' && EXPONENTIAL.includes(pattern) && text.length > 14) continue;
        const all = [...text.matchAll(regex)];
        expect(bounded.all(text)).toEqual(all);
        expect(bounded.exec(text)).toEqual(all[0] ?? null);
        expect(bounded.test(text)).toBe(all.length > 0);
      }
    }
  });
});

describe('a pattern that would never end', () => {
  const EVIL = '^(a+)+$';
  const TEXT = `${'a'.repeat(60)}!`;
  let harness: Harness;
  let c: Collection<Any>;

  beforeAll(async () => {
    harness = await openHarness();
    c = harness.collection<Any>('texts');
    await c.insertMany([
      { _id: 1, text: 'short' },
      { _id: 2, text: TEXT },
      { _id: 3, text: 'aaaa' },
    ]);
  });

  afterAll(() => harness.close());

  const refused = {
    code: '54001',
    message: 'regular expression is too complex',
    data: { millisecondsMax: 500 },
  };

  it('is refused in filters and expressions, and others have their turns', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await expect(c.find({ text: { $regex: EVIL } }).toArray()).rejects.toMatchObject(refused);
    await new Promise(setImmediate);
    expect(turnIsLong()).toBe(false);
    const asked = { $regexMatch: { input: '$text', regex: EVIL } };
    await expect(c.aggregate([{ $group: { _id: asked } }]).toArray()).rejects.toMatchObject(refused);
    clearInterval(timer);
    expect(turns).toBeGreaterThan(0);
    expect(await c.find({ _id: { $gt: 2 }, text: { $regex: EVIL } }).toArray()).toHaveLength(1);
    expect(await c.find({ text: /(s|h|o)+rt$/ }).toArray()).toHaveLength(1);
  });

  it('is refused in schemas, and leaves nothing of the write', async () => {
    const checked = harness.collection<Any>('checked', {
      schema: { properties: { text: { type: 'string', pattern: EVIL }, other: { pattern: '^b' } } },
    });
    await checked.insertOne({ _id: 1, text: 'aaa', other: 'b' });
    await expect(checked.insertOne({ _id: 2, text: 'b', other: 'a' })).rejects.toMatchObject({ code: '23514' });
    const { tx, commit } = beginIn(harness);
    const written = await checked.insertMany(
      [
        { _id: 3, text: TEXT },
        { _id: 4, text: 'a' },
      ],
      { tx, ordered: false },
    );
    expect(written.writeErrors).toMatchObject([{ index: 0, error: { code: '54001' } }]);
    await commit();
    expect(await checked.find().project({ _id: 1 }).toArray()).toEqual([{ _id: 1 }, { _id: 4 }]);
    expect(() => harness.collection('wrong', { schema: { pattern: '(' } })).toThrow(/invalid schema/);
  });
});
