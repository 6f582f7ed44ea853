/**
 * Join elimination: a LEFT JOIN to a table of which nobody above uses a column, by a unique key of it, gives each row of the
 * other side once, matched or not. So does the other side alone. Views that join everything they might be asked for live
 * by this.
 *
 * It looks at what pruning has left of a join's columns; where it finds something, pruning runs again, since the columns
 * that only the join compared are used no more. Left out: inner joins along foreign keys, whose constraints may be deferred.
 */
import type { BindContext } from '../../expr/context.js';
import type { ColumnId } from '../../expr/expression.js';
import type { Join, LogicalNode, Scan } from '../logical/logical.js';
import { mapInputs } from '../logical/walk.js';
import { accessPaths } from '../physical/access-paths.js';
import { hasSubquery, isVolatile } from './facts.js';
import { projectionPruning } from './projection-pruning.js';
import type { Rule } from './rule.js';

export const joinElimination: Rule = {
  name: 'join elimination',
  apply(plan, context) {
    const eliminated = eliminate(plan, context);
    return eliminated === plan ? plan : projectionPruning.apply(eliminated, context);
  },
};

/** The same node when no join below it can go. */
function eliminate(node: LogicalNode, context: BindContext): LogicalNode {
  let isChanged = false;
  const mapped = mapInputs(node, (input) => {
    const made = eliminate(input, context);
    isChanged ||= made !== input;
    return made;
  });
  const inner = isChanged ? mapped : node;
  return inner.kind === 'join' ? (keptSide(inner, context) ?? inner) : inner;
}

/** The side that the join's rows are, one for one; undefined when the other one matters. */
function keptSide(join: Join, context: BindContext): LogicalNode | undefined {
  if (join.lateral || (join.join !== 'left' && join.join !== 'right')) return undefined;
  const [kept, other] = join.join === 'left' ? [join.left, join.right] : [join.right, join.left];
  const unused = new Set<ColumnId>(other.columns);
  if (other.kind !== 'scan' || join.columns.some((column) => unused.has(column))) return undefined;
  if (!givesOneRow(other, join, context)) return undefined;
  return { kind: 'project', input: kept, items: [], columns: join.columns };
}

/** The conditions of the join choose at most one row of the scan. */
function givesOneRow(scan: Scan, join: Join, { catalog }: BindContext): boolean {
  const filter = [...scan.filter, ...join.conditions];
  if (filter.some((condition) => isVolatile(condition) || hasSubquery(condition))) return false;
  return accessPaths({ ...scan, filter }, catalog).some((path) => path.unique);
}
