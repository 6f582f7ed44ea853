/** The parser of XML: what it tells of a text, what it refuses, and that no text makes it hang or grow. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  XML_DEPTH_MAX,
  XML_EXPANSION_CHARACTERS_MAX,
  type XmlHandler,
  parseContent,
  parseDocument,
} from '../../src/xml/parser.js';
import { XmlSyntaxError } from '../../src/xml/syntax-error.js';

/** The parts of a text as a list. */
function parts(text: string, parse: typeof parseContent = parseContent): string[] {
  const found: string[] = [];
  const handler: XmlHandler = {
    start: (name, attributes) => {
      found.push(`<${[name, ...attributes.map((one) => `${one.name}=${JSON.stringify(one.value)}`)].join(' ')}>`);
    },
    end: () => found.push('</>'),
    text: (data) => found.push(data),
    cdata: (data) => found.push(`[${data}]`),
    comment: (data) => found.push(`!${data}`),
    instruction: (target, data) => found.push(`?${target} ${data}`),
  };
  parse(text, handler);
  return found;
}

function complaint(text: string, parse: typeof parseContent = parseDocument): string {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof XmlSyntaxError) return error.message;
    throw error;
  }
  return 'none';
}

describe('what is told', () => {
  it('has elements, attributes, texts and what stands between them', () => {
    expect(parts('a<b c="1" d=\'"\'>x<e/><!--y--><?z w?><![CDATA[<&]]></b>')).toEqual([
      'a',
      '<b c="1" d="\\"">',
      'x',
      '<e>',
      '</>',
      '!y',
      '?z w',
      '[<&]',
      '</>',
    ]);
  });
  it('has references resolved, white space of attributes and line ends normalised', () => {
    expect(parts('<a b="x\n&#10;&lt;&quot;">&amp;&#x41;\r\n\r</a>')).toEqual([
      '<a b="x \\n<\\"">',
      '&',
      'A',
      '\n\n',
      '</>',
    ]);
  });
  it('has entities and defaults of attributes that the text declares', () => {
    const type =
      '<!DOCTYPE a [<!ENTITY e "<b>&f;</b>"><!ENTITY f "x&#38;lt;"><!ATTLIST a c CDATA "d" e CDATA #IMPLIED>]>';
    expect(parts(`${type}<a>&e;</a>`, parseDocument)).toEqual(['<a c="d">', '<b>', 'x', '<', '</>', '</>']);
  });
  it('has nothing of external entities', () => {
    const type = '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>';
    expect(parts(`${type}<a b="&e;">&e;</a>`, parseDocument)).toEqual(['<a b="">', '</>']);
  });
  it('goes by a subset that it does not read', () => {
    expect(complaint('<!DOCTYPE a SYSTEM "a.dtd"><a>&nbsp;</a>')).toBe('none');
    expect(complaint('<a>&nbsp;</a>')).toBe("Entity 'nbsp' not defined");
  });
});

describe('limits', () => {
  const nested = (depth: number): string => '<a>'.repeat(depth) + '</a>'.repeat(depth);
  it('allow elements in one another to a depth', () => {
    expect(complaint(nested(XML_DEPTH_MAX))).toBe('none');
    expect(complaint(nested(XML_DEPTH_MAX + 1))).toMatch(/^Excessive depth/);
    expect(complaint('<!DOCTYPE a [<!ENTITY e "<b><b/></b>">]>' + nested(XML_DEPTH_MAX).replace('><', '>&e;<'))).toBe(
      'none',
    );
  });
  it('refuse entities that refer to themselves, in texts and in attributes', () => {
    const type = '<!DOCTYPE a [<!ENTITY e "&f;"><!ENTITY f "&e;">]>';
    expect(complaint(`${type}<a>&e;</a>`)).toBe('Detected an entity reference loop');
    expect(complaint(`${type}<a b="&e;"/>`)).toBe('Detected an entity reference loop');
  });
  it('refuse entities that grow without end', () => {
    const levels = Array.from({ length: 9 }, (_, i) => `<!ENTITY e${i + 1} "${`&e${i};`.repeat(10)}">`).join('');
    const type = `<!DOCTYPE a [<!ENTITY e0 "${'x'.repeat(XML_EXPANSION_CHARACTERS_MAX / 1000)}">${levels}]>`;
    expect(complaint(`${type}<a>&e9;</a>`)).toBe('Detected an entity reference loop');
    expect(complaint(`${type}<a b="&e9;"/>`)).toBe('Detected an entity reference loop');
    expect(complaint(`${type}<a>&e2;</a>`)).toBe('none');
  });
});

it('gives the parts or a complaint for any text', () => {
  const piece = fc.constantFrom(
    '<',
    '>',
    '/',
    '!',
    '?',
    '&',
    ';',
    '#',
    'a',
    ' ',
    '"',
    '=',
    '[',
    ']',
    '-',
    'ü',
    '\u0001',
    '<a>',
    '</a>',
    '<!--',
    '-->',
    '<?',
    '?>',
    '<![CDATA[',
    ']]>',
    '<!DOCTYPE a [',
    '<!ENTITY a "b">',
    '%',
    '&a;',
    '&#1',
    '<?xml version="1.0"?>',
  );
  const told = fc.property(fc.array(piece, { maxLength: 12 }), (list) => {
    const text = list.join('');
    for (const parse of [parseContent, parseDocument]) if (complaint(text, parse) === 'none') parts(text, parse);
  });
  expect(fc.check(told, { seed: 1, numRuns: 1000 }).failed).toBe(false);
});
