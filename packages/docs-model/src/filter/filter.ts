/**
 * Filters: MongoDB's query language compiled to closures once, then asked of each document.
 *
 *   { path: value }              equality           { path: { $gt: 1, $lt: 5 } }     each operator, on any places
 *   { $and | $or | $nor: [..] }  of filters         { $expr: expression }
 *
 * A path may lead to many places (path.ts). A comparison holds when one of them satisfies it, or one element of an array
 * that stands at one; so `{a: {$gt: 1, $lt: 5}}` may hold through two different elements, and `$elemMatch` is for one. $ne, $nin
 * and $not are the negations of the whole.
 *
 * Besides the test a compiled filter tells what the planner can use: the conditions that must all hold, and the fields that it
 * reads, so that documents need not be decoded whole.
 */
import { unsupportedError } from '@phantom/base';
import type { Variables } from '../aggregate/evaluate.js';
import { compileExpression } from '../aggregate/expression.js';
import { badArgument, unknownOperator } from '../errors.js';
import { type PlainObject, isObject } from '../order.js';
import { type Path, parsePath, walkPath } from '../path.js';
import { schemaValidator } from '../schema.js';
import { isTrue } from '../truth.js';
import { bitTest, isBitOperator } from './bit-tests.js';
import { equalityFilterOf, isPlainValue } from './equality-filter.js';
import { anyPlace, place } from './places.js';
import { comparison, equalTo, modTest, oneOf, regexOf, regexTest, typeTest } from './tests.js';

export type Matcher = (document: unknown) => boolean;

/** Something that must hold of a path, in a form that indexes understand. */
export interface Condition {
  readonly path: string;
  readonly operator: '$eq' | '$in' | '$gt' | '$gte' | '$lt' | '$lte' | '$exists' | '$prefix' | '$elemMatch';
  readonly value: unknown;
}

/** A search for words; it is answered by a text index and nothing else. */
export interface TextSearch {
  readonly search: string;
}

export interface CompiledFilter {
  readonly matches: Matcher;
  /** Each must hold; more may be asked. */
  readonly conditions: readonly Condition[];
  /** For each path at the top, the whole of what is asked of it. */
  readonly parts: readonly { readonly path: string; readonly matches: Matcher }[];
  /** Filters of a $or at the top of which one must hold; undefined when there is none. */
  readonly alternatives: readonly CompiledFilter[] | undefined;
  /** Nothing is asked but what the conditions say, all of plain values: a range of an index may decide the whole filter. */
  readonly onlyConditions: boolean;
  /** Top-level fields that `matches` reads; undefined: any. */
  readonly fields: ReadonlySet<string> | undefined;
  readonly text: TextSearch | undefined;
}

const DEPTH_MAX = 100;
/** What `matches` is of a filter that asks nothing. */
export const matchesAll: Matcher = () => true;

class FilterCompiler {
  readonly conditions: Condition[] = [];
  readonly parts: { path: string; matches: Matcher }[] = [];
  alternatives: CompiledFilter[] | undefined;
  onlyConditions = true;
  readonly fields = new Set<string>();
  allFields = false;
  text: TextSearch | undefined;
  private readonly variables: Variables | undefined;

  private readonly planned: boolean;

  constructor(variables: Variables | undefined, planned: boolean) {
    this.variables = variables;
    this.planned = planned;
  }

  /** `top`: what is asked here must hold of every document that matches. */
  compile(filter: unknown, top: boolean, depth: number): Matcher {
    if (!isObject(filter)) throw badArgument('a filter must be an object');
    if (depth > DEPTH_MAX) throw badArgument(`a filter is nested at most ${DEPTH_MAX} levels deep`);
    const matchers: Matcher[] = [];
    for (const key of Object.keys(filter)) {
      const operand = filter[key];
      if (operand === undefined) {
        throw badArgument(`the filter's field "${key}" is undefined`, 'Use null, or leave the field out.');
      }
      if (key.startsWith('$')) {
        const matcher = this.logical(key, operand, top, depth);
        if (matcher !== matchesAll) matchers.push(matcher);
      } else {
        matchers.push(this.field(key, operand, top, depth));
      }
    }
    return conjunction(matchers);
  }

  private logical(key: string, operand: unknown, top: boolean, depth: number): Matcher {
    this.onlyConditions = false;
    switch (key) {
      case '$and':
        return conjunction(filterList(key, operand).map((one) => this.compile(one, top, depth + 1)));
      case '$or': {
        const matchers = this.alternation(filterList(key, operand), top, depth);
        return (document) => matchers.some((matcher) => matcher(document));
      }
      case '$nor': {
        const matchers = filterList(key, operand).map((one) => this.compile(one, false, depth + 1));
        return (document) => !matchers.some((matcher) => matcher(document));
      }
      case '$expr': {
        this.allFields = true;
        const expression = compileExpression(operand, this.variables);
        return (document) => isTrue(expression.evaluate(document));
      }
      case '$jsonSchema': {
        this.allFields = true;
        const faultsOf = schemaValidator(operand);
        return (document) => isObject(document) && faultsOf(document).length === 0;
      }
      case '$comment':
        return matchesAll;
      case '$text': {
        if (!top) throw unsupportedError('$text inside of $or, $nor or $not');
        const search = isObject(operand) ? operand['$search'] : undefined;
        if (typeof search !== 'string') throw badArgument('$text needs { $search: text }');
        for (const name of Object.keys(operand as PlainObject)) {
          if (name !== '$search') throw unsupportedError(`${name} of $text`);
        }
        this.text = { search };
        return matchesAll;
      }
      default:
        throw unknownOperator(key, 'operator at the top of a filter');
    }
  }

  private alternation(list: readonly unknown[], top: boolean, depth: number): readonly Matcher[] {
    // The planner looks one $or deep, at the first.
    if (!top || !this.planned || this.alternatives !== undefined) {
      return list.map((one) => this.compile(one, false, depth + 1));
    }
    this.alternatives = list.map((one) => {
      const inner = new FilterCompiler(this.variables, false);
      const matches = inner.compile(one, true, depth + 1);
      for (const field of inner.fields) this.fields.add(field);
      this.allFields ||= inner.allFields;
      if (inner.text !== undefined) throw unsupportedError('$text inside of $or, $nor or $not');
      return compiled(inner, matches);
    });
    return this.alternatives.map(({ matches }) => matches);
  }

  private field(name: string, operand: unknown, top: boolean, depth: number): Matcher {
    const path = parsePath(name);
    this.fields.add(path[0] as string);
    this.onlyConditions &&= isPlainValue(operand) || comparesPlainValues(operand);
    const matcher = isOperators(operand)
      ? this.operators(name, path, operand, top, depth)
      : this.equality(name, path, operand, top);
    if (top) this.parts.push({ path: name, matches: matcher });
    return matcher;
  }

  private equality(name: string, path: Path, operand: unknown, top: boolean): Matcher {
    refuseOperators(operand);
    if (top) this.addEquality(name, operand);
    return anyPlace(path, equalTo(operand));
  }

  private addEquality(path: string, operand: unknown): void {
    if (operand instanceof RegExp) this.addPrefix(path, operand);
    else this.conditions.push({ path, operator: '$eq', value: operand });
  }

  private addPrefix(path: string, regex: RegExp): void {
    const prefix = literalPrefix(regex);
    if (prefix !== '') this.conditions.push({ path, operator: '$prefix', value: prefix });
  }

  private operators(name: string, path: Path, operators: PlainObject, top: boolean, depth: number): Matcher {
    const matchers: Matcher[] = [];
    for (const operator of Object.keys(operators)) {
      const operand = operators[operator];
      if (operand === undefined) throw badArgument(`the operand of ${operator} for "${name}" is undefined`);
      const matcher = this.operator(name, path, operator, operand, operators, top, depth);
      if (matcher !== matchesAll) matchers.push(matcher);
    }
    return conjunction(matchers);
  }

  private operator(
    name: string,
    path: Path,
    operator: string,
    operand: unknown,
    siblings: PlainObject,
    top: boolean,
    depth: number,
  ): Matcher {
    switch (operator) {
      case '$eq':
        if (top) this.addEquality(name, operand);
        return anyPlace(path, equalTo(operand));
      case '$ne': {
        if (operand instanceof RegExp) throw badArgument('$ne cannot take a regular expression');
        const equal = anyPlace(path, equalTo(operand));
        return (document) => !equal(document);
      }
      case '$gt':
      case '$gte':
      case '$lt':
      case '$lte':
        if (top) this.conditions.push({ path: name, operator, value: operand });
        return anyPlace(path, comparison(operator, operand));
      case '$in': {
        const list = valueList(operator, operand);
        if (top && !list.some((one) => one instanceof RegExp)) {
          this.conditions.push({ path: name, operator, value: list });
        }
        return anyPlace(path, oneOf(list));
      }
      case '$nin': {
        const one = anyPlace(path, oneOf(valueList(operator, operand)));
        return (document) => !one(document);
      }
      case '$exists': {
        const wanted = isTrue(operand);
        if (top) this.conditions.push({ path: name, operator, value: wanted });
        const exists: Matcher = (document) => walkPath(document, path, (value) => value !== undefined);
        return wanted ? exists : (document) => !exists(document);
      }
      case '$type':
        return anyPlace(path, typeTest(operand));
      case '$mod':
        return anyPlace(path, modTest(operand));
      case '$regex': {
        const regex = regexOf(operand, siblings['$options']);
        if (top) this.addPrefix(name, regex);
        return anyPlace(path, regexTest(regex));
      }
      case '$options':
        if (!Object.hasOwn(siblings, '$regex')) throw badArgument('$options needs a $regex');
        return matchesAll;
      case '$size': {
        if (!Number.isInteger(operand) || (operand as number) < 0) throw badArgument('$size needs a whole number');
        return place(path, (value) => Array.isArray(value) && value.length === operand);
      }
      case '$all':
        return this.all(name, path, operand, top, depth);
      case '$elemMatch': {
        const element = this.elementMatcher(operand, depth);
        if (top) this.conditions.push({ path: name, operator, value: operand });
        return place(path, (value) => Array.isArray(value) && value.some(element));
      }
      case '$not': {
        if (!(operand instanceof RegExp) && !isOperators(operand)) {
          throw badArgument('$not needs operators or a regular expression');
        }
        const matcher =
          operand instanceof RegExp
            ? anyPlace(path, regexTest(operand))
            : this.operators(name, path, operand, false, depth + 1);
        return (document) => !matcher(document);
      }
      default:
        if (isBitOperator(operator)) return anyPlace(path, bitTest(operator, operand));
        throw unknownOperator(operator, 'operator of a filter');
    }
  }

  private all(name: string, path: Path, operand: unknown, top: boolean, depth: number): Matcher {
    const list = valueList('$all', operand);
    if (list.length === 0) return () => false;
    return conjunction(
      list.map((one) => {
        if (isOperators(one)) {
          const keys = Object.keys(one);
          if (keys.length !== 1 || keys[0] !== '$elemMatch')
            throw badArgument('$all takes values, or $elemMatch alone');
          const element = this.elementMatcher(one['$elemMatch'], depth);
          return place(path, (value) => Array.isArray(value) && value.some(element));
        }
        if (top) this.addEquality(name, one);
        return anyPlace(path, equalTo(one));
      }),
    );
  }

  /** $elemMatch: operators for the element itself, or a filter for an element that has fields. */
  private elementMatcher(operand: unknown, depth: number): Matcher {
    if (!isObject(operand)) throw badArgument('$elemMatch needs an object');
    const inner = new FilterCompiler(this.variables, false);
    if (isOperators(operand) && !Object.keys(operand).some((key) => LOGICAL.has(key))) {
      return inner.operators('', [], operand, false, depth + 1);
    }
    const matcher = inner.compile(operand, false, depth + 1);
    return (element) => (isObject(element) || Array.isArray(element)) && matcher(element);
  }
}

const LOGICAL: ReadonlySet<string> = new Set(['$and', '$or', '$nor', '$expr', '$jsonSchema']);

/** Compiles a filter. 22023 for what is none, 0A000 for what is known and not there. */
export function compileFilter(filter: unknown, variables?: Variables): CompiledFilter {
  const equality = isObject(filter) ? equalityFilterOf(filter) : undefined;
  if (equality !== undefined) return equality;
  const compiler = new FilterCompiler(variables, true);
  return compiled(compiler, compiler.compile(filter, true, 0));
}

function compiled(compiler: FilterCompiler, matches: Matcher): CompiledFilter {
  const { conditions, parts, alternatives, onlyConditions, allFields, text } = compiler;
  const fields = allFields ? undefined : compiler.fields;
  return { matches, conditions, parts, alternatives, onlyConditions, fields, text };
}

function conjunction(matchers: readonly Matcher[]): Matcher {
  if (matchers.length === 0) return matchesAll;
  if (matchers.length === 1) return matchers[0] as Matcher;
  return (document) => {
    for (let i = 0; i < matchers.length; i++) if (!(matchers[i] as Matcher)(document)) return false;
    return true;
  };
}

/** An object whose keys are operators; 22023 when only some are. */
function isOperators(operand: unknown): operand is PlainObject {
  if (!isObject(operand)) return false;
  const keys = Object.keys(operand);
  const first = keys[0];
  if (first === undefined || !first.startsWith('$')) return false;
  for (const key of keys) {
    if (!key.startsWith('$')) throw badArgument(`operators and fields are mixed: "${first}" and "${key}"`);
  }
  return true;
}

/** True for operators that an index may decide, with values that stand for nothing but themselves. */
function comparesPlainValues(operand: unknown): boolean {
  if (!isObject(operand)) return false;
  return Object.keys(operand).every((operator) => {
    const value = operand[operator];
    if (operator === '$in') return Array.isArray(value) && value.every(isPlainValue);
    return COMPARISONS.has(operator) && isPlainValue(value);
  });
}

const COMPARISONS: ReadonlySet<string> = new Set(['$eq', '$gt', '$gte', '$lt', '$lte']);

function refuseOperators(operand: unknown): void {
  if (!isObject(operand)) return;
  const key = Object.keys(operand).find((one) => one.startsWith('$'));
  if (key !== undefined) throw badArgument(`operators and fields are mixed: "${key}" stands behind a field`);
}

function filterList(operator: string, operand: unknown): readonly unknown[] {
  if (!Array.isArray(operand) || operand.length === 0)
    throw badArgument(`${operator} needs an array that is not empty`);
  return operand as unknown[];
}

function valueList(operator: string, operand: unknown): readonly unknown[] {
  if (!Array.isArray(operand)) throw badArgument(`${operator} needs an array`);
  for (const one of operand as unknown[]) {
    if (one === undefined) throw badArgument(`${operator} holds undefined`);
    if (operator !== '$all') refuseOperators(one);
  }
  return operand as unknown[];
}

/** Literal text that every match of the expression begins with. */
function literalPrefix({ source, flags }: RegExp): string {
  if (!source.startsWith('^') || /[im]/.test(flags) || source.includes('|')) return '';
  const literal = /^\^([^\\^$.*+?()[\]{}|]+)([*+?{]?)/.exec(source);
  if (literal === null) return '';
  const text = literal[1] as string;
  const follows = literal[2] as string;
  // What a quantifier follows may be absent.
  return follows === '' || follows === '+' ? text : text.slice(0, -1);
}
