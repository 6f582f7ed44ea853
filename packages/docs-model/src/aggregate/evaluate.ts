/** The face that expression operators are written against. */

/** Values of variables while an expression is evaluated, by name without dollars. */
export type Variables = Readonly<Record<string, unknown>>;
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
