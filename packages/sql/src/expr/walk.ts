/** Walking and rebuilding expressions. Subplans are left alone here; plan/logical/walk.ts goes into them. */
import { unreachable } from '@phantom/base';
import { Decimal, Interval, SqlArray } from '@phantom/codec';
import type { Value } from '../types/type.js';
import type { BoundSubscript, ColumnId, Expression } from './expression.js';

type Mapper = (expression: Expression) => Expression;

function mapList(list: readonly Expression[], f: Mapper): readonly Expression[] {
  let changed: Expression[] | undefined;
  for (let i = 0; i < list.length; i++) {
    const before = list[i] as Expression;
    const after = f(before);
    if (after !== before && changed === undefined) changed = list.slice(0, i);
    if (changed !== undefined) changed.push(after);
  }
  return changed ?? list;
}

function mapOptional(expression: Expression | undefined, f: Mapper): Expression | undefined {
  return expression === undefined ? undefined : f(expression);
}

function mapSubscripts(list: readonly BoundSubscript[], f: Mapper): readonly BoundSubscript[] {
  let same = true;
  const mapped = list.map((subscript) => {
    const index = mapOptional(subscript.index, f);
    const lower = mapOptional(subscript.lower, f);
    const upper = mapOptional(subscript.upper, f);
    if (index === subscript.index && lower === subscript.lower && upper === subscript.upper) return subscript;
    same = false;
    return { index, lower, upper };
  });
  return same ? list : mapped;
}

/** The expression with `f` applied to each direct part; the same object when nothing changed. */
export function mapChildren(expression: Expression, f: Mapper): Expression {
  switch (expression.kind) {
    case 'constant':
    case 'parameter':
    case 'column':
    case 'raise':
      return expression;
    case 'call': {
      const list = mapList(expression.arguments, f);
      return list === expression.arguments ? expression : { ...expression, arguments: list };
    }
    case 'cast':
    case 'typmod':
    case 'not':
    case 'null-test':
    case 'boolean-test':
    case 'field': {
      const operand = f(expression.operand);
      return operand === expression.operand ? expression : { ...expression, operand };
    }
    case 'logical':
    case 'coalesce':
    case 'extreme': {
      const operands = mapList(expression.operands, f);
      return operands === expression.operands ? expression : { ...expression, operands };
    }
    case 'distinct-test': {
      const left = f(expression.left);
      const right = f(expression.right);
      return left === expression.left && right === expression.right ? expression : { ...expression, left, right };
    }
    case 'case': {
      let same = true;
      const branches = expression.branches.map((branch) => {
        const when = f(branch.when);
        const then = f(branch.then);
        if (when === branch.when && then === branch.then) return branch;
        same = false;
        return { when, then };
      });
      const otherwise = f(expression.otherwise);
      return same && otherwise === expression.otherwise ? expression : { ...expression, branches, otherwise };
    }
    case 'let': {
      const value = f(expression.value);
      const body = f(expression.body);
      return value === expression.value && body === expression.body ? expression : { ...expression, value, body };
    }
    case 'array': {
      const elements = mapList(expression.elements, f);
      return elements === expression.elements ? expression : { ...expression, elements };
    }
    case 'row': {
      const fields = mapList(expression.fields, f);
      return fields === expression.fields ? expression : { ...expression, fields };
    }
    case 'subscript': {
      const operand = f(expression.operand);
      const subscripts = mapSubscripts(expression.subscripts, f);
      if (operand === expression.operand && subscripts === expression.subscripts) return expression;
      return { ...expression, operand, subscripts };
    }
    case 'array-quantified': {
      const left = f(expression.left);
      const array = f(expression.array);
      return left === expression.left && array === expression.array ? expression : { ...expression, left, array };
    }
    case 'row-comparison': {
      const left = mapList(expression.left, f);
      const right = mapList(expression.right, f);
      return left === expression.left && right === expression.right ? expression : { ...expression, left, right };
    }
    case 'subquery': {
      const test = mapOptional(expression.test, f);
      return test === expression.test ? expression : { ...expression, test };
    }
    default:
      return unreachable(expression);
  }
}

/** Calls `f` on each direct part. */
export function forEachChild(expression: Expression, f: (child: Expression) => void): void {
  mapChildren(expression, (child) => {
    f(child);
    return child;
  });
}

/** True when the test holds for the expression or any part of it, subplans excluded. */
export function someExpression(expression: Expression, test: (part: Expression) => boolean): boolean {
  if (test(expression)) return true;
  let found = false;
  forEachChild(expression, (child) => {
    if (!found && someExpression(child, test)) found = true;
  });
  return found;
}

/** What stands under a cast that changes no value; any other expression as it is. */
export function withoutRelabel(expression: Expression): Expression {
  return expression.kind === 'cast' && expression.definition.call === undefined ? expression.operand : expression;
}

/** Structural equality. Volatile calls are never equal to anything; subqueries only to themselves. */
export function equalExpressions(a: Expression, b: Expression): boolean {
  if (a === b) return !(a.kind === 'call' && a.function.volatility === 'volatile');
  if (a.kind !== b.kind || a.type.oid !== b.type.oid || a.type.typmod !== b.type.typmod) return false;
  switch (a.kind) {
    case 'constant':
      return sameValue(a.value, (b as typeof a).value);
    case 'parameter':
      return a.index === (b as typeof a).index;
    case 'column':
      return a.column === (b as typeof a).column;
    case 'call': {
      const other = b as typeof a;
      if (a.function !== other.function || a.function.volatility === 'volatile') return false;
      return equalLists(a.arguments, other.arguments);
    }
    case 'subquery':
    case 'let':
    case 'raise':
      return false;
    default:
      return equalShapes(a, b) && equalLists(childrenOf(a), childrenOf(b));
  }
}

/** True for values that nothing could tell apart. Values of other classes are the same only when they are one object. */
function sameValue(a: Value, b: Value): boolean {
  if (Object.is(a, b)) return true;
  if (a instanceof Decimal) return b instanceof Decimal && a.scale === b.scale && a.unscaled === b.unscaled;
  if (a instanceof Interval) {
    return b instanceof Interval && a.months === b.months && a.days === b.days && a.micros === b.micros;
  }
  if (!(a instanceof SqlArray) || !(b instanceof SqlArray)) return false;
  const shape = (array: SqlArray): string => [array.elementOid, ...array.dimensions, ...array.lowerBounds].join();
  return shape(a) === shape(b) && a.items.every((item, i) => sameValue(item, b.items[i]));
}

/** The fields of a node that are not expressions are equal. */
function equalShapes(a: Expression, b: Expression): boolean {
  const left = a as unknown as Record<string, unknown>;
  const right = b as unknown as Record<string, unknown>;
  for (const name of Object.keys(left)) {
    const value = left[name];
    if (typeof value === 'object' && value !== null && name !== 'definition' && name !== 'equality') continue;
    if (value !== right[name]) return false;
  }
  return true;
}

export function childrenOf(expression: Expression): Expression[] {
  const children: Expression[] = [];
  forEachChild(expression, (child) => children.push(child));
  return children;
}

function equalLists(a: readonly Expression[], b: readonly Expression[]): boolean {
  return a.length === b.length && a.every((expression, i) => equalExpressions(expression, b[i] as Expression));
}

/** Replaces columns by what `f` gives; undefined keeps the reference. Subplans excluded. */
export function replaceColumns(expression: Expression, f: (column: ColumnId) => Expression | undefined): Expression {
  if (expression.kind === 'column') return f(expression.column) ?? expression;
  return mapChildren(expression, (child) => replaceColumns(child, f));
}
