/**
 * How a table lies in its spaces, compiled once per descriptor: row layouts by version, the key of its rows, the keys of its
 * indexes. Descriptors are immutable and shared, so they are the cache's keys, and a changed table is simply another one.
 *
 *   row       key   = space(4)  primary key (keycode), or hidden row number (keycode int) where there is none
 *             value = row bytes (codec), columns by position
 *   index     key   = index space(4)  parts (keycode)  [row key without its space]
 *             value = [row key without its space]  [row bytes of the included columns]
 *
 * A unique index whose parts hold no null (or with NULLS NOT DISTINCT) ends its key with the parts and has the row key in
 * its value, so two rows with equal parts meet on one key. Every other entry has the row key in its key and no value; so have
 * those of a deferrable key, whose duplicates are counted when it is checked. An inverted index has, in the place of the parts,
 * one of the row's terms (inverted-terms.ts). The entries of an index with included columns all have the row key in their value.
 *
 * Columns that show fields of documents (document-fields.ts) stand in no row and in no layout; they are the table's last.
 *
 * A layout version holds the columns that existed then: a prefix of today's, since columns are only ever appended and
 * dropped ones keep their place. A row of an older version reads as its missing columns' constant defaults.
 */
import { ByteWriter, assert } from '@phantom/base';
import {
  type Jsonb,
  type KeyCode,
  type KeyColumn,
  type RowCodec,
  type RowLayout,
  type StorageType,
  StorageKind,
  keyCode,
  rowCodec,
  rowLayout,
  rowVersion,
} from '@phantom/codec';
import type { ColumnDescriptor, IndexDescriptor, TableDescriptor, TypeRef } from '@phantom/catalog';
import { type ByteSlot, SPACE_BYTES, writeSpace } from '@phantom/kv';
import type { MvccTransaction } from '@phantom/mvcc';
import type { TypeContext, TypeLookup, Value } from '../types/type.js';
import { isDivided } from './inheritance/table-tree.js';
import { DOCUMENT_POSITION, type FieldReader, fieldReader } from './document-fields.js';

/** Storage of the hidden row number of a table without a primary key. */
const ROW_NUMBER_STORAGE: StorageType = { kind: StorageKind.Int64 };

/** The four bytes that begin every key of a space. */
export function spacePrefix(space: number): Uint8Array {
  const prefix = new Uint8Array(SPACE_BYTES);
  writeSpace(prefix, 0, space);
  return prefix;
}

/** How the codec stores a type; XX000 for types that cannot stand in a table. */
export function storageOf(type: TypeRef, types: TypeLookup): StorageType {
  const found = types.byOid(type.oid);
  assert(found !== undefined, 'a column has a type that is known');
  return found.storage;
}

export class PhysicalTable {
  readonly table: TableDescriptor;
  readonly prefix: Uint8Array;
  /** Key of a row: its columns have `position` set to their place among the table's columns. */
  readonly keyCode: KeyCode;
  /** True where the key is a hidden row number. */
  readonly hasRowNumber: boolean;
  /** Codec of the version that writers use. */
  readonly codec: RowCodec;
  /** By position: readers of the columns that show fields of documents; empty where there are none. */
  private readonly fields: readonly (FieldReader | undefined)[];
  private readonly types: TypeLookup;
  private readonly codecs = new Map<number, RowCodec>();
  private missing: readonly Value[] | undefined;

  constructor(table: TableDescriptor, types: TypeLookup) {
    assert(!isDivided(table), 'the rows of a divided table lie in its parts');
    this.table = table;
    this.types = types;
    this.prefix = spacePrefix(table.space);
    this.hasRowNumber = table.keyColumns.length === 0;
    this.keyCode = keyCode(
      this.hasRowNumber
        ? [{ storage: ROW_NUMBER_STORAGE, descending: false, nullable: false, nullsFirst: false, position: 0 }]
        : table.keyColumns.map((number) => this.keyColumn(number)),
    );
    this.codec = this.codecOf(table.layoutVersion);
    this.fields = table.columns.some((column) => column.field !== undefined) ? table.columns.map(fieldReader) : [];
  }

  /** Codec of a layout version; its columns are a prefix of the table's, by position. */
  codecOf(version: number): RowCodec {
    let codec = this.codecs.get(version);
    if (codec === undefined) this.codecs.set(version, (codec = rowCodec(this.layoutOf(version))));
    return codec;
  }

  layoutOf(version: number): RowLayout {
    const columns = this.table.columns.filter((column) => column.field === undefined && column.sinceVersion <= version);
    return rowLayout(
      version,
      columns.map((column) => storageOf(column.type, this.types)),
    );
  }

  /** Every column of a stored row, by position, whatever its version; dropped columns are null. */
  decode(buffer: Uint8Array, start: number, end: number, into: Value[], context: TypeContext): void {
    const version = rowVersion(buffer, start, end);
    const codec = version === this.table.layoutVersion ? this.codec : this.codecOf(version);
    codec.decode(buffer, start, end, into);
    if (codec !== this.codec) {
      const missing = this.missingValues(context);
      for (let i = codec.layout.columns.length; i < this.table.columns.length; i++) into[i] = missing[i];
    }
    if (this.fields.length === 0) return;
    const document = into[DOCUMENT_POSITION] as Jsonb;
    for (let i = 0; i < this.fields.length; i++) {
      const read = this.fields[i];
      if (read !== undefined) into[i] = read(document);
    }
  }

  /** As decode, but only the columns at the positions are sure to be right. */
  decodeColumns(
    positions: readonly number[],
    buffer: Uint8Array,
    start: number,
    end: number,
    into: Value[],
    context: TypeContext,
  ): void {
    if (this.fields.length > 0 || rowVersion(buffer, start, end) !== this.table.layoutVersion) {
      this.decode(buffer, start, end, into, context);
      return;
    }
    for (let i = 0; i < positions.length; i++) {
      const position = positions[i] as number;
      into[position] = this.codec.readColumn(buffer, start, end, position);
    }
  }

  /** By position: what rows older than the column read as. */
  missingValues(context: TypeContext): readonly Value[] {
    this.missing ??= this.table.columns.map((column) => missingValue(column, this.types, context));
    return this.missing;
  }

  private keyColumn(number: number): KeyColumn {
    const position = this.table.columns.findIndex((column) => column.number === number);
    const column = this.table.columns[position];
    assert(column !== undefined, 'a key column is a column of its table');
    return {
      storage: storageOf(column.type, this.types),
      descending: false,
      nullable: false,
      nullsFirst: false,
      position,
    };
  }
}

function missingValue(column: ColumnDescriptor, types: TypeLookup, context: TypeContext): Value {
  if (column.missingText === undefined || column.missingText === null) return null;
  const type = types.byOid(column.type.oid);
  assert(type !== undefined, 'a column has a type that is known');
  return type.input(column.missingText, column.type.typmod, context);
}

export class PhysicalIndex {
  readonly index: IndexDescriptor;
  readonly prefix: Uint8Array;
  /** Key of the parts, values in the order of the parts. */
  readonly keyCode: KeyCode;
  /** For each part the position of its column in the table, -1 for an expression. */
  readonly positions: readonly number[];
  /** The columns behind the row key in an entry's value; undefined where there are none. */
  readonly included: IncludedColumns | undefined;

  constructor(index: IndexDescriptor, table: TableDescriptor, types: TypeLookup) {
    this.index = index;
    this.included = index.storesIncluded === true ? new IncludedColumns(index.include, table, types) : undefined;
    this.prefix = spacePrefix(index.space);
    this.positions = index.parts.map((part) => table.columns.findIndex((column) => column.number === part.column));
    this.keyCode = keyCode(
      index.method === 'gin'
        ? [{ storage: { kind: StorageKind.Bytes }, descending: false, nullable: false, nullsFirst: false }]
        : index.method === 'column'
          ? []
          : index.parts.map((part) => ({
              storage: storageOf(part.type, types),
              descending: part.descending,
              // Expressions and nullable columns carry a marker; a column made NOT NULL later keeps the index's first form.
              nullable: true,
              nullsFirst: part.nullsFirst,
            })),
    );
  }

  /** Where the row key ends that begins an entry's value. */
  rowKeyEnd(buffer: Uint8Array, start: number, end: number): number {
    return this.included === undefined ? end : this.included.startIn(buffer, start, end);
  }

  /** True when no other row may have these parts: now, or once a deferrable key is checked. */
  isUniqueKey(parts: readonly Value[]): boolean {
    if (!this.index.unique) return false;
    return this.index.nullsNotDistinct || !parts.includes(null);
  }

  /** True when the entry of these parts ends with them. */
  isUniqueEntry(parts: readonly Value[]): boolean {
    return this.index.deferrable !== true && this.isUniqueKey(parts);
  }
}

/** Columns that an index holds beside its key, so that a read of them needs no row. */
export class IncludedColumns {
  /** By place among the included columns: their positions in the table. */
  readonly positions: readonly number[];
  private readonly codec: RowCodec;
  private readonly rowKey: KeyCode;
  private readonly values: Value[] = [];

  constructor(numbers: readonly number[], table: TableDescriptor, types: TypeLookup) {
    this.positions = numbers.map((number) => table.columns.findIndex((column) => column.number === number));
    this.codec = rowCodec(
      rowLayout(
        0,
        this.positions.map((position) => storageOf((table.columns[position] as ColumnDescriptor).type, types)),
      ),
    );
    this.rowKey = physicalTable(table, types).keyCode;
  }

  /** Where the row key at the head of an entry's value ends, and the columns begin. */
  startIn(buffer: Uint8Array, start: number, end: number): number {
    return this.rowKey.skip(buffer, start, end);
  }

  /** Appends the columns of a row. */
  encode(row: readonly Value[], writer: ByteWriter): void {
    const { positions, values } = this;
    for (let i = 0; i < positions.length; i++) values[i] = row[positions[i] as number];
    this.codec.encode(values, writer);
  }

  /** Reads the columns that begin where `startIn` says. */
  decode(buffer: Uint8Array, start: number, end: number, into: Value[]): void {
    this.codec.decode(buffer, start, end, into);
  }
}

const NO_BYTES = new Uint8Array(0);
/** Where values are put together: no call leaves anything there for another. */
const entryBytes = new ByteWriter();

/**
 * Writes a row's entry in an index. `key` is the entry's key; `isUnique` says that it ends with the parts. `rowKey` begins with the
 * table's space, and has `rowKeyBytes`.
 */
export function writeEntry(
  target: Pick<MvccTransaction, 'put'>,
  { included }: PhysicalIndex,
  isUnique: boolean,
  key: ByteWriter,
  rowKey: Uint8Array,
  rowKeyBytes: number,
  row: readonly Value[],
): void {
  if (included !== undefined) {
    entryBytes.reset();
    entryBytes.bytes(rowKey, SPACE_BYTES, rowKeyBytes);
    included.encode(row, entryBytes);
    target.put(key.buffer, 0, key.length, entryBytes.buffer, 0, entryBytes.length);
  } else if (isUnique) {
    target.put(key.buffer, 0, key.length, rowKey, SPACE_BYTES, rowKeyBytes);
  } else {
    target.put(key.buffer, 0, key.length, NO_BYTES, 0, 0);
  }
}

/** Key of the row that an index entry points to, owned by the caller. */
export function rowKeyOfEntry(
  key: ByteSlot,
  value: ByteSlot,
  index: PhysicalIndex,
  tablePrefix: Uint8Array,
): Uint8Array {
  let source = value;
  let { start, end } = value;
  if (start === end) {
    source = key;
    start = index.keyCode.skip(key.buffer, key.start + SPACE_BYTES, key.end);
    end = key.end;
  } else end = index.rowKeyEnd(value.buffer, start, end);
  const rowKey = new Uint8Array(SPACE_BYTES + end - start);
  rowKey.set(tablePrefix);
  rowKey.set(source.buffer.subarray(start, end), SPACE_BYTES);
  return rowKey;
}

const tables = new WeakMap<TableDescriptor, PhysicalTable>();
const indexes = new WeakMap<IndexDescriptor, PhysicalIndex>();

/** The compiled form of a table. Types of columns never change under a descriptor, so the first lookup serves all. */
export function physicalTable(table: TableDescriptor, types: TypeLookup): PhysicalTable {
  let physical = tables.get(table);
  if (physical === undefined) tables.set(table, (physical = new PhysicalTable(table, types)));
  return physical;
}

/** The compiled form of an index of the table. */
export function physicalIndex(index: IndexDescriptor, table: TableDescriptor, types: TypeLookup): PhysicalIndex {
  let physical = indexes.get(index);
  if (physical === undefined) indexes.set(index, (physical = new PhysicalIndex(index, table, types)));
  return physical;
}
