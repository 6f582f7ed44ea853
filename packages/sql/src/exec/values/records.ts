/** Records made by row constructors and whole-row references. */
import { SqlRecord, type RecordShape } from '@phantom/codec';
import type { RowExpressionNode } from '../../expr/expression.js';
import type { Value } from '../../types/type.js';

/** Makes records of one expression: all share a shape. */
export function recordMaker(expression: RowExpressionNode): (values: readonly Value[]) => Value {
  const shape: RecordShape = {
    names: expression.fields.map((_, i) => expression.names?.[i] ?? `f${i + 1}`),
    types: expression.fields.map((field) => field.type.oid),
    typmods: expression.fields.map((field) => field.type.typmod),
  };
  const { oid } = expression.type;
  return (values) => new SqlRecord(oid, values, shape);
}
