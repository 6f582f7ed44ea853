/**
 * The code IR: what physical operators produce and two back ends run, one as JavaScript text (javascript.ts), one as
 * closures (closures.ts). It is a small structured language: no jumps but break and continue of labelled loops, so that
 * both back ends are a page each.
 *
 *   pipeline   table scan -> filter -> hash probe -> group        (operators)
 *   function   step(run, batch, from, to) { loop { ... } }        (this)
 *   back end   function (p0, p1, p2, p3) { ... }   or   closures over a frame array
 *
 * (Idea: T. Neumann, "Efficiently Compiling Efficient Query Plans for Modern Hardware", VLDB 2011: one loop for each
 * pipeline, values stay in locals from the scan to the next breaker.)
 *
 * Invariants:
 *   1. Nothing of a query's text is ever part of generated text. Literals, names and functions are constants, known by
 *      index; property and method names and numbers written out come from this program's own sources.
 *   2. Both back ends give the same results for the same function. Tests run on both.
 *   3. Expressions have no side effects but those of the calls in them, and are evaluated left to right.
 */
import type { RowLayout } from '@phantom/codec';

/** A variable of a function. */
export interface Local {
  readonly kind: 'local';
  readonly id: number;
}

export type BinaryOperator = '+' | '-' | '*' | '%' | '&' | '|' | '===' | '!==' | '<' | '<=' | '>' | '>=' | '&&' | '||';

export type Code =
  | Local
  /** Entry of the program's table of constants. */
  | { readonly kind: 'constant'; readonly index: number }
  /** A number, boolean or null that this program's own sources chose. */
  | { readonly kind: 'literal'; readonly value: number | boolean | null | undefined }
  | { readonly kind: 'binary'; readonly operator: BinaryOperator; readonly left: Code; readonly right: Code }
  | { readonly kind: 'unary'; readonly operator: '!' | '-'; readonly operand: Code }
  | { readonly kind: 'conditional'; readonly test: Code; readonly then: Code; readonly otherwise: Code }
  | { readonly kind: 'call'; readonly target: Code; readonly arguments: readonly Code[] }
  | { readonly kind: 'method'; readonly object: Code; readonly name: string; readonly arguments: readonly Code[] }
  | { readonly kind: 'property'; readonly object: Code; readonly name: string }
  | { readonly kind: 'element'; readonly object: Code; readonly index: Code }
  | { readonly kind: 'array'; readonly items: readonly Code[] }
  /** A call whose text may be written in place: `write` over the texts of the arguments, each a local or constant. */
  | {
      readonly kind: 'inline';
      readonly target: Code;
      readonly write: (args: readonly string[]) => string;
      readonly arguments: readonly Code[];
    }
  /** A column of the row at `start` of `buffer`, in place: its value (it is not null), or whether it is null. */
  | {
      readonly kind: 'read';
      readonly part: 'value' | 'is-null';
      readonly layout: RowLayout;
      readonly index: number;
      readonly buffer: Code;
      readonly start: Code;
      readonly end: Code;
      /** Constants: the codec's read helpers, and the layout. */
      readonly helpers: Code;
      readonly layoutConstant: Code;
    };

export type Statement =
  | { readonly kind: 'let'; readonly local: Local; readonly value: Code }
  | { readonly kind: 'assign'; readonly local: Local; readonly value: Code }
  | { readonly kind: 'set-element'; readonly object: Code; readonly index: Code; readonly value: Code }
  | { readonly kind: 'set-property'; readonly object: Code; readonly name: string; readonly value: Code }
  | { readonly kind: 'evaluate'; readonly value: Code }
  | {
      readonly kind: 'if';
      readonly test: Code;
      readonly then: readonly Statement[];
      readonly otherwise: readonly Statement[];
      /** What `then` does runs for few rows, or is much: it may be written as a function of its own. */
      readonly apart?: true;
    }
  /** Runs until a break of its label. */
  | { readonly kind: 'loop'; readonly label: number; readonly body: readonly Statement[] }
  | { readonly kind: 'break' | 'continue'; readonly label: number }
  | { readonly kind: 'return'; readonly value: Code }
  /** Hands a value to whoever drives the generator (a promise to wait for). */
  | { readonly kind: 'yield'; readonly value: Code }
  /** Runs another generator to its end inside this one and keeps what it returns. */
  | { readonly kind: 'delegate'; readonly local: Local; readonly generator: Code };

/** A function: plain, or a generator when its body yields or delegates. */
export interface FunctionCode {
  readonly name: string;
  readonly parameters: readonly Local[];
  readonly body: readonly Statement[];
  readonly generator: boolean;
  /** How many locals there are; ids are below. */
  readonly localCount: number;
}

export function literal(value: number | boolean | null | undefined): Code {
  return { kind: 'literal', value };
}

export function binary(operator: BinaryOperator, left: Code, right: Code): Code {
  return { kind: 'binary', operator, left, right };
}

export function not(operand: Code): Code {
  if (operand.kind === 'literal') return literal(operand.value !== true);
  if (operand.kind === 'unary' && operand.operator === '!') return operand.operand;
  return { kind: 'unary', operator: '!', operand };
}

export function call(target: Code, ...args: readonly Code[]): Code {
  return { kind: 'call', target, arguments: args };
}

export function method(object: Code, name: string, ...args: readonly Code[]): Code {
  return { kind: 'method', object, name, arguments: args };
}

export function property(object: Code, name: string): Code {
  return { kind: 'property', object, name };
}

export function element(object: Code, index: Code): Code {
  return { kind: 'element', object, index };
}

export function conditional(test: Code, then: Code, otherwise: Code): Code {
  return { kind: 'conditional', test, then, otherwise };
}

/** `a && b`, without what is known. */
export function and(left: Code, right: Code): Code {
  if (left.kind === 'literal') return left.value === true ? right : left;
  if (right.kind === 'literal' && right.value === true) return left;
  return binary('&&', left, right);
}

/** `a || b`, without what is known. */
export function or(left: Code, right: Code): Code {
  if (left.kind === 'literal') return left.value === true ? left : right;
  if (right.kind === 'literal' && right.value === false) return left;
  return binary('||', left, right);
}

export const NULL: Code = literal(null);
export const ZERO: Code = literal(0);
export const ONE: Code = literal(1);

export function isNull(value: Code): Code {
  return binary('===', value, NULL);
}

export function isNotNull(value: Code): Code {
  return binary('!==', value, NULL);
}

/** True for code that may be repeated: a variable or a constant. */
export function isAtom(code: Code): boolean {
  return code.kind === 'local' || code.kind === 'constant' || code.kind === 'literal';
}
