/** The face that expression operators are written against. */
import { Work } from './work.js';

/** Variables that an expression knows, by name without dollars, and what it may make and do. */
export class Variables {
  readonly work: Work;
  private readonly outer: Variables | undefined;
  private readonly name: string;
  readonly value: unknown;

  private constructor(work: Work, outer: Variables | undefined, name: string, value: unknown) {
    this.work = work;
    this.outer = outer;
    this.name = name;
    this.value = value;
  }

  /** Those of an operation that begins now. */
  static begin(work: Work = new Work()): Variables {
    return new Variables(work, undefined, 'NOW', new Date());
  }

  /** These, and another one, which hides one of its name. */
  with(name: string, value: unknown): Variables {
    return new Variables(this.work, this, name, value);
  }

  /** The variable of a name; undefined where there is none. */
  find(name: string): { readonly value: unknown } | undefined {
    return this.name === name ? this : this.outer?.find(name);
  }
}

/** The document, and variables. */
export type Evaluate = (root: unknown, variables: Variables) => unknown;

/** What operators compile their operands with. */
export interface Compiler {
  /** Top-level fields of the document read so far; undefined once the whole document is. */
  fields: Set<string> | undefined;
  compile(expression: unknown): Evaluate;
  /** Operands of an operator: those of an array, or the one that is none. */
  operands(operand: unknown): Evaluate[];
}

/** Compiles an operator's operand. */
export type OperatorMaker = (operand: unknown, compiler: Compiler) => Evaluate;
