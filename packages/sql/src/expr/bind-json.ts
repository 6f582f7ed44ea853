/**
 * SQL/JSON's constructors, aggregates, tests and query functions: what they do is in functions/json/sql-json.ts, which has no
 * names that SQL could call.
 */
import type { TypeRef } from '@phantom/catalog';
import type { DocumentValue, Jsonb, SqlArray } from '@phantom/codec';
import { jsonNode } from '../functions/json/json-values.js';
import { type JsonQuerySpec, isJson, jsonArray, jsonObject, runJsonQuery } from '../functions/json/sql-json.js';
import type { EvaluationContext } from '../functions/registry.js';
import type { Value } from '../types/type.js';
import type * as Ast from '../text/ast.js';
import { bindFunctionCall } from './bind-functions.js';
import type { Binder } from './binder.js';
import { callExpression, internalCall, resolveCall } from './calls.js';
import { coerce, isUnknown } from './coercion.js';
import { constant, type Expression } from './expression.js';
import type { Scope } from './scope.js';
import { resolveTypeName } from './type-names.js';
import { TypeOid } from '../types/type-oids.js';
import { BOOL, TEXT, typeRef } from '../types/type-refs.js';

/** A call of a function that the registry may not have: 0A000 names the SQL feature then. */
function jsonCall(
  binder: Binder,
  feature: string,
  name: string,
  args: readonly Expression[],
  position: number,
): Expression {
  const resolved = resolveCall(binder.context, name, args, position);
  if (resolved === undefined || resolved.definition.kind !== 'scalar') {
    throw binder.context.unsupported(feature, position);
  }
  return callExpression(resolved);
}

/** An operand with FORMAT JSON read as jsonb; unknown literals are text. */
function jsonValue(binder: Binder, node: Ast.JsonValueExpression, scope: Scope): Expression {
  const { context } = binder;
  const value = binder.bind(node.value, scope);
  const position = node.value.position;
  const settled = isUnknown(value) ? coerce(context, value, TEXT, 'implicit', position) : value;
  return node.formatJson ? coerce(context, settled, typeRef(TypeOid.json), 'explicit', position) : settled;
}

function returning(
  binder: Binder,
  expression: Expression,
  clause: { readonly type: Ast.CastExpression['type'] } | undefined,
  position: number,
): Expression {
  if (clause === undefined) return expression;
  const target: TypeRef = binder.context.at(position, () => resolveTypeName(binder.context.catalog, clause.type));
  return coerce(binder.context, expression, target, 'explicit', position);
}

export function bindIsJson(binder: Binder, node: Ast.IsJsonTest, scope: Scope): Expression {
  const bound = binder.bind(node.operand, scope);
  const operand = isUnknown(bound) ? coerce(binder.context, bound, TEXT, 'implicit', node.position) : bound;
  const { oid } = operand.type;
  const category = binder.context.catalog.types.byOid(oid)?.category;
  if (category !== 'S' && oid !== TypeOid.json && oid !== TypeOid.jsonb && oid !== TypeOid.bytea) {
    const message = `cannot use type ${binder.context.typeName(oid)} in IS JSON predicate`;
    throw binder.context.error('42804', message, node.position);
  }
  const tested = internalCall('is_json', [operand], BOOL, (value: Value) => isJson(value, node.type, node.uniqueKeys));
  return node.negated ? { kind: 'not', operand: tested, type: BOOL } : tested;
}

export function bindJsonConstructor(binder: Binder, node: Ast.JsonConstructor, scope: Scope): Expression {
  const { position } = node;
  switch (node.function) {
    case 'object': {
      const args: Expression[] = [];
      for (const member of node.members) {
        const key = binder.bind(member.key, scope);
        args.push(coerce(binder.context, key, TEXT, 'explicit', position), jsonValue(binder, member.value, scope));
      }
      const types = args.map((argument) => argument.type);
      const absent = node.nulls === 'absent';
      const built = internalCall('json_object', args, typeRef(TypeOid.json), ((...values: unknown[]) =>
        jsonObject(
          values.slice(0, -1),
          types,
          absent,
          node.uniqueKeys,
          values[values.length - 1] as EvaluationContext,
        )) as (...args: never[]) => Value);
      return returning(binder, built, node.returning, position);
    }
    case 'array': {
      const args = node.elements.map((element) => jsonValue(binder, element, scope));
      const oids = args.map((argument) => argument.type.oid);
      const absent = node.nulls !== 'null';
      const built = internalCall('json_array', args, typeRef(TypeOid.json), ((...values: unknown[]) =>
        jsonArray(
          values.slice(0, -1),
          (at) => oids[at] as number,
          absent,
          values[values.length - 1] as EvaluationContext,
        )) as (...args: never[]) => Value);
      return returning(binder, built, node.returning, position);
    }
    case 'json':
    case 'scalar':
    case 'serialize': {
      const element = node.elements[0];
      if (element === undefined) throw binder.context.unsupported('JSON()', position);
      const value = jsonValue(binder, element, scope);
      if (node.function === 'json') return coerce(binder.context, value, typeRef(TypeOid.json), 'explicit', position);
      const built =
        node.function === 'scalar'
          ? jsonCall(binder, 'JSON_SCALAR', 'to_json', [value], position)
          : coerce(binder.context, value, TEXT, 'explicit', position);
      return returning(binder, built, node.returning, position);
    }
    default: {
      const query = node.query as Ast.Query;
      const array = binder.bind({ kind: 'array-subquery', query, position }, scope);
      const absent = node.nulls !== 'null';
      const built = internalCall(
        'json_array',
        [array],
        typeRef(TypeOid.json),
        (list: SqlArray, context: EvaluationContext) => jsonArray(list.items, () => list.elementOid, absent, context),
      );
      return returning(binder, built, node.returning, position);
    }
  }
}

export function bindJsonAggregate(binder: Binder, node: Ast.JsonAggregate, scope: Scope): Expression {
  const { position } = node;
  const object = node.function === 'object';
  if (node.uniqueKeys) throw binder.context.unsupported('JSON_OBJECTAGG with UNIQUE KEYS', position);
  const argument = (value: Ast.Expression): Ast.CallArgument => ({ name: undefined, value, variadic: false, position });
  const name = object ? 'json_object_agg' : 'json_agg';
  const absent = object ? node.nulls === 'absent' : node.nulls !== 'null';
  const filter: Ast.Expression | undefined = absent
    ? { kind: 'is', operand: node.value.value, test: 'null', form: undefined, negated: true, position }
    : undefined;
  const both: Ast.Expression | undefined =
    filter !== undefined && node.filter !== undefined
      ? { kind: 'logical', operator: 'and', operands: [node.filter, filter], position }
      : (filter ?? node.filter);
  const call: Ast.FunctionCall = {
    kind: 'call',
    name: [{ text: name, position, quoted: false }],
    arguments: [...(node.key === undefined ? [] : [argument(node.key)]), argument(node.value.value)],
    star: false,
    distinct: false,
    orderBy: node.orderBy,
    withinGroup: [],
    filter: both,
    nulls: undefined,
    from: undefined,
    onOverflow: undefined,
    over: node.over,
    position,
  };
  return returning(binder, bindFunctionCall(binder, call, scope), node.returning, position);
}

/** The document of a query function as jsonb. */
export function jsonDocument(binder: Binder, node: Ast.JsonValueExpression, scope: Scope): Expression {
  const value = jsonValue(binder, node, scope);
  return coerce(binder.context, value, typeRef(TypeOid.jsonb), 'explicit', node.position);
}

/** Values of PASSING, and how their names and types make variables of them. */
export function bindPassing(
  binder: Binder,
  passing: readonly Ast.JsonQueryFunction['passing'][number][],
  scope: Scope,
): {
  readonly values: readonly Expression[];
  variables(given: readonly Value[], context: EvaluationContext): ReadonlyMap<string, DocumentValue>;
} {
  const values = passing.map((one) => jsonValue(binder, one.value, scope));
  const oids = values.map((value) => value.type.oid);
  const names = passing.map((one) => one.name.text);
  return {
    values,
    variables: (given, context) =>
      new Map(names.map((name, i) => [name, jsonNode(given[i], oids[i] as number, context)])),
  };
}

/** JSON_EXISTS, JSON_VALUE and JSON_QUERY. */
export function bindJsonQueryFunction(binder: Binder, node: Ast.JsonQueryFunction, scope: Scope): Expression {
  const { context } = binder;
  const { position } = node;
  const document = jsonDocument(binder, node.context, scope);
  const path = coerce(
    context,
    binder.bind(node.path, scope),
    typeRef(TypeOid.jsonpath),
    'explicit',
    node.path.position,
  );
  const plainType = node.function === 'exists' ? BOOL : node.function === 'value' ? TEXT : typeRef(TypeOid.jsonb);
  const clause = node.returning;
  const type =
    clause === undefined ? plainType : context.at(position, () => resolveTypeName(context.catalog, clause.type));
  const spec: JsonQuerySpec = {
    function: node.function,
    wrapper: node.wrapper ?? 'without',
    omitQuotes: node.quotes === 'omit',
    type: node.function === 'exists' ? BOOL : type,
  };
  const otherwise = (behavior: Ast.JsonBehavior | undefined): Expression =>
    behavior?.value === undefined
      ? constant(null, type)
      : coerce(context, binder.bind(behavior.value, scope), type, 'assignment', behavior.value.position);
  const passing = bindPassing(binder, node.passing, scope);
  const emptyAction = node.onEmpty?.action ?? 'null';
  const errorAction = node.onError?.action ?? (node.function === 'exists' ? 'false' : 'null');
  const args = [document, path, otherwise(node.onEmpty), otherwise(node.onError), ...passing.values];
  const run = (subject: Jsonb | null, text: string | null, empty: Value, error: Value, ...rest: unknown[]): Value => {
    if (subject === null || text === null) return null;
    const evaluation = rest[rest.length - 1] as EvaluationContext;
    return runJsonQuery(
      subject.value(),
      text,
      passing.variables(rest, evaluation),
      spec,
      { action: emptyAction, value: empty },
      { action: errorAction, value: error },
      evaluation,
    );
  };
  const built = internalCall(`json_${node.function}`, args, spec.type, run as (...args: never[]) => Value);
  return node.function === 'exists' ? returning(binder, built, node.returning, position) : built;
}
