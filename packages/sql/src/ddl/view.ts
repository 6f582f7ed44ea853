/** CREATE VIEW: the query's text is kept and bound anew at use, with the search path of its creation. */
import { PhantomError, unsupportedError } from '@phantom/base';
import { NameClass, type Oid, type ViewDescriptor } from '@phantom/catalog';
import type { CreateView } from '../text/ast-schema.js';
import { deparseQuery } from '../text/deparse.js';
import type { DdlContext, DdlExecution } from './context.js';
import { claimName, creationSchema, lockForChange, relationExists, requireOwner } from './names.js';
import { putRowType } from './types.js';

export function* createView(context: DdlContext, node: CreateView): DdlExecution {
  if (node.recursive) throw unsupportedError('CREATE RECURSIVE VIEW');
  if (node.persistence !== 'permanent') throw unsupportedError('temporary views');
  if (node.options.length > 0) throw unsupportedError('view options');
  if (node.checkOption !== undefined) throw unsupportedError('WITH CHECK OPTION');
  const place = creationSchema(context, node.name);
  const existing = yield* claimName(context, NameClass.Relation, place.schemaOid, place.name);
  if (existing !== undefined && !node.orReplace) throw relationExists(place.name);
  if (existing !== undefined && existing.kind !== 'view')
    throw new PhantomError('42809', `"${place.name}" is not a view`);
  const described = context.describe(node.query);
  if (node.columns.length > described.fields.length) {
    throw new PhantomError('42601', 'CREATE VIEW specifies more column names than columns');
  }
  const columns = described.fields.map((field, i) => ({ name: node.columns[i]?.text ?? field.name, type: field.type }));
  const repeated = columns.find((column, i) => columns.findIndex((other) => other.name === column.name) !== i);
  if (repeated !== undefined) throw new PhantomError('42701', `column "${repeated.name}" specified more than once`);
  if (existing?.kind === 'view') {
    requireOwner(context, existing);
    yield* lockForChange(context, existing);
    keepsColumns(existing, columns);
  }
  const view: ViewDescriptor = {
    kind: 'view',
    oid: existing?.oid ?? context.catalog.allocateOid(),
    name: place.name,
    databaseOid: context.databaseOid,
    schemaOid: place.schemaOid,
    ownerOid: existing?.kind === 'view' ? existing.ownerOid : context.roleOid,
    querySql: deparseQuery(node.query),
    columns,
    searchPath: context.picture.searchPath,
    rowTypeOid: existing?.kind === 'view' ? existing.rowTypeOid : context.catalog.allocateOid(),
  };
  if (existing !== undefined)
    for (const dependency of Array.from(context.objects.dependenciesOf(view.oid)))
      context.objects.removeDependency(dependency);
  context.objects.put(view);
  putRowType(context, view);
  for (const oid of described.relations) depend(context, view.oid, oid);
  return undefined;
}

function depend(context: DdlContext, dependentOid: Oid, referencedOid: Oid): void {
  if (context.objects.object(referencedOid) === undefined) return;
  context.objects.addDependency({
    dependentOid,
    dependentColumn: 0,
    referencedOid,
    referencedColumn: 0,
    strength: 'normal',
  });
}

/** CREATE OR REPLACE may only add columns at the end. */
function keepsColumns(view: ViewDescriptor, columns: ViewDescriptor['columns']): void {
  if (columns.length < view.columns.length) throw new PhantomError('42P16', 'cannot drop columns from view');
  view.columns.forEach((column, i) => {
    const now = columns[i];
    if (now?.name !== column.name)
      throw new PhantomError('42P16', `cannot change name of view column "${column.name}" to "${now?.name}"`);
    if (now.type.oid !== column.type.oid)
      throw new PhantomError('42P16', `cannot change data type of view column "${column.name}"`);
  });
}
