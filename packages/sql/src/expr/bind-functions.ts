/**
 * Function calls: scalar functions, aggregates, window functions, functions that return sets.
 *
 * An aggregate belongs to the query level of the innermost column in its arguments (E. F. Codd's rule as SQL:1999 has
 * it), which may be an outer one; it is handed to that level's scope and a column reference stays behind. Window and
 * set-returning functions are handed to their own level in the same way.
 */
import type { TypeRef } from '@phantom/catalog';
import type { AggregateFunction, FunctionDefinition, SetFunction, WindowFunction } from '../functions/registry.js';
import type { AggregateCall, SetCall } from '../plan/logical/logical.js';
import { columnsOf } from '../plan/logical/walk.js';
import type * as Ast from '../text/ast.js';
import { bindSortItems } from './bind-sort.js';
import { bindOver } from './bind-windows.js';
import type { Binder } from './binder.js';
import {
  callExpression,
  callText,
  resolveCall,
  undefinedFunction,
  withoutOutputs,
  type CallOptions,
  type ResolvedCall,
} from './calls.js';
import { coerce, coerceToBoolean, isUnknown, tryCoerce, unify } from './coercion.js';
import { requireEquality } from './equality.js';
import { columnReference, type Expression, type SortKey } from './expression.js';
import { type Clause, Scope } from './scope.js';
import { TypeOid } from '../types/type-oids.js';
import { TEXT, typeRef } from '../types/type-refs.js';
import { equalExpressions } from './walk.js';

/** Where PostgreSQL allows aggregates; elsewhere 42803 with the clause's name. */
const AGGREGATE_CLAUSES: ReadonlySet<Clause> = new Set<Clause>([
  'SELECT',
  'HAVING',
  'ORDER BY',
  'DISTINCT ON',
  'WINDOW',
]);
const WINDOW_CLAUSES: ReadonlySet<Clause> = new Set<Clause>(['SELECT', 'ORDER BY', 'DISTINCT ON']);
const SET_CLAUSES: ReadonlySet<Clause> = new Set<Clause>(['SELECT', 'ORDER BY', 'GROUP BY', 'DISTINCT ON', 'INSERT']);

/** Built-in aggregates whose result shows the order of its values; those of users all may. */
const ORDER_SENSITIVE = /^(?:array_agg|string_agg|jsonb?_agg|jsonb?_object_agg)$/;

/** "aggregate functions are not allowed in WHERE". */
export function notAllowed(what: string, clause: Clause): string {
  return `${what} are not allowed in ${clause}`;
}

/** The function's bare name. */
export function functionName(node: Ast.FunctionCall): string {
  return node.name[node.name.length - 1]?.text ?? '';
}

/** The schema that the call names; undefined: the search path. 3F000 for one that is not there. */
export function schemaOfCall({ context }: Binder, node: Ast.FunctionCall): string | undefined {
  const schema = node.name[node.name.length - 2]?.text;
  if (schema !== undefined && !context.catalog.schemaExists(schema)) {
    throw context.error('3F000', `schema "${schema}" does not exist`, node.position);
  }
  return schema;
}

/** Options of resolution as the call is written. */
export function callOptions(binder: Binder, node: Ast.FunctionCall): CallOptions {
  const last = node.arguments[node.arguments.length - 1];
  const firstNamed = node.arguments.findIndex(({ name }) => name !== undefined);
  const named = firstNamed >= 0;
  const misplaced = named ? node.arguments.find(({ name }, i) => name === undefined && i > firstNamed) : undefined;
  if (misplaced !== undefined) {
    const message = 'positional argument cannot follow named argument';
    throw binder.context.error('42601', message, misplaced.position);
  }
  const names = node.arguments.flatMap(({ name }) => (name === undefined ? [] : [name]));
  const twice = names.find(({ text }, i) => names.findIndex((other) => other.text === text) < i);
  if (twice !== undefined)
    throw binder.context.error('42601', `argument name "${twice.text}" used more than once`, twice.position);
  return {
    schema: schemaOfCall(binder, node),
    bindDefault: (definition, sql) => bindDefault(binder, definition, sql),
    ...(last?.variadic === true ? { variadicArray: true } : {}),
    ...(named ? { argumentNames: node.arguments.map((argument) => argument.name?.text) } : {}),
  };
}

/** The default of a parameter, by the search path of its function's making. */
function bindDefault(binder: Binder, { routine }: FunctionDefinition, sql: string): Expression {
  const { context } = binder;
  const own = context.nested(context.catalog.withSearchPath(routine?.searchPath ?? []), sql);
  const scope = new Scope(own, undefined);
  scope.clause = 'DEFAULT expressions';
  return binder.within(own).bind(binder.parseExpression(sql), scope);
}

/** ISO's LISTAGG is string_agg with the order written behind it. */
function asStringAggregate(binder: Binder, node: Ast.FunctionCall): Ast.FunctionCall {
  const { context } = binder;
  const [value, delimiter] = node.arguments;
  if (node.withinGroup.length === 0) {
    throw context.error('42809', 'WITHIN GROUP is required for ordered-set aggregate listagg', node.position);
  }
  if (node.onOverflow !== undefined && node.onOverflow.action !== 'error') {
    throw context.unsupported('ON OVERFLOW TRUNCATE', node.position);
  }
  if (value === undefined || node.arguments.length > 2) {
    throw undefinedFunction(context, 'listagg', [], node.position);
  }
  const { position } = node;
  const empty: Ast.CallArgument = {
    name: undefined,
    value: { kind: 'string', value: '', position },
    variadic: false,
    position,
  };
  return {
    ...node,
    name: [{ text: 'string_agg', position, quoted: false }],
    arguments: [value, delimiter ?? empty],
    orderBy: node.withinGroup,
    withinGroup: [],
  };
}

export function bindFunctionCall(binder: Binder, written: Ast.FunctionCall, scope: Scope): Expression {
  const { context } = binder;
  const whole = functionName(written) === 'listagg' ? asStringAggregate(binder, written) : written;
  const name = functionName(whole);
  const candidates = context.catalog.functions.functionsNamed(name, schemaOfCall(binder, whole));
  if (candidates.length === 0) {
    const cast = castByName(binder, whole, name, scope);
    if (cast !== undefined) return cast;
  }
  const ordered = whole.withinGroup.length > 0;
  const before = aggregateCounts(scope);
  const setsBefore = scope.setCalls.length;
  const bound = whole.arguments.map((argument) => binder.bind(argument.value, scope));
  const { node, args } = withoutOutputs(whole, bound);
  const options = callOptions(binder, node);
  const only = args[0];
  if (only !== undefined && args.length === 1 && isUnknown(only) && isPlainCall(node)) {
    // date('2024-01-01'): a literal under a type's name is a literal of that type, whatever functions have the name.
    const cast = castByName(binder, node, name, scope);
    if (cast !== undefined) return cast;
  }
  const sort = bindSortItems(binder, ordered ? node.withinGroup : node.orderBy, scope);
  const hypothetical = candidates.some((f) => f.kind === 'aggregate' && f.ordering === 'hypothetical');
  const sorted = sort.map((key) => key.expression);
  const resolveArguments = !ordered
    ? args
    : hypothetical && node.over === undefined
      ? unifyHypothetical(binder, node, args, sorted)
      : [...args, ...sorted];
  const resolved = resolveCall(context, name, resolveArguments, node.position, options);
  if (resolved === undefined) {
    const cast = castByName(binder, node, name, scope);
    if (cast !== undefined) return cast;
    throw undefinedFunction(
      context,
      node.name.map((part) => part.text).join('.'),
      resolveArguments.map((argument) => argument.type.oid),
      node.position,
      options.argumentNames,
    );
  }
  const { definition } = resolved;
  switch (definition.kind) {
    case 'scalar':
      if (definition.routine?.routine === 'procedure') {
        const types = resolveArguments.map((argument) => argument.type.oid);
        throw context.error('42809', `${callText(context, name, types)} is a procedure`, node.position, {
          hint: 'To call a procedure, use CALL.',
        });
      }
      rejectAggregateSyntax(binder, node, name, definition);
      return callExpression(resolved);
    case 'set':
      rejectAggregateSyntax(binder, node, name, definition);
      return setCall(binder, node, resolved, definition, scope, setsBefore);
    case 'window':
      if (node.over === undefined) {
        throw context.error('42809', `window function ${name} requires an OVER clause`, node.position);
      }
      return windowCall(binder, node, resolved, definition, scope, undefined);
    default: {
      if (args.length === 0 && !node.star && !ordered && definition.ordering === undefined) {
        const message = `${name}(*) must be used to call a parameterless aggregate function`;
        throw context.error('42809', message, node.position);
      }
      const filter = bindFilter(binder, node, scope);
      if (node.over !== undefined) {
        if (ordered) throw context.unsupported('OVER for an ordered-set aggregate', node.position);
        if (node.distinct)
          throw context.error('0A000', 'DISTINCT is not supported for window functions', node.position);
        if (sort.length > 0) {
          throw context.error('0A000', 'aggregate ORDER BY is not supported for window functions', node.position);
        }
        return windowCall(binder, node, resolved, definition, scope, filter);
      }
      return aggregateCall(binder, node, resolved, definition, sort, filter, scope, before);
    }
  }
}

/** The hypothetical row under the types of the rows it is compared with. */
function unifyHypothetical(
  binder: Binder,
  node: Ast.FunctionCall,
  args: readonly Expression[],
  sorted: readonly Expression[],
): Expression[] {
  const { context } = binder;
  if (args.length !== sorted.length) {
    const types = [...args, ...sorted].map((argument) => argument.type.oid);
    throw undefinedFunction(context, functionName(node), types, node.position);
  }
  const pairs = args.map((argument, i) => {
    const key = sorted[i] as Expression;
    const positions = [node.arguments[i]?.value.position ?? node.position, node.withinGroup[i]?.value.position ?? 0];
    return unify(context, [argument, key], positions, 'WITHIN GROUP').expressions as [Expression, Expression];
  });
  return [...pairs.map(([direct]) => direct), ...pairs.map(([, key]) => key)];
}

/** DISTINCT, FILTER, OVER and the star belong to aggregates. */
function rejectAggregateSyntax(
  binder: Binder,
  node: Ast.FunctionCall,
  name: string,
  definition: FunctionDefinition,
): void {
  const { context } = binder;
  const refuse = (message: string): never => {
    throw context.error('42809', message, node.position);
  };
  if (node.star) refuse(`${name}(*) specified, but ${name} is not an aggregate function`);
  if (node.distinct) refuse(`DISTINCT specified, but ${name} is not an aggregate function`);
  if (node.withinGroup.length > 0) refuse(`WITHIN GROUP specified, but ${name} is not an aggregate function`);
  if (node.orderBy.length > 0) refuse(`ORDER BY specified, but ${name} is not an aggregate function`);
  if (node.filter !== undefined) refuse(`FILTER specified, but ${name} is not an aggregate function`);
  if (node.over !== undefined) {
    refuse(`OVER specified, but ${name} is not a window function nor an aggregate function`);
  }
  if (definition.kind === 'scalar' && node.nulls !== undefined) refuse(`${name} does not take IGNORE NULLS`);
}

/** A call without any of the words that belong to aggregates, and without a named argument. */
function isPlainCall(node: Ast.FunctionCall): boolean {
  const aggregateWords = node.distinct || node.filter !== undefined || node.over !== undefined;
  const lists = node.orderBy.length + node.withinGroup.length;
  return !aggregateWords && lists === 0 && node.arguments[0]?.name === undefined;
}

/** `float8(x)`: a type's name as a function is a cast. */
function castByName(binder: Binder, node: Ast.FunctionCall, name: string, scope: Scope): Expression | undefined {
  const argument = node.arguments[0];
  if (node.arguments.length !== 1 || argument === undefined || argument.variadic) return undefined;
  if (node.name.length > 1 && node.name[0]?.text !== 'pg_catalog') return undefined;
  const type = binder.context.catalog.typeNamed({ name });
  if (type === undefined) return undefined;
  const value = binder.bind(argument.value, scope);
  return tryCoerce(binder.context, value, typeRef(type.oid), 'explicit', node.position);
}

function bindFilter(binder: Binder, node: Ast.FunctionCall, scope: Scope): Expression | undefined {
  if (node.filter === undefined) return undefined;
  const condition = withClause(scope, 'FILTER', () => binder.bind(node.filter as Ast.Expression, scope));
  return coerceToBoolean(binder.context, condition, 'FILTER', node.filter.position);
}

/** Binds a part under another clause name. */
export function withClause<T>(scope: Scope, clause: Clause, f: () => T): T {
  const before = scope.clause;
  scope.clause = clause;
  try {
    return f();
  } finally {
    scope.clause = before;
  }
}

function aggregateCounts(scope: Scope): Map<Scope, number> {
  const counts = new Map<Scope, number>();
  for (let level: Scope | undefined = scope; level !== undefined; level = level.parent) {
    counts.set(level, level.aggregates.length);
  }
  return counts;
}

/** The level an aggregate belongs to: that of its innermost column, its own when it has none. */
function levelOf(scope: Scope, parts: readonly Expression[]): Scope {
  const used = new Set<number>();
  for (const part of parts) for (const column of columnsOf(part)) used.add(column);
  let any = false;
  for (let level: Scope | undefined = scope; level !== undefined; level = level.parent) {
    for (const column of used) {
      any = true;
      if (level.owns(column)) return level;
    }
  }
  return any && scope.parent !== undefined ? outermostOwner(scope, used) : scope;
}

/** Columns no range item owns (outputs of aggregates of an outer level): the nearest level that made them. */
function outermostOwner(scope: Scope, used: ReadonlySet<number>): Scope {
  for (let level: Scope | undefined = scope; level !== undefined; level = level.parent) {
    if (level.aggregates.some((call) => used.has(call.column))) return level;
  }
  return scope;
}

function aggregateCall(
  binder: Binder,
  node: Ast.FunctionCall,
  resolved: ResolvedCall,
  definition: AggregateFunction,
  sort: readonly SortKey[],
  filter: Expression | undefined,
  scope: Scope,
  before: ReadonlyMap<Scope, number>,
): Expression {
  const { context } = binder;
  const ordered = definition.ordering !== undefined;
  if (ordered && node.withinGroup.length === 0) {
    const name = functionName(node);
    throw context.error('42809', `WITHIN GROUP is required for ordered-set aggregate ${name}`, node.position);
  }
  if (!ordered && node.withinGroup.length > 0) {
    const name = functionName(node);
    throw context.error(
      '42809',
      `${name} is not an ordered-set aggregate, so it cannot have WITHIN GROUP`,
      node.position,
    );
  }
  const directCount = ordered ? node.arguments.length : 0;
  const all = resolved.arguments.map((argument) => settleUnknown(binder, argument, node.position));
  const directArguments = all.slice(0, directCount);
  const args = all.slice(directCount);
  const keys = ordered ? sort.map((key, i) => ({ ...key, expression: args[i] ?? key.expression })) : [...sort];
  const parts = [...args, ...keys.map((key) => key.expression), ...(filter === undefined ? [] : [filter])];
  const level = levelOf(scope, parts);
  for (let inner = scope; inner !== level && inner.parent !== undefined; inner = inner.parent) {
    for (const argument of directArguments) {
      for (const column of columnsOf(argument)) {
        if (!inner.owns(column)) continue;
        throw context.error(
          '42803',
          'outer-level aggregate cannot contain a lower-level variable in its direct arguments',
          node.position,
        );
      }
    }
  }
  if (level.aggregates.length !== before.get(level)) {
    const nested = level.aggregates[level.aggregates.length - 1];
    const position = nested === undefined ? undefined : level.callPositions.get(nested.column);
    throw context.error('42803', 'aggregate function calls cannot be nested', position ?? node.position);
  }
  if (!AGGREGATE_CLAUSES.has(level.clause)) {
    throw context.error('42803', notAllowed('aggregate functions', level.clause), node.position);
  }
  if (level.windowCalls.some((pending) => parts.some((part) => columnsOf(part).has(pending.call.column)))) {
    throw context.error('42803', 'aggregate function calls cannot contain window function calls', node.position);
  }
  const set = level.setCalls.find((call) =>
    call.columns.some((column) => parts.some((part) => columnsOf(part).has(column))),
  );
  if (set !== undefined) {
    const position = level.callPositions.get(set.columns[0] as number) ?? node.position;
    throw context.error('0A000', 'aggregate function calls cannot contain set-returning function calls', position, {
      hint: 'You might be able to move the set-returning function into a LATERAL FROM item.',
    });
  }
  if (node.distinct && !ordered) {
    for (const key of keys) {
      if (!args.some((argument) => equalExpressions(withoutRelabel(argument), withoutRelabel(key.expression)))) {
        throw context.error(
          '42P10',
          'in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list',
          node.position,
        );
      }
    }
  }
  if (node.distinct) for (const { type } of args) requireEquality(context, type, node.position);
  const showsOrder = definition.routine !== undefined || ORDER_SENSITIVE.test(definition.name);
  if (node.distinct && !ordered && showsOrder) {
    // PostgreSQL finds distinct values by sorting, and its users see the order.
    for (const [i, argument] of args.entries()) {
      if (keys.some((key) => equalExpressions(withoutRelabel(argument), withoutRelabel(key.expression)))) continue;
      if (i === 0 || argument.kind !== 'constant') {
        keys.push({ expression: argument, descending: false, nullsFirst: false });
      }
    }
  }
  const call: AggregateCall = {
    column: -1,
    function: definition,
    arguments: args,
    argumentTypes: args.map((argument) => argument.type),
    directArguments,
    variadicFrom: resolved.variadicFrom,
    variadicElement: resolved.variadicElement,
    distinct: node.distinct,
    orderBy: keys,
    filter,
    type: resolved.type,
  };
  const same = level.aggregates.find((other) => equalAggregates(other, call));
  if (same !== undefined) return columnReference(same.column, same.type);
  const column = context.newColumn(functionName(node), resolved.type);
  level.aggregates.push({ ...call, column });
  level.callPositions.set(column, node.position);
  return columnReference(column, resolved.type);
}

/** The expression under casts that change nothing but the type's name. */
function withoutRelabel(expression: Expression): Expression {
  return expression.kind === 'cast' && !expression.explicit && expression.definition.call === undefined
    ? withoutRelabel(expression.operand)
    : expression;
}

function settleUnknown(binder: Binder, expression: Expression, position: number): Expression {
  return isUnknown(expression) ? coerce(binder.context, expression, TEXT, 'implicit', position) : expression;
}

/** True when one computation serves both. */
function equalAggregates(a: AggregateCall, b: AggregateCall): boolean {
  const equalLists = (x: readonly Expression[], y: readonly Expression[]): boolean =>
    x.length === y.length && x.every((e, i) => equalExpressions(e, y[i] as Expression));
  const equalKeys = (x: readonly SortKey[], y: readonly SortKey[]): boolean =>
    x.length === y.length &&
    x.every((key, i) => {
      const other = y[i] as SortKey;
      return (
        key.descending === other.descending &&
        key.nullsFirst === other.nullsFirst &&
        equalExpressions(key.expression, other.expression)
      );
    });
  if (a.function !== b.function || a.distinct !== b.distinct || a.type.oid !== b.type.oid) return false;
  if ((a.filter === undefined) !== (b.filter === undefined)) return false;
  if (a.filter !== undefined && b.filter !== undefined && !equalExpressions(a.filter, b.filter)) return false;
  return (
    equalLists(a.arguments, b.arguments) &&
    equalLists(a.directArguments, b.directArguments) &&
    equalKeys(a.orderBy, b.orderBy)
  );
}

function windowCall(
  binder: Binder,
  node: Ast.FunctionCall,
  resolved: ResolvedCall,
  definition: WindowFunction | AggregateFunction,
  scope: Scope,
  filter: Expression | undefined,
): Expression {
  const { context } = binder;
  if (!WINDOW_CLAUSES.has(scope.clause)) {
    throw context.error('42P20', notAllowed('window functions', scope.clause), node.position);
  }
  const inner = scope.windowCalls.some((pending) =>
    resolved.arguments.some((argument) => columnsOf(argument).has(pending.call.column)),
  );
  if (scope.insideWindow) {
    throw context.error('42P20', 'window functions are not allowed in window definitions', node.position);
  }
  if (inner) {
    throw context.error('42P20', 'window function calls cannot be nested', node.position);
  }
  if (node.distinct) throw context.error('0A000', 'DISTINCT is not supported for window functions', node.position);
  if (definition.kind === 'window' && node.filter !== undefined) {
    throw context.error('0A000', 'FILTER is not supported for non-aggregate window functions', node.position);
  }
  const args = resolved.arguments.map((argument) => settleUnknown(binder, argument, node.position));
  const set = scope.setCalls.find((call) =>
    args.some((argument) => columnsOf(argument).has(call.columns[0] as number)),
  );
  if (set !== undefined) {
    const position = scope.callPositions.get(set.columns[0] as number) ?? node.position;
    throw context.error('0A000', 'window function calls cannot contain set-returning function calls', position, {
      hint: 'You might be able to move the set-returning function into a LATERAL FROM item.',
    });
  }
  const window = bindOver(binder, node.over as Ast.WindowSpecification | (Ast.FunctionCall['over'] & object), scope);
  const column = context.newColumn(functionName(node), resolved.type);
  scope.windowCalls.push({
    call: {
      column,
      function: definition,
      arguments: args,
      argumentTypes: args.map((argument) => argument.type),
      variadicFrom: resolved.variadicFrom,
      variadicElement: resolved.variadicElement,
      filter,
      frame: window.frame,
      ignoreNulls: node.nulls === 'ignore',
      fromLast: node.from === 'last',
      type: resolved.type,
    },
    partition: window.partition,
    order: window.order,
  });
  return columnReference(column, resolved.type);
}

/** Output columns of a set-returning call, with the names and types it declares. */
export function setCallOutput(
  binder: Binder,
  resolved: ResolvedCall,
  definition: SetFunction,
): { readonly name: string; readonly type: TypeRef }[] {
  if (resolved.columns !== undefined) return resolved.columns.map(({ name, type }) => ({ name, type: typeRef(type) }));
  if (definition.columns !== undefined) {
    return definition.columns.map((column) => ({
      name: column.name,
      type: resolvePolymorphic(binder, column.type, resolved),
    }));
  }
  return [{ name: definition.resultName ?? definition.name, type: resolved.type }];
}

/** A declared column type that is polymorphic takes the element type the arguments decided. */
function resolvePolymorphic(binder: Binder, oid: number, resolved: ResolvedCall): TypeRef {
  if (binder.context.catalog.types.byOid(oid)?.kind !== 'pseudo') return typeRef(oid);
  const argument = resolved.arguments[0]?.type.oid ?? TypeOid.text;
  const element = binder.context.catalog.types.byOid(argument)?.elementOid ?? 0;
  return typeRef(oid === TypeOid.anyElement && element !== 0 ? element : argument);
}

function setCall(
  binder: Binder,
  node: Ast.FunctionCall,
  resolved: ResolvedCall,
  definition: SetFunction,
  scope: Scope,
  _setsBefore: number,
): Expression {
  const { context } = binder;
  if (scope.clause === 'FROM') {
    throw context.error('0A000', 'set-returning functions must appear at top level of FROM', node.position);
  }
  if (!SET_CLAUSES.has(scope.clause)) {
    throw context.error('0A000', notAllowed('set-returning functions', scope.clause), node.position);
  }
  const composite = definition.columns !== undefined;
  const type = composite ? typeRef(TypeOid.record) : resolved.type;
  const recordColumns = composite ? setCallOutput(binder, resolved, definition) : undefined;
  const same = scope.setCalls.find(
    (other) =>
      other.function === definition &&
      definition.volatility !== 'volatile' &&
      other.arguments.length === resolved.arguments.length &&
      other.arguments.every((argument, i) => equalExpressions(argument, resolved.arguments[i] as Expression)),
  );
  // Sets of one select list advance together, so equal calls are one (GROUP BY finds its expression so, too).
  if (same !== undefined) return columnReference(same.columns[0] as number, type);
  const column = context.newColumn(functionName(node), type);
  if (recordColumns !== undefined) context.pool.setFields(column, recordColumns);
  const call: SetCall = {
    function: definition,
    arguments: resolved.arguments,
    variadicFrom: resolved.variadicFrom,
    variadicElement: resolved.variadicElement,
    resultType: type,
    recordColumns,
    columns: [column],
    composite,
  };
  scope.setCalls.push(call);
  scope.callPositions.set(column, node.position);
  return columnReference(column, type);
}

export function bindGrouping(binder: Binder, node: Ast.Grouping, scope: Scope): Expression {
  const { context } = binder;
  if (!AGGREGATE_CLAUSES.has(scope.clause)) {
    throw context.error('42803', notAllowed('grouping operations', scope.clause), node.position);
  }
  if (node.arguments.length >= 32) {
    throw context.error('54023', 'GROUPING must have fewer than 32 arguments', node.position);
  }
  const keys = node.arguments.map((argument) => binder.bind(argument, scope));
  const column = context.newColumn('grouping', typeRef(TypeOid.int4));
  const reference = columnReference(column, typeRef(TypeOid.int4));
  levelOf(scope, keys).groupings.push({ call: { column, keys: [] }, keys });
  scope.positions.set(reference, node.position);
  return reference;
}
