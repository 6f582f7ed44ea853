/** Which views can be written through: what PostgreSQL calls automatically updatable. */
import { PhantomError } from '@phantom/base';
import type { ViewDescriptor } from '@phantom/catalog';
import { whyNotUpdatable } from '../plan/binder/updatable.js';
import { parseStatement } from '../text/parse.js';
import type { Query } from '../text/ast.js';
import type { DdlContext } from './context.js';

/** 0A000 unless WITH CHECK OPTION has something to check: rows can be written through the view. */
export function checkUpdatable(context: DdlContext, view: ViewDescriptor): void {
  const query = parseStatement(view.querySql) as Query;
  const from = query.body.kind === 'select' ? query.body.from[0] : undefined;
  let reason = whyNotUpdatable(query, context.picture);
  if (reason === undefined && from?.kind === 'table') {
    const written = from.name.map((part) => part.text).join('.');
    const oid = view.names?.find((entry) => entry.name === written)?.oid;
    const base = oid === undefined ? undefined : context.picture.relationByOid(oid);
    if (base?.kind === 'view') return checkUpdatable(context, base);
    if (base?.kind !== 'table')
      reason = 'Views that do not select from a single table or view are not automatically updatable.';
  }
  if (reason === undefined) return;
  throw new PhantomError('0A000', 'WITH CHECK OPTION is supported only on automatically updatable views', {
    hint: reason,
  });
}
