/** What an accumulator is to the aggregation it serves, and the arguments of a call as code. */
import type { AggregateCall } from '../../plan/logical/logical.js';
import { makeArray } from '../values/arrays.js';
import { call as callCode, literal, type Code } from '../code/ir.js';
import type { Run } from '../run.js';
import type { Operand } from './row-scope.js';
import type { StepContext } from './step.js';

export interface Accumulator {
  /** The result is never null. */
  readonly neverNull: boolean;
  /** Begins the state of group 0 at run time: for aggregation without keys. */
  begin(run: Run): void;
  /** Writes the beginning of a new group's state; groups are numbered in order. */
  emitBegin(context: StepContext): void;
  /** Writes a row's effect on a group. */
  step(context: StepContext, group: Code): void;
  /** The result of a group. */
  final(context: StepContext, group: Code): Code;
  /** Adds what must run between the last step and the first result. */
  addTasks?(): void;
}

/** Arguments of an aggregate call for the current row. */
export function argumentOperands(context: StepContext, call: AggregateCall): Operand[] {
  const { emitter, expressions } = context;
  const operands = call.arguments.map((argument) => expressions.value(argument));
  if (call.variadicFrom === undefined || call.variadicElement === undefined) return operands;
  const items: Code = { kind: 'array', items: operands.slice(call.variadicFrom).map((operand) => operand.code) };
  const array = emitter.let(callCode(emitter.constant(makeArray), items, literal(call.variadicElement)));
  return [...operands.slice(0, call.variadicFrom), { code: array, nullable: false }];
}
