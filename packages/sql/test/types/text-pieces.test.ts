/** Long texts put together piece by piece: the same as in one go, wherever a piece ends. */
import { describe, expect, it } from 'vitest';
import { TextPieces, byPieces, replaceEach, reversed } from '../../src/types/text-pieces.js';
import { binaryFunctions } from '../../src/functions/binary-functions.js';
import { like } from '../../src/functions/like.js';
import { textBuildingFunctions } from '../../src/functions/text-building-functions.js';
import { parseArray } from '../../src/types/array-type.js';
import { parseJson, quoteJson } from '../../src/types/json-text.js';
import { TypeOid } from '../../src/types/type-oids.js';
import { textFunctions } from '../../src/functions/text-functions.js';

/** Characters of one unit and of two, so that pieces would end inside of some. */
const LONG = `ab,${'x\u{1f600},y'.repeat(9000)}\u{1f600}`;
const call = (name: string, ...args: (string | number)[]): unknown => {
  const found = textFunctions[name] as unknown;
  return (found as (...values: (string | number)[]) => unknown)(...args);
};

describe('texts by pieces', () => {
  it('are what one call makes of them', () => {
    for (const text of ['', 'a', LONG, LONG.slice(1), LONG.slice(2)]) {
      expect(byPieces(text, (piece) => [...piece].map((c) => `<${c}>`).join(''))).toBe(
        [...text].map((c) => `<${c}>`).join(''),
      );
      expect(reversed(text)).toBe([...text].reverse().join(''));
      for (const [from, to] of [
        [',', ',,'],
        [',yx', '$&'],
        ['\u{1f600},y', ''],
        ['none', 'x'],
      ] as const)
        expect(replaceEach(text, from, to)).toBe(text.split(from).join(to));
      expect(call('translate', text, 'x\u{1f600}y', '\u{1f600}z')).toBe(
        text.replace(/[xy]|\u{1f600}/gu, (c) => (c === 'x' ? '\u{1f600}' : c === 'y' ? '' : 'z')),
      );
    }
    expect(byPieces(LONG, () => '')).toBe('');
  });

  it('grow by parts of any number', () => {
    const pieces = new TextPieces();
    expect(pieces.text()).toBe('');
    for (let i = 0; i < 9001; i++) pieces.add(String(i));
    expect(pieces.text()).toBe(Array.from({ length: 9001 }, (_, i) => i).join(''));
  });

  it('are given up once they are longer than a string may be', () => {
    const part = 'x'.repeat(1 << 20);
    const pieces = new TextPieces();
    const grow = (): void => {
      for (let i = 0; i < 20_000; i++) pieces.add(part);
    };
    // Parts of the one string: nothing of this size is ever laid out.
    expect(() => byPieces('y'.repeat(1 << 25), () => part)).toThrow(expect.objectContaining({ code: '54000' }));
    expect(grow).toThrow(/Invalid string length|too long/);
  });
});

describe('what stands in literals', () => {
  const decoded = (name: string, ...args: string[]): unknown => {
    const found = { ...textBuildingFunctions, ...binaryFunctions }[name] as unknown;
    return (found as (...values: string[]) => unknown)(...args);
  };
  const items = (literal: string): unknown => parseArray(literal, TypeOid.text, (text) => text).items;

  it('is read by runs, with what escapes in it', () => {
    expect(items('{a\\,b, c\\  ,"d\\"\\\\ e" , f g  ,"", nUll,\\null}')).toEqual([
      'a,b',
      'c ',
      'd"\\ e',
      'f g',
      '',
      null,
      'null',
    ]);
    expect(() => items('{"a\\')).toThrow(expect.objectContaining({ code: '22P02' }));
    expect(() => items('{a\\')).toThrow(expect.objectContaining({ code: '22P02' }));
    expect(quoteJson(`a"${LONG}\n`)).toBe(JSON.stringify(`a"${LONG}\n`));
    expect(parseJson(JSON.stringify({ a: `x\u0001"${LONG}\\`, b: '\t' }))).toEqual(
      new Map([
        ['a', `x\u0001"${LONG}\\`],
        ['b', '\t'],
      ]),
    );
    expect(decoded('unistr', 'a\\0041\\+01f600\\ud83d\\de00\\\\z')).toBe('aA\u{1f600}\u{1f600}\\z');
    for (const [wrong, code] of [
      ['\\d83dx\\0041', '42601'],
      ['\\d83d', '42601'],
      ['\\dc00', '42601'],
      ['\\q', '42601'],
      ['\\0000', '22023'],
    ])
      expect(() => decoded('unistr', wrong as string)).toThrow(expect.objectContaining({ code }));
  });

  it('is refused where a pattern would take memory without end', () => {
    expect(like('ab', `a${'%'.repeat(5000)}b`)).toBe(true);
    expect(() => like('a', '%a'.repeat(3_000_000))).toThrow(expect.objectContaining({ code: '54000' }));
  });
});

describe('functions on characters of two units', () => {
  it.each([
    ['btrim', ['\u{1f600}\u{1f600}ax\u{1f600}b\u{1f600}a', '\u{1f600}a'], 'x\u{1f600}b'],
    ['rtrim', ['\u{1f600}\u{1f600}', '\u{1f600}'], ''],
    ['ltrim', ['abc', 'cba'], ''],
    ['rtrim', ['ab\u00e9', '\u00e9'], 'ab'],
    ['split_part', ['aXXXbXXc', 'XX', 2], 'Xb'],
    ['split_part', ['aXXXbXXc', 'XX', -2], 'Xb'],
    ['split_part', ['aXXXbXXc', 'XX', -3], 'a'],
    ['split_part', ['aXXXbXXc', 'XX', -4], ''],
    ['split_part', ['aXXXbXXc', 'XX', 4], ''],
    ['split_part', ['a,b,', ',', -1], ''],
  ] as const)('%s of %j', (name, args, expected) => {
    expect(call(name, ...args)).toBe(expected);
  });
});
