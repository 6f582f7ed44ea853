/**
 * A statement's program: compiled at its first execution, then run by any number of executions at a time, each with a state
 * of its own. Generated code is used when the plan is expected to visit enough rows, or has run often enough, to repay it.
 */
import { PhantomError } from '@phantom/base';
import type { Oid } from '@phantom/catalog';
import type { ColumnId } from '../expr/expression.js';
import type { Gather, PhysicalNode } from '../plan/physical/physical.js';
import type { PhysicalPlanner } from '../plan/physical/planner.js';
import { inputsOfPhysical, nodesBelow } from '../plan/physical/walk.js';
import { ConstantTable } from './code/emitter.js';
import { binary, element, literal, method, ONE, property } from './code/ir.js';
import { partitionProgram } from './compile/gather.js';
import { PlanToProgram } from './compile/plan-compiler.js';
import { ProgramBuilder, stateOf } from './compile/program-builder.js';
import type { StepContext } from './compile/step.js';
import { type PartitionProgram, runPartition } from './gather.js';
import type { GatheredRows } from './gathered-rows.js';
import { Output } from './output.js';
import { PlanMeasure } from './plan-measure.js';
import { newRun, runProgram, type Program } from './program.js';
import { Statement, type Run } from './run.js';
import {
  type Execution,
  type ExecutionContext,
  type Partition,
  type PartitionWork,
  type RowSink,
  type Yielded,
} from './runtime.js';

/** Estimated cost from which the first execution already runs generated code. */
const GENERATE_COST_MIN = 400;
/** Executions after which a cheap plan is generated, too. */
const GENERATE_EXECUTIONS_MIN = 3;

export interface CompileOptions {
  readonly planner: PhysicalPlanner;
  readonly physical: PhysicalNode;
  readonly outputs: readonly ColumnId[];
  readonly parameterCount: number;
  /** INSERT, UPDATE, DELETE or MERGE: the count is of rows written. */
  readonly modifies: boolean;
  readonly backEnd: 'auto' | 'generated' | 'closures';
  /** Counts what the plan does, for EXPLAIN ANALYZE. */
  readonly measure?: PlanMeasure;
}

/** Rows of a partition on their way to the thread that gathers. */
export type SendRows = (partition: number, rows: GatheredRows) => Generator<undefined, void, void>;

/** What other threads run of a plan: the input of its Gather, for one partition after the other. */
export class CompiledPartitions {
  private readonly options: CompileOptions;
  private readonly gather: Gather;
  private program: PartitionProgram | undefined;

  constructor(options: CompileOptions, gather: Gather) {
    this.options = options;
    this.gather = gather;
  }

  /** Runs partitions until `claim` has no more. */
  *execute(
    context: ExecutionContext,
    partitions: readonly Partition[],
    claim: () => number | undefined,
    send: SendRows,
    isMeasured: boolean,
  ): Generator<Yielded, PartitionWork | undefined, void> {
    const measure = isMeasured ? new PlanMeasure(true) : undefined;
    const program = measure === undefined ? (this.program ??= this.compile()) : this.compile(measure);
    let count = 0;
    const statement = new Statement(context, NO_SINK, this.options.backEnd !== 'closures');
    context.counters.executions++;
    try {
      for (let number = claim(); number !== undefined; number = claim()) {
        const rows = yield* runPartition(program, statement, partitions[number] as Partition);
        yield* send(number, rows);
        rows.drop();
        count++;
      }
      if (measure === undefined) return undefined;
      const counted = nodesBelow(this.gather).map((node) => measure.nodes.get(node));
      return {
        partitions: count,
        rows: counted.map((node) => node?.rows ?? 0),
        segments: counted.map((node) => node?.segments),
        tasks: measure.nodes.get(this.gather.input)?.program.tasks ?? [],
      };
    } finally {
      statement.end();
      context.memory.release();
    }
  }

  private compile(measure?: PlanMeasure): PartitionProgram {
    const { planner } = this.options;
    return partitionProgram(new PlanToProgram(programBuilder(this.options), planner, undefined, measure), this.gather);
  }
}

/** Nothing leaves but partitions. */
const NO_SINK: RowSink = { rows: () => false, batchRowsMax: 1 };

export class CompiledStatement {
  private readonly options: CompileOptions;
  private program: { readonly program: Program; readonly output: number } | undefined;
  private executions = 0;

  constructor(options: CompileOptions) {
    this.options = options;
  }

  *execute(context: ExecutionContext, sink: RowSink): Execution {
    const { options } = this;
    if (context.parameters.length < options.parameterCount) {
      const missing = context.parameters.length + 1;
      throw new PhantomError('42P02', `there is no parameter $${missing}`);
    }
    const { program, output } = (this.program ??= compileProgram(options));
    this.executions++;
    context.counters.executions++;
    const statement = new Statement(context, sink, this.usesGenerated(), options.backEnd === 'auto');
    const run = newRun(program, statement, []);
    const { measure } = options;
    measure?.begin(context.slice.nowMs());
    try {
      yield* runProgram(program, run);
      const rows = run.state[output] as Output;
      yield* rows.flush(true);
      return options.modifies ? statement.rowsAffected : rows.total;
    } finally {
      if (measure !== undefined) {
        measure.end(context.slice.nowMs());
        measure.peakBytes = context.memory.peakBytes;
      }
      statement.end();
      context.memory.release();
    }
  }

  private usesGenerated(): boolean {
    const { backEnd, physical } = this.options;
    if (backEnd !== 'auto') return backEnd === 'generated';
    return physical.estimate.total >= GENERATE_COST_MIN || this.executions >= GENERATE_EXECUTIONS_MIN;
  }
}

/** The modification that the command tag counts: the outermost one that is not inside WITH. */
function countedNode(node: PhysicalNode): PhysicalNode | undefined {
  switch (node.kind) {
    case 'insert':
    case 'update':
    case 'delete':
    case 'merge':
      return node;
    case 'with':
      return countedNode(node.input);
    default: {
      const [input] = inputsOfPhysical(node);
      return input === undefined ? undefined : countedNode(input);
    }
  }
}

/** Tables that more than one part of the plan updates or deletes from. */
function sharedTargets(physical: PhysicalNode): ReadonlySet<Oid> {
  const [met, shared] = [new Set<Oid>(), new Set<Oid>()];
  const visit = (node: PhysicalNode): void => {
    if (node.kind === 'update' || node.kind === 'delete') (met.has(node.table.oid) ? shared : met).add(node.table.oid);
    inputsOfPhysical(node).forEach(visit);
  };
  visit(physical);
  return shared;
}

function programBuilder({ planner, physical }: CompileOptions): ProgramBuilder {
  return new ProgramBuilder(
    {
      types: planner.context.catalog.types,
      constants: new ConstantTable(),
      sharedTargets: sharedTargets(physical),
      // Outer joins and grouping sets make nulls above a scan, so buffers take every column for nullable.
      isNotNull: () => false,
    },
    [],
  );
}

function compileProgram(options: CompileOptions): { readonly program: Program; readonly output: number } {
  const { planner, physical, outputs } = options;
  const builder = programBuilder(options);
  const output = builder.addSlot((run) => new Output(outputs.length, run.statement));
  const counted = options.modifies ? countedNode(physical) : undefined;
  const compiler = new PlanToProgram(builder, planner, counted, options.measure);
  compiler.produce(physical, (context) => writeOutput(context, output, outputs));
  return { program: builder, output };
}

/** Pushes the row's outputs and returns to the driver when the batch is full. */
function writeOutput(context: StepContext, slot: number, outputs: readonly ColumnId[]): void {
  const { emitter, run, expressions } = context;
  const output = stateOf(emitter, run, slot);
  const values = outputs.map((column) => expressions.column(column).code);
  values.forEach((value, i) => {
    const column = emitter.hoist(`output${i}`, element(property(output, 'columns'), literal(i)));
    emitter.evaluate(method(column, 'push', value));
  });
  emitter.setProperty(output, 'count', binary('+', property(output, 'count'), ONE));
  context.state.checks.push(binary('>=', property(output, 'count'), property(output, 'limit')));
  context.state.sink = (r: Run) => r.state[slot] as Output;
}
