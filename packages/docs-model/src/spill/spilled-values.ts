/**
 * Values of queries and pipelines in scratch files (entry-file.ts of base). Beside what documents hold there are nothing and, among the keys of
 * a sort, the empty array that stands below everything:
 *
 *   value   u8 form (0 a node, 1 nothing, 2 empty array), then for a node: u32 bytes, the node (docs/formats/document.md), its keys in it
 *
 * What is no part of any document (a regular expression) has no such form, nor what is nested deeper than one can be: 22023, 54001.
 */
import { type ByteWriter, readU32, writeU32 } from '@phantom/base';
import { DOCUMENT_DEPTH_MAX, DocumentDecoder, DocumentEncoder } from '@phantom/codec';
import { EMPTY_ARRAY } from '../sort.js';

const Form = { Node: 0, Nothing: 1, EmptyArray: 2 } as const;
const LENGTH_BYTES = 4;

const encoder = new DocumentEncoder({ depthMax: DOCUMENT_DEPTH_MAX });
const ownWriter = encoder.writer;
const decoder = new DocumentDecoder();

/** Appends a value. */
export function writeSpilled(writer: ByteWriter, value: unknown): void {
  if (value === undefined || value === EMPTY_ARRAY) {
    writer.u8(value === undefined ? Form.Nothing : Form.EmptyArray);
    return;
  }
  writer.u8(Form.Node);
  const start = writer.length;
  writer.u32(0);
  encoder.writer = writer;
  try {
    encoder.encode(value);
  } finally {
    encoder.writer = ownWriter;
  }
  writeU32(writer.buffer, start, writer.length - start - LENGTH_BYTES);
}

/** Reads values of an entry, one after the other. */
export class SpilledValues {
  private readonly bytes: Uint8Array;
  /** Where the next value begins. */
  at: number;

  constructor(bytes: Uint8Array, start: number) {
    this.bytes = bytes;
    this.at = start;
  }

  next(): unknown {
    const { bytes } = this;
    const form = bytes[this.at++];
    if (form !== Form.Node) return form === Form.Nothing ? undefined : EMPTY_ARRAY;
    const start = this.at + LENGTH_BYTES;
    this.at = start + readU32(bytes, this.at);
    return decoder.decode(bytes, start, this.at);
  }
}
