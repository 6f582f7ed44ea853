/**
 * Values as index keys: bytes that sort as the order of values (order.ts). Equal numbers have equal bytes whatever their type.
 *
 *   10 null   20 NaN   21 number   30 text   40 object   50 array   60 binary   70 uuid   80 object id   90 boolean   a0 date
 *
 *   number   the double nearest to it (8 bytes, in order), then 80 where that is its value, 40 or c0 and the exact decimal
 *            where it lies below or above
 *   object   for each field its type, name and value; 00       array   its values; 00
 *   binary   length (u32), bytes
 *
 * No key is a prefix of another, and none begins with 00 or, inverted, with ff: the index keeps marks of its own there.
 */
import type { ByteWriter } from '@phantom/base';
import {
  Decimal,
  type ObjectId,
  type Uuid,
  appendKeyDecimal,
  appendKeyFloat,
  appendKeyInteger,
  appendKeyText,
} from '@phantom/codec';
import { type NumberValue, type PlainObject, Rank, compareValues, decimalOf, rankOf } from './order.js';

const NAN = 0x20;
const NUMBER = 0x21;
const END = 0x00;
const BELOW = 0x40;
const EXACT = 0x80;
const ABOVE = 0xc0;

/** First byte of the keys of a rank's values. */
export function rankByte(rank: Rank): number {
  return rank * 16;
}

/** Appends a value's key; missing is null's. */
export function appendValueKey(writer: ByteWriter, value: unknown): void {
  const rank = rankOf(value);
  if (rank === Rank.Number) {
    appendNumber(writer, value as NumberValue);
    return;
  }
  writer.u8(rankByte(rank));
  switch (rank) {
    case Rank.Text:
      appendKeyText(writer, value as string);
      return;
    case Rank.Object: {
      const object = value as PlainObject;
      for (const key of Object.keys(object)) {
        writer.u8(rankByte(rankOf(object[key])));
        appendKeyText(writer, key);
        appendValueKey(writer, object[key]);
      }
      writer.u8(END);
      return;
    }
    case Rank.Array:
      for (const item of value as readonly unknown[]) appendValueKey(writer, item);
      writer.u8(END);
      return;
    case Rank.Binary: {
      const bytes = value as Uint8Array;
      writer.u32BE(bytes.length);
      writer.bytes(bytes);
      return;
    }
    case Rank.Uuid:
      writer.bytes(Buffer.from((value as Uuid).text.replaceAll('-', ''), 'hex'));
      return;
    case Rank.ObjectId:
      writer.bytes((value as ObjectId).bytes);
      return;
    case Rank.Boolean:
      writer.u8(value === true ? 1 : 0);
      return;
    case Rank.Date:
      appendKeyInteger(writer, (value as Date).getTime());
      return;
    case Rank.Regex:
      appendKeyText(writer, String(value));
      return;
    default:
  }
}

function appendNumber(writer: ByteWriter, value: NumberValue): void {
  const double = typeof value === 'number' ? value : Number(value);
  if (Number.isNaN(double)) {
    writer.u8(NAN);
    return;
  }
  writer.u8(NUMBER);
  appendKeyFloat(writer, double);
  const side = typeof value === 'number' ? 0 : compareValues(value, double);
  if (side === 0) {
    writer.u8(EXACT);
  } else {
    writer.u8(side < 0 ? BELOW : ABOVE);
    appendKeyDecimal(writer, value instanceof Decimal ? value : decimalOf(value));
  }
}
