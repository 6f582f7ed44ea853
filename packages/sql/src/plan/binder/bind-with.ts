/**
 * WITH: each query is bound once and given a number; FROM refers to it by that number. A recursive one is bound in two
 * parts: the first gives the columns, the second reads the working table under the query's own name.
 */
import type { Binder, BoundField, BoundQuery } from '../../expr/binder.js';
import { Scope, type CteBinding } from '../../expr/scope.js';
import type * as Ast from '../../text/ast.js';
import type { CommonTable } from '../logical/logical.js';
import { castColumns } from './bind-set-operation.js';

/** Binds the clause into `scope`; the answer gives the tables once the main query has been bound. */
export function bindWith(binder: Binder, node: Ast.WithClause, scope: Scope): () => CommonTable[] {
  const { context } = binder;
  const tables: CommonTable[] = [];
  for (const table of node.tables) {
    if (scope.ctes.has(table.name.text)) {
      throw context.error(
        '42712',
        `WITH query name "${table.name.text}" specified more than once`,
        table.name.position,
      );
    }
    const bound = node.recursive ? bindRecursive(binder, table, scope) : undefined;
    tables.push(bound ?? bindPlain(binder, table, scope));
  }
  return () => tables;
}

/** Output columns under the names of the WITH query's column list. */
function renameFields(binder: Binder, table: Ast.CommonTable, fields: readonly BoundField[]): BoundField[] {
  if (table.columns.length > fields.length) {
    throw binder.context.error(
      '42P10',
      `WITH query "${table.name.text}" has ${fields.length} columns available but ${table.columns.length} columns specified`,
      table.name.position,
    );
  }
  return fields.map((field, i) => ({ ...field, name: table.columns[i]?.text ?? field.name }));
}

function binding(
  id: number,
  name: string,
  fields: readonly BoundField[],
  working: boolean,
  onUse: () => void,
): CteBinding {
  return {
    id,
    name,
    fields: fields.map((field) => ({ name: field.name, column: field.column, type: field.type })),
    working,
    onUse,
  };
}

function bindPlain(binder: Binder, table: Ast.CommonTable, scope: Scope): CommonTable {
  const { context } = binder;
  const { statement } = table;
  if (table.search !== undefined || table.cycle !== undefined) {
    throw context.error('42601', 'WITH query is not recursive', table.position);
  }
  const writes = statement.kind !== 'query';
  const query = writes ? binder.bindModification(statement, scope) : binder.bindQuery(statement, scope);
  const fields = renameFields(binder, table, query.fields);
  const id = context.newCommonTable();
  const uses = { count: 0 };
  scope.ctes.set(
    table.name.text,
    binding(id, table.name.text, fields, false, () => {
      if (writes && query.fields.length === 0) {
        throw context.error(
          '0A000',
          `WITH query "${table.name.text}" does not have a RETURNING clause`,
          table.position,
        );
      }
      uses.count++;
    }),
  );
  return {
    id,
    name: table.name.text,
    plan: query.plan,
    recursive: undefined,
    columns: query.plan.columns,
    writes,
    materialized: table.materialized,
  };
}

/** The parts of `first UNION [ALL] step`; undefined when the statement has another form. */
function recursiveParts(
  statement: Ast.CommonTable['statement'],
): { readonly first: Ast.QueryBody; readonly step: Ast.SetBranch } | undefined {
  if (statement.kind !== 'query') return undefined;
  const { body } = statement;
  if (body.kind === 'query' && body.with === undefined) return recursiveParts(body);
  if (body.kind !== 'set-operation') return undefined;
  const step = body.rest[body.rest.length - 1];
  if (step === undefined || step.operator !== 'union') return undefined;
  const first: Ast.QueryBody = body.rest.length === 1 ? body.first : { ...body, rest: body.rest.slice(0, -1) };
  return { first, step };
}

function bindRecursive(binder: Binder, table: Ast.CommonTable, scope: Scope): CommonTable | undefined {
  const { context } = binder;
  const { statement } = table;
  const name = table.name.text;
  const parts = recursiveParts(statement);
  if (parts === undefined || statement.kind !== 'query' || !mentions(parts.step.body, name)) {
    if (statement.kind === 'query' && mentions(statement, name) && scope.cte(name) === undefined) {
      throw context.error(
        '42P19',
        `recursive query "${name}" does not have the form non-recursive-term UNION [ALL] recursive-term`,
        table.position,
      );
    }
    return undefined;
  }
  if (statement.orderBy.length > 0)
    throw context.unsupported('ORDER BY in a recursive query', statement.orderBy[0]?.position);
  if (statement.limit !== undefined) throw context.unsupported('LIMIT in a recursive query', statement.limit.position);
  if (statement.offset !== undefined)
    throw context.unsupported('OFFSET in a recursive query', statement.offset.position);
  if (table.search !== undefined) throw context.unsupported('the SEARCH clause', table.search.position);
  if (table.cycle !== undefined) throw context.unsupported('the CYCLE clause', table.cycle.position);
  const outer = statement.with === undefined ? undefined : new Scope(context, scope);
  const inside = outer ?? scope;
  const own = statement.with === undefined || outer === undefined ? undefined : bindWith(binder, statement.with, outer);
  if (own !== undefined) throw context.unsupported('WITH inside a recursive query', statement.with?.position);
  const first = binder.bindQueryBody(parts.first, inside, {});
  const fields = renameFields(binder, table, first.fields);
  const id = context.newCommonTable();
  const stepScope = new Scope(context, inside);
  let uses = 0;
  const countUse = (): void => {
    uses++;
    if (uses === 1) return;
    const [, second] = references(parts.step.body, name);
    throw context.error('42P19', `recursive reference to query "${name}" must not appear more than once`, second);
  };
  stepScope.ctes.set(name, binding(id, name, fields, true, countUse));
  const step = binder.bindQueryBody(parts.step.body, stepScope, { keepUnknown: true });
  checkStep(binder, table, parts.step, first, step);
  const types = first.fields.map((field) => field.type);
  const cast = castColumns(binder, step, types, parts.step.position);
  scope.ctes.set(
    name,
    binding(id, name, fields, false, () => undefined),
  );
  return {
    id,
    name,
    plan: first.plan,
    recursive: {
      step: cast.plan,
      distinct: !parts.step.all,
      columns: first.fields.map((field) => field.column),
      stepColumns: cast.columns,
    },
    columns: first.plan.columns,
    writes: false,
    materialized: true,
  };
}

function checkStep(
  binder: Binder,
  table: Ast.CommonTable,
  branch: Ast.SetBranch,
  first: BoundQuery,
  step: BoundQuery,
): void {
  const { context } = binder;
  if (first.fields.length !== step.fields.length) {
    throw context.error('42601', 'each UNION query must have the same number of columns', branch.position);
  }
  first.fields.forEach((field, i) => {
    const other = step.fields[i] as BoundField;
    if (other.type.oid === field.type.oid || other.type.oid === 705) return;
    const common = context.catalog.functions.commonType([field.type.oid, other.type.oid]);
    if (common === field.type.oid) return;
    throw context.error(
      '42804',
      `recursive query "${table.name.text}" column ${i + 1} has type ${context.typeName(field.type.oid)} in non-recursive term but type ${context.typeName(common ?? other.type.oid)} overall`,
      branch.position,
      { hint: 'Cast the output of the non-recursive term to the correct type.' },
    );
  });
}

/** Whether the syntax names a table so, anywhere: which WITH queries are truly recursive. */
function mentions(node: unknown, name: string): boolean {
  return references(node, name).length > 0;
}

/** Where the syntax names a table so. */
function references(node: unknown, name: string): number[] {
  if (typeof node !== 'object' || node === null) return [];
  if (Array.isArray(node)) return node.flatMap((part) => references(part, name));
  const record = node as { readonly kind?: unknown; readonly name?: unknown; readonly position?: unknown };
  const found: number[] = [];
  if (record.kind === 'table' && Array.isArray(record.name) && record.name.length === 1) {
    const [first] = record.name as readonly { readonly text?: string }[];
    if (first?.text === name) found.push(record.position as number);
  }
  for (const part of Object.values(node)) found.push(...references(part, name));
  return found;
}
