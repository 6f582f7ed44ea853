/**
 * Expressions over the columns of one row, outside of any query: CHECK constraints, generated columns, defaults, index
 * expressions and predicates. Storage binds them by text once for a schema version and evaluates them row by row.
 * `bindRowExpression` in row-expression.ts makes them.
 */
import type { ColumnDescriptor, Oid, TypeRef } from '@phantom/catalog';
import type { EvaluationContext } from '../functions/registry.js';
import type { CatalogPort } from '../plan/catalog-port.js';
import type { Value } from '../types/type.js';

export interface RowExpression {
  readonly type: TypeRef;
  /** Numbers of the columns it reads. */
  readonly columns: readonly number[];
  readonly volatility: 'immutable' | 'stable' | 'volatile';
  /** Functions of users that it calls. */
  readonly routines: ReadonlySet<Oid>;
  /** `values[i]` is the value of column number `columns[i]`. */
  evaluate(values: readonly Value[], context: EvaluationContext): Value;
}

export interface RowExpressionRequest {
  /** Names and types the expression may use; empty for defaults. Dropped columns keep their place and are never found. */
  readonly columns: readonly ColumnDescriptor[];
  /** Qualifier under which the columns are known: the table's name. */
  readonly relationName: string | undefined;
  readonly catalog: CatalogPort;
  /** The result is cast to it as an assignment would (42804 when it cannot be); undefined: as it comes. */
  readonly target: TypeRef | undefined;
  /** For messages: what may not hold subqueries, aggregates and so on. */
  readonly purpose: 'check' | 'default' | 'generated' | 'index' | 'predicate' | 'policy' | 'transform';
}
