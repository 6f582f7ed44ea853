/**
 * What a release knows of an extension that can be made here, as data: CREATE EXTENSION makes objects of it (ddl/extensions.ts), and what
 * is made finds its code by symbols (code.ts, extension-types.ts).
 *
 * Types and functions become objects of the catalog, so that names, rights, dependencies and dumps are those of any other. Operators,
 * casts and operator classes stay what the facts say of them, with numbers of their own (installed.ts).
 *
 * Facts are lines; types are named as in pg_type, those of the extension among them, arrays with `_` before their element's.
 *
 *   functions   name  arguments, `-` for none  result  flags  symbol  [n=argument names]  [o=columns of the result, name:type]
 *               flags: volatility i s v; strict x; a set r; an aggregate a, whose symbol is its step function; in SQL q, whose symbol
 *               is the name of its body
 *   operators   name  left type, `-` for a prefix operator  right type  result  function  commutator  negator  (`-` for none)
 *               A function is told by its name: the one that takes these types.
 *   casts       source  target  context e a i  function, `-` for none
 *   classes     name  access method  type  default d, else -
 *
 * Invariant: lines are only ever added behind the last one. An extension that was made by an older release holds numbers for as many as
 * there were, and has no more.
 */
export interface ExtensionFacts {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  /** Extensions that have to be there before it. */
  readonly requires: readonly string[];
  /** Base types, which code.ts knows by the same names. */
  readonly types: readonly string[];
  readonly functions: string;
  readonly operators: string;
  readonly casts: string;
  readonly operatorClasses: string;
  /** Bodies of functions in SQL. */
  readonly bodies: Readonly<Record<string, string>>;
}

/** A function of an extension. */
export interface FunctionFact {
  readonly name: string;
  readonly arguments: readonly string[];
  readonly result: string;
  readonly volatility: 'immutable' | 'stable' | 'volatile';
  readonly strict: boolean;
  readonly returnsSet: boolean;
  readonly kind: 'native' | 'sql' | 'aggregate';
  readonly symbol: string;
  readonly argumentNames: readonly string[];
  readonly columns: readonly { readonly name: string; readonly type: string }[];
}

export interface OperatorFact {
  readonly name: string;
  /** Undefined for a prefix operator. */
  readonly left: string | undefined;
  readonly right: string;
  readonly result: string;
  readonly function: string;
  readonly commutator: string | undefined;
  readonly negator: string | undefined;
}

export interface CastFact {
  readonly source: string;
  readonly target: string;
  readonly context: 'e' | 'a' | 'i';
  /** Undefined where the value is the same in both. */
  readonly function: string | undefined;
}

export interface OperatorClassFact {
  readonly name: string;
  readonly method: string;
  readonly type: string;
  readonly isDefault: boolean;
}

/** The facts of an extension, taken apart. */
export interface ParsedExtension {
  readonly functions: readonly FunctionFact[];
  readonly operators: readonly OperatorFact[];
  readonly casts: readonly CastFact[];
  readonly operatorClasses: readonly OperatorClassFact[];
}

const VOLATILITY = { i: 'immutable', s: 'stable', v: 'volatile' } as const;

const parsed = new WeakMap<ExtensionFacts, ParsedExtension>();

/** The facts taken apart; once for each extension. */
export function parsedFacts(facts: ExtensionFacts): ParsedExtension {
  let found = parsed.get(facts);
  if (found === undefined) {
    found = {
      functions: linesOf(facts.functions).map(functionFact),
      operators: linesOf(facts.operators).map(operatorFact),
      casts: linesOf(facts.casts).map(castFact),
      operatorClasses: linesOf(facts.operatorClasses).map(classFact),
    };
    parsed.set(facts, found);
  }
  return found;
}

function linesOf(text: string): string[][] {
  const lines = text.trim();
  return lines === '' ? [] : lines.split('\n').map((line) => line.split(' '));
}

function listOf(text: string | undefined): string[] {
  return text === undefined || text === '-' ? [] : text.split(',');
}

function given(word: string | undefined): string | undefined {
  return word === '-' ? undefined : word;
}

function functionFact(words: readonly string[]): FunctionFact {
  const [name, args, result, flags, symbol, ...more] = words as [string, string, string, string, string, ...string[]];
  const extra = new Map(more.map((word) => [word.slice(0, 1), word.slice(2)]));
  const columns = listOf(extra.get('o')).map((column) => {
    const [columnName, type] = column.split(':') as [string, string];
    return { name: columnName, type };
  });
  return {
    name,
    arguments: listOf(args),
    result,
    volatility: VOLATILITY[flags[0] as keyof typeof VOLATILITY],
    strict: flags.includes('x'),
    returnsSet: flags.includes('r'),
    kind: flags.includes('a') ? 'aggregate' : flags.includes('q') ? 'sql' : 'native',
    symbol,
    argumentNames: listOf(extra.get('n')),
    columns,
  };
}

function operatorFact(words: readonly string[]): OperatorFact {
  const [name, left, right, result, procedure, commutator, negator] = words as string[];
  return {
    name: name as string,
    left: given(left),
    right: right as string,
    result: result as string,
    function: procedure as string,
    commutator: given(commutator),
    negator: given(negator),
  };
}

function castFact(words: readonly string[]): CastFact {
  const [source, target, context, procedure] = words as [string, string, CastFact['context'], string];
  return { source, target, context, function: given(procedure) };
}

function classFact(words: readonly string[]): OperatorClassFact {
  const [name, method, type, mark] = words as [string, string, string, string];
  return { name, method, type, isDefault: mark === 'd' };
}
