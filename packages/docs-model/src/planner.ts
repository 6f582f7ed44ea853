/**
 * How a filter's documents are found: by `_id`, through an index, through several (one for each part of a $or), or by walking
 * the collection. Whatever is chosen, the whole filter is asked of each document found, so a plan can cost time but never an answer.
 *
 * A candidate is each index whose first part has a condition, or that gives the asked order. Points ($eq, $in) on leading parts
 * lead to ranges one by one; a range condition ends it. The cheapest by the engine's own estimate of keys in the ranges wins:
 *
 *   cost = entries x 3 (entry and document) [+ entries, to sort]       against        documents [+ documents, to sort]
 *
 * Where only so many documents are wanted, and they come in order, no more is read than it takes to find them. How many of a plan's keys that is
 * depends on how many documents satisfy the filter, which the most selective of all the indexes tells best:
 *
 *   {a: 1} sort b limit 10     index a, b: 100 keys, 100 match, 10 are read       index b: 100,000 keys, 100 match, 10,000 are read
 *
 * Two range conditions on one path may hold through two elements of an array, so on a multikey index only one of them bounds.
 */
import { ByteWriter } from '@phantom/base';
import { ByteSlot, type KeyRange, SPACE_BYTES, prefixEnd, prefixRange } from '@phantom/kv';
import { badArgument } from './errors.js';
import type { CollectionView } from './collection-view.js';
import { possibleKey } from './row-key.js';
import type { CompiledFilter, Condition } from './filter/filter.js';
import { IdFilter } from './filter/equality-filter.js';
import { boundsOf, isPoint } from './bounds.js';
import type { IndexLayout } from './index-layout.js';
import { boundIndex, crossed, rangeOf } from './index-ranges.js';
import { impliesFilter } from './implication.js';
import { PlanChoice, shapeOf } from './plan-choices.js';
import { Rank, rankOf } from './order.js';
import type { SortPart } from './sort.js';
import type { MvccTransaction } from '@phantom/mvcc';
import { appendKeyText } from '@phantom/codec';
import { parseSearch, wordsOf } from './words.js';

export type Access =
  | { readonly kind: 'keys'; readonly keys: readonly Uint8Array[] }
  | { readonly kind: 'space'; readonly ranges: readonly KeyRange[] }
  | {
      readonly kind: 'index';
      readonly index: IndexLayout;
      readonly ranges: readonly KeyRange[];
      readonly repeats: boolean;
    }
  | { readonly kind: 'either'; readonly parts: readonly Plan[] };

export interface Plan {
  readonly access: Access;
  readonly backwards: boolean;
  /** The documents come in the asked order. */
  readonly sorted: boolean;
  /** Estimated keys to be looked at. */
  readonly keys: number;
  readonly cost: number;
  /** What it finds satisfies the filter: that need not be asked again. */
  readonly answersFilter?: boolean;
  /** What it finds is everything that an index has under one value for each of its paths, in the index's order. */
  readonly isLookup?: boolean;
  /** The conditions that bound the scan, for explain. */
  readonly bounds: readonly Condition[];
  /** It is told what the plan has cost. */
  readonly choice?: PlanChoice;
}

export interface PlanRequest {
  readonly view: CollectionView;
  readonly transaction: MvccTransaction;
  readonly filter: CompiledFilter;
  readonly sort: readonly SortPart[];
  /** Documents wanted at most, those skipped included; undefined: all. */
  readonly wanted: number | undefined;
  /** Name of the index to use, or `$natural`. */
  readonly hint: string | undefined;
  readonly estimate: (range: KeyRange) => { readonly keys: number };
}

const RANGES_ESTIMATED = 8;
/** Values of one $all that are tried. */
const VALUES_TRIED = 8;
const LOOKUP_COST = 3;
/** Of documents that satisfy what is known, one in so many is taken to satisfy the rest of a filter. */
const UNKNOWN_SHARE = 10;
/** A plan over an index that costs no more is taken without a look at what walking the collection would cost. */
const CHEAP_COST = 100;

export function planScan(request: PlanRequest): Plan {
  const { filter, hint, view, sort } = request;
  if (filter.text !== undefined) return textPlan(request, filter.text.search);
  if (hint !== undefined) return hintedPlan(request, hint);
  const byId = idPlan(request);
  if (byId?.access.kind === 'keys') return byId;
  const shape = sort.length > 0 ? undefined : shapeOf(filter);
  const choice = shape === undefined ? undefined : view.choices.of(shape);
  if (choice !== undefined) {
    const plan = lookupPlan(request, choice) ?? indexPlan(request, choice.index, false, choice);
    if (plan !== undefined) return plan;
  }
  const plan = cheapestPlan(request, byId);
  if (shape !== undefined && plan.access.kind === 'index') {
    const { index } = plan.access;
    view.choices.keep(shape, new PlanChoice(index, plan.keys, placesOf(index, filter.conditions)));
  }
  return plan;
}

/** Compares what every index would cost with walking the collection, or `byId`, a range of ids. */
function cheapestPlan(request: PlanRequest, byId: Plan | undefined): Plan {
  const { filter, view } = request;
  const plans: Plan[] = [];
  for (const index of view.indexes) {
    const plan = bestIndexPlan(request, index);
    if (plan !== undefined) plans.push(plan);
  }
  const matching = matchingOf(request, byId === undefined ? plans : [byId, ...plans]);
  let byIndex: Plan | undefined;
  for (const plan of plans) {
    const costed = untilWanted(request, plan, matching);
    if (byIndex === undefined || costed.cost <= byIndex.cost) byIndex = costed;
  }
  if (byIndex !== undefined && byIndex.cost <= CHEAP_COST && byIndex.bounds.length > 0) return byIndex;
  let best = untilWanted(request, byId ?? walkPlan(request), matching);
  if (byIndex === undefined && view.indexes.length === 0) return best;
  if (byIndex !== undefined && byIndex.cost <= best.cost) best = byIndex;
  const either = filter.alternatives === undefined ? undefined : eitherPlan(request, filter.alternatives);
  return either !== undefined && either.cost < best.cost ? either : best;
}

/** About how many documents satisfy the filter, by the plan that is bounded best; undefined: no plan is. */
function matchingOf({ filter }: PlanRequest, plans: readonly Plan[]): number | undefined {
  let best: Plan | undefined;
  for (const plan of plans) {
    if (plan.bounds.length > 0 && (best === undefined || plan.keys < best.keys)) best = plan;
  }
  if (best === undefined) return undefined;
  const isAll = filter.onlyConditions && best.bounds.length === filter.conditions.length;
  return isAll ? best.keys : best.keys / UNKNOWN_SHARE;
}

/** The plan with what it costs to find as many documents as are wanted. */
function untilWanted({ wanted, filter }: PlanRequest, plan: Plan, matching: number | undefined): Plan {
  if (wanted === undefined || !plan.sorted || plan.keys === 0) return plan;
  const asksNothing = filter.onlyConditions && filter.conditions.length === 0;
  const found = matching ?? (asksNothing ? plan.keys : plan.keys / UNKNOWN_SHARE);
  const share = Math.min(1, wanted / Math.max(found, 1));
  return { ...plan, cost: plan.cost * share };
}

/** Of several values that a path must have ($all), the rarest leads the scan. */
function bestIndexPlan(request: PlanRequest, index: IndexLayout): Plan | undefined {
  const { conditions } = request.filter;
  const path = index.definition.parts[0]?.path;
  const values = conditions.filter((condition) => condition.path === path && condition.operator === '$eq');
  let best = indexPlan(request, index);
  for (const value of values.slice(1, VALUES_TRIED)) {
    const led = [value, ...conditions.filter((condition) => condition !== value)];
    const plan = indexPlan({ ...request, filter: { ...request.filter, conditions: led } }, index);
    if (plan !== undefined && (best === undefined || plan.cost < best.cost)) best = plan;
  }
  return best;
}

function hintedPlan(request: PlanRequest, hint: string): Plan {
  if (hint === '$natural') return walkPlan(request);
  if (hint === '_id_' || hint === `${request.view.table.name}_pkey`) return idPlan(request) ?? walkPlan(request);
  const index = request.view.indexes.find(({ index: { name } }) => name === hint);
  const plan = index === undefined ? undefined : indexPlan(request, index, true);
  if (plan === undefined) throw badArgument(`the hint "${hint}" is no index that can answer this`);
  return plan;
}

function walkPlan(request: PlanRequest): Plan {
  const range = prefixRange(request.view.layout.prefix);
  const order = idOrder(request);
  const keys = request.estimate(range).keys + 1;
  const sorted = request.sort.length === 0 || order !== undefined;
  return {
    access: { kind: 'space', ranges: [range] },
    backwards: order === 'backwards',
    sorted,
    keys,
    cost: sorted ? keys : 2 * keys,
    bounds: [],
  };
}

/** When the order asked for begins with `_id` and all ids are of one type, the space is in that order. */
function idOrder({ sort, view, transaction }: PlanRequest): 'forwards' | 'backwards' | undefined {
  const first = sort[0];
  if (first === undefined || first.path !== '_id') return undefined;
  const cursor = transaction.cursor(prefixRange(view.layout.prefix));
  try {
    if (!cursor.next()) return 'forwards';
    const lowest = cursor.key.buffer[cursor.key.start + SPACE_BYTES] as number;
    const end = prefixEnd(view.layout.prefix) as Uint8Array;
    cursor.seekBefore(end, 0, end.length);
    const highest = cursor.key.buffer[cursor.key.start + SPACE_BYTES] as number;
    // Objects and arrays sort otherwise in keys of jsonb.
    const alike = (lowest === highest && lowest < 0x40) || (lowest >= 0x40 && highest <= 0x41);
    return alike ? (first.descending ? 'backwards' : 'forwards') : undefined;
  } finally {
    cursor.close();
  }
}

function idKey(view: CollectionView, value: unknown): Uint8Array | undefined {
  return Array.isArray(value) || value === undefined ? undefined : possibleKey(view, value);
}

const ID_RANKS: ReadonlySet<Rank> = new Set<Rank>([Rank.Number, Rank.Text, Rank.ObjectId, Rank.Date, Rank.Uuid]);

/** The documents with these ids, each once. */
function keysPlan({ view, sort }: PlanRequest, bound: Condition, ids: readonly unknown[]): Plan {
  const keys = new Map<string, Uint8Array>();
  for (const id of ids) {
    const key = idKey(view, id);
    if (key !== undefined) keys.set(ids.length === 1 ? '' : Buffer.from(key).toString('latin1'), key);
  }
  const list = [...keys.values()];
  const sorted = list.length <= 1 || sort.length === 0;
  return {
    access: { kind: 'keys', keys: list },
    backwards: false,
    sorted,
    keys: list.length,
    cost: 0,
    bounds: [bound],
  };
}

function idPlan(request: PlanRequest): Plan | undefined {
  const { filter, view } = request;
  if (filter instanceof IdFilter) {
    return { ...keysPlan(request, filter.conditions[0], [filter.id]), answersFilter: true };
  }
  const conditions = filter.conditions.filter(({ path }) => path === '_id');
  const points = conditions.find(({ operator }) => operator === '$eq' || operator === '$in');
  if (points !== undefined) {
    return keysPlan(request, points, points.operator === '$eq' ? [points.value] : (points.value as readonly unknown[]));
  }
  const range = conditions.find(
    ({ operator, value }) => /^\$[gl]te?$/.test(operator) && ID_RANKS.has(rankOf(value)) && !Number.isNaN(value),
  );
  const key = range === undefined ? undefined : idKey(view, range.value);
  if (range === undefined || key === undefined) return undefined;
  const rank = view.layout.prefix.length;
  const whole = prefixRange(key.slice(0, rank + 1));
  const above = range.operator === '$gt' || range.operator === '$gte';
  const one: KeyRange = above ? { lower: key, upper: whole.upper } : { lower: whole.lower, upper: prefixEnd(key) };
  const other = conditions.find(
    ({ operator, value }) => operator.startsWith(above ? '$l' : '$g') && rankOf(value) === rankOf(range.value),
  );
  const otherKey = other === undefined ? undefined : idKey(view, other.value);
  const both: KeyRange =
    otherKey === undefined
      ? one
      : above
        ? { lower: one.lower, upper: prefixEnd(otherKey) }
        : { lower: otherKey, upper: one.upper };
  const keys = request.estimate(both).keys;
  const order = request.sort.length === 0 ? 'forwards' : request.sort[0]?.path === '_id' ? 'yes' : undefined;
  return {
    access: { kind: 'space', ranges: [both] },
    backwards: order === 'yes' && request.sort[0]?.descending === true,
    sorted: order !== undefined,
    keys,
    cost: order === undefined ? 2 * keys : keys,
    bounds: other === undefined ? [range] : [range, other],
  };
}

function eitherPlan(request: PlanRequest, alternatives: readonly CompiledFilter[]): Plan | undefined {
  const parts: Plan[] = [];
  for (const filter of alternatives) {
    const plan = planScan({ ...request, filter, sort: [], wanted: undefined });
    if (plan.access.kind === 'space' && plan.bounds.length === 0) return undefined;
    parts.push(plan);
  }
  const keys = parts.reduce((sum, part) => sum + part.keys, 0);
  const cost = parts.reduce((sum, part) => sum + part.cost, 0) + (request.sort.length > 0 ? keys : 0);
  return {
    access: { kind: 'either', parts },
    backwards: false,
    sorted: request.sort.length === 0,
    keys,
    cost,
    bounds: parts.flatMap((part) => part.bounds),
  };
}

const slot = new ByteSlot();
const writer = new ByteWriter();

/** True when some document has several entries; exact for the transaction's snapshot and its own writes. */
function isMultikey(transaction: MvccTransaction, index: IndexLayout): boolean {
  return transaction.get(index.markKey, 0, index.markKey.length, slot);
}

/** A plan over one index; undefined when it cannot answer, or (unless asked for by name) does not help. */
function indexPlan(request: PlanRequest, index: IndexLayout, hinted = false, choice?: PlanChoice): Plan | undefined {
  const { filter, transaction } = request;
  const { definition } = index;
  if (definition.kind === 'text' || index.index.state !== 'valid') return undefined;
  if (index.partial !== undefined && !impliesFilter(filter.conditions, index.partial.conditions)) return undefined;
  const multikey = isMultikey(transaction, index);
  if (index.isWildcard) return wildcardPlan(request, index, multikey);
  const { ranges, used, bound, fixed, prefixes, existing } = boundIndex(index, filter.conditions, multikey);
  if (definition.sparse && !existing) return undefined;
  const order = multikey ? undefined : orderOf(index, request.sort, fixed, prefixes);
  if (bound === 0 && !hinted && (order === undefined || request.sort.length === 0)) return undefined;
  const keys = choice?.keys ?? estimated(request, index, ranges, bound);
  const sorted = request.sort.length === 0 || order !== undefined;
  return {
    access: { kind: 'index', index, ranges, repeats: multikey },
    backwards: order === 'backwards',
    sorted,
    keys,
    answersFilter: !multikey && filter.onlyConditions && used.length === filter.conditions.length,
    isLookup: !multikey && fixed === definition.parts.length && order !== 'backwards',
    cost: keys * (sorted ? LOOKUP_COST : LOOKUP_COST + 1),
    bounds: used,
    ...(choice === undefined ? {} : { choice }),
  };
}

/** What indexPlan makes of a choice when there are plain values for leading paths of its index. */
function lookupPlan({ filter, transaction }: PlanRequest, choice: PlanChoice): Plan | undefined {
  const { conditions } = filter;
  const { index, places } = choice;
  if (places.length === 0) return undefined;
  const used: Condition[] = [];
  writer.reset();
  writer.bytes(index.prefix);
  for (let part = 0; part < places.length; part++) {
    const condition = conditions[places[part] as number] as Condition;
    index.appendPart(writer, part, condition.value);
    used.push(condition);
  }
  const multikey = isMultikey(transaction, index);
  return {
    access: { kind: 'index', index, ranges: [prefixRange(writer.take())], repeats: multikey },
    backwards: false,
    sorted: true,
    keys: choice.keys,
    answersFilter: !multikey && used.length === conditions.length,
    isLookup: !multikey && choice.isWhole,
    cost: choice.keys * LOOKUP_COST,
    bounds: used,
    choice,
  };
}

/** Which of the equalities among the conditions the leading parts of an index are for; none where more is to be asked. */
function placesOf({ definition, partial, isWildcard, index }: IndexLayout, conditions: readonly Condition[]): number[] {
  if (definition.kind === 'text' || isWildcard || partial !== undefined || index.state !== 'valid') return [];
  const places = definition.parts.map((part) =>
    conditions.findIndex(({ path, operator }) => path === part.path && operator === '$eq'),
  );
  const end = places.indexOf(-1);
  return end < 0 ? places : places.slice(0, end);
}

function estimated(request: PlanRequest, index: IndexLayout, ranges: readonly KeyRange[], bound: number): number {
  if (index.index.unique && bound === index.definition.parts.length && isPoint(ranges)) return ranges.length;
  let keys = 0;
  const asked = Math.min(ranges.length, RANGES_ESTIMATED);
  for (let i = 0; i < asked; i++) keys += request.estimate(ranges[i] as KeyRange).keys;
  return Math.max(1, asked === 0 ? 0 : (keys * ranges.length) / asked);
}

/** Whether the index, behind its fixed parts, is in the order asked for, and which way. */
function orderOf(
  index: IndexLayout,
  sort: readonly SortPart[],
  fixed: number,
  prefixes: number,
): 'forwards' | 'backwards' | undefined {
  if (sort.length === 0) return 'forwards';
  if (index.definition.sparse || prefixes > 1) return undefined;
  const parts = index.definition.parts;
  const isFixed = (path: string): boolean => parts.slice(0, fixed).some((part) => part.path === path);
  const asked = sort.filter(({ path }) => !isFixed(path));
  let direction: 'forwards' | 'backwards' | undefined;
  for (const [i, { path, descending }] of asked.entries()) {
    const part = parts[fixed + i];
    if (part === undefined || part.path !== path) return undefined;
    const way = part.descending === descending ? 'forwards' : 'backwards';
    if (direction !== undefined && direction !== way) return undefined;
    direction = way;
  }
  return direction ?? 'forwards';
}

/** One condition on one path that the wildcard covers. */
function wildcardPlan(request: PlanRequest, index: IndexLayout, multikey: boolean): Plan | undefined {
  const top = index.definition.parts[0]?.path ?? '';
  let best: Plan | undefined;
  for (const path of new Set(request.filter.conditions.map((condition) => condition.path))) {
    if (top !== '' && path !== top && !path.startsWith(`${top}.`)) continue;
    // Numbers in a path may be indexes of arrays, which the entries leave out.
    if (path.split('.').some((step) => /^\d+$/.test(step))) continue;
    const bounds = boundsOf(request.filter.conditions, path, multikey);
    if (bounds === undefined || bounds.includesNull || bounds.holdsObjects) continue;
    // Entries are for leaves: an object exists without one of its own path.
    if (bounds.conditions.some(({ operator }) => operator === '$exists')) continue;
    writer.reset();
    writer.bytes(index.prefix);
    appendKeyText(writer, path);
    const prefix = writer.take();
    const ranges =
      bounds.points === undefined
        ? [rangeOf(index, 0, prefix, bounds)]
        : crossed(index, 0, [prefix], bounds.points).map((key) => prefixRange(key));
    const keys = estimated(request, index, ranges, 1);
    const sorted = request.sort.length === 0;
    const cost = keys * (sorted ? LOOKUP_COST : LOOKUP_COST + 1);
    if (best === undefined || cost < best.cost) {
      best = {
        access: { kind: 'index', index, ranges, repeats: multikey },
        backwards: false,
        sorted,
        keys,
        cost,
        bounds: bounds.conditions,
      };
    }
  }
  return best;
}

function textPlan(request: PlanRequest, search: string): Plan {
  const index = request.view.indexes.find(({ definition }) => definition.kind === 'text');
  if (index === undefined) throw badArgument('$text needs a text index on the collection');
  const { words, phrases } = parseSearch(search);
  const wanted = new Set([...words, ...phrases.flatMap(wordsOf)]);
  const ranges = [...wanted].map((word) => prefixRange(index.wordKey(word)));
  ranges.sort((a, b) => Buffer.compare(a.lower, b.lower));
  const keys = estimated(request, index, ranges, 0);
  return {
    access: { kind: 'index', index, ranges, repeats: true },
    backwards: false,
    sorted: request.sort.length === 0,
    keys,
    cost: keys * LOOKUP_COST,
    bounds: [],
  };
}
