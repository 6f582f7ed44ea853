/**
 * sum and avg of smallint, integer, numeric and floats: both are read from one IntegerSums, DecimalSums or FloatSums, and calls over
 * the same argument share it, as in `select sum(x), avg(x)`.
 */
import { assert } from '@phantom/base';
import type { Expression } from '../../expr/expression.js';
import { equalExpressions } from '../../expr/walk.js';
import { TypeOid } from '../../types/type-oids.js';
import type { AggregateFunction } from '../../functions/registry.js';
import type { AggregateCall } from '../../plan/logical/logical.js';
import { binary, element, isNotNull, literal, method, ONE, or, property, type Code } from '../code/ir.js';
import { AVERAGE_OF_FLOATS, FLOAT_SUM_PARTS, SUM_OF_FLOATS, SUM_OF_SINGLES } from '../../functions/sums-of-parts.js';
import { DecimalSums } from '../decimal-sums.js';
import { FloatSums } from '../float-sums.js';
import { IntegerSums } from '../integer-sums.js';
import type { MemoryOf } from '../spill/overflow.js';
import type { Accumulator } from './accumulator.js';
import { stateOf } from './program-builder.js';
import { isSafe, scaledValue } from './scaled-arithmetic.js';
import type { PlanCompiler, StepContext } from './step.js';

const FLOATS: ReadonlySet<number | undefined> = new Set([TypeOid.float4, TypeOid.float8]);
const SUMMED: ReadonlySet<number | undefined> = new Set([TypeOid.int2, TypeOid.int4, TypeOid.numeric, ...FLOATS]);

type Sums = IntegerSums | DecimalSums | FloatSums;

function isDecimal(call: AggregateCall): boolean {
  return call.arguments[0]?.type.oid === TypeOid.numeric;
}

function isFloat(call: AggregateCall): boolean {
  return FLOATS.has(call.arguments[0]?.type.oid);
}

/** The methods of FloatSums that give what partial aggregation makes of sums of floats. */
const RESULTS_OF_PARTS: ReadonlyMap<AggregateFunction, string> = new Map([
  [FLOAT_SUM_PARTS[0], 'firstPart'],
  [FLOAT_SUM_PARTS[1], 'secondPart'],
  [FLOAT_SUM_PARTS[2], 'restPart'],
  [SUM_OF_FLOATS, 'sum'],
  [SUM_OF_SINGLES, 'single'],
  [AVERAGE_OF_FLOATS, 'average'],
]);

/** The method that gives a call's result. */
function resultOf({ function: definition, type }: AggregateCall): string {
  const ofParts = RESULTS_OF_PARTS.get(definition);
  if (ofParts !== undefined) return ofParts;
  if (definition.name === 'avg') return 'average';
  return type.oid === TypeOid.float4 ? 'single' : 'sum';
}

/** True for a call whose results `sumOf` gives, once filters and DISTINCT are seen to. */
export function isSum(call: AggregateCall): boolean {
  const { name } = call.function;
  if (RESULTS_OF_PARTS.has(call.function)) return true;
  return SUMMED.has(call.arguments[0]?.type.oid) && (name === 'sum' || name === 'avg');
}

/** The accumulator of a sum or an average over states of its own. */
export function sumOf(compiler: PlanCompiler, call: AggregateCall, memoryOf: MemoryOf): Accumulator {
  return new SharedSums(compiler, memoryOf).accumulator(call);
}

/** Accumulators of plain calls: each over the states of an earlier call with the same argument, where there is one. */
export class SharedSums {
  private readonly slots: { readonly call: AggregateCall; readonly slot: number }[] = [];
  private readonly compiler: PlanCompiler;
  private readonly memoryOf: MemoryOf;

  constructor(compiler: PlanCompiler, memoryOf: MemoryOf) {
    this.compiler = compiler;
    this.memoryOf = memoryOf;
  }

  accumulator(call: AggregateCall): Accumulator {
    const earlier = this.slots.find(
      (known) =>
        known.call.arguments.length === call.arguments.length &&
        known.call.arguments.every((other, i) => equalExpressions(other, call.arguments[i] as Expression)),
    );
    if (earlier !== undefined) return over(call, earlier.slot, false);
    const { memoryOf } = this;
    const make = isDecimal(call) ? DecimalSums : isFloat(call) ? FloatSums : IntegerSums;
    const slot = this.compiler.builder.addSlot((run): Sums => new make(memoryOf(run)));
    this.slots.push({ call, slot });
    return over(call, slot, true);
  }
}

/** A call over the states in a slot; `steps` for the one call that adds to them. */
function over(call: AggregateCall, slot: number, steps: boolean): Accumulator {
  const result = resultOf(call);
  return {
    neverNull: false,
    begin: (run) => {
      if (steps) (run.state[slot] as Sums).begin();
    },
    emitBegin: ({ emitter, run }) => {
      if (steps) emitter.evaluate(method(stateOf(emitter, run, slot), 'begin'));
    },
    step: (context, group) => {
      if (steps) emitStep(context, call, slot, group);
    },
    final: ({ emitter, run }, group) => method(stateOf(emitter, run, slot), result, group),
  };
}

function emitStep(context: StepContext, call: AggregateCall, slot: number, group: Code): void {
  const { emitter, run, expressions, row } = context;
  const [argument] = call.arguments;
  assert(argument !== undefined, 'a sum has an argument');
  const state = stateOf(emitter, run, slot);
  if (call.arguments.length > 1) {
    const parts = call.arguments.map((part) => expressions.value(part).code);
    emitter.evaluate(method(state, 'addParts', group, ...parts));
    return;
  }
  if (isDecimal(call)) {
    const add = (): void => {
      const value = expressions.value(argument);
      const test = value.nullable ? isNotNull(value.code) : literal(true);
      emitter.if(test, () => emitter.evaluate(method(state, 'add', group, value.code)));
    };
    const scaled = scaledValue(emitter, row, argument);
    if (scaled === undefined) {
      add();
      return;
    }
    const unscaled = emitter.let(scaled.unscaled);
    const addScaled = (): void => emitter.evaluate(method(state, 'addScaled', group, unscaled, scaled.scale));
    emitter.if(isSafe(unscaled), addScaled, add);
    return;
  }
  const value = expressions.value(argument);
  const isThere = value.nullable ? isNotNull(value.code) : literal(true);
  if (isFloat(call)) {
    emitter.if(isThere, () => emitter.evaluate(method(state, 'add', group, value.code)));
    return;
  }
  const addInteger = (): void => {
    // The arrays are read anew for each row: a new group may have made them larger.
    const sums = emitter.let(property(state, 'sums'));
    const counts = emitter.let(property(state, 'counts'));
    const total = emitter.let(binary('+', element(sums, group), value.code));
    const isUnsafe = or(
      binary('>', total, literal(Number.MAX_SAFE_INTEGER)),
      binary('<', total, literal(Number.MIN_SAFE_INTEGER)),
    );
    emitter.if(
      isUnsafe,
      () => emitter.evaluate(method(state, 'carry', group, value.code)),
      () => emitter.setElement(sums, group, total),
    );
    emitter.setElement(counts, group, binary('+', element(counts, group), ONE));
  };
  emitter.if(isThere, addInteger);
}
