/**
 * What the log holds of an engine, as the newest layer of what is salvaged: records in the order of their commits, the last operation on
 * each key. All of it is in memory.
 *
 * The log holds more than what recovery needs: what was flushed and is kept for those who follow changes. As long as nothing is missing
 * up to its end, the last it says of a key is the newest there is, wherever else the key may be found: so what a lost page held and
 * what was written of late comes back from the log. But for keys that a bulk load may have written since, whose entries are in files.
 */
import { compareKeys } from '@phantom/base';
import {
  BatchReader,
  type EngineCode,
  type KeyRange,
  OperationKind,
  type SalvagedEntry,
  type SalvagedLayer,
  type SalvagedRemoval,
  type Seq,
  engineOfKey,
  keyAfter,
} from '@phantom/kv';
import type { SalvagedRecord } from '@phantom/wal';
import { RecordKind } from './format.js';
import { type LoadRecord, decodeLoads, touchesRange } from './load-record.js';

export class LogLayer implements SalvagedLayer {
  readonly removals: readonly SalvagedRemoval[];
  private readonly entries: readonly SalvagedEntry[];

  /**
   * Of the operations of an engine; its files have those of the commits up to `flushedSeq`, and these count only if the log is whole.
   * XX001 for a payload that is no batch.
   */
  constructor(records: readonly SalvagedRecord[], code: EngineCode, flushedSeq: Seq, isWhole: boolean) {
    const entries: SalvagedEntry[] = [];
    const removals: SalvagedRemoval[] = [];
    const loads: { readonly load: LoadRecord; readonly seq: Seq }[] = [];
    const reader = new BatchReader();
    for (const { seq, flags, payload } of records) {
      if (flags === RecordKind.Load)
        for (const load of decodeLoads(payload)) if (load.engine === code) loads.push({ load, seq });
      if (flags !== RecordKind.Batch || (seq <= flushedSeq && !isWhole)) continue;
      reader.setBatch(payload);
      // What a batch removes as a range and writes afterwards stands: so its own keys go before, one by one.
      const own: SalvagedEntry[] = [];
      while (reader.next()) {
        const { bytes, kind, keyStart, keyEnd, valueStart, valueEnd } = reader;
        if (engineOfKey(bytes, keyStart) !== code) continue;
        const key = bytes.subarray(keyStart, keyEnd);
        if (kind === OperationKind.RemoveRange) {
          const upper = bytes.subarray(valueStart, valueEnd);
          removals.push({ lower: key, upper, seq });
          for (let i = 0; i < own.length; i++) {
            const entry = own[i] as SalvagedEntry;
            const isInside = compareKeys(entry.key, key) >= 0 && compareKeys(entry.key, upper) < 0;
            if (isInside) own[i] = { ...entry, value: undefined };
          }
        } else {
          own.push({ key, value: kind === OperationKind.Put ? bytes.subarray(valueStart, valueEnd) : undefined, seq });
        }
      }
      entries.push(...own);
    }
    // Of what is not in files yet nothing is left out: a load is a layer below, and has a seq.
    const stands = (range: KeyRange, at: Seq): boolean =>
      at > flushedSeq || !loads.some(({ load, seq }) => seq > at && touchesRange(load, range));
    this.removals = removals.filter((removal) => stands(removal, removal.seq));
    this.entries = newest(entries).filter(({ key, seq }) => stands({ lower: key, upper: keyAfter(key) }, seq));
  }

  items(): Iterable<SalvagedEntry> {
    return this.entries;
  }
}

/** By key, and of each key the last one that came. */
function newest(entries: readonly SalvagedEntry[]): SalvagedEntry[] {
  const sorted = entries.toSorted((a, b) => compareKeys(a.key, b.key));
  // Equal keys are still in the order in which they came.
  return sorted.filter((entry, i) => {
    const next = sorted[i + 1];
    return next === undefined || compareKeys(entry.key, next.key) !== 0;
  });
}
