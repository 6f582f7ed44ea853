/** Comparison of two rows of a buffer by sort keys, as generated code: (columns, a, b) => number. */
import type { TypeRef } from '@phantom/catalog';
import { collatorFor } from '../../types/collation.js';
import { binary, call, conditional, element, isNull, literal, type Code, type Local } from '../code/ir.js';
import type { CompiledFunction } from '../program.js';
import { isOwnOrder } from './intrinsics.js';
import type { ProgramBuilder } from './program-builder.js';

/** A key of an ordering over buffer columns. */
export interface BufferKey {
  /** Position of the column in the buffer. */
  readonly column: number;
  readonly type: TypeRef;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
  readonly nullable: boolean;
}

/** A total order of non-null values of a type. */
export function valueComparison(
  builder: ProgramBuilder,
  type: TypeRef,
): ((a: unknown, b: unknown) => number) | undefined {
  const collator = collatorFor(type.collation);
  if (collator !== undefined) return collator as (a: unknown, b: unknown) => number;
  return builder.context.types.byOid(type.oid)?.compare;
}

/** The comparison of rows `a` and `b` of a buffer's columns: negative, zero or positive. */
export function bufferComparator(builder: ProgramBuilder, keys: readonly BufferKey[]): CompiledFunction {
  const emitter = builder.emitter();
  const [columns, a, b] = emitter.parameters(3) as [Local, Local, Local];
  for (const key of keys) {
    const column = emitter.hoist(`column${key.column}`, element(columns, literal(key.column)));
    const left = emitter.let(element(column, a));
    const right = emitter.let(element(column, b));
    emitter.if(binary('!==', left, right), () => {
      if (key.nullable) {
        const first = literal(key.nullsFirst ? -1 : 1);
        const last = literal(key.nullsFirst ? 1 : -1);
        emitter.if(isNull(left), () => emitter.return(first));
        emitter.if(isNull(right), () => emitter.return(last));
      }
      const less = literal(key.descending ? 1 : -1);
      const more = literal(key.descending ? -1 : 1);
      if (isOwnOrder(key.type.oid)) {
        emitter.return(conditional(binary('<', left, right), less, more));
        return;
      }
      const compare = valueComparison(builder, key.type);
      if (compare === undefined) return;
      const [x, y]: [Code, Code] = key.descending ? [right, left] : [left, right];
      const order = emitter.let(call(emitter.constant(compare), x, y));
      emitter.if(binary('!==', order, literal(0)), () => emitter.return(order));
    });
  }
  emitter.return(literal(0));
  return builder.compiled(emitter.finish('compare', [columns, a, b]));
}
