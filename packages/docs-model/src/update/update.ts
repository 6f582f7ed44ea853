/**
 * Updates: compiled once, then applied to each document. An update is operators over paths; a path may stand for several places of
 * a document:
 *
 *   a.$.x       the element of `a` that the filter matched          a.$[].x     every element
 *   a.$[e].x    the elements that the array filter of `e` matches
 *
 * No two operators may change one place, or a place and another inside of it. Operators apply to the document as it was; the order in
 * which they are written does not matter.
 */
import { badArgument, unknownOperator } from '../errors.js';
import { type CompiledFilter, type Matcher, compileFilter } from '../filter/filter.js';
import { type PlainObject, equalValues, isObject } from '../order.js';
import { parsePath } from '../path.js';
import { neverCreates, updateOperators } from './operators.js';
import { type Change, REMOVED, changeAt, matchedIndex, placeValue } from './places.js';

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
}

interface Action {
  readonly operator: string;
  readonly path: readonly string[];
  readonly change: Change;
  readonly create: boolean;
  readonly onInsertOnly: boolean;
}

interface Rename {
  readonly from: readonly string[];
  readonly to: readonly string[];
}

const NO_FILTERS: ReadonlyMap<string, Matcher> = new Map();

/** Compiles an update of operators. 22023 for what is none. */
export function compileUpdate(
  update: unknown,
  arrayFilters: readonly unknown[] | undefined,
  now: Date,
): CompiledUpdate {
  if (!isObject(update)) throw badArgument('an update must be an object of operators');
  const filters = arrayFilters === undefined ? NO_FILTERS : compileArrayFilters(arrayFilters);
  const actions: Action[] = [];
  const renames: Rename[] = [];
  const paths = new PathSet();
  const usedFilters: string[] = [];
  const topFields = new Set<string>();
  const pathOf = (path: string): readonly string[] => {
    const steps = parsePath(path);
    paths.add(path, steps);
    topFields.add(steps[0] as string);
    for (const step of steps) {
      if (!step.startsWith('$')) continue;
      const name = /^\$\[(.+)\]$/.exec(step)?.[1];
      if (name === undefined) {
        if (step !== '$' && step !== '$[]') throw badArgument(`"${step}" cannot stand in a path`);
        continue;
      }
      if (!filters.has(name)) throw badArgument(`there is no array filter for "${name}"`);
      usedFilters.push(name);
    }
    return steps;
  };
  for (const operator of Object.keys(update)) {
    if (!operator.startsWith('$'))
      throw badArgument(
        `an update needs operators, not the field "${operator}"`,
        'Use replaceOne to replace a document.',
      );
    const fields = update[operator];
    const compile = updateOperators.get(operator);
    if (compile === undefined && operator !== '$rename') throw unknownOperator(operator, 'update operator');
    if (!isObject(fields)) throw badArgument(`${operator} needs an object of fields`);
    for (const name of Object.keys(fields)) {
      const operand = fields[name];
      if (operand === undefined) throw badArgument(`the operand of ${operator} for "${name}" is undefined`);
      const path = pathOf(name);
      if (compile === undefined) {
        if (typeof operand !== 'string') throw badArgument('$rename needs the new name as text');
        const to = pathOf(operand);
        if ([...path, ...to].some((step) => step.startsWith('$'))) throw badArgument('$rename takes plain paths');
        renames.push({ from: path, to });
      } else {
        actions.push({
          operator,
          path,
          change: compile(operand, name, now),
          create: !neverCreates.has(operator),
          onInsertOnly: operator === '$setOnInsert',
        });
      }
    }
  }
  for (const name of filters.keys())
    if (!usedFilters.includes(name)) throw badArgument(`the array filter for "${name}" is not used`);
  const apply = (document: PlainObject, context: UpdateContext): PlainObject => {
    let after: unknown = document;
    for (const rename of renames) after = renamed(after, rename);
    for (const action of actions) {
      if (action.onInsertOnly && !context.inserting) continue;
      for (const place of placesOf(after, action, document, context, filters)) {
        after = changeAt(after, place, action.change, action.create);
      }
    }
    checkSameId(document, after as PlainObject, context);
    return after as PlainObject;
  };
  return { apply, fields: topFields };
}

function checkSameId(before: PlainObject, after: PlainObject, context: UpdateContext): void {
  if (before === after || context.inserting) return;
  if (!equalValues(before['_id'], after['_id']) || Object.hasOwn(before, '_id') !== Object.hasOwn(after, '_id')) {
    throw badArgument('the _id of a document cannot be changed');
  }
}

function renamed(document: unknown, { from, to }: Rename): unknown {
  const value = placeValue(document, from);
  if (value === undefined) return document;
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

/** The places that a path with `$`, `$[]` and `$[name]` stands for. */
function placesOf(
  document: unknown,
  action: Action,
  original: PlainObject,
  context: UpdateContext,
  filters: ReadonlyMap<string, Matcher>,
): readonly (readonly string[])[] {
  const { path } = action;
  if (!path.some((step) => step.startsWith('$'))) return [path];
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
        const index = matchedIndex(original, place, context.filter);
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

/** Paths of one update: two that meet are a mistake. */
class PathSet {
  private readonly paths: string[] = [];

  add(path: string, steps: readonly string[]): void {
    if (steps[0]?.startsWith('$') === true) throw badArgument(`the path "${path}" begins with a dollar`);
    for (const other of this.paths) {
      if (other === path || other.startsWith(`${path}.`) || path.startsWith(`${other}.`)) {
        throw badArgument(`updating "${path}" and "${other}" would conflict`);
      }
    }
    this.paths.push(path);
  }
}
