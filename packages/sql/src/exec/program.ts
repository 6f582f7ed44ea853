/**
 * A compiled program: state slots, and pipelines in the order in which they run. The plan of a statement is one, each
 * subplan of an expression another.
 *
 * A pipeline is a source and a step. The source hands the step pieces of its rows; the step (generated) works through
 * [from, to) and answers how far it came: `to` for all, less when it wants a rest (the output is full, its fuel is used
 * up), or STOP when nobody needs more rows. Steps are plain functions, and generators only where something inside them
 * may wait or run long (a correlated subplan, a row lock); the loop around them is a generator always.
 */
import { closureFunction } from './code/closures.js';
import type { FunctionCode } from './code/ir.js';
import { generateFunction } from './code/javascript.js';
import { Run, type Statement } from './run.js';
import type { Yielded } from './runtime.js';

/** A step's answer: no more rows are wanted. */
export const STOP = -1;

/** Work units between two looks at the clock. */
export const FUEL = 4096;

export type AnyFunction = (...args: unknown[]) => unknown;

/** A function of the IR with both of its compiled forms, each made when first wanted. */
export class CompiledFunction {
  readonly code: FunctionCode;
  private readonly constants: readonly unknown[];
  private generated: AnyFunction | undefined;
  private closures: AnyFunction | undefined;

  constructor(code: FunctionCode, constants: readonly unknown[]) {
    this.code = code;
    this.constants = constants;
  }

  get(statement: Statement): AnyFunction {
    if (!statement.generated) return (this.closures ??= closureFunction(this.code, this.constants));
    if (this.generated === undefined) {
      this.generated = generateFunction(this.code, this.constants);
      statement.context.counters.compilations++;
    }
    return this.generated;
  }
}

export type Work<Result = void> = Generator<Yielded, Result, void>;

/** What a task answers that has done all it does when it is called. */
export const DONE: Work = (function* nothing() {})();

/** One thing a program does; most are pipelines. One that answers false has found that nobody wants more of its rows. */
export interface Task {
  run(run: Run): Work<unknown>;
}

/** Runs the tasks of a program that is measured. */
export interface TaskMeasure {
  run(tasks: readonly Task[], run: Run): Work;
}

export interface Program {
  readonly slots: readonly ((run: Run) => unknown)[];
  readonly tasks: readonly Task[];
  /** Set in plans that count what they do. */
  readonly measure: TaskMeasure | undefined;
}

/** Runs a program from the start in a run of its own; the run's state is set up here. */
export function* runProgram(program: Program, run: Run): Work {
  const { slots, tasks, measure } = program;
  for (let i = 0; i < slots.length; i++) run.state[i] = (slots[i] as (run: Run) => unknown)(run);
  if (measure !== undefined) yield* measure.run(tasks, run);
  else for (const task of tasks) yield* task.run(run);
}

/** A run of a program inside a statement. */
export function newRun(program: Program, statement: Statement, outer: readonly unknown[]): Run {
  return new Run(statement, outer, program.slots.length);
}
