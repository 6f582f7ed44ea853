/**
 * WITH RECURSIVE: a query of the form `first UNION [ALL] step` is bound in two parts; the first gives the columns, the second
 * reads the working table under the query's own name. What the standard forbids the step (a second mention, aggregates,
 * the outer side of a join) is looked for in its plan.
 */
import type { Binder, BindQueryOptions, BoundField, BoundQuery } from '../../expr/binder.js';
import { Scope } from '../../expr/scope.js';
import { TypeOid } from '../../types/type-oids.js';
import { formatType } from '../../types/format-type.js';
import type * as Ast from '../../text/ast.js';
import type { CommonTable, LogicalNode } from '../logical/logical.js';
import { forEachSubplan } from '../logical/subplans.js';
import { forEachNodeExpression, inputsOf } from '../logical/walk.js';
import { castColumns } from './bind-set-operation.js';
import { binding, renameFields } from './common-tables.js';
import { SearchAndCycle } from './search-and-cycle.js';

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

/** The table, or undefined when the query does not name itself after all. */
export function bindRecursive(
  binder: Binder,
  table: Ast.CommonTable,
  scope: Scope,
  bindWith: (binder: Binder, node: Ast.WithClause, scope: Scope) => () => CommonTable[],
): CommonTable | undefined {
  const { context } = binder;
  const { statement } = table;
  const name = table.name.text;
  const [mention] = references(statement, name);
  if (mention === undefined || statement.kind !== 'query') return undefined;
  const fail = (message: string, position: number | undefined): never => {
    throw context.error('42P19', message, position);
  };
  const parts = recursiveParts(statement);
  if (parts === undefined) {
    if (scope.cte(name) !== undefined) return undefined;
    fail(
      `recursive query "${name}" does not have the form non-recursive-term UNION [ALL] recursive-term`,
      table.position,
    );
    return undefined;
  }
  const [early] = references(parts.first, name);
  if (early !== undefined)
    fail(`recursive reference to query "${name}" must not appear within its non-recursive term`, early);
  const [, second] = references(parts.step.body, name);
  if (second !== undefined) fail(`recursive reference to query "${name}" must not appear more than once`, second);
  if (parts.step.corresponding !== undefined) {
    throw context.unsupported('CORRESPONDING in a recursive query', parts.step.corresponding.position);
  }
  if (table.search !== undefined || table.cycle !== undefined) refuseUnions(binder, parts.first, parts.step.body);
  refuseClauses(binder, statement);
  refuseLocks(binder, parts.step.body);
  const inner = statement.with;
  if (inner !== undefined) {
    const [mentioned] = references(inner, name);
    if (mentioned !== undefined) {
      fail(`recursive reference to query "${name}" must not appear within a subquery`, mentioned);
    }
  }
  // Queries of its own WITH clause belong to both parts, which run at different times: each has them bound for itself.
  const within = (body: Ast.QueryBody, outer: Scope, options: BindQueryOptions): BoundQuery => {
    if (inner === undefined) return binder.bindQueryBody(body, outer, options);
    const own = new Scope(context, outer);
    const tables = bindWith(binder, inner, own);
    const bound = binder.bindQueryBody(body, own, options);
    return { ...bound, plan: { kind: 'with', tables: tables(), input: bound.plan, columns: bound.plan.columns } };
  };
  const first = within(parts.first, scope, {});
  const fields = renameFields(binder, table, first.fields);
  const id = context.newCommonTable();
  const extra = new SearchAndCycle(binder, table, fields, scope);
  const stepScope = new Scope(context, scope);
  stepScope.ctes.set(name, {
    ...binding(id, name, fields, true, () => undefined),
    hidden: extra.fields,
    onScan: (columns) => extra.setScanned(columns),
  });
  const step = within(parts.step.body, stepScope, { keepUnknown: true });
  checkShape(step.plan, id, (message) => fail(message(name), mention));
  checkStep(binder, table, parts.step, first, step);
  const types = first.fields.map((field) => field.type);
  const cast = castColumns(binder, step, types, 'UNION', parts.step.position);
  const whole = extra.extendFirst(first);
  const stepped = extra.extendStep(cast.plan, cast.columns);
  const all = [...fields, ...extra.fields];
  scope.ctes.set(
    name,
    binding(id, name, all, false, () => undefined),
  );
  return {
    id,
    name,
    plan: whole.plan,
    recursive: {
      step: stepped.plan,
      distinct: !parts.step.all,
      columns: all.map((field) => field.column),
      stepColumns: stepped.columns,
    },
    columns: whole.plan.columns,
    writes: false,
    materialized: true,
  };
}

/** What SEARCH and CYCLE add is computed over the rows of one SELECT on either side. */
function refuseUnions(binder: Binder, first: Ast.QueryBody, step: Ast.QueryBody): void {
  const refuse = (code: string, side: string, position: number): never => {
    throw binder.context.error(
      code,
      `with a SEARCH or CYCLE clause, the ${side} side of the UNION must be a SELECT`,
      position,
    );
  };
  if (isUnion(first)) refuse('0A000', 'left', first.position);
  if (isUnion(step)) refuse('42601', 'right', step.position);
}

function isUnion(body: Ast.QueryBody): boolean {
  return body.kind === 'query' ? isUnion(body.body) : body.kind === 'set-operation';
}

/** Clauses of the whole that PostgreSQL refuses. */
function refuseClauses(binder: Binder, statement: Ast.Query): void {
  const refuse = (clause: string, position: number | undefined): never => {
    throw binder.context.unsupported(`${clause} in a recursive query`, position);
  };
  const [order] = statement.orderBy;
  if (order !== undefined) refuse('ORDER BY', order.value.position);
  if (statement.limit !== undefined) refuse('LIMIT', statement.limit.count.position);
  if (statement.offset !== undefined) refuse('OFFSET', statement.offset.position);
  const [lock] = statement.locking;
  if (lock !== undefined) throw locksRefused(binder, lock.position);
}

/** Rows of a working table are nobody's to lock. */
function refuseLocks(binder: Binder, body: Ast.QueryBody): void {
  if (body.kind === 'query') {
    if (body.locking.length > 0) throw locksRefused(binder, body.locking[0]?.position);
    refuseLocks(binder, body.body);
  }
}

function locksRefused(binder: Binder, position: number | undefined): Error {
  return binder.context.error('0A000', 'FOR UPDATE/SHARE in a recursive query is not supported', position);
}

type Fail = (message: (name: string) => string) => void;

/** Whether a plan reads the working table of the query, subplans of expressions included. */
function reads(node: LogicalNode, id: number): boolean {
  if (node.kind === 'cte-scan' && node.cte === id) return true;
  return readsInSubplan(node, id) || inputsOf(node).some((input) => reads(input, id));
}

function readsInSubplan(node: LogicalNode, id: number): boolean {
  let found = false;
  forEachNodeExpression(node, (expression) =>
    forEachSubplan(expression, (plan) => {
      found ||= reads(plan, id);
    }),
  );
  return found;
}

/** Raises what a step may not do with its working table. */
function checkShape(node: LogicalNode, id: number, fail: Fail): void {
  if (!reads(node, id)) return;
  const within = (place: string): void =>
    fail((name) => `recursive reference to query "${name}" must not appear within ${place}`);
  if (readsInSubplan(node, id)) within('a subquery');
  switch (node.kind) {
    case 'aggregate':
      fail(() => "aggregate functions are not allowed in a recursive query's recursive term");
      return;
    case 'join':
      if ((node.join === 'left' || node.join === 'full') && reads(node.right, id)) within('an outer join');
      if ((node.join === 'right' || node.join === 'full') && reads(node.left, id)) within('an outer join');
      break;
    case 'set-operation':
      if (node.operation === 'intersect') within('INTERSECT');
      if (node.operation === 'except' && node.inputs.slice(1).some((input) => reads(input, id))) within('EXCEPT');
      break;
    default:
      break;
  }
  for (const input of inputsOf(node)) checkShape(input, id, fail);
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
    if (other.type.oid === TypeOid.unknown) return;
    checkCollation(binder, table, i, field, other);
    const common =
      other.type.oid === field.type.oid
        ? other.type.oid
        : context.catalog.functions.commonType([field.type.oid, other.type.oid]);
    const modified = field.type.typmod !== -1 && (other.type.oid !== common || other.type.typmod !== field.type.typmod);
    if (common === field.type.oid && !modified) return;
    const shown = (oid: number, typmod: number): string => {
      const type = context.catalog.types.byOid(oid);
      return type === undefined ? context.typeName(oid) : formatType(type, typmod);
    };
    const before = shown(field.type.oid, field.type.typmod);
    throw context.error(
      '42804',
      `recursive query "${table.name.text}" column ${i + 1} has type ${before} in non-recursive term but type ${shown(common ?? other.type.oid, -1)} overall`,
      first.fields[i]?.position ?? branch.position,
      { hint: 'Cast the output of the non-recursive term to the correct type.' },
    );
  });
}

/** 42P21: what compares as the first term says must not come to compare otherwise. */
function checkCollation(
  binder: Binder,
  table: Ast.CommonTable,
  column: number,
  { type: first, position }: BoundField,
  { type: step }: BoundField,
): void {
  const before = first.collation ?? 'default';
  const decides = step.explicitCollation === true || before === 'default';
  const overall = decides ? (step.collation ?? before) : before;
  if (overall === before) return;
  throw binder.context.error(
    '42P21',
    `recursive query "${table.name.text}" column ${column + 1} has collation "${before}" in non-recursive term but collation "${overall}" overall`,
    position,
    { hint: 'Use the COLLATE clause to set the collation of the non-recursive term.' },
  );
}

/** Where the syntax names a table so, leaving out queries in which a WITH query of their own hides the name. */
export function references(node: unknown, name: string): number[] {
  if (typeof node !== 'object' || node === null) return [];
  if (Array.isArray(node)) return node.flatMap((part) => references(part, name));
  const record = node as {
    readonly kind?: unknown;
    readonly name?: unknown;
    readonly position?: unknown;
    readonly with?: Ast.WithClause | undefined;
  };
  if (record.kind === 'query' && record.with?.tables.some((table) => table.name.text === name) === true) {
    return references(record.with.tables, name);
  }
  const found: number[] = [];
  if (record.kind === 'table' && Array.isArray(record.name) && record.name.length === 1) {
    const [first] = record.name as readonly { readonly text?: string }[];
    if (first?.text === name) found.push(record.position as number);
  }
  for (const part of Object.values(node)) found.push(...references(part, name));
  return found;
}
