/**
 * Filters that ask one path for one plain value, `{ path: value }`, `_id` above all: the most frequent ones by far. Nothing has to be taken
 * apart, and what finds the documents by `_id` or through an index never asks the filter, so it is compiled when somebody does. What such a
 * filter says of itself is what compiling it as any other would say.
 */
import { Rank, rankOf } from '../order.js';
import { type Path, parsePath } from '../path.js';
import type { CompiledFilter, Condition, Matcher } from './filter.js';
import { anyPlace } from './places.js';
import { equalTo } from './tests.js';

const PLAIN_RANKS: ReadonlySet<Rank> = new Set<Rank>([Rank.Number, Rank.Text, Rank.ObjectId, Rank.Date, Rank.Uuid]);

export class EqualityFilter implements CompiledFilter {
  readonly path: string;
  readonly value: unknown;
  readonly alternatives = undefined;
  readonly text = undefined;
  readonly onlyConditions = true;
  private readonly steps: Path;
  private compiled: Matcher | undefined = undefined;
  private condition: readonly [Condition] | undefined = undefined;

  /** 22023 for what is no path. */
  constructor(path: string, value: unknown) {
    this.path = path;
    this.value = value;
    this.steps = parsePath(path);
  }

  get matches(): Matcher {
    return (this.compiled ??= anyPlace(this.steps, equalTo(this.value)));
  }

  get conditions(): readonly [Condition] {
    return (this.condition ??= [{ path: this.path, operator: '$eq', value: this.value }]);
  }

  get parts(): CompiledFilter['parts'] {
    return [{ path: this.path, matches: this.matches }];
  }

  get fields(): ReadonlySet<string> {
    return new Set([this.steps[0] as string]);
  }
}

/** The filter of the one document with an `_id`: one key answers it. */
export class IdFilter extends EqualityFilter {
  constructor(id: unknown) {
    super('_id', id);
  }

  get id(): unknown {
    return this.value;
  }
}

/** True for values that stand for nothing but themselves in a filter, and equal what has the same key in an index. */
export function isPlainValue(value: unknown): boolean {
  return typeof value === 'string' || (!Number.isNaN(value) && PLAIN_RANKS.has(rankOf(value)));
}

/** The filter as one of one path and one plain value; undefined for every other. 22023 for what is no path. */
export function equalityFilterOf(filter: object): EqualityFilter | undefined {
  let path: string | undefined;
  for (const name in filter) {
    if (path !== undefined) return undefined;
    path = name;
  }
  if (path === undefined || path.startsWith('$') || !Object.hasOwn(filter, path)) return undefined;
  const value = (filter as Record<string, unknown>)[path];
  if (!isPlainValue(value)) return undefined;
  return path === '_id' ? new IdFilter(value) : new EqualityFilter(path, value);
}
