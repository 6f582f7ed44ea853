/**
 * Document bytes to plain objects, fast: keys come out of a table by their bytes, as strings that JavaScript has interned
 * already, so that making a property needs no new string and no hashing of one. Chosen fields are decoded alone: the others are
 * stepped over by the table of ends.
 *
 * The table of keys is direct-mapped: a key that falls on another's place takes it. Bytes are compared, so a wrong place
 * costs time and never a wrong key. `__proto__` is a field like others.
 */
import { readU16, readU32, varintBytes } from '@phantom/base';
import { DOCUMENT_DEPTH_MAX, Tag } from './document-format.js';
import { type DocumentValue, entryKey, nodeCount, nodeEnd, scalarValue } from './document-reader.js';
import { corruptValue } from './storage.js';
import { readUtf8 } from './text-bytes.js';
import { checkedVarint } from './value-bytes.js';

const SLOTS = 1024;
/** Longer keys are decoded each time. */
const KEY_BYTES_MAX = 64;

interface KnownKey {
  readonly bytes: Uint8Array;
  readonly text: string;
}

export class DocumentDecoder {
  private readonly slots: (KnownKey | undefined)[] = new Array<KnownKey | undefined>(SLOTS).fill(undefined);

  /** The node at `at` as a value, objects as plain ones. XX001 for bytes that no writer made. */
  decode(bytes: Uint8Array, at: number, end: number, depth = 0): DocumentValue {
    const tag = at < end ? (bytes[at] as number) : Tag.Shared;
    if (tag >= Tag.SmallInteger) return tag - Tag.SmallInteger;
    if (tag >= Tag.ShortString && tag < Tag.Shared) {
      const to = at + 1 + tag - Tag.ShortString;
      if (to > end) throw corruptValue('a document node ends outside its document');
      return readUtf8(bytes, at + 1, to);
    }
    if (tag < Tag.Array || tag > Tag.SortedWide) return scalarValue(bytes, at, end);
    if (depth >= DOCUMENT_DEPTH_MAX) throw corruptValue('a document nested too deep');
    const to = nodeEnd(bytes, at, end);
    const count = nodeCount(bytes, at, to);
    const width = (tag & 1) === 0 ? 2 : 4;
    const table = at + 1 + varintBytes(count);
    const data = table + count * width;
    let from = data;
    if (tag <= Tag.ArrayWide) {
      const items: DocumentValue[] = [];
      for (let i = 0; i < count; i++) {
        items.push(this.decode(bytes, from, to, depth + 1));
        from = data + (width === 2 ? readU16(bytes, table + 2 * i) : readU32(bytes, table + 4 * i));
      }
      return items;
    }
    const object: { [key: string]: DocumentValue } = {};
    for (let i = 0; i < count; i++) {
      const length = from < to ? (bytes[from] as number) : 0x80;
      const key = length <= KEY_BYTES_MAX ? this.key(bytes, from, length, to) : entryKey(bytes, from, to);
      const skip = length <= KEY_BYTES_MAX ? 1 + length : longKeyBytes(bytes, from, to);
      put(object, key, this.decode(bytes, from + skip, to, depth + 1));
      from = data + (width === 2 ? readU16(bytes, table + 2 * i) : readU32(bytes, table + 4 * i));
    }
    return object;
  }

  /**
   * An object with those of its top-level fields whose UTF-8 is among `keys`, in the document's order. Reads no other field.
   */
  decodeFields(bytes: Uint8Array, at: number, end: number, keys: readonly Uint8Array[]): DocumentValue {
    const to = nodeEnd(bytes, at, end);
    const tag = bytes[at] as number;
    const object: { [key: string]: DocumentValue } = {};
    if (tag < Tag.Object) return object;
    const count = nodeCount(bytes, at, to);
    const width = (tag & 1) === 0 ? 2 : 4;
    const table = at + 1 + varintBytes(count);
    const data = table + count * width;
    let from = data;
    let left = keys.length;
    for (let i = 0; i < count && left > 0; i++) {
      const length = from < to ? (bytes[from] as number) : 0x80;
      if (length > KEY_BYTES_MAX) {
        const key = entryKey(bytes, from, to);
        if (keys.some((wanted) => readUtf8(wanted, 0, wanted.length) === key)) {
          put(object, key, this.decode(bytes, from + longKeyBytes(bytes, from, to), to, 1));
          left--;
        }
      } else {
        for (let k = 0; k < keys.length; k++) {
          const wanted = keys[k] as Uint8Array;
          if (wanted.length === length && equalAt(bytes, from + 1, wanted)) {
            put(object, this.key(bytes, from, length, to), this.decode(bytes, from + 1 + length, to, 1));
            left--;
            break;
          }
        }
      }
      from = data + (width === 2 ? readU16(bytes, table + 2 * i) : readU32(bytes, table + 4 * i));
    }
    return object;
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

function put(object: { [key: string]: DocumentValue }, key: string, value: DocumentValue): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
  } else {
    object[key] = value;
  }
}

function longKeyBytes(bytes: Uint8Array, at: number, end: number): number {
  const length = checkedVarint(bytes, at, end);
  return varintBytes(length) + length;
}

function equalAt(bytes: Uint8Array, at: number, other: Uint8Array): boolean {
  for (let i = 0; i < other.length; i++) if (bytes[at + i] !== other[i]) return false;
  return true;
}
