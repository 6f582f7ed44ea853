/**
 * Facts and implementations joined: functions by name and oid, operators by name. Facts are one line each and are taken
 * apart when a name is first asked for, so that opening a database does not pay for a thousand functions.
 *
 * A line of functions: oid name arguments result flags implementation [key=value ...]
 *   arguments   type oids with commas, `-` for none
 *   flags       volatility i s v; strict x; kind f a w; returns a set r
 *   keys        v variadic element, n argument names, c columns of a set (name:type with commas)
 * A line of operators: oid name left right result function commutator negator role (`-` for none)
 */
import { PhantomError, assert } from '@phantom/base';
import type { Oid } from '@phantom/catalog';
import type { FunctionDefinition, OperatorDefinition, ScalarFunction, Volatility } from './registry.js';
import type { AggregateCode, Implementation } from './implementation.js';
import { takesLong } from './long-calls.js';
import { functionFacts } from './facts/function-facts.js';
import { geometricOperatorFacts } from './facts/geometric-facts.js';
import { operatorFacts } from './facts/operator-facts.js';
import { rangeOperatorFacts } from './facts/range-facts.js';
import { textSearchOperatorFacts } from './facts/text-search-facts.js';
import { implementations } from './implementations.js';

const VOLATILITY: Readonly<Record<string, Volatility>> = { i: 'immutable', s: 'stable', v: 'volatile' };

/** Functions that are not in pg_catalog; JDBC asks for the columns of keys by the one that is here. */
export const IN_INFORMATION_SCHEMA: ReadonlySet<string> = new Set(['_pg_expandarray']);

interface FunctionIndex {
  readonly lineByOid: ReadonlyMap<Oid, string>;
  readonly oidsByName: ReadonlyMap<string, readonly Oid[]>;
}

let functionIndex: FunctionIndex | undefined;
const definitions = new Map<Oid, FunctionDefinition>();

function index(): FunctionIndex {
  if (functionIndex === undefined) {
    const lineByOid = new Map<Oid, string>();
    const oidsByName = new Map<string, Oid[]>();
    for (const facts of functionFacts) {
      for (const line of facts.trim().split('\n')) {
        const space = line.indexOf(' ');
        const oid = Number(line.slice(0, space));
        const name = line.slice(space + 1, line.indexOf(' ', space + 1));
        lineByOid.set(oid, line);
        const oids = oidsByName.get(name);
        if (oids === undefined) oidsByName.set(name, [oid]);
        else oids.push(oid);
      }
    }
    functionIndex = { lineByOid, oidsByName };
  }
  return functionIndex;
}

function oids(text: string): Oid[] {
  return text === '-' ? [] : text.split(',').map(Number);
}

/** In place of an implementation: the function stands in pg_proc because other catalogs refer to it. */
const NOT_CALLED = 'internal';

function notCalled(name: string): Implementation {
  return () => {
    throw new PhantomError('0A000', `calls of ${name} are not supported`);
  };
}

function define(line: string): FunctionDefinition {
  const [oid, name, args, result, flags, key, ...more] = line.split(' ') as [
    string,
    string,
    string,
    string,
    string,
    string,
    ...string[],
  ];
  const implementation = key === NOT_CALLED ? notCalled(name) : implementations[key];
  assert(implementation !== undefined || flags.includes('w'), 'every function of the facts is implemented');
  const extra = new Map(more.map((entry) => [entry[0], entry.slice(2)]));
  const common = {
    oid: Number(oid),
    name,
    argumentTypes: oids(args),
    resultType: Number(result),
    volatility: VOLATILITY[flags[0] as string] as Volatility,
    ...(extra.has('v') ? { variadic: Number(extra.get('v')) } : {}),
    ...(extra.has('n') ? { argumentNames: (extra.get('n') as string).split(',') } : {}),
    ...(takesLong(key) ? { takesLong: true } : {}),
  };
  if (flags.includes('w')) return { ...common, kind: 'window', window: name };
  return build(common, implementation as Implementation, flags.includes('x'), extra.get('c'), extra.get('d'));
}

type Common = Omit<ScalarFunction, 'kind' | 'strict' | 'call'>;

function build(
  common: Common,
  implementation: Implementation,
  strict: boolean,
  columns: string | undefined,
  directArguments: string | undefined,
): FunctionDefinition {
  if (typeof implementation === 'function') return { ...common, kind: 'scalar', strict, call: implementation };
  if (implementation.kind === 'aggregate') return aggregate(common, implementation, directArguments);
  const shared = {
    ...common,
    strict,
    ...(implementation.needsContext ? { needsContext: true } : {}),
    ...(implementation.needsTypes ? { needsTypes: true } : {}),
    ...(implementation.defaults === undefined ? {} : { defaults: implementation.defaults }),
  };
  if (implementation.kind === 'set') {
    const described = columns?.split(',').map((column) => {
      const [name, type] = column.split(':') as [string, string];
      return { name, type: Number(type) };
    });
    const [only] = described ?? [];
    return {
      ...shared,
      kind: 'set',
      call: implementation.call,
      ...(described !== undefined && described.length > 1 ? { columns: described } : {}),
      ...(described?.length === 1 && only !== undefined ? { resultName: only.name } : {}),
    };
  }
  return {
    ...shared,
    kind: 'scalar',
    call: implementation.call,
    ...(implementation.inline === undefined ? {} : { inline: implementation.inline }),
  };
}

function aggregate(common: Common, code: AggregateCode, directArguments: string | undefined): FunctionDefinition {
  return {
    ...common,
    kind: 'aggregate',
    strict: code.strict,
    ...(code.keepsInput ? { keepsInput: true } : {}),
    init: code.init,
    step: code.step,
    final: code.final,
    ...(code.combine === undefined ? {} : { combine: code.combine }),
    ...(code.inverse === undefined ? {} : { inverse: code.inverse }),
    ...(code.ordering === undefined ? {} : { ordering: code.ordering, directArguments: Number(directArguments ?? 0) }),
  };
}

/** The function with that oid; undefined when there is none here. */
export function functionByOid(oid: Oid): FunctionDefinition | undefined {
  let definition = definitions.get(oid);
  if (definition === undefined) {
    const line = index().lineByOid.get(oid);
    if (line === undefined) return undefined;
    definition = define(line);
    definitions.set(oid, definition);
  }
  return definition;
}

const NONE: readonly FunctionDefinition[] = [];
const byName = new Map<string, readonly FunctionDefinition[]>();

/** All functions of a name. */
export function functionsNamed(name: string): readonly FunctionDefinition[] {
  let found = byName.get(name);
  if (found === undefined) {
    const oidsOfName = index().oidsByName.get(name);
    if (oidsOfName === undefined) return NONE;
    found = oidsOfName.map((oid) => functionByOid(oid) as FunctionDefinition);
    byName.set(name, found);
  }
  return found;
}

/** Every function there is: for pg_proc. */
export function* allFunctions(): Iterable<FunctionDefinition> {
  for (const oid of index().lineByOid.keys()) yield functionByOid(oid) as FunctionDefinition;
}

let operatorIndex: ReadonlyMap<string, readonly string[]> | undefined;
const operators = new Map<string, readonly OperatorDefinition[]>();

function operatorLines(): ReadonlyMap<string, readonly string[]> {
  if (operatorIndex === undefined) {
    const lines = new Map<string, string[]>();
    for (const line of [operatorFacts, rangeOperatorFacts, geometricOperatorFacts, textSearchOperatorFacts].flatMap(
      (facts) => facts.trim().split('\n'),
    )) {
      const name = line.split(' ', 2)[1] as string;
      const found = lines.get(name);
      if (found === undefined) lines.set(name, [line]);
      else found.push(line);
    }
    operatorIndex = lines;
  }
  return operatorIndex;
}

function defineOperator(line: string): OperatorDefinition {
  const [oid, name, left, right, result, procedure, commutator, negator, role] = line.split(' ') as string[];
  const definition = functionByOid(Number(procedure));
  assert(definition?.kind === 'scalar', 'an operator has a scalar function');
  return {
    oid: Number(oid),
    name: name as string,
    leftType: Number(left),
    rightType: Number(right),
    resultType: Number(result),
    function: definition,
    ...(commutator === '-' ? {} : { commutator: commutator as string }),
    ...(negator === '-' ? {} : { negator: negator as string }),
    ...(role === '-' ? {} : { role: role as NonNullable<OperatorDefinition['role']> }),
  };
}

const NO_OPERATORS: readonly OperatorDefinition[] = [];

/** All operators of a name, prefix ones too. */
export function operatorsNamed(name: string): readonly OperatorDefinition[] {
  let found = operators.get(name);
  if (found === undefined) {
    const lines = operatorLines().get(name);
    if (lines === undefined) return NO_OPERATORS;
    found = lines.map(defineOperator);
    operators.set(name, found);
  }
  return found;
}

/** Every operator there is: for pg_operator. */
export function* allOperators(): Iterable<OperatorDefinition> {
  for (const name of operatorLines().keys()) yield* operatorsNamed(name);
}
