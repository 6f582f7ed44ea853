/** CREATE SCHEMA, with the elements it may bring along. */
import { PhantomError } from '@phantom/base';
import { NameClass, type SchemaDescriptor, hasPrivilege } from '@phantom/catalog';
import { PHANTOM_SCHEMA } from '../system-views/system-view.js';
import type { CreateSchema, Statement } from '../text/ast-statements.js';
import type { DdlContext, DdlExecution } from './context.js';
import { ownership } from './ownership.js';
import { claimName } from './names.js';

/** The order in which elements are made, however they are written: what others may stand on comes first. */
const ELEMENT_ORDER: readonly Statement['kind'][] = [
  'create-sequence',
  'create-table',
  'create-view',
  'create-index',
  'create-trigger',
  'grant',
];

function placeOf({ kind }: Statement): number {
  const place = ELEMENT_ORDER.indexOf(kind);
  return place < 0 ? ELEMENT_ORDER.length : place;
}

export function* createSchema(context: DdlContext, node: CreateSchema): DdlExecution {
  const { objects } = context;
  const database = objects.object(context.databaseOid);
  if (database === undefined || !hasPrivilege(objects, context.roleOid, database, 'C')) {
    throw new PhantomError('42501', `permission denied for database ${context.picture.databaseName}`);
  }
  const owner = node.owner?.kind === 'role' ? context.catalog.role(node.owner.name?.text as string) : undefined;
  if (node.owner?.kind === 'role' && owner === undefined) {
    throw new PhantomError('42704', `role "${node.owner.name?.text}" does not exist`);
  }
  const name = node.name?.text ?? owner?.name ?? context.evaluation.currentUser;
  if (name.startsWith('pg_') || name === PHANTOM_SCHEMA) {
    throw new PhantomError('42939', `unacceptable schema name "${name}"`, {
      detail: `The ${name === PHANTOM_SCHEMA ? 'name "phantom"' : 'prefix "pg_"'} is reserved for system schemas.`,
    });
  }
  const existing = yield* claimName(context, NameClass.Schema, context.databaseOid, name);
  if (existing !== undefined) {
    if (!node.ifNotExists) throw new PhantomError('42P06', `schema "${name}" already exists`);
    context.notice('NOTICE', '42P06', `schema "${name}" already exists, skipping`);
    return undefined;
  }
  const schema: SchemaDescriptor = {
    kind: 'schema',
    oid: context.catalog.allocateOid(),
    name,
    databaseOid: context.databaseOid,
    ...ownership(context, 'schema', 0, owner),
  };
  objects.put(schema);
  const elements = [...node.elements].sort((a, b) => placeOf(a) - placeOf(b));
  for (const element of elements) {
    if ('persistence' in element && element.persistence === 'temporary')
      throw new PhantomError('42P16', 'cannot create temporary relation in non-temporary schema');
    yield* context.define(element, name);
  }
  return undefined;
}
