/**
 * UNION ALL (append), INTERSECT and EXCEPT.
 *
 * Few branches of an append are written each with a copy of what follows; many go through a buffer, so that code does not
 * grow with their number.
 */
import { columnReference } from '../../expr/expression.js';
import type { Append, SetOperationNode } from '../../plan/physical/physical.js';
import { AppendPipeline, AppendSink, GATHERED_ROWS } from '../append-pipeline.js';
import { binary, literal, method, property, type Code } from '../code/ir.js';
import { DONE, type Task } from '../program.js';
import { RowBuffer } from '../row-buffer.js';
import type { Run } from '../run.js';
import { addKeyTables, hashKeyOf, keyNumber, typesOf } from './key-tables.js';
import { stateOf } from './program-builder.js';
import { pushValues } from './push-row.js';
import { ColumnSource, Row } from './row-scope.js';
import { produceBuffer, slotReader } from './sources.js';
import { withRow, type Consume, type PlanCompiler } from './step.js';

const COPIED_BRANCHES_MAX = 2;

export function produceAppend(compiler: PlanCompiler, node: Append, consume: Consume): void {
  const { builder } = compiler;
  const { pruning } = node;
  const left =
    pruning === undefined
      ? undefined
      : builder.addSlot(({ parameters, evaluation }) => pruning(parameters, evaluation));
  const isLeft = (run: Run, place: number): boolean =>
    left === undefined || (run.state[left] as ReadonlySet<number>).has(place);
  if (left === undefined && node.inputs.length <= COPIED_BRANCHES_MAX) {
    node.inputs.forEach((input, i) => {
      const sources = node.inputColumns[i] ?? [];
      compiler.produce(input, (context) => {
        const row = Row.of(context.row);
        const { expressions } = context;
        node.columns.forEach((column, c) => {
          const source = sources[c] as number;
          row.set(column, new ColumnSource(true, () => expressions.column(source).code));
        });
        consume(withRow(compiler, context, row));
      });
    });
    return;
  }
  const made: { pipeline?: AppendPipeline } = {};
  const slot = builder.addSlot((run) => new AppendSink(run, made.pipeline as AppendPipeline, node.columns.length));
  const sinkOf = (run: Run): AppendSink => run.state[slot] as AppendSink;
  node.inputs.forEach((input, i) => {
    const sources = node.inputColumns[i] ?? [];
    const from = builder.tasks.length;
    compiler.produce(input, (context) => {
      const { emitter, run, expressions, state } = context;
      const values = sources.map((column) => expressions.column(column).code);
      const sink = stateOf(emitter, run, slot);
      const buffer = emitter.hoist(`gathered${slot}`, property(sink, 'buffer'));
      pushValues(context, buffer, values);
      state.sink = sinkOf;
      state.checks.push(binary('>=', property(buffer, 'count'), literal(GATHERED_ROWS)));
    });
    for (let t = from; t < builder.tasks.length; t++) {
      const task = builder.tasks[t] as Task;
      builder.tasks[t] = { run: (run) => (isLeft(run, i) && !sinkOf(run).isOver ? task.run(run) : DONE) };
    }
  });
  produceBuffer(
    compiler,
    'append',
    node.columns,
    (run) => sinkOf(run).buffer,
    false,
    () => true,
    consume,
    (code, sink) => (made.pipeline = new AppendPipeline(code, sink, slot)),
  );
}

/** Counts of the rows of both sides by key number. */
class SideCounts {
  readonly left: number[] = [];
  readonly right: number[] = [];

  add(side: number, number: number): void {
    const counts = side === 0 ? this.left : this.right;
    while (counts.length <= number) counts.push(0);
    counts[number] = (counts[number] as number) + 1;
  }
}

export function produceSetOperation(compiler: PlanCompiler, node: SetOperationNode, consume: Consume): void {
  const { builder } = compiler;
  const { pool } = compiler.planner.context;
  const types = node.columns.map((column) => pool.get(column).type);
  const tables = addKeyTables(
    builder,
    typesOf(node.columns.map((column, i) => columnReference(column, types[i] as (typeof types)[number]))),
  );
  const counts = builder.addSlot(() => new SideCounts());
  // One row for each key, as it came first; the result repeats it as often as the operation says.
  const rows = builder.addSlot((run) => new RowBuffer(node.columns.length, run.memory));
  const result = builder.addSlot((run) => new RowBuffer(node.columns.length, run.memory));
  node.inputs.forEach((input, side) => {
    const sources = node.inputColumns[side] ?? [];
    compiler.produce(input, (context) => {
      const { emitter, run, expressions } = context;
      const operands = sources.map((column) => expressions.column(column));
      const keys = operands.map((operand, i) =>
        hashKeyOf(builder, emitter, types[i] as (typeof types)[number], operand),
      );
      const number = keyNumber(emitter, run, tables, keys, 'intern');
      const buffer = stateOf(emitter, run, rows);
      const count: Code = { kind: 'property', object: buffer, name: 'count' };
      emitter.if({ kind: 'binary', operator: '===', left: number, right: count }, () =>
        pushValues(
          context,
          buffer,
          operands.map((operand) => operand.code),
        ),
      );
      emitter.evaluate(method(stateOf(emitter, run, counts), 'add', { kind: 'literal', value: side }, number));
    });
  });
  const { operation, all } = node;
  builder.addTask({
    *run(run) {
      const side = run.state[counts] as SideCounts;
      const kept = run.state[rows] as RowBuffer;
      const out = run.state[result] as RowBuffer;
      for (let number = 0; number < kept.count; number++) {
        const left = side.left[number] ?? 0;
        const right = side.right[number] ?? 0;
        const times = repetitions(operation, all, left, right);
        if (times === 0) continue;
        const row = kept.columns.map((column) => column[number]);
        for (let i = 0; i < times; i++) out.pushRow(row);
      }
    },
  });
  produceBuffer(compiler, operation, node.columns, slotReader(result), false, () => true, consume);
}

function repetitions(operation: 'intersect' | 'except', all: boolean, left: number, right: number): number {
  if (operation === 'intersect') {
    const both = Math.min(left, right);
    return all ? both : Math.min(both, 1);
  }
  if (all) return Math.max(0, left - right);
  return left > 0 && right === 0 ? 1 : 0;
}
