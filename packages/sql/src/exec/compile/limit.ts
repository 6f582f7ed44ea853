/** LIMIT, OFFSET and WITH TIES: counters beside the row; the pipeline ends as soon as nobody wants more. */
import { PhantomError } from '@phantom/base';
import type { Limit } from '../../plan/physical/physical.js';
import { and, binary, call, literal, not, ONE, property, type Code } from '../code/ir.js';
import { DONE } from '../program.js';
import type { Run } from '../run.js';
import { valueComparison } from './comparator.js';
import { stateOf } from './program-builder.js';
import { compileNumber } from './sort.js';
import { stopPipeline, type Consume, type PlanCompiler, type StepContext } from './step.js';

interface LimitState {
  /** Rows still to be skipped. */
  skip: number;
  /** Rows still wanted. */
  left: number;
  /** Key values of the last row within the limit, for WITH TIES. */
  last: unknown[];
}

function checked(value: number | bigint | null, what: 'LIMIT' | 'OFFSET', absent: number): number {
  if (value === null) return absent;
  if (value < 0) {
    const code = what === 'LIMIT' ? '2201W' : '2201X';
    throw new PhantomError(code, `${what} must not be negative`);
  }
  return Number(value);
}

export function produceLimit(compiler: PlanCompiler, node: Limit, consume: Consume): void {
  const { builder } = compiler;
  const count = node.count === undefined ? undefined : compileNumber(compiler, node.count);
  const offset = node.offset === undefined ? undefined : compileNumber(compiler, node.offset);
  // Subqueries in LIMIT run before; so the counters are set by a task, not with the slots.
  const slot = builder.addSlot((): LimitState => ({ skip: 0, left: 0, last: [] }));
  builder.addTask({
    run(run: Run) {
      const state = run.state[slot] as LimitState;
      state.skip = offset === undefined ? 0 : checked(offset(run), 'OFFSET', 0);
      state.left = count === undefined ? Infinity : checked(count(run), 'LIMIT', Infinity);
      return DONE;
    },
  });
  compiler.produce(node.input, (context) => {
    const { emitter, run } = context;
    const state = stateOf(emitter, run, slot);
    context.state.wanted = (r) => {
      const { skip, left } = r.state[slot] as LimitState;
      return skip + left;
    };
    const left = property(state, 'left');
    if (node.ties === undefined) {
      emitter.if(binary('<=', left, literal(0)), () => stopPipeline(context));
    } else {
      emitTies(compiler, context, node, state);
    }
    emitter.if(
      binary('>', property(state, 'skip'), literal(0)),
      () => emitter.setProperty(state, 'skip', binary('-', property(state, 'skip'), ONE)),
      () => {
        emitter.setProperty(state, 'left', binary('-', left, ONE));
        if (node.ties !== undefined) keepTies(context, node, state);
        consume(context);
        if (node.ties === undefined && count !== undefined) {
          emitter.if(binary('<=', left, literal(0)), () => stopPipeline(context));
        }
      },
    );
  });
}

/** Past the limit a row passes only while its keys are those of the last row within. */
function emitTies(compiler: PlanCompiler, context: StepContext, node: Limit, state: Code): void {
  const { emitter, expressions } = context;
  const keys = node.ties ?? [];
  const comparisons = keys.map((key) => valueComparison(compiler.builder, key.expression.type));
  const same = (last: readonly unknown[], values: readonly unknown[]): boolean =>
    values.every((value, i) => {
      const other = last[i];
      if (value === null || other === null) return value === other;
      return comparisons[i]?.(value, other) === 0;
    });
  emitter.if(binary('<=', property(state, 'left'), literal(0)), () => {
    const values: Code = { kind: 'array', items: keys.map((key) => expressions.value(key.expression).code) };
    const tied = call(emitter.constant(same), property(state, 'last'), values);
    const some = binary('>', property(property(state, 'last'), 'length'), literal(0));
    emitter.if(not(and(some, tied)), () => stopPipeline(context));
  });
}

function keepTies(context: StepContext, node: Limit, state: Code): void {
  const { emitter, expressions } = context;
  emitter.if(binary('===', property(state, 'left'), literal(0)), () => {
    const items = (node.ties ?? []).map((key) => expressions.value(key.expression).code);
    emitter.setProperty(state, 'last', { kind: 'array', items });
  });
}
