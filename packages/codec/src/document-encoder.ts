/**
 * A caller's object to document bytes, in one pass that checks as it writes: what a document may hold, how deep it may be, what its
 * keys may be called. `document-writer.ts` trusts its input; this does not.
 *
 * Fields keep their order. The bytes of keys are kept from document to document, for the documents of a collection are
 * mostly alike: a key is then one copy.
 *
 * What is done with JavaScript's oddities:
 *   undefined        the field is left out; in an array it is null, as JSON.stringify has it
 *   NaN, infinities  numbers like others          -0     kept
 *   functions, symbols, RegExp, Set, other classes   22023, with the path
 *   unpaired surrogates    22021, in keys too
 *   `__proto__`      a field like others
 */
import { ByteWriter, PhantomError, copyBytes, varintBytes, writeU16, writeU32, writeVarint } from '@phantom/base';
import { Decimal } from './decimal.js';
import { Tag } from './document-format.js';
import { type DocumentValue, entryStart, nodeCount, nodeKind } from './document-reader.js';
import { ObjectId, Uuid } from './document-values.js';
import { writeNode } from './document-writer.js';
import { corruptValue } from './storage.js';
import { utf8Bytes, writeUtf8 } from './text-bytes.js';

export interface DocumentRules {
  /** Levels of nesting; past it 54001. */
  readonly depthMax: number;
  /** Says what is wrong with a key, or nothing. Asked once for each key that is new to the encoder. */
  readonly refuseKey?: (key: string) => string | undefined;
}

/** Keys whose bytes are kept; documents with more different ones pay for their encoding. */
const KEYS_MAX = 4096;
const SMALL_STRING_MAX = 63;
const ORDERED = { sorted: false } as const;

/** Two to three times faster at texts than asking native code for their length first. */
function writeString(writer: ByteWriter, text: string, where: () => string): void {
  const { length } = text;
  if (length <= SMALL_STRING_MAX) {
    const at = writer.reserve(length + 1);
    const { buffer } = writer;
    let i = 0;
    for (; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) break;
      buffer[at + 1 + i] = code;
    }
    if (i === length) {
      buffer[at] = Tag.ShortString + length;
      writer.length = at + 1 + length;
      return;
    }
  }
  if (!text.isWellFormed()) throw surrogateError(where());
  writeNode(writer, text, ORDERED);
}

function surrogateError(where: string): PhantomError {
  return new PhantomError('22021', 'the text has an unpaired surrogate, so it has no UTF-8 form', { detail: where });
}

export class DocumentEncoder {
  /** Holds what was encoded last; callers may write around it. */
  readonly writer = new ByteWriter(1024);
  private readonly rules: DocumentRules;
  /** Length and UTF-8 of each key met. */
  private readonly keys = new Map<string, Uint8Array>();
  /** End offsets of the containers being written, innermost on top. */
  private ends = new Int32Array(256);
  private endsUsed = 0;
  private readonly path: (string | number)[] = [];

  constructor(rules: DocumentRules) {
    this.rules = rules;
  }

  /** Appends the object's node with `_id` first, whatever the object has under that name. */
  encodeWithId(document: object, id: unknown): void {
    this.begin();
    const start = this.open(Tag.Object);
    this.field('_id', id, 1);
    const fields = document as Record<string, unknown>;
    if (document instanceof Map) {
      for (const [key, value] of document as Map<string, unknown>) if (key !== '_id') this.field(key, value, 1);
    } else {
      const names = Object.keys(fields);
      for (let i = 0; i < names.length; i++) {
        const key = names[i] as string;
        if (key !== '_id') this.field(key, fields[key], 1);
      }
    }
    this.close(start);
  }

  /**
   * Appends the object whose node is at [at, end) with some fields changed: `before` has those of its top-level fields that may have
   * changed, in their order, `after` what they are now. All others are copied as they are. XX001 for bytes that are no object.
   */
  encodeChanged(
    bytes: Uint8Array,
    at: number,
    end: number,
    before: Readonly<Record<string, unknown>>,
    after: Readonly<Record<string, unknown>>,
  ): void {
    if (nodeKind(bytes, at, end) !== 'object') throw corruptValue('a document that is no object');
    this.begin();
    const start = this.open(Tag.Object);
    const count = nodeCount(bytes, at, end);
    const names = Object.keys(before);
    let met = 0;
    for (let i = 0; i < count; i++) {
      const from = entryStart(bytes, at, end, count, i);
      const name = names[met];
      if (name === undefined || !this.isKeyAt(bytes, from, name)) {
        this.copyEntry(bytes, from, entryStart(bytes, at, end, count, i + 1));
        continue;
      }
      met++;
      if (!Object.hasOwn(after, name)) continue;
      if (Object.is(before[name], after[name])) this.copyEntry(bytes, from, entryStart(bytes, at, end, count, i + 1));
      else this.field(name, after[name], 1);
    }
    const now = Object.keys(after);
    for (let i = 0; i < now.length; i++) {
      const name = now[i] as string;
      if (!Object.hasOwn(before, name)) this.field(name, after[name], 1);
    }
    this.close(start);
  }

  private copyEntry(bytes: Uint8Array, from: number, to: number): void {
    const { writer } = this;
    const at = writer.reserve(to - from);
    writer.length = copyBytes(bytes, from, to, writer.buffer, at);
    this.end();
  }

  /** Whether the entry at `from` has this key. */
  private isKeyAt(bytes: Uint8Array, from: number, name: string): boolean {
    const key = this.keys.get(name) ?? this.newKey(name);
    for (let i = 0; i < key.length; i++) if (bytes[from + i] !== key[i]) return false;
    return true;
  }

  /** Appends the node of any value. */
  encode(value: unknown): void {
    this.begin();
    this.node(value, 0);
  }

  private begin(): void {
    this.endsUsed = 0;
    this.path.length = 0;
    this.marks.length = 0;
  }

  private field(key: string, value: unknown, depth: number): void {
    if (value === undefined) return;
    const { writer } = this;
    const bytes = this.keys.get(key) ?? this.newKey(key);
    const at = writer.reserve(bytes.length);
    writer.length = copyBytes(bytes, 0, bytes.length, writer.buffer, at);
    this.path.push(key);
    this.node(value, depth);
    this.path.pop();
    this.end();
  }

  private node(value: unknown, depth: number): void {
    const { writer } = this;
    switch (typeof value) {
      case 'string':
        writeString(writer, value, this.where);
        return;
      case 'number':
        if (value >= 0 && value < 128 && Number.isInteger(value) && !Object.is(value, -0)) {
          writer.u8(Tag.SmallInteger + value);
          return;
        }
        writeNode(writer, value, ORDERED);
        return;
      case 'boolean':
        writer.u8(value ? Tag.True : Tag.False);
        return;
      case 'bigint':
        writeNode(writer, value, ORDERED);
        return;
      case 'object':
        if (value === null) writer.u8(Tag.Null);
        else this.object(value, depth);
        return;
      default:
        throw this.refuse(`a value of type ${typeof value}`);
    }
  }

  private object(value: object, depth: number): void {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (Array.isArray(value)) {
      this.array(value, depth);
    } else if (prototype === Object.prototype || prototype === null) {
      this.plain(value as Record<string, unknown>, depth);
    } else if (value instanceof Map) {
      this.map(value as Map<unknown, unknown>, depth);
    } else if (
      value instanceof ObjectId ||
      value instanceof Date ||
      value instanceof Decimal ||
      value instanceof Uuid ||
      value instanceof Uint8Array
    ) {
      writeNode(this.writer, value as DocumentValue, ORDERED);
    } else if (ArrayBuffer.isView(value)) {
      writeNode(this.writer, new Uint8Array(value.buffer, value.byteOffset, value.byteLength), ORDERED);
    } else if (value instanceof ArrayBuffer) {
      writeNode(this.writer, new Uint8Array(value), ORDERED);
    } else if (isForeignPlain(value)) {
      this.plain(value as Record<string, unknown>, depth);
    } else {
      throw this.refuse(`an instance of ${value.constructor.name}`);
    }
  }

  private array(items: readonly unknown[], depth: number): void {
    this.checkDepth(depth);
    const start = this.open(Tag.Array);
    for (let i = 0; i < items.length; i++) {
      const item = items[i];
      this.path.push(i);
      this.node(item === undefined ? null : item, depth + 1);
      this.path.pop();
      this.end();
    }
    this.close(start);
  }

  private plain(fields: Record<string, unknown>, depth: number): void {
    this.checkDepth(depth);
    const start = this.open(Tag.Object);
    const names = Object.keys(fields);
    for (let i = 0; i < names.length; i++) {
      const key = names[i] as string;
      this.field(key, fields[key], depth + 1);
    }
    this.close(start);
  }

  private map(fields: Map<unknown, unknown>, depth: number): void {
    this.checkDepth(depth);
    const start = this.open(Tag.Object);
    for (const [key, value] of fields) {
      if (typeof key !== 'string') throw this.refuse('a Map with keys that are no strings');
      this.field(key, value, depth + 1);
    }
    this.close(start);
  }

  private readonly marks: number[] = [];

  /** Writes the tag; the count and the ends come when they are known. */
  private open(tag: number): number {
    const { writer } = this;
    const start = writer.length;
    writer.u8(tag);
    this.marks.push(this.endsUsed);
    return start;
  }

  /** An entry ends here. */
  private end(): void {
    if (this.endsUsed === this.ends.length) {
      const grown = new Int32Array(2 * this.ends.length);
      grown.set(this.ends);
      this.ends = grown;
    }
    this.ends[this.endsUsed++] = this.writer.length;
  }

  /** Moves the entries behind their count and ends, which are known now: one copy at each level. */
  private close(start: number): void {
    const { writer, ends } = this;
    const first = this.marks.pop() as number;
    const count = this.endsUsed - first;
    const data = start + 1;
    const bytes = writer.length - data;
    const wide = bytes > 0xffff;
    const table = data + varintBytes(count);
    const shift = table - data + count * (wide ? 4 : 2);
    writer.reserve(shift);
    const { buffer } = writer;
    buffer.copyWithin(data + shift, data, data + bytes);
    writer.length += shift;
    if (wide) buffer[start] = (buffer[start] as number) | 1;
    writeVarint(buffer, data, count);
    for (let i = 0; i < count; i++) {
      const end = (ends[first + i] as number) - data;
      if (wide) writeU32(buffer, table + 4 * i, end);
      else writeU16(buffer, table + 2 * i, end);
    }
    this.endsUsed = first;
  }

  private newKey(key: string): Uint8Array {
    if (!key.isWellFormed()) throw surrogateError(this.where());
    const refusal = this.rules.refuseKey?.(key);
    if (refusal !== undefined) throw new PhantomError('22023', refusal, { detail: this.where() });
    const length = utf8Bytes(key);
    const skip = varintBytes(length);
    const bytes = new Uint8Array(skip + length + 3);
    writeVarint(bytes, 0, length);
    const whole = bytes.subarray(0, writeUtf8(bytes, skip, key));
    if (this.keys.size < KEYS_MAX) this.keys.set(key, whole);
    return whole;
  }

  private checkDepth(depth: number): void {
    if (depth >= this.rules.depthMax) {
      throw new PhantomError('54001', `a document is nested at most ${this.rules.depthMax} levels deep`, {
        data: { depthMax: this.rules.depthMax },
      });
    }
  }

  private readonly where = (): string => (this.path.length === 0 ? 'At the top.' : `At "${this.path.join('.')}".`);

  private refuse(what: string): PhantomError {
    return new PhantomError('22023', `a document cannot hold ${what}`, { detail: this.where() });
  }
}

/** A plain object of another realm (a vm context, a worker's module): its prototype is an Object.prototype, not ours. */
function isForeignPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return (
    Object.getPrototypeOf(prototype) === null &&
    Object.prototype.toString.call(value) === '[object Object]' &&
    (prototype as { constructor?: { name?: string } }).constructor?.name === 'Object'
  );
}
