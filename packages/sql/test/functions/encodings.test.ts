/** Texts in other encodings than UTF-8. What each byte is was compared with PostgreSQL 15 for all encodings of one byte. */
import { PhantomError } from '@phantom/base';
import { describe, expect, it } from 'vitest';
import { bytesIn, converted, textIn } from '../../src/functions/encodings.js';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

function refusal(run: () => unknown): string {
  try {
    run();
    return 'none';
  } catch (error) {
    return error instanceof PhantomError ? `${error.code} ${error.message}` : String(error);
  }
}

describe('encodings of one byte a character', () => {
  it('are read and written, by any of their names', () => {
    expect(textIn('LATIN1', bytes(0x68, 0xe9, 0x80))).toBe('hé\u0080');
    expect(textIn('iso-8859-15', bytes(0xa4))).toBe('€');
    expect(textIn('WIN1252', bytes(0x80, 0x9f, 0xff))).toBe('€Ÿÿ');
    expect(textIn('windows-1251', bytes(0xc0))).toBe('А');
    expect([...bytesIn('KOI8R', 'ж')]).toEqual([0xd6]);
    expect([...bytesIn('LATIN5', 'ş')]).toEqual([0xfe]);
    expect([...bytesIn('WIN1252', 'a€')]).toEqual([0x61, 0x80]);
    expect([...bytesIn('SQL_ASCII', 'é')]).toEqual([0xc3, 0xa9]);
  });

  it('lack characters, and some leave bytes without one', () => {
    expect(refusal(() => bytesIn('LATIN1', 'a€'))).toBe(
      '22P05 character with byte sequence 0xe2 0x82 0xac in encoding "UTF8" has no equivalent in encoding "LATIN1"',
    );
    for (const [name, byte] of [
      ['WIN1252', 0x81],
      ['WIN1253', 0xaa],
      ['WIN874', 0xdb],
    ] as const)
      expect(refusal(() => textIn(name, bytes(byte)))).toContain(`22P05 character with byte sequence 0x`);
    expect(refusal(() => textIn('LATIN1', bytes(0)))).toBe('22021 invalid byte sequence for encoding "LATIN1": 0x00');
    expect(refusal(() => textIn('UTF8', bytes(0)))).toContain('22021');
    expect(refusal(() => textIn('UTF8', bytes(0xe9)))).toContain('22021');
  });

  it('are converted to UTF-8 and back, and to one another within a family', () => {
    expect([...converted(bytes(0xe9), 'LATIN1', 'UTF8')]).toEqual([0xc3, 0xa9]);
    expect([...converted(bytes(0xc3, 0xa9), 'unicode', 'latin1')]).toEqual([0xe9]);
    expect([...converted(bytes(0xd6), 'KOI8R', 'WIN1251')]).toEqual([0xe6]);
    expect([...converted(bytes(0xe9), 'LATIN1', 'LATIN1')]).toEqual([0xe9]);
    expect([...converted(bytes(0xe9), 'LATIN1', 'SQL_ASCII')]).toEqual([0xe9]);
    expect(refusal(() => converted(bytes(0xe9), 'LATIN1', 'WIN1252'))).toBe(
      '42883 default conversion function for encoding "LATIN1" to "WIN1252" does not exist',
    );
  });

  it('are refused by names that nobody has, and where their tables are not here', () => {
    expect(refusal(() => textIn('nonsense', bytes()))).toBe('22023 invalid source encoding name "nonsense"');
    expect(refusal(() => bytesIn('nonsense', ''))).toBe('22023 invalid destination encoding name "nonsense"');
    for (const name of ['SJIS', 'EUC_JP', 'GBK', 'BIG5', 'LATIN10'])
      expect(refusal(() => textIn(name, bytes()))).toContain('0A000');
  });
});
