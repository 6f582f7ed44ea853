/**
 * Arrays of any type: text form `{1,NULL,"a b"}` with quoting, nesting and bounds (`[0:2]={...}`), binary form, and
 * PostgreSQL's order (element by element, then length, then shape).
 */
import { type ByteWriter, PhantomError } from '@phantom/base';
import { SqlArray, StorageKind } from '@phantom/codec';
import { invalidBinary } from './sql-errors.js';
import { TextPieces, byPieces } from './text-pieces.js';
import { typeFacts } from './type-facts.js';
import { TypeOid } from './type-oids.js';
import type { SqlType, TypeContext, Value } from './type.js';
import { getI32, getU32, putI32 } from './wire.js';

const COMMA = ',';

/** Most dimensions an array can have. */
export const ARRAY_DIMENSIONS_MAX = 6;
/** Most items an array can have: more than these V8 does not lay out side by side, and walking them would exhaust its heap. */
export const ARRAY_ITEMS_MAX = 33_554_432;

/** 54000 for more items than an array can have. */
export function checkArraySize(items: number): void {
  if (items > ARRAY_ITEMS_MAX)
    throw new PhantomError('54000', `array size exceeds the maximum allowed (${ARRAY_ITEMS_MAX})`);
}

/** All of them, to be the items of an array. */
export function gathered<T>(items: Iterable<T>): T[] {
  const list: T[] = [];
  for (const item of items) if (list.push(item) > ARRAY_ITEMS_MAX) checkArraySize(list.length);
  return list;
}

function malformed(text: string, detail: string): PhantomError {
  return new PhantomError('22P02', `malformed array literal: "${text}"`, { detail });
}

const SPACE = /[ \t\n\r\f\v]/;

interface ParsedArray {
  readonly items: (string | null)[];
  readonly dimensions: number[];
}

/** Reads the braces of an array literal: items as texts in row-major order, and the lengths found. */
class ArrayTextParser {
  private readonly text: string;
  private readonly delimiter: string;
  private at: number;
  private readonly items: (string | null)[] = [];
  private readonly dimensions: number[] = [];
  private leafDepth = -1;

  constructor(text: string, at: number, delimiter: string) {
    this.text = text;
    this.at = at;
    this.delimiter = delimiter;
  }

  parse(): ParsedArray {
    this.level(0);
    this.skipSpace();
    if (this.at < this.text.length) throw malformed(this.text, 'Junk after closing right brace.');
    return { items: this.items, dimensions: this.dimensions };
  }

  private skipSpace(): void {
    while (this.at < this.text.length && SPACE.test(this.text[this.at] as string)) this.at++;
  }

  private peek(): string {
    const character = this.text[this.at];
    if (character === undefined) throw malformed(this.text, 'Unexpected end of input.');
    return character;
  }

  private level(depth: number): void {
    if (depth >= ARRAY_DIMENSIONS_MAX) {
      throw new PhantomError('54000', `number of array dimensions (${depth + 1}) exceeds the maximum allowed (6)`);
    }
    this.at++;
    let count = 0;
    this.skipSpace();
    if (this.peek() === '}') {
      if (depth > 0) throw malformed(this.text, 'Unexpected "}" character.');
      this.at++;
    } else {
      for (;;) {
        this.entry(depth);
        count++;
        this.skipSpace();
        const next = this.peek();
        this.at++;
        if (next === '}') break;
        if (next !== this.delimiter) throw malformed(this.text, `Unexpected "${next}" character.`);
        this.skipSpace();
      }
    }
    const known = this.dimensions[depth];
    if (known === undefined) {
      this.dimensions[depth] = count;
    } else if (known !== count) {
      throw malformed(this.text, 'Multidimensional arrays must have sub-arrays with matching dimensions.');
    }
  }

  private entry(depth: number): void {
    this.skipSpace();
    if (this.peek() === '{') {
      if (this.leafDepth === depth) {
        throw malformed(this.text, 'Multidimensional arrays must have sub-arrays with matching dimensions.');
      }
      this.level(depth + 1);
      return;
    }
    if (this.dimensions.length > depth + 1 || (this.leafDepth >= 0 && this.leafDepth !== depth)) {
      throw malformed(this.text, 'Multidimensional arrays must have sub-arrays with matching dimensions.');
    }
    this.leafDepth = depth;
    const count = this.items.push(this.peek() === '"' ? this.quoted() : this.bare());
    if (count > ARRAY_ITEMS_MAX) checkArraySize(count);
  }

  private quoted(): string {
    const { text } = this;
    let pieces: TextPieces | undefined;
    let start = ++this.at;
    for (;;) {
      const character = this.peek();
      if (character === '"') break;
      this.at++;
      if (character !== '\\') continue;
      (pieces ??= new TextPieces()).add(text.slice(start, this.at - 1));
      this.peek();
      start = this.at++;
    }
    const value = endOf(pieces, text.slice(start, this.at++));
    this.skipSpace();
    const next = this.peek();
    if (next !== this.delimiter && next !== '}') throw malformed(this.text, 'Unexpected array element.');
    return value;
  }

  private bare(): string | null {
    const { text } = this;
    let pieces: TextPieces | undefined;
    let start = this.at;
    /** Behind the last character that is no space at the end. */
    let end = start;
    let escaped = false;
    for (;;) {
      const character = this.peek();
      if (character === this.delimiter || character === '}') break;
      if (character === '{' || character === '"') {
        throw malformed(this.text, character === '"' ? 'Unexpected array element.' : 'Unexpected "{" character.');
      }
      this.at++;
      if (character === '\\') {
        (pieces ??= new TextPieces()).add(text.slice(start, this.at - 1));
        this.peek();
        start = this.at++;
        end = this.at;
        escaped = true;
      } else if (!SPACE.test(character)) {
        end = this.at;
      }
    }
    const value = endOf(pieces, text.slice(start, end));
    if (value === '') throw malformed(this.text, `Unexpected "${this.peek()}" character.`);
    return !escaped && value.toUpperCase() === 'NULL' ? null : value;
  }
}

/** The item whose last part this is; most have no other. */
function endOf(pieces: TextPieces | undefined, part: string): string {
  if (pieces === undefined) return part;
  pieces.add(part);
  return pieces.text();
}

const BOUNDS = /^\[\s*([+-]?\d+)\s*(?::\s*([+-]?\d+)\s*)?\]/;

/** Reads an array literal; each item's text is given to the element type's input. */
export function parseArray(
  text: string,
  elementOid: number,
  input: (text: string) => Value,
  delimiter = COMMA,
): SqlArray {
  let at = 0;
  while (at < text.length && SPACE.test(text[at] as string)) at++;
  const lowerBounds: number[] = [];
  const lengths: number[] = [];
  for (let match = BOUNDS.exec(text.slice(at)); match !== null; match = BOUNDS.exec(text.slice(at))) {
    const lower = match[2] === undefined ? 1 : Number(match[1]);
    const upper = Number(match[2] ?? match[1]);
    if (upper < lower) throw new PhantomError('2202E', 'upper bound cannot be less than lower bound');
    if (Math.abs(lower) > 2147483647 || upper >= 2147483647) {
      throw new PhantomError('54000', `array upper bound is too large: ${upper}`);
    }
    lowerBounds.push(lower);
    lengths.push(upper - lower + 1);
    at += match[0].length;
    if (lengths.length > ARRAY_DIMENSIONS_MAX) {
      throw new PhantomError('54000', 'number of array dimensions (7) exceeds the maximum allowed (6)');
    }
  }
  if (lengths.length > 0) {
    while (SPACE.test(text[at] ?? '')) at++;
    if (text[at] !== '=') throw malformed(text, 'Missing "=" after array dimensions.');
    at++;
    while (SPACE.test(text[at] ?? '')) at++;
  }
  if (text[at] !== '{') {
    throw malformed(
      text,
      lengths.length > 0
        ? 'Array contents must start with "{".'
        : 'Array value must start with "{" or dimension information.',
    );
  }
  const parsed = new ArrayTextParser(text, at, delimiter).parse();
  if (parsed.items.length === 0) return new SqlArray(elementOid, [], [], []);
  if (
    lengths.length > 0 &&
    (lengths.length !== parsed.dimensions.length || lengths.some((n, i) => n !== parsed.dimensions[i]))
  ) {
    throw malformed(text, 'Specified array dimensions do not match array contents.');
  }
  return new SqlArray(
    elementOid,
    parsed.dimensions,
    lengths.length > 0 ? lowerBounds : parsed.dimensions.map(() => 1),
    parsed.items.map((item) => (item === null ? null : input(item))),
  );
}

const NEEDS_QUOTES = /^$|^null$|["\\{} \t\n\r\f\v]/i;

function quoteItem(text: string, delimiter: string): string {
  return NEEDS_QUOTES.test(text) || text.includes(delimiter)
    ? `"${byPieces(text, (piece) => piece.replace(/["\\]/g, '\\$&'))}"`
    : text;
}

/** The array as a literal. */
export function formatArray(array: SqlArray, output: (value: Value) => string, delimiter = COMMA): string {
  const { dimensions, lowerBounds, items } = array;
  if (dimensions.length === 0) return '{}';
  let at = 0;
  const level = (depth: number): string => {
    const parts: string[] = [];
    for (let i = 0; i < (dimensions[depth] as number); i++) {
      if (depth < dimensions.length - 1) {
        parts.push(level(depth + 1));
      } else {
        const item = items[at++];
        parts.push(item === null ? 'NULL' : quoteItem(output(item), delimiter));
      }
    }
    return `{${parts.join(delimiter)}}`;
  };
  const bounds = lowerBounds.every((bound) => bound === 1)
    ? ''
    : `${lowerBounds.map((bound, i) => `[${bound}:${bound + (dimensions[i] as number) - 1}]`).join('')}=`;
  return bounds + level(0);
}

/** PostgreSQL's order of arrays: elements (null greatest), then count, then dimensions. */
export function compareArrays(a: SqlArray, b: SqlArray, compare: (a: Value, b: Value) => number): number {
  const shared = Math.min(a.items.length, b.items.length);
  for (let i = 0; i < shared; i++) {
    const x = a.items[i];
    const y = b.items[i];
    if (x === null || y === null) {
      if (x !== y) return x === null ? 1 : -1;
    } else {
      const order = compare(x, y);
      if (order !== 0) return order;
    }
  }
  if (a.items.length !== b.items.length) return a.items.length - b.items.length;
  if (a.dimensions.length !== b.dimensions.length) return a.dimensions.length - b.dimensions.length;
  for (let i = 0; i < a.dimensions.length; i++) {
    const order = (a.dimensions[i] as number) - (b.dimensions[i] as number);
    if (order !== 0) return order;
  }
  for (let i = 0; i < a.dimensions.length; i++) {
    const order = (a.lowerBounds[i] as number) - (b.lowerBounds[i] as number);
    if (order !== 0) return order;
  }
  return 0;
}

/** A string that is the same exactly for arrays that are equal: item keys with their lengths, then the shape. */
function arrayKey(array: SqlArray, elementKey: (value: Value) => string | number | bigint | boolean): string {
  let key = '';
  for (const item of array.items) {
    if (item === null) {
      key += 'n';
    } else {
      const text = String(elementKey(item));
      key += `${text.length}:${text}`;
    }
  }
  return `${key}|${array.dimensions.join()}|${array.lowerBounds.join()}`;
}

function receiveArray(
  bytes: Uint8Array,
  start: number,
  end: number,
  element: SqlType,
  typmod: number,
  context: TypeContext,
): SqlArray {
  const count = getI32(bytes, start, end);
  if (count < 0 || count > ARRAY_DIMENSIONS_MAX) throw invalidBinary(`invalid number of dimensions: ${count}`);
  const flags = getI32(bytes, start + 4, end);
  if (flags !== 0 && flags !== 1) throw invalidBinary('invalid array flags');
  const elementOid = getU32(bytes, start + 8, end);
  if (elementOid !== element.oid) throw new PhantomError('42804', `wrong element type`);
  let at = start + 12;
  const dimensions: number[] = [];
  const lowerBounds: number[] = [];
  let length = count === 0 ? 0 : 1;
  for (let i = 0; i < count; i++) {
    const size = getI32(bytes, at, end);
    if (size < 0) throw invalidBinary('invalid array dimension');
    dimensions.push(size);
    lowerBounds.push(getI32(bytes, at + 4, end));
    length *= size;
    at += 8;
  }
  checkArraySize(length);
  if (length === 0) return new SqlArray(elementOid, [], [], []);
  if (length * 4 > end - at) throw new PhantomError('08P01', 'insufficient data left in message');
  const items: Value[] = [];
  for (let i = 0; i < length; i++) {
    const size = getI32(bytes, at, end);
    at += 4;
    if (size === -1) {
      items.push(null);
      continue;
    }
    if (size < 0 || size > end - at) throw invalidBinary('insufficient data left in message');
    items.push(element.receive(bytes, at, at + size, typmod, context));
    at += size;
  }
  return new SqlArray(elementOid, dimensions, lowerBounds, items);
}

function sendArray(array: SqlArray, writer: ByteWriter, element: SqlType, context: TypeContext): void {
  putI32(writer, array.dimensions.length);
  putI32(writer, array.items.includes(null) ? 1 : 0);
  putI32(writer, array.elementOid);
  for (let i = 0; i < array.dimensions.length; i++) {
    putI32(writer, array.dimensions[i] as number);
    putI32(writer, array.lowerBounds[i] as number);
  }
  for (const item of array.items) {
    if (item === null) {
      putI32(writer, -1);
      continue;
    }
    putI32(writer, 0);
    const from = writer.length;
    element.send(item, writer, context);
    const size = writer.length - from;
    const end = writer.length;
    writer.length = from - 4;
    putI32(writer, size);
    writer.length = end;
  }
}

/** pg_type.typdelim: what stands between the elements of an array in its text. Boxes have commas of their own between corners. */
export function delimiterOf(type: SqlType): string {
  return [type.oid, type.elementOid, type.baseOid].includes(TypeOid.box) ? ';' : COMMA;
}

/** The array type of an element type; `name` is `_` and the element's, as PostgreSQL names it. */
export function arrayTypeOf(element: SqlType): SqlType {
  const facts = typeFacts.get(element.arrayOid);
  const { compare, hashKey } = element;
  const coerce = element.coerceTypmod?.bind(element);
  const delimiter = delimiterOf(element);
  return {
    oid: element.arrayOid,
    name: facts?.name ?? `_${element.name}`,
    displayName: `${element.displayName}[]`,
    kind: 'array',
    category: facts?.category ?? 'A',
    preferred: false,
    length: -1,
    elementOid: element.oid,
    arrayOid: 0,
    baseOid: 0,
    storage: { kind: StorageKind.Array, element: { oid: element.oid, storage: element.storage } },
    input: (text, typmod, context) =>
      parseArray(text, element.oid, (item) => element.input(item, typmod, context), delimiter),
    output: (value, context) => formatArray(value as SqlArray, (item) => element.output(item, context), delimiter),
    receive: (bytes, start, end, typmod, context) => receiveArray(bytes, start, end, element, typmod, context),
    send: (value, writer, context) => sendArray(value as SqlArray, writer, element, context),
    compare: compare === undefined ? undefined : (a, b) => compareArrays(a as SqlArray, b as SqlArray, compare),
    hashKey: hashKey === undefined ? undefined : (value) => arrayKey(value as SqlArray, hashKey),
    ...(coerce === undefined
      ? {}
      : {
          coerceTypmod: (value: Value, typmod: number, explicit: boolean): Value => {
            const array = value as SqlArray;
            const items = array.items.map((item) => (item === null ? null : coerce(item, typmod, explicit)));
            return new SqlArray(array.elementOid, array.dimensions, array.lowerBounds, items);
          },
        }),
    ...(element.parseTypmod === undefined ? {} : { parseTypmod: element.parseTypmod }),
    ...(element.formatTypmod === undefined ? {} : { formatTypmod: element.formatTypmod }),
  };
}

/** int2vector and oidvector: one dimension from index 0, written with blanks between. */
export function vectorType(oid: number, element: SqlType): SqlType {
  const facts = typeFacts.get(oid);
  const base = arrayTypeOf(element);
  return {
    ...base,
    oid,
    name: facts?.name ?? '',
    displayName: facts?.displayName ?? '',
    kind: 'base',
    arrayOid: facts?.arrayOid ?? 0,
    input: (text, typmod, context) => {
      const words = text
        .trim()
        .split(/\s+/)
        .filter((word) => word !== '');
      const items = words.map((word) => element.input(word, typmod, context));
      return new SqlArray(element.oid, [items.length], [0], items);
    },
    output: (value, context) => (value as SqlArray).items.map((item) => element.output(item, context)).join(' '),
  };
}
