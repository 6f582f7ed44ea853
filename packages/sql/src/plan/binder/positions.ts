/** Where an expression begins: PostgreSQL blames infix operators as a whole at their leftmost part. */
import type * as Ast from '../../text/ast.js';

export function startOf(node: Ast.Expression): number {
  switch (node.kind) {
    case 'binary':
    case 'is-distinct':
    case 'quantified':
      return Math.min(node.position, startOf(node.left));
    case 'is':
    case 'between':
    case 'in':
    case 'like':
    case 'cast':
    case 'at-time-zone':
    case 'collate':
      return Math.min(node.position, startOf(node.operand));
    case 'logical': {
      const [first] = node.operands;
      return first === undefined ? node.position : Math.min(node.position, startOf(first));
    }
    case 'field':
    case 'subscript':
      return Math.min(node.position, startOf(node.base));
    default:
      return node.position;
  }
}
