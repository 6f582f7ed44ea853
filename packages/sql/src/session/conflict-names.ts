/**
 * Says which row or index entry a key is, and which constraint it falls under, when a transaction has lost a race on it.
 * Asked only then. Spaces are looked up in a map that is made anew when the catalog has moved on.
 */
import { toHex } from '@phantom/base';
import { type Catalog, type IndexDescriptor, type TableDescriptor, tableOfLockKey } from '@phantom/catalog';
import type { KeyCode } from '@phantom/codec';
import { SPACE_BYTES, type SpaceId, spaceOfKey } from '@phantom/kv';
import { type ConflictNames, LOCK_SPACE } from '@phantom/mvcc';
import { advisoryNumbers } from './advisory-keys.js';
import { OBJECT_KEY_BYTES, objectOfKey } from '../large-objects/format.js';
import { keyText } from '../storage/constraint-errors.js';
import { physicalIndex, physicalTable } from '../storage/physical-table.js';
import { plainContext } from './plain-context.js';
import type { TypeContext, Value } from '../types/type.js';

interface NamedSpace {
  readonly table: TableDescriptor;
  /** Undefined for the space of the rows themselves. */
  readonly index: IndexDescriptor | undefined;
}

type Named = ReturnType<ConflictNames['describe']>;

/** A table as a whole, or the numbers of an advisory lock. */
function lockName(catalog: Catalog, key: Uint8Array): Named {
  const oid = tableOfLockKey(key);
  if (oid !== undefined) {
    const object = catalog.committed.object(oid);
    const name = object?.kind === 'table' ? object.name : String(oid);
    return { table: name, what: `relation "${name}"` };
  }
  const advisory = advisoryNumbers(key);
  return advisory === undefined ? undefined : { what: `advisory lock (${advisory.numbers.join(', ')})` };
}

/** Of a large object, or a page of it; of a bound of a range there is nothing to say but where it lies. */
function largeObjectName(key: Uint8Array): Named {
  const table = 'pg_largeobject';
  return key.length < OBJECT_KEY_BYTES ? { table } : { table, what: `large object ${objectOfKey(key, 0)}` };
}

/** The values of a key; of what stands for many keys (a lock on all that begin so, the bound of a range) those that it begins with. */
function leadingParts(
  keyCode: KeyCode,
  key: Uint8Array,
): { readonly values: readonly Value[]; readonly isWhole: boolean } {
  const values: Value[] = [];
  const count = keyCode.decodePrefix(key, SPACE_BYTES, key.length, values);
  return { values: values.slice(0, count), isWhole: count === keyCode.columns.length };
}

export class CatalogConflictNames implements ConflictNames {
  /** Set once the catalog is open: the catalog itself is read through the transactions that use these names. */
  catalog: Catalog | undefined;
  private version = -1;
  private spaces = new Map<SpaceId, NamedSpace>();
  private context: TypeContext | undefined;

  describe(key: Uint8Array): Named {
    const { catalog } = this;
    if (catalog === undefined) return undefined;
    if (this.version !== catalog.version) this.refresh(catalog);
    if (spaceOfKey(key, 0) === LOCK_SPACE) return lockName(catalog, key);
    if (spaceOfKey(key, 0) === catalog.keys.largeObjectSpace) return largeObjectName(key);
    const named = this.spaces.get(spaceOfKey(key, 0));
    if (named === undefined) return undefined;
    return named.index === undefined ? this.row(catalog, named.table, key) : this.entry(named.table, named.index, key);
  }

  private row(catalog: Catalog, table: TableDescriptor, key: Uint8Array): Named {
    const context = this.context as TypeContext;
    const physical = physicalTable(table, context.types);
    if (physical.hasRowNumber || key.length === SPACE_BYTES) {
      return { table: table.name, key: `row ${toHex(key, SPACE_BYTES)}` };
    }
    const primary = table.indexOids
      .map((oid) => catalog.committed.object(oid))
      .find((object) => object?.kind === 'index' && object.space === table.space);
    const { values, isWhole } = leadingParts(physical.keyCode, key);
    const columns = table.keyColumns
      .slice(0, values.length)
      .map((number) => table.columns.find((column) => column.number === number));
    const text = keyText(
      columns.map((column) => column?.name ?? '?'),
      values,
      columns.map((column) => column?.type.oid ?? 0),
      context,
    );
    if (primary?.kind !== 'index' || !isWhole) return { table: table.name, key: text };
    return {
      table: table.name,
      key: text,
      unique: { constraint: primary.name, detail: `Key ${text} already exists.` },
    };
  }

  private entry(table: TableDescriptor, index: IndexDescriptor, key: Uint8Array): Named {
    const context = this.context as TypeContext;
    if (key.length === SPACE_BYTES) return { table: table.name, key: `the first of index "${index.name}"` };
    const physical = physicalIndex(index, table, context.types);
    const { values, isWhole } = leadingParts(physical.keyCode, key);
    const parts = index.parts.slice(0, values.length);
    const text = keyText(
      parts.map((part) => table.columns.find(({ number }) => number === part.column)?.name ?? 'expression'),
      values,
      parts.map((part) => part.type.oid),
      context,
    );
    if (!isWhole || !physical.isUniqueEntry(values)) return { table: table.name, key: text };
    return {
      table: table.name,
      key: text,
      unique: { constraint: index.name, detail: `Key ${text} already exists.` },
    };
  }

  private refresh(catalog: Catalog): void {
    this.version = catalog.version;
    this.spaces = new Map();
    const { committed } = catalog;
    for (const object of committed.objects()) {
      if (object.kind === 'table') {
        this.spaces.set(object.space, { table: object, index: undefined });
        for (const oid of object.indexOids) {
          const index = committed.object(oid);
          if (index?.kind === 'index' && index.space !== object.space)
            this.spaces.set(index.space, { table: object, index });
        }
      }
    }
    this.context = plainContext((oid) => committed.object(oid));
  }
}
