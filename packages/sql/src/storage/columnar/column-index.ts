/** A column index compiled once for its descriptor: its columns, how each is stored, and where its parts lie. */
import { type StorageType, StorageKind } from '@phantom/codec';
import type { ColumnDescriptor, IndexDescriptor, TableDescriptor } from '@phantom/catalog';
import { type KeyRange, prefixRange } from '@phantom/kv';
import type { TypeLookup } from '../../types/type.js';
import { type PhysicalTable, physicalTable, spacePrefix, storageOf } from '../physical-table.js';
import { ChunkReader } from './chunk-reader.js';
import { ChunkWriter } from './chunk-writer.js';
import { Part, SEGMENT_ROWS, partPrefix } from './format.js';

/** Kinds whose values look the same for as long as their bytes are there: a label of an enum may be renamed. */
const LASTING_KINDS: ReadonlySet<StorageKind> = new Set<StorageKind>([
  StorageKind.Bool,
  StorageKind.Int16,
  StorageKind.Int32,
  StorageKind.Int64,
  StorageKind.UInt32,
  StorageKind.Float32,
  StorageKind.Float64,
  StorageKind.Decimal,
  StorageKind.Text,
  StorageKind.PaddedText,
  StorageKind.Date,
  StorageKind.Time,
  StorageKind.Timestamp,
  StorageKind.Uuid,
]);

export interface IndexedColumn {
  /** Number in the table, and position among its columns. */
  readonly number: number;
  readonly position: number;
  readonly typeOid: number;
  readonly storage: StorageType;
  /** Vectors of it may be kept for later queries. */
  readonly isKept: boolean;
  readonly writer: ChunkWriter;
  readonly reader: ChunkReader;
}

export class ColumnIndex {
  readonly index: IndexDescriptor;
  readonly table: PhysicalTable;
  readonly prefix: Uint8Array;
  /** By place, which is that of the index's part. */
  readonly columns: readonly IndexedColumn[];
  /** Of the columns. */
  readonly positions: readonly number[];
  /** Most rows of a segment. */
  readonly segmentRows: number;
  readonly directory: KeyRange;
  readonly markers: KeyRange;

  constructor(index: IndexDescriptor, table: TableDescriptor, types: TypeLookup) {
    this.index = index;
    this.table = physicalTable(table, types);
    this.prefix = spacePrefix(index.space);
    this.columns = index.parts.map((part) => {
      const position = table.columns.findIndex((column) => column.number === part.column);
      const { number, type } = table.columns[position] as ColumnDescriptor;
      const storage = storageOf(type, types);
      return {
        number,
        position,
        typeOid: type.oid,
        storage,
        isKept: LASTING_KINDS.has(storage.kind),
        writer: new ChunkWriter(storage),
        reader: new ChunkReader(storage),
      };
    });
    this.positions = this.columns.map(({ position }) => position);
    this.segmentRows = Math.trunc(Number(index.options?.['segment_rows'] ?? SEGMENT_ROWS));
    this.directory = prefixRange(partPrefix(this.prefix, Part.Directory));
    this.markers = prefixRange(partPrefix(this.prefix, Part.Marker));
  }

  /** Place of a column of the table; undefined when the index does not have it. */
  placeOf(columnNumber: number): number | undefined {
    const place = this.columns.findIndex(({ number }) => number === columnNumber);
    return place < 0 ? undefined : place;
  }
}

const compiled = new WeakMap<IndexDescriptor, ColumnIndex>();

/** The compiled form of a column index. A table that changes gives its indexes new descriptors where that matters to them. */
export function columnIndex(index: IndexDescriptor, table: TableDescriptor, types: TypeLookup): ColumnIndex {
  let found = compiled.get(index);
  if (found === undefined || found.table.table !== table) {
    compiled.set(index, (found = new ColumnIndex(index, table, types)));
  }
  return found;
}
