/**
 * Readers of rows, keys and documents, written from docs/formats/row.md, key.md and document.md alone: they know nothing of the
 * package. What they make of bytes is plain text, so that it can be held against what was written.
 */

export type Shape =
  | { readonly kind: 'array'; readonly item: Shape }
  | { readonly kind: 'record'; readonly fields: readonly Shape[] }
  | { readonly kind: 'range'; readonly bound: Shape }
  | { readonly kind: 'multirange'; readonly bound: Shape }
  | { readonly kind: Exclude<keyof typeof FIXED, never> | VariableKind };

type VariableKind = 'decimal' | 'text' | 'bytes' | 'json' | 'jsonb';

/** Fixed-width kinds by their bytes. */
const FIXED = {
  bool: 1,
  int2: 2,
  int4: 4,
  int8: 8,
  uint4: 4,
  float4: 4,
  float8: 8,
  date: 4,
  time: 8,
  timestamp: 8,
  timetz: 12,
  interval: 16,
  uuid: 16,
  enum: 4,
} as const;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const widthOf = (shape: Shape): number => (shape.kind in FIXED ? FIXED[shape.kind as keyof typeof FIXED] : 0);

/** The number of the layout that the row has, and its columns as text, null where they are. */
export function readRow(row: Uint8Array, columns: readonly Shape[]): { version: number; values: (string | null)[] } {
  const view = viewOf(row);
  const header = view.getUint16(0, true);
  const isWide = header >= 0x8000;
  const endBytes = isWide ? 4 : 2;
  let fixedAt = 2 + Math.floor((columns.length + 7) / 8);
  const endsAt = fixedAt + columns.reduce((sum, column) => sum + widthOf(column), 0);
  const variables = columns.filter((column) => widthOf(column) === 0).length;
  const dataAt = endsAt + variables * endBytes;
  const endOf = (i: number): number =>
    isWide ? view.getUint32(endsAt + i * 4, true) : view.getUint16(endsAt + i * 2, true);
  let variable = 0;
  const values = columns.map((column, i) => {
    const isNull = ((row[2 + (i >> 3)] as number) & (1 << (i & 7))) !== 0;
    const width = widthOf(column);
    let bytes: Uint8Array;
    if (width > 0) {
      bytes = row.subarray(fixedAt, fixedAt + width);
      fixedAt += width;
      if (isNull && bytes.some((byte) => byte !== 0)) throw new Error('a null column has bytes');
    } else {
      const from = variable === 0 ? 0 : endOf(variable - 1);
      bytes = row.subarray(dataAt + from, dataAt + endOf(variable++));
    }
    return isNull ? null : readValue(bytes, column);
  });
  if (variables > 0 && dataAt + endOf(variables - 1) !== row.length) throw new Error('bytes behind the row');
  return { version: header & 0x7fff, values };
}

function readValue(bytes: Uint8Array, shape: Shape): string {
  const view = viewOf(bytes);
  switch (shape.kind) {
    case 'bool':
      return String(bytes[0] === 1);
    case 'int2':
      return String(view.getInt16(0, true));
    case 'int4':
      return String(view.getInt32(0, true));
    case 'enum':
      return `label ${view.getInt32(0, true)}`;
    case 'date':
      return endless(BigInt(view.getInt32(0, true)), 31n);
    case 'uint4':
      return String(view.getUint32(0, true));
    case 'int8':
    case 'time':
      return String(view.getBigInt64(0, true));
    case 'timestamp':
      return endless(view.getBigInt64(0, true), 63n);
    case 'float4':
      return floatText(view.getFloat32(0, true));
    case 'float8':
      return floatText(view.getFloat64(0, true));
    case 'timetz':
      return `${view.getBigInt64(0, true)} west ${view.getInt32(8, true)}`;
    case 'interval':
      return `${view.getInt32(12, true)} months ${view.getInt32(8, true)} days ${view.getBigInt64(0, true)}`;
    case 'uuid':
      return hex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
    case 'decimal':
      return readDecimal(bytes);
    case 'text':
    case 'json':
      return decoder.decode(bytes);
    case 'bytes':
      return hex(bytes);
    case 'jsonb':
      return readDocument(bytes);
    case 'array':
      return readArray(bytes, shape.item);
    case 'record':
      return `(${readRecord(bytes, shape.fields).join()})`;
    case 'range':
      return readRange(bytes, shape.bound);
    case 'multirange': {
      const ranges: string[] = [];
      let at = 4;
      for (let left = view.getUint32(0, true); left > 0; left--) {
        const length = view.getUint32(at, true);
        ranges.push(readRange(bytes.subarray(at + 4, at + 4 + length), shape.bound));
        at += 4 + length;
      }
      return `{${ranges.join()}}`;
    }
  }
}

export function floatText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

/** A date or moment, of which the ends of the integer's range are the infinities. */
function endless(value: bigint, bits: bigint): string {
  if (value === (1n << bits) - 1n) return 'Infinity';
  return value === -(1n << bits) ? '-Infinity' : String(value);
}

function readDecimal(bytes: Uint8Array): string {
  const head = bytes[0] as number;
  const low = head & 0x7f;
  if (low >= 125) return ['NaN', 'Infinity', '-Infinity'][low - 125] as string;
  const isLong = low === 120;
  const scale = isLong ? viewOf(bytes).getUint16(1, true) : low;
  let unscaled = 0n;
  for (let i = bytes.length - 1; i >= (isLong ? 3 : 1); i--) unscaled = unscaled * 256n + BigInt(bytes[i] as number);
  const digits = String(unscaled).padStart(scale + 1, '0');
  const whole = digits.slice(0, digits.length - scale);
  return `${head >= 0x80 ? '-' : ''}${whole}${scale > 0 ? `.${digits.slice(-scale)}` : ''}`;
}

function readArray(bytes: Uint8Array, item: Shape): string {
  const view = viewOf(bytes);
  const dimensions = bytes[0] as number;
  const lengths: string[] = [];
  let count = dimensions === 0 ? 0 : 1;
  let at = 2;
  for (let i = 0; i < dimensions; i++, at += 8) {
    const length = view.getUint32(at, true);
    count *= length;
    lengths.push(`${length} from ${view.getInt32(at + 4, true)}`);
  }
  const nullsAt = at;
  const hasNulls = ((bytes[1] as number) & 1) !== 0;
  if (hasNulls) at += Math.floor((count + 7) / 8);
  const isNull = (i: number): boolean => hasNulls && ((bytes[nullsAt + (i >> 3)] as number) & (1 << (i & 7))) !== 0;
  const items = itemsOf(bytes.subarray(at), count, widthOf(item));
  return `[${lengths.join()}: ${items.map((part, i) => (isNull(i) ? null : readValue(part, item))).join()}]`;
}

/** Items side by side, or behind a table of their ends. */
function itemsOf(bytes: Uint8Array, count: number, width: number): Uint8Array[] {
  const view = viewOf(bytes);
  return Array.from({ length: count }, (_, i) => {
    if (width > 0) return bytes.subarray(i * width, (i + 1) * width);
    const from = i === 0 ? 0 : view.getUint32((i - 1) * 4, true);
    return bytes.subarray(count * 4 + from, count * 4 + view.getUint32(i * 4, true));
  });
}

function readRecord(bytes: Uint8Array, fields: readonly Shape[]): (string | null)[] {
  const count = viewOf(bytes).getUint16(0, true);
  const parts = itemsOf(bytes.subarray(2 + Math.floor((count + 7) / 8)), count, 0);
  return fields.map((field, i) => {
    const isNull = i >= count || ((bytes[2 + (i >> 3)] as number) & (1 << (i & 7))) !== 0;
    return isNull ? null : readValue(parts[i] as Uint8Array, field);
  });
}

function readRange(bytes: Uint8Array, bound: Shape): string {
  const flags = bytes[0] as number;
  if ((flags & 1) !== 0) return 'empty';
  const [hasLower, hasUpper] = [(flags & 8) === 0, (flags & 16) === 0];
  const isBoth = hasLower && hasUpper;
  const lowerBytes = isBoth ? viewOf(bytes).getUint32(1, true) : bytes.length - 1;
  const from = isBoth ? 5 : 1;
  const lower = hasLower ? readValue(bytes.subarray(from, from + lowerBytes), bound) : '';
  const upper = hasUpper ? readValue(bytes.subarray(isBoth ? from + lowerBytes : 1), bound) : '';
  return `${(flags & 2) === 0 ? '(' : '['}${lower},${upper}${(flags & 4) === 0 ? ')' : ']'}`;
}

/** Structures by their names in hexadecimal. */
export type StructureBytes = ReadonlyMap<string, Uint8Array>;

/** Keys of a structure, each as text. */
function readStructure(bytes: Uint8Array): string[] {
  if (bytes[0] !== 1) throw new Error('no structure begins so');
  let { value: count, next: at } = readVarint(bytes, 1);
  const keys: string[] = [];
  for (; count > 0; count--) {
    const { value, next } = readVarint(bytes, at);
    keys.push(quoted(bytes, next, value).text);
    at = next + value;
  }
  if (at !== bytes.length) throw new Error('bytes behind the structure');
  return keys;
}

/** A document as JSON-like text: strings quoted, what JSON has not behind a word. */
export function readDocument(bytes: Uint8Array, structures: StructureBytes = new Map()): string {
  const { text, next } = readNode(bytes, 0, structures);
  if (next !== bytes.length) throw new Error('bytes behind the document');
  return text;
}

function readVarint(bytes: Uint8Array, from: number): { value: number; next: number } {
  let value = 0;
  for (let at = from, factor = 1; ; at++, factor *= 128) {
    const byte = bytes[at] as number;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return { value, next: at + 1 };
  }
}

function readNode(bytes: Uint8Array, start: number, structures: StructureBytes): { text: string; next: number } {
  const view = viewOf(bytes);
  const tag = bytes[start] as number;
  const at = start + 1;
  if (tag >= 0x80) return { text: String(tag - 0x80), next: at };
  if (tag >= 0x20 && tag < 0x60) return quoted(bytes, at, tag - 0x20);
  const cut = (length: number): string => hex(bytes.subarray(at, at + length));
  switch (tag) {
    case 0x00:
    case 0x01:
    case 0x02:
      return { text: ['null', 'false', 'true'][tag] as string, next: at };
    case 0x03:
      return { text: String(view.getInt8(at)), next: at + 1 };
    case 0x04:
      return { text: String(view.getInt16(at, true)), next: at + 2 };
    case 0x05:
      return { text: String(view.getInt32(at, true)), next: at + 4 };
    case 0x06:
      return { text: floatText(view.getFloat64(at, true)), next: at + 8 };
    case 0x07:
      return { text: `long ${view.getBigInt64(at, true)}`, next: at + 8 };
    case 0x08: {
      const { value, next } = readVarint(bytes, at);
      return { text: `decimal ${readDecimal(bytes.subarray(next, next + value))}`, next: next + value };
    }
    case 0x09: {
      const { value, next } = readVarint(bytes, at);
      return quoted(bytes, next, value);
    }
    case 0x0a: {
      const { value, next } = readVarint(bytes, at);
      return { text: `binary ${hex(bytes.subarray(next, next + value))}`, next: next + value };
    }
    case 0x0b:
      return { text: `date ${view.getBigInt64(at, true)}`, next: at + 8 };
    case 0x0c:
      return { text: `uuid ${cut(16)}`, next: at + 16 };
    case 0x0d:
      return { text: `id ${cut(12)}`, next: at + 12 };
    case 0x10:
    case 0x11:
    case 0x64:
    case 0x65:
      return readItems(bytes, at, (tag & 1) === 1, false, structures);
    case 0x12:
    case 0x13:
    case 0x14:
    case 0x15:
    case 0x62:
    case 0x63:
      return readItems(bytes, at, (tag & 1) === 1, true, structures);
    case 0x60:
    case 0x61: {
      const keys = readStructure(structures.get(cut(8)) as Uint8Array);
      return readFields(bytes, at + 8, tag === 0x61, keys, structures);
    }
    default:
      throw new Error(`no node has the tag ${tag}`);
  }
}

function quoted(bytes: Uint8Array, from: number, length: number): { text: string; next: number } {
  return { text: JSON.stringify(decoder.decode(bytes.subarray(from, from + length))), next: from + length };
}

/** An object whose keys are known: ends and nodes. */
function readFields(
  bytes: Uint8Array,
  ends: number,
  isWide: boolean,
  keys: readonly string[],
  structures: StructureBytes,
): { text: string; next: number } {
  const view = viewOf(bytes);
  const first = ends + keys.length * (isWide ? 4 : 2);
  let from = first;
  const fields = keys.map((key, i) => {
    const { text, next } = readNode(bytes, from, structures);
    from = first + (isWide ? view.getUint32(ends + i * 4, true) : view.getUint16(ends + i * 2, true));
    if (next !== from) throw new Error('an entry does not end where the table says');
    return `${key}:${text}`;
  });
  return { text: `{${fields.join()}}`, next: from };
}

function readItems(
  bytes: Uint8Array,
  at: number,
  isWide: boolean,
  isObject: boolean,
  structures: StructureBytes,
): { text: string; next: number } {
  const view = viewOf(bytes);
  const { value: count, next: ends } = readVarint(bytes, at);
  const first = ends + count * (isWide ? 4 : 2);
  const items: string[] = [];
  let from = first;
  for (let i = 0; i < count; i++) {
    const end = first + (isWide ? view.getUint32(ends + i * 4, true) : view.getUint16(ends + i * 2, true));
    let key = '';
    let valueAt = from;
    if (isObject) {
      const { value: keyBytes, next } = readVarint(bytes, from);
      key = `${quoted(bytes, next, keyBytes).text}:`;
      valueAt = next + keyBytes;
    }
    const { text, next } = readNode(bytes, valueAt, structures);
    if (next !== end) throw new Error('an entry does not end where the table says');
    items.push(key + text);
    from = end;
  }
  return { text: isObject ? `{${items.join()}}` : `[${items.join()}]`, next: from };
}
