/**
 * The plan of a statement that rules have rewritten into several, or into none: theirs, run one after the other as one statement, each
 * of which sees what those before it have written.
 */
import type { Execution, ExecutionContext, RowSink } from '../exec/runtime.js';
import { PlanMeasure } from '../exec/plan-measure.js';
import type { ExplainOptions, PreparedPlan } from './prepared-plan.js';

/** One of the plans, and what its rows are to the client. */
export interface PlanPart {
  readonly plan: PreparedPlan;
  /** They are what the statement returns; otherwise nobody sees them. */
  readonly isSent: boolean;
  /** They are those that the command tag counts. */
  readonly isCounted: boolean;
}

/** What holds for all of them. */
export type SharedFacts = Pick<
  PreparedPlan,
  | 'commandKind'
  | 'parameterTypes'
  | 'catalogVersion'
  | 'schemaVersion'
  | 'statisticsVersion'
  | 'securityKey'
  | 'dependencies'
  | 'privileges'
>;

export function severalPlans(facts: SharedFacts, parts: readonly PlanPart[]): PreparedPlan {
  const plans = parts.map(({ plan }) => plan);
  const sent = parts.find(({ isSent }) => isSent);
  // What each of them has counted, by the first one's.
  const measures = new WeakMap<PlanMeasure, readonly PlanMeasure[]>();
  const whole: PreparedPlan = {
    ...facts,
    fields: sent?.plan.fields ?? [],
    traits: {
      writes: plans.some(({ traits }) => traits.writes),
      locks: plans.some(({ traits }) => traits.locks),
      volatile: plans.some(({ traits }) => traits.volatile),
      local: true,
      cost: plans.reduce((sum, { traits }) => sum + traits.cost, 0),
      rows: sent?.plan.traits.rows ?? 0,
    },
    // Each of them has its own, and begins with them.
    targets: [],
    readsAhead: false,
    insertsMany: false,
    pointLookup: undefined,
    pointLock: undefined,
    pointWrite: undefined,
    directCall: undefined,
    partitioned: undefined,
    isMeasured: false,
    execute: (context, sink) => executeAll(parts, context, sink),
    explain: (options) => explained(plans, options, measures),
    measured: (countsReads) => {
      const measured = parts.map((part) => ({ part, ...part.plan.measured(countsReads) }));
      const all = measured.map(({ measure }) => measure);
      const measure = all[0] ?? new PlanMeasure(countsReads);
      measures.set(measure, all);
      const copies = measured.map(({ part, plan }) => ({ ...part, plan }));
      const plan = { ...whole, isMeasured: true, execute: executing(copies) };
      return { plan, measure };
    },
  };
  return whole;
}

function executing(parts: readonly PlanPart[]): PreparedPlan['execute'] {
  return (context, sink) => executeAll(parts, context, sink);
}

/** Rows of actions that nobody has asked for are made and dropped. */
const NOBODY: RowSink = { rows: () => false, batchRowsMax: 1024 };

function* executeAll(parts: readonly PlanPart[], context: ExecutionContext, sink: RowSink): Execution {
  let count = 0;
  let isFirst = true;
  for (const { plan, isSent, isCounted } of parts) {
    yield* context.beginPart(plan.targets, isFirst);
    isFirst = false;
    const rows = yield* plan.execute(context, isSent ? sink : NOBODY);
    if (isCounted) count = rows;
  }
  return count;
}

/** PostgreSQL's words for a statement of which nothing is left. */
const NOTHING = 'Query rewrites to nothing';

function explained(
  plans: readonly PreparedPlan[],
  options: ExplainOptions = {},
  measures: WeakMap<PlanMeasure, readonly PlanMeasure[]>,
): string[] {
  const all = options.measure === undefined ? undefined : measures.get(options.measure);
  const texts = plans.map((plan, i) => plan.explain({ ...options, measure: all?.[i] }));
  if (options.format === 'json') {
    const items = texts.flatMap((lines) => JSON.parse(lines.join('\n')) as readonly unknown[]);
    return [JSON.stringify(items, undefined, 2)];
  }
  if (texts.length === 0) return [NOTHING];
  return texts.flatMap((lines, i) => (i === 0 ? lines : ['', ...lines]));
}
