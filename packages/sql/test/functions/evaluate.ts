/** Calls functions and operators as a binder would: resolution by argument types, casts, then the implementation. */
import { PhantomError } from '@phantom/base';
import { SqlArray } from '@phantom/codec';
import { builtinFunctions } from './builtin-functions.js';
import type { EvaluationContext, FunctionRegistry, ScalarFunction } from '../../src/functions/registry.js';
import { formatType } from '../../src/types/format-type.js';
import { builtinTypeCatalog } from '../../src/types/type-catalog.js';
import type { SqlType, Value } from '../../src/types/type.js';
import { testContext } from '../context.js';

/** An argument: a literal of a type (by internal name), or of type unknown when the type is undefined. */
export interface Literal {
  readonly type: string | undefined;
  readonly text: string | null;
}

/** `int4:5`, `text:abc`, `text[]:{a,b}`; without a type's name the literal is unknown; `type:NULL` is null. */
export function literal(source: string): Literal {
  const match = /^([a-z_][a-z_0-9]*(?:\[\])?):([^]*)$/.exec(source);
  if (match === null) return { type: undefined, text: source };
  return { type: match[1] as string, text: match[2] === 'NULL' ? null : (match[2] as string) };
}

function typeNamed(name: string): SqlType {
  const internal = name.endsWith('[]') ? `_${name.slice(0, -2)}` : name;
  const type = builtinTypeCatalog.builtinNamed(internal);
  if (type === undefined) throw new Error(`no type ${name}`);
  return type;
}

interface Argument {
  readonly oid: number;
  readonly value: Value;
}

function readArgument(one: Literal, context: EvaluationContext): Argument {
  if (one.type === undefined) return { oid: 705, value: one.text };
  const type = typeNamed(one.type);
  return { oid: type.oid, value: one.text === null ? null : type.input(one.text, -1, context) };
}

function coerce(argument: Argument, target: number, context: EvaluationContext, registry: FunctionRegistry): Value {
  if (argument.oid === target || argument.value === null) return argument.value;
  const type = builtinTypeCatalog.byOid(target);
  if (type === undefined || (type.kind === 'pseudo' && argument.oid !== 705)) return argument.value;
  if (argument.oid === 705)
    return type.kind === 'pseudo' ? argument.value : type.input(argument.value as string, -1, context);
  const cast = registry.findCast(argument.oid, target, 'implicit');
  if (cast === undefined) throw new Error(`no cast from ${argument.oid} to ${target}`);
  return cast.call === undefined ? argument.value : (cast.call as CastCall)(argument.value, -1, false, context);
}

type CastCall = (value: Value, typmod: number, explicit: boolean, context: EvaluationContext) => Value;

function show(value: Value, oid: number, context: EvaluationContext): string | null {
  if (value === null) return null;
  const type = builtinTypeCatalog.byOid(oid);
  if (type === undefined) throw new Error(`no type ${oid}`);
  return type.output(value, context);
}

function invoke(
  definition: ScalarFunction,
  values: readonly Value[],
  types: { arguments: readonly { oid: number; typmod: number }[]; result: { oid: number; typmod: number } },
  context: EvaluationContext,
): Value {
  if (definition.strict && values.includes(null)) return null;
  const args: unknown[] = [...values];
  if (definition.needsContext === true) args.push(context);
  if (definition.needsTypes === true) args.push(types);
  return (definition.call as (...args: unknown[]) => Value)(...args);
}

const ref = (oid: number): { oid: number; typmod: number } => ({ oid, typmod: -1 });

/** Text of the result of a function; SQL NULL is null. Errors are thrown. Sets give `{a,b}` of their values' texts. */
export function callFunction(
  name: string,
  literals: readonly string[],
  context: EvaluationContext = testContext(),
  options: { readonly variadicArray?: boolean; readonly names?: readonly (string | undefined)[] } = {},
  registry: FunctionRegistry = builtinFunctions,
): string | null {
  const given = literals.map((one) => readArgument(literal(one), context));
  const resolved = registry.resolveFunction(
    name,
    given.map((argument) => argument.oid),
    {
      ...(options.variadicArray === true ? { variadicArray: true } : {}),
      ...(options.names === undefined ? {} : { argumentNames: options.names }),
    },
  );
  if (resolved === 'undefined') throw new PhantomError('42883', `function ${name} does not exist`);
  if (resolved === 'ambiguous') throw new PhantomError('42725', `function ${name} is not unique`);
  const { definition } = resolved;
  const placed: Argument[] = [];
  given.forEach((argument, i) => {
    const named = options.names?.[i];
    placed[named === undefined ? i : (definition.argumentNames?.indexOf(named) ?? i)] = argument;
  });
  const defaults = definition.kind === 'scalar' || definition.kind === 'set' ? (definition.defaults ?? []) : [];
  for (let i = 0; i < definition.argumentTypes.length; i++) {
    if (placed[i] !== undefined || definition.variadic !== undefined) continue;
    const value = defaults[i - (definition.argumentTypes.length - defaults.length)] ?? null;
    placed[i] = { oid: definition.argumentTypes[i] as number, value };
  }
  let values = placed.map((argument, i) =>
    coerce(argument, resolved.argumentTypes[i] ?? argument.oid, context, registry),
  );
  const types = {
    arguments: resolved.argumentTypes.map((oid, i) =>
      ref(
        builtinTypeCatalog.byOid(oid)?.kind === 'pseudo'
          ? placed[i]?.oid === 705
            ? 25
            : (placed[i]?.oid ?? oid)
          : oid,
      ),
    ),
    result: ref(resolved.resultType),
  };
  if (resolved.variadicElement !== undefined) {
    const from = resolved.variadicFrom as number;
    values = [...values.slice(0, from), SqlArray.of(resolved.variadicElement, values.slice(from))];
  }
  if (definition.kind === 'set') {
    if (definition.strict && values.includes(null)) return '{}';
    const args: unknown[] = [...values];
    if (definition.needsContext === true) args.push(context);
    if (definition.needsTypes === true) args.push(types);
    const rows = [...(definition.call as (...args: unknown[]) => Iterable<Value>)(...args)];
    const columns = definition.columns;
    const texts = rows.map((row) =>
      columns === undefined || columns.length === 1
        ? (show(columns === undefined ? row : (row as Value[])[0], resolved.resultType, context) ?? 'NULL')
        : `(${(row as Value[]).map((value, i) => show(value, columns[i]?.type ?? 25, context) ?? '').join(',')})`,
    );
    return `{${texts.join(',')}}`;
  }
  if (definition.kind !== 'scalar') throw new Error(`${name} is a ${definition.kind} function`);
  return show(invoke(definition, values, types, context), resolved.resultType, context);
}

/** Text of the result of an operator; a missing left side makes it a prefix operator. */
export function callOperator(
  name: string,
  left: string | undefined,
  right: string,
  context: EvaluationContext = testContext(),
  registry: FunctionRegistry = builtinFunctions,
): string | null {
  const a = left === undefined ? undefined : readArgument(literal(left), context);
  const b = readArgument(literal(right), context);
  const resolved = registry.resolveOperator(name, a?.oid ?? 0, b.oid);
  if (resolved === 'undefined')
    throw new PhantomError('42883', `operator does not exist: ${left ?? ''} ${name} ${right}`);
  if (resolved === 'ambiguous')
    throw new PhantomError('42725', `operator is not unique: ${left ?? ''} ${name} ${right}`);
  const values = [coerce(b, resolved.rightType, context, registry)];
  if (a !== undefined) values.unshift(coerce(a, resolved.leftType, context, registry));
  const declared = a === undefined ? [resolved.rightType] : [resolved.leftType, resolved.rightType];
  const types = { arguments: declared.map(ref), result: ref(resolved.resultType) };
  return show(invoke(resolved.operator.function, values, types, context), resolved.resultType, context);
}

/** Text of a literal cast to a type (by internal name), as an explicit cast. */
export function castLiteral(
  source: string,
  target: string,
  typmod = -1,
  context: EvaluationContext = testContext(),
): string | null {
  const argument = readArgument(literal(source), context);
  const type = typeNamed(target);
  if (argument.value === null) return null;
  if (argument.oid === 705) return type.output(type.input(argument.value as string, typmod, context), context);
  const cast = builtinFunctions.findCast(argument.oid, type.oid, 'explicit');
  if (cast === undefined) {
    throw new PhantomError('42846', `cannot cast type ${argument.oid} to ${formatType(type, typmod)}`);
  }
  const value =
    cast.call === undefined
      ? typmod >= 0 && type.coerceTypmod !== undefined
        ? type.coerceTypmod(argument.value, typmod, true)
        : argument.value
      : (cast.call as CastCall)(argument.value, typmod, true, context);
  return show(value, type.oid, context);
}
