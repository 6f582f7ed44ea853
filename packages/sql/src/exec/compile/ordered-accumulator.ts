/**
 * Aggregates that want their rows in an order: ORDER BY inside the call, ordered-set and hypothetical-set aggregates. Rows
 * are kept with their group's number and stepped in order once all are there.
 */
import type { AggregateCall } from '../../plan/logical/logical.js';
import type { EvaluationContext } from '../../functions/registry.js';
import type { Value } from '../../types/type.js';
import { binary, call as callCode, element, isNotNull, literal, method, and, property, type Code } from '../code/ir.js';
import { PairTable } from '../key-table.js';
import { RowBuffer } from '../row-buffer.js';
import type { Run } from '../run.js';
import { argumentOperands, finalCode, type Accumulator } from './accumulators.js';
import { bufferComparator, type BufferKey } from './comparator.js';
import { addKeyTables, hashKeyOf, keyNumber, typesOf } from './key-tables.js';
import { stateOf } from './program-builder.js';
import { pushValues } from './push-row.js';
import type { Operand } from './row-scope.js';
import type { PlanCompiler, StepContext } from './step.js';

interface GroupStates {
  groups: number;
  states: unknown[];
}

type Step = (state: unknown, ...args: unknown[]) => unknown;

export function orderedAccumulator(compiler: PlanCompiler, call: AggregateCall): Accumulator {
  const { builder } = compiler;
  const { function: definition } = call;
  const argumentCount = call.variadicFrom === undefined ? call.arguments.length : call.variadicFrom + 1;
  // Columns: the group's number, the arguments, the keys.
  const width = 1 + argumentCount + call.orderBy.length;
  const rows = builder.addSlot((run) => new RowBuffer(width, run.memory));
  const results = builder.addSlot((): GroupStates => ({ groups: 0, states: [] }));
  const values = addKeyTables(builder, typesOf(call.arguments));
  const pairs = builder.addSlot((run) => new PairTable(run.memory));
  const keys: BufferKey[] = [
    { column: 0, type: { oid: 23, typmod: -1 }, descending: false, nullsFirst: false, nullable: false },
    ...call.orderBy.map((key, i) => ({
      column: 1 + argumentCount + i,
      type: key.expression.type,
      descending: key.descending,
      nullsFirst: key.nullsFirst,
      nullable: true,
    })),
  ];
  const compare = bufferComparator(builder, keys);
  const addGroup = (state: GroupStates): void => {
    state.groups++;
  };
  const store = (context: StepContext, group: Code, operands: readonly Operand[]): void => {
    const sortValues = call.orderBy.map((key) => context.expressions.value(key.expression).code);
    const all = [group, ...operands.map((operand) => operand.code), ...sortValues];
    pushValues(context, stateOf(context.emitter, context.run, rows), all);
  };
  return {
    neverNull: false,
    begin: (run) => addGroup(run.state[results] as GroupStates),
    emitBegin: ({ emitter, run }) => {
      emitter.evaluate(callCode(emitter.constant(addGroup), stateOf(emitter, run, results)));
    },
    step: (context, group) => {
      const { emitter, run, expressions } = context;
      const write = (): void => {
        const operands = argumentOperands(context, call);
        const tests = definition.strict
          ? operands.filter((operand) => operand.nullable).map((operand) => isNotNull(operand.code))
          : [];
        emitter.if(tests.reduce(and, literal(true)), () => {
          if (!call.distinct) {
            store(context, group, operands);
            return;
          }
          const plain = call.arguments.map((argument) => expressions.value(argument));
          const hashed = call.arguments.map((argument, i) => hashKeyOf(builder, emitter, argument.type, plain[i] as Operand));
          const number = keyNumber(emitter, run, values, hashed, 'intern');
          const table = stateOf(emitter, run, pairs);
          const before = emitter.let(property(table, 'size'));
          const pair = emitter.let(method(table, 'intern', group, number));
          emitter.if(binary('===', pair, before), () => store(context, group, operands));
        });
      };
      emitter.if(call.filter === undefined ? literal(true) : expressions.test(call.filter, true), write);
    },
    final: (context, group) => {
      const states = property(stateOf(context.emitter, context.run, results), 'states');
      return finalCode(context, call, element(states, group));
    },
    addTasks: () => {
      builder.addTask({
        *run(run) {
          const order = compare.get(run.statement) as (columns: readonly Value[][], a: number, b: number) => number;
          stepInOrder(run, call, run.state[rows] as RowBuffer, run.state[results] as GroupStates, order, argumentCount);
        },
      });
    },
  };
}

function stepInOrder(
  run: Run,
  call: AggregateCall,
  rows: RowBuffer,
  results: GroupStates,
  compare: (columns: readonly Value[][], a: number, b: number) => number,
  argumentCount: number,
): void {
  const { function: definition } = call;
  const { columns } = rows;
  const order = Array.from({ length: rows.count }, (_, i) => i);
  order.sort((a, b) => compare(columns, a, b) || a - b);
  for (let group = 0; group < results.groups; group++) results.states.push(definition.init(run.evaluation));
  const step = definition.step as unknown as Step;
  const extra: unknown[] = [];
  if (definition.needsContext === true) extra.push(run.evaluation satisfies EvaluationContext);
  if (definition.needsTypes === true) extra.push({ arguments: call.argumentTypes, result: call.type });
  const groups = columns[0] as number[];
  for (const row of order) {
    const group = groups[row] as number;
    const args: unknown[] = [];
    for (let i = 1; i <= argumentCount; i++) args.push((columns[i] as Value[])[row]);
    results.states[group] = step(results.states[group], ...args, ...extra);
  }
}
