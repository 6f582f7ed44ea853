/** Whether what a query asks implies what a partial index holds: condition by condition, on the safe side. */
import type { Condition } from './filter/filter.js';
import { compareValues, equalValues, rankOf } from './order.js';
import { comparison } from './filter/tests.js';

/** True when every document that satisfies `asked` satisfies `held`. */
export function impliesFilter(asked: readonly Condition[], held: readonly Condition[]): boolean {
  return held.every((condition) => asked.some((one) => one.path === condition.path && implies(one, condition)));
}

function implies(asked: Condition, held: Condition): boolean {
  if (asked.operator === held.operator && equalValues(asked.value, held.value)) return true;
  switch (held.operator) {
    case '$exists':
      return held.value === true && provesExistence(asked);
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte': {
      const test = comparison(held.operator, held.value);
      if (asked.operator === '$eq') return !Array.isArray(asked.value) && test(asked.value);
      if (asked.operator === '$in')
        return (asked.value as readonly unknown[]).every((one) => !Array.isArray(one) && test(one));
      return narrower(asked, held);
    }
    case '$in':
      return (
        asked.operator === '$eq' && (held.value as readonly unknown[]).some((one) => equalValues(one, asked.value))
      );
    default:
      return false;
  }
}

function provesExistence({ operator, value }: Condition): boolean {
  if (operator === '$eq') return value !== null;
  if (operator === '$in') return (value as readonly unknown[]).every((one) => one !== null);
  return operator === '$prefix' || operator === '$elemMatch' || (/^\$[gl]te?$/.test(operator) && value !== null);
}

/** A range on the same side with a bound that is no wider. */
function narrower(asked: Condition, held: Condition): boolean {
  if (asked.operator.slice(0, 2) !== held.operator.slice(0, 2) || !/^\$[gl]te?$/.test(asked.operator)) return false;
  if (rankOf(asked.value) !== rankOf(held.value)) return false;
  const order = compareValues(asked.value, held.value);
  if (order === 0) return !(asked.operator.endsWith('e') && !held.operator.endsWith('e'));
  return held.operator.startsWith('$g') ? order > 0 : order < 0;
}
