/** System columns as the range items of tables name them; storage/system-columns.ts says which there are, and which can be told. */
import type { TableDescriptor } from '@phantom/catalog';
import { columnReference, constant, type ColumnId, type Expression } from '../../expr/expression.js';
import type { BindContext } from '../../expr/context.js';
import type { ScopeColumn } from '../../expr/scope.js';
import { isDivided } from '../../storage/inheritance/table-tree.js';
import { TABLE_OID_NUMBER } from '../../storage/system-columns.js';
import type { EvaluationContext, ScalarFunction } from '../../functions/registry.js';
import { TypeOid } from '../../types/type-oids.js';
import { BOOL, typeRef } from '../../types/type-refs.js';

export function systemColumn(name: string, expression: Expression): ScopeColumn {
  return { name, expression, type: expression.type, ofTable: true };
}

export function tableOidColumn(oid: number): ScopeColumn {
  return systemColumn('tableoid', constant(oid, typeRef(TypeOid.oid)));
}

/** The column in which a change of a divided table says which of its parts it was of; undefined for other tables. */
export function writtenOidColumn({ pool }: BindContext, table: TableDescriptor): ColumnId | undefined {
  return isDivided(table) ? pool.add('tableoid', typeRef(TypeOid.oid), table.oid, TABLE_OID_NUMBER) : undefined;
}

const XID = typeRef(TypeOid.xid);

const CURRENT_XID: ScalarFunction = {
  kind: 'scalar',
  oid: 0,
  name: 'current_xid',
  argumentTypes: [],
  resultType: XID.oid,
  volatility: 'stable',
  strict: false,
  needsContext: true,
  // 0 would say that there is none.
  call: ((context: EvaluationContext) => context.transactionId >>> 0 || 1) as ScalarFunction['call'],
};

const CURRENT_XID_CALL: Expression = {
  kind: 'call',
  function: CURRENT_XID,
  operator: undefined,
  arguments: [],
  variadicFrom: undefined,
  variadicElement: undefined,
  type: XID,
};

/**
 * xmin of the rows of a system catalog. They are made when they are read, so the reader has written them: whoever asks which have
 * changed since a transaction (as tools do that keep a picture of the catalogs) is told all of them, and misses none.
 */
export function catalogXmin(): ScopeColumn {
  return systemColumn('xmin', CURRENT_XID_CALL);
}

/**
 * xmax as RETURNING of an INSERT has it: by it people ask which rows were there already. 0 for one that was inserted, the
 * number of the transaction for one that ON CONFLICT DO UPDATE has changed, whose row before is `existing`.
 */
export function insertedXmax(table: TableDescriptor, existing: readonly ColumnId[] | undefined): ScopeColumn {
  const none = constant(0, XID);
  if (existing === undefined) return systemColumn('xmax', none);
  const columns = table.columns.map((column, i) => ({ column, id: existing[i] as ColumnId }));
  // What was met has a value in its key, so that one test is enough where a column has no nulls.
  const filled = columns.find(({ column }) => column.notNull && !column.dropped);
  const tests = (filled === undefined ? columns.filter(({ column }) => !column.dropped) : [filled]).map(
    ({ column, id }): Expression => ({
      kind: 'null-test',
      operand: columnReference(id, column.type),
      negated: true,
      row: false,
      type: BOOL,
    }),
  );
  const branches = tests.map((when) => ({ when, then: CURRENT_XID_CALL }));
  return systemColumn('xmax', { kind: 'case', branches, otherwise: none, type: XID });
}
