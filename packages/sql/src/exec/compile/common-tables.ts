/**
 * WITH: each query's rows go into a buffer before the main query runs, and scans read the buffer. A recursive one starts
 * from its first part; then, as far as its readers go, it runs its step over the rows the last round added until a round
 * adds none.
 */
import { assert } from '@phantom/base';
import { columnReference } from '../../expr/expression.js';
import { freeColumnsOfPhysical } from '../../plan/physical/free-columns.js';
import type { CommonTablePlan, CteScan, PhysicalNode, WithNode } from '../../plan/physical/physical.js';
import { inputsOfPhysical, ownExpressionsOf } from '../../plan/physical/walk.js';
import { forEachSubplan } from '../../plan/logical/subplans.js';
import type { LogicalNode } from '../../plan/logical/logical.js';
import { forEachNodeExpression, inputsOf } from '../../plan/logical/walk.js';
import { binary, property } from '../code/ir.js';
import { newRun, runProgram, type Program } from '../program.js';
import { RowBuffer } from '../row-buffer.js';
import { BufferPipeline, CommonTablePipeline } from '../pipelines.js';
import type { Recursion, Run } from '../run.js';
import type { Yielded } from '../runtime.js';
import { addKeyTables, hashKeyOf, keyNumber, lastTable, typesOf, type KeyTables } from './key-tables.js';
import { ProgramBuilder, stateOf } from './program-builder.js';
import { pushValues } from './push-row.js';
import { produceBuffer } from './sources.js';
import type { Consume, PlanCompiler, StepContext } from './step.js';

export function produceWith(compiler: PlanCompiler, node: WithNode, consume: Consume): void {
  node.tables.forEach((table, i) => {
    const later = [...node.tables.slice(i + 1).flatMap((t) => plansOf(t)), node.input];
    const isRead = later.some((plan) => readsTable(plan, table.id));
    if (!isRead && !table.writes) return;
    if (table.recursive === undefined) producePlain(compiler, table);
    else produceRecursive(compiler, table, table.recursive);
  });
  compiler.produce(node.input, consume);
}

function plansOf(table: CommonTablePlan): PhysicalNode[] {
  return table.recursive === undefined ? [table.plan] : [table.plan, table.recursive.step];
}

function readsTable(plan: PhysicalNode, id: number): boolean {
  if (plan.kind === 'cte-scan' && plan.cte === id) return true;
  let found = false;
  ownExpressionsOf(plan, (expression) =>
    forEachSubplan(expression, (subplan) => {
      found ||= logicalReads(subplan, id);
    }),
  );
  return found || inputsOfPhysical(plan).some((input) => readsTable(input, id));
}

function logicalReads(plan: LogicalNode, id: number): boolean {
  if (plan.kind === 'cte-scan' && plan.cte === id) return true;
  let found = false;
  forEachNodeExpression(plan, (expression) =>
    forEachSubplan(expression, (subplan) => {
      found ||= logicalReads(subplan, id);
    }),
  );
  return found || inputsOf(plan).some((input) => logicalReads(input, id));
}

function producePlain(compiler: PlanCompiler, table: CommonTablePlan): void {
  const { builder } = compiler;
  const slot = builder.addSlot((run) => {
    const buffer = new RowBuffer(table.columns.length, run.memory);
    run.statement.with.tables.set(table.id, buffer);
    return buffer;
  });
  compiler.produce(table.plan, (context) => push(context, slot, table.columns));
}

function push(context: StepContext, slot: number, columns: readonly number[]): void {
  const buffer = stateOf(context.emitter, context.run, slot);
  pushValues(
    context,
    buffer,
    columns.map((column) => context.expressions.column(column).code),
  );
}

/** Tables that tell rows seen before, for UNION. */
interface Seen {
  readonly tables: KeyTables;
  readonly types: readonly { readonly oid: number; readonly typmod: number }[];
}

/** Pushes the row unless an equal one was seen. */
function pushNew(
  compiler: PlanCompiler,
  context: StepContext,
  slot: number,
  columns: readonly number[],
  seen: Seen | undefined,
): void {
  if (seen === undefined) {
    push(context, slot, columns);
    return;
  }
  const { emitter, run, expressions } = context;
  const operands = columns.map((column) => expressions.column(column));
  const keys = operands.map((operand, i) =>
    hashKeyOf(compiler.builder, emitter, seen.types[i] as Seen['types'][number], operand),
  );
  const last = lastTable(seen.tables);
  assert(last !== undefined, 'a recursive query has columns');
  const before = emitter.let(property(stateOf(emitter, run, last), 'size'));
  const number = keyNumber(emitter, run, seen.tables, keys, 'intern');
  emitter.if(binary('===', number, before), () => push(context, slot, columns));
}

/**
 * Rounds run as readers ask for them, so that a LIMIT ends a recursion that would never end. There is no other limit on
 * them: what nobody stops is stopped by the memory budget or by a cancel.
 */
function produceRecursive(
  compiler: PlanCompiler,
  table: CommonTablePlan,
  recursive: NonNullable<CommonTablePlan['recursive']>,
): void {
  const { builder } = compiler;
  const { pool } = compiler.planner.context;
  const types = recursive.columns.map((column) => pool.get(column).type);
  const width = recursive.columns.length;
  const result = builder.addSlot((run) => {
    const buffer = new RowBuffer(width, run.memory);
    run.statement.with.tables.set(table.id, buffer);
    return buffer;
  });
  const seen: Seen | undefined = recursive.distinct
    ? {
        types,
        tables: addKeyTables(
          builder,
          typesOf(recursive.columns.map((c, i) => columnReference(c, types[i] as (typeof types)[number]))),
        ),
      }
    : undefined;
  compiler.produce(table.plan, (context) => pushNew(compiler, context, result, recursive.columns, seen));
  // The step is a program of its own, which finds where its new rows go as its scans find the rows of the last round.
  const outer = [...freeColumnsOfPhysical(recursive.step)];
  const inner = new ProgramBuilder(builder.context, outer);
  const fresh = inner.addSlot((run) => run.statement.with.freshTables.get(table.id));
  compiler.produceIn(inner, recursive.step, (context) => push(context, fresh, recursive.stepColumns));
  const distinct = seen === undefined ? undefined : compileDistinct(compiler, seen, width);
  const outerSources = outer.map((column) => builder.outerColumns.indexOf(column));
  builder.addTask({
    *run(run) {
      const outerValues = outerSources.map((source) => run.outer[source] ?? null);
      const rounds = new Rounds(run, table.id, inner, run.state[result] as RowBuffer, outerValues, distinct);
      run.statement.with.recursions.set(table.id, rounds);
    },
  });
}

/** The test for rows of a buffer: true when the row is new. */
type IsNew = (run: Run, buffer: RowBuffer, row: number) => boolean;

function compileDistinct(compiler: PlanCompiler, seen: Seen, width: number): IsNew {
  const { types } = compiler.builder.context;
  const hashKeys = seen.types.map((type) => types.byOid(type.oid)?.hashKey ?? ((value: unknown) => value as string));
  return (run, buffer, row) => {
    let number = 0;
    let isNew = false;
    for (let c = 0; c < width; c++) {
      const value = buffer.columns[c]?.[row];
      const key = value === null ? null : (hashKeys[c] as (value: unknown) => unknown)(value);
      const part = run.state[seen.tables.parts[c] as number] as { size: number; intern(key: unknown): number };
      const before = part.size;
      const partNumber = part.intern(key);
      if (c === 0) {
        number = partNumber;
        isNew = partNumber === before;
        continue;
      }
      const pair = run.state[seen.tables.pairs[c - 1] as number] as {
        size: number;
        intern(a: number, b: number): number;
      };
      const pairBefore = pair.size;
      number = pair.intern(number, partNumber);
      isNew = number === pairBefore;
    }
    return isNew;
  };
}

/** Rounds between looks at the clock; within a round its step looks by itself. */
const CLOCK_ROUNDS = 16;

/**
 * Rounds of one recursive query, each run when a reader has seen the rows of those before. Many have rounds of one row, so what a
 * round needs is there from the one before it: two buffers, which the step reads and fills in turns.
 */
class Rounds implements Recursion {
  private readonly run: Run;
  private readonly id: number;
  private readonly step: Program;
  private readonly all: RowBuffer;
  private readonly outer: readonly unknown[];
  private readonly isNew: IsNew | undefined;
  private working: RowBuffer;
  private fresh: RowBuffer;
  private rounds = 0;

  constructor(
    run: Run,
    id: number,
    step: Program,
    all: RowBuffer,
    outer: readonly unknown[],
    isNew: IsNew | undefined,
  ) {
    this.run = run;
    this.id = id;
    this.step = step;
    this.all = all;
    this.outer = outer;
    this.isNew = isNew;
    this.working = new RowBuffer(all.columns.length, run.memory);
    this.fresh = new RowBuffer(all.columns.length, run.memory);
    this.working.appendAll(all);
  }

  *advance(): Generator<Yielded, boolean, void> {
    const { run, id, working, fresh, isNew } = this;
    if (working.count === 0) return false;
    const { statement } = run;
    statement.repeats();
    statement.with.workingTables.set(id, working);
    statement.with.freshTables.set(id, fresh);
    const mark = run.memory.mark();
    yield* runProgram(this.step, newRun(this.step, statement, this.outer));
    run.memory.settle(mark + fresh.heldBytes);
    if (isNew !== undefined) fresh.keep((row) => isNew(run, fresh, row));
    this.all.appendAll(fresh);
    working.clear();
    this.working = fresh;
    this.fresh = working;
    if (++this.rounds % CLOCK_ROUNDS === 0 && run.context.slice.due()) yield undefined;
    return true;
  }
}

export function produceCteScan(compiler: PlanCompiler, node: CteScan, consume: Consume): void {
  const { positions, columns } = node;
  const read = (run: Run): RowBuffer => {
    const tables = node.working ? run.statement.with.workingTables : run.statement.with.tables;
    const buffer = tables.get(node.cte);
    assert(buffer !== undefined, 'a WITH query has run before it is read');
    return buffer;
  };
  const width = Math.max(-1, ...positions) + 1;
  // Columns of the buffer by position; those that are not read have no id.
  const byPosition = Array.from({ length: width }, (_, position) => {
    const at = positions.indexOf(position);
    return at < 0 ? -1 - position : (columns[at] as number);
  });
  produceBuffer(
    compiler,
    'cte',
    byPosition,
    read,
    false,
    () => true,
    consume,
    (code, sink) =>
      node.working ? new BufferPipeline(code, sink, read) : new CommonTablePipeline(code, sink, read, node.cte),
  );
}
