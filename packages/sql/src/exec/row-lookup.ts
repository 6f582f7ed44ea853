/** Rows found by the values of a key, and rows that entries of an index point to. */
import { ByteWriter, PhantomError } from '@phantom/base';
import { ByteSlot, SPACE_BYTES } from '@phantom/kv';
import type { TableScan } from '../plan/physical/physical.js';
import { type PhysicalIndex, type PhysicalTable, physicalIndex, physicalTable } from '../storage/physical-table.js';
import type { TypeLookup, Value } from '../types/type.js';
import { keyReads, type KeyReads, type KeySource } from './key-reads.js';
import type { Run } from './run.js';

/** A key and the row it leads to. One per place in the code, filled anew by each read. */
export class KeySlot {
  readonly key = new ByteSlot();
  readonly row = new ByteSlot();
  found = false;
}

/**
 * Where rows are found by values that only one has: by the key of the table, or by that of a unique index, whose entries
 * hold the key of their row as their value. One per place in the code; what it finds is valid until it is asked again.
 */
export class UniqueKey {
  readonly slot = new KeySlot();
  readonly table: PhysicalTable;
  readonly index: PhysicalIndex | undefined;
  private readonly rowKey = new ByteWriter();
  private readonly entryKey = new ByteWriter();
  private readonly entry = new ByteSlot();

  constructor(table: PhysicalTable, index: PhysicalIndex | undefined) {
    this.table = table;
    this.index = index;
    // The spaces stand at the heads for good: every key is written behind them.
    this.rowKey.bytes(table.prefix);
    if (index !== undefined) this.entryKey.bytes(index.prefix);
  }

  /** Fills the slot with the row that has the values; false when there is none, or a value is null. */
  find(rows: KeySource, values: readonly Value[], entries: KeySource = rows): boolean {
    const { table, index, slot, rowKey } = this;
    slot.found = false;
    for (let i = 0; i < values.length; i++) if (values[i] === null) return false;
    rowKey.length = table.prefix.length;
    if (index === undefined) table.keyCode.encodePrefix(values, values.length, rowKey);
    else if (!this.findEntry(entries, index, values)) return false;
    slot.key.set(rowKey.buffer, 0, rowKey.length);
    slot.found = rows.get(rowKey.buffer, 0, rowKey.length, slot.row);
    if (!slot.found && index !== undefined) throw lostRow(index);
    return slot.found;
  }

  private findEntry(entries: KeySource, index: PhysicalIndex, values: readonly Value[]): boolean {
    const { entryKey, entry, rowKey } = this;
    entryKey.length = index.prefix.length;
    index.keyCode.encodePrefix(values, values.length, entryKey);
    if (!entries.get(entryKey.buffer, 0, entryKey.length, entry)) return false;
    const { buffer, start, end } = entry;
    rowKey.bytes(buffer, start, index.rowKeyEnd(buffer, start, end));
    return true;
  }
}

/** The unique key that a scan of at most one row reads by. */
export function uniqueKeyOf({ table, index }: TableScan, types: TypeLookup): UniqueKey {
  return new UniqueKey(
    physicalTable(table, types),
    index === undefined ? undefined : physicalIndex(index, table, types),
  );
}

/** A unique key at a place that asks for one row after another. */
export class RowLookup {
  private readonly unique: UniqueKey;
  private readonly rows: KeyReads;
  private readonly entries: KeyReads;

  /** `places` say which of the statement's reads are its own: those of rows, and those of entries. */
  constructor(run: Run, unique: UniqueKey, places: readonly [object, object]) {
    const { table, index } = unique;
    this.unique = unique;
    this.rows = keyReads(run.statement, places[0], table);
    this.entries = index === undefined ? this.rows : keyReads(run.statement, places[1], index);
  }

  /** Reads the row with these values. The answer is valid until the next read at the same place. */
  find(run: Run, values: readonly Value[]): KeySlot {
    run.context.counters.lookups++;
    this.unique.find(this.rows, values, this.entries);
    return this.unique.slot;
  }
}

/** Reads the rows that entries of an index point to: a row's key is the entry's value, or the end of the entry's key. */
export class RowFetch {
  private readonly table: PhysicalTable;
  private readonly index: PhysicalIndex;
  private readonly rows: KeyReads;
  private readonly rowKey = new ByteWriter();
  private readonly slot = new KeySlot();

  constructor(run: Run, table: PhysicalTable, index: PhysicalIndex, place: object) {
    this.table = table;
    this.index = index;
    this.rows = keyReads(run.statement, place, table);
    this.rowKey.bytes(table.prefix);
  }

  /** The answer is valid until the next read at the same place. */
  read(
    run: Run,
    keyBuffer: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueBuffer: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): KeySlot {
    const { index, rowKey, slot } = this;
    rowKey.length = this.table.prefix.length;
    if (valueStart === valueEnd) {
      rowKey.bytes(keyBuffer, index.keyCode.skip(keyBuffer, keyStart + SPACE_BYTES, keyEnd), keyEnd);
    } else {
      rowKey.bytes(valueBuffer, valueStart, index.rowKeyEnd(valueBuffer, valueStart, valueEnd));
    }
    slot.key.set(rowKey.buffer, 0, rowKey.length);
    run.context.counters.lookups++;
    if (!this.rows.get(rowKey.buffer, 0, rowKey.length, slot.row)) throw lostRow(index);
    return slot;
  }
}

function lostRow({ index }: PhysicalIndex): PhantomError {
  return new PhantomError('XX001', `index "${index.name}" has an entry without a row`);
}
