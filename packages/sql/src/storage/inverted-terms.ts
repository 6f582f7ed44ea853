/**
 * Terms of an inverted index (CREATE INDEX ... USING gin): what is looked for inside of a value. A row has one entry for
 * each term of its values, and a condition is a set of terms of which a row must have all or any. The idea and the operator
 * classes are PostgreSQL's.
 *
 *   term      place of the part in the index (1 byte)   kind (1 byte)   content
 *   present   every value that is not null: what a search finds by that asks for nothing in particular
 *   element   array_ops: an element, as keys have it
 *   key       jsonb_ops: a key of an object, or a string in an array or at the top, at any depth
 *   value     jsonb_ops: any other scalar
 *   path      jsonb_path_ops: a scalar behind the keys that lead to it
 *   word      tsvector_ops: a lexeme
 *   trigram   gin_trgm_ops: three characters of a text in one case, as pg_trgm has them
 *
 * Invariant: a row that satisfies a condition has the terms that the condition asks for. The reverse does not hold (depth and
 * neighbourhood are lost, long terms are cut and hashed), so every row that is found is tested again.
 */
import { createHash } from 'node:crypto';
import { ByteWriter, assert, compareKeys } from '@phantom/base';
import type { IndexDescriptor, IndexKeyPart } from '@phantom/catalog';
import {
  Decimal,
  type DocumentValue,
  type Jsonb,
  type KeyCode,
  type SqlArray,
  StorageKind,
  keyCode,
} from '@phantom/codec';
import { type NeededTrigrams, neededTrigrams } from '../extensions/needed-trigrams.js';
import { foldedTrigramsOf } from '../extensions/trigrams.js';
import { neededWords } from '../search/needed-words.js';
import { queryOfText } from '../search/query.js';
import type { Query } from '../search/query-tree.js';
import { vectorOfText } from '../search/vector.js';
import type { PhysicalIndex } from './physical-table.js';
import type { TypeLookup, Value } from '../types/type.js';

/** A longer term is its first bytes and a hash of all of it. */
const TERM_BYTES_MAX = 64;
const HASH_BYTES = 16;

const Kind = { Present: 0, Element: 1, Key: 2, Value: 3, Path: 4, Word: 5, Trigram: 6 } as const;
type Kind = (typeof Kind)[keyof typeof Kind];

/** Which terms a condition asks for. */
export interface TermSearch {
  readonly match: 'all' | 'any';
  readonly terms: readonly Uint8Array[];
}

const NOTHING: TermSearch = { match: 'any', terms: [] };

type OperatorClass = NonNullable<IndexKeyPart['operatorClass']>;

/** Operators that an inverted index answers, with the column on their left. */
const OPERATORS: Readonly<Record<OperatorClass, readonly string[]>> = {
  array_ops: ['@>', '&&'],
  jsonb_ops: ['@>', '?', '?|', '?&'],
  jsonb_path_ops: ['@>'],
  tsvector_ops: ['@@', '@@@'],
  gin_trgm_ops: ['~~', '~~*', '~', '~*', '=', '%', '%>', '%>>'],
};

export function answersOperator(part: IndexKeyPart, operator: string): boolean {
  return part.operatorClass !== undefined && OPERATORS[part.operatorClass].includes(operator);
}

/** The terms of an index's parts. Compiled once for each descriptor. */
export class InvertedTerms {
  private readonly index: IndexDescriptor;
  private readonly elements: readonly (KeyCode | undefined)[];
  private readonly writer = new ByteWriter();

  constructor(index: IndexDescriptor, types: TypeLookup) {
    this.index = index;
    this.elements = index.parts.map((part) => {
      const element = types.byOid(types.byOid(part.type.oid)?.elementOid ?? 0);
      return element === undefined ? undefined : keyCode([{ ...PLAIN, storage: element.storage }]);
    });
  }

  /** Terms of a row by the values of the index's parts, each once, in the order of their bytes. */
  ofRow(parts: readonly Value[]): Uint8Array[] {
    const terms: Uint8Array[] = [];
    for (let place = 0; place < this.index.parts.length; place++) {
      const value = parts[place] as Value;
      if (value === null) continue;
      terms.push(this.term(place, Kind.Present, NO_BYTES));
      this.ofValue(place, value, terms);
    }
    return unique(terms);
  }

  /** What a row needs for `part operator operand` to be true; `setting` is asked for what an operator compares with. */
  search(place: number, operator: string, operand: Value, setting?: (name: string) => string | null): TermSearch {
    if (operand === null) return NOTHING;
    if (this.index.parts[place]?.operatorClass === 'gin_trgm_ops')
      return this.ofTrigrams(place, neededTrigrams(operator, operand as string, setting));
    const terms: Uint8Array[] = [];
    switch (operator) {
      case '@>':
      case '&&':
        this.ofValue(place, operand, terms);
        break;
      case '?':
        terms.push(this.term(place, Kind.Key, UTF8.encode(operand as string)));
        break;
      case '@@':
      case '@@@':
        return this.ofQuery(place, queryOfText(operand as string));
      default:
        for (const key of (operand as SqlArray).items)
          if (key !== null) terms.push(this.term(place, Kind.Key, UTF8.encode(key as string)));
    }
    if (operator === '&&' || operator === '?|') return { match: 'any', terms: unique(terms) };
    if (terms.length === 0) terms.push(this.term(place, Kind.Present, NO_BYTES));
    return { match: 'all', terms: unique(terms) };
  }

  private ofValue(place: number, value: Value, into: Uint8Array[]): void {
    const part = this.index.parts[place] as IndexKeyPart;
    switch (part.operatorClass) {
      case 'jsonb_ops':
        this.ofNode(place, (value as Jsonb).value(), true, into);
        break;
      case 'jsonb_path_ops':
        this.ofPaths(place, (value as Jsonb).value(), NO_BYTES, into);
        break;
      case 'tsvector_ops':
        for (const { word } of vectorOfText(value as string)) into.push(this.term(place, Kind.Word, UTF8.encode(word)));
        break;
      case 'gin_trgm_ops':
        for (const trigram of foldedTrigramsOf(value as string)) into.push(this.trigram(place, trigram));
        break;
      default: {
        const element = this.elements[place];
        assert(element !== undefined, 'a part of class array_ops is an array');
        for (const item of (value as SqlArray).items) {
          if (item === null) continue;
          this.writer.reset();
          element.encodePrefix([item], 1, this.writer);
          into.push(this.term(place, Kind.Element, this.writer.take()));
        }
      }
    }
  }

  /** What a vector needs to match a query: some words, or where that cannot be said (what is denied, prefixes) to be there. */
  private ofQuery(place: number, query: Query): TermSearch {
    if (query === undefined) return NOTHING;
    const { match, words } = neededWords(query) ?? { match: 'all', words: [] };
    if (words.length === 0) return { match: 'all', terms: [this.term(place, Kind.Present, NO_BYTES)] };
    return { match, terms: unique(words.map((word) => this.term(place, Kind.Word, UTF8.encode(word)))) };
  }

  private ofTrigrams(place: number, needed: NeededTrigrams | undefined): TermSearch {
    if (needed === undefined) return { match: 'all', terms: [this.term(place, Kind.Present, NO_BYTES)] };
    return { match: needed.match, terms: unique(needed.trigrams.map((trigram) => this.trigram(place, trigram))) };
  }

  private trigram(place: number, trigram: number): Uint8Array {
    return this.term(place, Kind.Trigram, Uint8Array.of(trigram >>> 16, trigram >>> 8, trigram));
  }

  /** jsonb_ops. A string in an array is a key: `?` finds it there. A scalar at the top is the array of itself. */
  private ofNode(place: number, node: DocumentValue, inArray: boolean, into: Uint8Array[]): void {
    if (Array.isArray(node)) {
      for (const item of node) this.ofNode(place, item, true, into);
    } else if (node instanceof Map) {
      for (const [key, value] of node) {
        into.push(this.term(place, Kind.Key, UTF8.encode(key)));
        this.ofNode(place, value, false, into);
      }
    } else if (typeof node === 'string' && inArray) {
      into.push(this.term(place, Kind.Key, UTF8.encode(node)));
    } else {
      into.push(this.term(place, Kind.Value, scalarBytes(node)));
    }
  }

  /** jsonb_path_ops: arrays add nothing to a path. */
  private ofPaths(place: number, node: DocumentValue, path: Uint8Array, into: Uint8Array[]): void {
    if (Array.isArray(node)) {
      for (const item of node) this.ofPaths(place, item, path, into);
    } else if (node instanceof Map) {
      for (const [key, value] of node) this.ofPaths(place, value, joined(path, KEY_TEXT.encodeKey(key)), into);
    } else {
      into.push(this.term(place, Kind.Path, joined(path, scalarBytes(node))));
    }
  }

  private term(place: number, kind: Kind, content: Uint8Array): Uint8Array {
    const isLong = content.length > TERM_BYTES_MAX;
    const term = new Uint8Array(2 + (isLong ? TERM_BYTES_MAX : content.length));
    term[0] = place;
    term[1] = kind;
    term.set(isLong ? content.subarray(0, TERM_BYTES_MAX - HASH_BYTES) : content, 2);
    if (isLong)
      term.set(createHash('sha256').update(content).digest().subarray(0, HASH_BYTES), term.length - HASH_BYTES);
    return term;
  }
}

const NO_BYTES = new Uint8Array(0);
const UTF8 = new TextEncoder();
const PLAIN = { descending: false, nullable: false, nullsFirst: false };

/** A value as keys have it: equal ones have equal bytes, and where it ends can be seen. */
class KeyBytes {
  private readonly code: KeyCode;
  private readonly writer = new ByteWriter();

  constructor(kind: StorageKind) {
    this.code = keyCode([{ ...PLAIN, storage: { kind } }]);
  }

  encodeKey(value: unknown): Uint8Array {
    this.writer.reset();
    this.code.encodePrefix([value], 1, this.writer);
    return this.writer.take();
  }
}

const KEY_TEXT = new KeyBytes(StorageKind.Text);
const KEY_DECIMAL = new KeyBytes(StorageKind.Decimal);

/** A scalar with a letter for its kind. */
function scalarBytes(node: DocumentValue): Uint8Array {
  if (node === null) return UTF8.encode('z');
  if (typeof node === 'boolean') return UTF8.encode(node ? 't' : 'f');
  if (typeof node === 'number') return joined(UTF8.encode('n'), KEY_DECIMAL.encodeKey(Decimal.fromNumber(node)));
  if (typeof node === 'bigint') return joined(UTF8.encode('n'), KEY_DECIMAL.encodeKey(Decimal.of(node)));
  if (node instanceof Decimal) return joined(UTF8.encode('n'), KEY_DECIMAL.encodeKey(node));
  return joined(UTF8.encode('s'), UTF8.encode(node instanceof Date ? node.toISOString() : String(node)));
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

function unique(terms: Uint8Array[]): Uint8Array[] {
  terms.sort(compareKeys);
  return terms.filter((term, i) => i === 0 || compareKeys(term, terms[i - 1] as Uint8Array) !== 0);
}

/** What the keys of a term's entries begin with. */
export function termPrefix(index: PhysicalIndex, term: Uint8Array): Uint8Array {
  const writer = new ByteWriter();
  writer.bytes(index.prefix);
  index.keyCode.encodePrefix([term], 1, writer);
  return writer.take();
}

const compiled = new WeakMap<IndexDescriptor, InvertedTerms>();

export function invertedTerms(index: IndexDescriptor, types: TypeLookup): InvertedTerms {
  let terms = compiled.get(index);
  if (terms === undefined) compiled.set(index, (terms = new InvertedTerms(index, types)));
  return terms;
}
