/**
 * Sorting documents: by paths, each up or down; an array stands by its least element going up, by its greatest going down. One that is
 * empty comes before everything else, before null, too.
 */
import { badArgument, unknownOperator } from './errors.js';
import { type PlainObject, compareValues, isObject } from './order.js';
import { type Path, ownField, parsePath, walkPath } from './path.js';
import { textScoreOf } from './text-score.js';

export interface SortPart {
  readonly path: string;
  readonly descending: boolean;
}

/** A sort as callers give it: { a: 1, 'b.c': -1 }, or [['a', 1]]. */
export type SortInput = Readonly<Record<string, unknown>> | readonly (readonly [string, unknown])[];

const SORT_PARTS_MAX = 32;
/** Stands for a path where a sort goes by how well documents fit a $text search. */
const TEXT_SCORE = '$textScore';

/** The parts of a sort, in order. */
export function parseSort(sort: SortInput): readonly SortPart[] {
  const entries = Array.isArray(sort) ? (sort as readonly (readonly [string, unknown])[]) : Object.entries(sort);
  if (entries.length > SORT_PARTS_MAX) throw badArgument(`a sort has at most ${SORT_PARTS_MAX} parts`);
  return entries.map(([path, direction]) => {
    if (isObject(direction)) {
      if (direction['$meta'] !== 'textScore') throw unknownOperator(Object.keys(direction)[0] ?? '{}', 'sort');
      return { path: TEXT_SCORE, descending: true };
    }
    const descending = direction === -1 || direction === 'desc' || direction === 'descending';
    if (!descending && direction !== 1 && direction !== 'asc' && direction !== 'ascending') {
      throw badArgument(`a sort goes by 1 or -1, not ${String(direction)}`);
    }
    parsePath(path);
    return { path, descending };
  });
}

/** What a document is sorted by. */
export type SortKey = readonly unknown[];

export class Sorter {
  readonly fields: ReadonlySet<string>;
  private readonly parts: readonly { readonly path: Path; readonly descending: boolean }[];

  constructor(parts: readonly SortPart[]) {
    this.parts = parts.map(({ path, descending }) => ({ path: parsePath(path), descending }));
    this.fields = new Set(this.parts.map(({ path }) => path[0] as string));
  }

  /** How many parts a key has. */
  get partCount(): number {
    return this.parts.length;
  }

  keyOf(document: PlainObject): SortKey {
    return this.parts.map(({ path, descending }) =>
      path[0] === TEXT_SCORE ? textScoreOf(document) : sortValue(document, path, descending),
    );
  }

  readonly compare = (a: SortKey, b: SortKey): number => {
    for (let i = 0; i < this.parts.length; i++) {
      const order = compareSorted(a[i], b[i]);
      if (order !== 0) return (this.parts[i] as { descending: boolean }).descending ? -order : order;
    }
    return 0;
  };
}

/** Stands for an empty array in a key. */
export const EMPTY_ARRAY = Symbol('empty array');

function compareSorted(a: unknown, b: unknown): number {
  if (a !== EMPTY_ARRAY && b !== EMPTY_ARRAY) return compareValues(a, b);
  return a === b ? 0 : a === EMPTY_ARRAY ? -1 : 1;
}

/** The least or greatest value at a path, looking into arrays. Nothing stands with null. */
function sortValue(document: PlainObject, path: Path, greatest: boolean): unknown {
  if (path.length === 1 && isObject(document)) {
    const value = ownField(document, path[0] as string);
    if (!Array.isArray(value)) return value;
  }
  let found: unknown;
  let any = false;
  const offer = (value: unknown): void => {
    const better = !any || (greatest ? compareSorted(value, found) > 0 : compareSorted(value, found) < 0);
    if (better) found = value;
    any = true;
  };
  walkPath(document, path, (value) => {
    if (Array.isArray(value)) {
      for (const item of value) offer(item);
      if (value.length === 0) offer(EMPTY_ARRAY);
    } else {
      offer(value);
    }
    return false;
  });
  return found;
}
