/**
 * The loop of a join over candidate rows for one left row, in the five kinds of joins. The rows of the left side pass once
 * each (semi, anti), or once for each match, and at least once for left and full joins, then with nulls on the right:
 *
 *   loop {
 *     has = advance()                      left join: the code that consumes is written once, for matches and for the
 *     if (!has && matched) break           row of nulls alike; right columns read as null where `has` is false
 *     if (has ? conditions : true) { matched = true; consume }
 *     if (!has) break
 *   }
 */
import type { Expression } from '../../expr/expression.js';
import { and, literal, not, type Code } from '../code/ir.js';
import { filterBy } from './filter.js';
import { Row } from './row-scope.js';
import { innerLoop, withRow, type Consume, type PlanCompiler, type StepContext, type Turns } from './step.js';

/** One way to find candidates. */
export interface Candidates extends Turns {
  /** Moves to the next candidate; the code is a boolean atom: whether there is one. */
  advance(context: StepContext): Code;
  /** The right side's columns for the present candidate. `present` undefined: there certainly is one. */
  row(context: StepContext, present: Code | undefined): Row;
  /** Called when a candidate has matched: full joins remember it. */
  matched?(context: StepContext): void;
  /** Called when the loop is left before its end. */
  close?(context: StepContext): void;
}

export function matchLoop(
  compiler: PlanCompiler,
  context: StepContext,
  join: 'inner' | 'left' | 'semi' | 'anti',
  conditions: readonly Expression[],
  candidates: Candidates,
  consume: Consume,
): void {
  const { emitter } = context;
  if (join === 'semi' || join === 'anti') {
    const found = emitter.let(literal(false));
    innerLoop(context, candidates, (label) => {
      const has = candidates.advance(context);
      emitter.if(not(has), () => emitter.break(label));
      const row = Row.of(context.row, candidates.row(context, undefined));
      filterBy(withRow(compiler, context, row), conditions, () => {
        emitter.assign(found, literal(true));
        candidates.close?.(context);
        emitter.break(label);
      });
    });
    emitter.if(join === 'semi' ? found : not(found), () => consume(context));
    return;
  }
  if (join === 'inner') {
    innerLoop(context, candidates, (label) => {
      const has = candidates.advance(context);
      emitter.if(not(has), () => emitter.break(label));
      const row = Row.of(context.row, candidates.row(context, undefined));
      const inner = withRow(compiler, context, row);
      filterBy(inner, conditions, () => {
        candidates.matched?.(context);
        consume(inner);
      });
    });
    return;
  }
  const matched = emitter.let(literal(false));
  innerLoop(context, candidates, (label) => {
    const has = candidates.advance(context);
    emitter.if(and(not(has), matched), () => emitter.break(label));
    const pass = emitter.let(literal(true));
    if (conditions.length > 0) {
      emitter.if(has, () => {
        const row = Row.of(context.row, candidates.row(context, undefined));
        emitter.assign(pass, literal(false));
        filterBy(withRow(compiler, context, row), conditions, () => emitter.assign(pass, literal(true)));
      });
    }
    emitter.if(pass, () => {
      emitter.assign(matched, literal(true));
      if (candidates.matched !== undefined) emitter.if(has, () => candidates.matched?.(context));
      const row = Row.of(context.row, candidates.row(context, has));
      consume(withRow(compiler, context, row));
    });
    emitter.if(not(has), () => emitter.break(label));
  });
}
