/**
 * Order and equality of jsonb, as its B-tree operators have them: objects after arrays after booleans after numbers after
 * strings after null; containers by count first. An empty array at the top sorts before everything, as in PostgreSQL.
 */
import { Decimal, type DocumentValue, type Jsonb, compareText } from '@phantom/codec';

function rank(value: DocumentValue): number {
  if (value === null) return 0;
  if (typeof value === 'string') return 1;
  if (isNumber(value)) return 2;
  if (typeof value === 'boolean') return 3;
  if (Array.isArray(value)) return 4;
  return value instanceof Map ? 5 : 1;
}

/** Whether a node is a number. */
export function isNumber(value: DocumentValue): value is number | bigint | Decimal {
  return typeof value === 'number' || typeof value === 'bigint' || value instanceof Decimal;
}

/** A number of any form. */
export function asDecimal(value: number | bigint | Decimal): Decimal {
  if (value instanceof Decimal) return value;
  return typeof value === 'bigint' ? Decimal.of(value) : Decimal.fromNumber(value);
}

/** A text, or what a document has that JSON writes as one. */
export function textOf(value: DocumentValue): string {
  return value instanceof Date ? value.toISOString() : String(value);
}

/** Order of two decoded documents below the top. */
export function compareNodes(a: DocumentValue, b: DocumentValue): number {
  const order = rank(a) - rank(b);
  if (order !== 0) return order;
  if (a === null || b === null) return 0;
  if (isNumber(a) && isNumber(b)) {
    return typeof a === 'number' && typeof b === 'number' ? a - b : asDecimal(a).compare(asDecimal(b));
  }
  if (typeof a === 'boolean') return Number(a) - Number(b);
  if (Array.isArray(a) && Array.isArray(b)) {
    if (a.length !== b.length) return a.length - b.length;
    for (let i = 0; i < a.length; i++) {
      const item = compareNodes(a[i] as DocumentValue, b[i] as DocumentValue);
      if (item !== 0) return item;
    }
    return 0;
  }
  if (a instanceof Map && b instanceof Map) return compareObjects(a, b);
  return compareText(textOf(a), textOf(b));
}

function compareObjects(a: Map<string, DocumentValue>, b: Map<string, DocumentValue>): number {
  if (a.size !== b.size) return a.size - b.size;
  const others = b.entries();
  for (const [key, value] of a) {
    const [otherKey, otherValue] = others.next().value as [string, DocumentValue];
    const order = compareText(key, otherKey) || compareNodes(value, otherValue);
    if (order !== 0) return order;
  }
  return 0;
}

/** Order of two jsonb values. */
export function compareJsonb(a: Jsonb, b: Jsonb): number {
  const x = a.value();
  const y = b.value();
  const xEmpty = Array.isArray(x) && x.length === 0;
  const yEmpty = Array.isArray(y) && y.length === 0;
  if (xEmpty || yEmpty) return xEmpty === yEmpty ? 0 : xEmpty ? -1 : 1;
  return compareNodes(x, y);
}

/** A string that is the same exactly for equal documents: JSON with numbers in shortest form. */
export function jsonbKey(value: Jsonb): string {
  return nodeKey(value.value());
}

function nodeKey(value: DocumentValue): string {
  if (isNumber(value)) return asDecimal(value).normalize().toString();
  if (Array.isArray(value)) return `[${value.map(nodeKey).join()}]`;
  if (value instanceof Map)
    return `{${[...value].map(([key, field]) => `${JSON.stringify(key)}:${nodeKey(field)}`).join()}}`;
  return value === null || typeof value === 'boolean' ? String(value) : JSON.stringify(textOf(value));
}
