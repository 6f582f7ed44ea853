/**
 * Functions in FROM as PostgreSQL writes them: `unnest` of several arrays is as many functions to it, and several of nothing but
 * `unnest` are one again.
 *
 *   unnest(a, b)                      UNNEST(a, b)
 *   ROWS FROM(unnest(a, b), f(x))     ROWS FROM(unnest(a), unnest(b), f(x))
 *   ROWS FROM(f(x))                   f(x)
 */
import type { FieldDefinition } from '../../text/ast-leaves.js';
import type * as Ast from '../../text/ast.js';

/** How parts of it are written. */
export interface FunctionTableWriter {
  /** A function as it is called. */
  call(node: Ast.Expression): string;
  expression(node: Ast.Expression): string;
  /** `(name type, ...)`. */
  definitions(fields: readonly FieldDefinition[]): string;
}

interface Part {
  readonly text: string;
  /** What `unnest` takes; undefined for other functions. */
  readonly array: string | undefined;
}

export function functionTableText(node: Ast.FunctionTable, writer: FunctionTableWriter): string {
  const parts = node.functions.flatMap((one) => partsOf(one, writer));
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only.text;
  const arrays = parts.map(({ array }) => array);
  return arrays.every((array) => array !== undefined)
    ? `UNNEST(${arrays.join(', ')})`
    : `ROWS FROM(${parts.map(({ text }) => text).join(', ')})`;
}

function partsOf({ call, definitions }: Ast.TableFunction, writer: FunctionTableWriter): readonly Part[] {
  const isUnnest =
    call.kind === 'call' &&
    call.name.at(-1)?.text === 'unnest' &&
    (call.name.length === 1 || call.name[0]?.text === 'pg_catalog') &&
    call.arguments.every(({ variadic }) => !variadic);
  if (!isUnnest) {
    const columns = definitions.length === 0 ? '' : ` AS ${writer.definitions(definitions)}`;
    return [{ text: writer.call(call) + columns, array: undefined }];
  }
  return call.arguments.map(({ value }) => {
    const array = writer.expression(value);
    return { text: `unnest(${array})`, array };
  });
}
