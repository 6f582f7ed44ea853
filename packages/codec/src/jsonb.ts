/**
 * Jsonb: a document as a value. It is a range of bytes, read in place; a part of it is another Jsonb over the same bytes,
 * so `doc -> 'a' -> 'b'` decodes and copies nothing.
 */
import { ByteWriter } from '@phantom/base';
import {
  type DocumentValue,
  arrayElement,
  namedField,
  nodeCount,
  nodeEnd,
  nodeKind,
  nodeText,
  nodeValue,
  objectField,
  scalarValue,
} from './document-reader.js';
import { type NodeKind, Tag } from './document-format.js';
import { writeNode } from './document-writer.js';

export class Jsonb {
  /** Holds the document at [start, end); never written to. */
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;

  /** Keeps the bytes; the caller must not change them. */
  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
  }

  /** A document over a copy of the bytes. */
  static copyOf(bytes: Uint8Array, start: number, end: number): Jsonb {
    return new Jsonb(bytes.slice(start, end));
  }

  /** Encodes a value with its fields sorted, as jsonb keeps them. */
  static of(value: DocumentValue): Jsonb {
    const writer = new ByteWriter();
    writeNode(writer, value, { sorted: true });
    return new Jsonb(writer.take());
  }

  /** Encodes a value with its fields in their order, as collections keep them. */
  static ordered(value: DocumentValue): Jsonb {
    const writer = new ByteWriter();
    writeNode(writer, value, { sorted: false });
    return new Jsonb(writer.take());
  }

  get kind(): NodeKind {
    return nodeKind(this.bytes, this.start, this.end);
  }

  /** True for an object whose fields stand in an order of their own, as collections keep them. */
  get isOrdered(): boolean {
    const tag = this.bytes[this.start];
    return this.kind === 'object' && tag !== Tag.Sorted && tag !== Tag.SortedWide;
  }

  /** Entries of an array or object. */
  get count(): number {
    return nodeCount(this.bytes, this.start, this.end);
  }

  /** Field of an object; undefined when there is none. */
  field(key: string): Jsonb | undefined {
    const at = namedField(this.bytes, this.start, this.end, key);
    return at < 0 ? undefined : this.part(at);
  }

  /** Field of an object by its key in UTF-8, for callers that ask often. */
  fieldAt(key: Uint8Array): Jsonb | undefined {
    const at = objectField(this.bytes, this.start, this.end, key);
    return at < 0 ? undefined : this.part(at);
  }

  /** Element of an array, from 0; undefined when there is none. */
  element(index: number): Jsonb | undefined {
    const at = arrayElement(this.bytes, this.start, this.end, index);
    return at < 0 ? undefined : this.part(at);
  }

  /** Text of a string. */
  text(): string {
    return nodeText(this.bytes, this.start, this.end);
  }

  /** Value of what is neither array nor object. */
  scalar(): DocumentValue {
    return scalarValue(this.bytes, this.start, this.end);
  }

  /** The whole as JavaScript values, objects as Maps. */
  value(): DocumentValue {
    return nodeValue(this.bytes, this.start, this.end, 'map');
  }

  /** The whole as JavaScript values, objects as plain objects. */
  plain(): DocumentValue {
    return nodeValue(this.bytes, this.start, this.end, 'plain');
  }

  private part(at: number): Jsonb {
    return new Jsonb(this.bytes, at, nodeEnd(this.bytes, at, this.end));
  }
}
