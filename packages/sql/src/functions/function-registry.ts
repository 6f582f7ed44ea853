/**
 * Resolution of functions, operators and casts: chapter 10 of PostgreSQL's manual, after parse_func.c, parse_oper.c and
 * parse_coerce.c. Facts and implementations are global and made on demand; a registry adds the types of one catalog
 * picture, since enums, domains and composites take part too.
 */
import { PhantomError } from '@phantom/base';
import type { Oid } from '@phantom/catalog';
import { type AddedCast, type CastFinder, castFinder } from './casts.js';
import { allOperators, functionByOid, functionsNamed, operatorsNamed } from './definitions.js';
import { isPolymorphic } from './polymorphic-types.js';
import { isConsistent, resolvePolymorphic } from './polymorphic.js';
import type {
  CastContext,
  CastDefinition,
  FunctionDefinition,
  FunctionRegistry,
  OperatorDefinition,
  ResolvedFunction,
  ResolveOptions,
  ScalarFunction,
  UserCast,
} from './registry.js';
import { defaultCount } from './registry.js';
import { TypeOid } from '../types/type-oids.js';
import type { TypeLookup } from '../types/type.js';
import { spreadArray } from './variadic.js';

/** A definition as it would be called with the given number of arguments. */
interface Candidate {
  readonly definition: FunctionDefinition;
  /** Declared type of each argument given, in the order in which they were given. */
  readonly types: readonly Oid[];
  /** Trailing arguments are collected. */
  readonly variadic: boolean;
  /** Another function, which takes more arguments and has defaults for them, would be called in the same way. */
  readonly hasTwin?: boolean;
}

/** Where the functions of a picture of the catalog are found: by name in a schema or along the search path, and by oid. */
export interface FunctionSource {
  named(name: string, schema: string | undefined): readonly FunctionDefinition[];
  byOid(oid: Oid): FunctionDefinition | undefined;
  /** Operators likewise; those that stand behind others of the same types are left out. */
  operatorsNamed(name: string, schema: string | undefined): readonly OperatorDefinition[];
  /** One that is not built in. */
  operatorByOid(oid: Oid): OperatorDefinition | undefined;
  /** A cast that an extension has brought along. */
  cast(source: Oid, target: Oid): AddedCast | undefined;
  /** One that a user has made. */
  userCast(source: Oid, target: Oid): UserCast | undefined;
}

const BUILT_IN: FunctionSource = {
  named: functionsNamed,
  byOid: functionByOid,
  operatorsNamed,
  operatorByOid: () => undefined,
  cast: () => undefined,
  userCast: () => undefined,
};

class Registry implements FunctionRegistry {
  private readonly types: TypeLookup;
  private readonly source: FunctionSource;
  private readonly casts: CastFinder;

  constructor(types: TypeLookup, source: FunctionSource) {
    this.types = types;
    this.source = source;
    this.casts = castFinder(types, source);
  }

  functionsNamed(name: string, schema?: string): readonly FunctionDefinition[] {
    return this.source.named(name, schema);
  }

  functionByOid(oid: Oid): FunctionDefinition | undefined {
    return this.source.byOid(oid);
  }

  operatorsNamed(name: string, schema?: string): readonly OperatorDefinition[] {
    return this.source.operatorsNamed(name, schema);
  }

  operatorByOid(oid: Oid): OperatorDefinition | undefined {
    for (const operator of allOperators()) if (operator.oid === oid) return operator;
    return this.source.operatorByOid(oid);
  }

  findCast(source: Oid, target: Oid, context: CastContext): CastDefinition | undefined {
    return this.casts(source, target, context);
  }

  resolveFunction(
    name: string,
    argumentTypes: readonly Oid[],
    options: ResolveOptions = {},
  ): ResolvedFunction | 'undefined' | 'ambiguous' {
    const candidates = this.candidatesFor(this.functionsNamed(name, options.schema), argumentTypes, options);
    const exact = candidates.filter((candidate) => candidate.types.every((oid, i) => oid === argumentTypes[i]));
    const chosen = exact.length > 0 ? this.preferPlain(exact) : this.choose(candidates, argumentTypes);
    if (chosen === undefined) return 'undefined';
    if (chosen === 'ambiguous' || chosen.hasTwin === true) return 'ambiguous';
    return this.resolved(chosen, argumentTypes, options);
  }

  /** A function without VARIADIC wins over one with it. */
  private preferPlain(candidates: readonly Candidate[]): Candidate {
    return candidates.find((candidate) => !candidate.variadic) ?? (candidates[0] as Candidate);
  }

  private candidatesFor(
    definitions: readonly FunctionDefinition[],
    argumentTypes: readonly Oid[],
    options: ResolveOptions,
  ): Candidate[] {
    const candidates: Candidate[] = [];
    for (const definition of definitions) {
      const candidate = candidateFor(definition, argumentTypes.length, options);
      if (candidate === undefined) continue;
      const at = candidates.findIndex((other) => other.types.join() === candidate.types.join());
      const twin = candidates[at];
      if (twin === undefined) candidates.push(candidate);
      else candidates[at] = oneOf(twin, candidate);
    }
    return candidates;
  }

  private resolved(chosen: Candidate, argumentTypes: readonly Oid[], options: ResolveOptions): ResolvedFunction {
    const { definition, types, variadic } = chosen;
    const solution = resolvePolymorphic(this.types, types, argumentTypes, definition.resultType, (oids) =>
      this.commonType(oids),
    );
    const declared = definition.argumentTypes;
    const spread = options.variadicArray === true && definition.variadic === TypeOid.any;
    if (spread && this.types.byOid(argumentTypes[argumentTypes.length - 1] as Oid)?.category !== 'A') {
      throw new PhantomError('42804', 'VARIADIC argument must be an array');
    }
    const columns = this.resolvedColumns(chosen, argumentTypes);
    // Arguments that defaults will fill keep their declared types, behind the given ones.
    const argumentsResolved = [...solution.arguments];
    if (options.argumentNames === undefined) {
      for (let i = types.length; i < declared.length; i++) argumentsResolved.push(declared[i] as Oid);
    } else {
      return { definition, ...this.namedResult(chosen, solution, options.argumentNames), ...columns };
    }
    return {
      definition: spread ? spreadArray(definition as ScalarFunction) : definition,
      argumentTypes: argumentsResolved,
      resultType: solution.result,
      ...(variadic && definition.variadic !== TypeOid.any
        ? { variadicElement: solution.arguments[declared.length - 1] as Oid, variadicFrom: declared.length - 1 }
        : {}),
      ...columns,
    };
  }

  private resolvedColumns(
    { definition, types }: Candidate,
    argumentTypes: readonly Oid[],
  ): Pick<ResolvedFunction, 'columns'> {
    if (definition.routine === undefined || !('columns' in definition) || definition.columns === undefined) return {};
    const columns = definition.columns.map(({ name, type }) => {
      if (!isPolymorphic(type)) return { name, type };
      const { result } = resolvePolymorphic(this.types, types, argumentTypes, type, (oids) => this.commonType(oids));
      return { name, type: result };
    });
    return { columns };
  }

  /** Types by declared position, whatever the order in which arguments were named. */
  private namedResult(
    chosen: Candidate,
    solution: { readonly arguments: readonly Oid[]; readonly result: Oid },
    names: readonly (string | undefined)[],
  ): { argumentTypes: readonly Oid[]; resultType: Oid } {
    const byPosition = [...chosen.definition.argumentTypes];
    solution.arguments.forEach((oid, i) => {
      const name = names[i];
      const at = name === undefined ? i : (chosen.definition.argumentNames?.indexOf(name) ?? i);
      byPosition[at] = oid;
    });
    return { argumentTypes: byPosition, resultType: solution.result };
  }

  resolveOperator(
    name: string,
    left: Oid,
    right: Oid,
    schema?: string,
  ):
    | {
        readonly operator: OperatorDefinition;
        readonly leftType: Oid;
        readonly rightType: Oid;
        readonly resultType: Oid;
      }
    | 'undefined'
    | 'ambiguous' {
    const unary = left === 0;
    const operators = this.operatorsNamed(name, schema).filter((operator) => (operator.leftType === 0) === unary);
    const chosen = this.exactOperator(operators, left, right) ?? this.chooseOperator(operators, left, right);
    if (chosen === undefined) return 'undefined';
    if (chosen === 'ambiguous') return 'ambiguous';
    const declared = unary ? [chosen.rightType] : [chosen.leftType, chosen.rightType];
    const actual = unary ? [right] : [left, right];
    const solution = resolvePolymorphic(this.types, declared, actual, chosen.resultType, (oids) =>
      this.commonType(oids),
    );
    return {
      operator: chosen,
      leftType: unary ? 0 : (solution.arguments[0] as Oid),
      rightType: solution.arguments[declared.length - 1] as Oid,
      resultType: solution.result,
    };
  }

  /** An operator of exactly these types; an unknown side is taken to be of the other's type. */
  private exactOperator(
    operators: readonly OperatorDefinition[],
    left: Oid,
    right: Oid,
  ): OperatorDefinition | undefined {
    const find = (l: Oid, r: Oid): OperatorDefinition | undefined =>
      operators.find((operator) => operator.leftType === l && operator.rightType === r);
    if (left === 0) return find(0, right);
    if (right === TypeOid.unknown && left !== TypeOid.unknown) return find(left, left) ?? this.baseOperator(find, left);
    if (left === TypeOid.unknown && right !== TypeOid.unknown)
      return find(right, right) ?? this.baseOperator(find, right);
    return find(left, right);
  }

  private baseOperator(
    find: (left: Oid, right: Oid) => OperatorDefinition | undefined,
    oid: Oid,
  ): OperatorDefinition | undefined {
    const base = this.baseOid(oid);
    return base === oid ? undefined : find(base, base);
  }

  private chooseOperator(
    operators: readonly OperatorDefinition[],
    left: Oid,
    right: Oid,
  ): OperatorDefinition | 'ambiguous' | undefined {
    const unary = left === 0;
    const candidates = operators.map((operator) => ({
      definition: operator.function,
      types: unary ? [operator.rightType] : [operator.leftType, operator.rightType],
      variadic: false,
      operator,
    }));
    const chosen = this.choose(candidates, unary ? [right] : [left, right]);
    if (chosen === undefined || chosen === 'ambiguous') return chosen;
    return chosen.operator;
  }

  /** func_match_argtypes, then func_select_candidate. */
  private choose<C extends Candidate>(candidates: readonly C[], given: readonly Oid[]): C | 'ambiguous' | undefined {
    const possible = candidates.filter((candidate) => this.canCoerce(given, candidate.types));
    if (possible.length === 0) return undefined;
    if (possible.length === 1) return possible[0];
    return this.select(possible, given) ?? 'ambiguous';
  }

  private canCoerce(given: readonly Oid[], declared: readonly Oid[]): boolean {
    let generic = false;
    for (let i = 0; i < given.length; i++) {
      const source = given[i] as Oid;
      const target = declared[i] as Oid;
      if (source === target || target === TypeOid.any) continue;
      if (isPolymorphic(target)) {
        generic = true;
        continue;
      }
      if (source === TypeOid.unknown) continue;
      if (this.findCast(source, target, 'implicit') !== undefined) continue;
      return false;
    }
    return !generic || isConsistent(this.types, declared, given, (oids) => this.commonType(oids));
  }

  private select<C extends Candidate>(possible: readonly C[], given: readonly Oid[]): C | undefined {
    const inputs = given.map((oid) => (oid === TypeOid.unknown ? oid : this.baseOid(oid)));
    const unknowns = inputs.filter((oid) => oid === TypeOid.unknown).length;
    const known = (i: number): boolean => inputs[i] !== TypeOid.unknown;
    let rest = best(possible, (candidate) => count(inputs, (oid, i) => known(i) && candidate.types[i] === oid));
    if (rest.length === 1) return rest[0];
    rest = best(rest, (candidate) =>
      count(inputs, (oid, i) => {
        const declared = candidate.types[i] as Oid;
        return known(i) && (declared === oid || this.isPreferred(declared, this.category(oid)));
      }),
    );
    if (rest.length === 1) return rest[0];
    if (unknowns === 0) return undefined;
    rest = this.byCategory(rest, inputs);
    if (rest.length === 1) return rest[0];
    return unknowns < inputs.length ? this.bySameType(rest, inputs) : undefined;
  }

  /** At each unknown position a category is agreed on: string if any candidate takes strings there. */
  private byCategory<C extends Candidate>(candidates: readonly C[], inputs: readonly Oid[]): readonly C[] {
    const categories: (string | undefined)[] = [];
    const preferred: boolean[] = [];
    for (let i = 0; i < inputs.length; i++) {
      if (inputs[i] !== TypeOid.unknown) continue;
      const found = candidates.map((candidate) => this.category(candidate.types[i] as Oid));
      let category = found[0] as string;
      if (found.includes('S')) category = 'S';
      else if (found.some((other) => other !== category)) return candidates;
      categories[i] = category;
      preferred[i] = candidates.some((candidate) => this.isPreferred(candidate.types[i] as Oid, category));
    }
    const kept = candidates.filter((candidate) =>
      inputs.every((oid, i) => {
        if (oid !== TypeOid.unknown) return true;
        const declared = candidate.types[i] as Oid;
        if (this.category(declared) !== categories[i]) return false;
        return !preferred[i] || this.isPreferred(declared, categories[i] as string);
      }),
    );
    return kept.length > 0 ? kept : candidates;
  }

  /** If all known types are the same, the unknown ones are assumed to be it too. */
  private bySameType<C extends Candidate>(candidates: readonly C[], inputs: readonly Oid[]): C | undefined {
    const known = inputs.filter((oid) => oid !== TypeOid.unknown);
    const type = known[0] as Oid;
    if (known.some((oid) => oid !== type)) return undefined;
    const assumed = inputs.map(() => type);
    const matching = candidates.filter((candidate) => this.canCoerce(assumed, candidate.types));
    return matching.length === 1 ? matching[0] : undefined;
  }

  commonType(types: readonly Oid[]): Oid | undefined {
    const first = types[0];
    if (first === undefined) return TypeOid.text;
    if (first !== TypeOid.unknown && types.every((oid) => oid === first)) return first;
    const bases = types.map((oid) => this.baseOid(oid));
    let chosen: Oid = TypeOid.unknown;
    for (const oid of bases) {
      if (oid === TypeOid.unknown || oid === chosen) continue;
      if (chosen === TypeOid.unknown) {
        chosen = oid;
        continue;
      }
      if (this.category(oid) !== this.category(chosen)) return undefined;
      if (
        !this.isPreferred(chosen, this.category(chosen)) &&
        this.findCast(chosen, oid, 'implicit') !== undefined &&
        this.findCast(oid, chosen, 'implicit') === undefined
      ) {
        chosen = oid;
      }
    }
    return chosen === TypeOid.unknown ? TypeOid.text : chosen;
  }

  private baseOid(oid: Oid): Oid {
    const type = this.types.byOid(oid);
    return type === undefined || type.kind !== 'domain' ? oid : this.baseOid(type.baseOid);
  }

  private category(oid: Oid): string {
    return this.types.byOid(oid)?.category ?? 'X';
  }

  private isPreferred(oid: Oid, category: string): boolean {
    const type = this.types.byOid(oid);
    return type !== undefined && type.preferred && type.category === category;
  }
}

function count(inputs: readonly Oid[], test: (oid: Oid, index: number) => boolean): number {
  let matches = 0;
  for (let i = 0; i < inputs.length; i++) if (test(inputs[i] as Oid, i)) matches++;
  return matches;
}

/** The candidates with the highest score. */
function best<C>(candidates: readonly C[], score: (candidate: C) => number): readonly C[] {
  const scores = candidates.map(score);
  const highest = Math.max(...scores);
  return candidates.filter((_, i) => scores[i] === highest);
}

/** Of two with the same types: that of the earlier schema, the one that needs no VARIADIC, or neither. */
function oneOf(first: Candidate, second: Candidate): Candidate {
  if (first.definition.routine?.schemaOid !== second.definition.routine?.schemaOid) return first;
  if (first.variadic !== second.variadic) return first.variadic ? second : first;
  return { ...first, hasTwin: true };
}

/** The definition for that many arguments, or undefined where it does not take them. */
function candidateFor(definition: FunctionDefinition, given: number, options: ResolveOptions): Candidate | undefined {
  const declared = definition.argumentTypes;
  const defaults = defaultCount(definition);
  const names = options.argumentNames;
  if (names !== undefined) return namedCandidate(definition, names);
  if (definition.variadic !== undefined) {
    if (options.variadicArray === true) {
      if (given !== declared.length) return undefined;
      if (definition.variadic === TypeOid.any) {
        return { definition, types: [...declared.slice(0, -1), TypeOid.any], variadic: false };
      }
      return { definition, types: declared, variadic: false };
    }
    if (given < declared.length) {
      // The array itself has a default, too.
      if (given < declared.length - defaults) return undefined;
      return { definition, types: declared.slice(0, given), variadic: false };
    }
    const types = declared.slice(0, -1);
    while (types.length < given) types.push(definition.variadic);
    return { definition, types, variadic: true };
  }
  if (options.variadicArray === true) return undefined;
  if (given > declared.length || given < declared.length - defaults) return undefined;
  return { definition, types: declared.slice(0, given), variadic: false };
}

/** Every named argument must be one of the function's, none twice, and what is missing must have a default. */
function namedCandidate(definition: FunctionDefinition, names: readonly (string | undefined)[]): Candidate | undefined {
  const declared = definition.argumentTypes;
  const defaults = defaultCount(definition);
  const taken = new Set<number>();
  const types: Oid[] = [];
  for (const [i, name] of names.entries()) {
    const at = name === undefined ? i : (definition.argumentNames?.indexOf(name) ?? -1);
    if (at < 0 || at >= declared.length || taken.has(at)) return undefined;
    taken.add(at);
    types.push(declared[at] as Oid);
  }
  for (let i = 0; i < declared.length - defaults; i++) if (!taken.has(i)) return undefined;
  return { definition, types, variadic: false };
}

/** A registry over one catalog picture. Cheap: everything large is shared. */
export function functionRegistry(types: TypeLookup, source: FunctionSource = BUILT_IN): FunctionRegistry {
  return new Registry(types, source);
}
