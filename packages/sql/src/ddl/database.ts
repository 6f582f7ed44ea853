/** CREATE and DROP DATABASE: databases are namespaces of one store, so both take a few keys and no files. */
import { PhantomError, unsupportedError } from '@phantom/base';
import { NameClass, type DatabaseDescriptor, ownsObject, publicSchema } from '@phantom/catalog';
import type { CreateDatabase, DropDatabase } from '../text/ast-schema.js';
import type { DdlContext, DdlExecution } from './context.js';
import { dropAll } from './drop.js';
import { claimName } from './names.js';
import { removeAllLargeObjects } from '../large-objects/large-objects.js';

/** Options whose value is what we do anyway. */
const HONOURED: Readonly<Record<string, readonly string[]>> = {
  encoding: ['utf8', 'utf-8', 'unicode'],
  lc_collate: ['c', 'posix', 'c.utf-8', 'c.utf8'],
  lc_ctype: ['c', 'posix', 'c.utf-8', 'c.utf8'],
  locale: ['c', 'posix', 'c.utf-8', 'c.utf8'],
  template: ['template0', 'template1'],
  tablespace: ['pg_default'],
};

export function* createDatabase(context: DdlContext, node: CreateDatabase): DdlExecution {
  if (node.kind === 'alter-database') throw unsupportedError('ALTER DATABASE options');
  const { objects } = context;
  const role = objects.object(context.roleOid);
  if (role?.kind !== 'role' || !(role.superuser || role.createDatabase)) {
    throw new PhantomError('42501', 'permission denied to create database');
  }
  let ownerOid = context.roleOid;
  for (const option of node.options) {
    const name = option.name.text;
    const { value } = option;
    const text =
      value?.kind === 'word'
        ? value.name[0]?.text
        : value?.kind === 'string'
          ? value.value
          : value?.kind === 'default'
            ? undefined
            : '';
    if (text === undefined) continue;
    if (name === 'owner') {
      const owner = context.catalog.role(text);
      if (owner === undefined) throw new PhantomError('42704', `role "${text}" does not exist`);
      ownerOid = owner.oid;
    } else if (HONOURED[name]?.includes(text.toLowerCase()) !== true) {
      throw unsupportedError(`CREATE DATABASE option ${name.toUpperCase()} = ${text}`);
    }
  }
  const existing = yield* claimName(context, NameClass.Database, 0, node.name.text);
  if (existing !== undefined) throw new PhantomError('42P04', `database "${node.name.text}" already exists`);
  const database: DatabaseDescriptor = {
    kind: 'database',
    oid: context.catalog.allocateOid(),
    name: node.name.text,
    ownerOid,
  };
  objects.put(database);
  objects.put(publicSchema(context.catalog.allocateOid(), database.oid));
  return undefined;
}

export function* dropDatabase(context: DdlContext, node: DropDatabase): DdlExecution {
  const { objects } = context;
  const name = node.name.text;
  const database = yield* claimName(context, NameClass.Database, 0, name);
  if (database?.kind !== 'database') {
    if (!node.ifExists) throw new PhantomError('3D000', `database "${name}" does not exist`);
    context.notice('NOTICE', '00000', `database "${name}" does not exist, skipping`);
    return undefined;
  }
  if (!ownsObject(objects, context.roleOid, database)) {
    throw new PhantomError('42501', `must be owner of database ${name}`);
  }
  if (database.oid === context.databaseOid) throw new PhantomError('55006', 'cannot drop the currently open database');
  if (context.databaseInUse(database.oid)) {
    throw new PhantomError('55006', `database "${name}" is being accessed by other users`);
  }
  for (const schema of Array.from(objects.objectsIn(database.oid))) yield* dropAll(context, [schema], true);
  removeAllLargeObjects(context.transaction, context.catalog.keys.largeObjectSpace, database.oid);
  objects.remove(database.oid);
  return undefined;
}
