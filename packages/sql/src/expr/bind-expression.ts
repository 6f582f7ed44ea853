/** The dispatcher of expression binding: one case for each kind of syntax, the work in the files named bind-*.ts. */
import type { TypeRef } from '@phantom/catalog';
import { unreachable } from '@phantom/base';
import type * as Ast from '../text/ast.js';
import { bindFunctionCall, bindGrouping } from './bind-functions.js';
import { bindXmlFunction } from './bind-xml.js';
import { bindIsJson, bindJsonAggregate, bindJsonConstructor, bindJsonQueryFunction } from './bind-json.js';
import { bindColumnName, findRangeItem, rowVariable, wholeRow } from './bind-names.js';
import { bindCast } from './bind-cast.js';
import {
  bindAtTimeZone,
  bindBetween,
  bindBinary,
  bindDistinctTest,
  bindIn,
  bindIs,
  bindLike,
  bindLogical,
  bindNot,
  bindNumber,
  bindOverlaps,
  bindQuantified,
  bindUnary,
} from './bind-operators.js';
import {
  bindArray,
  bindCase,
  bindCollate,
  bindConditional,
  bindCurrent,
  bindField,
  bindRow,
  bindSpecial,
  bindSubscript,
  selectField,
} from './bind-special.js';
import { bindSubquery } from './bind-subquery.js';
import type { Binder } from './binder.js';
import { constant, type Expression } from './expression.js';
import type { Scope } from './scope.js';
import { BOOL, UNKNOWN } from '../types/type-refs.js';

/** Binds one expression; see Binder.bind. */
export function bindExpression(binder: Binder, node: Ast.Expression, scope: Scope): Expression {
  return binder.context.deeper(() => {
    const expression = dispatch(binder, node, scope);
    if (!scope.positions.has(expression)) scope.positions.set(expression, node.position);
    binder.context.witness?.bound(node, expression, scope);
    return expression;
  });
}

function dispatch(binder: Binder, node: Ast.Expression, scope: Scope): Expression {
  const { context } = binder;
  switch (node.kind) {
    case 'null':
      return constant(null, UNKNOWN);
    case 'boolean':
      return constant(node.value, BOOL);
    case 'number':
      return bindNumber(binder, node.text, node.integer, node.position);
    case 'string':
      return { ...constant(node.value, UNKNOWN), position: node.position };
    case 'bit-string':
      return bindBitString(binder, node);
    case 'parameter':
      return bindParameter(binder, node);
    case 'column':
      return bindColumn(binder, node, scope);
    case 'star':
      return bindStar(binder, node, scope);
    case 'field':
      return bindField(binder, node, scope);
    case 'subscript':
      return bindSubscript(binder, node, scope);
    case 'unary':
      return bindUnary(binder, node, scope);
    case 'binary':
      return bindBinary(binder, node, scope);
    case 'logical':
      return bindLogical(binder, node, scope);
    case 'not':
      return bindNot(binder, node, scope);
    case 'is':
      return bindIs(binder, node, scope);
    case 'is-distinct':
      return bindDistinctTest(binder, node, scope);
    case 'between':
      return bindBetween(binder, node, scope);
    case 'in':
      return bindIn(binder, node, scope);
    case 'like':
      return bindLike(binder, node, scope);
    case 'quantified':
      return bindQuantified(binder, node, scope);
    case 'exists':
    case 'unique':
    case 'subquery':
    case 'array-subquery':
      return bindSubquery(binder, node, scope);
    case 'array':
      return bindArray(binder, node, scope);
    case 'row':
      return bindRow(binder, node, scope);
    case 'cast':
      return bindCast(binder, node, scope);
    case 'collate':
      return bindCollate(binder, node, scope);
    case 'at-time-zone':
      return bindAtTimeZone(binder, node, scope);
    case 'case':
      return bindCase(binder, node, scope);
    case 'conditional':
      return bindConditional(binder, node, scope);
    case 'call':
      return bindFunctionCall(binder, node, scope);
    case 'special':
      return bindSpecial(binder, node, scope);
    case 'grouping':
      return bindGrouping(binder, node, scope);
    case 'current':
      return bindCurrent(binder, node);
    case 'default':
      throw context.error('42601', 'DEFAULT is not allowed in this context', node.position);
    case 'inserted-value':
      return bindInsertedValue(binder, node, scope);
    case 'current-of':
      throw context.unsupported('WHERE CURRENT OF', node.position);
    case 'overlaps':
      return bindOverlaps(binder, node, scope);
    case 'period':
      throw context.unsupported('a period predicate', node.position);
    case 'is-json':
      return bindIsJson(binder, node, scope);
    case 'json-constructor':
      return bindJsonConstructor(binder, node, scope);
    case 'json-aggregate':
      return bindJsonAggregate(binder, node, scope);
    case 'json-query-function':
      return bindJsonQueryFunction(binder, node, scope);
    case 'xml-function':
      return bindXmlFunction(binder, node, scope);
    default:
      return unreachable(node);
  }
}

/** `t.*` where one value is wanted: the whole row. */
function bindStar(binder: Binder, node: Ast.Expression & { kind: 'star' }, scope: Scope): Expression {
  const parts = node.qualifier.map((part) => part.text);
  const name = parts[parts.length - 1];
  const item = name === undefined ? undefined : findRangeItem(scope, parts[parts.length - 2], name, node.position);
  if (item !== undefined) return wholeRow(item);
  const variable = rowVariable(scope, node.qualifier);
  if (variable !== undefined) return variable;
  throw binder.context.error('42601', 'row expansion via "*" is not supported here', node.position);
}

function bindBitString(binder: Binder, node: Ast.Expression & { kind: 'bit-string' }): Expression {
  const { context } = binder;
  const type = context.catalog.typeNamed({ name: 'bit' });
  if (type === undefined) throw context.unsupported('type bit', node.position);
  const binary =
    node.base === 'binary'
      ? node.digits
      : [...node.digits].map((digit) => Number.parseInt(digit, 16).toString(2).padStart(4, '0')).join('');
  const ref: TypeRef = { oid: type.oid, typmod: -1 };
  return context.at(node.position, () => constant(type.input(binary, binary.length, context.literals), ref));
}

/** The protocol counts them in 16 bits. */
const PARAMETERS_MAX = 65535;

function bindParameter(binder: Binder, node: Ast.Expression & { kind: 'parameter' }): Expression {
  const countMax = binder.context.parameterNames?.count ?? PARAMETERS_MAX;
  if (node.index < 1 || node.index > countMax) {
    throw binder.context.error('42P02', `there is no parameter $${node.index}`, node.position);
  }
  return { kind: 'parameter', index: node.index, type: binder.context.parameters.get(node.index) };
}

function bindColumn(binder: Binder, node: Ast.Expression & { kind: 'column' }, scope: Scope): Expression {
  const found = bindColumnName(scope, node.names, node.position);
  // A fresh node for each mention: its position is remembered by identity.
  let expression: Expression = { ...found.expression };
  for (const name of found.rest) expression = selectField(binder, expression, name.text, name.position);
  return expression;
}

/** MySQL's VALUES(column): the row that could not be inserted, which is known here as `excluded`. */
function bindInsertedValue(
  binder: Binder,
  node: Ast.Expression & { kind: 'inserted-value' },
  scope: Scope,
): Expression {
  const column = node.column[node.column.length - 1];
  const item = scope.items.find((candidate) => candidate.name === 'excluded');
  if (column === undefined || item === undefined) {
    throw binder.context.error('42601', 'VALUES(column) is allowed in ON DUPLICATE KEY UPDATE only', node.position);
  }
  const found = item.columns.find((candidate) => candidate.name === column.text);
  if (found === undefined) {
    throw binder.context.error('42703', `column "${column.text}" does not exist`, column.position);
  }
  return found.expression;
}
