/**
 * SQL/JSON's constructors, aggregates, tests and query functions, expressed by functions of the registry. What has no
 * function there says so with 0A000 and its name.
 */
import type { TypeRef } from '@phantom/catalog';
import type * as Ast from '../text/ast.js';
import { bindFunctionCall } from './bind-functions.js';
import type { Binder } from './binder.js';
import { callExpression, resolveCall } from './calls.js';
import { coerce, isUnknown } from './coercion.js';
import { constant, type Expression } from './expression.js';
import type { Scope } from './scope.js';
import { resolveTypeName } from './type-names.js';
import { BOOL, Oids, TEXT, typeRef } from './type-oids.js';

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
  return node.formatJson ? coerce(context, settled, typeRef(Oids.json), 'explicit', position) : settled;
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
  const args = [operand, constant(node.type, TEXT), constant(node.uniqueKeys, BOOL)];
  const tested = jsonCall(binder, 'IS JSON', 'phantom_is_json', args, node.position);
  return node.negated ? { kind: 'not', operand: tested, type: BOOL } : tested;
}

export function bindJsonConstructor(binder: Binder, node: Ast.JsonConstructor, scope: Scope): Expression {
  const { position } = node;
  const flags = [constant(node.nulls !== 'absent', BOOL), constant(node.uniqueKeys, BOOL)];
  switch (node.function) {
    case 'object': {
      const args: Expression[] = [];
      for (const member of node.members) {
        const key = binder.bind(member.key, scope);
        args.push(coerce(binder.context, key, TEXT, 'explicit', position), jsonValue(binder, member.value, scope));
      }
      const plain = node.nulls !== 'absent' && !node.uniqueKeys;
      const built = plain
        ? jsonCall(binder, 'JSON_OBJECT', 'json_build_object', args, position)
        : jsonCall(binder, 'JSON_OBJECT', 'phantom_json_object', [...flags, ...args], position);
      return returning(binder, built, node.returning, position);
    }
    case 'array': {
      const args = node.elements.map((element) => jsonValue(binder, element, scope));
      const built =
        node.nulls === 'null'
          ? jsonCall(binder, 'JSON_ARRAY', 'json_build_array', args, position)
          : jsonCall(binder, 'JSON_ARRAY', 'phantom_json_array', [constant(false, BOOL), ...args], position);
      return returning(binder, built, node.returning, position);
    }
    case 'json':
    case 'scalar':
    case 'serialize': {
      const element = node.elements[0];
      if (element === undefined) throw binder.context.unsupported('JSON()', position);
      const value = jsonValue(binder, element, scope);
      if (node.function === 'json') return coerce(binder.context, value, typeRef(Oids.json), 'explicit', position);
      const built =
        node.function === 'scalar'
          ? jsonCall(binder, 'JSON_SCALAR', 'to_json', [value], position)
          : coerce(binder.context, value, TEXT, 'explicit', position);
      return returning(binder, built, node.returning, position);
    }
    default:
      throw binder.context.unsupported('JSON_ARRAY over a query', position);
  }
}

export function bindJsonAggregate(binder: Binder, node: Ast.JsonAggregate, scope: Scope): Expression {
  const { position } = node;
  const object = node.function === 'object';
  const plain = node.nulls !== 'absent' && !node.uniqueKeys;
  if (object && !plain) throw binder.context.unsupported('JSON_OBJECTAGG with ABSENT ON NULL or UNIQUE KEYS', position);
  const argument = (value: Ast.Expression): Ast.CallArgument => ({ name: undefined, value, variadic: false, position });
  const name = object ? 'json_object_agg' : 'json_agg';
  const absent = !object && node.nulls !== 'null';
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

/** JSON_EXISTS, JSON_VALUE, JSON_QUERY over jsonb path functions, with the default behaviours only. */
export function bindJsonQueryFunction(binder: Binder, node: Ast.JsonQueryFunction, scope: Scope): Expression {
  const { context } = binder;
  const { position } = node;
  const feature = `JSON_${node.function.toUpperCase()}`;
  const document = coerce(context, jsonValue(binder, node.context, scope), typeRef(Oids.jsonb), 'explicit', position);
  const path = binder.bind(node.path, scope);
  const names: Expression[] = [];
  for (const passing of node.passing)
    names.push(constant(passing.name.text, TEXT), jsonValue(binder, passing.value, scope));
  const behavior = (clause: Ast.JsonBehavior | undefined, fallback: string): Expression =>
    constant(clause?.action ?? fallback, TEXT);
  const args = [
    document,
    path,
    behavior(node.onEmpty, 'null'),
    behavior(node.onError, node.function === 'exists' ? 'false' : 'null'),
    constant(node.wrapper ?? 'without', TEXT),
    constant(node.quotes ?? 'keep', TEXT),
    ...names,
  ];
  const built = jsonCall(binder, feature, `phantom_json_${node.function}`, args, position);
  return returning(binder, built, node.returning, position);
}
