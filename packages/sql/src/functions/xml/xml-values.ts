/**
 * Values of SQL as text of XML (ISO 9075-14, 9.8), by type: xml stands as it is, arrays are elements named `element`, dates
 * and times have the forms of XML Schema, bytea that of `xmlbinary`; whatever else is its text, with the characters
 * escaped that mean something.
 */
import { PhantomError } from '@phantom/base';
import type { Oid } from '@phantom/catalog';
import { SqlArray } from '@phantom/codec';
import { encodeHex } from '../../types/simple-types.js';
import { TypeOid } from '../../types/type-oids.js';
import type { SqlType, Value } from '../../types/type.js';
import { outputXml } from '../../xml/declaration.js';
import { isoText } from '../json/json-values.js';
import type { EvaluationContext } from '../registry.js';

const TEXT_ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '\r': '&#x0d;' };
/** A line of base64, where another follows. */
const BASE64_LINE = /.{72}(?=.)/g;

/** A text as it stands between tags. */
export function escapeXml(text: string): string {
  return /[&<>\r]/.test(text) ? text.replaceAll(/[&<>\r]/g, (found) => TEXT_ESCAPES[found] as string) : text;
}

function baseOf(oid: Oid, context: EvaluationContext): SqlType {
  const type = context.types.byOid(oid);
  if (type === undefined) throw new PhantomError('42704', `type with oid ${oid} does not exist`);
  return type.kind === 'domain' || type.kind === 'distinct' ? baseOf(type.baseOid, context) : type;
}

function moment(value: Value, oid: Oid, context: EvaluationContext): string | undefined {
  if (oid !== TypeOid.date && oid !== TypeOid.timestamp && oid !== TypeOid.timestamptz) return undefined;
  if (typeof value === 'number' && Math.abs(value) === Number.POSITIVE_INFINITY) {
    const what = oid === TypeOid.date ? 'date' : 'timestamp';
    throw new PhantomError('22008', `${what} out of range`, {
      detail: `XML does not support infinite ${what} values.`,
    });
  }
  return isoText(value, oid, context);
}

/** A value, never null, as XML; with `escape` false the text of what is no XML already stands unescaped, for an attribute. */
export function xmlText(value: Value, oid: Oid, context: EvaluationContext, escape = true): string {
  if (value instanceof SqlArray) return arrayText(value, context);
  const type = baseOf(oid, context);
  switch (type.oid) {
    case TypeOid.xml:
      return outputXml(value as string);
    case TypeOid.bool:
      return value === true ? 'true' : 'false';
    case TypeOid.bytea: {
      const bytes = value as Uint8Array;
      if (context.setting('xmlbinary', false) === 'hex') return encodeHex(bytes).toUpperCase();
      const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
      return text.replaceAll(BASE64_LINE, '$&\r\n');
    }
    default: {
      const text = moment(value, type.oid, context) ?? type.output(value, context);
      return escape ? escapeXml(text) : text;
    }
  }
}

/** The elements of an array, nulls left out, whatever its dimensions. */
function arrayText(array: SqlArray, context: EvaluationContext): string {
  const elements = array.items.filter((item) => item !== null);
  return elements.map((item) => `<element>${xmlText(item, array.elementOid, context)}</element>`).join('');
}
