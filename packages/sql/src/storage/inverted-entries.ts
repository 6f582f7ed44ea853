/**
 * Keeps the inverted indexes of a table: an entry for each term of a row.
 *
 *   key = index space(4)  term (keycode bytes)  row key without its space        no value
 */
import { ByteWriter, compareKeys } from '@phantom/base';
import { SPACE_BYTES } from '@phantom/kv';
import type { EvaluationContext } from '../functions/registry.js';
import type { TypeLookup, Value } from '../types/type.js';
import { type InvertedTerms, invertedTerms } from './inverted-terms.js';
import type { IndexRule } from './table-rules.js';

/** Where entries go. */
export interface EntrySink {
  put(key: Uint8Array, keyStart: number, keyEnd: number, value: Uint8Array, valueStart: number, valueEnd: number): void;
  remove(key: Uint8Array, start: number, end: number): void;
}

const NO_BYTES = new Uint8Array(0);
const NO_TERMS: readonly Uint8Array[] = [];

export class InvertedEntries {
  private readonly rule: IndexRule;
  private readonly terms: InvertedTerms;
  private readonly entry = new ByteWriter();
  private readonly parts: Value[] = [];

  constructor(rule: IndexRule, types: TypeLookup) {
    this.rule = rule;
    this.terms = invertedTerms(rule.index, types);
  }

  insert(row: readonly Value[], rowKey: Uint8Array, sink: Pick<EntrySink, 'put'>, context: EvaluationContext): void {
    for (const term of this.termsOf(row, context)) this.put(term, rowKey, sink);
  }

  remove(row: readonly Value[], rowKey: Uint8Array, sink: EntrySink, context: EvaluationContext): void {
    for (const term of this.termsOf(row, context)) this.take(term, rowKey, sink);
  }

  /** Entries that both rows have are left alone where the row keeps its key. */
  update(
    before: readonly Value[],
    oldKey: Uint8Array,
    after: readonly Value[],
    newKey: Uint8Array,
    sink: EntrySink,
    context: EvaluationContext,
  ): void {
    const kept = compareKeys(oldKey, newKey) === 0;
    if (kept && this.isUntouched(before, after)) return;
    const old = this.termsOf(before, context);
    const now = this.termsOf(after, context);
    let i = 0;
    let j = 0;
    while (i < old.length || j < now.length) {
      const order =
        i === old.length ? 1 : j === now.length ? -1 : compareKeys(old[i] as Uint8Array, now[j] as Uint8Array);
      if (order <= 0 && !(order === 0 && kept)) this.take(old[i] as Uint8Array, oldKey, sink);
      if (order >= 0 && !(order === 0 && kept)) this.put(now[j] as Uint8Array, newKey, sink);
      if (order <= 0) i++;
      if (order >= 0) j++;
    }
  }

  /** The index reads plain columns only, and none has another value. */
  private isUntouched(before: readonly Value[], after: readonly Value[]): boolean {
    if (this.rule.index.predicateSql !== undefined) return false;
    return this.rule.physical.positions.every((position) => position >= 0 && before[position] === after[position]);
  }

  private termsOf(row: readonly Value[], context: EvaluationContext): readonly Uint8Array[] {
    if (!this.rule.covers(row, context)) return NO_TERMS;
    this.rule.parts(row, this.parts, context);
    return this.terms.ofRow(this.parts);
  }

  private put(term: Uint8Array, rowKey: Uint8Array, sink: Pick<EntrySink, 'put'>): void {
    this.encode(term, rowKey);
    sink.put(this.entry.buffer, 0, this.entry.length, NO_BYTES, 0, 0);
  }

  private take(term: Uint8Array, rowKey: Uint8Array, sink: EntrySink): void {
    this.encode(term, rowKey);
    sink.remove(this.entry.buffer, 0, this.entry.length);
  }

  private encode(term: Uint8Array, rowKey: Uint8Array): void {
    const { entry, rule } = this;
    entry.reset();
    entry.bytes(rule.physical.prefix);
    rule.physical.keyCode.encodePrefix([term], 1, entry);
    entry.bytes(rowKey, SPACE_BYTES);
  }
}
