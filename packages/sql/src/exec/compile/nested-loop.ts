/** Nested loops: over rows in memory, by key into a table or an index, or anew for each left row (LATERAL). */
import { assert } from '@phantom/base';
import { freeColumnsOfPhysical } from '../../plan/physical/free-columns.js';
import type { NestedLoopJoin } from '../../plan/physical/physical.js';
import { binary, call, literal, method, ONE, property, type Code } from '../code/ir.js';
import { RowBuffer } from '../row-buffer.js';
import { filterBy } from './filter.js';
import { cursorCandidates, keyCandidates } from './lookup-candidates.js';
import { matchLoop, type Candidates } from './match-loop.js';
import { ProgramBuilder, stateOf } from './program-builder.js';
import { pushRow } from './push-row.js';
import { Row } from './row-scope.js';
import { produceBuffer, slotReader } from './sources.js';
import { bufferRow, innerLoop, withRow, type Consume, type PlanCompiler, type StepContext } from './step.js';
import { subprogramRunner } from './subplans.js';

export function produceNestedLoop(compiler: PlanCompiler, node: NestedLoopJoin, consume: Consume): void {
  switch (node.inner) {
    case 'lookup':
    case 'merge':
      produceLookupJoin(compiler, node, consume);
      return;
    case 'lateral':
      produceLateral(compiler, node, consume);
      return;
    default:
      produceBuffered(compiler, node, consume);
  }
}

/** Rows 0 .. count-1 of a buffer as candidates. */
function bufferCandidates(
  compiler: PlanCompiler,
  context: StepContext,
  node: NestedLoopJoin,
  buffer: Code,
): Candidates & { readonly current: Code } {
  const { emitter } = context;
  const current = emitter.let(literal(-1));
  const notNull = (column: number): boolean => compiler.builder.context.isNotNull(column);
  return {
    turns: node.right.estimate.rows,
    current,
    advance: () => {
      emitter.assign(current, binary('+', current, ONE));
      return emitter.let(binary('<', current, property(buffer, 'count')));
    },
    row: (_, present) => bufferRow(buffer, node.right.columns, (column) => !notNull(column), current, present),
  };
}

function produceBuffered(compiler: PlanCompiler, node: NestedLoopJoin, consume: Consume): void {
  const { builder } = compiler;
  const buffer = builder.addSlot((run) => new RowBuffer(node.right.columns.length, run.memory));
  compiler.produce(node.right, (context) => {
    pushRow(context, stateOf(context.emitter, context.run, buffer), node.right.columns);
  });
  if (node.join === 'full') {
    produceFull(compiler, node, buffer, consume);
    return;
  }
  const { join } = node;
  compiler.produce(node.left, (context) => {
    const candidates = bufferCandidates(compiler, context, node, stateOf(context.emitter, context.run, buffer));
    if (node.nullAware) {
      emitNotIn(compiler, context, node, candidates, consume);
      return;
    }
    matchLoop(compiler, context, join, node.conditions, candidates, consume);
  });
}

/** NOT IN without a hash: a condition that is unknown drops the row as a match does. */
function emitNotIn(
  compiler: PlanCompiler,
  context: StepContext,
  node: NestedLoopJoin,
  candidates: Candidates,
  consume: Consume,
): void {
  const { emitter } = context;
  const drop = emitter.let(literal(false));
  innerLoop(context, candidates, (label) => {
    const has = candidates.advance(context);
    emitter.if({ kind: 'unary', operator: '!', operand: has }, () => emitter.break(label));
    const row = Row.of(context.row, candidates.row(context, undefined));
    const inner = withRow(compiler, context, row);
    const tests = node.conditions.map((condition) => inner.expressions.test(condition, false));
    for (const isFalse of tests) {
      emitter.if({ kind: 'unary', operator: '!', operand: isFalse }, () => {
        emitter.assign(drop, literal(true));
        emitter.break(label);
      });
    }
  });
  emitter.if({ kind: 'unary', operator: '!', operand: drop }, () => consume(context));
}

function produceFull(compiler: PlanCompiler, node: NestedLoopJoin, buffer: number, consume: Consume): void {
  const { builder } = compiler;
  const flags = builder.addSlot(() => new Set<number>());
  const result = builder.addSlot((run) => new RowBuffer(node.columns.length, run.memory));
  compiler.produce(node.left, (context) => {
    const { emitter, run } = context;
    const base = bufferCandidates(compiler, context, node, stateOf(emitter, run, buffer));
    const candidates: Candidates = {
      ...base,
      matched: () => emitter.evaluate(method(stateOf(emitter, run, flags), 'add', base.current)),
    };
    matchLoop(compiler, context, 'left', node.conditions, candidates, (matched) =>
      pushRow(matched, stateOf(emitter, run, result), node.columns),
    );
  });
  const leftColumns = new Set(node.left.columns);
  const sources = node.columns.map((column) => (leftColumns.has(column) ? -1 : node.right.columns.indexOf(column)));
  builder.addTask({
    *run(run) {
      const right = run.state[buffer] as RowBuffer;
      const matched = run.state[flags] as Set<number>;
      const out = run.state[result] as RowBuffer;
      for (let r = 0; r < right.count; r++) {
        if (matched.has(r)) continue;
        out.pushRow(sources.map((source) => (source < 0 ? null : right.columns[source]?.[r])));
      }
    },
  });
  produceBuffer(compiler, 'full', node.columns, slotReader(result), false, () => true, consume);
}

// ------------------------------------------------------------------------------------------------------------ lookups

function produceLookupJoin(compiler: PlanCompiler, node: NestedLoopJoin, consume: Consume): void {
  const scan = node.right;
  assert(scan.kind === 'table-scan' && scan.range !== undefined, 'a lookup join reads a range of a table');
  const { join } = node;
  const inOrder = node.inner === 'merge';
  assert(join !== 'full', 'a full join is never done by lookups');
  const conditions = [...scan.filter, ...node.conditions];
  compiler.produce(node.left, (context) => {
    compiler.count(context, scan, 'loops');
    const isKeyed = scan.unique && !scan.indexOnly && !inOrder;
    const found = isKeyed ? keyCandidates(compiler, context, scan) : cursorCandidates(compiler, context, scan, inOrder);
    const candidates: Candidates = {
      ...found,
      advance: (at) => {
        const has = found.advance(at);
        compiler.count(context, scan, 'rows', has);
        return has;
      },
    };
    if (join === 'inner' && isKeyed) {
      // One row or none: no loop.
      const has = candidates.advance(context);
      context.emitter.if(has, () => {
        const row = Row.of(context.row, candidates.row(context, undefined));
        const inner = withRow(compiler, context, row);
        filterBy(inner, conditions, () => consume(inner));
      });
      return;
    }
    matchLoop(compiler, context, join, conditions, candidates, consume);
  });
}

// ------------------------------------------------------------------------------------------------------------ lateral

/** The right side is a program of its own, run for each left row with the columns it uses. */
function produceLateral(compiler: PlanCompiler, node: NestedLoopJoin, consume: Consume): void {
  const { builder } = compiler;
  const outer = [...freeColumnsOfPhysical(node.right)];
  const inner = new ProgramBuilder(builder.context, outer);
  const slot = inner.addSlot((run) => new RowBuffer(node.right.columns.length, run.memory));
  compiler.produceIn(inner, node.right, (context) => {
    pushRow(context, stateOf(context.emitter, context.run, slot), node.right.columns);
  });
  const rowsOf = slotReader<RowBuffer>(slot);
  const runner = subprogramRunner(inner, rowsOf, (run) => rowsOf(run).heldBytes);
  const { join } = node;
  assert(join !== 'full', 'a lateral side cannot be joined fully');
  compiler.produce(node.left, (context) => {
    const { emitter, run, expressions } = context;
    const args: Code = { kind: 'array', items: outer.map((column) => expressions.column(column).code) };
    const buffer = emitter.delegate(call(emitter.constant(runner), run, args));
    const candidates = bufferCandidates(compiler, context, node, buffer);
    if (node.nullAware) emitNotIn(compiler, context, node, candidates, consume);
    else matchLoop(compiler, context, join, node.conditions, candidates, consume);
    emitter.evaluate(method(buffer, 'clear'));
  });
}
