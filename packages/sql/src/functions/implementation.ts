/**
 * How a function's JavaScript is written down. Names, oids, argument types, strictness and volatility are PostgreSQL's and
 * stand in facts/; an implementation is found by the name that pg_proc has for it (`prosrc`), which several SQL functions
 * may share. So a family's file is a table from such names to plain functions over canonical values.
 */
import type { Value } from '../types/type.js';
import type { AggregateFunction, CallTypes, EvaluationContext } from './registry.js';

type AnyFunction = (...args: never[]) => Value;

export interface ScalarCode {
  readonly kind: 'scalar';
  readonly call: AnyFunction;
  readonly needsContext: boolean;
  readonly needsTypes: boolean;
  readonly inline: ((args: readonly string[]) => string) | undefined;
  /** Constant values of the trailing arguments that may be left out. */
  readonly defaults: readonly Value[] | undefined;
}

export interface SetCode {
  readonly kind: 'set';
  readonly call: (...args: never[]) => Iterable<Value>;
  readonly needsContext: boolean;
  readonly needsTypes: boolean;
  readonly defaults: readonly Value[] | undefined;
}

export interface AggregateCode {
  readonly kind: 'aggregate';
  readonly init: AggregateFunction['init'];
  readonly step: AggregateFunction['step'];
  readonly final: AggregateFunction['final'];
  readonly combine: AggregateFunction['combine'];
  readonly inverse: AggregateFunction['inverse'];
  readonly strict: boolean;
  readonly keepsInput: boolean;
  readonly ordering: AggregateFunction['ordering'];
}

export type Implementation = AnyFunction | ScalarCode | SetCode | AggregateCode;

/** A family's table. */
export type Implementations = Readonly<Record<string, Implementation>>;

export interface CodeOptions {
  /** The call gets the EvaluationContext behind its arguments. */
  readonly context?: boolean;
  /** The call gets CallTypes last. */
  readonly types?: boolean;
  readonly inline?: (args: readonly string[]) => string;
  readonly defaults?: readonly Value[];
}

/** A scalar function that needs more than its arguments. */
export function scalar(call: AnyFunction, options: CodeOptions): ScalarCode {
  return {
    kind: 'scalar',
    call,
    needsContext: options.context ?? false,
    needsTypes: options.types ?? false,
    inline: options.inline,
    defaults: options.defaults,
  };
}

/** A scalar function that asks its statement's context. */
export function contextual(call: (...args: never[]) => Value): ScalarCode {
  return scalar(call, { context: true });
}

/** A function that returns a set. */
export function setOf(call: (...args: never[]) => Iterable<Value>, options: CodeOptions = {}): SetCode {
  return {
    kind: 'set',
    call,
    needsContext: options.context ?? false,
    needsTypes: options.types ?? false,
    defaults: options.defaults,
  };
}

/** What an aggregate's author writes. S is its state, A its arguments. */
export interface AggregateParts<S, A extends readonly unknown[]> {
  readonly init: (context: EvaluationContext, types: CallTypes) => S;
  readonly step: (state: S, ...args: A) => S;
  readonly final: (state: S, ...direct: never[]) => Value;
  readonly combine?: (a: S, b: S) => S;
  readonly inverse?: (state: S, ...args: A) => S;
  /** Rows with a null argument are skipped; true unless said otherwise. */
  readonly strict?: boolean;
  readonly keepsInput?: boolean;
  readonly ordering?: AggregateFunction['ordering'];
}

export function aggregate<S, A extends readonly unknown[]>(parts: AggregateParts<S, A>): AggregateCode {
  return {
    kind: 'aggregate',
    init: parts.init,
    step: parts.step as unknown as AggregateFunction['step'],
    final: parts.final as unknown as AggregateFunction['final'],
    combine: parts.combine as unknown as AggregateFunction['combine'],
    inverse: parts.inverse as unknown as AggregateFunction['inverse'],
    strict: parts.strict ?? true,
    keepsInput: parts.keepsInput ?? false,
    ordering: parts.ordering,
  };
}
