/** Why rows cannot be written through a view's query, in PostgreSQL's words. */
import type { CatalogPort } from '../catalog-port.js';
import type * as Ast from '../../text/ast.js';

function notUpdatable(what: string): string {
  return `Views containing ${what} are not automatically updatable.`;
}

/** Undefined when the query is one SELECT of the rows of one relation, as they are. */
export function whyNotUpdatable(query: Ast.Query, catalog: CatalogPort): string | undefined {
  const { body } = query;
  if (body.kind === 'set-operation') return notUpdatable('UNION, INTERSECT, or EXCEPT');
  if (query.with !== undefined) return notUpdatable('WITH');
  if (query.limit !== undefined || query.offset !== undefined) return notUpdatable('LIMIT or OFFSET');
  if (body.kind === 'query') return whyNotUpdatable(body, catalog);
  const single = 'Views that do not select from a single table or view are not automatically updatable.';
  if (body.kind === 'values') return single;
  if (body.distinct !== undefined) return notUpdatable('DISTINCT');
  if (body.groupBy !== undefined) return notUpdatable('GROUP BY');
  if (body.having !== undefined) return notUpdatable('HAVING');
  for (const item of body.items) {
    const kind = callIn(item.value, catalog);
    if (kind !== undefined) return `Views that return ${kind} are not automatically updatable.`;
  }
  const [from] = body.from;
  if (body.from.length !== 1 || from?.kind !== 'table' || from.sample !== undefined) return single;
  return undefined;
}

/** An aggregate, window function or set-returning function somewhere in an expression, not inside of a subquery. */
function callIn(node: unknown, catalog: CatalogPort): string | undefined {
  if (typeof node !== 'object' || node === null) return undefined;
  const part = node as {
    readonly kind?: string;
    readonly name?: readonly { readonly text: string }[];
    readonly over?: unknown;
  };
  if (part.kind === 'query') return undefined;
  if (part.kind === 'call') {
    if (part.over !== undefined) return 'window functions';
    for (const definition of catalog.functions.functionsNamed(part.name?.at(-1)?.text ?? '')) {
      if (definition.kind === 'aggregate') return 'aggregate functions';
      if (definition.kind === 'set') return 'set-returning functions';
    }
  }
  for (const value of Object.values(node)) {
    const found = callIn(value, catalog);
    if (found !== undefined) return found;
  }
  return undefined;
}
