/**
 * CREATE EXTENSION. Some of PostgreSQL's extensions are part of every database, in pg_catalog, as plpgsql is there: they can be neither
 * made anew nor taken away. So are languages. What is said of them in a comment cannot be changed, but may be said again, as every dump
 * does. Others are made where they are wanted (create-extension.ts).
 */
import { PhantomError } from '@phantom/base';
import { type ExtensionDescriptor, NameClass, type Oid, isSuperuser } from '@phantom/catalog';
import { BOOTSTRAP_ROLE_OID, LANGUAGE_OIDS } from '../system-views/oids.js';
import type { ObjectRef } from '../text/ast-access.js';
import type { CreateExtension } from '../text/ast-schema.js';
import { availableExtension } from '../extensions/available.js';
import type { DdlContext, DdlExecution } from './context.js';
import { makeExtension } from './create-extension.js';

export interface Extension {
  readonly oid: number;
  readonly name: string;
  readonly version: string;
  readonly description: string;
  /**
   * Listed in databases only that use it, as if somebody had made it in the schema public: pg_dump has it made where its dump is restored,
   * if its oid is one of users' objects.
   */
  readonly whenUsed?: true;
}

export const EXTENSIONS: readonly Extension[] = [
  { oid: 13559, name: 'plpgsql', version: '1.0', description: 'PL/pgSQL procedural language' },
  {
    oid: 15898,
    name: 'pg_stat_statements',
    version: '1.10',
    description: 'track planning and execution statistics of all SQL statements executed',
  },
  {
    oid: 4_294_960_000,
    name: 'btree_gist',
    version: '1.7',
    description: 'support for indexing common datatypes in GiST',
    whenUsed: true,
  },
  { oid: 15899, name: 'uuid-ossp', version: '1.1', description: 'generate universally unique identifiers (UUIDs)' },
];

/** What stands beside the languages of routines, by their names. */
export const LANGUAGE_COMMENTS: Readonly<Record<string, string>> = {
  internal: 'built-in functions',
  sql: 'SQL-language functions',
  plpgsql: 'PL/pgSQL procedural language',
};

export function extensionNamed(name: string): Extension | undefined {
  return EXTENSIONS.find((extension) => extension.name === name);
}

/** An extension that was made in the database; undefined for those that are part of every one. */
export function madeExtension({ objects, databaseOid }: DdlContext, name: string): ExtensionDescriptor | undefined {
  const oid = objects.oidByName(NameClass.Extension, databaseOid, name);
  const object = oid === undefined ? undefined : objects.object(oid);
  return object?.kind === 'extension' ? object : undefined;
}

/** IF NOT EXISTS passes over an extension that is there; 42710 for it without, 0A000 for one that there is not. */
export function* createExtension(context: DdlContext, node: CreateExtension): DdlExecution {
  const name = node.name.text;
  const facts = availableExtension(name);
  if (facts !== undefined) {
    yield* makeExtension(context, node, facts);
    return undefined;
  }
  if (extensionNamed(name) === undefined) {
    throw new PhantomError('0A000', `extension "${name}" is not available`, {
      hint: 'pg_available_extensions lists those that are.',
    });
  }
  if (!node.ifNotExists) throw new PhantomError('42710', `extension "${name}" already exists`);
  context.notice('NOTICE', '42710', `extension "${name}" already exists, skipping`);
  return undefined;
}

/** ALTER LANGUAGE ... OWNER TO the one who owns it already, as dumps say; 42704 for a language that is not there, 0A000 for another owner. */
export function keepLanguageOwner(context: DdlContext, { name }: ObjectRef, ownerOid: Oid): void {
  const shown = name.at(-1)?.text ?? '';
  if (LANGUAGE_OIDS[shown] === undefined) throw new PhantomError('42704', `language "${shown}" does not exist`);
  if (!isSuperuser(context.objects, context.roleOid))
    throw new PhantomError('42501', `must be owner of language ${shown}`);
  if (ownerOid !== BOOTSTRAP_ROLE_OID)
    throw new PhantomError('0A000', `the owner of language "${shown}" cannot be changed`, {
      hint: 'It is part of every database, and belongs to the first superuser.',
    });
}

/** COMMENT ON EXTENSION and ON LANGUAGE of what is part of every database, with the text that is there already; 42704 for what is not there, 0A000 for another text. */
export function commentBuiltIn({ object, name }: ObjectRef, text: string | undefined): undefined {
  const shown = name.at(-1)?.text ?? '';
  const known = object === 'extension' ? extensionNamed(shown)?.description : LANGUAGE_COMMENTS[shown];
  if (known === undefined) throw new PhantomError('42704', `${object} "${shown}" does not exist`);
  if (text === known) return undefined;
  throw new PhantomError('0A000', `the comment on ${object} "${shown}" cannot be changed`, {
    hint: `It is part of every database, and its comment is ${known === '' ? 'empty' : `'${known}'`}.`,
  });
}
