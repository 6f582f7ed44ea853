/**
 * Keys that rows and documents share: what of a document stands for a value of a column, and the other way round. A column of text has
 * the ids that are no text in the form in which SQL shows them.
 *
 *   text, varchar          string, object id, UUID        integers, numeric, double   numbers that are equal
 *   uuid                   UUID, string                    boolean                     boolean
 *   jsonb                  the value itself
 */
import { unsupportedError } from '@phantom/base';
import type { ColumnDescriptor } from '@phantom/catalog';
import { Decimal, type DocumentValue, Jsonb, ObjectId, Uuid, canonicalInteger } from '@phantom/codec';
import { TypeOid } from '../types/type-oids.js';
import type { Value } from '../types/type.js';

const HEX_ID = /^[0-9a-f]{24}$/;
const UUID_TEXT = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const INTEGER_BITS: Readonly<Record<number, number>> = { [TypeOid.int2]: 16, [TypeOid.int4]: 32, [TypeOid.int8]: 64 };
const TYPES: ReadonlySet<number> = new Set([
  TypeOid.text,
  TypeOid.varchar,
  TypeOid.int2,
  TypeOid.int4,
  TypeOid.int8,
  TypeOid.numeric,
  TypeOid.float8,
  TypeOid.bool,
  TypeOid.uuid,
  TypeOid.jsonb,
]);

/** 0A000 for a column whose values no document has. */
export function requireDocumentKey({ name, type }: ColumnDescriptor): void {
  if (!TYPES.has(type.oid)) throw unsupportedError(`a reference between documents and the column ${name} of its type`);
}

/** The values of documents that stand for a column's value, which is not null. */
export function documentKeys({ type }: ColumnDescriptor, value: Value): readonly DocumentValue[] {
  if (value instanceof Jsonb) return [value.plain()];
  const text = value as string;
  switch (type.oid) {
    case TypeOid.uuid:
      return [new Uuid(text), text];
    case TypeOid.text:
    case TypeOid.varchar: {
      if (HEX_ID.test(text)) return [text, ObjectId.fromHex(text)];
      return UUID_TEXT.test(text) ? [text, new Uuid(text)] : [text];
    }
    default:
      return [value as DocumentValue];
  }
}

/** The column's value that stands for one of a document; undefined: there is none. */
export function columnKey({ type }: ColumnDescriptor, value: unknown): Value | undefined {
  const bits = INTEGER_BITS[type.oid];
  if (bits !== undefined) return integerKey(value, bits);
  switch (type.oid) {
    case TypeOid.jsonb:
      return Jsonb.of(value as DocumentValue);
    case TypeOid.bool:
      return typeof value === 'boolean' ? value : undefined;
    case TypeOid.uuid:
      return uuidKey(value);
    case TypeOid.numeric:
      return decimalKey(value);
    case TypeOid.float8:
      return value instanceof Decimal || typeof value === 'bigint' ? doubleKey(value) : numberKey(value);
    default:
      if (typeof value === 'string') return value;
      return value instanceof ObjectId || value instanceof Uuid ? value.toString() : undefined;
  }
}

function integerKey(value: unknown, bits: number): Value | undefined {
  const decimal = decimalKey(value);
  if (decimal === undefined || !decimal.isFinite() || !decimal.trunc().equals(decimal)) return undefined;
  const whole = BigInt(decimal.toInteger());
  return whole === BigInt.asIntN(bits, whole) ? canonicalInteger(whole) : undefined;
}

function decimalKey(value: unknown): Decimal | undefined {
  if (value instanceof Decimal) return value;
  if (typeof value !== 'number' && typeof value !== 'bigint') return undefined;
  return Decimal.fromString(String(value));
}

/** The double that is equal to the number, if there is one. */
function doubleKey(value: Decimal | bigint): number | undefined {
  const near = Number(String(value));
  return Number.isFinite(near) && decimalKey(near)?.equals(decimalKey(value) as Decimal) === true ? near : undefined;
}

function numberKey(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function uuidKey(value: unknown): string | undefined {
  if (value instanceof Uuid) return value.toString();
  return typeof value === 'string' && UUID_TEXT.test(value.toLowerCase()) ? value.toLowerCase() : undefined;
}
