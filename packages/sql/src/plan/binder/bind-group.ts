/**
 * GROUP BY: keys and grouping sets, and the rewriting of everything above so that it speaks of keys and aggregates only.
 *
 * A column that is no key may still be used when the primary key of its table is among the keys (functional dependency,
 * T301): it then becomes an aggregate that keeps the group's first value.
 */
import type { AggregateFunction } from '../../functions/registry.js';
import type { Binder } from '../../expr/binder.js';
import { coerce, isUnknown } from '../../expr/coercion.js';
import { requireEquality } from '../../expr/equality.js';
import { columnReference, type ColumnId, type Expression } from '../../expr/expression.js';
import type { RangeItem, Scope } from '../../expr/scope.js';
import { TypeOid } from '../../types/type-oids.js';
import { TEXT } from '../../types/type-refs.js';
import { equalExpressions, mapChildren } from '../../expr/walk.js';
import type * as Ast from '../../text/ast.js';
import type { Aggregate, AggregateCall, GroupingCall, LogicalNode } from '../logical/logical.js';
import { mapPlanExpressions, subplanOf } from '../logical/walk.js';

/** Most grouping sets of one query, as in PostgreSQL. */
const GROUPING_SETS_MAX = 4096;

/** Keeps the first value of a group: what a functionally dependent column becomes. */
export const FIRST_VALUE: AggregateFunction = {
  kind: 'aggregate',
  oid: 0,
  name: 'first_value_of_group',
  argumentTypes: [TypeOid.anyElement],
  resultType: TypeOid.anyElement,
  volatility: 'immutable',
  strict: false,
  init: () => undefined,
  step: (state: unknown, value: unknown) => (state === undefined ? value : state),
  final: (state: unknown) => state ?? null,
  combine: (a: unknown, b: unknown) => (a === undefined ? b : a),
};

export interface GroupKeys {
  readonly keys: { readonly column: ColumnId; readonly expression: Expression }[];
  readonly sets: (readonly number[])[] | undefined;
}

/** Answers an expression of GROUP BY: an ordinal, a column, an output name, or any expression. */
export type BindGroupItem = (node: Ast.Expression) => Expression;

/**
 * The keys and sets of a GROUP BY clause. Output columns that are equal stay keys of their own in grouping sets, where one
 * of them may be left out and the other not; `outputs` are the expressions of all output columns.
 */
export function bindGroupBy(
  binder: Binder,
  groupBy: Ast.GroupBy,
  outputs: ReadonlySet<Expression>,
  bindItem: BindGroupItem,
): GroupKeys {
  const { context } = binder;
  const plain = groupBy.elements.every((element) => element.kind === 'expression');
  const expressions: Expression[] = [];
  const keyOf = (node: Ast.Expression): number => {
    const bound = bindItem(node);
    const value = isUnknown(bound) ? coerce(context, bound, TEXT, 'implicit', node.position) : bound;
    requireEquality(context, value.type, node.position);
    const apart = !plain && outputs.has(value);
    const known = expressions.findIndex((other) => other === value || (!apart && equalExpressions(other, value)));
    if (known >= 0) return known;
    expressions.push(value);
    return expressions.length - 1;
  };
  const keysOf = (node: Ast.Expression): number[] =>
    node.kind === 'row' && !node.explicit ? node.fields.flatMap(keysOf) : [keyOf(node)];
  let product: number[][] = [[]];
  for (const element of groupBy.elements) {
    const sets = elementSets(element, keysOf);
    product = product.flatMap((left) => sets.map((right) => unite(left, right)));
    if (product.length > GROUPING_SETS_MAX) {
      throw context.error('54001', `too many grouping sets present (maximum ${GROUPING_SETS_MAX})`, groupBy.position);
    }
  }
  const sets = plain ? undefined : groupBy.distinct ? distinctSets(product) : product;
  const reuse = sets === undefined;
  const taken = new Set<ColumnId>();
  const keys = expressions.map((expression) => {
    if (reuse && expression.kind === 'column' && !taken.has(expression.column)) {
      taken.add(expression.column);
      return { column: expression.column, expression };
    }
    return { column: context.newColumn('key', expression.type), expression };
  });
  return { keys, sets };
}

function unite(a: readonly number[], b: readonly number[]): number[] {
  return [...a, ...b.filter((key) => !a.includes(key))];
}

function distinctSets(sets: readonly (readonly number[])[]): (readonly number[])[] {
  const seen = new Set<string>();
  return sets.filter((set) => {
    const name = [...set].sort((a, b) => a - b).join(',');
    if (seen.has(name)) return false;
    seen.add(name);
    return true;
  });
}

/** The grouping sets one element stands for. */
function elementSets(element: Ast.GroupingElement, keysOf: (node: Ast.Expression) => number[]): number[][] {
  switch (element.kind) {
    case 'expression':
      return [keysOf(element.value)];
    case 'empty':
      return [[]];
    case 'sets':
      return element.elements.flatMap((inner) => elementSets(inner, keysOf));
    default: {
      const parts = element.elements.map((inner) => elementSets(inner, keysOf)[0] ?? []);
      if (element.kind === 'rollup') {
        const sets: number[][] = [];
        for (let length = parts.length; length >= 0; length--)
          sets.push(parts.slice(0, length).reduce<number[]>(unite, []));
        return sets;
      }
      const sets: number[][] = [];
      for (let mask = (1 << parts.length) - 1; mask >= 0; mask--) {
        const chosen = parts.filter((_, i) => (mask & (1 << (parts.length - 1 - i))) !== 0);
        sets.push(chosen.reduce<number[]>(unite, []));
      }
      return sets;
    }
  }
}

/** Makes the aggregate node and rewrites expressions above it. */
export class Grouping {
  private readonly binder: Binder;
  private readonly scope: Scope;
  private readonly group: GroupKeys;
  /** Columns the query level's FROM makes: the only ones that must be grouped. */
  private readonly inputColumns: ReadonlySet<ColumnId>;
  private readonly dependents = new Map<ColumnId, AggregateCall>();
  private insideSubquery = false;

  constructor(binder: Binder, scope: Scope, group: GroupKeys, input: LogicalNode) {
    this.binder = binder;
    this.scope = scope;
    this.group = group;
    this.inputColumns = new Set(input.columns);
  }

  /** The expression over keys and aggregates; 42803 for a column that is neither. */
  rewrite(expression: Expression): Expression {
    const { keys } = this.group;
    const key =
      keys.find((candidate) => candidate.expression === expression) ??
      keys.find((candidate) => equalExpressions(candidate.expression, expression));
    if (key !== undefined) return columnReference(key.column, expression.type);
    if (expression.kind === 'column') return this.column(expression);
    const rewritten = mapChildren(expression, (child) => this.rewrite(child));
    if (rewritten.kind !== 'subquery') return rewritten;
    const outside = this.insideSubquery;
    this.insideSubquery = true;
    try {
      const plan = mapPlanExpressions(subplanOf(rewritten), (inner) => this.rewrite(inner));
      return plan === rewritten.plan ? rewritten : { ...rewritten, plan };
    } finally {
      this.insideSubquery = outside;
    }
  }

  private column(expression: Expression & { kind: 'column' }): Expression {
    const { column } = expression;
    if (!this.inputColumns.has(column) || this.dependents.has(column)) return expression;
    const item = this.itemOf(column);
    if (item !== undefined && this.determines(item)) {
      this.dependents.set(column, {
        column,
        function: FIRST_VALUE,
        arguments: [expression],
        argumentTypes: [expression.type],
        directArguments: [],
        variadicFrom: undefined,
        variadicElement: undefined,
        distinct: false,
        orderBy: [],
        filter: undefined,
        type: expression.type,
      });
      return expression;
    }
    const { context } = this.binder;
    const name = context.pool.get(column).name;
    const shown = item?.name === undefined ? `"${name}"` : `"${item.name}.${name}"`;
    const position = this.scope.positions.get(expression);
    if (this.insideSubquery) {
      throw context.error('42803', `subquery uses ungrouped column ${shown} from outer query`, position);
    }
    throw context.error(
      '42803',
      `column ${shown} must appear in the GROUP BY clause or be used in an aggregate function`,
      position,
    );
  }

  private itemOf(column: ColumnId): RangeItem | undefined {
    const owns = (item: RangeItem): boolean =>
      item.columns.some((c) => c.expression.kind === 'column' && c.expression.column === column);
    return (
      this.scope.items.find((item) => item.name !== undefined && owns(item)) ??
      this.scope.items.find((item) => owns(item))
    );
  }

  /** The primary key of the item's table is among the keys of every grouping set. */
  private determines(item: RangeItem): boolean {
    const { table } = item;
    if (table === undefined) return false;
    const primary = table.constraints.find((constraint) => constraint.kind === 'primary key');
    if (primary === undefined || primary.kind !== 'primary key' || primary.deferrable) return false;
    const { groupingKeys, nameListener, pool } = this.binder.context;
    const own = new Set<ColumnId>();
    for (const c of item.columns) if (c.expression.kind === 'column') own.add(c.expression.column);
    const determined = primary.columns.every((number) =>
      this.group.keys.some((key, i) => {
        if (key.expression.kind !== 'column' || !own.has(key.expression.column)) return false;
        if (pool.get(key.expression.column).columnNumber !== number) return false;
        return this.group.sets === undefined || this.group.sets.every((set) => set.includes(i));
      }),
    );
    if (determined && nameListener !== undefined) groupingKeys.add(primary.indexOid);
    return determined;
  }

  /** GROUPING's arguments as positions of keys; 42803 when one is none. */
  private groupingCalls(): GroupingCall[] {
    return this.scope.groupings.map(({ call, keys }) => ({
      column: call.column,
      keys: keys.map((expression) => {
        const at = this.group.keys.findIndex((key) => equalExpressions(key.expression, expression));
        if (at >= 0) return at;
        throw this.binder.context.error(
          '42803',
          'arguments to GROUPING must be grouping expressions of the associated query level',
          this.scope.positions.get(expression),
        );
      }),
    }));
  }

  /** The node; call it when everything above has been rewritten. */
  node(input: LogicalNode): Aggregate {
    const calls = [...this.scope.aggregates, ...this.dependents.values()];
    const groupings = this.groupingCalls();
    return {
      kind: 'aggregate',
      input,
      keys: this.group.keys,
      sets: this.group.sets,
      calls,
      groupings,
      columns: [
        ...this.group.keys.map((key) => key.column),
        ...calls.map((call) => call.column),
        ...groupings.map((grouping) => grouping.column),
      ],
    };
  }
}
