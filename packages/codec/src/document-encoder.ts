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
import { writeNode, writeNumber } from './document-writer.js';
import { corruptValue } from './storage.js';
import { utf8Bytes, utf8BytesMax, writeUtf8 } from './text-bytes.js';

export interface DocumentRules {
  /** Levels of nesting; past it 54001. */
  readonly depthMax: number;
  /** Says what is wrong with a key, or nothing. Asked once for each key that is new to the encoder. */
  readonly refuseKey?: (key: string) => string | undefined;
}

/** Keys whose bytes are kept; documents with more different ones pay for their encoding. */
const KEYS_MAX = 4096;
const SMALL_STRING_MAX = 63;
/** Longer texts are measured before room is made for them: three bytes a character would be too much room. */
const PLAIN_STRING_MAX = 4096;
const ORDERED = { sorted: false } as const;

/** A key met, and what came behind it and below it when it was met last: mostly that comes again, and needs no look-up then. */
interface KnownKey {
  readonly text: string;
  /** Length and UTF-8. */
  readonly bytes: Uint8Array;
  next: KnownKey | undefined;
  first: KnownKey | undefined;
}

function surrogateError(where: string): PhantomError {
  return new PhantomError('22021', 'the text has an unpaired surrogate, so it has no UTF-8 form', { detail: where });
}

export class DocumentEncoder {
  /** Holds what was encoded last; callers may write around it. */
  readonly writer = new ByteWriter(1024);
  private readonly rules: DocumentRules;
  private readonly keys = new Map<string, KnownKey>();
  /** What documents are found under. */
  private readonly root: KnownKey = { text: '', bytes: new Uint8Array(0), next: undefined, first: undefined };
  /** End offsets of the containers being written, innermost on top. */
  private ends = new Int32Array(256);
  private endsUsed = 0;
  /** Where the value being written stands: as many steps as it has levels above it. */
  private readonly path: (string | number)[] = [];

  constructor(rules: DocumentRules) {
    this.rules = rules;
  }

  /** Appends the object's node with `_id` first, whatever the object has under that name. */
  encodeWithId(document: object, id: unknown): void {
    if (document instanceof Map) {
      this.encode(new Map([['_id', id], ...[...(document as Map<unknown, unknown>)].filter(([key]) => key !== '_id')]));
      return;
    }
    this.endsUsed = 0;
    const fields = document as Record<string, unknown>;
    const names = Object.keys(fields);
    const room = Object.hasOwn(fields, '_id') ? names.length : names.length + 1;
    const start = this.open(Tag.Object, room);
    let last = this.field('_id', id, 0, this.root, undefined);
    for (let i = 0; i < names.length; i++) {
      const key = names[i] as string;
      if (key !== '_id') last = this.field(key, fields[key], 0, this.root, last);
    }
    this.close(start, room, 0);
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
    const count = nodeCount(bytes, at, end);
    const names = Object.keys(before);
    this.endsUsed = 0;
    const start = this.open(Tag.Object, count);
    const { writer } = this;
    let met = 0;
    /** Where the entries begin that are kept and not copied yet: neighbours are copied together. */
    let kept = -1;
    let to = entryStart(bytes, at, end, count, 0);
    for (let i = 0; i < count; i++) {
      const from = to;
      to = entryStart(bytes, at, end, count, i + 1);
      const name = names[met];
      const isMet = name !== undefined && this.isKeyAt(bytes, from, name);
      if (isMet) met++;
      if (!isMet || (Object.hasOwn(after, name) && Object.is(before[name], after[name]))) {
        if (kept < 0) kept = from;
        this.end(writer.length + to - kept);
        continue;
      }
      if (kept >= 0) writer.bytes(bytes, kept, from);
      kept = -1;
      if (Object.hasOwn(after, name)) this.field(name, after[name], 0, this.root, undefined);
    }
    if (kept >= 0) writer.bytes(bytes, kept, to);
    for (const name in after) {
      if (Object.hasOwn(after, name) && !Object.hasOwn(before, name))
        this.field(name, after[name], 0, this.root, undefined);
    }
    this.close(start, count, 0);
  }

  /** Whether the entry at `from` has this key. */
  private isKeyAt(bytes: Uint8Array, from: number, name: string): boolean {
    const key = (this.keys.get(name) ?? this.newKey(name, 0)).bytes;
    for (let i = 0; i < key.length; i++) if (bytes[from + i] !== key[i]) return false;
    return true;
  }

  /** Appends the node of any value. */
  encode(value: unknown): void {
    this.endsUsed = 0;
    this.node(value, 0, this.root);
  }

  /**
   * Appends a field of the object at `depth` under `parent`; `last` is the field before it. Returns what the next field comes after: its
   * key, or `last` when it was left out.
   */
  private field(
    name: string,
    value: unknown,
    depth: number,
    parent: KnownKey,
    last: KnownKey | undefined,
  ): KnownKey | undefined {
    if (value === undefined) return last;
    const { writer } = this;
    let key = last === undefined ? parent.first : last.next;
    if (key === undefined || key.text !== name) {
      key = this.keys.get(name) ?? this.newKey(name, depth);
      if (last === undefined) parent.first = key;
      else last.next = key;
    }
    const { bytes } = key;
    const at = writer.reserve(bytes.length);
    writer.length = copyBytes(bytes, 0, bytes.length, writer.buffer, at);
    this.path[depth] = name;
    this.node(value, depth + 1, key);
    this.end();
    return key;
  }

  /** Appends the node of a value that has `depth` levels above it, under a key. */
  private node(value: unknown, depth: number, key: KnownKey): void {
    const { writer } = this;
    switch (typeof value) {
      case 'string':
        this.text(value, depth);
        return;
      case 'number':
        writeNumber(writer, value);
        return;
      case 'boolean':
        writer.u8(value ? Tag.True : Tag.False);
        return;
      case 'bigint':
        writeNode(writer, value, ORDERED);
        return;
      case 'object':
        if (value === null) writer.u8(Tag.Null);
        else this.object(value, depth, key);
        return;
      default:
        throw this.refuse(`a value of type ${typeof value}`, depth);
    }
  }

  /** Plain text is two to three times faster here than asking native code for its length first. */
  private text(text: string, depth: number): void {
    const { writer } = this;
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
    } else if (length <= PLAIN_STRING_MAX) {
      const at = writer.reserve(utf8BytesMax(text) + 3);
      const { buffer } = writer;
      const from = at + 1 + varintBytes(length);
      // As many bytes as characters: each of them is ASCII.
      if (writeUtf8(buffer, from, text) === from + length) {
        buffer[at] = Tag.String;
        writeVarint(buffer, at + 1, length);
        writer.length = from + length;
        return;
      }
    }
    if (!text.isWellFormed()) throw surrogateError(this.where(depth));
    writeNode(writer, text, ORDERED);
  }

  private object(value: object, depth: number, key: KnownKey): void {
    if (Array.isArray(value)) {
      this.array(value, depth, key);
      return;
    }
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null) {
      this.plain(value as Record<string, unknown>, depth, key);
    } else if (value instanceof Map) {
      this.map(value as Map<unknown, unknown>, depth, key);
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
      this.plain(value as Record<string, unknown>, depth, key);
    } else {
      throw this.refuse(`an instance of ${value.constructor.name}`, depth);
    }
  }

  private array(items: readonly unknown[], depth: number, key: KnownKey): void {
    this.checkDepth(depth);
    const { length } = items;
    const first = this.endsUsed;
    const start = this.open(Tag.Array, length);
    for (let i = 0; i < length; i++) {
      const item = items[i];
      this.path[depth] = i;
      this.node(item === undefined ? null : item, depth + 1, key);
      this.end();
    }
    this.close(start, length, first);
  }

  private plain(fields: Record<string, unknown>, depth: number, key: KnownKey): void {
    this.checkDepth(depth);
    const names = Object.keys(fields);
    const { length } = names;
    const first = this.endsUsed;
    const start = this.open(Tag.Object, length);
    let last: KnownKey | undefined;
    for (let i = 0; i < length; i++) {
      const name = names[i] as string;
      last = this.field(name, fields[name], depth, key, last);
    }
    this.close(start, length, first);
  }

  private map(fields: Map<unknown, unknown>, depth: number, key: KnownKey): void {
    this.checkDepth(depth);
    const room = fields.size;
    const first = this.endsUsed;
    const start = this.open(Tag.Object, room);
    let last: KnownKey | undefined;
    for (const [name, value] of fields) {
      if (typeof name !== 'string') throw this.refuse('a Map with keys that are no strings', depth);
      last = this.field(name, value, depth, key, last);
    }
    this.close(start, room, first);
  }

  /** Writes the tag and leaves room for a count and the ends of so many entries, in the narrow form. */
  private open(tag: number, room: number): number {
    const { writer } = this;
    const start = writer.reserve(1 + tableBytes(room, false));
    writer.buffer[start] = tag;
    writer.length = start + 1 + tableBytes(room, false);
    return start;
  }

  /** An entry ends here, or at an offset that is yet to be written. */
  private end(at: number = this.writer.length): void {
    if (this.endsUsed === this.ends.length) {
      const grown = new Int32Array(2 * this.ends.length);
      grown.set(this.ends);
      this.ends = grown;
    }
    this.ends[this.endsUsed++] = at;
  }

  /**
   * Writes count and ends, which are known now: those on the stack from `first` on. There is room for `room` of them; fewer, or wider
   * ones, move the entries.
   */
  private close(start: number, room: number, first: number): void {
    const { writer, ends } = this;
    const count = this.endsUsed - first;
    const reserved = start + 1 + tableBytes(room, false);
    const wide = writer.length - reserved > 0xffff;
    const data = start + 1 + tableBytes(count, wide);
    if (data !== reserved) {
      const bytes = writer.length - reserved;
      if (data > reserved) writer.reserve(data - reserved);
      writer.buffer.copyWithin(data, reserved, reserved + bytes);
      writer.length = data + bytes;
    }
    const { buffer } = writer;
    if (wide) buffer[start] = (buffer[start] as number) | 1;
    const table = writeVarint(buffer, start + 1, count);
    for (let i = 0; i < count; i++) {
      const end = (ends[first + i] as number) - reserved;
      if (wide) writeU32(buffer, table + 4 * i, end);
      else writeU16(buffer, table + 2 * i, end);
    }
    this.endsUsed = first;
  }

  /** The key among those that are kept, as long as there is room. */
  private newKey(text: string, depth: number): KnownKey {
    if (!text.isWellFormed()) throw surrogateError(this.where(depth));
    const refusal = this.rules.refuseKey?.(text);
    if (refusal !== undefined) throw new PhantomError('22023', refusal, { detail: this.where(depth) });
    if (this.keys.size === KEYS_MAX) {
      this.keys.clear();
      this.root.first = undefined;
    }
    const length = utf8Bytes(text);
    const skip = varintBytes(length);
    const bytes = new Uint8Array(skip + length + 3);
    writeVarint(bytes, 0, length);
    const key = { text, bytes: bytes.subarray(0, writeUtf8(bytes, skip, text)), next: undefined, first: undefined };
    this.keys.set(text, key);
    return key;
  }

  private checkDepth(depth: number): void {
    if (depth >= this.rules.depthMax) {
      throw new PhantomError('54001', `a document is nested at most ${this.rules.depthMax} levels deep`, {
        data: { depthMax: this.rules.depthMax },
      });
    }
  }

  /** Tells where the value is that has `depth` levels above it. */
  private where(depth: number): string {
    return depth === 0 ? 'At the top.' : `At "${this.path.slice(0, depth).join('.')}".`;
  }

  private refuse(what: string, depth: number): PhantomError {
    return new PhantomError('22023', `a document cannot hold ${what}`, { detail: this.where(depth) });
  }
}

/** Bytes of a container's count and ends. */
function tableBytes(count: number, wide: boolean): number {
  return varintBytes(count) + count * (wide ? 4 : 2);
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
