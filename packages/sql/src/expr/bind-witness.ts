/** What a binder tells, as it goes, of what it makes of the syntax tree: for texts of queries that are stored. */
import type { TypeRef } from '@phantom/catalog';
import type { Expression } from './expression.js';
import type { RangeItem, Scope } from './scope.js';

/** A column of a select list, stars spread. */
export interface SelectedItem {
  readonly name: string;
  readonly expression: Expression;
}

export interface BindWitness {
  /** A node of the syntax tree as an expression, and where it stands. */
  bound(node: object, expression: Expression, scope: Scope): void;
  /** An expression was made one of another type without being asked. */
  coerced(expression: Expression, result: Expression): void;
  /** A literal that stands at the position of the text was read as a type. */
  literal(position: number, type: TypeRef): void;
  selected(select: object, scope: Scope, items: readonly SelectedItem[]): void;
  /** Range items that a part of FROM came to. */
  placed(node: object, items: readonly RangeItem[]): void;
}
