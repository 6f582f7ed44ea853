/** Calls put together by name: resolution, casts of the arguments, polymorphic results, PostgreSQL's errors. */
import type { TypeRef } from '@phantom/catalog';
import type {
  FunctionDefinition,
  OperatorDefinition,
  ResolvedFunction,
  ResolveOptions,
  ScalarFunction,
  Volatility,
} from '../functions/registry.js';
import { defaultCount } from '../functions/registry.js';
import { baseType, coerce, commonType, isUnknown, tryCoerce } from './coercion.js';
import { collated, collatedFunction, collatedOperator, mergedCollation } from './collations.js';
import type * as Ast from '../text/ast.js';
import type { SqlType, Value } from '../types/type.js';
import type { BindContext } from './context.js';
import { constant, type Call, type ColumnId, type Expression } from './expression.js';
import { TypeOid } from '../types/type-oids.js';
import { BOOL, TEXT, typeRef } from '../types/type-refs.js';

export interface ResolvedCall {
  readonly columns: ResolvedFunction['columns'];
  readonly definition: FunctionDefinition;
  readonly arguments: readonly Expression[];
  readonly variadicFrom: number | undefined;
  readonly variadicElement: number | undefined;
  readonly type: TypeRef;
}

/** `name(integer, size => text)` as messages show a call. */
export function callText(
  context: BindContext,
  name: string,
  types: readonly number[],
  names: CallOptions['argumentNames'] = [],
): string {
  const shown = types.map((oid, i) => {
    const written = names[i];
    return written === undefined ? context.typeName(oid) : `${written} => ${context.typeName(oid)}`;
  });
  return `${name}(${shown.join(', ')})`;
}

/** The type with the collation that the parts give it, where it is a text type. */
export function withCollation(
  context: BindContext,
  type: TypeRef,
  parts: readonly Expression[],
  position: number,
): TypeRef {
  return collated(type, mergedCollation(context, parts, position));
}

export interface CallOptions extends ResolveOptions {
  /** Binds the default of a user's function for an argument that is left out. */
  readonly bindDefault?: (definition: FunctionDefinition, sql: string) => Expression;
}

/** A call without its outputs: clients of JDBC's kind hand in a parameter of type void for each, as if it were an argument. */
export function withoutOutputs(
  node: Ast.FunctionCall,
  args: readonly Expression[],
): { readonly node: Ast.FunctionCall; readonly args: readonly Expression[] } {
  const isInput = ({ kind, type }: Expression): boolean => kind !== 'parameter' || type.oid !== TypeOid.void;
  if (args.every(isInput)) return { node, args };
  return {
    node: { ...node, arguments: node.arguments.filter((_, i) => isInput(args[i] as Expression)) },
    args: args.filter(isInput),
  };
}

/** Resolves a function for the arguments and casts them; undefined when there is none of that name and shape. */
export function resolveCall(
  context: BindContext,
  name: string,
  args: readonly Expression[],
  position: number,
  options: CallOptions = {},
): ResolvedCall | undefined {
  const types = args.map((argument) => argument.type.oid);
  const resolved = context.catalog.functions.resolveFunction(name, types, options);
  if (resolved === 'undefined') return undefined;
  if (resolved === 'ambiguous') {
    throw context.error(
      '42725',
      `function ${callText(context, name, types, options.argumentNames)} is not unique`,
      position,
      {
        hint: 'Could not choose a best candidate function. You might need to add explicit type casts.',
      },
    );
  }
  return applyResolved(context, resolved, args, position, options);
}

/** Puts named arguments in their places and fills in defaults. */
function arrange(
  definition: FunctionDefinition,
  declared: readonly number[],
  args: readonly Expression[],
  { argumentNames: names, bindDefault }: CallOptions,
  variadic: boolean,
  defaultOf: (value: Expression, declared: number) => Expression,
): Expression[] {
  const placed: (Expression | undefined)[] = [];
  args.forEach((argument, i) => {
    const name = names?.[i];
    const at = name === undefined ? i : (definition.argumentNames?.indexOf(name) ?? i);
    placed[at < 0 ? i : at] = argument;
  });
  const { defaults = [], defaultTexts = [] } = definition;
  const defaultsFrom = definition.argumentTypes.length - defaultCount(definition);
  const count = variadic ? placed.length : Math.max(placed.length, definition.argumentTypes.length);
  const arranged: Expression[] = [];
  for (let i = 0; i < count; i++) {
    const argument = placed[i];
    if (argument !== undefined) {
      arranged.push(argument);
      continue;
    }
    const sql = defaultTexts[i - defaultsFrom];
    if (sql !== undefined && bindDefault !== undefined) {
      arranged.push(
        defaultOf(bindDefault(definition, sql), declared[i] ?? definition.argumentTypes[i] ?? TypeOid.text),
      );
      continue;
    }
    const value = defaults[i - defaultsFrom];
    const oid = declared[i] ?? definition.argumentTypes[i] ?? TypeOid.text;
    arranged.push(constant(value ?? null, typeRef(oid)));
  }
  return arranged;
}

function applyResolved(
  context: BindContext,
  resolved: ResolvedFunction,
  args: readonly Expression[],
  position: number,
  options: CallOptions,
): ResolvedCall {
  const { definition } = resolved;
  const variadic = resolved.variadicElement !== undefined;
  const arranged = arrange(definition, resolved.argumentTypes, args, options, variadic, (value, declared) =>
    isPseudo(context, declared) ? value : coerce(context, value, typeRef(declared), 'assignment', position),
  );
  const coerced = arranged.map((argument, i) => {
    const declared = resolved.argumentTypes[i];
    if (declared === undefined || isPseudo(context, declared)) return settle(context, argument, declared, position);
    return coerce(context, argument, keepTypmod(argument, declared), 'implicit', position);
  });
  const collation = mergedCollation(context, coerced, position);
  const type = collated(typeRef(resolved.resultType), collation);
  if (definition.routine !== undefined) context.useRoutine(definition.routine);
  return {
    columns: resolved.columns,
    definition: definition.kind === 'scalar' ? collatedFunction(context, definition, collation) : definition,
    arguments: coerced,
    variadicFrom: variadic ? (resolved.variadicFrom ?? definition.argumentTypes.length - 1) : undefined,
    variadicElement: resolved.variadicElement,
    type,
  };
}

/** The declared type, with the argument's modifier when it has that type already. */
function keepTypmod(argument: Expression, declared: number): TypeRef {
  return argument.type.oid === declared ? argument.type : typeRef(declared);
}

function isPseudo(context: BindContext, oid: number): boolean {
  return context.catalog.types.byOid(oid)?.kind === 'pseudo' && oid !== TypeOid.unknown;
}

/** An argument for a pseudo-type: an unknown literal is text there, except that "any" takes it as it is and no record is read. */
function settle(
  context: BindContext,
  argument: Expression,
  declared: number | undefined,
  position: number,
): Expression {
  if (argument.type.oid !== TypeOid.unknown || declared === undefined || declared === TypeOid.any) return argument;
  if (declared === TypeOid.record && argument.kind === 'constant' && argument.value !== null)
    throw context.error('0A000', 'input of anonymous composite types is not supported', position);
  return coerce(context, argument, TEXT, 'implicit', position);
}

/** Wraps a resolved scalar function into an expression. */
export function callExpression(resolved: ResolvedCall, operator?: OperatorDefinition): Call {
  return {
    kind: 'call',
    function: resolved.definition as ScalarFunction,
    operator,
    arguments: resolved.arguments,
    variadicFrom: resolved.variadicFrom,
    variadicElement: resolved.variadicElement,
    type: resolved.type,
    ...(resolved.columns === undefined
      ? {}
      : { recordColumns: resolved.columns.map(({ name, type }) => ({ name, type: typeRef(type) })) }),
  };
}

/** 42883 for a function. */
export function undefinedFunction(
  context: BindContext,
  name: string,
  types: readonly number[],
  position: number,
  names?: CallOptions['argumentNames'],
): Error {
  return context.error('42883', `function ${callText(context, name, types, names)} does not exist`, position, {
    hint: 'No function matches the given name and argument types. You might need to add explicit type casts.',
  });
}

/** A scalar function by its name inside the house (the syntax asked for it, not the user); 42883 if there is none. */
export function callNamed(
  context: BindContext,
  name: string,
  args: readonly Expression[],
  position: number,
): Expression {
  const resolved = resolveCall(context, name, args, position);
  if (resolved === undefined || resolved.definition.kind !== 'scalar') {
    throw undefinedFunction(
      context,
      name,
      args.map((argument) => argument.type.oid),
      position,
    );
  }
  return callExpression(resolved);
}

/** An infix operator, or a prefix one when `left` is undefined. */
export function callOperator(
  context: BindContext,
  symbol: string,
  left: Expression | undefined,
  right: Expression,
  position: number,
  schema?: string,
): Call {
  if (left !== undefined && schema === undefined && COMPARISONS.has(symbol)) {
    const type = distinctTypeOf(context, left, right);
    if (type !== undefined) {
      const below = (operand: Expression): Expression => underDistinct(context, operand, type, position);
      return callOperator(context, symbol, below(left), below(right), position);
    }
  }
  const { functions } = context.catalog;
  const leftOid = left === undefined ? 0 : baseType(context, left.type).oid;
  const rightOid = baseType(context, right.type).oid;
  let resolved = functions.resolveOperator(symbol, leftOid, rightOid, schema);
  if (resolved === 'undefined' && (leftOid !== (left?.type.oid ?? 0) || rightOid !== right.type.oid)) {
    // A range over a domain holds values of the domain itself.
    resolved = functions.resolveOperator(symbol, left?.type.oid ?? 0, right.type.oid, schema);
  }
  if (resolved === 'undefined' || resolved === 'ambiguous') {
    const name = schema === undefined || schema === 'pg_catalog' ? symbol : `${schema}.${symbol}`;
    const shown =
      left === undefined
        ? `${name} ${context.typeName(right.type.oid)}`
        : `${context.typeName(left.type.oid)} ${name} ${context.typeName(right.type.oid)}`;
    if (resolved === 'ambiguous') {
      throw context.error('42725', `operator is not unique: ${shown}`, position, {
        hint: 'Could not choose a best candidate operator. You might need to add explicit type casts.',
      });
    }
    throw context.error('42883', `operator does not exist: ${shown}`, position, {
      hint:
        left === undefined
          ? 'No operator matches the given name and argument type. You might need to add an explicit type cast.'
          : 'No operator matches the given name and argument types. You might need to add explicit type casts.',
    });
  }
  const args: Expression[] = [];
  if (left !== undefined) args.push(coerceOperand(context, left, resolved.leftType, position));
  args.push(coerceOperand(context, right, resolved.rightType, position));
  if (resolved.operator.schemaOid !== undefined) context.useOperator(resolved.operator);
  const collation = mergedCollation(context, args, position);
  const operator = collatedOperator(context, resolved.operator, collation);
  return {
    kind: 'call',
    function: operator.function,
    operator,
    arguments: args,
    variadicFrom: undefined,
    variadicElement: undefined,
    type: collated(typeRef(resolved.resultType), collation),
  };
}

const COMPARISONS: ReadonlySet<string> = new Set(['=', '<>', '<', '<=', '>', '>=']);

/** The distinct type that both operands have, or one beside a literal; undefined for others. */
function distinctTypeOf(context: BindContext, left: Expression, right: Expression): SqlType | undefined {
  const known = isUnknown(left) ? right : left;
  const type = context.catalog.types.byOid(known.type.oid);
  if (type?.kind !== 'distinct') return undefined;
  return isUnknown(right) || right.type.oid === known.type.oid ? type : undefined;
}

/** A value of a distinct type as one of its base type. */
function underDistinct(context: BindContext, operand: Expression, type: SqlType, position: number): Expression {
  const value = coerce(context, operand, typeRef(type.oid), 'implicit', position);
  return coerce(context, value, typeRef(type.baseOid), 'explicit', position);
}

function coerceOperand(context: BindContext, operand: Expression, oid: number, position: number): Expression {
  if (isPseudo(context, oid)) return settle(context, operand, oid, position);
  return coerce(context, operand, keepTypmod(operand, oid), 'implicit', position);
}

/** Both expressions under their common type, if there is one. */
export function tryUnify(
  context: BindContext,
  expressions: readonly Expression[],
  position: number,
): { readonly type: TypeRef; readonly expressions: Expression[] } | undefined {
  const oids = expressions.map((e) => baseType(context, e.type).oid);
  if (context.catalog.functions.commonType(oids) === undefined) return undefined;
  const type = commonType(context, expressions, [position], 'IN');
  const coerced: Expression[] = [];
  for (const expression of expressions) {
    const one = tryCoerce(context, expression, type, 'implicit', position);
    if (one === undefined) return undefined;
    coerced.push(one);
  }
  return { type, expressions: coerced };
}

/** `left = right` and so on for two rows of expressions; undefined for operators that do not compare rows. */
export function compareRows(
  context: BindContext,
  symbol: string,
  left: readonly Expression[],
  right: readonly Expression[],
  position: number,
): Expression | undefined {
  if (left.length !== right.length) {
    throw context.error('42601', 'unequal number of entries in row expressions', position);
  }
  if (left.length === 0) throw context.error('0A000', 'cannot compare rows of zero length', position);
  if (symbol === '=' || symbol === '<>') {
    const pairs = left.map((l, i) => callOperator(context, symbol, l, right[i] as Expression, position));
    if (pairs.length === 1) return pairs[0];
    return { kind: 'logical', operator: symbol === '=' ? 'and' : 'or', operands: pairs, type: BOOL };
  }
  if (symbol !== '<' && symbol !== '<=' && symbol !== '>' && symbol !== '>=') return undefined;
  const strict = symbol.startsWith('<') ? '<' : '>';
  const pairs = left.map((l, i) => callOperator(context, strict, l, right[i] as Expression, position));
  const equal = pairs.map((pair) =>
    callOperator(context, '=', pair.arguments[0] as Expression, pair.arguments[1] as Expression, position),
  );
  if (pairs.length === 1) return callOperator(context, symbol, left[0], right[0] as Expression, position);
  return {
    kind: 'row-comparison',
    role: symbol,
    left: pairs.map((pair) => pair.arguments[0] as Expression),
    right: pairs.map((pair) => pair.arguments[1] as Expression),
    lessThan: pairs.map((pair) => pair.function),
    equality: equal.map((pair) => pair.function),
    type: BOOL,
  };
}

/** A call of a function of this house that has no name in SQL; it gets the argument values, then the EvaluationContext. */
export function internalCall(
  name: string,
  args: readonly Expression[],
  type: TypeRef,
  call: (...args: never[]) => Value,
  volatility: Volatility = 'stable',
): Call {
  const definition: ScalarFunction = {
    kind: 'scalar',
    oid: 0,
    name,
    argumentTypes: [],
    resultType: type.oid,
    volatility,
    strict: false,
    needsContext: true,
    call,
  };
  return {
    kind: 'call',
    function: definition,
    operator: undefined,
    arguments: args,
    variadicFrom: undefined,
    variadicElement: undefined,
    type,
  };
}

/** The expression once, under a column of its own, in `body`. Cheap expressions are simply repeated. */
export function letIn(
  context: BindContext,
  value: Expression,
  body: (reference: Expression) => Expression,
): Expression {
  if (value.kind === 'constant' || value.kind === 'column' || value.kind === 'parameter') return body(value);
  const column: ColumnId = context.newColumn('?let?', value.type);
  const inner = body({ kind: 'column', column, type: value.type });
  return { kind: 'let', column, value, body: inner, type: inner.type };
}
