/**
 * Updates: compiled once, then applied to each document. An update is operators over paths; a path may stand for several places of
 * a document:
 *
 *   a.$.x       the element of `a` that the filter matched          a.$[].x     every element
 *   a.$[e].x    the elements that the array filter of `e` matches
 *
 * No two operators may change one place, or a place and another inside of it. Operators apply to the document as it was, and so do array
 * filters; the order in which they are written does not matter.
 */
import type { FieldPlaces } from '@phantom/codec';
import { badArgument } from '../errors.js';
import { type CompiledFilter, type Matcher, compileFilter } from '../filter/filter.js';
import { type PlainObject, equalValues, isObject } from '../order.js';
import type { UpdateClock } from './operators.js';
import { type Change, REMOVED, changeAt, matchedIndex, placeValue } from './places.js';
import { type PlannedAction, type Rename, updateShape } from './update-shape.js';

export interface UpdateContext {
  /** The filter that found the document, for `$`. */
  readonly filter: CompiledFilter;
  /** The document is new: $setOnInsert applies. */
  readonly inserting: boolean;
}

export interface CompiledUpdate {
  /** The changed document; the given one when nothing changes. The given one is never written to. */
  readonly apply: (document: PlainObject, context: UpdateContext) => PlainObject;
  /** Top-level fields that are read or changed; no other is needed of a document. */
  readonly fields: ReadonlySet<string>;
  /** The same as single fields, each with its own change; undefined where it is more than that. */
  readonly patch: FieldPatch | undefined;
}

/** Changes of single fields at the top of documents that have them. */
export interface FieldPatch {
  readonly places: FieldPlaces;
  /** By the names of `places`. */
  readonly changes: readonly Change[];
}

type Places = readonly (readonly string[])[];

/** Where every path leads to one place. */
const NO_PLACES: readonly Places[] = [];
const NO_FILTERS: ReadonlyMap<string, Matcher> = new Map();

/** Compiles an update of operators. 22023 for what is none. */
export function compileUpdate(
  update: unknown,
  arrayFilters: readonly unknown[] | undefined,
  clock: UpdateClock,
): CompiledUpdate {
  const { actions, renames, fields, elementNames, mayMeet, places } = updateShape(update);
  const isPlain = actions.every((action) => action.isPlain);
  const filters = arrayFilters === undefined ? NO_FILTERS : compileArrayFilters(arrayFilters);
  if (elementNames.size > 0 || filters.size > 0) checkArrayFilters(elementNames, filters);
  const changes = actions.map(({ operator, name, compile }) => {
    const operand = (update as Record<string, PlainObject>)[operator]?.[name];
    if (operand === undefined) throw badArgument(`the operand of ${operator} for "${name}" is undefined`);
    return compile(operand, name, clock);
  });
  const apply = (document: PlainObject, context: UpdateContext): PlainObject => {
    const placed = isPlain ? NO_PLACES : actions.map((action) => placesOf(document, action, context, filters));
    if (mayMeet) checkApart(placed);
    let after: unknown = document;
    for (let i = 0; i < renames.length; i++) after = renamed(after, renames[i] as Rename);
    for (let i = 0; i < actions.length; i++) {
      const action = actions[i] as PlannedAction;
      const change = changes[i] as Change;
      if (action.onInsertOnly && !context.inserting) continue;
      if (action.isPlain) {
        after = changeAt(after, action.path, change, action.create);
        continue;
      }
      for (const place of placed[i] as Places) after = changeAt(after, place, change, action.create);
    }
    checkSameId(document, after as PlainObject, context);
    return after as PlainObject;
  };
  return { apply, fields, patch: places === undefined ? undefined : { places, changes } };
}

/** Each name in a path has a filter, and each filter is for one. */
function checkArrayFilters(names: ReadonlySet<string>, filters: ReadonlyMap<string, Matcher>): void {
  for (const name of names) if (!filters.has(name)) throw badArgument(`there is no array filter for "${name}"`);
  for (const name of filters.keys())
    if (!names.has(name)) throw badArgument(`the array filter for "${name}" is not used`);
}

/** What an upsert begins with has an `_id` where its filter says which. */
function checkSameId(before: PlainObject, after: PlainObject, context: UpdateContext): void {
  if (before === after || (context.inserting && !Object.hasOwn(before, '_id'))) return;
  if (!equalValues(before['_id'], after['_id']) || Object.hasOwn(before, '_id') !== Object.hasOwn(after, '_id')) {
    throw badArgument('the _id of a document cannot be changed');
  }
}

function renamed(document: unknown, { from, to }: Rename): unknown {
  const value = placeValue(document, from);
  if (value === undefined) return document;
  for (const path of [from, to]) {
    for (let steps = 1; steps < path.length; steps++) {
      if (!Array.isArray(placeValue(document, path.slice(0, steps)))) continue;
      throw badArgument(`$rename does not reach into arrays: "${path.join('.')}"`);
    }
  }
  const without = changeAt(document, from, () => REMOVED, false);
  return changeAt(without, to, () => value, true);
}

/** Array filters by the name they are for. */
function compileArrayFilters(filters: readonly unknown[]): ReadonlyMap<string, Matcher> {
  const compiled = new Map<string, Matcher>();
  for (const filter of filters) {
    if (!isObject(filter)) throw badArgument('an array filter must be an object');
    const names = new Set(pathsIn(filter).map((path) => path.split('.', 1)[0] as string));
    const [name] = names;
    if (name === undefined || names.size > 1) throw badArgument('an array filter is for one name');
    if (compiled.has(name)) throw badArgument(`there are two array filters for "${name}"`);
    const { matches } = compileFilter(filter);
    compiled.set(name, (element) => matches({ [name]: element }));
  }
  return compiled;
}

function pathsIn(filter: PlainObject): string[] {
  return Object.keys(filter).flatMap((key) =>
    key.startsWith('$') && Array.isArray(filter[key])
      ? (filter[key] as unknown[]).flatMap((one) => (isObject(one) ? pathsIn(one) : []))
      : [key],
  );
}

/** Two actions on one place, or on a place and one inside of it, are a mistake: which should come first? */
function checkApart(placed: readonly Places[]): void {
  const taken = new Set<string>();
  for (const place of placed.flat()) {
    const name = place.join('.');
    if (taken.has(name)) throw badArgument(`updating "${name}" twice would conflict`);
    taken.add(name);
  }
  for (const name of taken) {
    for (let end = name.lastIndexOf('.'); end > 0; end = name.lastIndexOf('.', end - 1)) {
      const outer = name.slice(0, end);
      if (taken.has(outer)) throw badArgument(`updating "${name}" and "${outer}" would conflict`);
    }
  }
}

/** The places that an action's path with `$`, `$[]` and `$[name]` stands for in the document; none where the action does not apply. */
function placesOf(
  document: PlainObject,
  action: PlannedAction,
  context: UpdateContext,
  filters: ReadonlyMap<string, Matcher>,
): Places {
  const { path } = action;
  if (action.onInsertOnly && !context.inserting) return [];
  if (action.isPlain) return [path];
  let places: string[][] = [[]];
  for (const step of path) {
    if (!step.startsWith('$')) {
      for (const place of places) place.push(step);
      continue;
    }
    const next: string[][] = [];
    for (const place of places) {
      const array = placeValue(document, place);
      if (step === '$') {
        const index = matchedIndex(document, place, context.filter);
        if (index < 0) throw badArgument(`the filter matched no element of "${place.join('.')}" for $`);
        next.push([...place, String(index)]);
        continue;
      }
      if (array === undefined && !action.create) continue;
      if (!Array.isArray(array)) throw badArgument(`"${place.join('.')}" is no array, so ${step} leads nowhere`);
      const matches = step === '$[]' ? undefined : filters.get(step.slice(2, -1));
      for (let i = 0; i < array.length; i++) {
        if (matches === undefined || matches(array[i])) next.push([...place, String(i)]);
      }
    }
    places = next;
  }
  return places;
}
