/**
 * Bound expressions: the syntax tree of an expression after names, types and casts are decided. Everything below the
 * binder (rules, planner, code generation, EXPLAIN) speaks this language.
 *
 * Columns are known by ColumnId, a number unique within the statement, not by input and position: a rewrite rule may
 * move an expression to wherever its columns are at hand without renumbering it, and a correlated reference is simply an
 * id that the subplan's own nodes do not produce. (Idea: the Cascades and CockroachDB optimizers.)
 *
 * Invariants:
 *   1. Nodes are immutable; a rule makes new ones.
 *   2. Every implicit cast is explicit here: the arguments of a call have the types the function declares.
 *   3. Aggregates, window functions and set-returning functions never occur inside: the binder moves them into their
 *      nodes of the plan and leaves a column reference behind.
 */
import type { TypeRef } from '@phantom/catalog';
import type { CastDefinition, OperatorDefinition, ScalarFunction } from '../functions/registry.js';
import type { Value } from '../types/type.js';
import { BOOL } from '../types/type-refs.js';

/** A column of some node of the statement's plan; see plan/logical/columns.ts. */
export type ColumnId = number;

/**
 * The plan of a subquery as seen from an expression: a LogicalNode, whose file stands above this one (files do not import
 * in circles). `subplanOf` in plan/logical/walk.ts gives it back its whole type.
 */
export interface Subplan {
  readonly kind: string;
  readonly columns: readonly ColumnId[];
}

/** Meaning of a comparison, for planning. */
export type ComparisonRole = '=' | '<>' | '<' | '<=' | '>' | '>=';

export interface Constant {
  readonly kind: 'constant';
  readonly value: Value;
  readonly type: TypeRef;
  /** Where a literal of type unknown stands in the text: errors in it point there. */
  readonly position?: number;
}

/** `$n`; `index` is 1-based. */
export interface ParameterReference {
  readonly kind: 'parameter';
  readonly index: number;
  readonly type: TypeRef;
}

export interface ColumnReference {
  readonly kind: 'column';
  readonly column: ColumnId;
  readonly type: TypeRef;
}

/** A call of a scalar function, operators included (`operator` is then set). */
export interface Call {
  readonly kind: 'call';
  readonly function: ScalarFunction;
  readonly operator: OperatorDefinition | undefined;
  readonly arguments: readonly Expression[];
  /** The trailing arguments from here on are passed as one array of `variadicElement`; undefined: none. */
  readonly variadicFrom: number | undefined;
  readonly variadicElement: number | undefined;
  readonly type: TypeRef;
  /** What a result of type `record` consists of: parameters that go out, or the column definition list of a call in FROM. */
  readonly recordColumns?: readonly { readonly name: string; readonly type: TypeRef }[];
  /** The word of SQL that it is the value of, as CURRENT_DATE. */
  readonly word?: string;
  /** How the construct that it was made of is written around the texts of its arguments, where that is no call. */
  readonly written?: (parts: readonly string[]) => string;
}

/** A cast by function, by text (`definition.call`), or without any work; applies the type modifier of `type`. */
export interface Cast {
  readonly kind: 'cast';
  readonly operand: Expression;
  readonly definition: CastDefinition;
  readonly explicit: boolean;
  readonly type: TypeRef;
  /** The word of SQL that it is the value of, as CURRENT_DATE. */
  readonly word?: string;
  /** The operand is the text of a literal of the type, and no text that somebody casts to it. */
  readonly literal?: true;
}

/** Applies a type modifier to a value that already has the type: varchar to varchar(3). */
export interface TypmodCoercion {
  readonly kind: 'typmod';
  readonly operand: Expression;
  readonly explicit: boolean;
  readonly type: TypeRef;
  /** The word of SQL that it is the value of, as CURRENT_DATE. */
  readonly word?: string;
}

/** AND, OR with two or more operands; three-valued. */
export interface Logical {
  readonly kind: 'logical';
  readonly operator: 'and' | 'or';
  readonly operands: readonly Expression[];
  readonly type: TypeRef;
}

export interface Not {
  readonly kind: 'not';
  readonly operand: Expression;
  readonly type: TypeRef;
}

/** IS [NOT] NULL. `row`: the operand is a composite, and the test is of each of its fields. */
export interface NullTest {
  readonly kind: 'null-test';
  readonly operand: Expression;
  readonly negated: boolean;
  readonly row: boolean;
  readonly type: TypeRef;
}

/** IS [NOT] TRUE, FALSE, UNKNOWN (`value` null). */
export interface BooleanTest {
  readonly kind: 'boolean-test';
  readonly operand: Expression;
  readonly value: boolean | null;
  readonly negated: boolean;
  readonly type: TypeRef;
}

/** IS [NOT] DISTINCT FROM by an equality function. */
export interface DistinctTest {
  readonly kind: 'distinct-test';
  readonly left: Expression;
  readonly right: Expression;
  readonly equality: ScalarFunction;
  readonly negated: boolean;
  readonly type: TypeRef;
}

/** CASE WHEN; the form with an operand is a `let` around it. */
export interface Case {
  readonly kind: 'case';
  readonly branches: readonly { readonly when: Expression; readonly then: Expression }[];
  readonly otherwise: Expression;
  readonly type: TypeRef;
}

/** Evaluates `value` once under a column id of its own, visible in `body` alone. */
export interface Let {
  readonly kind: 'let';
  readonly column: ColumnId;
  readonly value: Expression;
  readonly body: Expression;
  readonly type: TypeRef;
}

export interface Coalesce {
  readonly kind: 'coalesce';
  readonly operands: readonly Expression[];
  readonly type: TypeRef;
}

/** GREATEST and LEAST: nulls are ignored. */
export interface Extreme {
  readonly kind: 'extreme';
  readonly which: 'greatest' | 'least';
  readonly operands: readonly Expression[];
  readonly type: TypeRef;
}

/** ARRAY[...]. `nested`: the elements are arrays themselves, of one shape. */
export interface ArrayExpression {
  readonly kind: 'array';
  readonly elements: readonly Expression[];
  readonly elementOid: number;
  readonly nested: boolean;
  readonly type: TypeRef;
}

export interface RowExpressionNode {
  readonly kind: 'row';
  readonly fields: readonly Expression[];
  /** Names of the fields of a table's whole row; undefined: f1, f2, ... */
  readonly names: readonly string[] | undefined;
  readonly type: TypeRef;
}

/** A field of a composite, by position. */
export interface FieldAccess {
  readonly kind: 'field';
  readonly operand: Expression;
  readonly field: number;
  readonly type: TypeRef;
}

/** One subscript: an index, or a slice whose bounds may be missing. */
export interface BoundSubscript {
  readonly index: Expression | undefined;
  readonly lower: Expression | undefined;
  readonly upper: Expression | undefined;
}

export interface SubscriptExpression {
  readonly kind: 'subscript';
  readonly operand: Expression;
  readonly subscripts: readonly BoundSubscript[];
  readonly slice: boolean;
  readonly type: TypeRef;
}

/** `left op ANY (array)`, and IN over a list (then `array` is an ArrayExpression). */
export interface ArrayQuantified {
  readonly kind: 'array-quantified';
  readonly left: Expression;
  readonly array: Expression;
  readonly comparison: ScalarFunction;
  readonly role: ComparisonRole | undefined;
  readonly operatorName: string;
  readonly quantifier: 'any' | 'all';
  readonly type: TypeRef;
}

/** Comparison of rows, field by field; equality is written with `logical` instead. */
export interface RowComparison {
  readonly kind: 'row-comparison';
  readonly role: '<' | '<=' | '>' | '>=';
  readonly left: readonly Expression[];
  readonly right: readonly Expression[];
  /** Strict less-than and equality of each pair, for finding the first field that differs. */
  readonly lessThan: readonly ScalarFunction[];
  readonly equality: readonly ScalarFunction[];
  readonly type: TypeRef;
}

/**
 * A subquery in an expression.
 *   scalar   the value of its only column; null for no row, 21000 for two
 *   row      the same for several columns: a record
 *   exists   whether there is a row
 *   unique   whether no two rows are equal
 *   array    all values of its only column
 *   any, all `test` with its columns standing in for `columns`, for some or for every row; three-valued
 */
export interface Subquery {
  readonly kind: 'subquery';
  readonly mode: 'scalar' | 'row' | 'exists' | 'unique' | 'array' | 'any' | 'all';
  readonly plan: Subplan;
  /** The plan's output columns, in order. */
  readonly columns: readonly ColumnId[];
  /** For any and all: a boolean expression over the plan's columns and the surrounding row. */
  readonly test: Expression | undefined;
  readonly operatorName: string | undefined;
  readonly type: TypeRef;
}

/** Raises an error when it is evaluated and not before: what folding makes of `1/0` in a branch that may never run. */
export interface Raise {
  readonly kind: 'raise';
  readonly error: Error;
  readonly type: TypeRef;
}

export type Expression =
  | Constant
  | ParameterReference
  | ColumnReference
  | Call
  | Cast
  | TypmodCoercion
  | Logical
  | Not
  | NullTest
  | BooleanTest
  | DistinctTest
  | Case
  | Let
  | Coalesce
  | Extreme
  | ArrayExpression
  | RowExpressionNode
  | FieldAccess
  | SubscriptExpression
  | ArrayQuantified
  | RowComparison
  | Subquery
  | Raise;

/** One key of an ordering. */
export interface SortKey {
  readonly expression: Expression;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

export const TRUE: Constant = { kind: 'constant', value: true, type: BOOL };
export const FALSE: Constant = { kind: 'constant', value: false, type: BOOL };

export function constant(value: Value, type: TypeRef): Constant {
  return { kind: 'constant', value, type };
}

export function columnReference(column: ColumnId, type: TypeRef): ColumnReference {
  return { kind: 'column', column, type };
}

/** The conditions that together make up the expression. */
export function conjuncts(expression: Expression | undefined): readonly Expression[] {
  if (expression === undefined) return [];
  if (expression.kind === 'logical' && expression.operator === 'and') return expression.operands.flatMap(conjuncts);
  if (expression.kind === 'constant' && expression.value === true) return [];
  return [expression];
}
