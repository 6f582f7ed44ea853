/** What an entry of an index says of its row without the row: the values of the parts, the row's own key, and included columns. */
import { SPACE_BYTES } from '@phantom/kv';
import type { PhysicalIndex, PhysicalTable } from '../storage/physical-table.js';
import type { Value } from '../types/type.js';

/** What of an entry somebody asks for. */
export interface EntryNeeds {
  readonly parts: boolean;
  readonly rowKey: boolean;
  readonly included: boolean;
}

/** The values of one entry; one per place in the code and execution, filled anew by each `read`. */
export class IndexEntry {
  /** By place among the parts of the index. */
  readonly parts: Value[];
  /** By place among the columns of the table; only those of its key are set. */
  readonly columns: Value[];
  /** By place among the included columns. */
  readonly included: Value[];
  private readonly index: PhysicalIndex;
  private readonly table: PhysicalTable;
  private readonly needs: EntryNeeds;

  constructor(index: PhysicalIndex, table: PhysicalTable, needs: EntryNeeds) {
    this.index = index;
    this.table = table;
    this.needs = needs;
    this.parts = index.positions.map(() => null);
    this.columns = table.table.columns.map(() => null);
    this.included = index.included?.positions.map(() => null) ?? [];
  }

  /** Takes the values out of an entry's bytes. The row's key is the entry's value, or the end of the entry's key. */
  read(
    keyBuffer: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueBuffer: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    const { index, table, needs } = this;
    const isInKey = valueStart === valueEnd;
    let end = 0;
    if (needs.parts) end = index.keyCode.decode(keyBuffer, keyStart + SPACE_BYTES, keyEnd, this.parts);
    else if (needs.rowKey && isInKey) end = index.keyCode.skip(keyBuffer, keyStart + SPACE_BYTES, keyEnd);
    if (needs.included && index.included !== undefined) {
      const start = index.included.startIn(valueBuffer, valueStart, valueEnd);
      index.included.decode(valueBuffer, start, valueEnd, this.included);
    }
    if (!needs.rowKey) return;
    if (isInKey) table.keyCode.decode(keyBuffer, end, keyEnd, this.columns);
    else table.keyCode.decode(valueBuffer, valueStart, valueEnd, this.columns);
  }
}
