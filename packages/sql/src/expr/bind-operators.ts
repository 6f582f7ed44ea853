/** Operators and predicates: infix and prefix operators, rows, BETWEEN, IN, LIKE, IS, quantified comparisons. */
import type { NumberLiteral } from '../text/ast-leaves.js';
import type * as Ast from '../text/ast.js';
import { rowOf } from './bind-special.js';
import type { Binder } from './binder.js';
import { bindIsDocument } from './bind-xml.js';
import { callNamed, callOperator, compareRows, letIn, tryUnify } from './calls.js';
import { baseType, coerce, coerceToBoolean, isUnknown } from './coercion.js';
import { type Call, constant, type ComparisonRole, type Expression } from './expression.js';
import type { BindContext } from './context.js';
import type { Scope } from './scope.js';
import { TypeOid } from '../types/type-oids.js';
import { BOOL, TEXT, UNKNOWN, typeRef } from '../types/type-refs.js';

const ROLES: Readonly<Record<string, ComparisonRole>> = {
  '=': '=',
  '<>': '<>',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
};

/** The schema that an operator is named with; 3F000 where there is none of the name. */
function schemaOf(binder: Binder, { schema, position }: Ast.BinaryExpression['operator']): string | undefined {
  const text = schema.at(-1)?.text;
  if (text === undefined || binder.context.catalog.schemaExists(text)) return text;
  throw binder.context.error('3F000', `schema "${text}" does not exist`, position);
}

/** True where rows are compared field by field: not by an operator of somebody's schema. */
function comparesRows(schema: string | undefined): boolean {
  return schema === undefined || schema === 'pg_catalog';
}

/** A row of expressions when the syntax is one; undefined for a single value. */
function rowFields(expression: Ast.Expression): readonly Ast.Expression[] | undefined {
  return expression.kind === 'row' ? expression.fields : undefined;
}

/** A literal with the minus signs before it, which decide together whether it is an integer or a bigint. */
function numberWritten(node: Ast.Expression): NumberLiteral | undefined {
  if (node.kind === 'number') return node;
  if (node.kind !== 'unary' || node.operator.symbol !== '-' || node.operator.schema.length > 0) return undefined;
  const number = numberWritten(node.operand);
  if (number === undefined) return undefined;
  return { ...number, text: number.text.startsWith('-') ? number.text.slice(1) : `-${number.text}` };
}

export function bindUnary(binder: Binder, node: Ast.UnaryExpression, scope: Scope): Expression {
  const { symbol } = node.operator;
  const schema = schemaOf(binder, node.operator);
  const { operand } = node;
  const number = numberWritten(node);
  if (number !== undefined) return bindNumber(binder, number.text, number.integer, number.position);
  if (symbol === '+' && operand.kind === 'number') return binder.bind(operand, scope);
  return callOperator(binder.context, symbol, undefined, binder.bind(operand, scope), node.position, schema);
}

/** What an operator of that symbol means for planning: one of a user's means nothing, whatever it is called. */
function roleOf({ operator }: Call, symbol: string): ComparisonRole | undefined {
  return operator?.schemaOid === undefined ? ROLES[symbol] : operator.role;
}

/** A numeric literal: integer, bigint or numeric, whatever it fits first. */
export function bindNumber(binder: Binder, text: string, integer: boolean, position: number): Expression {
  const { context } = binder;
  if (integer) {
    const value = Number(text);
    if (value >= -2147483648 && value <= 2147483647) return constant(value === 0 ? 0 : value, typeRef(TypeOid.int4));
    const exact = BigInt(text);
    if (BigInt.asIntN(64, exact) === exact) {
      return constant(Number.isSafeInteger(value) ? value : exact, typeRef(TypeOid.int8));
    }
  }
  const type = context.catalog.types.byOid(TypeOid.numeric);
  if (type === undefined) throw context.unsupported('type numeric', position);
  return context.at(position, () => constant(type.input(text, -1, context.literals), typeRef(TypeOid.numeric)));
}

export function bindBinary(binder: Binder, node: Ast.BinaryExpression, scope: Scope): Expression {
  const { context } = binder;
  const { symbol } = node.operator;
  const schema = schemaOf(binder, node.operator);
  const left = rowFields(node.left);
  const right = rowFields(node.right);
  if (left !== undefined && right !== undefined && comparesRows(schema)) {
    const leftFields = left.map((field) => binder.bind(field, scope));
    const rightFields = right.map((field) => binder.bind(field, scope));
    const compared = compareRows(context, symbol, leftFields, rightFields, node.position);
    if (compared !== undefined) return compared;
  }
  if (left !== undefined && node.right.kind === 'subquery' && symbol in ROLES) {
    return compareRowToQuery(binder, symbol, left, node.right, scope, node.position);
  }
  const boundLeft = binder.bind(node.left, scope);
  const boundRight = binder.bind(node.right, scope);
  const leftRow = rowOf(boundLeft);
  const rightRow = rowOf(boundRight);
  if (leftRow !== undefined && rightRow !== undefined && comparesRows(schema)) {
    const compared = compareRows(context, symbol, leftRow.fields, rightRow.fields, node.position);
    if (compared !== undefined) return compared;
  }
  return callOperator(context, symbol, boundLeft, boundRight, node.position, schema);
}

/** `(a, b) = (select x, y ...)`: the subquery's only row, compared field by field. */
function compareRowToQuery(
  binder: Binder,
  symbol: string,
  left: readonly Ast.Expression[],
  node: Ast.SubqueryExpression,
  scope: Scope,
  position: number,
): Expression {
  const { context } = binder;
  const fields = left.map((field) => binder.bind(field, scope));
  const query = binder.bindQuery(node.query, scope);
  if (query.fields.length !== fields.length) {
    const few = query.fields.length < fields.length;
    throw context.error('42601', few ? 'subquery has too few columns' : 'subquery has too many columns', position);
  }
  const row: Expression = {
    kind: 'subquery',
    mode: 'row',
    plan: query.plan,
    columns: query.fields.map((field) => field.column),
    test: undefined,
    operatorName: undefined,
    type: typeRef(TypeOid.record),
  };
  return letIn(context, row, (reference) => {
    const right = query.fields.map((field, i): Expression => ({
      kind: 'field',
      operand: reference,
      field: i,
      type: field.type,
    }));
    const compared = compareRows(context, symbol, fields, right, position);
    if (compared === undefined) throw context.unsupported(`row comparison by ${symbol}`, position);
    return compared;
  });
}

export function bindLogical(binder: Binder, node: Ast.LogicalExpression, scope: Scope): Expression {
  const what = node.operator.toUpperCase();
  const operands = node.operands.map((operand) =>
    coerceToBoolean(binder.context, binder.bind(operand, scope), what, operand.position),
  );
  return { kind: 'logical', operator: node.operator, operands, type: BOOL };
}

export function negate(expression: Expression): Expression {
  return { kind: 'not', operand: expression, type: BOOL };
}

export function bindNot(binder: Binder, node: Ast.NotExpression, scope: Scope): Expression {
  const operand = binder.bind(node.operand, scope);
  return negate(coerceToBoolean(binder.context, operand, 'NOT', node.operand.position));
}

export function bindIs(binder: Binder, node: Ast.IsTest, scope: Scope): Expression {
  const { context } = binder;
  const operand = binder.bind(node.operand, scope);
  const { negated } = node;
  switch (node.test) {
    case 'null': {
      const settled = isUnknown(operand) ? coerce(context, operand, TEXT, 'implicit', node.position) : operand;
      const kind = context.catalog.types.byOid(baseType(context, operand.type).oid)?.kind;
      const row = operand.kind === 'row' || operand.type.oid === TypeOid.record || kind === 'composite';
      return { kind: 'null-test', operand: settled, negated, row, type: BOOL };
    }
    case 'true':
    case 'false':
    case 'unknown': {
      const words = `IS ${negated ? 'NOT ' : ''}${node.test.toUpperCase()}`;
      const tested = coerceToBoolean(context, operand, words, node.operand.position);
      const value = node.test === 'unknown' ? null : node.test === 'true';
      return { kind: 'boolean-test', operand: tested, value, negated, type: BOOL };
    }
    case 'normalized': {
      const form = constant((node.form ?? 'nfc').toUpperCase(), TEXT);
      const text = coerce(context, operand, TEXT, 'implicit', node.operand.position);
      const tested = callNamed(context, 'is_normalized', [text, form], node.position);
      return negated ? negate(tested) : tested;
    }
    default:
      return bindIsDocument(binder, node, operand);
  }
}

export function bindDistinctTest(binder: Binder, node: Ast.DistinctTest, scope: Scope): Expression {
  const { context } = binder;
  const leftRow = rowFields(node.left);
  const rightRow = rowFields(node.right);
  if (leftRow !== undefined && rightRow !== undefined) {
    if (leftRow.length !== rightRow.length) {
      throw context.error('42601', 'unequal number of entries in row expressions', node.position);
    }
    const tests = leftRow.map((field, i) =>
      distinctTest(
        binder,
        binder.bind(field, scope),
        binder.bind(rightRow[i] as Ast.Expression, scope),
        node.negated,
        node.position,
      ),
    );
    if (tests.length === 1) return tests[0] as Expression;
    return { kind: 'logical', operator: node.negated ? 'and' : 'or', operands: tests, type: BOOL };
  }
  return distinctTest(
    binder,
    binder.bind(node.left, scope),
    binder.bind(node.right, scope),
    node.negated,
    node.position,
  );
}

function distinctTest(
  binder: Binder,
  left: Expression,
  right: Expression,
  negated: boolean,
  position: number,
): Expression {
  const call = callOperator(binder.context, '=', left, right, position);
  return {
    kind: 'distinct-test',
    left: call.arguments[0] as Expression,
    right: call.arguments[1] as Expression,
    equality: call.function,
    negated,
    type: BOOL,
  };
}

export function bindBetween(binder: Binder, node: Ast.BetweenTest, scope: Scope): Expression {
  const { context } = binder;
  const { position } = node;
  const operand = binder.bind(node.operand, scope);
  const low = binder.bind(node.low, scope);
  const high = binder.bind(node.high, scope);
  const within = (value: Expression, from: Expression, to: Expression): Expression => ({
    kind: 'logical',
    operator: 'and',
    operands: [
      callOperator(context, '>=', value, from, position),
      callOperator(context, '<=', asDecided(context, value), asDecided(context, to), position),
    ],
    type: BOOL,
  });
  const tested = letIn(context, operand, (value) => {
    if (!node.symmetric) return within(value, low, high);
    return {
      kind: 'logical',
      operator: 'or',
      operands: [within(value, low, high), within(value, asDecided(context, high), asDecided(context, low))],
      type: BOOL,
    };
  });
  return node.negated ? negate(tested) : tested;
}

/** A parameter under the type that a comparison before this one may have decided. */
function asDecided(context: BindContext, expression: Expression): Expression {
  if (expression.kind !== 'parameter' || !isUnknown(expression)) return expression;
  return { ...expression, type: context.parameters.get(expression.index) };
}

export function bindIn(binder: Binder, node: Ast.InTest, scope: Scope): Expression {
  const tested = Array.isArray(node.candidates)
    ? inList(binder, node.operand, node.candidates as readonly Ast.Expression[], scope, node.position)
    : quantifiedQuery(binder, node.operand, '=', 'any', node.candidates as Ast.Query, scope, node.position);
  return node.negated ? negate(tested) : tested;
}

function inList(
  binder: Binder,
  operandNode: Ast.Expression,
  candidates: readonly Ast.Expression[],
  scope: Scope,
  position: number,
): Expression {
  const { context } = binder;
  const row = rowFields(operandNode);
  if (row !== undefined) {
    const fields = row.map((field) => binder.bind(field, scope));
    const tests = candidates.map((candidate) => {
      const other = rowFields(candidate);
      if (other === undefined) throw context.error('42883', 'operator does not exist: record = integer', position);
      const bound = other.map((field) => binder.bind(field, scope));
      return compareRows(context, '=', fields, bound, position) as Expression;
    });
    if (tests.length === 1) return tests[0] as Expression;
    return { kind: 'logical', operator: 'or', operands: tests, type: BOOL };
  }
  const operand = binder.bind(operandNode, scope);
  const bound = candidates.map((candidate) => binder.bind(candidate, scope));
  if (bound.length === 1) return callOperator(context, '=', operand, bound[0] as Expression, position);
  const unified = tryUnify(context, [operand, ...bound], position);
  if (unified !== undefined && unified.type.oid !== TypeOid.record) {
    const [left, ...elements] = unified.expressions as [Expression, ...Expression[]];
    const first = elements[0] as Expression;
    const probe = callOperator(context, '=', left, first, position);
    const elementOid = (probe.arguments[1] as Expression).type.oid;
    // Lists are long: what is plainly of the type that the operator takes needs no search for one.
    const isAsFirst = ({ kind, type }: Expression): boolean =>
      kind === 'constant' && type.oid === elementOid && type.collation === undefined;
    const cast = elements.map((element) =>
      isAsFirst(element) ? element : (callOperator(context, '=', left, element, position).arguments[1] as Expression),
    );
    const arrayOid = context.catalog.types.byOid(elementOid)?.arrayOid ?? 0;
    return {
      kind: 'array-quantified',
      left: probe.arguments[0] as Expression,
      array: { kind: 'array', elements: cast, elementOid, nested: false, type: typeRef(arrayOid) },
      comparison: probe.function,
      role: roleOf(probe, '='),
      operatorName: '=',
      quantifier: 'any',
      type: BOOL,
    };
  }
  return letIn(context, operand, (value) => ({
    kind: 'logical',
    operator: 'or',
    operands: bound.map((candidate) => callOperator(context, '=', value, candidate, position)),
    type: BOOL,
  }));
}

/** `left op ANY (query)`: the test is evaluated against each row of the subquery. */
function quantifiedQuery(
  binder: Binder,
  leftNode: Ast.Expression,
  symbol: string,
  quantifier: 'any' | 'all',
  queryNode: Ast.Query,
  scope: Scope,
  position: number,
  schema?: string,
): Expression {
  const { context } = binder;
  const row = rowFields(leftNode);
  const left = (row ?? [leftNode]).map((field) => binder.bind(field, scope));
  const query = binder.bindQuery(queryNode, scope);
  if (query.fields.length !== left.length) {
    const few = query.fields.length < left.length;
    throw context.error('42601', few ? 'subquery has too few columns' : 'subquery has too many columns', position);
  }
  const right = query.fields.map((field): Expression => ({ kind: 'column', column: field.column, type: field.type }));
  const test =
    left.length === 1
      ? callOperator(context, symbol, left[0], right[0] as Expression, position, schema)
      : compareRows(context, symbol, left, right, position);
  if (test === undefined) {
    throw context.error('42804', `could not determine interpretation of row comparison operator ${symbol}`, position);
  }
  return {
    kind: 'subquery',
    mode: quantifier,
    plan: query.plan,
    columns: query.fields.map((field) => field.column),
    test: coerceToBoolean(context, test, 'ANY', position),
    operatorName: symbol,
    type: BOOL,
  };
}

export function bindQuantified(binder: Binder, node: Ast.Quantified, scope: Scope): Expression {
  const { context } = binder;
  const { symbol } = node.operator;
  const schema = schemaOf(binder, node.operator);
  const { source } = node;
  if (source.kind === 'query') {
    return quantifiedQuery(binder, node.left, symbol, node.quantifier, source, scope, node.position, schema);
  }
  const left = binder.bind(node.left, scope);
  let array = binder.bind(source, scope);
  const leftOid = isUnknown(left) ? TypeOid.text : left.type.oid;
  if (isUnknown(array)) {
    const arrayOid = context.catalog.types.byOid(leftOid)?.arrayOid ?? 0;
    if (arrayOid !== 0) array = coerce(context, array, typeRef(arrayOid), 'implicit', source.position);
  }
  const elementOid = context.catalog.types.byOid(array.type.oid)?.elementOid ?? 0;
  if (elementOid === 0) {
    throw context.error('42809', 'op ANY/ALL (array) requires array on right side', node.position);
  }
  const element: Expression = { kind: 'column', column: -1, type: typeRef(elementOid) };
  const probe = callOperator(context, symbol, left, element, node.position, schema);
  const wanted = (probe.arguments[1] as Expression).type.oid;
  if (wanted !== elementOid) {
    const arrayOid = context.catalog.types.byOid(wanted)?.arrayOid ?? 0;
    array = coerce(context, array, typeRef(arrayOid), 'explicit', source.position);
  }
  if (probe.type.oid !== TypeOid.bool) {
    throw context.error('42809', 'op ANY/ALL (array) requires operator to yield boolean', node.position);
  }
  return {
    kind: 'array-quantified',
    left: probe.arguments[0] as Expression,
    array,
    comparison: probe.function,
    role: roleOf(probe, symbol),
    operatorName: symbol,
    quantifier: node.quantifier,
    type: BOOL,
  };
}

export function bindLike(binder: Binder, node: Ast.LikeTest, scope: Scope): Expression {
  const { context } = binder;
  const { position } = node;
  const operand = binder.bind(node.operand, scope);
  let pattern = binder.bind(node.pattern, scope);
  if (node.operator === 'similar') {
    const args = [coerce(context, pattern, TEXT, 'implicit', node.pattern.position)];
    if (node.escape !== undefined) {
      args.push(coerce(context, binder.bind(node.escape, scope), TEXT, 'implicit', position));
    }
    pattern = callNamed(context, 'similar_to_escape', args, position);
    return callOperator(context, node.negated ? '!~' : '~', operand, pattern, position);
  }
  if (node.escape !== undefined) {
    const escape = binder.bind(node.escape, scope);
    pattern = callNamed(context, 'like_escape', [settleText(binder, pattern), settleText(binder, escape)], position);
  }
  const symbol = `${node.negated ? '!' : ''}~~${node.operator === 'ilike' ? '*' : ''}`;
  return callOperator(context, symbol, operand, pattern, position);
}

function settleText(binder: Binder, expression: Expression): Expression {
  return isUnknown(expression) ? coerce(binder.context, expression, TEXT, 'implicit', 0) : expression;
}

export function bindOverlaps(binder: Binder, node: Ast.OverlapsTest, scope: Scope): Expression {
  const fields = [...node.left.fields, ...node.right.fields].map((field) => binder.bind(field, scope));
  if (fields.length !== 4) {
    throw binder.context.error('42601', 'wrong number of parameters on OVERLAPS expression', node.position);
  }
  return callNamed(binder.context, 'overlaps', fields, node.position);
}

export function bindAtTimeZone(binder: Binder, node: Ast.AtTimeZone, scope: Scope): Expression {
  const { context } = binder;
  const operand = binder.bind(node.operand, scope);
  const zone =
    node.zone === undefined
      ? callNamed(context, 'current_setting', [constant('TimeZone', UNKNOWN)], node.position)
      : binder.bind(node.zone, scope);
  return callNamed(context, 'timezone', [zone, operand], node.position);
}
