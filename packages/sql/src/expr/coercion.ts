/**
 * Getting an expression to a type: chapter 10 of PostgreSQL's manual. Literals of type unknown are read by the target
 * type's input function now, unless what they mean depends on the session (a timestamptz without a zone, 'today').
 */
import { PhantomError } from '@phantom/base';
import type { TypeRef } from '@phantom/catalog';
import type { CastContext, CastDefinition, EvaluationContext, ScalarFunction } from '../functions/registry.js';
import type { SqlType, Value } from '../types/type.js';
import { castToParent } from './inherited-rows.js';
import { inheritCollation } from './collations.js';
import { type BindContext, codePointPosition } from './context.js';
import { constant, type Cast, type Expression } from './expression.js';
import { TypeOid } from '../types/type-oids.js';
import { BOOL, INT4, TEXT, typeRef } from '../types/type-refs.js';

/** Types whose input depends on the session's zone, its names or the clock, unless the text is plainly a calendar date. */
const SESSION_TYPES: ReadonlySet<number> = new Set([
  TypeOid.timestamptz,
  TypeOid.timetz,
  TypeOid.date,
  TypeOid.timestamp,
  TypeOid.time,
  TypeOid.regclass,
  TypeOid.aclitem,
  // Documents or content, as the session says.
  TypeOid.xml,
]);
/** Types whose arrays are read when they are bound. */
const FIXED_ELEMENTS: ReadonlySet<number> = new Set([
  TypeOid.bool,
  TypeOid.int2,
  TypeOid.int4,
  TypeOid.int8,
  TypeOid.float4,
  TypeOid.float8,
  TypeOid.numeric,
  TypeOid.text,
  TypeOid.varchar,
]);
const CALENDAR_TEXT = /^\s*\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?\s*$/;
const SIGNED_TEXT = /^\s*-/;
const CLOCK_TEXT = /^\s*\d{2}:\d{2}(:\d{2}(\.\d+)?)?\s*$/;

/** True when reading the text as the type gives the same in every session. */
function isFixedText(context: BindContext, type: SqlType, text: string): boolean {
  if (type.kind === 'array') {
    const element = context.catalog.types.byOid(type.elementOid);
    return element !== undefined && FIXED_ELEMENTS.has(element.oid);
  }
  // A label means itself until its type is altered, and whatever has been bound to that is bound anew then.
  if (type.kind === 'enum') return true;
  if (type.kind === 'composite' || type.kind === 'domain') return false;
  // Under IntervalStyle sql_standard a leading minus sign is that of all fields.
  if (type.oid === TypeOid.interval) return !SIGNED_TEXT.test(text);
  if (type.oid === TypeOid.regconfig || type.oid === TypeOid.regdictionary) return true;
  if (!SESSION_TYPES.has(type.oid)) return type.oid < 16384 && !type.name.startsWith('reg');
  if (type.oid === TypeOid.date || type.oid === TypeOid.timestamp) return CALENDAR_TEXT.test(text);
  return type.oid === TypeOid.time && CLOCK_TEXT.test(text);
}

/** The type behind a domain, with the domain's own modifier; other types as they are. */
export function baseType(context: BindContext, type: TypeRef): TypeRef {
  const found = context.catalog.types.byOid(type.oid);
  if (found === undefined || found.kind !== 'domain' || found.baseOid === 0) return type;
  return baseType(context, typeRef(found.baseOid, found.baseTypmod ?? -1));
}

export function isUnknown(expression: Expression): boolean {
  return expression.type.oid === TypeOid.unknown;
}

/** Reads a text constant as a type. */
function readLiteral(
  context: BindContext,
  text: string,
  target: TypeRef,
  explicit: boolean,
  position: number,
): Expression {
  const type = context.catalog.types.byOid(target.oid);
  if (type === undefined) throw context.error('42704', `type with oid ${target.oid} does not exist`, position);
  // The modifier of an interval says how its text is read; all others are applied to the value, as in any other cast.
  const readTypmod = target.oid === TypeOid.interval ? target.typmod : -1;
  const plain: TypeRef = { ...target, typmod: readTypmod };
  const value = isFixedText(context, type, text)
    ? context.at(position, () => constant(type.input(text, readTypmod, context.literals), plain))
    : {
        ...textCast(constant(text, TEXT), atLiteral(context.text, position, type), plain, 'stable'),
        literal: true as const,
      };
  if (value.kind !== 'constant') return coerceTypmod(context, value, target, explicit);
  if (target.typmod === readTypmod || type.coerceTypmod === undefined) return { ...value, type: target };
  return context.at(position, () => constant(type.coerceTypmod?.(value.value, target.typmod, explicit), target));
}

/** The type with an input whose errors carry the literal's position, as if it had been read when it was bound. */
function atLiteral(statement: string, position: number, type: SqlType): SqlType {
  const input: SqlType['input'] = (text, typmod, evaluation) => {
    try {
      return type.input(text, typmod, evaluation);
    } catch (error) {
      if (!(error instanceof PhantomError) || error.position !== undefined) throw error;
      throw error.with({ position: codePointPosition(statement, position) });
    }
  };
  return { ...type, input };
}

/** A cast through the type's input function at run time. */
function textCast(operand: Expression, type: SqlType, target: TypeRef, volatility: 'immutable' | 'stable'): Cast {
  const definition: CastDefinition = {
    source: TypeOid.text,
    target: target.oid,
    context: 'explicit',
    call: (value: Value, typmod: number, _explicit: boolean, evaluation: EvaluationContext) =>
      type.input(value as string, typmod, evaluation),
    volatility,
  };
  return { kind: 'cast', operand, definition, explicit: true, type: target };
}

/** The expression with the type modifier applied, when the target has one that it does not have already. */
export function coerceTypmod(
  context: BindContext,
  expression: Expression,
  target: TypeRef,
  explicit: boolean,
): Expression {
  if (target.typmod === -1 || expression.type.typmod === target.typmod) return expression;
  const type = context.catalog.types.byOid(target.oid);
  if (type?.coerceTypmod === undefined) return expression;
  const collated = inheritCollation(target, expression.type);
  return { kind: 'typmod', operand: expression, explicit, type: collated };
}

/** A cast whose representation does not change keeps a constant a constant. */
function relabel(expression: Expression, definition: CastDefinition, target: TypeRef, explicit: boolean): Expression {
  // A modifier means nothing to another type: 8 is four characters of varchar, and of char, but they are padded.
  const typmod = expression.type.oid === target.oid ? expression.type.typmod : -1;
  const type = inheritCollation({ ...target, typmod }, expression.type);
  if (expression.kind === 'constant') return { ...expression, type };
  return { kind: 'cast', operand: expression, definition, explicit, type };
}

/**
 * The expression as a value of the target type, or undefined when there is no way in this context. Errors in a literal's
 * text are raised with the position.
 */
export function tryCoerce(
  context: BindContext,
  expression: Expression,
  target: TypeRef,
  castContext: CastContext,
  position: number,
): Expression | undefined {
  const coerced = castTo(context, expression, target, castContext, position);
  if (coerced !== undefined && castContext !== 'explicit') context.witness?.coerced(expression, coerced);
  return coerced;
}

function castTo(
  context: BindContext,
  expression: Expression,
  target: TypeRef,
  castContext: CastContext,
  position: number,
): Expression | undefined {
  const source = expression.type;
  const explicit = castContext === 'explicit';
  if (expression.kind === 'parameter' && source.oid === TypeOid.unknown && target.oid !== TypeOid.unknown) {
    const decided = context.parameters.decide(expression.index, baseType(context, target));
    return tryCoerce(context, { ...expression, type: decided }, target, castContext, position);
  }
  if (source.oid === target.oid) return coerceTypmod(context, expression, target, explicit);
  if (target.oid === TypeOid.unknown) return expression;
  const domain = context.catalog.types.byOid(target.oid);
  if (domain?.kind === 'domain') {
    // Straight to the type under all domains: the outermost one asks what those under it ask.
    const inner = tryCoerce(context, expression, baseType(context, target), castContext, position);
    return inner === undefined ? undefined : toDomain(inner, domain, target, explicit);
  }
  if (source.oid === TypeOid.unknown) {
    if (expression.kind === 'constant') {
      if (expression.value === null) return constant(null, target);
      const place = expression.position ?? position;
      context.witness?.literal(place, target);
      return readLiteral(context, expression.value as string, target, explicit, place);
    }
    const type = context.catalog.types.byOid(target.oid);
    return type === undefined ? undefined : textCast(expression, type, target, 'stable');
  }
  if (expression.kind === 'constant' && expression.value === null && source.oid !== TypeOid.record) {
    const way = context.catalog.functions.findCast(baseType(context, source).oid, target.oid, castContext);
    // A user's function may make something of it.
    if (way !== undefined && way.function?.strict !== false) return constant(null, target);
  }
  const sourceBase = baseType(context, source);
  if (sourceBase.oid === target.oid) return coerceTypmod(context, retype(expression, sourceBase), target, explicit);
  const targetType = domain;
  const inherited = targetType?.kind === 'composite' && castToParent(context.catalog, sourceBase.oid, targetType);
  if (inherited)
    return { kind: 'cast', operand: retype(expression, sourceBase), definition: inherited, explicit, type: target };
  if (expression.kind === 'row' && targetType?.kind === 'composite') {
    return coerceRow(context, expression, targetType, target, castContext);
  }
  const definition = context.catalog.functions.findCast(sourceBase.oid, target.oid, castContext);
  if (definition === undefined) return undefined;
  if (definition.call === undefined) {
    return coerceTypmod(
      context,
      relabel(retype(expression, sourceBase), definition, target, explicit),
      target,
      explicit,
    );
  }
  const type = inheritCollation(target, expression.type);
  if (definition.function !== undefined) {
    const made = castByFunction(context, retype(expression, sourceBase), definition.function, type, explicit);
    return definition.function.argumentTypes.length > 1 ? made : coerceTypmod(context, made, target, explicit);
  }
  return { kind: 'cast', operand: retype(expression, sourceBase), definition, explicit, type };
}

/** A cast by a user's function: a call of it, with the type's modifier and whether the cast was asked for where it takes them. */
function castByFunction(
  context: BindContext,
  operand: Expression,
  definition: ScalarFunction,
  type: TypeRef,
  explicit: boolean,
): Expression {
  if (definition.routine !== undefined) context.useRoutine(definition.routine);
  const given = [operand, constant(type.typmod, INT4), constant(explicit, BOOL)];
  return {
    kind: 'call',
    function: definition,
    operator: undefined,
    arguments: given.slice(0, definition.argumentTypes.length),
    variadicFrom: undefined,
    variadicElement: undefined,
    type: { ...type, typmod: definition.argumentTypes.length > 1 ? type.typmod : -1 },
  };
}

/** A value of the domain's base type as one of the domain, its constraints applied. */
function toDomain(inner: Expression, domain: SqlType, target: TypeRef, explicit: boolean): Expression {
  const { constrain } = domain;
  if (constrain === undefined) {
    if (inner.kind === 'constant') return { ...inner, type: target };
    const definition: CastDefinition = {
      source: inner.type.oid,
      target: target.oid,
      context: 'implicit',
      volatility: 'immutable',
    };
    return { kind: 'cast', operand: inner, definition, explicit, type: target };
  }
  return {
    kind: 'call',
    function: {
      kind: 'scalar',
      oid: 0,
      name: domain.name,
      argumentTypes: [inner.type.oid],
      resultType: target.oid,
      // What a domain asks may change with the session (now() in a CHECK), so nothing of it is computed ahead.
      volatility: 'stable',
      strict: false,
      needsContext: true,
      call: ((value: Value, evaluation: EvaluationContext) => constrain(value, evaluation)) as (
        ...args: never[]
      ) => Value,
    },
    operator: undefined,
    arguments: [inner],
    variadicFrom: undefined,
    variadicElement: undefined,
    type: target,
  };
}

/** What a cast to the domain holds; any other expression as it is. */
export function insideDomain(expression: Expression, domain: TypeRef): Expression {
  if (expression.type.oid !== domain.oid) return expression;
  if (expression.kind === 'cast') return expression.operand;
  const checks = expression.kind === 'call' && expression.function.oid === 0 && expression.operator === undefined;
  return checks ? (expression.arguments[0] ?? expression) : expression;
}

function coerceRow(
  context: BindContext,
  row: Expression & { kind: 'row' },
  _type: SqlType,
  target: TypeRef,
  castContext: CastContext,
): Expression | undefined {
  const definition = context.catalog.functions.findCast(TypeOid.record, target.oid, castContext);
  return definition === undefined
    ? undefined
    : { kind: 'cast', operand: row, definition, explicit: castContext === 'explicit', type: target };
}

/** The same value under another type of the same representation. */
export function retype(expression: Expression, type: TypeRef): Expression {
  if (expression.type.oid === type.oid) return expression;
  const definition: CastDefinition = {
    source: expression.type.oid,
    target: type.oid,
    context: 'implicit',
    volatility: 'immutable',
  };
  return { kind: 'cast', operand: expression, definition, explicit: false, type };
}

/** As tryCoerce; raises 42846 or, for an assignment, 42804. */
export function coerce(
  context: BindContext,
  expression: Expression,
  target: TypeRef,
  castContext: CastContext,
  position: number,
): Expression {
  const coerced = tryCoerce(context, expression, target, castContext, position);
  if (coerced !== undefined) return coerced;
  throw context.error(
    '42846',
    `cannot cast type ${context.typeName(expression.type.oid)} to ${context.typeName(target.oid)}`,
    position,
  );
}

/** A condition: boolean, or 42804 in PostgreSQL's words (`what` is "WHERE", "AND", ...). */
export function coerceToBoolean(
  context: BindContext,
  expression: Expression,
  what: string,
  position: number,
): Expression {
  const coerced = tryCoerce(context, expression, typeRef(TypeOid.bool), 'implicit', position);
  if (coerced !== undefined) return coerced;
  throw context.error(
    '42804',
    `argument of ${what} must be type boolean, not type ${context.typeName(expression.type.oid)}`,
    position,
  );
}

/**
 * The common type of several expressions (UNION, CASE, VALUES, COALESCE, ARRAY) with what each becomes. `what` is named
 * in 42804. All unknown gives text.
 */
export function unify(
  context: BindContext,
  expressions: readonly Expression[],
  positions: readonly number[],
  what: string,
): { readonly type: TypeRef; readonly expressions: Expression[] } {
  const type = commonType(context, expressions, positions, what);
  return {
    type,
    expressions: expressions.map((expression, i) => {
      const position = positions[i] ?? 0;
      const coerced = tryCoerce(context, expression, type, 'implicit', position);
      if (coerced !== undefined) return coerced;
      const from = context.typeName(expression.type.oid);
      throw context.error('42846', `${what} could not convert type ${from} to ${context.typeName(type.oid)}`, position);
    }),
  };
}

/** The type that chapter 10.5 gives the expressions; keeps a modifier that all of them share. */
export function commonType(
  context: BindContext,
  expressions: readonly Expression[],
  positions: readonly number[],
  what: string,
): TypeRef {
  const first = expressions[0];
  if (first === undefined) return TEXT;
  const alike = expressions.every((e) => e.type.oid === first.type.oid);
  if (alike && first.type.oid !== TypeOid.unknown) {
    const sameTypmod = expressions.every((e) => e.type.typmod === first.type.typmod);
    return sameTypmod ? first.type : typeRef(first.type.oid);
  }
  const oids = expressions.map((expression) => baseType(context, expression.type).oid);
  const oid = context.catalog.functions.commonType(oids);
  if (oid === undefined) {
    let leader = 0;
    while (leader < oids.length - 1 && oids[leader] === TypeOid.unknown) leader++;
    for (let i = leader + 1; i < oids.length; i++) {
      const prefix = oids.slice(0, i + 1);
      if (context.catalog.functions.commonType(prefix) === undefined) {
        throw context.error(
          '42804',
          `${what} types ${context.typeName(oids[leader] as number)} and ${context.typeName(oids[i] as number)} cannot be matched`,
          positions[i],
        );
      }
    }
    throw context.error('42804', `${what} types cannot be matched`, positions[0]);
  }
  const known = expressions.filter((e) => e.type.oid === oid);
  const typmod = known.length === expressions.length ? (known[0]?.type.typmod ?? -1) : -1;
  return typeRef(
    oid === TypeOid.unknown ? TypeOid.text : oid,
    known.every((e) => e.type.typmod === typmod) ? typmod : -1,
  );
}

/** What an output column of type unknown becomes at the top of a query. */
export function resolveUnknown(context: BindContext, expression: Expression, position: number): Expression {
  if (!isUnknown(expression)) return expression;
  return coerce(context, expression, TEXT, 'implicit', position);
}
