/** Sources that are not tables: system views, functions in FROM, and set-returning functions of a select list. */
import { type RecordShape, SqlRecord } from '@phantom/codec';
import { TypeOid } from '../../types/type-oids.js';
import type { ScalarItem, SetCall } from '../../plan/logical/logical.js';
import { columnsOf } from '../../plan/logical/walk.js';
import type { FunctionScan, ProjectSet, VirtualScan } from '../../plan/physical/physical.js';
import { hasSubquery, isVolatile } from '../../plan/rules/facts.js';
import type { Value } from '../../types/type.js';
import { and, binary, call, element, isNotNull, literal, property, type Code, type Local } from '../code/ir.js';
import { IteratorPipeline } from '../pipelines.js';
import { RowBuffer } from '../row-buffer.js';
import type { Run } from '../run.js';
import type { Yielded } from '../runtime.js';
import { makeArray } from '../values/arrays.js';
import { ColumnSource, Row } from './row-scope.js';
import { loopRows, slotReader, writeStep } from './sources.js';
import {
  bufferRow,
  stepContext,
  innerLoop,
  withRow,
  type Consume,
  type PlanCompiler,
  type StepContext,
} from './step.js';
import type { ProgramBuilder } from './program-builder.js';

export function produceVirtualScan(compiler: PlanCompiler, node: VirtualScan, consume: Consume): void {
  const { positions, relation } = node;
  function* rows(run: Run): Generator<Value[], void, void> {
    for (const row of relation.rows(run.evaluation)) yield positions.map((position) => row[position]);
  }
  produceIterator(
    compiler,
    node.columns,
    function* (run) {
      return rows(run);
    },
    consume,
  );
}

function produceIterator(
  compiler: PlanCompiler,
  columns: readonly number[],
  rows: (run: Run) => Generator<Yielded, Iterable<readonly Value[]>, void>,
  consume: Consume,
): void {
  const slot = compiler.builder.addSlot((run) => new RowBuffer(columns.length, run.memory));
  writeStep(
    compiler,
    'rows',
    (step) => {
      const { emitter, run, state } = step.context;
      loopRows(step, (index) => {
        const row = bufferRow(step.source, columns, () => true, index);
        consume(stepContext(compiler, emitter, run, row, state));
      });
    },
    (code, sink) => new IteratorPipeline(code, sink, rows, slotReader(slot)),
  );
}

/** Writes the call of a set-returning function; the value is an iterable, empty for a strict function's null argument. */
function setCode(context: StepContext, item: SetCall): Code {
  const { emitter, run, expressions } = context;
  const definition = item.function;
  const operands = item.arguments.map((argument) => expressions.value(argument));
  let atoms = operands.map((operand) => operand.code);
  if (item.variadicFrom !== undefined && item.variadicElement !== undefined) {
    const collected: Code = { kind: 'array', items: atoms.slice(item.variadicFrom) };
    const array = emitter.let(call(emitter.constant(makeArray), collected, literal(item.variadicElement)));
    atoms = [...atoms.slice(0, item.variadicFrom), array];
  }
  const args = [...atoms];
  if (definition.needsContext === true) args.push(emitter.hoist('evaluation', property(run, 'evaluation')));
  if (definition.needsTypes === true) {
    args.push(
      emitter.constant({
        arguments: item.arguments.map((argument) => argument.type),
        result: item.resultType,
        columns: item.recordColumns,
      }),
    );
  }
  const made = emitter.newLocal();
  const make = (): void => {
    const { execute } = definition;
    const rows =
      execute === undefined || context.state.waits !== true
        ? call(emitter.constant(definition.call), ...args)
        : emitter.delegate(call(emitter.constant(execute), ...args));
    emitter.assign(made, rows);
  };
  emitter.add({ kind: 'let', local: made, value: emitter.constant(NO_ROWS) });
  const nulls = definition.strict ? operands.filter((operand) => operand.nullable) : [];
  emitter.if(
    nulls.map(({ code }) => isNotNull(code)).reduce((a, b) => and(a, b), literal(true)),
    make,
  );
  return made;
}

const NO_ROWS: readonly Value[] = [];

/** Rows of several sets side by side, the shorter ones padded with nulls; values spread over each set's columns. */
function* zip(
  sets: readonly Iterable<Value>[],
  widths: readonly (number | undefined)[],
): Generator<Value[], void, void> {
  const iterators = sets.map((set) => set[Symbol.iterator]());
  const done = sets.map(() => false);
  for (let ordinal = 1; ; ordinal++) {
    const row: Value[] = [];
    let any = false;
    iterators.forEach((iterator, i) => {
      const item = done[i] === true ? undefined : iterator.next();
      if (item === undefined || item.done === true) done[i] = true;
      const value = item === undefined || item.done === true ? null : item.value;
      if (item !== undefined && item.done !== true) any = true;
      const width = widths[i];
      if (width === undefined) row.push(value);
      else for (let c = 0; c < width; c++) row.push(fieldOf(value, c));
    });
    if (!any) return;
    row.push(ordinal);
    yield row;
  }
}

/** Column c of a composite value: an array of column values or a record. */
function fieldOf(value: Value, c: number): Value {
  if (value === null) return null;
  if (Array.isArray(value)) return (value as Value[])[c] ?? null;
  return (value as SqlRecord).fields[c] ?? null;
}

/** Values as rows of one column. */
function* each(set: Iterable<Value>): Generator<Value[], void, void> {
  for (const value of set) yield [value];
}

/** The call of a set, where it may wait. */
type WaitingCall = Generator<Yielded, Iterable<Value>, void>;

/** What makes the set of one call. */
interface SetMaker {
  readonly compiled: ReturnType<ProgramBuilder['compiled']>;
  /** Under this the statement keeps the set; undefined where it is made anew each time. */
  readonly key: object | undefined;
}

function setMaker(compiler: PlanCompiler, item: SetCall | ScalarItem): SetMaker {
  const { builder } = compiler;
  const emitter = builder.emitter();
  const [run] = emitter.parameters(1) as [Local];
  const context = stepContext(compiler, emitter, run, new Row(), { checks: [], usesFuel: false, waits: true });
  // A scalar call in FROM is a set of one.
  const set: Code =
    'function' in item
      ? setCode(context, item)
      : { kind: 'array', items: [context.expressions.value(item.expression).code] };
  emitter.return(set);
  const compiled = builder.compiled(emitter.finish('set', [run]));
  return { compiled, key: builder.outerColumns.length > 0 && isMadeOnce(item) ? {} : undefined };
}

/**
 * True for a call of a volatile function that says the same for every row of the enclosing query: as in PostgreSQL it is made
 * for the first of them. What the others give would be the same anyway.
 */
function isMadeOnce(item: SetCall | ScalarItem): boolean {
  const parts = 'function' in item ? item.arguments : [item.expression];
  // Of built-in sets none is volatile, and they are not made as a whole.
  if ('function' in item && item.function.routine === undefined) return false;
  const changes = ('function' in item && item.function.volatility === 'volatile') || parts.some(isVolatile);
  return changes && parts.every((part) => columnsOf(part).size === 0 && !hasSubquery(part));
}

function* setOf({ compiled, key }: SetMaker, run: Run): WaitingCall {
  const known = key === undefined ? undefined : run.statement.results.get(key);
  if (known !== undefined) return known as Iterable<Value>;
  const made = compiled.get(run.statement)(run);
  const set = (compiled.code.generator ? yield* made as WaitingCall : made) as Iterable<Value>;
  if (key !== undefined) run.statement.results.set(key, set);
  return set;
}

function itemWidth(item: SetCall | ScalarItem): number | undefined {
  return item.composite ? item.columns.length : undefined;
}

export function produceFunctionScan(compiler: PlanCompiler, node: FunctionScan, consume: Consume): void {
  const makers = node.calls.map((item) => setMaker(compiler, item));
  const widths = node.calls.map(itemWidth);
  const all = node.calls.flatMap((item) => [...item.columns]);
  const columns = node.ordinality === undefined ? all : [...all, node.ordinality];
  const [single] = node.calls;
  const plain = node.calls.length === 1 && node.ordinality === undefined && single !== undefined && !single.composite;
  const rows = (made: readonly Iterable<Value>[]): Iterable<Value[]> =>
    plain ? each(made[0] as Iterable<Value>) : zip(made, widths);
  produceIterator(
    compiler,
    columns,
    function* (r) {
      const made: Iterable<Value>[] = [];
      for (const maker of makers) made.push(yield* setOf(maker, r));
      return rows(made);
    },
    consume,
  );
}

export function produceProjectSet(compiler: PlanCompiler, node: ProjectSet, consume: Consume): void {
  compiler.produce(node.input, (context) => {
    const { emitter } = context;
    const sets = node.calls.map((item) => setCode(context, item));
    const shapes = node.calls.map((item) => (item.composite ? shapeOf(item.recordColumns ?? []) : undefined));
    const make = (made: readonly Iterable<Value>[]): Generator<Value[], void, void> =>
      zip(
        made.map((set, i) => (shapes[i] === undefined ? set : recordsOf(set, shapes[i]))),
        made.map(() => undefined),
      );
    const rows = emitter.let(call(emitter.constant(make), { kind: 'array', items: sets }));
    // Nobody knows how many rows a call makes.
    innerLoop(context, { turns: Number.POSITIVE_INFINITY }, (label) => {
      const item = emitter.let({ kind: 'method', object: rows, name: 'next', arguments: [] });
      emitter.if(binary('===', property(item, 'done'), literal(true)), () => emitter.break(label));
      const values = emitter.let(property(item, 'value'));
      const row = Row.of(context.row);
      node.calls.forEach((call_, i) => {
        row.set(call_.columns[0] as number, new ColumnSource(true, () => element(values, literal(i))));
      });
      consume(withRow(compiler, context, row));
    });
  });
}

function shapeOf(columns: NonNullable<SetCall['recordColumns']>): RecordShape {
  return {
    names: columns.map((column) => column.name),
    types: columns.map((column) => column.type.oid),
    typmods: columns.map((column) => column.type.typmod),
  };
}

/** Column values as records. */
function* recordsOf(set: Iterable<Value>, shape: RecordShape): Generator<Value, void, void> {
  for (const value of set) yield Array.isArray(value) ? new SqlRecord(TypeOid.record, value, shape) : value;
}
