/** Comparison, boolean and conditional operators. */
import { badArgument } from '../errors.js';
import { compareValues, isObject } from '../order.js';
import { isTrue } from '../truth.js';
import { named, namedParts, withOperands } from './operands.js';
import type { Evaluate, OperatorMaker } from './evaluate.js';

/** Missing stands below null here: expressions can tell them apart. */
function compareParts(a: unknown, b: unknown): number {
  if (a === undefined || b === undefined) return Number(b === undefined) - Number(a === undefined);
  return compareValues(a, b);
}

function compares(name: string, holds: (order: number) => boolean): OperatorMaker {
  return withOperands(name, 2, 2, ([a, b]) => holds(compareParts(a, b)));
}

const cond: OperatorMaker = (operand, compiler) => {
  let parts: readonly Evaluate[];
  if (Array.isArray(operand)) {
    if (operand.length !== 3) throw badArgument('$cond takes 3 operands');
    parts = compiler.operands(operand);
  } else {
    const three = named('$cond', operand, compiler, ['if', 'then', 'else']);
    parts = ['if', 'then', 'else'].map((key) => three.get(key) as Evaluate);
  }
  const [condition, yes, no] = parts as [Evaluate, Evaluate, Evaluate];
  return (root, variables) => (isTrue(condition(root, variables)) ? yes(root, variables) : no(root, variables));
};

const switchOperator: OperatorMaker = (operand, compiler) => {
  const { branches, default: otherwise } = namedParts('$switch', operand, ['branches'], ['default']);
  if (!Array.isArray(branches) || branches.length === 0) throw badArgument('$switch needs branches');
  const cases = branches.map((branch) => {
    const parts = named('$switch', branch, compiler, ['case', 'then']);
    return { when: parts.get('case') as Evaluate, result: parts.get('then') as Evaluate };
  });
  const last = isObject(operand) && Object.hasOwn(operand, 'default') ? compiler.compile(otherwise) : undefined;
  return (root, variables) => {
    for (const { when, result } of cases) if (isTrue(when(root, variables))) return result(root, variables);
    if (last === undefined) throw badArgument('no branch of $switch holds, and it has no default');
    return last(root, variables);
  };
};

export const logicOperators: Readonly<Record<string, OperatorMaker>> = {
  $cmp: withOperands('$cmp', 2, 2, ([a, b]) => Math.sign(compareParts(a, b))),
  $eq: compares('$eq', (order) => order === 0),
  $ne: compares('$ne', (order) => order !== 0),
  $gt: compares('$gt', (order) => order > 0),
  $gte: compares('$gte', (order) => order >= 0),
  $lt: compares('$lt', (order) => order < 0),
  $lte: compares('$lte', (order) => order <= 0),
  $and: (operand, compiler) => {
    const parts = compiler.operands(operand);
    return (root, variables) => parts.every((part) => isTrue(part(root, variables)));
  },
  $or: (operand, compiler) => {
    const parts = compiler.operands(operand);
    return (root, variables) => parts.some((part) => isTrue(part(root, variables)));
  },
  $not: withOperands('$not', 1, 1, ([value]) => !isTrue(value)),
  $cond: cond,
  $ifNull: (operand, compiler) => {
    const parts = compiler.operands(operand);
    if (parts.length < 2) throw badArgument('$ifNull takes at least 2 operands');
    return (root, variables) => {
      for (let i = 0; i < parts.length - 1; i++) {
        const value = (parts[i] as Evaluate)(root, variables);
        if (value !== null && value !== undefined) return value;
      }
      return (parts.at(-1) as Evaluate)(root, variables);
    };
  },
  $switch: switchOperator,
};
