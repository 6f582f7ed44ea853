/**
 * From conditions on paths to the ranges of an index's keys where their documents have entries. Points ($eq, $in) on leading parts
 * lead to ranges one by one; a range condition ends it.
 */
import { ByteWriter } from '@phantom/base';
import { appendKeyText } from '@phantom/codec';
import { type KeyRange, prefixEnd, prefixRange } from '@phantom/kv';
import { type PartBounds, boundsOf } from './bounds.js';
import type { Condition } from './filter/filter.js';
import type { IndexLayout } from './index-layout.js';

/** Ranges that one plan may have; past it the last point list is not used. */
const RANGES_MAX = 1000;

/** What the conditions make of an index. */
export interface BoundIndex {
  /** In key order; the whole index where no part is bound. */
  readonly ranges: readonly KeyRange[];
  readonly used: readonly Condition[];
  /** Leading parts that have bounds. */
  readonly bound: number;
  /** Leading parts with one value: the order of the rest is the index's. */
  readonly fixed: number;
  /** Combinations of points on the leading parts. */
  readonly prefixes: number;
  /** Some part is asked for what missing is not. */
  readonly existing: boolean;
}

const writer = new ByteWriter();

/** The ranges for conditions that all hold; `multikey`: a document may have several entries. */
export function boundIndex(index: IndexLayout, conditions: readonly Condition[], multikey: boolean): BoundIndex {
  let prefixes: Uint8Array[] = [index.prefix];
  let ranges: KeyRange[] | undefined;
  const used: Condition[] = [];
  let bound = 0;
  let fixed = 0;
  let existing = false;
  for (const [i, { path }] of index.definition.parts.entries()) {
    const bounds = boundsOf(conditions, path, multikey);
    if (bounds === undefined) break;
    existing ||= !bounds.includesNull;
    if (bounds.points !== undefined) {
      if (prefixes.length * bounds.points.length > RANGES_MAX) break;
      if (bounds.points.length === 1 && fixed === i) fixed++;
      prefixes = crossed(index, i, prefixes, bounds.points);
      used.push(...bounds.conditions);
      bound++;
      continue;
    }
    ranges = prefixes.map((prefix) => rangeOf(index, i, prefix, bounds));
    used.push(...bounds.conditions);
    bound++;
    break;
  }
  ranges ??= prefixes.map((prefix) => prefixRange(prefix));
  return { ranges, used, bound, fixed, prefixes: prefixes.length, existing };
}

/** The prefixes, each with each of the points behind it; in key order. */
export function crossed(
  index: IndexLayout,
  part: number,
  prefixes: readonly Uint8Array[],
  points: readonly unknown[],
): Uint8Array[] {
  const keyOf = (prefix: Uint8Array, point: unknown): Uint8Array => {
    writer.reset();
    writer.bytes(prefix);
    index.appendPart(writer, part, point);
    return writer.take();
  };
  if (prefixes.length === 1 && points.length === 1) return [keyOf(prefixes[0] as Uint8Array, points[0])];
  const keys = new Map<string, Uint8Array>();
  for (const prefix of prefixes) {
    for (const point of points) {
      const key = keyOf(prefix, point);
      keys.set(Buffer.from(key).toString('latin1'), key);
    }
  }
  return [...keys.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, key]) => key);
}

/** Keys behind the prefix whose next part lies within the bounds. */
export function rangeOf(index: IndexLayout, part: number, prefix: Uint8Array, bounds: PartBounds): KeyRange {
  const descending = index.definition.parts[part]?.descending === true;
  const valueKey = (value: unknown): Uint8Array => {
    writer.reset();
    writer.bytes(prefix);
    index.appendPart(writer, part, value);
    return writer.take();
  };
  const byteKey = (byte: number): Uint8Array => {
    const key = new Uint8Array(prefix.length + 1);
    key.set(prefix);
    key[prefix.length] = byte;
    return key;
  };
  const after = (key: Uint8Array): Uint8Array => prefixEnd(key) as Uint8Array;
  const { lower, upper, prefixText } = bounds;
  if (prefixText !== undefined) {
    // All of the text but its terminator, and what follows it.
    const whole = valueKey(prefixText);
    const start = whole.slice(0, whole.length - TEXT_END_BYTES);
    return { lower: start, upper: prefixEnd(start) };
  }
  const first = bounds.firstByte;
  const last = bounds.lastByte;
  if (!descending) {
    return {
      lower:
        lower === undefined ? byteKey(first) : lower.inclusive ? valueKey(lower.value) : after(valueKey(lower.value)),
      upper:
        upper === undefined
          ? after(byteKey(last))
          : upper.inclusive
            ? after(valueKey(upper.value))
            : valueKey(upper.value),
    };
  }
  return {
    lower:
      upper === undefined
        ? byteKey(last ^ 0xff)
        : upper.inclusive
          ? valueKey(upper.value)
          : after(valueKey(upper.value)),
    upper:
      lower === undefined
        ? after(byteKey(first ^ 0xff))
        : lower.inclusive
          ? after(valueKey(lower.value))
          : valueKey(lower.value),
  };
}

/** Bytes behind a text in a key. */
const TEXT_END_BYTES = (() => {
  const probe = new ByteWriter();
  appendKeyText(probe, '');
  return probe.length;
})();
