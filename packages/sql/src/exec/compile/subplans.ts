/**
 * Subqueries of expressions as programs of their own.
 *
 * One that uses columns from outside runs for each row with those columns as arguments, or once for each set of their values
 * (plan/physical/subquery-runs.ts). One that does not runs once for the statement, before the pipeline that asks for it; an
 * error it meets is raised only where its value is asked for. An uncorrelated `x IN (...)` becomes a set of hash keys.
 */
import { assert } from '@phantom/base';
import { SqlArray, SqlRecord } from '@phantom/codec';
import type { ColumnId, Subquery } from '../../expr/expression.js';
import { subplanOf } from '../../plan/logical/walk.js';
import {
  isMemoized,
  isRepeatable,
  membershipOf,
  outerColumnsOf,
  standsAlone,
} from '../../plan/physical/subquery-runs.js';
import { stackArrays } from '../../functions/array-functions.js';
import { checkArraySize } from '../../types/array-type.js';
import type { Value } from '../../types/type.js';
import { binary, call, isNotNull, literal, method, not, ONE, property, type Code } from '../code/ir.js';
import { moreThanOneRow } from '../pipelines.js';
import { newRun, runProgram, type Program } from '../program.js';
import { SLOT_BYTES, valueBytes } from '../row-buffer.js';
import type { Run } from '../run.js';
import type { Yielded } from '../runtime.js';
import { SubqueryMemo, UNKNOWN } from '../subquery-memo.js';
import type { ExpressionCompiler } from './expression-compiler.js';
import { ProgramBuilder, stateOf } from './program-builder.js';
import type { Operand } from './row-scope.js';
import { stopPipeline, type PlanCompiler, type StepContext } from './step.js';
import type { SubplanCompiler } from './subplan-face.js';

type Runner = (parent: Run, outer: readonly Value[]) => Generator<Yielded, unknown, void>;

/**
 * Runs a program with the values of its outer columns; the generator's result is what `finish` takes from the run. What the run has
 * taken of the query's memory is given back with its end, but for the bytes of the result that `heldBytes` tells of.
 */
export function subprogramRunner(
  program: Program,
  finish: (run: Run) => unknown,
  heldBytes: (run: Run) => number = () => 0,
): Runner {
  return function* (parent, outer) {
    parent.statement.repeats();
    const mark = parent.memory.mark();
    const run = newRun(program, parent.statement, outer);
    yield* runProgram(program, run);
    const result = finish(run);
    parent.memory.settle(mark + heldBytes(run));
    return result;
  };
}

/** What a subquery's rows are gathered into. */
interface Gathered {
  value: Value;
  count: number;
  /** any, all: some row's test was unknown. */
  unknown: boolean;
  items: Value[];
}

function newGathered(): Gathered {
  return { value: null, count: 0, unknown: false, items: [] };
}

/** Keeps an item: a value, or the values of a row. */
function keep(run: Run, state: Gathered, item: Value): void {
  run.memory.take(SLOT_BYTES + (Array.isArray(item) ? rowBytes(item as Value[]) : valueBytes(item)));
  state.items.push(item);
}

const rowBytes = (row: readonly Value[]): number =>
  row.reduce<number>((bytes, value) => bytes + SLOT_BYTES + valueBytes(value), 0);

/** The outcome of a subquery that runs once: its value, or the error it met. */
interface Once {
  value: unknown;
  error: unknown;
  failed: boolean;
}

/** The value of a subquery that runs when it is first asked for; UNKNOWN until then. */
interface AtFirstUse {
  readonly value: unknown;
}

function readOnce(once: Once): unknown {
  if (once.failed) throw once.error;
  return once.value;
}

/** What a member takes in its set, besides its value. */
const MEMBER_BYTES = 40;

/** Members of an uncorrelated IN. */
interface Members {
  readonly keys: Set<unknown>;
  hasNull: boolean;
}

export class Subplans implements SubplanCompiler {
  private readonly compiler: PlanCompiler;

  constructor(compiler: PlanCompiler) {
    this.compiler = compiler;
  }

  value(expressions: ExpressionCompiler, subquery: Subquery): Operand {
    const members = this.memberTest(expressions, subquery);
    if (members !== undefined) return members;
    const { emitter } = expressions;
    const plan = subplanOf(subquery);
    const outer = outerColumnsOf(subquery);
    const { program, finish } = this.program(subquery, outer);
    const nullable = subquery.mode !== 'exists' && subquery.mode !== 'unique' && subquery.mode !== 'array';
    if (outer.length === 0 && isRepeatable(plan)) {
      const once = this.runOnce(expressions, program, finish);
      return { code: emitter.let(once), nullable };
    }
    const runner = subprogramRunner(program, finish);
    if (outer.length === 0 && standsAlone(plan)) return { code: this.runAtFirstUse(expressions, runner), nullable };
    const args: Code = { kind: 'array', items: outer.map((column) => expressions.column(column).code) };
    if (isMemoized(this.compiler.planner, subquery, outer))
      return { code: this.runOnceEach(expressions, runner, args), nullable };
    return { code: emitter.delegate(call(emitter.constant(runner), expressions.run, args)), nullable };
  }

  /** Runs the subquery unless its value for these outer values is known. */
  private runOnceEach(expressions: ExpressionCompiler, runner: Runner, args: Code): Code {
    const { emitter, run } = expressions;
    const memo = stateOf(
      emitter,
      run,
      this.compiler.builder.addSlot(() => new SubqueryMemo()),
    );
    const outer = emitter.let(args);
    const value = emitter.let(method(memo, 'find', outer));
    emitter.if(binary('===', value, emitter.constant(UNKNOWN)), () => {
      emitter.assign(value, emitter.delegate(call(emitter.constant(runner), run, outer)));
      emitter.evaluate(method(memo, 'keep', outer, value));
    });
    return value;
  }

  /** Runs the subquery where its value is asked for, the first time in the statement. */
  private runAtFirstUse(expressions: ExpressionCompiler, runner: Runner): Code {
    const { emitter, run } = expressions;
    const key = {};
    const slot = this.compiler.builder.addSlot(({ statement }): AtFirstUse => {
      const kept = (statement.results.get(key) ?? { value: UNKNOWN }) as AtFirstUse;
      statement.results.set(key, kept);
      return kept;
    });
    const kept = stateOf(emitter, run, slot);
    const value = emitter.let(property(kept, 'value'));
    emitter.if(binary('===', value, emitter.constant(UNKNOWN)), () => {
      emitter.assign(value, emitter.delegate(call(emitter.constant(runner), run, { kind: 'array', items: [] })));
      emitter.setProperty(kept, 'value', value);
    });
    return value;
  }

  /** A task before the present pipeline, and code that reads its outcome. */
  private runOnce(expressions: ExpressionCompiler, program: Program, finish: (run: Run) => unknown): Code {
    const { builder } = this.compiler;
    const { emitter } = expressions;
    const key = {};
    const slot = builder.addSlot((run): Once => {
      const known = run.statement.results.get(key) as Once | undefined;
      return known ?? { value: undefined, error: undefined, failed: false };
    });
    builder.addTask({
      *run(run) {
        if (run.statement.results.has(key)) return;
        const once = run.state[slot] as Once;
        const mark = run.memory.mark();
        try {
          const inner = newRun(program, run.statement, []);
          yield* runProgram(program, inner);
          once.value = finish(inner);
          run.memory.keep(mark);
        } catch (error) {
          once.error = error;
          once.failed = true;
        }
        run.statement.results.set(key, once);
      },
    });
    return call(emitter.constant(readOnce), stateOf(emitter, expressions.run, slot));
  }

  /** The subquery's program and what becomes of its rows. */
  private program(
    subquery: Subquery,
    outer: readonly ColumnId[],
  ): { readonly program: Program; readonly finish: (run: Run) => unknown } {
    const builder = new ProgramBuilder(this.compiler.builder.context, outer);
    const slot = builder.addSlot(newGathered);
    const physical = this.compiler.planner.subplan(subplanOf(subquery));
    this.compiler.produceIn(builder, physical, (context) => gather(context, subquery, slot));
    return { program: builder, finish: finisher(subquery, slot, this.compiler) };
  }

  /** `x IN (query)` and its negation, when the query stands alone and its values can be hashed. */
  private memberTest(expressions: ExpressionCompiler, subquery: Subquery): Operand | undefined {
    const membership = membershipOf(subquery, this.compiler.builder.context.types);
    if (membership === undefined) return undefined;
    const { left, right, leftKey, rightKey, negated } = membership;
    const builder = new ProgramBuilder(this.compiler.builder.context, []);
    const slot = builder.addSlot((): Members => ({ keys: new Set(), hasNull: false }));
    this.compiler.produceIn(builder, this.compiler.planner.subplan(subplanOf(subquery)), (context) => {
      const value = context.expressions.value(right);
      const add = (run: Run, members: Members, item: Value): void => {
        if (item === null) {
          members.hasNull = true;
          return;
        }
        const key = rightKey(item);
        if (members.keys.has(key)) return;
        run.memory.take(MEMBER_BYTES + valueBytes(item));
        members.keys.add(key);
      };
      const { emitter: inner, run } = context;
      inner.evaluate(call(inner.constant(add), run, stateOf(inner, run, slot), value.code));
    });
    const { emitter } = expressions;
    const once = this.runOnce(expressions, builder, (run) => run.state[slot]);
    const isMember = (item: Value, members: Members): boolean | null => {
      if (members.keys.size === 0 && !members.hasNull) return negated;
      if (item === null) return null;
      if (members.keys.has(leftKey(item))) return !negated;
      return members.hasNull ? null : negated;
    };
    const value = expressions.value(left);
    return { code: emitter.let(call(emitter.constant(isMember), value.code, once)), nullable: true };
  }
}

/** Writes what a row of the subquery does. */
function gather(context: StepContext, subquery: Subquery, slot: number): void {
  const { emitter, run, expressions } = context;
  const state = stateOf(emitter, run, slot);
  const [first] = subquery.columns;
  const value = (): Code => (first === undefined ? literal(null) : expressions.column(first).code);
  switch (subquery.mode) {
    case 'exists':
      emitter.setProperty(state, 'value', literal(true));
      stopPipeline(context);
      return;
    case 'scalar':
    case 'row': {
      emitter.if(binary('>', property(state, 'count'), literal(0)), () => {
        const raise = (): never => {
          throw moreThanOneRow();
        };
        emitter.evaluate(call(emitter.constant(raise)));
      });
      emitter.setProperty(state, 'count', binary('+', property(state, 'count'), ONE));
      if (subquery.mode === 'scalar') {
        emitter.setProperty(state, 'value', value());
      } else {
        const items = subquery.columns.map((column) => expressions.column(column).code);
        emitter.setProperty(state, 'items', { kind: 'array', items });
      }
      return;
    }
    case 'array':
      emitter.evaluate(call(emitter.constant(keep), run, state, value()));
      return;
    case 'unique': {
      const items = subquery.columns.map((column) => expressions.column(column).code);
      emitter.evaluate(call(emitter.constant(keep), run, state, { kind: 'array', items }));
      return;
    }
    default: {
      assert(subquery.test !== undefined, 'a quantified subquery has a test');
      const deciding = subquery.mode === 'any';
      const tested = expressions.value(subquery.test);
      emitter.if(binary('===', tested.code, literal(deciding)), () => {
        emitter.setProperty(state, 'value', literal(true));
        stopPipeline(context);
      });
      emitter.if(not(isNotNull(tested.code)), () => emitter.setProperty(state, 'unknown', literal(true)));
    }
  }
}

/** The value of the subquery once its rows are through. */
function finisher(subquery: Subquery, slot: number, compiler: PlanCompiler): (run: Run) => unknown {
  const gathered = (run: Run): Gathered => run.state[slot] as Gathered;
  switch (subquery.mode) {
    case 'exists':
      return (run) => gathered(run).value === true;
    case 'scalar':
      return (run) => gathered(run).value;
    case 'row': {
      const shape = {
        names: subquery.columns.map((_, i) => `f${i + 1}`),
        types: subquery.columns.map(() => 0),
        typmods: subquery.columns.map(() => -1),
      };
      return (run) => {
        const state = gathered(run);
        return state.count === 0 ? null : new SqlRecord(subquery.type.oid, state.items, shape);
      };
    }
    case 'array': {
      const type = compiler.builder.context.types.byOid(subquery.type.oid);
      const elementOid = type?.elementOid ?? 0;
      const stacks = columnType(subquery, 0, compiler) === subquery.type.oid;
      return (run) => {
        const { items } = gathered(run);
        checkArraySize(items.length);
        const stacked = stacks ? stackArrays(items as (SqlArray | null)[]) : null;
        return stacked ?? SqlArray.of(elementOid, items);
      };
    }
    case 'unique':
      return (run) => rowsAreUnique(gathered(run).items as Value[][], subquery, compiler);
    default: {
      const deciding = subquery.mode === 'any';
      return (run) => {
        const state = gathered(run);
        if (state.value === true) return deciding;
        return state.unknown ? null : !deciding;
      };
    }
  }
}

function columnType(subquery: Subquery, i: number, compiler: PlanCompiler): number {
  return compiler.planner.context.pool.get(subquery.columns[i] as number).type.oid;
}

/** Rows with a null are never equal to others. */
function rowsAreUnique(rows: readonly (readonly Value[])[], subquery: Subquery, compiler: PlanCompiler): boolean {
  const { types } = compiler.builder.context;
  const keys = subquery.columns.map((_, i) => types.byOid(columnType(subquery, i, compiler))?.hashKey);
  const seen = new Set<string>();
  for (const row of rows) {
    if (row.includes(null)) continue;
    const text = JSON.stringify(
      row.map((value, i) => {
        const key = keys[i]?.(value) ?? value;
        return [typeof key, String(key)];
      }),
    );
    if (seen.has(text)) return false;
    seen.add(text);
  }
  return true;
}
