/** The rows that a function which returns a set has given so far: kept until the call is over, within the memory of a query (53200). */
import { MemoryBudget } from '@phantom/base';
import { SqlRecord } from '@phantom/codec';
import { valueBytes } from '../exec/row-buffer.js';
import type { Value } from '../types/type.js';

/** Bytes counted at once. */
const COUNTED_BYTES = 65_536;
/** Bytes of a place in an array, and of what stands around the fields of a row. */
const SLOT_BYTES = 8;
const RECORD_BYTES = 64;

export class KeptRows {
  readonly values: Value[] = [];
  private readonly budget: MemoryBudget;
  private uncountedBytes = 0;

  constructor(limitBytes: number) {
    this.budget = new MemoryBudget(limitBytes);
  }

  add(value: Value): void {
    this.values.push(value);
    this.uncountedBytes += SLOT_BYTES + (value instanceof SqlRecord ? recordBytes(value) : valueBytes(value));
    if (this.uncountedBytes < COUNTED_BYTES) return;
    this.budget.take(this.uncountedBytes);
    this.uncountedBytes = 0;
  }
}

function recordBytes({ fields }: SqlRecord): number {
  let bytes = RECORD_BYTES + fields.length * SLOT_BYTES;
  for (let i = 0; i < fields.length; i++) bytes += valueBytes(fields[i]);
  return bytes;
}
