/** How code that is being written knows where the row under the scan lies. */
import type { Code } from '../code/ir.js';

/** Where the bytes of the current row are. */
export interface RowBytes {
  readonly key: { readonly buffer: Code; readonly start: Code; readonly end: Code };
  readonly row: { readonly buffer: Code; readonly start: Code; readonly end: Code };
  /** The slot that `key` is part of, where there is one. */
  readonly keySlot?: Code;
  /** False where there is no row and every column is null (outer joins); undefined: there always is. */
  readonly present: Code | undefined;
}
