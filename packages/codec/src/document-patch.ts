/**
 * Fields of a stored object changed where they lie. Most updates give single fields other values; of an object that names its structure
 * it is known where these are, so nothing else of it is taken apart or put together:
 *
 *   tag structure   end end end end    value value  VALUE  value
 *   ------------------------------------------------       -----   copied in one piece each; ends are moved by what the value grew
 *
 * Objects of other forms, and those that lack one of the fields, are left to DocumentEncoder.encodeChanged. So is one that grows
 * past what narrow ends can tell.
 */
import { readU16, writeU16 } from '@phantom/base';
import type { DocumentDecoder } from './document-decoder.js';
import type { DocumentEncoder } from './document-encoder.js';
import { Tag } from './document-format.js';
import {
  type DocumentStructure,
  STRUCTURE_NAME_BYTES,
  type StructureStore,
  structureAt,
} from './document-structure.js';
import { corruptValue } from './storage.js';

const HEAD_BYTES = 1 + STRUCTURE_NAME_BYTES;
const NARROW_BYTES_MAX = 0xffff;

/** Fields of many objects that are changed together, and where they are in the structure that was met last. */
export class FieldPlaces {
  readonly names: readonly string[];
  /** Which of the names comes first in the structure, which next; values are given in this order. */
  order: readonly number[] = [];
  /** Where they are, in the same order. */
  positions: readonly number[] = [];
  private structure: DocumentStructure | undefined = undefined;
  private isWhole = false;

  /** Each name once. */
  constructor(names: readonly string[]) {
    this.names = names;
  }

  /** Looks the fields up; false where the structure lacks one of them. */
  find(structure: DocumentStructure): boolean {
    if (structure !== this.structure) {
      const places = this.names.map((name, field) => ({ field, position: structure.positionNamed(name) }));
      places.sort((a, b) => a.position - b.position);
      this.isWhole = places.every(({ position }) => position >= 0);
      this.order = places.map(({ field }) => field);
      this.positions = places.map(({ position }) => position);
      this.structure = structure;
    }
    return this.isWhole;
  }
}

/**
 * Reads the fields of the object at [at, end) into the front of `values`, in the order of `places`; false for an object that cannot be
 * patched at them. XX001 for bytes that no writer made.
 */
export function readPlaces(
  decoder: DocumentDecoder,
  bytes: Uint8Array,
  at: number,
  end: number,
  places: FieldPlaces,
  values: unknown[],
): boolean {
  if (bytes[at] !== Tag.Structured) return false;
  const structure = structureAt(bytes, at, end);
  if (!places.find(structure)) return false;
  const table = at + HEAD_BYTES;
  const data = table + 2 * structure.names.length;
  const { positions } = places;
  for (let i = 0; i < positions.length; i++) {
    const position = positions[i] as number;
    const from = position === 0 ? data : data + readU16(bytes, table + 2 * position - 2);
    values[i] = decoder.decode(bytes, from, end);
  }
  return true;
}

/**
 * Appends [from, end), at the end of which is the object at `at` that `readPlaces` has read, with the values of `after` in the place of
 * those of `before`; what is the same in both stays as it is. False, and nothing is appended, where it gets too large. XX001 as there.
 */
export function writePatched(
  encoder: DocumentEncoder,
  bytes: Uint8Array,
  from: number,
  at: number,
  end: number,
  places: FieldPlaces,
  before: readonly unknown[],
  after: readonly unknown[],
  store: StructureStore,
): boolean {
  const { writer } = encoder;
  const { names, order, positions } = places;
  const count = structureAt(bytes, at, end).names.length;
  const table = at + HEAD_BYTES;
  const data = table + 2 * count;
  const to = data <= end ? data + readU16(bytes, data - 2) : end + 1;
  if (to > end) throw corruptValue('a document node ends outside its document');
  const start = writer.length;
  const newTable = start + table - from;
  /** What comes next of the old bytes. */
  let next = from;
  /** By how much what comes next lies farther behind. */
  let shift = 0;
  for (let i = 0; i < positions.length; i++) {
    if (Object.is(before[i], after[i])) continue;
    const position = positions[i] as number;
    const fieldAt = position === 0 ? data : data + readU16(bytes, table + 2 * position - 2);
    const fieldEnd = data + readU16(bytes, table + 2 * position);
    if (fieldAt < next || fieldEnd < fieldAt || fieldEnd > to) throw corruptValue('a field ends outside its document');
    writer.bytes(bytes, next, fieldAt);
    const valueAt = writer.length;
    encoder.encodeField(names[order[i] as number] as string, after[i], store);
    next = fieldEnd;
    const grown = writer.length - valueAt - (fieldEnd - fieldAt);
    if (grown === 0) continue;
    shift += grown;
    if (to - data + shift > NARROW_BYTES_MAX) {
      writer.length = start;
      return false;
    }
    const { buffer } = writer;
    for (let k = position; k < count; k++) {
      const place = newTable + 2 * k;
      writeU16(buffer, place, readU16(buffer, place) + grown);
    }
  }
  writer.bytes(bytes, next, end);
  return true;
}
