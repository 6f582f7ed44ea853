/** Routines of users and of extensions as the functions that calls are resolved to. */
import { assert } from '@phantom/base';
import { type RoutineDescriptor, type RoutineParameter, goesIn } from '@phantom/catalog';
import type { Yielded } from '../exec/runtime.js';
import type {
  CallTypes,
  EvaluationContext,
  FunctionDefinition,
  OperatorDefinition,
  ScalarFunction,
  SetFunction,
} from '../functions/registry.js';
import { codeOfSymbol } from '../extensions/code.js';
import { aggregateOf } from './aggregate-function.js';
import type { CatalogPort } from '../plan/catalog-port.js';
import { quoteIdentifier } from '../types/reg-types.js';
import { TypeOid } from '../types/type-oids.js';
import type { TypeLookup, Value } from '../types/type.js';

const made = new WeakMap<RoutineDescriptor, FunctionDefinition>();

/** True for parameters that are part of the result. */
function goesOut({ mode }: RoutineParameter): boolean {
  return mode === 'out' || mode === 'inout' || mode === 'table';
}

/** What a call gives values for: CALL names the parameters of a procedure that go out, too. */
export function calledParameters({ routine, parameters }: RoutineDescriptor): readonly RoutineParameter[] {
  return routine === 'procedure' ? parameters : parameters.filter(goesIn);
}

/** Parameters that go out: columns of the result where there are several. */
export function resultParameters({ parameters }: Pick<RoutineDescriptor, 'parameters'>): readonly RoutineParameter[] {
  return parameters.filter(goesOut);
}

/** The function; the same object for the same descriptor. */
export function functionOf(routine: RoutineDescriptor, types: TypeLookup): FunctionDefinition {
  let definition = made.get(routine);
  if (definition === undefined) made.set(routine, (definition = define(routine, types)));
  return definition;
}

/** Type of one of the arguments that a VARIADIC parameter collects. */
function variadicElement({ type }: RoutineParameter, types: TypeLookup): number {
  if (type.oid === TypeOid.anyArray) return TypeOid.anyElement;
  if (type.oid === TypeOid.anyCompatibleArray) return TypeOid.anyCompatible;
  return types.byOid(type.oid)?.elementOid ?? 0;
}

function define(routine: RoutineDescriptor, types: TypeLookup): FunctionDefinition {
  const parameters = calledParameters(routine);
  const outputs = resultParameters(routine);
  const last = parameters.at(-1);
  const defaults = parameters.flatMap(({ defaultSql }) => (defaultSql === undefined ? [] : [defaultSql]));
  const [only] = outputs;
  const isRow = outputs.length > 1 || (outputs.length === 1 && routine.routine === 'procedure');
  const common = {
    oid: routine.oid,
    name: routine.name,
    argumentTypes: parameters.map(({ type }) => type.oid),
    argumentNames: parameters.map(({ name }) => name),
    resultType: routine.resultType.oid,
    volatility: routine.volatility,
    strict: routine.strict,
    needsContext: true,
    needsTypes: true,
    routine,
    ...(last?.mode === 'variadic' ? { variadic: variadicElement(last, types) } : {}),
    ...(defaults.length === 0 ? {} : { defaultTexts: defaults }),
    ...(isRow ? { columns: outputs.map(({ name, type }, i) => ({ name: columnName(name, i), type: type.oid })) } : {}),
    ...(!isRow && only !== undefined && only.name !== '' ? { resultName: only.name } : {}),
  };
  if (routine.routine === 'aggregate') {
    const { needsContext: _context, needsTypes: _types, strict: _strict, ...rest } = common;
    return aggregateOf(routine, rest);
  }
  if (routine.language === 'c') return nativeFunction(routine, common);
  const execute = (...args: unknown[]): Generator<Yielded, Value, void> => {
    const [callTypes, context] = [args.pop() as CallTypes, args.pop() as EvaluationContext];
    return context.routines.execute(routine, args, callTypes);
  };
  if (routine.returnsSet) {
    const call = (...args: unknown[]): Iterable<Value> => {
      const [callTypes, context] = [args.pop() as CallTypes, args.pop() as EvaluationContext];
      return context.routines.rows(routine, args, callTypes);
    };
    return { ...common, kind: 'set', call, execute };
  }
  const call = (...args: unknown[]): Value => {
    const [callTypes, context] = [args.pop() as CallTypes, args.pop() as EvaluationContext];
    return context.routines.call(routine, args, callTypes);
  };
  return { ...common, kind: 'scalar', call, execute };
}

type Common = Omit<ScalarFunction, 'kind' | 'call'> & Omit<SetFunction, 'kind' | 'call'>;

/** A function of an extension, which the release has the code of. */
function nativeFunction({ source }: RoutineDescriptor, common: Common): FunctionDefinition {
  const code = codeOfSymbol(source);
  if (typeof code === 'function')
    return { ...common, needsContext: false, needsTypes: false, kind: 'scalar', call: code };
  assert(code.kind !== 'aggregate', 'aggregates of extensions go by their step functions');
  const { needsContext, needsTypes } = code;
  return code.kind === 'set'
    ? { ...common, needsContext, needsTypes, kind: 'set', call: code.call }
    : { ...common, needsContext, needsTypes, kind: 'scalar', call: code.call };
}

/** The name of a column of the result: PostgreSQL's where the parameter has none. */
export function columnName(name: string, index: number): string {
  return name === '' ? `column${index + 1}` : name;
}

/** An operator as it must be written now: with its schema, or its function's, where the search path does not lead there. */
export function writtenOperator(
  catalog: CatalogPort,
  symbol: string,
  definition: ScalarFunction | undefined,
  operator?: OperatorDefinition,
): string {
  const schemaOid = operator?.schemaOid ?? definition?.routine?.schemaOid;
  if (schemaOid === undefined) return symbol;
  const schema = catalog.schemaName(schemaOid);
  return catalog.searchPath.includes(schema) ? symbol : `OPERATOR(${quoteIdentifier(schema)}.${symbol})`;
}

/** A function's name as it must be written now: with its schema only where the search path does not lead to it. */
export function writtenName(catalog: CatalogPort, { oid, name, argumentTypes, routine }: FunctionDefinition): string {
  if (routine === undefined) return name;
  const types = argumentTypes.join();
  const found = catalog.functions.functionsNamed(name).find((other) => other.argumentTypes.join() === types);
  if (found?.oid === oid) return quoteIdentifier(name);
  return `${quoteIdentifier(catalog.schemaName(routine.schemaOid))}.${quoteIdentifier(name)}`;
}
