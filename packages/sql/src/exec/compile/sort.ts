/** Sort: rows into a buffer with their keys, put in order, read again. */
import type { Expression } from '../../expr/expression.js';
import type { Sort } from '../../plan/physical/physical.js';
import type { Code, Local } from '../code/ir.js';
import type { CompiledFunction } from '../program.js';
import { SortedPipeline } from '../pipelines.js';
import type { Run } from '../run.js';
import { spillCodec } from '../spill/spill-codec.js';
import { Sorter } from '../sorter.js';
import { bufferComparator, type BufferKey } from './comparator.js';
import { stateOf } from './program-builder.js';
import { pushValues } from './push-row.js';
import { Row } from './row-scope.js';
import { produceBuffer, slotReader } from './sources.js';
import { stepContext, type Consume, type PlanCompiler } from './step.js';

/** Where the keys lie in a buffer of columns and further values. */
export interface KeyLayout {
  readonly keys: readonly BufferKey[];
  /** Key expressions that are not columns of the buffer, to be kept after them. */
  readonly extra: readonly Expression[];
}

export function layKeys(
  compiler: PlanCompiler,
  columns: readonly number[],
  sortKeys: readonly { readonly expression: Expression; readonly descending: boolean; readonly nullsFirst: boolean }[],
): KeyLayout {
  const extra: Expression[] = [];
  const keys = sortKeys.map((key): BufferKey => {
    const { expression, descending, nullsFirst } = key;
    let column = expression.kind === 'column' ? columns.indexOf(expression.column) : -1;
    if (column < 0) {
      column = columns.length + extra.length;
      extra.push(expression);
    }
    const nullable = !(expression.kind === 'column' && compiler.builder.context.isNotNull(expression.column));
    return { column, type: expression.type, descending, nullsFirst, nullable };
  });
  return { keys, extra };
}

export function produceSort(compiler: PlanCompiler, node: Sort, consume: Consume): void {
  const { builder } = compiler;
  const { columns } = node;
  const { keys, extra } = layKeys(compiler, columns, node.keys);
  const compare = bufferComparator(builder, keys);
  const top = compileTop(compiler, node);
  const { pool } = compiler.planner.context;
  const types = [...columns.map((column) => pool.get(column).type), ...extra.map((expression) => expression.type)];
  const codec = spillCodec(types, builder.context.types);
  const slot = builder.addSlot((run) => new Sorter(types.length, run.memory, compare, run, codec));
  // Subqueries in LIMIT run before; so the rows wanted are counted by a task, not with the slots.
  if (top !== undefined) {
    builder.addTask({
      *run(run) {
        (run.state[slot] as Sorter).wantAtMost(top(run));
      },
    });
  }
  compiler.produce(node.input, (context) => {
    const values = [
      ...columns.map((column) => context.expressions.column(column).code),
      ...extra.map((expression) => context.expressions.value(expression).code),
    ];
    pushValues(context, stateOf(context.emitter, context.run, slot), values);
  });
  builder.addTask({
    *run(run) {
      (run.state[slot] as Sorter).finish();
    },
  });
  const isNotNull = (column: number): boolean => builder.context.isNotNull(column);
  const reader = slotReader<Sorter>(slot);
  const nullable = (column: number): boolean => !isNotNull(column);
  produceBuffer(
    compiler,
    'sorted',
    columns,
    reader,
    true,
    nullable,
    consume,
    (code, sink) => new SortedPipeline(code, sink, reader),
  );
}

/** How many rows are wanted at most, from LIMIT and OFFSET; null and no limit are Infinity. */
function compileTop(compiler: PlanCompiler, node: Sort): ((run: Run) => number) | undefined {
  const { top } = node;
  if (top === undefined) return undefined;
  const count = compileNumber(compiler, top.count);
  const offset = top.offset === undefined ? (): number => 0 : compileNumber(compiler, top.offset);
  return (run) => {
    const wanted = count(run);
    const skipped = offset(run);
    if (wanted === null || Number(wanted) < 0) return Infinity;
    return Number(wanted) + Math.max(0, Number(skipped ?? 0));
  };
}

/** An expression without columns as a function of the run. Subqueries in it have run before. */
export function compileNumber(compiler: PlanCompiler, expression: Expression): (run: Run) => number | bigint | null {
  if (expression.kind === 'constant') {
    const value = expression.value as number | bigint | null;
    return () => value;
  }
  const compiled: CompiledFunction = compileValue(compiler, expression);
  return (run) => compiled.get(run.statement)(run) as number | bigint | null;
}

/** (run) => value. */
export function compileValue(compiler: PlanCompiler, expression: Expression): CompiledFunction {
  const emitter = compiler.builder.emitter();
  const [run] = emitter.parameters(1) as [Local];
  const context = stepContext(compiler, emitter, run, new Row(), { checks: [], usesFuel: false });
  const value: Code = context.expressions.value(expression).code;
  emitter.return(value);
  return compiler.builder.compiled(emitter.finish('value', [run]));
}
