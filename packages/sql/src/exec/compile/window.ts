/**
 * Window functions: rows go into a buffer with their partition keys, ordering keys, arguments and frame limits; it is put in
 * order, the functions fill a column each, partition by partition, and the rows are read again in that order. Rows past the
 * memory are sorted by runs; of their partitions only a few are in memory at a time.
 */
import { type MemoryBudget, MemoryShare } from '@phantom/base';
import type { ColumnId, Expression } from '../../expr/expression.js';
import type { WindowCall } from '../../plan/logical/logical.js';
import type { WindowNode } from '../../plan/physical/physical.js';
import { Pipeline } from '../pipelines.js';
import type { Work } from '../program.js';
import type { Value } from '../../types/type.js';
import type { Run } from '../run.js';
import { spillCodec } from '../spill/spill-codec.js';
import { computeWindow, type WindowColumn, type WindowInput } from '../window/compute.js';
import { PartitionSorter } from '../window/partition-sorter.js';
import { bufferComparator, valueComparison, type BufferKey } from './comparator.js';
import { stateOf } from './program-builder.js';
import { pushValues } from './push-row.js';
import { produceBuffer, slotReader } from './sources.js';
import type { Consume, PlanCompiler } from './step.js';

/** Columns of the buffer being laid out: the input's, then every further value that is needed. */
class Layout {
  readonly columns: readonly ColumnId[];
  readonly extra: Expression[] = [];

  constructor(columns: readonly ColumnId[]) {
    this.columns = columns;
  }

  /** Where the expression's value lies. */
  place(expression: Expression): number {
    if (expression.kind === 'column') {
      const at = this.columns.indexOf(expression.column);
      if (at >= 0) return at;
    }
    this.extra.push(expression);
    return this.columns.length + this.extra.length - 1;
  }

  optional(expression: Expression | undefined): number | undefined {
    return expression === undefined ? undefined : this.place(expression);
  }
}

export function produceWindow(compiler: PlanCompiler, node: WindowNode, consume: Consume): void {
  const { builder } = compiler;
  const layout = new Layout(node.input.columns);
  const key = (expression: Expression, descending: boolean, nullsFirst: boolean): BufferKey => ({
    column: layout.place(expression),
    type: expression.type,
    descending,
    nullsFirst,
    nullable: true,
  });
  const partition = node.partition.map((expression) => key(expression, false, false));
  const order = node.order.map((item) => key(item.expression, item.descending, item.nullsFirst));
  const calls = node.calls.map((call) => layCall(compiler, layout, call, node));
  const inputWidth = layout.columns.length + layout.extra.length;
  const compare = bufferComparator(builder, [...partition, ...order]);
  const samePartition = bufferComparator(builder, partition);
  const samePeers = bufferComparator(builder, order);
  const width = inputWidth + calls.length;
  const { pool } = compiler.planner.context;
  const types = [...layout.columns.map((column) => pool.get(column).type), ...layout.extra.map((extra) => extra.type)];
  const codec = spillCodec(types, builder.context.types);
  const slot = builder.addSlot((run) => new PartitionSorter(width, run.memory, compare, samePartition, run, codec));
  compiler.produce(node.input, (context) => {
    const { expressions } = context;
    const values = [
      ...layout.columns.map((column) => expressions.column(column).code),
      ...layout.extra.map((expression) => expressions.value(expression).code),
    ];
    pushValues(context, stateOf(context.emitter, context.run, slot), values);
  });
  const rows = slotReader<PartitionSorter>(slot);
  const compute = function* (run: Run, memory: MemoryBudget): Work {
    const buffer = rows(run);
    const input: WindowInput = {
      columns: buffer.columns,
      order: buffer.order as Uint32Array,
      count: buffer.count,
      samePartition: compareAs(samePartition.get(run.statement)),
      samePeers: compareAs(samePeers.get(run.statement)),
      evaluation: run.evaluation,
      memory,
    };
    for (let i = 0; i < calls.length; i++) {
      const results = buffer.columns[inputWidth + i] as Value[];
      results.length = buffer.count;
      yield* computeWindow(input, calls[i] as WindowColumn, results, () => run.context.slice.due());
    }
  };
  const made = new Map(node.calls.map((call, i) => [call.column, inputWidth + i] as const));
  const byPosition = Array.from({ length: width }, (_, position): ColumnId => {
    if (position < layout.columns.length) return layout.columns[position] as ColumnId;
    for (const [column, at] of made) if (at === position) return column;
    return -1 - position;
  });
  const isNullable = (): boolean => true;
  produceBuffer(
    compiler,
    'window',
    byPosition,
    rows,
    true,
    isNullable,
    consume,
    (code, sink) => new WindowPipeline(code, sink, rows, compute),
  );
}

/** Puts the rows in order and hands them on behind the functions' results: all of them, or partitions as they come. */
class WindowPipeline extends Pipeline {
  private readonly rows: (run: Run) => PartitionSorter;
  private readonly compute: (run: Run, memory: MemoryBudget) => Work;

  constructor(
    step: Pipeline['step'],
    sink: Pipeline['sink'],
    rows: (run: Run) => PartitionSorter,
    compute: (run: Run, memory: MemoryBudget) => Work,
  ) {
    super(step, sink);
    this.rows = rows;
    this.compute = compute;
  }

  *run(run: Run): Work {
    const rows = this.rows(run);
    // What results take is given back with them, when the rows of the next piece come.
    const results = new MemoryShare(run.memory);
    rows.finish();
    do {
      results.release();
      yield* this.compute(run, results);
      if (!(yield* this.drive(run, rows, rows.count))) return;
    } while (rows.refill());
  }
}

type Compare = (columns: readonly Value[][], a: number, b: number) => number;

function compareAs(compiled: unknown): Compare {
  return compiled as Compare;
}

function layCall(compiler: PlanCompiler, layout: Layout, call: WindowCall, node: WindowNode): WindowColumn {
  const { frame } = call;
  const [firstKey] = node.order;
  const limit = (bound: typeof frame.startLimit): WindowColumn['startLimit'] =>
    bound === undefined
      ? undefined
      : {
          value: layout.place(bound.value),
          limit: layout.place(bound.limit),
          compare: valueComparison(compiler.builder, bound.value.type) ?? ((): number => 0),
        };
  return {
    call,
    arguments: call.arguments.map((argument) => layout.place(argument)),
    filter: layout.optional(call.filter),
    startOffset: layout.optional(frame.start.offset),
    endOffset: layout.optional(frame.end.offset),
    startLimit: limit(frame.startLimit),
    endLimit: limit(frame.endLimit),
    descending: firstKey?.descending ?? false,
  };
}
