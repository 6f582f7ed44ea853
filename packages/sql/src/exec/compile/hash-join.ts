/**
 * Hash join: the right side's rows go into a buffer, chained by the number of their key; each left row walks its chain. A
 * key with a null in it matches nothing and is not kept (a full join keeps the row, though). What does not fit into memory
 * is joined in passes (join-passes.ts), but for a full join.
 */
import type { HashJoin } from '../../plan/physical/physical.js';
import { and, binary, isNotNull, isNull, literal, method, not, or, property, type Code } from '../code/ir.js';
import { RowChains } from '../key-table.js';
import { RowBuffer } from '../row-buffer.js';
import { queryMemory } from '../spill/overflow.js';
import { JoinPasses } from './join-passes.js';
import { addKeyTables, hashKeyOf, keyNumber, typesOf, type KeyTables } from './key-tables.js';
import { isSmallInteger } from './intrinsics.js';
import { matchLoop, type Candidates } from './match-loop.js';
import { stateOf } from './program-builder.js';
import { pushRow } from './push-row.js';
import { produceBuffer, slotReader } from './sources.js';
import { bufferRow, type Consume, type PlanCompiler, type StepContext } from './step.js';

/** What the build side leaves behind. */
interface BuildSide {
  /** What is done with each of its rows, and what waits; a full join keeps all in memory. */
  readonly store: Consume;
  readonly passes: JoinPasses | undefined;
  readonly tables: KeyTables;
  readonly buffer: number;
  readonly chains: number;
  /** For NOT IN: whether a null key was seen, and whether any row was. */
  readonly facts: number;
}

interface BuildFacts {
  hasNull: boolean;
  hasRows: boolean;
}

export function produceHashJoin(compiler: PlanCompiler, node: HashJoin, consume: Consume): void {
  const build = produceBuild(compiler, node);
  if (node.join === 'full') {
    produceFull(compiler, node, build, consume);
    return;
  }
  const { join } = node;
  const joinRow: Consume = (context) => {
    const number = context.emitter.atom(probe(compiler, context, node, build));
    const match = (): void => {
      if (node.nullAware) emitNotIn(context, node, build, number, consume);
      else matchLoop(compiler, context, join, node.residual, chain(compiler, context, node, build, number), consume);
    };
    if (build.passes === undefined) match();
    else build.passes.emitJoin(context, number, match);
  };
  compiler.produce(node.left, joinRow);
  build.passes?.addTask(build.store, joinRow);
}

function produceBuild(compiler: PlanCompiler, node: HashJoin): BuildSide {
  const { builder } = compiler;
  const { right } = node;
  // The two sides may have different types of one family: a table for small integers must fit both.
  const wider = node.keys.map((key) => (isSmallInteger(key.right.type.oid) ? key.left : key.right));
  const passes = node.join === 'full' ? undefined : new JoinPasses(compiler, node);
  const memoryOf = passes?.memoryOf ?? queryMemory;
  const tables = addKeyTables(builder, typesOf(wider), memoryOf);
  const buffer = builder.addSlot((run) => new RowBuffer(right.columns.length, memoryOf(run)));
  const chains = builder.addSlot((run) => new RowChains(memoryOf(run)));
  passes?.close();
  const facts = builder.addSlot((): BuildFacts => ({ hasNull: false, hasRows: false }));
  const storeRow: Consume = (context) => {
    const { emitter, run, expressions } = context;
    const operands = node.keys.map((key) => expressions.value(key.right));
    const nullable = operands.filter((operand) => operand.nullable);
    const store = (): void => {
      const keys = node.keys.map((key, i) =>
        hashKeyOf(builder, emitter, key.right.type, operands[i] as (typeof operands)[number]),
      );
      const number = (operation: 'find' | 'intern'): Code => keyNumber(emitter, run, tables, keys, operation);
      const keep = (known: Code): void => {
        const rows = stateOf(emitter, run, buffer);
        emitter.evaluate(method(stateOf(emitter, run, chains), 'add', known, property(rows, 'count')));
        pushRow(context, rows, right.columns);
      };
      if (passes === undefined) keep(number('intern'));
      else passes.emitStore(context, number, keep);
    };
    if (node.nullAware) emitter.setProperty(stateOf(emitter, run, facts), 'hasRows', literal(true));
    if (nullable.length === 0) {
      store();
      return;
    }
    emitter.if(nullable.map((operand) => isNotNull(operand.code)).reduce(and), store, () => {
      if (node.nullAware) emitter.setProperty(stateOf(emitter, run, facts), 'hasNull', literal(true));
      if (node.join === 'full') pushRow(context, stateOf(emitter, run, buffer), right.columns);
    });
  };
  compiler.produce(right, storeRow);
  return { store: storeRow, passes, tables, buffer, chains, facts };
}

/** The number of the left row's key, -1 when the right side has none such or a part is null. */
function probe(compiler: PlanCompiler, context: StepContext, node: HashJoin, build: BuildSide): Code {
  const { emitter, run, expressions } = context;
  const operands = node.keys.map((key) => expressions.value(key.left));
  const nullable = operands.filter((operand) => operand.nullable);
  const find = (): Code => {
    const keys = node.keys.map((key, i) =>
      hashKeyOf(compiler.builder, emitter, key.left.type, operands[i] as (typeof operands)[number]),
    );
    return keyNumber(emitter, run, build.tables, keys, 'find');
  };
  if (nullable.length === 0) return find();
  const number = emitter.let(literal(-1));
  emitter.if(nullable.map((operand) => isNotNull(operand.code)).reduce(and), () => emitter.assign(number, find()));
  return number;
}

/** The chain of a key as candidates. */
function chain(
  compiler: PlanCompiler,
  context: StepContext,
  node: HashJoin,
  build: BuildSide,
  number: Code,
): Candidates & { readonly current: Code } {
  const { emitter, run } = context;
  const buffer = stateOf(emitter, run, build.buffer);
  const chains = stateOf(emitter, run, build.chains);
  const upcoming = emitter.let(method(chains, 'first', number));
  const current = emitter.let(literal(-1));
  return {
    turns: node.estimate.rows / Math.max(1, node.left.estimate.rows),
    isSingle: holdsKeyOfTable(node),
    current,
    advance: () => {
      emitter.assign(current, upcoming);
      const has = emitter.let(binary('>=', current, literal(0)));
      emitter.if(has, () => emitter.assign(upcoming, method(chains, 'next', current)));
      return has;
    },
    row: (_, present) =>
      bufferRow(buffer, node.right.columns, (column) => !compiler.builder.context.isNotNull(column), current, present),
  };
}

/** The right rows are those of a table, each with a key of its own among what is compared. */
function holdsKeyOfTable({ keys, right }: HashJoin): boolean {
  if (right.kind !== 'table-scan' && right.kind !== 'column-scan') return false;
  const numbers = new Set<number>();
  for (const { right: side } of keys) {
    const column = side.kind === 'column' ? right.scanColumns.find(({ id }) => id === side.column) : undefined;
    if (column !== undefined) numbers.add(column.number);
  }
  return right.table.constraints.some(
    (constraint) =>
      (constraint.kind === 'primary key' || constraint.kind === 'unique') &&
      constraint.columns.every((number) => numbers.has(number)),
  );
}

/** `x NOT IN (...)`: true when there are no rows, or x is not null, is not among them, and none of them is null. */
function emitNotIn(context: StepContext, node: HashJoin, build: BuildSide, number: Code, consume: Consume): void {
  const { emitter, run, expressions } = context;
  const facts = stateOf(emitter, run, build.facts);
  const [key] = node.keys;
  const value = key === undefined ? undefined : expressions.value(key.left);
  const isKnown = value === undefined || !value.nullable ? literal(false) : isNull(value.code);
  const miss = and(and(binary('<', number, literal(0)), not(isKnown)), not(property(facts, 'hasNull')));
  emitter.if(or(not(property(facts, 'hasRows')), miss), () => consume(context));
}

/** FULL: the pairs and the left rows without match go into a buffer, then the right rows without match, padded. */
function produceFull(compiler: PlanCompiler, node: HashJoin, build: BuildSide, consume: Consume): void {
  const { builder } = compiler;
  const flags = builder.addSlot(() => new Set<number>());
  const result = builder.addSlot((run) => new RowBuffer(node.columns.length, run.memory));
  compiler.produce(node.left, (context) => {
    const { emitter, run } = context;
    const number = probe(compiler, context, node, build);
    const base = chain(compiler, context, node, build, number);
    const candidates: Candidates = {
      ...base,
      matched: () => emitter.evaluate(method(stateOf(emitter, run, flags), 'add', base.current)),
    };
    matchLoop(compiler, context, 'left', node.residual, candidates, (matched) =>
      pushRow(matched, stateOf(emitter, run, result), node.columns),
    );
  });
  const leftColumns = new Set(node.left.columns);
  builder.addTask({
    *run(run) {
      const right = run.state[build.buffer] as RowBuffer;
      const matched = run.state[flags] as Set<number>;
      const out = run.state[result] as RowBuffer;
      const sources = node.columns.map((column) => (leftColumns.has(column) ? -1 : node.right.columns.indexOf(column)));
      for (let r = 0; r < right.count; r++) {
        if (matched.has(r)) continue;
        out.pushRow(sources.map((source) => (source < 0 ? null : right.columns[source]?.[r])));
      }
    },
  });
  produceBuffer(compiler, 'full', node.columns, slotReader(result), false, () => true, consume);
}
