/**
 * Hash aggregation: each row's key gets a number, and each aggregate keeps an array of states by that number. Groups come
 * out in the order in which they first came. GROUPING SETS are several aggregations side by side, one for each set, whose
 * groups meet in a buffer.
 *
 * A DISTINCT aggregate first numbers (group, value); one with ORDER BY keeps its arguments and is stepped at the end.
 */
import { keepsRows } from '../../plan/physical/grouped-rows.js';
import type { AggregateNode } from '../../plan/physical/physical.js';
import { binary, element, literal, ONE, property, type Code } from '../code/ir.js';
import type { KeyTables } from './key-tables.js';
import { RowBuffer } from '../row-buffer.js';
import type { Run } from '../run.js';
import { queryMemory } from '../spill/overflow.js';
import type { Accumulator } from './accumulator.js';
import { accumulatorsFor } from './accumulators.js';
import { addKeyTables, hashKeyOf, keyNumber, lastTable, typesOf } from './key-tables.js';
import { Passes } from './overflow.js';
import { stateOf } from './program-builder.js';
import { pushValues } from './push-row.js';
import { ColumnSource, Row, type Operand } from './row-scope.js';
import { produceBuffer, produceCount, slotReader } from './sources.js';
import { withRow, type Consume, type PlanCompiler, type StepContext } from './step.js';

/** Where the groups by some keys are. */
export interface Groups {
  /** Positions of the keys. */
  readonly keys: readonly number[];
  /** Slot of the key values by group. */
  readonly values: number;
  readonly accumulators: readonly Accumulator[];
  /** Slot of what has the number of groups as its `count`. */
  readonly groups: number;
}

/** One grouping set being computed. */
interface SetPlan extends Groups {
  readonly tables: KeyTables;
}

interface GroupCount {
  count: number;
}

export function produceAggregate(compiler: PlanCompiler, node: AggregateNode, consume: Consume): void {
  const { builder } = compiler;
  // Ordered calls keep their rows apart from the groups, and grouping sets are several aggregations: both stay in memory.
  const isDivisible = node.sets === undefined && node.keys.length > 0 && !node.calls.some(keepsRows);
  const passes = isDivisible ? new Passes(compiler, node.input.columns) : undefined;
  const memoryOf = passes?.memoryOf ?? queryMemory;
  const sets = (node.sets ?? [node.keys.map((_, i) => i)]).map((keys): SetPlan => {
    const expressions = keys.map((key) => (node.keys[key] as AggregateNode['keys'][number]).expression);
    return {
      keys,
      tables: addKeyTables(builder, typesOf(expressions), memoryOf),
      values: builder.addSlot((run) => new RowBuffer(keys.length, memoryOf(run))),
      accumulators: accumulatorsFor(compiler, node.calls, memoryOf),
      groups: builder.addSlot((): GroupCount => ({ count: 0 })),
    };
  });
  passes?.close();
  // A set without keys has its one group even when there are no rows.
  for (const set of sets) {
    if (set.keys.length > 0) continue;
    builder.addTask({
      *run(run) {
        (run.state[set.groups] as GroupCount).count = 1;
        for (const accumulator of set.accumulators) accumulator.begin(run);
      },
    });
  }
  const group: Consume = (context) => {
    const keys = node.keys.map((key) => context.expressions.value(key.expression));
    const codes = node.keys.map((key, i) =>
      hashKeyOf(builder, context.emitter, key.expression.type, keys[i] as Operand),
    );
    for (const set of sets) accumulate(context, set, keys, codes, passes);
  };
  compiler.produce(node.input, group);
  for (const set of sets) {
    for (const accumulator of set.accumulators) accumulator.addTasks?.();
  }
  if (node.sets === undefined) {
    const [only] = sets as [SetPlan];
    produceGroups(compiler, node, only, consume);
    if (passes !== undefined) passes.addTask(group, builder.tasks.pop());
    return;
  }
  const result = builder.addSlot((run) => new RowBuffer(node.columns.length, run.memory));
  for (const set of sets) {
    produceGroups(compiler, node, set, (context) => {
      const values = node.columns.map((column) => context.expressions.column(column).code);
      pushValues(context, stateOf(context.emitter, context.run, result), values);
    });
  }
  produceBuffer(compiler, 'groups', node.columns, slotReader(result), false, () => true, consume);
}

/** Writes what a row does to one set: its group's number, and each aggregate's step. */
function accumulate(
  context: StepContext,
  set: SetPlan,
  keys: readonly Operand[],
  codes: readonly Code[],
  passes: Passes | undefined,
): void {
  const { emitter, run } = context;
  const last = lastTable(set.tables);
  if (last === undefined) {
    for (const accumulator of set.accumulators) accumulator.step(context, literal(0));
    return;
  }
  const groups = stateOf(emitter, run, set.groups);
  const own = set.keys.map((key) => codes[key] as Code);
  const step = (number: Code): void => {
    emitter.if(binary('===', number, property(groups, 'count')), () => {
      emitNewGroup(context, set, keys);
      passes?.emitGrew(context);
    });
    for (const accumulator of set.accumulators) accumulator.step(context, number);
  };
  if (passes === undefined) step(keyNumber(emitter, run, set.tables, own, 'intern'));
  else passes.emitNumber(context, set.tables, own, step);
}

/** Writes the beginning of the next group, which has the row's keys. */
export function emitNewGroup(context: StepContext, set: Groups, keys: readonly Operand[]): void {
  const { emitter, run } = context;
  const groups = stateOf(emitter, run, set.groups);
  emitter.setProperty(groups, 'count', binary('+', property(groups, 'count'), ONE));
  pushValues(
    context,
    stateOf(emitter, run, set.values),
    set.keys.map((key) => (keys[key] as Operand).code),
  );
  for (const accumulator of set.accumulators) accumulator.emitBegin(context);
}

/** The pipeline over the groups of a set. */
export function produceGroups(compiler: PlanCompiler, node: AggregateNode, set: Groups, consume: Consume): void {
  const count = (run: Run): number => (run.state[set.groups] as GroupCount).count;
  produceCount(
    compiler,
    'groups',
    count,
    (context, index) => {
      const { emitter, run } = context;
      const row = new Row();
      node.keys.forEach((key, i) => {
        const at = set.keys.indexOf(i);
        if (at < 0) {
          row.set(key.column, new ColumnSource(true, () => literal(null)));
          return;
        }
        const values = element(property(stateOf(emitter, run, set.values), 'columns'), literal(at));
        const column = emitter.hoist(`keys${set.values}.${at}`, values);
        const nullable = !(
          key.expression.kind === 'column' && compiler.builder.context.isNotNull(key.expression.column)
        );
        row.set(key.column, new ColumnSource(nullable, () => element(column, index)));
      });
      for (const grouping of node.groupings) {
        let bits = 0;
        for (const key of grouping.keys) bits = bits * 2 + (set.keys.includes(key) ? 0 : 1);
        row.set(grouping.column, new ColumnSource(false, () => literal(bits)));
      }
      const keyed = withRow(compiler, context, Row.of(row));
      node.calls.forEach((call, i) => {
        const accumulator = set.accumulators[i] as Accumulator;
        row.set(call.column, new ColumnSource(!accumulator.neverNull, () => accumulator.final(keyed, index)));
      });
      return row;
    },
    consume,
  );
}
