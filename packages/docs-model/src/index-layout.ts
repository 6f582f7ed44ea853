/**
 * An index over paths of documents, and the entries that a document has in it.
 *
 *   key     space(4)  part part ...  [row key without its space, unless unique]
 *   value   row key without its space
 *   mark    space(4)  00                     there once an array has given a document several entries: multikey
 *
 *   part    as index-keys.ts has it, inverted where it descends
 *   wildcard   path as text, then the value: one entry for each leaf of the document
 *   text       a word, one entry for each; the value is the row key, behind one byte for how often (up to 255)
 *
 * An array at a path gives one entry for each different element (an empty one stands with null); two paths of an index may not both
 * lead through arrays of one document (0A000). A document that a sparse index finds none of its paths in has no entry; elsewhere
 * missing is null.
 *
 * Invariant: a document without arrays on the index's paths has one entry, so while the mark is not there an entry is a document.
 */
import { ByteWriter, PhantomError, compareKeys, unsupportedError } from '@phantom/base';
import type { DocumentIndexDescriptor, IndexDescriptor } from '@phantom/catalog';
import { appendKeyText } from '@phantom/codec';
import { KEY_BYTES_MAX, SPACE_BYTES, writeSpace } from '@phantom/kv';
import { type CompiledFilter, compileFilter } from './filter/filter.js';
import { appendValueKey } from './index-keys.js';
import { type PlainObject, isObject } from './order.js';
import { type Path, ownField, parsePath, walkPath } from './path.js';
import { storedFilter } from './stored-filter.js';
import { wordsOf } from './words.js';

/** Entries that one document may have in one index. */
const ENTRIES_MAX = 10_000;

/** An entry of a document: its key without the row key, and how often a word occurs (text alone). */
export interface IndexEntry {
  readonly key: Uint8Array;
  readonly count: number;
}

/** How many entries a document has in an index. */
export const Entries = { None: 0, One: 1, Several: 2 } as const;
export type Entries = (typeof Entries)[keyof typeof Entries];

export class IndexLayout {
  readonly index: IndexDescriptor;
  readonly definition: DocumentIndexDescriptor;
  readonly prefix: Uint8Array;
  readonly markKey: Uint8Array;
  /** The filter of a partial index. */
  readonly partial: CompiledFilter | undefined;
  /** Top-level fields of a document that its entries depend on; undefined: any. */
  readonly fields: ReadonlySet<string> | undefined;
  /** Entries of this document are several, or would be for one with more elements. */
  sawArray = false;
  private readonly paths: readonly Path[];
  private readonly writer = new ByteWriter(256);

  constructor(index: IndexDescriptor) {
    const definition = index.document as DocumentIndexDescriptor;
    this.index = index;
    this.definition = definition;
    this.prefix = new Uint8Array(SPACE_BYTES);
    writeSpace(this.prefix, 0, index.space);
    this.markKey = new Uint8Array(SPACE_BYTES + 1);
    this.markKey.set(this.prefix);
    this.paths = definition.parts.map(({ path }) => (path === '' ? [] : parsePath(path)));
    this.partial =
      definition.partialFilter === undefined ? undefined : compileFilter(storedFilter(definition.partialFilter));
    this.fields = this.fieldsRead();
  }

  private fieldsRead(): ReadonlySet<string> | undefined {
    const { partial, paths } = this;
    if (this.isWildcard || (partial !== undefined && partial.fields === undefined)) return undefined;
    return new Set([...paths.map(([field]) => field as string), ...(partial?.fields ?? [])]);
  }

  /** A document without arrays has one entry at the most. */
  get isOrdered(): boolean {
    return this.definition.kind === 'ordered' && !this.isWildcard;
  }

  get isWildcard(): boolean {
    return this.definition.parts[0]?.wildcard === true;
  }

  /** Keys of the document's entries in key order, each once. Sets `sawArray`. */
  entriesOf(document: PlainObject): IndexEntry[] {
    this.sawArray = false;
    if (this.partial !== undefined && !this.partial.matches(document)) return [];
    if (this.definition.kind === 'text') return this.textEntries(document);
    return this.isWildcard ? this.wildcardEntries(document) : this.orderedEntries(document);
  }

  private orderedEntries(document: PlainObject): IndexEntry[] {
    this.writer.reset();
    const entries = this.appendParts(this.writer, document);
    if (entries === Entries.Several) return this.entriesThroughArrays(document);
    return entries === Entries.None ? [] : [{ key: this.writer.take(), count: 0 }];
  }

  /**
   * Appends the key of the only entry of a document in which no path leads through or to an array; of any other document it appends
   * something that means nothing. For ordered indexes.
   */
  appendSingle(writer: ByteWriter, document: PlainObject): Entries {
    if (this.partial !== undefined && !this.partial.matches(document)) return Entries.None;
    return this.appendParts(writer, document);
  }

  private appendParts(writer: ByteWriter, document: PlainObject): Entries {
    const { paths } = this;
    const start = writer.length;
    let found = false;
    writer.bytes(this.prefix);
    for (let i = 0; i < paths.length; i++) {
      const path = paths[i] as Path;
      let value: unknown = document;
      for (let step = 0; step < path.length && value !== undefined; step++) {
        if (Array.isArray(value)) return Entries.Several;
        value = isObject(value) ? ownField(value, path[step] as string) : undefined;
      }
      if (Array.isArray(value)) return Entries.Several;
      found ||= value !== undefined;
      this.appendPart(writer, i, value);
    }
    if (this.definition.sparse && !found) {
      writer.length = start;
      return Entries.None;
    }
    this.checkKeyBytes(writer.length - start);
    return Entries.One;
  }

  private entriesThroughArrays(document: PlainObject): IndexEntry[] {
    const { definition } = this;
    const columns: unknown[][] = [];
    let several = -1;
    let found = false;
    for (let i = 0; i < this.paths.length; i++) {
      const values = this.valuesAt(document, this.paths[i] as Path);
      if (values.throughArray) {
        if (several >= 0) throw unsupportedError('parallel arrays in an index', { detail: this.describe() });
        several = i;
      }
      found ||= values.found;
      columns.push(values.items);
    }
    this.sawArray = several >= 0;
    if (definition.sparse && !found) return [];
    const rows = several < 0 ? 1 : (columns[several] as unknown[]).length;
    if (rows > ENTRIES_MAX) throw this.tooMany();
    const entries: IndexEntry[] = [];
    for (let row = 0; row < rows; row++) {
      const { writer } = this;
      writer.reset();
      writer.bytes(this.prefix);
      for (let i = 0; i < columns.length; i++)
        this.appendPart(writer, i, (columns[i] as unknown[])[i === several ? row : 0]);
      entries.push({ key: this.taken(), count: 0 });
    }
    return rows === 1 ? entries : sorted(entries);
  }

  /** Appends one part of a key. */
  appendPart(writer: ByteWriter, part: number, value: unknown): void {
    const start = writer.length;
    appendValueKey(writer, value);
    if (this.definition.parts[part]?.descending === true) {
      for (let i = start; i < writer.length; i++) writer.buffer[i] = (writer.buffer[i] as number) ^ 0xff;
    }
  }

  /** Values at a path, elements of arrays one by one. */
  private valuesAt(document: PlainObject, path: Path): { items: unknown[]; throughArray: boolean; found: boolean } {
    const items: unknown[] = [];
    let throughArray = passesArray(document, path);
    let found = false;
    walkPath(document, path, (value) => {
      found ||= value !== undefined;
      if (!Array.isArray(value)) {
        items.push(value);
        return false;
      }
      throughArray = true;
      if (value.length === 0) items.push(undefined);
      else items.push(...(value as unknown[]));
      return false;
    });
    if (items.length === 0) items.push(undefined);
    return { items, throughArray, found };
  }

  private wildcardEntries(document: PlainObject): IndexEntry[] {
    const entries: IndexEntry[] = [];
    const { writer } = this;
    const emit = (path: string, value: unknown): void => {
      if (entries.length >= ENTRIES_MAX) throw this.tooMany();
      writer.reset();
      writer.bytes(this.prefix);
      appendKeyText(writer, path);
      appendValueKey(writer, value);
      entries.push({ key: this.taken(), count: 0 });
    };
    const leaf = (path: string, value: unknown): void => {
      if (Array.isArray(value)) {
        this.sawArray = true;
        if (value.length === 0) emit(path, value);
        for (const item of value) {
          if (isObject(item)) fields(path, item);
          else emit(path, item);
        }
      } else if (isObject(value)) {
        if (Object.keys(value).length === 0) emit(path, value);
        else fields(path, value);
      } else {
        emit(path, value);
      }
    };
    const fields = (path: string, object: PlainObject): void => {
      for (const key of Object.keys(object)) leaf(path === '' ? key : `${path}.${key}`, object[key]);
    };
    const top = this.paths[0] as Path;
    if (top.length === 0) fields('', document);
    else {
      walkPath(document, top, (value) => {
        if (value !== undefined) leaf(top.join('.'), value);
        return false;
      });
    }
    return sorted(entries);
  }

  private textEntries(document: PlainObject): IndexEntry[] {
    const counts = new Map<string, number>();
    const { weights } = this.definition;
    for (const [i, path] of this.paths.entries()) {
      const name = this.definition.parts[i]?.path ?? '';
      const weight = weights !== undefined && Object.hasOwn(weights, name) ? (weights[name] as number) : 1;
      const count = (value: unknown): void => {
        if (typeof value !== 'string') return;
        for (const word of wordsOf(value)) counts.set(word, (counts.get(word) ?? 0) + weight);
      };
      walkPath(document, path, (value) => {
        if (Array.isArray(value)) value.forEach(count);
        else count(value);
        return false;
      });
    }
    if (counts.size > ENTRIES_MAX) throw this.tooMany();
    const entries = [...counts].map(([word, count]) => ({
      key: this.wordKey(word),
      count: Math.min(255, Math.ceil(count)),
    }));
    this.sawArray = true;
    return sorted(entries);
  }

  /** Prefix of the entries of a word. */
  wordKey(word: string): Uint8Array {
    const { writer } = this;
    writer.reset();
    writer.bytes(this.prefix);
    writer.u8(1);
    appendKeyText(writer, word);
    return this.taken();
  }

  private taken(): Uint8Array {
    this.checkKeyBytes(this.writer.length);
    return this.writer.take();
  }

  private checkKeyBytes(bytes: number): void {
    if (bytes <= KEY_BYTES_MAX) return;
    throw new PhantomError('54000', `an entry of index "${this.index.name}" takes more than ${KEY_BYTES_MAX} bytes`, {
      hint: 'Values larger than that cannot be indexed.',
    });
  }

  private tooMany(): PhantomError {
    return new PhantomError('54000', `a document has more than ${ENTRIES_MAX} entries in index "${this.index.name}"`);
  }

  private describe(): string {
    return `Index "${this.index.name}" is over ${this.definition.parts.map(({ path }) => path).join(', ')}.`;
  }
}

/** True when an array lies on the way, before the last step. */
function passesArray(document: PlainObject, path: Path): boolean {
  let current: unknown = document;
  for (const step of path) {
    if (Array.isArray(current)) return true;
    if (!isObject(current)) return false;
    current = Object.hasOwn(current, step) ? current[step] : undefined;
  }
  return false;
}

function sorted(entries: IndexEntry[]): IndexEntry[] {
  entries.sort((a, b) => compareKeys(a.key, b.key));
  return entries.filter((entry, i) => i === 0 || compareKeys(entry.key, (entries[i - 1] as IndexEntry).key) !== 0);
}
