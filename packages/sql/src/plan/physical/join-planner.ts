/** Joins: which sides may be exchanged, and the method that is cheapest. The order of inner joins is found in join-order.ts. */
import { conjuncts } from '../../expr/expression.js';
import type { Join } from '../logical/logical.js';
import { cheapest, part } from './join-methods.js';
import { planInner } from './join-order.js';
import type { PhysicalNode } from './physical.js';
import type { PhysicalPlanner } from './planner.js';

export function planJoin(planner: PhysicalPlanner, node: Join): PhysicalNode {
  if (node.join === 'inner') return planInner(planner, node);
  if (node.join === 'right') return joinPair(planner, { ...node, join: 'left', left: node.right, right: node.left });
  return joinPair(planner, node);
}

/** A join whose sides may not be exchanged. */
function joinPair(planner: PhysicalPlanner, node: Join): PhysicalNode {
  return cheapest(
    planner,
    node.join,
    part(planner, node.left),
    part(planner, node.right),
    node.conditions.flatMap(conjuncts),
    node.columns,
    node.nullAware,
    planner.rows(node),
  );
}
