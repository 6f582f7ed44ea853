/**
 * How a collection lies in its space. A collection is a table to everyone else: its rows are keyed by `_id` and have two columns,
 * `_id` and `doc`, both jsonb, in the row format of tables (docs/formats/row.md). So SQL reads it as it reads any table.
 *
 *   key     space(4)  _id as a key of jsonb (document-key.ts of codec)
 *   value   row: header, null bits, two ends, the _id's node, the document's node (`_id` is its first field, too)
 *
 * Limits: 16 MiB a document (54000), 100 levels (54001). Keys must not hold dots or begin with a dollar (22023): no path would
 * lead to them. `_id` is neither an array nor NaN, and set for good.
 */
import { type ByteWriter, PhantomError } from '@phantom/base';
import type { TableDescriptor } from '@phantom/catalog';
import {
  DocumentDecoder,
  DocumentEncoder,
  type DocumentStructure,
  type FieldPlaces,
  Jsonb,
  type RowLayout,
  StorageKind,
  type StructureStore,
  appendKeyDocument,
  appendKeyPlain,
  checkRow,
  eachStructure,
  readPlaces,
  rowLayout,
  variableEnd,
  variableStart,
  writePatched,
  writeVariableHead,
} from '@phantom/codec';
import { type ByteSlot, KEY_BYTES_MAX, SPACE_BYTES, writeSpace } from '@phantom/kv';
import { badArgument } from './errors.js';
import type { PlainObject } from './order.js';

/** Most bytes of one document. */
export const DOCUMENT_BYTES_MAX = 16 * 1024 * 1024;
/** Most levels of nesting in a document of a collection. */
export const DOCUMENT_LEVELS_MAX = 100;

/** Version of the row layout of every collection. */
export const COLLECTION_LAYOUT_VERSION = 1;
const ID_COLUMN = 0;
const DOCUMENT_COLUMN = 1;
const jsonb = { kind: StorageKind.Jsonb };

const encoder = new DocumentEncoder({
  depthMax: DOCUMENT_LEVELS_MAX,
  refuseKey: (key) => {
    if (key.startsWith('$')) return `a field cannot be named "${key}": the dollar belongs to operators`;
    return key.includes('.') ? `a field cannot be named "${key}": the dot belongs to paths` : undefined;
  },
});
const ownWriter = encoder.writer;
const decoder = new DocumentDecoder();

/** A document is being encoded, whose getters may do anything. */
let isEncoding = false;

/** 55000 where a getter of a document that is being encoded asks for another one. */
function checkIdle(): void {
  if (!isEncoding) return;
  throw new PhantomError('55000', 'a getter of a document that is being written cannot use collections');
}

/** Checks a value as part of a document (an `_id`, a field to be set) and gives its node; owned by the caller. */
export function encodePart(value: unknown): Jsonb {
  checkIdle();
  const { writer } = encoder;
  writer.reset();
  encoder.encode(value);
  return new Jsonb(writer.take());
}

/** 22023 for what cannot be an `_id`. */
export function checkId(id: unknown): void {
  if (Array.isArray(id) || (typeof id === 'number' && Number.isNaN(id)) || id instanceof RegExp) {
    throw badArgument(`_id cannot be ${Array.isArray(id) ? 'an array' : String(id)}`);
  }
}

/** What the layout of a collection depends on. */
export type LaidOutTable = Pick<TableDescriptor, 'name' | 'space' | 'layoutVersion'>;

/** The layout of one collection; compiled once per descriptor. */
export class DocumentLayout {
  readonly table: LaidOutTable;
  readonly prefix: Uint8Array;
  private readonly layout: RowLayout;
  /** Where the columns of the row being written end, counted from where they begin. */
  private readonly ends = new Int32Array(2);

  constructor(table: LaidOutTable) {
    this.table = table;
    this.prefix = new Uint8Array(SPACE_BYTES);
    writeSpace(this.prefix, 0, table.space);
    this.layout = rowLayout(table.layoutVersion, [jsonb, jsonb]);
  }

  /** Appends the key of the row with this `_id`. 54000 when it is too long, 22023 for what no document can hold. */
  appendKey(writer: ByteWriter, id: unknown): void {
    const start = writer.length;
    writer.bytes(this.prefix);
    if (appendKeyPlain(writer, id)) return;
    checkIdle();
    const { writer: node } = encoder;
    node.reset();
    encoder.encode(id);
    appendKeyDocument(writer, node.buffer, 0, node.length);
    if (writer.length - start > KEY_BYTES_MAX) throw new PhantomError('54000', '_id is too long for a key');
  }

  /** Key of the row that an entry of an index points to, owned by the caller. */
  rowKey({ buffer, start, end }: ByteSlot): Uint8Array {
    const key = new Uint8Array(SPACE_BYTES + end - start);
    key.set(this.prefix);
    key.set(buffer.subarray(start, end), SPACE_BYTES);
    return key;
  }

  /** The row of a document, checked; borrowed until the next call of any layout. It may name structures of the store. */
  encode(document: object, id: unknown, structures: StructureStore): ByteWriter {
    checkIdle();
    ownWriter.reset();
    this.encodeTo(ownWriter, document, id, structures);
    return ownWriter;
  }

  /** Appends the same to a writer, which may be left with a part of it where it throws. */
  encodeTo(writer: ByteWriter, document: object, id: unknown, structures: StructureStore): void {
    checkIdle();
    isEncoding = true;
    encoder.writer = writer;
    try {
      const start = this.openRow();
      encoder.encode(id);
      const idEnd = writer.length;
      encoder.encodeWithId(document, id, structures);
      this.closeRow(start, idEnd);
    } finally {
      isEncoding = false;
      encoder.writer = ownWriter;
    }
  }

  /** A row begins: its columns are written behind the head, which is written last. Gives where it begins. */
  private openRow(): number {
    const { writer } = encoder;
    const start = writer.reserve(this.layout.narrowDataOffset);
    writer.length = start + this.layout.narrowDataOffset;
    return start;
  }

  /** The row from `start` on, whose `_id` ends at `idEnd`, and whose document ends here. */
  private closeRow(start: number, idEnd: number): ByteWriter {
    const { writer } = encoder;
    const bytes = writer.length - idEnd;
    if (bytes > DOCUMENT_BYTES_MAX) {
      throw new PhantomError('54000', `a document takes at most ${DOCUMENT_BYTES_MAX} bytes`, {
        detail: `This one takes ${bytes}.`,
        data: { bytesMax: DOCUMENT_BYTES_MAX, bytes },
      });
    }
    const { layout, ends } = this;
    const data = start + layout.narrowDataOffset;
    ends[ID_COLUMN] = idEnd - data;
    ends[DOCUMENT_COLUMN] = writer.length - data;
    writeVariableHead(writer, start, layout, ends);
    return writer;
  }

  /**
   * The row of a stored document of which some top-level fields were changed: `before` has what those were, `after` what they are. The
   * others are copied, not decoded. Borrowed until the next call of any layout.
   */
  encodeChanged(row: ByteSlot, before: PlainObject, after: PlainObject, structures: StructureStore): ByteWriter {
    checkIdle();
    const { writer } = encoder;
    const { buffer, start, end } = row;
    const from = this.documentStart(row);
    const to = variableEnd(buffer, start, end, DOCUMENT_COLUMN, this.layout, from);
    writer.reset();
    const rowStart = this.openRow();
    writer.bytes(buffer, variableStart(buffer, start, ID_COLUMN, this.layout), from);
    const idEnd = writer.length;
    encoder.encodeChanged(buffer, from, to, before, after, structures);
    return this.closeRow(rowStart, idEnd);
  }

  /** Reads single fields of a stored row into `values`, in the order of `places`; false where its document cannot be patched at them. */
  readPlaces(row: ByteSlot, places: FieldPlaces, values: unknown[]): boolean {
    const { buffer, start, end } = row;
    const from = this.documentStart(row);
    const to = variableEnd(buffer, start, end, DOCUMENT_COLUMN, this.layout, from);
    return readPlaces(decoder, buffer, from, to, places, values);
  }

  /** The row that readPlaces has read, with other values of these fields; undefined where encodeChanged has to make it. Borrowed as there. */
  encodePatched(
    row: ByteSlot,
    places: FieldPlaces,
    before: readonly unknown[],
    after: readonly unknown[],
    structures: StructureStore,
  ): ByteWriter | undefined {
    const { buffer, start, end } = row;
    const idStart = variableStart(buffer, start, ID_COLUMN, this.layout);
    const from = variableEnd(buffer, start, end, ID_COLUMN, this.layout, idStart);
    const to = variableEnd(buffer, start, end, DOCUMENT_COLUMN, this.layout, from);
    checkIdle();
    encoder.writer.reset();
    const rowStart = this.openRow();
    const idEnd = encoder.writer.length + from - idStart;
    return writePatched(encoder, buffer, idStart, from, to, places, before, after, structures)
      ? this.closeRow(rowStart, idEnd)
      : undefined;
  }

  /** The document of a stored row. */
  decode(row: ByteSlot): PlainObject {
    const { buffer, start, end } = row;
    const from = this.documentStart(row);
    const to = variableEnd(buffer, start, end, DOCUMENT_COLUMN, this.layout, from);
    return decoder.decode(buffer, from, to) as PlainObject;
  }

  /** A document with some of the stored one's top-level fields. */
  decodeFields(row: ByteSlot, fields: readonly Uint8Array[]): PlainObject {
    const { buffer, start, end } = row;
    const from = this.documentStart(row);
    const to = variableEnd(buffer, start, end, DOCUMENT_COLUMN, this.layout, from);
    return decoder.decodeFields(buffer, from, to, fields) as PlainObject;
  }

  /** Hands out the structures that the stored document names. */
  eachStructure(row: ByteSlot, take: (structure: DocumentStructure) => void): void {
    const { buffer, start, end } = row;
    const from = this.documentStart(row);
    eachStructure(buffer, from, variableEnd(buffer, start, end, DOCUMENT_COLUMN, this.layout, from), take);
  }

  /** Bytes of the stored document. */
  documentBytes(row: ByteSlot): number {
    return row.end - this.documentStart(row);
  }

  private documentStart(row: ByteSlot): number {
    const { buffer, start, end } = row;
    checkRow(buffer, start, end, this.layout);
    const idStart = variableStart(buffer, start, ID_COLUMN, this.layout);
    return variableEnd(buffer, start, end, ID_COLUMN, this.layout, idStart);
  }
}
