/**
 * Loops. A loop whose body is plain runs it without generators, and rests when its time slice is over: one that never touches
 * a table can be cancelled like any statement.
 */
import { PhantomError } from '@phantom/base';
import type { TypeRef } from '@phantom/catalog';
import { SqlArray, SqlRecord } from '@phantom/codec';
import { PAUSE, type Yielded } from '../../exec/runtime.js';
import { INT4, typeRef } from '../../types/type-refs.js';
import type { Value } from '../../types/type.js';
import type { RoutineHost } from '../routine-language.js';
import type { Compilation } from './compilation.js';
import { compileCondition } from './compile-control.js';
import type { Compiler } from './compiler.js';
import { type ReadyQuery, querySource } from './compile-queries.js';
import { BatchRows } from './row-sinks.js';
import { Completion, type Step, waiting } from './steps.js';
import type {
  ExpressionFragment,
  ForEachNode,
  ForIntegerNode,
  ForQueryNode,
  LoopNode,
  Node,
  WhileNode,
} from './syntax.js';
import { RowTargets, type Target, targetOf } from './targets.js';
import type { Frame, RecordColumn } from './variables.js';

/** Turns of a loop between two looks at the clock. */
const TURNS_PER_LOOK = 64;
/** Rows that a loop over a query reads at once: 10 first, as PostgreSQL does, since many loops end early; then more. */
const FIRST_ROWS = 10;
const MORE_ROWS = 50;
const ALL_ROWS = 1024;
const INT4_MAX = 2_147_483_647;
const INT4_MIN = -2_147_483_648;

/** What becomes of a loop after a turn of its body: undefined, and it goes on. */
export function afterTurn(completion: Completion, label: string | undefined, frame: Frame): Completion | undefined {
  switch (completion) {
    case Completion.Next:
      return undefined;
    case Completion.Return:
      return completion;
    default:
      if (frame.label !== undefined && frame.label !== label) return completion;
      frame.label = undefined;
      return completion === Completion.Exit ? Completion.Next : undefined;
  }
}

/** One turn of a body: `undefined` when the loop goes on. */
export function* turn(
  body: Step,
  label: string | undefined,
  frame: Frame,
): Generator<Yielded, Completion | undefined, void> {
  const place = frame.place;
  const completion = body.waits ? yield* body.run(frame) : body.run(frame);
  frame.place = place;
  return afterTurn(completion, label, frame);
}

/** Counts the turns of a loop and yields when they have taken long enough. */
export class Pace {
  private readonly host: RoutineHost;
  private turns = 0;

  constructor(host: RoutineHost) {
    this.host = host;
  }

  isDue(): boolean {
    return ++this.turns % TURNS_PER_LOOK === 0 && this.host.isSliceOver();
  }
}

/** A loop that goes on until its body leaves it, or `next` says that there is no further turn. */
function endless(
  { compilation: { host } }: Compiler,
  label: string | undefined,
  body: Step,
  next?: (frame: Frame) => Generator<Yielded, boolean, void>,
): Step {
  return waiting(function* (frame) {
    const pace = new Pace(host);
    for (;;) {
      if (next !== undefined && !(yield* next(frame))) return Completion.Next;
      const left = yield* turn(body, label, frame);
      if (left !== undefined) return left;
      if (pace.isDue()) yield undefined;
    }
  });
}

export function loopBody(compiler: Compiler, label: string | undefined, nodes: readonly Node[]): Step {
  return compiler.labelled(label, true, () => compiler.list(nodes));
}

export function compileLoop(compiler: Compiler, { label, body }: LoopNode): Step {
  return endless(compiler, label, loopBody(compiler, label, body));
}

export function compileWhile(compiler: Compiler, { label, body, condition }: WhileNode): Step {
  const { code, holds } = compileCondition(compiler.compilation, condition);
  return endless(compiler, label, loopBody(compiler, label, body), function* (frame) {
    return holds(code.isPlain ? code.value(frame) : yield* code.compute(frame));
  });
}

/** A bound or the step of an integer loop. */
function integerOf(
  compilation: Compilation,
  fragment: ExpressionFragment,
  what: string,
): (frame: Frame) => Generator<Yielded, number, void> {
  const code = compilation.expression(fragment);
  return function* (frame) {
    const value = compilation.convert(yield* code.compute(frame), code.type, INT4);
    if (value === null) throw new PhantomError('22004', `${what} of FOR loop cannot be null`);
    return value as number;
  };
}

export function compileForInteger(compiler: Compiler, node: ForIntegerNode): Step {
  const { compilation } = compiler;
  const { label, reverse } = node;
  const lower = integerOf(compilation, node.lower, 'lower bound');
  const upper = integerOf(compilation, node.upper, 'upper bound');
  const step = node.step === undefined ? undefined : integerOf(compilation, node.step, 'BY value');
  return compilation.within(label, () => {
    const { slot } = compilation.declare(node.variable, INT4);
    const body = loopBody(compiler, label, node.body);
    return waiting(function* (frame) {
      const from = yield* lower(frame);
      const to = yield* upper(frame);
      const by = step === undefined ? 1 : yield* step(frame);
      if (by <= 0) throw new PhantomError('22023', 'BY value of FOR loop must be greater than zero');
      const pace = new Pace(compilation.host);
      const { found } = compilation;
      let turned = false;
      try {
        for (let i = from; reverse ? i >= to : i <= to; i += reverse ? -by : by) {
          if (i > INT4_MAX || i < INT4_MIN) break;
          turned = true;
          frame.values[slot] = i;
          const left = yield* turn(body, label, frame);
          if (left !== undefined) return left;
          if (pace.isDue()) yield undefined;
        }
        return Completion.Next;
      } finally {
        frame.values[found.slot] = turned;
      }
    });
  });
}

/** Runs `each` for the rows of a query until it says how the loop is left; all rows are read first where `ahead` is set. */
function* overRows(
  query: ReadyQuery,
  ahead: boolean,
  each: (row: readonly Value[]) => Generator<Yielded, Completion | undefined, void>,
): Generator<Yielded, Completion | undefined, void> {
  const sink = new BatchRows(ahead ? ALL_ROWS : FIRST_ROWS);
  const run = query.run(sink);
  try {
    for (;;) {
      const step = run.next();
      if (step.done !== true && step.value !== PAUSE) yield step.value;
      if (ahead && step.done !== true) continue;
      sink.batchRowsMax = MORE_ROWS;
      for (const row of sink.take()) {
        const left = yield* each(row);
        if (left !== undefined) return left;
      }
      if (step.done === true) return undefined;
    }
  } finally {
    run.return(0);
  }
}

export function compileForQuery(compiler: Compiler, node: ForQueryNode): Step {
  const { compilation } = compiler;
  const { label } = node;
  const source = querySource(compilation, node.query);
  const targets = new RowTargets(compilation, node.targets);
  const body = loopBody(compiler, label, node.body);
  const changes = node.query.kind === 'statement' && node.query.node.kind !== 'query' ? 1 : 0;
  return compilation.within(label, () =>
    waiting(function* (frame) {
      const query = yield* source(frame);
      const pace = new Pace(compilation.host);
      let found = false;
      frame.changing += changes;
      try {
        const left = yield* overRows(query, compilation.endsTransactions, function* (row) {
          found = true;
          targets.assign(frame, row, query.fields);
          const completion = yield* turn(body, label, frame);
          if (completion === undefined && pace.isDue()) yield undefined;
          return completion;
        });
        if (!found) targets.assign(frame, undefined, query.fields);
        return left ?? Completion.Next;
      } finally {
        frame.changing -= changes;
        frame.values[compilation.found.slot] = found;
      }
    }),
  );
}

export function compileForEach(compiler: Compiler, node: ForEachNode): Step {
  const { compilation } = compiler;
  const { label, slice } = node;
  const array = compilation.expression(node.array);
  const first = targetOf(compilation, node.targets[0] as (typeof node.targets)[number]);
  const assign = loopVariables(compilation, first, node.targets);
  const body = loopBody(compiler, label, node.body);
  return waiting(function* (frame) {
    const value = (yield* array.compute(frame)) as SqlArray | null;
    if (value === null) throw new PhantomError('22004', 'FOREACH expression must not be null');
    const elementOid = compilation.elementOf(array.type);
    checkLoopVariable(compilation, first, node);
    const pace = new Pace(compilation.host);
    let found = false;
    try {
      for (const item of parts(value, slice)) {
        found = true;
        assign(frame, item, slice > 0 ? array.type : typeRef(elementOid));
        const left = yield* turn(body, label, frame);
        if (left !== undefined) return left;
        if (pace.isDue()) yield undefined;
      }
      return Completion.Next;
    } finally {
      frame.values[compilation.found.slot] = found;
    }
  });
}

/** What a FOREACH does with an element: it goes into one variable, or a row's fields into several. */
function loopVariables(
  compilation: Compilation,
  first: Target,
  nodes: ForEachNode['targets'],
): (frame: Frame, item: Value, type: TypeRef) => void {
  if (nodes.length === 1) return (frame, item, type) => first.assign(frame, item, type);
  const row = new RowTargets(compilation, nodes);
  return (frame, item) => {
    if (item !== null && !(item instanceof SqlRecord))
      throw new PhantomError('42804', 'cannot assign non-composite value to a row variable');
    row.assign(frame, item?.fields, item === null ? [] : fieldsOf(item));
  };
}

/** 42804 unless a FOREACH with a slice has a variable that takes arrays, and one without has another. */
function checkLoopVariable(
  compilation: Compilation,
  { variable, field }: Target,
  { targets, slice }: ForEachNode,
): void {
  // What type a field of a record has is for the assignment to see.
  if (field !== undefined) return;
  const { types } = compilation.host.catalog;
  const type = types.byOid(variable.type.oid);
  const base = type?.kind === 'domain' ? types.byOid(type.baseOid) : type;
  const isArray = base?.kind === 'array' && targets.length === 1;
  if (slice > 0 && !isArray)
    throw new PhantomError('42804', 'FOREACH ... SLICE loop variable must be of an array type');
  if (slice === 0 && isArray) throw new PhantomError('42804', 'FOREACH loop variable must not be of an array type');
}

/** The names and types of a row's fields. */
function fieldsOf({ shape: { names, types, typmods } }: SqlRecord): RecordColumn[] {
  return names.map((name, i) => ({ name, type: typeRef(types[i] as number, typmods[i]) }));
}

/** The elements of an array or, with a slice, the arrays of so many dimensions in it. */
function* parts(array: SqlArray, slice: number): Iterable<Value> {
  if (slice === 0) {
    yield* array.items;
    return;
  }
  const { dimensions, lowerBounds, elementOid, items } = array;
  if (slice > dimensions.length) {
    throw new PhantomError('2202E', `slice dimension (${slice}) is out of the valid range 0..${dimensions.length}`);
  }
  const inner = dimensions.slice(dimensions.length - slice);
  const bounds = lowerBounds.slice(dimensions.length - slice);
  const size = inner.reduce((product, length) => product * length, 1);
  for (let from = 0; from < items.length; from += size)
    yield new SqlArray(elementOid, inner, bounds, items.slice(from, from + size));
}
