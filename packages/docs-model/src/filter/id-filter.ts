/**
 * The filter `{ _id: value }`, the most frequent one by far: nothing has to be taken apart, and one key answers it. What it says of
 * itself is what compiling it as any other filter would say.
 */
import { Rank, equalValues, isObject, rankOf } from '../order.js';

const ID_FIELD: ReadonlySet<string> = new Set(['_id']);
const PLAIN_RANKS: ReadonlySet<Rank> = new Set<Rank>([Rank.Number, Rank.Text, Rank.ObjectId, Rank.Date, Rank.Uuid]);

export class IdFilter {
  readonly id: unknown;

  constructor(id: unknown) {
    this.id = id;
  }

  get alternatives(): undefined {
    return undefined;
  }

  get text(): undefined {
    return undefined;
  }

  get onlyEqualities(): true {
    return true;
  }

  get onlyConditions(): true {
    return true;
  }

  get fields(): ReadonlySet<string> {
    return ID_FIELD;
  }

  get conditions(): readonly [{ readonly path: string; readonly operator: '$eq'; readonly value: unknown }] {
    return [{ path: '_id', operator: '$eq', value: this.id }];
  }

  get parts(): readonly [{ readonly path: string; readonly matches: (document: unknown) => boolean }] {
    return [{ path: '_id', matches: this.matches }];
  }

  get matches(): (document: unknown) => boolean {
    const { id } = this;
    return (document) => isObject(document) && equalValues(document['_id'], id);
  }
}

/** True for values that stand for nothing but themselves in a filter, and equal what has the same key in an index. */
export function isPlainValue(value: unknown): boolean {
  return typeof value === 'string' || (!Number.isNaN(value) && PLAIN_RANKS.has(rankOf(value)));
}

/** The filter as one of `_id` alone; undefined for every other. */
export function idFilterOf(filter: object): IdFilter | undefined {
  for (const name in filter) if (name !== '_id') return undefined;
  const id: unknown = Object.hasOwn(filter, '_id') ? (filter as { _id?: unknown })._id : undefined;
  return isPlainValue(id) ? new IdFilter(id) : undefined;
}
