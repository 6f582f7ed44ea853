/** One expression as a function of a row's values, outside of any plan: closures, for it is used for single rows. */
import type { ColumnId, Expression } from '../expr/expression.js';
import type { EvaluationContext } from '../functions/registry.js';
import type { TypeLookup, Value } from '../types/type.js';
import { closureFunction } from './code/closures.js';
import { ConstantTable, Emitter } from './code/emitter.js';
import { element, literal, type Local } from './code/ir.js';
import { generateFunction } from './code/javascript.js';
import { codeGenerationAllowed } from '@phantom/codec';
import { ExpressionCompiler } from './compile/expression-compiler.js';
import { ProgramBuilder } from './compile/program-builder.js';
import { ColumnSource, Row } from './compile/row-scope.js';
import type { SubplanCompiler } from './compile/subplan-face.js';
import { PhantomError } from '@phantom/base';
import type { Yielded } from './runtime.js';

export type RowFunction = (values: readonly Value[], context: EvaluationContext) => Value;

/** Calls after which a function is generated. */
const GENERATE_CALLS_MIN = 200;

const NO_SUBPLANS: SubplanCompiler = {
  value() {
    throw new PhantomError('0A000', 'cannot use subquery in this expression');
  },
};

/** As RowFunction, of the values of $1, $2, ... */
export type ParameterFunction = (parameters: readonly Value[], context: EvaluationContext) => Value;

/** An expression without columns as a function of its parameters. */
export function evaluateParameters(expression: Expression, types: TypeLookup): ParameterFunction {
  const { evaluate } = compile(expression, new Map(), types, false);
  return (parameters, context) => evaluate(parameters, NO_VALUES, context) as Value;
}

/** The same by the protocol of runtime.ts: routines that it calls wait and rest. */
export function executeParameters(
  expression: Expression,
  types: TypeLookup,
): (parameters: readonly Value[], context: EvaluationContext) => Generator<Yielded, Value, void> {
  const { evaluate, isGenerator } = compile(expression, new Map(), types, true);
  return function* (parameters, context) {
    const value = evaluate(parameters, NO_VALUES, context);
    return isGenerator ? yield* value as Generator<Yielded, Value, void> : value;
  };
}

/** `places` says where the value of each column lies in the array of values. */
export function evaluateExpression(
  expression: Expression,
  parameters: readonly Value[],
  places: ReadonlyMap<ColumnId, number>,
  types: TypeLookup,
): RowFunction {
  const { evaluate } = compile(expression, places, types, false);
  return (values, context) => evaluate(parameters, values, context) as Value;
}

const NO_VALUES: readonly Value[] = [];

interface CompiledExpression {
  /** The value, or a generator of it. */
  evaluate(parameters: readonly Value[], values: readonly Value[], context: EvaluationContext): unknown;
  readonly isGenerator: boolean;
}

function compile(
  expression: Expression,
  places: ReadonlyMap<ColumnId, number>,
  types: TypeLookup,
  waits: boolean,
): CompiledExpression {
  const constants = new ConstantTable();
  const emitter = new Emitter(constants);
  const [run, values] = emitter.parameters(2) as [Local, Local];
  const builder = new ProgramBuilder({ types, constants, isNotNull: () => false }, []);
  const row = new Row();
  for (const [column, place] of places) {
    row.set(column, new ColumnSource(true, () => element(values, literal(place))));
  }
  const compiler = new ExpressionCompiler(builder, emitter, run, row, NO_SUBPLANS, waits);
  emitter.return(compiler.value(expression).code);
  const code = emitter.finish('evaluate', [run, values]);
  let calls = 0;
  let compiled = closureFunction(code, constants.values);
  const evaluate: CompiledExpression['evaluate'] = (parameters, row_, evaluation) => {
    if (++calls === GENERATE_CALLS_MIN && codeGenerationAllowed()) compiled = generateFunction(code, constants.values);
    return compiled({ evaluation, parameters, outer: [] }, row_);
  };
  return { evaluate, isGenerator: code.generator };
}
