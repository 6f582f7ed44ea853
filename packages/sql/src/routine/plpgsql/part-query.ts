/**
 * Assignment to a part of a variable whose value a query gives: `a[i] := (SELECT ...)`, `a[n] := sum(x) FROM t`.
 *
 * The query gives the value and, behind it, the subscripts, which may be queries themselves or read its rows. What came is
 * then put in its place as any value is, with parameters standing for the value and the subscripts. Literals stay where they
 * are: what type they have is for the subscripted type to say.
 */
import { unsupportedError } from '@phantom/base';
import type * as Ast from '../../text/ast.js';

type Subscript = Ast.Subscript;
type Path = Ast.TargetColumn['path'];

const LITERALS: ReadonlySet<string> = new Set(['number', 'string', 'null']);

const isMoved = (expression: Ast.Expression): boolean => !LITERALS.has(expression.kind);

/** The path with each expression of its subscripts, in their order, replaced by what `replace` gives for it. */
function mapSubscripts(path: Path, replace: (expression: Ast.Expression) => Ast.Expression): Path {
  const each = (expression: Ast.Expression | undefined): Ast.Expression | undefined =>
    expression === undefined || !isMoved(expression) ? expression : replace(expression);
  return path.map((step) => {
    if (!('kind' in step)) return step;
    const subscript: Subscript =
      step.kind === 'index'
        ? { kind: 'index', index: each(step.index) as Ast.Expression }
        : { kind: 'slice', lower: each(step.lower), upper: each(step.upper) };
    return subscript;
  });
}

/** The query with the subscripts behind its own columns; `count` of them. 0A000 for a set operation. */
export function withSubscripts(
  query: Ast.Query,
  target: Ast.TargetColumn,
): { readonly query: Ast.Query; readonly count: number } {
  const { body } = query;
  if (body.kind !== 'select') throw unsupportedError('a set operation as the value of a part of a variable');
  const items: Ast.SelectItem[] = [];
  mapSubscripts(target.path, (value) => {
    items.push({ value, alias: undefined, columnAliases: [], position: value.position });
    return value;
  });
  return { query: { ...query, body: { ...body, items: [...body.items, ...items] } }, count: items.length };
}

/** The target with the parameters from `first` on in the place of its subscripts. */
export function overParameters(target: Ast.TargetColumn, first: number): Ast.TargetColumn {
  let index = first;
  const path = mapSubscripts(target.path, ({ position }) => ({ kind: 'parameter', index: index++, position }));
  return { ...target, path };
}

/** True where a query stands in the path's subscripts. */
export function hasQuery(part: unknown): boolean {
  if (typeof part !== 'object' || part === null) return false;
  return (part as { readonly kind?: unknown }).kind === 'query' || Object.values(part).some(hasQuery);
}
