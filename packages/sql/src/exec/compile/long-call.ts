/** Which calls of an expression are made in another thread when their values are long, and how they are told to it. */
import type { Call, Expression } from '../../expr/expression.js';
import { isLong } from '../../functions/long-calls.js';
import type { LongCall } from '../../functions/registry.js';
import { quoteIdentifier } from '../../types/reg-types.js';
import { TypeOid } from '../../types/type-oids.js';
import type { Value } from '../../types/type.js';
import { call, literal, or, type Code } from '../code/ir.js';
import type { Emitter } from '../code/emitter.js';

type AnyCall = (...args: readonly unknown[]) => Value;

/** Types whose values are never long. */
const SHORT: ReadonlySet<number> = new Set([
  TypeOid.bool,
  TypeOid.int2,
  TypeOid.int4,
  TypeOid.int8,
  TypeOid.float4,
  TypeOid.float8,
  TypeOid.numeric,
  TypeOid.date,
  TypeOid.time,
  TypeOid.timestamp,
  TypeOid.timestamptz,
  TypeOid.interval,
  TypeOid.name,
]);

/** The call as another thread can make it; undefined for one that is over soon, or cannot be told. */
export function longCallOf({ function: definition, type, ...expression }: Call): LongCall | undefined {
  if (definition.takesLong !== true || expression.variadicFrom !== undefined) return undefined;
  const argumentTypes = expression.arguments.map((argument) => argument.type);
  if ([type, ...argumentTypes].some(({ collation }) => collation !== undefined)) return undefined;
  const places = argumentTypes.map((_, i) => `$${i + 1}`).join(', ');
  const types = { arguments: argumentTypes, result: type, columns: expression.recordColumns };
  const made = definition.call as unknown as AnyCall;
  return {
    text: `select pg_catalog.${quoteIdentifier(definition.name)}(${places})`,
    argumentTypes,
    resultType: type,
    here(args, context) {
      const extras: unknown[] = [];
      if (definition.needsContext === true) extras.push(context);
      if (definition.needsTypes === true) extras.push(types);
      return made(...args, ...extras);
    },
  };
}

/** Code that is true when one of the arguments is long. */
export function hasLong(emitter: Emitter, args: readonly Expression[], atoms: readonly Code[]): Code {
  const test = emitter.constant(isLong);
  return args.reduce<Code>((any, argument, i) => {
    const { type } = argument;
    const isShort = SHORT.has(type.oid) || (argument.kind === 'constant' && !isLong(argument.value));
    return isShort ? any : or(any, call(test, atoms[i] as Code));
  }, literal(false));
}
