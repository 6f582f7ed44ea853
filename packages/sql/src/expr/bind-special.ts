/** Expressions with a syntax of their own: CASE, COALESCE and kin, casts, arrays, rows, fields, subscripts, EXTRACT, CURRENT_... */
import type { TypeRef } from '@phantom/catalog';
import type { CurrentValue } from '../text/ast-leaves.js';
import type * as Ast from '../text/ast.js';
import type { Binder } from './binder.js';
import { callNamed, callOperator, letIn, withCollation } from './calls.js';
import { baseType, coerce, coerceToBoolean, isUnknown, retype, tryCoerce, unify } from './coercion.js';
import { constant, type BoundSubscript, type Expression, type RowExpressionNode } from './expression.js';
import { requireCollatable, requireCollation } from './named-collation.js';
import type { Scope } from './scope.js';
import { TypeOid } from '../types/type-oids.js';
import { INT4, INT8, TEXT, UNKNOWN, typeRef } from '../types/type-refs.js';

export function bindCase(binder: Binder, node: Ast.CaseExpression, scope: Scope): Expression {
  const { context } = binder;
  if (node.operand !== undefined) {
    const bound = binder.bind(node.operand, scope);
    const operand = isUnknown(bound) ? coerce(context, bound, TEXT, 'implicit', node.operand.position) : bound;
    return letIn(context, operand, (value) =>
      caseOf(binder, node, scope, (when) => callOperator(context, '=', value, binder.bind(when, scope), when.position)),
    );
  }
  return caseOf(binder, node, scope, (when) =>
    coerceToBoolean(context, binder.bind(when, scope), 'CASE/WHEN', when.position),
  );
}

function caseOf(
  binder: Binder,
  node: Ast.CaseExpression,
  scope: Scope,
  test: (when: Ast.Expression) => Expression,
): Expression {
  const sets = scope.setCalls.length;
  const whens = node.branches.map((branch) => test(branch.when));
  // ELSE comes first: where types have the same claim, the first one settles the type of all.
  const results = [node.otherwise === undefined ? constant(null, UNKNOWN) : binder.bind(node.otherwise, scope)];
  const positions = [node.otherwise?.position ?? node.position];
  for (const { result } of node.branches) {
    results.push(binder.bind(result, scope));
    positions.push(result.position);
  }
  refuseSets(binder, scope, sets, 'CASE');
  const unified = unify(binder.context, results, positions, 'CASE');
  return {
    kind: 'case',
    branches: whens.map((when, i) => ({ when, then: unified.expressions[i + 1] as Expression })),
    otherwise: unified.expressions[0] as Expression,
    type: withCollation(binder.context, unified.type, unified.expressions, node.position),
  };
}

/** 0A000: a set-returning function where a branch may not run. */
function refuseSets(binder: Binder, scope: Scope, before: number, where: string): void {
  const call = scope.setCalls[before];
  if (call === undefined) return;
  const message = `set-returning functions are not allowed in ${where}`;
  throw binder.context.error('0A000', message, scope.callPositions.get(call.columns[0] as number), {
    hint: 'You might be able to move the set-returning function into a LATERAL FROM item.',
  });
}

export function bindConditional(binder: Binder, node: Ast.Conditional, scope: Scope): Expression {
  const { context } = binder;
  const sets = scope.setCalls.length;
  const args = node.arguments.map((argument) => binder.bind(argument, scope));
  if (node.function === 'coalesce') refuseSets(binder, scope, sets, 'COALESCE');
  const positions = node.arguments.map((argument) => argument.position);
  if (node.function === 'nullif') return bindNullIf(binder, args, node.position);
  const unified = unify(context, args, positions, node.function.toUpperCase());
  const type = withCollation(context, unified.type, unified.expressions, node.position);
  if (node.function === 'coalesce') return { kind: 'coalesce', operands: unified.expressions, type };
  if (context.catalog.types.byOid(type.oid)?.compare === undefined) {
    throw context.error(
      '42883',
      `could not identify a comparison function for type ${context.typeName(type.oid)}`,
      node.position,
    );
  }
  return { kind: 'extreme', which: node.function, operands: unified.expressions, type };
}

/** NULLIF(a, b): a unless a = b; the type is a's as the operator takes it. */
function bindNullIf(binder: Binder, args: readonly Expression[], position: number): Expression {
  const { context } = binder;
  const [left, right] = args;
  if (left === undefined || right === undefined) throw context.error('42601', 'NULLIF takes two arguments', position);
  const probe = callOperator(context, '=', left, right, position);
  const value = probe.arguments[0] as Expression;
  return letIn(context, value, (reference) => ({
    kind: 'case',
    branches: [
      {
        when: { ...probe, arguments: [reference, probe.arguments[1] as Expression] },
        then: constant(null, value.type),
      },
    ],
    otherwise: reference,
    type: value.type,
  }));
}

export function bindCollate(binder: Binder, node: Ast.CollateExpression, scope: Scope): Expression {
  const { context } = binder;
  const bound = binder.bind(node.operand, scope);
  const operand = isUnknown(bound) ? coerce(context, bound, TEXT, 'implicit', node.position) : bound;
  const collation = node.collation[node.collation.length - 1]?.text ?? '';
  context.at(node.position, () => {
    requireCollatable(context.catalog, operand.type);
    requireCollation(collation);
  });
  const collated: TypeRef = {
    oid: operand.type.oid,
    typmod: operand.type.typmod,
    collation,
    explicitCollation: true,
  };
  if (operand.kind === 'constant') return { ...operand, type: collated };
  return {
    kind: 'cast',
    operand,
    definition: { source: operand.type.oid, target: operand.type.oid, context: 'implicit', volatility: 'immutable' },
    explicit: true,
    type: collated,
  };
}

/** Binary collations, and those that Intl.Collator knows; 42704 for others. */
/** ARRAY[...]; `target` is the array type of a cast around it, which its elements take directly. */
export function bindArray(binder: Binder, node: Ast.ArrayConstructor, scope: Scope, target?: TypeRef): Expression {
  const { context } = binder;
  const types = context.catalog.types;
  const elementTarget = target === undefined ? 0 : (types.byOid(target.oid)?.elementOid ?? 0);
  const nested = node.elements.length > 0 && node.elements.every((element) => element.kind === 'array');
  const bound = node.elements.map((element) =>
    element.kind === 'array' ? bindArray(binder, element, scope, target) : binder.bind(element, scope),
  );
  const positions = node.elements.map((element) => element.position);
  if (elementTarget !== 0 && target !== undefined) {
    const wanted = nested ? target : typeRef(elementTarget, target.typmod);
    const elements = bound.map((element, i) => {
      if (types.byOid(element.type.oid)?.elementOid !== 0 && !nested && element.type.oid !== TypeOid.unknown) {
        const array = tryCoerce(context, element, target, 'explicit', positions[i] ?? 0);
        if (array !== undefined) return array;
      }
      return coerce(context, element, wanted, 'explicit', positions[i] ?? 0);
    });
    const arrays = nested || elements.some((element) => element.type.oid === target.oid);
    return { kind: 'array', elements, elementOid: elementTarget, nested: arrays, type: target };
  }
  if (bound.length === 0) {
    throw context.error('42P18', 'cannot determine type of empty array', node.position, {
      hint: 'Explicitly cast to the desired type, for example ARRAY[]::integer[].',
    });
  }
  const unified = unify(context, bound, positions, 'ARRAY');
  const inner = types.byOid(unified.type.oid);
  if (inner !== undefined && inner.elementOid !== 0 && inner.kind === 'array') {
    return {
      kind: 'array',
      elements: unified.expressions,
      elementOid: inner.elementOid,
      nested: true,
      type: typeRef(unified.type.oid),
    };
  }
  const arrayOid = inner?.arrayOid ?? 0;
  if (arrayOid === 0) {
    throw context.error(
      '42704',
      `could not find array type for data type ${context.typeName(unified.type.oid)}`,
      node.position,
    );
  }
  return {
    kind: 'array',
    elements: unified.expressions,
    elementOid: unified.type.oid,
    nested: false,
    type: typeRef(arrayOid),
  };
}

export function bindRow(binder: Binder, node: Ast.RowConstructor, scope: Scope): Expression {
  const fields: Expression[] = [];
  for (const field of node.fields) {
    const composite = field.kind === 'field' && field.field === undefined ? field.base : undefined;
    if (composite !== undefined) {
      fields.push(...spreadComposite(binder, composite, field.position, scope).map(({ expression }) => expression));
      continue;
    }
    if (field.kind === 'star') {
      // A function's result that is no row is its own only column.
      const whole = binder.bind(field, scope);
      fields.push(...(rowOf(whole)?.fields ?? fieldsOf(binder, whole) ?? [whole]));
      continue;
    }
    const bound = binder.bind(field, scope);
    fields.push(isUnknown(bound) ? coerce(binder.context, bound, TEXT, 'implicit', field.position) : bound);
  }
  return { kind: 'row', fields, names: undefined, type: typeRef(TypeOid.record) };
}

/** `(composite).*`: its fields, by name. 42809 for what is no composite. */
export function spreadComposite(
  binder: Binder,
  node: Ast.Expression,
  position: number,
  scope: Scope,
): { readonly name: string; readonly expression: Expression }[] {
  const operand = binder.bind(node, scope);
  const fields = compositeFields(binder, operand);
  if (fields === undefined) {
    const name = binder.context.typeName(operand.type.oid);
    throw binder.context.error('42809', `type ${name} is not composite`, position);
  }
  return fields.map(({ name, type }, field) => ({ name, expression: { kind: 'field', operand, field, type } }));
}

/** The fields of a parameter that is a row. */
function fieldsOf(binder: Binder, operand: Expression): Expression[] | undefined {
  if (operand.kind !== 'parameter') return undefined;
  return compositeFields(binder, operand)?.map(({ type }, field) => ({ kind: 'field', operand, field, type }));
}

/** The row constructor behind an expression: itself, or a whole row that is null where an outer join has padded it. */
export function rowOf(expression: Expression): RowExpressionNode | undefined {
  if (expression.kind === 'row') return expression;
  return expression.kind === 'case' && expression.otherwise.kind === 'row' ? expression.otherwise : undefined;
}

/** Fields of a composite value: names and types; undefined when it is none. */
export function compositeFields(
  binder: Binder,
  expression: Expression,
): readonly { readonly name: string; readonly type: TypeRef }[] | undefined {
  const row = rowOf(expression);
  if (row !== undefined && row.type.oid === TypeOid.record) {
    return row.fields.map((field, i) => ({ name: row.names?.[i] ?? `f${i + 1}`, type: field.type }));
  }
  if (expression.kind === 'column' && expression.type.oid === TypeOid.record) {
    return binder.context.pool.fieldsOf(expression.column);
  }
  if (expression.kind === 'call' && expression.recordColumns !== undefined) return expression.recordColumns;
  return binder.compositeFields(baseType(binder.context, expression.type).oid);
}

export function bindField(binder: Binder, node: Ast.FieldSelection, scope: Scope): Expression {
  const { context } = binder;
  const { base, field } = node;
  if (base.kind === 'parameter' && field !== undefined) {
    // A record has fields when the body runs: each that is asked for is a parameter of its own.
    const found = context.parameterNames?.find([`$${base.index}`, field.text]);
    if (found?.used === 2) return { kind: 'parameter', index: found.index, type: context.parameters.get(found.index) };
  }
  const operand = binder.bind(base, scope);
  if (field === undefined) throw context.error('42601', 'row expansion via "*" is not supported here', node.position);
  return selectField(binder, operand, field.text, node.position, base.position);
}

/** `operand.name`. */
export function selectField(
  binder: Binder,
  operand: Expression,
  name: string,
  position: number,
  basePosition: number = position,
): Expression {
  const { context } = binder;
  const fields = compositeFields(binder, operand);
  if (fields === undefined) {
    if (operand.type.oid === TypeOid.jsonb) {
      return callOperator(context, '->', operand, constant(name, TEXT), position);
    }
    if (operand.type.oid === TypeOid.record) {
      throw context.error('42703', `could not identify column "${name}" in record data type`, position);
    }
    throw context.error(
      '42809',
      `column notation .${name} applied to type ${context.typeName(operand.type.oid)}, which is not a composite type`,
      basePosition,
    );
  }
  const field = fields.findIndex((candidate) => candidate.name === name);
  if (field < 0) {
    throw context.error(
      '42703',
      `column "${name}" not found in data type ${context.typeName(operand.type.oid)}`,
      position,
    );
  }
  return { kind: 'field', operand, field, type: (fields[field] as { type: TypeRef }).type };
}

/** A subscript of jsonb as an element of a path; `isInteger` where it was a number. */
export function jsonbKey(
  binder: Binder,
  node: Ast.Expression,
  scope: Scope,
): { readonly key: Expression; readonly isInteger: boolean } {
  const { context } = binder;
  const bound = binder.bind(node, scope);
  const integer = isUnknown(bound) ? undefined : tryCoerce(context, bound, INT4, 'implicit', node.position);
  const key =
    integer === undefined
      ? tryCoerce(context, bound, TEXT, 'implicit', node.position)
      : tryCoerce(context, integer, TEXT, 'explicit', node.position);
  if (key !== undefined) return { key, isInteger: integer !== undefined };
  throw context.error('42804', `subscript type ${context.typeName(bound.type.oid)} is not supported`, node.position, {
    hint: 'jsonb subscript must be coercible to either integer or text.',
  });
}

export function bindSubscript(binder: Binder, node: Ast.Subscripted, scope: Scope): Expression {
  const { context } = binder;
  const operand = binder.bind(node.base, scope);
  const base = baseType(context, operand.type);
  const elementOid = context.catalog.types.byOid(base.oid)?.elementOid ?? 0;
  if (base.oid === TypeOid.jsonb) {
    const elements = node.subscripts.map((subscript) => {
      if (subscript.kind === 'index') return jsonbKey(binder, subscript.index, scope).key;
      const at = subscript.upper ?? subscript.lower ?? node;
      throw context.error('42804', 'jsonb subscript does not support slices', at.position);
    });
    const type = typeRef(context.catalog.types.byOid(TypeOid.text)?.arrayOid ?? 0);
    const path: Expression = { kind: 'array', elements, elementOid: TypeOid.text, nested: false, type };
    return callOperator(context, '#>', operand, path, node.position);
  }
  if (elementOid === 0) {
    throw context.error(
      '42804',
      `cannot subscript type ${context.typeName(base.oid)} because it does not support subscripting`,
      node.base.position,
    );
  }
  const index = (expression: Ast.Expression | undefined): Expression | undefined => {
    if (expression === undefined) return undefined;
    const bound = binder.bind(expression, scope);
    const coerced = tryCoerce(context, bound, INT4, 'assignment', expression.position);
    if (coerced !== undefined) return coerced;
    throw context.error('42804', 'array subscript must have type integer', expression.position);
  };
  const slice = node.subscripts.some((subscript) => subscript.kind === 'slice');
  const subscripts = node.subscripts.map((subscript): BoundSubscript =>
    subscript.kind === 'index'
      ? { index: index(subscript.index), lower: undefined, upper: undefined }
      : { index: undefined, lower: index(subscript.lower), upper: index(subscript.upper) },
  );
  return {
    kind: 'subscript',
    operand,
    subscripts,
    slice,
    type: slice ? base : typeRef(elementOid, base.typmod),
  };
}

const SPECIAL_FUNCTIONS: Readonly<Record<Ast.SpecialFunction['function'], string>> = {
  extract: 'extract',
  position: 'position',
  substring: 'substring',
  'substring-similar': 'substring',
  overlay: 'overlay',
  btrim: 'btrim',
  ltrim: 'ltrim',
  rtrim: 'rtrim',
  normalize: 'normalize',
  'collation-for': 'pg_collation_for',
};

export function bindSpecial(binder: Binder, node: Ast.SpecialFunction, scope: Scope): Expression {
  const { context } = binder;
  const args = node.arguments.map((argument) => binder.bind(argument, scope));
  if (node.function === 'substring' && args.length === 2 && args[1] !== undefined) {
    const text =
      args[1].type.oid === TypeOid.unknown || context.catalog.types.byOid(args[1].type.oid)?.category === 'S';
    if (text) args[1] = coerce(context, args[1], TEXT, 'implicit', node.position);
  }
  if (node.function === 'collation-for') {
    const operand = args[0];
    const { types } = context.catalog;
    const type = operand === undefined ? undefined : types.byOid(operand.type.oid);
    const texts = type?.category === 'A' ? types.byOid(type.elementOid) : type;
    if (texts?.category === 'S')
      return constant(`"${operand?.type.collation ?? (texts.oid === TypeOid.name ? 'C' : 'default')}"`, TEXT);
    // Of a literal that has no type it is null; of a type without collations, the function's error, once there is a row.
    if (type === undefined || type.oid === TypeOid.unknown) return constant(null, TEXT);
  }
  return callNamed(context, SPECIAL_FUNCTIONS[node.function], args, node.position);
}

/** CURRENT_DATE and kin, which know the word that they were, because definitions are shown with it. */
export function bindCurrent(binder: Binder, node: CurrentValue): Expression {
  const bound = currentValue(binder, node);
  if (bound.kind !== 'call' && bound.kind !== 'cast' && bound.kind !== 'typmod') return bound;
  return { ...bound, word: currentWord(node) };
}

/** As PostgreSQL writes it: `CURRENT_TIMESTAMP(3)`. */
export function currentWord({ function: word, precision }: CurrentValue): string {
  return word.replaceAll('-', '_').toUpperCase() + (precision === undefined ? '' : `(${precision})`);
}

/** The transaction's start, cast by the session's zone; roles and names by function. */
function currentValue(binder: Binder, node: CurrentValue): Expression {
  const { context } = binder;
  const { position } = node;
  const precision = node.precision ?? -1;
  const now = (oid: number): Expression =>
    coerce(context, callNamed(context, 'now', [], position), typeRef(oid, precision), 'explicit', position);
  switch (node.function) {
    case 'current_date':
      return coerce(context, callNamed(context, 'now', [], position), typeRef(TypeOid.date), 'explicit', position);
    case 'current_time':
      return now(TypeOid.timetz);
    case 'current_timestamp':
      return now(TypeOid.timestamptz);
    case 'localtime':
      return now(TypeOid.time);
    case 'localtimestamp':
      return now(TypeOid.timestamp);
    case 'current_catalog':
      return callNamed(context, 'current_database', [], position);
    // PostgreSQL has neither of these two, so there is no type to agree with: they take the one that their place asks for.
    case 'current_path':
      return retype(callNamed(context, 'current_setting', [constant('search_path', TEXT)], position), UNKNOWN);
    case 'system_user':
      return retype(callNamed(context, 'session_user', [], position), UNKNOWN);
    case 'current_schema':
      return callNamed(context, 'current_schema', [], position);
    case 'session_user':
      return callNamed(context, 'session_user', [], position);
    default:
      return callNamed(context, 'current_user', [], position);
  }
}

/** LIMIT and OFFSET: a bigint, without columns of this level. */
export function bindCount(binder: Binder, node: Ast.Expression, scope: Scope, what: 'LIMIT' | 'OFFSET'): Expression {
  const { context } = binder;
  const bound = binder.bind(node, scope);
  const coerced = tryCoerce(context, bound, INT8, 'assignment', node.position);
  if (coerced !== undefined) return coerced;
  throw context.error(
    '42804',
    `argument of ${what} must be type bigint, not type ${context.typeName(bound.type.oid)}`,
    node.position,
  );
}
