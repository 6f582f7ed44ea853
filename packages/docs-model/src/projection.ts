/**
 * Projections: which fields come out. Inclusion names what stays (and `_id` unless it is refused), exclusion what goes; the two do
 * not mix. A field may also be an expression, a slice of an array, or its first element that matches: a condition of its own, or the filter.
 *
 *   { a: 1, 'b.c': 1, _id: 0 }   { secret: 0 }   { n: { $add: ['$a', 1] } }   { tags: { $slice: 3 } }   { items: { $elemMatch: {..} } }   { 'items.$': 1 }
 */
import type { Variables } from './aggregate/evaluate.js';
import { compileExpression } from './aggregate/expression.js';
import { badArgument } from './errors.js';
import { type CompiledFilter, compileFilter } from './filter/filter.js';
import { type PlainObject, isNumber, isObject } from './order.js';
import { ownField, parsePath, setField } from './path.js';
import { isTrue } from './truth.js';
import { matchedIndex } from './update/places.js';

export type Projector = (document: PlainObject) => PlainObject;

export interface Projection {
  readonly apply: Projector;
  /** Top-level fields it reads; undefined: any. */
  readonly fields: ReadonlySet<string> | undefined;
}

/** What is asked of one field. A tree: a path's steps lead down. */
interface Node {
  readonly children: Map<string, Node>;
  compute: ((document: PlainObject, value: unknown) => unknown) | undefined;
  /** The path ends here. */
  leaf: boolean;
}

const newNode = (): Node => ({ children: new Map(), compute: undefined, leaf: false });

/** Compiles a projection; `filter` is what found the documents, for `$`. 22023 for what is none. */
export function compileProjection(projection: unknown, variables?: Variables, filter?: CompiledFilter): Projection {
  if (!isObject(projection)) throw badArgument('a projection must be an object');
  const tree = newNode();
  let mode: 'include' | 'exclude' | undefined;
  let idShown: boolean | undefined;
  let fields: Set<string> | undefined = new Set(['_id']);
  let edits = false;
  const flatten = (prefix: string, object: PlainObject): void => {
    for (const key of Object.keys(object)) {
      const path = prefix === '' ? key : `${prefix}.${key}`;
      const value = object[key];
      const isFlag = value === true || value === false || isNumber(value);
      if (path === '_id' && isFlag) {
        idShown = isTrue(value);
        continue;
      }
      if (isFlag) {
        const wanted = isTrue(value) ? 'include' : 'exclude';
        if (mode !== undefined && mode !== wanted) throw badArgument('a projection includes or excludes, not both');
        mode = wanted;
        if (path.endsWith('.$')) {
          if (filter === undefined || mode === 'exclude') throw badArgument(`"${path}" shows what a filter matched`);
          const array = path.slice(0, -2);
          insert(tree, array, matchedElement(parsePath(array), filter));
        } else {
          insert(tree, path, undefined);
        }
        fields?.add(parsePath(path)[0] as string);
      } else if (isObject(value) && !Object.keys(value).some((name) => name.startsWith('$'))) {
        if (Object.keys(value).length === 0) throw badArgument(`the projection of "${path}" is empty`);
        flatten(path, value);
      } else {
        const operator = isObject(value) ? Object.keys(value)[0] : undefined;
        if (operator === '$slice' && isSlice((value as PlainObject)['$slice'])) {
          edits = true;
          insert(tree, path, sliceOf((value as PlainObject)['$slice']));
          fields?.add(parsePath(path)[0] as string);
        } else if (operator === '$elemMatch') {
          mode ??= 'include';
          insert(tree, path, elementOf((value as PlainObject)['$elemMatch']));
          fields?.add(parsePath(path)[0] as string);
        } else {
          // Of what is found, a score is shown beside what else there is.
          const isScore = operator === '$meta' && filter !== undefined;
          if (!isScore && mode === 'exclude') throw badArgument('a projection that excludes has no expressions');
          if (!isScore) mode = 'include';
          const expression = compileExpression(value, variables);
          insert(tree, path, (document) => expression.evaluate(document));
          if (fields !== undefined && expression.fields !== undefined)
            for (const name of expression.fields) fields.add(name);
          else fields = undefined;
        }
      }
    }
  };
  flatten('', projection);
  if (mode === undefined) mode = idShown === true && !edits ? 'include' : 'exclude';
  const withId = idShown ?? true;
  if (mode === 'include') {
    return { apply: (document) => included(document, document, tree, withId), fields };
  }
  return { apply: (document) => excluded(document, document, tree, withId) as PlainObject, fields: undefined };
}

function insert(tree: Node, path: string, compute: Node['compute']): void {
  let node = tree;
  for (const step of parsePath(path)) {
    if (step.startsWith('$')) throw badArgument(`"${step}" cannot stand in the path "${path}" of a projection`);
    if (node.leaf) throw badArgument(`paths of the projection collide at "${path}"`);
    let child = node.children.get(step);
    if (child === undefined) node.children.set(step, (child = newNode()));
    node = child;
  }
  if (node.children.size > 0 || node.leaf) throw badArgument(`paths of the projection collide at "${path}"`);
  node.leaf = true;
  node.compute = compute;
}

/** Fields that stay, in the document's order, then computed ones in the projection's. */
function included(root: PlainObject, document: PlainObject, tree: Node, withId: boolean): PlainObject {
  const result: PlainObject = {};
  const top = root === document;
  for (const key of Object.keys(document)) {
    const value = document[key];
    if (top && key === '_id' && !tree.children.has('_id')) {
      if (withId) result['_id'] = value;
      continue;
    }
    const node = tree.children.get(key);
    if (node === undefined) continue;
    if (node.compute !== undefined) continue;
    if (node.leaf) setField(result, key, value);
    else {
      const inner = includedInside(root, value, node);
      if (inner !== undefined) setField(result, key, inner);
    }
  }
  for (const [key, node] of tree.children) {
    if (node.compute !== undefined) {
      const value = node.compute(root, ownField(document, key));
      if (value !== undefined) setField(result, key, value);
    } else if (!node.leaf && !Object.hasOwn(result, key) && hasComputed(node)) {
      setField(result, key, included(root, {}, node, true));
    }
  }
  return result;
}

function hasComputed(node: Node): boolean {
  if (node.compute !== undefined) return true;
  for (const child of node.children.values()) if (hasComputed(child)) return true;
  return false;
}

/** Scalars have no fields to stay; of an array its objects stay, reduced. */
function includedInside(root: PlainObject, value: unknown, node: Node): unknown {
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    for (const item of value) {
      const inner = includedInside(root, item, node);
      if (inner !== undefined) items.push(inner);
    }
    return items;
  }
  return isObject(value) ? included(root, value, node, true) : undefined;
}

function excluded(root: PlainObject, value: unknown, tree: Node, withId: boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => excluded(root, item, tree, true));
  if (!isObject(value)) return value;
  const result: PlainObject = {};
  for (const key of Object.keys(value)) {
    if (key === '_id' && value === root && !withId) continue;
    const node = tree.children.get(key);
    if (node === undefined) setField(result, key, value[key]);
    else if (node.compute !== undefined) {
      const computed = node.compute(root, value[key]);
      if (computed !== undefined) setField(result, key, computed);
    } else if (!node.leaf) setField(result, key, excluded(root, value[key], node, true));
  }
  for (const [key, { compute }] of tree.children) {
    if (compute === undefined || Object.hasOwn(value, key)) continue;
    const computed = compute(root, undefined);
    if (computed !== undefined) setField(result, key, computed);
  }
  return result;
}

function isSlice(operand: unknown): boolean {
  return (
    Number.isInteger(operand) ||
    (Array.isArray(operand) && operand.length === 2 && operand.every((one) => Number.isInteger(one)))
  );
}

function sliceOf(operand: unknown): (document: PlainObject, value: unknown) => unknown {
  const [first, count] = (Array.isArray(operand) ? operand : [undefined, operand]) as [number | undefined, number];
  if (first !== undefined && count <= 0) throw badArgument('$slice needs a count above 0');
  return (_document, value) => {
    if (!Array.isArray(value)) return value;
    if (first === undefined) return count >= 0 ? value.slice(0, count) : value.slice(count);
    const from = first >= 0 ? first : Math.max(0, value.length + first);
    return value.slice(from, from + count);
  };
}

function elementOf(operand: unknown): (document: PlainObject, value: unknown) => unknown {
  // Asked of an array with the one element, $elemMatch says whether that element matches.
  const { matches } = compileFilter({ e: { $elemMatch: operand } });
  return (_document, value) => {
    if (!Array.isArray(value)) return undefined;
    const found = value.find((item) => matches({ e: [item] }));
    return found === undefined ? undefined : [found];
  };
}

/** The first element of an array that the filter matched. 22023 where it matched none. */
function matchedElement(
  path: readonly string[],
  filter: CompiledFilter,
): (document: PlainObject, value: unknown) => unknown {
  return (document, value) => {
    if (!Array.isArray(value)) return value;
    const index = matchedIndex(document, path, filter);
    if (index < 0) throw badArgument(`the filter matched no element of "${path.join('.')}" for $`);
    return [value[index] as unknown];
  };
}
