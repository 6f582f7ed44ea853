/**
 * Aggregation expressions, compiled to closures once: field paths (`$a.b`), variables (`$$ROOT`, `$$name`), literals, objects and
 * arrays of expressions, operators (registry.ts). Missing is undefined; a missing part of an object is left out, of an array it is
 * null. A field path through an array gives the array of what each element has.
 */
import { badArgument, unknownOperator } from '../errors.js';
import { OBJECT_BYTES, SLOT_BYTES } from '../memory-bytes.js';
import { type PlainObject, isObject } from '../order.js';
import { type Path, ownField, parsePath, setField } from '../path.js';
import { type Compiler, type Evaluate, Variables } from './evaluate.js';
import { operatorNamed } from './registry.js';
import type { Work } from './work.js';

export interface Expression {
  evaluate(document: unknown): unknown;
  /** Top-level fields of the document that it reads; undefined: any. */
  readonly fields: ReadonlySet<string> | undefined;
}

const DEPTH_MAX = 200;
/** What refusals call objects and arrays of expressions. */
const LITERAL = 'an expression';

class ExpressionCompiler implements Compiler {
  fields: Set<string> | undefined = new Set();
  /** Something is made: it is neither a path alone nor a constant. */
  makes = false;
  private depth = 0;

  compile(expression: unknown): Evaluate {
    if (++this.depth > DEPTH_MAX) throw badArgument(`an expression is nested at most ${DEPTH_MAX} levels deep`);
    try {
      return this.compileOne(expression);
    } finally {
      this.depth--;
    }
  }

  operands(operand: unknown): Evaluate[] {
    return (Array.isArray(operand) ? operand : [operand]).map((one) => this.compile(one));
  }

  private compileOne(expression: unknown): Evaluate {
    if (typeof expression === 'string' && expression.startsWith('$')) return this.path(expression);
    if (Array.isArray(expression)) {
      this.makes = true;
      const items = expression.map((item) => this.compile(item));
      return (root, variables) => {
        const { work } = variables;
        const mark = work.mark();
        let bytes = OBJECT_BYTES + SLOT_BYTES * items.length;
        const made: unknown[] = [];
        for (const item of items) {
          const value = item(root, variables) ?? null;
          bytes = keptBytes(work, mark, bytes, value);
          made.push(value);
        }
        work.note(made, bytes);
        return made;
      };
    }
    if (isObject(expression)) return this.object(expression);
    return () => expression;
  }

  private path(text: string): Evaluate {
    if (!text.startsWith('$$')) {
      const path = parsePath(text.slice(1));
      this.fields?.add(path[0] as string);
      return (root) => pathValue(root, path, 0);
    }
    const [name, ...path] = parsePath(text.slice(2)) as [string, ...string[]];
    switch (name) {
      case 'ROOT':
      case 'CURRENT':
        this.fields = undefined;
        return (root) => pathValue(root, path, 0);
      case 'REMOVE':
        return () => undefined;
      default:
        return (_root, variables) => {
          const variable = variables.find(name);
          if (variable === undefined) throw badArgument(`undefined variable: $$${name}`);
          return pathValue(variable.value, path, 0);
        };
    }
  }

  private object(expression: PlainObject): Evaluate {
    this.makes = true;
    const keys = Object.keys(expression);
    const operator = keys.find((key) => key.startsWith('$'));
    if (operator !== undefined) {
      if (keys.length > 1) throw badArgument(`an expression has one operator, not ${keys.join(', ')}`);
      const make = operatorNamed(operator);
      if (make === undefined) throw unknownOperator(operator, 'expression operator');
      return make(expression[operator], this);
    }
    const fields = keys.map((key) => ({ key, value: this.compile(expression[key]) }));
    return (root, variables) => {
      const { work } = variables;
      const mark = work.mark();
      let bytes = OBJECT_BYTES + SLOT_BYTES * fields.length;
      const result: PlainObject = {};
      for (const { key, value } of fields) {
        const part = value(root, variables);
        if (part === undefined) continue;
        bytes = keptBytes(work, mark, bytes, part);
        setField(result, key, part);
      }
      work.note(result, bytes);
      return result;
    };
  }
}

/** Adds a part to a value that is made, of so many bytes so far; gives those that it takes now. */
function keptBytes(work: Work, mark: number, bytes: number, part: unknown): number {
  const more = work.sizeOf(part, LITERAL);
  work.settle(mark, bytes);
  work.take(more, LITERAL);
  return bytes + more;
}

/** Compiles an expression. 22023 for what is none, 0A000 for operators that are known and not there. */
export function compileExpression(expression: unknown, variables: Variables = Variables.begin()): Expression {
  const compiler = new ExpressionCompiler();
  const evaluate = compiler.compile(expression);
  const { fields } = compiler;
  const { work } = variables;
  if (compiler.makes) return { evaluate: (document) => work.evaluate(evaluate, document, variables), fields };
  return {
    evaluate: (document) => {
      const value = evaluate(document, variables);
      if (typeof value === 'object' || typeof value === 'string') work.found(value);
      return value;
    },
    fields,
  };
}

/** What a path gives in an expression: arrays on the way are mapped, missing parts of them left out. */
function pathValue(value: unknown, path: Path, from: number): unknown {
  let current = value;
  for (let i = from; i < path.length; i++) {
    if (Array.isArray(current)) {
      const found: unknown[] = [];
      for (const item of current) {
        const part = isObject(item) || Array.isArray(item) ? pathValue(item, path, i) : undefined;
        if (part !== undefined) found.push(part);
      }
      return found;
    }
    if (!isObject(current)) return undefined;
    current = ownField(current, path[i] as string);
  }
  return current;
}
