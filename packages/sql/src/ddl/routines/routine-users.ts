/**
 * What stands on a function without the catalog's having noted it: texts of tables, indexes, domains and other routines'
 * defaults. They are looked through when a function is to go or to be called something else, which is seldom.
 */
import { isPhantomError } from '@phantom/base';
import type { ColumnDescriptor, ObjectDescriptor, RoutineDescriptor, TableDescriptor, TypeRef } from '@phantom/catalog';
import { bindRowExpression } from '../../expr/row-expression.js';
import type { RowExpressionRequest } from '../../expr/row-expression-types.js';
import type { DdlContext } from '../context.js';
import type { Going } from '../drop-plan.js';

/** Whether a text, bound over the columns, calls the routine. */
function calls(
  context: DdlContext,
  { oid, name }: RoutineDescriptor,
  sql: string | undefined,
  columns: readonly ColumnDescriptor[],
  purpose: RowExpressionRequest['purpose'],
): boolean {
  if (sql === undefined || !sql.includes(name)) return false;
  try {
    const request = { columns, relationName: undefined, catalog: context.picture, target: undefined, purpose };
    return bindRowExpression(sql, request).routines.has(oid);
  } catch (error) {
    // What can no longer be bound stands on something else that has gone.
    if (isPhantomError(error)) return false;
    throw error;
  }
}

/** Everything whose text calls the routine. */
export function* usersOfRoutine(context: DdlContext, routine: RoutineDescriptor): Iterable<Going> {
  for (const object of Array.from(context.objects.objects())) yield* usesIn(context, routine, object);
}

function* usesIn(context: DdlContext, routine: RoutineDescriptor, object: ObjectDescriptor): Iterable<Going> {
  switch (object.kind) {
    case 'table':
      yield* usesInTable(context, routine, object);
      return;
    case 'index': {
      const table = context.objects.object(object.tableOid);
      const columns = table?.kind === 'table' ? table.columns : [];
      const inParts = object.parts.some(({ expressionSql }) =>
        calls(context, routine, expressionSql, columns, 'index'),
      );
      if (inParts || calls(context, routine, object.predicateSql, columns, 'predicate'))
        yield { kind: 'object', oid: object.oid };
      return;
    }
    case 'type': {
      const { definition } = object;
      if (definition.kind !== 'domain') return;
      const columns = [valueColumn(definition.base)];
      const inChecks = definition.checks.some((check) =>
        calls(context, routine, check.expressionSql, columns, 'check'),
      );
      if (inChecks || calls(context, routine, definition.defaultSql, [], 'default'))
        yield { kind: 'object', oid: object.oid };
      return;
    }
    case 'routine':
      if (object.oid === routine.oid) return;
      if (object.parameters.some(({ defaultSql }) => calls(context, routine, defaultSql, [], 'default')))
        yield { kind: 'object', oid: object.oid };
      return;
    default:
      return;
  }
}

function* usesInTable(context: DdlContext, routine: RoutineDescriptor, table: TableDescriptor): Iterable<Going> {
  const { oid, columns } = table;
  for (const { number, dropped, generated, defaultSql } of columns) {
    if (dropped) continue;
    if (generated === undefined) {
      if (calls(context, routine, defaultSql, [], 'default')) yield { kind: 'default', oid, number };
    } else if (calls(context, routine, defaultSql, columns, 'generated')) {
      yield { kind: 'column', oid, number };
    }
  }
  for (const constraint of table.constraints) {
    if (constraint.kind === 'check' && calls(context, routine, constraint.expressionSql, columns, 'check'))
      yield { kind: 'constraint', oid, constraint };
  }
}

/** What a domain's CHECK speaks of. */
function valueColumn(type: TypeRef): ColumnDescriptor {
  return { number: 1, name: 'value', type, notNull: false, dropped: false, sinceVersion: 1 };
}
