/**
 * What stands on a function or a type without the catalog's having noted it: texts of tables, indexes, domains and other routines'
 * defaults. They are looked through when one is to go or to be called something else, which is seldom.
 */
import { isPhantomError } from '@phantom/base';
import type {
  ColumnDescriptor,
  ObjectDescriptor,
  Oid,
  OperatorDescriptor,
  RoutineDescriptor,
  TableDescriptor,
  TypeDescriptor,
  TypeRef,
} from '@phantom/catalog';
import { installedExtensions } from '../../extensions/installed.js';
import { bindRowExpression } from '../../expr/row-expression.js';
import type { RowExpressionRequest } from '../../expr/row-expression-types.js';
import type { Name } from '../../text/ast-leaves.js';
import { parseExpression } from '../../text/parse.js';
import type { DdlContext } from '../context.js';
import type { Going } from '../drop-plan.js';
import { rewriteTree } from '../rewrite-tree.js';

/** Whether a text over the columns uses something. */
type UsesText = (
  sql: string | undefined,
  columns: readonly ColumnDescriptor[],
  purpose: RowExpressionRequest['purpose'],
) => boolean;

/** Everything whose text calls the routine. */
export function usersOfRoutine(context: DdlContext, { oid, name, extensionOid }: RoutineDescriptor): Iterable<Going> {
  const words = extensionOid === undefined ? [name] : [name, ...operatorsOf(context, extensionOid, oid)];
  return usersOf(context, oid, words);
}

/** Everything whose text applies the operator. */
export function usersOfOperator(context: DdlContext, { oid, name }: OperatorDescriptor): Iterable<Going> {
  return usersOf(context, oid, SPELLINGS[name] ?? [name]);
}

function usersOf(context: DdlContext, oid: Oid, words: readonly string[]): Iterable<Going> {
  return usersByText(context, oid, (sql, columns, purpose) => {
    if (sql === undefined || !words.some((word) => sql.includes(word))) return false;
    try {
      const request = { columns, relationName: undefined, catalog: context.picture, target: undefined, purpose };
      return bindRowExpression(sql, request).routines.has(oid);
    } catch (error) {
      // What can no longer be bound stands on something else that has gone.
      if (isPhantomError(error)) return false;
      throw error;
    }
  });
}

/** How texts may call the function of an extension by its operators. */
function operatorsOf({ objects, databaseOid, picture }: DdlContext, extensionOid: Oid, oid: Oid): string[] {
  const extension = installedExtensions(objects, databaseOid).find(({ descriptor }) => descriptor.oid === extensionOid);
  const operators = extension?.operators((each) => picture.functions.functionByOid(each)) ?? [];
  return operators.filter((operator) => operator.function.oid === oid).flatMap(({ name }) => SPELLINGS[name] ?? [name]);
}

/** Operators that are written as words, too. */
const SPELLINGS: Readonly<Record<string, readonly string[]>> = {
  '~~': ['~~', 'LIKE'],
  '!~~': ['!~~', 'LIKE'],
  '~~*': ['~~*', 'LIKE'],
  '!~~*': ['!~~*', 'LIKE'],
  '~': ['~', 'SIMILAR'],
  '!~': ['!~', 'SIMILAR'],
  '=': ['=', 'IN', 'CASE', 'DISTINCT'],
  '<=': ['<=', 'BETWEEN'],
  '>=': ['>=', 'BETWEEN'],
};

/** Everything whose text names the type, or arrays of it. */
export function usersOfType(context: DdlContext, { oid, name, schemaOid }: TypeDescriptor): Iterable<Going> {
  const { picture } = context;
  const schema = picture.schemaName(schemaOid);
  const isIt = (names: readonly Name[]): boolean => {
    if (names.at(-1)?.text !== name) return false;
    const given = names.at(-2)?.text;
    return given === undefined ? picture.typeNamed({ name })?.oid === oid : given === schema;
  };
  return usersByText(context, oid, (sql) => {
    if (sql === undefined || !sql.includes(name)) return false;
    let isUsed = false;
    rewriteTree(parseExpression(sql), (part) => {
      if (part['kind'] === 'type-name' && isIt(part['name'] as readonly Name[])) isUsed = true;
      return undefined;
    });
    return isUsed;
  });
}

function* usersByText(context: DdlContext, oid: Oid, uses: UsesText): Iterable<Going> {
  for (const object of Array.from(context.objects.objects())) {
    if (object.oid !== oid) yield* usesIn(context, object, uses);
  }
}

function* usesIn(context: DdlContext, object: ObjectDescriptor, uses: UsesText): Iterable<Going> {
  switch (object.kind) {
    case 'table':
      yield* usesInTable(object, uses);
      return;
    case 'index': {
      const table = context.objects.object(object.tableOid);
      const columns = table?.kind === 'table' ? table.columns : [];
      const inParts = object.parts.some(({ expressionSql }) => uses(expressionSql, columns, 'index'));
      if (inParts || uses(object.predicateSql, columns, 'predicate')) yield { kind: 'object', oid: object.oid };
      return;
    }
    case 'type': {
      const { definition } = object;
      if (definition.kind !== 'domain') return;
      const columns = [valueColumn(definition.base)];
      const inChecks = definition.checks.some((check) => uses(check.expressionSql, columns, 'check'));
      if (inChecks || uses(definition.defaultSql, [], 'default')) yield { kind: 'object', oid: object.oid };
      return;
    }
    case 'routine':
      if (object.parameters.some(({ defaultSql }) => uses(defaultSql, [], 'default')))
        yield { kind: 'object', oid: object.oid };
      return;
    default:
      return;
  }
}

function* usesInTable({ oid, columns, constraints, partitioned }: TableDescriptor, uses: UsesText): Iterable<Going> {
  // Rows are told apart by the key for good: without it there is no table.
  if (partitioned?.parts.some(({ expressionSql }) => uses(expressionSql, columns, 'index')) === true)
    yield { kind: 'object', oid };
  for (const { number, dropped, generated, defaultSql } of columns) {
    if (dropped) continue;
    if (generated === undefined) {
      if (uses(defaultSql, [], 'default')) yield { kind: 'default', oid, number };
    } else if (uses(defaultSql, columns, 'generated')) {
      yield { kind: 'column', oid, number };
    }
  }
  for (const constraint of constraints) {
    if (constraint.kind === 'check' && uses(constraint.expressionSql, columns, 'check'))
      yield { kind: 'constraint', oid, constraint };
  }
}

/** What a domain's CHECK speaks of. */
function valueColumn(type: TypeRef): ColumnDescriptor {
  return { number: 1, name: 'value', type, notNull: false, dropped: false, sinceVersion: 1 };
}
