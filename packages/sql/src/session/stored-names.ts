/**
 * What stored keys are called when there is no database to ask, but only the descriptors that were found: which table or index a
 * space is of, which row a key is, and which row an entry of an index points to.
 */
import { isPhantomError, toHex } from '@phantom/base';
import type { IndexDescriptor, ObjectDescriptor, Oid, TableDescriptor } from '@phantom/catalog';
import { ByteSlot, SPACE_BYTES, type SpaceId, spaceOfKey } from '@phantom/kv';
import { keyText } from '../storage/constraint-errors.js';
import { PhysicalTable, physicalIndex, physicalTable, rowKeyOfEntry } from '../storage/physical-table.js';
import { plainContext } from './plain-context.js';
import type { TypeContext, Value } from '../types/type.js';

/** Whose a space is. */
export interface StoredSpace {
  readonly database: string;
  readonly schema: string;
  readonly table: TableDescriptor;
  /** Undefined for the space of the rows themselves. */
  readonly index: IndexDescriptor | undefined;
}

export class StoredNames {
  private readonly objects: ReadonlyMap<Oid, ObjectDescriptor>;
  private readonly spaces = new Map<SpaceId, StoredSpace>();
  private readonly context: TypeContext;

  constructor(objects: ReadonlyMap<Oid, ObjectDescriptor>) {
    this.objects = objects;
    for (const table of objects.values()) {
      if (table.kind !== 'table') continue;
      const place = { database: this.nameOf(table.databaseOid), schema: this.nameOf(table.schemaOid), table };
      this.spaces.set(table.space, { ...place, index: undefined });
      for (const oid of table.indexOids) {
        const index = objects.get(oid);
        if (index?.kind === 'index' && index.space !== table.space) this.spaces.set(index.space, { ...place, index });
      }
    }
    this.context = plainContext((oid) => objects.get(oid));
  }

  space(id: SpaceId): StoredSpace | undefined {
    return this.spaces.get(id);
  }

  /** Every space that a table or an index has. */
  all(): Iterable<readonly [SpaceId, StoredSpace]> {
    return this.spaces;
  }

  /** The key of a row or of an index entry as errors show one, or its bytes where they are no whole key: `(id)=(7)`, `\\x8000`. */
  keyText(key: Uint8Array): string {
    const bytes = `\\x${toHex(key, SPACE_BYTES)}`;
    const owner = this.spaces.get(spaceOfKey(key, 0));
    if (owner === undefined || owner.table.partitioned !== undefined || !hasRowParts(owner.index)) return bytes;
    try {
      return this.decoded(owner, key);
    } catch (error) {
      if (!isPhantomError(error) && !(error instanceof RangeError)) throw error;
      return bytes;
    }
  }

  /** Key of the row that an entry of an ordinary index points to; undefined for any other entry. */
  rowOfEntry(key: Uint8Array, value: Uint8Array): Uint8Array | undefined {
    const space = this.spaces.get(spaceOfKey(key, 0));
    if (space?.index === undefined || !hasRowParts(space.index)) return undefined;
    const { table, index } = space;
    const { types } = this.context;
    const keySlot = new ByteSlot();
    const valueSlot = new ByteSlot();
    keySlot.set(key, 0, key.length);
    valueSlot.set(value, 0, value.length);
    return rowKeyOfEntry(keySlot, valueSlot, physicalIndex(index, table, types), physicalTable(table, types).prefix);
  }

  private decoded({ table, index }: StoredSpace, key: Uint8Array): string {
    const { types } = this.context;
    const physical = index === undefined ? physicalTable(table, types) : physicalIndex(index, table, types);
    const parts: Value[] = [];
    physical.keyCode.decode(key, SPACE_BYTES, key.length, parts);
    if (physical instanceof PhysicalTable && physical.hasRowNumber) return `row ${String(parts[0])}`;
    const numbers = index === undefined ? table.keyColumns : index.parts.map(({ column }) => column);
    const columns = numbers.map((number) => table.columns.find((column) => column.number === number));
    const typeOids =
      index === undefined ? columns.map((column) => column?.type.oid ?? 0) : index.parts.map(({ type }) => type.oid);
    return keyText(
      columns.map((column) => column?.name ?? 'expression'),
      parts,
      typeOids,
      this.context,
    );
  }

  private nameOf(oid: Oid): string {
    const object = this.objects.get(oid);
    return object !== undefined && 'name' in object ? object.name : String(oid);
  }
}

/** Whether keys begin with values of the row: of rows themselves, and of indexes of the usual kinds. */
function hasRowParts(index: IndexDescriptor | undefined): boolean {
  return index === undefined || index.method === 'btree' || index.method === 'hash';
}
