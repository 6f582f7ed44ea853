/**
 * Aggregates of users: states that functions, built in or of users, lead from row to row, by the rules of nodeAgg.c.
 *
 *   state := INITCOND, or null          a strict step passes rows over that have a null among them, and begins
 *   state := SFUNC(state, row)          with the first value where there is no INITCOND; once null, it stays so
 *   result := FINALFUNC(state [, nulls for the arguments]), or the state
 *
 * In a window whose frame begins with its rows the moving steps are taken where there are such: MSFUNC for rows that enter,
 * MINVFUNC for rows that leave. When MINVFUNC gives null, the frame is counted anew.
 *
 * Left out: what COMBINEFUNC, which is kept, would be for: states are never counted in parts.
 */
import { PhantomError } from '@phantom/base';
import type { AggregateSteps, Oid, RoutineDescriptor, TypeRef } from '@phantom/catalog';
import { resolvePolymorphic } from '../functions/polymorphic.js';
import type {
  AggregateFunction,
  CallTypes,
  EvaluationContext,
  FunctionRegistry,
  ScalarFunction,
} from '../functions/registry.js';
import type { CatalogPort } from '../plan/catalog-port.js';
import { catalogOf } from '../types/reg-types.js';
import { typeRef } from '../types/type-refs.js';
import type { Value } from '../types/type.js';

type Common = Omit<AggregateFunction, 'kind' | 'strict' | 'init' | 'step' | 'final'>;

/** A function that the aggregate calls, with the types of its calls. */
class StepFunction {
  readonly strict: boolean;
  private readonly definition: ScalarFunction;
  private readonly context: EvaluationContext;
  private readonly types: CallTypes;

  constructor(functions: FunctionRegistry, oid: Oid, context: EvaluationContext, types: CallTypes) {
    const definition = functions.functionByOid(oid);
    if (definition?.kind !== 'scalar') throw new PhantomError('42883', `function ${oid} does not exist`);
    this.definition = definition;
    this.strict = definition.strict;
    this.context = context;
    this.types = types;
  }

  /** The arguments' array becomes the function's. */
  call(args: unknown[]): Value {
    const { definition } = this;
    if (definition.needsContext === true) args.push(this.context);
    if (definition.needsTypes === true) args.push(this.types);
    return definition.call(...(args as never[]));
  }
}

/** What an aggregate calls for one combination of types. */
interface Machine {
  readonly step: StepFunction;
  readonly inverse: StepFunction | undefined;
  readonly final: StepFunction | undefined;
  /** Nulls behind the state for the final function. */
  readonly finalNulls: number;
  initial(): Value;
  readonly hasInitial: boolean;
}

/** One state. */
class AggregateState {
  private readonly machine: Machine;
  private value: Value;
  /** No value has come yet that a strict step without an initial state could begin with. */
  private isEmpty: boolean;
  /** Rows that count: without any of them the state is the initial one, which no inverse could tell. */
  private count = 0;

  constructor(machine: Machine) {
    this.machine = machine;
    this.value = machine.initial();
    this.isEmpty = !machine.hasInitial;
  }

  add(args: readonly Value[]): void {
    const { step, inverse } = this.machine;
    if (step.strict) {
      if (args.includes(null)) return;
      if (this.isEmpty) {
        this.count++;
        this.value = args[0] as Value;
        this.isEmpty = false;
        return;
      }
      if (this.value === null) return;
    }
    this.count++;
    this.value = step.call([this.value, ...args]);
    // From the inverse it means something else.
    if (this.value === null && inverse !== undefined)
      throw new PhantomError('22004', 'moving-aggregate transition function must not return null');
  }

  /** Takes a row back out; false when that cannot be done and the frame is to be counted anew. */
  take(args: readonly Value[]): boolean {
    const { machine } = this;
    const inverse = machine.inverse as StepFunction;
    if (inverse.strict && args.includes(null)) return true;
    if (--this.count === 0) {
      this.value = machine.initial();
      this.isEmpty = !machine.hasInitial;
      return true;
    }
    this.value = inverse.call([this.value, ...args]);
    return this.value !== null;
  }

  result(): Value {
    const { final, finalNulls } = this.machine;
    if (final === undefined) return this.value;
    if (final.strict && this.value === null) return null;
    const args: unknown[] = [this.value];
    for (let i = 0; i < finalNulls; i++) args.push(null);
    return final.call(args);
  }
}

/** Types of the arguments as steps get them: those that VARIADIC collects as their array. */
function collected(
  { types }: EvaluationContext,
  { argumentTypes, variadic }: Common,
  given: readonly TypeRef[],
): readonly TypeRef[] {
  const at = argumentTypes.length - 1;
  const first = types.byOid(given[at]?.oid ?? 0);
  if (variadic === undefined || first === undefined || first.category === 'A') return given;
  return [...given.slice(0, at), typeRef(first.arrayOid)];
}

function machineOf(
  steps: AggregateSteps & { readonly inverseOid?: Oid },
  common: Common,
  context: EvaluationContext,
  call: CallTypes,
): Machine {
  const { functions } = catalogOf(context) as unknown as CatalogPort;
  const declared = common.argumentTypes;
  const given: CallTypes = { arguments: collected(context, common, call.arguments), result: call.result };
  const oids = given.arguments.map(({ oid }) => oid);
  const { result: stateOid } = resolvePolymorphic(context.types, declared, oids, steps.stateType.oid, (types) =>
    functions.commonType(types),
  );
  const state: TypeRef = typeRef(stateOid);
  const stepTypes: CallTypes = { arguments: [state, ...given.arguments], result: state };
  const finalTypes: CallTypes = {
    arguments: steps.finalHasArguments ? stepTypes.arguments : [state],
    result: given.result,
  };
  const { initialText, finalOid, inverseOid } = steps;
  const type = context.types.byOid(stateOid);
  return {
    step: new StepFunction(functions, steps.stepOid, context, stepTypes),
    inverse: inverseOid === undefined ? undefined : new StepFunction(functions, inverseOid, context, stepTypes),
    final: finalOid === undefined ? undefined : new StepFunction(functions, finalOid, context, finalTypes),
    finalNulls: steps.finalHasArguments ? given.arguments.length : 0,
    hasInitial: initialText !== undefined,
    // Read anew for each state: a function may change what it is given.
    initial: () => (initialText === undefined ? null : (type?.input(initialText, -1, context) ?? null)),
  };
}

/** The aggregate as calls are resolved to it. */
export function aggregateOf(routine: RoutineDescriptor, common: Common): AggregateFunction {
  const definition = routine.aggregate as NonNullable<RoutineDescriptor['aggregate']>;
  const stepsOf = (steps: AggregateSteps & { readonly inverseOid?: Oid }): AggregateFunction => {
    // The types are those of a plan, which is made anew when a function has changed.
    const machines = new WeakMap<CallTypes, { readonly context: EvaluationContext; readonly machine: Machine }>();
    return {
      ...common,
      kind: 'aggregate',
      strict: false,
      init: (context, types) => {
        let made = machines.get(types);
        if (made?.context !== context) {
          made = { context, machine: machineOf(steps, common, context, types) };
          machines.set(types, made);
        }
        return new AggregateState(made.machine);
      },
      step: ((state: AggregateState, ...args: Value[]) => {
        state.add(args);
        return state;
      }) as unknown as AggregateFunction['step'],
      final: ((state: AggregateState) => state.result()) as unknown as AggregateFunction['final'],
      ...(steps.inverseOid === undefined
        ? {}
        : {
            inverse: ((state: AggregateState, ...args: Value[]) =>
              state.take(args) ? state : undefined) as unknown as NonNullable<AggregateFunction['inverse']>,
          }),
    };
  };
  const { moving } = definition;
  return { ...stepsOf(definition), ...(moving === undefined ? {} : { moving: stepsOf(moving) }) };
}
