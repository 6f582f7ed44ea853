/**
 * Index-only scans: an entry of an index holds the values of its parts, of its included columns and of the key of its row, so a
 * query that asks for no other column need not fetch rows. Entries appear and vanish in the commit of their row, so what a
 * snapshot sees of an index is what it sees of the rows.
 *
 * A key does not keep every value as it was written (1.0 and 1.00 are equal, so they have the same bytes): columns of such
 * types are read from the row (`exactKey`).
 */
import { exactKey } from '@phantom/codec';
import type { IndexDescriptor } from '@phantom/catalog';
import { storageOf } from '../../storage/physical-table.js';
import type { TypeLookup } from '../../types/type.js';
import type { Scan } from '../logical/logical.js';

/** True when the entries of the index hold every column of the scan as it stands in the row. */
export function coversColumns(index: IndexDescriptor, scan: Scan, types: TypeLookup): boolean {
  const { table } = scan;
  // A reference to a row is a copy of its bytes; an inverted index holds parts of values, and so does one over documents.
  if (scan.rowReference !== undefined || index.method === 'gin' || index.method === 'document') return false;
  const held = new Set<number | undefined>([...index.parts.map((part) => part.column), ...table.keyColumns]);
  return scan.scanColumns.every(({ number }) => {
    const column = table.columns.find((candidate) => candidate.number === number);
    if (column === undefined) return false;
    if (index.storesIncluded === true && index.include.includes(number)) return true;
    return held.has(number) && exactKey(storageOf(column.type, types));
  });
}
