/** Which views rows can be written through, and which of their columns: what information_schema says of them. */
import type { RelationDescriptor, ViewDescriptor } from '@phantom/catalog';
import { whyNotUpdatable } from '../plan/binder/updatable.js';
import type * as Ast from '../text/ast.js';
import { parseStatement } from '../text/parse.js';
import type { SystemViewSource } from './system-view.js';

/** What is read of the session. */
type Source = Pick<SystemViewSource, 'objectsSeen' | 'catalog'>;

/** Names of the columns that may be written; undefined for a view that is not updatable by itself. */
export function writableColumns(source: Source, view: ViewDescriptor): ReadonlySet<string> | undefined {
  const query = parseStatement(view.querySql) as Ast.Query;
  if (whyNotUpdatable(query, source.catalog) !== undefined || query.body.kind !== 'select') return undefined;
  const { items, from } = query.body;
  const base = baseOf(source, view, from[0] as Ast.TableRef);
  const baseColumns = base === undefined ? undefined : writableOf(source, base);
  if (baseColumns === undefined) return undefined;
  const stars = view.columns.length - items.filter(({ value }) => value.kind !== 'star').length;
  const writable = new Set<string>();
  let at = 0;
  for (const { value } of items) {
    const count = value.kind === 'star' ? stars : 1;
    const named = value.kind === 'column' ? value.names.at(-1)?.text : undefined;
    for (const end = at + count; at < end; at++) {
      const name = view.columns[at]?.name;
      if (name !== undefined && (value.kind === 'star' || baseColumns.has(named ?? ''))) writable.add(name);
    }
  }
  return writable.size === 0 ? undefined : writable;
}

function baseOf(source: Source, view: ViewDescriptor, node: Ast.TableRef): RelationDescriptor | undefined {
  const written = node.name.map(({ text }) => text).join('.');
  const oid = view.names?.find(({ name }) => name === written)?.oid;
  const object = oid === undefined ? undefined : source.objectsSeen.object(oid);
  return object?.kind === 'table' || object?.kind === 'view' ? object : undefined;
}

function writableOf(source: Source, base: RelationDescriptor): ReadonlySet<string> | undefined {
  if (base.kind === 'view') return writableColumns(source, base);
  if (base.kind !== 'table' || base.materialized !== undefined) return undefined;
  return new Set(base.columns.filter(({ dropped }) => !dropped).map(({ name }) => name));
}
