/** Keeps what the binder tells of one stored query, by the nodes of its syntax tree. */
import type { TypeRef } from '@phantom/catalog';
import type { BindWitness, SelectedItem } from '../../expr/bind-witness.js';
import type { Expression } from '../../expr/expression.js';
import type { RangeItem, Scope } from '../../expr/scope.js';

interface Bound {
  readonly expression: Expression;
  readonly scope: Scope;
}

export class QueryWitness implements BindWitness {
  private readonly expressions = new WeakMap<object, Bound>();
  private readonly casts = new WeakMap<Expression, Expression>();
  private readonly literals = new Map<number, TypeRef>();
  private readonly selects = new WeakMap<object, { scope: Scope; items: readonly SelectedItem[] }>();
  private readonly places = new WeakMap<object, readonly RangeItem[]>();
  /** By their columns, since a join hands on copies of the items inside. */
  private readonly nodes = new WeakMap<RangeItem['columns'], object>();

  bound(node: object, expression: Expression, scope: Scope): void {
    this.expressions.set(node, { expression, scope });
  }

  coerced(expression: Expression, result: Expression): void {
    if (result !== expression && result.type.oid !== expression.type.oid) this.casts.set(expression, result);
  }

  literal(position: number, type: TypeRef): void {
    this.literals.set(position, type);
  }

  selected(select: object, scope: Scope, items: readonly SelectedItem[]): void {
    this.selects.set(select, { scope, items });
  }

  placed(node: object, items: readonly RangeItem[]): void {
    this.places.set(node, items);
    for (const item of items) if (!this.nodes.has(item.columns)) this.nodes.set(item.columns, node);
  }

  of(node: object): Bound | undefined {
    return this.expressions.get(node);
  }

  /** The type that a node's value was given without being asked; undefined where it kept its own. */
  castOf(node: object): TypeRef | undefined {
    const bound = this.expressions.get(node);
    return bound === undefined ? undefined : this.casts.get(bound.expression)?.type;
  }

  literalAt(position: number): TypeRef | undefined {
    return this.literals.get(position);
  }

  selectedBy(select: object): { readonly scope: Scope; readonly items: readonly SelectedItem[] } | undefined {
    return this.selects.get(select);
  }

  /** The part of FROM that a range item came from. */
  nodeOf(item: RangeItem): object | undefined {
    return this.nodes.get(item.columns);
  }

  placesOf(node: object): readonly RangeItem[] {
    return this.places.get(node) ?? [];
  }
}
