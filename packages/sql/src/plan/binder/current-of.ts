/** WHERE CURRENT OF: the row on which a cursor of the session stands. */
import { equalBytes } from '@phantom/base';
import type { TableDescriptor } from '@phantom/catalog';
import type { BindContext } from '../../expr/context.js';
import { columnReference, constant, type ColumnId, type Expression } from '../../expr/expression.js';
import { TypeOid } from '../../types/type-oids.js';
import { BOOL, typeRef } from '../../types/type-refs.js';
import type { EvaluationContext } from '../../functions/registry.js';
import type { RowReference } from '../../storage/table-writer.js';
import type { CurrentOf } from '../../text/ast-leaves.js';

/** True for the one row; 34000 and 24000 when the statement runs and there is none. */
export function bindCurrentOf(
  context: BindContext,
  { cursor }: CurrentOf,
  table: TableDescriptor,
  rowReference: ColumnId,
): Expression {
  const isCurrent = (reference: RowReference, name: string, evaluation: EvaluationContext): boolean => {
    const key = evaluation.cursorKey(name, table.oid, table.name);
    return equalBytes(reference.key, 0, reference.key.length, key, 0, key.length);
  };
  return {
    kind: 'call',
    function: {
      kind: 'scalar',
      oid: 0,
      name: 'current_of',
      argumentTypes: [TypeOid.void, TypeOid.refcursor],
      resultType: TypeOid.bool,
      // It reads the scan's own reference, so it must stay above the scan.
      volatility: 'volatile',
      strict: false,
      needsContext: true,
      call: isCurrent as (...args: never[]) => boolean,
    },
    operator: undefined,
    arguments: [columnReference(rowReference, typeRef(TypeOid.void)), cursorName(context, cursor.text)],
    variadicFrom: undefined,
    variadicElement: undefined,
    type: BOOL,
  };
}

/** The cursor's name: what a variable of a body holds, where one of the name can hold a cursor. */
function cursorName({ parameterNames, parameters }: BindContext, name: string): Expression {
  const type = typeRef(TypeOid.refcursor);
  const found = parameterNames?.find([name]);
  return found !== undefined && parameters.get(found.index).oid === type.oid
    ? { kind: 'parameter', index: found.index, type }
    : constant(name, type);
}
