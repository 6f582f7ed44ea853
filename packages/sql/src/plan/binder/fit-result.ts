/** The rows of a body's last statement under the types that its routine returns, after check_sql_fn_retval of functions.c. */
import { PhantomError } from '@phantom/base';
import type { TypeRef } from '@phantom/catalog';
import type { BoundField, BoundQuery } from '../../expr/binder.js';
import { tryCoerce } from '../../expr/coercion.js';
import type { BindContext } from '../../expr/context.js';
import { columnReference, type Expression } from '../../expr/expression.js';
import { TypeOid } from '../../types/type-oids.js';
import type { PlanField } from '../prepared-plan.js';
import type { WantedResult } from '../routine-binding.js';
import { Projection } from './projection.js';

/** 42P13 with what is wrong with the last statement. */
export function resultMismatch({ shown }: WantedResult, detail: string): PhantomError {
  return new PhantomError('42P13', `return type mismatch in function declared to return ${shown}`, { detail });
}

/** True when the one column of the rows is the whole result; otherwise their columns are those of a record. */
export function isWholeResult(fields: readonly Pick<PlanField, 'type'>[], wanted: WantedResult): boolean {
  const [only] = fields;
  if (wanted.columns === undefined && wanted.type.oid !== TypeOid.record) return true;
  return fields.length === 1 && wanted.mayBeWhole && only?.type.oid === wanted.type.oid;
}

/** The query with its columns cast, as an assignment would; 42P13 where they do not fit. */
export function fitResult(context: BindContext, bound: BoundQuery, wanted: WantedResult): BoundQuery {
  const { fields } = bound;
  const [only] = fields;
  const isRow = wanted.columns !== undefined || wanted.type.oid === TypeOid.record;
  if (fields.length === 0) throw withoutRows(wanted);
  if (!isRow) {
    if (only === undefined || fields.length !== 1)
      throw resultMismatch(wanted, 'Final statement must return exactly one column.');
    const value = coerced(context, only, wanted.type);
    if (value === undefined) throw resultMismatch(wanted, `Actual return type is ${context.typeName(only.type.oid)}.`);
    return projected(context, bound, [value]);
  }
  if (fields.length === 1 && only !== undefined && wanted.mayBeWhole) {
    const value = coerced(context, only, wanted.type);
    if (value !== undefined) return projected(context, bound, [value]);
  }
  const { columns } = wanted;
  if (columns === undefined) return bound;
  if (fields.length > columns.length) throw resultMismatch(wanted, 'Final statement returns too many columns.');
  if (fields.length < columns.length) throw resultMismatch(wanted, 'Final statement returns too few columns.');
  const values = fields.map((field, i) => {
    const { type } = columns[i] as { type: TypeRef };
    const value = coerced(context, field, type);
    if (value !== undefined) return value;
    const [have, want] = [context.typeName(field.type.oid), context.typeName(type.oid)];
    throw resultMismatch(wanted, `Final statement returns ${have} instead of ${want} at column ${i + 1}.`);
  });
  return projected(context, bound, values);
}

/** 42P13 for a body whose last statement gives no rows. */
export function withoutRows(wanted: WantedResult): PhantomError {
  return resultMismatch(wanted, "Function's final statement must be SELECT or INSERT/UPDATE/DELETE RETURNING.");
}

function coerced(context: BindContext, { column, type }: BoundField, wanted: TypeRef): Expression | undefined {
  return tryCoerce(context, columnReference(column, type), wanted, 'assignment', 0);
}

function projected(context: BindContext, bound: BoundQuery, values: readonly Expression[]): BoundQuery {
  if (values.every((value) => value.kind === 'column')) return bound;
  const projection = new Projection(context, bound.plan);
  const fields = bound.fields.map((field, i) => {
    const value = values[i] as Expression;
    return { ...field, column: projection.output(field.name, value), type: value.type };
  });
  return { plan: projection.node(), fields };
}
