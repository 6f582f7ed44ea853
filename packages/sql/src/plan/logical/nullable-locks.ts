/**
 * Locks on rows that an outer join may put nulls in place of: refused as in PostgreSQL, since nothing would be locked where
 * there is no row, and whoever asked for the lock would count on it. Joins that turned out to be inner ones are not outer.
 */
import { PhantomError } from '@phantom/base';
import type { ColumnId } from '../../expr/expression.js';
import { lockingWords, type LockTarget, type LogicalNode } from './logical.js';
import { inputsOf } from './walk.js';

/** 0A000 when a target's rows come from the nullable side of an outer join under `node`. */
export function refuseNullableTargets(targets: readonly LockTarget[], node: LogicalNode): void {
  if (node.kind === 'join') {
    const { join, left, right } = node;
    const nullable = new Set<ColumnId>();
    if (join === 'left' || join === 'full') for (const column of right.columns) nullable.add(column);
    if (join === 'right' || join === 'full') for (const column of left.columns) nullable.add(column);
    for (const target of targets) {
      if (!nullable.has(target.rowReference)) continue;
      const message = `${lockingWords(target)} cannot be applied to the nullable side of an outer join`;
      throw new PhantomError('0A000', message);
    }
  }
  for (const input of inputsOf(node)) refuseNullableTargets(targets, input);
}
