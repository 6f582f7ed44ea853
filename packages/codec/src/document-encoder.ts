/**
 * A caller's object to document bytes, in one pass that checks as it writes: what a document may hold, how deep it may be, what its
 * keys may be called. `document-writer.ts` trusts its input; this does not.
 *
 * Fields keep their order. The documents of a collection are mostly alike, so what they look like is learnt (shape-tree.ts): the keys of
 * an object are looked at first, and where they are those of a structure that the store has, it is named and they are not written. Where
 * they are not, a key is one copy of bytes that are kept.
 *
 * What is done with JavaScript's oddities:
 *   undefined        the field is left out; in an array it is null, as JSON.stringify has it
 *   NaN, infinities  numbers like others          -0     kept
 *   functions, symbols, RegExp, Set, other classes   22023, with the path
 *   unpaired surrogates    22021, in keys too
 *   `__proto__`      a field like others
 */
import {
  ByteWriter,
  PhantomError,
  assert,
  copyBytes,
  readU16,
  varintBytes,
  writeU16,
  writeU32,
  writeVarint,
} from '@phantom/base';
import { Decimal } from './decimal.js';
import { SHORT_STRING_MAX, Tag, hasStructure, isSelfContained } from './document-format.js';
import { type DocumentValue, entryStart, nodeCount, nodeKind } from './document-reader.js';
import {
  type DocumentStructure,
  STRUCTURE_NAME_BYTES,
  type StructureStore,
  structureAt,
} from './document-structure.js';
import { ObjectId, Uuid, isForeignPlain } from './document-values.js';
import { writeNode, writeNumber, writeShortText } from './document-writer.js';
import { EntryEnds, NARROW_MAX } from './entry-ends.js';
import type { ObjectTarget } from './object-writer.js';
import { type KnownKey, type ShapeNode, ShapeTree } from './shape-tree.js';
import { corruptValue } from './storage.js';
import { keyBytes, utf8BytesMax, writeUtf8 } from './text-bytes.js';

export interface DocumentRules {
  /** Levels of nesting; past it 54001. */
  readonly depthMax: number;
  /** Says what is wrong with a key, or nothing. Asked once for each key that is new to the encoder. */
  readonly refuseKey?: (key: string) => string | undefined;
}

/** Keys whose bytes are kept; documents with more different ones pay for their encoding. */
const KEYS_MAX = 4096;
/** Longer texts are measured before room is made for them: three bytes a character would be too much room. */
const PLAIN_STRING_MAX = 4096;
const ORDERED = { sorted: false } as const;

/** A value of a document that is changed, which stays what it is: the node at [from, to). */
class KeptNode {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;

  constructor(bytes: Uint8Array, from: number, to: number) {
    this.bytes = bytes;
    this.from = from;
    this.to = to;
  }
}

function surrogateError(where: string): PhantomError {
  return new PhantomError('22021', 'the text has an unpaired surrogate, so it has no UTF-8 form', { detail: where });
}

export class DocumentEncoder implements ObjectTarget {
  /** Where it appends; callers may write around that, or put another in its place. */
  writer = new ByteWriter(1024);
  private readonly rules: DocumentRules;
  private readonly keys = new Map<string, KnownKey>();
  private shapes = new ShapeTree();
  /** Above documents. */
  private readonly top: KnownKey = { text: '', bytes: new Uint8Array(0), first: undefined, usual: undefined };
  /** Keys and values of the objects being written, those of the innermost on top. */
  private readonly fieldKeys: KnownKey[] = [];
  private readonly fieldValues: unknown[] = [];
  private fieldsUsed = 0;
  /** Whose structures documents may name; undefined: they carry their keys. */
  private store: StructureStore | undefined = undefined;
  /** Objects may be written by what is expected of them (object-writer.ts). */
  private expects = false;
  /** Nodes written that are not self-contained. */
  private named = 0;
  /** Ends of the entries of the containers being written, innermost on top. */
  private readonly ends = new EntryEnds();
  /** Where the value being written stands: as many steps as it has levels above it. */
  private readonly path: (string | number)[] = [];

  constructor(rules: DocumentRules) {
    this.rules = rules;
  }

  /** Appends the object's node with `_id` first, whatever the object has under that name. It may name structures of `store`. */
  encodeWithId(document: object, id: unknown, store?: StructureStore): void {
    const start = this.writer.length;
    this.begin(store);
    this.expects = store !== undefined;
    try {
      this.document(document, id);
    } catch (error) {
      if (!this.expects) throw error;
      // Compiled writers do not say where a value is that they refuse.
      this.writer.length = start;
      this.begin(store);
      this.document(document, id);
    }
  }

  private document(document: object, id: unknown): void {
    if (document instanceof Map) {
      const shape = this.take(this.shapes.root, this.top, '_id', id, 0);
      this.mapFields(document as Map<unknown, unknown>, 0, this.top, shape);
      return;
    }
    const fields = document as Record<string, unknown>;
    const names = Object.keys(document);
    if (this.asUsual(fields, names, id, 0, this.top)) return;
    this.plainFields(fields, names, 0, this.top, this.take(this.shapes.root, this.top, '_id', id, 0));
  }

  /**
   * Appends the object whose node is at [at, end) with some fields changed: `before` has those of its top-level fields that may have
   * changed, in their order, `after` what they are now. All others are copied as they are, so it stays with the keys, or the structure,
   * that it has, unless it gains fields or loses some. XX001 for bytes that are no object. `store` has what it names.
   */
  encodeChanged(
    bytes: Uint8Array,
    at: number,
    end: number,
    before: Readonly<Record<string, unknown>>,
    after: Readonly<Record<string, unknown>>,
    store?: StructureStore,
  ): void {
    if (nodeKind(bytes, at, end) !== 'object') throw corruptValue('a document that is no object');
    this.begin(store);
    const tag = bytes[at] as number;
    const structure = hasStructure(tag) ? structureAt(bytes, at, end) : undefined;
    if (structure !== undefined && !hasSameKeys(before, after)) {
      this.restructured(bytes, at, end, structure, before, after);
      return;
    }
    const names = Object.keys(before);
    const count = nodeCount(bytes, at, end);
    const { writer } = this;
    const start = structure === undefined ? this.open(Tag.Object, count) : this.openStructured(structure);
    let met = 0;
    /** Where the entries begin that are kept and not copied yet: neighbours are copied together. */
    let kept = -1;
    let to = entryStart(bytes, at, end, count, 0);
    for (let i = 0; i < count; i++) {
      const from = to;
      to = entryStart(bytes, at, end, count, i + 1);
      const name = names[met];
      const isMet =
        name !== undefined && (structure === undefined ? this.isKeyAt(bytes, from, name) : structure.names[i] === name);
      if (isMet) met++;
      if (!isMet || (Object.hasOwn(after, name) && Object.is(before[name], after[name]))) {
        if (kept < 0) kept = from;
        this.end(writer.length + to - kept);
        continue;
      }
      if (kept >= 0) writer.bytes(bytes, kept, from);
      kept = -1;
      if (Object.hasOwn(after, name)) this.changedField(name, after[name], structure);
    }
    if (kept >= 0) writer.bytes(bytes, kept, to);
    if (structure !== undefined) {
      this.closeStructured(start, structure, 0);
      return;
    }
    for (const name in after) {
      if (Object.hasOwn(after, name) && !Object.hasOwn(before, name)) this.changedField(name, after[name], undefined);
    }
    this.close(start, count, 0, !isSelfContained(tag) || this.named > 0);
  }

  /** Appends a field that has a new value, without its key where a structure has that. */
  private changedField(name: string, value: unknown, structure: DocumentStructure | undefined): void {
    if (value === undefined) return;
    const key = this.key(name, 0);
    if (structure === undefined) this.writeKey(key);
    this.path[0] = name;
    this.node(value, 1, key);
    this.end();
  }

  /** The same for an object of a structure that gains fields or loses some: it has another one, or its keys. */
  private restructured(
    bytes: Uint8Array,
    at: number,
    end: number,
    { names }: DocumentStructure,
    before: Readonly<Record<string, unknown>>,
    after: Readonly<Record<string, unknown>>,
  ): void {
    let shape = this.shapes.root;
    let to = entryStart(bytes, at, end, names.length, 0);
    for (let i = 0; i < names.length; i++) {
      const from = to;
      to = entryStart(bytes, at, end, names.length, i + 1);
      const name = names[i] as string;
      const stays = !Object.hasOwn(before, name) || Object.is(before[name], after[name]);
      const isThere = stays || Object.hasOwn(after, name);
      if (isThere) shape = this.take(shape, this.top, name, stays ? new KeptNode(bytes, from, to) : after[name], 0);
    }
    for (const name in after) {
      if (Object.hasOwn(after, name) && !Object.hasOwn(before, name))
        shape = this.take(shape, this.top, name, after[name], 0);
    }
    this.takenFields(0, 0, shape);
  }

  /** Whether the entry at `from` has this key. */
  private isKeyAt(bytes: Uint8Array, from: number, name: string): boolean {
    const key = this.key(name, 0).bytes;
    for (let i = 0; i < key.length; i++) if (bytes[from + i] !== key[i]) return false;
    return true;
  }

  /** Appends the node of any value, with the keys of all objects in it. */
  encode(value: unknown): void {
    this.begin(undefined);
    this.node(value, 0, this.top);
  }

  /** Appends the node of what a field at the top of a document becomes. It may name structures of `store`. */
  encodeField(name: string, value: unknown, store: StructureStore): void {
    this.begin(store);
    this.path[0] = name;
    this.node(value, 1, this.key(name, 0));
  }

  private begin(store: StructureStore | undefined): void {
    this.ends.count = 0;
    this.fieldsUsed = 0;
    this.named = 0;
    this.store = store;
    this.expects = false;
    if (this.shapes.isFull) this.forget();
  }

  private forget(): void {
    this.keys.clear();
    this.shapes = new ShapeTree();
    this.top.first = undefined;
    this.top.usual = undefined;
  }

  /** Takes a field of an object under `parent`, behind the keys of `shape`; what is undefined is left out. Gives its shape with it. */
  private take(shape: ShapeNode, parent: KnownKey, name: string, value: unknown, depth: number): ShapeNode {
    if (value === undefined) return shape;
    const isFirst = shape.parent === undefined;
    let next = isFirst ? parent.first : shape.next;
    if (next === undefined || next.key.text !== name) {
      next = this.shapes.after(shape, this.key(name, depth));
      if (isFirst) parent.first = next;
      else shape.next = next;
    }
    const at = this.fieldsUsed++;
    this.fieldKeys[at] = next.key;
    this.fieldValues[at] = value;
    return next;
  }

  /** Appends the node of a value that has `depth` levels above it, under a key. */
  node(value: unknown, depth: number, key: KnownKey): void {
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

  /** Appends the node of a text. */
  text(text: string, depth: number): void {
    const { writer } = this;
    const { length } = text;
    if (length <= SHORT_STRING_MAX) {
      if (writeShortText(writer, text)) return;
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
    } else if (value instanceof KeptNode) {
      this.keep(value);
    } else if (isForeignPlain(value)) {
      this.plain(value as Record<string, unknown>, depth, key);
    } else {
      throw this.refuse(`an instance of ${value.constructor.name}`, depth);
    }
  }

  private array(items: readonly unknown[], depth: number, key: KnownKey): void {
    this.checkDepth(depth);
    const { writer, named } = this;
    const { length } = items;
    const start = this.open(Tag.Array, length);
    const data = writer.length;
    const table = data - 2 * length;
    for (let i = 0; i < length; i++) {
      this.item(items[i], i, depth, key);
      const end = writer.length - data;
      if (end > NARROW_MAX) {
        this.widerArray(items, i, depth, key, start, data, named);
        return;
      }
      writeU16(writer.buffer, table + 2 * i, end);
    }
    const { buffer } = writer;
    writeVarint(buffer, start + 1, length);
    if (this.named !== named) buffer[start] = Tag.ArrayOver;
  }

  /** Goes on with an array whose item at `last` is the first to end too far for narrow ends. */
  private widerArray(
    items: readonly unknown[],
    last: number,
    depth: number,
    key: KnownKey,
    start: number,
    data: number,
    named: number,
  ): void {
    const { writer } = this;
    const first = this.ends.count;
    const { length } = items;
    const table = data - 2 * length;
    for (let i = 0; i < last; i++) this.end(data + readU16(writer.buffer, table + 2 * i));
    this.end();
    for (let i = last + 1; i < length; i++) {
      this.item(items[i], i, depth, key);
      this.end();
    }
    this.close(start, length, first, this.named !== named);
  }

  private item(item: unknown, i: number, depth: number, key: KnownKey): void {
    this.path[depth] = i;
    if (typeof item === 'string') this.text(item, depth + 1);
    else this.node(item === undefined ? null : item, depth + 1, key);
  }

  private plain(fields: Record<string, unknown>, depth: number, key: KnownKey): void {
    this.checkDepth(depth);
    const names = Object.keys(fields);
    if (!this.asUsual(fields, names, undefined, depth, key))
      this.plainFields(fields, names, depth, key, this.shapes.root);
  }

  /** Appends an object that is what objects under this key mostly are; false, and nothing is appended, for any other. */
  private asUsual(
    fields: Record<string, unknown>,
    names: readonly string[],
    id: unknown,
    depth: number,
    { usual }: KnownKey,
  ): boolean {
    if (usual === undefined || !this.expects || this.store?.has(usual.structure) !== true) return false;
    const isWritten = usual.write(this, fields, names, id, depth, usual.keys);
    if (isWritten) this.named++;
    return isWritten;
  }

  private plainFields(
    fields: Record<string, unknown>,
    names: readonly string[],
    depth: number,
    parent: KnownKey,
    from: ShapeNode,
  ): void {
    const base = this.fieldsUsed - from.depth;
    let shape = from;
    for (let i = 0; i < names.length; i++) {
      const name = names[i] as string;
      // What comes first already is the id.
      if (from.depth > 0 && name === '_id') continue;
      shape = this.take(shape, parent, name, fields[name], depth);
    }
    this.takenFields(base, depth, shape);
    if (this.expects) parent.usual = shape.wasWritten() ?? parent.usual;
  }

  private map(fields: Map<unknown, unknown>, depth: number, key: KnownKey): void {
    this.checkDepth(depth);
    this.mapFields(fields, depth, key, this.shapes.root);
  }

  private mapFields(fields: Map<unknown, unknown>, depth: number, parent: KnownKey, from: ShapeNode): void {
    const base = this.fieldsUsed - from.depth;
    let shape = from;
    for (const [name, value] of fields) {
      if (typeof name !== 'string') throw this.refuse('a Map with keys that are no strings', depth);
      if (from.depth > 0 && name === '_id') continue;
      shape = this.take(shape, parent, name, value, depth);
    }
    this.takenFields(base, depth, shape);
  }

  /** Appends the object at `depth` of the fields taken from `base` on, which are then done with. */
  private takenFields(base: number, depth: number, shape: ShapeNode): void {
    const { fieldKeys, fieldValues, named } = this;
    const count = this.fieldsUsed - base;
    const structure = this.store === undefined ? undefined : this.structureOf(shape, this.store);
    const first = this.ends.count;
    const start = structure === undefined ? this.open(Tag.Object, count) : this.openStructured(structure);
    for (let i = base; i < base + count; i++) {
      const key = fieldKeys[i] as KnownKey;
      const value = fieldValues[i];
      if (structure === undefined) this.writeKey(key);
      this.path[depth] = key.text;
      this.node(value, depth + 1, key);
      fieldValues[i] = undefined;
      this.end();
    }
    this.fieldsUsed = base;
    if (structure === undefined) this.close(start, count, first, this.named !== named);
    else this.closeStructured(start, structure, first);
  }

  /** The structure that objects of this shape may name. */
  private structureOf(shape: ShapeNode, store: StructureStore): DocumentStructure | undefined {
    if (shape.structure === undefined) {
      const bytes = shape.meet();
      if (bytes !== undefined) shape.learnt(store.learn(bytes));
    }
    const { structure } = shape;
    if (structure === undefined || store.has(structure)) return structure;
    store.wants(structure);
    return undefined;
  }

  private writeKey({ bytes }: KnownKey): void {
    const { writer } = this;
    const at = writer.reserve(bytes.length);
    writer.length = copyBytes(bytes, 0, bytes.length, writer.buffer, at);
  }

  private keep({ bytes, from, to }: KeptNode): void {
    if (!isSelfContained(bytes[from] as number)) this.named++;
    this.writer.bytes(bytes, from, to);
  }

  /** Writes the tag and leaves room for a count and the ends of so many entries, in the narrow form. */
  private open(tag: number, room: number): number {
    const { writer } = this;
    const head = 1 + varintBytes(room) + 2 * room;
    const start = writer.reserve(head);
    writer.buffer[start] = tag;
    writer.length = start + head;
    return start;
  }

  /** Writes the name of a structure and leaves room for the ends of its entries, in the narrow form. */
  private openStructured({ keys, low, high }: DocumentStructure): number {
    const { writer } = this;
    const head = 1 + STRUCTURE_NAME_BYTES + 2 * keys.length;
    const start = writer.reserve(head);
    writer.buffer[start] = Tag.Structured;
    writeU32(writer.buffer, start + 1, low);
    writeU32(writer.buffer, start + 5, high);
    writer.length = start + head;
    return start;
  }

  /** Writes the ends, as close does. */
  private closeStructured(start: number, { keys }: DocumentStructure, first: number): void {
    assert(this.ends.count - first === keys.length, 'an object has the fields of its structure');
    this.named++;
    const table = start + 1 + STRUCTURE_NAME_BYTES;
    this.ends.write(this.writer, start, table, keys.length, table + 2 * keys.length, first);
  }

  /** See ObjectTarget. */
  endWide(start: number, data: number, ends: readonly number[]): void {
    const first = this.ends.count;
    for (const end of ends) this.end(data + end);
    this.ends.write(this.writer, start, data - 2 * ends.length, ends.length, data, first);
  }

  /** An entry ends here, or at an offset that is yet to be written. */
  private end(at: number = this.writer.length): void {
    this.ends.push(at);
  }

  /**
   * Writes count and ends, which are known now: those on the stack from `first` on. There is room for `room` of them; fewer, or wider
   * ones, move the entries. `isOver` says that something in it has a structure.
   */
  private close(start: number, room: number, first: number, isOver: boolean): void {
    const { buffer } = this.writer;
    const count = this.ends.count - first;
    if (isOver) buffer[start] = buffer[start] === Tag.Array ? Tag.ArrayOver : Tag.ObjectOver;
    const table = writeVarint(buffer, start + 1, count);
    this.ends.write(this.writer, start, table, count, start + 1 + varintBytes(room) + 2 * room, first);
  }

  /** The key among those that are kept. */
  private key(text: string, depth: number): KnownKey {
    return this.keys.get(text) ?? this.newKey(text, depth);
  }

  private newKey(text: string, depth: number): KnownKey {
    if (!text.isWellFormed()) throw surrogateError(this.where(depth));
    const refusal = this.rules.refuseKey?.(text);
    if (refusal !== undefined) throw new PhantomError('22023', refusal, { detail: this.where(depth) });
    if (this.keys.size === KEYS_MAX) this.forget();
    const key = { text, bytes: keyBytes(text), first: undefined, usual: undefined };
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

/** True where what was changed has the same fields afterwards. */
function hasSameKeys(before: Readonly<Record<string, unknown>>, after: Readonly<Record<string, unknown>>): boolean {
  for (const name in before) if (!Object.hasOwn(after, name) || after[name] === undefined) return false;
  for (const name in after) if (Object.hasOwn(after, name) && !Object.hasOwn(before, name)) return false;
  return true;
}
