/** Operators over objects, variables and literals. */
import { badArgument } from '../errors.js';
import { SLOT_BYTES } from '../memory-bytes.js';
import { type PlainObject, isObject, typeName } from '../order.js';
import { ownField, setField } from '../path.js';
import { textScoreOf } from '../text-score.js';
import { MANY, named, namedParts, strict, textOf, withOperands } from './operands.js';
import type { Evaluate, OperatorMaker } from './evaluate.js';

const letOperator: OperatorMaker = (operand, compiler) => {
  const { vars } = namedParts('$let', operand, ['vars', 'in']);
  if (!isObject(vars)) throw badArgument('$let needs vars as an object');
  const values = Object.keys(vars).map((name) => ({ name, value: compiler.compile(vars[name]) }));
  const inner = compiler.compile((operand as PlainObject)['in']);
  return (root, variables) => {
    const { work } = variables;
    const mark = work.mark();
    let more = variables;
    for (const { name, value } of values) more = more.with(name, value(root, variables));
    return work.settleAt(mark, inner(root, more), '$let');
  };
};

const getField: OperatorMaker = (operand, compiler) => {
  const plain = isObject(operand) && Object.hasOwn(operand, 'field');
  if (!plain) compiler.fields = undefined;
  const parts = plain ? named('$getField', operand, compiler, ['field'], ['input']) : undefined;
  const field = parts?.get('field') ?? compiler.compile(operand);
  const input = parts?.get('input') ?? compiler.compile('$$ROOT');
  return (root, variables) => {
    const value = input(root, variables);
    return isObject(value)
      ? ownField(value, textOf('$getField', field(root, variables)))
      : value === null
        ? null
        : undefined;
  };
};

/** $setField; without a value, and as $unsetField, the field goes. */
function fieldSetter(operator: string, others: readonly string[]): OperatorMaker {
  return (operand, compiler) => {
    const parts = named(operator, operand, compiler, ['field', 'input', ...others]);
    return (root, variables) => {
      const { work } = variables;
      const mark = work.mark();
      const input = (parts.get('input') as Evaluate)(root, variables);
      if (input === null || input === undefined) return null;
      if (!isObject(input)) throw badArgument(`${operator} needs an object, not ${typeName(input)}`);
      const key = textOf(operator, (parts.get('field') as Evaluate)(root, variables));
      const value = parts.get('value')?.(root, variables);
      const result: PlainObject = {};
      for (const name of Object.keys(input))
        if (name !== key || value !== undefined) setField(result, name, input[name]);
      if (value !== undefined) setField(result, key, value);
      return work.settleAt(mark, result, operator);
    };
  };
}

const meta: OperatorMaker = (operand, compiler) => {
  if (operand !== 'textScore') throw badArgument(`$meta knows textScore, not ${String(operand)}`);
  compiler.fields = undefined;
  return (root) => textScoreOf(root);
};

export const objectOperators: Readonly<Record<string, OperatorMaker>> = {
  $meta: meta,
  $literal: (operand) => () => operand,
  $let: letOperator,
  $getField: getField,
  $setField: fieldSetter('$setField', ['value']),
  $unsetField: fieldSetter('$unsetField', []),
  $mergeObjects: withOperands('$mergeObjects', 0, MANY, (values, work) => {
    const result: PlainObject = {};
    const objects = values.length === 1 && Array.isArray(values[0]) ? (values[0] as unknown[]) : values;
    for (const value of objects) {
      if (value === null || value === undefined) continue;
      if (!isObject(value)) throw badArgument(`$mergeObjects needs objects, not ${typeName(value)}`);
      const keys = Object.keys(value);
      work.take(SLOT_BYTES * keys.length, '$mergeObjects');
      for (const key of keys) setField(result, key, value[key]);
    }
    return result;
  }),
  $objectToArray: strict('$objectToArray', 1, 1, ([value]) => {
    if (!isObject(value)) throw badArgument(`$objectToArray needs an object, not ${typeName(value)}`);
    return Object.keys(value).map((key) => ({ k: key, v: value[key] }));
  }),
};
