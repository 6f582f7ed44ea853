/** Opening steps over the usual sources, and closing them into tasks. */
import { assert } from '@phantom/base';
import type { ColumnId } from '../../expr/expression.js';
import { binary, element, ONE, property, type Code, type Local } from '../code/ir.js';
import { BufferPipeline, CountPipeline, OncePipeline, type Pipeline, type Sink } from '../pipelines.js';
import type { CompiledFunction } from '../program.js';
import type { RowBuffer } from '../row-buffer.js';
import type { Run } from '../run.js';
import { Row } from './row-scope.js';
import {
  bufferRow,
  rowBoundary,
  stepContext,
  type Consume,
  type PlanCompiler,
  type StepContext,
  type StepState,
} from './step.js';

/** The parameters of every step. */
export interface StepParameters {
  readonly run: Local;
  readonly source: Local;
  readonly from: Local;
  readonly to: Local;
}

export interface OpenedStep extends StepParameters {
  readonly context: StepContext;
}

/** Closes a step into the task that drives it. */
export type MakePipeline = (step: CompiledFunction, sink: ((run: Run) => Sink) | undefined) => Pipeline;

/** Writes a step: `body` gets the parameters and writes everything, loop included. */
export function writeStep(
  compiler: PlanCompiler,
  name: string,
  body: (step: OpenedStep) => void,
  makeTask: MakePipeline,
): void {
  const emitter = compiler.builder.emitter();
  const [run, source, from, to] = emitter.parameters(4) as [Local, Local, Local, Local];
  const state: StepState = { checks: [], usesFuel: false, waits: true };
  const context = stepContext(compiler, emitter, run, new Row(), state);
  body({ run, source, from, to, context });
  emitter.return(to);
  const code = emitter.finish(name, [run, source, from, to]);
  state.task = compiler.builder.tasks.length;
  compiler.builder.addTask(makeTask(compiler.builder.compiled(code), state.sink));
}

/** Writes a loop over [from, to): `each` gets the index of the row. */
export function loopRows(step: OpenedStep, each: (index: Code) => void): void {
  const { emitter } = step.context;
  const index = emitter.let(step.from);
  emitter.loop((label) => {
    emitter.if(binary('>=', index, step.to), () => emitter.break(label));
    const current = emitter.let(index);
    step.context.state.index = current;
    each(current);
    emitter.assign(index, binary('+', index, ONE));
    rowBoundary(step.context, index);
  });
}

/** A pipeline over a buffer. `ordered`: the buffer's order is set, rows are read in it. */
export function produceBuffer(
  compiler: PlanCompiler,
  name: string,
  columns: readonly ColumnId[],
  buffer: (run: Run) => RowBuffer,
  ordered: boolean,
  nullable: (column: ColumnId) => boolean,
  consume: Consume,
  makePipeline: MakePipeline = (code, sink) => new BufferPipeline(code, sink, buffer),
): void {
  writeStep(
    compiler,
    name,
    (step) => {
      const { emitter, run, state } = step.context;
      const order = ordered ? emitter.hoist('order', property(step.source, 'order')) : undefined;
      loopRows(step, (index) => {
        const at = order === undefined ? index : emitter.let(element(order, index));
        const row = bufferRow(step.source, columns, nullable, at);
        consume(stepContext(compiler, emitter, run, row, state));
      });
    },
    makePipeline,
  );
}

/** A pipeline over the numbers below a count known when it starts. */
export function produceCount(
  compiler: PlanCompiler,
  name: string,
  count: (run: Run) => number,
  rowOf: (context: StepContext, index: Code) => Row,
  consume: Consume,
): void {
  writeStep(
    compiler,
    name,
    (step) => {
      const { emitter, run, state } = step.context;
      loopRows(step, (index) => {
        const row = rowOf(step.context, index);
        consume(stepContext(compiler, emitter, run, row, state));
      });
    },
    (code, sink) => new CountPipeline(code, sink, count),
  );
}

/** A pipeline that runs its body once. */
export function produceOnce(compiler: PlanCompiler, name: string, body: (step: OpenedStep) => void): void {
  writeStep(compiler, name, body, (code, sink) => new OncePipeline(code, sink));
}

/** Reads a state slot of a run. */
export function slotReader<T>(slot: number): (run: Run) => T {
  return (run) => {
    const value = run.state[slot];
    assert(value !== undefined, 'a slot is filled before it is read');
    return value as T;
  };
}
