/**
 * Aggregates that want their rows in an order: ORDER BY inside the call, ordered-set and hypothetical-set aggregates. Rows
 * are kept with their group's number, put in order once all are there, and stepped group by group when results are asked for.
 */
import type { AggregateCall } from '../../plan/logical/logical.js';
import type { Value } from '../../types/type.js';
import { and, binary, call as callCode, isNotNull, literal, method, property, type Code } from '../code/ir.js';
import { PairTable } from '../key-table.js';
import { RowBuffer } from '../row-buffer.js';
import type { Run } from '../run.js';
import { argumentOperands, type Accumulator } from './accumulator.js';
import { bufferComparator, valueComparison, type BufferKey } from './comparator.js';
import { addKeyTables, hashKeyOf, keyNumber, typesOf } from './key-tables.js';
import { stateOf } from './program-builder.js';
import { pushValues } from './push-row.js';
import type { Operand } from './row-scope.js';
import type { PlanCompiler, StepContext } from './step.js';
import { INT4 } from '../../types/type-refs.js';

/** The rows in order, and where each group's begin. */
interface Ordered {
  groups: number;
  order: readonly number[];
  /** Start of each group in `order`; one more entry for the end. */
  starts: Int32Array;
}

type Step = (state: unknown, ...args: unknown[]) => unknown;
type Final = (state: unknown, ...direct: unknown[]) => Value;
type CompareRows = (columns: readonly Value[][], a: number, b: number) => number;

/** Compares the key values of a row with those of a hypothetical one. */
type CompareDirect = (columns: readonly Value[][], row: number, direct: readonly Value[]) => number;

export function orderedAccumulator(compiler: PlanCompiler, call: AggregateCall): Accumulator {
  const { builder } = compiler;
  const { function: definition } = call;
  const argumentCount = call.variadicFrom === undefined ? call.arguments.length : call.variadicFrom + 1;
  // Columns: the group's number, the arguments, the keys.
  const width = 1 + argumentCount + call.orderBy.length;
  const rows = builder.addSlot((run) => new RowBuffer(width, run.memory));
  const results = builder.addSlot((): Ordered => ({ groups: 0, order: [], starts: new Int32Array(1) }));
  const values = addKeyTables(builder, typesOf(call.arguments));
  const pairs = builder.addSlot((run) => new PairTable(run.memory));
  const sortKeys = call.orderBy.map((key, i): BufferKey => ({
    column: 1 + argumentCount + i,
    type: key.expression.type,
    descending: key.descending,
    nullsFirst: key.nullsFirst,
    nullable: true,
  }));
  const group: BufferKey = {
    column: 0,
    type: INT4,
    descending: false,
    nullsFirst: false,
    nullable: false,
  };
  const compare = bufferComparator(builder, [group, ...sortKeys]);
  const compareDirect = directComparison(compiler, sortKeys);
  const addGroup = (state: Ordered): void => {
    state.groups++;
  };
  const store = (context: StepContext, number: Code, operands: readonly Operand[]): void => {
    const sortValues = call.orderBy.map((key) => context.expressions.value(key.expression).code);
    const all = [number, ...operands.map((operand) => operand.code), ...sortValues];
    pushValues(context, stateOf(context.emitter, context.run, rows), all);
  };
  const finish = (run: Run, number: number, direct: readonly Value[]): Value =>
    finishGroup(
      run,
      call,
      run.state[rows] as RowBuffer,
      run.state[results] as Ordered,
      number,
      direct,
      argumentCount,
      compareDirect,
    );
  const skipsNulls = definition.strict && definition.ordering !== 'hypothetical';
  return {
    neverNull: false,
    begin: (run) => addGroup(run.state[results] as Ordered),
    emitBegin: ({ emitter, run }) => {
      emitter.evaluate(callCode(emitter.constant(addGroup), stateOf(emitter, run, results)));
    },
    step: (context, number) => {
      const { emitter, run, expressions } = context;
      const write = (): void => {
        const operands = argumentOperands(context, call);
        const tests = skipsNulls
          ? operands.filter((operand) => operand.nullable).map((operand) => isNotNull(operand.code))
          : [];
        emitter.if(tests.reduce(and, literal(true)), () => {
          if (!call.distinct) {
            store(context, number, operands);
            return;
          }
          const plain = call.arguments.map((argument) => expressions.value(argument));
          const hashed = call.arguments.map((argument, i) =>
            hashKeyOf(builder, emitter, argument.type, plain[i] as Operand),
          );
          const value = keyNumber(emitter, run, values, hashed, 'intern');
          const table = stateOf(emitter, run, pairs);
          const before = emitter.let(property(table, 'size'));
          const pair = emitter.let(method(table, 'intern', number, value));
          emitter.if(binary('===', pair, before), () => store(context, number, operands));
        });
      };
      emitter.if(call.filter === undefined ? literal(true) : expressions.test(call.filter, true), write);
    },
    final: ({ emitter, run, expressions }, number) => {
      const items = call.directArguments.map((argument) => expressions.value(argument).code);
      return callCode(emitter.constant(finish), run, number, { kind: 'array', items });
    },
    addTasks: () => {
      builder.addTask({
        *run(run) {
          putInOrder(
            run.state[rows] as RowBuffer,
            run.state[results] as Ordered,
            compare.get(run.statement) as CompareRows,
          );
        },
      });
    },
  };
}

function putInOrder(rows: RowBuffer, ordered: Ordered, compare: CompareRows): void {
  const { columns } = rows;
  const order = Array.from({ length: rows.count }, (_, i) => i);
  order.sort((a, b) => compare(columns, a, b) || a - b);
  const starts = new Int32Array(ordered.groups + 1);
  const groups = columns[0] as number[];
  for (const row of order) starts[(groups[row] as number) + 1] = (starts[(groups[row] as number) + 1] as number) + 1;
  for (let g = 0; g < ordered.groups; g++) starts[g + 1] = (starts[g + 1] as number) + (starts[g] as number);
  ordered.order = order;
  ordered.starts = starts;
}

function finishGroup(
  run: Run,
  call: AggregateCall,
  rows: RowBuffer,
  ordered: Ordered,
  group: number,
  direct: readonly Value[],
  argumentCount: number,
  compareDirect: CompareDirect,
): Value {
  const { function: definition } = call;
  const { columns } = rows;
  const step = definition.step as unknown as Step;
  let state = definition.init(run.evaluation, { arguments: call.argumentTypes, result: call.type });
  const from = ordered.starts[group] as number;
  const to = ordered.starts[group + 1] as number;
  let previous = -1;
  for (let i = from; i < to; i++) {
    const row = ordered.order[i] as number;
    if (definition.ordering === 'hypothetical') {
      const differs = previous < 0 || differ(columns, previous, row, 1 + argumentCount);
      state = step(state, compareDirect(columns, row, direct), differs);
      previous = row;
      continue;
    }
    const args: unknown[] = [];
    for (let c = 1; c <= argumentCount; c++) args.push((columns[c] as Value[])[row]);
    state = step(state, ...args);
  }
  return (definition.final as unknown as Final)(state, ...direct);
}

/** Whether two rows differ in a column from `from` on. */
function differ(columns: readonly Value[][], a: number, b: number, from: number): boolean {
  for (let c = from; c < columns.length; c++) {
    if (!Object.is((columns[c] as Value[])[a], (columns[c] as Value[])[b])) return true;
  }
  return false;
}

function directComparison(compiler: PlanCompiler, keys: readonly BufferKey[]): CompareDirect {
  const comparisons = keys.map((key) => valueComparison(compiler.builder, key.type));
  return (columns, row, direct) => {
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] as BufferKey;
      const a = (columns[key.column] as Value[])[row] ?? null;
      const b = direct[i] ?? null;
      if (a === null || b === null) {
        if (a === b) continue;
        return (a === null) === key.nullsFirst ? -1 : 1;
      }
      const order = comparisons[i]?.(a, b) ?? 0;
      if (order !== 0) return key.descending ? -order : order;
    }
    return 0;
  };
}
