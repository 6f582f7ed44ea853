/** Columns that a physical plan uses and no node of it makes, subplans in its expressions included. */
import type { ColumnId, Expression } from '../../expr/expression.js';
import { collectColumns } from '../logical/walk.js';
import { inputsOfPhysical, ownColumnsOf, ownExpressionsOf } from './walk.js';
import type { PhysicalNode } from './physical.js';

const cache = new WeakMap<PhysicalNode, ReadonlySet<ColumnId>>();

export function freeColumnsOfPhysical(node: PhysicalNode): ReadonlySet<ColumnId> {
  const known = cache.get(node);
  if (known !== undefined) return known;
  const used = new Set<ColumnId>();
  const made = new Set<ColumnId>();
  collect(node, used, made);
  for (const column of made) used.delete(column);
  cache.set(node, used);
  return used;
}

function collect(node: PhysicalNode, used: Set<ColumnId>, made: Set<ColumnId>): void {
  for (const input of inputsOfPhysical(node)) collect(input, used, made);
  ownExpressionsOf(node, (expression: Expression) => collectColumns(expression, used));
  for (const column of node.columns) made.add(column);
  for (const column of ownColumnsOf(node)) made.add(column);
}
