/** How much values take in memory: a guess by their form, as V8 lays them out, which costs a walk through them. It ends where that is too long. */
import { type PlainObject, isObject } from './order.js';

/** An object or an array without what is in it, a field or an item, a text without its characters, a box for a value. */
export const OBJECT_BYTES = 32;
/** What a list takes for each item. */
export const SLOT_BYTES = 8;
export const TEXT_BYTES = 16;
const BOX_BYTES = 64;

/** What a value takes beside the slot that it stands in; a part that stands in it twice counts twice. Past `most` it is some number above that. */
export function memoryBytes(value: unknown, most = Number.POSITIVE_INFINITY): number {
  if (typeof value === 'string') return TEXT_BYTES + value.length;
  if (typeof value !== 'object' || value === null) return typeof value === 'number' ? SLOT_BYTES : 0;
  if (Array.isArray(value)) {
    let bytes = OBJECT_BYTES + SLOT_BYTES * value.length;
    for (let i = 0; i < value.length && bytes <= most; i++) bytes += memoryBytes(value[i], most - bytes);
    return bytes;
  }
  if (Object.getPrototypeOf(value) === Object.prototype || isObject(value))
    return documentBytes(value as PlainObject, most);
  return BOX_BYTES + (value instanceof Uint8Array ? value.length : 0);
}

/** The same of a document. */
export function documentBytes(document: PlainObject, most = Number.POSITIVE_INFINITY): number {
  let bytes = OBJECT_BYTES;
  for (const name of Object.keys(document)) {
    bytes += SLOT_BYTES + memoryBytes(document[name], most - bytes);
    if (bytes > most) break;
  }
  return bytes;
}
