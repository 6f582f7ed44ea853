/** Putting together a select list: output columns, extra ones that ORDER BY wants, and the window nodes below. */
import type { BindContext } from '../../expr/context.js';
import type { ColumnId, Expression } from '../../expr/expression.js';
import type { PendingWindowCall } from '../../expr/scope.js';
import { equalExpressions } from '../../expr/walk.js';
import type { LogicalNode, Project } from '../logical/logical.js';

/** A project node in the making. */
export class Projection {
  private readonly context: BindContext;
  private readonly input: LogicalNode;
  private readonly available: ReadonlySet<ColumnId>;
  private readonly items: { readonly column: ColumnId; readonly expression: Expression }[] = [];
  private readonly columns: ColumnId[] = [];

  constructor(context: BindContext, input: LogicalNode) {
    this.context = context;
    this.input = input;
    this.available = new Set(input.columns);
  }

  /** Adds an output column; a plain input column keeps its id the first time. */
  output(name: string, expression: Expression): ColumnId {
    if (expression.kind === 'column' && this.available.has(expression.column)) {
      if (!this.columns.includes(expression.column)) {
        this.columns.push(expression.column);
        return expression.column;
      }
      const info = this.context.pool.get(expression.column);
      const column = this.context.pool.add(name, expression.type, info.tableOid, info.columnNumber);
      this.items.push({ column, expression });
      this.columns.push(column);
      return column;
    }
    const column = this.context.newColumn(name, expression.type);
    this.items.push({ column, expression });
    this.columns.push(column);
    return column;
  }

  /** The column that holds the expression, added after the outputs unless it is there already. */
  extra(expression: Expression): ColumnId {
    if (expression.kind === 'column' && this.available.has(expression.column)) {
      this.keep(expression.column);
      return expression.column;
    }
    const same = this.items.find((item) => equalExpressions(item.expression, expression));
    return same === undefined ? this.output('?order?', expression) : same.column;
  }

  /** Passes an input column on. */
  keep(column: ColumnId): void {
    if (!this.columns.includes(column)) this.columns.push(column);
  }

  node(): Project {
    return { kind: 'project', input: this.input, items: this.items, columns: this.columns };
  }
}

/** One window node for each distinct partitioning and ordering. */
export function windowNodes(input: LogicalNode, calls: readonly PendingWindowCall[]): LogicalNode {
  let plan = input;
  let rest = calls;
  while (rest.length > 0) {
    const first = rest[0] as PendingWindowCall;
    // A volatile key equals no other expression, and a window of such keys is still that of its own calls.
    const isSame = (call: PendingWindowCall): boolean => call === first || sameWindow(first, call);
    const same = rest.filter(isSame);
    plan = {
      kind: 'window',
      input: plan,
      partition: first.partition,
      order: first.order,
      calls: same.map((pending) => pending.call),
      columns: [...plan.columns, ...same.map((pending) => pending.call.column)],
    };
    rest = rest.filter((call) => !isSame(call));
  }
  return plan;
}

function sameWindow(a: PendingWindowCall, b: PendingWindowCall): boolean {
  return (
    a.partition.length === b.partition.length &&
    a.order.length === b.order.length &&
    a.partition.every((expression, i) => sameKey(expression, b.partition[i] as Expression)) &&
    a.order.every((key, i) => {
      const other = b.order[i];
      return (
        other !== undefined &&
        key.descending === other.descending &&
        key.nullsFirst === other.nullsFirst &&
        sameKey(key.expression, other.expression)
      );
    })
  );
}

/** What is written once, in the WINDOW clause, is one key, also where it is volatile. */
function sameKey(a: Expression, b: Expression): boolean {
  return a === b || equalExpressions(a, b);
}
