/**
 * Steps: the functions that do the work of pipelines. A source opens a step, operators write into it row by row, and the
 * closed step becomes a task of the program.
 */
import type { ColumnId } from '../../expr/expression.js';
import type { PhysicalNode } from '../../plan/physical/physical.js';
import type { PhysicalPlanner } from '../../plan/physical/planner.js';
import type { Emitter } from '../code/emitter.js';
import { binary, call, conditional, element, literal, property, ZERO, type Code, type Local } from '../code/ir.js';
import { restWithin, type Sink } from '../pipelines.js';
import type { PlanMeasure } from '../plan-measure.js';
import type { SegmentCount } from '../runtime.js';
import { STOP, type Work } from '../program.js';
import type { Run } from '../run.js';
import { ExpressionCompiler } from './expression-compiler.js';
import type { ProgramBuilder } from './program-builder.js';
import { ColumnSource, Row } from './row-scope.js';
import type { SubplanCompiler } from './subplan-face.js';

/** What operators of one step share. */
export interface StepState {
  /** Conditions under which the step returns to its driver after a row. */
  readonly checks: Code[];
  /** The step has inner loops: it lowers the run's fuel and returns when it is used up. */
  usesFuel: boolean;
  /** The code is that of a step, whose driver follows a generator. */
  readonly waits?: boolean;
  /** The step may end its pipeline before the source does. */
  stops?: boolean;
  /** How many rows of its source such a step wants at the least, if it tells. */
  wanted?: (run: Run) => number;
  /** The row at hand: where the driver goes on when the step returns before it has done anything with it. */
  index?: Code;
  /** Where what the step writes gathers. */
  sink?: (run: Run) => Sink;
  /** Which task of its program the step has become. */
  task?: number;
  /** Turns that the loops written at this place take, about; those within one another multiplied. */
  turns?: number;
  /** Among them is one that may take any number of turns, whatever was estimated. */
  isOpen?: boolean;
}

/** Where code for the current row is being written. */
export interface StepContext {
  readonly emitter: Emitter;
  readonly run: Local;
  readonly row: Row;
  readonly state: StepState;
  readonly expressions: ExpressionCompiler;
}

/** Writes what is done with each row. */
export type Consume = (context: StepContext) => void;

/** The parts of the plan compiler that operators need. */
export interface PlanCompiler {
  readonly builder: ProgramBuilder;
  readonly planner: PhysicalPlanner;
  readonly subplans: SubplanCompiler;
  /** Of a plan that counts what it does. */
  readonly measure: PlanMeasure | undefined;
  /** Writes a count of each time the place is reached (and the test holds) into a measured plan; nothing into others. */
  count(context: StepContext, node: PhysicalNode, what: 'rows' | 'loops', test?: Code): void;
  /** Where a scan of a column index counts segments; undefined in plans that are not measured. */
  segmentsOf(node: PhysicalNode): SegmentCount | undefined;
  /** True for the modification whose rows the command tag counts: the statement's own, not one in WITH. */
  isCounted(node: PhysicalNode): boolean;
  /** Writes the pipelines that give the node's rows; the last of them hands each row to `consume`. */
  produce(node: PhysicalNode, consume: Consume): void;
  /**
   * Writes the node's rows in a program of its own (a subplan, the inside of a lateral join, what is run for each partition), whose
   * last pipeline hands each to `consume`.
   */
  produceIn(program: ProgramBuilder, node: PhysicalNode, consume: Consume, isPartition?: boolean): void;
}

/** A context for code over a row. */
export function stepContext(
  compiler: PlanCompiler,
  emitter: Emitter,
  run: Local,
  row: Row,
  state: StepState,
): StepContext {
  const waits = state.waits === true;
  const expressions = new ExpressionCompiler(compiler.builder, emitter, run, row, compiler.subplans, waits);
  return { emitter, run, row, state, expressions };
}

/** The same place with another row. */
export function withRow(compiler: PlanCompiler, context: StepContext, row: Row): StepContext {
  return stepContext(compiler, context.emitter, context.run, row, context.state);
}

/** Ends the pipeline: nobody wants more rows. */
export function stopPipeline(context: StepContext): void {
  context.state.stops = true;
  context.emitter.return(literal(STOP));
}

/** Turns after which somebody should look at the clock. A loop that is done with fewer leaves that to the loop around it. */
const RESTLESS_TURNS_MAX = 32 * 1024;

/** How often a loop within a step's own turns, for each turn of the one around it. */
export interface Turns {
  /** As it is estimated. */
  readonly turns: number;
  /** Certainly no more than once. */
  readonly isSingle?: boolean;
}

/**
 * Writes a loop within the step's own; a turn costs fuel. A loop that takes long rests when the fuel is used up, for which the step
 * becomes a generator: a step that returns between the rows of its source alone might be gone for seconds. So does one around another,
 * since estimates can be wrong: their turns multiply, and nobody could end such a statement any more.
 */
export function innerLoop(
  context: StepContext,
  { turns, isSingle = false }: Turns,
  body: (label: number) => void,
): void {
  const { emitter, run, state } = context;
  const beside = { turns: state.turns ?? 0, isOpen: state.isOpen === true };
  state.turns = 0;
  state.isOpen = false;
  state.usesFuel = true;
  emitter.loop((label) => {
    body(label);
    emitter.setProperty(run, 'fuel', binary('-', property(run, 'fuel'), literal(1)));
    const whole = turns * Math.max(1, state.turns ?? 0);
    const mayMultiply = state.isOpen === true && !isSingle;
    state.turns = Math.max(beside.turns, whole);
    state.isOpen = beside.isOpen || state.isOpen === true || !isSingle;
    if (whole <= RESTLESS_TURNS_MAX && !mayMultiply) return;
    const rest = (r: Run): Work => restWithin(r, state.sink?.(r));
    emitter.if(binary('<', property(run, 'fuel'), ZERO), () => {
      emitter.delegate(call(emitter.constant(rest), run));
    });
  });
}

/** After a row: returns to the driver when a check says so. `next` is where the driver goes on. */
export function rowBoundary(context: StepContext, next: Code): void {
  const { emitter, run, state } = context;
  for (const check of state.checks) emitter.if(check, () => emitter.return(next));
  if (state.usesFuel) emitter.if(binary('<', property(run, 'fuel'), ZERO), () => emitter.return(next));
}

/** Columns of a RowBuffer at a row; `present` (optional) is false where there is no row and all columns are null. */
export function bufferRow(
  buffer: Code,
  columns: readonly ColumnId[],
  nullable: (column: ColumnId) => boolean,
  rowIndex: Code,
  present?: Code,
): Row {
  const row = new Row();
  const arrays = property(buffer, 'columns');
  columns.forEach((column, i) => {
    const value = (e: Emitter): Code => {
      const name = buffer.kind === 'local' ? `buffer${buffer.id}.${i}` : undefined;
      const array =
        name === undefined ? element(arrays, literal(i)) : hoistable(e, name, buffer, element(arrays, literal(i)));
      const read = element(array, rowIndex);
      return present === undefined ? read : conditional(present, read, literal(null));
    };
    row.set(column, new ColumnSource(present !== undefined || nullable(column), value));
  });
  return row;
}

/** Column arrays of a buffer never change identity: they are read once, at the head, when the buffer is known there. */
function hoistable(emitter: Emitter, name: string, buffer: Code, code: Code): Code {
  return emitter.isHoisted(buffer) ? emitter.hoist(name, code) : code;
}
