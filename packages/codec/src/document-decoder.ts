/**
 * Document bytes to plain objects, fast. An object that names its structure is made by the function of that structure
 * (document-structure.ts). Others of a collection are mostly alike, too, so the decoder learns their shapes: once an object
 * has had keys for which it knows no shape some times, it compiles functions that make an object of those keys at once, and hold
 * its bytes against those of the keys (document-shape.ts). Other objects are put together field by field, their keys out of a
 * table, as strings that JavaScript has interned already. Chosen fields are decoded alone: the others are stepped over by
 * the table of ends.
 *
 * Both tables are direct-mapped: what falls on another's place may take it. Bytes are compared, so a wrong place costs time and never a
 * wrong key. `__proto__` is a field like others.
 */
import { readU16, readU32, varintBytes } from '@phantom/base';
import { DOCUMENT_DEPTH_MAX, Tag, hasEntries, hasStructure, kindOfTag } from './document-format.js';
import { type DocumentValue, entryStart, nodeCount, nodeEnd, scalarValue, storedKey } from './document-reader.js';
import { type DocumentStructure, STRUCTURE_NAME_BYTES, structureAt } from './document-structure.js';
import { type NodeReader, type ObjectShape, compileShape } from './document-shape.js';
import { corruptValue } from './storage.js';
import { readUtf8 } from './text-bytes.js';
import { checkedVarint, readI16, readI32 } from './value-bytes.js';

const SLOTS = 1024;
/** Longer keys are decoded each time. */
const KEY_BYTES_MAX = 64;
const SHAPE_SLOTS = 256;
/** Objects without their shape in its place before it is compiled. Compiling costs as much as some dozens of them. */
const MISSES_MAX = 32;
/** Shapes compiled by one decoder, those counted that lost their places. */
const SHAPES_MAX = 2048;

interface KnownKey {
  readonly bytes: Uint8Array;
  readonly text: string;
}

export class DocumentDecoder {
  private readonly slots: (KnownKey | undefined)[] = new Array<KnownKey | undefined>(SLOTS).fill(undefined);

  private readonly shapes: (ObjectShape | undefined)[] = new Array<ObjectShape | undefined>(SHAPE_SLOTS).fill(
    undefined,
  );
  /** By place of a shape: objects that had another since it was met last. */
  private readonly misses = new Uint8Array(SHAPE_SLOTS);
  private shapesLeft = SHAPES_MAX;
  private readonly selections = new WeakMap<readonly Uint8Array[], FieldSelection>();
  /** Values of the objects being decoded, those of the innermost last. */
  private readonly values: DocumentValue[] = [];
  private valuesUsed = 0;
  private readonly readNode: NodeReader = (bytes, at, end, depth) => this.node(bytes, at, end, depth);

  /** The node at `at` as a value, objects as plain ones. XX001 for bytes that no writer made. */
  decode(bytes: Uint8Array, at: number, end: number): DocumentValue {
    this.valuesUsed = 0;
    return this.node(bytes, at, end, 0);
  }

  private node(bytes: Uint8Array, at: number, end: number, depth: number): DocumentValue {
    const tag = at < end ? (bytes[at] as number) : Tag.ArrayOverWide + 1;
    if (tag >= Tag.SmallInteger) return tag - Tag.SmallInteger;
    if (tag >= Tag.ShortString && tag < Tag.Structured) {
      const to = at + 1 + tag - Tag.ShortString;
      if (to > end) throw corruptValue('a document node ends outside its document');
      return readUtf8(bytes, at + 1, to);
    }
    if (tag === Tag.Int16 && at + 3 <= end) return readI16(bytes, at + 1);
    if (tag === Tag.Int32 && at + 5 <= end) return readI32(bytes, at + 1);
    if (!hasEntries(tag)) return scalarValue(bytes, at, end);
    if (depth >= DOCUMENT_DEPTH_MAX) throw corruptValue('a document nested too deep');
    if (hasStructure(tag)) return this.structured(bytes, at, end, depth);
    const to = nodeEnd(bytes, at, end);
    const count = nodeCount(bytes, at, to);
    const width = (tag & 1) === 0 ? 2 : 4;
    const table = at + 1 + varintBytes(count);
    if (kindOfTag(tag) === 'object') return this.object(bytes, table, width, count, to, depth);
    const data = table + count * width;
    const items: DocumentValue[] = [];
    let from = data;
    for (let i = 0; i < count; i++) {
      items.push(this.node(bytes, from, to, depth + 1));
      from = data + (width === 2 ? readU16(bytes, table + 2 * i) : readU32(bytes, table + 4 * i));
    }
    return items;
  }

  /** The object at `at`, whose keys are its structure's. */
  private structured(bytes: Uint8Array, at: number, end: number, depth: number): DocumentValue {
    const structure = structureAt(bytes, at, end);
    const { names, read } = structure;
    const table = at + 1 + STRUCTURE_NAME_BYTES;
    const count = names.length;
    if (read !== undefined && bytes[at] === Tag.Structured) {
      const data = table + 2 * count;
      const to = data <= end ? data + readU16(bytes, data - 2) : end + 1;
      if (to > end) throw corruptValue('a document node ends outside its document');
      return read(bytes, table, data, to, depth + 1, this.readNode);
    }
    const to = nodeEnd(bytes, at, end);
    const object: { [key: string]: DocumentValue } = {};
    for (let i = 0; i < count; i++) {
      put(object, names[i] as string, this.node(bytes, entryStart(bytes, at, to, count, i), to, depth + 1));
    }
    structure.wasRead();
    return object;
  }

  /** The object whose table of ends is at `table`. */
  private object(
    bytes: Uint8Array,
    table: number,
    width: number,
    count: number,
    to: number,
    depth: number,
  ): DocumentValue {
    const data = table + count * width;
    const slot = shapeSlot(bytes, data, to, count);
    const shape = this.shapes[slot];
    const { values, valuesUsed: base } = this;
    if (width === 2 && shape?.read !== undefined && shape.keys.length === count) {
      const object = shape.read(bytes, table, data, to, depth + 1, this.readNode);
      if (object !== undefined) {
        this.misses[slot] = 0;
        return object;
      }
    }
    let from = data;
    let met = 0;
    if (shape !== undefined && shape.keys.length === count) {
      this.valuesUsed = base + count;
      for (; met < count; met++) {
        const key = shape.keys[met] as Uint8Array;
        if (!equalAt(bytes, from, key)) break;
        values[base + met] = this.node(bytes, from + key.length, to, depth + 1);
        from = data + (width === 2 ? readU16(bytes, table + 2 * met) : readU32(bytes, table + 4 * met));
      }
      this.valuesUsed = base;
      if (met === count) {
        this.misses[slot] = 0;
        return shape.make(values, base);
      }
    }
    const object: { [key: string]: DocumentValue } = {};
    for (let i = 0; i < met; i++) put(object, shape?.names[i] as string, values[base + i] as DocumentValue);
    for (let i = met; i < count; i++) {
      const length = from < to ? (bytes[from] as number) : 0x80;
      const key = length <= KEY_BYTES_MAX ? this.key(bytes, from, length, to) : storedKey(bytes, from, to);
      const skip = length <= KEY_BYTES_MAX ? 1 + length : longKeyBytes(bytes, from, to);
      put(object, key, this.node(bytes, from + skip, to, depth + 1));
      from = data + (width === 2 ? readU16(bytes, table + 2 * i) : readU32(bytes, table + 4 * i));
    }
    this.missed(slot, object, count);
    return object;
  }

  /** An object had to be put together: if that goes on, the place is for its shape. */
  private missed(slot: number, object: { [key: string]: DocumentValue }, count: number): void {
    const misses = (this.misses[slot] as number) + 1;
    this.misses[slot] = misses;
    if (misses < MISSES_MAX || this.shapesLeft === 0) return;
    this.misses[slot] = 0;
    const names = Object.keys(object);
    const shape = names.length === count ? compileShape(names) : undefined;
    if (shape === undefined) return;
    this.shapesLeft--;
    this.shapes[slot] = shape;
  }

  /**
   * An object with those of its top-level fields whose UTF-8 is among `keys`, in the document's order. Reads no other field. Whoever asks
   * again with the same `keys`, the same array, has it faster.
   */
  decodeFields(bytes: Uint8Array, at: number, end: number, keys: readonly Uint8Array[]): DocumentValue {
    const tag = bytes[at] as number;
    let selection = this.selections.get(keys);
    if (selection === undefined) {
      selection = new FieldSelection(keys);
      this.selections.set(keys, selection);
    }
    if (hasStructure(tag)) return this.structuredFields(bytes, at, end, selection);
    const to = nodeEnd(bytes, at, end);
    if (kindOfTag(tag) !== 'object') return {};
    const { values } = this;
    const { met } = selection;
    const count = nodeCount(bytes, at, to);
    const width = (tag & 1) === 0 ? 2 : 4;
    const table = at + 1 + varintBytes(count);
    const data = table + count * width;
    let from = data;
    let found = 0;
    this.valuesUsed = keys.length;
    for (let i = 0; i < count && found < keys.length; i++) {
      const length = checkedVarint(bytes, from, to);
      const keyAt = from + varintBytes(length);
      for (let k = 0; k < keys.length; k++) {
        const wanted = keys[k] as Uint8Array;
        if (wanted.length !== length || !equalAt(bytes, keyAt, wanted)) continue;
        met[found] = k;
        values[found++] = this.node(bytes, keyAt + length, to, 1);
        break;
      }
      from = data + (width === 2 ? readU16(bytes, table + 2 * i) : readU32(bytes, table + 4 * i));
    }
    return selection.objectOf(values, found);
  }

  /** As decodeFields, of an object whose keys are its structure's. */
  private structuredFields(bytes: Uint8Array, at: number, end: number, selection: FieldSelection): DocumentValue {
    const structure = structureAt(bytes, at, end);
    const order = selection.fieldsOf(structure);
    const { values } = this;
    const { met, positions } = selection;
    const isNarrow = bytes[at] === Tag.Structured;
    const table = at + 1 + STRUCTURE_NAME_BYTES;
    const data = table + structure.names.length * (isNarrow ? 2 : 4);
    this.valuesUsed = order.length;
    for (let i = 0; i < order.length; i++) {
      const position = positions[i] as number;
      let from = data;
      if (position > 0)
        from += isNarrow ? readU16(bytes, table + 2 * position - 2) : readU32(bytes, table + 4 * position - 4);
      met[i] = order[i] as number;
      values[i] = this.node(bytes, from, end, 1);
    }
    return selection.objectOf(values, order.length);
  }

  private key(bytes: Uint8Array, at: number, length: number, end: number): string {
    const from = at + 1;
    if (from + length > end) throw corruptValue('a document key ends outside its document');
    let hash = length;
    if (length > 0) {
      hash += (bytes[from] as number) * 31 + (bytes[from + length - 1] as number) * 131;
      hash += (bytes[from + (length >> 1)] as number) * 17;
    }
    const slot = hash & (SLOTS - 1);
    const known = this.slots[slot];
    if (known !== undefined && known.bytes.length === length && equalAt(bytes, from, known.bytes)) return known.text;
    const text = readUtf8(bytes, from, from + length);
    this.slots[slot] = { bytes: bytes.slice(from, from + length), text };
    return text;
  }
}

/** Fields that are asked of many documents, and the shape of what most of them have of these. */
class FieldSelection {
  /** Of the document being read: which of the fields were met, in its order. */
  readonly met: number[] = [];
  private readonly names: readonly string[];
  /** As `met`, of the documents that have the shape. */
  private order: readonly number[] = [];
  private shape: ObjectShape | undefined = undefined;
  private misses = 0;
  private readonly keys: readonly Uint8Array[];
  /** Of the structure that was asked for last: which of the fields it has, in its order, and where they are. */
  private structure: DocumentStructure | undefined = undefined;
  private structureFields: readonly number[] = [];
  positions: readonly number[] = [];

  constructor(keys: readonly Uint8Array[]) {
    this.keys = keys;
    this.names = keys.map((key) => readUtf8(key, 0, key.length));
  }

  /** Which of the fields objects of the structure have, in its order; where they are is in `positions`. */
  fieldsOf(structure: DocumentStructure): readonly number[] {
    if (structure !== this.structure) {
      const places = this.keys.map((key, field) => ({ field, position: structure.positionOf(key) }));
      const found = places.filter(({ position }) => position >= 0).sort((a, b) => a.position - b.position);
      this.structureFields = found.map(({ field }) => field);
      this.positions = found.map(({ position }) => position);
      this.structure = structure;
    }
    return this.structureFields;
  }

  /** The object of the `found` fields in `met`, whose values come first in `values`. */
  objectOf(values: readonly DocumentValue[], found: number): { [key: string]: DocumentValue } {
    const { shape, met, names } = this;
    if (shape !== undefined && this.isInOrder(found)) return shape.make(values, 0);
    const object: { [key: string]: DocumentValue } = {};
    for (let i = 0; i < found; i++) put(object, names[met[i] as number] as string, values[i] as DocumentValue);
    if (shape === undefined && ++this.misses === MISSES_MAX) {
      this.order = met.slice(0, found);
      this.shape = compileShape(this.order.map((k) => names[k] as string));
    }
    return object;
  }

  private isInOrder(found: number): boolean {
    const { met, order } = this;
    if (found !== order.length) return false;
    for (let i = 0; i < found; i++) if (met[i] !== order[i]) return false;
    return true;
  }
}

function put(object: { [key: string]: DocumentValue }, key: string, value: DocumentValue): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
  } else {
    object[key] = value;
  }
}

/** Where the shape of an object is looked for: by its first key and how many it has. */
function shapeSlot(bytes: Uint8Array, at: number, end: number, count: number): number {
  if (at + 1 >= end) return 0;
  const length = bytes[at] as number;
  return (length * 7 + (bytes[at + 1] as number) * 31 + (bytes[at + 2] as number) * 3 + count * 61) & (SHAPE_SLOTS - 1);
}

function longKeyBytes(bytes: Uint8Array, at: number, end: number): number {
  const length = checkedVarint(bytes, at, end);
  return varintBytes(length) + length;
}

function equalAt(bytes: Uint8Array, at: number, other: Uint8Array): boolean {
  for (let i = 0; i < other.length; i++) if (bytes[at + i] !== other[i]) return false;
  return true;
}
