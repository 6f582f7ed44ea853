/**
 * Which share of its left rows a semi join finds a match for: of the values of the left key, as many as the right side has different
 * ones, taken to be among them (eqjoinsel_semi of PostgreSQL's selfuncs.c). What else is asked of a pair may hold for any of the
 * right rows with the key, which the share takes into account and PostgreSQL does not.
 */
import type { Expression } from '../expr/expression.js';
import type { Cardinality } from './cardinality.js';
import type { Join } from './logical/logical.js';
import { isWithin } from './rules/facts.js';
import { distinctAmong, shareAmong } from './statistics/join-selectivity.js';

/** Where nothing is known of the left key. */
const UNKNOWN_SHARE = 0.5;

export function semiJoinShare(cardinality: Cardinality, node: Join, conditions: readonly Expression[]): number {
  const [left, right] = [new Set(node.left.columns), new Set(node.right.columns)];
  const rightRows = cardinality.rows(node.right);
  const others: Expression[] = [];
  let [own, other, nullFraction, tableRows, pairs] = [1, 1, 0, 1, 0];
  for (const condition of conditions) {
    const sides = condition.kind === 'call' && condition.operator?.role === '=' ? condition.arguments : [];
    const ofLeft = sides.find((side) => isWithin(side, left));
    const ofRight = sides.find((side) => isWithin(side, right));
    if (ofLeft === undefined || ofRight === undefined || ofLeft === ofRight) {
      others.push(condition);
      continue;
    }
    const known = cardinality.valuesOf(ofLeft);
    if (known === undefined) return UNKNOWN_SHARE;
    pairs++;
    own *= known.distinct;
    tableRows = Math.max(tableRows, known.tableRows);
    nullFraction = 1 - (1 - nullFraction) * (1 - known.nullFraction);
    const among = cardinality.valuesOf(ofRight);
    // Of a computed value nothing is known, and subqueries often give each but once.
    other *= among === undefined ? rightRows : distinctAmong(among.distinct, among.tableRows, rightRows);
  }
  if (pairs === 0) return UNKNOWN_SHARE;
  other = Math.max(1, Math.min(other, rightRows));
  const share = shareAmong(Math.min(own, tableRows), other, nullFraction);
  if (others.length === 0) return share;
  return share * (1 - (1 - cardinality.selectivityOfAll(others)) ** (rightRows / other));
}
