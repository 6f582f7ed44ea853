/** Values at a path that refer to documents: each element of the arrays it leads through, without nulls. */
import { equalValues, isObject } from '../order.js';
import { type Path, ownField, setField, walkPath } from '../path.js';

export function referredValues(document: unknown, path: Path): unknown[] {
  const values: unknown[] = [];
  const offer = (value: unknown): void => {
    if (value !== undefined && value !== null) values.push(value);
  };
  walkPath(document, path, (value) => {
    if (Array.isArray(value)) value.forEach(offer);
    else offer(value);
    return false;
  });
  return values;
}

/** The value with what refers at the path exchanged; itself where nothing is. Containers on the way are copied. */
export function exchangeReferred(value: unknown, path: Path, exchange: (value: unknown) => unknown, from = 0): unknown {
  if (Array.isArray(value)) {
    const exchanged = value.map((item) => exchangeReferred(item, path, exchange, from));
    return exchanged.every((item, i) => item === value[i]) ? value : exchanged;
  }
  if (from === path.length) return value === undefined || value === null ? value : exchange(value);
  if (!isObject(value)) return value;
  const step = path[from] as string;
  const before = ownField(value, step);
  const after = exchangeReferred(before, path, exchange, from + 1);
  if (after === before) return value;
  const copy = { ...value };
  setField(copy, step, after);
  return copy;
}

/** Values that the document refers to at the path and did not before. */
export function newlyReferred(path: Path, before: object | undefined, after: object): unknown[] {
  const old = before === undefined ? [] : referredValues(before, path);
  return referredValues(after, path).filter((value) => !old.some((one) => equalValues(one, value)));
}
