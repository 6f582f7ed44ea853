/**
 * Copies of decoded documents, which whoever asks may change as he likes. Documents that are alike are copied by one function of
 * their form, a literal with every field of theirs and of the objects in them, which costs a fifth of decoding the bytes:
 *
 *   { _id: "d1", tags: ["a"], address: { zip: 1 }, at: Date }
 *   o => ({ _id: o._id, tags: o.tags.slice(), address: { zip: o.address.zip }, at: copy(o.at) })
 *
 * The text of the function is the form's name. What has no form of its own (other keys than plain identifiers, objects in arrays, much
 * nesting), or comes when there are enough forms already, is copied value by value.
 *
 * Ids of the class Uuid, decimals and what is no object are shared with the copy: nobody can change them.
 */
import { codeGenerationAllowed } from './code-generation.js';
import { Decimal } from './decimal.js';
import type { DocumentValue } from './document-reader.js';
import { ObjectId, Uuid } from './document-values.js';

/** A document's copy is `copy(document)`; `bytes` is about what the document takes in memory. */
export interface DocumentCopier {
  readonly copy: CopyDocument;
  readonly bytes: number;
}

type PlainDocument = { [key: string]: DocumentValue };
type CopyDocument = (document: PlainDocument) => PlainDocument;

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;
/** Characters of one function, and functions of this process. */
const TEXT_CHARS_MAX = 4096;
const FUNCTIONS_MAX = 1024;
const LEVELS_MAX = 8;
/** Sizes in memory: an object without its fields, a field, a text without its characters, a box for a value. */
const OBJECT_BYTES = 32;
const FIELD_BYTES = 8;
const TEXT_BYTES = 16;
const BOX_BYTES = 64;

const functions = new Map<string, CopyDocument>();

/** What copies documents of the form of this one. */
export function copierOf(document: PlainDocument): DocumentCopier {
  const form = new Form();
  const text = form.ofObject('o', document, 0);
  const copy = form.isCompilable && text.length <= TEXT_CHARS_MAX ? functionOf(text) : copyObject;
  return { copy, bytes: form.bytes };
}

function functionOf(text: string): CopyDocument {
  const known = functions.get(text);
  if (known !== undefined) return known;
  if (functions.size === FUNCTIONS_MAX || !codeGenerationAllowed()) return copyObject;
  const made = new Function('copy', `return (o) => (${text});`)(copyValue) as CopyDocument;
  functions.set(text, made);
  return made;
}

/** Walks a document: the text of what copies it, and its size. */
class Form {
  bytes = 0;
  isCompilable = true;

  ofObject(place: string, object: PlainDocument, level: number): string {
    const names = Object.keys(object);
    this.bytes += OBJECT_BYTES + FIELD_BYTES * names.length;
    if (level === LEVELS_MAX) this.isCompilable = false;
    let text = '{';
    for (const name of names) {
      if (!IDENTIFIER.test(name) || name === '__proto__') this.isCompilable = false;
      text += `${name}:${this.ofValue(`${place}.${name}`, object[name] as DocumentValue, level + 1)},`;
    }
    return `${text}}`;
  }

  private ofValue(place: string, value: DocumentValue, level: number): string {
    if (typeof value === 'string') this.bytes += TEXT_BYTES + value.length;
    if (typeof value !== 'object' || value === null) return place;
    if (Array.isArray(value)) return this.ofArray(place, value, level);
    if (Object.getPrototypeOf(value) === Object.prototype) {
      return this.ofObject(place, value as PlainDocument, level);
    }
    this.bytes += BOX_BYTES + (value instanceof Uint8Array ? value.length : 0);
    return isShared(value) ? place : `copy(${place})`;
  }

  private ofArray(place: string, items: readonly DocumentValue[], level: number): string {
    this.bytes += OBJECT_BYTES + FIELD_BYTES * items.length;
    const { isCompilable } = this;
    let isPlain = true;
    for (const item of items) if (this.ofValue('', item, level) !== '') isPlain = false;
    // What is in it is copied value by value, whatever its keys are.
    this.isCompilable = isCompilable;
    return isPlain ? `${place}.slice()` : `copy(${place})`;
  }
}

function isShared(value: object): boolean {
  return value instanceof Decimal || value instanceof Uuid;
}

function copyValue(value: DocumentValue): DocumentValue {
  if (typeof value !== 'object' || value === null || isShared(value)) return value;
  if (Array.isArray(value)) return value.map(copyValue);
  if (value instanceof Date) return new Date(value);
  if (value instanceof ObjectId) return new ObjectId(value.bytes.slice());
  if (value instanceof Uint8Array) return value.slice();
  return copyObject(value as PlainDocument);
}

function copyObject(object: PlainDocument): PlainDocument {
  const copy: PlainDocument = {};
  for (const name of Object.keys(object)) {
    const value = copyValue(object[name] as DocumentValue);
    if (name === '__proto__') {
      Object.defineProperty(copy, name, { value, enumerable: true, writable: true, configurable: true });
    } else {
      copy[name] = value;
    }
  }
  return copy;
}
