import type { PhantomError } from '@phantom/base';
import { describe, expect, it } from 'vitest';
import { copySettings } from '../../src/copy/copy-options.js';
import type { Copy } from '../../src/text/ast-session.js';
import { parseScript } from '../../src/text/parse.js';

const settingsOf = (options: string) => copySettings(parseScript(`copy t ${options}`)[0]?.node as Copy, 'UTF8');

describe('the options of COPY', () => {
  it.each([
    ['from stdin', { format: 'text', delimiter: '\t', nullText: '\\N', header: 'none' }],
    ['from stdin (format csv)', { format: 'csv', delimiter: ',', nullText: '', quote: '"', escape: '"' }],
    ['from stdin (format binary, header false)', { format: 'binary', header: 'none' }],
    [
      "from stdin (format csv, header match, delimiter ';', null '-')",
      { header: 'match', delimiter: ';', nullText: '-' },
    ],
    ["to stdout (format csv, header, quote '''')", { header: 'skip', quote: "'", escape: "'" }],
    ["to stdout (format csv, header off, escape '!')", { header: 'none', quote: '"', escape: '!' }],
    ["from stdin (header 1, freeze on, encoding 'UTF8')", { header: 'skip' }],
    ['from stdin (header 0)', { header: 'none' }],
    ['to stdout (format csv, force_quote *)', { forceQuote: '*' }],
    ['to stdout (format csv, force_quote (a, b))', { forceQuote: [{ text: 'a' }, { text: 'b' }] }],
    [
      'from stdin (format csv, force_null (a), force_not_null (b))',
      { forceNull: [{ text: 'a' }], forceNotNull: [{ text: 'b' }] },
    ],
    [
      "from stdin with csv header quote as '~' delimiter as '|'",
      { format: 'csv', header: 'skip', quote: '~', delimiter: '|' },
    ],
  ])('read %s', (text, expected) => {
    expect(settingsOf(text)).toMatchObject(expected);
  });

  it.each([
    ['from stdin (compression 9)', '42601', 'option "compression" not recognized'],
    ['from stdin (format csv, format text)', '42601', 'conflicting or redundant options'],
    ['from stdin (format xml)', '22023', 'COPY format "xml" not recognized'],
    ["from stdin (format binary, delimiter ',')", '42601', 'cannot specify DELIMITER in BINARY mode'],
    ["from stdin (format binary, null '')", '42601', 'cannot specify NULL in BINARY mode'],
    ['from stdin (format binary, header)', '0A000', 'cannot specify HEADER in BINARY mode'],
    ["from stdin (encoding 'sjis')", '0A000', 'COPY in the encoding "sjis" is not supported'],
    ["from stdin (encoding 'nosuch')", '22023', 'argument to option "encoding" must be a valid encoding name'],
    ["from stdin (delimiter 'ab')", '0A000', 'COPY delimiter must be a single one-byte character'],
    ["from stdin (delimiter '\u00e9')", '0A000', 'COPY delimiter must be a single one-byte character'],
    ["from stdin (delimiter E'\\n')", '22023', 'COPY delimiter cannot be newline or carriage return'],
    ["from stdin (null E'\\r')", '22023', 'COPY null representation cannot use newline or carriage return'],
    ["from stdin (delimiter 'x')", '22023', 'COPY delimiter cannot be "x"'],
    ["from stdin (delimiter ',', null 'a,b')", '0A000', 'COPY delimiter must not appear in the NULL specification'],
    ["from stdin (quote '''')", '0A000', 'COPY quote available only in CSV mode'],
    ["from stdin (escape '!')", '0A000', 'COPY escape available only in CSV mode'],
    ["from stdin (format csv, quote 'ab')", '0A000', 'COPY quote must be a single one-byte character'],
    ["from stdin (format csv, escape 'ab')", '0A000', 'COPY escape must be a single one-byte character'],
    ['to stdout (force_quote *)', '0A000', 'COPY force quote available only in CSV mode'],
    ['from stdin (format csv, force_quote *)', '0A000', 'COPY force quote only available using COPY TO'],
    ['to stdout (format csv, force_not_null (a))', '0A000', 'COPY force not null only available using COPY FROM'],
    ['to stdout (format csv, force_null (a))', '0A000', 'COPY force null only available using COPY FROM'],
    ["from stdin (format csv, delimiter '\"')", '22023', 'COPY delimiter and quote must be different'],
    ["from stdin (format csv, null 'a\"')", '0A000', 'CSV quote character must not appear in the NULL specification'],
    ['to stdout (format csv, header match)', '42601', 'cannot use "match" with HEADER in COPY TO'],
    ['from stdin (header maybe)', '42601', 'header requires a Boolean value or "match"'],
    ['from stdin (freeze 2)', '42601', 'freeze requires a Boolean value'],
  ])('refuse %s', (text, code, message) => {
    let error: PhantomError | undefined;
    try {
      settingsOf(text);
    } catch (caught) {
      error = caught as PhantomError;
    }
    expect(error).toMatchObject({ code, message });
  });
});
