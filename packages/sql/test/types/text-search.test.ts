import { ByteWriter } from '@phantom/base';
import { expect, it } from 'vitest';
import { tsqueryType, tsvectorType } from '../../src/types/text-search-types.js';
import type { SqlType } from '../../src/types/type.js';
import { testContext } from '../context.js';

const context = testContext({});

function sent(type: SqlType, text: string): string {
  const writer = new ByteWriter();
  type.send(type.input(text, -1, context), writer, context);
  return Buffer.from(writer.take()).toString('hex');
}

function received(type: SqlType, hex: string): unknown {
  const bytes = Buffer.from(hex, 'hex');
  return type.receive(bytes, 0, bytes.length, -1, context);
}

it('sends and receives vectors and queries as PostgreSQL does', () => {
  const vector = '0000000261000002c0010003622063000000';
  expect(sent(tsvectorType, "a:1A,3 'b c'")).toBe(vector);
  expect(received(tsvectorType, vector)).toBe("'a':1A,3 'b c'");
  const query = '00000008020302040003010000640001000063000202020101090162000100006100';
  expect(sent(tsqueryType, 'a & !b:*AD | c <3> d')).toBe(query);
  expect(received(tsqueryType, query)).toBe("'a' & !'b':*AD | 'c' <3> 'd'");
  for (const type of [tsvectorType, tsqueryType]) {
    expect(sent(type, '')).toBe('00000000');
    expect(received(type, '00000000')).toBe('');
  }
});

it('refuses messages that are no vector and no query', () => {
  const bad = { code: '22P03' };
  for (const hex of ['', '00000001', '0000000161', '000000016100', '0000000161000001', '00000000ff', '000000010000'])
    expect(() => received(tsvectorType, `${hex}`), hex).toThrow(expect.objectContaining(bad));
  // Places that do not ascend.
  expect(() => received(tsvectorType, '0000000161000002c002c001')).toThrow(expect.objectContaining(bad));
  for (const hex of [
    '',
    '00000001',
    '0000000103',
    '000000010201',
    '00000002020161',
    '0000000101100061',
    '000000020101006100',
    '0000000201000061000100006100',
    '00000001020500',
  ])
    expect(() => received(tsqueryType, hex), hex).toThrow(expect.objectContaining(bad));
});

it('keeps vectors and queries within their limits', () => {
  const vector = (text: string): unknown => tsvectorType.input(text, -1, context);
  const query = (text: string): unknown => tsqueryType.input(text, -1, context);
  expect(vector(`a:${Array.from({ length: 300 }, (_, i) => i + 1).join(',')}`)).toMatch(/,255$/);
  expect(vector('a:99999,16383A,70000')).toBe("'a':16383A");
  expect(vector('x'.repeat(2046))).toHaveLength(2048);
  expect(() => vector('é'.repeat(1024))).toThrow(expect.objectContaining({ code: '54000' }));
  expect(() => query('é'.repeat(1024))).toThrow(expect.objectContaining({ code: '54000' }));
  const words = Array.from({ length: 530 }, (_, i) => String(i).padStart(2000, 'w')).join(' ');
  expect(() => vector(words)).toThrow(expect.objectContaining({ code: '54000' }));
  expect(query(Array(4096).fill('a').join('&'))).toHaveLength(4096 * 3 + 4095 * 3);
  expect(() => query(Array(4097).fill('a').join('&'))).toThrow(expect.objectContaining({ code: '54000' }));
  for (const text of [`${'('.repeat(5000)}a`, `${'!'.repeat(5000)}a`])
    expect(() => query(text)).toThrow(expect.objectContaining({ code: '54001' }));
});
