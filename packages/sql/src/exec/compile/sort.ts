/** Sort: rows into a buffer with their keys, put in order, read again. */
import type { Oid } from '@phantom/catalog';
import type { Expression, SortKey } from '../../expr/expression.js';
import { withoutRelabel } from '../../expr/walk.js';
import type { PhysicalNode, Sort } from '../../plan/physical/physical.js';
import { inputsOfPhysical } from '../../plan/physical/walk.js';
import { TypeOid } from '../../types/type-oids.js';
import { and, binary, call, isNotNull, literal, not, property, type Code, type Local } from '../code/ir.js';
import type { CompiledFunction } from '../program.js';
import { SortedPipeline } from '../pipelines.js';
import type { Run } from '../run.js';
import { spillCodec } from '../spill/spill-codec.js';
import { Sorter } from '../sorter.js';
import { bufferComparator, valueComparison, type BufferKey } from './comparator.js';
import { isOwnOrder } from './intrinsics.js';
import { stateOf } from './program-builder.js';
import { pushValues } from './push-row.js';
import { Row } from './row-scope.js';
import { produceBuffer, slotReader } from './sources.js';
import { stepContext, type Consume, type PlanCompiler, type StepContext } from './step.js';

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
  const slot = builder.addSlot((run) => new Sorter(types.length, run.memory, compare, run, codec, keys[0]?.column));
  // Subqueries in LIMIT run before; so the rows wanted are counted by a task, not with the slots.
  if (top !== undefined) {
    builder.addTask({
      *run(run) {
        (run.state[slot] as Sorter).wantAtMost(top(run));
      },
    });
  }
  const keep: Consume = (context) => {
    const values = [
      ...columns.map((column) => context.expressions.column(column).code),
      ...extra.map((expression) => context.expressions.value(expression).code),
    ];
    pushValues(context, stateOf(context.emitter, context.run, slot), values);
  };
  compiler.produce(node.input, (context) => {
    const [first] = node.keys;
    const mayPass = first !== undefined && top !== undefined && isStored(node.input);
    const behind = mayPass ? emitBehind(compiler, context, first, slot) : undefined;
    if (behind === undefined) keep(context);
    else context.emitter.if(not(behind), () => keep(context));
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

/**
 * Writes whether a row is behind the last one that is wanted by its first key alone: most are, and then nothing else of them is read.
 * Undefined where the key has no order that is told so easily.
 */
function emitBehind(compiler: PlanCompiler, context: StepContext, key: SortKey, slot: number): Code | undefined {
  const { emitter, run, expressions } = context;
  const { expression, descending } = key;
  const compare = valueComparison(compiler.builder, expression.type);
  const isPlain = isOwnOrder(expression.type.oid) || isFloat(expression.type.oid);
  if (!isPlain && compare === undefined) return undefined;
  const value = expressions.value(expression);
  const bound = emitter.let(property(stateOf(emitter, run, slot), 'bound'));
  const test = isPlain
    ? binary(descending ? '<' : '>', value.code, bound)
    : binary(descending ? '<' : '>', call(emitter.constant(compare), value.code, bound), literal(0));
  const isBound = binary('!==', bound, literal(undefined));
  return value.nullable ? and(and(isBound, isNotNull(value.code)), test) : and(isBound, test);
}

/** True when columns are as tables have them: what is computed may fail or count, and is computed of each row. */
function isStored(node: PhysicalNode): boolean {
  switch (node.kind) {
    case 'table-scan':
    case 'column-scan':
      return true;
    case 'project':
      return node.items.every(({ expression }) => withoutRelabel(expression).kind === 'column') && isStored(node.input);
    case 'filter':
    case 'hash-join':
    case 'nested-loop':
      return inputsOfPhysical(node).every(isStored);
    default:
      return false;
  }
}

/** NaN, behind all others in SQL, is behind nothing in JavaScript: its rows are compared as a whole. */
function isFloat(oid: Oid): boolean {
  return oid === TypeOid.float8 || oid === TypeOid.float4;
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
