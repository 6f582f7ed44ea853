/** The plan of a change that rules have rewritten. */
import type { BoundQuery } from '../expr/binder.js';
import type { BindContext } from '../expr/context.js';
import type { RewrittenStatement } from '../rewrite/rewrite-change.js';
import { fitResult } from './binder/fit-result.js';
import { oneRow } from './binder/bind-from.js';
import type { CatalogPort } from './catalog-port.js';
import type { CommandKind, PreparedPlan } from './prepared-plan.js';
import type { WantedResult } from './routine-binding.js';
import { severalPlans } from './several-plans.js';

/**
 * Of the statements that it has come to, which have been bound in one context; `prepare` makes one of them ready to run. The command tag is that of the change itself where it
 * is among them, or else counts the rows of the last statement of its kind that stands in its place.
 */
export function rewrittenPlan(
  context: BindContext,
  rewritten: readonly RewrittenStatement[],
  commandKind: CommandKind,
  catalog: CatalogPort,
  wanted: WantedResult | undefined,
  prepare: (bound: BoundQuery, commandKind: CommandKind) => PreparedPlan,
): PreparedPlan {
  const counted = countedAmong(rewritten, commandKind);
  const sent = sentAmong(rewritten);
  if (wanted !== undefined && sent === undefined) fitResult(context, { plan: oneRow(), fields: [] }, wanted);
  const parts = rewritten.map((statement) => {
    const { bound, command } = statement;
    const isSent = statement === sent;
    const fitted = isSent && wanted !== undefined ? fitResult(context, bound, wanted) : bound;
    const plan = prepare(fitted, command);
    return { plan, isSent, isCounted: statement === counted };
  });
  const [only] = parts;
  if (only !== undefined && parts.length === 1 && only.isCounted) return only.plan;
  const { version, schemaVersion, statisticsVersion } = catalog;
  return severalPlans(
    {
      commandKind,
      parameterTypes: context.decidedParameters(),
      catalogVersion: version,
      schemaVersion,
      statisticsVersion,
      securityKey: context.security.key,
      dependencies: [...context.dependencies.values()],
      // Of nothing one need not be allowed anything.
      privileges: parts.length === 0 ? [] : context.privileges(),
    },
    parts,
  );
}

function countedAmong(rewritten: readonly RewrittenStatement[], kind: CommandKind): RewrittenStatement | undefined {
  const original = rewritten.find(({ source }) => source === 'original');
  return (
    original ??
    rewritten.findLast(({ command, source }) => command === kind && (source === 'instead' || source === 'conditional'))
  );
}

/** What RETURNING gives, or else the one query among them: PostgreSQL sends the rows of each, which is no result of one shape. */
function sentAmong(rewritten: readonly RewrittenStatement[]): RewrittenStatement | undefined {
  const returning = rewritten.find(({ returns }) => returns);
  if (returning !== undefined) return returning;
  const queries = rewritten.filter(({ command, isNotify }) => command === 'select' && !isNotify);
  return queries.length === 1 ? queries[0] : undefined;
}
