/** How much values take in memory: a guess by their form, as V8 lays them out, which costs a walk through them. */
import { type PlainObject, isObject } from './order.js';

/** An object or an array without what is in it, a field or an item, a text without its characters, a box for a value. */
const OBJECT_BYTES = 32;
/** What a list takes for each item. */
export const SLOT_BYTES = 8;
const TEXT_BYTES = 16;
const BOX_BYTES = 64;

/** What a value takes beside the slot that it stands in; a part that stands in it twice counts twice. */
export function memoryBytes(value: unknown): number {
  if (typeof value === 'string') return TEXT_BYTES + value.length;
  if (typeof value !== 'object' || value === null) return typeof value === 'number' ? SLOT_BYTES : 0;
  if (Array.isArray(value)) {
    let bytes = OBJECT_BYTES + SLOT_BYTES * value.length;
    for (const item of value) bytes += memoryBytes(item);
    return bytes;
  }
  if (Object.getPrototypeOf(value) === Object.prototype || isObject(value)) return documentBytes(value as PlainObject);
  return BOX_BYTES + (value instanceof Uint8Array ? value.length : 0);
}

/** The same of a document. */
export function documentBytes(document: PlainObject): number {
  let bytes = OBJECT_BYTES;
  for (const name of Object.keys(document)) bytes += SLOT_BYTES + memoryBytes(document[name]);
  return bytes;
}
