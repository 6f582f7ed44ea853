/**
 * xml: text that is checked for being well-formed and then kept as it was given. What it has to be, a document or any
 * content, the session says (`xmloption`). Its output leaves out the encoding of its declaration; casts to text do not.
 */
import { textIn } from '../functions/encodings.js';
import { readXml } from '../xml/check.js';
import { outputXml, readDeclaration } from '../xml/declaration.js';
import { TEXT_STORAGE, builtinType } from './base-type.js';
import { TypeOid } from './type-oids.js';
import type { SqlType, TypeContext } from './type.js';
import { getText } from './wire.js';

/** Bytes at the head of a value in which its encoding is looked for. */
const DECLARATION_BYTES_MAX = 256;

/** The text as a value: 2200M and 2200N where it is none. */
export function xmlOf(text: string, context: TypeContext): string {
  readXml(text, context.xmlOption);
  return text;
}

/** The encoding that the bytes say they are in; UTF-8 where they say nothing. */
function encodingOf(bytes: Uint8Array, start: number, end: number): string {
  const head = Buffer.from(bytes.subarray(start, Math.min(end, start + DECLARATION_BYTES_MAX))).toString('latin1');
  return /^<\?xml\s[^>]*\bencoding\s*=/.test(head) ? (readDeclaration(head).encoding ?? 'UTF8') : 'UTF8';
}

export const xmlType: SqlType = builtinType<string>(TypeOid.xml, {
  storage: TEXT_STORAGE,
  input: (text, _typmod, context) => xmlOf(text, context),
  output: outputXml,
  receive: (bytes, start, end, _typmod, context) => {
    const encoding = encodingOf(bytes, start, end);
    const plain = encoding.toLowerCase() === 'utf-8' || encoding === 'UTF8';
    return xmlOf(plain ? getText(bytes, start, end) : textIn(encoding, bytes.subarray(start, end)), context);
  },
  compare: undefined,
});
