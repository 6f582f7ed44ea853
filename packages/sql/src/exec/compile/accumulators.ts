/**
 * Accumulators: how one aggregate's states are begun, stepped and finished in generated code. Counts, sums of numbers,
 * and extremes of primitives are written out; every other aggregate is called through its definition.
 */
import { FIRST_VALUE } from '../../plan/binder/bind-group.js';
import type { AggregateCall } from '../../plan/logical/logical.js';
import type { Value } from '../../types/type.js';
import {
  and,
  binary,
  call as callCode,
  element,
  isNotNull,
  isNull,
  literal,
  method,
  ONE,
  or,
  property,
  type BinaryOperator,
  type Code,
} from '../code/ir.js';
import { PairTable } from '../key-table.js';
import { SLOT_BYTES, valueArray, valueBytes } from '../row-buffer.js';
import type { Run } from '../run.js';
import { type Accumulator, argumentOperands } from './accumulator.js';
import { orderedAccumulator } from './ordered-accumulator.js';
import type { MemoryOf } from '../spill/overflow.js';
import { isOwnOrder } from './intrinsics.js';
import { addKeyTables, hashKeyOf, keyNumber, typesOf } from './key-tables.js';
import { stateOf } from './program-builder.js';
import { isSum, sumOf, SharedSums } from './shared-sums.js';
import type { Operand } from './row-scope.js';
import type { PlanCompiler, StepContext } from './step.js';

/** Bytes a state is taken to have, for the budget. */
const STATE_BYTES = 32;

/** The accumulators of an aggregation's calls, in order; their states count their memory where `memoryOf` says. */
export function accumulatorsFor(
  compiler: PlanCompiler,
  calls: readonly AggregateCall[],
  memoryOf: MemoryOf,
): Accumulator[] {
  const sums = new SharedSums(compiler, memoryOf);
  return calls.map((call) => {
    const isPlain = call.orderBy.length === 0 && call.filter === undefined && !call.distinct;
    return isPlain && isSum(call) ? sums.accumulator(call) : accumulatorFor(compiler, call, memoryOf);
  });
}

function accumulatorFor(compiler: PlanCompiler, call: AggregateCall, memoryOf: MemoryOf): Accumulator {
  if (call.orderBy.length > 0 || call.function.ordering !== undefined) return orderedAccumulator(compiler, call);
  const base = plainAccumulator(compiler, call, memoryOf);
  const filtered = call.filter === undefined ? base : withFilter(base, call);
  return call.distinct ? withDistinct(compiler, filtered, call, memoryOf) : filtered;
}

function withFilter(base: Accumulator, call: AggregateCall): Accumulator {
  const { filter } = call;
  if (filter === undefined) return base;
  return {
    ...base,
    step: (context, group) => {
      context.emitter.if(context.expressions.test(filter, true), () => base.step(context, group));
    },
  };
}

/** Steps only for values that are new in their group. */
function withDistinct(compiler: PlanCompiler, base: Accumulator, call: AggregateCall, memoryOf: MemoryOf): Accumulator {
  const { builder } = compiler;
  const values = addKeyTables(builder, typesOf(call.arguments), memoryOf);
  const pairs = builder.addSlot((run) => new PairTable(memoryOf(run)));
  return {
    ...base,
    step: (context, group) => {
      const { emitter, run, expressions } = context;
      const operands = call.arguments.map((argument) => expressions.value(argument));
      const insert = (): void => {
        const keys = call.arguments.map((argument, i) =>
          hashKeyOf(builder, emitter, argument.type, operands[i] as Operand),
        );
        const number = keyNumber(emitter, run, values, keys, 'intern');
        const table = stateOf(emitter, run, pairs);
        const before = emitter.let(property(table, 'size'));
        const pair = emitter.let(method(table, 'intern', group, number));
        emitter.if(binary('===', pair, before), () => base.step(context, group));
      };
      const test = call.filter === undefined ? literal(true) : expressions.test(call.filter, true);
      emitter.if(test, insert);
    },
  };
}

function plainAccumulator(compiler: PlanCompiler, call: AggregateCall, memoryOf: MemoryOf): Accumulator {
  const { function: definition } = call;
  if (definition === FIRST_VALUE) return firstValue(compiler, call);
  if (isSum(call)) return sumOf(compiler, call, memoryOf);
  const [argument] = call.arguments;
  switch (definition.name) {
    case 'count':
      return counter(compiler, call);
    case 'min':
    case 'max':
      if (argument !== undefined && isOwnOrder(argument.type.oid)) {
        return extreme(compiler, call, definition.name === 'min' ? '<' : '>');
      }
      break;
    default:
      break;
  }
  return called(compiler, call, memoryOf);
}

/** A slot with one state for each group. */
function stateSlot(compiler: PlanCompiler): number {
  return compiler.builder.addSlot((): unknown[] => valueArray());
}

/** States that begin as a plain value. */
function simple(
  compiler: PlanCompiler,
  initial: number | null,
  neverNull: boolean,
  step: (context: StepContext, states: Code, group: Code) => void,
): Accumulator {
  const slot = stateSlot(compiler);
  return {
    neverNull,
    begin: (run) => {
      (run.state[slot] as unknown[]).push(initial);
    },
    emitBegin: ({ emitter, run }) => {
      emitter.evaluate(method(stateOf(emitter, run, slot), 'push', literal(initial)));
    },
    step: (context, group) => step(context, stateOf(context.emitter, context.run, slot), group),
    final: ({ emitter, run }, group) => element(stateOf(emitter, run, slot), group),
  };
}

function counter(compiler: PlanCompiler, call: AggregateCall): Accumulator {
  return simple(compiler, 0, true, (context, states, group) => {
    const { emitter, expressions } = context;
    const add = (): void => emitter.setElement(states, group, binary('+', element(states, group), ONE));
    const tests = call.arguments
      .map((argument) => expressions.value(argument))
      .filter((operand) => operand.nullable)
      .map((operand) => isNotNull(operand.code));
    emitter.if(tests.reduce(and, literal(true)), add);
  });
}

function extreme(compiler: PlanCompiler, call: AggregateCall, operator: BinaryOperator): Accumulator {
  return simple(compiler, null, false, (context, states, group) => {
    const { emitter, expressions } = context;
    const [argument] = call.arguments;
    if (argument === undefined) return;
    const value = expressions.value(argument);
    const best = emitter.let(element(states, group));
    const better = or(isNull(best), binary(operator, value.code, best));
    const test = value.nullable ? and(isNotNull(value.code), better) : better;
    emitter.if(test, () => emitter.setElement(states, group, value.code));
  });
}

/** A functionally dependent column: the value of the group's first row. */
function firstValue(compiler: PlanCompiler, call: AggregateCall): Accumulator {
  const slot = stateSlot(compiler);
  const [argument] = call.arguments;
  return {
    neverNull: false,
    begin: (run) => {
      (run.state[slot] as unknown[]).push(null);
    },
    emitBegin: ({ emitter, run, expressions }) => {
      const value = argument === undefined ? literal(null) : expressions.value(argument).code;
      emitter.evaluate(method(stateOf(emitter, run, slot), 'push', value));
    },
    step: () => undefined,
    final: ({ emitter, run }, group) => element(stateOf(emitter, run, slot), group),
  };
}

/** Any other aggregate, through its definition. */
function called(compiler: PlanCompiler, call: AggregateCall, memoryOf: MemoryOf): Accumulator {
  const { function: definition } = call;
  const slot = stateSlot(compiler);
  const types = { arguments: call.argumentTypes, result: call.type };
  const begin = (states: unknown[], run: Run): void => {
    memoryOf(run).take(STATE_BYTES);
    states.push(definition.init(run.evaluation, types));
  };
  const keep = (run: Run, ...values: readonly Value[]): void => {
    memoryOf(run).take(values.reduce<number>((bytes, value) => bytes + SLOT_BYTES + valueBytes(value), 0));
  };
  return {
    neverNull: false,
    begin: (run) => begin(run.state[slot] as unknown[], run),
    emitBegin: ({ emitter, run }) => {
      emitter.evaluate(callCode(emitter.constant(begin), stateOf(emitter, run, slot), run));
    },
    step: (context, group) => {
      const { emitter, run } = context;
      const states = stateOf(emitter, run, slot);
      const operands = argumentOperands(context, call);
      const step = emitter.constant(definition.step as unknown as (...args: Value[]) => unknown);
      const args = operands.map((operand) => operand.code);
      const next = callCode(step, element(states, group), ...args);
      const write = (): void => {
        if (definition.keepsInput === true) emitter.evaluate(callCode(emitter.constant(keep), run, ...args));
        emitter.setElement(states, group, next);
      };
      const tests = definition.strict
        ? operands.filter((operand) => operand.nullable).map((operand) => isNotNull(operand.code))
        : [];
      emitter.if(tests.reduce(and, literal(true)), write);
    },
    final: ({ emitter, run }, group) => {
      const final = emitter.constant(definition.final as unknown as (state: unknown) => Value);
      return callCode(final, element(stateOf(emitter, run, slot), group));
    },
  };
}
